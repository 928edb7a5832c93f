"""What carelog makes of an input, without converting it: its format and why, where its times get their zone,
which fields come out, and what has no home.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from carelog.columns import RECORD_FIELDS
from carelog.sources.blocks import Block, ReadOptions
from carelog.sources.formats import FORMATS
from carelog.sources.reading import EMPTY, Inputs, parse_chunk, read_chunks

MOST_PARTS = 8
MOST_NAMES = 40


@dataclass(slots=True)
class Explained:
    """One input explained; `fields` and `extra` count in how many of the first `records` something stands."""

    name: str
    format: str
    title: str
    reason: str
    records: int = 0
    rejected: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    local_times: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    whole: bool = True


def explain_inputs(inputs: Inputs, options: ReadOptions) -> Iterator[Explained]:
    """Each input explained by its first records; what can be read only once is read here."""
    for known in inputs.known:
        title = FORMATS[known.format].title if known.format != EMPTY else "nothing in it"
        explained = Explained(known.input.name, known.format, title, known.reason)
        alone = Inputs(known=[known], keep_going=True)
        parts = read_chunks(alone, options)
        for part in islice(parts, MOST_PARTS):
            _look_at(parse_chunk(part), explained)
        explained.whole = next(parts, None) is None
        yield explained


def _look_at(block: Block, explained: Explained) -> None:
    explained.records += len(block.values)
    explained.rejected += len(block.rejects)
    explained.findings.update(finding.keyword for finding in block.findings)
    explained.findings.update(f.keyword for reject in block.rejects for f in reject.findings)
    for value in block.values:
        for name, inner in value.items():
            if name not in RECORD_FIELDS:
                explained.extra[name] += 1
            elif inner is not None and name not in ("extra", "source"):
                explained.fields[name] += 1
        extra = value.get("extra")
        explained.extra.update(map(str, extra) if isinstance(extra, dict) else ())
        explained.local_times += _is_local(value.get("started_at"))


def _is_local(text: Any) -> bool:
    return (
        isinstance(text, str) and len(text) >= 16 and text[-1:] not in "Zz" and text[-6:-5] not in ("+", "-")
    )


def to_text(explained: Explained) -> str:
    """An explained input as lines of text."""
    lines = [f"{explained.name}: {explained.format} ({explained.title})", f"  because {explained.reason}"]
    if explained.records or explained.rejected:
        begun = "" if explained.whole else "the first "
        lines.append(f"  {begun}{explained.records:,} records, {explained.rejected:,} parts put aside")
    if explained.fields:
        lines.append("  fields: " + _shares(explained.fields, explained.records))
    if explained.extra:
        lines.append("  kept under extra: " + _shares(explained.extra, explained.records))
    if explained.local_times:
        lines.append(f"  {explained.local_times:,} times have no offset: say the zone with --tz")
    if explained.findings:
        lines.append("  findings: " + ", ".join(f"{k} {n:,}" for k, n in sorted(explained.findings.items())))
    return "\n".join(lines)


def _shares(counts: Counter[str], records: int) -> str:
    shown = [
        name if count >= records else f"{name} ({count:,} of {records:,})"
        for name, count in counts.most_common(MOST_NAMES)
    ]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f", and {more} more" if more > 0 else "")

"""What validation found, as text for a person or in the formats that CI systems read: Tally -> str."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from rich.cells import cell_len, chop_cells

from carelog.findings import Finding, visible
from carelog.reports.findings_github import to_github
from carelog.reports.findings_junit import to_junit
from carelog.reports.findings_sarif import to_sarif
from carelog.validation import FileTally, KindTally, Tally

WIDTH = 80
_FREQUENT = 10


def to_text(tally: Tally) -> str:
    """For a person: a line for each input, the most frequent findings, the list. Fits 80 columns."""
    lines = [*_file_lines(tally), *_frequent_lines(tally), *_listed_lines(tally)]
    return "\n".join(lines) + "\n"


def _file_lines(tally: Tally) -> Iterator[str]:
    for counts in tally.files.values():
        yield from _fit(f"{visible(counts.file)}: {_counted(counts)}", "  ")
    if len(tally.files) > 1:
        yield from _fit(f"all {len(tally.files)} inputs: {_totals(tally)}", "  ")


def _counted(counts: FileTally) -> str:
    text = f"{counts.records:,} read = {counts.accepted:,} accepted + {counts.rejected:,} rejected"
    if counts.warnings:
        text += f", {_number(counts.warnings, 'warning')}"
    if counts.blank_lines:
        text += f", {_number(counts.blank_lines, 'empty line')} skipped"
    return text


def _totals(tally: Tally) -> str:
    text = f"{tally.records:,} read = {tally.accepted:,} accepted + {tally.rejected:,} rejected"
    return text + (f", {_number(tally.warnings, 'warning')}" if tally.warnings else "")


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _frequent_lines(tally: Tally) -> Iterator[str]:
    kinds = tally.by_frequency()
    if not kinds:
        return
    yield ""
    yield "Most frequent findings" if len(kinds) > _FREQUENT else "Findings by kind"
    digits = max(6, len(f"{kinds[0].count:,}"))
    for kind in kinds[:_FREQUENT]:
        yield from _fit(f"{kind.count:>{digits},}  {_kind_name(kind)}", " " * (digits + 2))
        yield from _fit(f"{'':{digits}}  first at {_place(kind.first)}", " " * (digits + 4))
    if len(kinds) > _FREQUENT:
        yield f"{'':{digits}}  and {_number(len(kinds) - _FREQUENT, 'other kind')}"


def _kind_name(kind: KindTally) -> str:
    where = visible(kind.pointer) or "the record"
    return f"{where}  {kind.keyword}" + (" (warning)" if kind.severity == "warning" else "")


def _listed_lines(tally: Tally) -> Iterator[str]:
    listed = tally.listed()
    if listed:
        yield ""
        yield "Findings" if not tally.truncated else f"The first {len(listed):,} findings"
    for place, findings in groupby(listed, key=_place):
        yield from _fit(f"{place}", "    ")
        for finding in findings:
            note = "warning: " if finding.severity == "warning" else ""
            yield from _fit(f"  {note}{visible(finding.message)} [{finding.keyword}]", "    ")
    left = tally.errors + tally.warnings - len(listed)
    if left:
        yield f"… and {left:,} more; --max-errors {tally.errors + tally.warnings} lists them all"


def _place(finding: Finding) -> str:
    place = visible(finding.file) + (f":{finding.line}" if finding.line is not None else "")
    if finding.interaction_id:
        return f"{place} ({visible(finding.interaction_id[:60])})"
    return place if finding.byte_offset is None else f"{place} (byte {finding.byte_offset})"


def _fit(text: str, indent: str) -> Iterator[str]:
    """Lines of at most WIDTH terminal cells; all but the first begin with `indent`."""
    lead = text[: len(text) - len(text.lstrip())]
    wrapped = textwrap.wrap(
        text.strip(),
        WIDTH,
        initial_indent=lead,
        subsequent_indent=indent,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    for line in wrapped:
        # textwrap counts characters; wide ones take two cells.
        yield from [line] if cell_len(line) <= WIDTH else chop_cells(line, WIDTH)


def to_json(tally: Tally) -> str:
    """The findings report of the contract, with the names of its fields; one JSON object."""
    report: dict[str, Any] = {
        "files": [_file_entry(counts) for counts in tally.files.values()],
        "records": tally.records,
        "accepted": tally.accepted,
        "rejected": tally.rejected,
        "errors": [_error_entry(finding) for finding in tally.listed()],
        "error_counts": [_kind_entry(kind) for kind in tally.by_frequency()],
        "truncated": tally.truncated,
    }
    # Lone surrogates, which UTF-8 cannot hold, can come in by a file name only; JSON can write them as
    # escapes.
    text = json.dumps(report, ensure_ascii=False, indent=2)
    return text.encode("utf-8", "backslashreplace").decode() + "\n"


def _file_entry(counts: FileTally) -> dict[str, Any]:
    return {
        "file": counts.file,
        "format": counts.format,
        "records": counts.records,
        "accepted": counts.accepted,
        "rejected": counts.rejected,
        "errors": counts.errors,
        "warnings": counts.warnings,
        "blank_lines": counts.blank_lines,
    }


def _error_entry(finding: Finding) -> dict[str, Any]:
    return {
        "file": finding.file,
        "line": finding.line,
        "byte_offset": finding.byte_offset,
        "interaction_id": finding.interaction_id,
        "pointer": finding.pointer,
        "keyword": finding.keyword,
        "message": finding.message,
        "severity": finding.severity,
    }


def _kind_entry(kind: KindTally) -> dict[str, Any]:
    return {
        "pointer": kind.pointer,
        "keyword": kind.keyword,
        "count": kind.count,
        "severity": kind.severity,
        "first": {"file": kind.first.file, "line": kind.first.line},
    }


FINDINGS_FORMATS: dict[str, Callable[[Tally], str]] = {
    "text": to_text,
    "json": to_json,
    "junit": to_junit,
    "sarif": to_sarif,
    "github": to_github,
}
"""The values of `validate --format`, and who writes each."""

"""Quality of the data: what was not read, what cannot be judged, what is unknown, which rules fired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import orjson

from carelog.errors import MissingInput, UnusableInput
from carelog.sources.paths import Input
from carelog.sources.streams import open_input
from carelog.summary.figures import Metric, Table
from carelog.summary.labelled import read_whole_lines

KNOWABLE = {
    "customer_id": ("Customer known", "customer_id IS NOT NULL"),
    "agent_id": ("Agent known", "agent_id IS NOT NULL"),
    "initiative": ("Initiative known", "initiative IN ('proactive', 'reactive')"),
    "satisfaction": ("Satisfaction known", "coalesce(satisfaction_label, 'unknown') <> 'unknown'"),
    "outcome": ("Outcome known", "coalesce(outcome, 'unknown') <> 'unknown'"),
    "touchpoint": ("Touchpoint known", "touchpoint IS NOT NULL"),
    "handle_time": ("Handled time known", "handled IS NOT NULL"),
    "language": ("Language known", "coalesce(language, 'und') <> 'und'"),
}
METRICS = (
    Metric(
        name="assessable_rate",
        title="Assessable",
        formula="assessable interactions ÷ all interactions",
        unit="share",
        kind="rate",
        success="assessable",
        higher_is="better",
    ),
    *(
        Metric(
            name=f"known_rate.{name}",
            title=title,
            formula=f"interactions with {name} known ÷ all interactions",
            unit="share",
            kind="rate",
            success=condition,
            higher_is="better",
        )
        for name, (title, condition) in KNOWABLE.items()
    ),
)
MOST_RULES = 20
MOST_FINDINGS = 200


def count_reasons(engine: duckdb.DuckDBPyConnection) -> Table:
    """Why interactions of the period could not be assessed."""
    rows = engine.execute(
        "SELECT not_assessable_reason, count(*) FROM contacts WHERE period = 1 AND NOT assessable GROUP "
        "BY ALL "
        "ORDER BY 2 DESC, 1 NULLS LAST"
    ).fetchall()
    return Table(("reason", "interactions"), rows)


def count_rules(engine: duckdb.DuckDBPyConnection, relation: str) -> Table:
    """How often each rule stands in the evidence of the whole input: the most and, where there are more, the
    least frequent.
    """
    rows = engine.execute(
        f"""
        SELECT rule, count(*) FROM (
            SELECT unnest(list_transform(evidence, lambda e: e.rule)) AS rule FROM ({relation}) WHERE
                len(evidence) > 0
        ) WHERE rule IS NOT NULL GROUP BY rule ORDER BY 2 DESC, 1
        """
    ).fetchall()
    if len(rows) <= 2 * MOST_RULES:
        return Table(("rule", "times"), rows)
    return Table(("rule", "times"), rows[:MOST_RULES] + rows[-MOST_RULES:], len(rows) - 2 * MOST_RULES)


def list_rulebooks(engine: duckdb.DuckDBPyConnection, relation: str) -> list[dict[str, str | None]]:
    """Every rulebook (name, version, hash) that labelled a part of the input, with how much of it."""
    rows = engine.execute(
        f"""
        SELECT rulebook.name, rulebook.version, rulebook.hash, count(*) FROM ({relation})
        WHERE rulebook.name IS NOT NULL GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    return [{"name": name, "version": version, "hash": hash_} for name, version, hash_, _ in rows]


def read_rejects(paths: Sequence[str]) -> tuple[int, Table]:
    """How many records the rejects files hold, and their findings by file and kind. MissingInput,
    UnusableInput.
    """
    rejected = 0
    kinds: Counter[tuple[str, str, str]] = Counter()
    for path in paths:
        for line, raw in enumerate(_lines(path), start=1):
            value = _parse_reject(raw, path, line)
            rejected += 1
            for error in value["errors"]:
                key = (
                    str(value.get("file") or ""),
                    str(error.get("pointer") or ""),
                    str(error.get("keyword") or ""),
                )
                kinds[key] += 1
    rows = sorted(((*key, count) for key, count in kinds.items()), key=lambda row: (-row[3], row[:3]))
    columns = ("file", "pointer", "keyword", "findings")
    return rejected, Table(columns, rows[:MOST_FINDINGS], max(len(rows) - MOST_FINDINGS, 0))


def _lines(path: str) -> Iterator[bytes]:
    try:
        with open_input(Input(path, Path(path))) as opened:
            lines = (b"damaged" if line is None else line for line in read_whole_lines(opened))
            yield from (line for line in lines if line.strip())
    except OSError as error:
        raise MissingInput(f"{path} cannot be opened: {error.strerror}") from error


def _parse_reject(raw: bytes, path: str, line: int) -> dict[str, Any]:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        value = None
    errors = value.get("errors") if isinstance(value, dict) else None
    if not isinstance(errors, list) or not all(isinstance(e, dict) for e in errors):
        raise UnusableInput(
            f"{path}:{line} is no reject", "--rejects takes the file that --rejects of classify wrote"
        )
    found: dict[str, Any] = value
    return found

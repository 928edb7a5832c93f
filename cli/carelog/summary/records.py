"""The interactions behind a figure: their ids, the first few of each, and those worth reading with their
evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from carelog.errors import UsageProblem
from carelog.summary.contacts import group_key, group_names
from carelog.summary.figures import Case, Metric

MOST_EXAMPLES = 5
MOST_SEARCHED = 20_000
MOST_CASES = 20
MOST_EVIDENCE = 8

TOPS = {
    "complaints": (
        "does_complaint",
        "coalesce(churn_risk, false)::INT * 4 + coalesce(satisfaction_label = 'dissatisfied', "
        "false)::INT * 2 "
        "+ coalesce(outcome IN ('unresolved', 'escalated'), false)::INT * 2",
    ),
    "churn": (
        "churn_risk",
        "coalesce(satisfaction_label = 'dissatisfied', false)::INT * 2 "
        "+ coalesce(outcome = 'unresolved', false)::INT",
    ),
    "praise": (
        "satisfaction_label = 'satisfied'",
        "coalesce(loyalty, false)::INT * 2 + coalesce(stage_score, 0)",
    ),
    "care": (
        "orientation = 'care'",
        "coalesce(stage_score, 0) + coalesce(satisfaction_label = 'satisfied', false)::INT",
    ),
}
"""What `--top` knows: which interactions, and the weight that puts the most telling first."""


def _condition(metric: Metric) -> str:
    """The interactions that a reader of the figure wants to see: its hits, or its whole population."""
    if metric.success and metric.kind in ("rate", "count"):
        return f"({metric.population}) AND ({metric.success})"
    return f"({metric.population})"


def list_examples(engine: duckdb.DuckDBPyConnection, definitions: dict[str, Metric]) -> dict[str, list[str]]:
    """The first ids behind each plain figure of the period, by time; metrics that count customers have none.

    Nearly all stand among the period's first interactions; only for rare ones all of them are searched.
    """
    metrics = [m for m in definitions.values() if m.kind != "special"]
    engine.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE first_contacts AS SELECT contacts.* FROM contacts SEMI JOIN (
            SELECT rowid AS number FROM contacts WHERE period = 1
            ORDER BY instant, system, interaction_id LIMIT {MOST_SEARCHED}
        ) AS chosen ON contacts.rowid = chosen.number
        """
    )
    found = _first_ids(engine, metrics, "first_contacts")
    rare = [m for m in metrics if len(found.get(m.name, ())) < MOST_EXAMPLES]
    if rare and _more_than_searched(engine):
        found |= _first_ids(engine, rare, "contacts")
    return {m.name: found[m.name] for m in metrics if m.name in found}


def _more_than_searched(engine: duckdb.DuckDBPyConnection) -> bool:
    row = engine.execute("SELECT count(*) FROM contacts WHERE period = 1").fetchone()
    return row is not None and row[0] > MOST_SEARCHED


def _first_ids(
    engine: duckdb.DuckDBPyConnection, metrics: Sequence[Metric], table: str
) -> dict[str, list[str]]:
    columns = ", ".join(
        f"list_transform(min((instant, system, interaction_id), {MOST_EXAMPLES}) FILTER ({_condition(m)}), "
        "lambda found: struct_extract(found, 3))"
        for m in metrics
    )
    row = engine.execute(f"SELECT {columns} FROM {table} WHERE period = 1").fetchone()
    return {m.name: list(ids) for m, ids in zip(metrics, row or (), strict=True) if ids}


def check_figure(metric: Metric, group: str | None) -> None:
    """UsageProblem if the interactions behind a figure cannot be listed: the metric counts customers, or `group`
    is not COLUMN=KEY of a column that is known.
    """
    if metric.kind == "special" and metric.population == "true":
        raise UsageProblem(
            f"--records: {metric.name} counts customers, not interactions", "take a metric that is a rate"
        )
    if group is not None and not _is_group(group):
        raise UsageProblem("--records: the group is not COLUMN=KEY", "one of " + ", ".join(group_names()))


def _is_group(text: str) -> bool:
    by, equals, _ = text.partition("=")
    return bool(equals) and by in group_names()


def iterate_ids(
    engine: duckdb.DuckDBPyConnection, metric: Metric, group: str | None
) -> Iterator[tuple[str, str, bool | None]]:
    """(interaction_id, channel, counted in the numerator) of every interaction in a figure's denominator, by
    time.

    `group` is COLUMN=KEY. UsageProblem as `check_figure` says.
    """
    check_figure(metric, group)
    where, values = f"period = 1 AND ({metric.population})", []
    if group is not None:
        by, _, key = group.partition("=")
        where += f" AND {group_key(by)} = ?"
        values.append(key)
    hit = f"coalesce({metric.success}, false)" if metric.success else "NULL::BOOLEAN"
    found = engine.execute(
        f"SELECT interaction_id, channel, {hit} FROM contacts WHERE {where} ORDER BY instant, system, "
        "interaction_id",
        values,
    )
    while rows := found.fetchmany(10_000):
        yield from rows


def list_top(engine: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]) -> dict[str, list[Case]]:
    """For each name of TOPS the interactions most worth reading, with their evidence."""
    return {name: _list_cases(engine, relation, name) for name in dict.fromkeys(names)}


def _list_cases(engine: duckdb.DuckDBPyConnection, relation: str, name: str) -> list[Case]:
    condition, weight = TOPS[name]
    rows = engine.execute(
        f"""
        SELECT system, interaction_id, channel, strftime(local_at, '%Y-%m-%d %H:%M'), agent_id, team, outcome
        FROM contacts WHERE period = 1 AND assessable AND {condition}
        ORDER BY {weight} DESC NULLS LAST, instant DESC, system, interaction_id LIMIT {MOST_CASES}
        """
    ).fetchall()
    evidence = _read_evidence(engine, relation, [(row[0], row[1]) for row in rows])
    return [
        Case(row[1], row[2], row[3], name, row[4], row[5], row[6], evidence.get((row[0], row[1]), []))
        for row in rows
    ]


def _read_evidence(
    engine: duckdb.DuckDBPyConnection, relation: str, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    if not wanted:
        return {}
    ids = ", ".join("?" for _ in wanted)
    rows = engine.execute(
        f"""
        SELECT coalesce(source.system, ''), interaction_id, evidence, messages FROM ({relation})
        WHERE interaction_id IN ({ids})
        """,
        [interaction_id for _, interaction_id in wanted],
    ).fetchall()
    return {(r[0], r[1]): [_with_text(e, r[3]) for e in (r[2] or [])[:MOST_EVIDENCE]] for r in rows}


def _with_text(evidence: dict[str, Any], messages: list[dict[str, Any]] | None) -> dict[str, Any]:
    """One piece of evidence; with the words it points at where the input was made with text."""
    number, start, end = evidence.get("message"), evidence.get("start"), evidence.get("end")
    shown = {key: evidence.get(key) for key in ("label", "rule", "field", "message", "start", "end")}
    if messages is not None and number is not None and 0 <= number < len(messages):
        text = messages[number].get("text") or ""
        shown["text"] = text[start:end]
    return shown

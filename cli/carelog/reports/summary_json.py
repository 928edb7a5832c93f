"""A summary as JSON: the contract's shape, for scripts. Keys and numbers never depend on the language."""

from __future__ import annotations

import json
from typing import Any

from carelog.summary.figures import Change, Figure, Metric, Summary, Table


def to_json(summary: Summary) -> str:
    """The whole summary; sorted within, so that the same summary gives the same bytes."""
    document: dict[str, Any] = {
        "carelog": summary.version,
        "rulebook": _rulebook(summary),
        "inputs": [_without_none(_fields(f)) for f in summary.files],
        "period": {"from": summary.period.first, "to": summary.period.last, "tz": summary.zone},
        "counts": {"rejected": None, **summary.counts},
        "metrics": {name: _metric(summary.definitions[name], f) for name, f in summary.figures.items()},
        "groups": {by: _groups(summary, by) for by in summary.groupings},
        "groups_omitted": {by: g.omitted for by, g in summary.groupings.items() if g.omitted},
        "tables": {name: _table(table) for name, table in summary.tables.items()},
        "examples": summary.examples,
        "settings": dict(sorted(summary.settings.items())),
    }
    if summary.compared_with:
        document["compared_with"] = {"from": summary.compared_with.first, "to": summary.compared_with.last}
        document["compare_reason"] = summary.compare_reason
        document["changes"] = [_change(c) for c in summary.changes]
    if summary.gates:
        document["gates"] = [_fields(g) for g in summary.gates]
    if summary.top:
        document["top"] = {name: [_fields(c) for c in cases] for name, cases in summary.top.items()}
    return _lay_out(document) + "\n"


def _lay_out(value: Any, depth: int = 3) -> str:
    """JSON with a line per metric and per group: short enough to keep, long enough to compare with `diff`."""
    pad = " " * (4 - depth)
    if depth and isinstance(value, dict) and value:
        inner = [f"{_dump(k)}: {_lay_out(v, depth - 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(pad + line for line in inner) + "\n" + pad[1:] + "}"
    if depth and isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        return "[\n" + ",\n".join(pad + _dump(v) for v in value) + "\n" + pad[1:] + "]"
    return _dump(value)


def _dump(value: Any) -> str:
    """Compact JSON; what a terminal would act on or not show is escaped, which leaves its meaning as it is."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if v is not None}


def _rulebook(summary: Summary) -> Any:
    return summary.rulebooks[0] if len(summary.rulebooks) == 1 else summary.rulebooks


def round_number(value: float | None) -> float | int | None:
    """Twelve significant digits: more is noise of binary fractions. Whole numbers are written whole."""
    if value is None:
        return None
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded


def figure_values(figure: Figure) -> dict[str, Any]:
    """value, numerator, denominator, n, interval, and where they are there method, reason, currency and
    parts.
    """
    interval = figure.interval
    shown: dict[str, Any] = {
        "value": round_number(figure.value),
        "numerator": round_number(figure.numerator),
        "denominator": round_number(figure.denominator),
        "n": figure.n,
        "interval": [round_number(interval.low), round_number(interval.high)] if interval else None,
    }
    if interval:
        shown["method"] = interval.method
    if figure.value is None:
        shown["reason"] = figure.reason or "no_cases"
    if figure.currency:
        shown["currency"] = figure.currency
    if figure.parts:
        shown["parts"] = {k: round_number(v) for k, v in figure.parts.items()}
    return shown


def _metric(definition: Metric, figure: Figure) -> dict[str, Any]:
    return {
        **figure_values(figure),
        "formula": definition.formula,
        "unit": figure.unit,
        "version": definition.version,
        "exclusions": definition.exclusions,
    }


def _groups(summary: Summary, by: str) -> list[dict[str, Any]]:
    return [
        {
            "key": group.key,
            "n": group.n,
            "customers": group.customers,
            "metrics": {name: figure_values(figure) for name, figure in group.figures.items()},
        }
        for group in summary.groupings[by].groups
    ]


def _table(table: Table) -> dict[str, Any]:
    return {
        "columns": list(table.columns),
        "rows": [list(row) for row in table.rows],
        "omitted": table.omitted,
    }


def _change(change: Change) -> dict[str, Any]:
    shown: dict[str, Any] = {"metric": change.name}
    if change.group:
        shown |= {"by": change.group[0], "key": change.group[1]}
    interval = change.interval
    return shown | {
        "now": round_number(change.now.value),
        "n_now": change.now.n,
        "before": round_number(change.before.value),
        "n_before": change.before.n,
        "change": round_number(change.change),
        "interval": [round_number(interval.low), round_number(interval.high)] if interval else None,
        "certainty": round_number(change.certainty),
        "reason": change.reason,
    }

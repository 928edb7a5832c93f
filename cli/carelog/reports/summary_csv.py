"""A summary as one tidy table: a row per figure, overall and by group, for spreadsheets and notebooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from carelog.findings import visible
from carelog.reports.summary_json import round_number
from carelog.summary.figures import Figure, Metric, Summary

COLUMNS = (
    "by", "key", "metric", "value", "numerator", "denominator", "n", "low", "high", "method", "p90",
    "reason", "unit",
    "currency", "version", "formula", "from", "to", "tz",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def safe_cell(text: str) -> str:
    """A text that no spreadsheet runs as a formula and no terminal acts on.

    What could begin a formula gets an apostrophe before it; control and direction characters are made
    visible.
    """
    text = visible(text)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def to_csv(summary: Summary) -> str:
    """All figures; `by` and `key` are empty for those over all interactions, `key` alone where it is not
    recorded.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, figure in summary.figures.items():
        writer.writerow(_row("", "", summary.definitions[name], figure, summary))
    for by, key, figure in _grouped(summary):
        writer.writerow(_row(by, key or "", summary.definitions[figure.name], figure, summary))
    return out.getvalue()


def _grouped(summary: Summary) -> Iterator[tuple[str, str | None, Figure]]:
    for by in summary.chosen_by or summary.groupings:
        for group in summary.groupings[by].groups:
            for figure in group.figures.values():
                yield by, group.key, figure


def _row(
    by: str, key: str, definition: Metric, figure: Figure, summary: Summary
) -> list[str | float | int | None]:
    interval = figure.interval
    return [
        by,
        safe_cell(key),
        figure.name,
        round_number(figure.value),
        round_number(figure.numerator),
        round_number(figure.denominator),
        figure.n,
        round_number(interval.low) if interval else None,
        round_number(interval.high) if interval else None,
        interval.method if interval else None,
        round_number(figure.parts.get("p90")),
        figure.reason,
        figure.unit,
        figure.currency,
        definition.version,
        safe_cell(definition.formula),
        summary.period.first,
        summary.period.last,
        summary.zone,
    ]

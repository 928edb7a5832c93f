"""Tables that several sections share: groups by metrics, metrics as rows, counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from carelog.reports.figures_text import (
    COLUMN_TITLES,
    change_text,
    count_cell,
    figure_cell,
    fraction_text,
    group_text,
    interval_text,
    value_text,
)
from carelog.reports.shapes import Cell, Column, DataTable
from carelog.reports.words import DASH, Words
from carelog.summary.figures import Change, Summary, Table

LONG = 15
"""More rows than these are folded on the page."""

BY_TIME = ("month", "week", "day", "weekday", "hour", "year", "quarter", "stage_score")


def group_table(
    summary: Summary,
    words: Words,
    by: str,
    metrics: Sequence[str],
    bars: Sequence[str] = (),
    folded: bool = False,
) -> DataTable | None:
    """Groups of one column as rows, metrics as columns; the largest group first, times in their order. None:
    no groups.
    """
    grouping = summary.groupings.get(by)
    if grouping is None or not grouping.groups:
        return None
    groups = grouping.groups
    if by not in BY_TIME:
        groups = sorted(groups, key=lambda g: (g.key is None, -g.n, g.key or ""))
    shown = [m for m in metrics if any(g.figures[m].value is not None for g in groups)]
    columns = [Column(words.t(COLUMN_TITLES[by])), Column(words.t("Interactions"), True)]
    columns += [
        Column(words.t(summary.definitions[m].title), True, 1 if i < 3 else 2) for i, m in enumerate(shown)
    ]
    rows = [
        [
            Cell(group_text(words, by, g.key), g.key or ""),
            count_cell(words, g.n),
            *(figure_cell(words, g.figures[m], m in bars) for m in shown),
        ]
        for g in groups
    ]
    title = words.t("By {column}", column=words.t(COLUMN_TITLES[by]))
    table_id = f"{by}-{metrics[0].split('.')[0]}".replace("_", "-")
    return DataTable(
        table_id, title, columns, rows, grouping.omitted, folded=folded or len(rows) > LONG, by=by
    )


def metric_table(
    summary: Summary,
    words: Words,
    table_id: str,
    title: str,
    names: Sequence[str],
    bar: bool = False,
    folded: bool = False,
) -> DataTable | None:
    """Metrics as rows: value, 95 % interval, what was divided and the first ids. None without metrics."""
    figures = [summary.figures[name] for name in names]
    if not figures:
        return None
    columns = [
        Column(words.t("Metric")),
        Column(words.t("Value"), True),
        Column(words.t("95 % interval"), True),
        Column(words.t("Cases"), True),
    ]
    rows = []
    for figure in figures:
        definition = summary.definitions[figure.name]
        value = figure_cell(words, figure, bar)
        spread = (
            words.t("90 % within {time}", time=words.duration(figure.parts["p90"]))
            if "p90" in figure.parts
            else ""
        )
        short = Cell(
            value.text, value.sort, value.detail if value.absent else spread, value.bar, value.absent
        )
        interval = Cell(interval_text(words, figure) or DASH, None)
        ids = tuple(summary.examples.get(figure.name, ()))
        cases = Cell(fraction_text(words, figure) if figure.n else words.count(0), figure.n, ids=ids)
        rows.append([Cell(words.t(definition.title)), short, interval, cases])
    return DataTable(table_id, title, columns, rows, folded=folded)


def change_table(
    summary: Summary, words: Words, changes: Sequence[Change], table_id: str, title: str
) -> DataTable:
    """Changes as rows: before, now, change with its interval."""
    columns = [
        Column(words.t("Metric")),
        Column(words.t("Before"), True),
        Column(words.t("Now"), True),
        Column(words.t("Change"), True),
        Column(words.t("95 % interval"), True),
    ]
    rows = []
    for c in changes:
        name = words.t(summary.definitions[c.name].title)
        if c.group:
            name += f" ({words.t(COLUMN_TITLES[c.group[0]])}: {group_text(words, *c.group)})"
        interval = _change_interval(words, c)
        before = Cell(value_text(words, c.before), c.before.value, f"n {words.count(c.before.n)}")
        now = Cell(value_text(words, c.now), c.now.value, f"n {words.count(c.now.n)}")
        rows.append([Cell(name), before, now, Cell(change_text(words, c), c.change), Cell(interval or DASH)])
    return DataTable(table_id, title, columns, rows)


def _change_interval(words: Words, change: Change) -> str:
    unit = "share_points" if change.now.unit == "share" else change.now.unit
    return interval_text(words, replace(change.now, unit=unit, interval=change.interval))


def count_table(
    words: Words, table_id: str, title: str, table: Table, titles: Sequence[str], folded: bool = False
) -> DataTable:
    """Counts as they are: texts left, numbers right; what was cut is said."""
    numeric = [bool(table.rows) and isinstance(table.rows[0][i], int) for i in range(len(titles))]
    columns = [Column(words.t(name), is_number) for name, is_number in zip(titles, numeric, strict=True)]
    rows = [
        [
            count_cell(words, v)
            if isinstance(v, int)
            else Cell(str(v) if v is not None else words.t("not recorded"))
            for v in row
        ]
        for row in table.rows
    ]
    return DataTable(table_id, title, columns, rows, table.omitted, folded=folded)

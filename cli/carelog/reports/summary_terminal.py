"""A report for the terminal: rich tables that fit 80 columns, plain text when piped."""

from __future__ import annotations

import io

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from carelog.reports.shapes import Block, Cell, Chart, DataTable, Facts, Paragraph, Points, Report, Split

STYLES = {"care": "bold green", "service": "bold blue", "good": "green", "bad": "red", "plain": "bold"}


def to_terminal(report: Report, width: int = 80, color: bool = False) -> str:
    """The report as text of at most `width` columns; with terminal colours only if `color`."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, no_color=not color, highlight=False, markup=False,
        emoji=False,
        legacy_windows=False,
    )  # fmt: skip
    console.print(Text(report.title, "bold"))
    console.print(Text(report.subtitle, "dim"))
    for section in report.sections:
        console.print()
        console.print(Text(section.title.upper(), "bold underline" if color else ""))
        for block in section.blocks:
            console.print(_block(block, width))
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def _block(block: Block, width: int) -> RenderableType:
    match block:
        case Paragraph(text, role):
            return Text(text, {"note": "dim", "heading": "bold"}.get(role, ""))
        case Points(texts):
            return Padding(Group(*(Padding(Text(f"• {t}"), (0, 0, 0, 1)) for t in texts)), (0, 0, 1, 0))
        case Facts():
            return _facts(block)
        case DataTable():
            return _table(block, width)
        case Chart(title=title, alt=alt):
            return Text.assemble((f"{title}: ", "italic"), alt)
        case Split(alt=alt):
            return Text(alt)


def _facts(facts: Facts) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for fact in facts.facts:
        change = Text(fact.change, STYLES[fact.change_tone])
        grid.add_row(fact.title, Text(fact.value, STYLES[fact.tone]), change, Text(fact.detail, "dim"))
    return Padding(grid, (0, 0, 1, 1))


def _table(table: DataTable, width: int) -> RenderableType:
    shown = _fitting(table, width)
    grid = Table(
        title=Text(table.title, "bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
    )
    for i in shown:
        column = table.columns[i]
        grid.add_column(Text(column.title), justify="right" if column.numeric else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*(_cell(row[i]) for i in shown))
    more: list[RenderableType] = [grid]
    left_out = [c.title for i, c in enumerate(table.columns) if i not in shown]
    if left_out:
        more.append(Text("+ " + ", ".join(left_out), "dim"))
    if table.omitted:
        more.append(Text(f"… {table.omitted:,}", "dim"))
    return Group(*more)


def _fitting(table: DataTable, width: int) -> list[int]:
    """Positions of the columns that fit side by side, in order; the first three always. Long texts may wrap
    at 24.
    """
    used, shown = 0, []
    for i, column in enumerate(table.columns):
        texts = [t for row in table.rows for t in (row[i].text, row[i].detail)] + [column.title]
        widest = max(map(cell_len, texts))
        used += (widest if column.numeric else min(widest, 24)) + 2
        if used <= width or (i < 3 and column.weight == 1):
            shown.append(i)
    return shown


def _cell(cell: Cell) -> Text:
    text = Text(cell.text, "dim" if cell.absent else "")
    return text.append(f"\n{cell.detail}", "dim") if cell.detail else text

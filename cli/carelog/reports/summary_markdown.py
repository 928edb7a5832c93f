"""A report as Markdown that GitHub and wikis render; every text of a record is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from carelog.reports.shapes import Block, Cell, Chart, DataTable, Facts, Paragraph, Points, Report, Split

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def escape(text: str) -> str:
    """Text as it is: nothing in it becomes markup, a link, a mention or a table border."""
    flat = re.sub(r"\s+", " ", text)
    marked = _SPECIAL.sub(r"\\\1", flat).replace("@", "&#64;").replace("://", ":&#47;&#47;")
    return re.sub(r"^([-+=]|\d+[.)])(?=\s)", r"\\\1", marked)


def to_markdown(report: Report) -> str:
    """The whole report."""
    lines = [f"# {escape(report.title)}", "", escape(report.subtitle), ""]
    for section in report.sections:
        lines += [f"## {escape(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text, role):
            yield {"note": f"> {escape(text)}", "heading": f"**{escape(text)}**"}.get(role, escape(text))
        case Points(texts):
            yield from (f"- {escape(t)}" for t in texts)
        case Facts(facts):
            yield from (_fact(f.title, f.value, f.detail, f.change) for f in facts)
        case DataTable():
            yield from _table(block)
        case Chart(title=title, alt=alt):
            yield f"*{escape(title)}:* {escape(alt)}"
        case Split(alt=alt):
            yield escape(alt)


def _fact(title: str, value: str, detail: str, change: str) -> str:
    more = ", ".join(escape(t) for t in (change, detail) if t)
    return f"- {escape(title)}: **{escape(value)}**" + (f" ({more})" if more else "")


def _table(table: DataTable) -> Iterator[str]:
    yield f"**{escape(table.title)}**"
    yield ""
    yield "| " + " | ".join(escape(c.title) for c in table.columns) + " |"
    yield "|" + "|".join("---:" if c.numeric else "---" for c in table.columns) + "|"
    for row in table.rows:
        yield "| " + " | ".join(_cell(c) for c in row) + " |"
    if table.omitted:
        yield ""
        yield f"… {table.omitted}"
    if table.note:
        yield ""
        yield escape(table.note)


def _cell(cell: Cell) -> str:
    return f"{escape(cell.text)} <sub>{escape(cell.detail)}</sub>" if cell.detail else escape(cell.text)

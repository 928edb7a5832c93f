"""A report as a workbook: a sheet per section, numbers as numbers. Needs the extra `carelog[xlsx]`."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import Any

from carelog.errors import UsageProblem
from carelog.reports.shapes import Block, Cell, Chart, DataTable, Facts, Paragraph, Points, Report, Split

_NOT_IN_SHEET_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_FIXED = datetime(2000, 1, 1)


def to_xlsx(report: Report) -> bytes:
    """The workbook; every text is a text cell, never a formula. UsageProblem where openpyxl is missing."""
    try:
        import openpyxl
    except ImportError as error:
        raise UsageProblem("writing .xlsx needs openpyxl", "pip install 'carelog[xlsx]'") from error
    book = openpyxl.Workbook()
    book.remove(book.active)
    for section in report.sections:
        sheet = book.create_sheet(section.title.translate(_NOT_IN_SHEET_NAMES)[:31])
        for block in section.blocks:
            for row in _rows(block):
                _append(sheet, row)
    book.properties.creator = "carelog"
    book.properties.title = report.title
    book.properties.created = book.properties.modified = _FIXED
    return _same_bytes(book)


def _append(sheet: Any, row: list[Any]) -> None:
    sheet.append(row)
    for cell in sheet[sheet.max_row]:
        if isinstance(cell.value, str):
            # A text that begins with = would become a formula.
            cell.data_type = "s"


def _rows(block: Block) -> list[list[Any]]:
    match block:
        case Paragraph(text):
            return [[text], []]
        case Points(texts):
            return [*([t] for t in texts), []]
        case Facts(facts):
            return [*([f.title, f.value, f.change, f.detail] for f in facts), []]
        case Split(alt=alt):
            return [[alt], []]
        case Chart(title=title, alt=alt):
            return [[title], [alt], []]
        case DataTable():
            return _table_rows(block)


def _table_rows(table: DataTable) -> list[list[Any]]:
    head: list[Any] = []
    for column in table.columns:
        head += [column.title, ""] if column.numeric else [column.title]
    rows = [[table.title], head]
    for row in table.rows:
        line: list[Any] = []
        for column, cell in zip(table.columns, row, strict=True):
            line += [_value(cell), cell.detail] if column.numeric else [cell.text]
        rows.append(line)
    if table.omitted:
        rows.append([f"… {table.omitted}"])
    return [*rows, []]


def _value(cell: Cell) -> str | float:
    return cell.sort if isinstance(cell.sort, int | float) else cell.text


def _same_bytes(book: Any) -> bytes:
    """The workbook as a zip whose entries carry no clock, so that the same report gives the same bytes."""
    first, second = io.BytesIO(), io.BytesIO()
    book.save(first)
    with zipfile.ZipFile(first) as written, zipfile.ZipFile(second, "w", zipfile.ZIP_DEFLATED) as out:
        for name in written.namelist():
            content = written.read(name)
            if name == "docProps/core.xml":
                content = _without_clock(content)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, content)
    return second.getvalue()


def _without_clock(properties: bytes) -> bytes:
    return re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", properties)

"""Text in the cells of a table: what a spreadsheet would run as a formula is written so that it does not,
and read back as it was.

A cell that a spreadsheet takes for a formula begins with `=`, `+`, `-`, `@`, a tab, a line end, or the
full-width form of one of the four. Writing puts an apostrophe before it, and also before a text that has
apostrophes and then such a character; reading takes away one apostrophe from exactly those. So every text
survives writing and reading. Inside a nested value (JSON in a cell) the same characters at the beginning of
a text are written as JSON escapes, which any JSON parser undoes.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")
_IN_JSON = re.compile(rb'(?<=")[=+\-@]')


def to_cell(text: str) -> str:
    """A text as it is written into a cell."""
    return "'" + text if _FORMULA.match(text) else text


def from_cell(cell: str) -> str:
    """The text that was written into a cell."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def to_json_cell(text: bytes) -> str:
    """A JSON text (compact, as orjson writes it) as it is written into a cell."""
    return _IN_JSON.sub(lambda found: b"\\u%04x" % ord(found[0]), text).decode()

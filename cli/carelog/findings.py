"""A finding: what is wrong with a record, and where. A reject: a record that was put aside, with its
findings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one record (or with the file, then `pointer` is "" and `line` may be None).

    `line` counts from 1 (a row of CSV or Parquet counts as a line), `pointer` is a JSON Pointer (RFC 6901)
    into the record, `keyword` the JSON Schema keyword or one of carelog's own (`duplicate_id`, `not_json`,
    …).
    """

    file: str
    line: int | None
    pointer: str
    keyword: str
    message: str
    severity: Severity = "error"
    byte_offset: int | None = None
    interaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was put aside: `raw` is the record as it stood, bytes that are not UTF-8 as \\xNN
    escapes.
    """

    file: str
    line: int | None
    byte_offset: int | None
    interaction_id: str | None
    raw: str
    findings: list[Finding] = field(default_factory=list)


def show_value(value: object, limit: int = 40, quote: bool = True) -> str:
    """A value for a message: cut to `limit` characters, with nothing in it that a terminal would obey."""
    if isinstance(value, str):
        text = visible(value if len(value) <= limit else value[: limit - 1] + "…")
        return f'"{text}"' if quote else text
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)[:limit] if isinstance(value, (int, float)) else "a list or an object"


def visible(text: str) -> str:
    """Text with control characters, terminal escapes and characters that are invisible or turn the direction
    written as \\xNN or \\uNNNN. Joiners that scripts need (U+200C, U+200D) stay.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\u200c\u200d" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return (
        f"\\x{ord(character):02x}"
        if ord(character) < 128
        else character.encode("ascii", "backslashreplace").decode()
    )

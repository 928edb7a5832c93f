"""The lines of a text file as text, whatever charset it is in, in constant memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from carelog.sources.blocks import Fault, ReadOptions
from carelog.sources.formats._charsets import decode_text, guess_codec
from carelog.sources.lines import read_lines
from carelog.sources.streams import Opened

Remarks = dict[str, Fault]
"""What was mended in a file: the first remark of each keyword."""


class TextLine(NamedTuple):
    """A line without its end; `number` counts from 1, `offset` in bytes of the decompressed input."""

    text: str
    number: int
    offset: int


def read_text_lines(opened: Opened, options: ReadOptions, remarks: Remarks) -> Iterator[TextLine]:
    """The lines of an input. Of a line that is too long only the beginning comes, with a remark."""
    stream, start = opened.utf8()
    limit = options.max_line_bytes
    charset, language = _charset_of(opened.head)
    if charset:
        guess = Fault("charset_guessed", f"no charset is declared; the text was read as {language}")
        remarks.setdefault("charset_guessed", guess)
    for piece in read_lines(stream, start, limit):
        if piece.length is not None:
            told = f"line {piece.first_line} is {piece.length:,} bytes long; only its beginning was read"
            remarks.setdefault("too_long", Fault("too_long", told))
        offset = piece.first_offset
        lines = piece.data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        for index, line in enumerate(lines):
            yield TextLine(_to_text(line, charset, remarks), piece.first_line + index, offset)
            offset += len(line) + 1


def _charset_of(head: bytes) -> tuple[str, str]:
    """The charset that the beginning of a file shows where it is not UTF-8, and its name: single lines are
    too short to tell.
    """
    try:
        head[:-4].decode("utf-8")
    except UnicodeDecodeError as error:
        return guess_codec(head) if error.start < len(head) - 8 else ("", "")
    return "", ""


def _to_text(line: bytes, charset: str, remarks: Remarks) -> str:
    line = line.removesuffix(b"\r")
    if line.isascii():
        return line.decode("ascii")
    text, remark = decode_text(line, charset)
    if remark is not None:
        remarks.setdefault(remark.keyword, remark)
    # Half of a character that stands alone, as broken UTF-16 leaves it, cannot be written as UTF-8.
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def head_lines(head: bytes, most: int = 40) -> list[str]:
    """The first lines of an input that are not blank, for detection."""
    lines = head[:16384].decode("utf-8", "replace").splitlines()
    return [line for line in lines if line.strip()][:most]

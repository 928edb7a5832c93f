"""However an input arrives in blocks, the records, places and findings are the same."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carelog.sources.blocks import Block, Chunk, ReadOptions
from carelog.sources.cells import from_cell
from carelog.sources.formats.delimited import parse_table, read_table
from carelog.sources.formats.json_array import read_json
from carelog.sources.lines import read_lines
from carelog.sources.paths import Input
from carelog.sources.pieces import parse_chunk_of_json
from carelog.sources.streams import Opened

Place = tuple[int | None, int | None, Any]


class Dripping(io.BytesIO):
    """A stream that gives at most `most` bytes at a time, as a slow pipe does."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.most if size is None or size < 0 else min(size, self.most))


def opened_on(data: bytes, most: int) -> Opened:
    return Opened(Input("in", None), head=data[:65536], stream=Dripping(data, most))


def told(parts: Iterator[Block | Chunk], parse: Any) -> tuple[list[Place], list[Any], int]:
    """Records, rejections and findings with their places, whatever blocks they came in; blank lines."""
    places: list[Place] = []
    findings: list[Any] = []
    blank = 0
    for part in parts:
        block = parse(part) if isinstance(part, Chunk) else part
        places += zip(block.lines, block.offsets, map(without_source, block.values), strict=True)
        places += [(r.line, r.byte_offset, (r.findings[0].keyword, r.raw)) for r in block.rejects]
        findings += [(f.line, f.keyword) for f in block.findings]
        blank += block.blank_lines
    return sorted(places, key=lambda place: place[:2]), findings, blank


def without_source(value: dict[str, Any]) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if name != "source"}


RECORD = st.builds(
    lambda number, notes, nested: {"interaction_id": number, "notes": notes, "extra": nested},
    st.integers(0, 9).map(str),
    st.text(st.sampled_from('ab{}[],:"\\\n\u0e04 '), max_size=30),
    st.sampled_from([{}, {"a": [1, {"interaction_id": "inner"}]}, {"b": [{"interaction_id": "i"}]}]),
)
SOUND = RECORD.map(lambda value: json.dumps(value, ensure_ascii=False))
BROKEN = st.one_of(
    st.sampled_from(
        ["", "  ", "oops", "17", "null", "[]", "[1,2]", '"text"', "x" * 90, "{", '{"a":', "]", "}"]
    ),
    SOUND.map(lambda text: text[:-1]),
    SOUND.map(lambda text: text.replace('"', "", 1)),
    SOUND.map(lambda text: text + text),
    SOUND.map(lambda text: text[: len(text) // 2]),
)
LIMITED = ReadOptions(max_line_bytes=120)


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(SOUND | BROKEN, max_size=12),
    start=st.sampled_from(["[", "[\n ", ""]),
    separator=st.sampled_from([",", ",\n", "\n", ""]),
    end=st.sampled_from(["]", "\n]\n", ""]),
    most=st.integers(1, 70),
)
def test_a_json_array_is_cut_alike_however_it_arrives(
    pieces: list[str], start: str, separator: str, end: str, most: int
) -> None:
    data = (start + separator.join(pieces) + end).encode()
    options = ReadOptions()
    whole = told(read_json(opened_on(data, 10**9), options), parse_chunk_of_json)
    dripped = told(read_json(opened_on(data, most), options, chunk_bytes=most), parse_chunk_of_json)
    assert dripped == whole


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(RECORD, max_size=12),
    layout=st.sampled_from([None, 2]),
    is_array=st.booleans(),
    most=st.integers(1, 70),
)
def test_every_record_of_a_sound_json_text_is_found(
    values: list[dict[str, Any]], layout: int | None, is_array: bool, most: int
) -> None:
    texts = [json.dumps(value, ensure_ascii=False, indent=layout) for value in values]
    text = "[" + ", ".join(texts) + "]" if is_array else "\n".join(texts)
    found = told(read_json(opened_on(text.encode(), most), ReadOptions(), most), parse_chunk_of_json)
    assert [value for _, _, value in found[0]] == values
    assert [line for line, _, _ in found[0]] == list(range(1, len(values) + 1))
    assert found[1] == []


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(SOUND | BROKEN, max_size=12),
    line_end=st.sampled_from(["\n", "\r\n"]),
    is_ended=st.booleans(),
    most=st.integers(1, 70),
)
def test_lines_are_cut_alike_however_they_arrive(
    pieces: list[str], line_end: str, is_ended: bool, most: int
) -> None:
    pieces = [piece.replace("\n", " ") for piece in pieces]
    data = (line_end.join(pieces) + (line_end if is_ended else "")).encode()
    expected = [(n, len(text.encode())) for n, text in enumerate(data.decode().split("\n"), 1) if text]
    found: list[tuple[int, int]] = []
    for lines in read_lines(io.BytesIO(data), 0, 120, chunk_bytes=most):
        assert lines.length is None or lines.length > 120
        parts = [lines.length] if lines.length else map(len, lines.data.split(b"\n"))
        found += [(n, size) for n, size in enumerate(parts, lines.first_line) if size]
    assert found == expected


CELL = st.text(st.sampled_from("ab,;\"\n\r\u0e04\u2028 ='"), max_size=12)


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=8), most=st.integers(1, 60))
def test_every_cell_of_a_sound_table_is_found(rows: list[list[str]], most: int) -> None:
    data = "interaction_id,notes\r\n" + "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows
    )
    found = told(read_table(opened_on(data.encode(), most), ReadOptions(), "csv", most), parse_table)
    names = ("interaction_id", "notes")
    expected = [
        {name: cell for name, cell in zip(names, row, strict=True) if cell} for row in rows if any(row)
    ]
    got = [value for _, _, value in found[0]]
    assert got == [{name: from_cell(cell) for name, cell in value.items()} for value in expected]
    assert found[2] == len([row for row in rows if not any(row)])


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.text(st.sampled_from('ab,"\r\n'), max_size=15), max_size=15),
    is_ended=st.booleans(),
    most=st.integers(1, 60),
    limit=st.sampled_from([40, 10**6]),
)
def test_a_broken_table_is_cut_alike_however_it_arrives(
    rows: list[str], is_ended: bool, most: int, limit: int
) -> None:
    data = ("interaction_id,notes\n" + "\n".join(rows) + ("\n" if is_ended else "")).encode()
    options = ReadOptions(max_line_bytes=limit)
    whole = told(read_table(opened_on(data, 10**9), options, "csv"), parse_table)
    dripped = told(read_table(opened_on(data, most), options, "csv", chunk_bytes=most), parse_table)
    assert dripped == whole


@pytest.mark.parametrize("opening", ['"', '[{"a": "', "{" * 50, '{"interaction_id": "1", "x": ['])
def test_a_record_that_never_ends_is_not_held(opening: str) -> None:
    class Endless(io.RawIOBase):
        """Gives the opening, then 40 MB of text."""

        left = 40

        def read(self, size: int = -1, /) -> bytes:
            self.left -= 1
            if self.left == 39:
                return opening.encode()
            return b"" if self.left <= 0 else b"a\\" * 500_000

    stream: BinaryIO = Endless()  # type: ignore[assignment]
    opened = Opened(Input("in", None), stream=stream)
    largest = 0
    rejects = []
    for part in read_json(opened, ReadOptions(max_line_bytes=2_000_000)):
        block = parse_chunk_of_json(part) if isinstance(part, Chunk) else part
        largest = max([largest, *(len(r.raw) for r in block.rejects)])
        rejects += block.rejects
    assert largest < 5_000
    assert [r.findings[0].keyword for r in rejects] == ["too_long"]

"""Rejects read back as records, after somebody repaired what stands in their `raw`.

`raw` is read as the source was: a canonical record, a vendor's JSON, or the row of a table (then the table
is looked up for its header, where it still lies). A line without `raw` is taken for a record itself. Records
keep the place where they stood in the source, and so do those that are rejected again.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from carelog.errors import MissingInput
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import add_record, put_aside
from carelog.sources.formats import FORMATS, detect_formats
from carelog.sources.lines import file_finding, read_lines, reject_long
from carelog.sources.paths import Input
from carelog.sources.pieces import parse_json
from carelog.sources.streams import HEAD_BYTES, Opened, open_input

NAME = "rejects"
_TABLES = ("csv", "tsv")
_NO_RECORD = Fault(
    "not_replayable",
    "`raw` is no record by itself; mend it in the source file and convert that again, or say --from NAME",
)


def read_rejects(item: Input, from_format: str | None, options: ReadOptions) -> Iterator[Block]:
    """The records of a rejects file, a block each, with the file and line of their source."""
    with open_input(item) as opened:
        stream, offset = opened.utf8()
        for lines in read_lines(stream, offset, options.max_line_bytes):
            if lines.length is not None:
                yield reject_long(opened.name, NAME, lines, options.max_line_bytes)
                continue
            for number, raw in enumerate(lines.data.split(b"\n"), lines.first_line):
                if raw.strip():
                    yield _replay_line(opened.name, number, raw, from_format, options)
        if opened.trouble is not None:
            yield Block(opened.name, NAME, findings=[file_finding(opened.name, opened.trouble)])


def _replay_line(file: str, line: int, raw: bytes, from_format: str | None, options: ReadOptions) -> Block:
    value, fault = parse_json(raw, options.max_line_bytes)
    block = Block(file, NAME)
    if fault is None and not isinstance(value, dict):
        fault = Fault("not_object", "the line is no JSON object: neither a reject nor a record")
    if fault is not None:
        put_aside(block, line, None, raw, fault)
        return block
    if not isinstance(value.get("raw"), str) or "errors" not in value:
        add_record(block, value, line, None, raw, options.zone)
        return block
    return _replay(value, from_format, options)


def _replay(reject: dict[str, Any], from_format: str | None, options: ReadOptions) -> Block:
    """One reject, read as its source was."""
    file, raw = _place_of(reject), reject["raw"].encode("utf-8", "replace")
    line = reject["line"] if isinstance(reject.get("line"), int) else 1
    offset = reject["byte_offset"] if isinstance(reject.get("byte_offset"), int) else None
    block = Block(file, NAME)
    for part in _read_again(file, raw, from_format, options):
        for value in part.values:
            source = value.get("source")
            if isinstance(source, dict) and source.get("file") == file:
                source["line"] = line
            block.format = part.format
            add_record(block, value, line, offset, raw, options.zone)
        for again in part.rejects:
            found = again.findings[0]
            put_aside(block, line, offset, raw, Fault(found.keyword, found.message, found.pointer))
        block.findings += [replace(f, line=line, byte_offset=offset) for f in part.findings]
    if not block.read:
        put_aside(block, line, offset, raw, _NO_RECORD)
    return block


def _place_of(reject: dict[str, Any]) -> str:
    return reject["file"] if isinstance(reject.get("file"), str) and reject["file"] else "-"


def _read_again(file: str, raw: bytes, from_format: str | None, options: ReadOptions) -> Iterator[Block]:
    if raw.lstrip()[:1] in (b"{", b"["):
        claims = [from_format] if from_format else list(detect_formats(raw[:HEAD_BYTES], file))
        # One record on several lines is no JSON Lines, whatever the name of its source.
        name = (
            "json"
            if claims and claims[0] in ("jsonl", *_TABLES, "parquet")
            else claims[0]
            if claims
            else None
        )
    else:
        name, header = _table_of(file, from_format)
        raw = header + raw if header is not None else raw
        name = name if header is not None else from_format
    if name is None:
        return
    opened = Opened(Input(file, None), head=raw[:HEAD_BYTES], stream=io.BytesIO(raw))
    reader = FORMATS[name]
    together = reader.read_together
    parts = together(iter([opened]), options) if together else reader.read(opened, options)
    for part in parts:
        yield _parsed(part, name)


def _parsed(part: Block | Chunk, name: str) -> Block:
    if isinstance(part, Block):
        return part
    parse = FORMATS[part.format].parse
    assert parse is not None, f"format {name} yields chunks but has no parse"
    return parse(part)


def _table_of(file: str, from_format: str | None) -> tuple[str | None, bytes | None]:
    """The format and the header row of the table that a row was taken from; None where it is gone."""
    path = Path(file)
    try:
        if file == "-" or not path.is_file():
            return None, None
        with open_input(Input(file, path)) as opened:
            claims = [from_format] if from_format else list(detect_formats(opened.head, file))
            header = opened.head.lstrip(b"\r\n").split(b"\n", 1)[0]
    except (MissingInput, ValueError, OSError):
        return None, None
    if len(claims) != 1 or claims[0] == "parquet":
        return None, None
    return claims[0], header + b"\n"

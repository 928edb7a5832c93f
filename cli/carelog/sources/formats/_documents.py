"""Vendors' JSON documents, mapped as wholes: one document, an array, a document a line, documents without
anything between them, or pages that wrap a list beside which people and groups stand (`{"tickets": […],
"users": […]}`); in bounded memory.

A document up to the limit for one record is mapped as a whole, with what stands beside the list. A larger
page is cut inside its list as it streams by; what stands beside it is then not looked at.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats.json_array import read_json
from carelog.sources.formats.jsonlines import cut_off, read_jsonlines
from carelog.sources.lines import CHUNK_BYTES, file_finding
from carelog.sources.pieces import parse_json
from carelog.sources.streams import BLOCK_BYTES, BlockStream, Opened
from carelog.sources.structure import detect_structure

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
_LOOKED_AT = 64 * 1024
_LINES_LOOKED_AT = 5
_PAGE_CUT = Fault(
    "page_cut",
    "the page is longer than the limit (--max-line-bytes): what stands beside its list is left out",
)
_UNCLOSED = Fault("truncated", "the page is not closed, or a record in it is too long")


class Mapped(NamedTuple):
    """A canonical record, and what was remarkable about it."""

    value: dict[str, Any]
    faults: list[Fault]


ToRecords = Callable[[dict[str, Any], ReadOptions], Iterator["Mapped | Fault"]]
"""From a document to its records; a Fault where it is none that the format knows."""


def find_keys(head: bytes) -> dict[str, set[str]]:
    """The keys of the first object, under ""; under each of these that leads to objects (in an array or not),
    the keys of the first one there, and so on (`data.payload`); at most four levels. Never raises.
    """
    for _ in range(_LINES_LOOKED_AT):
        keys = _keys_of_first(head)
        rest = head.partition(b"\n")[2]
        if keys[""] or not rest:
            break
        # A line that is broken says nothing about the others.
        head = rest
    return keys


def _keys_of_first(head: bytes) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {"": set()}
    stack: list[str | None] = []
    seen: set[str] = set()
    last = ""
    for found in _TOKEN.finditer(head[:_LOOKED_AT]):
        token = found[0]
        if token in (b"{", b"["):
            inside = _path_of(stack, last)
            is_repeated = token == b"{" and inside in seen
            stack.append(None if is_repeated else inside)
            if token == b"{" and inside is not None:
                keys.setdefault(inside, set())
                seen.add(inside)
            last = ""
        elif token in (b"}", b"]"):
            stack[-1:] = []
            last = ""
            if not stack and token == b"}":
                break
        elif head[found.end() : found.end() + 20].lstrip()[:1] == b":":
            last = token[1:-1].decode("utf-8", "replace")
            if stack and (inside := stack[-1]) is not None and inside in keys:
                keys[inside].add(last)
    return keys


def _path_of(stack: list[str | None], last: str) -> str | None:
    """The path of what opens now: below a key, or (in an array) that of the array."""
    if not stack:
        return ""
    above = stack[-1]
    if above is None or above.count(".") >= 3:
        return None
    return f"{above}.{last}".strip(".") if last else above


def is_canonical(keys: dict[str, set[str]]) -> bool:
    """Whether the first object is one of carelog's own records."""
    return "interaction_id" in keys[""]


def read_documents(
    opened: Opened, options: ReadOptions, name: str, lists: frozenset[str]
) -> Iterator[Block | Chunk]:
    """The documents of an input as chunks of format `name`; `lists` are the paths of the lists in pages."""
    structure = detect_structure(opened.head, "")
    # A lone line can hold many documents with nothing between them.
    if structure is not None and structure[0] == "jsonl" and b"\n" in opened.head.strip():
        yield from (replace(part, format=name) for part in read_jsonlines(opened, options))
        return
    stream, offset = opened.utf8()
    limit = options.max_line_bytes
    start = stream.read(limit + 1)
    is_object = opened.head.lstrip()[:1] == b"{"
    if len(start) > limit and is_object and lists & set(find_keys(opened.head)):
        yield from _read_page(_joined(start, stream), offset, opened, options, name, lists)
        return
    plain = io.BytesIO(start) if len(start) <= limit else _joined(start, stream)
    shown = replace(opened, stream=plain, encoding="utf-8", head_has_mark=False)
    for part in read_json(shown, options):
        yield replace(part, format=name)
        shown.trouble = opened.trouble


def _joined(start: bytes, stream: BinaryIO) -> BinaryIO:
    blocks = chain([start], iter(lambda: stream.read(BLOCK_BYTES), b""))
    return io.BufferedReader(BlockStream(blocks), BLOCK_BYTES)


@dataclass(slots=True)
class _Page:
    """A page as it streams by: `data` begins at byte `base`; up to `at` it is understood. `stack` holds for
    each open bracket its path; inside the list, `start` is where the open record begins.
    """

    base: int
    data: bytes = b""
    at: int = 0
    stack: list[str | None] = field(default_factory=list)
    last: str = ""
    start: int | None = None
    list_depth: int = 0
    count: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list)


def _read_page(
    stream: BinaryIO, offset: int, opened: Opened, options: ReadOptions, name: str, lists: frozenset[str]
) -> Iterator[Block | Chunk]:
    yield Block(opened.name, name, findings=[file_finding(opened.name, _PAGE_CUT, "warning")])
    page = _Page(offset)
    while block := stream.read(CHUNK_BYTES):
        page.data += block
        _scan_page(page, lists)
        if page.spans:
            yield Chunk(opened.name, name, page.data, page.count + 1, page.base, options, page.spans)
            page.count += len(page.spans)
            page.spans = []
        keep = page.at if page.start is None else page.start
        page.data, page.base, page.at = page.data[keep:], page.base + keep, page.at - keep
        page.start = None if page.start is None else 0
        if len(page.data) > options.max_line_bytes + CHUNK_BYTES:
            break
    if page.start is not None or page.stack:
        why = cut_off(opened.trouble) if opened.trouble is not None else _UNCLOSED
        # Of what is open only the beginning is kept, and a bracket so that it is a record that is broken.
        data = b"{" + page.data[:CHUNK_BYTES]
        span = [(0, len(data))]
        yield Chunk(opened.name, name, data, page.count + 1, page.base, options, span, {0: why})


def _scan_page(page: _Page, lists: frozenset[str]) -> None:
    for found in _TOKEN.finditer(page.data, page.at):
        token = found[0]
        if token == b'"':
            break  # a text that goes on in the next block
        page.at = found.end()
        if token in (b"{", b"["):
            _open_bracket(page, found.start(), token, lists)
        elif token in (b"}", b"]"):
            page.stack[-1:] = []
            page.last = ""
            if page.start is not None and len(page.stack) == page.list_depth:
                page.spans.append((page.start, found.end()))
                page.start = None
        elif page.start is None:
            page.last = token[1:-1].decode("utf-8", "replace")


def _open_bracket(page: _Page, at: int, token: bytes, lists: frozenset[str]) -> None:
    if page.start is not None:
        page.stack.append(None)
        return
    if token == b"{" and page.stack and page.stack[-1] in lists and page.list_depth == len(page.stack):
        page.start = at
        page.stack.append(None)
        return
    path = _path_of(page.stack, page.last)
    page.stack.append(path)
    page.last = ""
    if token == b"[" and path in lists:
        page.list_depth = len(page.stack)


def parse_documents(chunk: Chunk, to_records: ToRecords) -> Block:
    """The documents of a chunk as a block; each broken one costs only itself."""
    block = Block(chunk.file, chunk.format)
    spans = chunk.spans if chunk.spans is not None else _line_spans(chunk.data)
    for index, (start, end) in enumerate(spans):
        raw = chunk.data[start:end]
        if not raw.strip():
            block.blank_lines += 1
            continue
        line, offset = chunk.first_line + index, chunk.first_offset + start
        value, fault = parse_json(raw, chunk.options.max_line_bytes)
        if fault is None and type(value) is not dict:
            fault = Fault("not_object", "the document is no JSON object")
        if fault is not None:
            put_aside(block, line, offset, raw, chunk.faults.get(index, fault), value)
            continue
        for found in to_records(value, chunk.options):
            if isinstance(found, Fault):
                put_aside(block, line, offset, raw, found)
            else:
                _add(block, found, line, offset, raw)
    return block


def _line_spans(data: bytes) -> list[tuple[int, int]]:
    spans, start = [], 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        spans.append((start, end))
        start = end + 1
    return spans


def _add(block: Block, found: Mapped, line: int, offset: int, raw: bytes) -> None:
    value = found.value
    value["source"] = {"format": block.format, "file": block.file, "line": line, **value.get("source", {})}
    block.values.append(value)
    block.lines.append(line)
    block.offsets.append(offset)
    block.raws.append(raw)
    interaction_id = value.get("interaction_id")
    block.findings += [
        Finding(
            block.file, line, fault.pointer, fault.keyword, fault.message, "warning", offset, interaction_id
        )
        for fault in found.faults
    ]

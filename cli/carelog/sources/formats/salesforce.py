"""Salesforce cases (CSV of the Data Export, of Data Loader, or of a report; JSON of a query, perhaps with what
belongs to a case inside it); the shipped mapping says what the columns are. EmailMessage.csv and CaseComment.csv of the same export hold what was said: their rows join their
case by its Id. A row of LiveChatTranscript.csv is a chat by itself. A case that two exports have counts once, as it was last.

A mail that came in is the customer's message, one that went out the agent's; a comment that the customer does
not see goes to `notes`. The Ids of 15 and of 18 characters are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import add_record, put_aside
from carelog.sources.formats._documents import Piece, read_documents, take_apart
from carelog.sources.formats._html_text import html_to_text
from carelog.sources.formats._legs import Gathering, Leg, open_gathering, parse_groups, to_chunks
from carelog.sources.formats._mapping import Mapping, Rule, load_preset
from carelog.sources.formats._mapping_records import key_of, map_record
from carelog.sources.formats._mapping_values import UnclearError, to_time
from carelog.sources.formats._salesforce_chat import to_chat
from carelog.sources.formats._table_rows import columns_of, read_rows
from carelog.sources.formats.mapped import (
    Row,
    add_mapped,
    detect_preset,
    parse_mapped,
    read_mapped,
    rows_of,
)
from carelog.sources.streams import Opened

NAME = "salesforce_case"
_PARTS = {
    "emails": frozenset(("parentid", "messagedate", "incoming")),
    "comments": frozenset(("parentid", "commentbody", "ispublished")),
    "chats": frozenset(("body", "livechatvisitorid")),
}
_OBJECTS = {
    "Case": "cases", "EmailMessage": "emails", "CaseComment": "comments", "LiveChatTranscript": "chats"
}  # fmt: skip
_OBJECT = re.compile(rb'"attributes"\s*:\s*\{\s*"type"\s*:\s*"(?:' + "|".join(_OBJECTS).encode() + rb')"')
_LISTS = ("records", "result.records", "")
_PART = "\0part"
_ID = 15
_DRAFT = "5"
_TRUE = frozenset(("1", "true", "yes"))
_AT = Rule("at", "time")
_OTHER = Fault("not_a_case", "the object is no case, and nothing that belongs to one")
_NO_CASE = Fault(
    "not_a_case", "its case is not among what was read: name the file of cases as well (Case.csv, with Ids)"
)


def detect_salesforce(head: bytes, name: str) -> str | None:
    """By the columns of cases, or of what belongs to them."""
    if head.lstrip()[:1] in (b"{", b"["):
        return "its objects are Salesforce's (attributes.type)" if _OBJECT.search(head[:65536]) else None
    reason = detect_preset(NAME, head, name)
    if reason is None and (part := _part_of(head)) is not None:
        return f"its header names columns of Salesforce's {part}"
    return reason


def _part_of(head: bytes) -> str | None:
    if head[:1] in (b"{", b"[", b"<", b"\0"):
        return None
    columns = {key_of(name) for name in columns_of(head)}
    return next((part for part, needed in _PARTS.items() if columns >= needed), None)


def read_salesforce(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The cases of one input, as `read_salesforces` gives them for several."""
    return read_salesforces(iter([opened]), options)


def read_salesforces(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The cases of all inputs, each with the mails and comments that came of it; rows without an Id as they are."""
    with open_gathering() as gathering:
        for opened in inputs:
            part = _part_of(opened.head)
            if opened.head.lstrip()[:1] in (b"{", b"["):
                yield from _gather_objects(opened, options, gathering)
            elif part is None:
                yield from _gather_cases(opened, options, gathering)
            else:
                yield from _gather_parts(opened, options, gathering, part)
        yield from to_chunks(gathering, NAME, options)


def _gather_cases(opened: Opened, options: ReadOptions, gathering: Gathering) -> Iterator[Block | Chunk]:
    mapping = load_preset(NAME)
    for part in read_mapped(NAME, opened, options):
        number = (
            next((c for c in part.columns if key_of(c) == "id"), None) if isinstance(part, Chunk) else None
        )
        if not isinstance(part, Chunk) or number is None:
            yield part
            continue
        block = Block(part.file, NAME)
        for row in rows_of(part, block, mapping):
            key = str(row.cells.get(number) or f"line {row.line} of {part.file}")
            gathering.add(_key(key), Leg(part.file, row.line, row.offset, row.raw, orjson.dumps(row.cells)))
        yield block


def _gather_parts(opened: Opened, options: ReadOptions, gathering: Gathering, part: str) -> Iterator[Block]:
    yield Block(opened.name, NAME)
    for row in read_rows(opened, options, NAME):
        if isinstance(row, Block):
            yield row
            continue
        cells = {key_of(name): cell for name, cell in row.cells.items()}
        number = cells.get("id" if part == "chats" else "parentid")
        key = _key(number or f"line {row.line} of {opened.name}")
        value = orjson.dumps({_PART: part, "cells": cells})
        gathering.add(key, Leg(opened.name, row.line, row.offset, row.raw, value))


def _gather_objects(opened: Opened, options: ReadOptions, gathering: Gathering) -> Iterator[Block]:
    for part in take_apart(read_documents(opened, options, NAME, _LISTS, ("attributes", "Id")), _LISTS):
        if isinstance(part, Block):
            yield part
            continue
        piece, block = part
        if not _gather_object(piece, piece.value, "", block.file, gathering):
            put_aside(block, piece.line, piece.offset, piece.raw, _OTHER)


def _gather_object(piece: Piece, value: dict[str, Any], parent: str, file: str, gathering: Gathering) -> bool:
    """Note an object, and those of the queries within it; False if it is none that is known."""
    attributes = value.get("attributes")
    kind = _OBJECTS.get(str(attributes.get("type"))) if isinstance(attributes, dict) else None
    if kind is None:
        return False
    own: dict[str, Any] = {}
    number = str(value.get("Id") or f"line {piece.line} of {file}")
    for name, item in value.items():
        inner = item.get("records") if isinstance(item, dict) else None
        if not isinstance(inner, list):
            own[name] = item
            continue
        others = [
            one
            for one in inner
            if not (isinstance(one, dict) and _gather_object(piece, one, number, file, gathering))
        ]
        if others:
            own[name] = {**item, "records": others}
    if kind == "cases":
        kept, key = own, number
    else:
        cells = {key_of(k): _cell_of(v) for k, v in own.items() if v is not None and k != "attributes"}
        kept = {_PART: kind, "cells": cells}
        key = number if kind == "chats" else str(value.get("ParentId") or parent or number)
    raw = orjson.dumps(value) if parent else piece.raw
    gathering.add(_key(key), Leg(file, piece.line, piece.offset, raw, orjson.dumps(kept)))
    return True


def _cell_of(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _key(number: str) -> str:
    return number[:_ID] if len(number) == _ID + 3 else number


def parse_salesforce(chunk: Chunk) -> Block:
    """The cases of a chunk as records."""
    if chunk.columns:
        return parse_mapped(chunk)
    block = Block(chunk.file, NAME)
    mapping = load_preset(NAME).with_order(chunk.options.date_order)
    for _, legs in parse_groups(chunk)[1]:
        _add_case(block, chunk, mapping, legs)
    return block


def _add_case(block: Block, chunk: Chunk, mapping: Mapping, legs: Sequence[Leg]) -> None:
    cases: list[tuple[str, int, Leg, dict[str, Any]]] = []
    parts: dict[str, dict[str, dict[str, str]]] = {name: {} for name in _PARTS}
    chats: list[tuple[Leg, dict[str, str]]] = []
    for place, leg in enumerate(legs):
        value = leg.load()
        cells = value.get("cells", {})
        if value.get(_PART) == "chats":
            chats.append((leg, cells))
        elif _PART in value:
            parts[value[_PART]][str(cells.get("id", f"line {place}"))] = cells
        else:
            cases.append((_changed_at(value), place, leg, value))
    for leg, cells in chats[-1:]:
        _add_chat(block, leg, cells, chunk.options.zone)
    if not cases:
        for leg in [] if chats else legs:
            put_aside(block, leg.line, leg.offset, leg.raw, _NO_CASE)
        return
    _, _, leg, row = max(cases, key=lambda case: case[:2])
    faults: list[Fault] = []
    value = map_record(row, mapping, faults)
    _add_parts(value, list(parts["emails"].values()), list(parts["comments"].values()))
    add_mapped(block, chunk, mapping, value, faults, Row(leg.line, leg.offset or 0, leg.raw, row))
    value["source"]["file"] = leg.file


def _add_chat(block: Block, leg: Leg, cells: dict[str, str], zone: str | None) -> None:
    value = to_chat(cells)
    value["source"] = {"system": "salesforce", "format": NAME, "file": leg.file, "line": leg.line}
    if "interaction_id" in value:
        value["source"]["record_id"] = value["interaction_id"]
    add_record(block, value, leg.line, leg.offset, leg.raw, zone)


def _changed_at(row: dict[str, Any]) -> str:
    names = {key_of(name): name for name in row}
    return str(next((row[names[n]] for n in ("systemmodstamp", "lastmodifieddate") if n in names), ""))


def _add_parts(value: dict[str, Any], emails: list[dict[str, str]], comments: list[dict[str, str]]) -> None:
    """Put mails and comments into a case; what of them has no place stays under `extra`."""
    messages = [found for cells in emails if cells.get("status") != _DRAFT and (found := _to_message(cells))]
    shown = [cells for cells in comments if _is_true(cells.get("ispublished"))]
    messages += [found for cells in shown if (found := _to_message(cells))]
    # Dates of one export are written in one way, so that their texts sort.
    messages.sort(key=lambda message: str(message.get("at", "")))
    said = value.get("messages", [])
    if messages and not _is_said(said, messages):
        messages = [*said, *messages]
    if messages:
        value["messages"] = messages
    notes = [
        value.get("notes", ""),
        *(c.pop("commentbody", "") for c in comments if not _is_true(c.get("ispublished"))),
    ]
    if any(notes):
        value["notes"] = "\n\n".join(note for note in notes if note)
    left = {name: rows for name, rows in (("emails", emails), ("comments", comments)) if rows}
    if left:
        value["extra"] = {**value.get("extra", {}), **left}


def _is_true(cell: str | None) -> bool:
    return (cell or "").lower() in _TRUE


def _is_said(description: list[dict[str, Any]], messages: list[dict[str, Any]]) -> bool:
    """Whether what a case describes is the mail that it was made of."""
    first = next((m["text"] for m in messages if m["speaker"] == "customer"), "")
    texts = [re.sub(r"\s+", "", message["text"]) for message in description]
    return all(text in re.sub(r"\s+", "", first) for text in texts)


def _to_message(cells: dict[str, str]) -> dict[str, Any] | None:
    """The message that a row says (its texts, time and number leave `cells`); None if it says nothing."""
    text = (
        cells.pop("commentbody", "") or cells.pop("textbody", "") or html_to_text(cells.get("htmlbody", ""))
    )
    if not text.strip():
        return None
    is_theirs = _is_true(cells.get("incoming"))
    message = {
        "speaker": "customer" if is_theirs else "agent",
        "text": text,
        "message_id": cells.pop("id", None),
    }
    for name in ("messagedate", "createddate"):
        try:
            at, _ = to_time(cells[name], _AT) if name in cells else (None, None)
        except UnclearError:
            continue
        if at is not None:
            del cells[name]
            message["at"] = at
            break
    return {key: item for key, item in message.items() if item is not None}

"""The chats of a LINE Official Account as its manager saves them: one CSV file for each customer.

Three rows before the header name account, time zone and time of saving, in the language of whoever saved it;
the header is the first row of five cells. The zone stands in the file. The account's name for automatic
answers is taken for a bot. Exports of following weeks overlap: messages that two files have count once.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._sessions import Chat, MessageStore, Said, drop_copies, plain_name, to_blocks
from carelog.sources.formats._text_lines import Remarks, TextLine, head_lines, read_text_lines
from carelog.sources.streams import Opened

NAME = "line_account"
_ZONE = re.compile(r"[+-]\d\d:\d\d")
_ROW = re.compile(
    r'"?(User|Account|ユーザー|アカウント|ผู้ใช้|บัญชี)"?,.{0,200}?,"?\d{4}/\d{1,2}/\d{1,2}"?,"?\d', re.IGNORECASE
)
_TIME = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2}) (\d{1,2}):(\d{2})(?::(\d{2}))?")
_CUSTOMER = frozenset({"user", "ユーザー", "ผู้ใช้"})
_BOT = re.compile(
    r"応答メッセージ|あいさつメッセージ|自動応答|auto[- ]?(response|reply|response message)|greeting message|"
    r"ข้อความตอบกลับอัตโนมัติ|ข้อความทักทาย|自動回應|自动回复",
    re.IGNORECASE,
)
_UNSENT = re.compile(
    r"(送信が取り消されたメッセージです|.{0,30}送信を取り消しました|message unsent|.{0,30}unsent a message|ยกเลิกข้อความ.{0,12}|"
    r"已收回訊息)[.。]?",
    re.IGNORECASE,
)
_CLOSING = re.compile(r'[^"]*(?:""[^"]*)*"(?!")')
_PREAMBLE = re.compile(r"""[^,]{1,60},"?'?(?:UTC|GMT)?[+-]\d\d:\d\d"?,*""")
_MOST_ROW_LINES = 10_000


@dataclass(slots=True)
class _Export:
    """One file: what stands before its header, and whose chat it is."""

    file: str
    preamble: dict[str, str] = field(default_factory=dict)
    header: list[str] = field(default_factory=list)
    zone: str = ""
    customer: str = ""
    remarks: Remarks = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The account's name, which stands in the first row."""
        return next(iter(self.preamble.values()), "")

    @property
    def key(self) -> str:
        """What files of one chat have in common."""
        name = self.customer or re.sub(r".*?\d{8}_\d{8}_|\.csv.*|.*/", "", self.file.replace("\\", "/"))
        return f"{plain_name(self.account)}\0{plain_name(name)}"


def detect_line_account(head: bytes, name: str) -> str | None:
    """Whether rows of a user or an account with date and time follow a row that names a time zone."""
    lines = head_lines(head, 12)
    # Of a customer who wrote nothing only the rows before the header are there.
    is_empty = len(lines) == 4 and lines[3].count(",") == 4 and any(map(_PREAMBLE.fullmatch, lines[1:3]))
    is_chat = any(_ROW.match(line) for line in lines[1:]) and any(_ZONE.search(line) for line in lines[:4])
    if is_empty or is_chat:
        return "messages of users and an account follow a row with a time zone, as LINE's manager writes them"
    return None


def read_line_account(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The chat of one file, as `read_line_accounts` gives those of several."""
    return read_line_accounts(iter([opened]), options)


def read_line_accounts(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The chats of all files; an interaction for each stretch between two silences."""
    exports: dict[str, list[_Export]] = {}
    with MessageStore() as store:
        for opened in inputs:
            block = Block(opened.name, NAME, system="line")
            export = _read_export(opened, options, store, block)
            exports.setdefault(export.key, []).append(export)
            yield block
        for group in exports.values():
            messages = store.messages(*(export.file for export in group))
            yield from to_blocks(_to_chat(group), drop_copies(messages), options)


def _to_chat(group: list[_Export]) -> Chat:
    first = group[0]
    chat = Chat(NAME, first.file, first.key, "line", first.customer or None)
    chat.extra = {"exports": [{**export.preamble, "columns": export.header} for export in group]}
    chat.findings = [fault for export in group for fault in export.remarks.values()]
    chat.sides = {first.customer: "customer"} if first.customer else {}
    return chat


def _read_export(opened: Opened, options: ReadOptions, store: MessageStore, block: Block) -> _Export:
    export = _Export(opened.name)
    for line, cells in _read_rows(read_text_lines(opened, options, export.remarks), block):
        if not export.header:
            _note_preamble(export, cells)
            continue
        said, fault = _to_said(export, line, cells)
        if said is None or fault is not None:
            wrong = fault or Fault("not_csv", "the row is no message")
            put_aside(block, line.number, line.offset, line.text.encode("utf-8", "replace"), wrong)
            continue
        if said.speaker == "customer" and not export.customer:
            export.customer = said.sender
        moment = datetime.fromisoformat(said.at)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        store.add(opened.name, said, int(moment.timestamp()))
    return export


def _note_preamble(export: _Export, cells: list[str]) -> None:
    # A spreadsheet that saved the file again fills short rows up with empty cells.
    if sum(map(bool, cells)) >= 5:
        export.header = cells
        return
    for cell in filter(None, cells[1:]):
        export.preamble[cells[0]] = cell.removeprefix("'")
    zone = _ZONE.search(",".join(cells))
    if zone is not None and not export.zone:
        export.zone = zone[0]


def _read_rows(lines: Iterable[TextLine], block: Block) -> Iterator[tuple[TextLine, list[str]]]:
    """Rows of cells; where a quotation mark is not closed, the row ends before the next that looks like
    one.
    """
    held: list[TextLine] = []
    is_open = False
    for line in lines:
        if held and (_ROW.match(line.text) or len(held) > _MOST_ROW_LINES):
            _put_broken(block, held)
            held, is_open = [], False
        held.append(line)
        is_open = _stays_open(line.text, is_open)
        if not is_open:
            text = "\n".join(part.text for part in held)
            first = TextLine(text, held[0].number, held[0].offset)
            held = []
            if text.strip(","):
                yield first, _cells(text)
    if held:
        _put_broken(block, held)


def _stays_open(line: str, is_open: bool) -> bool:
    """Whether a cell in quotation marks is open after the line; within other cells they mean nothing."""
    place = 0
    while True:
        if is_open:
            end = _CLOSING.match(line, place)
            if end is None:
                return True
            place, is_open = end.end(), False
        elif line.startswith('"', place):
            place, is_open = place + 1, True
            continue
        comma = line.find(",", place)
        if comma < 0:
            return False
        place = comma + 1


def _put_broken(block: Block, held: list[TextLine]) -> None:
    raw = "\n".join(part.text for part in held).encode("utf-8", "replace")
    fault = Fault("unclosed_quote", "a quotation mark is opened in this row and not closed")
    put_aside(block, held[0].number, held[0].offset, raw, fault)


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader(text.splitlines(keepends=True)), [])
    except csv.Error:
        return [text]


def _to_said(export: _Export, line: TextLine, cells: list[str]) -> tuple[Said | None, Fault | None]:
    if len(cells) < 5:
        return None, Fault("too_few_cells", f"the row has {len(cells)} cells, a message has 5")
    kind, sender, day, clock, text = cells[:5]
    found = _TIME.fullmatch(f"{day.strip()} {clock.strip()}")
    try:
        # Without a match there are no six numbers, which is a ValueError as well.
        year, month, day_of, hour, minute, second = (int(p or 0) for p in (found.groups() if found else ()))
        local = datetime(year, month, day_of, hour, minute, second).isoformat()
        at = datetime.fromisoformat(local + export.zone).isoformat()
    except ValueError:
        return None, Fault("bad_time", "date and time of the row are none", "/messages/at")
    text = text.replace("_x000D_", "").replace("\r", "")
    # The manager guards cells against spreadsheets with an apostrophe; a text that is quoted has two.
    if text.startswith("'") and not text.endswith("'"):
        text = text[1:]
    rest: dict[str, Any] = {"cells": cells[5:]} if any(cells[5:]) else {}
    if kind.strip().lower() not in (*_CUSTOMER, "account"):
        rest["kind"] = kind
    speaker = _find_speaker(kind, sender, text)
    return Said(sender, text, at, line.number, line.offset, line.text, speaker, None, rest, export.file), None


def _find_speaker(kind: str, sender: str, text: str) -> str:
    if _UNSENT.fullmatch(text.strip()):
        return "system"
    if kind.strip().lower() in _CUSTOMER:
        return "customer"
    return "bot" if _BOT.search(sender) else "agent"

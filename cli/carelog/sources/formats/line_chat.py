"""Chats saved in the LINE app as text: `[LINE] Chat history with …`, dates on lines of their own, then times.

There are two layouts, told once for the whole file: cells between tabs (`08:54<TAB>name<TAB>text`, texts of
several lines in quotation marks), and words between single spaces (`08:35 name text`), in which only
frequency tells where a name ends. Thai phones write years of the Buddhist Era. The file knows neither time
zone (`--tz`) nor who is the agent (`--agents`, else guessed and said).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._chat_dates import (
    DateEvidence,
    Stamp,
    plain_dates,
    to_hour,
    to_local,
    unordered,
    weekday_of,
)
from carelog.sources.formats._sessions import Chat, MessageStore, Said, find_sides, plain_name, to_blocks
from carelog.sources.formats._text_lines import Remarks, head_lines, read_text_lines
from carelog.sources.streams import Opened

NAME = "line_chat"
_ONE = "one"
_MARKS = "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_HALF = r"上午|下午|午前|午後|오전|오후|[AaPp]\.?[Mm]\.?|น\."
_DATE = re.compile(
    r"(?P<before>[^\W\d_][^\d\t:]{0,15}\s)?(?P<a>\d{1,4})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})"
    r"(?P<after>\s*[(（]?[^\W\d_][^\d\s:]{0,12}[)）]?)?\s*"
)
_TIME = re.compile(
    rf"(?P<pre>{_HALF})?\s?(?P<h>\d{{1,2}})(?P<colon>[:.])(?P<m>\d{{2}})(?::\d{{2}})?"
    rf"(?:\s?(?P<post>{_HALF}))?"
    r"(?P<gap>\t|(?<=\S) )(?P<rest>.*)"
)
_HEADER = re.compile(
    r"\[LINE\]\s*(?:Chat (?:history )?(?:with|in)|ประวัติการแชทกับ|ประวัติการแชทในกลุ่ม|ประวัติแชทกับ|"
    r"ประวัติการสนทนากับ|Riwayat (?:obrolan|chat) dengan|[與与](?=.*的聊天))?\s*(.*?)"
    r"(?:(?:との|の)?トーク(?:履歴)?|的聊天(?:[記记][錄录])?|(?:님)?[과와]의 대화)?\s*$"
)
_SAVED = re.compile(r"(Saved on|Save date|Saved|保存日時|บันทึกเมื่อ|บันทึกวันที่|储存日期|儲存日期)\s*[:：]?\s*(.+)")
# Several exports of one chat, put together into one file.
_AGAIN = re.compile(r"\[LINE\] .*(?:Chat history|ประวัติการ|トーク履歴|聊天[記记][錄录])")
_WHEN = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\D{1,4}\d{1,2}[:.]\d\d")
_SYSTEM = re.compile(
    r"(ยกเลิกข้อความ.{0,6}|Message unsent|.{0,40} unsent a message|.{0,40}送信を取り消しました|"
    r".{0,40}(已收回訊息|收回訊息|撤回了一条消息|메시지를 취소했습니다)|"
    r"ไม่ได้รับสาย|☎.{0,60}|.{1,60} (joined the (group|chat)|left the (group|chat)|"
    r"invited .{1,60} to the (group|chat))|"
    r".{1,60}(เข้าร่วมกลุ่ม|ออกจากกลุ่ม|がグループに参加しました|がグループを退会しました|加入群組|已退出群組|退出了群组))[.。]?"
)
# What stands behind a sender and is nevertheless no word of theirs.
_CALL = re.compile(r"☎.{0,60}|ไม่ได้รับสาย|Message unsent\.?|ยกเลิกข้อความแล้ว|送信を取り消しました|已收回訊息")
_MOST_PREFIXES = 200_000


def detect_line_chat(head: bytes, name: str) -> str | None:
    """Whether a file begins with LINE's header, or with a date line and lines of time and name."""
    lines = [line.strip(" \ufeff") for line in head_lines(head)]
    if lines and lines[0].startswith("[LINE]"):
        return "it begins with [LINE], as a chat saved in the LINE app does"
    if len(lines) < 2:
        return None
    date = _DATE.fullmatch(plain_dates(lines[0]))
    followed = sum(_TIME.match(line) is not None for line in lines[1:6])
    if date and (date["before"] or date["after"]) and followed >= min(2, len(lines) - 1):
        return (
            "a line with date and weekday is followed by lines of time and name, as in a chat saved by LINE"
        )
    return None


@dataclass(slots=True)
class _File:
    """What is known of a file while it is read."""

    title: str = ""
    saved: str = ""
    has_tabs: bool = False
    shape: tuple[bool, str, bool, int] | None = None
    date: Stamp = field(default_factory=Stamp)
    dates: DateEvidence = field(default_factory=DateEvidence)
    remarks: Remarks = field(default_factory=dict)
    senders: dict[str, None] = field(default_factory=dict)
    prefixes: Counter[str] = field(default_factory=Counter)


def read_line_chat(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The chat of one file, an interaction for each stretch between two silences."""
    known = _File(
        _title_of(opened.name), has_tabs=any(_is_tabbed(line) for line in head_lines(opened.head, 200))
    )
    block = Block(opened.name, NAME, system="line")
    with MessageStore() as store:
        for said in _read_messages(opened, options, known, block):
            store.add(_ONE, said)
        if not known.has_tabs:
            _find_senders(known, store, options)
        sides, guesses = find_sides(known.senders, options, known.title)
        order = options.date_order or known.dates.find_order(known.shape[1] if known.shape else "")
        chat = Chat(NAME, opened.name, plain_name(known.title), "line", known.title or None, sides=sides)
        chat.untimed = unordered(options.zone)
        chat.extra = {"saved": known.saved} if known.saved else {}
        chat.findings += [*known.remarks.values(), *guesses, *known.dates.remarks(order, options.date_order)]
        yield block
        messages = store.messages(_ONE)
        if not known.has_tabs:
            messages = (_split_sender(said, known) for said in messages)
        yield from to_blocks(chat, to_local(messages, order), options)


def _title_of(name: str) -> str:
    """Whom the chat is with, as the name that LINE gives its files says; empty if it does not."""
    file = name.replace("\\", "/").rpartition("/")[2]
    found = _HEADER.match(re.sub(r"( ?\(\d+\))?\.txt(\.(gz|zst))?$", "", file, flags=re.IGNORECASE))
    return found[1].strip(" _") if found is not None else ""


def _is_tabbed(line: str) -> bool:
    found = _TIME.match(line.strip("\ufeff"))
    return found is not None and found["gap"] == "\t"


def _read_messages(opened: Opened, options: ReadOptions, known: _File, block: Block) -> Iterator[Said]:
    said: Said | None = None
    for line in read_text_lines(opened, options, known.remarks):
        bare = re.sub(f"[{_MARKS}]", "", line.text) if not line.text.isascii() else line.text
        found = _TIME.match(bare)
        is_new = found is not None and known.date.parts != (0, 0, 0) and _fits(found, known)
        if is_new and found is not None:
            if said is not None:
                yield _finish(said, known)
            said = _begin(found, known, line.number, line.offset, line.text)
        elif _note_date(bare, known) or (known.date.parts != (0, 0, 0) and _AGAIN.match(bare)):
            if said is not None:
                yield _finish(said, known)
            said = None
        elif said is not None:
            if len(said.raw) > options.max_line_bytes:
                yield _finish(said, known)
                said = replace(said, text=line.text, raw=line.text, line=line.number, offset=line.offset)
            else:
                said.text += "\n" + line.text
                said.raw += "\n" + line.text
        elif line.text.strip() and not _note_header(bare, known):
            fault = Fault("no_message", "the line is no part of a message: no date and time before it")
            put_aside(block, line.number, line.offset, line.text.encode("utf-8", "replace"), fault)
    if said is not None:
        yield _finish(said, known)


def _fits(found: re.Match[str], known: _File) -> bool:
    is_of_layout = (found["gap"] == "\t") == known.has_tabs
    # Between spaces, 10.30 is more often a price.
    is_clock = found["colon"] == ":" or known.has_tabs
    return is_of_layout and is_clock and int(found["h"]) <= 24 and int(found["m"]) < 60


def _note_header(line: str, known: _File) -> bool:
    header, saved = _HEADER.match(line.strip()), _SAVED.match(line.strip())
    is_first = known.date.parts == (0, 0, 0)
    if header is not None and is_first:
        known.title = header[1].strip(' "“”') or known.title
        return True
    if saved is not None and known.saved:
        return True
    if not known.saved and (saved is not None or (known.title and is_first and _WHEN.search(line))):
        known.saved = saved[0] if saved is not None else line.strip()
        return True
    # Without [LINE], as some versions write it, the line still ends as a header does.
    return is_first and re.search("(トーク履歴|聊天[記记][錄录])$", line.strip()) is not None


def _note_date(line: str, known: _File) -> bool:
    """Whether a line is a date of its own in the way of the file's first one; then it is in force."""
    found = _DATE.fullmatch(plain_dates(line.strip()))
    if found is None:
        return False
    year_at = 0 if len(found["a"]) > 2 else 2
    shape = (bool(found["before"]), found["mark"], bool(found["after"]), year_at)
    if known.shape is not None and shape != known.shape:
        return False
    known.shape = shape
    known.date = Stamp((int(found["a"]), int(found["b"]), int(found["c"])))
    known.dates.note(known.date, weekday_of(found["before"] or found["after"] or ""))
    return True


def _begin(found: re.Match[str], known: _File, number: int, offset: int, raw: str) -> Said:
    hour = to_hour(int(found["h"]), (found["pre"] or found["post"] or "").strip())
    at = replace(known.date, hour=hour, minute=int(found["m"])).to_text()
    if not known.has_tabs:
        return Said("", found["rest"], at, number, offset, raw)
    sender, tab, text = found["rest"].partition("\t")
    if not tab:
        # Nothing but a text: the system speaks.
        return Said("", sender, at, number, offset, raw, "system")
    return Said(sender.strip(), text, at, number, offset, raw, None if sender.strip() else "system")


def _finish(said: Said, known: _File) -> Said:
    """The message without the quotation marks that LINE puts around several lines; its sender is counted."""
    text = said.text.rstrip("\n")
    if "\n" in text and text.startswith('"') and text.endswith('"') and len(text) > 2:
        text = text[1:-1].replace('""', '"')
    said.text = text
    if known.has_tabs:
        if _CALL.fullmatch(text):
            said.speaker = "system"
        elif said.speaker is None and len(known.senders) < 100_000:
            known.senders[said.sender] = None
    elif len(known.prefixes) < _MOST_PREFIXES and not _SYSTEM.fullmatch(text):
        known.prefixes.update(_prefixes(text))
    return said


def _prefixes(text: str) -> list[str]:
    """What may be the sender of a line: its first word, its first two words, and so on up to five."""
    words = text.split("\n", 1)[0][:120].split(" ")
    return [" ".join(words[:count]) for count in range(1, min(len(words), 6))]


def _find_senders(known: _File, store: MessageStore, options: ReadOptions) -> None:
    """Names in the layout without tabs: those that the user or the header says, else the prefixes that
    messages have in common.
    """
    sure = {plain_name(name) for name in (*options.agents, known.title) if name}
    for said in store.messages(_ONE):
        if _SYSTEM.fullmatch(said.text):
            continue
        sender = _sender_of(said.text, known, sure)
        if sender:
            known.senders[sender] = None


def _sender_of(text: str, known: _File, sure: set[str]) -> str:
    prefixes = _prefixes(text)
    named = [prefix for prefix in prefixes if plain_name(prefix) in sure]
    if named or not prefixes:
        return named[-1] if named else ""
    best = prefixes[0]
    for longer in prefixes[1:]:
        # As long as nearly all lines that begin so go on in the same way, it is still the name.
        if known.prefixes[longer] < max(2, 0.8 * known.prefixes[best]):
            break
        best = longer
    return best


def _split_sender(said: Said, known: _File) -> Said:
    if _SYSTEM.fullmatch(said.text):
        said.speaker = "system"
        return said
    candidates = [prefix for prefix in _prefixes(said.text) if prefix in known.senders]
    if not candidates:
        # One word alone is a sender whose text is missing, or a line of the system.
        said.speaker = "system"
        return said
    said.sender = candidates[-1]
    said.text = said.text[len(said.sender) :].removeprefix(" ")
    if _CALL.fullmatch(said.text):
        said.speaker = "system"
    return said

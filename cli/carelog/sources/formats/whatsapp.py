"""WhatsApp's "Export chat": a text file whose layout depends on phone, language and clock setting.

`DATE, TIME - Author: text` (Android) or `[DATE, TIME] Author: text` (iOS); a line without such a beginning
goes on with the message above. The layout is pinned by the first line, so that a pasted line that begins
with a date cuts nothing. The order of day and month is told by the whole file or by `--date-order`, never
line by line; a file that leaves it open is put aside. There is no time zone in the file (`--tz`), and no
word of who is the agent (`--agents`, else it is guessed and said). The export does not carry on a call's or
a survey's data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._chat_dates import DateEvidence, Stamp, plain_dates, to_local, unordered
from carelog.sources.formats._sessions import Chat, MessageStore, Said, find_sides, plain_name, to_blocks
from carelog.sources.formats._text_lines import Remarks, TextLine, head_lines, read_text_lines
from carelog.sources.formats._whatsapp_words import (
    EVENT,
    MARKS,
    SELF,
    day_of_file,
    find_title,
    is_notice,
    is_of_owner,
    note_of,
    take_edited,
    without_marks,
)
from carelog.sources.streams import Opened

NAME = "whatsapp"
_ONE = "one"
# Whose name is known needs no blank behind the colon.
_CLOSE_AUTHOR = re.compile(r"(?P<author>[^\n:]{1,150}):(?P<text>.*)", re.DOTALL)
_HALF = (
    r"上午|下午|午前|午後|오전|오후|凌晨|早上|中午|晚上|清晨|[AaPp]\.?\s?[Mm]\.?|पूर्वाह्न|अपराह्न|म\.?पू\.?|म\.?उ\.?|"
    r"ก่อนเที่ยง|หลังเที่ยง|น\.|μ\.μ\.|π\.μ\.|дп|пп|ق\.ظ\.?|ب\.ظ\.?|ص|م|SA|CH|PG|PTG|முற்பகல்|பிற்பகல்|"
    r"ਪੂ\.ਦੁ\.|ਬਾ\.ਦੁ\.|пр\.об\.|сл\.об\.|de\.|du\.|PD|MD|in the (?:morning|afternoon|evening)|at night"
)
_DATE = (
    rf"(?P<a>\d{{1,4}})[{MARKS}]*(?P<mark>[./-])[{MARKS}]*\s?(?P<b>\d{{1,2}})[{MARKS}]*(?P=mark)[{MARKS}]*\s?"
    rf"(?P<c>\d{{1,4}})[{MARKS}]*\.?(?:\s?(?:BE|B\.E\.|AD|CE|พ\.ศ\.|ค\.ศ\.|г\.))?"
)
_TIME = rf"(?P<pre>{_HALF})?\s*(?P<h>\d{{1,2}})[:.](?P<m>\d{{2}})(?:[:.](?P<s>\d{{2}}))?\s?(?P<post>{_HALF})?"
_CLOSE = rf"[{MARKS}]*\.?\s?(?P<close>\]\s?|\s*[-–—]\s+|:\s)(?P<rest>.*)"
# Vietnamese phones write the time first.
_HEADS = (
    re.compile(
        rf"[{MARKS}]*(?P<open>\[)?{_DATE}(?:[,،、]\s*|\s+)(?:(?:klo|kl\.|um|às|à|at|a las|alle|"
        rf"o)\s+)?{_TIME}{_CLOSE}",
        re.DOTALL,
    ),
    re.compile(rf"[{MARKS}]*(?P<open>\[)?{_TIME}(?:[,،]\s*|\s+){_DATE}{_CLOSE}", re.DOTALL),
)
# Server logs write dates like these, with seconds and without a comma behind the date.
_LOG = re.compile(r"\[?\d{4}-\d\d-\d\d \d\d?:\d\d:\d\d")
_AUTHOR = re.compile(rf"(?P<author>[^\n]{{1,150}}?)\s?:(?:\s|(?=[{MARKS}])|$)(?P<text>.*)", re.DOTALL)


def detect_whatsapp(head: bytes, name: str) -> str | None:
    """Whether the first line has the beginning of a message, with a separator that logs do not use."""
    lines = head_lines(head)
    found = [match for line in lines if (match := _match_head(line))]
    is_named = "whatsapp" in name.lower() or re.search(r"_chat( ?\(?\d+\)?)?\.txt", name) is not None
    if not found or not (is_named or _match_head(lines[0])):
        return None
    if not is_named and (_LOG.match(lines[0]) or found[0]["close"].startswith(":")):
        return None
    if not is_named and not any(_AUTHOR.match(match["rest"]) for match in found):
        return None
    return "its lines begin with date, time and author as in an exported WhatsApp chat"


def _match_head(line: str) -> re.Match[str] | None:
    """The beginning of a message: date, time, and what stands between them and the author."""
    plain = plain_dates(line)
    found = next((match for pattern in _HEADS if (match := pattern.match(plain))), None)
    if found is None or bool(found["open"]) != found["close"].startswith("]"):
        return None
    # Exports of before 2017 have a colon behind the seconds; behind minutes it would be anything.
    return None if found["close"].startswith(":") and found["s"] is None else found


def read_whatsapp(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The chat of one file, an interaction for each stretch between two silences."""
    remarks: Remarks = {}
    dates = DateEvidence()
    senders: dict[str, None] = {}
    owners: dict[str, None] = {}
    mark = ""
    title = find_title(opened.name)
    block = Block(opened.name, NAME, system=NAME)
    with MessageStore() as store:
        for stamp, said in _read_messages(opened, options, remarks, block):
            dates.note(stamp)
            if said.rest.get("note") == "media" and (day := day_of_file(said.text)):
                dates.note_proof(stamp, day)
            mark = mark or _mark_of(said.raw)
            if said.speaker is None and len(senders) < 100_000:
                senders[said.sender] = None
                if said.sender in SELF or (said.rest.get("note") == "deleted" and is_of_owner(said.text)):
                    owners[said.sender] = None
            said.at = stamp.to_text()
            store.add(_ONE, said)
        order = options.date_order or dates.find_order(mark)
        sides, guesses = find_sides(senders, options, title)
        if len(owners) == 1 and not options.agents:
            # Whose phone exported the chat works for the company.
            sides, _ = find_sides(senders, replace(options, agents=tuple(owners)))
        chat = Chat(NAME, opened.name, plain_name(title), NAME, title or None, sides=sides)
        chat.untimed = unordered(options.zone)
        chat.findings += [*remarks.values(), *guesses, *dates.remarks(order, options.date_order)]
        yield block
        yield from to_blocks(chat, to_local(store.messages(_ONE), order), options)


def _mark_of(raw: str) -> str:
    """What stands between the parts of the date at the beginning of a message."""
    found = _match_head(raw)
    return found["mark"] if found is not None else ""


def _read_messages(
    opened: Opened, options: ReadOptions, remarks: Remarks, block: Block
) -> Iterator[tuple[Stamp, Said]]:
    """Messages in the order of the file; what stands before the first one is put aside."""
    first: re.Match[str] | None = None
    stamp, said, size = Stamp(), None, 0
    senders: set[str] = set()
    for line in read_text_lines(opened, options, remarks):
        found = _match_head(line.text)
        if found is not None and _same_layout(first, found):
            first = first or found
            if said is not None:
                yield stamp, _finish(said)
            stamp, said = Stamp.of(found), _begin(found, line, senders)
            senders.add(said.sender)
        elif said is None:
            if line.text.strip():
                fault = Fault("no_message", "the line is no part of a message: no date and author before it")
                put_aside(block, line.number, line.offset, line.text.encode("utf-8", "replace"), fault)
            continue
        elif size > options.max_line_bytes:
            # An endless message goes on as another one, so that it does not fill the memory.
            yield stamp, _finish(said)
            said = replace(said, text=line.text, raw=line.text, line=line.number, offset=line.offset, rest={})
        else:
            said.text += "\n" + line.text
            said.raw += "\n" + line.text
        size = len(said.raw)
    if said is not None:
        yield stamp, _finish(said)


def _same_layout(first: re.Match[str] | None, found: re.Match[str]) -> bool:
    """Whether a line has the layout of the first: what was pasted from elsewhere has another."""
    if first is None:
        return True
    same_seconds = (first["s"] is None) == (found["s"] is None)
    same_order = first.re is found.re and first["open"] == found["open"]
    return same_order and first["mark"] == found["mark"] and same_seconds


def _begin(found: re.Match[str], line: TextLine, senders: set[str]) -> Said:
    rest = found["rest"]
    author = _AUTHOR.match(rest)
    if author is None and without_marks(rest.partition(":")[0]).strip() in senders:
        author = _CLOSE_AUTHOR.match(rest)
    if author is None or EVENT.match(author["author"]) or _is_in_quotes(author["author"]):
        return Said("", rest, "", line.number, line.offset, line.text, "system")
    name = without_marks(author["author"]).strip().removeprefix("~").strip()
    return Said(name, author["text"], "", line.number, line.offset, line.text)


def _is_in_quotes(text: str) -> bool:
    """Whether a quotation is open at the end of a text: then the colon after it is part of what is quoted."""
    if text.isascii() and '"' not in text:
        return False
    ends = {"„": "“"} if "„" in text else {"“": "”", "«": "»", "「": "」"}
    return text.count('"') % 2 == 1 or any(text.count(mark) > text.count(end) for mark, end in ends.items())


def _finish(said: Said) -> Said:
    """The message with what its text shows: written by the system, edited, deleted, a file that is left
    out.
    """
    said.text = said.text.rstrip("\n")
    said.text, marker = take_edited(said.text)
    if marker:
        said.rest = {"note": "edited", "marker": marker}
    bare = said.text.strip()
    bare = bare if bare.isascii() else re.sub(f"^[{MARKS}]+", "", bare)
    if said.sender and is_notice(bare, said.text.startswith("\u200e")):
        said.speaker = "system"
    note = note_of(bare)
    if note:
        said.rest = {**said.rest, "note": note}
    return said

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
from carelog.sources.formats._chat_dates import UNORDERED, DateEvidence, Stamp, plain_dates, to_local
from carelog.sources.formats._sessions import Chat, MessageStore, Said, find_sides, plain_name, to_blocks
from carelog.sources.formats._text_lines import Remarks, TextLine, head_lines, read_text_lines
from carelog.sources.streams import Opened

NAME = "whatsapp"
_ONE = "one"
_MARKS = "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_HALF = (
    r"上午|下午|午前|午後|오전|오후|凌晨|早上|中午|晚上|清晨|[AaPp]\.?\s?[Mm]\.?|पूर्वाह्न|अपराह्न|म\.?पू\.?|म\.?उ\.?|"
    r"ก่อนเที่ยง|หลังเที่ยง|น\.|μ\.μ\.|π\.μ\.|[ap] ?m|дп|пп|ص|م"
)
_HEAD = re.compile(
    rf"[{_MARKS}]*(?P<open>\[)?(?P<a>\d{{1,4}})(?P<mark>[./-])\s?(?P<b>\d{{1,2}})(?P=mark)\s?(?P<c>\d{{1,4}})\.?"
    rf"(?:[,،]\s*|\s+)(?:(?:klo|kl\.|um|às|à|at|a las|alle|o)\s+)?(?P<pre>{_HALF})?\s*"
    rf"(?P<h>\d{{1,2}})[:.](?P<m>\d{{2}})(?:[:.](?P<s>\d{{2}}))?\s?(?P<post>{_HALF})?\s?(?P<close>\]\s?|\s+[-–]\s+)"
    r"(?P<rest>.*)",
    re.DOTALL,
)
# Server logs write dates like these, with seconds and without a comma behind the date.
_LOG = re.compile(r"\[?\d{4}-\d\d-\d\d \d\d?:\d\d:\d\d")
_AUTHOR = re.compile(rf"(?P<author>[^\n]{{1,150}}?)\s?:(?:\s|(?=[{_MARKS}])|$)(?P<text>.*)", re.DOTALL)
_TITLE = re.compile(
    r"(?:WhatsApp[ _-]?Chat (?:with|mit|avec|con|com|met|-)|Chat (?:de )?WhatsApp (?:con|com)|"
    r"Conversa do WhatsApp com|"
    r"Discussion WhatsApp avec|Chat WhatsApp con|แชท WhatsApp กับ|WhatsApp चैट|"
    r"WhatsApp Chat -)\s+(.+?)(?: ?\(\d+\))?"
    r"(?:\.txt|\.zip|/_chat\.txt|/)",
    re.IGNORECASE,
)
# What WhatsApp itself says in a chat. Only phrases that nobody types: a text that merely holds one of them is
# no line of the system, so they are tied to the beginning or the end.
_SYSTEM = re.compile(
    r"(Messages and calls are end-to-end encrypted|Messages to this (chat|"
    r"group) (and calls )?are now secured|"
    r"This chat is with (a|the official) business account|This business (is now|works with|uses)|"
    r"(You|.{1,60}) (created (this )?group|changed (the (subject|group name|group description)|"
    r"this group.s|their phone number|"
    r"to \+|the settings)|turned (on|off) disappearing|(was|were) added|joined using|left$|removed |added |"
    r"updated the message timer|blocked this contact|unblocked this contact|pinned a message)|"
    r"(Your )?[Ss]ecurity code (with .{1,60} )?changed|Your security code|Tap to (learn more|change)|"
    r"Missed (voice|video|group voice|group video) call|(Voice|Video) call,|Waiting for this message|"
    r"ข้อความและการโทรมีการเข้ารหัส|สายที่ไม่ได้รับ|संदेश और कॉल|मिस्ड (वॉइस|वीडियो)|સંદેશા અને કૉલ|"
    r"Nachrichten und Anrufe sind Ende|Los mensajes y las llamadas están cifrados|"
    r"As mensagens e (as )?(chamadas|ligações) são protegidas|Les messages et les appels sont chiffrés|"
    r"I messaggi e le chiamate sono crittografati)"
)
_NOTES = (
    ("deleted", re.compile(r"(This message was deleted|You deleted this message|ข้อความนี้ถูกลบ|ลบข้อความนี้|"
                           r"यह मैसेज (मिटाया|डिलीट)|Diese Nachricht wurde gelöscht|"
                           r"Se eliminó este mensaje|Mensagem apagada)")),
    ("media", re.compile(r"(<Media omitted>|<attached: .+>|<[^<>\n]{1,40}(omitid[oa]|weggelassen|omessi?|"
                         r"omis)[^<>\n]{0,20}>|"
                         r"<省略.{1,12}>|(image|video|audio|sticker|GIF|document|Contact card) omitted|"
                         r"\S+\.\w{2,5} \([^()\n]{3,40}\))")),
)  # fmt: skip
_EDITED = re.compile(rf"\s?[{_MARKS}]*<This message was edited>\s*$")


def detect_whatsapp(head: bytes, name: str) -> str | None:
    """Whether the first line has the beginning of a message, with a separator that logs do not use."""
    lines = head_lines(head)
    found = [match for line in lines if (match := _HEAD.match(plain_dates(line))) and _is_head(match)]
    is_named = "whatsapp" in name.lower() or name.endswith("_chat.txt")
    if not found or not (is_named or _HEAD.match(plain_dates(lines[0]))):
        return None
    if not is_named and _LOG.match(lines[0]):
        return None
    if not is_named and not any(_AUTHOR.match(match["rest"]) for match in found):
        return None
    return "its lines begin with date, time and author as in an exported WhatsApp chat"


def _is_head(found: re.Match[str]) -> bool:
    return bool(found["open"]) == found["close"].startswith("]")


def read_whatsapp(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The chat of one file, an interaction for each stretch between two silences."""
    remarks: Remarks = {}
    dates = DateEvidence()
    senders: dict[str, None] = {}
    title = find_title(opened.name)
    block = Block(opened.name, NAME, system=NAME)
    with MessageStore() as store:
        for stamp, said in _read_messages(opened, options, remarks, block):
            dates.note(stamp)
            if said.speaker is None and len(senders) < 100_000:
                senders[said.sender] = None
            said.at = stamp.to_text()
            store.add(_ONE, said)
        order = options.date_order or dates.find_order()
        sides, guesses = find_sides(senders, options, title)
        chat = Chat(NAME, opened.name, plain_name(title), NAME, title or None, sides=sides)
        chat.untimed = UNORDERED
        chat.findings += [*remarks.values(), *guesses, *dates.remarks(order, options.date_order)]
        yield block
        yield from to_blocks(chat, to_local(store.messages(_ONE), order), options)


def find_title(name: str) -> str:
    """Whom the chat is with, as the file's (or its folder's) name says; empty if it does not."""
    found = _TITLE.search(name.replace("\\", "/"))
    return found[1].strip() if found else ""


def _read_messages(
    opened: Opened, options: ReadOptions, remarks: Remarks, block: Block
) -> Iterator[tuple[Stamp, Said]]:
    """Messages in the order of the file; what stands before the first one is put aside."""
    first: re.Match[str] | None = None
    stamp, said, size = Stamp(), None, 0
    for line in read_text_lines(opened, options, remarks):
        found = _HEAD.match(plain_dates(line.text))
        if found is not None and _is_head(found) and _same_layout(first, found):
            first = first or found
            if said is not None:
                yield stamp, _finish(said)
            stamp, said = Stamp.of(found), _begin(found, line)
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
    return first["open"] == found["open"] and first["mark"] == found["mark"] and same_seconds


def _begin(found: re.Match[str], line: TextLine) -> Said:
    rest = found["rest"]
    author = _AUTHOR.match(rest)
    bare = rest.lstrip("".join(chr(c) for c in (0x200E, 0x200F, 0x202A, 0x2068)))
    if author is None or _SYSTEM.match(bare):
        return Said("", rest, "", line.number, line.offset, line.text, "system")
    name = re.sub(f"[{_MARKS}]", "", author["author"]).strip().removeprefix("~").strip()
    return Said(name, author["text"], "", line.number, line.offset, line.text)


def _finish(said: Said) -> Said:
    """The message with what its text shows: written by the system, edited, deleted, a file that is left
    out.
    """
    said.text = said.text.rstrip("\n")
    bare = said.text.strip().lstrip("\u200e\u200f")
    if said.sender and _SYSTEM.match(bare) and (said.text.startswith("\u200e") or len(bare) < 400):
        said.speaker = "system"
    edited = _EDITED.search(said.text)
    if edited is not None:
        said.text, said.rest = said.text[: edited.start()], {"note": "edited", "marker": edited[0].strip()}
    for note, pattern in _NOTES:
        if pattern.match(bare) and (note == "media" or "\n" not in bare):
            said.rest = {**said.rest, "note": note}
    return said

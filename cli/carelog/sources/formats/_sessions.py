"""Conversations without an end (messengers) to interactions: one for each stretch between two long silences.

A chat with a customer goes on for years; what is one contact in it the file does not say. Here an interaction
ends when nobody wrote for `gap_hours` (24 by default, after the day in which messengers for companies let
an answer count as one; `--gap` says another). The messages are put into a private database that
lives in memory and spills to the disk when it grows, since who is who, in which order days are written, and
the order of the messages themselves are only known when the whole file was seen.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from carelog.columns import parse_time
from carelog.findings import Finding
from carelog.sources.blocks import Block, Fault, ReadOptions
from carelog.sources.clocks import load_zone, with_offset
from carelog.sources.filling import put_aside
from carelog.sources.lines import file_finding

MOST_MESSAGES = 10_000
MOST_BYTES = 8 * 1024 * 1024
"""A stretch of more messages or bytes is cut, so that one endless chat does not fill the memory."""
_CUSTOMER = re.compile(
    r"(customer|caller|client|visitor|guest|end.?user|cliente|kliyente|kunde|ลูกค้า|ग्राहक|ગ્રાહક)(\W|\d|$)",
    re.IGNORECASE,
)
# What transcripts call people whom they do not know: no id, or different customers would be one.
_NOBODY = re.compile(
    r"(customer|caller|client|visitor|end.?user|agent|bot|representative|operator|advisor|speaker|spk|voice|"
    r"channel|guest|unknown|person|participant|s(?=\d))"
    r"[ _#-]{0,2}(?:\d{0,6}|[a-z])",
    re.IGNORECASE,
)
# A label that says the role itself leaves nothing to guess.
_TOLD_AGENT = re.compile(
    r"(agent|operator|representative|rep|advisor|adviser|support|assistant|bot|agente|asesora?|operadora?|ahente|"
    r"mitarbeiter(in)?|เจ้าหน้าที่|พนักงาน|एजेंट|એજન્ટ)[ _#-]{0,2}\d{0,6}",
    re.IGNORECASE,
)
NO_DATE = Fault("no_date", "nothing says when this was written", "/started_at")
_KEPT_RAW = 1024 * 1024
_LONGEST_ID = 250
_BATCH = 2000
_FOREVER = 24.0 * 366 * 1000
_BLOCK_BYTES = 1024 * 1024
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ROLE = re.compile(
    r"\b(support|help\s?desk|helpdesk|customer (care|service)|service (team|desk|cent(er|re))|care team|"
    r"sales|shop|store|"
    r"official|admin|team|hotline|call cent(er|re)|agent|reception|tindahan)\b|ร้าน|แอดมิน|ฝ่าย|พนักงาน|"
    r"ศูนย์บริการ|"
    r"सहायता|ग्राहक सेवा|दुकान|સહાય|દુકાન|ગ્રાહક સેવા",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Said:
    """One message as its source has it: `at` in ISO 8601, local if the source knows no offset ("" if there is
    none); `sender` as the source names them ("" for the system); `speaker` only if the source knows; `rest`
    is what has no field.
    """

    sender: str
    text: str
    at: str
    line: int
    offset: int | None = None
    raw: str = ""
    speaker: str | None = None
    message_id: str | None = None
    rest: dict[str, Any] = field(default_factory=dict)
    file: str = ""


@dataclass(slots=True)
class Chat:
    """What is known of a conversation as a whole. `key` makes its ids, `sides` says who is agent and who
    customer, `untimed` why a stretch of it without any time is put aside.
    """

    format: str
    file: str
    key: str
    system: str
    record_id: str | None = None
    channel: str = "chat"
    sides: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    findings: list[Fault] = field(default_factory=list)
    untimed: Fault = NO_DATE
    is_whole: bool = False
    begins: str = ""
    ends: str = ""


class MessageStore:
    """Messages by conversation, in the order of `place` and then of arrival; memory does not grow with
    them.
    """

    def __init__(self) -> None:
        self._database: sqlite3.Connection | None = None
        self._held: list[tuple[str, int, int, bytes]] = []
        self._count = 0
        self._is_sorted = False

    def __enter__(self) -> MessageStore:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()

    def add(self, chat: str, said: Said, place: int = 0, newest_first: bool = False) -> None:
        """Keep a message of the conversation named `chat`; `newest_first` is how they arrive."""
        body = orjson.dumps(said)
        self._held.append((chat, place, -self._count if newest_first else self._count, body))
        self._count += 1
        if len(self._held) >= _BATCH:
            self._write()

    def _write(self) -> sqlite3.Connection:
        if self._database is None:
            # An empty name is a temporary database of SQLite's own, which is gone when it is closed.
            self._database = sqlite3.connect("")
            self._database.execute("CREATE TABLE said (chat TEXT, place INTEGER, n INTEGER, body BLOB)")
        self._database.executemany("INSERT INTO said VALUES (?, ?, ?, ?)", self._held)
        self._held = []
        return self._database

    def chats(self) -> Iterator[str]:
        """The names of all conversations, in the order of their first messages."""
        rows = self._write().execute("SELECT chat FROM said GROUP BY chat ORDER BY MIN(place), chat")
        for (chat,) in rows:
            yield str(chat)

    def messages(self, *chats: str) -> Iterator[Said]:
        """All messages of a conversation, or of several as one, in order."""
        if self._database is None and {chat for chat, *_ in self._held} <= set(chats):
            # Most chats are short: no database for them.
            for *_, body in sorted(self._held, key=lambda row: row[1:3]):
                yield Said(**orjson.loads(body))
            return
        database = self._write()
        if not self._is_sorted:
            database.execute("CREATE INDEX by_place ON said (chat, place, n)")
            self._is_sorted = True
        chosen = f"chat IN ({', '.join('?' * len(chats))})"
        rows = database.execute(f"SELECT body FROM said WHERE {chosen} ORDER BY place, n", chats)
        for (body,) in rows:
            yield Said(**orjson.loads(body))


def drop_copies(messages: Iterable[Said]) -> Iterator[Said]:
    """Messages in order of time, without those that another file of the same chat has as well: the n-th of
    equal messages of one moment in one file is a copy of the n-th in another.
    """
    seen: set[tuple[str, str, str, int]] = set()
    counts: dict[tuple[str, str, str], int] = {}
    moment = ""
    for said in messages:
        if said.at != moment:
            moment, seen, counts = said.at, set(), {}
        mark = said.sender, said.message_id or said.text, said.file
        counts[mark] = counts.get(mark, 0) + 1
        copy = (said.sender, said.message_id or said.text, said.at, counts[mark])
        if copy not in seen:
            seen.add(copy)
            yield said


def plain_name(name: str) -> str:
    """A name for comparing: without marks of direction, in lower case, spaces single."""
    return " ".join(_INVISIBLE.sub("", name).split()).casefold()


def find_sides(
    senders: Iterable[str],
    options: ReadOptions,
    other: str = "",
    ids: dict[str, str] | None = None,
    is_call: bool = False,
) -> tuple[dict[str, str], list[Fault]]:
    """Who of the senders (in order of appearance) is agent and who customer, with a remark if that was
    guessed.

    `--agents` decides. Else: a name that speaks of a shop or a team; the `other` party that the export is
    named after is the customer; the first to write is, while on the phone the first to speak is the agent
    who answers. `ids` are further names of the senders.
    """
    people = [sender for sender in dict.fromkeys(senders) if sender]
    if not people:
        return {}, []
    if options.agents:
        ours = {plain_name(name) for name in options.agents}
        known = ids or {}
        agents = {p for p in people if plain_name(p) in ours or plain_name(known.get(p, p)) in ours}
        return {p: "agent" if p in agents else "customer" for p in people}, []
    agents = {p for p in people if _ROLE.search(p)}
    customers = {p for p in people if _CUSTOMER.match(p)}
    told = {p for p in people if _TOLD_AGENT.fullmatch(p.strip())}
    if told and customers and told | customers == set(people):
        return {p: "agent" if p in told else "customer" for p in people}, []
    if customers and not agents:
        agents = set(people) - customers
    if not agents or (len(agents) == len(people) and len(people) > 1):
        others = [p for p in people if other and plain_name(p) == plain_name(other)]
        if not others and other and not _ROLE.search(other) and len(people) == 1:
            agents = set(people)
        elif is_call and len(people) > 1:
            agents = set(people[:1])
        else:
            agents = set(people) - set(others or people[:1])
    remark = Fault("agents_guessed", "who is the agent was guessed; say it with --agents NAME")
    return {p: "agent" if p in agents else "customer" for p in people}, [remark]


def cut_sessions(messages: Iterable[Said], gap_hours: float) -> Iterator[list[Said]]:
    """Messages in order, cut where nobody wrote for `gap_hours`, and where a stretch grows too long."""
    gap = timedelta(hours=gap_hours)
    held: list[Said] = []
    size, last = 0, None
    for said in messages:
        at = _moment(said.at)
        # Where several exports were put together, time can also go back by months.
        is_late = at is not None and last is not None and abs(at - last) > gap
        if held and (is_late or len(held) >= MOST_MESSAGES or size >= MOST_BYTES):
            yield held
            held, size = [], 0
        held.append(said)
        size += len(said.raw) + len(said.text)
        last = at or last
    if held:
        yield held


def _moment(text: str) -> datetime | None:
    """A time to compare with others of the same chat; local ones as if their zone were UTC."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def to_blocks(chat: Chat, messages: Iterable[Said], options: ReadOptions) -> Iterator[Block]:
    """The interactions of a conversation, some to a block; the first block carries the remarks on the
    file.
    """
    block = Block(chat.file, chat.format, system=chat.system)
    block.findings += [file_finding(chat.file, fault, "warning") for fault in chat.findings]
    gap_hours = _FOREVER if chat.is_whole else options.gap_hours
    for part, session in enumerate(cut_sessions(messages, gap_hours)):
        add_interaction(block, chat, session, options.zone, part if chat.is_whole else 0)
        if block.weight > _BLOCK_BYTES:
            yield block
            block = Block(chat.file, chat.format, system=chat.system)
    yield block


def join_blocks(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks that follow each other in one file as one: thousands of short chats are else thousands of blocks,
    each of which costs the steps after reading more than its records do.
    """
    held: Block | None = None
    weight = 0
    for block in blocks:
        is_one = held is not None and (held.file, held.format, held.system) == (
            block.file,
            block.format,
            block.system,
        )
        if held is None or not is_one or weight > _BLOCK_BYTES:
            if held is not None:
                yield held
            held, weight = block, block.weight
            continue
        for name in ("values", "lines", "offsets", "raws", "rejects", "findings"):
            getattr(held, name).extend(getattr(block, name))
        held.blank_lines += block.blank_lines
        weight += block.weight
    if held is not None:
        yield held


def add_interaction(block: Block, chat: Chat, session: list[Said], zone: str | None, part: int = 0) -> None:
    """Add one stretch of messages as a canonical record, or as a rejection. `part` counts the pieces of a
    whole conversation that is too long for one record.
    """
    first = session[0]
    raw = "\n".join(said.raw for said in session)[:_KEPT_RAW].encode("utf-8", "replace")
    value, faults = to_interaction(chat, session, zone, part)
    if isinstance(value, Fault):
        known = {"interaction_id": find_id(chat, first, part)}
        put_aside(block, first.line, first.offset, raw, value, known)
        return
    for index, fault in faults:
        said = session[index]
        block.findings.append(
            Finding(
                said.file or chat.file, said.line, fault.pointer, fault.keyword, fault.message, "warning",
                said.offset, value["interaction_id"],
            )
        )  # fmt: skip
    block.values.append(value)
    block.lines.append(first.line)
    block.offsets.append(first.offset)
    block.raws.append(raw)


def to_interaction(
    chat: Chat, session: list[Said], zone: str | None, part: int = 0
) -> tuple[dict[str, Any] | Fault, list[tuple[int, Fault]]]:
    """One stretch of messages as a canonical record, or why there is none (its times have no zone); and for
    single messages (by index) what is to be remarked.
    """
    times, faults = _resolve_times(session, zone)
    if not any(times) and _resolved(chat.begins, zone) is None:
        is_local = any(said.at for said in session) or bool(chat.begins)
        told = "the times have no time zone; say which, for example --tz Asia/Bangkok"
        return (Fault("no_offset", told, "/started_at") if is_local else chat.untimed), []
    placed = [(index, fault._replace(pointer=f"/messages/{index}/at")) for index, fault in faults]
    return _to_record(chat, session, times, find_id(chat, session[0], part), zone), placed


def find_id(chat: Chat, first: Said, part: int = 0) -> str:
    """An id that is the same from run to run, also when the chat was exported again and has grown."""
    if chat.is_whole and chat.record_id is not None:
        return f"{chat.format}-{chat.record_id}"[:_LONGEST_ID] + (f"#{part + 1}" if part else "")
    told = "\0".join((chat.key, first.at, first.sender, first.message_id or first.text))
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:20]
    return f"{chat.format}-{digest}"


def _resolve_times(session: list[Said], zone: str | None) -> tuple[list[str | None], list[tuple[int, Fault]]]:
    """The messages' times as RFC 3339 (None where they are not known), and where clocks were changed."""
    times: list[str | None] = []
    faults: list[tuple[int, Fault]] = []
    last: datetime | None = None
    for index, said in enumerate(session):
        text, fault = (None, None) if not said.at else resolve_time(said.at, zone, last)
        if text is not None and not "1971" <= text[:4] <= "2999":
            text, fault = (
                None,
                Fault("bad_time", "the time of this message is out of all bounds; it was left out"),
            )
        times.append(text)
        last = parse_time(text) if text else last
        if fault is not None:
            faults.append((index, fault))
    return times, faults


def resolve_time(text: str, zone: str | None, last: datetime | None) -> tuple[str | None, Fault | None]:
    """A time in ISO 8601 as RFC 3339; local ones in `zone` (None without one).

    Where a local time occurs twice, the second is taken if the first would lie before `last`, the message
    above.
    """
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None, Fault("bad_time", "what stands for the time of this message is none; it was left out")
    if local.tzinfo is not None:
        return text.replace("+00:00", "Z"), None
    if zone is None:
        return None, None
    found, fault = with_offset(local, zone)
    if fault is not None and fault.keyword == "clock_fold" and last is not None and parse_time(found) < last:
        later = local.replace(tzinfo=load_zone(zone), fold=1)
        if later.astimezone(UTC) >= last:
            return later.isoformat().replace("+00:00", "Z"), None
    return found, fault


def _to_record(
    chat: Chat, session: list[Said], times: list[str | None], interaction_id: str, zone: str | None
) -> dict[str, Any]:
    speakers = [said.speaker or chat.sides.get(said.sender, "customer") for said in session]
    began, ended = _resolved(chat.begins, zone), _resolved(chat.ends, zone)
    known = [time for time in times if time] or [began or ""]
    spoken = list(zip(session, speakers, strict=True))
    customers = [said.sender for said, who in spoken if who == "customer" and _is_somebody(said.sender)]
    agents = [said.sender for said, who in spoken if who == "agent" and _is_somebody(said.sender)]
    opener = next((who for who in speakers if who in ("customer", "agent")), None)
    notes = [_note(said) for said in session]
    value: dict[str, Any] = {
        "interaction_id": interaction_id,
        "channel": chat.channel,
        "started_at": known[0],
        "ended_at": max(known, key=parse_time),
        "direction": {"customer": "inbound", "agent": "outbound"}.get(opener or ""),
        "initiative": "reactive" if opener == "customer" else None,
        "customer_id": next(iter(customers), "")[:_LONGEST_ID] or _only_customer(chat.sides),
        "agent_id": next(iter(agents), "")[:_LONGEST_ID],
        "messages": [_to_message(*parts) for parts in zip(session, speakers, times, strict=True)],
        "first_response_seconds": first_response(speakers, times),
        **chat.fields,
        "source": {
            "system": chat.system,
            "format": chat.format,
            "file": session[0].file or chat.file,
            "line": session[0].line,
            "record_id": chat.record_id,
        },
        "extra": {**chat.extra, **({"messages": notes} if any(notes) else {})},
    }
    value["source"] = {name: inner for name, inner in value["source"].items() if inner is not None}
    if began is not None and parse_time(began) <= parse_time(value["started_at"]):
        value["started_at"] = began
    if ended is not None and parse_time(ended) >= parse_time(value["ended_at"]):
        value["ended_at"] = ended
    return {name: inner for name, inner in value.items() if inner not in (None, "", [], {})}


def _resolved(text: str, zone: str | None) -> str | None:
    return resolve_time(text, zone, None)[0] if text else None


def _only_customer(sides: dict[str, str]) -> str:
    """The customer of a chat in which only one takes part, for stretches in which they are silent."""
    customers = [name for name, side in sides.items() if side == "customer" and _is_somebody(name)]
    return customers[0][:_LONGEST_ID] if len(customers) == 1 else ""


def _is_somebody(name: str) -> bool:
    return bool(name) and _NOBODY.fullmatch(name) is None


def _note(said: Said) -> dict[str, Any]:
    return {**({"from": said.sender} if said.sender else {}), **said.rest}


def _to_message(said: Said, speaker: str, at: str | None) -> dict[str, Any]:
    message = {"speaker": speaker, "text": said.text, "at": at, "message_id": said.message_id}
    return {name: inner for name, inner in message.items() if inner is not None}


def first_response(speakers: list[str], times: list[str | None]) -> float | None:
    """Seconds from the customer's first message to the first one after it that an agent wrote."""
    asked: datetime | None = None
    for speaker, time in zip(speakers, times, strict=True):
        if time is None:
            continue
        if speaker == "customer" and asked is None:
            asked = parse_time(time)
        elif speaker == "agent" and asked is not None:
            return max(0.0, (parse_time(time) - asked).total_seconds())
    return None

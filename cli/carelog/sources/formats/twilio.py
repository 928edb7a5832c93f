"""Twilio: the lists of calls and of messages as its interface gives them (JSON), and as the console exports
them (CSV).

Every value is a text. Times are RFC 2822 or RFC 3339 in UTC, in the console's CSV local ones without an
offset (then `--tz` says the zone). `duration` is in seconds, `queue_time` in milliseconds. A call's legs
(`parent_call_sid`) are one interaction: an outbound leg of a call that came in is how the agent was rung.
Fields: Twilio's OpenAPI description.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, ReadOptions
from carelog.sources.clocks import parse_local
from carelog.sources.filling import put_aside
from carelog.sources.formats._documents import find_keys, first_keys, read_records, take_apart
from carelog.sources.formats._leftovers import Native
from carelog.sources.formats._legs import (
    NO_START,
    Gathering,
    Leg,
    add_interaction,
    once_each,
    open_gathering,
    parse_groups,
    to_chunks,
)
from carelog.sources.formats._sessions import MessageStore, join_blocks
from carelog.sources.formats._table_rows import Row, fold_name, folded_columns, read_rows, to_name, to_seconds
from carelog.sources.formats._till_clocks import to_instant
from carelog.sources.formats._times import read_time, to_text
from carelog.sources.formats._twilio_messages import is_message, place_of, to_chats, to_said
from carelog.sources.streams import Opened

NAME = "twilio"
WRAPPERS = ("calls", "messages", "sms_messages", "data")
_COLUMNS = {
    "sid": "sid", "callsid": "sid", "callstatus": "status", "calldirection": "direction", "parentcallsid": "parent_call_sid", "from": "from", "to": "to",
    "direction": "direction", "status": "status", "starttime": "start_time", "endtime": "end_time",
    "duration": "duration", "price": "price", "priceunit": "price_unit", "answeredby": "answered_by",
    "accountsid": "account_sid", "datecreated": "date_created", "date": "date_created", "queuetime": "queue_time",
    "body": "body", "messagebody": "body", "messagesid": "sid", "datesent": "date_sent", "sentdate": "date_sent",
    "nummedia": "num_media",
}  # fmt: skip
_KNOWN = frozenset(_COLUMNS.values())
_PAGES_OF_MESSAGES = ("messages", "sms_messages")
_STARTS = frozenset({"start_time", "date_created"})
_DATES = frozenset({"date_sent", "date_created"})
_CLOCK_FIRST = re.compile(r"(\d\d:\d\d:\d\d) ([A-Z]{2,5}) (\d{4}-\d\d-\d\d)")
_OWN_PHONE = re.compile(r"sip:[^@\s]+@[\w.-]+\.sip\.[\w.-]*twilio\.com.*")
_FINISHED = {"completed": "completed", "busy": "missed", "no-answer": "missed", "failed": "failed"}
_ANONYMOUS = frozenset({"+266696687", "+86282452253", "+464", "+256", "anonymous", "restricted", "unknown"})


def detect_twilio(head: bytes, name: str) -> str | None:
    """By the keys of the first call, or the columns of the table."""
    if head.lstrip()[:1] in (b"{", b"["):
        keys = first_keys(head, WRAPPERS)[0] if b'"sid"' in head else set()
        top = find_keys(head)[""] if b'"calls"' in head or b'messages"' in head else set()
        paged = top & {"first_page_uri", "next_page_uri", "page_size"}
        kind = next((kind for kind in ("calls", *_PAGES_OF_MESSAGES) if kind in top), None)
        is_sure = kind == "calls" or "sid" in keys or "first_page_uri" in top
        if paged and kind is not None and is_sure:
            return f"it is a page of {kind.removeprefix('sms_')} of Twilio"
        folded = {_name_of(fold_name(key)) for key in keys}
        if {"sid", "direction", "start_time", "account_sid"} <= folded:
            return "its objects are calls of Twilio"
        is_text = {"sid", "direction", "body", "from", "to"} <= folded and bool(folded & _DATES)
        return "its objects are messages of Twilio" if is_text else None
    columns = {_name_of(column) for column in folded_columns(head)}
    if not {"sid", "from", "to", "direction", "status"} <= columns:
        return None
    if "body" in columns and columns & _DATES:
        return "its header names the columns of Twilio's message log"
    return "its header names the columns of Twilio's call log" if columns & _STARTS else None


def read_twilio(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The calls of one input, as `read_twilios` gives them for several."""
    return read_twilios(iter([opened]), options)


def read_twilios(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The calls of all inputs with their legs, and the messages as chats."""
    with open_gathering() as gathering, MessageStore() as store:
        for opened in inputs:
            for found in _read_legs(opened, options):
                if isinstance(found, Block):
                    yield found
                elif is_message(found[0]):
                    _keep(found, store, options)
                else:
                    _gather(found, opened.name, gathering)
        yield from to_chunks(gathering, NAME, options)
        yield from join_blocks(to_chats(store, NAME, options))


def _read_legs(opened: Opened, options: ReadOptions) -> Iterator[Block | tuple[dict[str, Any], Leg]]:
    if opened.head.lstrip()[:1] not in (b"{", b"["):
        for row in read_rows(opened, options, NAME):
            yield row if isinstance(row, Block) else (_to_call(row.cells), _leg(opened.name, row))
        return
    for part in take_apart(read_records(opened, options, NAME, WRAPPERS, "sid"), WRAPPERS):
        if isinstance(part, Block):
            yield part
            continue
        piece, block = part
        if to_name(piece.value.get("sid")) is None:
            put_aside(block, piece.line, piece.offset, piece.raw, NO_START)
            continue
        yield _to_call(piece.value), Leg(opened.name, piece.line, piece.offset, piece.raw)


def _to_call(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields under the names of the interface: the console has titles, the command line camel case."""
    call = {}
    for name, value in fields.items():
        known, is_utc = _known_name(name)
        if known in call:
            known, is_utc = name, False
        call[known] = f"{value} UTC" if is_utc and isinstance(value, str) and value[-1:].isdigit() else value
    return call


@lru_cache(maxsize=4096)
def _known_name(name: str) -> tuple[str, bool]:
    """The interface's name of a field that is known, else its own; and whether it says that it is UTC."""
    folded = fold_name(name)
    known = _name_of(folded)
    return (known, folded.endswith("utc")) if known in _KNOWN else (name, False)


def _name_of(folded: str) -> str:
    """The interface's name of a column: the console adds units and zones to some."""
    bare = re.sub(r"(utc|sec|secs|seconds|number)$", "", folded)
    return _COLUMNS.get(folded) or _COLUMNS.get(bare) or folded


def _leg(file: str, row: Row) -> Leg:
    return Leg(file, row.line, row.offset, row.raw, orjson.dumps(_to_call(row.cells)))


def _keep(found: tuple[dict[str, Any], Leg], store: MessageStore, options: ReadOptions) -> None:
    fields, leg = found
    message = Native(fields, options.zone)
    at, _ = _time(message, ("date_sent", "date_created"), options.zone)
    name, said = to_said(message, at, leg.file, leg.line)
    said.offset, said.raw = leg.offset, leg.raw.decode("utf-8", "replace")
    # The lists begin with the latest.
    store.add(name, said, place_of(at), newest_first=True)


def _gather(found: tuple[dict[str, Any], Leg], file: str, gathering: Gathering) -> None:
    call, leg = found
    sid, parent = to_name(call.get("sid")), to_name(call.get("parent_call_sid"))
    key = sid or f"{file}:{leg.line}"
    if parent is not None and parent != key:
        gathering.join(key, parent)
    value = leg.value or orjson.dumps(call)
    gathering.add(key, leg._replace(value=value))


def parse_twilio(chunk: Chunk) -> Block:
    """The calls of a chunk as records."""
    block = Block(chunk.file, NAME)
    for part, legs in parse_groups(chunk)[1]:
        _add_call(block, once_each(legs), part, chunk.options)
    return block


def _add_call(block: Block, legs: Sequence[Leg], part: int, options: ReadOptions) -> None:
    calls = [Native(leg.load(), options.zone) for leg in legs]
    first = next((c for c in calls if to_name(c.look("parent_call_sid")) is None), calls[0])
    key = to_name(first.look("parent_call_sid")) or to_name(first.look("sid"))
    dialled = _dialled(first, [c for c in calls if c is not first])
    direction = _direction(first) if dialled is None else "outbound"
    start, remark = _time(first, ("start_time", "date_created"), options.zone)
    ends = [end for c in calls if (end := _time(c, ("end_time",), options.zone)[0])]
    others = [c for c in calls if c is not first]
    value: dict[str, Any] = {
        "interaction_id": (key or f"{legs[0].file}:{legs[0].line}") + (f"#{part + 1}" if part else ""),
        "channel": "phone",
        "started_at": start,
        "ended_at": max(ends, default=None) if start else None,
        "direction": direction,
        "initiative": None if dialled else _initiative(first, direction),
        "status": _status(first, others),
        "customer_id": _customer(dialled or first, direction),
        "agent_id": _agent(first, [] if dialled else others),
        "talk_seconds": _talk(first, others),
        "extra": {"legs": [call.rest() for call in calls]},
    }
    add_interaction(block, legs, "twilio", value, [remark] if remark else [], options.zone)


def _time(call: Native, names: Sequence[str], zone: str | None) -> tuple[str | None, Any]:
    """The first of these times that is there: RFC 2822 with its offset, else ISO 8601."""
    for name in names:
        value = call.look(name)
        if not isinstance(value, str) or not value.strip():
            continue
        text, remark = read_time(value, zone)
        if text is not None:
            return text, remark
        clock_first = _CLOCK_FIRST.fullmatch(value.strip())
        if clock_first is not None:
            local = parse_local(f"{clock_first[3]} {clock_first[1]}")
            return to_instant(local, clock_first[2], zone) if local else (None, None)
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return to_text(moment), None
    return None, None


def _dialled(first: Native, others: Sequence[Native]) -> Native | None:
    """The leg to a telephone of a call that one of ours began in a browser or on a desk phone: to Twilio such a
    call comes in.
    """
    caller = str(first.look("from") or "")
    is_ours = caller.startswith("client:") or _OWN_PHONE.fullmatch(caller) is not None
    if not is_ours or _direction(first) != "inbound":
        return None
    return next((c for c in others if re.fullmatch(r"\+?\d{4,20}", str(c.look("to") or ""))), None)


def _direction(call: Native) -> str:
    text = str(call.look("direction") or "").lower().replace(" ", "-")
    if text.startswith(("inbound", "incoming")) or text == "trunking-originating":
        return "inbound"
    return (
        "outbound"
        if text.startswith(("outbound", "outgoing")) or text == "trunking-terminating"
        else "unknown"
    )


def _initiative(call: Native, direction: str) -> str | None:
    if direction == "inbound":
        return "reactive"
    told = str(call.look("direction") or "").lower().replace(" ", "-").replace("outgoing", "outbound")
    return "proactive" if told == "outbound-api" else None


def _status(first: Native, others: Sequence[Native]) -> str:
    """How it ended; where the call was passed on and nobody took it, the caller waited in vain."""
    status = str(first.look("status") or "").lower().replace(" ", "-")
    if status in ("queued", "ringing", "in-progress", "initiated"):
        return "open"
    if str(first.look("answered_by") or "").startswith("machine"):
        return "voicemail"
    rung = [str(c.look("status") or "").lower().replace(" ", "-") for c in others]
    if status == "completed" and rung and "completed" not in rung and "in-progress" not in rung:
        return "missed"
    if status == "canceled":
        return "abandoned" if _direction(first) == "inbound" else "missed"
    return _FINISHED.get(status, "unknown")


def _customer(call: Native, direction: str) -> str | None:
    side = "to" if direction == "outbound" else "from"
    found = to_name(call.look(side))
    return None if found is None or found.lower() in _ANONYMOUS else call.name(side)


def _agent(first: Native, others: Sequence[Native]) -> str | None:
    """Whom the call was passed on to: a client, or a number, that took it."""
    taken = [c for c in others if str(c.look("status")).lower() in ("completed", "in-progress")]
    for call in (*taken, first):
        for name in ("to", "from"):
            found = to_name(call.look(name))
            if found and found.startswith("client:"):
                return found.removeprefix("client:")
    return to_name(taken[-1].look("to")) if taken else None


def _talk(first: Native, others: Sequence[Native]) -> float | None:
    """Of a call that was passed on, the seconds of the legs that were taken; else those of the call."""
    taken = [to_seconds(c.look("duration")) for c in others if str(c.look("status")).lower() == "completed"]
    known = [seconds for seconds in taken if seconds is not None]
    if known:
        return sum(known)
    return first.number("duration") if not others else None

"""Genesys Cloud: conversation details as queries, jobs and events give them, and conversations as the
interface gives them.

Metrics named t… are milliseconds; of the two series that talk and hold come in only the …Complete one is
summed (the other repeats it). Queues, users and wrap-up codes are ids; the text of the conversation is not in
it, but in a transcript. Everything of participants, sessions and segments that has no home is kept under `extra`. Fields: the
analytics models of the platform's Python client. Transcripts of its speech analytics become the messages of
their conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._documents import find_keys, first_keys, read_documents, take_apart
from carelog.sources.formats._genesys_interface import MARKS, to_details
from carelog.sources.formats._genesys_words import began, is_transcript, language_of, person_of, read_phrases
from carelog.sources.formats._leftovers import Native, Path
from carelog.sources.formats._legs import Leg, add_interaction, open_gathering, parse_groups, to_chunks
from carelog.sources.formats._steps import NO_WORDS, to_steps
from carelog.sources.formats._table_rows import to_name
from carelog.sources.formats._times import read_time, seconds_between
from carelog.sources.streams import Opened

NAME = "genesys_cloud"
WRAPPERS = ("conversations", "data", "results", "entities")
_CHANNELS = {"voice": "phone", "callback": "phone", "chat": "chat", "message": "chat", "email": "email"}
_OF_AGENT = {"interact": "tTalkComplete", "hold": "tHeldComplete", "wrapup": "tAcw"}
_AGENTS = frozenset({"agent", "user"})
_CUSTOMERS = frozenset({"customer", "external"})


def detect_genesys(head: bytes, name: str) -> str | None:
    """By the keys of the first conversation."""
    if head.lstrip()[:1] not in (b"{", b"["):
        return None
    top = find_keys(head)[""] if b'"conversations"' in head else set()
    if "conversations" in top and top & {"totalHits", "dataAvailabilityDate"}:
        return "it is a page of conversation details of Genesys Cloud"
    if _is_interface(head):
        return "its objects are conversations of Genesys Cloud's interface"
    if b'"conversationId"' not in head:
        return None
    keys, _ = first_keys(head, WRAPPERS)
    if {"conversationId", "transcripts"} <= keys:
        return "its objects are transcripts of Genesys Cloud"
    is_one = "conversationId" in keys and keys & {"conversationStart", "originatingDirection", "divisionIds"}
    return "its objects are conversation details of Genesys Cloud" if is_one else None


def _is_interface(head: bytes) -> bool:
    """By the keys of the first participant of the first conversation."""
    if b'"participants"' not in head or b'"purpose"' not in head:
        return False
    keys = find_keys(head)
    for above in ("", "eventBody", *WRAPPERS):
        person = keys.get(f"{above}.participants".strip("."), set())
        if "id" in keys.get(above, ()) and "purpose" in person and MARKS & person:
            return True
    return False


def read_genesys(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The conversations of one input, as `read_genesys_together` gives them for several."""
    return read_genesys_together(iter([opened]), options)


def read_genesys_together(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The conversations of all inputs, each once, with the transcripts that belong to it."""
    with open_gathering() as gathering:
        for opened in inputs:
            documents = read_documents(opened, options, NAME, WRAPPERS, ("conversationId", "participants"))
            for part in take_apart(documents, WRAPPERS):
                if isinstance(part, Block):
                    yield part
                    continue
                piece, _ = part
                details = to_details(piece.value)
                key = to_name(details.get("conversationId")) or f"{opened.name}:{piece.line}"
                value = orjson.dumps(details)
                gathering.add(key, Leg(opened.name, piece.line, piece.offset, piece.raw, value))
        yield from to_chunks(gathering, NAME, options)


def parse_genesys(chunk: Chunk) -> Block:
    """The conversations of a chunk as records."""
    block = Block(chunk.file, NAME)
    for _, legs in parse_groups(chunk)[1]:
        found = [(leg, leg.load()) for leg in legs]
        told = [pair for pair in found if not is_transcript(pair[1])]
        spoken = [pair for pair in found if is_transcript(pair[1])]
        # Events tell of a conversation again and again: the last that knows its end, else the last.
        over = [pair for pair in told if pair[1].get("conversationEnd")]
        _add_conversation(block, (over or told)[-1:], spoken, chunk.options)
    return block


Pair = tuple[Leg, dict[str, Any]]


def _add_conversation(
    block: Block, told: Sequence[Pair], spoken: Sequence[Pair], options: ReadOptions
) -> None:
    leg, details = told[0] if told else (spoken[0][0], {})
    native = Native(details, options.zone)
    value = _from_details(native) if told else {}
    remarks: list[Fault] = []
    words = list(_once_each(spoken, options))
    _add_words(value, words, options)
    has_words = value.get("messages") or value.get("subject")
    if value["channel"] != "phone" and value.get("status") not in ("missed", "abandoned") and not has_words:
        value["messages"] = to_steps(_steps(native, _sessions(native)))
        remarks.append(NO_WORDS)
    value["interaction_id"] = (
        to_name((details if told else spoken[0][1]).get("conversationId")) or f"{leg.file}:{leg.line}"
    )
    rest = [left for found in words if (left := found.rest())]
    value["extra"] = {**native.rest(), **({"transcripts": rest} if rest else {})}
    legs = [leg, *(place for place, _ in spoken if place is not leg)]
    add_interaction(block, legs, "genesys_cloud", value, [*remarks, *native.faults], options.zone)


def _once_each(spoken: Sequence[Pair], options: ReadOptions) -> Iterator[Native]:
    """The transcripts; of one communication the last."""
    found = {str(value.get("communicationId") or number): value for number, (_, value) in enumerate(spoken)}
    for value in found.values():
        yield Native(value, options.zone)


def _add_words(value: dict[str, Any], words: Sequence[Native], options: ReadOptions) -> None:
    """Complete a record with what its transcripts say; without details they are all that is known of it."""
    if not words:
        return
    first = words[0]
    value["started_at"] = value.get("started_at") or began(first) or options.start
    value["messages"] = [
        message for found in words for message in read_phrases(found, began(found) or value["started_at"])
    ]
    value.setdefault("channel", _CHANNELS.get(str(first.look("mediaType")), "phone"))
    value.setdefault("status", "completed")
    value["language"] = language_of(first)
    value["customer_id"] = value.get("customer_id") or person_of(first, "customer", "ani")
    value["agent_id"] = value.get("agent_id") or person_of(first, "agent", "userId")
    if value.get("ended_at") is None and value["started_at"] is not None:
        value["ended_at"] = max((m["at"] for m in value["messages"] if "at" in m), default=None)


def _sessions(native: Native) -> Sessions:
    return [(who, path) for who in native.each("participants") for path in native.each(*who, "sessions")]


def _from_details(native: Native) -> dict[str, Any]:
    sessions = _sessions(native)
    direction = native.look("originatingDirection")
    segments = [segment for _, session in sessions for segment in native.each(*session, "segments")]
    campaign = _first_name(native, [(*s, "outboundCampaignId") for _, s in sessions])
    native.name("conversationId")
    value: dict[str, Any] = {
        "channel": _channel(native, sessions),
        "started_at": native.time("conversationStart"),
        "ended_at": native.time("conversationEnd"),
        "direction": direction if direction in ("inbound", "outbound") else "unknown",
        "initiative": "proactive" if campaign else "reactive" if _asked_for(native, sessions) else None,
        "customer_id": _customer(native, sessions),
        "agent_id": _agent(native, sessions),
        "queue": _first_name(native, [(*s, "queueId") for s in segments]),
        "campaign": campaign,
        "subject": next((t for s in segments if (t := native.text(*s, "subject"))), None),
        "category": _first_name(native, [(*s, "wrapUpCode") for s in segments]),
        "notes": "\n".join(t for s in segments if (t := native.text(*s, "wrapUpNote"))) or None,
        "tags": _tags(native, segments),
        **_durations(native, sessions),
        "satisfaction": _satisfaction(native),
    }
    value["status"] = _status(native, sessions, segments)
    return value


Sessions = list[tuple[Path, Path]]
"""Of each session the path of its participant, and its own."""


def _steps(native: Native, sessions: Sessions) -> Iterator[tuple[str | None, str]]:
    """Who did what when: each segment of each participant, and how it ended."""
    yield _instant(native, ("conversationStart",)), "conversation: start"
    for who, path in sessions:
        purpose = native.look(*who, "purpose") or "participant"
        for segment in native.each(*path, "segments"):
            kind, end = native.look(*segment, "segmentType"), native.look(*segment, "disconnectType")
            yield _instant(native, (*segment, "segmentStart")), f"{purpose}: {kind}"
            if isinstance(end, str):
                yield _instant(native, (*segment, "segmentEnd")), f"{purpose}: {end}"


def _instant(native: Native, path: Path) -> str | None:
    return read_time(native.look(*path), native.zone)[0]


def _channel(native: Native, sessions: Sessions) -> str:
    kinds = [str(native.look(*path, "mediaType")) for _, path in sessions]
    return next((_CHANNELS[kind] for kind in kinds if kind in _CHANNELS), "phone")


def _asked_for(native: Native, sessions: Sessions) -> bool:
    """Whether the customer began it, or asked to be called back."""
    is_callback = any(native.look(*path, "mediaType") == "callback" for _, path in sessions)
    return is_callback or native.look("originatingDirection") == "inbound"


def _purposes(native: Native, sessions: Sessions, purposes: frozenset[str]) -> Sessions:
    return [(who, path) for who, path in sessions if str(native.look(*who, "purpose")) in purposes]


def _first_name(native: Native, paths: list[Path]) -> str | None:
    """The name at the first path that has one; where the same name stands at others, those are taken too."""
    found: str | None = None
    for path in paths:
        name = to_name(native.look(*path))
        if name is not None and found in (None, name):
            found = native.name(*path)
    return found


def _customer(native: Native, sessions: Sessions) -> str | None:
    customers = _purposes(native, sessions, _CUSTOMERS)
    ours = native.look("originatingDirection") == "outbound"
    for who, path in customers:
        found = native.name(*who, "externalContactId")
        for key in ("dnis" if ours else "ani", "addressTo" if ours else "addressFrom", "addressOther"):
            address = to_name(native.look(*path, key))
            found = found or (re.sub(r"^(tel|sip|mailto):", "", address) if address else None)
        if found:
            return found
    return next((n for who, _ in customers if (n := native.name(*who, "participantName"))), None)


def _agent(native: Native, sessions: Sessions) -> str | None:
    """The last user who took part in the conversation, not only was rung."""
    for who, path in reversed(_purposes(native, sessions, _AGENTS)):
        if any(native.look(*s, "segmentType") == "interact" for s in native.each(*path, "segments")):
            return native.name(*who, "userId") or native.name(*who, "participantName")
    return None


def _tags(native: Native, segments: list[Path]) -> list[str]:
    tags: list[str] = []
    for segment in segments:
        found = native.look(*segment, "wrapUpTags")
        for number, _ in enumerate(found if isinstance(found, list) else ()):
            tag = native.name(*segment, "wrapUpTags", number)
            if tag is not None and tag not in tags:
                tags.append(tag)
    return tags


def _metrics(native: Native, sessions: Sessions) -> dict[str, float]:
    """The sum of each metric over all sessions."""
    sums: dict[str, float] = {}
    for _, path in sessions:
        for metric in native.each(*path, "metrics"):
            name, value = native.look(*metric, "name"), native.look(*metric, "value")
            if isinstance(name, str) and type(value) in (int, float) and 0 <= value < 1e13:
                sums[name] = sums.get(name, 0) + value
    return sums


def _lengths(native: Native, sessions: Sessions) -> dict[str, float]:
    """What the segments of agents and queues last, in milliseconds, under the names of the metrics."""
    sums: dict[str, float] = {}
    for who, path in sessions:
        purpose = str(native.look(*who, "purpose"))
        names = _OF_AGENT if purpose in _AGENTS else {"interact": "tAcd"} if purpose == "acd" else {}
        for segment in native.each(*path, "segments"):
            name = names.get(str(native.look(*segment, "segmentType")))
            ends = [_instant(native, (*segment, end)) for end in ("segmentStart", "segmentEnd")]
            length = seconds_between(ends[0], ends[1]) if name else None
            if name and length is not None and length >= 0:
                sums[name] = sums.get(name, 0) + length * 1000
    return sums


def _durations(native: Native, sessions: Sessions) -> dict[str, float | None]:
    """Milliseconds as seconds; the older series only where the complete one is missing, and where there are
    no metrics at all the lengths of the segments.
    """
    sums = _metrics(native, sessions) or _lengths(native, sessions)
    names = {
        "wait_seconds": ("tAcd", "tAnswered", "tAbandon"), "talk_seconds": ("tTalkComplete", "tTalk"),
        "hold_seconds": ("tHeldComplete", "tHeld"), "wrap_up_seconds": ("tAcw",),
        "handle_seconds": ("tHandle",),
    }  # fmt: skip
    found = {field: next((sums[n] for n in series if n in sums), None) for field, series in names.items()}
    return {field: None if v is None else _whole(v / 1000) for field, v in found.items()}


def _whole(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else round(seconds, 3)


def _status(native: Native, sessions: Sessions, segments: list[Path]) -> str:
    if native.look("conversationEnd") is None:
        return "open"
    sums = _metrics(native, sessions)
    own = [s for _, path in _purposes(native, sessions, _AGENTS) for s in native.each(*path, "segments")]
    if any(native.look(*s, "segmentType") == "interact" for s in own) or sums.get("tTalkComplete"):
        return "completed"
    if _purposes(native, sessions, frozenset({"voicemail"})):
        return "voicemail"
    if "tAbandon" in sums or "tAcd" in sums:
        return "abandoned"
    if any(native.look(*s, "disconnectType") == "error" for s in segments):
        return "failed"
    return "missed" if native.look("originatingDirection") == "outbound" else "completed"


def _satisfaction(native: Native) -> dict[str, Any] | None:
    for survey in native.each("surveys"):
        for key, scale, most in (
            ("surveyPromoterScore", "nps_10", 10),
            ("oSurveyTotalScore", "percent", 100),
        ):
            score = native.look(*survey, key)
            if type(score) in (int, float) and 0 <= score <= most:
                return {"scale": scale, "score": native.take(*survey, key)}
    return None

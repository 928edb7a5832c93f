"""Genesys Cloud: conversation details as queries, jobs and events give them.

Metrics named t… are milliseconds; of the two series that talk and hold come in only the …Complete one is
summed (the other repeats it). Queues, users and wrap-up codes are ids; the text of the conversation is not in
it. Everything of participants, sessions and segments that has no home is kept under `extra`. Fields: the
analytics models of the platform's Python client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from carelog.sources.blocks import Block, Chunk, ReadOptions
from carelog.sources.formats._documents import Piece, first_keys, read_pieces, read_records
from carelog.sources.formats._leftovers import Native, Path
from carelog.sources.formats._legs import Leg, add_interaction
from carelog.sources.formats._steps import NO_WORDS, to_steps
from carelog.sources.formats._table_rows import to_name
from carelog.sources.formats._times import read_time
from carelog.sources.streams import Opened

NAME = "genesys_cloud"
WRAPPERS = ("conversations", "data", "results")
_CHANNELS = {"voice": "phone", "callback": "phone", "chat": "chat", "message": "chat", "email": "email"}
_AGENTS = frozenset({"agent", "user"})
_CUSTOMERS = frozenset({"customer", "external"})


def detect_genesys(head: bytes, name: str) -> str | None:
    """By the keys of the first conversation."""
    if head.lstrip()[:1] not in (b"{", b"[") or b'"conversationId"' not in head:
        return None
    keys, _ = first_keys(head, WRAPPERS)
    is_one = "conversationId" in keys and keys & {"conversationStart", "originatingDirection", "divisionIds"}
    return "its objects are conversation details of Genesys Cloud" if is_one else None


def read_genesys(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """Chunks of conversations or of pages of them."""
    return read_records(opened, options, NAME, WRAPPERS, "conversationId")


def parse_genesys(chunk: Chunk) -> Block:
    """The conversations of a chunk as records."""
    block = Block(chunk.file, NAME)
    for piece in read_pieces(chunk, block, WRAPPERS):
        _add_conversation(block, piece, chunk.options)
    return block


def _add_conversation(block: Block, piece: Piece, options: ReadOptions) -> None:
    native = Native(piece.value, options.zone)
    sessions = [(who, path) for who in native.each("participants") for path in native.each(*who, "sessions")]
    channel = _channel(native, sessions)
    direction = native.look("originatingDirection")
    segments = [segment for _, session in sessions for segment in native.each(*session, "segments")]
    campaign = _first_name(native, [(*s, "outboundCampaignId") for _, s in sessions])
    value: dict[str, Any] = {
        "interaction_id": native.name("conversationId") or f"{block.file}:{piece.line}",
        "channel": channel,
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
    remarks = list(native.faults)
    if channel != "phone" and value["status"] not in ("missed", "abandoned") and not value["subject"]:
        value["messages"] = to_steps(_steps(native, sessions))
        remarks.append(NO_WORDS)
    value["extra"] = native.rest()
    leg = Leg(block.file, piece.line, piece.offset, piece.raw)
    add_interaction(block, [leg], "genesys_cloud", value, remarks)


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
    kinds = [native.look(*path, "mediaType") for _, path in sessions]
    return next((_CHANNELS[kind] for kind in kinds if kind in _CHANNELS), "phone")


def _asked_for(native: Native, sessions: Sessions) -> bool:
    """Whether the customer began it, or asked to be called back."""
    is_callback = any(native.look(*path, "mediaType") == "callback" for _, path in sessions)
    return is_callback or native.look("originatingDirection") == "inbound"


def _purposes(native: Native, sessions: Sessions, purposes: frozenset[str]) -> Sessions:
    return [(who, path) for who, path in sessions if native.look(*who, "purpose") in purposes]


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


def _durations(native: Native, sessions: Sessions) -> dict[str, float | None]:
    """Milliseconds as seconds; the older series only where the complete one is missing."""
    sums = _metrics(native, sessions)
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

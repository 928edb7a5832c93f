"""Amazon Connect: contact records (CTR, and as the interface gives them), contact events, transcripts of Contact
Lens (whole or in segments) and of chats.

A contact record is delivered at least once and again on every update: of each ContactId the one with the
greatest LastUpdateTimestamp counts. A transfer takes its direction from the contact that it began with
(InitialContactId). A transcript belongs to the record of its contact and becomes its messages; of a raw and a
redacted twin the raw one is read. A chat or a mail without its transcript is kept with its steps (`_steps`). A call's transcript alone says no time: its record does, else `--start`,
else the time of the analysis in its file name (with a remark). Fields: the administrator guide's pages on
contact records and on the output files of Contact Lens.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._connect_events import KIND, is_of_event, join_events, to_contact
from carelog.sources.formats._connect_words import (
    first_time,
    has_times_of_day,
    is_transcript,
    joined_segments,
    language_of,
    later,
    name_of,
    read_messages,
)
from carelog.sources.formats._documents import Piece, find_keys, read_records, take_apart
from carelog.sources.formats._leftovers import Native
from carelog.sources.formats._legs import (
    Gathering,
    Leg,
    add_interaction,
    open_gathering,
    parse_groups,
    to_chunks,
)
from carelog.sources.formats._steps import NO_WORDS, to_steps
from carelog.sources.formats._table_rows import to_name, to_seconds
from carelog.sources.formats._times import read_time, seconds_between
from carelog.sources.streams import Opened

NAME = "amazon_connect"
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ANALYSED = re.compile(r"_analysis_(?:redacted_)?(\d{4}-\d\d-\d\dT\d\d)[:_-](\d\d)[:_-](\d\dZ)")
_CHANNELS = {"VOICE": "phone", "CHAT": "chat", "EMAIL": "email"}
_INBOUND = frozenset({"INBOUND", "WEBRTC_API", "MESSAGING"})
_OUTBOUND = frozenset({"OUTBOUND", "EXTERNAL_OUTBOUND", "CALLBACK", "AGENT_REPLY"})
_INHERITING = frozenset({"TRANSFER", "QUEUE_TRANSFER", "DISCONNECT", "FLOW"})
WRAPPERS = ("Contacts", "data")
_NO_START = Fault(
    "no_start",
    "the transcript holds no time of day; read it together with the contact records, or say --start TIME",
    "/started_at",
)
_ANALYSIS_TIME = Fault(
    "start_guessed", "the start is not in the file: the time of its analysis was taken", "/started_at"
)


def detect_connect(head: bytes, name: str) -> str | None:
    """By the keys of the first object."""
    if head.lstrip()[:1] not in (b"{", b"[") or not any(word in head for word in _TELLING):
        return None
    keys = find_keys(head)
    wrapped = {path.removeprefix("data."): inner for path, inner in keys.items() if path.startswith("data.")}
    keys = {**keys, **wrapped}
    top = keys[""] | keys.get("data", set())
    if "AWSContactTraceRecordFormatVersion" in top or {"ContactId", "InitiationMethod"} <= top:
        return "its objects are contact records of Amazon Connect"
    if any("InitiationMethod" in keys.get(wrapper, set()) for wrapper in ("Contact", *WRAPPERS)):
        return "its objects are contacts as the interface of Amazon Connect gives them"
    if KIND.encode() in head and {"detail-type", "detail"} <= top:
        return "its objects are contact events of Amazon Connect"
    said = keys.get("Transcript", set()) | keys.get("Segments.Transcript", set())
    if "ChatTranscriptVersion" in top or ("ConversationCharacteristics" in top and top & _LENS_KEYS):
        return "it is a transcript of Contact Lens"
    if said & {"BeginOffsetMillis", "AbsoluteTime", "Time"} and said & {"Content", "ContentType"}:
        return "it is a transcript of Contact Lens"
    if {"ContactId", "Participants", "Transcript"} <= top:
        return "it is a chat transcript of Amazon Connect"
    return None


_TELLING = (
    b'"ContactId"', b'"AWSContactTrace', b'"ConversationCharacteristics"', b'"ChatTranscriptVersion"',
    b'"InitiationMethod"', b'"ParticipantRole"', KIND.encode(),
)  # fmt: skip
_LENS_KEYS = frozenset({"Channel", "Participants", "Categories", "Transcript"})


def read_connect(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The contacts of one input, as `read_connects` gives them for several."""
    return read_connects(iter([opened]), options)


def read_connects(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The contacts of all inputs, each once."""
    with open_gathering() as gathering:
        for opened in inputs:
            for part in take_apart(read_records(opened, options, NAME, WRAPPERS), WRAPPERS):
                if isinstance(part, Block):
                    yield part
                else:
                    _gather(part[0], opened.name, gathering)
        yield from to_chunks(gathering, NAME, options)


def _gather(piece: Piece, file: str, gathering: Gathering) -> None:
    inner = piece.value.get("Contact")
    contact = to_contact(piece.value)
    if isinstance(inner, dict) and "InitiationMethod" in inner:
        contact = inner
    key = _contact_id(contact, file, piece.raw)
    root = to_name(contact.get("InitialContactId"))
    if root is not None and root != key:
        gathering.join(key, root)
    # What is not JSON as it stood (comments) was mended: keep both forms.
    is_plain = b"//" not in piece.raw and b"/*" not in piece.raw and not re.search(rb",\s*[}\]]", piece.raw)
    value = b"" if is_plain and contact is piece.value else orjson.dumps(contact)
    gathering.add(key, Leg(file, piece.line, piece.offset, piece.raw, value))


def _contact_id(value: dict[str, Any], file: str, raw: bytes) -> str:
    customer = value.get("CustomerMetadata")
    found = to_name(value.get("ContactId"))
    if found is None and "InitiationMethod" in value:
        found = to_name(value.get("Id"))
    if found is None and is_transcript(value):
        found = to_name(value.get("InitialContactId"))
    if found is None and isinstance(customer, dict):
        found = to_name(customer.get("ContactId"))
    if found is None:
        named = _UUID.search(file.replace("\\", "/").rpartition("/")[2])
        found = named[0] if named else hashlib.sha256(raw).hexdigest()[:24]
    return found


def parse_connect(chunk: Chunk) -> Block:
    """The contacts of a chunk as records."""
    block = Block(chunk.file, NAME)
    for _, legs in parse_groups(chunk)[1]:
        contacts: dict[str, list[tuple[Leg, dict[str, Any]]]] = {}
        for leg in legs:
            value = leg.load()
            contacts.setdefault(_contact_id(value, leg.file, leg.raw), []).append((leg, value))
        methods = {key: _latest(found) for key, found in contacts.items()}
        for key, found in contacts.items():
            _add_contact(block, key, found, methods, chunk.options)
    return block


Pair = tuple[Leg, dict[str, Any]]


def _latest(found: Sequence[Pair]) -> dict[str, Any] | None:
    """The contact record that was updated last; of equals, the one that came last. Without one, what the events
    tell together.
    """
    records = [value for _, value in found if not is_transcript(value)]
    events = [value for value in records if is_of_event(value)]
    if events and len(events) == len(records):
        return join_events(events)
    records = [value for value in records if not is_of_event(value)]
    return (
        max(enumerate(records), key=lambda r: (str(r[1].get("LastUpdateTimestamp") or ""), r[0]))[1]
        if (records)
        else None
    )


def _add_contact(
    block: Block,
    key: str,
    found: Sequence[Pair],
    contacts: dict[str, dict[str, Any] | None],
    options: ReadOptions,
) -> None:
    record, transcript = contacts[key], _find_transcript(found)
    reason = _no_interaction(record)
    leg = found[0][0]
    if reason is not None:
        fault = Finding(leg.file, leg.line, "", "no_interaction", reason, "warning", leg.offset, key)
        block.findings.append(fault)
        return
    native = Native(record or {}, options.zone)
    words = Native(transcript[1] if transcript else {}, options.zone)
    value = _from_record(native, _origin(record, contacts)) if record else {}
    remarks = list(native.faults)
    remarks += _add_transcript(value, words, transcript[0].file if transcript else "", native, options)
    remarks += words.faults
    if record is None and value.get("messages"):
        value["status"] = "completed"
    if _lacks_words(value):
        value["messages"] = to_steps(_steps(native))
        remarks.append(NO_WORDS)
    extra = native.rest()
    rest = words.rest()
    value["extra"] = {**extra, "contact_lens": rest} if rest and record else {**extra, **rest}
    # What stands for the contact is its record; the transcript comes with it.
    legs = [place for place, _ in sorted(found, key=lambda pair: is_transcript(pair[1]))]
    add_interaction(block, legs, "amazon_connect", {"interaction_id": key, **value}, remarks)


def _lacks_words(value: dict[str, Any]) -> bool:
    is_written = value.get("channel") != "phone" and value.get("status") not in ("missed", "abandoned")
    return is_written and not value.get("messages") and not value.get("subject")


def _find_transcript(found: Sequence[Pair]) -> Pair | None:
    """The transcript to read: the raw one before its redacted twin, else the last delivered."""
    transcripts = [pair for pair in found if is_transcript(pair[1])]
    raw = [p for p in transcripts if "redacted" not in str(p[1].get("ContentMetadata", "")).lower()]
    best = raw or transcripts
    return (best[-1][0], joined_segments([value for _, value in best])) if best else None


def _no_interaction(record: dict[str, Any] | None) -> str | None:
    if record is None:
        return None
    if record.get("InitiationMethod") == "MONITOR":
        return "a supervisor listened in: this is no interaction of its own and was left out"
    return "a task is no interaction and was left out" if record.get("Channel") == "TASK" else None


def _origin(record: dict[str, Any] | None, contacts: dict[str, dict[str, Any] | None]) -> dict[str, Any]:
    """The contact that says the direction: for a transfer the first one, if it is there."""
    found = record or {}
    if str(found.get("InitiationMethod")) in _INHERITING:
        for name in ("InitialContactId", "PreviousContactId"):
            other = contacts.get(str(found.get(name)))
            if other is not None and str(other.get("InitiationMethod")) not in _INHERITING:
                return other
    return found


def _from_record(native: Native, origin: dict[str, Any]) -> dict[str, Any]:
    channel = _CHANNELS.get(str(native.look("Channel")), "phone")
    method = str(origin.get("InitiationMethod") or native.look("InitiationMethod") or "")
    direction = _direction(method, channel)
    address = native.name("CustomerId") or native.name("CustomerEndpoint", "Address")
    return {
        "channel": channel,
        "started_at": native.time("InitiationTimestamp") or native.time("ConnectedToSystemTimestamp"),
        "ended_at": native.time("DisconnectTimestamp"),
        "direction": direction,
        "initiative": _initiative(method, direction, origin),
        "status": _status(native, direction),
        "customer_id": address,
        "subject": native.name("SegmentAttributes", "connect:EmailSubject", "ValueString"),
        "agent_id": native.name("Agent", "Username")
        or native.name("Agent")
        or native.name("AgentInfo", "Id"),
        "team": _team(native),
        "queue": native.name("Queue", "Name") or native.name("QueueInfo", "Id"),
        "campaign": native.name("Campaign", "CampaignId"),
        "wait_seconds": _wait(native),
        "talk_seconds": native.number("Agent", "AgentInteractionDuration"),
        "hold_seconds": native.number("Agent", "CustomerHoldDuration"),
        "wrap_up_seconds": _after_work(native),
        "satisfaction": _satisfaction(native),
    }


def _wait(native: Native) -> float | int | None:
    """Seconds in the queue; the interface gives only the times at its ends."""
    counted = native.number("Queue", "Duration")
    if counted is not None:
        return counted
    ends = native.look("AgentInfo", "ConnectedToAgentTimestamp") or native.look("DisconnectTimestamp")
    begun = read_time(native.look("QueueInfo", "EnqueueTimestamp"), native.zone)[0]
    return seconds_between(begun, read_time(ends, native.zone)[0])


def _after_work(native: Native) -> float | int | None:
    counted = native.number("Agent", "AfterContactWorkDuration")
    return counted if counted is not None else native.number("AgentInfo", "AfterContactWorkDuration")


def _direction(method: str, channel: str) -> str:
    if method == "API":
        return "inbound" if channel != "phone" else "outbound"
    if method in _INBOUND:
        return "inbound"
    return "outbound" if method in _OUTBOUND else "unknown"


def _initiative(method: str, direction: str, origin: dict[str, Any]) -> str | None:
    if direction == "inbound" or method in ("CALLBACK", "AGENT_REPLY"):
        return "reactive"
    return "proactive" if method in ("OUTBOUND", "EXTERNAL_OUTBOUND") or origin.get("Campaign") else None


def _status(native: Native, direction: str) -> str:
    reason = native.look("DisconnectReason")
    machine = str(native.look("AnsweringMachineDetectionStatus") or "")
    if native.look("DisconnectTimestamp") is None:
        return "open"
    if machine.startswith("VOICEMAIL"):
        return "voicemail"
    if native.look("Agent") or native.look("AgentInfo", "ConnectedToAgentTimestamp"):
        return "completed"
    if reason == "TELECOM_PROBLEM":
        return "failed"
    if native.look("Queue") or native.look("QueueInfo"):
        return "abandoned"
    return "missed" if direction == "outbound" else "completed"


def _team(native: Native) -> str | None:
    """The name of the deepest group in the agent's hierarchy."""
    for level in range(5, 0, -1):
        found = native.name("Agent", "HierarchyGroups", f"Level{level}", "GroupName")
        if found is not None:
            return found
    return None


def _satisfaction(native: Native) -> dict[str, Any] | None:
    """A score that a survey in the flow wrote to a contact attribute of a name that says its scale."""
    attributes = native.look("Attributes")
    for name in sorted(attributes) if isinstance(attributes, dict) else ():
        scale = _SCALES.get(re.sub(r"[^a-z]", "", name.lower()).removesuffix("score"))
        score = to_seconds(attributes[name])
        if scale is not None and score is not None and scale[1] <= score <= scale[2]:
            native.take("Attributes", name)
            return {"scale": scale[0], "score": score}
    return None


_SCALES = {"csat": ("csat_5", 1, 5), "nps": ("nps_10", 0, 10), "ces": ("ces_7", 1, 7)}


def _steps(native: Native) -> Iterator[tuple[str | None, str]]:
    """What the record of a contact tells of its course, in its own words."""
    for path, text in (
        (("InitiationTimestamp",), f"contact: {native.look('InitiationMethod')}"),
        (("Queue", "EnqueueTimestamp"), "queue: enqueued"),
        (("QueueInfo", "EnqueueTimestamp"), "queue: enqueued"),
        (("Agent", "ConnectedToAgentTimestamp"), "agent: connected"),
        (("AgentInfo", "ConnectedToAgentTimestamp"), "agent: connected"),
        (("DisconnectTimestamp",), f"contact: {native.look('DisconnectReason') or 'DISCONNECT'}"),
    ):
        yield read_time(native.look(*path), native.zone)[0], text


def _add_transcript(
    value: dict[str, Any], words: Native, file: str, record: Native, options: ReadOptions
) -> list[Fault]:
    """Complete the record with what a transcript says; returns what is to be remarked."""
    if not file:
        return []
    is_chat = has_times_of_day(words)
    told = _CHANNELS.get(str(words.look("Channel")), "chat" if is_chat else "phone")
    value.setdefault("channel", told)
    remarks = []
    began = record.look("Agent", "ConnectedToAgentTimestamp")
    began = began or record.look("AgentInfo", "ConnectedToAgentTimestamp")
    began = read_time(began, options.zone)[0]
    if value.get("started_at") is None:
        value["started_at"], remark = _find_start(words, file, is_chat, options)
        remarks = [remark] if remark else []
        began = value["started_at"] if remark is not _ANALYSIS_TIME else None
    value["messages"] = list(read_messages(words, began))
    value["language"] = language_of(words)
    value["agent_id"] = value.get("agent_id") or name_of(words, "AGENT")
    value["customer_id"] = value.get("customer_id") or name_of(words, "CUSTOMER")
    matched = words.look("Categories", "MatchedCategories")
    value["tags"] = [t for n, _ in enumerate(matched if isinstance(matched, list) else [])
                     if (t := words.name("Categories", "MatchedCategories", n))]  # fmt: skip
    characteristics = "ConversationCharacteristics"
    if value.get("talk_seconds") is None:
        spoken = words.look(characteristics, "TalkTime", "TotalTimeMillis")
        value["talk_seconds"] = to_seconds(spoken, 1000)
    if value.get("ended_at") is None and value.get("started_at"):
        total = to_seconds(words.look(characteristics, "TotalConversationDurationMillis"), 1000)
        times = [m["at"] for m in value["messages"] if "at" in m]
        value["ended_at"] = later(value["started_at"], total) if total else max(times, default=None)
    return remarks


def _find_start(
    words: Native, file: str, is_chat: bool, options: ReadOptions
) -> tuple[str | None, Fault | None]:
    first = first_time(words)
    if is_chat and first is not None:
        return read_time(first, options.zone)
    if options.start is not None:
        return read_time(options.start, options.zone)
    stamp = _ANALYSED.search(file)
    if stamp is None:
        return None, _NO_START
    return f"{stamp[1]}:{stamp[2]}:{stamp[3]}", _ANALYSIS_TIME

"""Chatwoot conversations as JSON: pages of the API (`{"data": {"payload": […]}}`), the messages of one
conversation (`{"meta": …, "payload": […]}`), arrays, one a line, and what webhooks delivered, event by event.

Times are seconds since 1970, where 0 means never; webhooks write ISO texts. `message_type` is a number (0 the
customer, 1 the agent, 2 an event, 3 a template) or, from webhooks, its name. `private` messages go to
`notes`. What came in pieces is put together by the number of the conversation; of what came twice, the later
holds. A list of conversations holds only the last message of each, which is a warning.
Source: the project's own templates, models and documentation of webhooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._documents import Piece, find_keys, is_canonical, read_documents, take_apart
from carelog.sources.formats._leftovers import Native, Path, without_absent
from carelog.sources.formats._legs import (
    Gathering,
    Leg,
    add_interaction,
    open_gathering,
    parse_groups,
    to_chunks,
)
from carelog.sources.formats._times import read_time, seconds_between
from carelog.sources.streams import Opened

NAME = "chatwoot"
LISTS = ("data.payload", "payload", "conversations", "data")
_TYPES = {
    0: "customer", 1: "agent", 2: "system", 3: "bot", "0": "customer", "1": "agent", "2": "system", "3": "bot",
    "incoming": "customer", "outgoing": "agent", "activity": "system", "template": "bot",
}  # fmt: skip
_STATUS = {"open": "open", "pending": "open", "snoozed": "open", "resolved": "closed"}
_BOTS = frozenset(("agent_bot", "agentbot", "captain::assistant", "captain_assistant"))
_OF_CONVERSATION = frozenset(
    ("meta", "can_reply", "uuid", "account_id", "contact_inbox", "additional_attributes")
)
_OF_EVENT = ("conversation", "account", "inbox", "contact", "event")
_FROM_LIST = "\0from a list"
_NONE = Fault("not_a_conversation", "the object is no Chatwoot conversation: it has no id or messages")


def detect_chatwoot(head: bytes, name: str) -> str | None:
    """Whether its first object is a conversation, a message, what a webhook delivered, or a page of these."""
    keys = find_keys(head)
    if is_canonical(keys):
        return None
    for path in ("", *LISTS):
        found = keys.get(path, set())
        if {"messages", "inbox_id"} <= found and found & _OF_CONVERSATION:
            return "its first object is a Chatwoot conversation (messages, inbox_id)"
        if {"event", "message_type", "conversation"} <= found:
            return "its first object is an event of a Chatwoot webhook (message_type, conversation)"
        if {"message_type", "conversation_id"} <= found and found & {"inbox_id", "content_type", "private"}:
            return "its first object is a message of Chatwoot (message_type, conversation_id)"
    return None


def read_chatwoot(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The conversations of one input, as `read_chatwoots` gives them for several."""
    return read_chatwoots(iter([opened]), options)


def read_chatwoots(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The conversations of all inputs, each once, with all the messages that came of it."""
    with open_gathering() as gathering:
        for opened in inputs:
            documents = read_documents(opened, options, NAME, LISTS, ("messages", "message_type"))
            for part in take_apart(documents, LISTS):
                if isinstance(part, Block):
                    yield part
                else:
                    _gather(*part, gathering)
        yield from to_chunks(gathering, NAME, options)


def _gather(piece: Piece, block: Block, gathering: Gathering) -> None:
    found = _to_conversation(piece.value, piece.page)
    number = None if found is None else found.get("id")
    if found is None or isinstance(number, (dict, list, bool)) or number in (None, ""):
        put_aside(block, piece.line, piece.offset, piece.raw, _NONE)
        return
    account = found.get("account_id") or Native(found).look("account", "id")
    account = account or Native(found).look("messages", 0, "account_id")
    leg = Leg(block.file, piece.line, piece.offset, piece.raw, orjson.dumps(found))
    gathering.add(f"{account or ''}/{number}", leg)


def _to_conversation(item: dict[str, Any], page: dict[str, Any]) -> dict[str, Any] | None:
    """The conversation that an object is, or the beginning of one with the message that the object is."""
    event = {"events": [item["event"]]} if isinstance(item.get("event"), str) else {}
    if isinstance(item.get("messages"), list):
        of_list = {_FROM_LIST: True} if isinstance(page.get("data"), dict) or "payload" in page else {}
        return {**{key: value for key, value in item.items() if key != "event"}, **event, **of_list}
    if "message_type" not in item:
        # A change of a conversation's state tells no words.
        return {k: v for k, v in item.items() if k != "event"} | event if event and "status" in item else None
    message = {key: value for key, value in item.items() if key not in _OF_EVENT}
    around = item.get("conversation")
    found = dict(around) if isinstance(around, dict) else {}
    found.setdefault("id", found.get("display_id", item.get("conversation_id")))
    found.update({key: item[key] for key in ("account", "inbox", "contact") if key in item})
    if isinstance(meta := page.get("meta"), dict):
        found["meta"] = meta
    held = found.get("messages")
    return {**found, **event, "messages": [*(held if isinstance(held, list) else []), message]}


def parse_chatwoot(chunk: Chunk) -> Block:
    """The conversations of a chunk as records."""
    block = Block(chunk.file, NAME)
    for part, legs in parse_groups(chunk)[1]:
        _add_conversation(block, legs, part, chunk.options)
    return block


def _merge(legs: Sequence[Leg]) -> dict[str, Any]:
    """One conversation of its pieces: the later one holds, and messages are added up by their numbers."""
    merged: dict[str, Any] = {}
    messages: dict[Any, Any] = {}
    events: list[Any] = []
    for leg in legs:
        found = leg.load()
        for place, message in enumerate(found.pop("messages", None) or []):
            number = message.get("id") if isinstance(message, dict) else None
            key = str(number) if isinstance(number, (int, str)) else (leg.file, leg.line, place)
            if isinstance(known := messages.get(key), dict) and isinstance(message, dict):
                message = {**known, **message}
            messages[key] = message
        events += found.pop("events", None) or []
        merged.update({key: value for key, value in found.items() if value is not None or key not in merged})
    merged["messages"] = list(messages.values())
    return {**merged, **({"events": list(dict.fromkeys(events))} if events else {})}


def _add_conversation(block: Block, legs: Sequence[Leg], part: int, options: ReadOptions) -> None:
    conversation = _merge(legs)
    is_list = conversation.pop(_FROM_LIST, False)
    native = Native(conversation, options.zone)
    number = native.name("id")
    record_id = native.name("uuid") or number
    messages, notes = _read_messages(native)
    if is_list and len(messages) + len(notes) == 1:
        text = (
            "a list of conversations holds only the last message of each; export the conversations one by one"
        )
        native.faults.append(Fault("messages_missing", text, "/messages"))
    started_at = native.time("created_at") or (messages[0].get("at") if messages else None)
    value = {
        "interaction_id": f"chatwoot-{record_id}" + (f"-{part + 1}" if part else ""),
        "record_id": record_id,
        "channel": _channel_of(native),
        "started_at": started_at,
        **_sides(native, messages),
        "status": _STATUS.get(str(native.look("status"))),
        "customer_id": _customer(native),
        "agent_id": _agent(native),
        "team": native.name("meta", "team", "name") or native.name("meta", "team", "id"),
        "queue": native.name("inbox_id") or native.name("inbox", "id"),
        "subject": native.text("additional_attributes", "mail_subject"),
        "notes": "\n\n".join(notes),
        "tags": _labels(native),
        "messages": messages,
        "first_response_seconds": _first_response(native, started_at, messages),
        "satisfaction": _satisfaction(native),
    }
    add_interaction(block, legs, NAME, without_absent({**value, "extra": native.rest()}), native.faults)


def _customer(native: Native) -> str | None:
    """The contact; where only messages are known, whose they are."""
    places: list[Path] = [
        ("meta", "sender", "id"), ("meta", "contact", "id"), ("contact_inbox", "contact_id"), ("contact", "id"),
    ]  # fmt: skip
    places += _senders(native, "customer")
    return next((found for path in places if (found := native.name(*path))), None)


def _agent(native: Native) -> str | None:
    places = [("meta", "assignee", "id"), ("assignee_id",), *_senders(native, "agent")]
    return next((found for path in places if (found := native.name(*path))), None)


def _senders(native: Native, speaker: str) -> list[Path]:
    """Where the senders of this side's messages stand."""
    paths = [path for path in native.each("messages") if _speaker(native, path) == speaker]
    return [place for path in paths for place in ((*path, "sender", "id"), (*path, "sender_id"))]


def _channel_of(native: Native) -> str:
    kind = str(
        native.look("meta", "channel") or native.look("channel") or native.look("inbox", "channel_type")
    )
    return {"Channel::Email": "email", "Channel::Voice": "phone"}.get(kind, "chat")


def _read_messages(native: Native) -> tuple[list[dict[str, Any]], list[str]]:
    messages: list[dict[str, Any]] = []
    notes: list[str] = []
    for path in native.each("messages"):
        text = native.text(*path, "content") or ""
        if native.look(*path, "private") is True:
            notes.append(text)
            continue
        message = {
            "speaker": _speaker(native, path),
            "text": text,
            "at": native.time(*path, "created_at"),
            "message_id": native.name(*path, "id"),
        }
        messages.append({name: item for name, item in message.items() if item is not None})
    if all("at" in message for message in messages):
        messages.sort(key=lambda message: message["at"])
    return messages, [note for note in notes if note]


def _speaker(native: Native, path: Path) -> str:
    kind = native.look(*path, "message_type")
    speaker = _TYPES.get(kind, "system") if isinstance(kind, (int, str)) else "system"
    sender = str(native.look(*path, "sender_type") or native.look(*path, "sender", "type")).lower()
    if speaker == "agent" and sender in _BOTS:
        speaker = "bot"
    is_gone = native.look(*path, "content_attributes", "deleted") is True
    return "system" if is_gone else speaker


def _sides(native: Native, messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Direction and initiative: whose was the first message that was no event."""
    campaign = native.name("additional_attributes", "campaign_id") or native.name("campaign_id")
    first = next((m["speaker"] for m in messages if m["speaker"] != "system"), None)
    if campaign is not None or first == "agent":
        return {"direction": "outbound", "initiative": "proactive", "campaign": campaign}
    return {"direction": "inbound", "initiative": "reactive"} if first else {"direction": "unknown"}


def _labels(native: Native) -> list[str]:
    for path in (("labels",), ("meta", "labels")):
        labels = native.look(*path)
        if labels and isinstance(labels, list) and all(isinstance(label, str) for label in labels):
            return [label for label in native.take(*path) if label]
    return []


def _first_response(native: Native, started_at: str | None, messages: list[dict[str, Any]]) -> float | None:
    # Not taken: where the customer's message is missing, it is the only one to tell that time.
    first, _ = read_time(native.look("first_reply_created_at"), native.zone)
    asked = next((m.get("at") for m in messages if m["speaker"] == "customer"), None)
    return seconds_between(asked or started_at, first)


def _satisfaction(native: Native) -> dict[str, Any] | None:
    """The score of 1 to 5 that the customer gave in the survey message."""
    for path in native.each("messages"):
        place = (*path, "content_attributes", "submitted_values", "csat_survey_response")
        score = native.number(*place, "rating")
        if score in (1, 2, 3, 4, 5):
            return {"scale": "csat_5", "score": score}
    return None

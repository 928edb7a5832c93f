"""Chatwoot conversations as JSON: pages of the API (`{"data": {"payload": […]}}`), arrays, or one a line, and
those that a webhook delivered.

Times are seconds since 1970, where 0 means never; webhooks write ISO texts. `message_type` is a number (0 the
customer, 1 the agent, 2 an event, 3 a template) or, from webhooks, its name. `private` messages go to
`notes`. A list of conversations holds only the last message of each, which is a warning.
Source: the project's own templates and models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._documents import (
    Mapped,
    Piece,
    find_keys,
    is_canonical,
    parse_records,
    read_documents,
)
from carelog.sources.formats._leftovers import Native, Path, without_absent
from carelog.sources.formats._times import read_time, seconds_between
from carelog.sources.streams import Opened

NAME = "chatwoot"
LISTS = ("data.payload", "payload", "conversations", "data")
_TYPES = {
    0: "customer", 1: "agent", 2: "system", 3: "bot", "incoming": "customer", "outgoing": "agent",
    "activity": "system", "template": "bot",
}  # fmt: skip
_STATUS = {"open": "open", "pending": "open", "snoozed": "open", "resolved": "closed"}
_BOTS = frozenset(("agent_bot", "agentbot", "captain::assistant", "captain_assistant"))


def detect_chatwoot(head: bytes, name: str) -> str | None:
    """Whether its first object is a conversation, or a page of conversations."""
    keys = find_keys(head)
    if is_canonical(keys):
        return None
    for path in ("", *LISTS):
        found = keys.get(path, set())
        if (
            "messages" in found
            and "inbox_id" in found
            and found & {"meta", "can_reply", "uuid", "account_id"}
        ):
            return "its first object is a Chatwoot conversation (messages, inbox_id)"
    return None


def read_chatwoot(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The conversations of an input, in chunks."""
    return read_documents(opened, options, NAME, LISTS, ("messages",))


def parse_chatwoot(chunk: Chunk) -> Block:
    """A chunk of conversations, or of pages of them, as records."""
    return parse_records(chunk, to_conversations, LISTS)


def to_conversations(piece: Piece, options: ReadOptions) -> Iterator[Mapped | Fault]:
    """The conversation that an object is."""
    conversation = piece.value
    if "id" in conversation and "messages" in conversation:
        yield _to_record(conversation, options, is_list="payload" in (piece.page.get("data") or piece.page))
    else:
        yield Fault("not_a_conversation", "the object is no Chatwoot conversation: it has no id or messages")


def _to_record(conversation: dict[str, Any], options: ReadOptions, is_list: bool) -> Mapped:
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
        "interaction_id": f"chatwoot-{record_id}" if record_id else None,
        "channel": _channel_of(native),
        "started_at": started_at,
        **_sides(native, messages),
        "status": _STATUS.get(str(native.look("status"))),
        "customer_id": native.name("meta", "sender", "id") or native.name("contact_inbox", "contact_id"),
        "agent_id": native.name("meta", "assignee", "id"),
        "team": native.name("meta", "team", "name") or native.name("meta", "team", "id"),
        "queue": native.name("inbox_id"),
        "subject": native.text("additional_attributes", "mail_subject"),
        "notes": "\n\n".join(notes),
        "tags": _labels(native),
        "messages": messages,
        "first_response_seconds": _first_response(native, started_at, messages),
        "satisfaction": _satisfaction(native),
        "source": {"system": "chatwoot", **({"record_id": record_id} if record_id else {})},
    }
    return Mapped(without_absent({**value, "extra": native.rest()}), native.faults)


def _channel_of(native: Native) -> str:
    kind = str(native.look("meta", "channel") or native.look("channel"))
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
    labels = native.look("labels")
    if isinstance(labels, list) and all(isinstance(label, str) for label in labels):
        return [label for label in native.take("labels") if label]
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

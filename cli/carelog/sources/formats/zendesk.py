"""Zendesk Support tickets as JSON: the account's export (a ticket a line, or an array) and pages of its API
(`{"tickets": […], "users": […]}`), with comments, satisfaction and metrics where they are there.

A public comment is a message, an internal one (`public: false`) goes to `notes`. A ticket is no mail always:
`via.channel` decides. `submitter_id` other than `requester_id` means that an agent opened it. Times carry
their offset, metrics are minutes and become seconds. A score of `offered` or `unoffered` is no answer.
Sources: the vendor's help pages and field types as design notes give them; that comments lie inside the
ticket is seen in community scripts only.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._documents import (
    Mapped,
    find_keys,
    is_canonical,
    parse_documents,
    read_documents,
)
from carelog.sources.formats._html_text import html_to_text, loses_something
from carelog.sources.formats._leftovers import Native, Path, without_absent
from carelog.sources.formats._times import seconds_between
from carelog.sources.streams import Opened

NAME = "zendesk"
LISTS = frozenset(("tickets", "results"))
_CHATS = frozenset(
    (
        "chat", "native_messaging", "messaging", "sms", "facebook", "twitter", "instagram_dm", "whatsapp",
        "line", "telegram", "viber", "wechat", "apple_business_chat", "google_business_messages", "kakaotalk",
        "sunshine_conversations_api",
    )
)  # fmt: skip
_CALLS = frozenset(
    ("voice", "phone", "voicemail", "api_phone_call_inbound", "api_phone_call_outbound", "api_voicemail")
)
_STATUS = {
    "new": "open", "open": "open", "pending": "open", "hold": "open", "solved": "closed", "closed": "closed",
    "deleted": "closed",
}  # fmt: skip
_THUMBS = {"good": 1, "good_with_comment": 1, "bad": 0, "bad_with_comment": 0}
_NO_ANSWER = frozenset(("offered", "unoffered"))
_METRICS = ("metric_set", "metrics", "ticket_metrics")


def detect_zendesk(head: bytes, name: str) -> str | None:
    """Whether its first object is a ticket, or a page of tickets."""
    keys = find_keys(head)
    if is_canonical(keys):
        return None
    for path in ("", "tickets", "ticket", "results"):
        found = keys.get(path, set())
        if "requester_id" in found and found & {"submitter_id", "via", "assignee_id", "brand_id"}:
            return "its first object is a Zendesk ticket (it has a requester_id)"
    return None


def read_zendesk(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The tickets of an input, in chunks."""
    return read_documents(opened, options, NAME, LISTS)


def parse_zendesk(chunk: Chunk) -> Block:
    """A chunk of tickets, or of pages of them, as records."""
    return parse_documents(chunk, to_tickets)


def to_tickets(document: dict[str, Any], options: ReadOptions) -> Iterator[Mapped | Fault]:
    """The tickets of a document: itself, or those that it wraps."""
    people = _find_people(document)
    wrapped = next(
        (document[key] for key in ("tickets", "results") if isinstance(document.get(key), list)), None
    )
    if wrapped is None:
        ticket = document.get("ticket")
        wrapped = [_with_comments(ticket, document) if isinstance(ticket, dict) else document]
    for ticket in wrapped:
        if (
            isinstance(ticket, dict)
            and "id" in ticket
            and ("requester_id" in ticket or "created_at" in ticket)
        ):
            yield _to_record(ticket, people, options)
        else:
            yield Fault("not_a_ticket", "the object is no Zendesk ticket: it has no id and no requester_id")


def _with_comments(ticket: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    beside = {key: document[key] for key in ("comments", *_METRICS) if key in document and key not in ticket}
    return {**ticket, **beside}


def _find_people(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The users that stand beside the tickets, by id."""
    users = document.get("users")
    return {
        str(user["id"]): user
        for user in (users if isinstance(users, list) else ())
        if isinstance(user, dict) and "id" in user
    }


def _to_record(ticket: dict[str, Any], people: dict[str, dict[str, Any]], options: ReadOptions) -> Mapped:
    native = Native(ticket, options.zone)
    number = native.name("id")
    requester = native.name("requester_id")
    channel = _channel_of(native)
    messages, notes = _read_comments(native, requester, people)
    value = {
        "interaction_id": f"zendesk-{number}" if number else None,
        "channel": channel,
        "started_at": native.time("created_at"),
        "ended_at": _metric_time(native, "solved_at"),
        "status": _status_of(native, channel),
        **_sides(native, requester, messages),
        "customer_id": requester,
        "agent_id": native.name("assignee_id"),
        "queue": native.name("group_id"),
        "subject": _subject(native),
        "tags": _tags(native),
        "messages": messages,
        "notes": "\n\n".join(notes),
        "talk_seconds": _talk(native),
        "first_response_seconds": _minutes(native, "reply_time_in_minutes"),
        "resolution_seconds": _minutes(native, "full_resolution_time_in_minutes"),
        "satisfaction": _satisfaction(native),
        "source": {"system": "zendesk", **({"record_id": number} if number else {})},
    }
    if value["first_response_seconds"] is None:
        value["first_response_seconds"] = _first_answer(messages)
    extra = native.rest()
    known = {key: people[key] for key in _people_in(ticket) if key in people}
    if known:
        extra["users"] = list(known.values())
    return Mapped(without_absent({**value, "extra": extra}), native.faults)


def _subject(native: Native) -> str | None:
    subject, raw = native.text("subject"), native.look("raw_subject")
    if subject is None or subject == raw:
        return native.text("raw_subject")
    return subject


def _channel_of(native: Native) -> str:
    via = native.look("via", "channel")
    name = via.lower() if isinstance(via, str) else ""
    if name in _CALLS or native.look("comments", 0, "type") == "VoiceComment":
        return "phone"
    return "chat" if name in _CHATS else "email"


def _status_of(native: Native, channel: str) -> str | None:
    if channel == "phone" and native.look("via", "source", "rel") == "voicemail":
        return "voicemail"
    status = native.look("status")
    return _STATUS.get(status.lower(), "unknown") if isinstance(status, str) else None


def _sides(native: Native, requester: str | None, messages: list[dict[str, Any]]) -> dict[str, str]:
    """Direction and initiative: how the call went, else who opened the ticket and wrote first."""
    rel = native.look("via", "source", "rel")
    submitter = native.look("submitter_id")
    if rel in ("inbound", "voicemail"):
        return {"direction": "inbound", "initiative": "reactive"}
    is_ours = requester is not None and submitter not in (None, -1) and str(submitter) != requester
    wrote_first = bool(messages) and messages[0]["speaker"] != "customer"
    if rel == "outbound" or (is_ours and (wrote_first or not messages)):
        return {"direction": "outbound", "initiative": "proactive"}
    return {"direction": "inbound", "initiative": "reactive"} if requester else {"direction": "unknown"}


def _read_comments(
    native: Native, requester: str | None, people: dict[str, dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Public comments as messages in order of time, internal ones as notes; else the description."""
    messages: list[dict[str, Any]] = []
    notes: list[str] = []
    place: Path = ("comments", "comments") if isinstance(native.look("comments"), dict) else ("comments",)
    for path in native.each(*place):
        text = _comment_text(native, path)
        if native.look(*path, "public") is False:
            if text:
                notes.append(text)
            continue
        spoken = native.text(*path, "data", "transcription_text")
        is_mailbox = native.look("via", "source", "rel") == "voicemail"
        author = native.look(*path, "author_id")
        speaker = _speaker(author, requester, people)
        if native.look(*path, "type") == "VoiceComment" or native.look(*path, "via", "channel") == "rule":
            # A call's own line, or what an automation wrote in somebody's name.
            speaker = "system"
        messages.append(_message(native, path, speaker, text))
        if spoken and is_mailbox:
            messages.append({**messages[-1], "speaker": "customer", "text": spoken})
        elif spoken:
            notes.append(spoken)
    _take_description(native, messages, requester, people)
    # Exports list the newest first where somebody chose so.
    if all("at" in message for message in messages):
        messages.sort(key=lambda message: message["at"])
    return messages, notes


def _message(native: Native, path: Path, speaker: str, text: str) -> dict[str, Any]:
    message = {
        "speaker": speaker,
        "text": text,
        "at": native.time(*path, "created_at"),
        "message_id": native.name(*path, "id"),
    }
    return {name: item for name, item in message.items() if item is not None}


def _comment_text(native: Native, path: Path) -> str:
    """The words of a comment, in its plainest form; the other forms are taken where they say no more."""
    html = native.look(*path, "html_body")
    found = native.text(*path, "plain_body") or native.text(*path, "body")
    for name in ("plain_body", "body"):
        other = native.look(*path, name)
        if (
            isinstance(other, str)
            and found is not None
            and unescape(other).split() == unescape(found).split()
        ):
            native.take(*path, name)
    if isinstance(html, str) and not loses_something(html):
        native.take(*path, "html_body")
    if found is None:
        return html_to_text(html) if isinstance(html, str) else ""
    return unescape(found).replace("\xa0", " ").strip()


def _take_description(
    native: Native, messages: list[dict[str, Any]], requester: str | None, people: dict[str, dict[str, Any]]
) -> None:
    description = native.look("description")
    if not isinstance(description, str) or not description.strip():
        return
    text = unescape(description).strip()
    if not messages:
        native.take("description")
        author = native.look("submitter_id") or native.look("requester_id")
        message = {"speaker": _speaker(author, requester, people), "text": text}
        at = native.time("created_at")
        messages.append({**message, "at": at} if at else message)
    elif any(text.split() == message["text"].split() for message in messages):
        native.take("description")


def _speaker(author: Any, requester: str | None, people: dict[str, dict[str, Any]]) -> str:
    key = str(author)
    if author is None or key in ("-1", "0"):
        return "system"
    if key == requester or people.get(key, {}).get("role") == "end-user":
        return "customer"
    return "agent"


def _tags(native: Native) -> list[str]:
    tags = native.look("tags")
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        return [tag for tag in native.take("tags") if tag]
    return (native.text("tags") or "").split()


def _talk(native: Native) -> float | None:
    lengths = [native.number(*path, "data", "call_duration") for path in native.each("comments")]
    known = [length for length in lengths if length is not None]
    return sum(known) if known else None


def _metric_path(native: Native, name: str) -> Path | None:
    for key in _METRICS:
        for path in ((key, name), (key, 0, name)):
            if native.look(*path) is not None:
                return path
    return None


def _metric_time(native: Native, name: str) -> str | None:
    path = _metric_path(native, name) or (name,)
    return native.time(*path)


def _minutes(native: Native, name: str) -> float | None:
    """A metric in calendar minutes, as seconds."""
    path = _metric_path(native, name)
    minutes = native.number(*path, "calendar") if path else None
    return None if minutes is None else minutes * 60


def _first_answer(messages: list[dict[str, Any]]) -> float | None:
    asked = next((m.get("at") for m in messages if m["speaker"] == "customer"), None)
    if asked is None:
        return None
    answers = (seconds_between(asked, m.get("at")) for m in messages if m["speaker"] == "agent")
    return next((seconds for seconds in answers if seconds is not None), None)


def _satisfaction(native: Native) -> dict[str, Any] | None:
    path: Path = ("satisfaction_rating",)
    rating = native.look(*path)
    if isinstance(rating, dict):
        path = (*path, "score")
        rating = rating.get("score")
    if isinstance(rating, str) and rating.lower() in _THUMBS:
        # With a comment or without is said by the comment itself, which stays.
        native.take(*path)
        return {"scale": "thumbs", "score": _THUMBS[rating.lower()]}
    if isinstance(rating, str) and rating.lower() in _NO_ANSWER:
        return None
    score = native.number(*path) if str(rating) in ("1", "2", "3", "4", "5") else None
    return None if score is None else {"scale": "csat_5", "score": score}


def _people_in(ticket: dict[str, Any]) -> list[str]:
    """The ids of everybody in a ticket, in order, each once."""
    comments = ticket.get("comments")
    authors = (
        [c.get("author_id") for c in comments if isinstance(c, dict)] if isinstance(comments, list) else []
    )
    ids = [ticket.get("requester_id"), ticket.get("submitter_id"), ticket.get("assignee_id"), *authors]
    return list(dict.fromkeys(str(i) for i in ids if i is not None))

"""One Zendesk ticket, with what was found about it, as a record."""

from __future__ import annotations

import re
from typing import Any

from carelog.sources.formats._documents import Mapped
from carelog.sources.formats._leftovers import Native, Path, without_absent
from carelog.sources.formats._times import seconds_between
from carelog.sources.formats._zendesk_comments import People, find_comments, read_comments

NUMBERS = ("id", "_id", "ticket_id", "nice_id", "zendesk_id", "zendesk_ticket_id")
"""The names under which tickets and scripts keep a ticket's number."""
_CHATS = frozenset(
    (
        "chat", "native_messaging", "messaging", "sms", "facebook", "twitter", "instagram_dm", "whatsapp",
        "line", "telegram", "viber", "wechat", "apple_business_chat", "google_business_messages", "kakaotalk",
        "sunshine_conversations_api", "sunshine_conversations_facebook_messenger", "facebook_message",
        "facebook_post", "twitter_dm", "twitter_favorite", "chat_transcript", "chat_offline_message", "google_rcs",
        "sunshine_conversations_twitter_dm", "mobile_sdk_messaging", "business_messaging_slack_connect",
    )
)  # fmt: skip
_CALLS = frozenset(
    ("voice", "phone", "voicemail", "api_phone_call_inbound", "api_phone_call_outbound", "api_voicemail")
)
_STATUS = {
    "new": "open", "open": "open", "pending": "open", "hold": "open", "solved": "closed", "closed": "closed",
    "deleted": "closed", "on-hold": "open",
}  # fmt: skip
_THUMBS = {"good": 1, "good_with_comment": 1, "bad": 0, "bad_with_comment": 0}
_NO_ANSWER = frozenset(("offered", "unoffered"))
_METRICS = ("metric_set", "metrics", "ticket_metrics", "metric_sets", "ticket_metric", "dates")


def to_record(ticket: dict[str, Any], zone: str | None) -> Mapped:
    """A ticket, with its comments and the people in it (`users`), as a record, and what was remarkable."""
    native = Native(ticket, zone)
    number = next((found for key in NUMBERS if (found := native.name(key))), None)
    people = _find_people(native)
    comments = find_comments(native)
    channel = _channel_of(native, [native.look(*comment.path, "type") for comment in comments])
    messages, notes = read_comments(native, comments, people, channel)
    started_at = native.time("created_at") or next((m["at"] for m in messages if "at" in m), None)
    value = {
        "interaction_id": f"zendesk-{number}" if number else None,
        "channel": channel,
        "started_at": started_at,
        "ended_at": _metric_time(native, "solved_at"),
        "status": _status_of(native, channel),
        **_sides(native, people.requester, messages, channel),
        "customer_id": _who(native, "requester") or _who(native, "submitter"),
        "agent_id": _who(native, "assignee"),
        "queue": _who(native, "group"),
        "subject": _subject(native),
        "tags": _tags(native),
        "messages": messages,
        "notes": "\n\n".join(notes),
        "talk_seconds": _talk(native, [comment.path for comment in comments]),
        "first_response_seconds": _minutes(native, "reply_time_in_minutes"),
        "resolution_seconds": _minutes(native, "full_resolution_time_in_minutes"),
        "satisfaction": _satisfaction(native),
        "source": {"system": "zendesk", **({"record_id": number} if number else {})},
    }
    if value["first_response_seconds"] is None:
        value["first_response_seconds"] = _first_answer(messages)
    return Mapped(without_absent({**value, "extra": native.rest()}), native.faults)


def _find_people(native: Native) -> People:
    """Who stands beside the ticket, and who in it."""
    people = People(requester=_look_for(native, "requester"))
    for path in (*native.each("users"), ("requester",), ("submitter",), ("assignee",)):
        who = native.look(*path)
        if isinstance(who, dict) and who.get("id") is not None:
            people.known.setdefault(str(who["id"]), who)
    asked = people.known.get(people.requester or "", {})
    inside = native.look("requester")
    for who in (asked, inside if isinstance(inside, dict) else {}):
        people.names |= {v for key in ("name", "email") if isinstance(v := who.get(key), str) and v.strip()}
    for key in ("requester", "requester_name", "requester_email"):
        if isinstance(name := native.look(key), str) and name.strip():
            people.names.add(name)
    return people


def _places(role: str) -> tuple[Path, ...]:
    inside = ((role, "id"), (role, "email"), (role, "name"), (role,))
    return ((f"{role}_id",), *inside, (f"{role}_email",), (f"{role}_name",))


def _look_for(native: Native, role: str) -> str | None:
    found = (native.look(*path) for path in _places(role))
    return next((str(one) for one in found if isinstance(one, (int, str)) and one != ""), None)


def _who(native: Native, role: str) -> str | None:
    return next((found for path in _places(role) if (found := native.name(*path))), None)


def _subject(native: Native) -> str | None:
    subject, raw = native.text("subject"), native.look("raw_subject")
    if subject is None or subject == raw:
        return native.text("raw_subject") or subject
    return subject


def _via(native: Native) -> str:
    found = native.look("via", "channel") or native.look("via") or native.look("channel")
    return found.lower().replace(" ", "_") if isinstance(found, str) else ""


def _channel_of(native: Native, kinds: list[Any]) -> str:
    via = _via(native)
    if via in _CALLS or kinds[:1] in (["VoiceComment"], ["TpeVoiceComment"]):
        return "phone"
    return "chat" if via in _CHATS or native.look("from_messaging_channel") is True else "email"


def _status_of(native: Native, channel: str) -> str | None:
    if channel == "phone" and native.look("via", "source", "rel") == "voicemail":
        return "voicemail"
    status = native.look("status")
    return _STATUS.get(status.lower(), "unknown") if isinstance(status, str) else None


def _sides(
    native: Native, requester: str | None, messages: list[dict[str, Any]], channel: str
) -> dict[str, str]:
    """Direction and initiative: how the call went, else who opened the ticket and wrote first."""
    rel = native.look("via", "source", "rel")
    submitter = _look_for(native, "submitter")
    if rel in ("inbound", "voicemail"):
        return {"direction": "inbound", "initiative": "reactive"}
    # Of a chat, whoever closed it is the submitter.
    is_ours = None not in (requester, submitter) and submitter not in ("-1", requester) and channel != "chat"
    wrote_first = bool(messages) and messages[0]["speaker"] != "customer"
    if rel == "outbound" or (is_ours and (wrote_first or not messages)):
        return {"direction": "outbound", "initiative": "proactive"}
    return {"direction": "inbound", "initiative": "reactive"} if requester else {"direction": "unknown"}


def _tags(native: Native) -> list[str]:
    tags = native.look("tags")
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        return [tag for tag in native.take("tags") if tag]
    return [tag for tag in re.split(r"[\s,]+", native.text("tags") or "") if tag]


def _talk(native: Native, comments: list[Path]) -> float | None:
    lengths = [native.number(*path, "data", "call_duration") for path in comments]
    known = [length for length in lengths if length is not None]
    return sum(known) if known else None


def _metric_path(native: Native, name: str) -> Path | None:
    for key in _METRICS:
        if key in native.record:
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
    if native.look(*path) is None and native.look("satisfaction_ratings", 0, "score") is not None:
        path = ("satisfaction_ratings", 0)
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

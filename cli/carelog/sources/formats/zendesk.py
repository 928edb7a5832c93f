"""Zendesk Support tickets as JSON: the account's export (a ticket a line, with `requester`, `assignee` and
`comments` inside), pages of its API (lists, incremental and search exports, with what is side-loaded beside
the tickets), and what scripts put together of them, with comments, satisfaction and metrics where they are.

A public comment is a message, an internal one (`public: false`) goes to `notes`. A ticket is no mail always:
`via.channel` decides. `submitter_id` other than `requester_id` means that an agent opened it. Times carry
their offset, metrics are minutes and become seconds. A score of `offered` or `unoffered` is no answer.
Sources: the vendor's help pages and field types as design notes give them; that people are objects in the
account's export is seen in a public converter of it (zendesk-flatfile).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
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
from carelog.sources.formats._times import seconds_between
from carelog.sources.formats._zendesk_comments import People, find_comments, read_comments
from carelog.sources.streams import Opened

NAME = "zendesk"
LISTS = (
    "tickets", "results", "requests", "data.tickets", "data", "items", "records", "",
)  # fmt: skip
"""The last is for tickets by their numbers (`{"501": {…}, "502": {…}}`)."""
_INSIDE = ("ticket", "request", "detail", "record", "_airbyte_data")
"""Under these names a document holds one ticket, beside its comments and what else a script fetched."""
_ASKED = frozenset(
    ("requester_id", "requester", "submitter_id", "submitter", "zendesk_id", "zendesk_ticket_id")
)
_MARKS = frozenset(
    (
        "requester_id", "submitter_id", "submitter", "assignee_id", "assignee", "via", "brand_id", "raw_subject",
        "satisfaction_rating", "has_incidents", "ticket_form_id", "followup_ids", "problem_id", "metric_set",
        "organization_id", "collaborator_ids", "ticket_id",
    )
)  # fmt: skip
_OTHERS = frozenset(("responder_id", "fr_due_by", "csid", "assignee_user", "conversation_parts", "inbox_id"))
"""Keys of other systems whose tickets have a requester, too."""
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
_NUMBERS = ("id", "_id", "ticket_id", "nice_id", "zendesk_id", "zendesk_ticket_id")
_BESIDE = {
    "groups": "group_id", "organizations": "organization_id", "brands": "brand_id", "ticket_forms": "ticket_form_id"
}  # fmt: skip
_OF_PAGE = frozenset(
    ("next_page", "previous_page", "count", "end_time", "end_of_stream", "after_cursor", "after_url")
)
_PARTS = {"comments": {"author_id", "audit_id"}, "satisfaction_ratings": {"ticket_id", "score"}}
_NO_TICKET = Fault("not_a_ticket", "the object is no Zendesk ticket: it has no id and no requester_id")
_OTHER_KIND = "the object is a {}, no ticket"
_ONLY_PART = "the object holds {} without their ticket: export the tickets, with these inside them"


def detect_zendesk(head: bytes, name: str) -> str | None:
    """Whether its first object is a ticket, or a page of tickets."""
    keys = find_keys(head)
    if is_canonical(keys):
        return None
    for path, found in keys.items():
        if not _may_hold(path) or found & _OTHERS:
            continue
        if b".zendesk.com/api/v2/tickets/" in head and {"url", "status"} <= found:
            return "its first object is a Zendesk ticket (its url says so)"
        if found & _ASKED and (len(found & _MARKS) > 1 or {"subject", "status"} <= found):
            which = min(found & _ASKED, key=lambda key: (key != "requester_id", key))
            return f"its first object is a Zendesk ticket (it has a {which})"
    return _detect_parts(keys)


def _may_hold(path: str) -> bool:
    """Whether tickets can stand at a path: at the top, in a list or below a known name, perhaps by their ids."""
    if path.rpartition(".")[2] in _INSIDE:
        path = path.rpartition(".")[0]
    above, _, last = path.rpartition(".")
    return path in LISTS or (above in LISTS and (bool(above) or last.isdecimal()))


def _detect_parts(keys: dict[str, set[str]]) -> str | None:
    """A page without tickets, or with what belongs into tickets: it is known, and reading says what it lacks."""
    if "tickets" in keys[""] and "tickets" not in keys and keys[""] & _OF_PAGE:
        return "it is a page of Zendesk tickets, with none in it"
    for name, marks in _PARTS.items():
        if name in keys[""] and keys.get(name, set()) >= marks:
            return f"it holds {name} of Zendesk tickets"
    return None


def read_zendesk(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The tickets of an input, in chunks."""
    return read_documents(opened, options, NAME, LISTS, ("requester_id", "requester", "submitter_id"))


def parse_zendesk(chunk: Chunk) -> Block:
    """A chunk of tickets, or of pages of them, as records."""
    return parse_records(chunk, partial(_to_tickets, _Beside()), LISTS)


@dataclass(slots=True)
class _Beside:
    """What stands beside the tickets of the page that was looked at last: objects by their own id, and by the
    ticket that they belong to.
    """

    page: dict[str, Any] = field(default_factory=dict)
    by_id: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    by_ticket: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

    def look_at(self, page: dict[str, Any]) -> None:
        """Sort the objects of a page, once for all its tickets."""
        if page is self.page:
            return
        self.page, self.by_id, self.by_ticket = page, {}, {}
        for name in page.keys() - set(LISTS):
            self._sort(name, page[name])

    def _sort(self, name: str, found: Any) -> None:
        if isinstance(found, dict) and all(isinstance(item, list) for item in found.values()):
            self.by_ticket[name] = {
                key: [i for i in item if isinstance(i, dict)] for key, item in found.items()
            }
            return
        items = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
        for item in items:
            if isinstance(item, dict) and "ticket_id" in item:
                self.by_ticket.setdefault(name, {}).setdefault(str(item["ticket_id"]), []).append(item)
            elif isinstance(item, dict) and "id" in item:
                self.by_id.setdefault(name, {})[str(item["id"])] = item


def _to_tickets(beside: _Beside, piece: Piece, options: ReadOptions) -> Iterator[Mapped | Fault]:
    """The ticket of an object: itself, or the one that it holds beside its comments."""
    beside.look_at(piece.page)
    ticket = piece.value
    inner = next((ticket[key] for key in _INSIDE if isinstance(ticket.get(key), dict)), None)
    if inner is not None:
        ticket = {**{k: v for k, v in ticket.items() if v is not inner and k not in inner}, **inner}
    kind = ticket.get("result_type")
    part = next((name for name in _PARTS if isinstance(ticket.get(name), list)), None)
    if part is not None and "id" not in ticket:
        yield Fault("not_a_ticket", _ONLY_PART.format(part.replace("_", " ")))
    elif not any(key in ticket for key in _NUMBERS) or not ("created_at" in ticket or ticket.keys() & _ASKED):
        yield _NO_TICKET
    elif kind not in (None, "ticket") or ("score" in ticket and "ticket_id" in ticket):
        shown = (
            kind if kind in ("user", "organization", "group", "article", "topic") else "satisfaction rating"
        )
        yield Fault("not_a_ticket", _OTHER_KIND.format(shown))
    else:
        yield _to_record(_joined(ticket, beside), beside, options)


def _joined(ticket: dict[str, Any], beside: _Beside) -> dict[str, Any]:
    """A ticket with what the page holds about it: comments, metrics, its group and the like."""
    number = str(next((ticket[key] for key in _NUMBERS if key in ticket), ""))
    found: dict[str, Any] = {}
    for name, tickets in beside.by_ticket.items():
        if number in tickets:
            found[name] = tickets[number]
    for name, key in _BESIDE.items():
        if (item := beside.by_id.get(name, {}).get(str(ticket.get(key)))) is not None:
            found[name.removesuffix("s")] = item
    return {**found, **ticket}


def _to_record(ticket: dict[str, Any], beside: _Beside, options: ReadOptions) -> Mapped:
    native = Native(ticket, options.zone)
    number = next((found for key in _NUMBERS if (found := native.name(key))), None)
    people = _find_people(native, beside)
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
    extra = native.rest()
    known = beside.by_id.get("users", {})
    users = [known[key] for key in _people_in(native, [c.path for c in comments]) if key in known]
    if users:
        extra["users"] = users
    return Mapped(without_absent({**value, "extra": extra}), native.faults)


def _find_people(native: Native, beside: _Beside) -> People:
    """Who stands beside the ticket, and who in it."""
    people = People(dict(beside.by_id.get("users", {})), _look_for(native, "requester"))
    for path in (("requester",), ("submitter",), ("assignee",), *native.each("users")):
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


def _people_in(native: Native, comments: list[Path]) -> list[str]:
    """The ids of everybody in a ticket, in order, each once."""
    ids = [native.look(f"{role}_id") for role in ("requester", "submitter", "assignee")]
    ids += [native.look(*path, "author_id") for path in comments]
    for key in ("collaborator_ids", "follower_ids", "email_cc_ids"):
        listed = native.look(key)
        ids += listed if isinstance(listed, list) else []
    return list(dict.fromkeys(str(i) for i in ids if i is not None))

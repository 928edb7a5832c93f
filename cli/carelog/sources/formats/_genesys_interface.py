"""Conversations as Genesys Cloud's interface gives them (`GET /api/v2/conversations/{id}`, and the same of one
kind under `/conversations/calls`), in the shape of conversation details.

There a conversation has an `id`; a participant has a list for each medium (`calls`, `chats` …) whose entries
have segments, or, under the address of one kind, is such an entry itself. Fields: the models Conversation and
CallMediaParticipant of the platform's Python client.
"""

from __future__ import annotations

from typing import Any

_MEDIA = {
    "calls": "voice", "callbacks": "callback", "chats": "chat", "messages": "message", "emails": "email",
    "videos": "video", "cobrowsesessions": "cobrowse", "screenshares": "screenshare",
    "socialExpressions": "social",
}  # fmt: skip
MARKS = frozenset({*_MEDIA, "connectedTime", "wrapupRequired", "wrapup"})
"""Keys of participants that tell this shape, beside `purpose`."""
_CONVERSATION = {"id": "conversationId", "startTime": "conversationStart", "endTime": "conversationEnd"}
_PARTICIPANT = {"id": "participantId", "name": "participantName"}
_SEGMENT = {"startTime": "segmentStart", "endTime": "segmentEnd", "type": "segmentType"}
_OF_SESSION = ("direction", "ani", "dnis", "disconnectType", "provider", "peer", "state")
_TIMES = ("startTime", "connectedTime", "endTime")
_CUSTOMERS = ("customer", "external")
_Value = dict[str, Any]


def to_details(value: _Value) -> _Value:
    """The conversation in the shape of details; what is in that shape already, or in none known, as it is."""
    event = value.get("eventBody")
    if isinstance(event, dict) and _is_interface(event):
        return {**{name: item for name, item in value.items() if name != "eventBody"}, **to_details(event)}
    if not _is_interface(value):
        return value
    people = _objects(value["participants"])
    found = _renamed(value, _CONVERSATION)
    kind = next((name for name in _MEDIA if f"/conversations/{name}/" in str(value.get("selfUri"))), "calls")
    found["participants"] = [_to_participant(person, _MEDIA[kind]) for person in people]
    found.setdefault("conversationStart", min(_texts(people, "startTime", "connectedTime"), default=None))
    if people and all(isinstance(person.get("endTime"), str) for person in people):
        found.setdefault("conversationEnd", max(_texts(people, "endTime")))
    sessions = [session for person in found["participants"] for session in person["sessions"]]
    found.setdefault("originatingDirection", next(iter(_texts(sessions, "direction")), None))
    return found


def _is_interface(value: _Value) -> bool:
    people = value.get("participants")
    if "conversationId" in value or not isinstance(people, list) or not isinstance(value.get("id"), str):
        return False
    return any("purpose" in person and MARKS & set(person) for person in _objects(people))


def _objects(value: Any) -> list[_Value]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(values: list[_Value], *names: str) -> list[str]:
    return [text for value in values for name in names if isinstance(text := value.get(name), str) and text]


def _renamed(value: _Value, names: dict[str, str]) -> _Value:
    return {name if names.get(name) in value else names.get(name, name): item for name, item in value.items()}


def _to_participant(person: _Value, own_kind: str) -> _Value:
    found = _renamed(person, _PARTICIPANT)
    for name, key in (("user", "userId"), ("externalContact", "externalContactId")):
        inner = person.get(name)
        if isinstance(inner, dict) and isinstance(inner.get("id"), str):
            found.setdefault(key, inner["id"])
    media = {name: found.pop(name) for name in _MEDIA if _objects(found.get(name))}
    sessions = [
        _to_session(entry, _MEDIA[name], person)
        for name, entries in media.items()
        for entry in _objects(entries)
    ]
    if not sessions and not any(name in person for name in _MEDIA):
        own = {name: found.pop(name) for name in _OF_SESSION if name in found}
        own |= {name: person[name] for name in _TIMES if name in person}
        sessions = [_to_session(own, own_kind, person)]
    found["sessions"] = sessions
    return found


def _to_session(entry: _Value, kind: str, person: _Value) -> _Value:
    """A session; where it has no segments, one that says whether and when it was connected."""
    session = {"mediaType": kind, **entry}
    segments = [_renamed(segment, _SEGMENT) for segment in _objects(entry.get("segments"))]
    for segment in segments:
        segment["segmentType"] = str(segment.get("segmentType", "")).lower()
    session["segments"] = segments or [_own_segment(entry, person)]
    queue = person.get("queue")
    inner = queue if isinstance(queue, dict) else {}
    names = (person.get("queueName"), inner.get("name"), person.get("queueId"), inner.get("id"))
    told = next((name for name in names if isinstance(name, str) and name), None)
    if told is not None:
        session["segments"][-1].setdefault("queueId", told)
    session["segments"] += _after_work(entry, person)
    if person.get("purpose") in _CUSTOMERS:
        side = "dnis" if session.get("direction") == "outbound" else "ani"
        address = person.get(side) or person.get("address") or _address(entry)
        if isinstance(address, str):
            session.setdefault(side, address)
    return session


def _own_segment(entry: _Value, person: _Value) -> _Value:
    connected = entry.get("connectedTime")
    begun = connected or entry.get("startAlertingTime") or entry.get("startTime") or person.get("startTime")
    ended = entry.get("disconnectedTime") or entry.get("endTime") or person.get("endTime")
    segment = {
        "segmentType": "interact" if connected else "alert",
        "segmentStart": begun,
        "segmentEnd": ended,
    }
    return {**segment, "disconnectType": entry.get("disconnectType")}


def _after_work(entry: _Value, person: _Value) -> list[_Value]:
    """The segment of the work after the contact, with the code and notes of its wrap-up."""
    wrapup = next((w for w in (entry.get("wrapup"), person.get("wrapup")) if isinstance(w, dict)), {})
    work = next((w for w in (entry.get("afterCallWork"),) if isinstance(w, dict)), {})
    begun = work.get("startTime") or person.get("startAcwTime")
    ended = work.get("endTime") or person.get("endAcwTime")
    told = {
        "wrapUpCode": wrapup.get("code"),
        "wrapUpNote": wrapup.get("notes"),
        "wrapUpTags": wrapup.get("tags"),
    }
    if not begun and not any(told.values()):
        return []
    return [{"segmentType": "wrapup", "segmentStart": begun, "segmentEnd": ended, **told}]


def _address(entry: _Value) -> str | None:
    own = entry.get("self")
    found = own.get("addressNormalized") or own.get("addressRaw") if isinstance(own, dict) else None
    return found if isinstance(found, str) else None

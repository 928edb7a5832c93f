"""Amazon Connect's contact events, as an event bus delivers them: each tells of one step of a contact, and newer
ones repeat what was known before. Of one contact they are put together to a contact as the interface gives it.
Fields: the administrator guide's page on contact events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

KIND = "Amazon Connect Contact Event"
_INNER = ("AgentInfo", "QueueInfo", "CustomerEndpoint", "SystemEndpoint", "Campaign")
_TOLD_BY = {
    "INITIATED": (None, "InitiationTimestamp"),
    "QUEUED": ("QueueInfo", "EnqueueTimestamp"),
    "CONNECTED_TO_AGENT": ("AgentInfo", "ConnectedToAgentTimestamp"),
    "DISCONNECTED": (None, "DisconnectTimestamp"),
}
"""Which time the step of an event is; events of earlier years have no other."""
_Value = dict[str, Any]


def to_contact(event: _Value) -> _Value:
    """The contact that an event tells of, under the interface's names; anything else as it is."""
    detail = event.get("detail")
    if event.get("detail-type") != KIND or not isinstance(detail, dict):
        return event
    contact = _with_capitals(detail)
    for name in _INNER:
        inner = contact.get(name)
        if isinstance(inner, dict):
            contact[name] = _with_capitals(inner)
    for name, key in (("AgentInfo", "AgentArn"), ("QueueInfo", "QueueArn")):
        inner = contact.get(name)
        if isinstance(inner, dict) and isinstance(inner.get(key), str):
            inner.setdefault("Id", inner[key].rpartition("/")[2])
    if isinstance(contact.get("Channel"), str):
        contact["Channel"] = contact["Channel"].upper()
    _add_time(contact, event.get("time"))
    told = {name: item for name, item in event.items() if name != "detail"}
    contact["Events"] = [{**told, "eventType": contact.pop("EventType", None)}]
    return contact


def _with_capitals(value: _Value) -> _Value:
    found = {name[:1].upper() + name[1:]: item for name, item in value.items()}
    return found if len(found) == len(value) else dict(value)


def _add_time(contact: _Value, time: Any) -> None:
    above, name = _TOLD_BY.get(str(contact.get("EventType")), (None, ""))
    if not name or not isinstance(time, str):
        return
    place = contact if above is None else contact.setdefault(above, {})
    if isinstance(place, dict):
        place.setdefault(name, time)


def is_of_event(contact: _Value) -> bool:
    """Whether a contact is what an event tells of it."""
    events = contact.get("Events")
    return (
        isinstance(events, list)
        and bool(events)
        and isinstance(events[0], dict)
        and "detail-type" in events[0]
    )


def join_events(contacts: Sequence[_Value]) -> _Value:
    """What all events together tell of a contact: of each field the last."""
    joined: _Value = {}
    events: dict[bytes, Any] = {}
    for contact in sorted(contacts, key=lambda one: str(one["Events"][0].get("time") or "")):
        # An event bus delivers some events again.
        events.update((orjson.dumps(event), event) for event in contact["Events"])
        for name, item in contact.items():
            known = joined.get(name)
            if isinstance(known, dict) and isinstance(item, dict):
                item = {**known, **item}
            joined[name] = item
    return {**joined, "Events": list(events.values())}

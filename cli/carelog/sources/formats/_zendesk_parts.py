"""What belongs into a Zendesk ticket but came as an object, a page or a file of its own, with a `ticket_id`."""

from __future__ import annotations

from typing import Any

from carelog.sources.formats._leftovers import Native
from carelog.sources.formats._zendesk_comments import find_comments

_KINDS: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = (
    ("audits", frozenset(("events", "author_id")), frozenset()),
    ("comments", frozenset(("author_id",)), frozenset(("body", "html_body", "plain_body"))),
    ("metric_sets", frozenset(("reply_time_in_minutes",)), frozenset()),
    ("satisfaction_ratings", frozenset(("score",)), frozenset(("requester_id", "assignee_id"))),
)
"""The name in a ticket, the keys that each such object has, and keys of which it has one; beside `ticket_id`."""
PAGES = {
    "audits": "audits", "ticket_audits": "audits", "comments": "comments", "ticket_comments": "comments",
    "ticket_metrics": "metric_sets", "metric_sets": "metric_sets", "satisfaction_ratings": "satisfaction_ratings",
}  # fmt: skip
_OF_TICKETS = frozenset(("subject", "raw_subject", "description", "status"))
_OWN = frozenset(("public", "audit_id", "via", "metadata", "reopens", "reason_id", "group_id"))
"""Keys that other systems' objects with a `ticket_id` do not have."""


def kind_of(item: dict[str, Any] | set[str]) -> str | None:
    """Under which name an object belongs into its ticket; None if it is no part of one."""
    keys = item.keys() if isinstance(item, dict) else item
    if "ticket_id" not in keys or keys & _OF_TICKETS:
        return None
    return next(
        (name for name, all_of, one_of in _KINDS if keys >= all_of and (not one_of or keys & one_of)), None
    )


def detect_part(keys: dict[str, set[str]]) -> str | None:
    """Whether the first object is such a part, or a page of them."""
    if (kind := kind_of(keys[""])) is not None and keys[""] & _OWN:
        return f"its first object belongs into a Zendesk ticket ({kind.replace('_', ' ')})"
    for name in PAGES.keys() & keys[""]:
        inside = keys.get(name, set())
        if {"author_id", "audit_id"} <= inside or (kind_of(inside) is not None and inside & _OWN):
            return f"it holds {name.replace('_', ' ')} of Zendesk tickets"
    return None


def parts_of(page: dict[str, Any]) -> tuple[str, list[Any]] | None:
    """The name of the list in a page that has no tickets but what belongs into them, and the list."""
    name = next((name for name in PAGES if isinstance(page.get(name), list)), None)
    return None if name is None or "id" in page else (name, page[name])


def with_parts(ticket: dict[str, Any], parts: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """A ticket with its parts; what it has already does not come twice."""
    has_comments = bool(find_comments(Native(ticket)))
    result = dict(ticket)
    for kind in dict.fromkeys(kind for kind, _ in parts):
        inside = ticket.get(kind)
        known = inside if isinstance(inside, list) else []
        seen = {_number(item) for item in known}
        found = {_number(item): item for name, item in parts if name == kind}
        new = [item for number, item in found.items() if number not in seen]
        is_free = known or (inside is None and not (kind == "comments" and has_comments))
        result[kind if is_free else f"other_{kind}"] = [*known, *new]
    return result


def _number(item: Any) -> str:
    return str(item["id"]) if isinstance(item, dict) and "id" in item else repr(item)

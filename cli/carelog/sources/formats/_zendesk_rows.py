"""Zendesk tickets in tables: the CSV export of an account or a view, and the API's tickets that a script wrote
as CSV (`via.channel`, lists and objects as texts). A row becomes the ticket that the API would give.

Its clocks are the account's and carry no offset: `--tz` says it. Columns that have no place in a ticket stay
as they are. Source: the header as public readers of such exports list it.
"""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache
from typing import Any

import orjson

from carelog.sources.blocks import Fault, ReadOptions
from carelog.sources.formats._mapping import Rule
from carelog.sources.formats._mapping_values import UnclearError, to_time
from carelog.sources.formats._table_rows import columns_of, fold_name

_PLACES: dict[str, tuple[str, ...]] = {
    "id": ("id",), "ticketid": ("id",),
    "requester": ("requester_name",), "requestername": ("requester_name",), "requesteremail": ("requester_email",),
    "submitter": ("submitter_name",), "assignee": ("assignee_name",), "group": ("group",),
    "subject": ("subject",), "description": ("description",), "tags": ("tags",), "status": ("status",),
    "via": ("via", "channel"), "channel": ("via", "channel"),
    "created": ("created_at",), "requested": ("created_at",), "updated": ("updated_at",), "solved": ("solved_at",),
    "satisfaction": ("satisfaction_rating", "score"), "satisfactionscore": ("satisfaction_rating", "score"),
    "satisfactioncomment": ("satisfaction_rating", "comment"),
    "firstreplytimeinminutes": ("metric_set", "reply_time_in_minutes", "calendar"),
    "fullresolutiontimeinminutes": ("metric_set", "full_resolution_time_in_minutes", "calendar"),
}  # fmt: skip
_AS_API = frozenset(
    (
        "requester_id", "submitter_id", "assignee_id", "group_id", "organization_id", "brand_id", "created_at",
        "updated_at", "solved_at", "raw_subject", "satisfaction_rating", "metric_set", "comments", "audits",
    )
)  # fmt: skip
_API_NAMES = {fold_name(name): name for name in _AS_API}
_DOTTED = re.compile(r"[a-z_]+(\.[a-z0-9_]+){1,3}")
_TIMES = ("created_at", "updated_at", "solved_at")
_MARKS = frozenset(
    (
        "summationcolumn", "requesterid", "satisfactionscore", "satisfactionratingscore", "viachannel",
        "firstreplytimeinminutes",
    )
)  # fmt: skip
_OTHERS = frozenset(("responderid", "frdueby", "interactionid", "responseid", "conversationid"))
_NOTHING = frozenset(("", "-", "nan", "none", "null", "n/a"))
_UNCLEAR = "`{}` is no time, or its day and month cannot be told apart (--date-order tells them); it is kept under extra"
_LONGEST_LIST = 1 << 20
_CALLS = re.compile(r"\b(phone|call|voice|voicemail)\b", re.IGNORECASE)
_CHATS = re.compile(
    r"chat|messag|\b(sms|text|facebook|twitter|instagram|whatsapp|line|telegram|viber|wechat|x corp)\b",
    re.IGNORECASE,
)


def detect_rows(head: bytes) -> str | None:
    """Whether a table's header names columns of Zendesk tickets."""
    if head[:1] in (b"{", b"[", b"<", b"\0"):
        return None
    columns = {fold_name(name) for name in columns_of(head)}
    is_ticket = columns & {"id", "ticketid"} and columns & {"createdat", "created", "requested"}
    if is_ticket and "status" in columns and columns & _MARKS and not columns & _OTHERS:
        return "its header names columns of Zendesk tickets"
    return None


def to_ticket(cells: dict[str, str], options: ReadOptions, faults: list[Fault]) -> dict[str, Any]:
    """The ticket that a row says, as the API would give it; `faults` gets what is wrong with its times."""
    ticket: dict[str, Any] = {}
    for name, cell in cells.items():
        if cell.lower() not in _NOTHING:
            _put(ticket, _place_of(name), name, _value_of(cell))
    for name in _TIMES:
        if isinstance(text := ticket.pop(name, None), str):
            try:
                ticket[name] = to_time(text, Rule(name, "time", order=options.date_order or ""))[0] or text
            except UnclearError:
                ticket[f"{name} (column)"] = text
                faults.append(Fault("not_a_time", _UNCLEAR.format(name)))
    for name in [name for name in ticket if name == "id" or name.endswith("_id")]:
        # A column of numbers with gaps becomes one of fractions in many tools.
        ticket[name] = str(ticket[name]).removesuffix(".0")
    if "submitter_name" in ticket and ticket["submitter_name"] == ticket.get("requester_name"):
        ticket.setdefault("submitter_id", ticket.get("requester_id", ticket["submitter_name"]))
    _tidy(ticket)
    return ticket


@lru_cache(maxsize=4096)
def _place_of(name: str) -> tuple[str, ...]:
    if _DOTTED.fullmatch(name):
        return tuple(name.split("."))
    folded = fold_name(name)
    return _PLACES.get(folded) or (_API_NAMES.get(folded, name),)


def _put(ticket: dict[str, Any], place: tuple[str, ...], name: str, value: Any) -> None:
    """Set a value at its place; under its column's name where something else is there."""
    inner: Any = ticket
    if isinstance(value, dict):
        place = place[:1]
    for key in place[:-1]:
        inner = inner.setdefault(key, {}) if isinstance(inner, dict) else None
    if isinstance(inner, dict) and place[-1] not in inner:
        inner[place[-1]] = value
    else:
        ticket[f"{name} (column)"] = value


def _value_of(cell: str) -> Any:
    """A cell; a list or an object where a script wrote one as a text."""
    if cell[0] not in "[{" or cell[-1] not in "]}" or len(cell) > _LONGEST_LIST:
        return cell
    for read in (json.loads, ast.literal_eval):
        try:
            found = orjson.loads(orjson.dumps(read(cell)))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(found, (list, dict)):
            return found
    return cell


def _tidy(ticket: dict[str, Any]) -> None:
    """Words that people see (`Phone call (incoming)`, `Not Offered`) as the API's."""
    via, rating = ticket.get("via"), ticket.get("satisfaction_rating")
    if isinstance(via, dict) and isinstance(name := via.get("channel"), str):
        if _CALLS.search(name):
            ways = {"inc": "inbound", "inb": "inbound", "out": "outbound", "voi": "voicemail"}
            way = next(
                (w for start, w in ways.items() if re.search(rf"\b{start}", name, re.IGNORECASE)), None
            )
            ticket["via"] = {"channel": "phone", "name": name, "source": {"rel": way}}
        elif _CHATS.search(name):
            ticket["via"] = {**via, "channel": "chat", "name": name}
            if "subject" in ticket and not ticket.keys() & {"description", "comments", "audits"}:
                # Such tables have no messages, and what a chat began with is its subject.
                ticket["description"] = ticket["subject"]
    if isinstance(rating, dict) and isinstance(score := rating.get("score"), str):
        known = score.lower().replace(" ", "_")
        rating["score"] = "unoffered" if known == "not_offered" else known

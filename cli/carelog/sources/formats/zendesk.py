"""Zendesk Support tickets, as JSON or in tables: the account's export (a ticket a line, with `requester`, `assignee` and
`comments` inside), pages of its API (lists, incremental and search exports, with what is side-loaded beside
the tickets), and what scripts put together of them, with comments, satisfaction and metrics where they are.

A public comment is a message, an internal one (`public: false`) goes to `notes`. A ticket is no mail always:
`via.channel` decides. `submitter_id` other than `requester_id` means that an agent opened it. Times carry
their offset, metrics are minutes and become seconds. A score of `offered` or `unoffered` is no answer.
Sources: the vendor's help pages and field types as design notes give them; that people are objects in the
account's export is seen in a public converter of it (zendesk-flatfile).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._documents import (
    Piece,
    add_found,
    add_remark,
    find_keys,
    is_canonical,
    read_documents,
    take_apart,
)
from carelog.sources.formats._leftovers import Native
from carelog.sources.formats._legs import (
    Gathering,
    Leg,
    open_gathering,
    parse_groups,
    to_chunks,
)
from carelog.sources.formats._table_rows import read_rows
from carelog.sources.formats._zendesk_comments import find_comments
from carelog.sources.formats._zendesk_parts import detect_part, kind_of, parts_of, with_parts
from carelog.sources.formats._zendesk_record import NUMBERS, to_record
from carelog.sources.formats._zendesk_rows import detect_rows, to_ticket
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
_BESIDE = {
    "groups": "group_id", "organizations": "organization_id", "brands": "brand_id", "ticket_forms": "ticket_form_id"
}  # fmt: skip
_NO_TICKETS = ("users", "organizations", "groups", "brands", "ticket_fields", "ticket_forms", "macros")
_OF_PAGE = frozenset(
    ("next_page", "previous_page", "count", "end_time", "end_of_stream", "after_cursor", "after_url")
)
_NO_TICKET = Fault("not_a_ticket", "the object is no Zendesk ticket: it has no id and no requester_id")
_IDENTITY = ("requester_id", "requester", "submitter_id", "submitter", "author_id")
_PART = "\0part"
_TICKET_ELSEWHERE = Fault("not_a_ticket", "its ticket is not among what was read: name the tickets as well")
_OTHER_KIND = "the object is a {}, no ticket"
_NOT_HERE = "the object holds {} and no tickets: nothing is read from it, and tickets are complete without it"
_ONLY_PART = "the object holds {} without their ticket: export the tickets, with these inside them"


def detect_zendesk(head: bytes, name: str) -> str | None:
    """Whether its first object is a ticket, or a page of tickets."""
    if (reason := detect_rows(head)) is not None:
        return reason
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
    if "tickets" in keys[""] and "tickets" not in keys and keys[""] & _OF_PAGE:
        return "it is a page of Zendesk tickets, with none in it"
    if b".zendesk.com/api/v2/" in head and (other := next((n for n in _NO_TICKETS if n in keys[""]), None)):
        return f"it holds {other} of Zendesk"
    return detect_part(keys)


def _may_hold(path: str) -> bool:
    """Whether tickets can stand at a path: at the top, in a list or below a known name, perhaps by their ids."""
    if path.rpartition(".")[2] in _INSIDE:
        path = path.rpartition(".")[0]
    above, _, last = path.rpartition(".")
    return path in LISTS or (above in LISTS and (bool(above) or last.isdecimal()))


def read_zendesk(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The tickets of one input, as `read_zendesks` gives them for several."""
    return read_zendesks(iter([opened]), options)


def read_zendesks(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The tickets of all inputs, each once and with the comments that came of it."""
    with open_gathering() as gathering:
        for opened in inputs:
            if detect_rows(opened.head) is not None:
                yield from _gather_rows(opened, options, gathering)
                continue
            beside = _Beside()
            for part in take_apart(read_documents(opened, options, NAME, LISTS, _IDENTITY), LISTS):
                if isinstance(part, Block):
                    yield part
                    continue
                piece, block = part
                _gather(piece, beside, block, gathering)
        yield from to_chunks(gathering, NAME, options)


def _gather(piece: Piece, beside: _Beside, block: Block, gathering: Gathering) -> None:
    beside.look_at(piece.page)
    item = _open(piece.value)
    if (parts := parts_of(item)) is not None:
        name, items = parts
        if not all(isinstance(part, dict) and kind_of(part) for part in items):
            fault = Fault("not_a_ticket", _ONLY_PART.format(name.replace("_", " ")))
            put_aside(block, piece.line, piece.offset, piece.raw, fault)
            return
        for part in items:
            of_part = Piece(piece.line, piece.offset, orjson.dumps(part), part, {})
            _add_leg(gathering, block.file, of_part, part["ticket_id"], {_PART: kind_of(part), "item": part})
    elif (kind := kind_of(item)) is not None:
        _add_leg(gathering, block.file, piece, item["ticket_id"], {_PART: kind, "item": item})
    elif (known := _fault_of(item)) is not None:
        put_aside(block, piece.line, piece.offset, piece.raw, known)
    else:
        number = next((item[key] for key in NUMBERS if key in item), None)
        _add_leg(gathering, block.file, piece, number, _joined(item, number, beside))


def _gather_rows(opened: Opened, options: ReadOptions, gathering: Gathering) -> Iterator[Block]:
    for row in read_rows(opened, options, NAME):
        if isinstance(row, Block):
            yield row
            continue
        block, faults = Block(opened.name, NAME), list[Fault]()
        ticket = to_ticket(row.cells, options, faults)
        for fault in faults:
            add_remark(block, row.line, row.offset, fault)
        piece = Piece(row.line, row.offset, row.raw, ticket, {})
        _gather(piece, _Beside(), block, gathering)
        if block.rejects or block.findings:
            yield block


def _add_leg(gathering: Gathering, file: str, piece: Piece, number: Any, value: dict[str, Any]) -> None:
    key = number if isinstance(number, (int, str)) else f"{file}:{piece.line}"
    gathering.add(str(key), Leg(file, piece.line, piece.offset, piece.raw, orjson.dumps(value)))


def _open(item: dict[str, Any]) -> dict[str, Any]:
    """What an object is or holds beside its comments."""
    inner = next((item[key] for key in _INSIDE if isinstance(item.get(key), dict)), None)
    if inner is None:
        return item
    return {**{k: v for k, v in item.items() if v is not inner and k not in inner}, **inner}


def _fault_of(item: dict[str, Any]) -> Fault | None:
    """Why an object is no ticket; None if it is one."""
    if "id" not in item and (name := next((n for n in _NO_TICKETS if isinstance(item.get(n), list)), None)):
        return Fault("not_a_ticket", _NOT_HERE.format(name.replace("_", " ")))
    if not any(key in item for key in NUMBERS) or not ("created_at" in item or item.keys() & _ASKED):
        return _NO_TICKET
    kind = item.get("result_type")
    return None if kind in (None, "ticket") else Fault("not_a_ticket", _OTHER_KIND.format(kind))


def parse_zendesk(chunk: Chunk) -> Block:
    """The tickets of a chunk as records."""
    block = Block(chunk.file, NAME)
    for _, legs in parse_groups(chunk)[1]:
        _add_ticket(block, legs, chunk.options)
    return block


def _add_ticket(block: Block, legs: Sequence[Leg], options: ReadOptions) -> None:
    tickets: list[tuple[str, int, Leg, dict[str, Any]]] = []
    parts: list[tuple[str, dict[str, Any]]] = []
    for place, leg in enumerate(legs):
        value = leg.load()
        if _PART in value:
            parts.append((value[_PART], value["item"]))
        else:
            tickets.append((str(value.get("updated_at") or ""), place, leg, value))
    if not tickets:
        for leg in legs:
            put_aside(block, leg.line, leg.offset, leg.raw, _TICKET_ELSEWHERE)
        return
    # Exports overlap, and give a ticket again when it has changed: the last state is the ticket. A list may give
    # it without the comments that a file of its own has, so what only an earlier one says stays.
    tickets.sort(key=lambda found: found[:2])
    leg, ticket = tickets[-1][2], {key: item for *_, value in tickets for key, item in value.items()}
    if parts:
        ticket = with_parts(ticket, parts)
    found = to_record(ticket, options.zone)
    found.value["source"]["file"] = leg.file
    add_found(block, found, Piece(leg.line, leg.offset or 0, leg.raw, ticket, {}))


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


def _joined(ticket: dict[str, Any], number: Any, beside: _Beside) -> dict[str, Any]:
    """A ticket with what the page holds about it: comments, metrics, its people and group and the like."""
    found: dict[str, Any] = {}
    for name, tickets in beside.by_ticket.items():
        if str(number) in tickets:
            found[name] = tickets[str(number)]
    for name, key in _BESIDE.items():
        if (item := beside.by_id.get(name, {}).get(str(ticket.get(key)))) is not None:
            found[name.removesuffix("s")] = item
    found.update(ticket)
    users = beside.by_id.get("users", {})
    if users and "users" not in ticket:
        found["users"] = [users[key] for key in _people_in(found) if key in users]
    return found


def _people_in(ticket: dict[str, Any]) -> list[str]:
    """The ids of everybody in a ticket, in order, each once."""
    native = Native(ticket)
    ids = [ticket.get(f"{role}_id") for role in ("requester", "submitter", "assignee")]
    ids += [native.look(*comment.path, "author_id") for comment in find_comments(native)]
    for key in ("collaborator_ids", "follower_ids", "email_cc_ids"):
        listed = ticket.get(key)
        ids += listed if isinstance(listed, list) else []
    return list(dict.fromkeys(str(i) for i in ids if i is not None))

"""Cisco Unified Communications Manager: call detail records (CDR).

Two header lines, names and then SQL types; columns are found by name, whatever their case, spaces and order.
Times are epochs in UTC, and 0 means that it did not happen. Transfers and conferences leave several rows of
one globalCallID, which are one interaction. The direction is told from the devices: phones are named SEP…,
trunks and gateways otherwise. Quality records (CMR) and the legs that put a call to a recorder are no calls and are
left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, ReadOptions
from carelog.sources.formats._legs import (
    Leg,
    add_interaction,
    once_each,
    open_gathering,
    parse_groups,
    to_chunks,
)
from carelog.sources.formats._table_rows import fold_name, folded_columns, read_rows, to_name, to_seconds
from carelog.sources.formats._times import from_epoch
from carelog.sources.streams import Opened

NAME = "cucm_cdr"
_TYPE = re.compile(r"(INTEGER|BIGINT|SMALLINT|VARCHAR|CHAR|UNIQUEIDENTIFIER|INT|LVARCHAR)(\s*\(\d+\))?", re.I)
_PHONE = re.compile(r"(SEP|ATA|CSF|TCT|BOT|TAB|AN[0-9A-F]{10,}|CTI|VG[0-9A-F]{8,})", re.IGNORECASE)
_RECORDING, _MONITORING = "27", "28"
_ON_BEHALF = ("joinonbehalfof", "origcalledpartyredirectonbehalfof", "lastredirectredirectonbehalfof")
_VOICEMAIL = re.compile(r"CiscoUM|.*-VI\d+$|Unity", re.IGNORECASE)
_BUSY, _NO_ANSWER, _NORMAL = frozenset({"17"}), frozenset({"18", "19"}), frozenset({"0", "16"})
_CONGESTION = frozenset({"34", "38", "41", "42", "47", "1", "3", "21", "27", "28"})
_RECORDED = "the row is how a call was recorded or listened to, which is no call of its own; it was left out"
_QUALITY = "the file holds quality records (CMR), which are no calls"


def detect_cucm(head: bytes, name: str) -> str | None:
    """By its column names."""
    columns = folded_columns(head)
    if "cdrrecordtype" in columns and columns & {"globalcallidcallid", "datetimeorigination"}:
        return "its header names columns of Cisco call detail records"
    return None


def read_cucm(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The calls of one input, as `read_cucms` gives them for several."""
    return read_cucms(iter([opened]), options)


def read_cucms(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The calls of all inputs, with their rows."""
    with open_gathering() as gathering:
        for opened in inputs:
            if "datetimeorigination" not in folded_columns(opened.head):
                yield Block(opened.name, NAME, findings=[_left_out(opened.name)])
                continue
            for row in read_rows(opened, options, NAME):
                if isinstance(row, Block):
                    yield row
                elif not all(_TYPE.fullmatch(cell) for cell in row.cells.values()):
                    cells = {fold_name(n): v for n, v in row.cells.items()}
                    value = orjson.dumps(row.cells)
                    # Without the number of its call a row stands for itself.
                    key = _key(cells) or cells.get("pkid") or f"{opened.name}:{row.line}"
                    gathering.add(key, Leg(opened.name, row.line, row.offset, row.raw, value))
        yield from to_chunks(gathering, NAME, options)


def _left_out(file: str) -> Finding:
    return Finding(file, None, "", "no_interaction", _QUALITY, "warning")


def _key(cells: dict[str, str]) -> str:
    """Manager, call and cluster: call numbers alone begin again; "" where there is no such number."""
    if not cells.get("globalcallidcallid"):
        return ""
    parts = [
        cells.get(n, "") for n in ("globalcallidclusterid", "globalcallidcallmanagerid", "globalcallidcallid")
    ]
    return "-".join(part for part in parts if part)


def parse_cucm(chunk: Chunk) -> Block:
    """The calls of a chunk as records."""
    block = Block(chunk.file, NAME)
    for part, legs in parse_groups(chunk)[1]:
        _add_call(block, once_each(legs), part)
    return block


def _add_call(block: Block, legs: Sequence[Leg], part: int) -> None:
    rows = [leg.load() for leg in legs]
    folded = [{fold_name(name): cell for name, cell in row.items()} for row in rows]
    folded.sort(key=_began)
    if all(map(_is_recording, folded)):
        leg = legs[0]
        block.findings.append(
            Finding(leg.file, leg.line, "", "no_interaction", _RECORDED, "warning", leg.offset)
        )
        return
    first, last = folded[0], folded[-1]
    direction = _direction(first)
    status = _status(folded)
    began = _began(first)
    # Call numbers begin again when a manager restarts: the time makes the id unique.
    key = _key(first) or first.get("pkid") or f"{legs[0].file}:{legs[0].line}"
    value: dict[str, Any] = {
        "interaction_id": f"{key}-{began}" + (f"#{part + 1}" if part else ""),
        "record_id": key,
        "channel": "phone",
        "started_at": from_epoch(began),
        "ended_at": from_epoch(max(_number(row, "datetimedisconnect") for row in folded)),
        "direction": direction,
        "status": status,
        "customer_id": _customer(first, direction),
        "customer_kind": "internal" if direction == "internal" else None,
        "agent_id": _agent(first if direction == "outbound" else last, direction, status),
        "queue": next((q for row in folded if (q := to_name(row.get("huntpilotdn")))), None),
        "tags": sorted({tag for row in folded if (tag := to_name(row.get("clientmattercode")))}),
        "wait_seconds": _wait(folded, status) if direction != "outbound" else None,
        "talk_seconds": _talk(folded) if status != "voicemail" else None,
        "extra": {"legs": rows},
    }
    add_interaction(block, legs, "cisco_cucm", value)


def _number(row: dict[str, Any], name: str) -> int:
    text = row.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0


def _is_recording(row: dict[str, Any]) -> bool:
    """Whether the system put a call to the recorder, or a supervisor listened in."""
    return any(row.get(name) in (_RECORDING, _MONITORING) for name in _ON_BEHALF)


def _login(row: dict[str, Any], name: str) -> str | None:
    found = to_name(row.get(name))
    return None if found is not None and found.lower() == "unspecified" else found


def _began(row: dict[str, Any]) -> int:
    """When the row's leg began: off the hook, else answered, else over."""
    names = ("datetimeorigination", "datetimeconnect", "datetimedisconnect")
    return next((number for name in names if (number := _number(row, name))), 0)


def _is_inside(device: str) -> bool:
    return _PHONE.match(device) is not None or _VOICEMAIL.match(device) is not None


def _direction(row: dict[str, Any]) -> str:
    """By who is a phone of the house; without device names by the lengths of the numbers."""
    calling, called = row.get("origdevicename", ""), row.get("destdevicename", "")
    if calling and called:
        kinds = (_is_inside(calling), _is_inside(called))
        return {(False, True): "inbound", (True, False): "outbound", (True, True): "internal"}.get(
            kinds, "unknown"
        )
    lengths = [len(row.get(n, "").lstrip("+")) for n in ("callingpartynumber", "originalcalledpartynumber")]
    if calling and not _is_inside(calling):
        return "inbound"
    if 0 < lengths[0] <= 6:
        return "outbound" if lengths[1] > 6 else "internal"
    return "unknown"


def _status(rows: Sequence[dict[str, Any]]) -> str:
    connected = [row for row in rows if _number(row, "datetimeconnect")]
    if connected:
        is_box = all(_VOICEMAIL.match(row.get("destdevicename", "")) for row in connected)
        return "voicemail" if is_box else "completed"
    if any(to_name(row.get("huntpilotdn")) or row.get("wascallqueued") == "1" for row in rows):
        return "abandoned"
    causes = {row.get(n, "") for row in rows for n in ("origcausevalue", "destcausevalue")}
    if causes & (_BUSY | _NO_ANSWER) or causes <= (_NORMAL | {""}):
        return "missed"
    return "failed" if causes & _CONGESTION else "unknown"


def _customer(row: dict[str, Any], direction: str) -> str | None:
    names = ("finalcalledpartynumber", "originalcalledpartynumber") if direction == "outbound" else (
        "callingpartynumber",
    )  # fmt: skip
    return next((found for n in names if (found := to_name(row.get(n)))), None)


def _agent(row: dict[str, Any], direction: str, status: str) -> str | None:
    if direction == "outbound":
        return _login(row, "callingpartyunicodeloginuserid") or to_name(row.get("callingpartynumber"))
    if status != "completed":
        return None
    return _login(row, "finalcalledpartyunicodeloginuserid") or to_name(row.get("finalcalledpartynumber"))


def _wait(rows: Sequence[dict[str, Any]], status: str) -> float | None:
    """Seconds in the queue if they were counted, else from the first ring to the first answer."""
    queued = [s for row in rows if (s := to_seconds(row.get("totalwaittimeinqueue"))) is not None]
    if any(queued):
        return sum(queued)
    begin = _began(rows[0])
    until = [t for row in rows if (t := _number(row, "datetimeconnect"))]
    if status != "completed":
        until = [t for row in rows if (t := _number(row, "datetimedisconnect"))]
    return min(until) - begin if begin and until and min(until) >= begin else None


def _talk(rows: Sequence[dict[str, Any]]) -> float | None:
    """Seconds connected; of rows that overlap (a consultation) each second once."""
    spans = [(_number(r, "datetimeconnect"), _number(r, "datetimedisconnect")) for r in rows]
    connected = sorted((begin, end) for begin, end in spans if begin and end >= begin)
    if len(rows) == 1:
        return to_seconds(rows[0].get("duration"))
    total = reached = 0
    for begin, end in connected:
        total += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return total

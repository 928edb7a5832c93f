"""3CX: the call log (CSV) of its console, and call detail records; the shipped mapping says what the columns are.

A call has a row for each way it went: one for the queue (`Inbound Queue`), one for each phone that rang. Rows
of one Call ID are one call: it was answered if any phone answered it, its talk is that of the phones that did,
and its wait is the queue's ringing. Older logs have no Call ID: then each row is a call.
Source: public readers of such logs, which group by Call ID and leave the rows of queues out of agents' times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._legs import Leg, once_per_file, open_gathering, parse_groups, to_chunks
from carelog.sources.formats._mapping import Mapping, load_preset
from carelog.sources.formats._mapping_records import key_of, map_record
from carelog.sources.formats.mapped import Row, add_mapped, parse_mapped, read_mapped, rows_of
from carelog.sources.streams import Opened

NAME = "3cx"
_NUMBERS = ("call id", "callid", "historyid")
_OUTCOMES = ("completed", "voicemail", "abandoned", "missed", "failed")
"""Of the rows of a call, the first of these that is there is the call's."""


def read_3cx(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The calls of an input: rows as they are, or those of one number together."""
    mapping = load_preset(NAME)
    with open_gathering() as gathering:
        for part in read_mapped(NAME, opened, options):
            number = _number_column(part.columns) if isinstance(part, Chunk) else None
            if not isinstance(part, Chunk) or number is None:
                yield part
                continue
            block = Block(part.file, NAME)
            for row in rows_of(part, block, mapping):
                key = str(row.cells.get(number) or f"line {row.line}")
                gathering.add(key, Leg(part.file, row.line, row.offset, row.raw, orjson.dumps(row.cells)))
            yield block
        yield from to_chunks(gathering, NAME, options)


def _number_column(columns: Sequence[str]) -> str | None:
    return next((name for wanted in _NUMBERS for name in columns if key_of(name) == wanted), None)


def parse_3cx(chunk: Chunk) -> Block:
    """The calls of a chunk as records."""
    if chunk.columns:
        return parse_mapped(chunk)
    block = Block(chunk.file, NAME)
    mapping = load_preset(NAME).with_order(chunk.options.date_order)
    for part, legs in parse_groups(chunk)[1]:
        _add_call(block, chunk, mapping, once_per_file(legs), part)
    return block


def _add_call(block: Block, chunk: Chunk, mapping: Mapping, legs: Sequence[Leg], part: int) -> None:
    rows = [leg.load() for leg in legs]
    faults: list[Fault] = []
    values = [map_record(row, mapping, faults) for row in rows]
    value = values[0] if len(rows) == 1 and not _is_queue(rows[0]) else _to_call(rows, values)
    if part and "interaction_id" in value:
        value["interaction_id"] += f"-{part + 1}"
    first = legs[0]
    raw = b"\n".join(leg.raw for leg in legs)
    add_mapped(block, chunk, mapping, value, faults, Row(first.line, first.offset or 0, raw, rows[0]))


def _is_queue(row: dict[str, Any]) -> bool:
    """Whether a row is of the way through a queue, not of a phone."""
    return "queue" in str(row.get("Direction", "")).casefold()


def _to_call(rows: list[dict[str, Any]], values: list[dict[str, Any]]) -> dict[str, Any]:
    """One call of its rows; the rows themselves stay under `extra`."""
    queues = [value for row, value in zip(rows, values, strict=True) if _is_queue(row)]
    phones = [value for row, value in zip(rows, values, strict=True) if not _is_queue(row)]
    answered = [value for value in phones or queues if value.get("status") == "completed"]
    main = max(answered or phones or queues, key=lambda value: float(value.get("talk_seconds") or 0))
    first = min(values, key=lambda value: str(value.get("started_at", "")))
    call = {**main, "started_at": first.get("started_at"), "status": _status(values, answered, bool(queues))}
    call["direction"] = first.get("direction", "unknown")
    call["customer_id"] = first.get("customer_id") or main.get("customer_id")
    call["talk_seconds"] = sum(value.get("talk_seconds") or 0 for value in answered)
    if queues:
        call["queue"] = queues[0].get("agent_id")
        call["wait_seconds"] = queues[0].get("wait_seconds")
    if not answered:
        call["agent_id"] = None
    ends = [value["ended_at"] for value in values if value.get("ended_at")]
    call["ended_at"] = max(ends) if ends else None
    call["extra"] = {"rows": rows}
    return {name: item for name, item in call.items() if item is not None}


def _status(values: list[dict[str, Any]], answered: list[dict[str, Any]], is_queued: bool) -> str:
    if answered:
        return "completed"
    found = {value.get("status") for value in values} - {"completed"}
    status = next((outcome for outcome in _OUTCOMES if outcome in found), "unknown")
    # Who waits in a queue and reaches nobody has given up.
    return "abandoned" if is_queued and status == "missed" else status

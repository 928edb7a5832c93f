"""Loyverse: the exports of receipts and of receipts by item (CSV).

Dates are in the account's locale without a zone: the order of day and month is told by all dates of the
file, else by `--date-order`; `--tz` says the zone. There is no currency in the file (`--currency`). A
cancelled receipt is a void. Rows of one receipt, of either export, are one visit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._legs import Leg, add_interaction
from carelog.sources.formats._receipts import (
    Cells,
    check_receipt,
    first_of,
    fold_cells,
    parse_receipts,
    read_receipts,
    sum_of,
    to_order,
    words_of,
)
from carelog.sources.formats._table_rows import folded_columns
from carelog.sources.formats._till_clocks import parse_stamp, to_instant
from carelog.sources.streams import Opened

NAME = "loyverse"
_KINDS = {"sale": "sale", "refund": "return", "exchange": "exchange"}


def detect_loyverse(head: bytes, name: str) -> str | None:
    """By its column names."""
    columns = folded_columns(head)
    if {"date", "receiptnumber", "receipttype", "grosssales"} <= columns:
        return "its header names columns of Loyverse receipts"
    return None


def read_loyverse(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The receipts of one input, as `read_loyverses` gives them for several."""
    return read_loyverses(iter([opened]), options)


def read_loyverses(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The receipts of all inputs."""
    return read_receipts(inputs, options, NAME, _key, lambda cells: cells.get("date", ""))


def _key(cells: Cells) -> str:
    """A receipt's number is that of one till: the store makes it unique."""
    return "@".join(part for part in (cells.get("receiptnumber"), cells.get("store")) if part)


def parse_loyverse(chunk: Chunk) -> Block:
    """The receipts of a chunk as records."""
    return parse_receipts(chunk, NAME, _add_receipt)


def _add_receipt(
    block: Block, legs: Sequence[Leg], part: int, orders: dict[str, Any], options: ReadOptions
) -> None:
    native = [leg.load() for leg in legs]
    rows = [fold_cells(row) for row in native]
    whole = [row for row in rows if "totalcollected" in row]
    first = (whole or rows)[0]
    local, fault = parse_stamp(first.get("date", ""), orders.get(legs[rows.index(first)].file))
    start, remark = (None, fault) if local is None else to_instant(local, "", options.zone)
    remark = remark or fault
    amount, currency = sum_of(whole[:1], "totalcollected") if whole else sum_of(rows, "netsales", "taxes")
    key = _key(first) or f"{legs[0].file}:{legs[0].line}"
    order = to_order(first.get("receiptnumber"), _kind(first), amount, currency, options)
    value: dict[str, Any] = {
        "interaction_id": key + (f"#{part + 1}" if part else ""),
        "channel": "in_store",
        "started_at": start,
        "status": "completed",
        "customer_id": first_of(rows, "customercontacts", "customername"),
        "agent_id": first_of(rows, "cashiername"),
        "store_id": first_of(rows, "store", "pos"),
        "notes": words_of(whole, "description") or words_of(rows, "comment"),
        "order": order,
        "extra": {"rows": native},
    }
    remarks: list[Fault] = [*([remark] if remark else []), *check_receipt(value, "loyverse")]
    add_interaction(block, legs, "loyverse", value, remarks, options.zone)


def _kind(row: Cells) -> str:
    if row.get("status", "").lower() in ("cancelled", "canceled", "voided"):
        return "void"
    return _KINDS.get(row.get("receipttype", "").lower(), "sale")

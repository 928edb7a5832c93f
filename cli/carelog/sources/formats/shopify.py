"""Shopify: the export of orders (CSV), those of the till included.

An order has a row for each line item, and only its first row has the fields of the order: rows of one
Name are one order, and its Total counts once. Times carry their offset. The store is the Location of the
till; an order of the web shop has its Source there (`web`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from carelog.sources.blocks import Block, Chunk, ReadOptions
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
from carelog.sources.formats._times import read_time
from carelog.sources.streams import Opened

NAME = "shopify"


def detect_shopify(head: bytes, name: str) -> str | None:
    """By its column names."""
    columns = folded_columns(head)
    if {"name", "financialstatus", "lineitemname"} <= columns and columns & {"createdat", "paidat"}:
        return "its header names columns of Shopify's orders"
    return None


def read_shopify(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The orders of one input, as `read_shopifys` gives them for several."""
    return read_shopifys(iter([opened]), options)


def read_shopifys(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The orders of all inputs."""
    return read_receipts(inputs, options, NAME, lambda cells: cells.get("name", ""), _stamp)


def _stamp(cells: Cells) -> str:
    """When it was ordered; an export of few columns may only say when it was paid."""
    return cells.get("createdat") or cells.get("paidat") or ""


def parse_shopify(chunk: Chunk) -> Block:
    """The orders of a chunk as records."""
    return parse_receipts(chunk, NAME, _add_order)


def _add_order(
    block: Block, legs: Sequence[Leg], part: int, orders: dict[str, Any], options: ReadOptions
) -> None:
    native = [leg.load() for leg in legs]
    rows = [fold_cells(row) for row in native]
    first = next((row for row in rows if _stamp(row) and row.get("total")), rows[0])
    start, remark = read_time(_stamp(first), options.zone)
    if start is None:
        # A spreadsheet has written the date anew, in the way of its country.
        local, fault = parse_stamp(_stamp(first), orders.get(legs[rows.index(first)].file))
        start, remark = (None, fault) if local is None else to_instant(local, "", options.zone)
        remark = remark or fault
    amount, currency = sum_of([first], "total")
    key = first.get("name") or f"{legs[0].file}:{legs[0].line}"
    order = to_order(first.get("name"), _kind(first), amount, first.get("currency") or currency, options)
    value: dict[str, Any] = {
        "interaction_id": key + (f"#{part + 1}" if part else ""),
        "channel": "in_store",
        "started_at": start,
        "status": "completed",
        "customer_id": first_of(rows, "email", "phone", "billingphone", "billingname", "shippingname"),
        "agent_id": first_of(rows, "employee"),
        "store_id": first_of(rows, "location", "source"),
        "notes": words_of([first], "notes"),
        "tags": [tag for text in first.get("tags", "").split(",") if (tag := text.strip())],
        "order": order,
        "extra": {"rows": native},
    }
    remarks = [*([remark] if remark else []), *check_receipt(value, "shopify")]
    add_interaction(block, legs, "shopify", value, remarks, options.zone)


def _kind(row: Cells) -> str:
    if row.get("cancelledat") or row.get("financialstatus", "").lower() == "voided":
        return "void"
    return "return" if row.get("financialstatus", "").lower() == "refunded" else "sale"

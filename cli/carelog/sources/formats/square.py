"""Square: the exports of transactions and of item details (CSV).

Rows of one Transaction ID are one visit, whichever of the two exports they stand in; of both, the
transaction says the amount. A refund is a visit of its own. The zone is in the file, under its name
in Ruby on Rails. Amounts carry a symbol and no code; `$` stands for many currencies, so `--currency` says
which. The last digits of cards and their tokens are not read.
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
from carelog.sources.formats._table_rows import fold_name, folded_columns
from carelog.sources.formats._till_clocks import parse_stamp, to_instant
from carelog.sources.streams import Opened

NAME = "square"
_TELLING = frozenset({"eventtype", "item", "totalcollected"})
_NOT_READ = frozenset({"pansuffix", "token"})


def detect_square(head: bytes, name: str) -> str | None:
    """By its column names."""
    columns = folded_columns(head)
    if {"date", "time", "timezone", "transactionid", "netsales"} <= columns and columns & _TELLING:
        return "its header names columns of Square's exports"
    return None


def read_square(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The receipts of one input, as `read_squares` gives them for several."""
    return read_squares(iter([opened]), options)


def read_squares(inputs: Iterable[Opened], options: ReadOptions) -> Iterator[Block | Chunk]:
    """The receipts of all inputs."""
    return read_receipts(inputs, options, NAME, _key, _stamp, _likely_order)


def _key(cells: Cells) -> str:
    """The transaction; of a refund, which can stand under the one that it gives back, also the payment."""
    found = cells.get("transactionid", "")
    if not found or _kind(cells) != "return":
        return found
    return f"{found}/{cells.get('paymentid') or 'refund'}"


def _stamp(cells: Cells) -> str:
    return f"{cells.get('date', '')} {cells.get('time', '')}"


def _likely_order(cells: Cells) -> str | None:
    # Square writes the month first where its customers do.
    return "mdy" if "(US & Canada)" in cells.get("timezone", "") else None


def parse_square(chunk: Chunk) -> Block:
    """The receipts of a chunk as records."""
    return parse_receipts(chunk, NAME, _add_receipt)


def _add_receipt(
    block: Block, legs: Sequence[Leg], part: int, orders: dict[str, Any], options: ReadOptions
) -> None:
    native = [leg.load() for leg in legs]
    rows = [fold_cells(row) for row in native]
    whole = [row for row in rows if "totalcollected" in row]
    items = [row for row in rows if "item" in row or "qty" in row]
    first = (whole or rows)[0]
    local, fault = parse_stamp(_stamp(first), orders.get(legs[rows.index(first)].file))
    start, remark = (
        (None, fault) if local is None else to_instant(local, first.get("timezone", ""), options.zone)
    )
    remark = remark or fault
    amount, currency = sum_of(whole, "totalcollected") if whole else sum_of(rows, "netsales", "tax")
    key = _key(first) or f"{legs[0].file}:{legs[0].line}"
    order = to_order(first.get("transactionid"), _kind(first), amount, currency, options)
    value: dict[str, Any] = {
        "interaction_id": key + (f"#{part + 1}" if part else ""),
        "channel": "in_store",
        "started_at": start,
        "status": "completed",
        "customer_id": first_of(rows, "customerid", "customerreferenceid", "customername"),
        "agent_id": first_of(rows, "staffid", "staffname", "employee"),
        "store_id": first_of(rows, "location", "devicename"),
        "notes": words_of(items, "notes") or words_of(whole, "notes"),
        "order": order,
        "extra": {"rows": [_kept(row) for row in native]},
    }
    remarks: list[Fault] = [*([remark] if remark else []), *check_receipt(value, "square")]
    add_interaction(block, legs, "square", value, remarks, options.zone)


def _kind(row: Cells) -> str:
    if row.get("transactionstatus", "").lower() in ("voided", "canceled", "cancelled"):
        return "void"
    return "return" if row.get("eventtype", "").lower() == "refund" else "sale"


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    return {name: cell for name, cell in row.items() if fold_name(name) not in _NOT_READ}

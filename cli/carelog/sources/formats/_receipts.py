"""What the tables of tills have in common: rows of one receipt brought together, its order and its day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._legs import Leg, once_per_file, open_gathering, parse_groups, to_chunks
from carelog.sources.formats._money import parse_money, to_amount
from carelog.sources.formats._table_rows import fold_name, read_rows, to_name
from carelog.sources.formats._till_clocks import find_order, orders_of
from carelog.sources.streams import Opened

Cells = dict[str, str]
"""The cells of a row by folded column name."""


def read_receipts(
    inputs: Iterable[Opened],
    options: ReadOptions,
    name: str,
    key_of: Callable[[Cells], str],
    stamp_of: Callable[[Cells], str],
    likely: Callable[[Cells], str | None] = lambda cells: None,
) -> Iterator[Block | Chunk]:
    """The receipts of all inputs as chunks of format `name`; known to `parse_groups` is the order of day and
    month in the dates of each file.
    """
    orders: dict[str, str | None] = {}
    with open_gathering() as gathering:
        for opened in inputs:
            possible, guess, last = {"dmy", "mdy"}, None, ""
            for row in read_rows(opened, options, name):
                if isinstance(row, Block):
                    yield row
                    continue
                cells = fold_cells(row.cells)
                possible &= orders_of(stamp_of(cells))
                guess = guess or likely(cells)
                leg = Leg(opened.name, row.line, row.offset, row.raw, orjson.dumps(row.cells))
                # A row that names no receipt and no day goes on with the one above.
                key = key_of(cells) or ("" if stamp_of(cells).strip() else last)
                last = key or f"{opened.name}:{row.line}"
                gathering.add(last, leg)
            orders[opened.name] = find_order(possible, options.date_order, guess)
        yield from to_chunks(gathering, name, options, orders)


AddReceipt = Callable[[Block, Sequence[Leg], int, dict[str, Any], ReadOptions], None]
"""Adds one receipt to a block: its rows, its number within the chunk, what is known of the files, the options."""


def parse_receipts(chunk: Chunk, name: str, add: AddReceipt) -> Block:
    """The receipts of a chunk of format `name` as records, each by `add`."""
    block = Block(chunk.file, name)
    orders, groups = parse_groups(chunk)
    for part, legs in groups:
        add(block, once_per_file(legs), part, orders, chunk.options)
    return block


def fold_cells(cells: dict[str, Any]) -> Cells:
    """Cells by the folded names of their columns."""
    return {fold_name(column): cell for column, cell in cells.items() if isinstance(cell, str)}


def first_of(rows: Sequence[Cells], *names: str) -> str | None:
    """The first name or id that any row has in any of these columns; columns first."""
    return next((found for n in names for row in rows if (found := to_name(row.get(n)))), None)


def words_of(rows: Sequence[Cells], *names: str) -> str | None:
    """The different texts in these columns, a line each."""
    texts = [row[n].strip() for row in rows for n in names if row.get(n, "").strip()]
    return "\n".join(dict.fromkeys(texts)) or None


def sum_of(rows: Sequence[Cells], *names: str) -> tuple[Decimal | None, str | None]:
    """The sum of the amounts in these columns and their currency; None where there are none."""
    found = [money for row in rows for n in names if (money := parse_money(row.get(n, "")))]
    currency = next((code for _, code in found if code), None)
    return (sum((amount for amount, _ in found), Decimal(0)) if found else None), currency


def to_order(
    order_id: str | None, kind: str, amount: Decimal | None, currency: str | None, options: ReadOptions
) -> dict[str, str]:
    """The order of a receipt; what went back to the customer is negative."""
    if amount is not None and kind == "return" and amount > 0:
        amount = -amount
    order = {
        "order_id": order_id,
        "kind": kind,
        "amount": None if amount is None else to_amount(amount),
        "currency": currency or options.currency,
    }
    return {name: value for name, value in order.items() if value is not None}


def check_receipt(value: dict[str, Any], system: str) -> list[Fault]:
    """What is to be remarked on a receipt. One that names no store gets the name of the system for one: the
    exports of accounts with a single store can be without.
    """
    remarks = []
    if "amount" not in value["order"]:
        remarks.append(Fault("no_amount", "the receipt says no amount that can be read", "/order"))
    if value["store_id"] is None:
        value["store_id"] = system
        remarks.append(Fault("no_store", f"the receipt names no store; {system} stands for it", "/store_id"))
    return remarks

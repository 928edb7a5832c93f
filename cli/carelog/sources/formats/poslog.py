"""ARTS / NRF POSLog: the log of a till's transactions in XML.

Element names are matched without their namespaces, which differ from vendor to vendor. Each transaction
is cut out of the text and parsed by itself, by a parser that refuses document types and entities: so a
broken one costs only itself, and memory does not grow. Only sales and returns of customers are
interactions; sign-ons, drawer checks, cancelled and training transactions are left out with a remark. The
amount is the TransactionGrandAmount, never one of the other totals, some of which count over the till's
lifetime.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._leftovers import Native
from carelog.sources.formats._legs import Leg, add_interaction
from carelog.sources.formats._money import parse_money
from carelog.sources.formats._receipts import check_receipt, to_order
from carelog.sources.formats._table_rows import to_name
from carelog.sources.formats.jsonlines import cut_off
from carelog.sources.lines import CHUNK_BYTES, KEPT_OF_LONG, file_finding, raw_text, to_reject, too_long
from carelog.sources.streams import Opened

NAME = "poslog"
_ROOT = re.compile(rb"<(?:[\w.-]+:)?POSLog\b[^<>]*>")
_OPEN = re.compile(rb"<(?:[\w.-]+:)?Transaction(?=[\s>/])[^<>]*>|<(?:[\w.-]+:)?POSLog\b[^<>]*>")
_CLOSE = re.compile(rb"</(?:[\w.-]+:)?Transaction\s*>")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z][\w.-]{0,40})[\"']")
_LONGEST_TAG = 16 * 1024
_OTHER_KINDS = (
    "ControlTransaction", "TenderControlTransaction", "InventoryControlTransaction",
    "CustomerOrderTransaction",
)  # fmt: skip
_TRUE = frozenset({"true", "1"})
_NOT_XML = Fault("not_xml", "the transaction is not well-formed XML")
_DOCTYPE = Fault("xml_dtd", "the file declares a document type, which could hide entities; it is not read")


def detect_poslog(head: bytes, name: str) -> str | None:
    """By its root element."""
    if head.lstrip()[:1] != b"<":
        return None
    if _ROOT.search(head) is not None:
        return "its root element is POSLog"
    is_log = b"nrf-arts.org" in head and _OPEN.search(head) is not None
    return "it holds transactions in the namespace of POSLog" if is_log else None


def read_poslog(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """Chunks of whole transactions."""
    stream, offset = opened.utf8()
    if b"<!DOCTYPE" in opened.head or b"<!ENTITY" in opened.head:
        reject = to_reject(opened.name, None, None, raw_text(opened.head, len(opened.head)), _DOCTYPE)
        yield Block(opened.name, NAME, rejects=[reject])
        return
    declared = _ENCODING.search(opened.head[:1000])
    encoding = declared[1].decode() if declared and opened.encoding == "utf-8" else "utf-8"
    cutter = _Cutter(opened, options, encoding, offset)
    while block := stream.read(CHUNK_BYTES):
        cutter.data += block
        yield from cutter.cut()
    yield from cutter.finish()


class _Cutter:
    """The text of a log as it streams by: `data` is what is held of it, from byte `base`, `line` on."""

    def __init__(self, opened: Opened, options: ReadOptions, encoding: str, base: int) -> None:
        self.opened, self.options, self.encoding = opened, options, encoding
        self.data, self.base, self.line = b"", base, 1
        self.root, self.long_bytes, self.is_open = b"<POSLog>", 0, False

    def cut(self) -> Iterator[Block | Chunk]:
        """The transactions that are whole."""
        spans: list[tuple[int, int]] = []
        faults: dict[int, Fault] = {}
        root, at = self.root, 0
        while (found := _OPEN.search(self.data, at)) is not None:
            if not found[0].startswith((b"<Transaction",)) and b"POSLog" in found[0][:60]:
                if spans:
                    yield self._emit(spans, faults, root, found.start())
                    spans, faults, at = [], {}, 0
                    continue
                self.root = root = found[0]
                at = found.end()
                continue
            close = None if found[0].endswith(b"/>") else _CLOSE.search(self.data, found.end())
            follower = _OPEN.search(self.data, found.end(), close.end() if close else len(self.data))
            if follower is not None:
                faults[len(spans)] = _NOT_XML
                spans.append((found.start(), follower.start()))
                at = follower.start()
            elif close is not None or found[0].endswith(b"/>"):
                end = close.end() if close else found.end()
                spans.append((found.start(), end))
                at = end
            else:
                at = found.start()
                break
        keep = at if self._has_open(at) else max(at, len(self.data) - _LONGEST_TAG)
        if spans:
            yield self._emit(spans, faults, root, keep)
        else:
            self._drop(keep)
        yield from self._drop_long()

    def _has_open(self, at: int) -> bool:
        found = _OPEN.match(self.data, at)
        return found is not None and b"POSLog" not in found[0][:60]

    def _emit(self, spans: list[tuple[int, int]], faults: dict[int, Fault], root: bytes, keep: int) -> Chunk:
        chunk = Chunk(
            self.opened.name, NAME, self.data[: max(keep, spans[-1][1])], self.line, self.base, self.options,
            spans, faults, (self.encoding, root.decode("latin-1")),
        )  # fmt: skip
        self._drop(max(keep, spans[-1][1]))
        return chunk

    def _drop(self, count: int) -> None:
        self.line += self.data.count(b"\n", 0, count)
        self.base += count
        self.data = self.data[count:]

    def _drop_long(self) -> Iterator[Block]:
        """A transaction over the limit is put aside as far as it is seen; the rest of it is passed over."""
        if len(self.data) <= self.options.max_line_bytes:
            return
        fault = too_long(len(self.data), self.options.max_line_bytes)
        raw = raw_text(self.data[:KEPT_OF_LONG], len(self.data))
        reject = to_reject(self.opened.name, self.line, self.base, raw, fault)
        yield Block(self.opened.name, NAME, rejects=[reject])
        self._drop(len(self.data) - _LONGEST_TAG)

    def finish(self) -> Iterator[Block | Chunk]:
        """The input ended: a transaction that is still open was cut off."""
        found = _OPEN.search(self.data)
        if found is None or b"POSLog" in found[0][:60]:
            return
        trouble = self.opened.trouble
        fault = cut_off(trouble) if trouble else Fault("truncated", "the transaction is cut off")
        raw = self.data[found.start() :]
        line = self.line + self.data.count(b"\n", 0, found.start())
        reject = to_reject(self.opened.name, line, self.base + found.start(), raw_text(raw), fault)
        findings = [] if trouble else [
            file_finding(self.opened.name, Fault("truncated", "the log is not closed: it may be incomplete"))
        ]  # fmt: skip
        yield Block(self.opened.name, NAME, rejects=[reject], findings=findings)


def parse_poslog(chunk: Chunk) -> Block:
    """The transactions of a chunk as records; each broken one costs only itself."""
    block = Block(chunk.file, NAME)
    encoding, root = chunk.columns
    line, at = chunk.first_line, 0
    for index, (start, end) in enumerate(chunk.spans or []):
        line, at = line + chunk.data.count(b"\n", at, start), start
        raw, offset = chunk.data[start:end], chunk.first_offset + start
        element, fault = _parse(raw, encoding, root.encode("latin-1"))
        fault = chunk.faults.get(index) or fault
        if fault is not None or element is None:
            put_aside(block, line, offset, raw, fault or _NOT_XML)
        else:
            _add_transaction(block, to_object(element), Leg(chunk.file, line, offset, raw), chunk.options)
    return block


def _parse(raw: bytes, encoding: str, root: bytes) -> tuple[Element | None, Fault | None]:
    """One transaction inside its root, whose namespaces it needs."""
    name = re.match(rb"<([\w.:-]+)", root)
    opening = root.rstrip(b"/>").rstrip() + b">"
    closing = b"</" + (name[1] if name else b"POSLog") + b">"
    head = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
    try:
        document = fromstring(head + opening + raw + closing, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return None, _NOT_XML
    return (document[0], None) if len(document) else (None, _NOT_XML)


def to_object(element: Element) -> Any:
    """An element as JSON: attributes as `@name`, text as `#text` (or as the value, where that is all),
    children by name, in a list where there are several; names without their namespaces.
    """
    value: dict[str, Any] = {}
    for key, text in element.attrib.items():
        value[_free("@" + _local(key), value)] = text
    for child in element:
        if isinstance(child.tag, str):
            name, inner = _local(child.tag), to_object(child)
            if name not in value:
                value[name] = inner
            elif isinstance(value[name], list):
                value[name].append(inner)
            else:
                value[name] = [value[name], inner]
    # What stands between children is layout, unless it is text.
    texts = [element.text or "", *(child.tail or "" for child in element)]
    text = " ".join(part.strip() for part in texts if part.strip())
    if not value:
        return text or None
    if text:
        value["#text"] = text
    return value


def _free(name: str, value: dict[str, Any]) -> str:
    while name in value:
        name += "_"
    return name


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _add_transaction(block: Block, found: Any, leg: Leg, options: ReadOptions) -> None:
    native = Native(found if isinstance(found, dict) else {}, options.zone)
    reason = _no_interaction(native)
    if reason is not None:
        remark = Finding(leg.file, leg.line, "", "no_interaction", reason, "warning", leg.offset)
        block.findings.append(remark)
        return
    store = _text(native, "BusinessUnit", "UnitID") or _text(native, "RetailStoreID")
    parts = [
        store, _text(native, "WorkstationID"), _text(native, "SequenceNumber"),
        _text(native, "BusinessDayDate"),
    ]  # fmt: skip
    number = _text(native, "TransactionID")
    order = _order(native, number, options)
    start, end = _times(native)
    key = "-".join(part for part in parts if part) if parts[2] else number
    value: dict[str, Any] = {
        "interaction_id": key or f"{leg.file}:{leg.line}",
        "record_id": number,
        "channel": "in_store",
        "started_at": start,
        "ended_at": end if start else None,
        "status": "completed",
        "store_id": store,
        "agent_id": _text(native, "OperatorID") or native.name("OperatorID", "@OperatorID"),
        "customer_id": _customer(native),
        "order": order,
        "extra": {"Transaction": native.rest()},
    }
    remarks = [*native.faults[:1], *check_receipt(value, "poslog")]
    add_interaction(block, [leg], "poslog", value, remarks, options.zone)


def _no_interaction(native: Native) -> str | None:
    for flag in ("CancelFlag", "TrainingModeFlag"):
        if str(native.look(f"@{flag}") or native.look(flag) or "").lower() in _TRUE:
            return f"a transaction with {flag} is no interaction and was left out"
    if native.look("RetailTransaction") is None:
        kind = next((name for name in _OTHER_KINDS if name in native.record), "other than of a sale")
        return f"a transaction ({kind}) is no interaction with a customer and was left out"
    if native.look("RetailTransaction", "NoSale") is not None or "NoSale" in native.record:
        return "a drawer opened without a sale is no interaction and was left out"
    return None


def _text(native: Native, *path: str | int) -> str | None:
    """The name in an element, which may have attributes, or be there several times (then the first)."""
    found = native.look(*path)
    if isinstance(found, list):
        return _text(native, *path, 0)
    if isinstance(found, dict):
        return native.name(*path, "#text")
    return native.name(*path)


def _times(native: Native) -> tuple[str | None, str | None]:
    start = native.time("BeginDateTime") or native.time("BeginDateTime", "#text")
    end = native.time("EndDateTime") or native.time("EndDateTime", "#text")
    if start is None:
        dates = native.look("POSLogDateTime")
        for item in dates if isinstance(dates, list) else [dates]:
            text = item.get("#text") if isinstance(item, dict) else item
            start = start or (Native({"at": text}, native.zone).time("at") if isinstance(text, str) else None)
    return start or end, end


def _customer(native: Native) -> str | None:
    sale = ("RetailTransaction",)
    for path in (
        ("Customer", "CustomerID"),
        ("LoyaltyAccount", "LoyaltyAccountID"),
        ("LoyaltyAccount", "CustomerID"),
    ):
        found = _text(native, *sale, *path)
        if found is not None:
            return found
    return None


def _order(native: Native, number: str | None, options: ReadOptions) -> dict[str, str]:
    totals = _listed(native.look("RetailTransaction", "Total"))
    amount, currency = None, None
    for kind in ("TransactionGrandAmount", "TransactionNetAmount", "TransactionGrossAmount", None):
        amount, currency = _total(totals, kind)
        if amount is not None:
            break
    currency = currency or to_name(native.look("CurrencyCode")) or _currency_of_lines(native)
    if currency is not None and not re.fullmatch(r"[A-Z]{3}", currency):
        currency = None
    return to_order(number, _kind(native), amount, currency, options)


def _total(totals: list[Any], kind: str | None) -> tuple[Decimal | None, str | None]:
    for total in totals:
        value = total if isinstance(total, dict) else {"#text": total}
        if value.get("@TotalType") == kind and isinstance(value.get("#text"), str):
            money = parse_money(value["#text"])
            if money is not None:
                return money[0], value.get("@CurrencyCode") or value.get("@Currency") or money[1]
    return None, None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _lines(native: Native) -> list[dict[str, Any]]:
    """The line items that were not voided."""
    items = [i for i in _listed(native.look("RetailTransaction", "LineItem")) if isinstance(i, dict)]
    return [i for i in items if str(i.get("@VoidFlag", "")).lower() not in _TRUE]


def _currency_of_lines(native: Native) -> str | None:
    for item in _lines(native):
        for part in item.values():
            amount = part.get("ExtendedAmount") if isinstance(part, dict) else None
            if isinstance(amount, dict):
                found = amount.get("@Currency") or amount.get("@CurrencyCode")
                return found if isinstance(found, str) else None
    return None


def _kind(native: Native) -> str:
    status = str(native.look("RetailTransaction", "@TransactionStatus") or "").lower()
    items = _listed(native.look("RetailTransaction", "LineItem"))
    left = _lines(native)
    voided = str(native.look("RetailTransaction", "@VoidFlag") or "").lower() in _TRUE
    if voided or "void" in status or (items and not any("Sale" in i or "Return" in i for i in left)):
        has_goods = any(isinstance(i, dict) and ("Sale" in i or "Return" in i) for i in items)
        return "void" if voided or "void" in status or has_goods else "sale"
    sold, returned = any("Sale" in i for i in left), any("Return" in i for i in left)
    if sold and returned:
        return "exchange"
    return "return" if returned else "sale"

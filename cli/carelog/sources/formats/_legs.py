"""Pieces of one interaction that stand apart (legs of a call, items of a receipt, a record that was delivered
again) brought together, however many there are and in however many files: they wait in a temporary database
on disk, and come out in the order in which the first piece of each interaction came in.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from carelog.columns import RECORD_FIELDS
from carelog.errors import CarelogError
from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import add_record, put_aside
from carelog.sources.lines import CHUNK_BYTES

MOST_LEGS = 1000
"""The most legs that one interaction is made of; more of the same key make a further one."""
_KEPT_RAW = 64 * 1024
_TABLES = """
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -32000;
    CREATE TABLE leg (n INTEGER PRIMARY KEY, key BLOB, file TEXT, line INT, offset INT, raw BLOB, value BLOB);
    CREATE TABLE first (n INTEGER PRIMARY KEY, key BLOB);
    CREATE TABLE alias (key BLOB PRIMARY KEY, root BLOB);
"""


class Leg(NamedTuple):
    """A piece and where it stood; `raw` as it stood, `value` what was parsed of it already (JSON), if any."""

    file: str
    line: int
    offset: int | None
    raw: bytes
    value: bytes = b""

    def load(self) -> dict[str, Any]:
        """The piece as an object."""
        found = orjson.loads(self.value or self.raw)
        return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class Gathering:
    """The pieces while they come in."""

    tables: sqlite3.Connection

    def add(self, key: str, leg: Leg) -> None:
        """Note a piece of the interaction that is called `key`."""
        self.tables.execute("INSERT INTO leg VALUES (NULL, ?, ?, ?, ?, ?, ?)", (_digest(key), *leg))

    def join(self, key: str, root: str) -> None:
        """Say that what is called `key` belongs to what is called `root`."""
        self.tables.execute("INSERT OR REPLACE INTO alias VALUES (?, ?)", (_digest(key), _digest(root)))

    def groups(self) -> Iterator[tuple[int, list[Leg]]]:
        """The pieces of each interaction, with 0; with 1, 2, … for further parts where it has too many."""
        self.tables.execute(
            "UPDATE leg SET key = (SELECT root FROM alias WHERE alias.key = leg.key)"
            " WHERE key IN (SELECT key FROM alias)"
        )
        self.tables.execute("CREATE INDEX by_key ON leg (key, n)")
        self.tables.execute("INSERT INTO first SELECT MIN(n), key FROM leg GROUP BY key")
        # In this order of the join nothing has to be sorted, which would hold the rows in memory.
        rows = self.tables.execute(
            "SELECT first.n, file, line, offset, raw, value FROM first CROSS JOIN leg ON leg.key = first.key"
            " ORDER BY first.n, leg.n"
        )
        group: list[Leg] = []
        last, part = -1, 0
        for first, *fields in rows:
            if group and (first != last or len(group) >= MOST_LEGS):
                yield part, group
                group, part = [], part + 1 if first == last else 0
            last = first
            group.append(Leg(*fields))
        if group:
            yield part, group


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@contextmanager
def open_gathering() -> Iterator[Gathering]:
    """An empty one in a private temporary folder that is gone afterwards."""
    try:
        with tempfile.TemporaryDirectory(prefix="carelog-") as folder:
            tables = sqlite3.connect(Path(folder, "legs"), isolation_level=None)
            try:
                tables.executescript(_TABLES)
                tables.execute("BEGIN")
                yield Gathering(tables)
            finally:
                tables.close()
    except sqlite3.Error as error:
        raise CarelogError(
            f"the temporary index of the records cannot be kept: {error}",
            "is the temporary folder full? set TMPDIR",
        ) from None


def to_chunks(
    gathering: Gathering, name: str, options: ReadOptions, known: dict[str, Any] | None = None
) -> Iterator[Chunk]:
    """The interactions as chunks of format `name`; `known` is what `parse_groups` is to give with them."""
    held: list[tuple[int, list[Leg]]] = []
    size = 0
    for part, group in gathering.groups():
        if held and (size >= CHUNK_BYTES or group[0].file != held[0][1][0].file):
            yield _to_chunk(held, name, options, known or {})
            held, size = [], 0
        held.append((part, group))
        size += sum(len(leg.raw) + len(leg.value) for leg in group)
    if held:
        yield _to_chunk(held, name, options, known or {})


def _to_chunk(
    groups: Sequence[tuple[int, list[Leg]]], name: str, options: ReadOptions, known: dict[str, Any]
) -> Chunk:
    first = groups[0][1][0]
    plan = [[part, [(leg.file, leg.line, leg.offset) for leg in group]] for part, group in groups]
    pieces = [orjson.dumps([known, plan])]
    for _, group in groups:
        for leg in group:
            pieces += [leg.raw, leg.value]
    spans, place = [], 0
    for piece in pieces:
        spans.append((place, place + len(piece)))
        place += len(piece)
    return Chunk(first.file, name, b"".join(pieces), first.line, first.offset or 0, options, spans)


def parse_groups(chunk: Chunk) -> tuple[dict[str, Any], list[tuple[int, list[Leg]]]]:
    """What `to_chunks` was given to know, and the interactions of a chunk."""
    pieces = iter([chunk.data[start:end] for start, end in chunk.spans or []])
    known, plan = orjson.loads(next(pieces))
    groups = [(part, [_to_leg(place, pieces) for place in places]) for part, places in plan]
    return known, groups


def _to_leg(place: Sequence[Any], pieces: Iterator[bytes]) -> Leg:
    file, line, offset = place
    return Leg(file, line, offset, next(pieces), next(pieces))


def once_each(legs: Sequence[Leg]) -> list[Leg]:
    """The legs without those that stand there a second time (exports overlap)."""
    return list({leg.value or leg.raw: leg for leg in reversed(legs)}.values())[::-1]


def once_per_file(legs: Sequence[Leg]) -> list[Leg]:
    """The legs without those that another file has too; equal ones in one file are different ones (two of the
    same item).
    """
    found: dict[bytes, dict[str, list[int]]] = {}
    for number, leg in enumerate(legs):
        found.setdefault(leg.value or leg.raw, {}).setdefault(leg.file, []).append(number)
    kept = {number for files in found.values() for number in max(files.values(), key=len)}
    return [leg for number, leg in enumerate(legs) if number in kept]


def add_interaction(
    block: Block,
    legs: Sequence[Leg],
    system: str,
    value: dict[str, Any],
    remarks: Sequence[Fault] = (),
    zone: str | None = None,
) -> None:
    """Add a canonical record (fields that are None are left out), or put it aside where it has no start.

    `record_id` of `value` becomes that of its source; times without an offset get that of `zone`.
    """
    first = legs[0]
    raw = b"\n".join(leg.raw for leg in legs)[:_KEPT_RAW]
    if value.get("started_at") is None:
        fault = next((r for r in remarks if r.pointer == "/started_at"), None) or NO_START
        put_aside(block, first.line, first.offset, raw, fault, value)
        return
    if zone is None and not _has_offset(value["started_at"]):
        put_aside(block, first.line, first.offset, raw, NO_OFFSET, value)
        return
    source = {"system": system, "format": block.format, "file": first.file, "line": first.line}
    source["record_id"] = value.get("record_id") or value["interaction_id"]
    kept = {k: v for k, v in value.items() if k in RECORD_FIELDS and v not in (None, [], {})}
    kept["source"] = source
    if _ends_first(kept):
        kept["extra"] = {**kept.get("extra", {}), "ended_at": kept.pop("ended_at")}
        remarks = [*remarks, END_FIRST]
    add_record(block, kept, first.line, first.offset, raw, zone)
    block.findings += [
        Finding(
            first.file, first.line, r.pointer, r.keyword, r.message, "warning", first.offset,
            value["interaction_id"],
        )
        for r in remarks
    ]  # fmt: skip


END_FIRST = Fault(
    "end_before_start", "the end lies before the start; it was left out and is kept under extra", "/ended_at"
)
NO_START = Fault("no_start", "the record does not say when it began", "/started_at")
NO_OFFSET = Fault("no_offset", "the time has no offset from UTC; say the zone with --tz ZONE", "/started_at")


def _ends_first(value: dict[str, Any]) -> bool:
    try:
        start, end = (datetime.fromisoformat(value[name]) for name in ("started_at", "ended_at"))
        return end < start
    except (KeyError, ValueError, TypeError, OverflowError):
        return False


def _has_offset(text: str) -> bool:
    return text.endswith("Z") or (text[-6:-5] in ("+", "-") and text[-3:-2] == ":")

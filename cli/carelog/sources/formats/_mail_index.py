"""Which mails belong together, however many there are: the index lies in a temporary database on disk, and in
memory are 8 bytes for each mail.

Mails of one thread share an id: their own, or one that they answer. A mail that names no other but whose
subject says that it answers (`Re:`) belongs to the last one before it with that subject and those people,
within a month.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, NamedTuple

from carelog.errors import CarelogError
from carelog.sources.formats._mail_dates import parse_date
from carelog.sources.formats._mail_headers import (
    Headers,
    find_addresses,
    find_ids,
    find_own_id,
)

MONTH = 30 * 86400.0
_REPLY = re.compile(
    r"(?:\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|aw|sv|antw|rép|ref|rif|res|odp|vs|回复|答复|回覆|返信|回信|ตอบกลับ|ตอบ|उत्तर"
    r"|જવાબ|fwd?|wg|tr|ส่งต่อ|转发)\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：]\s*)+",
    re.IGNORECASE,
)
_INNER_ID = re.compile(rb"^Message-ID:\s*<([^<>\s]{1,900})>", re.IGNORECASE | re.MULTILINE)
_TABLES = """
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -32000;
    CREATE TABLE mail (n INTEGER PRIMARY KEY, file TEXT, line INT, offset INT, length INT, is_cut INT,
                       store BLOB, place INT, size INT, is_mbox INT, from_line BLOB, fault TEXT, thread INT);
    CREATE TABLE link (key BLOB, n INT);
    CREATE TABLE subject (key BLOB, n INT, at REAL, is_orphan INT);
"""


class Stored(NamedTuple):
    """Where a mail lies: as the user sees it (`file`, `line`, `offset`, `length`) and as it can be read again
    (`store`, `place`, `size`; without `store` it goes to the temporary folder). `is_cut`: it was longer than
    the limit; `fault`: the keyword of what makes it unreadable.
    """

    file: str
    line: int
    offset: int
    length: int
    is_cut: int
    store: bytes
    place: int
    size: int
    is_mbox: int
    from_line: bytes
    fault: str


@dataclass(slots=True)
class MailIndex:
    """The index while it is being built; mails that cannot be read again from their file go to `spill`."""

    tables: sqlite3.Connection
    spill: BinaryIO
    spill_path: bytes
    count: int = 0

    def add(self, stored: Stored, raw: bytes, headers: Headers) -> None:
        """Note a mail under the next number."""
        if not stored.store:
            stored = stored._replace(store=self.spill_path, place=self.spill.tell(), size=len(raw))
            self.spill.write(raw)
        self.tables.execute(f"INSERT INTO mail VALUES ({'?,' * 12}NULL)", (self.count, *stored))
        keys = ((_hash(key), self.count) for key in _link_keys(raw, headers))
        self.tables.executemany("INSERT INTO link VALUES (?, ?)", keys)
        row = _subject_row(headers)
        if row is not None:
            self.tables.execute("INSERT INTO subject VALUES (?, ?, ?, ?)", (row[0], self.count, *row[1:]))
        self.count += 1

    def threads(self) -> Iterator[list[Stored]]:
        """The mails of each thread, in the order in which they were added; threads in that of their first."""
        self.spill.flush()
        parents = self._join()
        roots = ((_root(parents, n), n) for n in range(self.count))
        self.tables.executemany("UPDATE mail SET thread = ? WHERE n = ?", roots)
        self.tables.execute("CREATE INDEX by_thread ON mail (thread, n)")
        names = ", ".join(Stored._fields)
        thread: list[Stored] = []
        last = -1
        for root, *fields in self.tables.execute(f"SELECT thread, {names} FROM mail ORDER BY thread, n"):
            if root != last and thread:
                yield thread
                thread = []
            last = root
            thread.append(Stored(*fields))
        if thread:
            yield thread

    def _join(self) -> array[int]:
        parents = array("q", range(self.count))
        last_key, last = b"", 0
        for key, n in self.tables.execute("SELECT key, n FROM link ORDER BY key, n"):
            if key == last_key:
                _unite(parents, last, n)
            last_key, last = key, n
        last_at = 0.0
        for key, n, at, is_orphan in self.tables.execute("SELECT * FROM subject ORDER BY key, at, n"):
            if is_orphan and key == last_key and at - last_at <= MONTH:
                _unite(parents, last, n)
            last_key, last, last_at = key, n, at
        return parents


@contextmanager
def open_index() -> Iterator[MailIndex]:
    """An empty index in a private temporary folder that is gone afterwards."""
    try:
        with tempfile.TemporaryDirectory(prefix="carelog-") as folder:
            spill_path = Path(folder, "mails")
            tables = sqlite3.connect(Path(folder, "index"), isolation_level=None)
            try:
                tables.executescript(_TABLES)
                tables.execute("BEGIN")
                with spill_path.open("wb") as spill:
                    yield MailIndex(tables, spill, bytes(spill_path))
            finally:
                tables.close()
    except sqlite3.Error as error:
        raise CarelogError(
            f"the temporary index of the mails cannot be kept: {error}",
            "is the temporary folder full? set TMPDIR",
        ) from None


def _root(parents: array[int], n: int) -> int:
    while parents[n] != n:
        parents[n] = parents[parents[n]]
        n = parents[n]
    return n


def _unite(parents: array[int], one: int, other: int) -> None:
    # The smaller number leads, so that a thread stands where its first mail does.
    one, other = _root(parents, one), _root(parents, other)
    parents[max(one, other)] = min(one, other)


def _hash(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _link_keys(raw: bytes, headers: Headers) -> set[str]:
    """What a mail shares with those of its thread."""
    keys = {f"id:{found}" for found in find_ids(headers, "references", "in-reply-to")}
    own = find_own_id(headers)
    if own is not None:
        keys.add(f"id:{own}")
    thread = headers.text("x-gm-thrid")
    if thread:
        keys.add(f"gm:{thread}")
    # Outlook: of the index, the first 22 bytes are the conversation's, which is 29 letters and a bit.
    index = re.sub(r"\s", "", headers.text("thread-index"))
    if len(index) >= 30:
        keys.add(f"ti:{index[:29]}")
    if headers.text("content-type").lower().startswith("multipart/report"):
        keys |= {
            f"id:{found.decode('ascii', 'replace')}" for found in _INNER_ID.findall(raw[headers.size :])[:3]
        }
    return keys


def looks_like_answer(subject: str) -> bool:
    """Whether a subject says that the mail answers or passes on another."""
    return _REPLY.match(subject) is not None


def _subject_row(headers: Headers) -> tuple[bytes, float, int] | None:
    """Key, time and whether the mail answers one that it does not name."""
    subject = headers.text("subject")
    base = _REPLY.sub("", subject, count=1) if looks_like_answer(subject) else subject
    at, _ = parse_date(headers.text("date"))
    if not base.strip() or at is None:
        return None
    people = sorted({address for _, address in find_addresses(headers, "from", "to")})
    is_orphan = base != subject and not find_ids(headers, "references", "in-reply-to")
    try:
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, OSError, ValueError):
        return None
    key = "\0".join([" ".join(base.casefold().split()), *people])
    return _hash(key), seconds, int(is_orphan)

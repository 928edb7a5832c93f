"""What reading hands on: a block of records, or a chunk of bytes that another process turns into one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from carelog.findings import Finding, Reject

if TYPE_CHECKING:
    from carelog.sources.formats._mapping import Mapping

MAX_LINE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user said about how to read; the same for every input of a run.

    `max_line_bytes` is the longest record that is read. `zone` is the IANA zone of times that carry no
    offset (None: such times stay as they are and become findings). `our_domains` are the company's own mail
    domains. `agents` are names (or ids) of the company's people in chats and calls; `gap_hours` is the
    silence that ends a chat; `date_order` (`dmy`, `mdy`, `ymd`) how a chat writes its days; `start` (RFC
    3339, or local) when a transcript begins that does not say so. `mapping` says how the format `mapping` is
    read. `currency` (ISO 4217) is that of receipts which do not name theirs.
    """

    max_line_bytes: int = MAX_LINE_BYTES
    zone: str | None = None
    our_domains: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    gap_hours: float = 24.0
    date_order: str | None = None
    start: str | None = None
    currency: str | None = None
    mapping: Mapping | None = None


@dataclass(slots=True)
class Block:
    """Records of one input, in order.

    `values[i]` is the i-th record as a plain JSON object, `lines[i]` its line (or row, or position in the
    array, from 1), `offsets[i]` the byte offset where it starts in the decompressed input (None where that
    means nothing), `raws[i]` the record as it stood. `rejects` are the pieces that could not become a
    record; `findings` are remarks (warnings) on records that did, or on the file. Then `read = len(values)
    + len(rejects)`.
    """

    file: str
    format: str
    values: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    offsets: list[int | None] = field(default_factory=list)
    raws: list[bytes | str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    system: str | None = None
    blank_lines: int = 0

    @property
    def read(self) -> int:
        """How many records were read: those that can be validated, and those already put aside."""
        return len(self.values) + len(self.rejects)

    @property
    def weight(self) -> int:
        """How much work there is in it: the bytes of its records."""
        return sum(map(len, self.raws))


class Fault(NamedTuple):
    """Why a piece of the input cannot become a record: a finding that has no place yet."""

    keyword: str
    message: str
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of one input, cut between records: cheap to make in one process, to be parsed in another.

    `first_line` and `first_offset` are the place of the first byte in the decompressed input. The records
    are the lines of `data`, or, where `spans` is given, `data[start:end]` of each span, counted from
    `first_line`. `faults` says of a record (by its index in the chunk) what reading already knows to be
    wrong with it. `columns` are the names of a table's columns, `delimiter` what stands between its cells.
    """

    file: str
    format: str
    data: bytes
    first_line: int
    first_offset: int
    options: ReadOptions = ReadOptions()
    spans: list[tuple[int, int]] | None = None
    faults: dict[int, Fault] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    delimiter: str = ""

    @property
    def weight(self) -> int:
        """How much work there is in it: the bytes of its records."""
        return len(self.data)

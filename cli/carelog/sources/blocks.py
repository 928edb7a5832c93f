"""A block: some records of one input, in order, as they were read; the unit that reading hands to validation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from carelog.findings import Finding, Reject


@dataclass(slots=True)
class Block:
    """Records of one input, in order.

    `values[i]` is the i-th record as a plain JSON object, `lines[i]` its line (or row, or position in the array, from 1),
    `offsets[i]` the byte offset where it starts in the decompressed input (None where that means nothing), `raws[i]` the
    record as it stood. `rejects` are the pieces that could not become a record; `findings` are remarks (warnings) on
    records that did, or on the file. Then `read = len(values) + len(rejects)`.
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


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of one line-oriented input, cut at a line end: cheap to make in one process, to be parsed in another.

    `first_line` and `first_offset` are the place of the first byte in the decompressed input.
    """

    file: str
    format: str
    data: bytes
    first_line: int
    first_offset: int
    options: dict[str, Any] = field(default_factory=dict)

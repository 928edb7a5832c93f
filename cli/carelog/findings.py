"""A finding: what is wrong with a record, and where. A reject: a record that was put aside, with its findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one record (or with the file, then `pointer` is "" and `line` may be None).

    `line` counts from 1 (a row of CSV or Parquet counts as a line), `pointer` is a JSON Pointer (RFC 6901) into the
    record, `keyword` the JSON Schema keyword or one of carelog's own (`duplicate_id`, `not_json`, …).
    """

    file: str
    line: int | None
    pointer: str
    keyword: str
    message: str
    severity: Severity = "error"
    byte_offset: int | None = None
    interaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was put aside: `raw` is the record as it stood, bytes that are not UTF-8 as \\xNN escapes."""

    file: str
    line: int | None
    byte_offset: int | None
    interaction_id: str | None
    raw: str
    findings: list[Finding] = field(default_factory=list)

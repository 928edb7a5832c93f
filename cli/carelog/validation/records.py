"""A block of records in; accepted columns, rejects and findings out. Pure: no files, no printing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from carelog.columns import RECORD, join_batches, to_record_batch
from carelog.findings import Finding, Reject
from carelog.sources.blocks import Block
from carelog.validation.duplicates import DuplicateIds
from carelog.validation.rules import (
    Remark,
    check_end,
    check_record,
    check_strangers,
    find_suspects,
    keep_strangers,
)
from carelog.validation.schemas import ANY_CHANNEL, compile_schemas
from carelog.validation.wording import error_place, explain

MOST_FINDINGS = 200
"""So many faults of one record are told, then one finding says that there are more."""


@dataclass(frozen=True, slots=True)
class Validated:
    """What became of a block; `read` = rows of `accepted` + `rejects`, always.

    `accepted` is in the RECORD layout; `lines`, `offsets` (int64, -1 where it means nothing) and `raws` say
    for each of its rows where it stood and how, so that a row can still be rejected as a duplicate.
    `rejects` are in the order of the input and carry their errors; `findings` are the warnings, on accepted
    and rejected records and on the file. `joined` records got an answer to a survey.
    """

    file: str
    format: str
    accepted: pa.RecordBatch
    lines: np.ndarray
    offsets: np.ndarray
    raws: list[bytes | str]
    rejects: list[Reject]
    findings: list[Finding]
    read: int
    blank_lines: int = 0
    joined: int = 0

    @property
    def rejected(self) -> int:
        """How many records were put aside."""
        return len(self.rejects)


def validate_block(block: Block, channel: str | None = None, now: datetime | None = None) -> Validated:
    """Check every record of a block against the schema of its channel and the rules that no schema can say.

    `channel` is that of records which do not name theirs (the values are filled in in place). `now` is the
    instant beyond which a time lies in the future; without it that is not checked.
    """
    if channel is not None:
        for value in block.values:
            value.setdefault("channel", channel)
    untidy = _untidy_rows(block.values)
    rejects, findings = list(block.rejects), list(block.findings)
    values, broken = _sort_out(block, untidy, now, rejects, findings)
    rows = np.delete(np.arange(len(block.values)), sorted(broken))
    batch, rows = _to_columns(block, values, rows, rejects)
    ended_early, odd = find_suspects(batch, now)
    for position in np.flatnonzero(ended_early | odd):
        row = int(rows[position])
        remarks = list(check_record(block.values[row], now))
        findings += [_finding(block, row, r) for r in remarks if r.severity == "warning"]
        if ended_early[position]:
            rejects.append(_reject(block, row, check_end(block.values[row])))
    if ended_early.any():
        batch, rows = batch.filter(pa.array(~ended_early)), rows[~ended_early]
    return _validated(block, batch, rows, rejects, findings)


def _untidy_rows(values: Sequence[dict[str, Any]]) -> list[int]:
    """The rows that are not both valid and free of unknown fields: few, as a rule."""
    tidy = compile_schemas().is_tidy
    anything = tidy[ANY_CHANNEL]
    rows = []
    for row, value in enumerate(values):
        name = value.get("channel")
        if not (tidy.get(name, anything) if isinstance(name, str) else anything)(value):
            rows.append(row)
    return rows


def _sort_out(
    block: Block, untidy: Iterable[int], now: datetime | None, rejects: list[Reject], findings: list[Finding]
) -> tuple[list[dict[str, Any]], set[int]]:
    """Tell unknown fields from faults; gives the values to keep and the rows that are put aside."""
    kept: list[dict[str, Any] | None] = list(block.values)
    for row in untidy:
        value = block.values[row]
        findings += [_finding(block, row, remark) for remark in islice(check_strangers(value), MOST_FINDINGS)]
        remarks = check_schema(value)
        if not remarks:
            kept[row] = keep_strangers(value)
            continue
        others = list(check_record(value, now))
        rejects.append(_reject(block, row, [*remarks, *(r for r in others if r.severity == "error")]))
        findings += [_finding(block, row, r) for r in others if r.severity == "warning"]
        kept[row] = None
    broken = {row for row, value in enumerate(kept) if value is None}
    return [value for value in kept if value is not None], broken


def check_schema(value: dict[str, Any]) -> list[Remark]:
    """Everything that the schema of its channel finds wrong with a record; empty where it is valid."""
    compiled = compile_schemas()
    name = value.get("channel")
    name = name if isinstance(name, str) and name in compiled.is_valid else ANY_CHANNEL
    if compiled.is_valid[name](value):
        return []
    errors = list(islice(compiled.explain[name].iter_errors(value), MOST_FINDINGS + 1))
    remarks = _without_echoes([Remark(error_place(e), str(e.validator), explain(e, value)) for e in errors])
    if len(errors) > MOST_FINDINGS:
        message = f"the record has more than {MOST_FINDINGS} faults; the others are not listed"
        remarks = [*remarks[:MOST_FINDINGS], Remark((), "too_many_faults", message)]
    # A record that only one validator refuses is put aside all the same; a property test looks for such
    # records.
    return remarks or [Remark((), "schema", "the record does not fit the schema of its channel")]


def _without_echoes(remarks: list[Remark]) -> list[Remark]:
    """Without the pattern of a field whose format failed: the same fault said twice."""
    formats = {r.path for r in remarks if r.keyword == "format"}
    return [r for r in remarks if r.keyword != "pattern" or r.path not in formats]


def _to_columns(
    block: Block, values: list[dict[str, Any]], rows: np.ndarray, rejects: list[Reject]
) -> tuple[pa.RecordBatch, np.ndarray]:
    """The values as columns. A value that no column can hold costs its own record only."""
    try:
        return to_record_batch(values), rows
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        if len(values) == 1:
            message = "the record holds a value that cannot be stored"
            rejects.append(_reject(block, int(rows[0]), [Remark((), "unstorable", message)]))
            return join_batches([], RECORD), rows[:0]
    middle = len(values) // 2
    parts = [
        _to_columns(block, values[part], rows[part], rejects)
        for part in (slice(None, middle), slice(middle, None))
    ]
    return join_batches([batch for batch, _ in parts], RECORD), np.concatenate([kept for _, kept in parts])


def _validated(
    block: Block, batch: pa.RecordBatch, rows: np.ndarray, rejects: list[Reject], findings: list[Finding]
) -> Validated:
    return Validated(
        file=block.file,
        format=block.format,
        accepted=batch,
        lines=np.array([block.lines[r] for r in rows], np.int64),
        offsets=np.array([-1 if block.offsets[r] is None else block.offsets[r] for r in rows], np.int64),
        raws=[block.raws[r] for r in rows],
        rejects=sorted(rejects, key=_place),
        findings=sorted(findings, key=_place),
        read=block.read,
        blank_lines=block.blank_lines,
    )


def reject_duplicates(validated: Validated, seen: DuplicateIds) -> Validated:
    """Put the rows aside whose `interaction_id` was read before in the same input. Call it in the order of
    the input.
    """
    first = seen.check(validated.file, validated.accepted.column("interaction_id"), validated.lines)
    again = np.flatnonzero(first)
    if not len(again):
        return validated
    ids = validated.accepted.column("interaction_id")
    rejects = [_duplicate(validated, int(row), ids[int(row)].as_py(), int(first[row])) for row in again]
    keep = first == 0
    return replace(
        validated,
        accepted=validated.accepted.filter(pa.array(keep)),
        lines=validated.lines[keep],
        offsets=validated.offsets[keep],
        raws=[raw for raw, kept in zip(validated.raws, keep, strict=True) if kept],
        rejects=sorted([*validated.rejects, *rejects], key=_place),
    )


def _duplicate(validated: Validated, row: int, interaction_id: str, first_line: int) -> Reject:
    line = int(validated.lines[row])
    offset = int(validated.offsets[row]) if validated.offsets[row] >= 0 else None
    message = f"`interaction_id` was read before in this input, at line {first_line}"
    finding = Finding(
        validated.file, line, "/interaction_id", "duplicate_id", message, "error", offset, interaction_id
    )
    return Reject(validated.file, line, offset, interaction_id, _text(validated.raws[row]), [finding])


def _finding(block: Block, row: int, remark: Remark) -> Finding:
    number = block.values[row].get("interaction_id")
    return Finding(
        file=block.file,
        line=block.lines[row],
        pointer=remark.pointer,
        keyword=remark.keyword,
        message=remark.message,
        severity=remark.severity,
        byte_offset=block.offsets[row],
        interaction_id=number if isinstance(number, str) else None,
    )


def _reject(block: Block, row: int, remarks: Iterable[Remark]) -> Reject:
    findings = [_finding(block, row, remark) for remark in remarks]
    number = findings[0].interaction_id
    return Reject(block.file, block.lines[row], block.offsets[row], number, _text(block.raws[row]), findings)


def _text(raw: bytes | str) -> str:
    return raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw


def _place(found: Finding | Reject) -> int:
    return found.line or 0

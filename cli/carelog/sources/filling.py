"""Putting what was read into a block: a record with its place, or the rejection of a piece."""

from __future__ import annotations

from typing import Any

from carelog.columns import TIMES
from carelog.findings import Finding
from carelog.sources.blocks import Block, Fault
from carelog.sources.clocks import parse_local, with_offset
from carelog.sources.lines import raw_text, to_reject


def add_record(
    block: Block, value: dict[str, Any], line: int, offset: int | None, raw: bytes, zone: str | None
) -> None:
    """Add a canonical record; `source` is filled in if it has none, local times get the offset of `zone`."""
    if value.get("source") is None:
        value["source"] = {"format": block.format, "file": block.file, "line": line}
    if zone is not None:
        _fix_clocks(block, value, line, offset, zone)
    block.values.append(value)
    block.lines.append(line)
    block.offsets.append(offset)
    block.raws.append(raw)


def put_aside(
    block: Block, line: int | None, offset: int | None, raw: bytes, fault: Fault, value: Any = None
) -> None:
    """Add the rejection of a piece; `value` is what is known of the record."""
    found = value.get("interaction_id") if isinstance(value, dict) else None
    shown = raw_text(raw, len(raw) if fault.keyword == "too_long" else None)
    interaction_id = found if isinstance(found, str) else None
    block.rejects.append(to_reject(block.file, line, offset, shown, fault, interaction_id))


def _fix_clocks(block: Block, value: dict[str, Any], line: int, offset: int | None, zone: str) -> None:
    messages = value.get("messages")
    places: list[tuple[str, Any, str]] = [(f"/{name}", value, name) for name in TIMES]
    if isinstance(messages, list):
        places += [(f"/messages/{n}/at", message, "at") for n, message in enumerate(messages)]
    for pointer, holder, name in places:
        text = holder.get(name) if isinstance(holder, dict) else None
        local = parse_local(text) if isinstance(text, str) else None
        if local is None:
            continue
        holder[name], remark = with_offset(local, zone)
        if remark is not None:
            found = value.get("interaction_id")
            block.findings.append(
                Finding(
                    block.file, line, pointer, remark.keyword, remark.message, "warning", offset,
                    found if isinstance(found, str) else None,
                )
            )  # fmt: skip

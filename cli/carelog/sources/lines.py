"""Cutting a stream of bytes at line ends, without ever holding a line that is longer than the limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from carelog.findings import Finding, Reject, Severity
from carelog.sources.blocks import Block, Fault

CHUNK_BYTES = 512 * 1024
"""About how many bytes go to a worker at once."""
KEPT_OF_LONG = 1024
"""How many bytes of a record that is too long are kept to recognise it by."""


class Lines(NamedTuple):
    """Whole lines as they stood; or, where `length` is given, the beginning of one line that is too long.

    `first_line` counts from 1, `first_offset` in bytes; `length` is that of the line without its end.
    `is_last` says that the input ends here without a line end.
    """

    data: bytes
    first_line: int
    first_offset: int
    length: int | None = None
    is_last: bool = False


def read_lines(
    stream: BinaryIO, offset: int, limit: int, chunk_bytes: int = CHUNK_BYTES, line_end: bytes = b"\n"
) -> Iterator[Lines]:
    """Cut a stream at line ends into pieces of about `chunk_bytes`; `offset` is where the stream begins in
    the input.

    A line of more than `limit` bytes that does not fit a piece comes by itself, as its beginning and its
    length.
    """
    line, carried = 1, b""
    while block := stream.read(chunk_bytes):
        data, carried = carried + block, b""
        end = data.rfind(line_end) + 1
        if end:
            yield Lines(data[:end], line, offset)
            line, offset, data = line + data.count(line_end, 0, end), offset + end, data[end:]
        if len(data) <= limit:
            carried = data
            continue
        length, carried = _skip_line(stream, len(data), chunk_bytes, line_end)
        yield Lines(data[:KEPT_OF_LONG], line, offset, length)
        line, offset = line + 1, offset + length + 1
    if carried:
        yield Lines(carried, line, offset, is_last=True)


def _skip_line(stream: BinaryIO, length: int, chunk_bytes: int, line_end: bytes) -> tuple[int, bytes]:
    """Read to the end of the line; its length and what was read of the next."""
    while block := stream.read(chunk_bytes):
        end = block.find(line_end)
        if end >= 0:
            return length + end, block[end + 1 :]
        length += len(block)
    return length, b""


def too_long(length: int, limit: int) -> Fault:
    """The fault of a record that is longer than the limit (both in bytes)."""
    return Fault(
        "too_long", f"the record is {length:,} bytes long; the limit is {limit:,} bytes (--max-line-bytes)"
    )


def raw_text(raw: bytes, length: int | None = None) -> str:
    """A record as text, bytes that are not UTF-8 as \\xNN; with `length` only the beginning of it."""
    if length is None:
        return raw.decode("utf-8", "backslashreplace")
    kept = raw[:KEPT_OF_LONG].decode("utf-8", "backslashreplace")
    return f"{kept} … [cut by carelog: {length} bytes]"


def to_reject(
    file: str,
    line: int | None,
    offset: int | None,
    raw: str,
    fault: Fault,
    interaction_id: str | None = None,
) -> Reject:
    """A piece of input that cannot become a record, with the place where it stands."""
    finding = Finding(
        file,
        line,
        fault.pointer,
        fault.keyword,
        fault.message,
        byte_offset=offset,
        interaction_id=interaction_id,
    )
    return Reject(file, line, offset, interaction_id, raw, [finding])


def file_finding(file: str, fault: Fault, severity: Severity = "error") -> Finding:
    """A fault of the input as a whole."""
    return Finding(file, None, "", fault.keyword, fault.message, severity)


def reject_long(file: str, format_name: str, lines: Lines, limit: int) -> Block:
    """A block that holds nothing but the rejection of one line that is too long."""
    assert lines.length is not None
    raw = raw_text(lines.data, lines.length)
    reject = to_reject(file, lines.first_line, lines.first_offset, raw, too_long(lines.length, limit))
    return Block(file, format_name, rejects=[reject])

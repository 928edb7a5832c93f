"""JSON Lines: one record a line. A broken line costs only itself."""

from __future__ import annotations

from collections.abc import Iterator

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.lines import read_lines, reject_long
from carelog.sources.streams import Opened

NAME = "jsonl"


def read_jsonlines(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """Chunks of whole lines; a line that is too long for the limit as a block with its rejection."""
    stream, offset = opened.utf8()
    for lines in read_lines(stream, offset, options.max_line_bytes):
        if lines.length is not None:
            yield reject_long(opened.name, NAME, lines, options.max_line_bytes)
            continue
        faults = {}
        if lines.is_last and opened.trouble is not None:
            faults[0] = cut_off(opened.trouble)
        yield Chunk(
            opened.name, NAME, lines.data, lines.first_line, lines.first_offset, options, faults=faults
        )


def cut_off(trouble: Fault) -> Fault:
    """The fault of the last record of an input that ended early."""
    return Fault(trouble.keyword, "the record is cut off: the input ends early here")

"""Damaged inputs: what a reader must survive without a crash, a hang or a record that cannot be written."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from carelog.sources.blocks import ReadOptions
from carelog.sources.reading import identify, read_blocks

SECONDS = float(os.environ.get("CARELOG_FUZZ_SECONDS", "0"))


def examples(few: int) -> int:
    """How many examples to try: a few, or about as many as CARELOG_FUZZ_SECONDS allow."""
    return max(few, int(SECONDS * 60)) if SECONDS else few


@st.composite
def mutated(draw: st.DrawFn, raws: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of the inputs with pieces cut out, put in, doubled, or changed for words that mean something."""
    raw = bytearray(draw(st.sampled_from(raws)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            raw[at : at + draw(st.integers(0, 60))] = b""
        elif kind == 1:
            raw[at:at] = draw(st.binary(max_size=12))
        elif kind == 2:
            raw[at : at + draw(st.integers(0, 12))] = draw(st.sampled_from(words))
        else:
            raw[at:at] = raw[at : at + draw(st.integers(0, 400))]
    return bytes(raw)


def read_damaged(raw: bytes, path: Path, from_format: str, **options: Any) -> None:
    """Read it whole; AssertionError if a record or a reject could not be written."""
    path.write_bytes(raw)
    with identify([str(path)], from_format) as inputs:
        for block in read_blocks(inputs, ReadOptions(**options)):
            json.dumps(block.values, ensure_ascii=False, allow_nan=False).encode()
            assert all(isinstance(value["interaction_id"], str) for value in block.values)
            assert all(isinstance(reject.raw, str) for reject in block.rejects)

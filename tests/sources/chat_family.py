"""What holds for every reader of chats and transcripts, as checks that their tests call."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from carelog.sources.blocks import ReadOptions
from carelog.sources.formats import detect_formats
from carelog.sources.reading import identify, read_blocks
from carelog.validation.records import check_schema

SECONDS = float(os.environ.get("CARELOG_FUZZ_SECONDS", "0"))
EXAMPLES = max(25, int(SECONDS * 60))
"""How many damaged files a fuzz test reads: few in CI, more when CARELOG_FUZZ_SECONDS asks for it."""
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
HERE = Path(__file__).parent


def every_file() -> list[Path]:
    """All fixtures of all formats, and the reference samples where they are."""
    fixtures = [p for p in HERE.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")]
    samples = [p for p in SAMPLES.rglob("*") if p.is_file()] if SAMPLES.exists() else []
    return sorted(p for p in [*fixtures, *samples] if not p.name.endswith(".expected.jsonl"))


def claimed_elsewhere(format_name: str, own: tuple[str, ...]) -> list[str]:
    """Files of other formats that this one claims, and its own that it does not; `own` are the names of
    folders.
    """
    wrong = []
    for path in every_file():
        relative = path.relative_to(SAMPLES if path.is_relative_to(SAMPLES) else HERE)
        claims = detect_formats(path.read_bytes()[:65536].removeprefix(b"\xef\xbb\xbf"), str(path))
        is_own = relative.parts[0] in own
        if (format_name in claims) != is_own or (is_own and len(claims) > 1):
            wrong.append(f"{relative}: {sorted(claims)}")
    return wrong


def words_lost(path: Path, values: list[dict[str, Any]], written: str) -> list[str]:
    """The words of a text file that stand neither in a record nor in `written` (what the format itself
    writes).
    """
    text = path.read_bytes().decode("utf-8-sig", "replace")
    kept = json.dumps(values, ensure_ascii=False) + written
    return [word for word in re.findall(r"[^\W\d_]{2,}", text) if word not in kept]


@st.composite
def mutated(draw: st.DrawFn, raws: list[bytes], pieces: list[bytes]) -> bytes:
    """One of the fixtures with some bytes cut out, put in or said twice."""
    raw = bytearray(draw(st.sampled_from(raws)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            raw[at : at + draw(st.integers(0, 60))] = b""
        elif kind == 1:
            raw[at:at] = draw(st.binary(max_size=12))
        elif kind == 2:
            raw[at:at] = draw(st.sampled_from([*pieces, b"\n", b"\r", b"\0", b"\xe0\xb8", b"9999999999999"]))
        else:
            raw[at:at] = raw[at : at + draw(st.integers(0, 400))]
    return bytes(raw)


def read_damaged(raw: bytes, path: Path, format_name: str) -> None:
    """Read damaged bytes as that format: what comes out can be written, and every record is sound or put
    aside.
    """
    path.write_bytes(raw)
    detect_formats(raw[:65536], str(path))
    with identify([str(path)], format_name) as inputs:
        for block in read_blocks(inputs, ReadOptions(zone="Asia/Bangkok", start="2026-09-14T09:00:00+07:00")):
            json.dumps(block.values, ensure_ascii=False).encode()
            assert all(isinstance(reject.raw, str) for reject in block.rejects)
            assert [check_schema(value) for value in block.values if check_schema(value)] == []
            assert len(block.values) == len(block.lines) == len(block.offsets) == len(block.raws)

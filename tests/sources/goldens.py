"""Reading fixtures and comparing what comes out with a golden file beside them.

With CARELOG_UPDATE_GOLDEN=1 the golden files are written anew; look at the difference before committing it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carelog.sources.blocks import ReadOptions
from carelog.sources.reading import identify, read_blocks


@dataclass(frozen=True)
class Read:
    """What was read: formats, records, and findings and rejects in short."""

    formats: set[str]
    values: list[dict[str, Any]]
    findings: list[tuple[str, str]]
    rejects: list[str]


def read_files(*paths: str | Path, from_format: str | None = None, **options: Any) -> Read:
    """Records, `(severity, keyword)` of the findings and keywords of the rejects of these inputs."""
    with identify([str(p) for p in paths], from_format) as inputs:
        blocks = list(read_blocks(inputs, ReadOptions(**options)))
        formats = {known.format for known in inputs.known}
    return Read(
        formats,
        [value for block in blocks for value in block.values],
        [(f.severity, f.keyword) for block in blocks for f in block.findings],
        [f.keyword for block in blocks for reject in block.rejects for f in reject.findings],
    )


def check_golden(name: str, found: Read) -> None:
    """Compare with `NAME.expected.jsonl` in the current folder: records, then one line of findings."""
    remarks = {"findings": sorted(map(list, found.findings)), "rejects": found.rejects}
    lines = [json.dumps(value, ensure_ascii=False, indent=1) for value in (*found.values, remarks)]
    path = Path(f"{name}.expected.jsonl")
    text = "\n".join(json.dumps(json.loads(line), ensure_ascii=False) for line in lines) + "\n"
    if os.environ.get("CARELOG_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    expected = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [*found.values, json.loads(json.dumps(remarks))] == expected

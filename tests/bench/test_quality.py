"""`make quality` prints figures, and nothing of the records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("quality.py")
SMALL = """
[rulebook]
name = "carelog-en"
version = "1"
language = "en"
[[rule]]
id = "en.a.b"
label = "loyalty"
phrases = ["c d"]
match = ["c d", "a c d"]
no_match = ["d"]
"""
RUN = """
import runpy, sys
from pathlib import Path
from carelog.classification import rulebook
rulebook.rulebook_files = lambda: [Path(sys.argv[1])]
runpy.run_path(sys.argv[2], run_name="__main__")
"""


def run(folder: Path, gold: Path) -> subprocess.CompletedProcess[str]:
    """The script with a rulebook of one rule, so that little has to be compiled."""
    book = folder / "en.toml"
    book.write_text(SMALL, "utf-8")
    environment = {**os.environ, "CARELOG_GOLD": str(gold), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-c", RUN, str(book), str(SCRIPT)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_without_labelled_records_it_skips(tmp_path: Path) -> None:
    result = run(tmp_path, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[:2] == [
        "look: no labelled records here, skipped",
        "measure: no labelled records here, skipped",
    ]


def test_it_prints_a_table_for_each_set_and_no_text_or_id(tmp_path: Path) -> None:
    secret = {"speaker": "customer", "text": "zebra lamps are secret"}
    for name in ("look", "measure"):
        folder = tmp_path / "gold" / name
        folder.mkdir(parents=True)
        record = {
            "interaction_id": "hush-1", "channel": "chat", "started_at": "2026-03-10T09:15:00Z",
            "language": "en", "messages": [secret],
        }  # fmt: skip
        gold = {"id": "hush-1", "orientation": "none", "loyalty": False}
        (folder / "a.jsonl").write_text(json.dumps(record) + "\n", "utf-8")
        (folder / "a.gold.jsonl").write_text(json.dumps(gold) + "\n", "utf-8")
    result = run(tmp_path, tmp_path / "gold")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("look", "measure"))] == ["look", "measure"]
    assert lines[2].split() == ["at", "least", "all", "en", "chat"]
    assert sum(line.startswith("orientation, macro-F1") for line in lines) == 2
    assert "zebra" not in result.stdout and "hush" not in result.stdout

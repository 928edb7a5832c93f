"""The samples are what their README says: valid ones pass; each planted fault is found, and no other."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from carelog.app import main
from carelog.columns import to_values
from carelog.labels import CHANNELS
from carelog.sources.blocks import ReadOptions
from carelog.sources.reading import identify, read_blocks
from carelog.validation import validate_block

with as_file(files("carelog.sample_logs")) as folder:
    SAMPLES = Path(folder)
LANGUAGES = ("en", "hi", "gu", "th", "fil")
PLANTED: list[dict[str, Any]] = tomllib.loads((SAMPLES / "invalid/expected.toml").read_text("utf-8"))["file"]


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["validate", *arguments, "--jobs", "1"])


def valid_records() -> list[dict[str, Any]]:
    with identify([str(SAMPLES / "valid")]) as inputs:
        blocks = list(read_blocks(inputs, ReadOptions()))
    return [value for block in blocks for value in to_values(validate_block(block).accepted)]


def test_the_valid_samples_are_valid_without_a_warning() -> None:
    result = validate(str(SAMPLES / "valid"), "--fail-on", "warning", "--format", "json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert (report["rejected"], report["errors"], len(report["files"])) == (0, [], 20)


def test_there_are_all_channels_in_all_languages_and_all_kinds_of_files() -> None:
    records = valid_records()
    seen = Counter((r["channel"], r.get("language")) for r in records)
    assert all(seen[channel, language] >= 5 for channel in CHANNELS for language in LANGUAGES)
    suffixes = {p.name.split(".", 1)[1] for p in (SAMPLES / "valid").iterdir()}
    assert suffixes == {"jsonl", "csv", "jsonl.gz", "jsonl.zst", "parquet"}


def test_the_records_make_an_interesting_report() -> None:
    records = valid_records()
    contacts = Counter(r.get("customer_id") for r in records)
    assert len({r["interaction_id"] for r in records}) == len(records) >= 120
    assert sum(n >= 2 for n in contacts.values()) >= 15
    assert {r["started_at"][:7] for r in records} == {"2026-01", "2026-02", "2026-03"}
    assert {r["satisfaction"]["scale"] for r in records if "satisfaction" in r} == {
        "csat_5",
        "nps_10",
        "thumbs",
    }
    assert {r["order"]["kind"] for r in records if "order" in r} == {"sale", "return", "exchange", "void"}
    assert {r.get("initiative") for r in records} == {None, "proactive", "reactive"}


def test_no_sentence_is_used_twice() -> None:
    texts = Counter(m["text"] for r in valid_records() for m in r.get("messages", []) if len(m["text"]) > 25)
    greetings_of_the_bot = [text for text, n in texts.items() if n > 1 and text.startswith("Hi! I'm Larky.")]
    assert [text for text, n in texts.items() if n > 1] == greetings_of_the_bot


def test_validate_finds_exactly_the_planted_faults() -> None:
    result = validate(str(SAMPLES), "--format", "json", "--max-errors", "1000")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    invalid = {Path(f["file"]).name: f for f in report["files"] if Path(f["file"]).parent.name == "invalid"}
    assert invalid.keys() == {planted["name"] for planted in PLANTED}
    for planted in PLANTED:
        counts = invalid[planted["name"]]
        assert (planted["name"], *(counts[k] for k in ("records", "accepted", "rejected"))) == (
            planted["name"],
            *(planted[k] for k in ("read", "accepted", "rejected")),
        )
    found = [
        (Path(e["file"]).name, e["line"], e["pointer"], e["keyword"], e["severity"]) for e in report["errors"]
    ]
    assert sorted(found, key=str) == sorted(
        (
            (p["name"], f.get("line"), f["pointer"], f["keyword"], f.get("severity", "error"))
            for p in PLANTED
            for f in p["findings"]
        ),
        key=str,
    )
    assert sum(c["count"] for c in report["error_counts"]) == len(found)


@pytest.mark.parametrize("planted", PLANTED, ids=[p["name"] for p in PLANTED])
def test_each_invalid_file_alone_exits_1_unless_it_holds_warnings_only(planted: dict[str, Any]) -> None:
    result = validate(str(SAMPLES / "invalid" / planted["name"]), "--format", "json")
    only_warnings = all(f.get("severity") == "warning" for f in planted["findings"])
    expected = (0 if planted["read"] else 65) if only_warnings else 1
    assert result.exit_code == expected


def test_the_readme_names_every_file() -> None:
    readme = (SAMPLES / "README.md").read_text("utf-8")
    named = [f"`{p.name}`" for kind in ("valid", "invalid") for p in (SAMPLES / kind).iterdir()]
    assert [name for name in named if name not in readme and name != "`expected.toml`"] == []

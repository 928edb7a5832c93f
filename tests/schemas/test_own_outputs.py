"""What carelog writes itself, and what it ships, fits the schemas that it shows."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from click.testing import CliRunner

from carelog.app import main
from carelog.resources import rulebook_files

with as_file(files("carelog.sample_logs")) as folder:
    SAMPLES = Path(folder)


def run(*arguments: str) -> int:
    return CliRunner().invoke(main, list(arguments)).exit_code


def assert_all_valid(name: str, file: Path) -> None:
    result = CliRunner().invoke(main, ["schema", "check", "--name", name, str(file)])
    report = json.loads(result.stdout)
    assert report["errors"] == []
    assert (result.exit_code, report["checked"] > 0) == (0, True)


def test_accepted_records_and_rejects(tmp_path: Path) -> None:
    accepted, rejects = tmp_path / "accepted.jsonl", tmp_path / "rejects.jsonl"
    outputs = ("--accepted", str(accepted), "--rejects", str(rejects), "-o", str(tmp_path / "report.txt"))
    assert run("validate", str(SAMPLES), "--jobs", "1", *outputs) == 1
    assert_all_valid("interaction", accepted)
    assert_all_valid("rejects", rejects)


@pytest.mark.parametrize("with_text", [[], ["--with-text"]], ids=["without_text", "with_text"])
def test_labelled_interactions_and_their_summary(with_text: list[str], tmp_path: Path) -> None:
    labelled, summary = tmp_path / "labelled.jsonl", tmp_path / "summary.json"
    assert run("classify", str(SAMPLES / "valid"), "--jobs", "1", "-o", str(labelled), *with_text) == 0
    assert_all_valid("labelled", labelled)
    by = "channel,language,team,agent_id,store_id,month"
    assert run("summarize", str(labelled), "--by", by, "-o", str(summary)) == 0
    assert_all_valid("summary", summary)


@pytest.mark.parametrize("book", [book.name for book in rulebook_files()])
def test_shipped_rulebooks(book: str, tmp_path: Path) -> None:
    copy = tmp_path / book
    copy.write_text(next(f for f in rulebook_files() if f.name == book).read_text("utf-8"), "utf-8")
    assert_all_valid("rulebook", copy)

"""`carelog convert` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.commands.logs import call, chat, line, lines


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_records_go_to_standard_output_and_counts_to_standard_error() -> None:
    Path("a.jsonl").write_text(lines(1, 2) + "broken\n")
    result = call("convert", "a.jsonl")
    assert result.exit_code == 0
    assert [json.loads(text)["interaction_id"] for text in result.stdout.splitlines()] == ["chat-1", "chat-2"]
    assert "read 3 = accepted 2 + rejected 1 (--rejects F keeps them)" in result.stderr
    assert "a.jsonl:3: this is not JSON" in result.stderr


@pytest.mark.parametrize("name", ["b.csv", "b.tsv.gz", "b.parquet", "b.jsonl.zst"])
def test_what_is_written_reads_back_as_the_same_records(name: str) -> None:
    Path("a.jsonl").write_text(line(1, tags=["=1+1"], extra={"x": {"y": 1}}) + line(2, talk_seconds=3.5))
    first = call("convert", "a.jsonl")
    assert call("convert", "a.jsonl", "-o", name).exit_code == 0
    assert call("convert", name).stdout == first.stdout


def test_to_says_what_is_written_whatever_the_name() -> None:
    Path("a.jsonl").write_text(lines(1))
    assert call("convert", "a.jsonl", "--to", "csv").stdout.startswith("interaction_id,channel,")
    assert call("convert", "a.jsonl", "--to", "parquet", "-o", "out").exit_code == 0
    assert pq.read_table("out").num_rows == 1
    assert call("convert", "a.jsonl", "--to", "parquet").exit_code == 2


def test_rejects_are_kept_and_may_be_too_many() -> None:
    Path("a.jsonl").write_text(lines(1) + json.dumps(chat(2) | {"channel": "fax"}) + "\n")
    result = call("convert", "a.jsonl", "-o", "b.jsonl", "--rejects", "r.jsonl", "--max-invalid", "0")
    assert result.exit_code == 1
    (reject,) = map(json.loads, Path("r.jsonl").read_text().splitlines())
    assert (reject["line"], reject["errors"][0]["pointer"]) == (2, "/channel")
    assert len(Path("b.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing.jsonl"], 66),
        (["empty.jsonl"], 65),
        (["empty.jsonl", "-o", "b.parquet", "--rejects", "r.jsonl"], 65),
        (["a.jsonl", "-o", "a.jsonl"], 2),
        (["a.jsonl", "-o", "x.doc"], 2),
        (["a.jsonl", "-o", "no/folder/x.jsonl"], 73),
    ],
)
def test_what_cannot_be_done_has_its_exit_code_and_leaves_nothing(arguments: list[str], code: int) -> None:
    Path("a.jsonl").write_text(lines(1))
    Path("empty.jsonl").write_text("")
    before = sorted(path.name for path in Path().iterdir())
    result = call("convert", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert sorted(path.name for path in Path().iterdir()) == before
    assert Path("a.jsonl").read_text() == lines(1)


@pytest.mark.parametrize("name", ["b.jsonl.zst", "b.csv.gz", "b.parquet", "b.vcon.gz"])
@pytest.mark.parametrize("command", ["convert", "classify"])
def test_without_a_sound_record_only_the_rejects_are_written(command: str, name: str) -> None:
    if command == "classify" and "vcon" in name:
        name = "b.tsv"
    Path("a.jsonl").write_text("broken\n")
    result = call(command, "a.jsonl", "-o", name, "--rejects", "r.jsonl")
    assert (result.exit_code, result.stdout) == (65, "")
    assert "nothing usable was read; no output was written" in result.stderr
    assert json.loads(Path("r.jsonl").read_text())["raw"] == "broken"
    assert sorted(path.name for path in Path().iterdir()) == ["a.jsonl", "r.jsonl"]

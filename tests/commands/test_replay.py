"""`carelog replay`: rejects that were repaired come back as records, with the place where they stood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.commands.logs import call, chat, line, lines

TICKETS = (
    "Ticket ID,Subject,Status,Source,Created time,Agent interactions\n"
    "7,Late,Open,Email,2026-09-14 10:00:00,1\n"
    '8,"Late,\nagain",Open,Email,31/13/2026,1\n'
)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _reject(name: str, *options: str) -> str:
    """Convert a file, and give its rejects."""
    assert call("convert", name, "-o", "good.jsonl", "--rejects", "bad.jsonl", *options).exit_code == 0
    return Path("bad.jsonl").read_text()


def test_a_repaired_record_comes_back_at_its_place() -> None:
    Path("a.jsonl").write_text(lines(1) + line(2, channel="fax") + line(3))
    Path("bad.jsonl").write_text(_reject("a.jsonl").replace("fax", "chat"))
    result = call("replay", "bad.jsonl")
    assert result.exit_code == 0
    (record,) = map(json.loads, result.stdout.splitlines())
    assert (record["interaction_id"], record["channel"]) == ("chat-2", "chat")
    assert record["source"] == {"format": "json", "file": "a.jsonl", "line": 2}
    assert "read 1 = accepted 1 + rejected 0" in result.stderr


def test_what_is_still_broken_is_rejected_again_and_can_be_replayed_again() -> None:
    Path("a.jsonl").write_text(lines(1) + line(2, channel="fax") + line(3, channel="fax"))
    Path("bad.jsonl").write_text(_reject("a.jsonl").replace("fax", "chat", 2))
    result = call("replay", "bad.jsonl", "-o", "back.jsonl", "--rejects", "still.jsonl", "--max-invalid", "0")
    assert result.exit_code == 1
    (still,) = map(json.loads, Path("still.jsonl").read_text().splitlines())
    assert (still["file"], still["line"], still["interaction_id"]) == ("a.jsonl", 3, "chat-3")
    Path("still.jsonl").write_text(Path("still.jsonl").read_text().replace("fax", "chat"))
    assert call("replay", "still.jsonl", "-o", "back.jsonl").exit_code == 0
    assert json.loads(Path("back.jsonl").read_text())["interaction_id"] == "chat-3"


def test_a_row_of_a_table_finds_its_header() -> None:
    Path("tickets.csv").write_text(TICKETS)
    bad = _reject("tickets.csv", "--tz", "UTC")
    raw = json.loads(bad)["raw"]
    assert raw == '8,"Late,\nagain",Open,Email,31/13/2026,1'
    Path("bad.jsonl").write_text(bad.replace("31/13/2026", "2026-09-13 10:00"))
    result = call("replay", "bad.jsonl", "--tz", "UTC")
    record = json.loads(result.stdout)
    assert (record["subject"], record["started_at"], record["source"]["line"]) == (
        "Late,\nagain", "2026-09-13T10:00:00Z", 3
    )  # fmt: skip
    Path("tickets.csv").unlink()
    result = call("replay", "bad.jsonl", "--tz", "UTC")
    assert (result.exit_code, result.stdout) == (65, "")
    assert "`raw` is no record by itself" in result.stderr


def test_a_vendor_s_json_is_read_as_that_vendor_s() -> None:
    bad_one = {"vcon": "0.4.0", "uuid": "u-1", "created_at": "never", "parties": [], "dialog": []}
    dialog = {"type": "incomplete", "start": "2026-01-01T00:00:00Z", "disposition": "busy"}
    good_one = {**bad_one, "uuid": "u-2", "dialog": [dialog]}
    Path("a.vcon").write_text(json.dumps(bad_one) + "\n" + json.dumps(good_one) + "\n")
    reject = json.loads(_reject("a.vcon"))
    mended = [{"type": "text", "start": "2026-01-01T00:00:00Z", "body": "Hi"}]
    reject["raw"] = json.dumps({**bad_one, "dialog": mended})
    Path("bad.jsonl").write_text(json.dumps(reject) + "\n")
    record = json.loads(call("replay", "bad.jsonl").stdout)
    assert (record["interaction_id"], record["messages"][0]["text"]) == ("u-1", "Hi")


def test_a_line_that_is_a_record_itself_is_taken() -> None:
    Path("bad.jsonl").write_text(lines(1) + "\n" + "broken\n" + "[]\n")
    result = call("replay", "bad.jsonl", "--rejects", "still.jsonl")
    assert (result.exit_code, json.loads(result.stdout)["interaction_id"]) == (0, "chat-1")
    rejects = [json.loads(text) for text in Path("still.jsonl").read_text().splitlines()]
    assert [(r["line"], r["errors"][0]["keyword"]) for r in rejects] == [(3, "not_json"), (4, "not_object")]


def test_odd_rejects_are_survived() -> None:
    odd = [
        {"raw": "{}", "errors": None, "file": 7, "line": "x", "byte_offset": True},
        {"raw": "", "errors": [], "file": "\0", "line": 1},
        {"raw": "[]", "errors": [], "file": "-", "line": 1},
        {"raw": json.dumps(chat(1)), "errors": []},
    ]
    Path("bad.jsonl").write_text("".join(json.dumps(o) + "\n" for o in odd))
    result = call("replay", "bad.jsonl", "--rejects", "still.jsonl")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)
    assert "read 4 = accepted 1 + rejected 3" in result.stderr


@pytest.mark.parametrize(("name", "code"), [("missing.jsonl", 66), ("empty.jsonl", 65)])
def test_without_rejects_there_is_nothing_to_replay(name: str, code: int) -> None:
    Path("empty.jsonl").write_text("")
    result = call("replay", name, "-o", "out.jsonl")
    assert (result.exit_code, result.stdout, Path("out.jsonl").exists()) == (code, "", False)

"""Exports of Messenger and Instagram."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, SAMPLES, claimed_elsewhere, mutated, read_damaged
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import lost_leaves

from carelog.sources.formats.messenger import mend

HERE = Path(__file__).parent / "messenger"
FILES = ("message_1.json", "message_2.json")


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("names", [FILES, ("encrypted.json",)])
def test_fixture_reads_as_reviewed(names: tuple[str, ...]) -> None:
    found = read_files(*names)
    assert found.formats == {"messenger"}
    check_golden(names[0], found)


@pytest.mark.parametrize("name", [*FILES, "encrypted.json"])
def test_nothing_of_a_thread_is_lost(name: str) -> None:
    def written(path: tuple[str | int, ...], leaf: object) -> object:
        return None if path[-1] in ("timestamp_ms", "timestamp") or leaf in (7, False) else leaf

    native = mend(json.loads(Path(name).read_text()))
    assert lost_leaves(native, {"v": read_files(name).values}, written) == []


def test_files_of_one_thread_are_one_chat_in_order_of_time() -> None:
    found = read_files(*FILES)
    assert [[m["text"] for m in v["messages"]] for v in found.values] == [
        ["สวัสดีค่ะ", "", "You missed a call"], ["มีของไหมคะ", "มีค่ะ ❤"]
    ]  # fmt: skip
    assert found.values == read_files(*reversed(FILES)).values
    assert found.values[1]["customer_id"] == "สมหญิง ใจดี"
    assert found.rejects == ["not_object"]
    assert ("warning", "mojibake_repaired") in found.findings


def test_text_that_is_no_mojibake_stays() -> None:
    assert mend({"a": ["café", "à¸ª", 1, None]}) == {"a": ["café", "ส", 1, None]}


def test_commands_read_a_thread_by_name_and_from_a_pipe() -> None:
    good = call("validate", "message_1.json", "--agents", "ร้านรักษ์ไทย", "--format", "json")
    assert (good.exit_code, json.loads(good.stdout)["accepted"]) == (0, 1)
    piped = call("validate", "-", stdin=Path("message_2.json").read_bytes())
    assert piped.exit_code == 1
    assert "สวัสดี" not in piped.stdout + piped.stderr


def test_files_of_other_formats_are_not_claimed() -> None:
    assert claimed_elsewhere("messenger", ("messenger",)) == []


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_sample_reads_as_a_person_would() -> None:
    (value,) = read_files(SAMPLES / "messenger").values
    assert [(m["speaker"], m["text"]) for m in value["messages"]] == [
        ("agent", ""), ("customer", "มีของไหมคะ"), ("agent", "มีค่ะ")
    ]  # fmt: skip


RAWS = [(HERE / name).read_bytes() for name in (*FILES, "encrypted.json")]
PIECES = [b"{", b"}", b'"messages": [', b"null", b'"', b"]", b"\\u00e0", b'{"sender_name": ']


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=mutated(RAWS, PIECES))
def test_damaged_files_never_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    read_damaged(raw, tmp_path_factory.getbasetemp() / "fuzzed", "messenger")


def _export(**fields: object) -> dict[str, object]:
    return {
        "participants": [{"name": "Ana"}, {"name": "Shop"}],
        "title": "Ana",
        "thread_path": "inbox/ana_1",
        **fields,
    }


def test_shares_reactions_and_calls_are_told_apart(tmp_path: Path) -> None:
    said = [
        {"content": "The call ended.", "call_duration": 0},
        {"share": {"link": "https://x.example", "share_text": "look at this"}},
        {"share": {"link": "https://x.example"}},
        {"content": "Reacted \u2764 to your message "},
        {"content": "hello", "is_unsent": False},
    ]
    messages = [
        {"sender_name": "Ana", "timestamp_ms": 1_789_351_200_000 + n, **fields}
        for n, fields in enumerate(said)
    ]
    path = tmp_path / "message_1.json"
    path.write_text(json.dumps(_export(messages=messages[::-1])))
    found = read_files(path)
    (value,) = found.values
    assert [(m["speaker"], m["text"]) for m in value["messages"]] == [
        ("system", "The call ended."), ("customer", "look at this"), ("customer", "https://x.example"),
        ("system", "Reacted \u2764 to your message "), ("customer", "hello"),
    ]  # fmt: skip
    assert value["extra"]["messages"][0]["call_duration"] == 0
    assert found.findings == [("warning", "agents_guessed")]


def test_thread_without_messages_is_known_and_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "message_1.json"
    path.write_text(json.dumps(_export(messages=[])))
    found = read_files(path)
    assert (found.formats, found.values, found.rejects) == ({"messenger"}, [], [])


def test_messages_without_a_thread_around_them_are_read(tmp_path: Path) -> None:
    path = tmp_path / "messages.json"
    messages = [
        {"sender_name": who, "timestamp_ms": 1_789_351_200_000, "content": "hi"} for who in ("Ana", "Shop")
    ]
    path.write_text(json.dumps({"messages": messages}))
    found = read_files(path, agents=("Shop",))
    assert found.formats == {"messenger"}
    assert [m["speaker"] for m in found.values[0]["messages"]] == ["agent", "customer"]

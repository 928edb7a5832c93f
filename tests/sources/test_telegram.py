"""Exports of Telegram Desktop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, SAMPLES, claimed_elsewhere, mutated, read_damaged
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import lost_leaves

HERE = Path(__file__).parent / "telegram"


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


def test_fixture_reads_as_reviewed() -> None:
    found = read_files("result.json", zone="Asia/Kolkata")
    assert found.formats == {"telegram"}
    check_golden("result.json", found)


def test_nothing_of_a_chat_is_lost(tmp_path: Path) -> None:
    text = (
        Path("result.json").read_text().replace("bad\\x0Bchar", "bad char").replace('"broken}', '"mended"}')
    )
    path = tmp_path / "result.json"
    path.write_text(text)
    chats = json.loads(text)["chats"]["list"][:2]

    def written(path: tuple[str | int, ...], leaf: object) -> object:
        return None if path[-1] in ("date", "date_unixtime") or leaf == "message" else leaf

    assert lost_leaves(chats, {"v": read_files(path, zone="UTC").values}, written) == []


def test_offset_is_what_both_clocks_say_together() -> None:
    first = read_files("result.json", zone="UTC").values[0]
    assert first["started_at"] == "2026-09-14T09:12:05+05:30"
    assert first["messages"][1]["text"] == "track: https://t.example/7"
    assert first["messages"][3]["text"] == "bad\x0bchar \\x0B"


def test_old_exports_without_the_second_clock_need_tz() -> None:
    found = read_files("result.json")
    assert found.rejects == ["no_offset", "not_json"]
    (bot,) = (
        v for v in read_files("result.json", zone="Asia/Kolkata").values if v["source"]["record_id"] == "78"
    )
    assert [m["speaker"] for m in bot["messages"]] == ["bot", "customer"]


def test_broken_message_costs_only_itself() -> None:
    found = read_files("result.json", zone="UTC")
    second = found.values[1]
    assert [m["message_id"] for m in second["messages"]] == ["5", "7", "8"]
    assert found.rejects == ["not_json"]


def test_agents_are_known_by_name_or_id() -> None:
    for agent in ("rang kapad", "user1"):
        found = read_files("result.json", zone="UTC", agents=(agent,))
        assert found.values[0]["messages"][1]["speaker"] == "agent"
        assert ("warning", "agents_guessed") not in found.findings


def test_commands_read_an_export_by_name_and_from_a_pipe() -> None:
    for arguments, raw in ((["result.json"], None), (["-"], Path("result.json").read_bytes())):
        done = call(
            "validate", *arguments, "--tz", "UTC", "--max-invalid", "1", "--format", "json", stdin=raw
        )
        assert (done.exit_code, json.loads(done.stdout)["accepted"]) == (0, 3)


def test_many_chats_and_long_ones_are_read_in_bounded_memory(tmp_path: Path) -> None:
    clock = '"type": "message", "date": "2026-09-14T09:12:05", "date_unixtime": "1789357325"'
    body = ", ".join(f'{{"id": {n}, {clock}, "from": "A", "text": "xx"}}' for n in range(12_000))
    path = tmp_path / "result.json"
    path.write_text(f'{{"name": "A", "type": "personal_chat", "id": 1, "messages": [{body}]}}')
    values = read_files(path).values
    assert [len(v["messages"]) for v in values] == [10_000, 2_000]
    assert len({v["interaction_id"] for v in values}) == 2


def test_message_over_the_limit_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(
        Path("result.json")
        .read_text()
        .replace("We called you", "x" * 900_000)
        .replace("track: ", "y" * 900_000)
    )
    found = read_files(path, zone="UTC", max_line_bytes=20_000)
    assert found.rejects.count("too_long") == 2
    assert found.values[-1]["source"]["record_id"] == "78"


def test_files_of_other_formats_are_not_claimed() -> None:
    assert claimed_elsewhere("telegram", ("telegram",)) == []


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_sample_reads_as_a_person_would() -> None:
    (value,) = read_files(SAMPLES / "telegram").values
    assert [m["speaker"] for m in value["messages"]] == ["customer", "system", "agent", "system"]
    assert value["started_at"] == "2026-09-14T09:12:05+07:00"


RAWS = [(HERE / "result.json").read_bytes()]
PIECES = [b"{", b"}", b'"messages": [', b"null", b'"', b"]", b"\\x", b'{"id": ']


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=mutated(RAWS, PIECES))
def test_damaged_files_never_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    read_damaged(raw, tmp_path_factory.getbasetemp() / "fuzzed", "telegram")


def _message(number: int, who: str, user: str, **fields: object) -> dict[str, object]:
    seconds = 1_789_351_200 + 60 * number
    return {
        "id": number, "type": "message", "date": f"2026-09-14T09:0{number}:00", "date_unixtime": str(seconds),
        "from": who, "from_id": user, "text": "", **fields,
    }  # fmt: skip


def test_whose_export_it_is_answers_and_the_guess_is_said_once(tmp_path: Path) -> None:
    group = [_message(0, "Zed", "user80", text="who knows?"), _message(1, "Ana", "user111", text="me")]
    chats = [
        {
            "name": "Ana",
            "type": "personal_chat",
            "id": 111,
            "messages": [_message(0, "Shop", "user9", text="hi")],
        },
        {
            "name": "Deals",
            "type": "public_channel",
            "id": 5,
            "messages": [_message(0, "Deals", "channel5", text="x")],
        },
        {"name": "Fans", "type": "private_group", "id": 6, "messages": group},
        {"name": "More", "type": "private_group", "id": 7, "messages": group[:1]},
    ]
    path = tmp_path / "result.json"
    document = {
        "about": "Telegram",
        "personal_information": {"user_id": 9, "bio": ""},
        "chats": {"list": chats},
    }
    path.write_text(json.dumps(document))
    found = read_files(path)
    assert [[m["speaker"] for m in v["messages"]] for v in found.values] == [
        ["agent"], ["agent"], ["customer", "agent"], ["customer"]
    ]  # fmt: skip
    assert found.findings == [("warning", "agents_guessed")]


def test_stickers_and_polls_say_what_they_show(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    messages = [
        _message(0, "Ana", "user1", media_type="sticker", sticker_emoji="👍"),
        _message(1, "Ana", "user1", poll={"question": "Which day?", "answers": [{"text": "Monday"}]}),
        _message(2, "Ana", "user1", photo="photos/1.jpg"),
    ]
    path.write_text(json.dumps({"name": "Ana", "type": "personal_chat", "id": 1, "messages": messages}))
    (value,) = read_files(path).values
    assert [m["text"] for m in value["messages"]] == ["👍", "Which day?", ""]
    assert value["extra"]["messages"][1]["poll"]["answers"] == [{"text": "Monday"}]


def test_words_of_rich_messages_are_read_and_a_bare_list_of_messages_is_known(tmp_path: Path) -> None:
    rich = {
        "blocks": [{"type": "list", "items": [{"text": "one "}, {"text": [{"type": "bold", "text": "two"}]}]}]
    }
    first = {key: value for key, value in _message(0, "Ana", "user1").items() if key != "text"}
    messages = [
        {**first, "rich_message": rich},
        {**first, "id": 1, "text_entities": [{"type": "plain", "text": "three"}]},
    ]
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"chats": {"list": [{"name": "Ana", "messages": messages}]}}))
    found = read_files(path)
    assert found.formats == {"telegram"}
    assert [m["text"] for m in found.values[0]["messages"]] == ["one two", "three"]

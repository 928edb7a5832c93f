"""Chats and offline messages of Zendesk Chat."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, SAMPLES, claimed_elsewhere, mutated
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import lost_leaves

HERE = Path(__file__).parent / "zendesk_chat"
FIXTURES = ("chats.json", "offline.ndjson")


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name, zone="Asia/Bangkok")
    assert found.formats == {"zendesk_chat"}
    check_golden(name, found)


def test_nothing_of_a_chat_is_lost() -> None:
    def written(path: tuple[str | int, ...], leaf: object) -> object:
        # Who spoke, the kind of an event and the rating stand in fields of their own; the end before the
        # beginning is left out with a warning.
        is_known = path[-1] in ("nick", "type", "rating", "started_by", "missed", "end_timestamp")
        return None if is_known or leaf is False else leaf

    native = json.loads(Path("chats.json").read_text())["chats"][:2]
    assert lost_leaves(native, {"values": read_files("chats.json").values}, written) == []


def test_speakers_rating_and_times_are_those_of_the_chat() -> None:
    first, missed = read_files("chats.json").values
    assert [m["speaker"] for m in first["messages"]] == ["bot", "customer", "agent", "customer"]
    assert first["satisfaction"] == {"scale": "thumbs", "score": 1}
    assert (first["first_response_seconds"], first["team"], first["tags"]) == (
        12,
        "Returns",
        ["refund", "vip"],
    )
    assert (first["direction"], first["initiative"]) == ("inbound", "reactive")
    assert (missed["status"], "ended_at" in missed) == ("missed", False)


def test_broken_parts_cost_only_themselves() -> None:
    found = read_files("chats.json")
    assert found.rejects == ["not_a_chat", "not_object"]
    assert found.findings == [("warning", "end_left_out")]
    assert read_files("offline.ndjson", zone="UTC").rejects == ["not_json"]


def test_offline_message_is_the_customers_and_an_agents_invitation_is_proactive() -> None:
    offline, invited = read_files("offline.ndjson", zone="Asia/Bangkok").values
    assert offline["messages"] == [
        {"speaker": "customer", "text": "Please call me back", "at": "2026-09-14T13:54:02Z"}
    ]
    assert (invited["initiative"], invited["started_at"]) == ("proactive", "2026-09-14T15:00:00+07:00")


def test_commands_read_chats_by_name_and_from_a_pipe() -> None:
    found = call("validate", "chats.json", "--format", "json")
    assert (found.exit_code, json.loads(found.stdout)["accepted"]) == (1, 2)
    piped = call(
        "validate", "-", "--tz", "UTC", "--max-invalid", "1", stdin=Path("offline.ndjson").read_bytes()
    )
    assert piped.exit_code == 0
    assert "call me back" not in found.stdout + piped.stdout + piped.stderr


def test_files_of_other_formats_are_not_claimed() -> None:
    assert claimed_elsewhere("zendesk_chat", ("zendesk_chat",)) == []


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_sample_reads_as_a_person_would() -> None:
    (value,) = read_files(SAMPLES / "zendesk_chat").values
    assert (value["started_at"], value["messages"][0]["text"]) == ("2021-04-26T13:54:02Z", "Hi there!")


RAWS = [(HERE / name).read_bytes() for name in FIXTURES]
PIECES = [b"{", b"}", b'"history": [', b"null", b'"', b"-1", b"[]", b"true"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=mutated(RAWS, PIECES))
def test_damaged_files_never_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(raw)
    found = read_files(path, from_format="zendesk_chat", zone="UTC")
    assert all(value["channel"] == "chat" for value in found.values)


def test_system_and_trigger_speak_in_no_agents_name(tmp_path: Path) -> None:
    lines = [
        {"type": "chat.msg", "nick": nick, "msg": "x", "timestamp": "2026-09-14T02:12:05Z"}
        for nick in ("agent:system", "agent:trigger", "agent:380", "visitor")
    ]
    chat = {"id": "1", "visitor": {"id": "2"}, "timestamp": "2026-09-14T02:12:05Z", "history": lines}
    path = tmp_path / "chats.json"
    path.write_text(json.dumps({"chats": [chat], "count": 1}), encoding="utf-8")
    (value,) = read_files(path).values
    assert [message["speaker"] for message in value["messages"]] == ["system", "bot", "agent", "customer"]


def test_page_without_chats_is_known(tmp_path: Path) -> None:
    path = tmp_path / "chats.json"
    path.write_text('{"chats": [], "count": 0, "next_page": null}', encoding="utf-8")
    found = read_files(path)
    assert (found.formats, found.values, found.rejects) == ({"zendesk_chat"}, [], [])

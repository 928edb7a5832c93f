"""Unpacked exports of Slack."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, SAMPLES, claimed_elsewhere, mutated, read_damaged
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import lost_leaves

from carelog.sources.formats import detect_formats

HERE = Path(__file__).parent / "slack"
DAYS = ("help-desk/2026-09-14.json", "help-desk/2026-09-15.json")


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE.parent)


def test_fixture_reads_as_reviewed() -> None:
    found = read_files("slack")
    assert found.formats == {"slack"}
    check_golden("slack", found)


def test_nothing_of_a_message_is_lost() -> None:
    values = {"v": read_files("slack").values}

    def written(path: tuple[str | int, ...], leaf: object) -> object:
        return None if leaf == "message" else leaf.partition("?t=")[0] if isinstance(leaf, str) else leaf

    for day in DAYS:
        native = [m for m in json.loads((HERE / day).read_text()) if isinstance(m, dict) and "ts" in m]
        assert lost_leaves(native, values, written) == []


def test_thread_is_one_interaction_over_days() -> None:
    thread = next(v for v in read_files("slack").values if v["interaction_id"].endswith("1789351925.000200"))
    assert [m["speaker"] for m in thread["messages"]] == ["customer", "bot", "agent"]
    assert [m["text"] for m in thread["messages"]] == [
        "Order #help-desk late & cold, see order 7 (https://shop.example/o/7)",
        "Ticket 7 opened",
        "Sorry @Jai D., a new one is on its way",
    ]
    assert (thread["customer_id"], thread["customer_kind"], thread["queue"]) == (
        "U2",
        "external",
        "help-desk",
    )
    assert thread["first_response_seconds"] == pytest.approx(88075.0003)


def test_time_stamps_keep_all_their_digits() -> None:
    ids = [m["message_id"] for v in read_files("slack").values for m in v["messages"] if "message_id" in m]
    assert sorted(ids) == sorted(
        stamp for day in [*DAYS, "D0FON/2026-09-15.json"]
        for stamp in re.findall(r'"ts": "(1789\d{6}\.000[1-9]\d\d?)"', (HERE / day).read_text())
    )  # fmt: skip


def test_access_tokens_are_nowhere() -> None:
    found = call("validate", "slack", "--format", "json")
    assert "xoxe" not in json.dumps(read_files("slack").values) + found.stdout + found.stderr


def test_agents_are_known_by_name_or_id() -> None:
    for agent in ("U2", "jai d."):
        found = read_files("slack", agents=(agent,))
        direct = next(v for v in found.values if v["queue"] == "D0FON")
        assert (direct["messages"][0]["speaker"], found.findings) == ("agent", [])


def test_broken_items_cost_only_themselves() -> None:
    found = call("validate", "slack", "--format", "json")
    report = json.loads(found.stdout)
    assert found.exit_code == 1
    assert (report["accepted"], report["rejected"]) == (4, 1)


def test_commands_read_a_day_from_a_pipe() -> None:
    piped = call("validate", "-", "--format", "json", stdin=(HERE / DAYS[1]).read_bytes())
    assert (piped.exit_code, json.loads(piped.stdout)["accepted"]) == (0, 2)


def test_files_of_other_formats_are_not_claimed() -> None:
    assert claimed_elsewhere("slack", ("slack", "slack_export")) == []
    assert "slack" not in detect_formats(b'[{"id": "1", "name": "x"}]', "users.json")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_sample_reads_as_a_person_would() -> None:
    (value,) = read_files(SAMPLES / "slack_export").values
    assert [m["speaker"] for m in value["messages"]] == ["system"] * 4 + ["customer"] * 2
    assert (value["queue"], value["customer_kind"]) == ("enrique", "internal")


RAWS = [(HERE / name).read_bytes() for name in (*DAYS, "users.json")]
PIECES = [b"{", b"}", b'"ts": "', b"null", b'"', b"]", b"<@U1|", b'"thread_ts": "1789351925.000200"']


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=mutated(RAWS, PIECES))
def test_damaged_files_never_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    read_damaged(raw, tmp_path_factory.getbasetemp() / "fuzzed", "slack")


def _said(number: int, **fields: object) -> dict[str, object]:
    return {
        "type": "message",
        "user": "U1",
        "text": "",
        "ts": f"17893512{number:02}.000{number:03}",
        **fields,
    }


def test_words_that_stand_only_in_blocks_are_read(tmp_path: Path) -> None:
    form = [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "New request"},
            "fields": [{"text": "Order: 7"}],
        },
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "via web"}]},
    ]
    parts = [
        {"type": "text", "text": "ask "},
        {"type": "user", "user_id": "U2"},
        {"type": "emoji", "name": "tada"},
    ]
    rich = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}]
    messages = [_said(1, subtype="bot_message", bot_id="B1", blocks=form), _said(2, blocks=rich)]
    (tmp_path / "general").mkdir()
    (tmp_path / "general" / "2026-09-14.json").write_text(json.dumps(messages))
    (value,) = read_files(tmp_path).values
    assert [(m["speaker"], m["text"]) for m in value["messages"]] == [
        ("bot", "New request\nOrder: 7\nvia web"), ("customer", "ask @U2:tada:")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("around", "queue"), [({"ok": True}, "page"), ({"name": "help", "channel_id": "C9"}, "help")]
)
def test_an_object_of_messages_is_read_as_a_channel(
    tmp_path: Path, around: dict[str, object], queue: str
) -> None:
    path = tmp_path / "page.json"
    messages = [_said(2, text="an answer", user="U2"), _said(1, text="a question"), 7]
    path.write_text(json.dumps({**around, "messages": messages, "has_more": False}))
    found = read_files(path)
    (value,) = found.values
    assert [m["text"] for m in value["messages"]] == ["a question", "an answer"]
    assert (value["queue"], found.rejects) == (queue, ["not_object"])


def test_notices_of_channels_are_of_the_system_and_lists_are_no_records(tmp_path: Path) -> None:
    (tmp_path / "general").mkdir()
    notice = _said(1, subtype="channel_canvas_updated", text="updated")
    (tmp_path / "general" / "2026-09-14.json").write_text(
        json.dumps([notice, _said(2, text="hi <!subteam^S1|@desk>")])
    )
    (tmp_path / "huddle_transcripts.json").write_text('{"users": {}}')
    found = read_files(tmp_path)
    assert [(m["speaker"], m["text"]) for m in found.values[0]["messages"]] == [
        ("system", "updated"),
        ("customer", "hi @desk"),
    ]
    assert (found.formats, found.rejects) == ({"slack"}, [])


def test_stamps_that_a_tool_shortened_are_times(tmp_path: Path) -> None:
    path = tmp_path / "2026-09-14.json"
    path.write_text(
        json.dumps([{**_said(1), "ts": "1789351203"}, {**_said(2), "ts": 1789351202.5}, _said(3)])
    )
    (value,) = read_files(path).values
    assert [m["at"] for m in value["messages"]] == [
        "2026-09-14T02:00:02.500000Z", "2026-09-14T02:00:03Z", "2026-09-14T02:00:03.000003Z"
    ]  # fmt: skip


def test_answers_that_a_tool_put_into_their_message_are_messages(tmp_path: Path) -> None:
    thread = "1789351201.000001"
    answer = {"user": "U2", "text": "an answer", "ts": "1789351205.000005", "thread_ts": thread}
    asked = {
        "user": "U1",
        "text": "a question",
        "ts": thread,
        "thread_ts": thread,
        "slackdump_thread_replies": [answer, 7],
    }
    path = tmp_path / "C9.json"
    path.write_text(json.dumps({"channel_id": "C9", "messages": [asked]}))
    found = read_files(path)
    assert found.formats == {"slack"}
    assert [m["text"] for m in found.values[0]["messages"]] == ["a question", "an answer"]

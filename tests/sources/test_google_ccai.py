"""Google's conversation format, conversations of Insights, recognised speech."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, SAMPLES, claimed_elsewhere, mutated, read_damaged
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import lost_leaves

from carelog.sources.formats import detect_formats

HERE = Path(__file__).parent / "google_ccai"
FIXTURES = sorted(p.name for p in HERE.glob("*.json"))
START = {"start": "2026-09-14T09:12:00+07:00"}
CALL = "call_2026-09-14T09-12-05.json"


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name, **START)
    assert found.formats == {"google_ccai"}
    check_golden(name, found)


@pytest.mark.parametrize("name", FIXTURES)
def test_nothing_of_a_conversation_is_lost(name: str) -> None:
    def written(path: tuple[str | int, ...], leaf: object) -> object:
        is_known = path[-1] in ("start_timestamp_usec", "role", "messageTime", "startTime") or leaf == 7
        return None if is_known else leaf.strip() if isinstance(leaf, str) else leaf

    native = json.loads(Path(name).read_text())
    assert lost_leaves(native, {"values": read_files(name, **START).values}, written) == []


def test_small_times_count_from_the_start_of_the_call() -> None:
    (value,) = read_files(CALL, zone="Asia/Manila").values
    assert (value["started_at"], value["messages"][1]["at"]) == (
        "2026-09-14T09:12:05+08:00", "2026-09-14T09:12:10.500000+08:00"
    )  # fmt: skip
    assert [m["speaker"] for m in value["messages"]] == ["agent", "customer", "bot"]
    assert "customer_id" not in value
    assert value["tags"] == ["Delivery"]


def test_large_times_are_points_in_time() -> None:
    (value,) = read_files("absolute.json").values
    assert value["started_at"] == "2026-09-14T02:12:05.250000Z"


def test_item_that_is_no_conversation_costs_only_itself() -> None:
    found = read_files("insights.json")
    assert (len(found.values), found.rejects) == (1, ["not_a_conversation"])
    assert found.values[0]["channel"] == "chat"


def test_call_without_a_start_is_put_aside_with_the_way_out() -> None:
    found = call("validate", "speech.json")
    assert found.exit_code == 65
    assert "--start" in found.stdout and "charge" not in found.stdout + found.stderr
    piped = call(
        "validate",
        "-",
        "--start",
        "2026-09-14T09:00Z",
        "--agents",
        "channel-1",
        stdin=Path("speech.json").read_bytes(),
    )
    assert piped.exit_code == 0


def test_files_of_other_formats_are_not_claimed() -> None:
    assert claimed_elsewhere("google_ccai", ("google_ccai",)) == []
    assert "google_ccai" not in detect_formats(b'{"entries": [{"text": "x"}]}', "x.json")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_sample_reads_as_a_person_would() -> None:
    (value,) = read_files(SAMPLES / "google_ccai", **START).values
    assert [(m["speaker"], m["at"]) for m in value["messages"]] == [
        ("customer", "2026-09-14T09:12:01+07:00"), ("agent", "2026-09-14T09:12:05+07:00")
    ]  # fmt: skip


RAWS = [(HERE / name).read_bytes() for name in FIXTURES]
PIECES = [b"{", b"}", b'"entries": [', b"null", b'"', b"-1", b"[]"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=mutated(RAWS, PIECES))
def test_damaged_files_never_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    read_damaged(raw, tmp_path_factory.getbasetemp() / "fuzzed", "google_ccai")

"""Google's conversation format, conversations of Insights, recognised speech."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, SAMPLES, claimed_elsewhere, mutated, read_damaged
from tests.sources.goldens import Read, check_golden, read_files
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
    assert (len(found.values), found.rejects) == (1, ["not_object"])
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


def _read(tmp_path: Path, document: object, **options: str) -> Read:
    (tmp_path / "x.json").write_text(json.dumps(document))
    found = read_files(tmp_path / "x.json", **options)
    assert found.formats == {"google_ccai"}
    return found


def test_conversation_of_insights_without_times_begins_when_it_was_taken_in(tmp_path: Path) -> None:
    segments = [
        {"text": "Acme, good day", "channelTag": 2, "words": [{"word": "Acme", "startOffset": "1.5s"}]},
        {"text": "My tap drips", "channelTag": 1, "segmentParticipant": {"userId": "+6621"}},
    ]
    document = {
        "name": "projects/p/conversations/c9", "createTime": "2026-09-14T02:00:00.550000Z",
        "duration": "62.5s", "callMetadata": {"customerChannel": 1, "agentChannel": 2},
        "qualityMetadata": {"waitDuration": "30s", "agentInfo": [{"agentId": "m77", "team": "taps"}]},
        "transcript": {"transcriptSegments": segments},
    }  # fmt: skip
    found = _read(tmp_path, document)
    (value,) = found.values
    assert [(m["speaker"], m.get("at")) for m in value["messages"]] == [
        ("agent", "2026-09-14T02:00:02.050000Z"), ("customer", None)
    ]  # fmt: skip
    assert (value["agent_id"], value["team"], value["wait_seconds"]) == ("m77", "taps", 30)
    assert (value["customer_id"], value["ended_at"]) == ("+6621", "2026-09-14T02:01:03.050000Z")
    assert found.findings == [("warning", "start_guessed")]


def test_conversation_without_any_time_of_its_own_has_that_of_the_call(tmp_path: Path) -> None:
    document = {"transcript": {"transcriptSegments": [{"text": "It drips"}]}, "duration": "9s"}
    (value,) = _read(tmp_path, document, **START).values
    assert (value["started_at"], value["ended_at"]) == (
        "2026-09-14T09:12:00+07:00",
        "2026-09-14T09:12:09+07:00",
    )
    assert value["messages"] == [{"speaker": "customer", "text": "It drips"}]


def test_row_of_the_bigquery_export_is_a_conversation(tmp_path: Path) -> None:
    document = {
        "conversationName": "projects/p/conversations/c9", "startTimestampUtc": "1789380000", "medium": "2",
        "durationNanos": "61000000000", "languageCode": "en-GB", "issues": [{"name": "Leak", "score": 0.9}],
        "agents": [{"agentId": "m77", "displayName": "Ann"}],
        "sentences": [
            {"sentence": "My tap drips", "startOffsetNanos": "500000000", "participantRole": "END_USER"},
            {"sentence": "I look", "startOffsetNanos": "60000000000", "participantRole": "AUTOMATED_AGENT"},
        ],
    }  # fmt: skip
    (value,) = _read(tmp_path, document).values
    assert [(m["speaker"], m["at"]) for m in value["messages"]] == [
        ("customer", "2026-09-14T10:00:00.500000Z"), ("bot", "2026-09-14T10:01:00Z")
    ]  # fmt: skip
    assert (value["channel"], value["tags"], value["agent_id"]) == ("chat", ["Leak"], "m77")
    assert value["ended_at"] == "2026-09-14T10:01:01Z"


def test_voices_that_speech_to_text_tells_apart_are_turns(tmp_path: Path) -> None:
    words = [("good", 1), ("day", 1), ("it", 2), ("drips", 2), ("oh", 1)]
    told = [{"word": w, "speakerTag": t, "startTime": f"{n}.5s"} for n, (w, t) in enumerate(words)]
    plain = {"alternatives": [{"transcript": "good day it drips oh", "words": [{"word": "good"}]}]}
    results = [plain, {"alternatives": [{"words": told}]}]
    (value,) = _read(tmp_path, {"done": True, "name": "77", "response": {"results": results}}, **START).values
    assert [(m["speaker"], m["text"]) for m in value["messages"]] == [
        ("agent", "good day"), ("customer", "it drips"), ("agent", "oh")
    ]  # fmt: skip
    assert value["messages"][1]["at"] == "2026-09-14T09:12:02.500000+07:00"


@pytest.mark.parametrize("batch", [False, True])
def test_answers_of_batches_are_read(tmp_path: Path, batch: bool) -> None:
    said = {
        "results": [{"alternatives": [{"transcript": "it drips"}], "channelTag": 1, "resultEndOffset": "2s"}]
    }
    document = {"results": {"gs://b/c.wav": {"transcript": said}} if batch else [{"inlineResult": said}]}
    (value,) = _read(tmp_path, {"response": document} if batch else document, **START).values
    assert [m["text"] for m in value["messages"]] == ["it drips"]


def test_speech_in_snake_case_and_entries_with_texts_for_times_are_read(tmp_path: Path) -> None:
    snake = {
        "results": [
            {
                "alternatives": [{"transcript": "good day"}],
                "channel_tag": 1,
                "result_end_time": {"seconds": "2"},
            },
            {"alternatives": [{"transcript": "it drips"}], "channel_tag": 2, "language_code": "en-gb"},
        ]
    }
    (value,) = _read(tmp_path, snake, **START).values
    assert [(m["speaker"], m["at"][17:19]) for m in value["messages"]] == [
        ("agent", "00"),
        ("customer", "02"),
    ]
    entry = {"text": "hi", "role": "end_user", "user_id": "9988", "start_timestamp": "2026-09-14T02:00:00Z"}
    own = {"conversation_id": "k1", "agent_info": [{"agent_id": "m7"}]}
    (value,) = _read(tmp_path, [{"conversation_info": own, "entries": [entry]}]).values
    assert (value["interaction_id"], value["started_at"]) == ("google_ccai-k1", "2026-09-14T02:00:00Z")
    assert (value["customer_id"], value["agent_id"]) == ("9988", "m7")


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

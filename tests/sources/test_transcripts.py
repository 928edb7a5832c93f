"""Calls as WebVTT and SRT, as Teams, Zoom and others write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.commands.logs import call
from tests.sources.chat_family import EXAMPLES, SAMPLES, claimed_elsewhere, mutated, read_damaged, words_lost
from tests.sources.goldens import check_golden, read_files

from carelog.sources.blocks import ReadOptions
from carelog.sources.formats import detect_formats
from carelog.sources.formats._starts import find_start

HERE = Path(__file__).parent / "transcripts"
FIXTURES = sorted(p.name for p in HERE.iterdir() if p.suffix in (".vtt", ".srt"))
ZOOM = "GMT20260914-091205_Recording.transcript.vtt"
TEAMS = "teams_2026-09-14T09-12.vtt"


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name, zone="Asia/Bangkok")
    assert found.formats == {"srt" if name.endswith("srt") else "webvtt"}
    check_golden(name, found)


@pytest.mark.parametrize("name", FIXTURES)
def test_no_word_of_a_transcript_is_lost(name: str) -> None:
    values = read_files(name, start="2026-09-14T09:00:00+07:00").values
    assert words_lost(Path(name), values, "WEBVTT amp loud an") == []


def test_cues_of_one_speaker_are_one_message_and_words_before_a_colon_are_no_name() -> None:
    (value,) = read_files(ZOOM).values
    assert (value["started_at"], value["ended_at"]) == ("2026-09-14T09:12:05Z", "2026-09-14T09:12:23.500000Z")
    assert [m["speaker"] for m in value["messages"]] == ["agent", "customer", "agent"]
    assert value["messages"][1]["text"] == (
        "My fridge is warm again. One thing: it is new. That is the second time."
    )
    assert (value["customer_id"], value["talk_seconds"]) == ("Rahul Shah", 15.05)


def test_voices_tags_long_calls_and_texts_without_a_time_are_read() -> None:
    found = read_files(TEAMS, zone="Asia/Bangkok")
    (value,) = found.values
    assert value["messages"][0]["text"] == "สวัสดีค่ะ ยินดีให้บริการ & ดูแล"
    assert value["messages"][-1] == {"speaker": "customer", "text": "no time here"}
    assert (value["language"], value["ended_at"]) == ("th", "2026-09-18T13:12:02.500000+07:00")
    assert ("warning", "no_timing") in found.findings


def test_on_the_phone_the_agent_is_who_speaks_first(tmp_path: Path) -> None:
    path = tmp_path / "x.vtt"
    path.write_text(
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Acme, good day\n\n00:03.000 --> 00:04.000\n<v Bob>My phone is dead"
    )
    found = read_files(path, start="2026-09-14T09:00:00Z")
    assert [m["speaker"] for m in found.values[0]["messages"]] == ["agent", "customer"]
    assert found.findings == [("warning", "agents_guessed")]
    said = read_files(path, start="2026-09-14T09:00:00Z", agents=("bob",))
    assert ([m["speaker"] for m in said.values[0]["messages"]], said.findings) == (["customer", "agent"], [])


def test_rolling_captions_count_once_and_a_colon_alone_makes_no_name() -> None:
    (value,) = read_files("rolling.vtt", start="2026-09-14T09:00:00Z").values
    assert [m["text"] for m in value["messages"]] == [
        "hello I call about", "my order", "seven seven", "yes: that one"
    ]  # fmt: skip


def _said(tmp_path: Path, text: str, name: str = "x.vtt", **options: str) -> list[tuple[str, str]]:
    (tmp_path / name).write_bytes(text.encode())
    found = read_files(tmp_path / name, start="2026-09-14T09:00:00Z")
    return [(m["speaker"], m["text"]) for value in found.values for m in value["messages"]]


TWO = [("agent", "Acme, good day"), ("customer", "My tap drips")]


@pytest.mark.parametrize(
    "text",
    [
        # Teams
        "WEBVTT\n\n0:0:0.0 --> 0:0:1.9\n<v Ann>Acme, good day</v>\n\n0:0:2.0 --> 0:0:3.14\n<v Bo>My tap drips</v>",
        # Webex, and empty lines at the beginning
        '\n\nWEBVTT\n\n1 "Ann" (31)\n00:00.000 --> 00:01.000\nAcme, good day\n\n2 "Bo" (7)\n00:02.000 --> 00:03.000\nMy tap drips',
        # Whisper with voices, and without fractions of seconds
        "1\n00:00:00,000 --> 00:00:01,000\n[SPEAKER_00]: Acme, good day\n\n2\n00:00:02 --> 00:00:03\n[SPEAKER_01]: My tap drips",
        # captions for the deaf: names and marks only where the voice changes
        "1\n00:00:00,0 --> 00:00:01,0\n>> ANN: Acme,\n\n2\n00:00:01,0 --> 00:00:02,0\ngood day\n\n3\n00:00:03,0 --> 00:00:04,0\n>> BO: My tap drips",
        "1\n00:00:00,0 --> 00:00:01,0\n>> Acme,\n\n2\n00:00:01,0 --> 00:00:02,0\ngood day\n\n3\n00:00:03,0 --> 00:00:04,0\n>> My tap drips",
        "1\n00:00:00,0 --> 00:00:04,0\n>> Acme, good day >> My tap drips",
        # names in a line of their own, and two voices in one cue
        "WEBVTT\n\n00:00.000 --> 00:01.000\n(Ann Lee)\nAcme, good day\n\n00:01.000 --> 00:02.000\n(Bo Ray)\nMy tap drips",
        "WEBVTT\n\n00:00.000 --> 00:04.000\nspk_0: Acme, good day\nspk_1: My tap drips",
        "WEBVTT\n\n00:00.000 --> 00:01.000\nAnn Lee (Acme): Acme, good day\n\n00:01.000 --> 00:02.000\nBo R.: My tap drips",
        # the colon of full width; lines that end with carriage returns; empty lines between all others
        "1\n00:00:00,0 --> 00:00:01,0\nAnn\uff1aAcme, good day\n\n2\n00:00:02,0 --> 00:00:03,0\nBo\uff1aMy tap drips",
        "1\r00:00:00,0 --> 00:00:01,0\rAnn: Acme, good day\r\r2\r00:00:02,0 --> 00:00:03,0\rBo: My tap drips\r",
        "1\n\n00:00:00,0 --> 00:00:01,0\n\nAnn: Acme, good day\n\n\n2\n\n00:00:02,0 --> 00:00:03,0\n\nBo: My tap drips\n",
    ],
)
def test_voices_are_told_however_the_maker_writes_them(tmp_path: Path, text: str) -> None:
    assert _said(tmp_path, text) == TWO


@pytest.mark.parametrize("name", ["Speaker B", "SPEAKER_01", "spk_1", "S01", "Participant 2", "voice 2"])
def test_voices_that_are_only_numbered_are_no_customers(tmp_path: Path, name: str) -> None:
    text = (
        f"WEBVTT\n\n00:00.000 --> 00:01.000\n<v Ann>Hello\n\n00:01.000 --> 00:02.000\n<v {name}>My tap drips"
    )
    (tmp_path / "x.vtt").write_text(text)
    (value,) = read_files(tmp_path / "x.vtt", start="2026-09-14T09:00:00Z").values
    assert "customer_id" not in value
    assert value["messages"][1]["speaker"] == "customer"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Agent:", "Customer:"), ("[Agent]", "[Caller]"), ("(Operator)", "(Caller)"), ("Agente:", "Cliente:"),
        ("เจ้าหน้าที่:", "ลูกค้า:"), ("एजेंट:", "ग्राहक:"),
    ],
)  # fmt: skip
def test_labels_that_are_the_roles_leave_nothing_to_guess(tmp_path: Path, ours: str, theirs: str) -> None:
    text = (
        f"1\n00:00:00,0 --> 00:00:01,0\n{theirs} My tap drips\n\n2\n00:00:03,0 --> 00:00:04,0\n{ours} Oh dear"
    )
    (tmp_path / "x.srt").write_text(text)
    found = read_files(tmp_path / "x.srt", start="2026-09-14T09:00:00Z")
    said = [(m["speaker"], m["text"]) for m in found.values[0]["messages"]]
    assert said == [("customer", "My tap drips"), ("agent", "Oh dear")]
    assert found.findings == []


def test_roles_are_believed_however_seldom_they_stand(tmp_path: Path) -> None:
    said = [
        "Agent: Hello",
        *["that takes a while"] * 20,
        "Customer: Yes?",
        *["so I waited"] * 20,
        "Agent: Bye",
    ]
    cues = [
        f"00:{n // 20:02}:{n % 20 * 3:02},0 --> 00:{n // 20:02}:{n % 20 * 3 + 2:02},9\n{t}"
        for n, t in enumerate(said)
    ]
    heard = _said(tmp_path, "\n\n".join(cues))
    assert [speaker for speaker, _ in heard] == ["agent", "customer", "agent"]
    assert (heard[1][1][:17], heard[2][1]) == ("Yes? so I waited ", "Bye")


def test_cue_without_words_is_kept_but_counts_as_no_talk(tmp_path: Path) -> None:
    text = "1\n00:00:00,0 --> 00:00:02,0\nHello\n\n2\n00:00:02,0 --> 00:00:09,0\n\n3\n00:00:09,0 --> 00:00:10,0\nBye"
    (tmp_path / "x.srt").write_text(text)
    (value,) = read_files(tmp_path / "x.srt", start="2026-09-14T09:00:00Z").values
    assert value["talk_seconds"] == 3
    assert value["extra"]["notes"] == ["2\n00:00:02,0 --> 00:00:09,0"]


def test_words_before_a_colon_that_are_no_name_stay_where_they_are(tmp_path: Path) -> None:
    cues = [
        "Ann Lee: Acme, good day",
        "Bo Ray: I say this:\nNote: it drips",
        "well, you see: it is wet",
        "Ann Lee: Oh.",
    ]
    text = "".join(f"{n}\n00:00:{n:02},0 --> 00:00:{n:02},9\n{cue}\n\n" for n, cue in enumerate(cues))
    assert _said(tmp_path, text, "x.srt") == [
        ("agent", "Acme, good day"),
        ("customer", "I say this:\nNote: it drips well, you see: it is wet"),
        ("agent", "Oh."),
    ]


def test_cues_of_teams_interface_say_when_who_and_in_which_language(tmp_path: Path) -> None:
    said = {"startDateTime": "2026-09-14T02:00:10.5Z", "speakerName": "Ann", "spokenText": "Acme", "n": 1}
    text = f"WEBVTT\n\n00:00:10.500 --> 00:00:12.000\n{json.dumps(said | {'spokenLanguage': 'en-US'})}\n"
    (tmp_path / "2020-01-01 1000.vtt").write_text(text)
    (value,) = read_files(tmp_path / "2020-01-01 1000.vtt").values
    assert (value["started_at"], value["language"]) == ("2026-09-14T02:00:00Z", "en-US")
    assert value["messages"][0]["at"] == "2026-09-14T02:00:10.500000Z"
    assert value["extra"]["messages"][0]["cues"][0]["fields"]["n"] == 1


def test_notes_between_cues_stay_with_them_and_say_the_language(tmp_path: Path) -> None:
    cues = "".join(
        f"NOTE Confidence: 0.{n}\n\n{n // 60:02}:{n % 60:02}.000 --> {n // 60:02}:{n % 60:02}.900\nhm {n}\n\n"
        for n in range(300)
    )
    (tmp_path / "x.vtt").write_text(f"WEBVTT\n\nNOTE language:th-th\n\n{cues}")
    (value,) = read_files(tmp_path / "x.vtt", start="2026-09-14T09:00:00Z").values
    kept = [note for m in value["extra"]["messages"] for cue in m["cues"] for note in cue.get("notes", [])]
    assert (value["language"], value["extra"]["notes"][0]) == ("th-th", "NOTE language:th-th")
    assert kept == [f"NOTE Confidence: 0.{n}" for n in range(1, 300)]


def test_transcript_without_words_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.vtt").write_text("WEBVTT\n\nNOTE nothing was said\n")
    found = read_files(tmp_path / "x.vtt")
    assert (found.values, found.findings) == ([], [("warning", "empty")])


def test_call_without_a_start_is_put_aside_with_the_way_out() -> None:
    found = call("validate", "rolling.vtt")
    assert found.exit_code == 65
    assert "--start" in found.stdout and "order" not in found.stdout + found.stderr
    good = call("validate", "rolling.vtt", "--start", "2026-09-14T09:00", "--tz", "Asia/Manila")
    assert good.exit_code == 0
    bad = call("validate", "rolling.vtt", "--start", "noon")
    assert (bad.exit_code, bad.stdout) == (2, "")


def test_commands_read_a_transcript_from_a_pipe() -> None:
    piped = call(
        "validate", "-", "--start", "2026-09-14T09:00:00Z", "--format", "json", stdin=Path(ZOOM).read_bytes()
    )
    assert (piped.exit_code, json.loads(piped.stdout)["accepted"]) == (0, 1)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a/GMT20260914-091205_Recording.vtt", "2026-09-14T09:12:05+00:00"),
        ("call 2026-09-14 09.12.05.srt", "2026-09-14T09:12:05"),
        ("20260914T0912Z.vtt", "2026-09-14T09:12:00+00:00"),
        ("4520260914091205.vtt", None),
        ("2026-09-14_123 call.vtt", None),
        ("2026-09-14T09:12:05.120Z.vtt", "2026-09-14T09:12:05+00:00"),
        ("Screen 2026-09-14 at 2.30.15 PM.vtt", "2026-09-14T14:30:15"),
        ("Weekly (2026-09-14 09:12 GMT-8).vtt", "2026-09-14T09:12:00-08:00"),
        ("Weekly-20260914 0912-1.vtt", "2026-09-14T09:12:00"),
        ("2026-09-14T09-12-05+0530.vtt", "2026-09-14T09:12:05+05:30"),
        ("20261314-091205.vtt", None),
        ("2026-09-14/call.vtt", None),
    ],
)
def test_start_is_told_by_the_file_name(name: str, start: str | None) -> None:
    assert find_start(name, ReadOptions()) == start


def test_files_of_other_formats_are_not_claimed() -> None:
    wrong = claimed_elsewhere("webvtt", ("transcripts", "webvtt_srt"))
    assert [w for w in wrong if ".srt" not in w] == []
    assert [w for w in claimed_elsewhere("srt", ()) if ".srt" not in w] == []
    assert detect_formats(b"WEBVTTX\n", "x.txt") == {}
    assert "srt" in detect_formats(b"00:00:00,500 --> 00:00:07,000\nhi\n", "x.txt")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the reference samples are not here")
def test_samples_read_as_a_person_would() -> None:
    found = read_files(SAMPLES / "webvtt_srt", start="2026-09-14T09:00:00Z")
    assert [len(v["messages"]) for v in found.values] == [4, 3, 3, 7, 5, 16, 6]
    assert found.rejects == []


RAWS = [(HERE / name).read_bytes() for name in FIXTURES]
PIECES = [
    b"00:00:01.000 --> 00:00:02.000\n",
    b"<v A>",
    b"NOTE\n",
    b"\n\n",
    b"<",
    b"A: b",
    b"999999:59:59.9 --> 0:1.1",
]


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=mutated(RAWS, PIECES))
def test_damaged_transcripts_never_stop_the_reader(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    read_damaged(raw, tmp_path_factory.getbasetemp() / "fuzzed", "webvtt")
    read_damaged(raw, tmp_path_factory.getbasetemp() / "fuzzed", "srt")

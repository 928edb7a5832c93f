"""Answers to surveys: read alone, and joined to interactions."""

from __future__ import annotations

import csv
import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.commands.logs import call, chat
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import lost_leaves

from carelog.sources.formats import detect_formats
from carelog.sources.formats._survey_scores import to_score

HERE = Path(__file__).parent / "survey"
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
FIXTURES = ("qualtrics.csv", "legacy.csv", "surveymonkey.csv")


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name, zone="Asia/Kolkata")
    assert found.formats == {"surveymonkey" if name.startswith("surveym") else "qualtrics"}
    check_golden(name, found)


def test_times_have_the_zone_of_the_header_before_that_of_the_user() -> None:
    record = read_files("qualtrics.csv", zone="Asia/Kolkata").values[0]
    assert record["started_at"] == "2026-09-14T08:28:09-06:00"
    assert (
        read_files("surveymonkey.csv", zone="Asia/Kolkata").values[0]["started_at"]
        == "2026-09-14T15:05:06+05:30"
    )


def _rows_of(name: str) -> list[list[str]]:
    with Path(name).open(newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("name", FIXTURES)
def test_no_answer_is_lost(name: str) -> None:
    rows = [row for row in _rows_of(name) if len(row) > 2]
    cells = {tuple(row): [c for c in row if c and not c.startswith(("20", "09/"))] for row in rows}
    for record in read_files(name, zone="UTC").values:
        row = next(r for r in cells if record["interaction_id"] in r)
        small = {"EN": "en", "TH": "th"}
        assert lost_leaves(cells[row], record, lambda path, leaf, s=small: s.get(leaf, leaf)) == []


def test_utf_16_with_tabs_is_read_alike(tmp_path: Path) -> None:
    rows = _rows_of("qualtrics.csv")
    path = tmp_path / "answers.tsv"
    with path.open("w", encoding="utf-16", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)
    found, expected = read_files(path).values, read_files("qualtrics.csv").values
    assert [v.get("satisfaction") for v in found] == [v.get("satisfaction") for v in expected]
    assert [v["extra"] for v in found] == [v["extra"] for v in expected]


def test_an_answer_alone_lacks_a_channel_and_says_what_to_do(tmp_path: Path) -> None:
    result = call("validate", "surveymonkey.csv", "--tz", "UTC", "--format", "json")
    errors = json.loads(result.stdout)["errors"]
    assert result.exit_code == 65
    assert {(e["keyword"], e["pointer"]) for e in errors} == {("required", "/channel"), ("survey_alone", "")}
    assert call("validate", "surveymonkey.csv", "--tz", "UTC", "--channel", "email").exit_code == 0


def _join(tmp_path: Path, command: str, *arguments: str) -> tuple[list[dict[str, Any]], str]:
    log = tmp_path / "log.jsonl"
    own = {"satisfaction": {"scale": "thumbs", "score": 1}}
    log.write_text("".join(json.dumps(r) + "\n" for r in (chat(1), chat(2, **own), chat(3))))
    result = call(command, log, "-o", "-", *arguments)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_answers_are_joined_by_key(tmp_path: Path) -> None:
    records, said = _join(
        tmp_path, "convert", "--surveys", "qualtrics.csv", "--on", "interaction_id=ticket_id"
    )
    assert [r.get("satisfaction") for r in records] == [
        {"scale": "csat_5", "score": 5}, {"scale": "thumbs", "score": 1}, None
    ]  # fmt: skip
    assert records[0]["extra"]["survey"]["Q3"] == "Ben was great,\nthank you"
    assert records[1]["extra"]["survey"]["Q1"] == "2"
    assert "extra" not in records[2]
    assert (
        "2 answers to surveys by interaction_id=ticket_id, 2 with a score, 1 left out without a key" in said
    )
    assert "2 records got an answer" in said


def test_key_that_fits_no_record_is_said(tmp_path: Path) -> None:
    for command in ("convert", "classify"):
        _, said = _join(tmp_path, command, "--surveys", "qualtrics.csv", "--on", "queue=ticket_id")
        assert "no record got an answer by queue=ticket_id" in said


def test_the_survey_s_own_place_for_keys_is_found(tmp_path: Path) -> None:
    records, _ = _join(tmp_path, "convert", "--surveys", "surveymonkey.csv", "--on", "interaction_id")
    assert records[0]["satisfaction"] == {"scale": "csat_5", "score": 4}


def test_a_score_can_be_named_and_classify_uses_it(tmp_path: Path) -> None:
    records, _ = _join(
        tmp_path, "classify", "--surveys", "qualtrics.csv", "--on", "ticket_id", "--survey-score", "q1=nps_10"
    )  # fmt: skip
    assert records[0]["satisfaction"] == {"scale": "nps_10", "score": 10}
    assert (records[0]["satisfaction_label"], records[0]["satisfaction_source"]) == ("satisfied", "stated")


def test_any_table_can_be_a_survey(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("case;points\nchat-1;77\nchat-3;101\n")
    how = ["--on", "interaction_id=case", "--survey-score", "points=percent"]
    records, _ = _join(tmp_path, "convert", "--surveys", str(path), *how)
    assert [r.get("satisfaction", {}).get("score") for r in records] == [77, 1, None]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--surveys", "qualtrics.csv"], 2, "--surveys needs --on"),
        (["--on", "interaction_id"], 2, "go with --surveys"),
        (["--surveys", "qualtrics.csv", "--on", "="], 2, "names no key"),
        (["--surveys", "qualtrics.csv", "--on", "x", "--survey-score", "Q1=stars"], 2, "COLUMN=SCALE"),
        (["--surveys", "qualtrics.csv", "--on", "x", "--survey-score", "Q9=csat_5"], 65, "no column Q9"),
        (["--surveys", "legacy.csv", "--on", "ticket"], 65, "no column ticket"),
        (["--surveys", "missing.csv", "--on", "ticket"], 66, "no such file"),
    ],
)
def test_a_wrong_join_is_said(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    (tmp_path / "log.jsonl").write_text(json.dumps(chat(1)) + "\n")
    result = call("convert", tmp_path / "log.jsonl", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("cell", "scale", "expected"),
    [
        ("10", "nps_10", 10), ("10 - Extremely likely", "nps_10", 10), ("11", "nps_10", None),
        ("", "nps_10", None), ("80%", "percent", 80), ("2", "thumbs", None), ("0.5", "thumbs", None),
        ("Very  satisfied", "csat_5", 5), ("4 stars", "csat_5", 4), ("0", "csat_5", None),
        ("2026-01-01", "csat_5", None), ("Yes", "thumbs", 1), ("4.5", "csat_5", 4.5),
    ],
)  # fmt: skip
def test_scores_lie_on_their_scale(cell: str, scale: str, expected: float | None) -> None:
    assert to_score(cell, scale) == expected


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
def test_only_surveys_are_claimed() -> None:
    claims = {
        path.parent.name
        for path in SAMPLES.rglob("*")
        if path.is_file()
        and {"qualtrics", "surveymonkey"} & set(detect_formats(path.read_bytes()[:65536], path.name))
    }
    assert claims == {"qualtrics"}
    (record,) = read_files(SAMPLES / "qualtrics" / "sample.csv", zone="UTC").values
    assert (record["interaction_id"], record["language"]) == ("R_2YPOQ602ER1jkf1", "de")
    assert record["messages"] == [{"speaker": "customer", "text": "Hello World!"}]


def check_mutated(name: str, place: int, cut: int, put: bytes) -> None:
    raw = Path(HERE, name).read_bytes()
    place %= len(raw)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        path.write_bytes(raw[:place] + put + raw[place + cut :])
        found = read_files(
            path, from_format="surveymonkey" if name.startswith("s") else "qualtrics", zone="UTC"
        )
    assert all(isinstance(value["extra"], dict) for value in found.values)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(FIXTURES), st.integers(0, 10**6), st.integers(0, 200), st.binary(max_size=20))
def test_mutated_surveys_neither_crash_nor_hang(name: str, place: int, cut: int, put: bytes) -> None:
    check_mutated(name, place, cut, put)


@pytest.mark.skipif(
    "CARELOG_FUZZ_SECONDS" not in os.environ, reason="set CARELOG_FUZZ_SECONDS to fuzz longer"
)
def test_mutated_surveys_for_longer() -> None:
    rng, end = random.Random(4), time.monotonic() + float(os.environ["CARELOG_FUZZ_SECONDS"])
    while time.monotonic() < end:
        put = rng.randbytes(rng.randrange(20))
        check_mutated(rng.choice(FIXTURES), rng.randrange(10**6), rng.randrange(200), put)


def test_a_record_that_speaks_of_import_ids_is_no_survey() -> None:
    text = b'interaction_id,notes\n1,"they sent {""ImportId"":1}"\n'
    assert list(detect_formats(text, "a.csv")) == ["csv"]
    assert list(detect_formats(b'{"interaction_id":"1","notes":"{\\"ImportId\\":1}"}\n', "a")) == ["jsonl"]


def test_free_text_is_told_by_its_cells_where_no_row_of_ids_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    rows = [
        "StartDate,EndDate,Finished,Progress,Q1,Q2,Q3",
        "2026-03-01 10:00:00,2026-03-01 10:05:00,True,100,Yes,They were quick and kind.,5",
        "2026-03-01 11:00:00,2026-03-01 11:05:00,False,40,No,My lamp came too late,4",
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = read_files(path, zone="UTC")
    assert found.formats == {"qualtrics"}
    first, second = found.values
    assert first["messages"] == [{"speaker": "customer", "text": "They were quick and kind."}]
    assert (first.get("status"), second.get("status")) == ("completed", None)


def test_answer_without_a_number_gets_one_that_stays(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(
        "StartDate,EndDate,RecordedDate,Q1\n2026-03-01 10:00,2026-03-01 10:05,2026-03-01 10:05,7\n",
        encoding="utf-8",
    )
    (value,) = read_files(path, zone="UTC").values
    again = read_files(path, zone="UTC").values[0]
    assert value["interaction_id"] == again["interaction_id"] and value["interaction_id"].startswith(
        "qualtrics-"
    )


def test_survey_by_itself_says_what_to_type(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(
        "ResponseId,RecordedDate,StartDate,Finished,Q1\nR_1,2026-03-01 10:00,2026-03-01 10:00,1,7\n",
        encoding="utf-8",
    )
    result = call("validate", path, "--tz", "UTC")
    assert "--surveys" in result.stdout and "--channel phone" in result.stdout
    assert call("validate", path, "--tz", "UTC", "--channel", "phone").exit_code == 0

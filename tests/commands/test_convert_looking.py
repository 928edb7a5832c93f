"""`carelog convert --explain` and `--infer`: looking at files without converting them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.commands.logs import call, lines

from carelog.errors import UnusableInput
from carelog.sources.formats._mapping import parse_mapping
from carelog.sources.inferring import infer_mapping
from carelog.sources.paths import find_inputs
from carelog.sources.streams import open_input

HELPDESK = (
    "Case No;Opened At;Closed At;Contact Channel;State;Customer E-Mail;Handled By;Talk time (min);Rating;"
    "Tags;Description;Shoe size\n"
    "1;25/03/2026 10:00;25/03/2026 11:00;Phone;Done;a@b.example;Ben;3;5;vip|late;It leaks;42\n"
    "2;26/03/2026 10:00;;Webchat;Waiting;c@d.example;Ben;;4;;Too small;43\n"
)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_explain_says_the_format_why_and_what_comes_out() -> None:
    Path("a.jsonl").write_text(lines(1, 2).replace('"channel"', '"mood": 1, "channel"', 1) + "broken\n")
    Path("note.txt").write_text("Dear all,\n")
    result = call("convert", "--explain", ".")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "./a.jsonl: jsonl (JSON Lines, canonical records)",
        "  because its lines are JSON objects",
        "  2 records, 1 parts put aside",
        "  fields: interaction_id, channel, started_at, messages",
        "  kept under extra: mood (1 of 2)",
        "  findings: not_json 1",
        "./note.txt: of no known format; it would be skipped",
    ]


def test_explain_tells_of_times_without_a_zone() -> None:
    Path("a.jsonl").write_text(lines(1).replace("+05:30", ""))
    assert "1 times have no offset: say the zone with --tz" in call("convert", "--explain", "a.jsonl").stdout
    assert "no offset" not in call("convert", "--explain", "a.jsonl", "--tz", "UTC").stdout


def test_with_keep_going_the_others_are_explained() -> None:
    Path("a.jsonl").write_text(lines(1))
    result = call("convert", "--explain", "--keep-going", "missing", "a.jsonl")
    assert result.exit_code == 66
    assert result.stdout.startswith("a.jsonl: jsonl")
    assert "missing: no such file" in result.stdout


@pytest.mark.parametrize(("name", "code"), [("missing", 66), ("note.txt", 65)])
def test_what_cannot_be_explained_has_its_exit_code(name: str, code: int) -> None:
    Path("note.txt").write_text("Dear all,\n")
    result = call("convert", "--explain", name, "-o", "out.txt")
    assert (result.exit_code, result.stdout, Path("out.txt").exists()) == (code, "", False)


def test_an_inferred_mapping_reads_the_file_it_was_made_of() -> None:
    Path("desk.csv").write_text(HELPDESK)
    assert call("convert", "--infer", "desk.csv", "-o", "desk.toml").exit_code == 0
    mapping = tomllib.loads(Path("desk.toml").read_text())
    assert mapping["layout"] == {"delimiter": ";"}
    assert mapping["times"] == {"order": "dmy"}
    assert mapping["constants"] == {"satisfaction.scale": "csat_5"}
    assert mapping["fields"] == {
        "interaction_id": "Case No",
        "started_at": "Opened At",
        "ended_at": "Closed At",
        "talk_seconds": {"from": "Talk time (min)", "unit": "min"},
        "channel": {"from": "Contact Channel", "values": {"Phone": "phone", "Webchat": "chat"}},
        "status": {"from": "State", "values": {"Done": "closed", "Waiting": "open"}},
        "customer_id": "Customer E-Mail",
        "agent_id": "Handled By",
        "tags": {"from": "Tags", "split": "|"},
        "satisfaction.score": "Rating",
    }
    assert mapping["messages"] == [{"speaker": "customer", "text": "Description"}]
    result = call("convert", "desk.csv", "--mapping", "desk.toml", "--tz", "Europe/Berlin")
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["started_at"], first["talk_seconds"], first["tags"]) == (
        "2026-03-25T10:00:00+01:00", 180, ["vip", "late"]
    )  # fmt: skip
    assert second["extra"]["Shoe size"] == "43"


def inferred(text: str) -> dict[str, Any]:
    Path("a.csv").write_text(text)
    return tomllib.loads(call("convert", "--infer", "a.csv").stdout)


def test_answers_in_words_get_their_scores() -> None:
    rows = "1,2026-01-01 10:00,{}\n2,2026-01-01 10:00,{}\n3,2026-01-01 11:00,{}\n"
    thumbs = inferred("id,created,rating\n" + rows.format("Good", "Bad", "Not Offered"))
    assert thumbs["constants"]["satisfaction.scale"] == "thumbs"
    assert thumbs["fields"]["satisfaction.score"] == {
        "from": "rating", "values": {"Good": 1, "Bad": 0}, "absent": ["Not Offered"],
    }  # fmt: skip
    faces = inferred("id,created,rating\n" + rows.format("Very satisfied", "Good", "Terrible"))
    assert faces["constants"]["satisfaction.scale"] == "csat_5"
    assert faces["fields"]["satisfaction.score"]["values"] == {"Very satisfied": 5, "Good": 4, "Terrible": 1}
    assert "satisfaction.score" not in inferred("id,created,rating\n" + rows.format("A", "B", "C"))["fields"]


def test_known_words_are_found_in_longer_ones_and_units_in_names() -> None:
    fields = inferred(
        "Id,Created at,Via,Resolution time,Full resolution time in minutes within business hours,"
        "Full resolution time in minutes\n"
        "1,2026-01-01 10:00,Phone call (incoming),2,80,120\n2,2026-01-01 10:00,Web form,1,30,\n"
        "2,2026-01-01 10:00,Live chat (bot),1,30,60\n"
    )["fields"]
    assert fields["interaction_id"] == "Id"
    assert fields["resolution_seconds"] == {"from": "Full resolution time in minutes", "unit": "min"}
    assert fields["channel"]["values"] == {
        "Phone call (incoming)": "phone", "Web form": "email", "Live chat (bot)": "chat",
    }  # fmt: skip


def test_a_file_that_needs_no_mapping_says_so() -> None:
    Path("a.csv").write_text("Id,Requester id,Status,Created at\n1,2,Open,2026-01-01 10:00\n")
    first = call("convert", "--infer", "a.csv").stdout.splitlines()[0]
    assert first.startswith("# carelog reads this file as `zendesk` without a mapping: ")


def test_a_workbook_is_told_to_be_saved_as_csv() -> None:
    Path("a.xlsx").write_bytes(b"PK\x03\x04" + bytes(60))
    result = call("convert", "--infer", "a.xlsx")
    assert (result.exit_code, "save the sheet as CSV" in result.stderr) == (65, True)


def test_json_is_looked_at_too() -> None:
    items = [
        {"id": n, "createdAt": f"2026-09-14T09:0{n}:00Z", "customer": {"email": "a@b.example"},
         "messages": [{"role": "visitor", "body": "Hi", "sent_at": 1789351200}]}
        for n in range(3)
    ]  # fmt: skip
    Path("desk.json").write_text(json.dumps({"data": {"items": items}, "next": None}))
    text = call("convert", "--infer", "desk.json").stdout
    mapping = tomllib.loads(text)
    assert mapping["layout"] == {"records": "data.items"}
    assert mapping["fields"] == {
        "interaction_id": "id",
        "started_at": "createdAt",
        "customer_id": "customer.email",
    }
    assert mapping["messages"][0]["each"] == "messages"
    Path("m.toml").write_text(text)
    records = [json.loads(x) for x in call("convert", "desk.json", "--mapping", "m.toml").stdout.splitlines()]
    assert [r["interaction_id"] for r in records] == ["0", "1", "2"]
    assert records[0]["messages"] == [{"speaker": "customer", "text": "Hi", "at": "2026-09-14T02:00:00Z"}]


def test_standard_input_can_be_looked_at() -> None:
    mapping = tomllib.loads(call("convert", "--infer", "-", stdin=HELPDESK.encode()).stdout)
    assert (mapping["name"], mapping["fields"]["interaction_id"]) == ("mapped", "Case No")
    said = call("convert", "--explain", "-", stdin=lines(1).encode()).stdout
    assert said.startswith("-: jsonl")


def test_words_of_customers_do_not_get_into_a_mapping() -> None:
    Path("a.csv").write_text("id,created,comment,status\n1,2026-01-01 10:00,My secret,open\n")
    assert "secret" not in call("convert", "--infer", "a.csv").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [("Dear all\n", "no header"), ("[]", "no records"), ("a,b\n", "no records"), ("", "no header")],
)
def test_what_is_no_table_cannot_be_inferred(text: str, said: str) -> None:
    Path("x").write_text(text)
    result = call("convert", "--infer", "x")
    assert (result.exit_code, result.stdout) == (65, "")
    assert said in result.stderr


def test_of_a_zip_archive_its_only_file_or_the_one_that_is_named_is_looked_at() -> None:
    with ZipFile("one.zip", "w") as archive:
        archive.writestr("desk.csv", HELPDESK)
    Path("there.zip").mkdir()
    with ZipFile("there.zip/two.zip", "w") as archive:
        archive.writestr("in/desk.csv", HELPDESK)
        archive.writestr("other.csv", "a,b\n1,2\n")
    Path("desk.csv").write_text(HELPDESK)
    plain = call("convert", "--infer", "desk.csv").stdout
    for name in ("one.zip", "one.zip/desk.csv", "there.zip/two.zip/in/desk.csv"):
        assert call("convert", "--infer", name).stdout == plain, name


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("two.zip", 2, "name one that is typical of the others: two.zip/a.csv, two.zip/b.csv"),
        ("none.zip", 2, "there is none in what was named"),
        ("nothing", 2, "there is none in what was named"),
        ("two.zip/c.csv", 66, "two.zip/c.csv: no such file or folder"),
    ],
)
def test_without_one_file_to_look_at_infer_says_what_to_name(name: str, code: int, said: str) -> None:
    with ZipFile("two.zip", "w") as archive:
        archive.writestr("a.csv", HELPDESK)
        archive.writestr("b.csv", HELPDESK)
    with ZipFile("none.zip", "w") as archive:
        archive.mkdir("folder")
    Path("nothing").mkdir()
    result = call("convert", "--infer", name)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


@pytest.mark.parametrize("look", ["--explain", "--infer"])
def test_that_the_output_cannot_be_written_is_found_out_before_looking(
    look: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("it was looked at")

    monkeypatch.setattr("carelog.commands.convert.explain_inputs", fail)
    monkeypatch.setattr("carelog.commands.convert.infer_mapping", fail)
    Path("desk.csv").write_text(HELPDESK)
    result = call("convert", look, "desk.csv", "--from", "csv", "-o", "missing/x")
    assert (result.exit_code, result.stdout) == (73, "")
    assert "missing/x: no such file or directory" in result.stderr


def test_infer_looks_at_one_file() -> None:
    Path("a.csv").write_text("a,b\n1,2\n")
    Path("b.csv").write_text("a,b\n1,2\n")
    assert call("convert", "--infer", "a.csv", "b.csv").exit_code == 2


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from('ab,;\n"{}[]:1-/ \t\\\x00é'), max_size=200), st.sampled_from(["a.csv", "a.json"])
)
def test_whatever_is_inferred_is_a_sound_toml(text: str, name: str) -> None:
    Path(name).write_text(text)
    (item,) = find_inputs([name])
    with open_input(item) as opened:
        try:
            inferred = infer_mapping(opened, name)
        except UnusableInput:
            return
    if tomllib.loads(inferred).get("fields"):
        parse_mapping(inferred.encode(), name)


@pytest.mark.parametrize("command", ["validate", "classify", "convert"])
def test_what_nobody_knows_is_told_how_to_read_it(tmp_path: Path, command: str) -> None:
    path = tmp_path / "desk.csv"
    path.write_text("Ticket No,Who,When\n1,Ana,2026-03-05\n", encoding="utf-8")
    arguments = [] if command == "validate" else ["-o", tmp_path / "out.jsonl"]
    result = call(command, path, *arguments)
    assert result.exit_code == 65
    assert "carelog convert --infer" in result.stderr and "--mapping" in result.stderr

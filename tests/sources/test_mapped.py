"""Tables and JSON that are read by mapping files, the shipped presets among them."""

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
from tests.commands.logs import call
from tests.sources.goldens import check_golden, read_files
from tests.sources.leaves import lost_leaves

from carelog.errors import UsageProblem
from carelog.sources.formats import FORMATS, detect_formats
from carelog.sources.formats._mapping import Rule, load_preset, parse_mapping, preset_names
from carelog.sources.formats._mapping_records import map_record
from carelog.sources.formats._mapping_values import UnclearError, to_decimal, to_seconds, to_time

HERE = Path(__file__).parent / "mapped"
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
PRESETS = sorted(path.stem for path in HERE.glob("*.csv"))


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


def test_every_preset_has_a_fixture() -> None:
    assert preset_names() == PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_preset_reads_as_reviewed(name: str) -> None:
    found = read_files(f"{name}.csv", zone="Asia/Kolkata")
    assert found.formats == {name}
    check_golden(f"{name}.csv", found)


def test_json_reads_as_reviewed() -> None:
    mapping = parse_mapping(Path("desk.toml").read_bytes(), "desk.toml")
    found = read_files("desk.json", from_format="mapping", mapping=mapping)
    check_golden("desk.json", found)


def _written_in(record: dict[str, Any]) -> Any:
    """How a cell is written in the record: as text, as tags, in small letters."""
    small = {v for v in record.values() if isinstance(v, str)}

    def written(path: Any, leaf: Any) -> Any:
        if "<p>" in leaf or path[-1] == "Tags" or leaf.casefold() in small:
            return None
        return _times_aside(path, leaf)

    return written


def _times_aside(path: Any, leaf: Any) -> Any:
    """Times are written in another form: that they are there is what the golden files hold."""
    name = str(path[-1]).casefold()
    return None if "time" in name or "date" in name or name in ("opened", "closed_ms", "when") else leaf


@pytest.mark.parametrize("name", PRESETS)
def test_no_cell_is_lost(name: str) -> None:
    found = read_files(f"{name}.csv", zone="Asia/Kolkata")
    lines = Path(f"{name}.csv").read_text().splitlines(keepends=True)
    start = next(n for n, line in enumerate(lines) if line.count(",") > 3)
    rows = list(csv.DictReader(lines[start:]))
    ids = {v["source"].get("record_id"): v for v in found.values}
    compared = 0
    for row in rows:
        record = ids.get(
            row.get("Ticket ID") or row.get("Id") or row.get("Record ID") or row.get("CaseNumber")
        )
        if record is not None:
            compared += 1
            cells = {k: v for k, v in row.items() if isinstance(v, str) and v not in ("-", "")}
            assert lost_leaves(cells, record, _written_in(record)) == []
    assert compared or name in ("3cx", "salesforce_case")


def test_nothing_of_a_json_record_is_lost() -> None:
    mapping = parse_mapping(Path("desk.toml").read_bytes(), "desk.toml")
    html = {"<p>Where is my <i>order</i>?</p>": "Where is my order?", "On its way &amp; soon there": None}
    for record in json.loads(Path("desk.json").read_text())["result"]["items"]:
        value = map_record(record, mapping, [])
        assert lost_leaves(record, value, lambda p, v: html.get(str(v), _times_aside(p, v))) == []


def test_a_mapping_is_used_from_the_command_line(tmp_path: Path) -> None:
    result = call("validate", "desk.json", "--mapping", "desk.toml", "--format", "json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["accepted"], report["rejected"]) == (1, 2, 1)
    assert [(e["interaction_id"], e["pointer"]) for e in report["errors"] if e["severity"] == "error"] == [
        ("8", "/started_at"),
        ("8", ""),
    ]
    result = call("convert", "desk.json", "--mapping", "desk.toml", "-o", tmp_path / "out.jsonl")
    assert (result.exit_code, len((tmp_path / "out.jsonl").read_text().splitlines())) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--mapping", "missing.toml"], 66, "missing.toml: no such file"),
        (["--mapping", "desk.json"], 2, "this is no mapping file"),
        (["--mapping", "desk.toml", "--from", "csv"], 2, "contradict each other"),
        (["--from", "mapping"], 2, "needs a mapping file"),
    ],
)
def test_a_wrong_mapping_is_wrong_usage(arguments: list[str], code: int, said: str) -> None:
    result = call("convert", "desk.json", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "[fields] is missing"),
        ("[fields]\nname = 'x'", "`name` is no field"),
        ("[fields]\ninteraction_id = 7", "named by a text"),
        ("[fields]\ntalk_seconds = {from='x', unit='weeks'}", "the unit is one of"),
        ("[fields]\nstarted_at = {from='x', zone='Mars/Olympus'}", "no time zone"),
        ("[fields]\nstarted_at = {from='x', order='dym'}", "the order of a date"),
        ("[fields]\nstarted_at = {form='x'}", "`form`, which means nothing"),
        ("[fields]\ntalk_seconds = {between=['x']}", "two columns"),
        ("[fields]\nnotes = {}", "neither from, nor join"),
        ("[constants]\nchannel='chat'\n[fields]\nchannel='x'", "both a constant and a field"),
        ("[fields]\nnotes='x'\n[layout]\nfooter='('", "no regular expression"),
        ("[fields]\nnotes='x'\n[layout]\nencoding='klingon'", "no encoding"),
        ("[fields]\nnotes='x'\n[[messages]]\nspeaker='agent'", "where the text is"),
        ("[fields]\nnotes='x'\n[numbers]\ndecimal=';'", "numbers.decimal"),
    ],
)  # fmt: skip
def test_a_fault_in_a_mapping_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageProblem, match=r"m\.toml") as caught:
        parse_mapping(text.encode(), "m.toml")
    assert said in caught.value.message


RULES = {
    rule.field: rule
    for rule in parse_mapping(
        b"[fields]\nstarted_at={from='x',zone='Europe/Berlin',format='%d %b %Y %H:%M'}\n"
        b"ended_at={from='x',order='mdy'}",
        "m",
    ).rules
}


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ("2026-09-14T09:12:05.123+07:00", "ended_at", "2026-09-14T09:12:05.123000+07:00"),
        ("2026-09-14 09:12:05 +0700", "ended_at", "2026-09-14T09:12:05+07:00"),
        ("2026-09-14 09:12:05 UTC", "ended_at", "2026-09-14T09:12:05Z"),
        ("2026-09-14 09:12", "started_at", "2026-09-14T09:12:00+02:00"),
        ("14 Sep 2026 09:12", "started_at", "2026-09-14T09:12:00+02:00"),
        ("09/14/2026 9:12:05 PM", "ended_at", "2026-09-14T21:12:05"),
        ("9/8/26 12:00\u202fAM", "ended_at", "2026-09-08T00:00:00"),
        ("14.09.2569 09:12", "started_at", "2026-09-14T09:12:00+02:00"),
        (1789351200, "ended_at", "2026-09-14T02:00:00Z"),
        ("1789351200123", "ended_at", "2026-09-14T02:00:00.123000Z"),
        (1789351200.5, "ended_at", "2026-09-14T02:00:00.500000Z"),
        (0, "ended_at", None),
    ],
)
def test_times_are_read_as_systems_write_them(value: Any, field: str, expected: str | None) -> None:
    assert to_time(value, RULES[field])[0] == expected


@pytest.mark.parametrize("value", ["yesterday", "31/13/2026", "05/06/2026", True, [], "7", "2026-02-30"])
def test_what_is_no_time_is_not_guessed(value: Any) -> None:
    with pytest.raises(UnclearError):
        to_time(value, RULES["started_at"])


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [("00:03:20", "hms", 200), ("03:20", "hms", 200), ("01:30", "hm", 5400), ("1:00:00.5", "", 3600.5),
     ("2d 01:00:00", "hms", 176400), (1500, "ms", 1.5), ("2.5", "min", 150), ("0", "", 0), (-1, "", None),
     ("-00:00:01", "hms", None),
     (1, "h", 3600)],
)  # fmt: skip
def test_lengths_of_time_become_seconds(value: Any, unit: str, expected: float | None) -> None:
    assert to_seconds(value, unit) == expected


@pytest.mark.parametrize(
    ("value", "decimal", "expected"),
    [("฿1,499.00", ".", "1499.00"), ("1.499,50 €", ",", "1499.50"), ("(12.30)", ".", "-12.30"),
     ("−5", ".", "-5"), ("Rs. 20", ".", "20"), ("USD -7.10", ".", "-7.10"), (".50", ".", "0.50")],
)  # fmt: skip
def test_money_keeps_its_digits(value: str, decimal: str, expected: str) -> None:
    assert str(to_decimal(value, decimal)) == expected


def test_a_table_of_another_encoding_without_a_header_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        "name='till'\n[layout]\ncolumns=['no','when','note']\nencoding='windows-874'\ndelimiter=';'\n"
        "[times]\nzone='Asia/Bangkok'\n[constants]\nchannel='phone'\n"
        "[fields]\ninteraction_id='no'\nstarted_at='when'\nnotes='note'\n"
    )
    (tmp_path / "cdr.log").write_bytes(
        '1;2026-09-14 09:00;"ขอบคุณ; ค่ะ"\r\n2;2026-09-14 10:00;="007"\r\n'.encode("cp874")
    )
    result = call("convert", tmp_path / "cdr.log", "--mapping", tmp_path / "m.toml")
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["notes"], first["started_at"], first["source"]["line"]) == (
        "ขอบคุณ; ค่ะ", "2026-09-14T09:00:00+07:00", 1
    )  # fmt: skip
    assert second["notes"] == "007"


def test_records_without_a_number_get_one_that_stays(tmp_path: Path) -> None:
    first = read_files("3cx.csv", zone="UTC").values
    again = read_files("3cx.csv", zone="UTC").values
    assert [v["interaction_id"] for v in first] == [v["interaction_id"] for v in again]
    assert len({v["interaction_id"] for v in first}) == 3
    assert [v["source"]["line"] for v in first] == [5, 6, 7]


@pytest.mark.parametrize("name", PRESETS)
def test_only_the_preset_claims_its_fixture(name: str) -> None:
    assert list(detect_formats(Path(f"{name}.csv").read_bytes(), "x")) == [name]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
def test_no_preset_claims_a_sample() -> None:
    for path in SAMPLES.rglob("*"):
        if path.is_file():
            assert not set(detect_formats(path.read_bytes()[:65536], str(path))) & set(PRESETS), path


def _mutate(raw: bytes, place: int, cut: int, put: bytes) -> bytes:
    place %= len(raw)
    return raw[:place] + put + raw[place + cut :]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([*PRESETS, "desk"]), st.integers(0, 10**6), st.integers(0, 200), st.binary(max_size=20)
)
def test_mutated_files_neither_crash_nor_hang(name: str, place: int, cut: int, put: bytes) -> None:
    check_mutated(name, place, cut, put)


def check_mutated(name: str, place: int, cut: int, put: bytes) -> None:
    is_json = name == "desk"
    file = HERE / ("desk.json" if is_json else f"{name}.csv")
    mapping = parse_mapping((HERE / "desk.toml").read_bytes(), "desk.toml") if is_json else load_preset(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        path.write_bytes(_mutate(file.read_bytes(), place, cut, put))
        found = read_files(path, from_format="mapping" if is_json else name, mapping=mapping, zone="UTC")
    assert all(isinstance(value, dict) and value["source"]["system"] for value in found.values)


@pytest.mark.skipif(
    "CARELOG_FUZZ_SECONDS" not in os.environ, reason="set CARELOG_FUZZ_SECONDS to fuzz longer"
)
def test_mutated_files_for_longer() -> None:
    rng, end = random.Random(4), time.monotonic() + float(os.environ["CARELOG_FUZZ_SECONDS"])
    while time.monotonic() < end:
        check_mutated(
            rng.choice([*PRESETS, "desk"]),
            rng.randrange(10**6),
            rng.randrange(200),
            rng.randbytes(rng.randrange(20)),
        )
    assert FORMATS


def test_columns_of_one_name_are_both_kept(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "Ticket ID,Created time,Agent interactions,Note,Note\n1,2026-01-01 10:00,2,a,b\n"
    )
    found = read_files(tmp_path / "t.csv", zone="UTC")
    assert {k: v for k, v in found.values[0]["extra"].items() if "Note" in k} == {"Note": "a", "Note_5": "b"}
    assert found.findings == [("warning", "duplicate_column")]


def test_text_under_a_report_is_no_record() -> None:
    found = read_files("salesforce_case.csv")
    assert (len(found.values), found.rejects, found.findings) == (3, [], [("warning", "not_a_row")])


@pytest.mark.parametrize(
    ("local", "expected", "keyword"),
    [
        ("2026-10-25 02:30:00", "2026-10-25T02:30:00+02:00", "clock_fold"),
        ("2026-03-29 02:30:00", "2026-03-29T02:30:00+01:00", "clock_gap"),
        ("2026-10-25 01:59:59", "2026-10-25T01:59:59+02:00", None),
    ],
)
@pytest.mark.parametrize("said_by", ["mapping", "user"])
def test_doubtful_local_times_are_findings(
    tmp_path: Path, local: str, expected: str, keyword: str | None, said_by: str
) -> None:
    (tmp_path / "t.csv").write_text(f"no,at,text\n1,{local},Hi\n")
    zone = "zone='Europe/Berlin'" if said_by == "mapping" else ""
    fields = "[fields]\ninteraction_id='no'\nstarted_at='at'\nsubject='text'"
    text = f"[times]\n{zone}\n[constants]\nchannel='email'\n{fields}"
    mapping = parse_mapping(text.encode(), "m.toml")
    options = {} if said_by == "mapping" else {"zone": "Europe/Berlin"}
    found = read_files(tmp_path / "t.csv", from_format="mapping", mapping=mapping, **options)
    assert found.values[0]["started_at"] == expected
    assert found.findings == ([] if keyword is None else [("warning", keyword)])


def test_without_any_zone_a_local_time_is_refused() -> None:
    result = call("validate", "freshdesk.csv", "--format", "json")
    assert result.exit_code == 65
    pointers = {(e["pointer"], e["keyword"]) for e in json.loads(result.stdout)["errors"] if e["line"] == 2}
    assert ("/started_at", "format") in pointers


def test_lines_of_json_are_counted_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"no": 1, "at": "2026-01-01T00:00:00Z"}\n\n{"no": 2}\n{"no": 3')
    (tmp_path / "m.toml").write_text(
        "[constants]\nchannel='phone'\nstatus='missed'\n[fields]\ninteraction_id='no'\nstarted_at='at'\n"
    )
    result = call(
        "validate", tmp_path / "t.jsonl", "--mapping", tmp_path / "m.toml", "--format", "json"
    )  # fmt: skip
    report = json.loads(result.stdout)
    assert (report["records"], report["accepted"], report["files"][0]["blank_lines"]) == (3, 1, 1)
    assert [(e["line"], e["keyword"]) for e in report["errors"]] == [(3, "required"), (4, "not_json")]


def infer(tmp_path: Path, text: str) -> str:
    path = tmp_path / "desk.csv"
    path.write_text(text, encoding="utf-8")
    return call("convert", "--infer", path).stdout


def test_day_and_clock_in_two_columns_are_one_time(tmp_path: Path) -> None:
    text = "Call Id,Agent,Date,Time,Topic,Speed of answer in seconds,AvgTalkDuration\n"
    rows = "A1,Bo,01/14/2026,09:12:58 AM,Lamps,109,00:02:23\nA2,Bo,01/15/2026,01:02:03 PM,Lamps,,\n"
    mapping = infer(tmp_path, text + rows)
    assert 'started_at = { join = ["Date", "Time"] }' in mapping
    found = read_files(
        tmp_path / "desk.csv", from_format="mapping", mapping=parse_mapping(mapping.encode(), "m"), zone="UTC"
    )
    first, second = found.values
    assert (first["started_at"], second["started_at"]) == ("2026-01-14T09:12:58Z", "2026-01-15T13:02:03Z")
    assert (first["wait_seconds"], first["talk_seconds"], first["subject"]) == (109, 143, "Lamps")
    assert "extra" not in second


def test_first_mapping_does_not_take_moments_for_lengths(tmp_path: Path) -> None:
    text = (
        "Ticket ID,Customer Email,Ticket Subject,Ticket Description,Ticket Channel,Created,First Response Time,"
        "Time to Resolution\n1,a@x.example,Lamp,It is dark,Social media,2026-06-01 12:00:00,2026-06-01 12:15:36,"
        "2026-06-02 12:15:36\n"
    )
    mapping = infer(tmp_path, text)
    assert 'first_response_seconds = { between = ["Created", "First Response Time"] }' in mapping
    assert 'resolution_seconds = { between = ["Created", "Time to Resolution"] }' in mapping
    assert 'channel = { from = "Ticket Channel", values = { "Social media" = "chat" } }' in mapping
    assert 'text = "Ticket Description"' in mapping and 'customer_id = "Customer Email"' in mapping


def test_first_mapping_finds_a_number_and_a_beginning_by_their_values(tmp_path: Path) -> None:
    text = "tweet_id,author,inbound,posted,text\n7,Ana,True,Tue Oct 31 22:10:47 +0000 2017,hi\n"
    mapping = infer(tmp_path, text)
    assert 'interaction_id = "tweet_id"' in mapping and 'started_at = "posted"' in mapping
    assert 'values = { "True" = "inbound" }' in mapping


def test_expressions_replace_what_no_list_can_name() -> None:
    text = (
        "[constants]\nchannel='phone'\n[fields]\ninteraction_id='id'\nstarted_at='at'\n"
        "direction = { from = 'who', matches = { '^\\d{2,5}$' = 'outbound' }, otherwise = 'inbound' }\n"
    )
    mapping = parse_mapping(text.encode(), "m.toml")
    rows = [{"id": "1", "at": "x", "who": who} for who in ("101", "+66812345678")]
    assert [map_record(row, mapping, [])["direction"] for row in rows] == ["outbound", "inbound"]
    assert map_record(rows[0], mapping, [])["extra"]["who"] == "101"
    with pytest.raises(UsageProblem, match="no regular expression"):
        parse_mapping(text.replace("^", "(").encode(), "m.toml")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Tue Oct 31 22:10:47 +0000 2017", "2017-10-31T22:10:47Z"),
        ("Fri, 18 Oct 2019 17:02:00 +0700", "2019-10-18T17:02:00+07:00"),
        ("Thu May 15 2025 21:14:13 GMT+0200 (South Africa Standard Time)", "2025-05-15T21:14:13+02:00"),
        ("14-Sep-26 09:12:01 PM", "2026-09-14T21:12:01"),
        ("September 14, 2026 at 9:12 AM", "2026-09-14T09:12:00"),
        ("1 May 2026", "2026-05-01T00:00:00"),
    ],
)
def test_months_may_be_english_words(value: str, expected: str) -> None:
    assert to_time(value, Rule("started_at", "time"))[0] == expected


@pytest.mark.parametrize(
    "value",
    [
        "31 Feb 2026 10:00",
        "Marching 12 2026",
        "Sep",
        "12 Sep",
        "may 1 2 3 2026",
        "12 Sep 20269999999999999999",
    ],
)
def test_words_that_make_no_day_are_no_time(value: str) -> None:
    with pytest.raises(UnclearError):
        to_time(value, Rule("started_at", "time"))


def test_3cx_log_without_directions_tells_them_by_extensions(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "Call Time,Caller ID,Destination,Status,Ringing,Talking\n"
        "2026-09-14 09:00:00,Ana (+66812345678),Support (800),Answered,00:00:05,00:02:10\n"
        "2026-09-14 09:10:00,Bo (101),+66777777,Answered,00:00:05,00:01:10\n",
        encoding="utf-8",
    )
    inbound, outbound = read_files(path, zone="UTC").values
    assert (inbound["direction"], inbound["customer_id"]) == ("inbound", "Ana (+66812345678)")
    assert (outbound["direction"], outbound["customer_id"], outbound["agent_id"]) == (
        "outbound",
        "+66777777",
        "Bo (101)",
    )


def test_freshdesk_export_of_few_columns_is_known(tmp_path: Path) -> None:
    path = tmp_path / "export"
    text = "\ufeffTicket ID;Subject;Status;Agent;Created time\r\n12;Lamp;Open;No Agent;14-09-2026 09:12\r\n"
    path.write_bytes(text.encode())
    found = read_files(path, zone="UTC")
    assert (found.formats, found.values[0]["started_at"]) == ({"freshdesk"}, "2026-09-14T09:12:00Z")


def test_first_mapping_of_json_tells_sides_by_booleans_and_agents_by_what_they_are_called(
    tmp_path: Path,
) -> None:
    ticket = {
        "id": 18, "responder": {"email": "bo@shop.example"}, "requester": {"email": "ana@x.example"},
        "created_at": "2026-03-05T12:00:00Z", "subject": "Lamp",
        "replies": [{"body": "<p>Dark</p>", "incoming": True, "created_at": "2026-03-05T12:00:00Z"}],
    }  # fmt: skip
    path = tmp_path / "desk.json"
    path.write_text(json.dumps({"results": [ticket]}), encoding="utf-8")
    mapping = call("convert", "--infer", path).stdout
    assert 'customer_id = "requester.email"' in mapping
    assert 'speaker = { from = "incoming", values = { "true" = "customer", "false" = "agent" } }' in mapping
    found = read_files(path, from_format="mapping", mapping=parse_mapping(mapping.encode(), "m"))
    assert found.values[0]["messages"] == [
        {"speaker": "customer", "text": "Dark", "at": "2026-03-05T12:00:00Z"}
    ]


def test_first_mapping_knows_the_names_of_hubspot(tmp_path: Path) -> None:
    call_ = {
        "hs_timestamp": "2026-03-05T12:00:00Z",
        "hs_call_direction": "OUTBOUND",
        "hs_call_duration": "3800",
    }
    path = tmp_path / "calls.json"
    path.write_text(json.dumps({"results": [{"id": "1", "properties": call_}]}), encoding="utf-8")
    mapping = call("convert", "--infer", path).stdout
    assert 'talk_seconds = { from = "properties.hs_call_duration", unit = "ms" }' in mapping
    assert 'started_at = "properties.hs_timestamp"' in mapping
    assert 'values = { "OUTBOUND" = "outbound" }' in mapping


THREECX = """Call Time,Call ID,From,To,Direction,Status,Ringing,Talking,Cost,Summary
2026-09-22T10:00:00,id-1,+4921155555,Support (800),Inbound Queue,Answered,00:00:20,00:02:00,0.00,
2026-09-22T10:00:05,id-1,+4921155555,Bo (101),Inbound,Unanswered,00:00:05,00:00:03,0.00,
2026-09-22T10:00:20,id-1,+4921155555,Cy (102),Inbound,Answered,00:00:04,00:02:00,0.00,wants a lamp
2026-09-22T11:00:00,id-2,+4921155556,Support (800),Inbound Queue,Unanswered,00:00:40,00:00:00,0.00,
2026-09-22T11:00:05,id-2,+4921155556,Bo (101),Inbound,Unanswered,00:00:05,00:00:00,0.00,
2026-09-22T12:00:00,id-3,Bo (101),+4977777,Outbound,Answered,00:00:05,00:01:00,0.00,
broken,id-4
Totals,,,,,,00:01:10,00:05:00,,
"""


def test_rows_of_one_3cx_call_are_one_call(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(THREECX, encoding="utf-8")
    found = read_files(path, zone="Europe/Berlin")
    assert (found.formats, found.rejects) == ({"3cx"}, ["too_few_cells"])
    told = [
        tuple(
            v.get(name)
            for name in ("interaction_id", "status", "agent_id", "queue", "wait_seconds", "talk_seconds")
        )
        for v in found.values
    ]
    assert told == [
        ("id-1", "completed", "Cy (102)", "Support (800)", 20, 120),
        ("id-2", "abandoned", None, "Support (800)", 40, 0),
        ("id-3", "completed", "Bo (101)", None, 5, 60),
    ]
    assert [v["customer_id"] for v in found.values] == ["+4921155555", "+4921155556", "+4977777"]
    assert found.values[0]["notes"] == "wants a lamp"
    rows = list(csv.DictReader(THREECX.splitlines()[:4]))
    assert found.values[0]["extra"]["rows"] == [{k: v for k, v in row.items() if v} for row in rows]


def test_call_that_was_passed_on_adds_up_what_was_said(tmp_path: Path) -> None:
    lines = THREECX.splitlines()
    path = tmp_path / "log.csv"
    passed_on = (
        lines[3].replace("10:00:20", "10:02:20").replace("Cy (102)", "Di (103)").replace("02:00", "03:30")
    )
    path.write_text("\n".join((lines[0], lines[3], passed_on)) + "\n", encoding="utf-8")
    (value,) = read_files(path, zone="Europe/Berlin").values
    assert (value["talk_seconds"], value["agent_id"]) == (330, "Di (103)")


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("Ticket ID,Subject,Status,Agent,Created time\n1,Lamp,Open,Bo,2026-09-14 09:00:00\n", "email"),
        (
            "Ticket ID,Ticket name,Ticket status,Pipeline,Create date\n1,Lamp,Closed,Care,2026-09-14 09:00\n",
            "email",
        ),
        ("CaseNumber,CreatedDate,Status,Subject\n1,2026-09-14 09:00:00,New,Lamp\n", "email"),
        (
            "Id,WhoId,Subject,CallType,Status,CreatedDate\n1,2,Call,Inbound,Completed,2026-09-14 09:00:00\n",
            "phone",
        ),
    ],
)
def test_presets_know_the_channel_where_its_column_was_not_exported(
    tmp_path: Path, text: str, channel: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")
    (value,) = read_files(path, zone="UTC").values
    assert (value["channel"], value["started_at"]) == (channel, "2026-09-14T09:00:00Z")


def test_broken_record_of_a_page_costs_only_itself(tmp_path: Path) -> None:
    text = "[layout]\nrecords='data.items'\n[constants]\nchannel='email'\n[fields]\ninteraction_id='id'\nstarted_at='at'\n"
    items = [{"id": str(n), "at": "2026-03-05T12:00:00Z", "text": "lamp"} for n in (1, 2, 3)]
    path = tmp_path / "page.json"
    whole = json.dumps({"data": {"items": [*items, 5]}, "next": None}, indent=1)
    path.write_text(whole, encoding="utf-8")
    mapping = parse_mapping(text.encode(), "m.toml")
    found = read_files(path, from_format="mapping", mapping=mapping)
    assert ([v["interaction_id"] for v in found.values], found.rejects) == (["1", "2", "3"], ["not_object"])
    path.write_text(whole.replace('"id": "2"', '"id": "2" "'), encoding="utf-8")
    found = read_files(path, from_format="mapping", mapping=mapping)
    assert [v["interaction_id"] for v in found.values] == ["1", "3"]

"""Call records of Asterisk and FreePBX in every order of columns, to calls."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.commands.logs import call
from tests.sources.goldens import Read, check_golden, read_files
from tests.sources.leaves import lost_leaves

from carelog.sources.formats import detect_formats

HERE = Path(__file__).parent / "asterisk"
FIXTURES = ["Master.csv", "plain16.csv", "custom.csv", "cdr__1789430400pbx.csv", "cdr.jsonl"]


@pytest.fixture(autouse=True)
def in_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture_reads_as_reviewed(name: str) -> None:
    found = read_files(name, zone="Asia/Bangkok" if name == "plain16.csv" else None)
    assert found.formats == {"asterisk_cdr"}
    check_golden(name, found)


def test_legs_of_one_call_are_one_interaction_even_over_rotated_files(tmp_path: Path) -> None:
    first, second, *_ = Path("Master.csv").read_text().splitlines(keepends=True)
    (tmp_path / "Master.csv").write_text(second)
    (tmp_path / "Master.csv.1").write_text(first)
    (value,) = read_files(tmp_path).values
    assert (value["interaction_id"], value["status"], value["agent_id"]) == (
        "1789354800.10",
        "completed",
        "101",
    )
    assert (value["wait_seconds"], value["talk_seconds"], len(value["extra"]["legs"])) == (25, 180, 2)


def test_ring_all_and_answer_by_the_queue_itself_are_not_answered_calls() -> None:
    abandoned = read_files("Master.csv").values[1]
    assert (abandoned["status"], abandoned["queue"], abandoned["wait_seconds"]) == (
        "abandoned",
        "support",
        60,
    )
    assert "agent_id" not in abandoned


def test_offset_comes_from_the_epoch_in_the_id_else_from_tz_else_the_call_is_put_aside() -> None:
    told = [v["started_at"] for v in read_files("custom.csv").values]
    assert told == ["2026-11-01T01:30:00-05:00", "2026-11-01T01:40:00-06:00"]
    # With --tz, the id still tells which of two equal hours it was.
    again = read_files("custom.csv", zone="America/Chicago")
    assert ([v["started_at"] for v in again.values], again.findings) == (told, [])
    assert set(read_files("plain16.csv").rejects) == {"no_offset"}
    doubtful = read_files("cdr.jsonl", zone="Asia/Bangkok")
    assert doubtful.values[0]["started_at"] == "2026-09-14T10:00:00+07:00"
    assert ("warning", "offset_doubtful") in doubtful.findings


def test_names_in_an_old_charset_are_decoded_and_said() -> None:
    found = read_files("plain16.csv", zone="Asia/Bangkok")
    assert found.values[0]["extra"]["legs"][0]["clid"] == '"มาลี" <0812345678>'
    assert ("warning", "charset_mended") in found.findings


@pytest.mark.parametrize(
    ("tail", "columns"),
    [
        ([], {}),
        (["1789354800.1"], {"uniqueid": "1789354800.1"}),
        (["note"], {"userfield": "note"}),
        (["1789354800.1", "note"], {"uniqueid": "1789354800.1", "userfield": "note"}),
        (["peer", "1789354800.1", "4"], {"peeraccount": "peer", "linkedid": "1789354800.1", "sequence": "4"}),
        (
            ["note", "peer", "1789354800.1", "4"],
            {"userfield": "note", "peeraccount": "peer", "linkedid": "1789354800.1", "sequence": "4"},
        ),
        (
            ["1789354800.2", "note", "peer", "1789354800.1", "4"],
            {"uniqueid": "1789354800.2", "userfield": "note", "linkedid": "1789354800.1", "sequence": "4"},
        ),
    ],
)
def test_optional_columns_are_told_by_what_stands_in_them(
    tmp_path: Path, tail: list[str], columns: dict[str, str]
) -> None:
    first = ",".join(Path("Master.csv").read_text().splitlines()[3].split(",")[:-5])
    (tmp_path / "Master.csv").write_text(",".join([first, *tail]) + "\n")
    (value,) = read_files(tmp_path / "Master.csv", zone="Asia/Bangkok").values
    assert columns.items() <= value["extra"]["legs"][0].items()


def test_nothing_of_a_leg_is_lost() -> None:
    found = read_files("cdr.jsonl")
    assert lost_leaves(json.loads(Path("cdr.jsonl").read_text()), {"values": found.values}) == []


def test_command_reads_it_from_a_pipe_and_says_what_is_wrong() -> None:
    done = call("validate", "-", "--format", "json", stdin=Path("Master.csv").read_bytes())
    report = json.loads(done.stdout)
    assert (done.exit_code, report["accepted"], report["rejected"]) == (1, 6, 1)
    assert "0812345678" not in done.stdout + done.stderr
    assert call("validate", "plain16.csv").exit_code == 65


def test_other_tables_are_not_claimed() -> None:
    for head in (
        b"",
        b"\0\xff",
        b"a,b,c\n1,2,3\n",
        b"date,disposition\n2026-01-01 10:00:00,ANSWERED\n",
        b"{}",
    ):
        assert "asterisk_cdr" not in detect_formats(head, "x")


def test_leg_that_begins_late_has_the_offset_of_its_call(tmp_path: Path) -> None:
    rows = Path("Master.csv").read_text().splitlines()[:2]
    path = tmp_path / "Master.csv"
    path.write_text("\n".join([rows[0], rows[1].replace("1789354805.12", "1789354000.9")]))
    (value,) = read_files(path).values
    assert (value["started_at"], value["talk_seconds"]) == ("2026-09-14T10:00:00+07:00", 180)


LEG = {
    "accountcode": "", "src": "0812345678", "dst": "101", "dcontext": "from-trunk", "clid": '"Mali" <0812345678>',
    "channel": "SIP/trunk-1", "dstchannel": "SIP/101-2", "lastapp": "Dial", "lastdata": "SIP/101",
    "start": "2026-09-14 10:00:00", "answer": "2026-09-14 10:00:10", "end": "2026-09-14 10:01:10", "duration": "70",
    "billsec": "60", "disposition": "ANSWERED", "amaflags": "3", "uniqueid": "1789354800.1", "userfield": "",
}  # fmt: skip
DATABASE = [
    "start",
    "clid",
    "src",
    "dst",
    "dcontext",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
    "accountcode",
    "uniqueid",
    "userfield",
]


def _table(tmp_path: Path, rows: list[list[str]], **style: Any) -> Path:
    with (tmp_path / "x").open("w", newline="") as file:
        csv.writer(file, **style).writerows(rows)
    return tmp_path / "x"


def _check_leg(found: Read) -> None:
    (value,) = found.values
    told = [
        value[n] for n in ("started_at", "direction", "status", "customer_id", "agent_id", "talk_seconds")
    ]
    assert (found.formats, found.rejects) == ({"asterisk_cdr"}, [])
    assert told == ["2026-09-14T10:00:00+07:00", "inbound", "completed", "0812345678", "101", 60]
    assert value["wait_seconds"] == 10


@pytest.mark.parametrize(
    "style",
    [
        {},
        {"delimiter": "|"},
        {"delimiter": "\t", "quoting": csv.QUOTE_ALL},
        {"quoting": csv.QUOTE_ALL, "doublequote": False, "escapechar": "\\"},
    ],
)
def test_rows_of_the_database_without_a_header_are_read(tmp_path: Path, style: dict[str, Any]) -> None:
    leg = LEG | {"clid": '"Mali, Dr" <0812345678>'}
    _check_leg(read_files(_table(tmp_path, [[leg[name] for name in DATABASE]], **style)))


def test_rows_numbered_by_the_database_are_read(tmp_path: Path) -> None:
    order = [
        "clid",
        "src",
        "dst",
        "dcontext",
        "channel",
        "dstchannel",
        "lastapp",
        "lastdata",
        "start",
        "answer",
        "end",
        "duration",
        "billsec",
        "disposition",
        "amaflags",
        "accountcode",
        "uniqueid",
        "userfield",
    ]
    _check_leg(read_files(_table(tmp_path, [["17", *(LEG[name] for name in order)]])))


@pytest.mark.parametrize(
    "names",
    [
        # the manager's event, and the panels that are built on Asterisk
        {
            "src": "Source", "dst": "Destination", "dcontext": "DestinationContext", "clid": "CallerID",
            "dstchannel": "DestinationChannel", "lastapp": "LastApplication", "start": "StartTime",
            "billsec": "BillableSeconds", "uniqueid": "UniqueID",
        },
        {
            "src": "Caller Number", "dst": "Callee Number", "dcontext": "Context", "channel": "Source Channel",
            "dstchannel": "Dest Channel", "start": "Start Time", "end": "End Time", "duration": "Call Time",
            "billsec": "Talk Time", "disposition": "Call Status",
        },
        {"start": "datetime", "billsec": "billable", "uniqueid": "uniqueid"},
    ],
)  # fmt: skip
def test_columns_under_other_names_are_known(tmp_path: Path, names: dict[str, str]) -> None:
    leg = {names.get(name, name): value for name, value in LEG.items()}
    _check_leg(read_files(_table(tmp_path, [list(leg), list(leg.values())])))
    (tmp_path / "x").write_text(json.dumps({"data": [leg]}))
    _check_leg(read_files(tmp_path / "x"))


def test_report_with_one_duration_gives_that_of_the_conversation(tmp_path: Path) -> None:
    header = [
        "Date",
        "Source",
        "Ring Group",
        "Destination",
        "Src. Channel",
        "Dst. Channel",
        "Status",
        "Duration",
    ]
    row = ["2026-09-14 10:00:00", "0812345678", "g", "101", "SIP/trunk-1", "SIP/101-2", "ANSWERED", "60"]
    (value,) = read_files(_table(tmp_path, [header, row]), zone="Asia/Bangkok").values
    assert (value["talk_seconds"], value["agent_id"], value["direction"]) == (60, "101", "inbound")
    assert value["extra"]["legs"][0]["ringgroup"] == "g"


@pytest.mark.parametrize(
    ("written", "status"), [("8", "completed"), ("4", "missed"), ("No Answer", "missed")]
)
def test_results_are_known_as_numbers_and_in_any_case(tmp_path: Path, written: str, status: str) -> None:
    leg = LEG | {"disposition": written}
    (value,) = read_files(_table(tmp_path, [list(leg), list(leg.values())])).values
    assert value["status"] == status


def test_call_that_the_dialplan_answered_and_nobody_took_is_missed(tmp_path: Path) -> None:
    rung = LEG | {"disposition": "NO ANSWER", "billsec": "60"}
    over = LEG | {"dstchannel": "", "lastapp": "Hangup", "start": "2026-09-14 10:01:10", "billsec": "0"}
    (value,) = read_files(_table(tmp_path, [list(leg.values()) for leg in (rung, over)])).values
    assert (value["status"], value["talk_seconds"]) == ("missed", 0)
    box = LEG | {"dst": "vmu101", "dstchannel": "", "lastapp": "Playback"}
    (value,) = read_files(_table(tmp_path, [list(box.values())])).values
    assert value["status"] == "voicemail"


@pytest.mark.parametrize(
    ("change", "direction"),
    [
        ({"dcontext": "city-pstn", "dst": "0899999999"}, "inbound"),
        ({"dcontext": "default", "src": "front", "channel": "PJSIP/front-1"}, "internal"),
        (
            {"dcontext": "default", "src": "front", "channel": "PJSIP/front-1", "dst": "0899999999"},
            "outbound",
        ),
        ({"dcontext": "x", "calltype": "Outbound"}, "outbound"),
    ],
)
def test_direction_is_told_by_context_devices_and_type(
    tmp_path: Path, change: dict[str, str], direction: str
) -> None:
    leg = LEG | change
    (value,) = read_files(_table(tmp_path, [list(leg), list(leg.values())])).values
    assert value["direction"] == direction


def test_times_that_carry_their_offset_keep_it(tmp_path: Path) -> None:
    leg = LEG | {"start": "2026-09-14T10:00:00+05:30", "uniqueid": "x"}
    (value,) = read_files(_table(tmp_path, [list(leg), list(leg.values())]), zone="Asia/Bangkok").values
    assert value["started_at"] == "2026-09-14T10:00:00+05:30"

"""What validation found, in each format, read back by parsers of that format."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from junitparser import JUnitXml
from rich.cells import cell_len
from sarif_pydantic import Sarif
from tests.validation.records import block_of, record

from carelog.findings import Finding, Reject, show_value, visible
from carelog.reports.findings import FINDINGS_FORMATS, to_json, to_text
from carelog.reports.findings_github import to_github
from carelog.reports.findings_junit import to_junit
from carelog.reports.findings_sarif import to_sarif, to_uri
from carelog.sources.blocks import Block
from carelog.validation import Tally, validate_block

NOW = datetime(2026, 4, 1, tzinfo=UTC)
HOSTILE = "\x1b[31mred\x1b[0m\r\n::error::%0A, \u202etxt.exe\x00 <script>&\"' \ud800 \ufffe"


def tally_of(*blocks: Block, max_errors: int = 100) -> Tally:
    tally = Tally(max_errors)
    for block in blocks:
        tally.add(validate_block(block, now=NOW))
    return tally


def mixed() -> Tally:
    first = block_of(
        record(),
        record(status="done", wait_seconds=-1),
        record(tier="gold"),
        record("chat", messages=[{"speaker": "x", "text": ""}, {"speaker": "y", "text": ""}]),
        file="exports/calls, march.jsonl",
    )
    first.blank_lines = 2
    return tally_of(first, block_of(record(), file="exports/ok.jsonl"))


def hostile() -> Tally:
    finding = Finding(HOSTILE, 1, "/" + HOSTILE, "enum", HOSTILE, byte_offset=3, interaction_id=HOSTILE)
    block = Block(HOSTILE, "jsonl", rejects=[Reject(HOSTILE, 1, 3, HOSTILE, HOSTILE, [finding])])
    block.findings = [Finding(HOSTILE, None, "", "truncated", HOSTILE, "warning")]
    return tally_of(block)


def test_text_has_a_line_for_each_file_then_the_kinds_then_the_list() -> None:
    assert to_text(mixed()) == (
        "exports/calls, march.jsonl: 4 read = 2 accepted + 2 rejected, 1 warning, 2 empty\n"
        "  lines skipped\n"
        "exports/ok.jsonl: 1 read = 1 accepted + 0 rejected\n"
        "all 2 inputs: 5 read = 3 accepted + 2 rejected, 1 warning\n"
        "\n"
        "Findings by kind\n"
        "     2  /messages/*/speaker  enum\n"
        "        first at exports/calls, march.jsonl:4 (I-1)\n"
        "     1  /status  enum\n"
        "        first at exports/calls, march.jsonl:2 (I-1)\n"
        "     1  /tier  unknown_field (warning)\n"
        "        first at exports/calls, march.jsonl:3 (I-1)\n"
        "     1  /wait_seconds  minimum\n"
        "        first at exports/calls, march.jsonl:2 (I-1)\n"
        "\n"
        "Findings\n"
        "exports/calls, march.jsonl:2 (I-1)\n"
        '  `status` is "done"; it must be one of completed, missed, abandoned, voicemail,\n'
        "    failed, open, closed, unknown [enum]\n"
        "  `wait_seconds` is -1; it must be 0 or more [minimum]\n"
        "exports/calls, march.jsonl:3 (I-1)\n"
        "  warning: `tier` is not a field that carelog knows; it is kept under `extra`\n"
        "    [unknown_field]\n"
        "exports/calls, march.jsonl:4 (I-1)\n"
        '  `messages[0].speaker` is "x"; it must be one of customer, agent, bot, system\n'
        "    [enum]\n"
        '  `messages[1].speaker` is "y"; it must be one of customer, agent, bot, system\n'
        "    [enum]\n"
    )


def test_text_fits_80_columns_also_with_wide_letters_and_long_names() -> None:
    long = Finding(
        "ไฟล์" * 40, 7, "/" + "寛" * 90, "enum", "寛" * 200 + " " + "x" * 300, interaction_id="คุณ" * 50
    )
    tally = Tally(10)
    tally.add_finding(long)
    assert max(cell_len(line) for line in to_text(tally).splitlines()) <= 80


@pytest.mark.parametrize("name", list(FINDINGS_FORMATS))
def test_no_format_hands_control_characters_on(name: str) -> None:
    text = FINDINGS_FORMATS[name](hostile())
    text.encode("utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text) or name == "json"
    if name == "json":
        assert not re.search("[\x00-\x09\x0b-\x1f]", text)


def test_json_is_the_report_of_the_contract() -> None:
    report = json.loads(to_json(mixed()))
    assert [f["file"] for f in report["files"]] == ["exports/calls, march.jsonl", "exports/ok.jsonl"]
    assert (report["records"], report["accepted"], report["rejected"], report["truncated"]) == (
        5,
        3,
        2,
        False,
    )
    assert report["errors"][1] == {
        "file": "exports/calls, march.jsonl",
        "line": 2,
        "byte_offset": 200,
        "interaction_id": "I-1",
        "pointer": "/wait_seconds",
        "keyword": "minimum",
        "message": "`wait_seconds` is -1; it must be 0 or more",
        "severity": "error",
    }
    assert report["error_counts"][0] == {
        "pointer": "/messages/*/speaker",
        "keyword": "enum",
        "count": 2,
        "severity": "error",
        "first": {"file": "exports/calls, march.jsonl", "line": 4},
    }


@pytest.mark.parametrize("most", [0, 1, 3])
def test_the_list_is_cut_and_the_counts_are_not(most: int) -> None:
    block = block_of(*[record(tier=n) for n in range(5)], *[record(status="done") for _ in range(4)])
    report = json.loads(to_json(tally_of(block, max_errors=most)))
    assert [e["severity"] for e in report["errors"]] == ["error"] * most
    assert {(c["pointer"], c["count"]) for c in report["error_counts"]} == {("/tier", 5), ("/status", 4)}
    assert (report["truncated"], report["rejected"]) == (True, 4)
    assert f"… and {9 - most} more; --max-errors 9 lists them all" in to_text(
        tally_of(block, max_errors=most)
    )


def test_counting_whole_cut_and_merged_is_the_same() -> None:
    values = [record(status="done"), record(tier=1), record(), record("chat", messages=[{}])]
    whole = tally_of(block_of(*values))
    cut = tally_of(
        block_of(*values[:1]), block_of(*values[1:3], first_line=2), block_of(*values[3:], first_line=4)
    )
    for write in FINDINGS_FORMATS.values():
        assert write(whole) == write(cut)


def test_countless_kinds_of_finding_are_counted_in_bounds() -> None:
    tally = Tally(0)
    for n in range(3000):
        tally.add_finding(Finding("a", n, f"/f{n}/x", "unknown_field", "m", "warning"))
    assert len(tally.kinds) <= 1002
    assert sum(kind.count for kind in tally.kinds.values()) == 3000


def test_junit_is_read_by_a_junit_parser() -> None:
    xml = JUnitXml.fromstring(to_junit(mixed()).encode())
    first, second = list(xml)
    assert (first.name, first.tests, first.failures, first.errors) == ("exports/calls, march.jsonl", 6, 5, 0)
    assert (second.tests, second.failures, [c.is_passed for c in second]) == (1, 0, [True])
    cases = list(first)
    assert [c.name for c in cases][:2] == ["every record is accepted", "line 2 /status enum"]
    assert cases[1].result[0].message.startswith('`status` is "done"')
    warning = next(c for c in cases if "unknown_field" in c.name)
    assert warning.is_passed and "warning: `tier`" in warning.system_out
    assert (xml.tests, xml.failures) == (7, 5)


def test_junit_of_hostile_text_is_well_formed() -> None:
    root = ET.fromstring(to_junit(hostile()).encode())
    failures = [failure.get("message", "") for failure in root.iter("failure")]
    assert failures[1].startswith("\\x1b[31mred")


def test_sarif_is_read_by_a_sarif_parser() -> None:
    log = Sarif.model_validate_json(to_sarif(mixed()))
    (run,) = log.runs
    assert [r.rule_id for r in run.results or []] == ["enum", "minimum", "unknown_field", "enum", "enum"]
    assert [rule.id for rule in run.tool.driver.rules or []] == ["enum", "minimum", "unknown_field"]
    place = (run.results or [])[0].locations[0].physical_location
    assert (place.artifact_location.uri, place.region.start_line) == ("exports/calls%2C%20march.jsonl", 2)


@pytest.mark.parametrize("tally", [mixed(), hostile(), Tally(5)], ids=["mixed", "hostile", "nothing"])
def test_sarif_passes_the_official_schema(tally: Tally) -> None:
    path = os.environ.get("CARELOG_SARIF_SCHEMA")
    if not path:
        pytest.skip("CARELOG_SARIF_SCHEMA does not name the official schema of SARIF 2.1.0")
    schema: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    official = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in official.iter_errors(json.loads(to_sarif(tally)))] == []


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("-", "-"),
        ("a b/ç.jsonl", "a%20b/%C3%A7.jsonl"),
        ("/var/log/a#1.csv", "file:///var/log/a%231.csv"),
        ("C:\\logs\\a b.csv", "file:///C:/logs/a%20b.csv"),
        ("weird:name.csv", "weird%3Aname.csv"),
    ],
)
def test_file_names_become_uris(file: str, uri: str) -> None:
    assert to_uri(file) == uri


def test_values_become_no_links_and_no_placeholders_in_sarif() -> None:
    log = json.loads(to_sarif(tally_of(block_of(record(status="[click](http://a.b){0}")))))
    text = log["runs"][0]["results"][0]["message"]["text"]
    assert text.startswith('`status` is "[click] (http://a.b){{0}}"')


def read_annotation(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it: command, properties, message."""
    found = re.fullmatch(r"::(\w+) ?([^:]*)::(.*)", line)
    assert found is not None, line
    properties = dict(pair.split("=", 1) for pair in found[2].split(",")) if found[2] else {}

    def undo(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
        for escape, character in pairs:
            text = text.replace(escape, character)
        return text

    message = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
    values = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
    return found[1], {n: undo(v, values) for n, v in properties.items()}, undo(found[3], message)


def test_annotations_are_read_as_the_runner_reads_them() -> None:
    lines = to_github(mixed()).splitlines()
    assert read_annotation(lines[0])[:2] == (
        "error",
        {"file": "exports/calls, march.jsonl", "title": "enum /status", "line": "2"},
    )
    assert [read_annotation(line)[0] for line in lines] == [
        "error",
        "error",
        "warning",
        "error",
        "error",
        "notice",
    ]
    assert read_annotation(lines[-1])[2] == "5 read = 3 accepted + 2 rejected"


def test_annotations_of_hostile_text_stay_one_line_each() -> None:
    lines = to_github(hostile()).splitlines()
    assert [read_annotation(line)[0] for line in lines] == ["warning", "error", "notice"]
    assert read_annotation(lines[1])[1]["file"] == visible(HOSTILE)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("done", '"done"'),
        ("x" * 41, '"' + "x" * 39 + '…"'),
        (11, "11"),
        (True, "true"),
        (1, "1"),
        (None, "null"),
        ([1], "a list or an object"),
        ("a\tb\x9b", '"a\\x09b\\x9b"'),
        ("क्\u200dष", '"क्\u200dष"'),
    ],
)
def test_values_are_shown_cut_and_visible(value: Any, shown: str) -> None:
    assert show_value(value) == shown

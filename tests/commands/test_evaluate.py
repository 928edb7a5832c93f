"""`carelog evaluate` as a quality lead calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.commands.logs import call, names_in
from tests.commands.shop import shop_log, write_lines

pytestmark = pytest.mark.usefixtures("small_rulebooks")

STAGES = {"greeting": True, "rapport": False, "needs": False, "solution": False}
GOLD: list[dict[str, Any]] = [
    {"id": "fault", "language": "en", "orientation": "care", "activities": ["complaint"], "loyalty": False,
     "stages": STAGES, "stages_disputed": ["gratitude"]},
    {"id": "refund", "orientation": "service", "activities": ["return"], "satisfaction": "satisfied",
     "stages": None},
    {"id": "guarded", "orientation": "care", "activities": ["complaint"], "satisfaction": "dissatisfied"},
    {"id": "silent", "orientation": "none", "activities": []},
    {"id": "elsewhere", "orientation": "none"},
]  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return shop_log(tmp_path / "log.jsonl")


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "gold.jsonl", GOLD)


def evaluated(*arguments: str | Path) -> dict[str, Any]:
    result = call("evaluate", *arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    value: dict[str, Any] = json.loads(result.stdout)
    return value


def test_only_what_gold_knows_is_scored(log: Path, gold: Path) -> None:
    value = evaluated(log, "--gold", gold)
    assert (value["interactions"], value["gold_without_interaction"]) == (4, 1)
    labels = value["overall"]["labels"]
    complaint = labels["activity.complaint"]
    assert [complaint[n] for n in ("n", "gold", "given", "hits")] == [4, 2, 1, 1]
    assert (complaint["precision"], complaint["recall"]) == (1.0, 0.5)
    assert labels["stage.greeting"]["n"] == 1
    assert labels["stage.gratitude"]["n"] == 0
    assert labels["loyalty"]["n"] == 1
    assert labels["outcome.resolved"]["n"] == 0
    assert value["overall"]["figures"]["outcome.accuracy"] is None


def test_the_confusion_is_gold_by_given(log: Path, gold: Path) -> None:
    confusion = evaluated(log, "--gold", gold)["overall"]["confusion"]["orientation"]
    assert confusion["values"] == ["care", "service", "mixed", "none", None]
    rows = [[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]]
    assert confusion["gold_by_given"] == rows


def test_groups_are_by_language_and_channel(log: Path, gold: Path) -> None:
    value = evaluated(log, "--gold", gold)
    assert {key: group["n"] for key, group in value["channels"].items()} == {"chat": 4}
    assert sum(group["n"] for group in value["languages"].values()) <= 4
    assert value["languages"]["en"]["n"] >= 1


def test_rules_that_are_wrong_are_named_with_their_records(log: Path, tmp_path: Path) -> None:
    wrong = write_lines(
        tmp_path / "g.jsonl", [{"id": "fault", "activities": []}, {"id": "refund", "activities": ["return"]}]
    )
    value = evaluated(log, "--gold", wrong)
    assert [tuple(rule.values()) for rule in value["rules"]] == [
        ("en.lampcare.repeat", "activity.complaint", 0, 1, ["fault"]),
        ("en.lampdesk.refund", "activity.return", 1, 0, []),
    ]
    text = call("evaluate", log, "--gold", wrong).stdout
    assert "en.lampcare.repeat" in text.split("wrong most often")[1]


def test_coverage_overlap_and_conflict_are_counted(tmp_path: Path, log: Path, gold: Path) -> None:
    coverage = evaluated(log, "--gold", gold)["coverage"]
    assert (coverage["n"], coverage["covered"], coverage["conflicting"]) == (4, 2, 0)
    book = tmp_path / "ours.toml"
    book.write_text(
        '[rulebook]\nname = "ours"\nversion = "1"\n'
        '[[rule]]\nid = "ours.mood"\nlabel = "satisfaction.dissatisfied"\n'
        'phrases = ["refund"]\nmatch = ["a refund", "refund"]\nno_match = ["x"]\n'
        '[[rule]]\nid = "ours.more"\nlabel = "activity.return"\n'
        'phrases = ["for the lamp"]\nmatch = ["for the lamp", "pay for the lamp"]\nno_match = ["x"]\n',
        "utf-8",
    )
    coverage = evaluated(log, "--gold", gold, "--rulebook", book)["coverage"]
    assert (coverage["overlapping"], coverage["conflicting"]) == (1, 1)
    assert coverage["conflicts"] == [["satisfaction.dissatisfied", "satisfaction.satisfied", 1]]


@pytest.mark.parametrize("name", ["l.jsonl", "l.parquet", "l.csv"])
def test_labelled_interactions_score_as_the_records_do(
    log: Path, gold: Path, tmp_path: Path, name: str
) -> None:
    assert call("classify", log, "-o", tmp_path / name).exit_code == 0
    ours, theirs = evaluated(tmp_path / name, "--gold", gold), evaluated(log, "--gold", gold)
    assert ours["overall"] == theirs["overall"]
    assert ours["coverage"]["source"] == "the evidence kept"


def test_standard_input_is_read(log: Path, gold: Path) -> None:
    result = call("evaluate", "-", "--gold", gold, "--format", "json", stdin=log.read_bytes())
    assert (result.exit_code, json.loads(result.stdout)["interactions"]) == (0, 4)


def test_several_readers_have_an_alpha_and_are_scored_where_most_agree(log: Path, tmp_path: Path) -> None:
    values = [["care", "service"], ["care", "care"], ["care", "service"]]
    files = [
        write_lines(
            tmp_path / f"{n}.jsonl", [{"id": "fault", "orientation": a}, {"id": "refund", "orientation": b}]
        )
        for n, (a, b) in enumerate(values)
    ]
    arguments = [x for file in files for x in ("--gold", file)]
    value = evaluated(log, *arguments)
    assert value["overall"]["figures"]["orientation.accuracy"] == 1.0
    # Units aaa and bab: observed 2·2/(3−1) = 2 … of 6; expected 2·4·2/(6−1)
    assert value["readers"]["alpha"]["orientation"] == pytest.approx(1 - 2 / (2 * 4 * 2 / 5))
    assert value["readers"]["alpha"]["loyalty"] is None
    pair = evaluated(log, "--gold", files[0], "--gold", files[1])
    assert pair["overall"]["labels"]["orientation.care"]["n"] == 1
    assert "Krippendorff's alpha" in call("evaluate", log, *arguments).stdout


def test_the_text_has_a_column_for_each_group(log: Path, gold: Path) -> None:
    result = call("evaluate", log, "--gold", gold)
    assert result.exit_code == 0
    assert result.stderr == "evaluate: read 5 = accepted 5 + rejected 0\n"
    lines = result.stdout.splitlines()
    assert lines[0] == "4 interactions with gold; 1 gold lines have no interaction in what was read"
    assert lines[2].split()[:2] == ["all", "en"]
    assert "orientation: gold in rows, given in columns" in lines


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("", 65, "no gold labels"),
        ("oops\n", 2, "gold.jsonl:1: is not JSON"),
        ('{"orientation": "care"}\n', 2, ":1: is no gold line"),
        ('\n{"id": "a", "orientation": "nice"}\n', 2, ":2: orientation: is none of"),
        ('{"id": "a", "activities": ["nap"]}\n', 2, "activities: holds what is no activity"),
        ('{"id": "a", "loyalty": "yes"}\n', 2, "loyalty: is neither"),
        ('{"id": "a", "stages": {"nap": true}}\n', 2, "stages: holds what is no stage"),
        ('{"id": "a"}\n{"id": "a"}\n', 2, ":2: the id stands twice"),
        ('{"id": "zz", "loyalty": true}\n', 65, "no interaction has gold labels"),
    ],
)
def test_gold_that_is_none_is_told(log: Path, tmp_path: Path, text: str, code: int, reason: str) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text(text, "utf-8")
    result = call("evaluate", log, "--gold", gold, "-o", tmp_path / "report.txt")
    assert (result.exit_code, result.stdout) == (code, "")
    assert reason in result.stderr
    assert names_in(tmp_path) == ["gold.jsonl", "log.jsonl"]


def test_missing_inputs_are_exit_66(log: Path, gold: Path, tmp_path: Path) -> None:
    assert call("evaluate", tmp_path / "none", "--gold", gold).exit_code == 66
    assert call("evaluate", log, "--gold", tmp_path / "none").exit_code == 66


def test_without_text_labels_cannot_be_made_anew(log: Path, gold: Path, tmp_path: Path) -> None:
    bare, book = tmp_path / "bare.jsonl", tmp_path / "ours.toml"
    book.write_text('[rulebook]\nname = "ours"\nversion = "1"\n', "utf-8")
    assert call("classify", log, "-o", bare).exit_code == 0
    result = call("evaluate", bare, "--gold", gold, "--rulebook", book)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--with-text" in result.stderr


def test_an_output_that_cannot_be_is_told_before_the_work(log: Path, gold: Path, tmp_path: Path) -> None:
    result = call("evaluate", log, "--gold", gold, "-o", tmp_path / "none" / "report.txt")
    assert (result.exit_code, result.stdout) == (73, "")
    assert "read 5" not in result.stderr
    before = gold.read_bytes()
    result = call("evaluate", log, "--gold", gold, "-o", gold)
    assert (result.exit_code, result.stdout, gold.read_bytes()) == (2, "", before)
    assert names_in(tmp_path) == ["gold.jsonl", "log.jsonl"]

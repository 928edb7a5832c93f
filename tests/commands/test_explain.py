"""`carelog explain` as a quality lead calls it."""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from tests.commands.logs import call
from tests.commands.shop import chat, shop_log, write_lines

from carelog.classification import near_misses
from carelog.classification.patterns import compile_phrase

pytestmark = pytest.mark.usefixtures("small_rulebooks")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return shop_log(tmp_path / "log.jsonl")


def explained(*arguments: str | Path) -> dict[str, Any]:
    result = call("explain", *arguments, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    value: dict[str, Any] = json.loads(result.stdout)
    return value


def test_the_evidence_is_marked_in_its_context(log: Path) -> None:
    result = call("explain", "fault", "--in", log, "--label", "complaint")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "activity.complaint: given, +1.50, above its threshold by 1.50" in result.stdout
    assert "message 2, customer:  …is is the «third time» the lamp …  [en.lampcare.repeat]" in result.stdout
    assert "+2.50  rule en.lampcare.repeat" in result.stdout


def test_colour_stands_for_the_marks_when_asked_for(log: Path) -> None:
    result = call("explain", "fault", "--in", log, "--label", "complaint", "--color", "always")
    assert "\x1b[1;33mthird time\x1b[0m" in result.stdout
    assert "«" not in result.stdout


def test_the_parts_of_a_score_sum_up_to_it(log: Path) -> None:
    value = explained("refund", "--in", log, "--top", "3")
    scored = {name: one for name, one in value["explained"].items() if "score" in one}
    assert len(scored) > 40
    for one in scored.values():
        total = sum(part["value"] for part in one["parts"]) + one["parts_left_out"]["value"]
        assert total == pytest.approx(one["score"], abs=0.002)
    assert scored["activity.return"]["given"] is True
    assert scored["orientation.service"]["margin"] > 0
    assert scored["orientation.care"]["rival"] == "orientation.service"


@pytest.mark.parametrize(
    ("identity", "rule", "failed"),
    [
        ("guarded", "en.lampcare.repeat", "negation: 'not' stands before it"),
        ("swapped", "en.lampcare.repeat", "speaker: the rule listens to the customer, here it is the agent"),
        ("silent", None, "words: nothing of any rule's phrases is in the text"),
    ],
)
def test_a_label_that_was_not_given_names_the_nearest_rule_and_what_failed(
    log: Path, identity: str, rule: str | None, failed: str
) -> None:
    value = explained(identity, "--in", log, "--label", "activity.complaint")
    one = value["explained"]["activity.complaint"]
    assert one["given"] is False
    assert (one["nearest"]["rule"], one["nearest"]["failed"]) == (rule, [failed])


def test_place_and_part_of_a_phrase_are_told(tmp_path: Path) -> None:
    talk = ["customer: one", "agent: two", "agent: hello again", "customer: a great day"]
    log = write_lines(tmp_path / "log.jsonl", [chat("late", talk)])
    value = explained("late", "--in", log)["explained"]
    assert value["stage.greeting"]["nearest"]["failed"] == [
        "place: the rule counts in the first two messages, here it stands later"
    ]
    assert value["satisfaction.satisfied"]["nearest"]["failed"] == [
        "words: of the phrase 'great help' only 'great' is in the text"
    ]
    assert value["activity.sale"]["nearest"] is None


def test_words_that_are_there_but_apart_are_told(tmp_path: Path) -> None:
    log = write_lines(tmp_path / "log.jsonl", [chat("apart", ["customer: help was not great"])])
    one = explained("apart", "--in", log, "--label", "satisfaction.satisfied")["explained"]
    assert one["satisfaction.satisfied"]["nearest"]["failed"] == [
        "words: those of the phrase 'great help' are there, but not next to each other"
    ]


def test_of_equally_near_rules_one_of_the_records_language_is_told(tmp_path: Path) -> None:
    for language in ("en", "hi", "tl"):
        (tmp_path / f"{language}.toml").write_text(
            f'[rulebook]\nname = "{language}"\nversion = "1"\nlanguage = "{language}"\n'
            f'[[rule]]\nid = "{language}.sale.x"\nlabel = "activity.sale"\nphrases = ["lamp offer"]\n'
            'match = ["a lamp offer", "lamp offer"]\nno_match = ["a lamp", "an offer"]\n',
            "utf-8",
        )
    books = [part for name in ("en", "hi", "tl") for part in ("--rulebook", tmp_path / f"{name}.toml")]
    for language in ("en", "tl"):
        log = write_lines(tmp_path / "log.jsonl", [chat("one", ["customer: lamp"], language=language)])
        value = explained("one", "--in", log, "--label", "activity.sale", *books)
        assert value["explained"]["activity.sale"]["nearest"]["rule"] == f"{language}.sale.x"


def test_a_long_text_is_searched_for_near_misses_only_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def compile_counted(pattern: str) -> re.Pattern[bytes]:
        asked.append(pattern.encode())
        return compile_phrase(pattern)

    monkeypatch.setattr(near_misses, "compile_phrase", compile_counted)
    filler = "lamp cable switch. " * 20_000
    talk = [f"customer: great {filler} great help", f"agent: the third time {filler}"]
    log = write_lines(tmp_path / "log.jsonl", [chat("long", talk)])
    nearest = explained("long", "--in", log)["explained"]["activity.complaint"]["nearest"]
    # 'third time' stands beyond what is searched: no phrase has all its words there, so none is searched for.
    assert nearest["failed"] == ["words: nothing of any rule's phrases is in the text"]
    assert asked == []


def test_the_words_of_a_record_are_taken_apart_once_for_all_labels(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[int] = []

    def count_words(searched: near_misses.Searched) -> frozenset[bytes]:
        built.append(len(searched.data))
        return frozenset(searched.softened.split())

    words = cached_property(count_words)
    words.__set_name__(near_misses.Searched, "words")
    monkeypatch.setattr(near_misses.Searched, "words", words)
    value = explained("silent", "--in", log)
    assert sum(one.get("nearest") is not None for one in value["explained"].values()) > 1
    assert len(built) == 1


def test_a_rule_that_matched_but_did_not_suffice_is_said_so(log: Path, tmp_path: Path) -> None:
    book = tmp_path / "ours.toml"
    book.write_text(
        '[rulebook]\nname = "ours"\nversion = "1"\n[offset]\n"activity.complaint" = -3\n', "utf-8"
    )
    value = explained("fault", "--in", log, "--rulebook", book)["explained"]["activity.complaint"]
    assert (value["given"], value["score"], value["nearest"]["failed"]) == (False, -1.5, [])
    assert {"kind": "offset", "name": "[offset] of activity.complaint", "value": -3.0} in value["parts"]


@pytest.mark.parametrize("name", ["labelled.jsonl", "labelled.parquet", "labelled.csv", "labelled.jsonl.gz"])
def test_labelled_interactions_with_text_are_explained_alike(log: Path, tmp_path: Path, name: str) -> None:
    assert call("classify", log, "--with-text", "-o", tmp_path / name).exit_code == 0
    assert explained("fault", "--in", tmp_path / name) == explained("fault", "--in", log)


def test_without_their_text_labelled_interactions_cannot_be_explained(log: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.jsonl"
    assert call("classify", log, "-o", bare).exit_code == 0
    result = call("explain", "fault", "--in", bare)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--with-text" in result.stderr


@pytest.mark.parametrize("name", ["labelled.jsonl", "labelled.parquet", "labelled.csv"])
def test_a_corrected_label_is_printed_with_what_it_was(log: Path, tmp_path: Path, name: str) -> None:
    fix = {"interaction_id": "fault", "loyalty": True, "stage_greeting": False, "activities": ["return"]}
    fixes = write_lines(tmp_path / "fixes.jsonl", [fix])
    out = tmp_path / name
    assert call("classify", log, "--with-text", "--corrections", fixes, "-o", out).exit_code == 0
    result = call("explain", "fault", "--in", out)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line for line in result.stdout.splitlines() if "(corrected; was" in line]
    told = {line[:26].strip(): line[26:] for line in lines}
    assert told["loyalty"] == "yes (corrected; was no)"
    assert told["activities"] == "return (corrected; was complaint)"
    assert told["stages"].endswith("(corrected; was greeting)")
    kept = {
        one["label"]: (one["value"], one["was"]) for one in explained("fault", "--in", out)["corrections"]
    }
    assert kept["loyalty"] == (True, False)
    assert kept["activities"] == (["return"], ["complaint"])
    assert explained("refund", "--in", out)["corrections"] == []


@pytest.mark.parametrize("noted", ["oops", [{"label": "loyalty", "original": "no JSON"}]])
def test_corrections_that_carelog_did_not_write_are_unusable(log: Path, tmp_path: Path, noted: Any) -> None:
    out = tmp_path / "labelled.jsonl"
    assert call("classify", log, "--with-text", "-o", out).exit_code == 0
    value = {**json.loads(out.read_text("utf-8").splitlines()[0]), "corrections": noted}
    result = call("explain", "fault", "--in", write_lines(tmp_path / "fake.jsonl", [value]))
    assert (result.exit_code, result.stdout) == (65, "")
    assert "its corrections" in result.stderr


def test_labels_of_another_version_that_nobody_corrected_are_told(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "labelled.jsonl"
    assert call("classify", log, "--with-text", "-o", out).exit_code == 0
    value = {**json.loads(out.read_text("utf-8").splitlines()[0]), "loyalty": True}
    result = call("explain", "fault", "--in", write_lines(tmp_path / "old.jsonl", [value]))
    assert result.exit_code == 0
    told = "the labels that were kept differ (another rulebook or version): loyalty true"
    assert result.stderr == f"explain: warning: {told}\n"


def test_what_is_not_there_is_told(log: Path, tmp_path: Path) -> None:
    result = call("explain", "nobody", "--in", log)
    assert (result.exit_code, result.stdout) == (65, "")
    assert "no interaction 'nobody'" in result.stderr
    assert call("explain", "fault", "--in", tmp_path / "none.jsonl").exit_code == 66
    result = call("explain", "fault", "--in", log, "--label", "nope")
    assert (result.exit_code, result.stdout) == (2, "")


def test_hostile_text_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    talk = ["customer: \x1b[2J third time \x1b]0;owned\x07 \u202e lamp", "agent: ok"]
    log = write_lines(tmp_path / "log.jsonl", [chat("evil", talk)])
    result = call("explain", "evil", "--in", log)
    assert result.exit_code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout)
    assert "«third time»" in result.stdout


@pytest.mark.parametrize(
    "wrong",
    [{"started_at": None}, {"started_at": 7}, {"channel": None}, {"evidence": 7}, {"activities": {"a": 1}},
     {"loyalty": "oops"}, {"orientation": []}],
)  # fmt: skip
def test_labels_that_carelog_did_not_write_are_unusable(
    log: Path, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    out = tmp_path / "labelled.jsonl"
    assert call("classify", log, "--with-text", "-o", out).exit_code == 0
    value = {**json.loads(out.read_text("utf-8").splitlines()[0]), **wrong}
    result = call("explain", "fault", "--in", write_lines(tmp_path / "fake.jsonl", [value]))
    assert (result.exit_code, result.stdout) == (65, "")
    assert "its labels" in result.stderr

"""`carelog rules` as the owner of rules calls it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.commands.logs import call, names_in
from tests.commands.shop import FAULT, GUARDED, REFUND, SILENT, chat, shop_log, write_lines

pytestmark = pytest.mark.usefixtures("small_rulebooks")

OURS = """
[rulebook]
name = "lux"
version = "1"
language = "en"
[[rule]]
id = "lux.flicker"
label = "activity.technical"
phrases = ["broke"]
match = ["It broke", "the lamp broke"]
no_match = ["broken"]
[[disable]]
id = "en.lampcare.repeat"
"""
WORDS = {
    "activity.complaint": "shabby",
    "stage.rapport": "nice weather",
    "satisfaction.satisfied": "so glad",
    "satisfaction.dissatisfied": "too dear",
    "aspect.price.negative": "dear",
    "aspect.quality.positive": "well made",
    "touchpoint.use": "using it",
    "touchpoint.delivery": "never come",
    "outcome.resolved": "glows again",
    "loyalty": "always come",
    "churn_risk": "never come",
    "management.supportive": "we bend",
    "management.hierarchical": "head office",
}
"""What a shop's own rulebook takes its labels from."""
WIDE = "".join(
    f'[[rule]]\nid = "lux.own.w{n}"\nlabel = "{label}"\nweight = 3\nphrases = ["{words}"]\n'
    f'match = ["{words}", "and {words}"]\nno_match = ["lamp"]\n'
    for n, (label, words) in enumerate(WORDS.items())
)
TALKS = [
    FAULT,
    REFUND,
    GUARDED,
    SILENT,
    [],
    ["agent: nice weather, and we bend the rule", "customer: so glad, I always come here, it glows again"],
    ["agent: ask head office", "customer: how shabby, and too dear, I never come again", "agent: we bend"],
    ["customer: using it, well made but too dear", "agent: ok"],
    ["customer: shabby, but it glows again", "agent: nice weather"],
]
HEAD = '[rulebook]\nname = "bad"\nversion = "1"\nlanguage = "en"\n'
EXAMPLES = 'match = ["a b", "c d"]\nno_match = ["e"]\n'


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], ["lampcare.repeat", "lampdesk.hello", "lampdesk.refund", "lampmood.perfect", "lampmood.shame"]),
        (["--label", "complaint"], ["lampcare.repeat"]),
        (["--label", "satisfaction"], ["lampmood.perfect", "lampmood.shame"]),
        (["--label", "activity.return", "--language", "en"], ["lampdesk.refund"]),
        (["--signal", "lampdesk"], ["lampdesk.hello", "lampdesk.refund"]),
    ],
)
def test_list_filters_by_label_language_and_signal(options: list[str], ids: list[str]) -> None:
    result = call("rules", "list", "--format", "json", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [rule["id"] for rule in json.loads(result.stdout)] == [f"en.{i}" for i in ids]


def test_list_without_a_rule_like_that_is_exit_1() -> None:
    result = call("rules", "list", "--language", "th")
    assert (result.exit_code, result.stdout.splitlines()[-1], result.stderr) == (1, "0 rules", "")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--label", "activity.complain\x1b[2J"], "there is no label"),
        (["--label", "satisfaction.delighted"], "there is no label 'satisfaction.delighted'"),
        (["--signal", "lampcare.nope"], "no rule has the signal 'lampcare.nope'"),
        (["--signal", "lampcare.repeat.1"], "no rule has the signal 'lampcare.repeat.1'"),
    ],
)
def test_list_of_an_unknown_label_or_signal_is_wrong_usage(options: list[str], reason: str) -> None:
    result = call("rules", "list", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr and len(result.stderr.splitlines()) == 2 and "\x1b" not in result.stderr


def test_list_of_a_label_that_no_rule_speaks_for_is_exit_1() -> None:
    result = call("rules", "list", "--label", "goodwill", "--format", "json")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "[]\n", "")


def test_what_show_prints_is_a_rulebook_to_change(tmp_path: Path) -> None:
    result = call("rules", "show", "en.lampcare.repeat")
    assert (result.exit_code, result.stderr) == (0, "")
    book = tomllib.loads(result.stdout)
    assert book["rulebook"] == {"name": "ours", "version": "1", "language": "en"}
    (rule,) = book["rule"]
    assert (rule["phrases"], rule["not_before"]) == (["third time", "again and again"], ["not"])
    copy = write(tmp_path / "ours.toml", result.stdout)
    checked = call("rules", "check", "--rulebook", copy, "--own")
    assert (checked.exit_code, checked.stdout) == (0, "1 rule checked: sound, 0 remarks\n")
    assert call("rules", "test", "--rulebook", copy, "--own").exit_code == 0
    shown = json.loads(call("rules", "show", rule["id"], "--rulebook", copy, "--format", "json").stdout)
    assert shown["rulebook"] == "ours"


def test_show_of_an_unknown_rule_is_wrong_usage() -> None:
    result = call("rules", "show", "en.nope\x1b[2J")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no rule" in result.stderr and "\x1b" not in result.stderr


def test_the_shipped_form_is_sound() -> None:
    result = call("rules", "check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "5 rules checked: sound, 0 remarks\n", "")


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ('phrases = ["***"]\n', "bad_phrase"),
        ('phrases = ["a b", "A  b!"]\n', "repeated_phrase"),
        ('phrases = ["awful", "really awful stuff"]\n', "shadowed_phrase"),
        ('phrases = ["a refund please", "give money back"]\n', None),
        (
            'phrases = ["this third time again"]\nspeaker = "customer"\nnot_before = ["not"]\n',
            "shadowed_by_rule",
        ),
        ('phrases = ["this third time again"]\n', None),
        ('pattern = "x*"\n', "matches_nothing"),
        ('pattern = "Awful"\n', "never_matches"),
        ('pattern = "(a"\n', "bad_pattern"),
        ('pattern = "[ .?]awful[ .?]"\n', None),
    ],
)
def test_check_names_what_is_wrong_with_a_rule(tmp_path: Path, rule: str, kind: str | None) -> None:
    text = f'{HEAD}[[rule]]\nid = "bad.one"\nlabel = "activity.complaint"\n{rule}{EXAMPLES}'
    book = write(tmp_path / "bad.toml", text)
    result = call("rules", "check", "--strict", "--rulebook", book, "--format", "json")
    kinds = [p["kind"] for p in json.loads(result.stdout)["problems"] if p["rule"] == "bad.one"]
    assert (result.exit_code, kinds) == ((1, [kind]) if kind else (0, []))


def test_words_that_another_rule_has_are_a_remark_and_no_problem(tmp_path: Path) -> None:
    rule = '[[rule]]\nid = "lux.again"\nlabel = "activity.return"\nphrases = ["money back"]\n'
    book = write(tmp_path / "ours.toml", HEAD + rule + EXAMPLES)
    result = call("rules", "check", "--rulebook", book)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "lux.again: remark: phrase 'money back' is never needed: 'money back' of en.lampdesk.refund matches "
        "there [shadowed_by_rule]",
        "6 rules checked: sound, 1 remark",
    ]
    assert call("rules", "check", "--rulebook", book, "--strict").exit_code == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[rulebook", "not TOML"),
        (
            HEAD + '[[rule]]\nid = "bad.one"\nlabel = "activity.nope"\nphrases = ["a b"]\n' + EXAMPLES,
            "rule bad.one at label: 'activity.nope' is no label that a rulebook can give",
        ),
        (
            HEAD + f'[[rule]]\nid = "a"\nlabel = "loyalty"\nphrases = ["x y"]\n{EXAMPLES}' * 2,
            "rule a: the id stands twice",
        ),
        (
            HEAD + '[[rule]]\nid = "a"\nlabel = "loyalty"\nphrases = ["x y"]\nmatch = ["b", "c"]\n',
            "rule a: no_match is missing: at least 1 sentence that the rule must not match is needed",
        ),
        (
            HEAD
            + '[[rule]]\nid = "a"\nlabel = "loyalty"\nphrases = ["x"]\nmatch = ["b"]\nno_match = ["c"]\n',
            "rule a at match: at least 2 sentences that the rule must match are needed, 1 given",
        ),
        (
            HEAD
            + '[[rule]]\nid = "a"\nlabel = "loyalty"\nphrases = ["x"]\nmatch = ["b", "c"]\nno_match = []\n',
            "rule a at no_match: at least 1 sentence that the rule must not match is needed, none given",
        ),
        (
            HEAD + '[[rule]]\nid = "a"\nlabel = "loyalty"\nphrases = []\n' + EXAMPLES,
            "rule a at phrases: at least 1 entry is needed, none given",
        ),
        (HEAD + '[[rule]]\nid = "a"\nlabel = "loyalty"\n' + EXAMPLES, "rule a: it has neither phrases nor"),
        (HEAD + '[[disable]]\nid = "en.nope"\n', "disables en.nope"),
        (HEAD + '[map.category]\n"x" = "activity.nope"\n', "map/category/x"),
        (HEAD + '[offset]\n"activity.nope" = 1\n', "offset"),
    ],
)
@pytest.mark.parametrize(
    "action", [["rules", "check"], ["rules", "test"], ["classify", "{log}", "-o", "{out}"]]
)
def test_a_broken_rulebook_is_wrong_usage_and_named(
    tmp_path: Path, text: str, reason: str, action: list[str]
) -> None:
    log, out = shop_log(tmp_path / "log.jsonl"), tmp_path / "out.jsonl"
    book = write(tmp_path / "bad.toml", text)
    result = call(*(a.format(log=log, out=out) for a in action), "--rulebook", book)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert str(book) in result.stderr or "bad: disables" in result.stderr
    assert names_in(tmp_path) == ["bad.toml", "log.jsonl"]


def test_a_missing_rulebook_is_a_missing_input(tmp_path: Path) -> None:
    result = call("rules", "check", "--rulebook", tmp_path / "none.toml")
    assert (result.exit_code, result.stdout) == (66, "")
    assert "no such file" in result.stderr


def test_examples_that_do_not_hold_are_exit_1(tmp_path: Path) -> None:
    rule = '[[rule]]\nid = "bad.one"\nlabel = "loyalty"\nphrases = ["a b"]\n'
    rule += 'match = ["a b", "c"]\nno_match = ["a b c", "d"]\n'
    book = write(tmp_path / "bad.toml", HEAD + rule)
    result = call("rules", "test", "--rulebook", book, "--own")
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.splitlines() == [
        "bad.one: must match: c",
        "bad.one: must not match: a b c",
        "4 examples of 1 rule: 2 do not hold",
    ]


def test_one_problem_and_one_example_that_does_not_hold_are_told_as_one(tmp_path: Path) -> None:
    rule = '[[rule]]\nid = "bad.one"\nlabel = "loyalty"\nphrases = ["a b", "A  b!"]\n'
    book = write(tmp_path / "bad.toml", HEAD + rule + 'match = ["a b", "c"]\nno_match = ["d"]\n')
    checked = call("rules", "check", "--rulebook", book, "--own")
    assert checked.stdout.splitlines()[-1] == "1 rule checked: 1 problem, 0 remarks"
    tested = call("rules", "test", "--rulebook", book, "--own")
    assert tested.stdout.splitlines()[-1] == "3 examples of 1 rule: 1 does not hold"


def test_junit_has_a_case_for_each_example(tmp_path: Path) -> None:
    out = tmp_path / "rules.xml"
    result = call("rules", "test", "--format", "junit", "-o", out)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    root = ET.fromstring(out.read_text("utf-8"))
    assert (root.get("tests"), root.get("failures"), len(root)) == ("15", "0", 5)
    assert len(root.findall("testsuite/testcase")) == 15


def test_diff_tells_what_changes_and_which_rule_did_it(tmp_path: Path) -> None:
    log, ours = shop_log(tmp_path / "log.jsonl"), write(tmp_path / "ours.toml", OURS)
    result = call("rules", "diff", "shipped", ours, "--in", log, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "rules diff: read 5 = accepted 5 + rejected 0\n")
    value = json.loads(result.stdout)
    assert (value["interactions"], value["interactions_changed"]) == (5, 2)
    changed = {one["label"]: one for one in value["labels"]}
    assert changed["activity.technical"]["moves"] == [{"old": "no", "new": "yes", "count": 2}]
    assert changed["activity.technical"]["examples"] == ["fault", "guarded"]
    assert changed["activity.complaint"]["moves"] == [{"old": "yes", "new": "no", "count": 1}]
    assert value["rules"]["came"] == [
        {"rule": "lux.flicker", "label": "activity.technical", "interactions": 2}
    ]
    assert value["rules"]["went"] == [
        {"rule": "en.lampcare.repeat", "label": "activity.complaint", "interactions": 1}
    ]
    assert value["metrics"]["orientation_rate.care"] == {"old": 0.2, "new": 0.0, "change": -0.2}
    assert value["metrics"]["activity_rate.technical"] == {"old": 0.0, "new": 0.4, "change": 0.4}
    assert value["metrics"]["care_share"] == {"old": 0.5, "new": 0.0, "change": -0.5}


def test_diff_has_the_figures_of_the_report_before_and_after(tmp_path: Path) -> None:
    log = write_lines(tmp_path / "log.jsonl", [chat(f"v{n}", talk) for n, talk in enumerate(TALKS)])
    ours = write(tmp_path / "ours.toml", OURS + WIDE)
    told = call("rules", "diff", "shipped", ours, "--in", log, "--format", "json")
    metrics = json.loads(told.stdout)["metrics"]
    for side, options in (("old", []), ("new", ["--rulebook", ours])):
        assert call("classify", log, *options, "-o", tmp_path / "l.parquet").exit_code == 0
        assert call("summarize", tmp_path / "l.parquet", "-o", tmp_path / "r.json").exit_code == 0
        figures = json.loads((tmp_path / "r.json").read_text("utf-8"))["metrics"]
        reported = {name: figures[name]["value"] for name in metrics}
        assert {n: m[side] for n, m in metrics.items()} == pytest.approx(reported, abs=2e-6)
    changed = {name.partition(".")[0] for name, m in metrics.items() if m["old"] != m["new"]}
    assert changed >= {
        "care_share", "orientation_rate", "activity_rate", "stage_rate", "stage_score", "satisfied_rate",
        "complaint_outcome", "aspect_balance", "journey", "churn_risk_rate", "loyalty_rate", "style_ratio",
    }  # fmt: skip
    printed = call("rules", "diff", "shipped", ours, "--in", log).stdout.splitlines()
    stages = metrics["stage_score"]
    row = ["stage_score", f"{stages['old']:.2f}", f"{stages['new']:.2f}", f"{stages['change']:+.2f}"]
    assert row in [line.split() for line in printed]


def test_diff_prints_each_metric_that_changes_and_names_the_others_once(tmp_path: Path) -> None:
    log, ours = shop_log(tmp_path / "log.jsonl"), write(tmp_path / "ours.toml", OURS)
    lines = call("rules", "diff", "shipped", ours, "--in", log).stdout.splitlines()
    assert lines[-1].startswith("unchanged: orientation_rate (1 of 4), activity_rate (16 of 18), ")
    assert "stage_score" in lines[-1] and "churn_risk_rate" in lines[-1]
    table = [line.split() for line in lines[lines.index("") :] if "%" in line]
    assert ["care_share", "50.0", "%", "0.0", "%", "-50.0"] in table
    assert ["activity_rate.technical", "0.0", "%", "40.0", "%", "+40.0"] in table


def test_diff_of_the_same_rulebook_changes_nothing(tmp_path: Path) -> None:
    result = call("rules", "diff", "shipped", "shipped", "--in", shop_log(tmp_path / "log.jsonl"))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].endswith("the labels of 0 of 5 interactions change")


def test_diff_reads_labelled_interactions_with_text_and_refuses_those_without(tmp_path: Path) -> None:
    log, ours = shop_log(tmp_path / "log.jsonl"), write(tmp_path / "ours.toml", OURS)
    told = []
    for name in ("l.jsonl", "l.parquet", "l.csv"):
        assert call("classify", log, "--with-text", "-o", tmp_path / name).exit_code == 0
        told.append(call("rules", "diff", "shipped", ours, "--in", tmp_path / name).stdout)
    assert told == [call("rules", "diff", "shipped", ours, "--in", log).stdout] * 3
    assert call("classify", log, "-o", tmp_path / "bare.jsonl").exit_code == 0
    result = call("rules", "diff", "shipped", ours, "--in", tmp_path / "bare.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "hold no messages" in result.stderr


def test_diff_of_nothing_usable_is_exit_65(tmp_path: Path) -> None:
    result = call("rules", "diff", "shipped", "shipped", "--in", write(tmp_path / "empty.jsonl", ""))
    assert (result.exit_code, result.stdout) == (65, "")


@pytest.mark.parametrize(
    "rule",
    ['pattern = "(a"', 'pattern = "x*"', 'phrases = ["a b"]\nnot_before = ["*"]', 'phrases = ["…"]'],
)
def test_words_that_cannot_be_matched_are_wrong_usage_and_findings_of_check(
    tmp_path: Path, rule: str
) -> None:
    log = shop_log(tmp_path / "log.jsonl")
    text = f'{HEAD}[[rule]]\nid = "bad.one"\nlabel = "loyalty"\n{rule}\n{EXAMPLES}'
    book = write(tmp_path / "bad.toml", text)
    result = call("classify", log, "--rulebook", book, "-o", tmp_path / "out.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"carelog: error: {book}: rule bad.one: ")
    result = call("rules", "test", "--rulebook", book)
    assert result.exit_code == 1
    assert "bad.one cannot be tested" in result.stderr
    assert call("rules", "check", "--rulebook", book).exit_code == 1
    assert names_in(tmp_path) == ["bad.toml", "log.jsonl"]

"""Reports on rules: lists, one rule, problems, examples (text, JSON, JUnit), and what a change would do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from carelog.classification.examples import Example, Problem
from carelog.classification.metric_totals import STAGE_SCORE
from carelog.classification.rule_soundness import REMARKS, to_rule_value
from carelog.classification.rulebook import Rule
from carelog.findings import visible
from carelog.reports.counted import count_noun
from carelog.reports.plain_table import to_table_lines

OWN_NAME = "ours"
"""The name of the rulebook that a rule is copied into."""


def to_json(value: Any) -> str:
    """A value as JSON text."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def to_rules_text(rules: Sequence[Rule]) -> str:
    """A line for each rule."""
    rows = [
        [
            r.id,
            r.label,
            r.language,
            r.speaker,
            r.place,
            f"{r.weight:g}",
            str(len(r.phrases)),
            visible(r.rulebook),
        ]
        for r in rules
    ]
    head = ["rule", "label", "language", "speaker", "place", "weight", "phrases", "rulebook"]
    return "\n".join([*to_table_lines(head, rows, {0, 1, 2, 3, 4, 7}), count_noun(len(rules), "rule")]) + "\n"


def to_rule_text(rule: Rule) -> str:
    """One rule with all that it says, as a rulebook of its own in TOML.

    It is named OWN_NAME, not after the rule's rulebook: a name of carelog's would not count as the user's.
    """
    lines = [
        f"# A copy of {rule.id} from {visible(rule.rulebook)}, signal {rule.signal}.",
        "# With the same id it takes that rule's place; with another it counts beside it.",
        "[rulebook]",
        f"name = {_toml(OWN_NAME)}",
        'version = "1"',
        f"language = {_toml(rule.language)}",
        "",
        "[[rule]]",
    ]
    for name, value in to_rule_value(rule).items():
        if name in ("language", "signal", "rulebook") or value in (None, []):
            continue
        if isinstance(value, list):
            lines += [f"{name} = [", *(f"    {_toml(v)}," for v in value), "]"]
        else:
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    # A JSON string is a TOML basic string.
    return json.dumps(visible(value) if isinstance(value, str) else value, ensure_ascii=False)


def to_problems_text(problems: Sequence[Problem], rules: int) -> str:
    """A line for each problem, and the count; remarks are marked as such."""
    lines = [
        f"{p.rule}: {'remark: ' if p.kind in REMARKS else ''}{visible(p.message)} [{p.kind}]"
        for p in problems
    ]
    remarks = sum(p.kind in REMARKS for p in problems)
    wrong = len(problems) - remarks
    verdict = count_noun(wrong, "problem") if wrong else "sound"
    checked = f"{count_noun(rules, 'rule')} checked: {verdict}, {count_noun(remarks, 'remark')}"
    return "\n".join([*lines, checked]) + "\n"


def to_problems_value(problems: Sequence[Problem], rules: int) -> dict[str, Any]:
    """The problems as a JSON value."""
    listed = [
        {
            "rule": p.rule,
            "kind": p.kind,
            "severity": "remark" if p.kind in REMARKS else "problem",
            "message": p.message,
        }
        for p in problems
    ]
    return {"rules": rules, "problems": listed}


def to_examples_text(examples: Sequence[Example]) -> str:
    """A line for each example that does not hold, and the count."""
    failed = [e for e in examples if not e.passed]
    lines = [f"{e.rule}: must {'' if e.wanted else 'not '}match: {visible(e.text)}" for e in failed]
    rules = count_noun(len({e.rule for e in examples}), "rule")
    verb = "does" if len(failed) == 1 else "do"
    count = f"{count_noun(len(examples), 'example')} of {rules}: {len(failed):,} {verb} not hold"
    return "\n".join([*lines, count]) + "\n"


def to_examples_value(examples: Sequence[Example]) -> dict[str, Any]:
    """The examples as a JSON value."""
    return {
        "examples": len(examples),
        "failed": [
            {"rule": e.rule, "text": e.text, "wanted": e.wanted, "matched": e.matched}
            for e in examples
            if not e.passed
        ],
    }


def to_examples_junit(examples: Sequence[Example]) -> str:
    """JUnit XML: a suite for each rule, a case for each example."""
    root = ET.Element("testsuites", name="carelog rules test")
    suites: dict[str, list[Example]] = {}
    for example in examples:
        suites.setdefault(example.rule, []).append(example)
    for rule, mine in suites.items():
        suite = ET.SubElement(root, "testsuite", name=rule, tests=str(len(mine)), errors="0", skipped="0")
        suite.set("failures", str(sum(not e.passed for e in mine)))
        for number, example in enumerate(mine, 1):
            suite.append(_case(rule, number, example))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(rule: str, number: int, example: Example) -> ET.Element:
    wanted = "must match" if example.wanted else "must not match"
    case = ET.Element("testcase", classname=rule, name=f"{number} {wanted}: {visible(example.text)}")
    if not example.passed:
        told = "it does not match" if example.wanted else "it matches"
        ET.SubElement(case, "failure", type=wanted.replace(" ", "_"), message=told)
    return case


def to_difference_text(value: Mapping[str, Any], old: str, new: str) -> str:
    """What a change of rulebooks does, for a person."""
    lines = [
        f"from {visible(old)} to {visible(new)}: the labels of {value['interactions_changed']:,} of "
        f"{value['interactions']:,} interactions change",
    ]
    if value["labels"]:
        rows = [
            [one["label"], str(one["changed"]), _moves(one["moves"]), visible(" ".join(one["examples"][:3]))]
            for one in value["labels"]
        ]
        lines += ["", *to_table_lines(["label", "changed", "how", "where"], rows, {0, 2, 3})]
    for name, title in (("came", "rules that speak now"), ("went", "rules that no longer speak")):
        rows = [[r["rule"], r["label"], str(r["interactions"])] for r in value["rules"][name]]
        if rows:
            lines += [
                "",
                *to_table_lines([f"{title} (where labels change)", "label", "interactions"], rows, {0, 1}),
            ]
    return "\n".join([*lines, *_metric_lines(value["metrics"])]) + "\n"


def _metric_lines(metrics: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    """A row for each metric of the report that changes, and the others by family in one line."""
    rows = [
        [name, _amount(name, m["old"]), _amount(name, m["new"]), _change(name, m["change"])]
        for name, m in metrics.items()
        if m["old"] != m["new"]
    ]
    lines = ["", *to_table_lines(["metric", "old", "new", "change"], rows)] if rows else []
    same = Counter(name.partition(".")[0] for name, m in metrics.items() if m["old"] == m["new"])
    families = Counter(name.partition(".")[0] for name in metrics)
    told = [
        family if families[family] == count else f"{family} ({count} of {families[family]})"
        for family, count in same.items()
    ]
    return [*lines, "", f"unchanged: {', '.join(told)}"] if told else lines


def _amount(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if name == STAGE_SCORE else f"{100 * value:.1f} %"


def _change(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:+.2f}" if name == STAGE_SCORE else f"{100 * value:+.1f}"


def _moves(moves: Sequence[Mapping[str, Any]]) -> str:
    told = [f"{m['count']} {m['old']} → {m['new']}" for m in moves[:3]]
    return ", ".join(told) + (", …" if len(moves) > 3 else "")

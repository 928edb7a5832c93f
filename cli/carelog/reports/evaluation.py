"""An evaluation as JSON values and as text: figures first, then labels, confusion, coverage and the worst
rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from carelog.classification.agreement import Evaluation, Score
from carelog.classification.rule_claims import Coverage, RuleRecord
from carelog.classification.sheets import CHOICES
from carelog.findings import visible
from carelog.reports.plain_table import to_table_lines

FIGURES = (
    ("orientation.macro_f1", "orientation, macro-F1"),
    ("orientation.care_or_service.accuracy", "care against service, accuracy"),
    ("orientation.kappa", "orientation, Cohen's kappa"),
    ("activities.micro_f1", "activities, micro-F1"),
    ("stages.mean_f1", "stages, mean F1"),
    ("satisfaction.macro_f1", "satisfaction, macro-F1"),
    ("satisfaction.words.macro_f1", "satisfaction where words decide"),
    ("satisfaction.words_known.macro_f1", "… and gold knows it"),
    ("initiative.accuracy", "initiative, accuracy"),
    ("outcome.accuracy", "outcome, accuracy"),
    ("loyalty.f1", "loyalty, F1"),
    ("churn_risk.f1", "churn risk, F1"),
)
"""The summary figures that are shown, in their order, with their titles."""


def to_evaluation_value(
    evaluated: Mapping[str, Mapping[str, Evaluation]],
    rules: Sequence[RuleRecord],
    coverage: Coverage,
    golds: int,
    complete: bool,
) -> dict[str, Any]:
    """The evaluation as a JSON value; None is what cannot be known."""
    overall = evaluated["overall"]["all"]
    return {
        "interactions": overall.n,
        "gold_without_interaction": golds - overall.n,
        "overall": _group_value(overall),
        "languages": {key: _group_value(group) for key, group in evaluated["languages"].items()},
        "channels": {key: _group_value(group) for key, group in evaluated["channels"].items()},
        "coverage": {**asdict(coverage), "source": "every match" if complete else "the evidence kept"},
        "rules": [
            {"rule": r.rule, "label": r.label, "right": r.right, "wrong": r.wrong, "wrong_ids": r.wrong_ids}
            for r in rules
        ],
    }


def _group_value(group: Evaluation) -> dict[str, Any]:
    confusion = {
        name: {"gold_by_given": counts.tolist(), "values": [*CHOICES[name], None]}
        for name, counts in group.confusion.items()
    }
    return {
        "n": group.n,
        "figures": {name: _rounded(value) for name, value in group.figures.items()},
        "labels": {label: _score_value(score) for label, score in group.scores.items()},
        "confusion": confusion,
    }


def _score_value(score: Score) -> dict[str, Any]:
    ratios = {name: _rounded(getattr(score, name)) for name in ("precision", "recall", "f1", "kappa")}
    return {"n": score.n, "gold": score.gold, "given": score.given, "hits": score.hits, **ratios}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def to_evaluation_text(value: Mapping[str, Any], worst: int = 10) -> str:
    """The evaluation for a person, at most 100 columns wide."""
    lines = [f"{value['interactions']:,} interactions with gold"]
    if value["gold_without_interaction"]:
        lines[0] += f"; {value['gold_without_interaction']:,} gold lines have no interaction in what was read"
    lines += ["", *_figure_lines(value), "", *_label_lines(value["overall"]["labels"])]
    for name in ("orientation", "satisfaction", "outcome"):
        lines += ["", f"{name}: gold in rows, given in columns"]
        lines += _confusion_lines(value["overall"]["confusion"][name])
    lines += ["", *_coverage_lines(value["coverage"])]
    if worst:
        lines += ["", *_rule_lines(value["rules"], worst)]
    if value["readers"]["alpha"]:
        lines += ["", "Krippendorff's alpha among the gold files"]
        lines += to_table_lines(
            ["label", "alpha"], [[k, _figure(v)] for k, v in value["readers"]["alpha"].items()]
        )
    return "\n".join(lines) + "\n"


def _figure_lines(value: Mapping[str, Any]) -> Iterable[str]:
    groups = {"all": value["overall"], **value["languages"], **value["channels"]}
    rows = [["interactions", *(f"{g['n']:,}" for g in groups.values())]]
    rows += [[title, *(_figure(g["figures"][name]) for g in groups.values())] for name, title in FIGURES]
    return to_table_lines(["", *groups], rows)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _label_lines(labels: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    rows = [
        [
            label,
            *(_figure(s[name]) for name in ("precision", "recall", "f1", "kappa")),
            *(str(s[name]) for name in ("gold", "given", "n")),
        ]
        for label, s in labels.items()
        if s["gold"] or s["given"]
    ]
    return to_table_lines(["label", "precision", "recall", "F1", "kappa", "gold", "given", "n"], rows)


def _confusion_lines(confusion: Mapping[str, Any]) -> Iterable[str]:
    names = [name or "not given" for name in confusion["values"]]
    rows = [
        [name, *(str(count) for count in counts)]
        for name, counts in zip(names, confusion["gold_by_given"], strict=False)
    ]
    return to_table_lines(["", *names], rows)


def _coverage_lines(coverage: Mapping[str, Any]) -> Iterable[str]:
    yield (
        f"rules ({coverage['source']}): {coverage['covered']:,} of {coverage['n']:,} interactions have one, "
        f"{coverage['overlapping']:,} have several of one label, {coverage['conflicting']:,} of labels "
        "that exclude each other"
    )
    for first, second, count in coverage["conflicts"][:5]:
        yield f"  {count:,} × {first} and {second}"


def _rule_lines(rules: Sequence[Mapping[str, Any]], worst: int) -> Iterable[str]:
    bad = [r for r in rules if r["wrong"]][:worst]
    if not bad:
        return ["no rule was wrong"]
    rows = [
        [
            r["rule"],
            str(r["wrong"]),
            str(r["right"]),
            visible(" ".join(r["wrong_ids"][:3])) + (" …" if r["wrong"] > 3 else ""),
        ]
        for r in bad
    ]
    return to_table_lines(["rules that are wrong most often", "wrong", "right", "where"], rows, {0, 3})

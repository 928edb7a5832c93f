"""Which rules spoke in which interactions, and how often they were right: coverage, overlap, conflict, the
worst rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from carelog.classification.classifier import Classifier
from carelog.classification.classify import Classified
from carelog.classification.evidence import MODEL_RULE
from carelog.classification.sheets import CHOICES, Sheet
from carelog.columns import row_positions

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Claims:
    """Distinct (row, rule) pairs: `rules` are places in `names`, `labels` says what each rule speaks for.

    `complete` is False where they come from evidence, which holds at most three places of each label that
    was given.
    """

    rows: Ints
    rules: Ints
    names: tuple[str, ...]
    labels: tuple[str, ...]
    complete: bool


def claims_of_evidence(batch: pa.RecordBatch) -> Claims:
    """The rules in the evidence of labelled interactions."""
    lists = batch.column("evidence")
    flat = lists.flatten()
    rows = row_positions(lists)
    rules, labels = flat.field("rule").to_pylist(), flat.field("label").to_pylist()
    label_of = {rule: label for rule, label in zip(rules, labels, strict=True) if _is_rule(rule)}
    names = tuple(sorted(label_of))
    at = {name: place for place, name in enumerate(names)}
    codes = np.array([at.get(rule, -1) for rule in rules], np.int64)
    pairs = _distinct(rows[codes >= 0], codes[codes >= 0])
    return Claims(*pairs, names, tuple(label_of[n] for n in names), complete=False)


def _is_rule(name: str) -> bool:
    # What fields of the record decided, and what words voted for, is the evidence's but no rule's.
    return name != MODEL_RULE and not name.startswith("structure.")


def claims_of_matches(classified: Classified, classifier: Classifier) -> Claims:
    """The rules of positive weight that matched, whether their label was given or not."""
    matches = classified.measured.matches
    positive = np.array([r.weight > 0 for r in classifier.rules], bool)
    use = positive[matches.rules]
    rows = classified.measured.segments.rows[matches.segments[use]]
    pairs = _distinct(rows, matches.rules[use].astype(np.int64))
    rules = classifier.rules
    return Claims(*pairs, tuple(r.id for r in rules), tuple(r.label for r in rules), complete=True)


def _distinct(rows: Ints, rules: Ints) -> tuple[Ints, Ints]:
    if not len(rows):
        return rows.astype(np.int64), rules
    pairs = np.unique(np.stack([rows, rules]), axis=1)
    return pairs[0], pairs[1]


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """How a rule did where gold knows its label: `right` and `wrong` interactions, and the ids of the wrong
    ones.
    """

    rule: str
    label: str
    right: int
    wrong: int
    wrong_ids: tuple[str, ...]


def judge_rules(claims: Claims, gold: Sheet) -> list[RuleRecord]:
    """Every rule that spoke and whose label gold knows, the most often wrong first. Rows are those of
    `gold`.
    """
    judged = []
    order = np.argsort(claims.rules, kind="stable")
    rules, rows = claims.rules[order], claims.rows[order]
    for rule in np.unique(rules).tolist():
        mine = rows[np.searchsorted(rules, rule) : np.searchsorted(rules, rule, side="right")]
        truth = gold_of_label(gold, claims.labels[rule])
        if truth is None:
            continue
        wrong = mine[truth[mine] == 0]
        right = int((truth[mine] == 1).sum())
        if right or len(wrong):
            ids = tuple(gold.ids[row] for row in wrong.tolist())
            judged.append(RuleRecord(claims.names[rule], claims.labels[rule], right, len(wrong), ids))
    return sorted(judged, key=lambda r: (-r.wrong, r.right, r.rule))


def gold_of_label(gold: Sheet, label: str) -> npt.NDArray[np.int8] | None:
    """What gold says of a rule's label, row for row: 1, 0, or -1 where it does not know; None if gold has
    no such label.
    """
    if label in gold.codes:
        return gold.codes[label]
    name, _, value = label.partition(".")
    if name not in CHOICES or value not in CHOICES[name]:
        return None
    codes = gold.codes[name]
    return np.where(codes < 0, -1, codes == CHOICES[name].index(value)).astype(np.int8)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of `n` interactions: `covered` have a rule, `overlapping` have two rules of one label, `conflicting`
    have rules of two values of which only one can be; `conflicts` lists the pairs of labels with their
    number, the most frequent first.
    """

    n: int
    covered: int
    overlapping: int
    conflicting: int
    conflicts: tuple[tuple[str, str, int], ...]


def count_coverage(claims: Claims, n: int) -> Coverage:
    """How rules lie over the interactions."""
    names = sorted(set(claims.labels))
    at = {name: place for place, name in enumerate(names)}
    label = np.array([at[claims.labels[r]] for r in claims.rules.tolist()], np.int64)
    per_cell = np.bincount(claims.rows * len(names) + label, minlength=n * len(names))
    counts = per_cell.reshape(n, len(names)) if names else np.zeros((n, 0), np.int64)
    clash = np.zeros(n, bool)
    conflicts = []
    for first, second in _exclusive_pairs(names):
        both = (counts[:, at[first]] > 0) & (counts[:, at[second]] > 0)
        clash |= both
        if both.any():
            conflicts.append((first, second, int(both.sum())))
    return Coverage(
        n,
        int((counts > 0).any(axis=1).sum()),
        int((counts > 1).any(axis=1).sum()),
        int(clash.sum()),
        tuple(sorted(conflicts, key=lambda c: (-c[2], c[:2]))),
    )


def _exclusive_pairs(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of labels of which an interaction can have only one."""
    pairs = []
    for place, first in enumerate(labels):
        for second in labels[place + 1 :]:
            family, other = first.partition(".")[0], second.partition(".")[0]
            one_choice = family == other and family in ("satisfaction", "outcome", "initiative", "touchpoint")
            nothing = {first, second} & {"orientation.none"} and "activity" in (family, other)
            if one_choice or nothing:
                pairs.append((first, second))
    return pairs

"""Learning a company's own weights: offsets of labels and weights of rules, on top of the scores that
carelog gives.

For each label a logistic regression whose fixed part is the margin that carelog's own score has (score −
what it has to beat), so that without evidence nothing changes; an L2 penalty holds offsets and weights near
0 (maximum a posteriori under a normal prior; Hastie, Tibshirani & Friedman 2009, 4.4). Fitted with numpy by
Newton's method: a few hundred interactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from carelog.classification.classifier import Classifier, spread
from carelog.classification.classify import Classified
from carelog.classification.gains import rate_families
from carelog.classification.labelling import decide, read_scores
from carelog.classification.model import OUTPUT_AT
from carelog.classification.rule_claims import gold_of_label
from carelog.classification.sheets import CHOICES, FLAGS, Codes, Sheet
from carelog.labels import ACTIVITIES, STAGES, TOUCHPOINTS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PENALTY = 4.0
"""Inverse variance of the prior of an offset or weight: 4 holds it within about 1 unless the data insist."""
LEAST_KNOWN = 20
"""An offset needs so many interactions of which gold knows the label."""
LEAST_CASES = 5
"""A rule's weight needs so many interactions where it speaks."""
LEAST_WEIGHT = 0.05
"""Smaller weights are left out: they would change nothing that a reader could see."""
_STEPS = 25
_INNER_FOLDS = 4


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was learned: log-odds by output, and log-odds by rule (a place in the classifier's rules)."""

    offsets: Mapping[str, float]
    weights: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Material:
    """What is learned from: records, what classification measured of them, gold, and which rules (columns)
    spoke in which rows (`spoke`, rows × `rules`).
    """

    records: pa.RecordBatch
    classified: Classified
    gold: Sheet
    classifier: Classifier
    rules: Ints
    spoke: npt.NDArray[np.bool_]


def gather_material(
    records: pa.RecordBatch, classified: Classified, gold: Sheet, classifier: Classifier
) -> Material:
    """Rules that speak in at least LEAST_CASES rows for a label that gold knows, with the rows where they
    do.
    """
    matches = classified.measured.matches
    rows = classified.measured.segments.rows[matches.segments]
    pairs = np.unique(np.stack([matches.rules.astype(np.int64), rows]), axis=1)
    rules, counts = np.unique(pairs[0], return_counts=True)
    known = [
        rule
        for rule, count in zip(rules.tolist(), counts.tolist(), strict=True)
        if count >= LEAST_CASES and _is_learnable(classifier, rule, gold)
    ]
    spoke = np.zeros((records.num_rows, len(known)), bool)
    for column, rule in enumerate(known):
        spoke[pairs[1][pairs[0] == rule], column] = True
    return Material(records, classified, gold, classifier, np.array(known, np.int64), spoke)


def _is_learnable(classifier: Classifier, rule: int, gold: Sheet) -> bool:
    label = classifier.rules[rule].label
    return label in OUTPUT_AT and gold_of_label(gold, label) is not None


def tune_weights(material: Material, rows: Ints, seed: int = 0) -> Tuned:
    """Offsets and weights learned from those rows, of those families of labels that cross-validation inside
    the rows finds better with them.
    """
    learned = learn_weights(material, rows)
    kept = _useful_families(material, rows, seed)
    rules = material.classifier.rules
    return Tuned(
        {output: offset for output, offset in learned.offsets.items() if _family_of(output) in kept},
        {rule: weight for rule, weight in learned.weights.items() if _family_of(rules[rule].label) in kept},
    )


def _family_of(output: str) -> str:
    family = output.partition(".")[0]
    return "orientation" if family == "activity" else family


def _useful_families(material: Material, rows: Ints, seed: int) -> set[str]:
    """The families of labels whose mean gain over unseen rows is above its standard error."""
    fold = np.empty(len(rows), np.int64)
    fold[np.random.default_rng(seed).permutation(len(rows))] = np.arange(len(rows)) % _INNER_FOLDS
    scores = material.classified.scores[rows].copy()
    for k in range(_INNER_FOLDS):
        learned = learn_weights(material, rows[fold != k])
        scores[fold == k] = tuned_scores(material, learned, rows[fold == k])
    gold = material.gold.take(rows)
    before = rate_families(gold, decide_sheet(material, material.classified.scores[rows], rows))
    after = rate_families(gold, decide_sheet(material, scores, rows))
    return {family for family in before if _gains(after[family] - before[family])}


def _gains(difference: Floats) -> bool:
    known = difference[~np.isnan(difference)]
    return len(known) > 1 and bool(known.mean() > known.std(ddof=1) / np.sqrt(len(known)))


def learn_weights(material: Material, rows: Ints) -> Tuned:
    """Offsets and weights of every label, learned from those rows."""
    offsets: dict[str, float] = {}
    weights: dict[int, float] = {}
    scores = material.classified.scores.astype(np.float64)
    for output in _tunable_outputs():
        truth = gold_of_label(material.gold, output)
        if truth is None:
            continue
        use = rows[truth[rows] >= 0]
        wanted = truth[use] == 1
        if len(use) < LEAST_KNOWN:
            continue
        mine = [c for c, r in enumerate(material.rules.tolist()) if _speaks_for(material, r, output)]
        columns = np.hstack([np.ones((len(use), 1)), material.spoke[use][:, mine].astype(np.float64)])
        margin = margins(scores, output, material.classifier.model.thresholds)[use]
        learned = fit_logistic(columns, margin, wanted)
        if abs(learned[0]) >= LEAST_WEIGHT:
            offsets[output] = round(float(learned[0]), 3)
        for column, weight in zip(mine, learned[1:].tolist(), strict=True):
            if abs(weight) >= LEAST_WEIGHT and material.spoke[use, column].sum() >= LEAST_CASES:
                weights[int(material.rules[column])] = round(weight, 3)
    return Tuned(offsets, weights)


def _tunable_outputs() -> list[str]:
    choices = [
        f"{name}.{value}" for name in ("orientation", "satisfaction", "outcome") for value in CHOICES[name]
    ]
    return [*choices, "initiative.proactive", *FLAGS]


def _speaks_for(material: Material, rule: int, output: str) -> bool:
    return material.classifier.rules[rule].label == output


def margins(scores: Floats, output: str, thresholds: npt.NDArray[np.float32]) -> Floats:
    """By how much each row's score of an output is above what it has to beat: its threshold, or the best
    other value.
    """
    at = OUTPUT_AT[output]
    family = output.partition(".")[0]
    if family in ("orientation", "satisfaction", "outcome"):
        rivals = [OUTPUT_AT[f"{family}.{v}"] for v in CHOICES[family] if f"{family}.{v}" != output]
        margin: Floats = scores[:, at] - scores[:, rivals].max(axis=1)
        return margin
    own: Floats = scores[:, at] - float(thresholds[at])
    return own


def fit_logistic(columns: Floats, margin: Floats, wanted: npt.NDArray[np.bool_]) -> Floats:
    """Coefficients b that minimise Σ log(1 + exp(−y(margin + columns·b))) + PENALTY/2·|b|², y being ±1, by
    Newton's method.

    The margin is clipped to ±8: a score that is sure and wrong should not outweigh all others.
    """
    fixed = np.clip(margin, -8, 8)
    b = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-(fixed + columns @ b)))
        gradient = columns.T @ (share - wanted) + PENALTY * b
        curvature = (columns * (share * (1 - share))[:, None]).T @ columns + PENALTY * np.eye(len(b))
        step = np.linalg.solve(curvature, gradient)
        b -= step
        if np.abs(step).max() < 1e-8:
            break
    return b


def tuned_scores(material: Material, tuned: Tuned, rows: Ints) -> npt.NDArray[np.float32]:
    """The scores of those rows as classification would give them with the tuned rulebook."""
    scores = material.classified.scores[rows].copy()
    for name, offset in tuned.offsets.items():
        scores[:, OUTPUT_AT[name]] += np.float32(offset)
    column = {rule: place for place, rule in enumerate(material.rules.tolist())}
    for rule, weight in tuned.weights.items():
        spoke = material.spoke[rows, column[rule]]
        for output, moved in spread(material.classifier.rules[rule].label, weight):
            scores[spoke, output] += np.float32(moved)
    return scores


def decide_sheet(material: Material, scores: npt.NDArray[np.float32], rows: Ints) -> Sheet:
    """The labels that follow from scores, as a sheet."""
    batch = material.records.take(pa.array(rows))
    talk = material.classified.measured.talk
    decided = decide(
        batch,
        scores,
        material.classifier.model.thresholds,
        read_scores(batch),
        talk.company_words[rows],
        talk.any_words[rows],
    )
    codes: dict[str, Codes] = {
        "orientation": decided.orientation.astype(np.int8),
        "satisfaction": decided.satisfaction.astype(np.int8),
        "outcome": decided.outcome.astype(np.int8),
        "initiative": np.where(decided.proactive, 0, 1).astype(np.int8),
        "touchpoint": np.minimum(decided.touchpoint, len(TOUCHPOINTS)).astype(np.int8),
        "loyalty": decided.loyalty.astype(np.int8),
        "churn_risk": decided.churn_risk.astype(np.int8),
    }
    for place, activity in enumerate(ACTIVITIES):
        codes[f"activity.{activity}"] = decided.activities[:, place].astype(np.int8)
    for place, stage in enumerate(STAGES):
        stages = np.where(decided.stages_known, decided.stages[:, place], -1)
        codes[f"stage.{stage}"] = stages.astype(np.int8)
    ids = tuple(batch.column("interaction_id").to_pylist())
    return Sheet(ids, codes, (None,) * len(ids))


def cross_validate(material: Material, folds: int, seed: int) -> tuple[Sheet, Sheet]:
    """The labels without and with tuning, each row labelled by weights learned without it; rows as in the
    material.
    """
    n = material.records.num_rows
    everyone = np.arange(n)
    fold = np.empty(n, np.int64)
    fold[np.random.default_rng(seed).permutation(n)] = everyone % folds
    scores = material.classified.scores.copy()
    for k in range(folds):
        tuned = tune_weights(material, np.flatnonzero(fold != k), seed)
        test = np.flatnonzero(fold == k)
        scores[test] = tuned_scores(material, tuned, test)
    return decide_sheet(material, material.classified.scores, everyone), decide_sheet(
        material, scores, everyone
    )

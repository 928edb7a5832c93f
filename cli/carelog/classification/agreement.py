"""How well two readers agree, label by label: precision, recall, F1, Cohen's kappa, Krippendorff's alpha,
confusion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from carelog.classification.sheets import CHOICES, FLAGS, UNKNOWN, Codes, Sheet
from carelog.labels import ACTIVITIES, ORIENTATIONS, SATISFACTIONS, STAGES

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """One label (or one value of it) against gold, over the `n` interactions where gold knows it.

    `precision`, `recall`, `f1` are None where nothing is there to divide by; `kappa` too (it is None where
    both readers always say the same one value, since chance then explains all).
    """

    n: int
    gold: int
    given: int
    hits: int
    kappa: float | None = None

    @property
    def precision(self) -> float | None:
        """hits ÷ given."""
        return self.hits / self.given if self.given else None

    @property
    def recall(self) -> float | None:
        """hits ÷ gold."""
        return self.hits / self.gold if self.gold else None

    @property
    def f1(self) -> float | None:
        """2·hits ÷ (gold + given)."""
        total = self.gold + self.given
        return 2 * self.hits / total if total else None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The agreement with gold in one group of `n` interactions.

    `scores` by label (`activity.sale`) and by value of a choice (`orientation.care`); `confusion` by
    choice: gold value × given value, the last column being "no value given"; `figures` are the summary
    figures (None: nothing to score).
    """

    n: int
    scores: Mapping[str, Score]
    confusion: Mapping[str, Ints]
    figures: Mapping[str, float | None] = field(default_factory=dict)


def evaluate_sheets(gold: Sheet, given: Sheet, in_words: Bools | None = None) -> Evaluation:
    """The agreement of `given` with `gold`, row for row; `in_words` marks rows where no stated score
    decides satisfaction.
    """
    confusion = {
        name: count_confusion(gold.codes[name], given.codes[name], len(values))
        for name, values in CHOICES.items()
    }
    scores: dict[str, Score] = {}
    for name, values in CHOICES.items():
        for place, value in enumerate(values):
            scores[f"{name}.{value}"] = _score_value(confusion[name], place)
    for label in FLAGS:
        scores[label] = score_flag(gold.codes[label], given.codes[label])
    figures = _figures(scores, confusion)
    words = np.ones(len(gold.ids), bool) if in_words is None else in_words
    known = words & (gold.codes["satisfaction"] != SATISFACTIONS.index("unknown"))
    figures["satisfaction.words.macro_f1"] = _satisfaction_f1(gold, given, words)
    figures["satisfaction.words_known.macro_f1"] = _satisfaction_f1(gold, given, known)
    return Evaluation(len(gold.ids), scores, confusion, figures)


def _satisfaction_f1(gold: Sheet, given: Sheet, rows: Bools) -> float | None:
    """Macro-F1 of satisfied, neutral and dissatisfied in those rows; a given "unknown" is a miss."""
    codes = np.where(rows, gold.codes["satisfaction"], UNKNOWN).astype(np.int8)
    return macro_f1(count_confusion(codes, given.codes["satisfaction"], len(SATISFACTIONS)), 3)


def count_confusion(gold: Codes, given: Codes, values: int) -> Ints:
    """Gold value × given value over the rows where gold knows; the last column counts rows where nothing
    was given.
    """
    known = gold >= 0
    other = np.where(given < 0, values, given)[known].astype(np.int64)
    cells = gold[known].astype(np.int64) * (values + 1) + other
    return np.bincount(cells, minlength=values * (values + 1)).reshape(values, values + 1)


def _score_value(confusion: Ints, place: int) -> Score:
    n, hits = int(confusion.sum()), int(confusion[place, place])
    gold, given = int(confusion[place].sum()), int(confusion[:, place].sum())
    table = np.array([[n - gold - given + hits, given - hits], [gold - hits, hits]])
    return Score(n, gold, given, hits, cohen_kappa(table))


def score_flag(gold: Codes, given: Codes) -> Score:
    """A yes/no label; where nothing was given (a stage held not assessable) it counts as no."""
    known = gold >= 0
    wanted, said = gold[known] == 1, given[known] == 1
    table = np.array(
        [
            [(~wanted & ~said).sum(), (~wanted & said).sum()],
            [(wanted & ~said).sum(), (wanted & said).sum()],
        ]
    )
    return Score(int(known.sum()), int(wanted.sum()), int(said.sum()), int(table[1, 1]), cohen_kappa(table))


def cohen_kappa(table: Ints) -> float | None:
    """(observed − expected) ÷ (1 − expected) of a table gold × given (Cohen 1960); None where it is not
    defined.
    """
    size = max(table.shape)
    square = np.zeros((size, size))
    square[: table.shape[0], : table.shape[1]] = table
    n = square.sum()
    if n == 0:
        return None
    expected = float((square.sum(axis=0) * square.sum(axis=1)).sum() / n**2)
    if expected >= 1 - 1e-12:
        return None
    return float((np.trace(square) / n - expected) / (1 - expected))


def macro_f1(confusion: Ints, values: int) -> float | None:
    """The mean F1 of the first `values` values, of those that gold or the other reader has at all."""
    parts = [_score_value(confusion, place).f1 for place in range(values)]
    there = [part for part in parts if part is not None]
    return float(np.mean(there)) if there else None


def _micro_f1(scores: Sequence[Score]) -> float | None:
    total = sum(s.gold + s.given for s in scores)
    return 2 * sum(s.hits for s in scores) / total if total else None


def _accuracy(confusion: Ints) -> float | None:
    return float(np.trace(confusion) / confusion.sum()) if confusion.sum() else None


def _figures(scores: Mapping[str, Score], confusion: Mapping[str, Ints]) -> dict[str, float | None]:
    """The figures that sum a group up, by name."""
    stages = [s.f1 for s in (scores[f"stage.{name}"] for name in STAGES) if s.f1 is not None]
    figures: dict[str, float | None] = {
        "orientation.macro_f1": macro_f1(confusion["orientation"], len(ORIENTATIONS)),
        "orientation.care_or_service.accuracy": _accuracy(confusion["orientation"][:2, :2]),
        "activities.micro_f1": _micro_f1([scores[f"activity.{a}"] for a in ACTIVITIES]),
        "stages.mean_f1": float(np.mean(stages)) if stages else None,
        "satisfaction.macro_f1": macro_f1(confusion["satisfaction"], 3),
    }
    for name in CHOICES:
        figures[f"{name}.accuracy"] = _accuracy(confusion[name])
        figures[f"{name}.kappa"] = cohen_kappa(confusion[name])
    figures["loyalty.f1"] = scores["loyalty"].f1
    figures["churn_risk.f1"] = scores["churn_risk"].f1
    return figures


def krippendorff_alpha(codes: npt.NDArray[np.int8]) -> float | None:
    """Alpha for nominal values from codes readers × units, UNKNOWN where a reader said nothing
    (Krippendorff 2011).

    1 − observed ÷ expected disagreement; None where fewer than two units are paired or only one value
    occurs.
    """
    values = int(codes.max(initial=0)) + 1
    counts = np.stack([(codes == value).sum(axis=0) for value in range(values)], axis=1).astype(np.float64)
    counts = counts[counts.sum(axis=1) >= 2]
    per_unit = counts.sum(axis=1)
    n = per_unit.sum()
    if n == 0:
        return None
    unlike = (per_unit**2 - (counts**2).sum(axis=1)) / (per_unit - 1)
    totals = counts.sum(axis=0)
    expected = (n**2 - (totals**2).sum()) / (n - 1) if n > 1 else 0.0
    return float(1 - unlike.sum() / expected) if expected > 0 else None


def group_rows(keys: Sequence[str | None]) -> dict[str, Ints]:
    """The rows of each key, keys sorted; rows without a key are in no group."""
    named = np.array([k or "" for k in keys])
    return {str(key): np.flatnonzero(named == key) for key in np.unique(named) if key}

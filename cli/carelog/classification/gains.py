"""How right labels are, interaction by interaction, and what a change of weights gains: with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carelog.classification.sheets import Sheet
from carelog.labels import ACTIVITIES, STAGES

Floats = npt.NDArray[np.float64]

GAIN_DIGITS = 4
"""Decimals with which a gain and its interval are told."""


def rate_rows(gold: Sheet, given: Sheet) -> Floats:
    """How right each interaction's labels are, 0 to 1: the mean over the families that gold knows; NaN
    where it knows none.
    """
    return _mean_of(list(rate_families(gold, given).values()))


def rate_families(gold: Sheet, given: Sheet) -> dict[str, Floats]:
    """How right each interaction is in each family of labels, 0 to 1, NaN where gold does not know.

    A choice or a flag is right or wrong; `orientation` is its mean with the F1 of the activities; of the
    stages the share that is right counts.
    """
    rates: dict[str, Floats] = {}
    for label in ("orientation", "satisfaction", "outcome", "initiative", "loyalty", "churn_risk"):
        known = gold.codes[label] >= 0
        right = (gold.codes[label] == given.codes[label]).astype(np.float64)
        rates[label] = np.where(known, right, np.nan)
    rates["orientation"] = _mean_of([rates["orientation"], _activity_f1(gold, given)])
    stages = np.array([gold.codes[f"stage.{s}"] for s in STAGES])
    said = np.array([given.codes[f"stage.{s}"] for s in STAGES])
    counts = (stages >= 0).sum(axis=0)
    hits = ((stages >= 0) & (stages == np.maximum(said, 0))).sum(axis=0)
    rates["stage"] = np.where(counts > 0, hits / np.maximum(counts, 1), np.nan)
    return rates


def _mean_of(rates: Sequence[Floats]) -> Floats:
    table = np.array(rates)
    counts = (~np.isnan(table)).sum(axis=0)
    mean: Floats = np.where(counts > 0, np.nansum(table, axis=0) / np.maximum(counts, 1), np.nan)
    return mean


def _activity_f1(gold: Sheet, given: Sheet) -> Floats:
    wanted = np.array([gold.codes[f"activity.{a}"] for a in ACTIVITIES])
    said = np.array([given.codes[f"activity.{a}"] for a in ACTIVITIES]) == 1
    there = wanted == 1
    total = there.sum(axis=0) + said.sum(axis=0)
    hits = (there & said).sum(axis=0)
    f1 = np.where(total > 0, 2 * hits / np.maximum(total, 1), 1.0)
    known: Floats = np.where((wanted >= 0).all(axis=0), f1, np.nan)
    return known


@dataclass(frozen=True, slots=True)
class Gain:
    """The mean gain per interaction (0 to 1) over `n` of them, and its 95 % interval."""

    n: int
    before: float
    after: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Whether the whole interval is above 0, rounded as it is told: a gain that reads "+0.0000 to …"
        convinces nobody.
        """
        return round(self.low, GAIN_DIGITS) > 0


def measure_gain(before: Floats, after: Floats, seed: int, draws: int = 4000) -> Gain:
    """The paired gain, with the percentile interval of a bootstrap over interactions (Efron & Tibshirani
    1993, 13.3).
    """
    known = ~np.isnan(before) & ~np.isnan(after)
    difference = (after - before)[known]
    n = len(difference)
    chosen = np.random.default_rng(seed).integers(0, n, (draws, n))
    low, high = np.percentile(difference[chosen].mean(axis=1), [2.5, 97.5])
    return Gain(n, float(before[known].mean()), float(after[known].mean()), float(low), float(high))

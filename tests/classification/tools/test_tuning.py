"""The arithmetic of tuning: the fit, the gain with its interval, the rates."""

from __future__ import annotations

import numpy as np
import pytest

from carelog.classification.gains import Gain, measure_gain, rate_families, rate_rows
from carelog.classification.sheets import ALL_LABELS, Sheet
from carelog.classification.tuning import PENALTY, fit_logistic


def loss(b: np.ndarray, columns: np.ndarray, margin: np.ndarray, wanted: np.ndarray) -> float:
    """The penalised negative log-likelihood, written out."""
    total = 0.0
    for row, fixed, yes in zip(columns, margin, wanted, strict=True):
        z = float(fixed + row @ b)
        total += np.log1p(np.exp(-z if yes else z))
    return float(total + PENALTY / 2 * (b**2).sum())


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_is_the_least_of_the_penalised_loss(seed: int) -> None:
    random = np.random.default_rng(seed)
    columns = np.hstack([np.ones((80, 1)), random.integers(0, 2, (80, 3)).astype(float)])
    margin, wanted = random.normal(0, 2, 80), random.integers(0, 2, 80) == 1
    b = fit_logistic(columns, margin, wanted)
    best = loss(b, columns, margin, wanted)
    for step in np.vstack([np.eye(4), -np.eye(4)]) * 0.01:
        assert loss(b + step, columns, margin, wanted) > best


def test_without_evidence_nothing_changes() -> None:
    sure = np.array([8.0, -8.0] * 20)
    assert np.abs(fit_logistic(np.ones((40, 1)), sure, sure > 0)).max() < 0.01


def test_the_gain_is_the_mean_difference_and_its_interval_holds_it() -> None:
    random = np.random.default_rng(1)
    before = random.random(200)
    after = np.clip(before + random.normal(0.05, 0.1, 200), 0, 1)
    gain = measure_gain(before, after, seed=3)
    assert (gain.n, gain.after - gain.before) == (200, pytest.approx((after - before).mean()))
    assert gain.low < gain.after - gain.before < gain.high
    half = 1.96 * (after - before).std(ddof=1) / np.sqrt(200)
    assert gain.high - gain.low == pytest.approx(2 * half, rel=0.15)
    assert gain.is_sure
    assert not measure_gain(before, before, seed=3).is_sure


@pytest.mark.parametrize(
    ("low", "sure"), [(-0.01, False), (0.0, False), (0.00004, False), (0.00006, True), (0.0001, True)]
)
def test_a_gain_is_sure_where_its_lower_end_reads_above_0(low: float, sure: bool) -> None:
    assert Gain(200, 0.7, 0.7 + low + 0.001, low, low + 0.002).is_sure is sure
    assert (float(f"{low:+.4f}") > 0) is sure


def test_interactions_that_gold_does_not_know_are_left_out() -> None:
    assert measure_gain(np.array([0.5, np.nan, 0.0]), np.array([1.0, 1.0, 0.0]), seed=0).n == 2


def sheet(**codes: list[int]) -> Sheet:
    """Two interactions; labels that are not named are unknown."""
    made = {label: np.full(2, -1, np.int8) for label in ALL_LABELS}
    made |= {label.replace("__", "."): np.array(values, np.int8) for label, values in codes.items()}
    return Sheet(("a", "b"), made, (None, None))


def test_rates_are_right_or_wrong_f1_and_shares() -> None:
    activities = {f"activity__{a}": [0, 0] for a in ("inform", "listen")}
    every = {label.replace(".", "__"): [0, 0] for label in ALL_LABELS if label.startswith("activity.")}
    gold = sheet(orientation=[0, 1], loyalty=[1, -1], stage__needs=[1, 0], stage__greeting=[1, -1],
                 **{**every, **activities, "activity__sale": [1, 0], "activity__order": [1, 0]})  # fmt: skip
    given = sheet(orientation=[0, 0], loyalty=[0, 0], stage__needs=[1, 1], stage__greeting=[-1, 1],
                  **{**every, "activity__sale": [1, 0]})  # fmt: skip
    rates = rate_families(gold, given)
    assert rates["orientation"].tolist() == pytest.approx([(1 + 2 / 3) / 2, (0 + 1) / 2])
    assert rates["loyalty"][0] == 0 and np.isnan(rates["loyalty"][1])
    assert rates["stage"].tolist() == [0.5, 0.0]
    assert rate_rows(gold, given).tolist() == pytest.approx([(5 / 6 + 0 + 0.5) / 3, (0.5 + 0) / 2])

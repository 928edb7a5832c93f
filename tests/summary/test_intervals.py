"""Each interval against a slow, obvious computation or against published figures."""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carelog.summary.intervals import (
    Z,
    balance_interval,
    bootstrap_difference,
    effective_cases,
    mean_interval,
    median_ranks,
    newcombe,
    spearman,
    t_quantile,
    wilson,
)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def slow_wilson(hits: int, n: int) -> tuple[float, float]:
    """The two shares p at which |hits/n − p| is exactly Z standard errors of p, by halving."""

    def root(inside: float, outside: float) -> float:
        for _ in range(200):
            middle = (inside + outside) / 2
            if abs(hits / n - middle) <= Z * sqrt(middle * (1 - middle) / n):
                inside = middle
            else:
                outside = middle
        return inside

    return root(hits / n, 0.0), root(hits / n, 1.0)


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 10), (1, 1), (3, 10), (10, 10), (81, 263), (500, 1000)])
def test_wilson_is_where_the_share_is_z_standard_errors_away(hits: int, n: int) -> None:
    low, high = wilson(floats(hits), floats(n))
    assert (low[0], high[0]) == pytest.approx(slow_wilson(hits, n), abs=1e-9)


def test_wilson_gives_the_published_example() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263 is 0.2553 to 0.3662.
    low, high = wilson(floats(81), floats(263))
    assert (round(low[0], 4), round(high[0], 4)) == (0.2553, 0.3662)


def test_wilson_of_no_cases_is_not_a_number() -> None:
    low, high = wilson(floats(0), floats(0))
    assert np.isnan(low[0])
    assert np.isnan(high[0])


def test_newcombe_gives_the_published_example() -> None:
    # Newcombe 1998, Statistics in Medicine 17:873, table II (a): 56/70 − 48/80 is 0.0524 to 0.3339.
    low, high = newcombe(floats(56), floats(70), floats(48), floats(80))
    assert (round(low[0], 4), round(high[0], 4)) == (0.0524, 0.3339)


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_newcombe_holds_the_difference_and_turns_with_its_sides(a: int, n: int, b: int, m: int) -> None:
    a, b = min(a, n), min(b, m)
    low, high = newcombe(floats(a), floats(n), floats(b), floats(m))
    back = newcombe(floats(b), floats(m), floats(a), floats(n))
    assert low[0] - 1e-12 <= a / n - b / m <= high[0] + 1e-12
    assert (low[0], high[0]) == pytest.approx((-back[1][0], -back[0][0]), abs=1e-12)


def test_student_t_quantiles_equal_published_ones() -> None:
    assert t_quantile(floats(1, 4, 10, 30)) == pytest.approx([12.706, 2.776, 2.228, 2.042], abs=5e-4)
    assert t_quantile(floats(40, 60, 120, 1e6)) == pytest.approx([2.0211, 2.0003, 1.9799, 1.95997], abs=5e-4)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=40))
def test_mean_interval_equals_the_slow_one(values: list[int]) -> None:
    n, mean = len(values), sum(values) / len(values)
    spread = sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
    low, high = mean_interval(floats(n), floats(sum(values)), floats(sum(v * v for v in values)))
    if len(set(values)) == 1:
        assert np.isnan(low[0])
        assert np.isnan(high[0])
        return
    half = t_quantile(floats(n - 1))[0] * spread
    assert (low[0], high[0]) == pytest.approx((mean - half, mean + half), abs=1e-7)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_a_balance_is_never_certain_and_holds_its_value(good: int, bad: int, between: int) -> None:
    n = good + bad + between
    low, high = balance_interval(floats(n), floats(good - bad), floats(good + bad))
    if n == 0:
        assert np.isnan(low[0])
        return
    assert -1 <= low[0] <= (good - bad) / n <= high[0] <= 1
    assert high[0] - low[0] > 0.05
    added = [1] * good + [-1] * bad + [0] * between
    mean = sum(added) / (n + 3)
    spread = (sum(v * v for v in added) + 0.75 + 0.75) / (n + 3) - mean**2
    assert low[0] == pytest.approx(min(max(mean - Z * sqrt(spread / (n + 3)), -1), (good - bad) / n))


def test_a_ratio_of_equal_weights_is_worth_its_cases() -> None:
    # 0/1 parts of whole 1: the linearised variance is that of a share, but for n ÷ (n − 1).
    cases = effective_cases(floats(50), floats(20), floats(50), (floats(20), floats(20), floats(50)))
    assert cases[0] == pytest.approx(49, abs=1e-9)


def test_a_ratio_over_clumped_cases_is_worth_fewer() -> None:
    part, whole = np.array([10, 0, 10, 0, 10, 0]), np.full(6, 10)
    squares = (floats((part**2).sum()), floats((part * whole).sum()), floats((whole**2).sum()))
    cases = effective_cases(floats(6), floats(part.sum()), floats(whole.sum()), squares)
    assert cases[0] == pytest.approx(5)


@pytest.mark.parametrize("n", [6, 7, 10, 25, 101, 1000, 1001, 5000])
def test_median_ranks_cover_the_median_at_least_95_times_in_100(n: int) -> None:
    ranks = median_ranks(n)
    assert ranks is not None
    low, high = ranks
    assert low + high == n + 1
    if n <= 1001:
        tail = sum(comb(n, k) for k in range(low)) / 2**n
        assert tail <= 0.025 + 1e-9
        assert sum(comb(n, k) for k in range(low + 2)) / 2**n > 0.025 or n == 1001


def test_medians_of_few_cases_have_no_interval() -> None:
    assert all(median_ranks(n) is None for n in range(6))


def slow_rank_correlation(pairs: list[tuple[int, int]]) -> float:
    def ranks(values: list[int]) -> list[float]:
        return [sum(o < v for o in values) + (sum(o == v for o in values) + 1) / 2 for v in values]

    x, y = ranks([a for a, _ in pairs]), ranks([b for _, b in pairs])
    mx, my = sum(x) / len(x), sum(y) / len(y)
    top = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return top / sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=4, max_size=60))
def test_spearman_from_a_table_equals_the_slow_one(pairs: list[tuple[int, int]]) -> None:
    table = np.zeros((6, 3), dtype=np.int64)
    for a, b in pairs:
        table[a, b] += 1
    found = spearman(table)
    if len({a for a, _ in pairs}) < 2 or len({b for _, b in pairs}) < 2:
        assert found is None
        return
    assert found is not None
    rho, low, high = found
    assert rho == pytest.approx(slow_rank_correlation(pairs), abs=1e-9)
    assert -1 <= low <= rho <= high <= 1


def test_the_bootstrap_repeats_itself_and_is_near_the_normal_interval() -> None:
    random = np.random.default_rng(3)
    one, two = random.normal(10, 2, 400), random.normal(9, 3, 300)
    first = bootstrap_difference(one, two, 2000, 7)
    assert first == bootstrap_difference(one, two, 2000, 7)
    assert first is not None
    error = sqrt(one.var(ddof=1) / 400 + two.var(ddof=1) / 300)
    middle = one.mean() - two.mean()
    assert first == pytest.approx((middle - Z * error, middle + Z * error), abs=0.06)


def test_the_bootstrap_of_single_cases_is_no_interval() -> None:
    assert bootstrap_difference(floats(1), floats(2, 3), 500, 1) is None

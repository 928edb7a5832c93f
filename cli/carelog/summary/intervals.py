"""95 % intervals, on whole columns at once. Each names its source, so that a reader can check it."""

from __future__ import annotations

from math import lgamma

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""

_T = (
    12.7062047362, 4.3026527297, 3.1824463053, 2.7764451052, 2.5705818356, 2.4469118511, 2.3646242516,
    2.3060041352,
    2.2621571628, 2.2281388520, 2.2009851601, 2.1788128297, 2.1603686565, 2.1447866879, 2.1314495456,
    2.1199052992,
    2.1098155778, 2.1009220402, 2.0930240544, 2.0859634473, 2.0796138447, 2.0738730679, 2.0686576104,
    2.0638985616,
    2.0595385528, 2.0555294386, 2.0518305165, 2.0484071418, 2.0452296421, 2.0422724563,
)  # fmt: skip

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]


def wilson(successes: Floats, cases: Floats) -> Pair:
    """Score interval of a proportion (Wilson 1927). NaN where there are no cases. `cases` may be effective,
    not whole.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = successes / cases
        middle = (share + Z**2 / (2 * cases)) / (1 + Z**2 / cases)
        half = Z / (1 + Z**2 / cases) * np.sqrt(share * (1 - share) / cases + Z**2 / (4 * cases**2))
    # At 0 and 1 the formula is exact, its floating-point value is not.
    low = np.where(share == 0, 0.0, np.maximum(middle - half, 0.0))
    high = np.where(share == 1, 1.0, np.minimum(middle + half, 1.0))
    return np.where(cases > 0, low, np.nan), np.where(cases > 0, high, np.nan)


def newcombe(successes_1: Floats, cases_1: Floats, successes_2: Floats, cases_2: Floats) -> Pair:
    """Interval of p1 − p2 of two independent proportions (Newcombe 1998, method 10: from the two Wilson
    intervals).
    """
    low_1, high_1 = wilson(successes_1, cases_1)
    low_2, high_2 = wilson(successes_2, cases_2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share_1, share_2 = successes_1 / cases_1, successes_2 / cases_2
    difference = share_1 - share_2
    low = difference - np.sqrt((share_1 - low_1) ** 2 + (high_2 - share_2) ** 2)
    high = difference + np.sqrt((high_1 - share_1) ** 2 + (share_2 - low_2) ** 2)
    return low, high


def effective_cases(
    n: Floats, parts: Floats, wholes: Floats, squares: tuple[Floats, Floats, Floats]
) -> Floats:
    """How many independent cases a ratio Σpart ÷ Σwhole over n interactions is worth.

    The ratio's linearised variance (Cochran 1977, 6.4) is Σ(part − R·whole)² ÷ (Σwhole)² · n ÷ (n − 1); the
    effective number is R(1 − R) ÷ variance. `squares` are Σpart², Σpart·whole, Σwhole². Where the variance is
    0, n itself.
    """
    part_2, cross, whole_2 = squares
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = parts / wholes
        spread = np.maximum(part_2 - 2 * ratio * cross + ratio**2 * whole_2, 0.0)
        variance = spread / wholes**2 * n / (n - 1)
        cases = ratio * (1 - ratio) / variance
    # Rounding leaves 1e-12 where the variance is 0 in truth; never more cases than there are interactions
    # with weight.
    usable = np.isfinite(cases) & (variance > 1e-15)
    return np.where(usable, cases, n)


def mean_interval(n: Floats, total: Floats, squares: Floats) -> Pair:
    """Student's t interval of a mean from n, Σx and Σx².

    NaN below two cases, and where all cases are alike: that is no certainty.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        variance = np.maximum(squares - total**2 / n, 0.0) / (n - 1)
        half = t_quantile(n - 1) * np.sqrt(variance / n)
    enough = (n >= 2) & (variance > 1e-12)
    return np.where(enough, mean - half, np.nan), np.where(enough, mean + half, np.nan)


def balance_interval(n: Floats, total: Floats, squares: Floats) -> Pair:
    """Interval of a mean of cases that are 1, 0 or −1, such as a net promoter score before it is multiplied
    by 100.

    Adjusted Wald (Rocks 2016): three cases are added, 3/4 for, 3/4 against and 3/2 between, so that a few
    cases that are all alike are not taken for certainty. NaN where there are no cases.
    """
    cases = n + 3
    mean = total / cases
    half = Z * np.sqrt(np.maximum((squares + 1.5) / cases - mean**2, 0.0) / cases)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = total / n
    low = np.minimum(np.maximum(mean - half, -1.0), value)
    high = np.maximum(np.minimum(mean + half, 1.0), value)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def t_quantile(degrees: Floats) -> Floats:
    """The 97.5th percentile of Student's t: a table up to 30 degrees, then its expansion (Abramowitz–Stegun
    26.7.5).
    """
    table = np.array(_T)
    place = np.clip(np.nan_to_num(degrees, nan=1.0), 1, len(table)).astype(np.int64) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        large = Z + (Z**3 + Z) / (4 * degrees) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * degrees**2)
    return np.where(degrees <= len(table), table[place], large)


def median_ranks(cases: int) -> tuple[int, int] | None:
    """Ranks (from 1) of the order statistics between which the median lies with at least 95 % (David &
    Nagaraja 2003, 7.1).

    None below 6 cases, where no two of them are enough. Exact binomial up to 1,000 cases, then the normal
    approximation rounded outward.
    """
    if cases < 6:
        return None
    if cases > 1000:
        low = int(np.floor(cases / 2 - Z * np.sqrt(cases) / 2))
        return max(low, 1), cases - max(low, 1) + 1
    tail, rank = 0.0, 0
    while True:
        tail += float(
            np.exp(lgamma(cases + 1) - lgamma(rank + 1) - lgamma(cases - rank + 1) - cases * np.log(2))
        )
        if tail > 0.025:
            return rank, cases - rank + 1
        rank += 1


def spearman(table: NDArray[np.int64]) -> tuple[float, float, float] | None:
    """Spearman's ρ with ties from a table of counts (rows × columns in rank order), and its interval by
    Fisher's z.

    The standard error is Bonett and Wright's (2000) √((1 + ρ²/2) ÷ (n − 3)). None below 4 cases or where a
    side has one value.
    """
    counts = np.asarray(table, dtype=np.float64)
    n = counts.sum()
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    if n < 4 or (rows > 0).sum() < 2 or (columns > 0).sum() < 2:
        return None
    row_ranks = np.cumsum(rows) - (rows - 1) / 2 - (n + 1) / 2
    column_ranks = np.cumsum(columns) - (columns - 1) / 2 - (n + 1) / 2
    covariance = (counts * np.outer(row_ranks, column_ranks)).sum()
    rho = float(covariance / np.sqrt((rows * row_ranks**2).sum() * (columns * column_ranks**2).sum()))
    rho = max(-1.0, min(1.0, rho))
    if abs(rho) == 1.0:
        return rho, rho, rho
    centre, half = np.arctanh(rho), Z * np.sqrt((1 + rho**2 / 2) / (n - 3))
    return rho, float(np.tanh(centre - half)), float(np.tanh(centre + half))


def bootstrap_difference(
    first: Floats, second: Floats, resamples: int, seed: int, most_draws: int = 40_000_000
) -> tuple[float, float] | None:
    """Percentile interval of mean(first) − mean(second) by a seeded bootstrap (Efron and Tibshirani 1993,
    13.3).

    None below two cases on either side. Both columns must come in a fixed order, or the same seed draws other
    cases. Large columns get fewer resamples (`most_draws` in all, never below 200), where the interval hardly
    moves any more.
    """
    if min(len(first), len(second)) < 2:
        return None
    rounds = max(200, min(resamples, most_draws // (len(first) + len(second))))
    random = np.random.Generator(np.random.PCG64(seed))
    differences = _resampled_means(first, rounds, random) - _resampled_means(second, rounds, random)
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def _resampled_means(values: Floats, rounds: int, random: np.random.Generator) -> Floats:
    means = np.empty(rounds)
    for start in range(rounds):
        means[start] = values[random.integers(0, len(values), len(values))].mean()
    return means

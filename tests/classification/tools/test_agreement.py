"""Figures of agreement, against a slow and plain computation and against published values."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carelog.classification.agreement import (
    cohen_kappa,
    count_confusion,
    evaluate_sheets,
    krippendorff_alpha,
    macro_f1,
    score_flag,
)
from carelog.classification.sheets import ALL_LABELS, CHOICES, FLAGS, Sheet, agree_sheets
from carelog.labels import ACTIVITIES, STAGES

pairs = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), max_size=40)


def slow_f1(pairs: list[tuple[int, int]], value: int) -> float | None:
    hits = sum(g == value and t == value for g, t in pairs)
    total = sum(g == value for g, _ in pairs) + sum(t == value for _, t in pairs)
    return 2 * hits / total if total else None


def slow_kappa(pairs: list[tuple[int, int]]) -> float | None:
    """Observed against expected agreement, pair by pair (Cohen 1960)."""
    if not pairs:
        return None
    n = len(pairs)
    observed = sum(g == t for g, t in pairs) / n
    gold, given_ = Counter(g for g, _ in pairs), Counter(t for _, t in pairs)
    expected = sum(gold[v] * given_[v] for v in gold) / n**2
    return None if expected >= 1 - 1e-12 else (observed - expected) / (1 - expected)


def slow_alpha(units: list[list[int]]) -> float | None:
    """One minus observed over expected disagreement, over all ordered pairs of values (Krippendorff 2011)."""
    paired = [u for u in units if len(u) >= 2]
    values = [v for u in paired for v in u]
    n = len(values)
    if not n:
        return None
    observed = sum(sum(a != b for a, b in permutations(u, 2)) / (len(u) - 1) for u in paired) / n
    expected = sum(a != b for a, b in permutations(values, 2)) / (n * (n - 1))
    return 1 - observed / expected if expected else None


def codes(values: list[int]) -> np.ndarray:
    return np.array(values, np.int8)


@given(pairs)
def test_choices_agree_with_the_slow_way(cells: list[tuple[int, int]]) -> None:
    confusion = count_confusion(codes([g for g, _ in cells]), codes([t for _, t in cells]), 4)
    known = [(g, 4 if t < 0 else t) for g, t in cells if g >= 0]
    assert confusion.sum() == len(known)
    parts = [f for f in (slow_f1(known, v) for v in range(4)) if f is not None]
    assert macro_f1(confusion, 4) == (pytest.approx(sum(parts) / len(parts)) if parts else None)
    assert cohen_kappa(confusion) == pytest.approx(slow_kappa(known))


@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 1)), max_size=40))
def test_flags_agree_with_the_slow_way(cells: list[tuple[int, int]]) -> None:
    score = score_flag(codes([g for g, _ in cells]), codes([t for _, t in cells]))
    known = [(g, max(t, 0)) for g, t in cells if g >= 0]
    assert score.n == len(known)
    assert score.f1 == slow_f1(known, 1)
    assert score.kappa == pytest.approx(slow_kappa(known))
    hits = sum(g == t == 1 for g, t in known)
    assert (score.precision or 0) * score.given == pytest.approx(hits)
    assert (score.recall or 0) * score.gold == pytest.approx(hits)


@given(st.lists(st.lists(st.integers(-1, 3), min_size=3, max_size=3), max_size=12))
def test_alpha_agrees_with_the_slow_way(units: list[list[int]]) -> None:
    table = np.array(units, np.int8).reshape(len(units), 3).T
    assert krippendorff_alpha(table) == pytest.approx(slow_alpha([[v for v in u if v >= 0] for u in units]))


def test_alpha_is_that_of_the_published_example() -> None:
    # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: four observers, 0.743.
    readers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, -1, -1, -1],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, -1, 3],
        [-1, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, -1],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, -1],
    ]
    assert krippendorff_alpha(np.array(readers, np.int8)) == pytest.approx(0.743, abs=0.0005)


def sheet(seed: int, n: int, holes: bool) -> Sheet:
    """Labels by chance; with holes some are unknown."""
    random = np.random.default_rng(seed)
    sizes = {**{name: len(values) for name, values in CHOICES.items()}, **dict.fromkeys(FLAGS, 2)}
    low = -1 if holes else 0
    made = {name: random.integers(low, sizes[name], n).astype(np.int8) for name in ALL_LABELS}
    return Sheet(tuple(f"i{k}" for k in range(n)), made, (None,) * n)


@pytest.mark.parametrize("seed", range(5))
def test_the_summary_figures_agree_with_the_slow_way(seed: int) -> None:
    gold, tool = sheet(seed, 60, holes=True), sheet(seed + 100, 60, holes=False)
    figures = evaluate_sheets(gold, tool).figures
    rows = range(60)
    activities = [f"activity.{a}" for a in ACTIVITIES]
    known = [(label, r) for label in activities for r in rows if gold.codes[label][r] >= 0]
    hits = sum(gold.codes[label][r] == tool.codes[label][r] == 1 for label, r in known)
    total = sum(int(gold.codes[label][r] == 1) + int(tool.codes[label][r] == 1) for label, r in known)
    assert figures["activities.micro_f1"] == pytest.approx(2 * hits / total)
    both = [(gold.codes["orientation"][r], tool.codes["orientation"][r]) for r in rows]
    clear = [(g, t) for g, t in both if g in (0, 1) and t in (0, 1)]
    accuracy = sum(g == t for g, t in clear) / len(clear)
    assert figures["orientation.care_or_service.accuracy"] == pytest.approx(accuracy)
    stages = []
    for stage in STAGES:
        g, t = gold.codes[f"stage.{stage}"], tool.codes[f"stage.{stage}"]
        stages.append(slow_f1([(int(g[r]), int(t[r])) for r in rows if g[r] >= 0], 1))
    assert figures["stages.mean_f1"] == pytest.approx(sum(s or 0 for s in stages) / len(STAGES))
    spoken = [(int(gold.codes["satisfaction"][r]), int(tool.codes["satisfaction"][r])) for r in rows]
    spoken = [(g, t) for g, t in spoken if g >= 0]
    wanted = sum(slow_f1(spoken, v) or 0 for v in range(3)) / 3
    assert figures["satisfaction.macro_f1"] == pytest.approx(wanted)


def test_in_words_leaves_out_rows_where_a_score_decides() -> None:
    gold, tool = sheet(1, 40, holes=False), sheet(2, 40, holes=False)
    words = np.arange(40) < 10
    few = np.flatnonzero(words)
    alone = evaluate_sheets(gold.take(few), tool.take(few)).figures["satisfaction.macro_f1"]
    assert evaluate_sheets(gold, tool, words).figures["satisfaction.words.macro_f1"] == alone
    clear = few[gold.codes["satisfaction"][few] != 3]
    known = evaluate_sheets(gold.take(clear), tool.take(clear)).figures["satisfaction.macro_f1"]
    assert evaluate_sheets(gold, tool, words).figures["satisfaction.words_known.macro_f1"] == known


def test_readers_agree_where_more_than_half_say_the_same() -> None:
    sheets = [sheet(seed, 50, holes=True) for seed in range(4)]
    agreed, every = agree_sheets(sheets)
    for number, label in enumerate(ALL_LABELS):
        for unit in range(50):
            said = [int(v) for v in every[number][:, unit] if v >= 0]
            most = Counter(said).most_common(1)
            clear = bool(most) and most[0][1] * 2 > len(said)
            assert agreed.codes[label][unit] == (most[0][0] if clear else -1)

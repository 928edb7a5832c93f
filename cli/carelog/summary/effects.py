"""Differences of two rates: with something and without it. They tell what goes together, never what causes
what.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np

from carelog.summary.figures import Figure, Interval, Metric
from carelog.summary.intervals import newcombe


def count_effects(engine: duckdb.DuckDBPyConnection, metrics: Sequence[Metric], period: int) -> list[Figure]:
    """For each metric: rate of `success` where `part` holds − rate where it does not, within `population`."""
    columns = ", ".join(
        f"""count(*) FILTER ({m.population} AND {m.part}),
        count(*) FILTER ({m.population} AND {m.part} AND {m.success}),
        count(*) FILTER ({m.population} AND NOT {m.part}),
        count(*) FILTER ({m.population} AND NOT {m.part} AND {m.success})"""
        for m in metrics
    )
    row = engine.execute(f"SELECT {columns} FROM contacts WHERE period = ?", [period]).fetchone()
    counts = row if row else (0,) * (4 * len(metrics))
    return [to_difference(m, *counts[4 * i : 4 * i + 4]) for i, m in enumerate(metrics)]


def to_difference(metric: Metric, n_with: int, hits_with: int, n_without: int, hits_without: int) -> Figure:
    """The difference of two rates as a figure, with Newcombe's interval; None where one side has no case."""
    n = n_with + n_without
    parts = {"n_with": n_with, "hits_with": hits_with, "n_without": n_without, "hits_without": hits_without}
    if not n_with or not n_without:
        return Figure(metric.name, None, n=n, unit=metric.unit, reason=metric.absent, parts=parts)
    low, high = newcombe(
        np.array([hits_with], float),
        np.array([n_with], float),
        np.array([hits_without], float),
        np.array([n_without], float),
    )
    value = hits_with / n_with - hits_without / n_without
    interval = Interval(float(low[0]), float(high[0]), "newcombe")
    return Figure(metric.name, value, n=n, interval=interval, unit=metric.unit, parts=parts)

"""Plain metrics by SQL: for one grouping, one query computes all of them, and columns become figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from carelog.summary.figures import Figure, Interval, Metric
from carelog.summary.intervals import balance_interval, effective_cases, mean_interval, median_ranks, wilson

Columns = dict[str, NDArray[np.float64]]


def _count_sql(condition: str) -> str:
    # A sum of small numbers is six times as fast here as count(*) FILTER.
    return f"sum((coalesce({condition}, false))::TINYINT)"


def _sum_sql(value: str, metric: Metric) -> str:
    return f"sum(CASE WHEN {metric.population} THEN {value} END)"


def list_states(metrics: Iterable[Metric]) -> dict[str, str]:
    """For each rate and spread the column of `contacts` that says what a row is to it, and its SQL.

    2 is a hit, 1 a case, 0 neither. Conditions are judged once there, and not again for every grouping.
    """
    return {_state(m): _state_sql(m) for m in metrics if m.kind in ("rate", "spread")}


def _state(metric: Metric) -> str:
    return f'"state of {metric.name}"'


def _state_sql(metric: Metric) -> str:
    case, hit = f"coalesce({metric.population}, false)", f"coalesce({metric.success or 'false'}, false)"
    return f"({case}::UTINYINT + ({case} AND {hit})::UTINYINT)::UTINYINT"


def _rate_columns(m: Metric) -> dict[str, str]:
    columns = {"n": _count_sql(f"{_state(m)} > 0"), "hits": _count_sql(f"{_state(m)} = 2")}
    if m.counts_customers:
        columns["customers"] = f"count(DISTINCT customer_id) FILTER ({_state(m)} = 2)"
    return columns


def _ratio_columns(m: Metric) -> dict[str, str]:
    # The engine sums 64-bit numbers into 128 bits: exact, and with it the bytes of the report.
    part, whole = f"({m.part})::BIGINT", f"({m.whole})::BIGINT"
    return {
        "n": _count_sql(m.population),
        "part": _sum_sql(part, m),
        "whole": _sum_sql(whole, m),
        "part_2": _sum_sql(f"{part} * {part}", m),
        "cross": _sum_sql(f"{part} * {whole}", m),
        "whole_2": _sum_sql(f"{whole} * {whole}", m),
    }


def _mean_columns(m: Metric) -> dict[str, str]:
    value = f"({m.value})::BIGINT"
    return {
        "n": _count_sql(m.population),
        "sum": _sum_sql(value, m),
        "sum_2": _sum_sql(f"{value} * {value}", m),
    }


def _count_columns(m: Metric) -> dict[str, str]:
    return {"n": "count(*)", "hits": _count_sql(m.success)}


def _rate_figures(m: Metric, c: Columns) -> list[Figure]:
    low, high = wilson(c["hits"], c["n"])
    figures = []
    for row in range(len(c["n"])):
        n, hits = int(c["n"][row]), int(c["hits"][row])
        if not n:
            figures.append(Figure(m.name, None, reason=m.absent, unit=m.unit))
            continue
        parts = {"customers": int(c["customers"][row])} if m.counts_customers else {}
        interval = Interval(float(low[row]), float(high[row]), "wilson")
        figures.append(Figure(m.name, hits / n, hits, n, n, interval, unit=m.unit, parts=parts))
    return figures


def _ratio_figures(m: Metric, c: Columns) -> list[Figure]:
    cases = effective_cases(c["n"], c["part"], c["whole"], (c["part_2"], c["cross"], c["whole_2"]))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = c["part"] / c["whole"]
    low, high = wilson(share * cases, cases)
    steps = 1_000_000 if "weight" in m.whole else 1
    figures = []
    for row in range(len(c["n"])):
        n, whole = int(c["n"][row]), c["whole"][row]
        if not n or not whole:
            figures.append(Figure(m.name, None, reason=m.absent, unit=m.unit))
            continue
        interval = Interval(float(low[row]), float(high[row]), "wilson_effective")
        part = c["part"][row] / steps
        parts = {"effective_n": round(float(cases[row]), 1)}
        figures.append(
            Figure(m.name, float(share[row]), part, whole / steps, n, interval, unit=m.unit, parts=parts)
        )
    return figures


def _mean_figures(m: Metric, c: Columns) -> list[Figure]:
    total, squares = c["sum"] / m.value_steps, c["sum_2"] / m.value_steps**2
    method = "adjusted_wald" if m.balance else "student_t"
    low, high = (balance_interval if m.balance else mean_interval)(c["n"], total, squares)
    figures = []
    for row in range(len(c["n"])):
        n = int(c["n"][row])
        if not n:
            figures.append(Figure(m.name, None, reason=m.absent, unit=m.unit))
            continue
        value = float(total[row] / n * m.scale)
        interval = _bounded(m, float(low[row]) * m.scale, float(high[row]) * m.scale, method)
        figures.append(Figure(m.name, value, float(total[row]), n, n, interval, unit=m.unit))
    return figures


def _bounded(m: Metric, low: float, high: float, method: str) -> Interval | None:
    if np.isnan(low):
        return None
    bottom, top = m.bounds or (-np.inf, np.inf)
    return Interval(max(low, float(bottom)), min(high, float(top)), method)


def _count_figures(m: Metric, c: Columns) -> list[Figure]:
    return [
        Figure(m.name, int(hits), int(hits), None, int(n), unit=m.unit)
        for n, hits in zip(c["n"], c["hits"], strict=True)
    ]


KINDS: dict[str, tuple[Callable[[Metric], dict[str, str]], Callable[[Metric, Columns], list[Figure]]]] = {
    "rate": (_rate_columns, _rate_figures),
    "ratio": (_ratio_columns, _ratio_figures),
    "mean": (_mean_columns, _mean_figures),
    "count": (_count_columns, _count_figures),
}


def without_customers(metric: Metric) -> Metric:
    """The metric without its count of distinct customers, which is slow and which groups give once for all
    metrics.
    """
    return replace(metric, counts_customers=False) if metric.counts_customers else metric


Keyed = dict[str | None, dict[str, Figure]]


def count_plain(
    engine: duckdb.DuckDBPyConnection, metrics: Iterable[Metric], key: str, period: int
) -> tuple[Keyed, dict[str | None, tuple[int, int]]]:
    """Figures of every plain metric for every key (an SQL text) in `period`; and interactions and customers
    per key.
    """
    chosen = list(metrics)
    plain = [m for m in chosen if m.kind in KINDS]
    columns = {f"m{i}_{name}": sql for i, m in enumerate(plain) for name, sql in KINDS[m.kind][0](m).items()}
    select = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    rows = engine.execute(
        f"""
        SELECT {key} AS key, count(*) AS interactions, count(DISTINCT customer_id) AS customers, {select}
        FROM contacts WHERE period = {period} GROUP BY 1 ORDER BY 1 NULLS LAST
        """
    ).fetchall()
    keys: list[str | None] = [row[0] for row in rows]
    found = dict(zip(columns, _to_columns(rows, 3, len(columns)), strict=True))
    keyed: Keyed = {k: {} for k in keys}
    for i, metric in enumerate(plain):
        prefix = f"m{i}_"
        mine = {n.removeprefix(prefix): values for n, values in found.items() if n.startswith(prefix)}
        for k, figure in zip(keys, KINDS[metric.kind][1](metric, mine), strict=True):
            keyed[k][metric.name] = figure
    _add_spreads(engine, [m for m in chosen if m.kind == "spread"], key, period, keyed)
    return keyed, {row[0]: (row[1], row[2]) for row in rows}


def _to_columns(rows: list[tuple[Any, ...]], first: int, width: int) -> NDArray[np.float64]:
    """Rows of counts and sums, from position `first` on, as one array of floats per column; NULL is 0."""
    values = [[0.0 if v is None else float(v) for v in row[first:]] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), width).T


def _add_spreads(
    engine: duckdb.DuckDBPyConnection, metrics: Sequence[Metric], key: str, period: int, keyed: Keyed
) -> None:
    """Median, 90th percentile and the median's interval: values sorted once per metric and key, read at their
    ranks.
    """
    for metric in metrics:
        where = f"period = {period} AND {_state(metric)} = 1"
        sizes = dict(
            engine.execute(f"SELECT {key}, count(*) FROM contacts WHERE {where} GROUP BY 1").fetchall()
        )
        keys = list(sizes)
        found = engine.execute(
            f"""
            SELECT wanted.key, list_transform(ranks, lambda r: ordered[r]) FROM (
                SELECT {key} AS key, list_sort(list({metric.value})) AS ordered FROM contacts WHERE {where}
                    GROUP BY 1
            ) AS sorted JOIN (SELECT unnest($1::VARCHAR[]) AS key, unnest($2::BIGINT[][]) AS ranks) AS wanted
                ON sorted.key IS NOT DISTINCT FROM wanted.key
            """,
            [keys, [_ranks(sizes[k]) for k in keys]],
        ).fetchall()
        values = dict(found)
        for k, figures in keyed.items():
            figures[metric.name] = _to_spread(metric, sizes.get(k, 0), values.get(k, []))


def _ranks(n: int) -> list[int]:
    """The ranks (from 1) that a spread of n values needs: two for the median, two for p90, two for the
    median's interval.
    """
    low, high = median_ranks(n) or (1, n)
    at_90 = 0.9 * (n - 1)
    return [(n + 1) // 2, n // 2 + 1, int(at_90) + 1, min(int(at_90) + 2, n), low, high]


def _to_spread(metric: Metric, n: int, values: list[int]) -> Figure:
    if not n:
        return Figure(metric.name, None, reason=metric.absent, unit=metric.unit)
    middle_1, middle_2, below, above, low, high = (v / metric.value_steps for v in values)
    weight = 0.9 * (n - 1) % 1
    parts = {"p90": round(below + (above - below) * weight, 6)}
    interval = Interval(low, high, "order_statistics") if median_ranks(n) else None
    return Figure(
        metric.name, (middle_1 + middle_2) / 2, n=n, interval=interval, unit=metric.unit, parts=parts
    )

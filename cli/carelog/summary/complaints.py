"""Complaints: how many are heard, how fast they are answered, how they end, and what they are about."""

from __future__ import annotations

import duckdb
import numpy as np

from carelog.labels import ASPECTS, OUTCOMES
from carelog.summary.figures import Figure, Interval, Metric
from carelog.summary.intervals import balance_interval

ASPECT_TITLES = {
    "quality": "Quality",
    "price": "Price",
    "range": "Range",
    "attitude": "Attitude",
    "knowledge": "Knowledge",
    "service_quality": "Quality of service",
    "technical_support": "Technical support",
}
OUTCOME_TITLES = {
    "resolved": "Resolved",
    "unresolved": "Unresolved",
    "escalated": "Escalated",
    "promised": "Promised",
    "unknown": "Unknown",
}

COMPLAINT_RATE = Metric(
    name="complaint_rate",
    title="Complaints",
    formula="interactions with complaint ÷ assessable interactions",
    unit="share",
    kind="rate",
    population="assessable",
    success="does_complaint",
    exclusions="not assessable",
    counts_customers=True,
)


def _outcome(name: str) -> Metric:
    return Metric(
        name=f"complaint_outcome.{name}",
        title=OUTCOME_TITLES[name],
        formula=f"complaints with outcome {name} ÷ complaints",
        unit="share",
        kind="rate",
        population="assessable AND does_complaint",
        success=f"outcome = '{name}'" if name != "unknown" else "coalesce(outcome, 'unknown') = 'unknown'",
    )


def _time(name: str, title: str, column: str, words: str) -> Metric:
    return Metric(
        name=name,
        title=title,
        formula=f"median and 90th percentile of {words}, complaints only",
        unit="seconds",
        kind="spread",
        population=f"assessable AND does_complaint AND {column} IS NOT NULL",
        value=column,
        value_steps=1000,
        exclusions="time unknown",
        higher_is="worse",
        absent="no_times",
    )


def _balance(name: str, complaints_only: bool) -> Metric:
    prefix, words = ("complaint_aspect", " in complaints") if complaints_only else ("aspect_balance", "")
    return Metric(
        name=f"{prefix}.{name}",
        title=ASPECT_TITLES[name],
        formula=f"(positive − negative) ÷ mentions of {name}{words}",
        unit="share_points",
        kind="special",
        population="assessable AND does_complaint" if complaints_only else "assessable",
        part=name,
        higher_is="better",
        absent="no_mentions",
    )


BALANCES = tuple(_balance(name, only) for only in (False, True) for name in ASPECTS)
METRICS = (
    COMPLAINT_RATE,
    *(_outcome(name) for name in OUTCOMES),
    _time(
        "complaint_first_response_time",
        "First response to complaints",
        "first_response",
        "the time to first response",
    ),
    _time("complaint_resolution_time", "Resolution of complaints", "resolution", "the time to resolution"),
    *BALANCES,
)


def create_mentions(engine: duckdb.DuckDBPyConnection, relation: str) -> None:
    """The table `mentions`: one row per aspect mentioned, with `system`, `interaction_id`, `aspect`, `sign`
    (1, 0, −1).
    """
    engine.execute(
        f"""
        CREATE TEMP TABLE mentions AS
        SELECT DISTINCT ON (system, interaction_id, position) system, interaction_id, mention.aspect AS
            aspect,
            CASE mention.polarity WHEN 'positive' THEN 1 WHEN 'negative' THEN -1 ELSE 0 END AS sign
        FROM (
            SELECT coalesce(source.system, '') AS system, interaction_id, unnest(aspects) AS mention,
                generate_subscripts(aspects, 1) AS position
            FROM ({relation}) WHERE len(aspects) > 0
        ) ORDER BY ALL
        """
    )


def count_balances(engine: duckdb.DuckDBPyConnection, period: int) -> list[Figure]:
    """(positive − negative) ÷ mentions per aspect, over all interactions and over complaints."""
    rows = engine.execute(
        """
        SELECT aspect, does_complaint, count(*), sum(sign), sum(sign * sign)
        FROM mentions JOIN contacts USING (system, interaction_id)
        WHERE period = ? AND assessable GROUP BY ALL
        """,
        [period],
    ).fetchall()
    figures = []
    for metric in BALANCES:
        only = metric.name.startswith("complaint_")
        chosen = [row[2:] for row in rows if row[0] == metric.part and (row[1] or not only)]
        n, total, squares = (sum(column) for column in zip(*chosen, strict=True)) if chosen else (0, 0, 0)
        figures.append(_to_balance(metric, n, total, squares))
    return figures


def _to_balance(metric: Metric, n: int, total: int, squares: int) -> Figure:
    if not n:
        return Figure(metric.name, None, unit=metric.unit, reason=metric.absent)
    columns = np.array([[n], [total], [squares]], dtype=float)
    low, high = balance_interval(*columns)
    interval = Interval(float(low[0]), float(high[0]), "adjusted_wald")
    return Figure(metric.name, total / n, total, n, n, interval, unit=metric.unit)

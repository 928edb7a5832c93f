"""Loyalty: what customers do afterwards. Whoever received care may differ in other ways too: never called
causal.
"""

from __future__ import annotations

import duckdb
import numpy as np
from numpy.typing import NDArray

from carelog.settings import Settings
from carelog.summary.effects import to_difference
from carelog.summary.figures import Figure, Interval, Metric
from carelog.summary.intervals import bootstrap_difference
from carelog.summary.journey import to_rate

CHURN_RISK = Metric(
    name="churn_risk_rate",
    title="Churn risk",
    formula="interactions with churn risk ÷ assessable interactions",
    unit="share",
    kind="rate",
    population="assessable AND churn_risk IS NOT NULL",
    success="churn_risk",
    exclusions="not assessable",
    higher_is="worse",
    counts_customers=True,
)
LOYALTY = Metric(
    name="loyalty_rate",
    title="Loyalty",
    formula="interactions in which the customer speaks of returning, recommending or long loyalty ÷ "
    "assessable ones",
    unit="share",
    kind="rate",
    population="assessable AND loyalty IS NOT NULL",
    success="loyalty",
    exclusions="not assessable",
    higher_is="better",
    counts_customers=True,
)
SIDES = ("satisfied", "dissatisfied")


def list_metrics(settings: Settings) -> tuple[Metric, ...]:
    """The metrics of this family under these settings."""
    return (
        CHURN_RISK,
        LOYALTY,
        *_return_metrics(settings["windows.loyalty_days"]),
        *_spend_metrics(settings),
    )


def _return_metrics(days: int) -> tuple[Metric, ...]:
    rates = tuple(
        Metric(
            name=f"care_loyalty.{side}",
            title=f"Return when first {side}",
            formula=f"customers with a further contact or order within {days} days ÷ customers whose "
            "first contact was "
            f"{side} and whose {days} days are complete",
            unit="share",
            kind="special",
            exclusions="customer unknown; first contact before the period; window not complete",
            higher_is="better",
            absent="no_complete_window",
        )
        for side in SIDES
    )
    difference = Metric(
        name="care_loyalty",
        title="Return: satisfied − dissatisfied",
        formula=f"rate that returns within {days} days, first contact satisfied − dissatisfied",
        unit="share_points",
        kind="special",
        exclusions="customer unknown; first contact before the period; window not complete",
        higher_is="better",
        absent="one_side_empty",
    )
    return (*rates, difference)


def _spend_metrics(settings: Settings) -> tuple[Metric, ...]:
    days, value_days = settings["windows.loyalty_days"], settings["windows.value_days"]
    orders = tuple(
        Metric(
            name=f"care_loyalty.orders.{side}",
            title=f"Orders when first {side}",
            formula=f"orders within {days} days ÷ customers whose first contact was {side} and whose "
            f"{days} days are complete",
            unit="score",
            kind="special",
            higher_is="better",
            absent="no_orders",
        )
        for side in SIDES
    )
    spend = tuple(
        Metric(
            name=f"care_loyalty.spend.{side}",
            title=f"Spend per visit when first {side}",
            formula=f"net amount ÷ orders within {days} days, customers whose first contact was {side}; "
            "one currency",
            unit="money",
            kind="special",
            higher_is="better",
            absent="no_orders",
        )
        for side in SIDES
    )
    value = Metric(
        name="value_of_care",
        title="Value of care",
        formula=f"order amount per customer within {value_days} days after a first contact of care or "
        "mixed − the same for "
        "customers with service contacts only; a difference, not a cause",
        unit="money",
        kind="special",
        exclusions="customer unknown; window not complete; other currencies than the most frequent",
        higher_is="better",
        absent="no_orders",
    )
    return (*orders, *spend, value)


def count_loyalty(engine: duckdb.DuckDBPyConnection, settings: Settings, period: int) -> list[Figure]:
    """What customers do after a first contact that satisfied them or not, and after care or service."""
    metrics = {metric.name: metric for metric in list_metrics(settings)}
    currency = _main_currency(engine)
    firsts = _count_firsts(engine, settings["windows.loyalty_days"], period, currency)
    rates = [to_rate(metrics[f"care_loyalty.{side}"], firsts[side][1], firsts[side][0]) for side in SIDES]
    good, bad = firsts["satisfied"], firsts["dissatisfied"]
    difference = to_difference(metrics["care_loyalty"], good[0], good[1], bad[0], bad[1])
    spend = [f for side in SIDES for f in _spend(metrics, side, firsts[side], currency)]
    return [*rates, difference, *spend, _value_of_care(engine, settings, period, currency)]


def _main_currency(engine: duckdb.DuckDBPyConnection) -> str | None:
    """The currency of most orders; amounts of different currencies are never added."""
    row = engine.execute(
        "SELECT currency FROM contacts WHERE amount IS NOT NULL AND currency IS NOT NULL GROUP BY ALL "
        "ORDER BY count(*) DESC, currency LIMIT 1"
    ).fetchone()
    return row[0] if row else None


Firsts = dict[str, tuple[int, int, int, float]]


def _count_firsts(engine: duckdb.DuckDBPyConnection, days: int, period: int, currency: str | None) -> Firsts:
    """Per side: customers, those that returned, their orders, and the net amount of these."""
    rows = engine.execute(
        f"""
        WITH firsts AS (
            SELECT customer_id, instant AS began, satisfaction_label AS side, next_at
            FROM contacts
            WHERE period = ? AND customer_id IS NOT NULL AND earlier = 0
                AND satisfaction_label IN ('satisfied', 'dissatisfied') AND instant + INTERVAL {days} DAY
                    <= known_until
        ), spent AS (
            SELECT customer_id, count(*) FILTER (order_kind = 'sale') AS orders, sum(amount) AS amount
            FROM contacts JOIN firsts USING (customer_id)
            WHERE instant > began AND instant <= began + INTERVAL {days} DAY AND amount IS NOT NULL AND
                currency = ?
            GROUP BY customer_id
        )
        SELECT side, count(*), count(*) FILTER (next_at <= began + INTERVAL {days} DAY),
            coalesce(sum(orders), 0), coalesce(sum(amount), 0)
        FROM firsts LEFT JOIN spent USING (customer_id) GROUP BY side
        """,
        [period, currency],
    ).fetchall()
    found: Firsts = dict.fromkeys(SIDES, (0, 0, 0, 0.0))
    for side, n, returned, orders, amount in rows:
        found[side] = (int(n), int(returned), int(orders), float(amount))
    return found


def _spend(
    metrics: dict[str, Metric], side: str, first: tuple[int, int, int, float], currency: str | None
) -> list[Figure]:
    n, _, orders, amount = first
    per_customer, per_visit = metrics[f"care_loyalty.orders.{side}"], metrics[f"care_loyalty.spend.{side}"]
    if currency is None or not n:
        reason = "no_orders" if currency is None else "no_complete_window"
        return [Figure(m.name, None, unit=m.unit, n=n, reason=reason) for m in (per_customer, per_visit)]
    visits = Figure(per_customer.name, orders / n, orders, n, n, unit="score")
    if not orders:
        return [visits, Figure(per_visit.name, None, unit="money", currency=currency, reason="no_orders")]
    return [
        visits,
        Figure(per_visit.name, amount / orders, amount, orders, orders, unit="money", currency=currency),
    ]


def _value_of_care(
    engine: duckdb.DuckDBPyConnection, settings: Settings, period: int, currency: str | None
) -> Figure:
    name = "value_of_care"
    if currency is None:
        return Figure(name, None, unit="money", reason="no_orders")
    care, service = _amounts_after(engine, settings["windows.value_days"], period, currency)
    parts: dict[str, float] = {"n_care": len(care), "n_service": len(service)}
    n = len(care) + len(service)
    if not len(care) or not len(service):
        return Figure(name, None, n=n, unit="money", currency=currency, reason="one_side_empty", parts=parts)
    ends = bootstrap_difference(care, service, settings["bootstrap.resamples"], settings["bootstrap.seed"])
    parts |= {"mean_care": float(care.mean()), "mean_service": float(service.mean())}
    interval = Interval(ends[0], ends[1], "bootstrap") if ends else None
    value = float(care.mean() - service.mean())
    return Figure(name, value, n=n, interval=interval, unit="money", currency=currency, parts=parts)


def _amounts_after(
    engine: duckdb.DuckDBPyConnection, days: int, period: int, currency: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Net order amount per customer in the days after the first care contact, and after the first of service
    only.
    """
    rows = engine.execute(
        f"""
        WITH judged AS (
            SELECT customer_id, instant, orientation IN ('care', 'mixed') AS cares
            FROM contacts WHERE period = ? AND customer_id IS NOT NULL AND assessable
                AND orientation IN ('care', 'mixed', 'service')
        ), begun AS (
            SELECT customer_id, bool_or(cares) AS cared,
                coalesce(min(instant) FILTER (cares), min(instant)) AS began
            FROM judged GROUP BY customer_id
        ), complete AS (
            SELECT * FROM begun
            WHERE began + INTERVAL {days} DAY <= (SELECT max(known_until) FROM contacts)
        ), spent AS (
            SELECT customer_id, sum(amount) AS amount FROM contacts JOIN complete USING (customer_id)
            WHERE instant > began AND instant <= began + INTERVAL {days} DAY AND amount IS NOT NULL AND
                currency = ?
            GROUP BY customer_id
        )
        SELECT cared, coalesce(amount, 0)::DOUBLE AS amount
        FROM complete LEFT JOIN spent USING (customer_id) ORDER BY customer_id
        """,
        [period, currency],
    ).fetchall()
    care = [amount for cared, amount in rows if cared]
    service = [amount for cared, amount in rows if not cared]
    return np.array(care, dtype=np.float64), np.array(service, dtype=np.float64)

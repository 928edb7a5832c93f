"""The journey: where on it the contacts come from, where customers go next, where they leave, and who has to
come again.
"""

from __future__ import annotations

import duckdb
import numpy as np

from carelog.labels import TOUCHPOINTS
from carelog.settings import Settings
from carelog.summary.effects import count_effects
from carelog.summary.figures import Figure, Interval, Metric, Table
from carelog.summary.intervals import wilson

TOUCHPOINT_TITLES = {
    "awareness": "Awareness",
    "search": "Search",
    "visit": "Visit",
    "order": "Order",
    "delivery": "Delivery",
    "use": "Use",
    "support": "Support",
    "renewal": "Renewal",
    "exit": "Exit",
}


def _touchpoint(name: str) -> Metric:
    return Metric(
        name=f"journey.{name}",
        title=TOUCHPOINT_TITLES[name],
        formula=f"interactions at touchpoint {name} ÷ interactions with a known touchpoint",
        unit="share",
        kind="rate",
        population="touchpoint IS NOT NULL",
        success=f"touchpoint = '{name}'",
        exclusions="touchpoint unknown",
    )


def _exit_point(name: str) -> Metric:
    return Metric(
        name=f"exit_point.{name}",
        title=TOUCHPOINT_TITLES[name],
        formula=f"customers with churn risk or cancel whose last touchpoint is {name} ÷ all such "
        "customers with one",
        unit="share",
        kind="special",
        part=name,
        exclusions="customer unknown; touchpoint unknown",
        absent="no_leavers",
    )


RETURNING = Metric(
    name="returning_customer_rate",
    title="Returning customers",
    formula="customers with two or more contacts ÷ customers (not retention: contacts cannot know who "
    "stayed)",
    unit="share",
    kind="special",
    exclusions="customer unknown",
    absent="no_customers",
)
CONTACT_RATE = Metric(
    name="contact_rate",
    title="Contacts per order",
    formula="contacts ÷ orders, where orders are known",
    unit="per_order",
    kind="special",
    exclusions="returns, exchanges and voids are no orders",
    higher_is="worse",
    absent="no_orders",
)


def list_metrics(settings: Settings) -> tuple[Metric, ...]:
    """The metrics of this family under these settings."""
    repeats = _repeat_metrics(settings["windows.repeat_days"])
    return (
        *(_touchpoint(name) for name in TOUCHPOINTS),
        *repeats,
        *_proactive_effects(),
        RETURNING,
        CONTACT_RATE,
        *(_exit_point(name) for name in TOUCHPOINTS),
    )


def _repeat_metrics(days: int) -> tuple[Metric, ...]:
    censored = f"contacts whose {days} days are not complete (counted as censored)"
    return (
        Metric(
            name="first_contact_resolution",
            title="First contact resolution",
            formula="resolved, and no further contact of that customer on the same activity within "
            f"{days} days "
            f"÷ contacts with a known outcome whose {days} days are complete",
            unit="share",
            kind="rate",
            population="followable AND coalesce(outcome, 'unknown') <> 'unknown' AND complete",
            success="outcome = 'resolved' AND NOT repeated",
            exclusions=f"customer or activity unknown; outcome unknown; {censored}",
            higher_is="better",
            counts_customers=True,
            absent="no_complete_window",
        ),
        Metric(
            name="repeat_contact_rate",
            title="Repeat contacts",
            formula=f"contacts followed within {days} days by another of the same customer on the same "
            "activity "
            f"÷ contacts whose {days} days are complete",
            unit="share",
            kind="rate",
            population="followable AND complete",
            success="repeated",
            exclusions=f"customer or activity unknown; {censored}",
            higher_is="worse",
            counts_customers=True,
            absent="no_complete_window",
        ),
        Metric(
            name="censored_contacts",
            title="Censored contacts",
            formula=f"contacts of known customers whose {days} days were not complete when the data ends",
            unit="count",
            kind="count",
            success="followable AND NOT complete",
        ),
    )


def _proactive_effects() -> tuple[Metric, ...]:
    return (
        Metric(
            name="proactive_effect.repeat",
            title="Repeat contacts after proactive contact",
            formula="repeat contact rate after proactive contacts − after reactive ones",
            unit="share_points",
            kind="special",
            population="followable AND complete AND initiative IS NOT NULL",
            part="(initiative = 'proactive')",
            success="repeated",
            exclusions="initiative or customer unknown; window not complete",
            higher_is="worse",
            absent="one_side_empty",
        ),
        Metric(
            name="proactive_effect.churn",
            title="Churn risk in proactive contacts",
            formula="share of interactions with churn risk, proactive − reactive",
            unit="share_points",
            kind="special",
            population="assessable AND churn_risk IS NOT NULL AND initiative IS NOT NULL",
            part="(initiative = 'proactive')",
            success="churn_risk",
            exclusions="initiative unknown; not assessable",
            higher_is="worse",
            absent="one_side_empty",
        ),
    )


def count_journey(engine: duckdb.DuckDBPyConnection, period: int) -> list[Figure]:
    """The figures of this family that count customers or orders instead of interactions."""
    effects = count_effects(engine, _proactive_effects(), period)
    return [
        *effects,
        _count_returning(engine, period),
        _count_contact_rate(engine, period),
        *_count_exits(engine, period),
    ]


def _count_returning(engine: duckdb.DuckDBPyConnection, period: int) -> Figure:
    row = engine.execute(
        """
        SELECT count(*), count(*) FILTER (contacts > 1) FROM (
            SELECT count(*) AS contacts FROM contacts WHERE period = ? AND customer_id IS NOT NULL GROUP BY
                customer_id
        )
        """,
        [period],
    ).fetchone()
    n, hits = row if row else (0, 0)
    return to_rate(RETURNING, hits, n)


def to_rate(metric: Metric, hits: int, n: int) -> Figure:
    """A count of hits among n cases as a figure with Wilson's interval; None with the metric's reason where n
    is 0.
    """
    if not n:
        return Figure(metric.name, None, unit=metric.unit, reason=metric.absent)
    low, high = wilson(np.array([hits], float), np.array([n], float))
    interval = Interval(float(low[0]), float(high[0]), "wilson")
    return Figure(metric.name, hits / n, hits, n, n, interval, unit=metric.unit)


def _count_contact_rate(engine: duckdb.DuckDBPyConnection, period: int) -> Figure:
    row = engine.execute(
        "SELECT count(*), count(*) FILTER (order_kind = 'sale') FROM contacts WHERE period = ?", [period]
    ).fetchone()
    contacts, orders = row if row else (0, 0)
    if not orders:
        return Figure(CONTACT_RATE.name, None, unit="per_order", reason=CONTACT_RATE.absent)
    return Figure(CONTACT_RATE.name, contacts / orders, contacts, orders, orders, unit="per_order")


def _count_exits(engine: duckdb.DuckDBPyConnection, period: int) -> list[Figure]:
    rows = engine.execute(
        """
        SELECT last, count(*) FROM (
            SELECT customer_id, arg_max(touchpoint, (instant, system, interaction_id)) FILTER (touchpoint
                IS NOT NULL) AS last
            FROM contacts WHERE period = ? AND customer_id IS NOT NULL
            GROUP BY customer_id HAVING bool_or(coalesce(churn_risk, false) OR does_cancel)
        ) WHERE last IS NOT NULL GROUP BY last
        """,
        [period],
    ).fetchall()
    counts = dict(rows)
    n = sum(counts.values())
    return [to_rate(_exit_point(name), counts.get(name, 0), n) for name in TOUCHPOINTS]


def count_transitions(engine: duckdb.DuckDBPyConnection) -> Table:
    """From touchpoint to the same customer's next touchpoint: contacts and customers of the period, most
    first.
    """
    rows = engine.execute(
        """
        SELECT touchpoint, next_touchpoint, count(*), count(DISTINCT customer_id)
        FROM contacts WHERE period = 1 AND touchpoint IS NOT NULL AND next_touchpoint IS NOT NULL
        GROUP BY ALL ORDER BY 3 DESC, 1, 2
        """
    ).fetchall()
    return Table(("from", "to", "contacts", "customers"), rows)

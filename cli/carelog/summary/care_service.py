"""Care versus service: what share of the work is which, and what the service part costs."""

from __future__ import annotations

import duckdb

from carelog.labels import ACTIVITIES, CARE_ACTIVITIES, CHANNELS, ORIENTATIONS, SERVICE_ACTIVITIES
from carelog.settings import Settings
from carelog.summary.figures import Figure, Metric

ACTIVITY_TITLES = {
    "inform": "Inform unasked",
    "complaint": "Complaint",
    "listen": "Listen",
    "opportunity": "Opportunity",
    "follow_up": "Follow up",
    "onboard": "Onboard",
    "retain": "Retain",
    "goodwill": "Goodwill",
    "appreciate": "Appreciate",
    "question": "Question",
    "sale": "Sale",
    "order": "Order",
    "return": "Return",
    "billing": "Billing",
    "account": "Account",
    "technical": "Technical",
    "appointment": "Appointment",
    "cancel": "Cancel",
}
ORIENTATION_TITLES = {"care": "Mainly care", "service": "Mainly service", "mixed": "Both", "none": "Neither"}

CARE_SHARE = Metric(
    name="care_share",
    title="Care share",
    formula="Σ care weight ÷ Σ (care + service weight) over assessable interactions; a main activity "
    "weighs 2, another 1",
    unit="share",
    kind="ratio",
    population="whole_weight IS NOT NULL",
    part="care_weight",
    whole="whole_weight",
    exclusions="not assessable; neither care nor service",
    higher_is="better",
)
PROACTIVE_RATE = Metric(
    name="proactive_rate",
    title="Proactive share",
    formula="proactive ÷ interactions with a known initiative",
    unit="share",
    kind="rate",
    population="initiative IN ('proactive', 'reactive')",
    success="initiative = 'proactive'",
    exclusions="initiative unknown",
    higher_is="better",
)


def _orientation(name: str) -> Metric:
    return Metric(
        name=f"orientation_rate.{name}",
        title=ORIENTATION_TITLES[name],
        formula=f"interactions of orientation {name} ÷ assessable interactions",
        unit="share",
        kind="rate",
        population="assessable",
        success=f"orientation = '{name}'",
        exclusions="not assessable",
    )


def _activity(name: str) -> Metric:
    return Metric(
        name=f"activity_rate.{name}",
        title=ACTIVITY_TITLES[name],
        formula=f"interactions with {name} ÷ assessable interactions (activities add to more than 100 %)",
        unit="share",
        kind="rate",
        population="assessable",
        success=f"does_{name}",
        exclusions="not assessable",
    )


def _minutes(name: str, title: str, share: str) -> Metric:
    return Metric(
        name=name,
        title=title,
        formula=f"Σ handled time × {name.removesuffix('_minutes')} share, over interactions whose handled "
        "time is known",
        unit="minutes",
        kind="special",
        population="whole_weight IS NOT NULL AND handled IS NOT NULL",
        part=share,
        exclusions="handled time unknown; not assessable; neither care nor service",
        absent="no_handled_time",
    )


SERVICE_MS = "round(handled * (whole_weight - care_weight) / whole_weight)::BIGINT"
CARE_MS = "(handled - round(handled * (whole_weight - care_weight) / whole_weight)::BIGINT)"

CARE_MINUTES = _minutes("care_minutes", "Minutes of care", CARE_MS)
SERVICE_MINUTES = _minutes("service_minutes", "Minutes of service", SERVICE_MS)
COST_OF_SERVICE = Metric(
    name="cost_of_service",
    title="Cost of service",
    formula="Σ handled minutes of service work × rate per minute of that channel (setting cost.CHANNEL)",
    unit="money",
    kind="special",
    population="whole_weight IS NOT NULL AND handled IS NOT NULL",
    exclusions="channels without a rate; handled time unknown",
    absent="no_rate",
)


def _activity_cost(name: str) -> Metric:
    return Metric(
        name=f"cost_of_service.{name}",
        title=ACTIVITY_TITLES[name],
        formula=f"cost of service of interactions with {name}, shared equally among the service "
        "activities of each",
        unit="money",
        kind="special",
        population=f"whole_weight IS NOT NULL AND handled IS NOT NULL AND does_{name}",
        exclusions="channels without a rate; handled time unknown",
        absent="no_rate",
    )


METRICS = (
    CARE_SHARE,
    *(_orientation(name) for name in ORIENTATIONS),
    *(_activity(name) for name in ACTIVITIES),
    PROACTIVE_RATE,
    CARE_MINUTES,
    SERVICE_MINUTES,
    COST_OF_SERVICE,
    *(_activity_cost(name) for name in SERVICE_ACTIVITIES),
)
assert set(CARE_ACTIVITIES) | set(SERVICE_ACTIVITIES) == set(ACTIVITY_TITLES)


def count_minutes_and_costs(
    engine: duckdb.DuckDBPyConnection, settings: Settings, period: int
) -> list[Figure]:
    """Minutes of care and of service, and what the service minutes cost, in all and by activity."""
    rates = {name: float(settings[f"cost.{name}"]) for name in CHANNELS if settings[f"cost.{name}"] >= 0}
    minutes = [_count_minutes(engine, metric, period) for metric in (CARE_MINUTES, SERVICE_MINUTES)]
    costs = [_count_cost(engine, settings, rates, COST_OF_SERVICE, "1", period)]
    share = "(" + " + ".join(f"does_{a}::INTEGER" for a in SERVICE_ACTIVITIES) + ")"
    for name in SERVICE_ACTIVITIES:
        costs.append(_count_cost(engine, settings, rates, _activity_cost(name), share, period))
    return minutes + costs


def _count_minutes(engine: duckdb.DuckDBPyConnection, metric: Metric, period: int) -> Figure:
    row = engine.execute(
        f"SELECT count(*), sum({metric.part}), sum(handled) FROM contacts WHERE period = ? AND "
        f"{metric.population}",
        [period],
    ).fetchone()
    n, part, whole = row if row else (0, None, None)
    if not n:
        return Figure(metric.name, None, unit="minutes", reason=metric.absent)
    return Figure(metric.name, part / 60_000, part / 60_000, whole / 60_000, n, unit="minutes")


def _count_cost(
    engine: duckdb.DuckDBPyConnection,
    settings: Settings,
    rates: dict[str, float],
    metric: Metric,
    share: str,
    period: int,
) -> Figure:
    currency = settings["cost.currency"] or None
    rows = engine.execute(
        f"""
        SELECT channel, count(*), sum(round(({SERVICE_MS}) / {share})::BIGINT)
        FROM contacts WHERE period = ? AND {metric.population} GROUP BY channel ORDER BY channel
        """,
        [period],
    ).fetchall()
    known = [(rates[channel], n, ms) for channel, n, ms in rows if channel in rates]
    unrated = sum(n for channel, n, _ in rows if channel not in rates)
    n = sum(k for _, k, _ in known)
    if not n:
        reason = metric.absent if not rates else ("no_handled_time" if not rows else metric.absent)
        return Figure(metric.name, None, unit="money", currency=currency, reason=reason)
    cost = sum(rate * ms for rate, _, ms in known) / 60_000
    minutes = sum(ms for _, _, ms in known) / 60_000
    return Figure(
        metric.name, cost, cost, minutes, n, unit="money", currency=currency, parts={"without_rate": unrated}
    )

"""What support teams already know: times, service level, abandonment. The settings choose between the
variants in use.
"""

from __future__ import annotations

from carelog.settings import Settings
from carelog.summary.figures import Metric


def _spread(name: str, title: str, formula: str, population: str, value: str, exclusions: str) -> Metric:
    return Metric(
        name=name,
        title=title,
        formula=f"median and 90th percentile of {formula}",
        unit="seconds",
        kind="spread",
        population=f"({population}) AND {value} IS NOT NULL",
        value=value,
        value_steps=1000,
        exclusions=exclusions,
        higher_is="worse",
        absent="no_times",
    )


TIMES = (
    _spread(
        "first_response_time",
        "First response",
        "first message of an agent (no bot) − first message of the customer; the source's own field "
        "where it has one",
        "in_hours",
        "first_response",
        "started by the company; never answered; outside business hours",
    ),
    _spread(
        "resolution_time",
        "Resolution",
        "last resolution − start, as the source measured it",
        "coalesce(status, 'unknown') <> 'open'",
        "resolution",
        "open ones",
    ),
    _spread(
        "handle_time",
        "Handle time",
        "talk + hold + wrap-up, or the source's own time worked; never the time elapsed",
        "coalesce(status, 'completed') NOT IN ('missed', 'abandoned', 'failed')",
        "handled",
        "not handled; a part of the time unknown",
    ),
    _spread(
        "talk_time",
        "Talk time",
        "talk time",
        "coalesce(status, 'completed') NOT IN ('missed', 'abandoned', 'failed')",
        "talk",
        "not handled; talk time unknown",
    ),
    _spread(
        "wait_time",
        "Wait time",
        "time in the queue of answered contacts",
        "answered AND in_hours",
        "wait",
        "not answered; outside business hours",
    ),
)
OPEN_COUNT = Metric(
    name="open_interactions",
    title="Still open",
    formula="interactions whose status is open (they are left out of resolution times)",
    unit="count",
    kind="count",
    success="status = 'open'",
    higher_is="worse",
)

SERVICE_LEVEL_WORDS = {
    "late_abandons_count": "answered within T ÷ (answered + abandoned after T)",
    "answered_only": "answered within T ÷ answered",
    "all_abandons_count": "answered within T ÷ (answered + abandoned)",
    "early_abandons_succeed": "(answered within T + abandoned within T) ÷ (answered + abandoned)",
    "short_abandons_succeed": "(answered within T + short abandons) ÷ (answered + abandoned)",
}


def list_metrics(settings: Settings) -> tuple[Metric, ...]:
    """The metrics of this family under these settings."""
    return (*TIMES, OPEN_COUNT, _service_level(settings), _abandonment(settings))


def _service_level(settings: Settings) -> Metric:
    variant, seconds = settings["service_level.formula"], settings["service_level.seconds"]
    limit, short = round(seconds * 1000), round(settings["abandonment.short_seconds"] * 1000)
    counted = {
        "late_abandons_count": f"(answered OR (abandoned AND wait > {limit}))",
        "answered_only": "answered",
    }.get(variant, "(answered OR abandoned)")
    success = {
        "early_abandons_succeed": f"wait <= {limit}",
        "short_abandons_succeed": f"((answered AND wait <= {limit}) OR (abandoned AND wait < {short}))",
    }.get(variant, f"(answered AND wait <= {limit})")
    return Metric(
        name="service_level",
        title="Service level",
        formula=f"{SERVICE_LEVEL_WORDS[variant]}, T = {seconds:g} s",
        unit="share",
        kind="rate",
        population=f"in_hours AND wait IS NOT NULL AND {counted}",
        success=success,
        exclusions="wait unknown; outside business hours; missed calls and voicemail",
        higher_is="better",
        absent="no_times",
    )


def _abandonment(settings: Settings) -> Metric:
    short = round(settings["abandonment.short_seconds"] * 1000)
    dropped = settings["abandonment.drop_short"]
    kept = f" AND NOT (abandoned AND coalesce(wait < {short}, false))" if dropped else ""
    words = f", abandons under {short / 1000:g} s left out" if dropped else ", short abandons included"
    return Metric(
        name="abandonment_rate",
        title="Abandoned",
        formula=f"abandoned ÷ offered by phone and chat{words}",
        unit="share",
        kind="rate",
        population=f"in_hours AND offered{kept}",
        success="abandoned",
        exclusions="outbound; email and store; outside business hours",
        higher_is="worse",
        absent="no_offered",
    )

"""Changes between two periods, ranked by how sure and how large they are."""

from __future__ import annotations

import numpy as np

from carelog.summary.figures import Change, Figure, Grouping, Interval, Metric, Summary
from carelog.summary.intervals import Z, newcombe

MOVING = (
    "care_share", "proactive_rate", "stage_score", "satisfied_rate.stated", "satisfied_rate.inferred",
    "csat", "nps",
    "complaint_rate", "handle_time", "first_response_time", "wait_time", "service_level", "abandonment_rate",
    "first_contact_resolution", "repeat_contact_rate", "churn_risk_rate", "style_ratio",
)  # fmt: skip
"""Metrics that are looked through group by group. Over all interactions every metric is compared."""


def list_changes(summary: Summary, before: dict[str, Figure], groups: dict[str, Grouping]) -> list[Change]:
    """Every metric now against before, then those of MOVING by group; the surest change first."""
    changes = [
        to_change(summary.definitions[name], None, now, before[name])
        for name, now in summary.figures.items()
        if name in before
    ]
    for by, grouping in groups.items():
        earlier = {group.key: group for group in grouping.groups}
        for group in summary.groupings[by].groups:
            other = earlier.get(group.key)
            if other is not None and group.key is not None:
                changes += [
                    to_change(
                        summary.definitions[name], (by, group.key), group.figures[name], other.figures[name]
                    )
                    for name in MOVING
                    if name in group.figures and name in other.figures
                ]
    return sorted(changes, key=_rank)


def _rank(change: Change) -> tuple[float, float, str, tuple[str, str]]:
    by, key = change.group or ("", "")
    sure = -(change.certainty or 0.0)
    return (round(sure, 6), -abs(change.change or 0.0), change.name, (by, key or ""))


def to_change(metric: Metric, group: tuple[str, str | None] | None, now: Figure, before: Figure) -> Change:
    """Now − before with an interval: Newcombe's for rates, from both intervals (square and add) for
    everything else.
    """
    if now.value is None or before.value is None:
        reason = now.reason if now.value is None else before.reason
        return Change(metric.name, group, now, before, None, None, None, reason)
    difference = now.value - before.value
    interval = _change_interval(now, before, difference)
    certainty = None
    if interval is not None and metric.kind != "count":
        half = difference - interval.low if difference > 0 else interval.high - difference
        certainty = abs(difference) / (half / Z) if half > 0 else None
    return Change(metric.name, group, now, before, difference, interval, certainty)


def _change_interval(now: Figure, before: Figure, difference: float) -> Interval | None:
    if now.interval is None or before.interval is None or now.value is None or before.value is None:
        return None
    if now.interval.method == "wilson" and now.numerator is not None and before.numerator is not None:
        counts = (now.numerator, now.denominator, before.numerator, before.denominator)
        low, high = newcombe(*(np.array([c], dtype=np.float64) for c in counts))
        return Interval(float(low[0]), float(high[0]), "newcombe")
    down = np.hypot(now.value - now.interval.low, before.interval.high - before.value)
    up = np.hypot(now.interval.high - now.value, before.value - before.interval.low)
    return Interval(float(difference - down), float(difference + up), "square_and_add")


def sure_changes(changes: list[Change]) -> list[Change]:
    """Those whose interval leaves out 0."""
    return [c for c in changes if c.interval is not None and (c.interval.low > 0 or c.interval.high < 0)]

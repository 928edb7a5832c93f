"""Figures as cells and facts: value, interval and n in the reader's words."""

from __future__ import annotations

from carelog.reports.shapes import Cell
from carelog.reports.words import DASH, Words, sign
from carelog.summary.care_service import ACTIVITY_TITLES, ORIENTATION_TITLES
from carelog.summary.complaints import OUTCOME_TITLES
from carelog.summary.figures import Change, Figure
from carelog.summary.journey import TOUCHPOINT_TITLES

CHANNEL_TITLES = {"phone": "Phone", "email": "Email", "chat": "Chat", "in_store": "In store"}
COLUMN_TITLES = {
    "channel": "Channel", "team": "Team", "store_id": "Store", "agent_id": "Agent", "language": "Language",
    "month": "Month", "week": "Week", "day": "Day", "weekday": "Weekday", "hour": "Hour", "year": "Year",
    "quarter": "Quarter", "queue": "Queue", "campaign": "Campaign", "category": "Category",
    "direction": "Direction",
    "initiative": "Initiative", "status": "Status", "customer_id": "Customer",
    "customer_kind": "Kind of customer",
    "orientation": "Orientation", "satisfaction_label": "Satisfaction",
    "satisfaction_source": "Source of satisfaction",
    "touchpoint": "Touchpoint", "outcome": "Outcome", "not_assessable_reason": "Why not assessable",
    "currency": "Currency", "loyalty": "Loyalty", "churn_risk": "Churn risk", "assessable": "Assessable",
    "stage_score": "Stages done", "system": "System", "file": "File",
}  # fmt: skip
VALUE_TITLES = {
    "channel": CHANNEL_TITLES,
    "orientation": ORIENTATION_TITLES,
    "touchpoint": TOUCHPOINT_TITLES,
    "outcome": OUTCOME_TITLES,
    "activity": ACTIVITY_TITLES,
}


def group_text(words: Words, by: str, key: str | None) -> str:
    """A group's key as a reader says it; free texts (team, agent) as they are."""
    if key is None:
        return words.t("not recorded")
    if by in VALUE_TITLES:
        return words.t(VALUE_TITLES[by].get(key, key))
    formats = {
        "month": words.month,
        "day": words.day,
        "weekday": words.weekday,
        "language": words.language_name,
    }
    return formats[by](key) if by in formats else key


def value_text(words: Words, figure: Figure, value: float | None = None, places: int = 1) -> str:
    """A value of the figure's unit (its own, or one end of its interval)."""
    shown = figure.value if value is None else value
    if shown is None:
        return DASH
    match figure.unit:
        case "share":
            return words.percent(shown, places)
        case "share_points":
            return words.percent_points(shown)
        case "points":
            return f"{sign(shown)}{words.decimal(abs(shown), 0 if abs(shown) >= 10 else 1)}"
        case "seconds":
            return words.duration(shown)
        case "money":
            return words.money(shown, figure.currency)
        case "count":
            return words.count(shown)
        case "minutes":
            return words.duration(shown * 60)
        case _:
            return words.decimal(shown, 2)


def interval_text(words: Words, figure: Figure) -> str:
    """`33.4–36.0 %` without saying the unit twice; empty where there is no interval."""
    if figure.interval is None:
        return ""
    low, high = figure.interval.low, figure.interval.high
    if figure.unit == "share":
        return f"{words.decimal(low * 100)}{DASH}{words.percent(high)}"
    if figure.unit == "share_points":
        return words.t(
            "{low} to {high} pp",
            low=sign(low) + words.decimal(abs(low) * 100),
            high=sign(high) + words.decimal(abs(high) * 100),
        )
    low_text, high_text = value_text(words, figure, low), value_text(words, figure, high)
    return words.t("{low} to {high}", low=low_text, high=high_text)


def fraction_text(words: Words, figure: Figure) -> str:
    """`412 of 1,204` where the figure is a quotient, else `n 1,204`; a quotient of weights has both."""
    if figure.numerator is not None and figure.denominator is not None and figure.unit == "share":
        quotient = words.t(
            "{part} of {whole}", part=words.count(figure.numerator), whole=words.count(figure.denominator)
        )
        return f"{quotient} · n {words.count(figure.n)}" if figure.n != figure.denominator else quotient
    return f"n {words.count(figure.n)}"


def detail_text(words: Words, figure: Figure) -> str:
    """What stands beside a value: its 95 % interval, what was divided, and the 90th percentile of times."""
    parts = [interval_text(words, figure)]
    if "p90" in figure.parts:
        parts.append(words.t("90 % within {time}", time=words.duration(figure.parts["p90"])))
    parts.append(fraction_text(words, figure))
    return " · ".join(p for p in parts if p)


def figure_cell(words: Words, figure: Figure | None, bar: bool = False) -> Cell:
    """A figure as a cell; where it cannot be known, the reason stands in its place."""
    if figure is None:
        return Cell(DASH, absent=True)
    if figure.value is None:
        return Cell(DASH, None, words.reason(figure.reason), absent=True)
    share = min(max(figure.value, 0.0), 1.0) if bar and figure.unit == "share" else None
    return Cell(value_text(words, figure), figure.value, detail_text(words, figure), share)


def count_cell(words: Words, value: int) -> Cell:
    return Cell(words.count(value), value)


def change_text(words: Words, change: Change) -> str:
    """A change in the unit of its figure, with its interval."""
    if change.change is None:
        return words.reason(change.reason)
    unit = "share_points" if change.now.unit == "share" else change.now.unit
    moved = Figure(
        change.name, change.change, unit=unit, currency=change.now.currency, interval=change.interval
    )
    if unit in ("share_points", "points"):
        text = value_text(words, moved)
    else:
        text = sign(change.change) + value_text(words, moved, abs(change.change))
    return text

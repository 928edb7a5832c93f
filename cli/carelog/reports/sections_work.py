"""Sections about the work itself: care and service, excellent service, satisfaction and loyalty."""

from __future__ import annotations

from carelog.labels import CARE_ACTIVITIES, SERVICE_ACTIVITIES, STAGES
from carelog.reports.figures_text import group_text, interval_text, value_text
from carelog.reports.shapes import Block, Chart, DataTable, Paragraph, present
from carelog.reports.tables import group_table, metric_table
from carelog.reports.words import Words
from carelog.summary.care_service import ORIENTATION_TITLES
from carelog.summary.figures import Figure, Summary

CARE_COLUMNS = (
    "care_share",
    "orientation_rate.care",
    "orientation_rate.mixed",
    "orientation_rate.service",
    "proactive_rate",
)
STAGE_COLUMNS = ("stage_score", *(f"stage_rate.{s}" for s in STAGES))
SATISFACTION_COLUMNS = ("satisfied_rate.stated", "satisfied_rate.inferred", "csat", "nps", "ces")
OPERATIONS = (
    "first_response_time", "resolution_time", "handle_time", "talk_time", "wait_time", "service_level",
    "abandonment_rate", "open_interactions",
)  # fmt: skip


def care_service(summary: Summary, words: Words) -> list[Block]:
    """The split by every column, the activities, proactive work, costs and value."""
    lead = Paragraph(
        words.t(
            "Care wins and keeps customers: informing, listening, following up. Service does the job at "
            "hand: "
            "selling, delivering, repairing. Both are always there; the question is how much of each."
        ),
        "lead",
    )
    activities = [f"activity_rate.{a}" for a in (*CARE_ACTIVITIES, *SERVICE_ACTIVITIES)]
    return [
        lead,
        *present(
            _month_chart(summary, words), _channel_chart(summary, words), _activity_chart(summary, words)
        ),
        *_group_tables(summary, words, CARE_COLUMNS, ("care_share",)),
        *present(
            metric_table(
                summary, words, "activities", words.t("Activities"), activities, bar=True, folded=True
            ),
            metric_table(
                summary, words, "costs", words.t("Cost of service and value of care"), _money_names(summary)
            ),
        ),
        Paragraph(
            words.t(
                "The value of care is a difference between two groups of customers. It does not say that "
                "care caused it."
            ),
            "note",
        ),
    ]


def _money_names(summary: Summary) -> list[str]:
    costs = [
        f"cost_of_service.{a}"
        for a in SERVICE_ACTIVITIES
        if summary.figures[f"cost_of_service.{a}"].value is not None
    ]
    return ["care_minutes", "service_minutes", "cost_of_service", *costs, "value_of_care"]


def _group_tables(
    summary: Summary,
    words: Words,
    metrics: tuple[str, ...],
    bars: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
) -> list[Block]:
    order = only or tuple(
        dict.fromkeys(("channel", "team", "store_id", "agent_id", "language", "month", *summary.groupings))
    )
    tables = (
        group_table(summary, words, by, metrics, bars, folded=by in ("agent_id", "language", "month"))
        for by in order
    )
    return [t for t in tables if t is not None]


def _orientation_rows(summary: Summary, words: Words, by: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for group in summary.groupings[by].groups:
        for name, title in ORIENTATION_TITLES.items():
            figure = group.figures[f"orientation_rate.{name}"]
            if figure.value is not None and group.key is not None:
                rows.append(
                    {
                        "group": group_text(words, by, group.key),
                        "kind": words.t(title),
                        "order": name,
                        "value": figure.value,
                        "n": figure.n,
                    }
                )
    return rows


def _channel_chart(summary: Summary, words: Words) -> Chart | None:
    if "channel" not in summary.groupings:
        return None
    rows = _orientation_rows(summary, words, "channel")
    if not rows:
        return None
    name = words.t("Care share")
    alt = "; ".join(
        f"{group_text(words, 'channel', g.key)}: {name} {value_text(words, g.figures['care_share'])}"
        for g in summary.groupings["channel"].groups
    )
    return Chart("orientation-channel", "orientation", words.t("Orientation by channel"), alt, rows)


def _month_chart(summary: Summary, words: Words) -> Chart | None:
    grouping = summary.groupings.get("month")
    known = [g for g in grouping.groups if g.figures["care_share"].value is not None] if grouping else []
    if len(known) < 2:
        return None
    rows = [_trend_row(words, g.key or "", g.figures["care_share"]) for g in known]
    alt = words.t(
        "Care share by month, from {first} in {first_month} to {last} in {last_month}.",
        first=value_text(words, known[0].figures["care_share"]),
        first_month=words.month(known[0].key or ""),
        last=value_text(words, known[-1].figures["care_share"]),
        last_month=words.month(known[-1].key or ""),
    )
    return Chart("care-month", "trend", words.t("Care share by month, with 95 % interval"), alt, rows)


def _trend_row(words: Words, key: str, figure: Figure) -> dict[str, object]:
    interval = figure.interval
    return {
        "key": key,
        "label": words.month(key),
        "value": figure.value,
        "low": interval.low if interval else figure.value,
        "high": interval.high if interval else figure.value,
    }


def _activity_chart(summary: Summary, words: Words) -> Chart | None:
    rows: list[dict[str, object]] = []
    for side, names in (("care", CARE_ACTIVITIES), ("service", SERVICE_ACTIVITIES)):
        for name in names:
            figure = summary.figures[f"activity_rate.{name}"]
            if figure.value is not None and figure.interval is not None:
                title = words.t(summary.definitions[figure.name].title)
                rows.append(
                    {
                        "label": title,
                        "side": side,
                        "value": figure.value,
                        "low": figure.interval.low,
                        "high": figure.interval.high,
                    }
                )
    if not rows:
        return None
    options = {"care": words.t("Care"), "service": words.t("Service")}
    top = sorted(rows, key=lambda r: -float(str(r["value"])))[:3]
    alt = (
        words.t("The most frequent activities:")
        + " "
        + ", ".join(f"{r['label']} {words.percent(float(str(r['value'])))}" for r in top)
    )
    return Chart(
        "activities-chart",
        "activities",
        words.t("Activities, share of assessable interactions"),
        alt,
        rows,
        options,
    )


def stages(summary: Summary, words: Words) -> list[Block]:
    """The five stages, what goes with them, and the times that support teams know."""
    lead = Paragraph(
        words.t(
            "Excellent service has five stages: welcome, rapport, finding the need, a relevant solution, "
            "gratitude."
        ),
        "lead",
    )
    rates = [f"stage_rate.{s}" for s in STAGES] + ["stage_score"]
    return [
        lead,
        *present(
            metric_table(summary, words, "stage-rates", words.t("Stages done"), rates, bar=True),
            _effect_chart(summary, words),
            _score_chart(summary, words),
            _effect_table(summary, words),
        ),
        Paragraph(
            words.t("What goes together need not be cause and effect: easy cases may have both."), "note"
        ),
        *_group_tables(summary, words, STAGE_COLUMNS, only=("team", "agent_id")),
        *present(metric_table(summary, words, "operations", words.t("Times and reach"), OPERATIONS)),
    ]


def _effect_table(summary: Summary, words: Words) -> DataTable | None:
    names = [f"stage_effect.{s}" for s in STAGES] + ["stage_correlation.stated"]
    title = words.t("Satisfied rate with the stage minus without it (stated satisfaction)")
    return metric_table(summary, words, "stage-effects", title, names)


def _effect_chart(summary: Summary, words: Words) -> Chart | None:
    rows: list[dict[str, object]] = []
    alt = []
    for prefix, source in (("stage_effect", "stated"), ("stage_effect_inferred", "inferred")):
        for stage in STAGES:
            figure = summary.figures[f"{prefix}.{stage}"]
            if figure.value is None or figure.interval is None:
                continue
            title = words.t(summary.definitions[figure.name].title)
            interval = figure.interval
            rows.append(
                {
                    "label": title,
                    "source": words.t(source),
                    "kind": source,
                    "value": figure.value,
                    "low": interval.low,
                    "high": interval.high,
                }
            )
            alt.append(
                f"{title} ({words.t(source)}) {value_text(words, figure)} ({interval_text(words, figure)})"
            )
    if not rows:
        return None
    return Chart(
        "stage-effect",
        "whiskers",
        words.t("What each stage goes with: difference in satisfied rate"),
        "; ".join(alt),
        rows,
    )


def _score_chart(summary: Summary, words: Words) -> Chart | None:
    rows: list[dict[str, object]] = []
    for source in ("stated", "inferred"):
        for score in range(6):
            figure = summary.figures[f"satisfied_by_stages.{source}.{score}"]
            if (
                figure.value is not None
                and figure.interval is not None
                and figure.n >= summary.settings["summary.min_group"]
            ):
                interval = figure.interval
                rows.append(
                    {
                        "score": score,
                        "source": words.t(source),
                        "kind": source,
                        "value": figure.value,
                        "low": interval.low,
                        "high": interval.high,
                    }
                )
    if len(rows) < 2:
        return None
    title = words.t("Satisfied rate by number of stages done")
    alt = "; ".join(f"{r['score']} ({r['source']}): {words.percent(float(str(r['value'])))}" for r in rows)
    return Chart("stage-score", "steps", title, alt, rows)


def satisfaction(summary: Summary, words: Words) -> list[Block]:
    """Stated and inferred apart; what the satisfied do next."""
    lead = Paragraph(
        words.t(
            "Stated is what customers answered in surveys, inferred what their words tell. The two are "
            "never added."
        ),
        "lead",
    )
    scores = [
        "satisfied_rate.stated",
        "satisfied_rate.inferred",
        "csat",
        "csat_mean",
        "nps",
        "ces",
        "survey_rate",
    ]
    after = [
        "care_loyalty.satisfied", "care_loyalty.dissatisfied", "care_loyalty",
        "care_loyalty.orders.satisfied",
        "care_loyalty.orders.dissatisfied", "care_loyalty.spend.satisfied", "care_loyalty.spend.dissatisfied",
        "loyalty_rate", "churn_risk_rate",
    ]  # fmt: skip
    return [
        lead,
        *present(
            metric_table(summary, words, "scores", words.t("Scores"), scores, bar=True),
            metric_table(summary, words, "after", words.t("What customers do next"), after),
        ),
        *_group_tables(summary, words, SATISFACTION_COLUMNS, only=("channel", "team", "store_id", "month")),
    ]

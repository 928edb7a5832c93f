"""Sections about what happens to customers: complaints, the journey, style."""

from __future__ import annotations

from carelog.labels import ASPECTS, OUTCOMES, TOUCHPOINTS
from carelog.reports.figures_text import group_text
from carelog.reports.shapes import Block, Cell, Chart, Column, DataTable, Paragraph
from carelog.reports.tables import group_table, metric_table
from carelog.reports.words import Words, mark
from carelog.summary.complaints import ASPECT_TITLES
from carelog.summary.figures import Case, Summary
from carelog.summary.journey import TOUCHPOINT_TITLES

TOP_TITLES = {
    "complaints": "Complaints worth reading",
    "churn": "Customers at risk, worth reading",
    "praise": "Praise worth reading",
    "care": "Care worth reading",
}


def complaints(summary: Summary, words: Words) -> list[Block]:
    """How many are heard, how fast, with what outcome, about what; and those worth reading."""
    lead = Paragraph(
        words.t(
            "A complaint is heard when it can be said and gets an answer. Many heard is not bad; "
            "unanswered is."
        ),
        "lead",
    )
    heard = ["complaint_rate", "complaint_first_response_time", "complaint_resolution_time"]
    outcomes = [f"complaint_outcome.{o}" for o in OUTCOMES]
    aspects = [f"complaint_aspect.{a}" for a in ASPECTS if summary.figures[f"complaint_aspect.{a}"].n]
    blocks: list[Block | None] = [
        lead,
        metric_table(summary, words, "complaints-heard", words.t("Heard, and how fast"), heard),
        metric_table(
            summary, words, "complaint-outcomes", words.t("Outcome of complaints"), outcomes, bar=True
        ),
        _aspect_chart(summary, words),
        metric_table(
            summary,
            words,
            "complaint-aspects",
            words.t("What complaints are about: positive minus negative"),
            aspects,
        )
        if aspects
        else None,
    ]
    columns = (
        "complaint_rate",
        "complaint_outcome.resolved",
        "complaint_first_response_time",
        "complaint_resolution_time",
    )
    blocks += [
        group_table(summary, words, by, columns, ("complaint_rate",))
        for by in ("channel", "team", "store_id", "month")
    ]
    blocks += [_case_table(words, name, cases) for name, cases in summary.top.items()]
    return [b for b in blocks if b is not None]


def _aspect_chart(summary: Summary, words: Words) -> Chart | None:
    rows: list[dict[str, object]] = []
    for aspect in ASPECTS:
        figure = summary.figures[f"aspect_balance.{aspect}"]
        if figure.value is not None and figure.interval is not None:
            title = words.t(ASPECT_TITLES[aspect])
            interval = figure.interval
            rows.append(
                {"label": title, "source": words.t("all interactions"), "kind": "stated",
                "value": figure.value,
                 "low": interval.low, "high": interval.high}
            )  # fmt: skip
    if not rows:
        return None
    alt = "; ".join(f"{r['label']} {words.percent_points(float(str(r['value'])))}" for r in rows)
    return Chart(
        "aspects", "whiskers", words.t("Aspects customers speak of: positive minus negative"), alt, rows
    )


def _case_table(words: Words, name: str, cases: list[Case]) -> DataTable:
    columns = [
        Column(words.t(t))
        for t in (mark("Interaction"), mark("Time"), mark("Channel"), mark("Agent"), mark("Outcome"))
    ]
    columns.append(Column(words.t("Evidence"), weight=2))
    rows = []
    for case in cases:
        evidence = "; ".join(_evidence_text(e) for e in case.evidence)
        outcome = group_text(words, "outcome", case.outcome)
        rows.append(
            [Cell(case.interaction_id), Cell(case.started_at), Cell(group_text(words, "channel",
            case.channel)),
             Cell(case.agent_id or words.t("not recorded")), Cell(outcome), Cell(evidence)]
        )  # fmt: skip
    return DataTable(f"top-{name}", words.t(TOP_TITLES[name]), columns, rows)


def _evidence_text(evidence: dict[str, object]) -> str:
    text = f"{evidence['label']} ({evidence['rule']})"
    return f"{text}: “{evidence['text']}”" if evidence.get("text") else text


def journey(summary: Summary, words: Words) -> list[Block]:
    """Contacts by touchpoint, from one to the next, where customers leave, and who has to come again."""
    lead = Paragraph(
        words.t(
            "One contact is one point of the journey. Where contacts pile up, something earlier can be "
            "prevented."
        ),
        "lead",
    )
    places = [f"journey.{t}" for t in TOUCHPOINTS]
    exits = [f"exit_point.{t}" for t in TOUCHPOINTS]
    again = [
        "first_contact_resolution", "repeat_contact_rate", "censored_contacts", "returning_customer_rate",
        "contact_rate",
        "proactive_effect.repeat", "proactive_effect.churn",
    ]  # fmt: skip
    blocks: list[Block | None] = [
        lead,
        _flow_chart(summary, words),
        metric_table(summary, words, "touchpoints", words.t("Contacts by touchpoint"), places, bar=True),
        _transition_table(summary, words),
        metric_table(summary, words, "exits", words.t("Where customers at risk were last"), exits, bar=True),
        metric_table(summary, words, "again", words.t("Coming again"), again),
        Paragraph(
            words.t(
                "Contacts whose window is not complete when the data ends are censored: counted, not guessed."
            ),
            "note",
        ),
    ]
    columns = ("first_contact_resolution", "repeat_contact_rate", "churn_risk_rate")
    blocks += [group_table(summary, words, by, columns) for by in ("channel", "team")]
    return [b for b in blocks if b is not None]


MOST_FLOWS = 40


def _transition_table(summary: Summary, words: Words) -> DataTable | None:
    table = summary.tables["transitions"]
    smallest = summary.settings["summary.min_group"]
    kept = [row for row in table.rows if row[3] >= smallest]
    if not kept:
        return None
    columns = [
        Column(words.t("From")),
        Column(words.t("To")),
        Column(words.t("Contacts"), True),
        Column(words.t("Customers"), True),
    ]
    rows = [
        [
            Cell(words.t(TOUCHPOINT_TITLES[a])),
            Cell(words.t(TOUCHPOINT_TITLES[b])),
            Cell(words.count(n), n),
            Cell(words.count(c), c),
        ]
        for a, b, n, c in kept[:MOST_FLOWS]
        if a in TOUCHPOINT_TITLES and b in TOUCHPOINT_TITLES
    ]
    title = words.t("From touchpoint to touchpoint")
    return DataTable("transitions", title, columns, rows, len(table.rows) - len(rows), folded=True)


def _flow_chart(summary: Summary, words: Words) -> Chart | None:
    smallest = summary.settings["summary.min_group"]
    flows = [
        row
        for row in summary.tables["transitions"].rows
        if row[3] >= smallest and row[0] in TOUCHPOINT_TITLES
    ]
    if not flows:
        return None
    rows: list[dict[str, object]] = [
        {
            "from": a,
            "to": b,
            "from_label": words.t(TOUCHPOINT_TITLES[a]),
            "to_label": words.t(TOUCHPOINT_TITLES[b]),
            "value": n,
        }
        for a, b, n, _ in flows
        if b in TOUCHPOINT_TITLES
    ]
    a, b, n, c = flows[0]
    alt = words.t(
        "The most frequent way is from {first} to {second}: {contacts} contacts of {customers} customers.",
        first=words.t(TOUCHPOINT_TITLES[a]),
        second=words.t(TOUCHPOINT_TITLES.get(b, b)),
        contacts=words.count(n),
        customers=words.count(c),
    )
    return Chart(
        "flow", "flow", words.t("From touchpoint to the next, customers with several contacts"), alt, rows
    )


def style(summary: Summary, words: Words) -> list[Block]:
    """Supportive and hierarchical signs, and satisfaction beside them."""
    lead = Paragraph(
        words.t(
            "Supportive: finding a way, keeping ownership. Hierarchical: procedure first, transfers, "
            "“not allowed”."
        ),
        "lead",
    )
    names = ["style_ratio", "style_effect.stated", "style_effect.inferred"]
    columns = ("style_ratio", "satisfied_rate.stated", "satisfied_rate.inferred", "stage_score")
    blocks: list[Block | None] = [
        lead,
        metric_table(summary, words, "style-all", words.t("Style"), names),
        *(
            group_table(summary, words, by, columns, ("style_ratio",))
            for by in ("team", "channel", "store_id")
        ),
    ]
    return [b for b in blocks if b is not None]

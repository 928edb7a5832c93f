"""The first section: what a head of service knows after a minute."""

from __future__ import annotations

from collections import Counter

from carelog.reports.figures_text import change_text, detail_text, value_text
from carelog.reports.pointers import pointer_sentences
from carelog.reports.sentences import headline_sentences
from carelog.reports.shapes import Block, Fact, Facts, Paragraph, Points, Split, Tone, present
from carelog.reports.tables import change_table
from carelog.reports.words import Words, mark
from carelog.summary.compare import MOVING, sure_changes
from carelog.summary.figures import Change, Summary

MOST_CHANGES = 12


def headline(summary: Summary, words: Words) -> list[Block]:
    """Big figures, what was read, the sentences, gates, and the movements where periods are compared."""
    names = ("care_share", "proactive_rate", "stage_score", "satisfied_rate.stated", "complaint_rate")
    tones: dict[str, Tone] = {"care_share": "care"}
    facts = [_fact(summary, words, name, tones.get(name, "plain")) for name in names]
    blocks: list[Block] = [
        Facts(facts[:1], "lead-fact"),
        Points(headline_sentences(summary, words)),
        *present(_split(summary, words)),
        Facts(facts[1:]),
        _counts(summary, words),
    ]
    if pointers := pointer_sentences(summary, words):
        blocks += [Paragraph(words.t("Where to look first"), "heading"), Points(pointers)]
    if summary.gates:
        blocks.append(Points([_gate_text(words, g.text, g.met, g.n) for g in summary.gates]))
    if summary.compare_reason:
        blocks.append(
            Paragraph(words.t("The compared period holds no interactions, so no change can be told."), "note")
        )
    if summary.changes:
        movers = _movers(summary)
        title = words.t("What changed most surely")
        blocks.append(change_table(summary, words, movers, "changes", title))
    return blocks


def _movers(summary: Summary) -> list[Change]:
    """The surest changes, at most three of one metric, of those that a reader knows by name."""
    seen: Counter[str] = Counter()
    movers = []
    for change in sure_changes(summary.changes):
        seen[change.name] += 1
        if change.name in MOVING and seen[change.name] <= 3:
            movers.append(change)
    return movers[:MOST_CHANGES]


def _split(summary: Summary, words: Words) -> Split | None:
    care = summary.figures["care_share"].value
    if care is None:
        return None
    care_text = words.t("Care {share}", share=words.percent(care))
    service_text = words.t("Service {share}", share=words.percent(1 - care))
    return Split(care, care_text, service_text, f"{care_text}, {service_text}")


def _gate_text(words: Words, text: str, met: bool | None, n: int) -> str:
    state = {
        True: mark("Gate met: {gate} (n {n})"),
        False: mark("Gate not met: {gate} (n {n})"),
        None: mark("Gate unknown: {gate} (n {n})"),
    }[met]
    return words.t(state, gate=text, n=words.count(n))


def _fact(summary: Summary, words: Words, name: str, tone: Tone) -> Fact:
    figure, definition = summary.figures[name], summary.definitions[name]
    change = next((c for c in summary.changes if c.name == name and c.group is None), None)
    moved = change_text(words, change) if change and change.change is not None else ""
    change_tone: Tone = "plain"
    if change and change in sure_changes([change]) and definition.higher_is != "neither":
        better = ((change.change or 0) > 0) == (definition.higher_is == "better")
        change_tone = "good" if better else "bad"
    detail = detail_text(words, figure) if figure.value is not None else words.reason(figure.reason)
    return Fact(words.t(definition.title), value_text(words, figure), detail, moved, tone, change_tone)


def _counts(summary: Summary, words: Words) -> Facts:
    titles = {
        "interactions": mark("Interactions"),
        "customers": mark("Customers"),
        "agents": mark("Agents"),
        "stores": mark("Stores"),
        "not_assessable": mark("Not assessable"),
        "rejected": mark("Rejected"),
        "damaged": mark("Damaged"),
        "duplicates": mark("Duplicates"),
        "outside_period": mark("Outside the period"),
    }
    always = ("interactions", "customers", "agents", "not_assessable", "rejected")
    facts = []
    for name, title in titles.items():
        value = summary.counts.get(name)
        if name in always or value:
            facts.append(Fact(words.t(title), words.t("unknown") if value is None else words.count(value)))
    return Facts(facts, "counts")

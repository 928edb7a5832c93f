"""The nine sections of the report, built from a summary in one language. Renderers turn them into text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from carelog.findings import visible
from carelog.reports import sections_headline, sections_journey, sections_quality, sections_work
from carelog.reports.shapes import (
    Block,
    Cell,
    Chart,
    Column,
    DataTable,
    Fact,
    Facts,
    Paragraph,
    Points,
    Report,
    Section,
    Split,
)
from carelog.reports.words import Words, load_words
from carelog.summary.figures import Summary

Builder = Callable[[Summary, Words], list[Block]]

BUILDERS: dict[str, tuple[str, Builder]] = {
    "headline": ("Headline", sections_headline.headline),
    "care_service": ("Care and service", sections_work.care_service),
    "stages": ("Excellent service", sections_work.stages),
    "satisfaction": ("Satisfaction and loyalty", sections_work.satisfaction),
    "complaints": ("Complaints", sections_journey.complaints),
    "journey": ("The journey", sections_journey.journey),
    "style": ("Style", sections_journey.style),
    "quality": ("Quality of the data", sections_quality.quality),
    "definitions": ("Definitions", sections_quality.definitions),
}

CHARTS_IN_WORDS = ("stage-score", "aspects")
"""Charts whose values stand in no table: text says them in words."""


def to_report(summary: Summary, language: str = "en", brief: bool = False) -> Report:
    """The report in `language` with the sections of the settings, hostile characters made visible.

    `brief` is for text: groups by the columns asked for (else by channel), and no table that the page shows
    folded.
    """
    words = load_words(language)
    built = []
    for name in summary.settings["report.sections"]:
        title, builder = BUILDERS[name]
        blocks = [_clean(block) for block in builder(summary, words)]
        kept = [b for b in blocks if not brief or _is_brief(b, summary)]
        built.append(Section(name, words.t(title), kept))
    title = visible(summary.settings["report.title"]) or words.t("Customer care and customer service")
    return Report(language, title, _subtitle(summary, words), built, summary.settings["report.logo"])


def _is_brief(block: Block, summary: Summary) -> bool:
    if isinstance(block, Split):
        return False
    if isinstance(block, Chart):
        return block.id in CHARTS_IN_WORDS
    if not isinstance(block, DataTable):
        return True
    if block.by is not None:
        return block.by in (summary.chosen_by or ("channel",))
    return not block.folded or block.id == "activities"


def _subtitle(summary: Summary, words: Words) -> str:
    zone = words.t("local time as recorded") if summary.zone == "recorded" else summary.zone
    span = f"{words.day(summary.period.first)} – {words.day(summary.period.last)} · {zone}"
    if summary.compared_with is None:
        return span
    other = f"{words.day(summary.compared_with.first)} – {words.day(summary.compared_with.last)}"
    return words.t("{period}, compared with {other}", period=span, other=other)


def _clean(block: Block) -> Block:
    """The block with control, escape and direction characters of free texts made visible."""
    match block:
        case Paragraph(text, role):
            return Paragraph(visible(text), role)
        case Points(texts):
            return Points([visible(t) for t in texts])
        case Facts(facts, role):
            return Facts([_clean_fact(f) for f in facts], role)
        case Split():
            return block
        case DataTable():
            rows = [[_clean_cell(c) for c in row] for row in block.rows]
            columns = [Column(visible(c.title), c.numeric, c.weight) for c in block.columns]
            return replace(block, columns=columns, rows=rows)
        case Chart():
            rows_ = [{k: visible(v) if isinstance(v, str) else v for k, v in r.items()} for r in block.rows]
            return Chart(block.id, block.kind, block.title, visible(block.alt), rows_, block.options)


def _clean_fact(fact: Fact) -> Fact:
    return Fact(
        fact.title,
        visible(fact.value),
        visible(fact.detail),
        visible(fact.change),
        fact.tone,
        fact.change_tone,
    )


def _clean_cell(cell: Cell) -> Cell:
    sort = visible(cell.sort) if isinstance(cell.sort, str) else cell.sort
    ids = tuple(visible(i) for i in cell.ids)
    return Cell(visible(cell.text), sort, visible(cell.detail), cell.bar, cell.absent, ids)

"""Sections about the numbers themselves: quality of the data, definitions."""

from __future__ import annotations

from carelog.reports.shapes import Block, Cell, Column, DataTable, Paragraph, Points, present
from carelog.reports.tables import count_table, group_table, metric_table
from carelog.reports.words import DASH, Words, mark
from carelog.settings import SETTINGS
from carelog.summary.data_quality import KNOWABLE
from carelog.summary.figures import Summary

MOST_FILES = 50


def quality(summary: Summary, words: Words) -> list[Block]:
    """What was read and what was not, what is known, which rules fired."""
    known = ["assessable_rate", *(f"known_rate.{name}" for name in KNOWABLE)]
    by_language = ("assessable_rate", "known_rate.satisfaction", "known_rate.outcome")
    return present(
        Paragraph(_reading_text(summary, words), "lead"),
        metric_table(summary, words, "known", words.t("What is known"), known, bar=True),
        _reason_table(summary, words),
        group_table(summary, words, "language", by_language),
        _finding_table(summary, words),
        _rule_table(summary, words),
        _file_table(summary, words),
        _rulebook_warning(summary, words),
    )


def _reason_table(summary: Summary, words: Words) -> DataTable | None:
    titles = (mark("Reason"), mark("Interactions"))
    table = summary.tables["not_assessable"]
    return _filled(count_table(words, "reasons", words.t("Why not assessable"), table, titles))


def _finding_table(summary: Summary, words: Words) -> DataTable | None:
    titles = (mark("File"), mark("Field"), mark("Kind"), mark("Findings"))
    table = summary.tables["findings"]
    return _filled(count_table(words, "findings", words.t("Findings in rejected records"), table, titles))


def _rule_table(summary: Summary, words: Words) -> DataTable | None:
    titles = (mark("Rule"), mark("Times"))
    title = words.t("Rules that fired most and least")
    return _filled(count_table(words, "rules", title, summary.tables["rules"], titles, folded=True))


def _rulebook_warning(summary: Summary, words: Words) -> Paragraph | None:
    if len(summary.rulebooks) < 2:
        return None
    text = words.t(
        "The input was labelled with several rulebooks; figures of different ones are not comparable."
    )
    return Paragraph(text, "note")


def _filled(table: DataTable) -> DataTable | None:
    return table if table.rows else None


def _reading_text(summary: Summary, words: Words) -> str:
    counts = summary.counts
    rejected = words.t("unknown") if counts.get("rejected") is None else words.count(counts["rejected"])
    return words.t(
        "{read} labelled interactions read from {files} files; {damaged} damaged, {duplicates} duplicates, "
        "{outside} outside the period. Rejected before labelling: {rejected}.",
        read=words.count(counts["read"]),
        files=words.count(len(summary.files)),
        damaged=words.count(counts["damaged"]),
        duplicates=words.count(counts["duplicates"]),
        outside=words.count(counts["outside_period"]),
        rejected=rejected,
    )


def _file_table(summary: Summary, words: Words) -> DataTable:
    columns = [
        Column(words.t("File")),
        Column(words.t("Format")),
        Column(words.t("Interactions"), True),
        Column(words.t("Damaged"), True),
        Column(words.t("Remark"), weight=2),
    ]
    rows = [
        [
            Cell(f.name),
            Cell(f.format),
            Cell(words.count(f.rows), f.rows),
            Cell(words.count(f.damaged), f.damaged),
            Cell(f.reason or ""),
        ]
        for f in summary.files[:MOST_FILES]
    ]
    return DataTable(
        "files", words.t("Files"), columns, rows, max(len(summary.files) - MOST_FILES, 0), folded=True
    )


def definitions(summary: Summary, words: Words) -> list[Block]:
    """Every metric with its formula; rulebooks; settings in force; the command."""
    return [
        Points(_origin_texts(summary, words)),
        _metric_definitions(summary, words),
        _setting_table(summary, words),
    ]


def _origin_texts(summary: Summary, words: Words) -> list[str]:
    books = [
        words.t("Rulebook {name}, version {version}, hash {hash}", **{k: str(v) for k, v in book.items()})
        for book in summary.rulebooks
    ]
    intervals = words.t(
        "Intervals are 95 %: Wilson for rates, Newcombe for differences, Student's t for means, "
        "adjusted Wald for balances such as NPS, order statistics for medians, bootstrap for amounts."
    )
    smallest = words.count(summary.settings["summary.min_group"])
    hidden = words.t("Groups under {n} cases are not shown.", n=smallest)
    made = [words.t("Made by: {command}", command=summary.command)] if summary.command else []
    return [f"carelog {summary.version}", *books, intervals, hidden, *made]


def _metric_definitions(summary: Summary, words: Words) -> DataTable:
    columns = [
        Column(words.t("Metric")),
        Column(words.t("Name")),
        Column(words.t("Formula")),
        Column(words.t("Left out"), weight=2),
        Column(words.t("Version"), True, 2),
    ]
    rows = [
        [
            Cell(words.t(m.title)),
            Cell(m.name),
            Cell(m.formula),
            Cell(m.exclusions or DASH),
            Cell(str(m.version), m.version),
        ]
        for m in summary.definitions.values()
    ]
    return DataTable("metrics", words.t("Metrics"), columns, rows, folded=True)


def _setting_table(summary: Summary, words: Words) -> DataTable:
    columns = [
        Column(words.t("Setting")),
        Column(words.t("Value")),
        Column(words.t("Meaning"), weight=2),
    ]
    rows = [
        [Cell(key), Cell(_shown(value)), Cell(SETTINGS[key].meaning)]
        for key, value in summary.settings.items()
    ]
    return DataTable("settings", words.t("Settings in force"), columns, rows, folded=True)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

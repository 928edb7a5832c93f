"""Sections about the numbers themselves: quality of the data, definitions."""

from __future__ import annotations

from carelog.reports.shapes import Block, Cell, Column, DataTable, Paragraph, Points
from carelog.reports.tables import count_table, group_table, metric_table
from carelog.reports.words import DASH, Words, mark
from carelog.settings import SETTINGS
from carelog.summary.data_quality import KNOWABLE
from carelog.summary.figures import Summary

MOST_FILES = 50


def quality(summary: Summary, words: Words) -> list[Block]:
    """What was read and what was not, what is known, which rules fired."""
    known = ["assessable_rate", *(f"known_rate.{name}" for name in KNOWABLE)]
    tables = summary.tables
    blocks: list[Block | None] = [
        Paragraph(_reading_text(summary, words), "lead"),
        metric_table(summary, words, "known", words.t("What is known"), known, bar=True),
        _filled(
            count_table(
                words,
                "reasons",
                words.t("Why not assessable"),
                tables["not_assessable"],
                (mark("Reason"), mark("Interactions")),
            )
        ),
        group_table(
            summary, words, "language", ("assessable_rate", "known_rate.satisfaction", "known_rate.outcome")
        ),
        _filled(
            count_table(
                words,
                "findings",
                words.t("Findings in rejected records"),
                tables["findings"],
                (mark("File"), mark("Field"), mark("Kind"), mark("Findings")),
            )
        ),
        _filled(
            count_table(
                words,
                "rules",
                words.t("Rules that fired most and least"),
                tables["rules"],
                (mark("Rule"), mark("Times")),
                folded=True,
            )
        ),
        _file_table(summary, words),
    ]
    if len(summary.rulebooks) > 1:
        blocks.append(
            Paragraph(
                words.t(
                    "The input was labelled with several rulebooks; figures of different ones are not "
                    "comparable."
                ),
                "note",
            )
        )
    return [b for b in blocks if b is not None]


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
    facts = [f"carelog {summary.version}"]
    facts += [
        words.t("Rulebook {name}, version {version}, hash {hash}", **{k: str(v) for k, v in book.items()})
        for book in summary.rulebooks
    ]
    facts.append(
        words.t(
            "Intervals are 95 %: Wilson for rates, Newcombe for differences, Student's t for means, "
            "adjusted Wald for balances such as NPS, order statistics for medians, bootstrap for amounts."
        )
    )
    facts.append(
        words.t("Groups under {n} cases are not shown.", n=words.count(summary.settings["summary.min_group"]))
    )
    if summary.command:
        facts.append(words.t("Made by: {command}", command=summary.command))
    setting_rows = [
        [Cell(key), Cell(_shown(value)), Cell(SETTINGS[key].meaning)]
        for key, value in summary.settings.items()
    ]
    setting_columns = [
        Column(words.t("Setting")),
        Column(words.t("Value")),
        Column(words.t("Meaning"), weight=2),
    ]
    return [
        Points(facts),
        DataTable("metrics", words.t("Metrics"), columns, rows, folded=True),
        DataTable("settings", words.t("Settings in force"), setting_columns, setting_rows, folded=True),
    ]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

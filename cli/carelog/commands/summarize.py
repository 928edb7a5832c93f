"""`carelog summarize`: the care-versus-service report."""

from __future__ import annotations

import shlex
import shutil
import sys
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from carelog.commands.file_type import FILE
from carelog.commands.notices import Notices, wants_color
from carelog.commands.options import run_options, to_running
from carelog.errors import ExitCode, UsageProblem
from carelog.findings import visible
from carelog.reports.summary_formats import FORMATS, Reading, format_of, to_text
from carelog.settings import NAME_MODES, REPORT_LANGUAGES, SECTIONS, Settings
from carelog.store.atomic import Outputs, check_outputs
from carelog.summary.figures import Gate, Summary
from carelog.summary.gates import check_metric, parse_gates
from carelog.summary.labelled import find_files
from carelog.summary.metrics import list_metrics
from carelog.summary.names import hide_names
from carelog.summary.records import TOPS, check_figure, iterate_ids
from carelog.summary.summarize import (
    Question,
    check_groups,
    open_labelled,
    prepare_contacts,
    summarize_labelled,
)

MOST_LOGO_BYTES = 300_000
RUN_NAMES = ("jobs", "config", "quiet", "no_progress", "color", "log_format")


@click.command("summarize")
@click.argument("paths", metavar="PATH...", type=FILE, nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    "outputs",
    metavar="F",
    type=FILE,
    multiple=True,
    help="Write a report: .html, .md, .json, .csv, .txt, .xlsx; repeatable, all from one pass. Without: "
    "the terminal.",
)
@click.option(
    "--format", "report_format", type=click.Choice([f[1:] for f in FORMATS]), help="The format of `-o -`."
)
@click.option(
    "--by", metavar="COLUMN,...", multiple=True, help="Group by these columns: channel, team, month, …"
)
@click.option("--from", "first", metavar="DAY", help="First day, month or year: 2026-03-01, 2026-03, 2026.")
@click.option("--to", "last", metavar="DAY", help="Last day, month or year, included.")
@click.option("--tz", metavar="ZONE", help="Zone of days, months and hours [default: as recorded].")
@click.option("--compare", metavar="previous|year|FROM..TO", help="Compare with an earlier period.")
@click.option(
    "--rejects", metavar="F", type=FILE, multiple=True, help="Count the records that classify put aside in F."
)
@click.option("--fail-if", "gates", metavar="GATE", multiple=True, help="Exit 1 if so: 'care_share < 0.25'.")
@click.option("--gate-on-unknown", type=click.Choice(["pass", "fail"]), default="pass", show_default=True)
@click.option(
    "--records", metavar="METRIC[:COLUMN=KEY]", help="Write the interaction ids behind a figure instead."
)
@click.option(
    "--top", type=click.Choice(list(TOPS)), multiple=True, help="List the interactions worth reading."
)
@click.option("--lang", type=click.Choice(REPORT_LANGUAGES), help="Language of page, Markdown and terminal.")
@click.option(
    "--sections", metavar="NAME,...", help="Only these sections, in this order: " + ", ".join(SECTIONS)
)
@click.option(
    "--names", type=click.Choice(NAME_MODES), help="Agents and customers by name, pseudonym, or not at all."
)
@click.option("--title", metavar="TEXT", help="Title of the report.")
@click.option(
    "--min-group", type=click.IntRange(1), metavar="N", help="Hide groups under N cases [default: 5]."
)
@run_options
def command(
    paths: tuple[str, ...],
    outputs: tuple[str, ...],
    report_format: str | None,
    by: tuple[str, ...],
    rejects: tuple[str, ...],
    gates: tuple[str, ...],
    gate_on_unknown: str,
    records: str | None,
    top: tuple[str, ...],
    **choices: Any,
) -> ExitCode:
    """How much of the work is care and how much service? The report, from labelled interactions.

    PATH is a file, a folder, a glob, or - for standard input: what `carelog classify` wrote.

    \b
    Examples:
      carelog summarize labelled.parquet
      carelog summarize labelled.parquet --from 2026-03 --to 2026-03 --compare previous -o march.html
      carelog summarize labelled/ --by team,month -o teams.csv
      carelog summarize labelled.parquet --fail-if 'care_share < 0.25' --fail-if 'csat:channel=chat < 80%'
      carelog summarize labelled.parquet --records complaint_rate:team=Billing

    \b
    Exit code: 0 done, 1 a gate of --fail-if is not met, 2 wrong usage, 65 nothing labelled was read,
    66 an input is missing, 73 an output cannot be written.
    """
    run = {name: choices.pop(name) for name in RUN_NAMES}
    running = to_running("summarize", **run)
    settings = _choose_settings(running.settings, choices, run["jobs"])
    columns = tuple(name.strip() for text in by for name in text.split(",") if name.strip())
    check_groups(columns)
    question = Question(
        paths=paths, by=columns, first=choices["first"], last=choices["last"], compare=choices["compare"],
        rejects=rejects, gates=gates, top=top, command=_command_text(),
    )  # fmt: skip
    check_outputs(outputs or ("-",), (i.path for i in find_files(paths)))
    if records is not None:
        return _write_records(question, settings, records, outputs)
    return _write_reports(
        question,
        settings,
        _Writing(outputs, report_format, run["color"], settings),
        running.notices,
        gate_on_unknown == "fail",
    )


class _Writing:
    """Where reports go: (name, format) pairs, and how the terminal shows one."""

    def __init__(
        self, outputs: Sequence[str], report_format: str | None, color: str, settings: Settings
    ) -> None:
        names = outputs or ("-",)
        self.targets = [(n, format_of(n, report_format if n == "-" else None)) for n in names]
        self.color = wants_color(color, sys.stdout)
        self.logo = _load_logo(settings["report.logo"])
        self.width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80


def _choose_settings(settings: Settings, choices: dict[str, Any], jobs: int | None) -> Settings:
    sections = choices["sections"]
    names = [n.strip() for n in sections.split(",")] if sections is not None else None
    return settings.replaced(
        "the command line",
        report__lang=choices["lang"],
        report__sections=names,
        report__names=choices["names"],
        report__title=choices["title"],
        period__tz=choices["tz"],
        summary__min_group=choices["min_group"],
        engine__threads=jobs,
    )


def _command_text() -> str:
    """The command as it was typed, for the page; without what cannot change a byte of it: the place of the
    program on
    this machine, and --jobs."""
    typed, kept = iter(sys.argv[1:]), []
    for word in typed:
        if word == "--jobs":
            next(typed, None)
        elif not word.startswith("--jobs="):
            kept.append(word)
    return visible("carelog " + shlex.join(kept))


def _write_reports(
    question: Question, settings: Settings, writing: _Writing, notices: Notices, unknown_fails: bool
) -> ExitCode:
    parse_gates(question.gates, list_metrics(settings))
    with Outputs() as outputs:
        drafts = [(outputs.open(name), name, ending) for name, ending in writing.targets]
        summary = summarize_labelled(question, settings)
        shown = hide_names(summary, settings["report.names"])
        for draft, name, ending in drafts:
            draft.write(_to_bytes(name, ending, shown, writing))
    _tell(summary, notices)
    return _check(summary.gates, notices, unknown_fails)


def _to_bytes(name: str, ending: str, summary: Summary, writing: _Writing) -> bytes:
    reading = Reading(summary.settings["report.lang"], writing.width, writing.color, writing.logo)
    text = to_text(summary, reading) if (name, ending) == ("-", ".txt") else FORMATS[ending](summary, reading)
    return text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")


def _load_logo(name: str) -> str:
    """The image as a `data:` address, or empty. UsageProblem where it is no image, or larger than 300 KB."""
    if not name:
        return ""
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise UsageProblem(f"report.logo: {name} cannot be opened: {error.strerror}") from error
    kind = "png" if content.startswith(b"\x89PNG") else "svg+xml" if b"<svg" in content[:2000] else ""
    if not kind or len(content) > MOST_LOGO_BYTES:
        raise UsageProblem(f"report.logo: {name} is no PNG or SVG of at most {MOST_LOGO_BYTES // 1000} KB")
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def _tell(summary: Summary, notices: Notices) -> None:
    counts = summary.counts
    for file in summary.files:
        if file.reason:
            notices.warn(f"{file.name} {file.reason}; it is not in the report")
        elif file.damaged:
            notices.warn(f"{file.name}: {file.damaged:,} damaged pieces are not in the report")
    if counts["duplicates"]:
        notices.warn(
            f"{counts['duplicates']:,} interactions stand in the input more than once and are counted once"
        )
    notices.note(
        f"read {counts['read']:,} labelled interactions, {counts['interactions']:,} of them from "
        f"{summary.period.first} to {summary.period.last}",
        **counts,
    )


def _check(gates: Sequence[Gate], notices: Notices, unknown_fails: bool) -> ExitCode:
    code = ExitCode.OK
    for gate in gates:
        if gate.met is None:
            verdict = "fails" if unknown_fails else "passes"
            notices.warn(f"gate '{gate.text}' cannot be known ({gate.reason}, n {gate.n:,}) and {verdict}")
        elif not gate.met:
            notices.warn(f"gate '{gate.text}' is not met: {gate.value:.6g} (n {gate.n:,})")
        if gate.met is False or (gate.met is None and unknown_fails):
            code = ExitCode.FINDINGS
    return code


def _write_records(question: Question, settings: Settings, records: str, outputs: Sequence[str]) -> ExitCode:
    if len(outputs) > 1:
        raise UsageProblem("--records writes one list", "give one -o, or none for standard output")
    name, _, group = records.partition(":")
    definitions = list_metrics(settings)
    check_metric(name, definitions, "--records")
    check_figure(definitions[name], group or None)
    with Outputs() as opened:
        draft = opened.open(outputs[0] if outputs else "-")
        extra = [group.partition("=")[0]] if group else []
        with open_labelled(question.paths, settings, extra) as source:
            prepare_contacts(source, question, settings)
            draft.write(b"interaction_id\tchannel\tcounted\n")
            for interaction_id, channel, counted in iterate_ids(
                source.engine, definitions[name], group or None
            ):
                mark = "" if counted is None else "yes" if counted else "no"
                draft.write(f"{visible(interaction_id)}\t{channel}\t{mark}\n".encode())
    return ExitCode.OK

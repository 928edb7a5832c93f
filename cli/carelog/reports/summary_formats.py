"""The formats of a summary, by the ending of the output's name: one dict feeds the option's help and the
dispatch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from carelog.errors import UsageProblem
from carelog.reports.sections import to_report
from carelog.reports.summary_csv import to_csv
from carelog.reports.summary_json import to_json
from carelog.reports.summary_markdown import to_markdown
from carelog.reports.summary_terminal import to_terminal
from carelog.summary.figures import Summary


@dataclass(frozen=True, slots=True)
class Reading:
    """How the reader sees it: language, for the terminal width and colour, for the page a logo as a `data:`
    address.
    """

    language: str = "en"
    width: int = 80
    color: bool = False
    logo: str = ""


def _to_page(summary: Summary, reading: Reading) -> str:
    # Charts and templates take a second to load: only when a page is written.
    from carelog.reports.page import to_page

    return to_page(to_report(summary, reading.language), summary.version, reading.logo)


def _to_xlsx(summary: Summary, reading: Reading) -> bytes:
    from carelog.reports.summary_xlsx import to_xlsx

    return to_xlsx(to_report(summary, reading.language))


FORMATS: dict[str, Callable[[Summary, Reading], str | bytes]] = {
    ".html": _to_page,
    ".md": lambda summary, reading: to_markdown(to_report(summary, reading.language, brief=True)),
    ".json": lambda summary, reading: to_json(summary),
    ".csv": lambda summary, reading: to_csv(summary),
    ".txt": lambda summary, reading: to_terminal(
        to_report(summary, reading.language, brief=True), reading.width
    ),
    ".xlsx": _to_xlsx,
}


def format_of(output: str, asked: str | None = None) -> str:
    """The format of an output: what was asked for, else its ending; text on standard output. UsageProblem for
    another ending.
    """
    ending = f".{asked}" if asked else PurePath(output).suffix.lower()
    if output == "-" and not asked:
        return ".txt"
    if ending not in FORMATS:
        raise UsageProblem(
            f"{output}: no report has this ending",
            "name it " + ", ".join(FORMATS) + ", or choose one with --format",
        )
    return ending


def to_text(summary: Summary, reading: Reading) -> str:
    """The report as the terminal shows it."""
    return to_terminal(to_report(summary, reading.language, brief=True), reading.width, reading.color)

"""A report as one HTML file: opens offline, loads nothing, and nothing in a record becomes markup.

The page forbids itself every request by a Content-Security-Policy that allows exactly its own style and
script.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, FunctionLoader
from markupsafe import Markup

from carelog.reports.charts import draw
from carelog.reports.shapes import Block, Chart, DataTable, Report
from carelog.reports.words import LOCALES, load_words

NARROW = 4
"""A table of at most so many columns leaves room for another beside it."""


@dataclass(frozen=True, slots=True)
class BlockGroup:
    """Neighbouring blocks that the page lays out together: charts side by side, everything else one by one."""

    kind: str
    blocks: list[Block]


def to_page(report: Report, version: str, logo: str = "") -> str:
    """The whole page as text. `logo` is a `data:` address of an image, or empty."""
    words = load_words(report.language)
    style, script = _asset("page.css") + _widths(), _asset("page.js")
    environment = Environment(
        autoescape=True, loader=FunctionLoader(_asset), trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("page.html.j2").render(
        report=report,
        lang=LOCALES[report.language],
        version=version,
        logo=logo,
        # Style and script are the project's own; everything else that is put in is escaped.
        style=Markup(style),
        script=Markup(script),
        style_hash=_source_hash(style),
        script_hash=_source_hash(script),
        draw=lambda chart: Markup(draw(chart)),
        group_blocks=_group_blocks,
        number=words.count,
        t=words.t,
    )
    return page if page.endswith("\n") else page + "\n"


def _asset(name: str) -> str:
    return (files("carelog.reports") / "templates" / name).read_text("utf-8")


def _widths() -> str:
    # Classes instead of style attributes, which the policy would refuse.
    return "".join(f".w{n}{{--w:{n}%}}" for n in range(101)) + "\n"


def _source_hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _group_blocks(blocks: Iterable[Block]) -> list[BlockGroup]:
    return [BlockGroup(kind, list(group)) for kind, group in groupby(blocks, _layout)]


def _layout(block: Block) -> str:
    """`columns` for what stands side by side: charts and narrow tables; else the kind of block."""
    narrow = isinstance(block, DataTable) and len(block.columns) <= NARROW and not block.folded
    return "columns" if narrow or isinstance(block, Chart) else type(block).__name__

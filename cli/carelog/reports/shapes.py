"""What a report is made of before it is text: sections of facts, paragraphs, tables and charts, in the
reader's words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Tone = Literal["plain", "care", "service", "good", "bad"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what is read, what it sorts by, and what stands smaller beside it (interval and n).

    `bar` is a share drawn beside the value, `ids` are first interactions behind it; both on the page only.
    """

    text: str
    sort: float | str | None = None
    detail: str = ""
    bar: float | None = None
    absent: bool = False
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numbers stand right. `weight` 1 fits on 80 characters, higher ones only where
    there is room.
    """

    title: str
    numeric: bool = False
    weight: int = 1


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table; `omitted` rows were cut and are said to be. `id` names it in links; `by` is the column it
    groups by.

    The page shows a `folded` table closed until it is opened.
    """

    id: str
    title: str
    columns: list[Column]
    rows: list[list[Cell]]
    omitted: int = 0
    note: str = ""
    folded: bool = False
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A big figure with what belongs to it, and its change where there is one."""

    title: str
    value: str
    detail: str = ""
    change: str = ""
    tone: Tone = "plain"
    change_tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures side by side: the one that leads, big ones, or plain `counts`."""

    facts: list[Fact]
    role: Literal["lead-fact", "big-facts", "counts"] = "big-facts"


@dataclass(frozen=True, slots=True)
class Split:
    """Care against service as one bar: `care` is the share, `alt` says it in words."""

    care: float
    care_text: str
    service_text: str
    alt: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain sentences. `role`: `lead` says what matters, `note` what to mind, `heading` what comes next."""

    text: str
    role: Literal["lead", "note", "heading", "plain"] = "plain"


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    texts: list[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart for the page: `kind` names its drawing, `rows` its values; `alt` says in words what it shows."""

    id: str
    kind: str
    title: str
    alt: str
    rows: list[dict[str, Any]]
    options: dict[str, Any] = field(default_factory=dict)


Block = Facts | Paragraph | Points | DataTable | Chart | Split


def present(*blocks: Block | None) -> list[Block]:
    """The blocks that are there."""
    return [block for block in blocks if block is not None]


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the report; `id` is that of the settings."""

    id: str
    title: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report in one language."""

    language: str
    title: str
    subtitle: str
    sections: list[Section]
    logo: str = ""

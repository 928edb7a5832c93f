"""What a summary is made of: a metric is a definition, a figure is what it comes to for some interactions.

Every figure carries its numerator, denominator, n and interval; what cannot be known is None with a reason,
never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Unit = Literal[
    "share",
    "share_points",
    "points",
    "score",
    "stages",
    "seconds",
    "minutes",
    "count",
    "rho",
    "money",
    "per_order",
]
Kind = Literal["rate", "ratio", "mean", "spread", "count", "special"]

SMALL_GROUP = "small_group"
NO_CASES = "no_cases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A definition: name, version and formula in words, and for the four plain kinds the SQL that says the
    same.

    `population` and `success` are SQL conditions on the table `contacts` (one row per interaction, see
    contacts.py), `part`, `whole` and `value` SQL numbers. By kind:

    - rate: rows with `success` ÷ rows of `population`; Wilson interval.
    - ratio: Σ `part` ÷ Σ `whole` (whole numbers, part ≤ whole); Wilson interval on the effective number of
      cases.
    - mean: `scale` × mean of `value` (in `value_steps` per unit, so that sums are exact); t interval, or
      where the values are 1, 0 and −1 (`balance`) adjusted Wald.
    - spread: median (the value) and 90th percentile of `value`; interval of the median by order statistics.
    - count: rows with `success`; no interval, it is a count.
    - special: computed by a function of its family.
    """

    name: str
    title: str
    formula: str
    unit: Unit
    kind: Kind
    population: str = "true"
    success: str = ""
    part: str = ""
    whole: str = ""
    value: str = ""
    value_steps: int = 1
    scale: float = 1.0
    bounds: tuple[float, float] | None = None
    balance: bool = False
    exclusions: str = ""
    version: int = 1
    higher_is: Literal["better", "worse", "neither"] = "neither"
    counts_customers: bool = False
    absent: str = NO_CASES


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval, in the unit of its figure, and the method that made it."""

    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of one metric. `reason` says why `value` is None. `parts` holds what belongs beside it.

    `parts` may have `p90` (spread), `censored`, `customers`, `unknown`, `effective_n`, `n_with`, `n_without`.
    """

    name: str
    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    n: int = 0
    interval: Interval | None = None
    reason: str | None = None
    unit: Unit = "share"
    currency: str | None = None
    parts: dict[str, Any] = field(default_factory=dict)


def hide_small(figure: Figure, min_group: int) -> Figure:
    """The figure as a group shows it: nothing but n's smallness where fewer than `min_group` cases stand
    behind it.
    """
    if figure.n >= min_group or (figure.value is None and figure.n == 0):
        return figure
    return replace(
        figure, value=None, numerator=None, denominator=None, interval=None, reason=SMALL_GROUP, parts={}
    )


@dataclass(frozen=True, slots=True)
class Group:
    """The interactions that share one key (None: the records do not say), and their figures by metric name."""

    key: str | None
    n: int
    customers: int
    figures: dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Grouping:
    """All groups of one column in the order of their keys; `omitted` counts those beyond the limit of the
    settings.
    """

    by: str
    groups: list[Group]
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Counts that are no figure: rows of plain values under named columns; `omitted` rows were cut at a
    limit.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of the period against the same figure of the period it is compared with.

    `certainty` is |change| ÷ standard error of the change (None where it cannot be known), `interval` that of
    the change.
    """

    name: str
    group: tuple[str, str | None] | None
    now: Figure
    before: Figure
    change: float | None
    interval: Interval | None
    certainty: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A span of days in the report's zone: `first` and `last` are dates as text, both inclusive."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input as it was read: `rows` interactions, `damaged` pieces that are none, `format`."""

    name: str
    format: str
    rows: int
    damaged: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """One `--fail-if` and how it came out: `met` is None where there is not enough data."""

    text: str
    met: bool | None
    value: float | None
    n: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One interaction worth reading: the fields that find it, and its evidence (texts only where the input
    has them).
    """

    interaction_id: str
    channel: str | None
    started_at: str
    why: str
    agent_id: str | None
    team: str | None
    outcome: str | None
    evidence: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Summary:
    """All that a report can say. Everything in it is the same whatever the order of files or the number of
    threads.
    """

    version: str
    files: list[SourceFile]
    period: Window
    zone: str
    counts: dict[str, int]
    figures: dict[str, Figure]
    definitions: dict[str, Metric]
    settings: dict[str, Any]
    rulebooks: list[dict[str, str | None]] = field(default_factory=list)
    compared_with: Window | None = None
    compare_reason: str | None = None
    groupings: dict[str, Grouping] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)
    top: dict[str, list[Case]] = field(default_factory=dict)
    command: str = ""
    chosen_by: tuple[str, ...] = ()

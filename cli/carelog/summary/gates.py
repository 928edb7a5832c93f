"""Gates: `--fail-if 'care_share < 0.25'`, so that a script can act on a figure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from carelog.errors import UsageProblem
from carelog.summary.contacts import group_names
from carelog.summary.figures import Figure, Gate, Grouping, Metric

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
_GATE = re.compile(
    r"\s*([\w.]+)\s*(?::\s*(\w+)\s*=\s*(.*?))?\s*(<=|>=|==|!=|<|>)\s*(-?\d+(?:\.\d+)?)\s*(%?)\s*"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed gate: fail if the figure of `metric` (of group `by`=`key`) compares so with `limit`."""

    text: str
    metric: str
    by: str | None
    key: str | None
    comparison: str
    limit: float


def parse_gates(texts: Sequence[str], definitions: dict[str, Metric]) -> list[Condition]:
    """`METRIC[:COLUMN=KEY] < NUMBER[%]` for each text. UsageProblem if it is none, or the metric or column
    unknown.
    """
    return [_parse_gate(text, definitions) for text in texts]


def _parse_gate(text: str, definitions: dict[str, Metric]) -> Condition:
    match = _GATE.fullmatch(text)
    if not match:
        raise UsageProblem(
            f"--fail-if {text!r} is no gate", "for example 'care_share < 0.25' or 'csat:channel=chat < 80%'"
        )
    metric, by, key, comparison, number, percent = match.groups()
    check_metric(metric, definitions, "--fail-if")
    if by is not None and by not in group_names():
        raise UsageProblem(f"--fail-if: there is no column {by}", "one of " + ", ".join(group_names()))
    return Condition(text.strip(), metric, by, key, comparison, float(number) / (100 if percent else 1))


def check_metric(name: str, definitions: dict[str, Metric], option: str) -> None:
    """UsageProblem with the nearest names if `name` is no metric."""
    if name not in definitions:
        close = get_close_matches(name, definitions, 3, 0.5) or list(definitions)[:5]
        raise UsageProblem(f"{option}: there is no metric {name}", "did you mean " + ", ".join(close) + "?")


def check_gates(
    conditions: Sequence[Condition], figures: dict[str, Figure], groupings: dict[str, Grouping]
) -> list[Gate]:
    """How each gate came out. A figure that cannot be known leaves the gate unknown, with the reason."""
    return [_check_gate(c, figures, groupings) for c in conditions]


def _check_gate(condition: Condition, figures: dict[str, Figure], groupings: dict[str, Grouping]) -> Gate:
    figure: Figure | None = figures.get(condition.metric)
    if condition.by is not None:
        groups = {g.key: g for g in groupings[condition.by].groups}
        group = groups.get(condition.key)
        if group is None:
            return Gate(condition.text, None, None, 0, "no_such_group")
        figure = group.figures.get(condition.metric)
        if figure is None:
            return Gate(condition.text, None, None, 0, "not_by_group")
    if figure is None or figure.value is None:
        return Gate(
            condition.text, None, None, figure.n if figure else 0, figure.reason if figure else "no_cases"
        )
    failed = COMPARISONS[condition.comparison](figure.value, condition.limit)
    return Gate(condition.text, not failed, figure.value, figure.n)

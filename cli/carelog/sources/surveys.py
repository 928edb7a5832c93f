"""Surveys joined to interactions by a key: the score becomes the interaction's stated satisfaction where it
has none, the whole answer stays under `extra.survey`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from carelog.columns import RECORD_FIELDS
from carelog.errors import UnusableInput, UsageProblem
from carelog.sources.archives import open_archive
from carelog.sources.blocks import Block, ReadOptions
from carelog.sources.formats._survey_scores import RANGES, find_score
from carelog.sources.formats.survey import (
    Answer,
    check_real,
    key_of,
    read_answers,
    to_leaves,
    with_scales,
)
from carelog.sources.paths import find_inputs
from carelog.sources.streams import open_input


@dataclass(frozen=True, slots=True)
class Surveys:
    """Answers by key: `fields` are the places in a record where the key is looked for, in that order.

    An answer is `{satisfaction?, answer}`. `scored` of them hold a score; `unkeyed` had no key, `repeated`
    came again under a key (the last counts).
    """

    fields: tuple[str, ...]
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    scored: int = 0
    unkeyed: int = 0
    repeated: int = 0


def parse_key(on: str) -> tuple[str, str]:
    """`FIELD=COLUMN`, or one name for both: the record's field and the survey's column."""
    name, _, column = on.partition("=")
    name, column = name.strip(), column.strip() or name.strip()
    if not name:
        raise UsageProblem(
            "--on names no key", "such as --on interaction_id, or --on interaction_id=ticket_id"
        )
    return name, column


def parse_score(text: str) -> tuple[str, str]:
    """`COLUMN=SCALE`: where a survey has a score, and on which scale."""
    column, _, scale = text.rpartition("=")
    if not column or scale not in RANGES:
        raise UsageProblem(
            f"--survey-score {text}: write COLUMN=SCALE", f"a scale is one of {', '.join(RANGES)}"
        )
    return column.strip(), scale


def load_surveys(paths: Sequence[str], on: str, scores: Sequence[str], options: ReadOptions) -> Surveys:
    """The answers in survey files. UnusableInput where a file has no column for the key."""
    name, column = parse_key(on)
    answers: dict[str, dict[str, Any]] = {}
    counts = {"scored": 0, "unkeyed": 0, "repeated": 0}
    scales = dict(parse_score(text) for text in scores)
    # Qualtrics packs each export as a zip archive.
    for item in (member for found in find_inputs(paths) for member in open_archive(found)):
        with open_input(item) as opened:
            for answer in _real_answers(read_answers(opened, options)):
                key_column = _key_column(answer, column, item.name)
                answer = with_scales(answer, _chosen(answer, scales, item.name)) if scales else answer
                _keep(answers, answer, answer.cells.get(key_column, "").strip(), counts)
    fields = (name,) if name in RECORD_FIELDS or "." in name else (f"extra.{name}", "interaction_id")
    if "interaction_id" in fields:
        fields = (*fields, "source.record_id")
    return Surveys(fields, answers, **counts)


def _real_answers(answers: Iterator[Answer]) -> Iterator[Answer]:
    return (answer for answer in answers if answer.fault is None and check_real(answer) is None)


def _key_column(answer: Answer, column: str, file: str) -> str:
    """The survey's column for the key: of that name, else the one where surveys keep foreign keys."""
    names = answer.columns.names
    found = next((name for name in names if key_of(name) == key_of(column)), None)
    found = found or answer.columns.find("reference")
    if found is None:
        raise UnusableInput(f"{file} has no column {column}", "say it with --on FIELD=COLUMN")
    return found


def _chosen(answer: Answer, scales: dict[str, str], file: str) -> dict[str, str]:
    by_key = {key_of(name): name for name in reversed(answer.columns.names)}
    chosen = {by_key[key_of(name)]: scale for name, scale in scales.items() if key_of(name) in by_key}
    if not chosen:
        raise UnusableInput(f"{file} has no column {next(iter(scales))}", "look at its first row")
    return chosen


def _keep(answers: dict[str, dict[str, Any]], answer: Answer, key: str, counts: dict[str, int]) -> None:
    if not key:
        counts["unkeyed"] += 1
        return
    kept: dict[str, Any] = {"answer": to_leaves(answer, set())}
    score, _ = find_score(answer.cells, answer.columns.scales)
    if score is not None:
        kept["satisfaction"] = score
        counts["scored"] += 1
    counts["repeated"] += key in answers
    answers[key] = kept


def join_surveys(block: Block, surveys: Surveys) -> int:
    """Give each record of a block the answer that belongs to it; how many got one."""
    joined = 0
    for value in block.values:
        answer = next(
            (a for f in surveys.fields if (a := surveys.answers.get(_look_up(value, f))) is not None), None
        )
        if answer is None:
            continue
        joined += 1
        if "satisfaction" in answer and value.get("satisfaction") is None:
            value["satisfaction"] = dict(answer["satisfaction"])
        extra = value.get("extra")
        if extra is None or isinstance(extra, dict):
            value["extra"] = {**(extra or {}), "survey": answer["answer"]}
    return joined


def _look_up(value: Any, name: str) -> str:
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return str(value) if isinstance(value, (str, int)) else ""

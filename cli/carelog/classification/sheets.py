"""A reader's labels as columns of numbers, whether the reader is a person (gold) or carelog: so that
readers can be compared.

Gold is JSON Lines: `id`, and any of the keys below; what a line lacks was not decided and is not scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from carelog.columns import row_positions
from carelog.errors import UnusableInput, UsageProblem
from carelog.labels import ACTIVITIES, INITIATIVES, ORIENTATIONS, OUTCOMES, SATISFACTIONS, STAGES, TOUCHPOINTS

Codes = npt.NDArray[np.int8]

CHOICES: Mapping[str, tuple[str, ...]] = {
    "orientation": ORIENTATIONS,
    "satisfaction": SATISFACTIONS,
    "outcome": OUTCOMES,
    "initiative": INITIATIVES,
    "touchpoint": (*TOUCHPOINTS, "none"),
}
"""Labels of which an interaction has one value."""
FLAGS = (
    *(f"activity.{a}" for a in ACTIVITIES),
    *(f"stage.{s}" for s in STAGES),
    "loyalty",
    "churn_risk",
)
"""Labels that are yes or no."""
ALL_LABELS = (*CHOICES, *FLAGS)
UNKNOWN = -1
_COLUMN_OF = {"satisfaction": "satisfaction_label"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one reader says of n interactions: per label a code each (a place in CHOICES, or 0 and 1),
    UNKNOWN where nothing.
    """

    ids: tuple[str, ...]
    codes: Mapping[str, Codes]
    languages: tuple[str | None, ...]

    def take(self, rows: npt.NDArray[np.int64]) -> Sheet:
        """The sheet of these rows, in their order."""
        chosen = rows.tolist()
        return Sheet(
            tuple(self.ids[r] for r in chosen),
            {label: codes[rows] for label, codes in self.codes.items()},
            tuple(self.languages[r] for r in chosen),
        )


def parse_golds(text: bytes, file: str) -> Sheet:
    """Gold lines as a sheet. UsageProblem names line and key of what is no gold, UnusableInput says that
    there is none.
    """
    rows: dict[str, dict[str, int]] = {}
    languages: dict[str, str | None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        value = _parse_line(line, f"{file}:{number}")
        if value["id"] in rows:
            raise UsageProblem(f"{file}:{number}: the id stands twice", "keep one line for each interaction")
        rows[value["id"]] = dict(_codes_of(value, f"{file}:{number}"))
        language = value.get("language")
        languages[value["id"]] = language.split("-")[0] if isinstance(language, str) else None
    if not rows:
        raise UnusableInput(f"{file}: no gold labels are in it", 'a line is {"id": …, "orientation": …}')
    codes = {label: np.array([r.get(label, UNKNOWN) for r in rows.values()], np.int8) for label in ALL_LABELS}
    return Sheet(tuple(rows), codes, tuple(languages.values()))


def _parse_line(line: bytes, place: str) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UsageProblem(f"{place}: is not JSON") from error
    if isinstance(value, dict) and "id" not in value and "interaction_id" in value:
        value["id"] = value["interaction_id"]
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise UsageProblem(f"{place}: is no gold line", "it is an object with an `id` and labels")
    return value


def _codes_of(value: Mapping[str, Any], place: str) -> list[tuple[str, int]]:
    """The labels of one gold line as (label, code)."""
    found = [(name, _choice(name, value[name], place)) for name in CHOICES if name in value]
    found += [(name, _flag(name, value[name], place)) for name in ("loyalty", "churn_risk") if name in value]
    if "activities" in value:
        there = value["activities"]
        if not isinstance(there, list) or not all(a in ACTIVITIES for a in there):
            raise UsageProblem(f"{place}: activities: holds what is no activity of the codebook")
        found += [(f"activity.{a}", int(a in there)) for a in ACTIVITIES]
    stages = value.get("stages")
    if stages is not None:
        if not isinstance(stages, dict) or not set(stages) <= set(STAGES):
            raise UsageProblem(f"{place}: stages: holds what is no stage of the codebook")
        found += [(f"stage.{s}", _flag(f"stages.{s}", stages[s], place)) for s in stages]
    return found


def _choice(name: str, value: Any, place: str) -> int:
    if name == "touchpoint" and value is None:
        return len(TOUCHPOINTS)
    if value not in CHOICES[name]:
        raise UsageProblem(f"{place}: {name}: is none of {', '.join(CHOICES[name])}")
    return CHOICES[name].index(value)


def _flag(name: str, value: Any, place: str) -> int:
    if not isinstance(value, bool):
        raise UsageProblem(f"{place}: {name}: is neither true nor false")
    return int(value)


def read_labels(batch: pa.RecordBatch) -> Sheet:
    """The labels of a batch in the layout of labelled interactions, as a sheet."""
    codes: dict[str, Codes] = {}
    for name, values in CHOICES.items():
        column = batch.column(_COLUMN_OF.get(name, name))
        missing = len(TOUCHPOINTS) if name == "touchpoint" else UNKNOWN
        codes[name] = _numbers(pc.index_in(column, pa.array(list(values))), missing)
    lists = batch.column("activities")
    row, flat = row_positions(lists), lists.flatten()
    for activity in ACTIVITIES:
        has = np.zeros(batch.num_rows, np.int8)
        has[row[_numbers(pc.equal(flat, activity), 0) == 1]] = 1
        codes[f"activity.{activity}"] = has
    for name in (*(f"stage.{s}" for s in STAGES), "loyalty", "churn_risk"):
        codes[name] = _numbers(batch.column(name.replace(".", "_")), UNKNOWN)
    languages = tuple((v or "").split("-")[0] or None for v in batch.column("language").to_pylist())
    return Sheet(tuple(batch.column("interaction_id").to_pylist()), codes, languages)


def _numbers(column: pa.Array, missing: int) -> Codes:
    numbers: Codes = (
        column.cast(pa.int8()).fill_null(pa.scalar(missing, pa.int8())).to_numpy(zero_copy_only=False)
    )
    return numbers


def agree_sheets(sheets: Sequence[Sheet]) -> tuple[Sheet, npt.NDArray[np.int8]]:
    """Several readers as one: what more than half of those who said something say; and all codes, labels ×
    readers × ids.

    What no majority says is UNKNOWN and not scored.
    """
    ids = tuple(dict.fromkeys(i for sheet in sheets for i in sheet.ids))
    at = {identity: place for place, identity in enumerate(ids)}
    codes = np.full((len(ALL_LABELS), len(sheets), len(ids)), UNKNOWN, np.int8)
    languages: list[str | None] = [None] * len(ids)
    for reader, sheet in enumerate(sheets):
        places = np.array([at[i] for i in sheet.ids], np.int64)
        for number, label in enumerate(ALL_LABELS):
            codes[number, reader, places] = sheet.codes[label]
        for place, language in zip(places.tolist(), sheet.languages, strict=True):
            languages[place] = languages[place] or language
    agreed = {label: _majority(codes[number]) for number, label in enumerate(ALL_LABELS)}
    return Sheet(ids, agreed, tuple(languages)), codes


def _majority(codes: Codes) -> Codes:
    said = (codes >= 0).sum(axis=0)
    best = np.full(codes.shape[1], UNKNOWN, np.int8)
    for value in range(int(codes.max(initial=0)) + 1):
        best[(codes == value).sum(axis=0) * 2 > said] = value
    best[said == 0] = UNKNOWN
    return best

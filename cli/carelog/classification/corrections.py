"""What people corrected wins over every rule: corrections laid over labelled columns, the originals kept
beside.

A line of corrections is `{"interaction_id": …, LABEL: VALUE, …}`; LABEL is a column of labelled
interactions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from carelog.columns import LABELS
from carelog.errors import UsageProblem
from carelog.labels import (
    ACTIVITIES,
    ASPECTS,
    CARE_ACTIVITIES,
    CUSTOMER_KINDS,
    INITIATIVES,
    ORIENTATIONS,
    OUTCOMES,
    POLARITIES,
    SATISFACTIONS,
    STAGES,
    TOUCHPOINTS,
)

Values = Mapping[str, Any]
"""One correction: the labels that it sets."""

CORRECTIONS = pa.list_(pa.struct([("label", pa.string()), ("original", pa.string())]))
"""The column that keeps what a label was before: `original` is JSON text."""


def _one_of(*values: str | None) -> Callable[[Any], bool]:
    return lambda value: value in values


def _is_activities(value: Any) -> bool:
    return isinstance(value, list) and all(a in ACTIVITIES for a in value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_aspects(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(a, dict)
        and set(a) == {"aspect", "polarity"}
        and a["aspect"] in ASPECTS
        and a["polarity"] in POLARITIES
        for a in value
    )


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_stage(value: Any) -> bool:
    return value is None or isinstance(value, bool)


CORRECTABLE: Mapping[str, Callable[[Any], bool]] = {
    "orientation": _one_of(*ORIENTATIONS),
    "activities": _is_activities,
    "initiative": _one_of(*INITIATIVES),
    **{f"stage_{stage}": _is_stage for stage in STAGES},
    "satisfaction_label": _one_of(*SATISFACTIONS),
    "management_supportive": _is_count,
    "management_hierarchical": _is_count,
    "aspects": _is_aspects,
    "touchpoint": _one_of(*TOUCHPOINTS, None),
    "outcome": _one_of(*OUTCOMES),
    "loyalty": _is_flag,
    "churn_risk": _is_flag,
    "customer_kind": _one_of(*CUSTOMER_KINDS),
}
"""The labels that people may set, and what each may be; care_share, stage_score and the rest follow."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """Corrections by interaction id."""

    values: Mapping[str, Values]

    def __len__(self) -> int:
        return len(self.values)


def parse_corrections(text: bytes, file: str) -> Corrections:
    """Lines of corrections; for one interaction later lines win, label by label. UsageProblem names line
    and label.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise UsageProblem(f"{file}:{number}: is not JSON") from error
        identity = value.pop("interaction_id", None) if isinstance(value, dict) else None
        if not isinstance(identity, str) or not value:
            raise UsageProblem(
                f"{file}:{number}: is no correction", 'a line is {"interaction_id": …, "orientation": "care"}'
            )
        for label, wanted in value.items():
            _check_value(label, wanted, f"{file}:{number}")
        found.setdefault(identity, {}).update(value)
    return Corrections(found)


def join_corrections(parts: Iterable[Corrections]) -> Corrections:
    """The corrections of several files as one; for one interaction later files win, label by label."""
    joined: dict[str, dict[str, Any]] = {}
    for part in parts:
        for identity, values in part.values.items():
            joined.setdefault(identity, {}).update(values)
    return Corrections(joined)


def _check_value(label: str, value: Any, place: str) -> None:
    if label not in CORRECTABLE:
        raise UsageProblem(
            f"{place}: {label[:40]!r} is no label that can be corrected",
            f"there are: {', '.join(CORRECTABLE)}",
        )
    if not CORRECTABLE[label](value):
        raise UsageProblem(f"{place}: {label}: is no value that the codebook knows")


def apply_corrections(batch: pa.RecordBatch, corrections: Corrections) -> pa.RecordBatch:
    """A labelled batch with corrections laid over it, and a column `corrections` (layout CORRECTIONS) at
    its end.

    Corrected activities move orientation and care_share with them (every activity weighs the same then,
    unless the orientation is corrected too), a corrected orientation moves care_share into its range,
    stages their score. Only the corrected rows are looked at one by one.
    """
    ids = batch.column("interaction_id").to_pylist()
    rows = [row for row, identity in enumerate(ids) if identity in corrections.values]
    kept: list[list[dict[str, str]]] = [[] for _ in ids]
    arrays = {name: batch.column(name) for name in batch.schema.names}
    if rows:
        before = batch.take(pa.array(rows)).to_pylist()
        after = [_corrected(row, corrections.values[row["interaction_id"]]) for row in before]
        for row, old, new in zip(rows, before, after, strict=True):
            kept[row] = _originals(old, new)
        for name in LABELS.names:
            if any(old[name] != new[name] for old, new in zip(before, after, strict=True)):
                arrays[name] = _replaced(arrays[name], rows, [new[name] for new in after])
    schema = corrected_schema(batch.schema)
    return pa.RecordBatch.from_arrays([*arrays.values(), pa.array(kept, CORRECTIONS)], schema=schema)


def corrected_schema(schema: pa.Schema) -> pa.Schema:
    """The layout of labelled interactions with the column that keeps what was corrected."""
    return schema.append(pa.field("corrections", CORRECTIONS))


def _replaced(column: pa.Array, rows: Sequence[int], values: Sequence[Any]) -> pa.Array:
    places = np.arange(len(column))
    places[list(rows)] = len(column) + np.arange(len(rows))
    return pa.concat_arrays([column, pa.array(list(values), column.type)]).take(pa.array(places))


def _originals(old: Values, new: Values) -> list[dict[str, str]]:
    """The labels that changed, each with its value before as JSON."""
    changed = [n for n in LABELS.names if n != "evidence" and old[n] != new[n]]
    return [{"label": n, "original": json.dumps(old[n], ensure_ascii=False)} for n in changed]


def _corrected(row: Values, wanted: Values) -> dict[str, Any]:
    """A labelled row with a correction, and what follows from it."""
    new = {**row, **wanted}
    if "activities" in wanted:
        new["activities"] = sorted(set(wanted["activities"]))
    elif new["orientation"] == "none":
        new["activities"] = []
    if "orientation" in wanted or "activities" in wanted:
        _settle_orientation(new, "activities" in wanted, "orientation" in wanted)
    stages = [new[f"stage_{stage}"] for stage in STAGES]
    new["stage_score"] = None if None in stages else sum(stages)
    if "satisfaction_label" in wanted:
        new["satisfaction_source"] = "none" if new["satisfaction_label"] == "unknown" else "inferred"
    changed = [label for label in (*wanted, "orientation", "activities") if new[label] != row[label]]
    gone = {prefix for label in changed for prefix in _EVIDENCE_OF.get(label, (label.replace("_", ".", 1),))}
    new["evidence"] = [e for e in row["evidence"] if not _is_about(e["label"], gone, new)]
    return new


_EVIDENCE_OF = {
    "activities": ("activity",),
    "orientation": ("orientation",),
    "satisfaction_label": ("satisfaction",),
    "aspects": ("aspect",),
    "customer_kind": ("customer_kind",),
    "churn_risk": ("churn_risk",),
    "management_supportive": ("management.supportive",),
    "management_hierarchical": ("management.hierarchical",),
}


def _is_about(label: str, families: set[str], new: Values) -> bool:
    """Whether evidence speaks for a corrected label that is no longer given; for one that is, it stays."""
    if not any(label == f or label.startswith(f + ".") for f in families):
        return False
    family, _, value = label.partition(".")
    return not (family == "activity" and value in new["activities"])


def _settle_orientation(new: dict[str, Any], by_activities: bool, by_hand: bool) -> None:
    """Make orientation and care_share say the same as the activities; a hand-set orientation wins over the
    sum.
    """
    share = _share_of(new["activities"])
    if by_activities and not by_hand:
        new["orientation"] = _orientation_of(share)
    orientation = new["orientation"]
    if orientation == "none":
        new["care_share"] = None
        return
    if not by_activities and new["care_share"] is not None:
        share = new["care_share"]
    if _orientation_of(share) != orientation:
        share = _nearest_share(orientation, new["activities"])
    new["care_share"] = round(share, 6) if share is not None else None


def _share_of(activities: Sequence[str]) -> float | None:
    care = sum(a in CARE_ACTIVITIES for a in activities)
    return care / len(activities) if activities else None


def _orientation_of(share: float | None) -> str:
    if share is None:
        return "none"
    return "care" if share >= 2 / 3 - 1e-6 else "service" if share <= 1 / 3 + 1e-6 else "mixed"


def _nearest_share(orientation: str, activities: Sequence[str]) -> float:
    """The share when the activities of the orientation's side are main (weight 2; codebook, section 1), if
    that is in its range; else the range's border, or one half.
    """
    care = sum(a in CARE_ACTIVITIES for a in activities)
    service = len(activities) - care
    if orientation == "care":
        return max(2 * care / (2 * care + service), 2 / 3) if care else 1.0
    if orientation == "service":
        return min(care / (care + 2 * service), 1 / 3) if service else 0.0
    return 0.5

"""`apply_corrections` on columns: cut anywhere, the same rows come out; nothing else moves."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carelog.classification.corrections import (
    CORRECTABLE,
    Corrections,
    apply_corrections,
    corrected_schema,
)
from carelog.columns import labelled_schema
from carelog.labels import ACTIVITIES, CARE_ACTIVITIES, ORIENTATIONS

ROWS = 6
fixes = st.dictionaries(
    st.sampled_from([f"i{n}" for n in range(ROWS + 2)]),
    st.fixed_dictionaries(
        {},
        optional={
            "orientation": st.sampled_from(ORIENTATIONS),
            "activities": st.lists(st.sampled_from(ACTIVITIES), max_size=4),
            "loyalty": st.booleans(),
            "stage_needs": st.none() | st.booleans(),
        },
    ).filter(bool),
    max_size=5,
)


def labelled(rows: int = ROWS) -> pa.RecordBatch:
    """Service interactions with one activity, in the layout of labelled interactions."""
    value = {
        "channel": "chat", "orientation": "service", "care_share": 0.0, "activities": ["return"],
        "loyalty": False, "stage_greeting": True, "stage_rapport": False, "stage_needs": False,
        "stage_solution": True, "stage_gratitude": False, "stage_score": 2, "aspects": [],
        "satisfaction_label": "unknown",
        "evidence": [{"label": "activity.return", "rule": "r", "field": "category"}],
    }  # fmt: skip
    values = [{**value, "interaction_id": f"i{n}"} for n in range(rows)]
    return pa.RecordBatch.from_pylist(values, schema=labelled_schema())


@given(fixes, st.integers(0, ROWS))
def test_pieces_give_what_the_whole_gives(values: dict[str, dict[str, object]], cut: int) -> None:
    corrections = Corrections(values)
    whole = apply_corrections(labelled(), corrections)
    parts = [apply_corrections(labelled().slice(*p), corrections) for p in ((0, cut), (cut, ROWS - cut))]
    assert pa.Table.from_batches(parts).to_pylist() == whole.to_pylist()
    assert whole.schema == corrected_schema(labelled_schema())


@given(fixes)
def test_what_people_say_comes_out_and_agrees_with_itself(
    values: dict[str, dict[str, object]],
) -> None:
    rows = apply_corrections(labelled(), Corrections(values)).to_pylist()
    for before, row in zip(labelled().to_pylist(), rows, strict=True):
        fix = values.get(row["interaction_id"], {})
        if not fix:
            assert {k: v for k, v in row.items() if k != "corrections"} == before
            continue
        for name, wanted in fix.items():
            assert row[name] == (sorted(set(wanted)) if isinstance(wanted, list) else wanted)
        low, high = {"care": (2 / 3, 1), "service": (0, 1 / 3), "mixed": (1 / 3, 2 / 3)}.get(
            row["orientation"], (None, None)
        )
        if low is None:
            assert row["care_share"] is None
        else:
            assert low - 1e-6 <= row["care_share"] <= high + 1e-6
        sides = {a in CARE_ACTIVITIES for a in row["activities"]}
        if "orientation" not in fix and sides:
            assert (row["orientation"] == "mixed") >= (row["care_share"] == 0.5)


@pytest.mark.parametrize("label", sorted(CORRECTABLE))
def test_every_label_that_can_be_corrected_is_a_column(label: str) -> None:
    assert label in labelled_schema().names
    assert not CORRECTABLE[label]({"no": "value"})

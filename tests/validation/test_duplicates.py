"""Numbers that were read before in the same input."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.validation.records import block_of, record

from carelog.validation import DuplicateIds, reject_duplicates, validate_block


def test_the_first_record_of_a_number_is_kept_and_the_others_name_its_line() -> None:
    values = [record(interaction_id=i) for i in ("A", "B", "A", "A")]
    validated = reject_duplicates(validate_block(block_of(*values, first_line=10)), DuplicateIds())
    assert validated.accepted.column("interaction_id").to_pylist() == ["A", "B"]
    assert (validated.lines.tolist(), len(validated.raws)) == ([10, 11], 2)
    assert [(r.line, r.interaction_id) for r in validated.rejects] == [(12, "A"), (13, "A")]
    finding = validated.rejects[1].findings[0]
    assert (finding.pointer, finding.keyword) == ("/interaction_id", "duplicate_id")
    assert finding.message == "`interaction_id` was read before in this input, at line 10"
    assert validated.rejects[0].raw == validated.rejects[1].raw != ""


def test_a_number_may_stand_in_two_inputs() -> None:
    seen = DuplicateIds()
    for file in ("a.jsonl", "b.jsonl"):
        validated = reject_duplicates(validate_block(block_of(record(), file=file)), seen)
        assert validated.rejects == []


@given(st.lists(st.integers(0, 30).map(str), max_size=120), st.integers(1, 17))
def test_duplicates_are_those_of_a_dictionary_however_the_input_is_cut(ids: list[str], size: int) -> None:
    first: dict[str, int] = {}
    expected = []
    for line, number in enumerate(ids, 1):
        expected.append(first.get(number, 0))
        first.setdefault(number, line)
    seen = DuplicateIds()
    found: list[int] = []
    for start in range(0, len(ids), size):
        part = ids[start : start + size]
        lines = range(start + 1, start + len(part) + 1)
        found += seen.check("a", pa.array(part, pa.string()), lines).tolist()
    assert found == expected


@pytest.mark.parametrize("count", [0, 1])
def test_a_batch_of_no_or_one_row_is_no_special_case(count: int) -> None:
    found = DuplicateIds().check("a", pa.array(["x"] * count, pa.string()), range(1, count + 1))
    assert found.tolist() == [0] * count

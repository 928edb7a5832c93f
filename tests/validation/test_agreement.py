"""The fast validator and the thorough one give one verdict, formats included."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.validation.records import block_of, full_record

from carelog.labels import CHANNELS
from carelog.resources import load_schema
from carelog.validation import validate_block
from carelog.validation.rules import find_strangers
from carelog.validation.schemas import ANY_CHANNEL, compile_schemas, thorough_validator

TIMES = st.sampled_from(
    [
        "2026-03-10T09:15:00+05:30",
        "2026-03-10t09:15:00z",
        "2026-03-10T09:15:00.123456789012Z",
        "2026-03-10T09:15:00.Z",
        "2026-03-10T09:15:00,5Z",
        "2026-03-10T09:15:00Z\n",
        "2026-03-10 09:15:00Z",
        "2026-03-10T09:15Z",
        "2026-03-10T24:00:00Z",
        "2026-02-29T00:00:00Z",
        "2028-02-29T00:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-04-31T10:00:00Z",
        "2016-12-31T23:59:60Z",
        "2026-03-10T09:15:00-00:00",
        "2026-03-10T09:15:00+24:00",
        "2026-03-10T09:15:00+0530",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "٢٠٢٦-03-10T09:15:00Z",
        "2026-03-10T09:15:00\u2212" + "05:30",
        "",
    ]
)
DIGITS = st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})\n?")
WORDS = ["phone", "email", "chat", "in_store", "missed", "closed", "csat_5", "thumbs", "INR", "inr", "₹"]
ODD = [" ", "\t\n", "\x00", "\u3000", "\ufeff", "-1.50", "1e3", "١٢", "hi-IN", "hi_IN", "x" * 1001, "INR\n"]
TEXTS = st.one_of(st.text(max_size=8), TIMES, DIGITS, st.sampled_from(WORDS + ODD))
NUMBERS = st.one_of(
    st.integers(-2, 11),
    st.sampled_from(
        [0.0, -0.0, 1.0, 4.5, 10.0, 100, 100.5, 1e10, 1e10 + 1, 2**53, 2**63, -(2**63), 1e300, 5e-324]
    ),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["speaker", "text", "at", "scale", "score", "amount", "new"]), inner, max_size=3
        ),
    ),
    max_leaves=4,
)


THOROUGH = {name: thorough_validator(load_schema(name)) for name in (ANY_CHANNEL, *CHANNELS)}


def told(errors: Iterable[Any]) -> list[tuple[Any, ...]]:
    """What makes up the findings of jsonschema's errors, in no particular order."""
    return sorted((str(e.json_path), e.validator, e.message) for e in errors)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@st.composite
def mutated_records(draw: st.DrawFn) -> dict[str, Any]:
    """A whole record with up to four of its places deleted, replaced or given company."""
    value: dict[str, Any] = copy.deepcopy(full_record(draw(st.sampled_from(CHANNELS))))
    for name in draw(st.sets(st.sampled_from(sorted(value)), max_size=len(value))):
        del value[name]
    for _ in range(draw(st.integers(0, 4))):
        spots = places(value)
        if not spots:
            break
        *way, last = draw(st.sampled_from(spots))
        parent: Any = value
        for step in way:
            parent = parent[step]
        action = draw(st.sampled_from(["replace", "delete", "add"]))
        if action == "delete":
            del parent[last]
        elif action == "replace":
            parent[last] = draw(VALUES)
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from(["status", "new", "at", "channel", "subject"]))] = draw(VALUES)
    return value


@settings(max_examples=600, deadline=None)
@given(mutated_records())
def test_both_validators_give_one_verdict_on_mutated_records(value: dict[str, Any]) -> None:
    schemas = compile_schemas()
    for name in (ANY_CHANNEL, *CHANNELS):
        valid = schemas.is_valid[name](value)
        errors = list(THOROUGH[name].iter_errors(value))
        assert valid is (not errors)
        assert told(schemas.explain[name].iter_errors(value)) == told(errors)
        assert schemas.is_tidy[name](value) is (valid and not list(find_strangers(value)))


@settings(max_examples=300, deadline=None)
@given(st.lists(mutated_records(), max_size=4))
def test_no_record_can_make_validation_crash_or_vanish(values: list[dict[str, Any]]) -> None:
    validated = validate_block(block_of(*values))
    assert validated.read == len(values) == validated.accepted.num_rows + len(validated.rejects)
    assert all(r.findings and all(f.message.isprintable() for f in r.findings) for r in validated.rejects)
    assert "schema" not in {f.keyword for r in validated.rejects for f in r.findings}


@settings(max_examples=300, deadline=None)
@given(st.one_of(TIMES, DIGITS))
def test_both_validators_give_one_verdict_on_times(text: str) -> None:
    schemas = compile_schemas()
    value = {**full_record(), "started_at": text}
    assert schemas.is_valid["phone"](value) is (next(THOROUGH["phone"].iter_errors(value), None) is None)


@pytest.mark.parametrize("text", ["2026-02-30T10:00:00Z", "2026-03-10T09:15:00", "2016-12-31T23:59:60Z"])
def test_formats_are_asserted_by_both(text: str) -> None:
    schemas = compile_schemas()
    value = {**full_record(), "started_at": text}
    assert not schemas.is_valid["phone"](value)
    assert list(THOROUGH["phone"].iter_errors(value))

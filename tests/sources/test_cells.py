"""What a spreadsheet would run is written so that it does not, and read back as it was."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carelog.sources.cells import from_cell, to_cell, to_json_cell

TEXT = st.text(st.sampled_from("'=+-@\t\r\n＝ ab\"\\"), max_size=8) | st.text()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r1", "\n=", "＝1", "－1", "'="])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert to_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=1", "'quoted'", "1-2", " =1", "हाँ", "''"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert to_cell(text) == text
    assert from_cell(text) == text


@given(TEXT)
def test_every_text_comes_back(text: str) -> None:
    assert from_cell(to_cell(text)) == text
    assert to_cell(text)[:1] not in tuple("=+-@\t\r\n＝＋－＠")


@given(st.recursive(TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=8))
def test_nested_text_comes_back_and_begins_with_no_formula(value: object) -> None:
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return  # half a character, which no record holds
    cell = to_json_cell(text)
    assert json.loads(cell) == value
    assert not any(f'"{sign}' in cell.replace('\\"', "") for sign in "=+-@")

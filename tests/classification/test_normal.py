"""The normal form folds what does not change a word, and every place in it knows its place in the text."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carelog.classification.normal import normalize, normalize_many, to_normal_form

SAME = [
    pytest.param("Don't WORRY", "dont worry", id="case and apostrophes"),
    pytest.param("it’s", "its", id="typographic apostrophe"),
    pytest.param("salamaaat po", "salamat po", id="elongation in Latin letters"),
    pytest.param("มากกกก", "มาก", id="elongation in Thai"),
    pytest.param("1000 ฿", "1000 ฿", id="digits are no elongation"),
    pytest.param("क़लम", "कलम", id="nukta composed"),
    pytest.param("ज़रूर", "जरूर", id="nukta as a sign"),
    pytest.param("हाँ", "हां", id="chandrabindu"),
    pytest.param("९८७", "987", id="Devanagari digits"),
    pytest.param("૧૨૩", "123", id="Gujarati digits"),
    pytest.param("๕๕๕", "555", id="Thai digits"),
    pytest.param("น้ํา", "น้ำ", id="sara am in two parts after the tone"),
    pytest.param("นํ้า", "น้ำ", id="sara am in two parts before the tone"),
    pytest.param("เเม่", "แม่", id="two sara e for sara ae"),
    pytest.param("ท่ี", "ที่", id="tone before the vowel"),
    pytest.param("re\u200bfund", "refund", id="zero-width space"),
    pytest.param("\u202etext\u202c", "text", id="direction marks"),
    pytest.param("ÑANDÚ", "ñandú", id="Latin-1 capitals"),
    pytest.param("ＡＢＣ１", "abc1", id="full width"),
    pytest.param("👍🏽", "👍", id="skin tone"),
]


@pytest.mark.parametrize(("text", "normal"), SAME)
def test_variants_fold(text: str, normal: str) -> None:
    assert normalize(text) == f" {normal} "


def test_a_clause_ends_at_a_stop_an_empty_line_and_a_question_mark() -> None:
    assert normalize("Really?!  Yes... no") == " really?yes.no "
    assert normalize("Dear Ann\n\nYour order\nis late") == " dear ann.your order is late "


@given(st.lists(st.text(max_size=40), max_size=6))
def test_segments_never_touch_each_other(texts: list[str]) -> None:
    texts = [t.encode("utf-8", "ignore").decode() for t in texts]
    assert normalize_many(texts) == [normalize(t) for t in texts]


@given(st.lists(st.text(alphabet="aB é'़ मกก่ี .?\n👍5๕", max_size=30), min_size=1, max_size=5))
def test_every_word_points_back_to_its_own_characters(texts: list[str]) -> None:
    form = to_normal_form(pa.array(texts, pa.string()))
    for found in re.finditer(rb"[^ .?\n]+", form.data):
        start, end = (np.array([place]) for place in found.span())
        segment = int(form.segment_of(start)[0])
        first, last = form.character_spans(start, end)
        span = texts[segment][int(first[0]) : int(last[0])]
        assert normalize(span).strip() == found.group().decode()

"""Patterns of one whole word are found by its key, wherever it stands between separators."""

from __future__ import annotations

import pyarrow as pa
import pytest

from carelog.classification.gaps import to_parts
from carelog.classification.matching import soften
from carelog.classification.normal import to_normal_form
from carelog.classification.patterns import to_pattern
from carelog.classification.words import Words, WordTable, is_word


def literal(phrase: str) -> str:
    parts = to_parts(soften(to_pattern(phrase)))
    assert parts is not None
    return parts[0].spellings[0]


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [
        ("refund", True),
        ("refund*", False),
        ("my refund", False),
        ("नहीं", True),
        ("ครับ", False),
        ("a" * 23, True),
        ("ab" * 12, False),
        ("😡", False),
    ],
)
def test_what_is_a_word(phrase: str, wanted: bool) -> None:
    assert is_word(literal(phrase)) is wanted


def test_words_are_found_whole_and_told_apart() -> None:
    phrases = ["refund", "no", "नहीं", "internationalisation", "internationalisations"]
    table = WordTable.of([literal(p) for p in phrases], 7)
    form = to_normal_form(pa.array(["No refunds? No.", "नहीं refund", "internationalisations", ""]))
    patterns, ends = table.find(Words(form))
    found = [
        (phrases[p - 7], form.data[:e].decode().replace("?", " ").strip(". ").split()[-1])
        for p, e in zip(patterns, ends, strict=True)
    ]
    assert found == [(w, w) for w in ("no", "no", "नहीं", "refund", "internationalisations")]


def test_no_words_find_nothing() -> None:
    assert len(WordTable.of([], 0).find(Words(to_normal_form(pa.array(["no refund"]))))[0]) == 0

"""What a phrase of a rulebook matches, and what not."""

from __future__ import annotations

import pytest

from carelog.classification.gaps import to_parts
from carelog.classification.matching import fixed_length, soften
from carelog.classification.normal import normalize
from carelog.classification.patterns import BadPhrase, compile_phrase, to_pattern

CLAIMS = [
    ("third time", "For the THIRD time!", True),
    ("third time", "a third timer", False),
    ("refund*", "two refunds", True),
    ("*fund", "a refund", True),
    ("not .. work*", "it is not really working", True),
    ("not .. work*", "not one of all your people works", False),
    ("want|need to cancel", "I need to cancel", True),
    ("want|need to cancel", "I hope to cancel", False),
    ("don't work", "they dont work", True),
    ("नहीं मिला", "अभी तक नहीं मिला।", True),
    ("नहीं मिला", "नहीं मिलाया", False),
    ("ยังไม่ได้รับ", "ของยังไม่ได้รับเลย", True),
    ("ยังไม่ได้ .. รับ", "ยังไม่ได้ของเลยรับ", True),
    ("😡", "bad😡😡", True),
]


@pytest.mark.parametrize(("phrase", "text", "wanted"), CLAIMS)
def test_phrase(phrase: str, text: str, wanted: bool) -> None:
    assert bool(compile_phrase(to_pattern(phrase)).search(normalize(text).encode())) is wanted


@pytest.mark.parametrize("phrase", ["", "!!!", ".. work", "work ..", "a |"])
def test_bad_phrases_say_so(phrase: str) -> None:
    with pytest.raises(BadPhrase):
        to_pattern(phrase)


def test_a_phrase_of_whole_words_has_one_length() -> None:
    pattern = to_pattern("नहीं मिला")
    found = compile_phrase(pattern).search(normalize("कुछ नहीं मिला").encode())
    assert found is not None
    parts = to_parts(soften(pattern))
    assert parts is not None
    assert [fixed_length(text) for part in parts for text in part.spellings] == [len(found.group())]
    assert fixed_length(r" a[bc] ") == 0

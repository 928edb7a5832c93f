"""Phrases with gaps are joined of literal parts; what they match is what their pattern says."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carelog.classification import walks
from carelog.classification.chains import ChainBuilder
from carelog.classification.gaps import MOST_SPELLINGS, Part, to_parts
from carelog.classification.matching import compile_expressions, scan, soften, to_expressions
from carelog.classification.normal import to_normal_form
from carelog.classification.patterns import to_pattern
from carelog.classification.rulebook import Rule
from carelog.classification.walks import to_walk

MANY = "|".join(f"w{n}" for n in range(9))
PHRASES = (
    "not .. work",
    "never .. work*",
    "*ly .. done",
    "no .. one|none .. came",
    "abc* .. *xyz",
    "abc* def",
    "abc *def",
    "all day .. no call back",
    "we ab* .. cd* now",
    f"{MANY} {MANY} go",
    f"{MANY} {MANY} {MANY}",
    "ยังไม่ได้ .. รับ",
    "รับ .. แล้ว .. ครับ",
    "मेरा .. नहीं मिला",
    "internationalisationalists .. work",
    "work .. internationalisationalists",
)
WORDS = (
    *(
        "not",
        "never",
        "work",
        "works",
        "really",
        "done",
        "no",
        "one",
        "none",
        "came",
        "abc",
        "abcd",
        "uxyz",
        "xyz",
    ),
    *(
        "def",
        "adef",
        "all",
        "day",
        "call",
        "back",
        "we",
        "abx",
        "cdx",
        "now",
        "w0",
        "w1",
        "w8",
        "go",
        "a",
        "🙂",
    ),
    *(
        "ยังไม่ได้",
        "รับ",
        "แล้ว",
        "ครับ",
        "मेरा",
        "नहीं",
        "मिला",
        "internationalisationalists",
        "internationalisationalist",
    ),
)
RULES = tuple(
    Rule(f"en.test.r{n}", "activity.order", phrases=(p,), language="en") for n, p in enumerate(PHRASES)
)
EXPRESSIONS = to_expressions(RULES)
DATABASE = compile_expressions(EXPRESSIONS)
PATTERNS = [re.compile(soften(to_pattern(p)).encode("ascii"), re.DOTALL) for p in PHRASES]

texts = st.lists(
    st.lists(
        st.tuples(st.sampled_from(WORDS), st.sampled_from([" ", " ", " ", "", ". ", "? . ", "\n", "\n\n"])),
        max_size=9,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=400, deadline=None)
@given(texts)
def test_rules_match_where_their_pattern_does(parts: list[list[tuple[str, str]]]) -> None:
    form = to_normal_form(pa.array(["".join(w + s for w, s in text) for text in parts], pa.string()))
    found = scan(DATABASE, EXPRESSIONS, form)
    scanned = form.data.translate(bytes.maketrans(b".?", b"  ")).split(b"\n")
    wanted = {
        (rule, segment)
        for rule, pattern in enumerate(PATTERNS)
        for segment in range(len(parts))
        # The border of its last word may be the line feed's neighbour only: a segment ends with a separator.
        if pattern.search(scanned[segment])
    }
    assert set(zip(found.rules.tolist(), found.segments.tolist(), strict=True)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("not work", True),
        ("it is not at all the work", True),
        ("not one two three four work", False),
        ("not. work", True),
        ("not. ? work", False),
    ],
)
def test_a_gap_holds_three_words_and_no_empty_clause(text: str, wanted: bool) -> None:
    found = scan(DATABASE, EXPRESSIONS, to_normal_form(pa.array([text])))
    assert (0 in found.rules.tolist()) is wanted


@pytest.mark.parametrize("text", ["abc abcuxyz", "abcd abcxyz no", "abc uxyz"])
def test_a_word_that_begins_and_ends_alike_hides_no_match(text: str) -> None:
    found = scan(DATABASE, EXPRESSIONS, to_normal_form(pa.array([text])))
    assert PHRASES.index("abc* .. *xyz") in found.rules.tolist()


def test_a_match_in_the_next_text_does_not_count() -> None:
    assert len(scan(DATABASE, EXPRESSIONS, to_normal_form(pa.array(["not", "work"]))).rules) == 0


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("plain words", [0]),
        ("not .. work", [0, 3]),
        ("abc* def", [0, 0]),
        ("ครบ .. ปี", [0, -1]),
        (f"{MANY} {MANY} go", [0, 0]),
    ],
)
def test_phrases_are_cut_at_gaps(phrase: str, words: list[int]) -> None:
    parts = to_parts(soften(to_pattern(phrase)))
    assert parts is not None
    assert [part.words for part in parts] == words
    assert all(len(part.spellings) <= MOST_SPELLINGS for part in parts)


def test_what_is_no_literal_is_not_cut() -> None:
    assert to_parts("a[bc]d") is None


def test_a_walk_begins_at_the_rarest_part_or_at_the_one_that_is_no_word() -> None:
    for phrase, anchor in (
        ("not .. refunded", " refunded "),
        ("refund* .. not", " refund"),
        ("do not .. it", " do not "),
    ):
        parts = to_parts(soften(to_pattern(phrase)))
        assert parts is not None
        walk = to_walk(parts)
        assert walk is not None
        assert walk.anchor.spellings == (anchor,)


def test_no_walk_without_words() -> None:
    for phrase in ("ครบ .. ปี", "ab* .. cd*"):
        parts = to_parts(soften(to_pattern(phrase)))
        assert parts is not None
        assert to_walk(parts) is None


def test_phrases_with_the_same_beginning_share_it() -> None:
    chains = ChainBuilder()
    first, *others = (Part((f" {text} ",), 3) for text in ("not", "work", "come"))
    for number, other in enumerate(others):
        chains.add((first, other), [number])
    built = chains.build([" not ", " work ", " come "])
    assert built.parents.tolist() == [-1, 0, 0]
    assert built.levels.tolist() == [0, 1, 1]


def test_matches_do_not_depend_on_how_many_are_under_way_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    form = to_normal_form(
        pa.array(["no one all day no call back came", "not not really work done", "w0 w1 w8 go"] * 5)
    )
    wanted = scan(DATABASE, EXPRESSIONS, form)
    monkeypatch.setattr(walks, "_STRIDE", 2)
    found = scan(DATABASE, EXPRESSIONS, form)
    assert len(wanted.rules) >= 15
    assert found.rules.tolist() == wanted.rules.tolist()
    assert found.ends.tolist() == wanted.ends.tolist()

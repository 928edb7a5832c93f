"""What a word has learned is the same, whichever words were met before."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from carelog.classification import vocabulary
from carelog.classification.lexicon import LEXICAL_SLOTS, Lexicon
from carelog.classification.normal import to_normal_form
from carelog.classification.tokens import Tokens, feature_keys, find_tokens
from carelog.classification.vocabulary import Vocabulary

WORDS = [f"word{n}" for n in range(300)]


def tokens_of(words: list[str]) -> Tokens:
    return find_tokens(to_normal_form(pa.array([" ".join(words)])))


def lexicon() -> Lexicon:
    """Knows the first two hundred words, each by a vector that tells its number."""
    tokens = tokens_of([w.replace("word", "xy") + "z" * (n % 2) for n, w in enumerate(WORDS[:200])])
    _, keys = feature_keys(tokens.text, tokens.starts, tokens.lengths, tokens.keys)
    keys = np.unique(keys)
    numbers = np.arange(len(keys), dtype=np.float32)[:, None, None]
    vectors = np.broadcast_to(numbers, (len(keys), len(LEXICAL_SLOTS), 2)).copy()
    return Lexicon(keys, vectors, np.ones(len(keys), np.float32), np.ones((2, 3), np.float32))


KNOWN = [w.replace("word", "xy") for w in WORDS[:200:2]]


def told(table: Vocabulary, words: list[str]) -> list[list[float]]:
    rows = table.look_up(tokens_of(words))
    return [[float(table.vectors[r].sum()), float(table.lengths[r])] for r in rows.tolist()]


def test_what_is_told_does_not_depend_on_what_was_met_before() -> None:
    used = Vocabulary(lexicon())
    for start in range(0, 100, 7):
        told(used, KNOWN[start : start + 9])
    new = [told(Vocabulary(lexicon()), [word])[0] for word in KNOWN]
    assert told(used, KNOWN) == new
    assert len({tuple(n) for n in new}) > 1


def test_nothing_is_known_of_other_words() -> None:
    assert told(Vocabulary(lexicon()), ["qqq", "ok"]) == [[0.0, 0.0], [0.0, 0.0]]


def test_crowded_places_and_a_full_table_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = told(Vocabulary(lexicon()), KNOWN)
    monkeypatch.setattr(vocabulary, "_BITS", 3)
    assert told(Vocabulary(lexicon()), KNOWN) == wanted
    monkeypatch.setattr(vocabulary, "MOST_WORDS", 20)
    table = Vocabulary(lexicon())
    for start in (0, 10, 30, 50, 80):
        assert told(table, KNOWN[start : start + 15]) == wanted[start : start + 15]
        assert len(table.lengths) == 20


def test_more_new_words_at_once_than_fit_are_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = told(Vocabulary(lexicon()), KNOWN)
    monkeypatch.setattr(vocabulary, "MOST_WORDS", 20)
    assert told(Vocabulary(lexicon()), KNOWN) == wanted

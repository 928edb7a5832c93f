"""The clause that is shown for a learned vote."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from carelog.classification import clauses
from carelog.classification.classify import classify_batch
from carelog.classification.clauses import best_of_each
from carelog.classification.compiled import load_classifier
from carelog.columns import to_record_batch

GROUPS = [
    ([], [], []),
    ([0, 0, 0, 2, 2], [0.1, 0.3, 0.2, -1.0, -2.0], [1, 3]),
    ([1, 1, 1], [0.5, 0.7, 0.70001], [1]),
    ([4, 5, 6], [1.0, 0.0, -1.0], [0, 1, 2]),
]


@pytest.mark.parametrize(("group", "vote", "wanted"), GROUPS)
def test_the_first_of_the_highest_votes(group: list[int], vote: list[float], wanted: list[int]) -> None:
    assert best_of_each(np.array(group, np.int64), np.array(vote, np.float32)).tolist() == wanted


def talk(text: str) -> dict[str, Any]:
    head = {"interaction_id": "x", "channel": "chat", "started_at": "2026-01-01T00:00:00Z"}
    return {**head, "messages": [{"speaker": "customer", "text": text}]}


SAID = (
    "we bought the cabinet in march. it came with one door that does not shut, and by now both hang loose so that"
    " nothing stays in. i wrote about it twice and was told to wait. what am i supposed to do with it now? "
)


def test_clauses_do_not_depend_on_how_many_words_are_weighed_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = to_record_batch([talk(SAID * n) for n in (1, 3, 9)])
    wanted = classify_batch(batch, load_classifier()).column("evidence")
    monkeypatch.setattr(clauses, "_STRIDE", 7)
    assert classify_batch(batch, load_classifier()).column("evidence").equals(wanted)
    learned = [
        e for row in wanted.to_pylist() for e in row if e["rule"] == "model.votes" and e["start"] is not None
    ]
    assert learned
    assert all(e["end"] - e["start"] <= 2 * clauses.CLAUSE_REACH + len(SAID) // 4 for e in learned)


def test_only_the_first_words_of_a_text_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clauses, "LOOKED_AT", 20)
    rows = classify_batch(to_record_batch([talk(SAID * 3)]), load_classifier()).column("evidence").to_pylist()
    learned = [e for e in rows[0] if e["rule"] == "model.votes" and e["start"] is not None]
    assert learned
    assert all(e["start"] < 120 for e in learned)


def test_a_vote_without_a_clear_place_names_the_record() -> None:
    """Many weak words may tell a label together; then no clause is said to be the reason."""
    lines = (
        "the thing is what it is",
        "and it goes on as things go on",
        "so there we are with it",
        "that is all of it",
    )
    told = talk("")
    told["messages"] = [{"speaker": "customer", "text": line} for line in lines]
    (row,) = classify_batch(to_record_batch([told]), load_classifier()).column("evidence").to_pylist()
    votes = [e for e in row if e["rule"] == "model.votes"]
    assert votes
    assert all((e["field"] == "record") == (e["start"] is None) == (e["end"] is None) for e in votes)
    assert any(e["start"] is None for e in votes)


BEGUN = ("50 wapas kar diye", "where is my order", "paise wapas kar do")


@pytest.mark.parametrize("text", BEGUN)
def test_a_place_at_the_beginning_of_a_text_has_a_beginning(text: str) -> None:
    record = talk("hello, my order came broken")
    record["messages"] += [{"speaker": who, "text": text} for who in ("agent", "customer", "agent")]
    (row,) = classify_batch(to_record_batch([record]), load_classifier()).column("evidence").to_pylist()
    assert [e for e in row if e["start"] == 0 and e["message"]]
    assert not [e for e in row if (e["start"] is None) != (e["end"] is None)]

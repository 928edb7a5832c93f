"""Negation guards: words that void a rule's match when they stand near it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carelog.classification.normal import NormalForm
from carelog.classification.ragged import Ragged
from carelog.classification.rulebook import Rule

Places = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WORDS_BEFORE, WORDS_AFTER = 3, 2
"""How many words may stand between a guard and the match that it voids."""
REACH = 60
"""How many bytes, at most: in Thai, which writes no spaces, twenty letters."""
WORDS_BACK = 5
"""How far before its end a match with a gap may have begun, in words."""

_BITS = 40
_PLACE = (1 << _BITS) - 1


@dataclass(frozen=True, slots=True)
class Guards:
    """By rule: whether it has guards. By word of a guard: the rules whose matches it voids from before, and from after."""

    guarded: Bools
    before: Ragged
    after: Ragged


def to_guards(rules: Sequence[Rule], number_of: Callable[[str], int]) -> Guards:
    """The guards of the rules; `number_of` gives each distinct word of a guard a number from 0 on."""
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for place, rule in enumerate(rules):
        for phrases, voided in ((rule.not_before, before), (rule.not_after, after)):
            for number in dict.fromkeys(map(number_of, phrases)):
                voided.setdefault(number, []).append(place)
    words = range(max([*before, *after], default=-1) + 1)
    return Guards(
        np.array([bool(r.not_before or r.not_after) for r in rules], bool),
        Ragged.of([before.get(w, []) for w in words]),
        Ragged.of([after.get(w, []) for w in words]),
    )


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of a normal form: whose they are (a rule, or a word of guards), bytes from `starts` to `ends`, and their segments."""

    owners: Places
    starts: Places
    ends: Places
    segments: Places


def find_void(guards: Guards, spans: Spans, slack: Places, words: Spans, form: NormalForm) -> Bools:
    """Which spans of guarded rules have one of their rule's words near; `slack` is how many words more may stand between."""
    void = np.zeros(len(spans.owners), bool)
    for voided, before in ((guards.before, True), (guards.after, False)):
        rules, at = voided.spread(words.owners)
        edges = (words.ends if before else words.starts)[at]
        order = np.argsort(rules << _BITS | edges)
        keys = (rules << _BITS | edges)[order]
        if len(keys):
            void |= _stand_near(keys, words.segments[at[order]], spans, slack, form.separators, before)
    return void


def _stand_near(
    keys: Places, segments: Places, spans: Spans, slack: Places, separators: Places, before: bool
) -> Bools:
    """For each span: whether the nearest word before (or after) it stands near, in the same segment."""
    # A word may share its separator with the span, hence the one byte of overlap.
    own = spans.owners << _BITS
    at = (
        np.searchsorted(keys, own | (spans.starts + 1), side="right") - 1
        if before
        else np.searchsorted(keys, own | (spans.ends - 1), side="left")
    )
    there = (at >= 0) & (at < len(keys))
    at = np.clip(at, 0, len(keys) - 1)
    there &= (keys[at] >> _BITS == spans.owners) & (segments[at] == spans.segments)
    edge = keys[at] & _PLACE
    low, high = (edge, spans.starts) if before else (spans.ends, edge)
    between = np.searchsorted(separators, high) - np.searchsorted(separators, low)
    near = (between <= (WORDS_BEFORE if before else WORDS_AFTER) + slack) & (high - low <= REACH + 8 * slack)
    result: Bools = there & near
    return result

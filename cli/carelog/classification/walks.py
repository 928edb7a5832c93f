"""Phrases with gaps, found from their rarest part: the words beside each hit of it are looked up, nearest first.

So only one part of such a phrase is scanned for, and the others, often words like "not" or "po" that stand everywhere, cost
nothing where the rare one is missing. All other parts must be whole words of fewer than KEY_BYTES bytes: words are told apart by
keys, as tokens are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from carelog.classification.gaps import Part
from carelog.classification.normal import NormalForm
from carelog.classification.ragged import Ragged
from carelog.classification.tokens import span_keys
from carelog.classification.words import MIX, Words, is_word, lay_out, signatures, to_bytes

Places = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

_ROOM = 22
"""Bits of the table that tells most words apart from those of a step, as a power of two."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A phrase as the place of its anchor among the parts, and the other parts in the order in which they are looked for."""

    anchor: Part
    steps: tuple[tuple[Part, bool, int], ...]
    """Each with whether it stands after, and how many words may stand between."""


def to_walk(parts: Sequence[Part]) -> Walk | None:
    """The phrase as a walk; None where it has Thai gaps, or more than one part that is not a whole word."""
    if any(part.words < 0 for part in parts):
        return None
    wide = [place for place, part in enumerate(parts) if not _is_word(part)]
    if len(wide) > 1:
        return None
    anchor = wide[0] if wide else min(range(len(parts)), key=lambda place: _frequency(parts[place]))
    after = [(parts[place], True, parts[place].words) for place in range(anchor + 1, len(parts))]
    before = [(parts[place], False, parts[place + 1].words) for place in range(anchor - 1, -1, -1)]
    first = before and (not after or _frequency(before[0][0]) < _frequency(after[0][0]))
    return Walk(parts[anchor], tuple(before + after if first else after + before))


def _is_word(part: Part) -> bool:
    return all(map(is_word, part.spellings))


def _frequency(part: Part) -> float:
    """How often a part stands in texts, as far as its length tells: every letter more makes a word rarer."""
    return sum(3.0 ** -len(to_bytes(s).decode("utf-8", "replace").strip()) for s in part.spellings)


@dataclass(frozen=True, slots=True)
class Walks:
    """Phrases in whole arrays.

    By phrase: `owners` (rules), `lengths` (how many steps). By phrase and step: `after`, `words` as in Walk. By literal:
    `phrases` whose anchor it is, and how many bytes at its edges (`leads`, `trails`) are separators. `keys` are the words of
    all steps, sorted, each mixed with its step; a bit of `likely` is set where one of them may be.
    """

    owners: Ragged
    lengths: Places
    after: Bools
    words: Places
    phrases: Ragged
    leads: npt.NDArray[np.int8]
    trails: npt.NDArray[np.int8]
    keys: Keys
    likely: npt.NDArray[np.uint8]


@dataclass(slots=True)
class WalkBuilder:
    """Walks while they grow."""

    found: dict[Walk, dict[int, None]] = field(default_factory=dict)

    def add(self, walk: Walk, owners: Iterable[int]) -> None:
        """One more phrase, and the rules that have it."""
        self.found.setdefault(walk, {}).update(dict.fromkeys(owners))

    @property
    def literals(self) -> dict[str, list[int]]:
        """The spellings of the anchors, and the numbers of their phrases."""
        found: dict[str, list[int]] = {}
        for number, walk in enumerate(self.found):
            for text in walk.anchor.spellings:
                found.setdefault(text, []).append(number)
        return found

    def build(self, literals: Sequence[str]) -> Walks:
        """The walks, for literals in this order (all of `self.literals` are among them)."""
        most = max((len(walk.steps) for walk in self.found), default=0)
        steps = [[*walk.steps, *[None] * (most - len(walk.steps))] for walk in self.found]
        at = self.literals
        words: list[bytes] = []
        numbers: list[int] = []
        for number, walk in enumerate(self.found):
            for place, (part, _, _) in enumerate(walk.steps):
                words += [to_bytes(s)[1:-1] for s in part.spellings]
                numbers += [number * most + place] * len(part.spellings)
        keys, likely = _tables(words, numbers)
        return Walks(
            Ragged.of([list(owners) for owners in self.found.values()]),
            np.array([len(walk.steps) for walk in self.found], np.int64),
            np.array([[bool(s and s[1]) for s in row] for row in steps], bool).reshape(len(steps), most),
            np.array([[s[2] if s else 0 for s in row] for row in steps], np.int64).reshape(len(steps), most),
            Ragged.of([at.get(text, []) for text in literals]),
            np.array([text.startswith(" ") for text in literals], np.int8),
            np.array([text.endswith(" ") for text in literals], np.int8),
            keys,
            likely,
        )


def _tables(words: Sequence[bytes], numbers: Sequence[int]) -> tuple[Keys, npt.NDArray[np.uint8]]:
    steps = np.array(numbers, np.int64)
    text, starts, lengths = lay_out(words)
    likely = np.zeros(1 << _ROOM, bool)
    likely[_slots(signatures(text, starts, lengths), _mix_in(steps))] = True
    return np.sort(_mixed(span_keys(text, starts, lengths), steps)), np.packbits(likely, bitorder="little")


def _mixed(keys: Keys, steps: Places) -> Keys:
    return keys ^ ((steps.astype(np.uint64) + np.uint64(1)) * MIX)


def _mix_in(steps: Places) -> Keys:
    return steps.astype(np.uint64) << np.uint64(20)


def _slots(numbers: Keys, mixed: Keys) -> Places:
    """Which bit stands for a word's signature in a step."""
    return (((numbers ^ mixed) * MIX) >> np.uint64(64 - _ROOM)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Reached:
    """Phrases under way: from which separator to which they reach (by their place among all), and where the last word ends."""

    phrases: Places
    low: Places
    high: Places
    ends: Places

    def where(self, chosen: Bools | Places) -> _Reached:
        return _Reached(self.phrases[chosen], self.low[chosen], self.high[chosen], self.ends[chosen])


def walk_from(
    walks: Walks, literals: Places, lengths: Places, ends: Places, words: Words
) -> tuple[Places, Places]:
    """Rules and ends of the phrases around hits of their anchors: which literal, its length in bytes, and where it ends."""
    anchors = np.flatnonzero(walks.phrases.counts[literals])
    literals, ends = literals[anchors], ends[anchors]
    separators = words.form.separators
    low = np.searchsorted(separators, ends - lengths[anchors] + walks.leads[literals]) - 1
    high = np.searchsorted(separators, ends - walks.trails[literals])
    # In strides of phrases under way: a text of nothing but anchors has a hundred times as many as it has words.
    under_way = np.cumsum(walks.phrases.counts[literals])
    cuts = np.searchsorted(under_way, np.arange(0, int(under_way[-1]) if len(under_way) else 0, _STRIDE))
    done: list[tuple[Places, Places]] = [(np.zeros(0, np.int64),) * 2]
    for first, last in pairwise([*dict.fromkeys(cuts.tolist()), len(literals)]):
        phrases, at = walks.phrases.spread(literals[first:last])
        at += first
        done += _walk_on(walks, _Reached(phrases, low[at], high[at], ends[at]), words)
    return np.concatenate([rules for rules, _ in done]), np.concatenate([stops for _, stops in done])


_STRIDE = 1 << 16


def _walk_on(walks: Walks, reached: _Reached, words: Words) -> Iterator[tuple[Places, Places]]:
    """Rules and ends of the phrases that are complete, after one step, after two, and so on."""
    for step in range(walks.after.shape[1]):
        reached = _take_step(walks, step, reached, words)
        complete = walks.lengths[reached.phrases] == step + 1
        rules, place = walks.owners.spread(reached.phrases[complete])
        yield rules, reached.ends[complete][place]
        reached = reached.where(~complete)


def _take_step(walks: Walks, step: int, reached: _Reached, words: Words) -> _Reached:
    """Each way to go on by one part: to every word near enough that is one of the part's."""
    after, most = walks.after[reached.phrases, step], walks.words[reached.phrases, step]
    number = reached.phrases * walks.after.shape[1] + step
    first, way = np.where(after, reached.high, reached.low - 1), np.where(after, 1, -1)
    mixed = _mix_in(number)
    parts = []
    for between in range(int(most.max(initial=-1)) + 1):
        word = first + way * between
        slots = _slots(words.signatures.take(word, mode="clip"), mixed)
        maybe = walks.likely[slots >> 3] >> (slots & 7).astype(np.uint8) & 1
        near = np.flatnonzero(
            maybe.view(bool) & (most >= between) & (word >= 0) & (word < len(words.lengths))
        )
        near = near[_is_of_step(walks, words.keys(word[near]), number[near])]
        parts.append(_move(reached.where(near), word[near], after[near], words.form))
    return _Reached(
        *(np.concatenate([getattr(p, n) for p in parts]) if parts else np.zeros(0, np.int64) for n in _FIELDS)
    )


_FIELDS = ("phrases", "low", "high", "ends")


def _is_of_step(walks: Walks, keys: Keys, steps: Places) -> Bools:
    mixed = _mixed(keys, steps)
    at = np.minimum(np.searchsorted(walks.keys, mixed), len(walks.keys) - 1)
    result: Bools = walks.keys[at] == mixed
    return result


def _move(reached: _Reached, word: Places, after: Bools, form: NormalForm) -> _Reached:
    """The phrases with one word more, where no clause ends twice (or a segment) between."""
    separators, doubled = form.separators, form.doubled
    low, high = np.where(after, reached.low, word), np.where(after, word + 1, reached.high)
    ends = np.where(after, separators[high] + 1, reached.ends)
    first, last = np.where(after, reached.high, word), np.where(after, word + 1, reached.low)
    return _Reached(reached.phrases, low, high, ends).where(doubled[last] == doubled[first])

"""Phrases with gaps, joined of hits of all their parts: those in Thai, and those with several parts of more than a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from carelog.classification.gaps import BYTES_BETWEEN, Part
from carelog.classification.normal import NormalForm
from carelog.classification.ragged import Ragged

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chains:
    """Phrases with gaps, as a tree: a node is a part after the parts of its parent.

    By node: `parents` (-1 for a first part), `words` as in Part, `levels` (0 for a first part), `owners` (rules that have the
    phrase that ends here). By literal: the `nodes` that have it as a spelling, and how many bytes at its edges (`leads`,
    `trails`) are separators.
    """

    parents: Places
    words: Places
    levels: Places
    owners: Ragged
    nodes: Ragged
    leads: npt.NDArray[np.int8]
    trails: npt.NDArray[np.int8]


@dataclass(slots=True)
class ChainBuilder:
    """Chains while they grow."""

    found: dict[tuple[int, Part], int] = field(default_factory=dict)
    owners: list[list[int]] = field(default_factory=list)
    of_literal: dict[str, list[int]] = field(default_factory=dict)

    def add(self, parts: tuple[Part, ...], owners: Iterable[int]) -> None:
        """One more phrase of two parts or more, and the rules that have it."""
        node = -1
        for part in parts:
            step = (node, part)
            if step not in self.found:
                self.found[step] = len(self.owners)
                self.owners.append([])
                for text in part.spellings:
                    self.of_literal.setdefault(text, []).append(self.found[step])
            node = self.found[step]
        self.owners[node] += [owner for owner in owners if owner not in self.owners[node]]

    def build(self, literals: Sequence[str]) -> Chains:
        """The chains, for literals in this order (all of `of_literal` are among them)."""
        levels: list[int] = []
        for parent, _ in self.found:
            levels.append(levels[parent] + 1 if parent >= 0 else 0)
        return Chains(
            np.array([parent for parent, _ in self.found], np.int64),
            np.array([part.words for _, part in self.found], np.int64),
            np.array(levels, np.int64),
            Ragged.of(self.owners),
            Ragged.of([self.of_literal.get(text, []) for text in literals]),
            np.array([text.startswith(" ") for text in literals], np.int8),
            np.array([text.endswith(" ") for text in literals], np.int8),
        )


_BITS = 40
_PLACE = (1 << _BITS) - 1


def join_parts(
    chains: Chains, nodes: Places, starts: Places, ends: Places, form: NormalForm
) -> npt.NDArray[np.bool_]:
    """Which hits of parts end a chain of parts that began before: those of whole phrases and of their beginnings.

    `starts` and `ends` are the edges of the words themselves, without the separators beside them.
    """
    reached: npt.NDArray[np.bool_] = chains.levels[nodes] == 0
    for level in range(1, int(chains.levels.max(initial=0)) + 1):
        before = np.flatnonzero(reached & (chains.levels[nodes] == level - 1))
        after = np.flatnonzero(chains.levels[nodes] == level)
        keys = np.sort(nodes[before] << _BITS | ends[before])
        after = after[np.isin(chains.parents[nodes[after]], nodes[before])]
        if len(after):
            reached[after] = _follow(chains, keys, nodes[after], starts[after], form)
    return reached


def _follow(
    chains: Chains, keys: Places, nodes: Places, starts: Places, form: NormalForm
) -> npt.NDArray[np.bool_]:
    """Whether a hit of the parent ends near enough before: the nearest one tells."""
    parents, words = chains.parents[nodes], chains.words[nodes]
    thai = words < 0
    # The part before ends before the word in which this one stands, of which it may be the end only ("*xyz").
    last = np.searchsorted(form.separators, starts) - 1
    limit = np.where(thai, starts, form.separators[np.maximum(last, 0)])
    at = np.searchsorted(keys, parents << _BITS | limit, side="right") - 1
    nearest = keys[np.maximum(at, 0)]
    there = (at >= 0) & (nearest >> _BITS == parents)
    ends = np.where(there, nearest & _PLACE, starts)
    first = np.searchsorted(form.separators, ends)
    # Where two separators stand side by side a clause or a segment ends with nothing between: no gap reaches over it.
    joined = (
        (last >= first) & (last - first <= words) & (form.doubled[np.maximum(last, 0)] == form.doubled[first])
    )
    beside = (starts - ends <= BYTES_BETWEEN) & (form.segment_of(starts) == form.segment_of(ends))
    result: npt.NDArray[np.bool_] = there & np.where(thai, beside, joined)
    return result

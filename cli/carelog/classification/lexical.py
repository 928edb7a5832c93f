"""The statistical half of the model: every word speaks a little for every label, with learned weights.

A token's vector is the sum of what its features (the word, its beginnings; in Thai windows of letters) have learned; vectors
are kept per process in a table under the token's key, so that in the long run a word costs one look-up. The vectors are
factors of low rank: `vectors @ projection` are log-odds. Each side's sum is divided by its length (the square root of the
weighed number of features), so that long talks do not shout.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from carelog.classification.lexicon import AT_LAST, LEXICAL_SLOTS
from carelog.classification.tokens import Tokens
from carelog.classification.vocabulary import Vocabulary

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_SLOT_OF_SIDE = np.array([0, 1, 1, 2, 1, 0, 2])
"""By segment side (customer agent bot system note subject field)."""
_MEASURED_WITH = np.array([0, 1, 2, 0])
"""The slot with whose words a slot's are scaled together."""


def word_slots(sides: Ints, last_of_customer: npt.NDArray[np.bool_]) -> Ints:
    """For each segment whose words they are: a place in LEXICAL_SLOTS."""
    slots: Ints = np.where(last_of_customer, AT_LAST, _SLOT_OF_SIDE[sides])
    return slots


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the words of a batch say: per token its row in the table, per segment its share of the lexical sum.

    `shares` (segments × rank) are already divided by the length of their side's words (times `scales`); an interaction's
    lexical vector is the sum over its segments. `lengths` are those of each segment's own words, squared.
    """

    tokens: Tokens
    rows_of_tokens: Ints
    scales: Floats
    shares: Floats
    lengths: Floats
    table: Vocabulary

    def own_vectors(self, segments: Ints) -> Floats:
        """What the words of each of these segments say by themselves, divided by their own length; segments × rank."""
        own = 1 / (self.scales[segments] * np.sqrt(np.maximum(self.lengths[segments], np.float32(1))))
        vectors: Floats = self.shares.take(segments, axis=0) * own[:, None].astype(np.float32)
        return vectors

    def token_votes(self, chosen: Ints, slots: Ints, outputs: Ints) -> Floats:
        """Log-odds that each chosen token adds to an output each."""
        vectors = self.table.vectors[self.rows_of_tokens[chosen], slots]
        weights = self.table.lexicon.projection[:, outputs].T
        votes: Floats = np.einsum("ij,ij->i", vectors, weights) * self.scales[self.tokens.segments[chosen]]
        return votes


def listen_to_words(tokens: Tokens, table: Vocabulary, rows: Ints, slots: Ints) -> Spoken:
    """Sum the vectors of all tokens; `rows` and `slots` (by segment) say whose words they are."""
    segments = len(rows)
    at = table.look_up(tokens)
    known = np.flatnonzero(at)
    segment = tokens.segments[known]
    sums = _sum_by_segment(table.vectors, at[known] * len(LEXICAL_SLOTS) + slots[segment], segment, segments)
    length = np.bincount(segment, table.lengths[at[known]], segments)
    side = rows * len(LEXICAL_SLOTS) + _MEASURED_WITH[slots]
    total = np.bincount(side, length)[side] if segments else length
    scales = (1 / np.sqrt(np.maximum(total, 1.0))).astype(np.float32)
    return Spoken(tokens, at, scales, sums * scales[:, None], length.astype(np.float32), table)


_STRIDE = 1 << 13
"""So many tokens are summed at a time: their vectors stay in the processor's cache."""


def _sum_by_segment(vectors: Floats, places: Ints, segment: Ints, segments: int) -> Floats:
    """Sums of vectors by segment, a stride at a time.

    Strides end between segments, and a segment of more words is cut at so many from its own beginning: so a sum never depends on
    what else is in the batch, and memory not on the length of a text.
    """
    flat = vectors.reshape(-1, vectors.shape[-1])
    sums = np.zeros((segments, vectors.shape[-1]), np.float32)
    if not len(segment):
        return sums
    heads, is_cut = _pieces(segment)
    cuts = heads[np.minimum(np.searchsorted(heads, np.arange(0, len(segment), _STRIDE)), len(heads) - 1)]
    bounds = [*dict.fromkeys(cuts.tolist()), len(segment)]
    for low, high in pairwise(bounds):
        inner = heads[np.searchsorted(heads, low) : np.searchsorted(heads, high)]
        told = np.add.reduceat(flat.take(places[low:high], axis=0), inner - low, axis=0)
        if is_cut:
            np.add.at(sums, segment[inner], told)
        else:
            sums[segment[inner]] = told
    return sums


def _pieces(segment: Ints) -> tuple[Ints, bool]:
    """Where each segment begins among its tokens, and each further stride of a long one; and whether there is such a one."""
    heads = np.flatnonzero(np.concatenate([[True], np.diff(segment) > 0]))
    sizes = np.diff(np.append(heads, len(segment)))
    long = np.flatnonzero(sizes > _STRIDE).tolist()
    further = [np.arange(heads[at] + _STRIDE, heads[at] + sizes[at], _STRIDE) for at in long]
    return np.sort(np.concatenate([heads, *further])), bool(further)


def lexical_columns(spoken: Spoken, rows: Ints, count: int) -> Floats:
    """The lexical vector of each interaction, interactions × rank."""
    columns = np.zeros((count, spoken.shares.shape[1]), np.float64)
    if len(rows):
        order = np.argsort(rows, kind="stable")
        heads = np.flatnonzero(np.concatenate([[True], np.diff(rows[order]) > 0]))
        columns[rows[order][heads]] = np.add.reduceat(spoken.shares[order].astype(np.float64), heads, axis=0)
    return columns.astype(np.float32)

"""The statistical half of the model: every word speaks a little for every label, with learned weights.

A token's vector is the sum of what its features (the word, its beginnings; in Thai windows of letters) have learned; vectors
are kept per process in a table under the token's key, so that in the long run a word costs one look-up. The vectors are
factors of low rank: `vectors @ projection` are log-odds. Each side's sum is divided by its length (the square root of the
weighed number of features), so that long talks do not shout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from carelog.classification.tokens import Tokens, feature_keys

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

LEXICAL_SLOTS = ("customer", "company", "field", "customer at last")
"""Whose words: the customer's last message stands apart, for it tells most of how they leave."""
_SLOT_OF_SIDE = np.array([0, 1, 1, 2, 1, 0, 2])
"""By segment side (customer agent bot system note subject field)."""
AT_LAST = LEXICAL_SLOTS.index("customer at last")
_MEASURED_WITH = np.array([0, 1, 2, 0])
"""The slot with whose words a slot's are scaled together."""


def word_slots(sides: Ints, last_of_customer: npt.NDArray[np.bool_]) -> Ints:
    """For each segment whose words they are: a place in LEXICAL_SLOTS."""
    slots: Ints = np.where(last_of_customer, AT_LAST, _SLOT_OF_SIDE[sides])
    return slots


_SETS = 1 << 16
_MOST_ROWS = 1 << 15


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What was learned: sorted feature `keys`, their `vectors` (features × slots × rank), `lengths` (squared weight each), `projection`.

    With a `scale` (one for each place of the rank) the vectors are eight-bit numbers to be multiplied with it: so the model is
    kept in memory as in its file, a quarter as large.
    """

    keys: Keys
    vectors: Floats | npt.NDArray[np.int8]
    lengths: Floats
    projection: Floats
    scale: Floats | None = None

    def vectors_of(self, features: Ints) -> Floats:
        """The vectors of some features, features × slots × rank."""
        vectors: Floats = self.vectors.take(features, axis=0).astype(np.float32, copy=False)
        return vectors if self.scale is None else vectors * self.scale

    @property
    def rank(self) -> int:
        """How many numbers a vector has."""
        return int(self.projection.shape[0])

    def features_of(self, tokens: Tokens, chosen: Ints) -> tuple[Ints, Ints]:
        """The known features of the chosen tokens: place in `chosen`, and place in `keys`."""
        place, key = feature_keys(
            tokens.text, tokens.starts[chosen], tokens.lengths[chosen], tokens.keys[chosen]
        )
        at = np.minimum(np.searchsorted(self.keys, key), max(len(self.keys) - 1, 0))
        known = self.keys[at] == key if len(self.keys) else np.zeros(len(key), bool)
        return place[known], at[known]


@dataclass(slots=True)
class TokenTable:
    """Vectors of the tokens that were met, under their keys; two places for each set of keys, the later token wins."""

    lexicon: Lexicon
    keys: Keys = field(init=False)
    rows: npt.NDArray[np.int32] = field(init=False)
    vectors: Floats = field(init=False)
    lengths: Floats = field(init=False)
    used: int = 0

    def __post_init__(self) -> None:
        self._clear(1 << 13)

    def _clear(self, room: int) -> None:
        self.keys = np.zeros((_SETS, 2), np.uint64)
        self.rows = np.zeros((_SETS, 2), np.int32)
        self.vectors = np.zeros((room, len(LEXICAL_SLOTS), self.lexicon.rank), np.float32)
        self.lengths = np.zeros(room, np.float32)
        self.used = 1  # row 0 is the token that nothing is known of

    def look_up(self, tokens: Tokens) -> Ints:
        """For each token the row of its vector; 0 where nothing is known of it."""
        bucket = (tokens.keys >> np.uint64(48)).astype(np.int64)
        kept = self.keys[bucket]
        row = np.where(
            kept[:, 0] == tokens.keys,
            self.rows[bucket, 0],
            np.where(kept[:, 1] == tokens.keys, self.rows[bucket, 1], -1),
        )
        new = np.flatnonzero(row < 0)
        if len(new):
            distinct, first, inverse = np.unique(tokens.keys[new], return_index=True, return_inverse=True)
            if self.used + len(distinct) > _MOST_ROWS and self.used > 1:
                self._clear(1 << 13)
                return self.look_up(tokens)
            row[new] = self._add(tokens, distinct, new[first])[inverse]
        return row.astype(np.int64)

    def _add(self, tokens: Tokens, keys: Keys, examples: Ints) -> Ints:
        """Compute and keep the vectors of tokens that were not met before; their rows."""
        place, feature = self.lexicon.features_of(tokens, examples)
        known, dense = np.unique(place, return_inverse=True)
        rows = np.zeros(len(keys), np.int64)
        rows[known] = self.used + np.arange(len(known))
        self._make_room(self.used + len(known))
        order = np.argsort(dense, kind="stable")
        if len(known):
            heads = np.flatnonzero(np.concatenate([[True], np.diff(dense[order]) > 0]))
            self.vectors[rows[known]] = np.add.reduceat(
                self.lexicon.vectors_of(feature[order]), heads, axis=0
            )
            self.lengths[rows[known]] = np.add.reduceat(self.lexicon.lengths[feature[order]], heads)
        self.used += len(known)
        bucket = (keys >> np.uint64(48)).astype(np.int64)
        way = ((keys >> np.uint64(47)) & np.uint64(1)).astype(np.int64)
        way = np.where(self.keys[bucket, way] == 0, way, 1 - way)
        self.keys[bucket, way] = keys
        self.rows[bucket, way] = rows
        return rows

    def _make_room(self, rows: int) -> None:
        if rows > len(self.lengths):
            room = max(rows, 2 * len(self.lengths))
            self.vectors = np.concatenate(
                [self.vectors, np.zeros((room - len(self.vectors), *self.vectors.shape[1:]), np.float32)]
            )
            self.lengths = np.concatenate([self.lengths, np.zeros(room - len(self.lengths), np.float32)])


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the words of a batch say: per token its row in the table, per segment its share of the lexical sum.

    `shares` (segments × rank) are already divided by the length of their side's words; an interaction's lexical vector is
    the sum over its segments.
    """

    tokens: Tokens
    rows_of_tokens: Ints
    scales: Floats
    shares: Floats
    table: TokenTable

    def token_votes(self, chosen: Ints, slots: Ints, outputs: Ints) -> Floats:
        """Log-odds that each chosen token adds to an output each."""
        vectors = self.table.vectors[self.rows_of_tokens[chosen], slots]
        weights = self.table.lexicon.projection[:, outputs].T
        votes: Floats = np.einsum("ij,ij->i", vectors, weights) * self.scales[self.tokens.segments[chosen]]
        return votes


def listen_to_words(tokens: Tokens, table: TokenTable, rows: Ints, slots: Ints) -> Spoken:
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
    return Spoken(tokens, at, scales, sums * scales[:, None], table)


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

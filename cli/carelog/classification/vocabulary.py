"""The words that a process has met, with what each has learned: looked up by whole arrays, in a few steps for each word."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from carelog.classification.lexicon import LEXICAL_SLOTS, Lexicon
from carelog.classification.tokens import Tokens

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

MOST_WORDS = 1 << 16
"""So many words are kept (30 MB when all are there); then it begins anew. A language's records hold 10,000 to 30,000."""
_BITS = 18
_STRIDE = 1 << 12
"""So many new words are computed at a time, so that memory stays low."""
_PROBES = (np.uint64(1), np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


@dataclass(slots=True)
class Vocabulary:
    """A table under hashes: each key has three places, the first that was free when it came is its own.

    A key whose places are all taken takes the last one's, and whoever had it is computed anew when met again: what is told of
    a word never depends on the words that came before.
    """

    lexicon: Lexicon
    keys: Keys = field(init=False)
    rows: npt.NDArray[np.int32] = field(init=False)
    vectors: Floats = field(init=False)
    lengths: Floats = field(init=False)
    used: int = field(init=False)

    def __post_init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.keys = np.zeros(1 << _BITS, np.uint64)
        self.rows = np.zeros(1 << _BITS, np.int32)
        # Row 0 is the word that nothing is known of. The system gives these pages only when they are written.
        self.vectors = np.zeros((MOST_WORDS, len(LEXICAL_SLOTS), self.lexicon.rank), np.float32)
        self.lengths = np.zeros(MOST_WORDS, np.float32)
        self.used = 1

    def look_up(self, tokens: Tokens) -> Ints:
        """For each token the row of its vector; 0 where nothing is known of it."""
        place = _place(tokens.keys, 0)
        rows = self.rows[place].astype(np.int64)
        missed = np.flatnonzero(self.keys[place] != tokens.keys)
        for probe in range(1, len(_PROBES)):
            place = _place(tokens.keys[missed], probe)
            rows[missed] = self.rows[place]
            missed = missed[self.keys[place] != tokens.keys[missed]]
        if len(missed):
            distinct, first, inverse = np.unique(tokens.keys[missed], return_index=True, return_inverse=True)
            if self.used + len(distinct) > MOST_WORDS and self.used > 1:
                self._clear()
                return self.look_up(tokens)
            rows[missed] = self._add(tokens, distinct, missed[first])[inverse]
        return rows

    def _add(self, tokens: Tokens, keys: Keys, examples: Ints) -> Ints:
        """Compute and keep the vectors of tokens that were not met before; their rows."""
        place, feature = self.lexicon.features_of(tokens, examples)
        order = np.argsort(place, kind="stable")
        known, heads = np.unique(place[order], return_index=True)
        rows = np.zeros(len(keys), np.int64)
        rows[known] = self.used + np.arange(len(known))
        self._make_room(self.used + len(known))
        flat = self.lexicon.vectors.reshape(len(self.lexicon.keys), len(LEXICAL_SLOTS) * self.lexicon.rank)
        kept = self.vectors.reshape(len(self.vectors), flat.shape[1])
        bounds = [*heads.tolist(), len(order)]
        for low in range(0, len(known), _STRIDE):
            high = min(low + _STRIDE, len(known))
            own = feature[order[bounds[low] : bounds[high]]]
            starts = heads[low:high] - heads[low]
            kept[self.used + low : self.used + high] = _sums(self.lexicon, own, starts).reshape(
                high - low, -1
            )
            lengths = np.add.reduceat(self.lexicon.lengths[own], starts)
            self.lengths[self.used + low : self.used + high] = lengths
        self.used += len(known)
        self._keep(keys, rows)
        return rows

    def _make_room(self, rows: int) -> None:
        """A batch of more new words than are kept for long gets its room all the same."""
        more = rows - len(self.lengths)
        if more > 0:
            new = np.zeros((more, *self.vectors.shape[1:]), np.float32)
            self.vectors = np.concatenate([self.vectors, new])
            self.lengths = np.concatenate([self.lengths, np.zeros(more, np.float32)])

    def _keep(self, keys: Keys, rows: Ints) -> None:
        """Put each key into the first of its places that is free, else into its last."""
        for probe in range(len(_PROBES)):
            place = _place(keys, probe)
            mine = (self.keys[place] == 0) | (probe == len(_PROBES) - 1)
            self.keys[place[mine]] = keys[mine]
            # Of several new ones for one place the last stands there: the others go on.
            stands = self.keys[place] == keys
            self.rows[place[stands]] = rows[stands]
            keys, rows = keys[~stands], rows[~stands]


def _sums(lexicon: Lexicon, features: Ints, starts: Ints) -> Floats:
    """The sum of each word's features: of the first, and of all others together.

    In as many steps as a word can have features, for `np.add.reduceat` takes a microsecond for each word.
    """
    sizes = np.diff(np.append(starts, len(features)))
    sums = lexicon.vectors_of(features[starts])
    more = np.flatnonzero(sizes > 1)
    if not len(more):
        return sums
    others = lexicon.vectors_of(features[starts[more] + 1])
    for nth in range(2, int(sizes.max())):
        longer = np.flatnonzero(sizes[more] > nth)
        others[longer] += lexicon.vectors_of(features[starts[more[longer]] + nth])
    sums[more] += others
    return sums


def _place(keys: Keys, probe: int) -> Ints:
    return ((keys * _PROBES[probe]) >> np.uint64(64 - _BITS)).astype(np.int64)

"""What the words have learned: the file's half of the statistical model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carelog.classification.tokens import Tokens, feature_keys

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

LEXICAL_SLOTS = ("customer", "company", "field", "customer at last")
"""Whose words: the customer's last message stands apart, for it tells most of how they leave."""
AT_LAST = LEXICAL_SLOTS.index("customer at last")


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

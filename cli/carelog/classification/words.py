"""Whole words of a normal form, told apart by keys: those that patterns name are found without a scan.

A literal of one word costs three whole-array steps for each word of the text, however many there are of them; from hyperscan each
place where it stands costs a call of Python (measured: 0.36 µs, and half of all places are words like "not" or "po").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from carelog.classification.normal import NormalForm
from carelog.classification.tokens import KEY_BYTES, span_keys

Places = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

_BYTE = re.compile(rb"\\x([0-9a-f]{2})")
_ONE_WORD = re.compile(r" [^ ]+ ")
MIX = np.uint64(0x9E3779B97F4A7C15)
_LOW = np.array([(1 << (8 * n)) - 1 for n in range(8)] + [(1 << 64) - 1], np.uint64)
_BITS = 20


def to_bytes(literal: str) -> bytes:
    """The bytes that a literal pattern stands for."""
    return _BYTE.sub(lambda m: bytes([int(m[1], 16)]), literal.encode("ascii"))


def is_word(literal: str) -> bool:
    """Whether a literal pattern is one whole word, short enough to be told by its key."""
    return bool(_ONE_WORD.fullmatch(literal)) and len(to_bytes(literal)) - 2 < KEY_BYTES


def signatures(text: Bytes, starts: Places, lengths: Places) -> Keys:
    """A number for each span of a padded text, cheaper than its key: of its first eight bytes and its length."""
    eight = np.ndarray((len(text) - 7,), np.dtype("<u8"), text, 0, (1,))[starts]
    return ((eight & _LOW[np.minimum(lengths, 8)]) + lengths.astype(np.uint64)) * MIX


def lay_out(words: Sequence[bytes]) -> tuple[Bytes, Places, Places]:
    """Words as a padded text, with where each starts and its length."""
    lengths = np.array([len(word) for word in words], np.int64)
    text = np.frombuffer(b"".join(words) + bytes(KEY_BYTES + 8), np.uint8)
    return text, np.cumsum(lengths) - lengths, lengths


class Words:
    """The words between the separators of a normal form, by the place of the separator before among all."""

    def __init__(self, form: NormalForm) -> None:
        self.form = form
        self.text = np.frombuffer(form.data + bytes(KEY_BYTES + 8), np.uint8)
        self.starts = form.separators[:-1] + 1
        self.lengths = np.diff(form.separators) - 1

    @cached_property
    def signatures(self) -> Keys:
        """A cheap number for each word."""
        return signatures(self.text, self.starts, self.lengths)

    def keys(self, places: Places) -> Keys:
        """The keys of some words."""
        return span_keys(self.text, self.starts[places], self.lengths[places])


@dataclass(frozen=True, slots=True)
class WordTable:
    """Words that patterns name: sorted `keys`, the number of the pattern of each, and where a signature may be one's."""

    keys: Keys
    patterns: Places
    likely: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, literals: Sequence[str], first: int) -> WordTable:
        """The literals, each of one word, numbered from `first` on."""
        text, starts, lengths = lay_out([to_bytes(literal)[1:-1] for literal in literals])
        keys = span_keys(text, starts, lengths)
        order = np.argsort(keys)
        likely = np.zeros(1 << _BITS, bool)
        likely[_slots(signatures(text, starts, lengths))] = True
        return cls(keys[order], first + order, likely)

    def find(self, words: Words) -> tuple[Places, Places]:
        """The patterns of the words that stand in the text, and where each ends (with the separator behind it)."""
        maybe = np.flatnonzero(self.likely.take(_slots(words.signatures)))
        keys = words.keys(maybe)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        same = self.keys[at] == keys if len(self.keys) else np.zeros(0, bool)
        return self.patterns[at[same]], words.form.separators[maybe[same] + 1] + 1


def _slots(numbers: Keys) -> Places:
    return (numbers >> np.uint64(64 - _BITS)).astype(np.int64)

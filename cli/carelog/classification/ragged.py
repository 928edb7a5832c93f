"""Lists of different lengths in whole arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]


def write_out(starts: Places, sizes: Places) -> tuple[Places, Places]:
    """Ranges written out: for each range its number once per element, and the elements."""
    number = np.repeat(np.arange(len(starts)), sizes)
    shift = starts - (np.cumsum(sizes) - sizes)
    return number, np.arange(len(number)) + shift[number]


@dataclass(frozen=True, slots=True)
class Ragged:
    """Lists of numbers, one after another in `values`; list i has `counts[i]` of them from `firsts[i]` on."""

    counts: Places
    firsts: Places
    values: Places

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Ragged:
        """The lists in whole arrays."""
        counts = np.array([len(numbers) for numbers in lists], np.int64)
        values = np.array([n for numbers in lists for n in numbers], np.int64)
        return cls(counts, np.cumsum(counts) - counts, values)

    def spread(self, chosen: Places) -> tuple[Places, Places]:
        """The numbers of the chosen lists, and for each the place of its list in `chosen`."""
        at, place = write_out(self.firsts[chosen], self.counts[chosen])
        return self.values[place], at

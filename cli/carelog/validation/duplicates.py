"""Interactions whose number was read before in the same input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


class DuplicateIds:
    """Remembers the `interaction_id`s of one input after the other, 12 bytes for each.

    Kept are 64-bit hashes and lines, not the texts: the chance that two different ids of a million share a
    hash is about one in thirty-seven million. Batches must come in the order of the input; another input
    name starts anew, since a number is unique within its source only.
    """

    def __init__(self) -> None:
        self._file: str | None = None
        self._runs: list[tuple[np.ndarray, np.ndarray]] = []

    def check(self, file: str, ids: pa.StringArray, lines: Sequence[int] | np.ndarray) -> np.ndarray:
        """For each row the line where its id was read first, 0 where it is new (int64, as long as `ids`)."""
        if file != self._file:
            self._file, self._runs = file, []
        hashes = np.fromiter((hash(i) for i in ids.to_pylist()), np.int64, len(ids))
        own_lines = np.asarray(lines, np.uint32)
        first = self._seen_before(hashes)
        order = np.argsort(hashes, kind="stable")
        ranked = hashes[order]
        starts = np.ones(len(ranked), bool)
        starts[1:] = ranked[1:] != ranked[:-1]
        # Within the batch: every row takes the line of the first row that has its hash, unless an earlier
        # batch had it.
        heads = np.maximum.accumulate(np.where(starts, np.arange(len(ranked)), 0))
        repeated = np.zeros(len(ranked), np.int64)
        repeated[order] = np.where(starts, 0, own_lines[order][heads])
        new = order[starts & (first[order] == 0)]
        self._add(hashes[new], own_lines[new])
        return np.where(first > 0, first, repeated)

    def _seen_before(self, hashes: np.ndarray) -> np.ndarray:
        first = np.zeros(len(hashes), np.int64)
        for known, lines in self._runs:
            at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
            hit = known[at] == hashes
            first[hit] = lines[at[hit]]
        return first

    def _add(self, hashes: np.ndarray, lines: np.ndarray) -> None:
        """Keep sorted runs, each at least twice as long as the next, so that there are few to search."""
        if not len(hashes):
            return
        run = (hashes, lines)
        while self._runs and len(self._runs[-1][0]) < 2 * len(run[0]):
            run = _merged(self._runs.pop(), run)
        self._runs.append(run)


def _merged(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    hashes = np.concatenate([a[0], b[0]])
    order = np.argsort(hashes, kind="stable")
    return hashes[order], np.concatenate([a[1], b[1]])[order]

"""Labelling the same records with two rulebooks, part by part, for `rules diff`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from carelog.classification.classify import classify_batch
from carelog.classification.compiled import RulebookFile, load_classifier

ROWS = 2000
"""Rows of a part: enough that matching is fast, few enough that memory stays small."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows of the records."""

    records: pa.RecordBatch


def cut_rows(records: pa.RecordBatch) -> Iterator[Slice]:
    """A batch as parts of ROWS rows."""
    for start in range(0, records.num_rows, ROWS):
        yield Slice(records.slice(start, ROWS))


def relabel_slice(
    part: Slice, old: tuple[RulebookFile, ...], new: tuple[RulebookFile, ...]
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows of a part labelled with the old and with the new rulebooks."""
    return classify_batch(part.records, load_classifier(old)), classify_batch(
        part.records, load_classifier(new)
    )

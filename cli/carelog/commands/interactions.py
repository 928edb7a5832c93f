"""Reading for the commands that work on single interactions: labelled ones as they are, exports validated
first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from carelog.classification.labelled_values import (
    flatten_labels,
    is_labelled,
    to_labelled_batch,
    to_record_value,
)
from carelog.columns import RECORD, join_batches, labelled_schema, to_record_batch
from carelog.commands.notices import Notices
from carelog.errors import UnusableInput, UsageProblem
from carelog.sources.blocks import Block, ReadOptions
from carelog.sources.reading import identify, read_blocks
from carelog.validation import DuplicateIds, reject_duplicates, validate_block


@dataclass(slots=True)
class Interactions:
    """What was read: `records` in the RECORD layout, `labelled` in that of labelled interactions with text.

    `originals[i]` is the record that row i of `labelled` was made of. `read` = `accepted` + `rejected`.
    """

    records: pa.RecordBatch
    labelled: pa.RecordBatch
    originals: pa.RecordBatch
    read: int = 0
    accepted: int = 0
    rejected: int = 0

    @property
    def has_text(self) -> bool:
        """Whether the labelled interactions still hold their messages."""
        column = self.labelled.column("messages")
        return bool(column.null_count < len(column))


@dataclass(slots=True)
class _Found:
    records: list[pa.RecordBatch] = field(default_factory=list)
    labelled: list[pa.RecordBatch] = field(default_factory=list)
    originals: list[pa.RecordBatch] = field(default_factory=list)
    read: int = 0
    accepted: int = 0


def read_interactions(
    paths: Sequence[str], options: ReadOptions, only: Collection[str] | None = None
) -> Interactions:
    """All interactions of the inputs, or those whose id is in `only`. UnusableInput if nothing could be
    read.
    """
    found = _Found()
    wanted = None if only is None else pa.array(sorted(only), pa.string())
    seen, seen_labelled = DuplicateIds(), set[str]()
    now = datetime.now(UTC)
    with identify(paths) as inputs:
        for block in read_blocks(inputs, options):
            found.read += block.read
            for part in _split(block):
                if part.values and is_labelled(part.values[0]):
                    _add_labelled(part, wanted, seen_labelled, found)
                else:
                    accepted = reject_duplicates(validate_block(part, None, now), seen).accepted
                    found.accepted += accepted.num_rows
                    found.records.append(_only(accepted, wanted))
    if not found.accepted:
        raise UnusableInput("nothing usable was read", "`carelog validate` says what is wrong with it")
    return Interactions(
        join_batches(found.records, RECORD),
        join_batches(found.labelled, labelled_schema(with_text=True)),
        join_batches(found.originals, RECORD),
        found.read,
        found.accepted,
        found.read - found.accepted,
    )


def _split(block: Block) -> Iterator[Block]:
    """A block as up to two: its labelled records, and the others with what was rejected."""
    labelled = [is_labelled(value) for value in block.values]
    if not any(labelled) or all(labelled):
        yield block
        return
    for kind in (True, False):
        rows = [row for row, is_one in enumerate(labelled) if is_one == kind]
        yield replace(
            block,
            values=[block.values[row] for row in rows],
            lines=[block.lines[row] for row in rows],
            offsets=[block.offsets[row] for row in rows],
            raws=[block.raws[row] for row in rows],
            rejects=[] if kind else block.rejects,
        )


def _add_labelled(block: Block, wanted: pa.Array | None, seen: set[str], found: _Found) -> None:
    flats = []
    for value in block.values:
        identity = value.get("interaction_id")
        if not isinstance(identity, str) or identity in seen:
            continue
        seen.add(identity)
        try:
            flats.append(flatten_labels(value))
        except ValueError as error:
            raise UnusableInput(f"{block.file}: a cell of its labels is no JSON") from error
    batch = to_labelled_batch(flats, block.file)
    originals = to_record_batch([to_record_value(flat) for flat in flats])
    found.accepted += batch.num_rows
    found.labelled.append(_only(batch, wanted))
    found.originals.append(_only(originals, wanted))


def _only(batch: pa.RecordBatch, wanted: pa.Array | None) -> pa.RecordBatch:
    return batch if wanted is None else batch.filter(pc.is_in(batch.column("interaction_id"), wanted))


def tell_read(notices: Notices, interactions: Interactions) -> None:
    """Say how many records were read, and what became of them."""
    counts = {
        "read": interactions.read,
        "accepted": interactions.accepted,
        "rejected": interactions.rejected,
    }
    notices.tell("read {read:,} = accepted {accepted:,} + rejected {rejected:,}".format(**counts), **counts)


def to_classify(interactions: Interactions, anew: bool) -> pa.RecordBatch:
    """The records that need classifying: those without labels, and, where labels are to be made `anew`,
    all.

    UsageProblem if labels are to be made anew of interactions that no longer hold their words.
    """
    if not anew or not interactions.labelled.num_rows:
        return interactions.records
    if not interactions.has_text:
        raise UsageProblem(
            "these labelled interactions hold no messages, so that they cannot be labelled anew",
            "label them with `carelog classify --with-text`, or name the exports themselves",
        )
    return join_batches([interactions.records, interactions.originals], RECORD)

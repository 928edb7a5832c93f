"""The steps that workers run: each takes one part of the input and gives what the parent needs of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from carelog.classification.classify import classify_batch
from carelog.classification.compiled import RulebookFile, load_classifier
from carelog.columns import join_batches, labelled_schema
from carelog.sources.blocks import Block, Chunk
from carelog.sources.reading import parse_chunk
from carelog.sources.surveys import Surveys, join_surveys
from carelog.validation import Validated, validate_block

ID_COLUMN = "interaction_id"


def validate_part(
    part: Chunk | Block,
    channel: str | None = None,
    now: datetime | None = None,
    with_columns: bool = True,
    surveys: Surveys | None = None,
) -> Validated:
    """Parse and validate one part; without columns, of the accepted records only their ids come back."""
    validated = _validate(part, surveys, channel, now)
    if with_columns:
        return validated
    return replace(validated, accepted=validated.accepted.select([ID_COLUMN]))


def label_part(
    part: Chunk | Block,
    rulebooks: tuple[RulebookFile, ...] = (),
    channel: str | None = None,
    now: datetime | None = None,
    with_text: bool = False,
    surveys: Surveys | None = None,
) -> Validated:
    """Parse, validate and label one part; `accepted` is then in the layout of labelled interactions."""
    validated = _validate(part, surveys, channel, now)
    if not validated.accepted.num_rows:
        return replace(validated, accepted=join_batches([], labelled_schema(with_text)))
    labelled = classify_batch(validated.accepted, load_classifier(rulebooks), with_text)
    # Each part's arrays go back to the system: the next part's may lie elsewhere (25 MB less in each worker).
    pa.default_memory_pool().release_unused()
    return replace(validated, accepted=labelled)


def _validate(
    part: Chunk | Block, surveys: Surveys | None, channel: str | None, now: datetime | None
) -> Validated:
    block = parse_chunk(part)
    joined = 0 if surveys is None else join_surveys(block, surveys)
    return replace(validate_block(block, channel, now), joined=joined)

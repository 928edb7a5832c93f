"""What a batch shows of each interaction, as columns of numbers: which signals were heard from whom and where, and the shape of the record.

A *signal* is what rules of several languages share (`complaint.repeat_failure`). Each signal has one column per *slot*
(who said it, and where); beside them stand columns for the record's fields and the shape of the talk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from carelog.classification import segments as seg
from carelog.classification.matching import Matches
from carelog.classification.normal import ASK, NormalForm
from carelog.classification.segments import Segments

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SLOTS = ("customer", "agent", "note", "field", "customer_first", "customer_last", "agent_first", "agent_last")
_CUSTOMER_LAST = SLOTS.index("customer_last")
_SIDE_SLOT = np.array([0, 1, 1, 3, 2, 3, 3])  # by segment side: customer agent bot system note subject field

STATUSES = ("completed", "missed", "abandoned", "voicemail", "failed", "open", "closed", "unknown")
DIRECTIONS = ("inbound", "outbound", "internal", "unknown")
KINDS = ("sale", "return", "exchange", "void")
CHANNELS = ("phone", "email", "chat", "in_store")
SHAPE = (
    *(f"channel={c}" for c in CHANNELS),
    *(f"direction={d}" for d in DIRECTIONS),
    *(f"status={s}" for s in STATUSES),
    *(f"order.kind={k}" for k in KINDS),
    "has.campaign", "has.queue", "has.notes", "has.subject", "has.satisfaction",
    "score.satisfied", "score.neutral", "score.dissatisfied",
    "kind=internal", "talk.none", "wait.only",
    "words.none", "words.customer_only", "words.agent_only", "words.note_only", "words.both", "words.bot",
    "first=agent", "first=customer", "last=agent", "last=customer", "single",
    "log.messages", "log.customer_bytes", "log.agent_bytes", "log.note_bytes",
    "asks.customer", "asks.agent", "asks.agent_first", "asks.customer_first", "short.customer", "digits.only",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Talk:
    """The shape of the talk, per segment and per row.

    `slot_of` maps a segment to its slots (side; first or last of its speaker, -1 if neither).
    """

    side_slot: Ints
    edge_slot: Ints
    company_words: Bools
    any_words: Bools
    shape: Floats

    @property
    def is_last_of_customer(self) -> Bools:
        """Which segments are the last message of their interaction's customer."""
        last: Bools = self.edge_slot[1] == _CUSTOMER_LAST
        return last


def find_edges(segments: Segments) -> tuple[Bools, Bools]:
    """Which messages are the first, and which the last, of their speaker's side in their interaction."""
    is_message = segments.messages >= 0
    side = np.where(segments.sides == seg.BOT, seg.AGENT, segments.sides)
    key = segments.rows * 8 + side
    first = np.zeros(len(segments), bool)
    last = np.zeros(len(segments), bool)
    at = np.flatnonzero(is_message)
    if len(at):
        # messages of a row are in order, so the first of each key is the first occurrence
        _, index = np.unique(key[at], return_index=True)
        first[at[index]] = True
        _, index = np.unique(key[at][::-1], return_index=True)
        last[at[::-1][index]] = True
    return first, last


def measure_talk(
    batch: pa.RecordBatch, segments: Segments, form: NormalForm, scores: npt.NDArray[np.int8]
) -> Talk:
    """Slots of the segments and the shape columns (rows × len(SHAPE)); `scores` is 0 none, 1 to 3 as SATISFACTIONS."""
    rows = batch.num_rows
    first, last = find_edges(segments)
    side_slot = _SIDE_SLOT[segments.sides]
    agent = (segments.sides == seg.AGENT) | (segments.sides == seg.BOT)
    customer = segments.sides == seg.CUSTOMER
    edge = np.full(len(segments), -1)
    edge[customer & first] = 4
    edge[agent & first] = 6
    second = np.full(len(segments), -1)
    second[customer & last] = _CUSTOMER_LAST
    second[agent & last] = 7
    lengths = np.diff(np.concatenate([[-1], form.ends])) - 2
    asks = _count_per_segment(form, ASK)
    count = _RowCounter(rows, segments.rows, lengths, asks)
    shape = np.zeros((rows, len(SHAPE)), np.float32)
    _fill_fields(shape, batch, scores)
    note = segments.sides == seg.NOTE
    wordy = lengths > 1
    _fill_talk(shape, count, customer & wordy, agent & wordy, note & wordy, segments, first, last)
    company = count.any((agent | note) & wordy)
    subject = segments.sides == seg.SUBJECT
    words = company | count.any((customer | subject) & wordy)
    return Talk(side_slot, np.stack([edge, second]), company, words, shape)


def _count_per_segment(form: NormalForm, byte: int) -> Ints:
    places = np.flatnonzero(np.frombuffer(form.data, np.uint8) == byte)
    return (
        np.bincount(form.segment_of(places), minlength=len(form.ends))
        if len(places)
        else np.zeros(len(form.ends), np.int64)
    )


@dataclass(frozen=True, slots=True)
class _RowCounter:
    rows: int
    row: Ints
    lengths: Ints
    asks: Ints

    def any(self, mask: Bools) -> Bools:
        return self.count(mask) > 0

    def count(self, mask: Bools) -> Ints:
        return np.bincount(self.row[mask], minlength=self.rows)

    def log_bytes(self, mask: Bools) -> Floats:
        total = np.log1p(np.bincount(self.row[mask], self.lengths[mask], self.rows)) / 5
        return total.astype(np.float32)

    def log_asks(self, mask: Bools) -> Floats:
        return np.log1p(np.bincount(self.row[mask], self.asks[mask], self.rows)).astype(np.float32)


_AT = {name: place for place, name in enumerate(SHAPE)}


def _fill_fields(shape: Floats, batch: pa.RecordBatch, scores: npt.NDArray[np.int8]) -> None:
    order = batch.column("order")
    kind = pc.struct_field(order, "kind")
    for prefix, column, values in (
        ("channel", batch.column("channel"), CHANNELS),
        ("direction", batch.column("direction"), DIRECTIONS),
        ("status", batch.column("status"), STATUSES),
        ("order.kind", kind, KINDS),
    ):
        code = pc.index_in(column, pa.array(values)).fill_null(-1).to_numpy(zero_copy_only=False)
        has = np.flatnonzero(code >= 0)
        shape[has, _AT[f"{prefix}={values[0]}"] + code[has]] = 1
    for name in ("campaign", "queue", "notes", "subject", "satisfaction"):
        shape[:, _AT[f"has.{name}"]] = batch.column(name).is_valid().to_numpy(zero_copy_only=False)
    for place, name in enumerate(("satisfied", "neutral", "dissatisfied"), 1):
        shape[:, _AT[f"score.{name}"]] = scores == place
    internal = pc.equal(batch.column("customer_kind"), "internal").fill_null(False)
    shape[:, _AT["kind=internal"]] = internal.to_numpy(zero_copy_only=False)
    talk = batch.column("talk_seconds").fill_null(-1).to_numpy(zero_copy_only=False)
    wait = batch.column("wait_seconds").fill_null(-1).to_numpy(zero_copy_only=False)
    shape[:, _AT["talk.none"]] = talk == 0
    shape[:, _AT["wait.only"]] = (wait > 0) & (talk <= 0)


def _fill_talk(
    shape: Floats,
    count: _RowCounter,
    customer: Bools,
    agent: Bools,
    note: Bools,
    segments: Segments,
    first: Bools,
    last: Bools,
) -> None:
    has_c, has_a, has_n = count.any(customer), count.any(agent), count.any(note)
    shape[:, _AT["words.none"]] = ~(has_c | has_a | has_n)
    shape[:, _AT["words.customer_only"]] = has_c & ~has_a & ~has_n
    shape[:, _AT["words.agent_only"]] = has_a & ~has_c
    shape[:, _AT["words.note_only"]] = has_n & ~has_c & ~has_a
    shape[:, _AT["words.both"]] = has_c & has_a
    shape[:, _AT["words.bot"]] = count.any(segments.sides == seg.BOT)
    message = segments.messages >= 0
    opens = message & (segments.messages == 0)
    closes = np.zeros(len(segments), bool)
    at = np.flatnonzero(message)
    if len(at):
        closes[at[np.concatenate([segments.rows[at][1:] != segments.rows[at][:-1], [True]])]] = True
    for name, mask in (("first", opens), ("last", closes)):
        shape[:, _AT[f"{name}=agent"]] = count.any(mask & agent)
        shape[:, _AT[f"{name}=customer"]] = count.any(mask & customer)
    messages = count.count(message)
    shape[:, _AT["single"]] = messages == 1
    shape[:, _AT["log.messages"]] = np.log1p(messages) / 2
    shape[:, _AT["log.customer_bytes"]] = count.log_bytes(customer)
    shape[:, _AT["log.agent_bytes"]] = count.log_bytes(agent)
    shape[:, _AT["log.note_bytes"]] = count.log_bytes(note)
    shape[:, _AT["asks.customer"]] = count.log_asks(customer)
    shape[:, _AT["asks.agent"]] = count.log_asks(agent)
    shape[:, _AT["asks.customer_first"]] = count.log_asks(customer & first)
    shape[:, _AT["asks.agent_first"]] = count.log_asks(agent & first)
    spoken = np.bincount(segments.rows[customer], count.lengths[customer], count.rows)
    shape[:, _AT["short.customer"]] = (spoken > 0) & (spoken < 25)


def signal_columns(matches: Matches, segments: Segments, talk: Talk, signal_of: Ints, signals: int) -> Floats:
    """What was heard, rows × (signals · len(SLOTS)): in each slot min(2, √(number of messages with the signal))."""
    rows = talk.shape.shape[0]
    signal = signal_of[matches.rules]
    # a signal counts once per segment, however many of its phrases are there
    key = matches.segments * signals + signal
    _, index = np.unique(key, return_index=True)
    segment, signal = matches.segments[index], signal[index]
    base = segments.rows[segment] * (signals * len(SLOTS)) + signal * len(SLOTS)
    places = [base + talk.side_slot[segment]]
    for edge in talk.edge_slot:
        has = edge[segment] >= 0
        places.append(base[has] + edge[segment][has])
    # Few of the cells are ever filled: count those, not all.
    cells, counts = np.unique(np.concatenate(places), return_counts=True)
    columns = np.zeros(rows * signals * len(SLOTS), np.float32)
    columns[cells] = np.minimum(np.sqrt(counts), 2)
    return columns.reshape(rows, signals * len(SLOTS))


def slot_places(matches: Matches, segments: Segments, talk: Talk, signal_of: Ints) -> list[Ints]:
    """For each match, the columns of `signal_columns` that it feeds: its side, first, last (-1 where it is neither)."""
    base = signal_of[matches.rules] * len(SLOTS)
    places = [base + talk.side_slot[matches.segments]]
    for edge in talk.edge_slot:
        slot = edge[matches.segments]
        places.append(np.where(slot >= 0, base + slot, -1))
    return places


def column_names(signals: Sequence[str]) -> list[str]:
    """The names of all feature columns, in order: signal × slot, then SHAPE."""
    return [f"{s}@{slot}" for s in signals for slot in SLOTS] + list(SHAPE)

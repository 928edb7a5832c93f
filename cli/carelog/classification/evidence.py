"""Why each label was given: the places in the text (or the fields) that spoke for it, as one list per interaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from carelog.classification.classifier import Classifier, Measured
from carelog.classification.clauses import best_of_each, output_weights, strongest_clauses, trim
from carelog.classification.features import slot_places
from carelog.classification.model import OUTPUTS
from carelog.classification.places import Pointed
from carelog.classification.pointing import IS_TEXT
from carelog.classification.ragged import write_out
from carelog.classification.segments import FIELDS
from carelog.columns import EVIDENCE

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

PER_LABEL = 3
"""How many places are shown for one label of one interaction, at most."""
LEAST_VOTE = 0.1
"""Log-odds below which a learned vote is too weak to be shown as a reason."""
_CLEAR = {"stage": np.inf, "orientation": 0.7, "satisfaction": 0.7, "outcome": 1.5}
LEAST_CLEAR = np.array([_CLEAR.get(o.partition(".")[0], 2.0) for o in OUTPUTS])
"""Log-odds, by output, that one text must add by itself to be shown as the place that tells a label; else it is the record as a
whole. Chosen by reading: below it, and for stages always, too many clauses were not what a reader would point at."""
LEAST_PART = 0.6
"""And the least part that it must have in all votes for the label."""
LEAST_POINTED = 1.8
"""Log-odds that a text shows a label that its interaction has, below which none is pointed at: chosen by readers' verdicts."""
LEAST_FOR_RULE = 0.4
"""The same where a rule matched in the text: below, its words meant something else there."""
MODEL_RULE = "model.votes"


@dataclass(frozen=True, slots=True)
class Entries:
    """Evidence in columns; `label` and `rule` are places in lists of names, `message` -1 outside messages, `start` -1 for a field."""

    row: Ints
    label: Ints
    rule: Ints
    field: Ints
    message: Ints
    start: Ints
    end: Ints

    def without_place(self, mask: Bools) -> Entries:
        """The same with neither message nor span where the mask says so: the record as a whole."""
        cells = (np.where(mask, -1, c) for c in (self.message, self.start, self.end))
        field = np.where(mask, FIELD_NAMES.index("record"), self.field)
        return Entries(self.row, self.label, self.rule, field, *cells)


@dataclass(frozen=True, slots=True)
class Reasons:
    """What can be a reason for what: `label_of_rule` the label that each rule speaks for (-1 none), `weight` of each rule,
    `pointed` for each label its place in POINTED (-1 none), and where those were seen."""

    label_of_rule: Ints
    weight: Floats
    pointed: Ints
    places: Pointed


def direct_entries(
    measured: Measured, classifier: Classifier, given: Bools, reasons: Reasons
) -> tuple[Entries, Bools]:
    """The places where rules of the given labels matched, the PER_LABEL strongest of each; and which (row, label) have one.

    `given` is rows × labels. A packaged rule's match is left out where its text, read as a whole, does not show the label.
    """
    matches, weight = measured.matches, reasons.weight
    labels = reasons.label_of_rule[matches.rules]
    rows = measured.segments.rows[matches.segments]
    use = np.flatnonzero((labels >= 0) & (weight[matches.rules] > 0))
    use = use[given[rows[use], labels[use]]]
    use = use[_is_seen(measured, classifier, use, labels[use], reasons)]
    order = np.lexsort(
        (matches.starts[use], matches.segments[use], -weight[matches.rules[use]], labels[use], rows[use])
    )
    use = use[order]
    use = use[_rank(rows[use], labels[use], matches.segments[use]) < PER_LABEL]
    found = np.zeros(given.shape, bool)
    found[rows[use], labels[use]] = True
    start, end = trim(measured.form, matches.starts[use], matches.ends[use])
    return _located(
        measured,
        rows[use],
        labels[use],
        matches.rules[use].astype(np.int64),
        matches.segments[use],
        start,
        end,
    ), found


def _is_seen(
    measured: Measured, classifier: Classifier, matches: Ints, labels: Ints, reasons: Reasons
) -> Bools:
    segments = measured.matches.segments[matches].astype(np.int64)
    learned = classifier.own_weight[measured.matches.rules[matches]] == 0
    asked = np.flatnonzero(learned & (reasons.pointed[labels] >= 0))
    seen = np.ones(len(matches), bool)
    scores = reasons.places.look_up(segments[asked], reasons.pointed[labels[asked]])
    seen[asked] = scores > LEAST_FOR_RULE
    return seen


def _rank(rows: Ints, labels: Ints, segments: Ints) -> Ints:
    """The place of each entry within its (row, label); a second match in one message ranks last."""
    if not len(rows):
        return rows
    change = np.concatenate([[True], (rows[1:] != rows[:-1]) | (labels[1:] != labels[:-1])])
    rank = np.arange(len(rows)) - np.maximum.accumulate(np.where(change, np.arange(len(rows)), 0))
    again = np.zeros(len(rows), bool)
    again[1:] = ~change[1:] & (segments[1:] == segments[:-1])
    return rank + np.where(again, PER_LABEL, 0)


def _located(
    measured: Measured, rows: Ints, labels: Ints, rules: Ints, segments: Ints, start: Ints, end: Ints
) -> Entries:
    first, last = measured.form.character_spans(start, end)
    return Entries(
        rows,
        labels,
        rules,
        measured.segments.fields[segments],
        measured.segments.messages[segments],
        first,
        last,
    )


def vote_entries(
    measured: Measured,
    classifier: Classifier,
    wanted: Bools,
    outputs: Ints,
    reasons: Reasons,
    sides_of_label: Bools,
    opening_labels: Bools,
    closing_labels: Bools,
) -> Entries:
    """For each wanted (row, label) the clause whose learned votes for its output add up to most, in the text that shows it most.

    `sides_of_label` (labels × SIDES) says whose words can speak for a label at all, `opening_labels` and `closing_labels`
    which labels only the first or the last messages can speak for. Where no text says most of it, the entry stands for the
    record as a whole: many words together told it.
    """
    rows = measured.segments.rows
    order = np.argsort(rows, kind="stable")
    row_starts = np.searchsorted(rows[order], np.arange(len(wanted) + 1))
    pair_row, pair_label = np.nonzero(wanted)
    pair, place = write_out(row_starts[pair_row], row_starts[pair_row + 1] - row_starts[pair_row])
    segment = order[place]
    wordy = np.bincount(measured.spoken.tokens.segments, minlength=len(rows)) > 0
    label = pair_label[pair]
    in_time = ~opening_labels[label] | measured.segments.opening[segment]
    in_time &= ~closing_labels[label] | measured.segments.closing[segment]
    side = measured.segments.sides[segment]
    told = (reasons.pointed[label] < 0) | IS_TEXT[side]
    can = np.flatnonzero(wordy[segment] & in_time & told & sides_of_label[label, side])
    pair, segment = pair[can], segment[can]
    pointed = reasons.pointed[pair_label[pair]]
    seen, other = np.flatnonzero(pointed >= 0), np.flatnonzero(pointed < 0)
    vote = np.zeros(len(pair), np.float32)
    vote[seen] = reasons.places.look_up(segment[seen], pointed[seen])
    vote[other] = _segment_votes(measured, classifier, segment[other], outputs[pair_label[pair[other]]])
    best = best_of_each(pair, vote)
    best = best[(vote[best] > LEAST_VOTE) | (pointed[best] >= 0)]
    total = np.bincount(pair, np.maximum(vote, 0), len(pair_row))[pair[best]]
    at, labels, pointed = segment[best], pair_label[pair[best]], pointed[best]
    alone = (vote[best] > LEAST_CLEAR[outputs[labels]]) & (vote[best] >= LEAST_PART * total)
    clear = np.where(pointed >= 0, vote[best] > LEAST_POINTED, alone)
    start, end = strongest_clauses(measured, at, outputs[labels])
    nobody = np.full(len(at), len(classifier.rules), np.int64)
    return _located(measured, pair_row[pair[best]], labels, nobody, at, start, end).without_place(~clear)


def _segment_votes(measured: Measured, classifier: Classifier, segments: Ints, outputs: Ints) -> Floats:
    """Log-odds that what was said in each segment adds to an output each: its words and the signals heard in it."""
    spoken = measured.spoken
    weights = output_weights(measured, outputs)
    words = np.einsum("ij,ij->i", spoken.shares.take(segments, axis=0), weights)
    matches = measured.matches
    starts = np.searchsorted(matches.segments, np.arange(len(measured.segments) + 1))
    pair, match = write_out(starts[segments], starts[segments + 1] - starts[segments])
    vote = np.zeros(len(pair), np.float32)
    for places in slot_places(matches, measured.segments, measured.talk, classifier.signal_of):
        at = places[match]
        fed = np.flatnonzero(at >= 0)
        vote[fed] += classifier.weights[at[fed], outputs[pair[fed]]]
    result: Floats = words + np.bincount(pair, vote, len(segments)).astype(np.float32)
    return result


def field_entries(rows: Ints, label: int, rule: int, field: int) -> Entries:
    """A label that a field of the record decided."""
    n = len(rows)
    whole = [np.full(n, v, np.int64) for v in (label, rule, field, -1, -1, -1)]
    return Entries(rows.astype(np.int64), *whole)


def to_evidence_column(
    parts: Sequence[Entries], n_rows: int, labels: Sequence[str], rules: Sequence[str], fields: Sequence[str]
) -> pa.ListArray:
    """Entries as the `evidence` column: ordered by label, message and place; a field's entry has no message, start and end."""
    cells = {
        n: np.concatenate([getattr(p, n) for p in parts])
        for n in ("row", "label", "rule", "field", "message", "start", "end")
    }
    order = np.lexsort(
        (cells["rule"], cells["start"], cells["message"], cells["field"], cells["label"], cells["row"])
    )
    cells = {n: v[order] for n, v in cells.items()}
    offsets = np.concatenate([[0], np.cumsum(np.bincount(cells["row"], minlength=n_rows))]).astype(np.int32)

    def named(name: str, values: Sequence[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(
            cells[name].astype(np.int32), pa.array(list(values), pa.string())
        ).cast(pa.string())

    def numbers(name: str) -> pa.Array:
        return pa.array(cells[name].astype(np.int32), mask=cells[name] < 0)

    struct = pa.StructArray.from_arrays(
        [
            named("label", labels),
            named("rule", rules),
            named("field", fields),
            numbers("message"),
            numbers("start"),
            numbers("end"),
        ],
        fields=list(EVIDENCE),
    )
    return pa.ListArray.from_arrays(pa.array(offsets), struct)


FIELD_NAMES = (
    *FIELDS,
    "satisfaction",
    "initiative",
    "direction",
    "status",
    "order",
    "customer_kind",
    "record",
)

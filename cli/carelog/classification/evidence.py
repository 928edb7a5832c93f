"""Why each label was given: the places in the text (or the fields) that spoke for it, as one list per interaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from carelog.classification.classifier import Classifier, Measured
from carelog.classification.features import slot_places
from carelog.classification.lexical import SLOT_OF_SIDE
from carelog.classification.segments import FIELDS
from carelog.columns import EVIDENCE

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

PER_LABEL = 3
"""How many places are shown for one label of one interaction, at most."""
LEAST_VOTE = 0.1
"""Log-odds below which a learned vote is too weak to be shown as a reason."""
CLAUSE_REACH = 72
"""How far, in bytes to each side, a learned vote's clause is shown."""
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


def direct_entries(
    measured: Measured, classifier: Classifier, given: Bools, label_of_rule: Ints, weight: Floats
) -> tuple[Entries, Bools]:
    """The places where rules of the given labels matched, the PER_LABEL strongest of each; and which (row, label) have one.

    `given` is rows × labels, `label_of_rule` the label that each rule speaks for (-1 none).
    """
    matches = measured.matches
    labels = label_of_rule[matches.rules]
    rows = measured.segments.rows[matches.segments]
    use = np.flatnonzero((labels >= 0) & (weight[matches.rules] > 0))
    use = use[given[rows[use], labels[use]]]
    order = np.lexsort(
        (matches.starts[use], matches.segments[use], -weight[matches.rules[use]], labels[use], rows[use])
    )
    use = use[order]
    use = use[_rank(rows[use], labels[use], matches.segments[use]) < PER_LABEL]
    found = np.zeros(given.shape, bool)
    found[rows[use], labels[use]] = True
    start, end = trim(measured, matches.starts[use], matches.ends[use])
    return _located(
        measured,
        rows[use],
        labels[use],
        matches.rules[use].astype(np.int64),
        matches.segments[use],
        start,
        end,
    ), found


def _rank(rows: Ints, labels: Ints, segments: Ints) -> Ints:
    """The place of each entry within its (row, label); a second match in one message ranks last."""
    if not len(rows):
        return rows
    change = np.concatenate([[True], (rows[1:] != rows[:-1]) | (labels[1:] != labels[:-1])])
    rank = np.arange(len(rows)) - np.maximum.accumulate(np.where(change, np.arange(len(rows)), 0))
    again = np.zeros(len(rows), bool)
    again[1:] = ~change[1:] & (segments[1:] == segments[:-1])
    return rank + np.where(again, PER_LABEL, 0)


def trim(measured: Measured, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Matches without the separators at their edges."""
    data = np.frombuffer(measured.form.data, np.uint8)
    separators = np.array([0x20, 0x2E, 0x3F, 0x0A], np.uint8)
    start = starts + np.isin(data[starts], separators)
    end = ends - np.isin(data[ends - 1], separators)
    return start, np.maximum(end, start + 1)


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
    measured: Measured, classifier: Classifier, wanted: Bools, outputs: Ints, sides_of_label: Bools
) -> Entries:
    """For each wanted (row, label) the clause whose learned votes for its output add up to most.

    `sides_of_label` (labels × SIDES) says whose words can speak for a label at all.
    """
    rows = measured.segments.rows
    order = np.argsort(rows, kind="stable")
    row_starts = np.searchsorted(rows[order], np.arange(len(wanted) + 1))
    pair_row, pair_label = np.nonzero(wanted)
    pair, place = _spread(row_starts[pair_row], row_starts[pair_row + 1])
    segment = order[place]
    label = pair_label[pair]
    vote = _segment_votes(measured, classifier, segment, outputs[label])
    silent = np.bincount(measured.spoken.tokens.segments, minlength=len(rows)) == 0
    vote[silent[segment] | ~sides_of_label[label, measured.segments.sides[segment]]] = -np.inf
    best = _best_of_each(pair, vote, segment)
    best = best[vote[best] > LEAST_VOTE]
    at, labels = segment[best], label[best]
    start, end = _strongest_clause(measured, at, outputs[labels])
    nobody = np.full(len(at), len(classifier.rules), np.int64)
    return _located(measured, pair_row[pair[best]], labels, nobody, at, start, end)


def _spread(starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Ranges written out: for each range its number once per element, and the elements."""
    sizes = ends - starts
    number = np.repeat(np.arange(len(starts)), sizes)
    return number, np.arange(len(number)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + starts[number]


def _best_of_each(group: Ints, vote: Floats, tie: Ints) -> Ints:
    """Per group the place of the highest vote (of equals the lowest `tie`)."""
    order = np.lexsort((tie, -np.round(vote, 4), group))
    first = (
        np.concatenate([[True], group[order][1:] != group[order][:-1]]) if len(order) else np.zeros(0, bool)
    )
    best: Ints = order[first]
    return best


def _segment_votes(measured: Measured, classifier: Classifier, segments: Ints, outputs: Ints) -> Floats:
    """Log-odds that what was said in each segment adds to an output each: its words and the signals heard in it."""
    spoken = measured.spoken
    words = np.einsum("ij,ij->i", spoken.shares[segments], spoken.table.lexicon.projection[:, outputs].T)
    matches = measured.matches
    starts = np.searchsorted(matches.segments, np.arange(len(measured.segments) + 1))
    pair, match = _spread(starts[segments], starts[segments + 1])
    vote = np.zeros(len(pair), np.float32)
    for places in slot_places(matches, measured.segments, measured.talk, classifier.signal_of):
        at = places[match]
        vote += np.where(at >= 0, classifier.weights[np.maximum(at, 0), outputs[pair]], 0)
    result: Floats = words + np.bincount(pair, vote, len(segments)).astype(np.float32)
    return result


def _strongest_clause(measured: Measured, segments: Ints, outputs: Ints) -> tuple[Ints, Ints]:
    """In each segment the clause whose words vote most for an output; a short segment is shown whole."""
    ends = measured.form.ends
    first = np.where(segments > 0, ends[np.maximum(segments - 1, 0)] + 1, 0)
    start, end = trim(measured, first, ends[segments])
    long = np.flatnonzero(end - start > 2 * CLAUSE_REACH)
    if len(long):
        start[long], end[long] = _strongest_of_long(measured, segments[long], outputs[long])
    return start, end


def _strongest_of_long(measured: Measured, segments: Ints, outputs: Ints) -> tuple[Ints, Ints]:
    tokens = measured.spoken.tokens
    data = np.frombuffer(measured.form.data, np.uint8)
    breaks = np.flatnonzero((data == 0x2E) | (data == 0x3F) | (data == 0x0A))
    starts = np.searchsorted(tokens.segments, segments)
    ends = np.searchsorted(tokens.segments, segments, side="right")
    pair, token = _spread(starts, ends)
    slots = SLOT_OF_SIDE[measured.segments.sides[tokens.segments[token]]]
    vote = measured.spoken.token_votes(token, slots, outputs[pair])
    clause = np.searchsorted(breaks, tokens.starts[token], side="right")
    heads = np.flatnonzero(np.concatenate([[True], (pair[1:] != pair[:-1]) | (clause[1:] != clause[:-1])]))
    chosen = _best_of_each(pair[heads], np.add.reduceat(vote, heads), clause[heads])
    size = np.diff(np.concatenate([heads, [len(pair)]]))
    at = token[_peaks(vote, heads[chosen], size[chosen])]
    return clause_around(measured, tokens.starts[at], tokens.starts[at] + tokens.lengths[at])


def _peaks(vote: Floats, heads: Ints, sizes: Ints) -> Ints:
    """In each run of votes the place of the highest."""
    run, place = _spread(heads, heads + sizes)
    return place[_best_of_each(run, vote[place], place)]


def clause_around(measured: Measured, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """The clause in which each span stands, at most CLAUSE_REACH bytes to each side, cut between words."""
    data = np.frombuffer(measured.form.data, np.uint8)
    breaks = np.flatnonzero((data == 0x2E) | (data == 0x3F) | (data == 0x0A))
    spaces = np.flatnonzero(data == 0x20)
    lead = np.flatnonzero((data & 0xC0) != 0x80)
    starts, ends = trim(measured, starts, ends)
    before = np.searchsorted(breaks, starts, side="right") - 1
    low = np.where(before >= 0, breaks[np.maximum(before, 0)] + 1, 0)
    after = np.searchsorted(breaks, ends, side="left")
    high = np.where(after < len(breaks), breaks[np.minimum(after, len(breaks) - 1)], len(data))
    low = _not_further(low, starts - CLAUSE_REACH, spaces, lead, starts, first=True)
    high = _not_further(high, ends + CLAUSE_REACH, spaces, lead, ends, first=False)
    return trim(measured, low, np.maximum(high, low + 1))


def _not_further(limit: Ints, reach: Ints, spaces: Ints, lead: Ints, span: Ints, first: bool) -> Ints:
    """`limit`, or where it lies beyond `reach` the next word border towards the span (a letter border where there is none)."""
    if not len(limit):
        return limit
    beyond = limit < reach if first else limit > reach
    if first:
        at = np.searchsorted(spaces, reach, side="left")
        near = (
            np.where(at < len(spaces), spaces[np.minimum(at, max(len(spaces) - 1, 0))] + 1, span)
            if len(spaces)
            else span
        )
        letter = lead[np.minimum(np.searchsorted(lead, np.maximum(reach, 0), side="left"), len(lead) - 1)]
        near = np.where(near > span, letter, near)
    else:
        at = np.searchsorted(spaces, reach, side="right") - 1
        near = np.where(at >= 0, spaces[np.maximum(at, 0)], span) if len(spaces) else span
        place = np.minimum(np.searchsorted(lead, reach, side="left"), len(lead) - 1)
        near = np.where(near < span, np.maximum(lead[place], span), near)
    result: Ints = np.where(beyond, near, limit)
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


FIELD_NAMES = (*FIELDS, "satisfaction", "initiative", "direction", "status", "order", "customer_kind")

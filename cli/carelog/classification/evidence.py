"""Why each label was given: the places in the text (or the fields) that spoke for it, as one list per interaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from carelog.classification.classifier import Classifier, Measured, slot_places, term_slots
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
    ends, segments, starts, votes = _votes(measured, classifier)
    rows = measured.segments.rows[segments]
    labels_per_row = wanted.sum(axis=1)
    pair_row, pair_label = np.nonzero(wanted)
    first = np.concatenate([[0], np.cumsum(labels_per_row)])
    count = labels_per_row[rows]
    match = np.repeat(np.arange(len(rows)), count)
    within = np.arange(len(match)) - np.repeat(np.cumsum(count) - count, count)
    pair = first[rows[match]] + within
    label = pair_label[pair]
    vote = votes(match, outputs[label])
    vote[~sides_of_label[label, measured.segments.sides[segments[match]]]] = 0
    chosen, pairs = _strongest_clauses(pair, _clauses_of(measured, starts)[match], np.round(vote, 4))
    at = match[chosen]
    start, end = clause_around(measured, starts[at], ends[at])
    nobody = np.full(len(at), len(classifier.rules), np.int64)
    return _located(measured, pair_row[pairs], pair_label[pairs], nobody, segments[at], start, end)


def _clauses_of(measured: Measured, starts: Ints) -> Ints:
    data = np.frombuffer(measured.form.data, np.uint8)
    breaks = np.flatnonzero((data == 0x2E) | (data == 0x3F) | (data == 0x0A))
    return np.searchsorted(breaks, starts, side="right")


def _strongest_clauses(pair: Ints, clause: Ints, vote: Floats) -> tuple[Ints, Ints]:
    """Per pair the clause with the highest sum of votes (the first of equals): the place of its strongest vote, and the pair."""
    keep = np.flatnonzero(np.abs(vote) > 0)
    if not len(keep):
        return keep, keep
    order = keep[np.lexsort((-vote[keep], clause[keep], pair[keep]))]
    new = np.concatenate(
        [[True], (pair[order][1:] != pair[order][:-1]) | (clause[order][1:] != clause[order][:-1])]
    )
    heads = np.flatnonzero(new)
    sums = np.add.reduceat(vote[order], heads)
    best = np.lexsort((clause[order][heads], -sums, pair[order][heads]))
    pairs = pair[order][heads][best]
    top = best[np.concatenate([[True], pairs[1:] != pairs[:-1]])]
    top = top[sums[top] > LEAST_VOTE]
    return order[heads[top]], pair[order][heads[top]]


def _votes(measured: Measured, classifier: Classifier):  # type: ignore[no-untyped-def]
    """All matches, of rules and of learned terms: ends, segments, starts, and a function (match, output) → learned vote."""
    rules, terms = measured.matches, measured.term_matches
    columns = slot_places(rules, measured.segments, measured.talk, classifier.signal_of)
    term = terms.rules.astype(np.int64) - classifier.n_rules
    slot = term_slots(terms, measured.segments)
    n = len(rules.rules)

    def votes(match: Ints, output: Ints) -> Floats:
        vote = np.zeros(len(match), np.float32)
        is_rule = match < n
        at, out = match[is_rule], output[is_rule]
        for places in columns:
            place = places[at]
            vote[is_rule] += np.where(place >= 0, classifier.weights[np.maximum(place, 0), out], 0)
        at = match[~is_rule] - n
        if len(at):
            vote[~is_rule] = classifier.model.term_weights[term[at], slot[at], output[~is_rule]]
        return vote

    def both(name: str) -> Ints:
        return np.concatenate([getattr(rules, name), getattr(terms, name)])

    return both("ends"), both("segments"), both("starts"), votes


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

"""Compiled rulebooks, and what they measure and score in a batch. `classify_batch` (labelling.py) turns that into labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import hyperscan
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from carelog.classification import segments as seg
from carelog.classification.features import Talk, column_names, measure_talk, signal_columns
from carelog.classification.lexical import Spoken, lexical_columns, listen_to_words, word_slots
from carelog.classification.matching import Expressions, Matches, scan
from carelog.classification.model import OUTPUT_AT, Model, align_weights
from carelog.classification.normal import NormalForm, to_normal_form
from carelog.classification.pointing import Pointer, text_columns
from carelog.classification.prepared import prepare_rules
from carelog.classification.rulebook import Rule, Rulebook
from carelog.classification.segments import Segments, to_segments
from carelog.classification.tokens import find_tokens
from carelog.classification.vocabulary import Vocabulary
from carelog.labels import CARE_ACTIVITIES, CHANNELS, SERVICE_ACTIVITIES

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

OWN_WEIGHT = 2.5
"""Log-odds that a rule of weight 1 adds to its label where the model has learned nothing of its signal."""
MAP_WEIGHT = 10.0
"""Log-odds that a mapped value of a field adds to its label: enough to decide where the words say little."""

_SPEAKERS = {"customer": 0, "agent": 1, "any": 2}
_PLACES = {"any": 0, "opening": 1, "closing": 2}
# Rows: speaker of the rule; columns: side of the segment. A note tells of both sides; a subject is looked at apart.
_HEARD = np.zeros((3, len(seg.SIDES)), bool)
_HEARD[0, [seg.CUSTOMER, seg.NOTE]] = True
_HEARD[1, [seg.AGENT, seg.BOT, seg.NOTE]] = True
_HEARD[2, :] = True


@dataclass(frozen=True)
class Classifier:
    """Rulebooks and model, compiled."""

    rulebook: Rulebook
    model: Model
    rules: tuple[Rule, ...]
    features: tuple[str, ...]
    signals: tuple[str, ...]
    weights: Floats
    pointer: Pointer

    @cached_property
    def prepared(self) -> tuple[Expressions, hyperscan.Database]:
        """The compiled patterns; not sent to other processes, each loads its own."""
        return prepare_rules(self.rules)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("prepared", "table")}

    @cached_property
    def table(self) -> Vocabulary:
        """The vectors of words that this process has met."""
        return Vocabulary(self.model.lexicon)

    @cached_property
    def signal_of(self) -> Ints:
        """For each rule, the place of its signal."""
        at = {s: i for i, s in enumerate(self.signals)}
        return np.array([at[r.signal] for r in self.rules], np.int64)

    @cached_property
    def own_weight(self) -> Floats:
        """For each rule, the log-odds it adds by itself: those whose signal the model has not learned."""
        known = set(self.model.signals)
        return np.array([0.0 if r.signal in known else OWN_WEIGHT * r.weight for r in self.rules], np.float32)

    @cached_property
    def conditions(self) -> tuple[Ints, Ints, Ints]:
        """For each rule: speaker, place and channels (a bit each) that it asks for."""
        everywhere = (1 << len(CHANNELS)) - 1
        channels = [sum(1 << CHANNELS.index(c) for c in r.channel) or everywhere for r in self.rules]
        return (
            np.array([_SPEAKERS[r.speaker] for r in self.rules], np.int64),
            np.array([_PLACES[r.place] for r in self.rules], np.int64),
            np.array(channels, np.int64),
        )


def compile_classifier(rulebook: Rulebook, model: Model) -> Classifier:
    """Everything that classification needs, from merged rulebooks and the learned model."""
    signals = tuple(sorted({r.signal for r in rulebook.rules}))
    features = tuple(column_names(signals))
    weights = align_weights(model.features, model.signal_weights, features)
    columns = text_columns(signals)
    learned = model.pointer
    pointer = Pointer(columns, align_weights(learned.features, learned.weights, columns), learned.bias)
    return Classifier(rulebook, model, rulebook.rules, features, signals, weights, pointer)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found in a batch: segments, their normal form, matches that count, words, and the feature columns (rows × features).

    `word_slots` says by segment whose words they are (a place in LEXICAL_SLOTS).
    """

    segments: Segments
    form: NormalForm
    matches: Matches
    talk: Talk
    columns: Floats
    spoken: Spoken
    word_slots: Ints


def measure_batch(batch: pa.RecordBatch, classifier: Classifier, scores: npt.NDArray[np.int8]) -> Measured:
    """Match every rule over the texts of a batch in one pass and count what was heard; `scores` as in `measure_talk`."""
    segments = to_segments(batch)
    form = to_normal_form(segments.texts)
    expressions, database = classifier.prepared
    found = scan(database, expressions, form)
    matches = found.where(_conditions_hold(found, segments, batch, classifier))
    talk = measure_talk(batch, segments, form, scores)
    heard = signal_columns(matches, segments, talk, classifier.signal_of, len(classifier.signals))
    slots = word_slots(segments.sides, talk.is_last_of_customer)
    spoken = listen_to_words(find_tokens(form), classifier.table, segments.rows, slots)
    return Measured(segments, form, matches, talk, np.hstack([heard, talk.shape]), spoken, slots)


def _conditions_hold(
    found: Matches, segments: Segments, batch: pa.RecordBatch, classifier: Classifier
) -> Bools:
    speakers, places, channels = (c[found.rules] for c in classifier.conditions)
    at = found.segments
    sides, rows = segments.sides[at], segments.rows[at]
    heard = _HEARD[speakers, sides]
    outbound = (
        pc.equal(batch.column("direction"), "outbound").fill_null(False).to_numpy(zero_copy_only=False)[rows]
    )
    heard |= (sides == seg.SUBJECT) & (speakers == np.where(outbound, 1, 0))
    placed = (places == 0) | ((places == 1) & segments.opening[at]) | ((places == 2) & segments.closing[at])
    channel = (
        pc.index_in(batch.column("channel"), pa.array(CHANNELS))
        .fill_null(0)
        .to_numpy(zero_copy_only=False)[rows]
    )
    allowed: Bools = heard & placed & ((channels >> channel) & 1 == 1)
    return allowed


def first_scores(measured: Measured, classifier: Classifier) -> Floats:
    """What signals, shapes and words say by themselves, rows × OUTPUTS."""
    words = lexical_columns(measured.spoken, measured.segments.rows, len(measured.columns))
    scores: Floats = (
        measured.columns @ classifier.weights
        + words @ classifier.model.lexicon.projection
        + classifier.model.bias
    )
    return scores


def score_batch(measured: Measured, classifier: Classifier, mapped: Mapping[str, Sequence[int]]) -> Floats:
    """Scores, rows × OUTPUTS: the first step, the weighed activities, rules that the model has not learned, mapped field values.

    `mapped` names, per label, the rows whose category, tags, queue or campaign a rulebook maps to it.
    """
    scores = first_scores(measured, classifier)
    scores += classifier.model.weigh(scores) @ classifier.model.weighing
    _add_own(scores, measured, classifier)
    for name, offset in classifier.rulebook.offsets.items():
        scores[:, OUTPUT_AT[name]] += np.float32(offset)
    for label, rows in mapped.items():
        # Who maps a field's value to an activity says that there is one, words or not.
        scores[np.asarray(rows, np.int64), OUTPUT_AT["orientation.none"]] -= np.float32(2 * MAP_WEIGHT)
        for output, weight in spread(label, MAP_WEIGHT):
            scores[np.asarray(rows, np.int64), output] += np.float32(weight)
    return scores


def _add_own(scores: Floats, measured: Measured, classifier: Classifier) -> None:
    weights = classifier.own_weight[measured.matches.rules]
    mine = np.flatnonzero(weights)
    if not len(mine):
        return
    rows = measured.segments.rows[measured.matches.segments[mine]]
    pairs = np.unique(np.stack([rows, measured.matches.rules[mine].astype(np.int64)]), axis=1)
    for row, rule in pairs.T.tolist():  # only rules of a company's own: few
        for output, weight in spread(classifier.rules[rule].label, float(classifier.own_weight[rule])):
            scores[row, output] += weight


def spread(label: str, weight: float) -> list[tuple[int, float]]:
    """The outputs that a claim for a label moves: an activity also moves the orientation that it belongs to."""
    if label == "initiative.reactive":
        return [(OUTPUT_AT["initiative.proactive"], -weight)]
    if label not in OUTPUT_AT:
        return []
    moved = [(OUTPUT_AT[label], weight)]
    activity = label.removeprefix("activity.")
    if activity in CARE_ACTIVITIES or activity in SERVICE_ACTIVITIES:
        side = "care" if activity in CARE_ACTIVITIES else "service"
        moved += [
            (OUTPUT_AT[f"orientation.{side}"], weight / 2),
            (OUTPUT_AT["orientation.none"], -weight / 2),
        ]
    return moved

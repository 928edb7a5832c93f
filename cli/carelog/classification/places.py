"""Where the labels of a batch are seen: a score for each text and each label that its interaction was given (pointing.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carelog.classification.classifier import Classifier, Measured
from carelog.classification.model import OUTPUT_AT
from carelog.classification.pointing import (
    POINTED,
    TEXT_SHAPE,
    heard_in_texts,
    shape_of_texts,
)
from carelog.classification.ragged import write_out

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

POINTED_OUTPUTS = np.array([OUTPUT_AT[name] for name in POINTED])
"""The outputs of the model that score what is pointed at."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """How strongly texts show labels, in log-odds: for each pair of a segment and a place in POINTED, ordered by both."""

    keys: Ints
    scores: Floats

    def look_up(self, segments: Ints, pointed: Ints) -> Floats:
        """The scores of some pairs, all of which must be there."""
        scores: Floats = self.scores[np.searchsorted(self.keys, segments * len(POINTED) + pointed)]
        return scores


def point(measured: Measured, classifier: Classifier, given: Bools) -> Pointed:
    """Score every text of an interaction for every label that it was given; `given` is rows × POINTED."""
    rows = measured.segments.rows
    segment, label = np.nonzero(given[rows])
    distinct, place = np.unique(segment, return_inverse=True)
    pointer = classifier.pointer
    shape = shape_of_texts(measured.segments, measured.spoken.lengths, distinct)
    of_shape = pointer.weights[len(pointer.weights) - len(TEXT_SHAPE) :]
    scores = pointer.bias[label]
    scores += np.einsum("ij,ij->i", shape[place], np.ascontiguousarray(of_shape.T)[label])
    words = measured.spoken.own_vectors(distinct)
    votes = np.ascontiguousarray(classifier.model.lexicon.projection[:, POINTED_OUTPUTS].T)
    scores += np.einsum("ij,ij->i", words[place], votes[label]) * pointer.weights[0, label]
    heard, column = heard_in_texts(measured.matches, measured.segments, classifier.signal_of)
    starts = np.searchsorted(heard, np.arange(len(rows) + 1))
    pair, at = write_out(starts[segment], starts[segment + 1] - starts[segment])
    told = pointer.weights[column[at], label[pair]]
    scores += np.bincount(pair, told, len(segment)).astype(np.float32)
    return Pointed(segment * len(POINTED) + label, scores)

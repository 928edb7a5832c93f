"""Learn where labels are seen: from the messages that a reader has marked, a logistic regression over single texts for each label.

A text is asked for a label only where its interaction has it: the question is where, not whether.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from carelog.classification import segments as seg
from carelog.classification.classifier import Classifier, Measured
from carelog.classification.pointing import (
    IS_TEXT,
    POINTED,
    Pointer,
    heard_in_texts,
    shape_of_texts,
    text_columns,
)
from carelog.classification.segments import Segments

STRENGTH = 10.0
SIGNAL_SCALE = 0.25
_NAMED = {seg.NOTE: "n", seg.SUBJECT: "s"}
_SLOT_OF_VOICE = ((seg.CUSTOMER, seg.SUBJECT), (seg.AGENT, seg.BOT, seg.NOTE))
"""The sides whose words the first two lexical slots hold."""


def own_words(measured: Measured, counts: sparse.csr_matrix, idf: np.ndarray) -> sparse.csr_matrix:
    """Segments × (two slots · features): the words of each text, scaled by their own length; `counts`: segments × features."""
    scaled = sparse.diags(1 / np.sqrt(np.maximum(counts @ idf**2, 1.0))) @ counts @ sparse.diags(idf)
    sides = measured.segments.sides
    return sparse.hstack(
        [sparse.diags(np.isin(sides, of).astype(float)) @ scaled for of in _SLOT_OF_VOICE]
    ).tocsr()


def learn_places(
    measured: Measured,
    votes: np.ndarray,
    lengths: np.ndarray,
    classifier: Classifier,
    golds: list[dict[str, Any]],
) -> Pointer:
    """`votes`: segments × POINTED, what the words of a text say, by a model that has not seen its record; `lengths` of texts, squared."""
    segments = measured.segments
    shown, asked = marks(segments, golds)
    names = text_columns(classifier.signals)
    heard, column = heard_in_texts(measured.matches, segments, classifier.signal_of)
    signals = sparse.csr_matrix((np.ones(len(heard)), (heard, column - 1)), shape=(len(segments), len(names)))
    shape = shape_of_texts(segments, lengths, np.arange(len(segments)))
    rest = sparse.hstack([signals[:, : len(names) - 1 - shape.shape[1]], sparse.csr_matrix(shape)]).tocsr()
    weights, bias = np.zeros((len(names), len(POINTED))), np.zeros(len(POINTED))
    for at in range(len(POINTED)):
        rows = np.flatnonzero(asked[:, at])
        columns = sparse.hstack([sparse.csr_matrix(votes[rows, at : at + 1]), rest[rows] * SIGNAL_SCALE])
        if 0 < shown[rows, at].sum() < len(rows):
            model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=0)
            model.fit(columns.tocsr(), shown[rows, at])
            weights[:, at], bias[at] = model.coef_[0], model.intercept_[0]
    weights[1:] *= SIGNAL_SCALE
    return Pointer(names, weights.astype(np.float32), bias.astype(np.float32))


def marks(segments: Segments, golds: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Which texts show which labels, and of which that is known (each segments × POINTED)."""
    at = {name: place for place, name in enumerate(POINTED)}
    marked = [
        {
            at.get(f"activity.{label}", at.get(label, -1)): {str(m) for m in ms}
            for label, ms in (g["places"] or {}).items()
        }
        for g in golds
    ]
    shown, asked = (np.zeros((len(segments), len(POINTED)), bool) for _ in range(2))
    texts = IS_TEXT[segments.sides]
    for place in np.flatnonzero(texts).tolist():
        name = _NAMED.get(int(segments.sides[place]), str(segments.messages[place]))
        for label, names in marked[segments.rows[place]].items():
            asked[place, label] = True
            shown[place, label] = name in names
    return shown, asked

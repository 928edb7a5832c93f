"""The learned weights: how much each signal, each shape of a record and each learned term speaks for each label.

A linear model, so that every score is a sum whose parts can be shown. `make train` rebuilds the file from the training records.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from carelog.labels import ACTIVITIES, ORIENTATIONS, OUTCOMES, SATISFACTIONS, STAGES, TOUCHPOINTS
from carelog.resources import rulebook_resource

Floats = npt.NDArray[np.float32]

OUTPUTS = (
    *(f"activity.{a}" for a in ACTIVITIES),
    *(f"main.{a}" for a in ACTIVITIES),
    *(f"orientation.{o}" for o in ORIENTATIONS),
    "initiative.proactive",
    *(f"stage.{s}" for s in STAGES),
    *(f"satisfaction.{s}" for s in SATISFACTIONS),
    *(f"outcome.{o}" for o in OUTCOMES),
    "loyalty",
    "churn_risk",
    *(f"touchpoint.{t}" for t in (*TOUCHPOINTS, "none")),
    "customer_kind.internal",
)
"""What the model scores: log-odds for yes/no labels, logits for the labels of which one is chosen."""

OUTPUT_AT: Mapping[str, int] = {name: place for place, name in enumerate(OUTPUTS)}
TERM_SLOTS = ("customer", "company", "field")
MODEL_FILE = "model.npz"


@dataclass(frozen=True)
class Model:
    """`signal_weights`: columns of `features` × OUTPUTS. `term_weights`: terms × TERM_SLOTS × OUTPUTS. `thresholds` per OUTPUT."""

    features: tuple[str, ...]
    signal_weights: Floats
    bias: Floats
    terms: tuple[str, ...]
    term_weights: Floats
    thresholds: Floats

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals whose slots stand among the features, in order."""
        return tuple(dict.fromkeys(f.partition("@")[0] for f in self.features if "@" in f))


def load_model() -> Model:
    """The packaged model."""
    return _load()


@cache
def _load() -> Model:
    return from_bytes(rulebook_resource(MODEL_FILE).read_bytes())


def from_bytes(content: bytes) -> Model:
    """A model from the bytes of its file."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        terms = tuple(arrays["terms"].tobytes().decode().split("\n")) if arrays["terms"].size else ()
        return Model(
            tuple(arrays["features"].tobytes().decode().split("\n")),
            arrays["signal_weights"].astype(np.float32),
            arrays["bias"].astype(np.float32),
            terms,
            arrays["term_weights"].astype(np.float32),
            arrays["thresholds"].astype(np.float32),
        )


def to_bytes(model: Model) -> bytes:
    """The model as a file; the same model gives the same bytes."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        features=np.frombuffer("\n".join(model.features).encode(), np.uint8),
        signal_weights=model.signal_weights.astype(np.float16),
        bias=model.bias.astype(np.float32),
        terms=np.frombuffer("\n".join(model.terms).encode(), np.uint8),
        term_weights=model.term_weights.astype(np.float16),
        thresholds=model.thresholds.astype(np.float32),
    )
    return file.getvalue()


def align_weights(model: Model, names: Sequence[str]) -> Floats:
    """The model's signal weights for feature columns in another order; columns that the model does not know weigh 0."""
    at = {name: place for place, name in enumerate(model.features)}
    rows = [at.get(name, -1) for name in names]
    padded = np.vstack([model.signal_weights, np.zeros((1, len(OUTPUTS)), np.float32)])
    return padded[rows]

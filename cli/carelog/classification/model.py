"""The learned weights: how much each signal, each shape of a record and each word speaks for each label.

Two steps, both sums whose parts can be shown: a linear one gives every score; then the labels that depend on what the
interaction is mainly about get what the weighed activities add (weighing.py). `make train` rebuilds the file from the
training records.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from carelog.classification.lexicon import LEXICAL_SLOTS, Lexicon
from carelog.classification.pointing import Pointer, empty_pointer
from carelog.classification.weighing import WEIGHED, weigh
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
MODEL_FILE = "model.npz"


def outputs_of(prefix: str, values: Sequence[str]) -> slice:
    """Where the outputs of one label stand: they follow each other in OUTPUTS."""
    return slice(OUTPUT_AT[f"{prefix}.{values[0]}"], OUTPUT_AT[f"{prefix}.{values[-1]}"] + 1)


ACTIVITY_OUTPUTS = outputs_of("activity", ACTIVITIES)
MAIN_OUTPUTS = outputs_of("main", ACTIVITIES)


@dataclass(frozen=True)
class Model:
    """`signal_weights`: columns of `features` × OUTPUTS; `lexicon`: what words say; `bias` and `thresholds` per OUTPUT.

    `weighing`: columns WEIGHED × OUTPUTS; `odds`: log-odds per OUTPUT of how often it is true at all. `pointer` says where.
    """

    features: tuple[str, ...]
    signal_weights: Floats
    bias: Floats
    lexicon: Lexicon
    thresholds: Floats
    weighing: Floats
    odds: Floats
    pointer: Pointer

    def weigh(self, scores: Floats) -> Floats:
        """The weighed activities (rows × WEIGHED) of the first step's scores (rows × OUTPUTS)."""
        likely = scores + self.odds
        return weigh(likely[:, ACTIVITY_OUTPUTS], likely[:, MAIN_OUTPUTS])

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
        lengths = arrays["lengths"].astype(np.float32)
        scale = arrays["vector_scale"]
        lexicon = Lexicon(arrays["keys"], arrays["vectors"], lengths, arrays["projection"], scale)
        pointer = Pointer(
            _names(arrays["pointer_features"]),
            arrays["pointer_weights"].astype(np.float32),
            arrays["pointer_bias"].astype(np.float32),
        )
        return Model(
            _names(arrays["features"]),
            arrays["signal_weights"].astype(np.float32),
            arrays["bias"].astype(np.float32),
            lexicon,
            arrays["thresholds"].astype(np.float32),
            arrays["weighing"].astype(np.float32),
            arrays["odds"].astype(np.float32),
            pointer,
        )


def _names(packed: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    return tuple(packed.tobytes().decode().split("\n"))


def _packed(names: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\n".join(names).encode(), np.uint8)


def to_bytes(model: Model) -> bytes:
    """The model as a file; the same model gives the same bytes. Vectors are kept as eight-bit numbers with one scale per place."""
    lexicon = model.lexicon
    vectors = lexicon.vectors_of(np.arange(len(lexicon.keys)))
    scale = (
        np.maximum(np.abs(vectors).max(axis=(0, 1)) / 127, 1e-12)
        if len(lexicon.keys)
        else np.ones(lexicon.rank)
    )
    file = io.BytesIO()
    np.savez_compressed(
        file,
        features=_packed(model.features),
        signal_weights=model.signal_weights.astype(np.float16),
        bias=model.bias.astype(np.float32),
        keys=lexicon.keys,
        vectors=np.round(vectors / scale).astype(np.int8),
        vector_scale=scale.astype(np.float32),
        lengths=lexicon.lengths.astype(np.float16),
        projection=lexicon.projection.astype(np.float32),
        thresholds=model.thresholds.astype(np.float32),
        weighing=model.weighing.astype(np.float32),
        odds=model.odds.astype(np.float32),
        pointer_features=_packed(model.pointer.features),
        pointer_weights=model.pointer.weights.astype(np.float16),
        pointer_bias=model.pointer.bias.astype(np.float32),
    )
    return file.getvalue()


def empty_model() -> Model:
    """A model that has learned nothing: every score is 0."""
    outputs = len(OUTPUTS)
    lexicon = Lexicon(
        np.zeros(0, np.uint64),
        np.zeros((0, len(LEXICAL_SLOTS), 1), np.float32),
        np.zeros(0, np.float32),
        np.zeros((1, outputs), np.float32),
    )
    nothing = np.zeros(outputs, np.float32)
    weighing = np.zeros((len(WEIGHED), outputs), np.float32)
    columns = np.zeros((0, outputs), np.float32)
    return Model((), columns, nothing, lexicon, nothing, weighing, nothing, empty_pointer())


def align_weights(features: Sequence[str], weights: Floats, names: Sequence[str]) -> Floats:
    """Weights (features × outputs) for columns in another order; columns that have none weigh 0."""
    at = {name: place for place, name in enumerate(features)}
    rows = [at.get(name, -1) for name in names]
    padded = np.vstack([weights, np.zeros((1, weights.shape[1]), np.float32)])
    return padded[rows]

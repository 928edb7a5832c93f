"""Where an activity is seen: how strongly each text of an interaction, by itself, shows it.

Labels are decided over the whole interaction (model.py); this says where to point a finger. It is learned apart, from the
training records in which a reader has marked the messages that show each activity: what the model's words say of the label in
this text alone, which signals are heard in it, who speaks and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carelog.classification import segments as seg
from carelog.classification.matching import Matches
from carelog.classification.segments import Segments
from carelog.labels import ACTIVITIES

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

POINTED = (*(f"activity.{a}" for a in ACTIVITIES), "loyalty", "churn_risk")
"""The labels that are pointed at."""
WORDS = "words"
VOICES = ("customer", "company")
_VOICE = np.array([0, 1, 1, -1, 1, 0, -1])  # by segment side: customer agent bot system note subject field
IS_TEXT = _VOICE >= 0
"""By side: whether its texts can be pointed at. The name of a queue tells what it is for, not what was done."""
TEXT_SHAPE = ("by customer", "by agent", "by bot", "note", "subject", "opening", "closing", "length")
_SHAPE_SIDES = (seg.CUSTOMER, seg.AGENT, seg.BOT, seg.NOTE, seg.SUBJECT)


@dataclass(frozen=True)
class Pointer:
    """`weights`: columns `features` (as `text_columns` names them) × POINTED; `bias` per POINTED."""

    features: tuple[str, ...]
    weights: Floats
    bias: Floats


def empty_pointer() -> Pointer:
    """A pointer that has learned nothing."""
    return Pointer((), np.zeros((0, len(POINTED)), np.float32), np.zeros(len(POINTED), np.float32))


def text_columns(signals: Sequence[str]) -> tuple[str, ...]:
    """The names of what is measured of a text, in order."""
    return (WORDS, *(f"{s}@{voice}" for s in signals for voice in VOICES), *TEXT_SHAPE)


def heard_in_texts(matches: Matches, segments: Segments, signal_of: Ints) -> tuple[Ints, Ints]:
    """Which signals are heard in which texts: segment and place in `text_columns`, each pair once, by segment."""
    voice = _VOICE[segments.sides[matches.segments]]
    use = np.flatnonzero(voice >= 0)
    column = 1 + signal_of[matches.rules[use]] * len(VOICES) + voice[use]
    width = (int(column.max()) + 1) if len(column) else 1
    key = np.unique(matches.segments[use].astype(np.int64) * width + column)
    return key // width, key % width


def shape_of_texts(segments: Segments, lengths: Floats, chosen: Ints) -> Floats:
    """The columns TEXT_SHAPE of some segments; `lengths` are those of all segments' words, squared."""
    sides = segments.sides[chosen]
    shape = [sides == side for side in _SHAPE_SIDES]
    shape += [segments.opening[chosen], segments.closing[chosen]]
    return np.stack([*shape, np.log1p(lengths[chosen]) / 8], axis=1).astype(np.float32)

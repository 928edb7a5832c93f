"""Scores to labels, on columns: fields decide first where the codebook says so, then what was said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from carelog.classification.model import ACTIVITY_OUTPUTS, MAIN_OUTPUTS, OUTPUT_AT, outputs_of
from carelog.classification.weighing import IS_CARE
from carelog.labels import (
    ORIENTATIONS,
    OUTCOMES,
    SATISFACTIONS,
    STAGES,
    TOUCHPOINTS,
)

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

CARE, SERVICE, MIXED, NONE = range(4)
_STAGE = outputs_of("stage", STAGES)

_SCALES = {"csat_5": (4, 3), "nps_10": (9, 7), "ces_7": (5, 4), "thumbs": (1, 0.5), "percent": (80, 50)}
"""Lowest score that is satisfied, lowest that is neutral, per scale (codebook, section 5)."""


def read_scores(batch: pa.RecordBatch) -> npt.NDArray[np.int8]:
    """The stated satisfaction: 0 none, 1 satisfied, 2 neutral, 3 dissatisfied."""
    stated = batch.column("satisfaction")
    scale = pc.index_in(pc.struct_field(stated, "scale"), pa.array(list(_SCALES))).fill_null(-1)
    code = scale.to_numpy(zero_copy_only=False)
    score = pc.struct_field(stated, "score").cast(pa.float64()).to_numpy(zero_copy_only=False)
    limits = np.array([*_SCALES.values(), (np.inf, np.inf)])[code]
    with np.errstate(invalid="ignore"):
        level = np.where(score >= limits[:, 0], 1, np.where(score >= limits[:, 1], 2, 3))
    known = (code >= 0) & ~np.isnan(score)
    return np.where(known, level, 0).astype(np.int8)


@dataclass(frozen=True, slots=True)
class Decided:
    """The decided labels of a batch, as arrays over rows (codes are places in the tuples of carelog.labels)."""

    orientation: Ints
    care_share: npt.NDArray[np.float64]
    activities: Bools
    main: Bools
    proactive: Bools
    stages: Bools
    stages_known: Bools
    satisfaction: Ints
    stated: Bools
    outcome: Ints
    loyalty: Bools
    churn_risk: Bools
    touchpoint: Ints
    internal: Bools


def decide(
    batch: pa.RecordBatch,
    scores: Floats,
    thresholds: Floats,
    stated: npt.NDArray[np.int8],
    company_words: Bools,
    any_words: Bools,
) -> Decided:
    """Labels from scores; `stated` as `read_scores` gives it, `company_words` where stages can be judged."""
    activity = scores[:, ACTIVITY_OUTPUTS] - thresholds[ACTIVITY_OUTPUTS]
    orientation = np.argmax(scores[:, outputs_of("orientation", ORIENTATIONS)], axis=1)
    orientation, activities = _agree(orientation, activity)
    main, share = weigh_main(
        orientation, activities, scores[:, MAIN_OUTPUTS] + 0.25 * scores[:, ACTIVITY_OUTPUTS]
    )
    words = any_words
    satisfaction = np.argmax(scores[:, outputs_of("satisfaction", SATISFACTIONS)], axis=1)
    satisfaction = np.where(words, satisfaction, SATISFACTIONS.index("unknown"))
    outcome = np.argmax(scores[:, outputs_of("outcome", OUTCOMES)], axis=1)
    touch = np.argmax(scores[:, outputs_of("touchpoint", (*TOUCHPOINTS, "none"))], axis=1)
    return Decided(
        orientation=orientation,
        care_share=share,
        activities=activities,
        main=main,
        proactive=_initiative(batch, scores, thresholds),
        stages=(scores[:, _STAGE] > thresholds[_STAGE]) & company_words[:, None],
        stages_known=company_words,
        satisfaction=np.where(stated > 0, stated.astype(np.int64) - 1, satisfaction),
        stated=stated > 0,
        outcome=np.where(words, outcome, OUTCOMES.index("unknown")),
        loyalty=_above(scores, thresholds, "loyalty") & words,
        churn_risk=_above(scores, thresholds, "churn_risk") & words,
        touchpoint=np.where(orientation == NONE, len(TOUCHPOINTS), touch),
        internal=_internal(batch, scores, thresholds),
    )


def _above(scores: Floats, thresholds: Floats, output: str) -> Bools:
    at = OUTPUT_AT[output]
    above: Bools = scores[:, at] > thresholds[at]
    return above


def _agree(orientation: Ints, activity: Floats) -> tuple[Ints, Bools]:
    """Orientation and activities that do not contradict each other: none has no activity, care has one of care, and so on."""
    chosen = activity > 0
    chosen[orientation == NONE] = False
    for side, wanted in ((IS_CARE, (CARE, MIXED)), (~IS_CARE, (SERVICE, MIXED))):
        lacks = np.isin(orientation, wanted) & ~chosen[:, side].any(axis=1)
        places = np.flatnonzero(side)
        best = places[np.argmax(activity[:, places], axis=1)]
        chosen[np.flatnonzero(lacks), best[lacks]] = True
    return orientation, chosen


def weigh_main(
    orientation: Ints, activities: Bools, strength: Floats
) -> tuple[Bools, npt.NDArray[np.float64]]:
    """Which activities are main (weight 2; the others 1), and the care share that follows (NaN for none).

    The strongest activity is main; then the fewest changes are made that let the share agree with the orientation.
    """
    strength = np.where(activities, strength, -np.inf)
    rows = np.arange(len(activities))
    best_care = np.argmax(np.where(IS_CARE, strength, -np.inf), axis=1)
    best_service = np.argmax(np.where(IS_CARE, -np.inf, strength), axis=1)
    main = activities & (strength > 0)
    some = activities.any(axis=1)
    top = np.argmax(strength, axis=1)
    main[rows[some], top[some]] = True
    for _ in range(2):
        share = _share(activities, main)
        care_low = (orientation == CARE) & (share < 2 / 3 - 1e-9)
        service_high = (orientation == SERVICE) & (share > 1 / 3 + 1e-9)
        main[care_low] &= IS_CARE
        main[rows[care_low], best_care[care_low]] = True
        main[service_high] &= ~IS_CARE
        main[rows[service_high], best_service[service_high]] = True
        uneven = (orientation == MIXED) & ((share >= 2 / 3 - 1e-9) | (share <= 1 / 3 + 1e-9))
        main[rows[uneven], best_care[uneven]] = True
        main[rows[uneven], best_service[uneven]] = True
    share = _share(activities, main)
    for code, side in ((CARE, IS_CARE), (SERVICE, ~IS_CARE)):
        off = (orientation == code) & ((share < 2 / 3 - 1e-9) if code == CARE else (share > 1 / 3 + 1e-9))
        main[off] |= activities[off] & side
    share = _share(activities, main)
    share[orientation == NONE] = np.nan
    return main & activities, share


def _share(activities: Bools, main: Bools) -> npt.NDArray[np.float64]:
    weights = activities.astype(np.int64) + (activities & main)
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, weights[:, IS_CARE].sum(axis=1) / total, np.nan)


def _initiative(batch: pa.RecordBatch, scores: Floats, thresholds: Floats) -> Bools:
    """True where the company began: the record's own word, else its direction unless a call back was asked for, else the talk."""
    stated = batch.column("initiative")
    direction = batch.column("direction")
    at = OUTPUT_AT["initiative.proactive"]
    heard = scores[:, at] > thresholds[at]
    inbound = _equals(direction, "inbound")
    result = np.where(inbound, False, heard)
    result = np.where(_equals(stated, "proactive"), True, result)
    return np.where(_equals(stated, "reactive"), False, result).astype(bool)


def _internal(batch: pa.RecordBatch, scores: Floats, thresholds: Floats) -> Bools:
    kind = batch.column("customer_kind")
    heard = _above(scores, thresholds, "customer_kind.internal") | _equals(
        batch.column("direction"), "internal"
    )
    result = np.where(_equals(kind, "internal"), True, heard)
    return np.where(_equals(kind, "external"), False, result).astype(bool)


def _equals(column: pa.Array, value: str) -> Bools:
    result: Bools = pc.equal(column, value).fill_null(False).to_numpy(zero_copy_only=False)
    return result

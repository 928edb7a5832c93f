"""What the interaction is mainly about: the codebook's 2-and-1 weights over activities that are only more or less likely.

The first scores say how likely each activity is, and how likely it is a main one. By the codebook (section 1) a main activity
weighs 2, every other one 1, and the orientation follows from the share of care. With p for "is there" and q for "is main",
an activity's expected weight is p·(1 + q); sums, shares and the strongest of each side are what the second step learns from.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from carelog.labels import ACTIVITIES, CARE_ACTIVITIES, ORIENTATIONS, OUTCOMES, SATISFACTIONS

Floats = npt.NDArray[np.floating]

WEIGHED_LABELS: Mapping[str, tuple[str, ...]] = {
    "orientation": ORIENTATIONS,
    "satisfaction": SATISFACTIONS,
    "outcome": OUTCOMES,
}
"""The labels that weighing decides with, and their values."""

SUMS = (
    "care", "service", "share of care", "share of care, squared", "strongest care", "strongest service",
    "weaker of the strongest", "lesser side", "evenly shared", "strongest care above service", "strongest apart",
)  # fmt: skip
WEIGHED = (*(f"{a} is there" for a in ACTIVITIES), *(f"weight of {a}" for a in ACTIVITIES), *SUMS)
"""The names of the columns that `weigh` gives."""

IS_CARE = np.array([a in CARE_ACTIVITIES for a in ACTIVITIES])
"""By activity: whether it is care."""
_FLOOR = 0.05
"""Added below the share's line, so that no work at all has a share too."""


def weigh(there: Floats, main: Floats) -> Floats:
    """The columns WEIGHED, from log-odds that each activity is there and that it is main (each rows × ACTIVITIES)."""
    likely = _logistic(there)
    weight = likely * (1 + _logistic(main))
    of_care, of_service = weight[:, IS_CARE], weight[:, ~IS_CARE]
    care, service = of_care.sum(axis=1), of_service.sum(axis=1)
    share = care / (care + service + _FLOOR)
    best_care, best_service = of_care.max(axis=1), of_service.max(axis=1)
    sums = (
        care,
        service,
        share,
        share**2,
        best_care,
        best_service,
        np.minimum(best_care, best_service),
        np.minimum(care, service),
        np.abs(share - 0.5) < 1 / 6,
        best_care - best_service,
        np.abs(best_care - best_service),
    )
    return np.hstack([likely, weight, np.stack(sums, axis=1).astype(there.dtype)])


def _logistic(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))

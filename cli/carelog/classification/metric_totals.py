"""The report's metrics that follow from labels alone, as sums that add up over batches.

Names and formulas are those of the report (a test holds them to it). What needs customers, times or orders
beside the labels is not among them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from carelog.classification.sheets import CHOICES, Sheet, read_labels
from carelog.columns import row_positions
from carelog.labels import ACTIVITIES, ASPECTS, ORIENTATIONS, OUTCOMES, STAGES, TOUCHPOINTS

Mask = npt.NDArray[np.bool_]
Total = tuple[str, float, float]
"""A metric's name, numerator and denominator."""
STAGE_SCORE = "stage_score"
"""The one metric here that is no share: a mean number of stages, 0 to 5."""


def total_metrics(batch: pa.RecordBatch) -> list[Total]:
    """Each metric's numerator and denominator over a batch of labelled interactions, in the report's order."""
    sheet = read_labels(batch)
    judged = _numbers(batch, "assessable") > 0
    return [
        _care_share(batch, judged),
        *(_rate(f"orientation_rate.{o}", judged, _is(sheet, "orientation", o)) for o in ORIENTATIONS),
        *(_rate(f"activity_rate.{a}", judged, sheet.codes[f"activity.{a}"] == 1) for a in ACTIVITIES),
        _rate("proactive_rate", sheet.codes["initiative"] >= 0, _is(sheet, "initiative", "proactive")),
        *(_flag_rate(f"stage_rate.{s}", sheet, f"stage.{s}") for s in STAGES),
        _stage_score(batch),
        *_satisfied_rates(batch, sheet),
        *_complaint_outcomes(sheet, judged),
        *_aspect_balances(batch, judged),
        *_journey(sheet),
        _flag_rate("churn_risk_rate", sheet, "churn_risk", judged),
        _flag_rate("loyalty_rate", sheet, "loyalty", judged),
        _style_ratio(batch),
    ]


def _numbers(batch: pa.RecordBatch, name: str) -> npt.NDArray[np.float64]:
    """A column of numbers or flags; NaN where it is null."""
    column = batch.column(name)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    numbers: npt.NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers


def _rate(name: str, population: Mask, success: Mask) -> Total:
    return name, float((population & success).sum()), float(population.sum())


def _is(sheet: Sheet, label: str, value: str) -> Mask:
    mask: Mask = sheet.codes[label] == CHOICES[label].index(value)
    return mask


def _flag_rate(name: str, sheet: Sheet, label: str, among: Mask | None = None) -> Total:
    codes = sheet.codes[label]
    return _rate(name, (codes >= 0) & (True if among is None else among), codes == 1)


def _care_share(batch: pa.RecordBatch, judged: Mask) -> Total:
    """Main activities weigh 2, others 1: with k activities the whole is the smallest of k + 1 … 2k that makes
    the care weight a whole number, else k + 1.
    """
    share = _numbers(batch, "care_share")
    lengths = pc.list_value_length(batch.column("activities")).fill_null(0)
    count = np.maximum(lengths.to_numpy(zero_copy_only=False), 1)
    whole = count + 1
    for more in range(6, 0, -1):
        weight = share * (count + more)
        whole = np.where((more <= count) & (np.abs(weight - np.round(weight)) < 1e-6), count + more, whole)
    known = judged & ~np.isnan(share)
    return "care_share", float((share * whole)[known].sum()), float(whole[known].sum())


def _stage_score(batch: pa.RecordBatch) -> Total:
    score = _numbers(batch, "stage_score")
    return STAGE_SCORE, float(np.nansum(score)), float((~np.isnan(score)).sum())


def _satisfied_rates(batch: pa.RecordBatch, sheet: Sheet) -> Iterator[Total]:
    known = (sheet.codes["satisfaction"] >= 0) & ~_is(sheet, "satisfaction", "unknown")
    for source in ("stated", "inferred"):
        of_source = _numbers_of(pc.equal(batch.column("satisfaction_source"), source))
        yield _rate(f"satisfied_rate.{source}", known & of_source, _is(sheet, "satisfaction", "satisfied"))


def _numbers_of(mask: pa.BooleanArray) -> Mask:
    values: Mask = mask.fill_null(False).to_numpy(zero_copy_only=False)
    return values


def _complaint_outcomes(sheet: Sheet, judged: Mask) -> Iterator[Total]:
    complaints = judged & (sheet.codes["activity.complaint"] == 1)
    for outcome in OUTCOMES:
        has = _is(sheet, "outcome", outcome)
        if outcome == "unknown":
            has |= sheet.codes["outcome"] < 0
        yield _rate(f"complaint_outcome.{outcome}", complaints, has)


def _aspect_balances(batch: pa.RecordBatch, judged: Mask) -> Iterator[Total]:
    aspects = batch.column("aspects")
    flat = aspects.flatten()
    counted = judged[row_positions(aspects)]
    named, polarity = pc.struct_field(flat, "aspect"), pc.struct_field(flat, "polarity")
    good, bad = (_numbers_of(pc.equal(polarity, p)) for p in ("positive", "negative"))
    for aspect in ASPECTS:
        mentions = counted & _numbers_of(pc.equal(named, aspect))
        balance = float((mentions & good).sum()) - float((mentions & bad).sum())
        yield f"aspect_balance.{aspect}", balance, float(mentions.sum())


def _journey(sheet: Sheet) -> Iterator[Total]:
    known = (sheet.codes["touchpoint"] >= 0) & ~_is(sheet, "touchpoint", "none")
    for touchpoint in TOUCHPOINTS:
        yield _rate(f"journey.{touchpoint}", known, _is(sheet, "touchpoint", touchpoint))


def _style_ratio(batch: pa.RecordBatch) -> Total:
    supportive = float(np.nansum(_numbers(batch, "management_supportive")))
    hierarchical = float(np.nansum(_numbers(batch, "management_hierarchical")))
    return "style_ratio", supportive, supportive + hierarchical

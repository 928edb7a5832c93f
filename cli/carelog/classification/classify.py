"""A batch of records in, a labelled batch out: pure, the same in every process and on every machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from carelog.classification import segments as seg
from carelog.classification.classifier import Classifier, Measured, measure_batch, score_batch
from carelog.classification.evidence import (
    FIELD_NAMES,
    MODEL_RULE,
    Entries,
    Reasons,
    direct_entries,
    field_entries,
    to_evidence_column,
    vote_entries,
)
from carelog.classification.labelling import Decided, decide, read_scores
from carelog.classification.languages import detect_languages
from carelog.classification.model import OUTPUT_AT
from carelog.classification.places import point
from carelog.classification.pointing import POINTED
from carelog.classification.rulebook import MAPPED_FIELDS
from carelog.columns import join_batches, labelled_schema, row_positions
from carelog.labels import (
    ACTIVITIES,
    ASPECTS,
    ORIENTATIONS,
    OUTCOMES,
    POLARITIES,
    SATISFACTIONS,
    STAGES,
    TOUCHPOINTS,
)

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

LABEL_NAMES = (
    *(f"orientation.{o}" for o in ORIENTATIONS),
    *(f"activity.{a}" for a in ACTIVITIES),
    "initiative.proactive",
    "initiative.reactive",
    *(f"stage.{s}" for s in STAGES),
    *(f"satisfaction.{s}" for s in SATISFACTIONS[:3]),
    "management.supportive",
    "management.hierarchical",
    *(f"aspect.{a}.{p}" for a in ASPECTS for p in POLARITIES),
    *(f"touchpoint.{t}" for t in TOUCHPOINTS),
    *(f"outcome.{o}" for o in OUTCOMES[:4]),
    "loyalty",
    "churn_risk",
    "customer_kind.internal",
)
"""Every claim that evidence can stand for, in the order of the columns."""


_COMPANYS_OWN = ("inform", "opportunity", "follow_up", "onboard", "retain", "goodwill", "appreciate")
"""Activities that only the company can do."""


def _sides_of_label() -> npt.NDArray[np.bool_]:
    """Labels × SIDES: whose words can be a reason for the label (a note tells of both sides)."""
    sides = np.ones((len(LABEL_NAMES), len(seg.SIDES)), bool)
    for at, name in enumerate(LABEL_NAMES):
        if name.startswith(("stage.", "management.")):
            sides[at, [seg.CUSTOMER, seg.SUBJECT, seg.FIELD, seg.SYSTEM]] = False
        if name.startswith(("satisfaction.", "aspect.")) or name in (
            "loyalty",
            "churn_risk",
            "activity.complaint",
        ):
            sides[at, [seg.AGENT, seg.BOT, seg.SYSTEM]] = False
        # The customer's thanks for a gesture is not the gesture.
        if name.removeprefix("activity.") in _COMPANYS_OWN:
            sides[at, seg.CUSTOMER] = False
        # The name of a queue or campaign was given before anybody knew how it would end.
        if name.startswith(("satisfaction.", "outcome.")):
            sides[at, seg.FIELD] = False
    return sides


SIDES_OF_LABEL = _sides_of_label()
OPENING_LABELS = np.array([name == "stage.greeting" for name in LABEL_NAMES])
"""Which labels only the first messages can be a reason for."""
CLOSING_LABELS = np.array(
    [name == "stage.gratitude" or name.startswith(("outcome.", "satisfaction.")) for name in LABEL_NAMES]
)
"""Which labels only the last messages can be a reason for."""
LABEL_AT = {name: place for place, name in enumerate(LABEL_NAMES)}
_POINTED_AT = np.array([POINTED.index(name) if name in POINTED else -1 for name in LABEL_NAMES])
_LABEL_OF_POINTED = np.array([LABEL_AT[name] for name in POINTED])
STRUCTURE_RULES = {
    "satisfaction": "structure.satisfaction.stated",
    "initiative": "structure.initiative.stated",
    "direction": "structure.initiative.direction",
    "status": "structure.status",
    "order": "structure.order.kind",
    "customer_kind": "structure.customer_kind",
    "mapped": "structure.mapped_value",
}


@dataclass(frozen=True, slots=True)
class Classified:
    """A labelled batch, and what it was decided from (for `explain` and `evaluate`)."""

    batch: pa.RecordBatch
    decided: Decided
    measured: Measured
    scores: Floats


SLICE_ROWS = 2048
"""So many interactions are labelled at a time: what is measured of them stays in the processor's cache and memory low."""


def classify_batch(batch: pa.RecordBatch, classifier: Classifier, with_text: bool = False) -> pa.RecordBatch:
    """Records in the RECORD layout, labelled: the layout `labelled_schema(with_text)`, row for row."""
    slices = (batch.slice(start, SLICE_ROWS) for start in range(0, batch.num_rows, SLICE_ROWS))
    labelled = [classify(part, classifier, with_text).batch for part in slices]
    return join_batches(labelled, labelled_schema(with_text))


def classify(batch: pa.RecordBatch, classifier: Classifier, with_text: bool = False) -> Classified:
    """The same as `classify_batch`, with what the labels were decided from."""
    stated = read_scores(batch)
    measured = measure_batch(batch, classifier, stated)
    mapped = _mapped_rows(batch, classifier, measured)
    scores = score_batch(measured, classifier, _rows_by_label(mapped))
    thresholds = classifier.model.thresholds
    decided = decide(batch, scores, thresholds, stated, measured.talk.company_words, measured.talk.any_words)
    counts = _claims(measured, classifier, batch.num_rows)
    columns = _label_columns(batch, decided, counts, measured, classifier)
    columns["evidence"] = _evidence(batch, decided, counts, measured, classifier, mapped)
    schema = labelled_schema(with_text)
    arrays = [columns[f.name] if f.name in columns else batch.column(f.name) for f in schema]
    return Classified(pa.RecordBatch.from_arrays(arrays, schema=schema), decided, measured, scores)


Mapped = dict[tuple[str, str], list[int]]
"""(label, field) → the rows whose field a rulebook's map says to stand for the label."""


def _mapped_rows(batch: pa.RecordBatch, classifier: Classifier, measured: Measured) -> Mapped:
    """Which rows the maps speak for: category, tags, queue, campaign; and the kind of order where nobody said a word."""
    found: dict[tuple[str, str], set[int]] = {}
    for name in MAPPED_FIELDS:
        values = classifier.rulebook.maps.get(name)
        if not values:
            continue
        column = batch.column(name)
        rows = row_positions(column) if name == "tags" else np.arange(batch.num_rows)
        cells = pc.utf8_lower(pc.utf8_trim_whitespace(column.flatten() if name == "tags" else column))
        code = pc.index_in(cells, pa.array(list(values))).fill_null(-1).to_numpy(zero_copy_only=False)
        labels = list(values.values())
        for place in np.flatnonzero(code >= 0).tolist():
            found.setdefault((labels[code[place]], name), set()).add(int(rows[place]))
    silent = np.flatnonzero(~measured.talk.any_words)
    kinds = pc.struct_field(batch.column("order"), "kind").take(pa.array(silent)).to_pylist()
    for row, kind in zip(silent.tolist(), kinds, strict=True):
        label = classifier.rulebook.maps.get("order", {}).get(kind or "")
        if label is not None:
            found.setdefault((label, "order"), set()).add(row)
    return {key: sorted(rows) for key, rows in sorted(found.items())}


def _rows_by_label(mapped: Mapped) -> dict[str, list[int]]:
    rows: dict[str, set[int]] = {}
    for (label, _), own in mapped.items():
        rows.setdefault(label, set()).update(own)
    return {label: sorted(own) for label, own in rows.items()}


@dataclass(frozen=True, slots=True)
class _Claims:
    """What rules alone decide: rows × LABEL_NAMES, in how many messages a rule of the label matched."""

    counts: Ints
    label_of_rule: Ints
    weight: Floats


def _claims(measured: Measured, classifier: Classifier, rows: int) -> _Claims:
    label_of_rule = np.array([LABEL_AT.get(r.label, -1) for r in classifier.rules], np.int64)
    weight = np.array([r.weight for r in classifier.rules], np.float32)
    labels = label_of_rule[measured.matches.rules]
    use = (labels >= 0) & (weight[measured.matches.rules] > 0)
    key = np.unique(measured.matches.segments[use] * len(LABEL_NAMES) + labels[use])
    row = measured.segments.rows[key // len(LABEL_NAMES)]
    flat = np.bincount(row * len(LABEL_NAMES) + key % len(LABEL_NAMES), minlength=rows * len(LABEL_NAMES))
    return _Claims(flat.reshape(rows, len(LABEL_NAMES)), label_of_rule, weight)


def _aspect_cells(claims: _Claims) -> Bools:
    """Rows × aspects × polarities: the polarity that most messages show (neutral where they tie)."""
    first = LABEL_AT[f"aspect.{ASPECTS[0]}.{POLARITIES[0]}"]
    counts = claims.counts[:, first : first + len(ASPECTS) * 3].reshape(-1, len(ASPECTS), 3)
    positive, negative, neutral = counts[..., 0], counts[..., 1], counts[..., 2]
    cells = np.zeros(counts.shape, bool)
    cells[..., 0] = positive > negative
    cells[..., 1] = negative > positive
    cells[..., 2] = (positive == negative) & (positive + neutral > 0)
    return cells


def _texts(codes: Ints, values: tuple[str, ...]) -> pa.Array:
    """Codes as texts; a code beyond the values is null."""
    mask = codes >= len(values)
    indices = pa.array(np.where(mask, 0, codes).astype(np.int32), mask=mask)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(values))).cast(pa.string())


def _lists(cells: Bools, values: tuple[str, ...]) -> pa.ListArray:
    """Rows × values of yes and no as a list column of the values, sorted."""
    order = np.argsort(np.array(values))
    row, place = np.nonzero(cells[:, order])
    names = pa.array([values[i] for i in order]).take(pa.array(place))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(cells)))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), names)


def _label_columns(
    batch: pa.RecordBatch, decided: Decided, claims: _Claims, measured: Measured, classifier: Classifier
) -> dict[str, pa.Array]:
    n = batch.num_rows
    unknown = ~decided.stages_known
    stages = {f"stage_{s}": pa.array(decided.stages[:, i], mask=unknown) for i, s in enumerate(STAGES)}
    sources = np.where(
        decided.stated, 0, np.where(decided.satisfaction == SATISFACTIONS.index("unknown"), 2, 1)
    )
    structured = batch.column("order").is_valid().to_numpy(zero_copy_only=False) | decided.stated
    assessable = measured.talk.any_words | structured
    reason = np.full(n, len(_REASONS))
    reason[~assessable] = 0
    book = classifier.rulebook
    return {
        "orientation": _texts(decided.orientation, ORIENTATIONS),
        "care_share": pa.array(
            np.round(np.nan_to_num(decided.care_share), 6), mask=np.isnan(decided.care_share)
        ),
        "activities": _lists(decided.activities, ACTIVITIES),
        "initiative": _texts(np.where(decided.proactive, 0, 1), ("proactive", "reactive")),
        **stages,
        "stage_score": pa.array(decided.stages.sum(axis=1).astype(np.int8), mask=unknown),
        "satisfaction_label": _texts(decided.satisfaction, SATISFACTIONS),
        "satisfaction_source": _texts(sources, ("stated", "inferred", "none")),
        "management_supportive": pa.array(
            claims.counts[:, LABEL_AT["management.supportive"]].astype(np.int32)
        ),
        "management_hierarchical": pa.array(
            claims.counts[:, LABEL_AT["management.hierarchical"]].astype(np.int32)
        ),
        "aspects": _aspects(_aspect_cells(claims)),
        "touchpoint": _texts(decided.touchpoint, TOUCHPOINTS),
        "outcome": _texts(decided.outcome, OUTCOMES),
        "loyalty": pa.array(decided.loyalty),
        "churn_risk": pa.array(decided.churn_risk),
        "customer_kind": _texts(decided.internal.astype(np.int64), ("external", "internal")),
        "language": detect_languages(batch.column("language"), measured),
        "assessable": pa.array(assessable),
        "not_assessable_reason": _texts(reason, _REASONS),
        "rulebook": pa.StructArray.from_arrays(
            [pa.array([v] * n, pa.string()) for v in (book.name, book.version, book.hash)],
            ["name", "version", "hash"],
        ),
    }


_REASONS = ("no words and no order or score in the record",)


def _aspects(cells: Bools) -> pa.ListArray:
    order = np.argsort(np.array(ASPECTS))
    row, aspect, polarity = np.nonzero(cells[:, order, :])
    names = pa.array([ASPECTS[i] for i in order]).take(pa.array(aspect))
    struct = pa.StructArray.from_arrays(
        [names, pa.array(list(POLARITIES)).take(pa.array(polarity))], ["aspect", "polarity"]
    )
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(cells)))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), struct)


def _given(decided: Decided, claims: _Claims) -> Bools:
    """Rows × LABEL_NAMES: which claims each row's labels make."""
    n = len(decided.orientation)
    given = np.zeros((n, len(LABEL_NAMES)), bool)
    rows = np.arange(n)

    def one_of(prefix: str, values: tuple[str, ...], codes: Ints) -> None:
        has = codes < len(values)
        given[rows[has], LABEL_AT[f"{prefix}.{values[0]}"] + codes[has]] = True

    def several(prefix: str, values: tuple[str, ...], cells: Bools) -> None:
        first = LABEL_AT[f"{prefix}.{values[0]}"]
        given[:, first : first + len(values)] = cells

    one_of("orientation", ORIENTATIONS, decided.orientation)
    several("activity", ACTIVITIES, decided.activities)
    several("stage", STAGES, decided.stages & decided.stages_known[:, None])
    one_of("satisfaction", SATISFACTIONS[:3], decided.satisfaction)
    one_of("touchpoint", TOUCHPOINTS, decided.touchpoint)
    one_of("outcome", OUTCOMES[:4], decided.outcome)
    given[
        rows, np.where(decided.proactive, LABEL_AT["initiative.proactive"], LABEL_AT["initiative.reactive"])
    ] = True
    for name in ("management.supportive", "management.hierarchical"):
        given[:, LABEL_AT[name]] = claims.counts[:, LABEL_AT[name]] > 0
    first = LABEL_AT[f"aspect.{ASPECTS[0]}.{POLARITIES[0]}"]
    given[:, first : first + len(ASPECTS) * 3] = _aspect_cells(claims).reshape(n, -1)
    given[:, LABEL_AT["loyalty"]] = decided.loyalty
    given[:, LABEL_AT["churn_risk"]] = decided.churn_risk
    given[:, LABEL_AT["customer_kind.internal"]] = decided.internal
    return given


def _evidence(
    batch: pa.RecordBatch,
    decided: Decided,
    claims: _Claims,
    measured: Measured,
    classifier: Classifier,
    mapped: Mapped,
) -> pa.ListArray:
    given = _given(decided, claims)
    rules = [r.id for r in classifier.rules] + [MODEL_RULE, *STRUCTURE_RULES.values()]
    parts, settled = _field_evidence(batch, decided, given, len(classifier.rules), mapped)
    places = point(measured, classifier, given[:, _LABEL_OF_POINTED])
    reasons = Reasons(claims.label_of_rule, claims.weight, _POINTED_AT, places)
    direct, found = direct_entries(measured, classifier, given & ~settled, reasons)
    outputs = np.array([OUTPUT_AT.get(name, -1) for name in LABEL_NAMES])
    lacking = given & ~settled & ~found & (outputs >= 0)
    # An orientation rests on its activities, whose evidence stands beside it.
    for name in ("orientation.care", "orientation.service", "orientation.mixed"):
        lacking[:, LABEL_AT[name]] = False
    voted = vote_entries(
        measured, classifier, lacking, outputs, reasons, SIDES_OF_LABEL, OPENING_LABELS, CLOSING_LABELS
    )
    return to_evidence_column([*parts, direct, voted], batch.num_rows, LABEL_NAMES, rules, FIELD_NAMES)


def _field_evidence(
    batch: pa.RecordBatch, decided: Decided, given: Bools, n_rules: int, mapped: Mapped
) -> tuple[list[Entries], Bools]:
    """What fields of the record decided, as evidence; and which (row, label) need no other."""
    parts: list[Entries] = []
    settled = np.zeros(given.shape, bool)
    rule_at = {name: n_rules + 1 + place for place, name in enumerate(STRUCTURE_RULES)}

    def add(rows: Ints, label: str, rule: str, field: str) -> None:
        if len(rows):
            parts.append(field_entries(rows, LABEL_AT[label], rule_at[rule], FIELD_NAMES.index(field)))
            settled[rows, LABEL_AT[label]] = True

    for place, level in enumerate(SATISFACTIONS[:3]):
        add(
            np.flatnonzero(decided.stated & (decided.satisfaction == place)),
            f"satisfaction.{level}",
            "satisfaction",
            "satisfaction",
        )
    said = batch.column("initiative").is_valid().to_numpy(zero_copy_only=False)
    direction = pc.is_in(batch.column("direction"), pa.array(["inbound", "outbound"])).to_numpy(
        zero_copy_only=False
    )
    outbound = pc.equal(batch.column("direction"), "outbound").fill_null(False).to_numpy(zero_copy_only=False)
    for flag, label in (
        (decided.proactive, "initiative.proactive"),
        (~decided.proactive, "initiative.reactive"),
    ):
        add(np.flatnonzero(said & flag), label, "initiative", "initiative")
        add(
            np.flatnonzero(~said & direction & flag & (outbound == (label == "initiative.proactive"))),
            label,
            "direction",
            "direction",
        )
    internal = (
        pc.equal(batch.column("customer_kind"), "internal").fill_null(False).to_numpy(zero_copy_only=False)
    )
    add(np.flatnonzero(internal), "customer_kind.internal", "customer_kind", "customer_kind")
    for (label, field), rows in mapped.items():
        if label in LABEL_AT:
            at = np.array(rows, np.int64)
            at = at[given[at, LABEL_AT[label]]]
            add(at, label, "order" if field == "order" else "mapped", field)
    return parts, settled

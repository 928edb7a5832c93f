"""Why one interaction has its labels: what each score is made of, where the evidence stands, and what rules
just missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from carelog.classification import segments as seg
from carelog.classification.classifier import MAP_WEIGHT, Classifier, Measured, first_scores, spread
from carelog.classification.classify import LABEL_NAMES, Classified, classify
from carelog.classification.lexicon import LEXICAL_SLOTS
from carelog.classification.model import OUTPUT_AT
from carelog.classification.near_misses import Searched, find_nearest
from carelog.classification.rulebook import MAPPED_FIELDS
from carelog.classification.weighing import WEIGHED
from carelog.columns import LABELS, to_values
from carelog.labels import ORIENTATIONS, OUTCOMES, SATISFACTIONS, STAGES, TOUCHPOINTS

_LEAST_REST = 0.01
_BESIDE_OTHERS = ("activity.", "stage.", "loyalty", "churn")
CHOICE_OUTPUTS = {
    "orientation": tuple(f"orientation.{v}" for v in ORIENTATIONS),
    "satisfaction": tuple(f"satisfaction.{v}" for v in SATISFACTIONS),
    "outcome": tuple(f"outcome.{v}" for v in OUTCOMES),
    "touchpoint": tuple(f"touchpoint.{v}" for v in (*TOUCHPOINTS, "none")),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One term of a score: what it is and the log-odds that it adds. `kind`: start, signal, word, shape,
    weighed, rule, map, rest.
    """

    kind: str
    name: str
    value: float


def explain_interaction(
    record: pa.RecordBatch,
    classifier: Classifier,
    most: int = 8,
    labels: Sequence[str] = LABEL_NAMES,
    near: int | None = None,
) -> dict[str, Any]:
    """The explanation of one record (a batch of one row) as a JSON value.

    `texts` are its words as they were matched; `explained` holds, for each of `labels`, whether it
    was given, its score and what it had to beat, the `most` heaviest parts of the score, the evidence, and
    for one that was not given the nearest rule with the conditions that failed: of all, or only of the
    `near` that missed by least (looking for them is what costs time).
    """
    classified = classify(record, classifier, with_text=True)
    value = to_values(classified.batch)[0]
    texts = _texts(classified.measured)
    shown = {k: v for k, v in value.items() if k in LABELS.names and k not in ("evidence", "rulebook")}
    claims = {entry["label"] for entry in value["evidence"]} | _given_labels(value)
    explained = {
        label: _explain_label(label, label in claims, classified, classifier, value, record, most)
        for label in labels
    }
    searched = Searched(classified.measured, classifier, record, value["language"])
    missed = [name for name, one in explained.items() if not one["given"]]
    for label in missed if near is None else closest_misses(explained, near):
        explained[label]["nearest"] = find_nearest(label, searched)
    return {
        "interaction_id": value["interaction_id"],
        "channel": value["channel"],
        "started_at": value["started_at"],
        "rulebook": value["rulebook"],
        "labels": shown,
        "texts": texts,
        "explained": explained,
    }


def closest_misses(explained: Mapping[str, Mapping[str, Any]], most: int) -> list[str]:
    """The names of the labels that were not given but can be beside any other, the `most` nearest first."""
    missed = [
        name
        for name, one in explained.items()
        if not one["given"] and "score" in one and name.startswith(_BESIDE_OTHERS)
    ]
    return sorted(missed, key=lambda name: -explained[name]["margin"])[:most]


def _texts(measured: Measured) -> list[dict[str, Any]]:
    """What was matched: field, message (None outside messages), who speaks, and the words."""
    segments = measured.segments
    return [
        {
            "field": seg.FIELDS[segments.fields[at]],
            "message": int(segments.messages[at]) if segments.messages[at] >= 0 else None,
            "side": seg.SIDES[segments.sides[at]],
            "text": segments.texts[at].as_py(),
        }
        for at in range(len(segments))
    ]


def _given_labels(value: Mapping[str, Any]) -> set[str]:
    """The claims that the labels of an interaction make."""
    given = {f"activity.{a}" for a in value["activities"]}
    given |= {f"stage.{s}" for s in STAGES if value[f"stage_{s}"]}
    given |= {f"aspect.{a['aspect']}.{a['polarity']}" for a in value["aspects"]}
    given |= {name for name in ("loyalty", "churn_risk") if value[name]}
    given |= {f"management.{s}" for s in ("supportive", "hierarchical") if value[f"management_{s}"]}
    given |= {
        f"{name}.{value[column]}"
        for name, column in (
            ("orientation", "orientation"),
            ("initiative", "initiative"),
            ("satisfaction", "satisfaction_label"),
            ("touchpoint", "touchpoint"),
            ("outcome", "outcome"),
        )
    }
    return given | ({"customer_kind.internal"} if value["customer_kind"] == "internal" else set())


def _explain_label(
    label: str,
    given: bool,
    classified: Classified,
    classifier: Classifier,
    value: Mapping[str, Any],
    record: pa.RecordBatch,
    most: int,
) -> dict[str, Any]:
    evidence = [e for e in value["evidence"] if e["label"] == label]
    explained: dict[str, Any] = {"given": given, "evidence": evidence}
    if label in OUTPUT_AT:
        parts = score_parts(label, classified, classifier, record)
        explained |= _verdict(label, classified, classifier)
        explained["parts"] = [
            {"kind": p.kind, "name": p.name, "value": round(p.value, 4)} for p in parts[:most]
        ]
        explained["parts_left_out"] = {
            "count": len(parts[most:]),
            "value": round(sum(p.value for p in parts[most:]), 4),
        }
    return explained


def _verdict(label: str, classified: Classified, classifier: Classifier) -> dict[str, Any]:
    """The score, and what it had to beat: the threshold of its own, or the best of the other values."""
    scores = classified.scores[0]
    score = float(scores[OUTPUT_AT[label]])
    family = label.partition(".")[0]
    if family in CHOICE_OUTPUTS:
        others = [o for o in CHOICE_OUTPUTS[family] if o != label]
        rival = max(others, key=lambda o: float(scores[OUTPUT_AT[o]]))
        bar = float(scores[OUTPUT_AT[rival]])
    else:
        rival, bar = None, float(classifier.model.thresholds[OUTPUT_AT[label]])
    return {
        "score": round(score, 4),
        "to_beat": round(bar, 4),
        "rival": rival,
        "margin": round(score - bar, 4),
    }


def score_parts(
    label: str, classified: Classified, classifier: Classifier, record: pa.RecordBatch
) -> list[Part]:
    """What the score of an output is the sum of, the heaviest first; `rest` is what none of the others
    accounts for.
    """
    output = OUTPUT_AT[label]
    measured = classified.measured
    parts = [
        Part("start", "before anything is known", float(classifier.model.bias[output])),
        *_column_parts(measured, classifier, output),
        *_word_parts(measured, output),
        *_weighed_parts(measured, classifier, output),
        *_own_parts(measured, classifier, output),
        *_map_parts(record, classifier, output),
        Part("offset", f"[offset] of {label}", classifier.rulebook.offsets.get(label, 0.0)),
    ]
    rest = float(classified.scores[0, output]) - sum(part.value for part in parts)
    if abs(rest) > _LEAST_REST:
        parts.append(Part("rest", "everything else", rest))
    return sorted((p for p in parts if round(p.value, 4)), key=lambda p: (-abs(p.value), p.kind, p.name))


def _column_parts(measured: Measured, classifier: Classifier, output: int) -> Iterator[Part]:
    row = measured.columns[0]
    for at in np.flatnonzero(row).tolist():
        name = classifier.features[at]
        yield Part(
            "signal" if "@" in name else "shape", name, float(row[at]) * float(classifier.weights[at, output])
        )


def _word_parts(measured: Measured, output: int) -> Iterator[Part]:
    """Each word (in Thai each window of letters) with what it adds, the same word of one side together."""
    tokens = measured.spoken.tokens
    places = np.arange(len(tokens.starts))
    slots = measured.word_slots[tokens.segments]
    votes = measured.spoken.token_votes(places, slots, np.full(len(places), output))
    same = tokens.keys ^ (slots.astype(np.uint64) << np.uint64(62))
    _, first, group = np.unique(same, return_index=True, return_inverse=True)
    sums = np.bincount(group, votes, len(first))
    for place in np.flatnonzero(sums).tolist():
        at = int(first[place])
        start = int(tokens.starts[at])
        word = measured.form.data[start : start + int(tokens.lengths[at])].decode("utf-8", "replace")
        yield Part("word", f"{word} ({LEXICAL_SLOTS[slots[at]]})", float(sums[place]))


def _weighed_parts(measured: Measured, classifier: Classifier, output: int) -> Iterator[Part]:
    """What the activities, weighed as the codebook does, add to an orientation, satisfaction or outcome."""
    weights = classifier.model.weighing[:, output]
    weighed = classifier.model.weigh(first_scores(measured, classifier))[0]
    for at in np.flatnonzero(weights).tolist():
        yield Part("weighed", f"{WEIGHED[at]}: {weighed[at]:.2f}", float(weighed[at] * weights[at]))


def _own_parts(measured: Measured, classifier: Classifier, output: int) -> Iterator[Part]:
    for rule in np.unique(measured.matches.rules).tolist():
        weight = float(classifier.own_weight[rule])
        moved = dict(spread(classifier.rules[rule].label, weight)) if weight else {}
        if output in moved:
            yield Part("rule", classifier.rules[rule].id, moved[output])


def _map_parts(record: pa.RecordBatch, classifier: Classifier, output: int) -> Iterator[Part]:
    """What a rulebook's maps of the record's own fields add: each label once."""
    said: dict[str, str] = {}
    for name in MAPPED_FIELDS:
        cell = record.column(name)[0].as_py()
        for value in cell if isinstance(cell, list) else [cell]:
            label = classifier.rulebook.maps.get(name, {}).get((value or "").strip().casefold())
            if label is not None:
                said.setdefault(label, name)
    for label, name in said.items():
        moved = dict(spread(label, MAP_WEIGHT))
        if output in moved:
            yield Part("map", f"{name} says {label}", moved[output])

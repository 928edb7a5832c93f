"""Why one interaction has its labels: what each score is made of, where the evidence stands, and what rules
just missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from carelog.classification import segments as seg
from carelog.classification.classifier import MAP_WEIGHT, Classifier, Measured, first_scores, spread
from carelog.classification.classify import LABEL_NAMES, Classified, classify
from carelog.classification.guards import REACH, WORDS_AFTER, WORDS_BEFORE
from carelog.classification.lexicon import LEXICAL_SLOTS
from carelog.classification.matching import rule_patterns
from carelog.classification.model import OUTPUT_AT
from carelog.classification.normal import normalize
from carelog.classification.patterns import compile_phrase, to_pattern
from carelog.classification.rulebook import MAPPED_FIELDS, Rule
from carelog.classification.weighing import WEIGHED
from carelog.columns import LABELS, to_values
from carelog.labels import ORIENTATIONS, OUTCOMES, SATISFACTIONS, STAGES, TOUCHPOINTS

_LEAST_REST = 0.01
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
    record: pa.RecordBatch, classifier: Classifier, most: int = 8, labels: Sequence[str] = LABEL_NAMES
) -> dict[str, Any]:
    """The explanation of one record (a batch of one row) as a JSON value.

    `texts` are its words as they were matched; `explained` holds, for each of `labels`, whether it
    was given, its score and what it had to beat, the `most` heaviest parts of the score, the evidence, and
    for one that was not given the nearest rule with the conditions that failed.
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
    return {
        "interaction_id": value["interaction_id"],
        "channel": value["channel"],
        "started_at": value["started_at"],
        "rulebook": value["rulebook"],
        "labels": shown,
        "texts": texts,
        "explained": explained,
    }


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
    if not given:
        explained["nearest"] = find_nearest(label, classified.measured, classifier, record)
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


@dataclass(frozen=True, slots=True)
class _Miss:
    """A rule that did not count: the words that are there, and the conditions that failed."""

    rule: Rule
    words: str
    failed: tuple[str, ...]
    share: float = 1.0


def find_nearest(
    label: str, measured: Measured, classifier: Classifier, record: pa.RecordBatch
) -> dict[str, Any] | None:
    """The rule of a label that came nearest to matching, and why it did not count; None if the label has no
    rules.

    First rules that matched and counted (then the score is what failed), then those whose words are there
    but a condition does not hold, then the one of whose phrases most words are there.
    """
    rules = [rule for rule in classifier.rules if rule.label == label and rule.weight > 0]
    if not rules:
        return None
    counted = {classifier.rules[at].id for at in np.unique(measured.matches.rules).tolist()}
    misses = [miss for rule in rules for miss in _near(rule, rule.id in counted, measured, record)]
    if not misses:
        misses = [_most_words(rule, measured) for rule in rules]
    best = min(misses, key=lambda m: (len(m.failed), -m.share, m.rule.id))
    return {"rule": best.rule.id, "words": best.words, "failed": list(best.failed)}


def _near(rule: Rule, counted: bool, measured: Measured, record: pa.RecordBatch) -> Iterator[_Miss]:
    data = measured.form.data
    for pattern in rule_patterns(rule):
        for found in compile_phrase(pattern).finditer(data):
            words = found.group().decode("utf-8", "replace").strip(" .?\n")
            if counted:
                yield _Miss(rule, words, ())
                return
            segment = int(measured.form.segment_of(np.array([found.end() - 1]))[0])
            failed = [
                *_failed_conditions(rule, measured, segment, record),
                *_failed_guards(rule, data, found),
            ]
            yield _Miss(rule, words, tuple(failed))


def _failed_conditions(rule: Rule, measured: Measured, segment: int, record: pa.RecordBatch) -> Iterator[str]:
    segments = measured.segments
    side = int(segments.sides[segment])
    outbound = record.column("direction")[0].as_py() == "outbound"
    heard = {
        "customer": {seg.CUSTOMER, seg.NOTE, *(() if outbound else (seg.SUBJECT,))},
        "agent": {seg.AGENT, seg.BOT, seg.NOTE, *((seg.SUBJECT,) if outbound else ())},
    }
    if rule.speaker in heard and side not in heard[rule.speaker]:
        yield f"speaker: the rule listens to the {rule.speaker}, here it is the {seg.SIDES[side]}"
    if rule.place == "opening" and not segments.opening[segment]:
        yield "place: the rule counts in the first two messages, here it stands later"
    if rule.place == "closing" and not segments.closing[segment]:
        yield "place: the rule counts in the last three messages, here it stands earlier"
    channel = record.column("channel")[0].as_py()
    if rule.channel and channel not in rule.channel:
        yield f"channel: the rule counts in {', '.join(rule.channel)}, here it is {channel}"


def _failed_guards(rule: Rule, data: bytes, found: re.Match[bytes]) -> Iterator[str]:
    for word in rule.not_before:
        if any(_is_near(data, m.end(), found.start(), WORDS_BEFORE) for m in _all_of(word, data)):
            yield f"negation: {word!r} stands before it"
            return
    for word in rule.not_after:
        if any(_is_near(data, found.end(), m.start(), WORDS_AFTER) for m in _all_of(word, data)):
            yield f"negation: {word!r} stands after it"
            return


def _is_near(data: bytes, end: int, start: int, words: int) -> bool:
    """Whether a span that starts at `start` follows one that ended at `end` in the same text, so many words
    between.
    """
    # Neighbours may share the separator between them.
    if not -1 <= start - end <= REACH:
        return False
    between = data[end:start]
    return b"\n" not in between and len(re.findall(rb"[ .?]", between)) <= words


def _all_of(phrase: str, data: bytes) -> Iterator[re.Match[bytes]]:
    return compile_phrase(to_pattern(phrase)).finditer(data)


def _most_words(rule: Rule, measured: Measured) -> _Miss:
    """The phrase of a rule of which the largest share of words is in the text."""
    there = set(re.split(r"[ .?\n]+", measured.form.data.decode("utf-8", "replace")))
    best = _Miss(rule, "", ("words: none of its phrases is in the text",), 0.0)
    for phrase in rule.phrases:
        words = [w for w in normalize(phrase.replace("..", " ")).split() if w.strip(".?")]
        has = [w for w in words if _is_there(w, there)]
        if words and len(has) / len(words) > best.share:
            failed = (f"words: of the phrase {phrase!r} only {' '.join(has)!r} is in the text",)
            best = _Miss(rule, " ".join(has), failed, len(has) / len(words))
    return best


def _is_there(word: str, there: set[str]) -> bool:
    stems = [option.strip("*.? ") for option in word.split("|")]
    return any(stem in there for stem in stems if stem)

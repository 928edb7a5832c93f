"""Learn the weights of carelog's model from the training records (`make train`): the same records give the same file.

First step: logistic regressions, one per output, over the columns that classification measures (signals in their slots, the
shape of the record) and over words: whole words, their beginnings and, in Thai, windows of letters, weighed by how seldom they
are. Second step: for orientation, satisfaction and outcome one multinomial regression each over what the first step says of
records that it has not seen, and over the weighed activities (weighing.py). Five-fold cross-validation, folds cut by record,
prints what to expect on unseen records. Where a label is seen in a talk is learned apart (places.py).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from compact import load_records
from places import learn_places, own_words
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from carelog.classification.classifier import Classifier, Measured, compile_classifier, measure_batch
from carelog.classification.features import SHAPE
from carelog.classification.labelling import read_scores
from carelog.classification.lexicon import AT_LAST, LEXICAL_SLOTS, Lexicon
from carelog.classification.model import OUTPUT_AT, OUTPUTS, Model, empty_model, to_bytes
from carelog.classification.places import POINTED_OUTPUTS
from carelog.classification.pointing import POINTED, Pointer
from carelog.classification.rulebook import load_packaged, merge_rulebooks
from carelog.classification.tokens import feature_keys
from carelog.classification.weighing import WEIGHED, WEIGHED_LABELS
from carelog.columns import to_record_batch
from carelog.labels import ACTIVITIES, ORIENTATIONS, OUTCOMES, SATISFACTIONS, STAGES, TOUCHPOINTS

Wanted = dict[str, tuple[np.ndarray, np.ndarray]]
HERE = Path(__file__).parent
MODEL = HERE.parent / "carelog" / "rulebooks" / "model.npz"


def targets(golds: list[dict[str, Any]]) -> Wanted:
    """For each output: the wanted values (0/1) and which records know them."""
    n = len(golds)
    result: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def put(output: str, wanted: list[bool], known: list[bool] | None = None) -> None:
        result[output] = (np.array(wanted), np.ones(n, bool) if known is None else np.array(known))

    for a in ACTIVITIES:
        put(f"activity.{a}", [a in g["activities"] for g in golds])
        put(f"main.{a}", [a in g["main"] for g in golds], [a in g["activities"] for g in golds])
    for o in ORIENTATIONS:
        put(f"orientation.{o}", [g["orientation"] == o for g in golds])
    put("initiative.proactive", [g["initiative"] == "proactive" for g in golds])
    for s in STAGES:
        put(
            f"stage.{s}",
            [bool(g["stages"] and g["stages"][s]) for g in golds],
            [g["stages"] is not None for g in golds],
        )
    agreed = [g["satisfaction"] is not None for g in golds]
    for s in SATISFACTIONS:
        put(f"satisfaction.{s}", [g["satisfaction"] == s for g in golds], agreed)
    for o in OUTCOMES:
        put(f"outcome.{o}", [g["outcome"] == o for g in golds])
    put("loyalty", [g["loyalty"] for g in golds])
    put("churn_risk", [g["churn_risk"] for g in golds])
    for t in (*TOUCHPOINTS, None):
        put(f"touchpoint.{t or 'none'}", [g["touchpoint"] == t for g in golds])
    put("customer_kind.internal", [g["customer_kind"] == "internal" for g in golds])
    return result


STRENGTH = 10.0
"""Inverse of the regularisation; the words of a side have length one."""
SIGNAL_SCALE = 0.25
"""Signals and shapes are scaled down: each is seen often, so that they need not be held back as words are."""
LEAST_RECORDS = 3
RANK = 48
LAST_SCALE = 3.0
"""The customer's last words are few: counted more, so that they need not be held back."""
OF_LAST_WORDS = "satisfaction."
"""The outputs that hear a customer's last words apart; the others gain nothing by it."""


def fit(columns: Columns, wanted: Wanted, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (columns × OUTPUTS) and biases learned from those rows: one logistic regression per output."""
    weights = np.zeros((columns.matrix.shape[1], len(OUTPUTS)), np.float64)
    bias = np.zeros(len(OUTPUTS))
    common = columns.matrix[:, : columns.apart]
    for at, output in enumerate(OUTPUTS):
        truth, known = wanted[output]
        use = rows[known[rows]]
        if truth[use].sum() < 3 or truth[use].all():
            bias[at] = -6.0
            continue
        model = LogisticRegression(C=STRENGTH, solver="liblinear", class_weight="balanced", random_state=0)
        seen = columns.matrix if output.startswith(OF_LAST_WORDS) else common
        model.fit(seen[use], truth[use])
        weights[: seen.shape[1], at], bias[at] = model.coef_[0], model.intercept_[0]
    return weights, bias


def tune_thresholds(scores: np.ndarray, wanted: Wanted) -> np.ndarray:
    """For each yes/no output the score above which it is given: best F1 on out-of-fold scores, shrunk to the common one."""
    result = np.zeros(len(OUTPUTS), np.float32)
    steps = np.linspace(-3, 3, 61)

    def f1(cells: list[tuple[np.ndarray, np.ndarray]], step: float) -> float:
        hit = sum(int(((s > step) & t).sum()) for s, t in cells)
        claimed = sum(int((s > step).sum()) for s, _ in cells)
        there = sum(int(t.sum()) for _, t in cells)
        return 2 * hit / max(claimed + there, 1)

    families = [
        [f"activity.{a}" for a in ACTIVITIES],
        *([f"stage.{s}"] for s in STAGES),
        ["loyalty"],
        ["churn_risk"],
    ]
    families += [["initiative.proactive"], ["customer_kind.internal"]]
    for family in families:
        cells = []
        for output in family:
            truth, known = wanted[output]
            cells.append((scores[known, OUTPUT_AT[output]], truth[known]))
        common = steps[int(np.argmax([f1(cells, s) for s in steps]))]
        for output, cell in zip(family, cells, strict=True):
            own = steps[int(np.argmax([f1([cell], s) for s in steps]))]
            result[OUTPUT_AT[output]] = (
                common if len(family) == 1 else 0.7 * common + 0.3 * np.clip(own, common - 0.7, common + 0.7)
            )
            if output.startswith("activity."):
                result[OUTPUT_AT[output]] += ACTIVITY_MARGIN
    return result


ACTIVITY_MARGIN = 1.4
"""Added to the thresholds of activities: training records hold more of them each (1.7) than life does (1.3 in `look/`)."""


@dataclass
class Columns:
    """Training columns: signals and shapes, then one per (word feature, slot); and what is needed to make a model of weights.

    Columns from `apart` on are of the customer's last words.
    """

    matrix: sparse.csr_matrix
    classifier: Classifier
    keys: np.ndarray
    pairs: np.ndarray
    idf: np.ndarray
    documents: np.ndarray
    measured: Measured
    counts: sparse.csr_matrix
    """Segments × word features."""

    @property
    def apart(self) -> int:
        """The first column of the customer's last words."""
        return len(self.classifier.features) + int((self.pairs < AT_LAST * len(self.keys)).sum())


def measure(records: list[dict[str, Any]]) -> Columns:
    """What classification measures of the records, with every word feature that LEAST_RECORDS records have."""
    classifier = compile_classifier(merge_rulebooks(load_packaged()), empty_model())
    batch = to_record_batch(records)
    measured = measure_batch(batch, classifier, read_scores(batch))
    tokens, segments = measured.spoken.tokens, measured.segments
    token, key = feature_keys(tokens.text, tokens.starts, tokens.lengths, tokens.keys)
    row = segments.rows[tokens.segments[token]]
    slot = measured.word_slots[tokens.segments[token]]
    sides = len(LEXICAL_SLOTS)
    keys, feature = np.unique(key, return_inverse=True)
    counts = sparse.csr_matrix(
        (np.ones(len(row)), (tokens.segments[token], feature)), shape=(len(segments), len(keys))
    )
    held = sparse.csr_matrix(
        (np.ones(len(row)), (row * sides + slot, feature)), shape=(len(records) * sides, len(keys))
    )
    documents = np.asarray((held > 0).sum(axis=0)).ravel()
    enough = documents >= LEAST_RECORDS
    held, keys, documents = held[:, enough], keys[enough], documents[enough]
    idf = np.log((1 + 3 * len(records)) / (1 + documents)) + 1
    parts = [held[at::sides] for at in range(sides)]
    # A customer's last words are scaled with all of the customer's, and count among them too.
    parts[0] = parts[0] + parts[AT_LAST]
    lengths = [np.sqrt(np.maximum(part @ idf**2, 1.0)) for part in parts]
    lengths[AT_LAST] = lengths[0]
    scaled = [sparse.diags(1 / n) @ part @ sparse.diags(idf) for n, part in zip(lengths, parts, strict=True)]
    lexical = sparse.hstack([*scaled[:AT_LAST], scaled[AT_LAST] * LAST_SCALE]).tocsc()
    pairs = np.flatnonzero(np.diff(lexical.indptr) >= LEAST_RECORDS)
    matrix = sparse.hstack([sparse.csr_matrix(measured.columns * SIGNAL_SCALE), lexical[:, pairs]]).tocsr()
    return Columns(matrix, classifier, keys, pairs, idf, documents, measured, counts[:, enough])


def to_model(
    columns: Columns,
    weights: np.ndarray,
    bias: np.ndarray,
    thresholds: np.ndarray,
    second: Second,
    pointer: Pointer,
) -> Model:
    """Learned weights as a model that classification can use; the words' weights as factors of rank RANK."""
    n = len(columns.classifier.features)
    v = len(columns.keys)
    weights, bias = second.fold(weights, bias, n)
    sides = len(LEXICAL_SLOTS)
    lexical = np.zeros((sides * v, len(OUTPUTS)))
    lexical[columns.pairs] = weights[n:]
    lexical *= np.tile(columns.idf, sides)[:, None]
    lexical[AT_LAST * v :] = lexical[AT_LAST * v :] * LAST_SCALE + lexical[:v]
    # What rank leaves out should cost every output alike, and seldom words less: outputs are measured in their own size.
    size = np.maximum(np.sqrt((lexical**2).mean(axis=0)), 1e-9)
    seen = np.sqrt(np.tile(columns.documents, sides))[:, None]
    alike = lexical / size * seen
    _, directions = np.linalg.eigh(alike.T @ alike)
    basis = directions[:, ::-1][:, :RANK]
    vectors = (lexical / size @ basis).reshape(sides, v, RANK).transpose(1, 0, 2)
    projection = basis.T * size
    lexicon = Lexicon(
        columns.keys,
        vectors.astype(np.float32),
        (columns.idf**2).astype(np.float32),
        projection.astype(np.float32),
    )
    signals = (weights[:n] * SIGNAL_SCALE).astype(np.float32)
    floats = (bias, thresholds, second.weighing, second.odds)
    bias, thresholds, weighing, odds = (f.astype(np.float32) for f in floats)
    features = columns.classifier.features
    return Model(features, signals, bias, lexicon, thresholds, weighing, odds, pointer)


@dataclass
class Second:
    """The second step: `linear` (OUTPUTS × OUTPUTS) turns scores of the first step into those of the second, `shape`
    (len(SHAPE) × OUTPUTS) and `weighing` (WEIGHED × OUTPUTS) and `bias` are added."""

    odds: np.ndarray
    linear: np.ndarray
    shape: np.ndarray
    weighing: np.ndarray
    bias: np.ndarray

    def fold(self, weights: np.ndarray, bias: np.ndarray, features: int) -> tuple[np.ndarray, np.ndarray]:
        """The first step's weights and biases with the second step's linear part worked in; only WEIGHED_LABELS change."""
        weights, bias = weights @ self.linear, bias @ self.linear + self.bias
        weights[features - len(SHAPE) : features] += self.shape / SIGNAL_SCALE
        return weights, bias


def learn_second(scores: np.ndarray, shapes: np.ndarray, wanted: Wanted) -> tuple[Second, np.ndarray]:
    """The second step, learned from out-of-fold scores of the first; and its own out-of-fold scores."""
    outputs = len(OUTPUTS)
    shares = np.array([wanted[o][0][wanted[o][1]].mean() for o in OUTPUTS]).clip(1e-3, 1 - 1e-3)
    odds = np.log(shares / (1 - shares))
    linear = np.eye(outputs)
    shape, weighing, bias = (
        np.zeros((len(SHAPE), outputs)),
        np.zeros((len(WEIGHED), outputs)),
        np.zeros(outputs),
    )
    model = replace(empty_model(), odds=odds)
    columns = np.hstack([scores / SCORE_SCALE, model.weigh(scores), shapes])
    unseen = scores.copy()
    fold = folds_of(len(scores))
    for label, values in WEIGHED_LABELS.items():
        at = [OUTPUT_AT[f"{label}.{value}"] for value in values]
        truth, known = choices(wanted, at)
        for k in range(FOLDS):
            others = known & (fold != k)
            part = second_regression().fit(columns[others], truth[others])
            unseen[np.ix_(fold == k, at)] = part.decision_function(columns[fold == k])
        whole = second_regression().fit(columns[known], truth[known])
        linear[:, at] = whole.coef_.T[:outputs] / SCORE_SCALE
        weighing[:, at] = whole.coef_.T[outputs : outputs + len(WEIGHED)]
        shape[:, at] = whole.coef_.T[outputs + len(WEIGHED) :]
        bias[at] = whole.intercept_
    return Second(odds, linear, shape, weighing, bias), unseen


def choices(wanted: Wanted, outputs: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """For each record which of the outputs is true, and whether that is known."""
    truth = np.stack([wanted[OUTPUTS[at]][0] for at in outputs], axis=1)
    return np.argmax(truth, axis=1), wanted[OUTPUTS[outputs[0]]][1]


SCORE_SCALE = 3.0
SECOND_STRENGTH = 0.05
FOLDS = 5


def second_regression() -> LogisticRegression:
    """Multinomial, since exactly one value is true."""
    return LogisticRegression(C=SECOND_STRENGTH, max_iter=5000)


def folds_of(n: int) -> np.ndarray:
    """The fold of each of n records."""
    return np.arange(n) * 2654435761 % (1 << 32) * FOLDS >> 32


def cross_validate(columns: Columns, wanted: Wanted) -> tuple[np.ndarray, np.ndarray]:
    """Scores of each record by a model that has not seen it; and what the words of each text say by itself, segments × POINTED."""
    n = columns.matrix.shape[0]
    fold = folds_of(n)
    scores = np.zeros((n, len(OUTPUTS)))
    fold_of_text = fold[columns.measured.segments.rows]
    texts = own_words(columns.measured, columns.counts, columns.idf)
    votes = np.zeros((texts.shape[0], len(POINTED)))
    for k in range(FOLDS):
        weights, bias = fit(columns, wanted, np.flatnonzero(fold != k))
        test = np.flatnonzero(fold == k)
        scores[test] = columns.matrix[test] @ weights + bias
        of_words = np.zeros((len(LEXICAL_SLOTS) * len(columns.keys), len(POINTED)))
        of_words[columns.pairs] = weights[len(columns.classifier.features) :][:, POINTED_OUTPUTS]
        votes[fold_of_text == k] = texts[fold_of_text == k] @ of_words[: texts.shape[1]]
    return scores, votes


TUNED = {
    "orientation": (ORIENTATIONS, (0.27, 0.56, 0.09, 0.08)),
    "satisfaction": (SATISFACTIONS, (0.37, 0.12, 0.06, 0.45)),
}
"""Labels of which one value is chosen: the shares of the values in life (in `look/`; the training records hold more of the seldom
ones on purpose)."""
MATCHING_STEPS = 300
NONE_MARGIN = 0.7
"""Held back from `none`: an interaction that is wrongly put aside is missed by every figure. Costs nothing in `look/`."""


def match_shares(scores: np.ndarray, wanted: Wanted) -> np.ndarray:
    """For each value of a TUNED label what to add to its score, so that out of fold each is given as often as it is in life.

    Records are weighed so that the truth has the shares of life; then giving a value too often costs its precision as much as
    giving it too seldom costs its recall.
    """
    offsets = np.zeros(len(OUTPUTS))
    for group, (values, shares) in TUNED.items():
        at = [OUTPUT_AT[f"{group}.{v}"] for v in values]
        truth, known = choices(wanted, at)
        counts = np.bincount(truth[known], minlength=len(values))
        weight = known * (np.array(shares) / np.maximum(counts, 1))[truth]
        added = np.zeros(len(values))
        for _ in range(MATCHING_STEPS):
            given = np.bincount(np.argmax(scores[:, at] + added, axis=1), weight, minlength=len(values))
            added += 0.1 * (np.log(shares) - np.log(given + 1e-4))
        offsets[at] = added - added.mean()
    offsets[OUTPUT_AT["orientation.none"]] -= NONE_MARGIN
    return offsets


def main() -> None:
    """Train, say what to expect, write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=Path, default=HERE / "records")
    parser.add_argument("-o", "--output", type=Path, default=MODEL)
    options = parser.parse_args()
    records, golds = load_records(options.records)
    wanted = targets(golds)
    columns = measure(records)
    n = len(columns.classifier.features)
    shapes = columns.matrix[:, n - len(SHAPE) : n].toarray() / SIGNAL_SCALE
    first, votes = cross_validate(columns, wanted)
    second, scores = learn_second(first, shapes, wanted)
    offsets = match_shares(scores, wanted)
    second.bias += offsets
    scores += offsets
    thresholds = tune_thresholds(scores, wanted)
    report(scores, thresholds, records, golds)
    weights, bias = fit(columns, wanted, np.arange(len(records)))
    lengths = columns.counts @ columns.idf**2
    pointer = learn_places(columns.measured, votes, lengths, columns.classifier, golds)
    options.output.write_bytes(to_bytes(to_model(columns, weights, bias, thresholds, second, pointer)))
    size = options.output.stat().st_size
    print(
        f"{len(records)} records, {columns.matrix.shape[1]} columns → {options.output.name}, {size:,} bytes"
    )


def report(
    scores: np.ndarray, thresholds: np.ndarray, records: list[dict[str, Any]], golds: list[dict[str, Any]]
) -> None:
    """What cross-validation says."""
    from carelog.classification.labelling import decide

    batch = to_record_batch(records)
    company = np.array([g["stages"] is not None for g in golds])
    words = np.array([bool(r.get("messages") or r.get("notes") or r.get("subject")) for r in records])
    decided = decide(batch, scores.astype(np.float32), thresholds, read_scores(batch), company, words)
    truth = np.array([ORIENTATIONS.index(g["orientation"]) for g in golds])
    languages = np.array([g["language"] for g in golds])
    for language in ("all", *sorted(set(languages))):
        at = np.ones(len(golds), bool) if language == "all" else languages == language
        print(
            f"cross-validated {language}: orientation macro-F1 {macro_f1(truth[at], decided.orientation[at], 4):.3f}",
            end=" ",
        )
        wanted = np.array([[a in g["activities"] for a in ACTIVITIES] for g in golds])[at]
        got = decided.activities[at]
        print(f"activities micro-F1 {2 * (wanted & got).sum() / max(wanted.sum() + got.sum(), 1):.3f}")


def macro_f1(truth: np.ndarray, given: np.ndarray, classes: int) -> float:
    """Mean over the classes of 2·hits ÷ (given + there)."""

    def f1(c: int) -> float:
        hits = ((truth == c) & (given == c)).sum()
        total = (truth == c).sum() + (given == c).sum()
        return float(2 * hits / total) if total else 0.0

    return float(np.mean([f1(c) for c in range(classes)]))


if __name__ == "__main__":
    main()

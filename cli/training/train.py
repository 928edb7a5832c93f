"""Learn the weights of carelog's model from the training records (`make train`): the same records give the same file.

Logistic regressions, one per output, over the columns that classification measures (signals in their slots, the shape of the
record) and over learned terms: words, beginnings of words, pairs of words and, in Thai, runs of letters, chosen for how much
they tell about a label. Five-fold cross-validation, folds cut by record, prints what to expect on unseen records.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from compact import load_records
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from carelog.classification.classifier import compile_classifier, measure_batch
from carelog.classification.labelling import read_scores
from carelog.classification.model import OUTPUT_AT, OUTPUTS, TERM_SLOTS, Model, to_bytes
from carelog.classification.normal import normalize
from carelog.classification.patterns import to_pattern
from carelog.classification.rulebook import load_packaged, merge_rulebooks
from carelog.columns import to_record_batch
from carelog.labels import ACTIVITIES, ORIENTATIONS, OUTCOMES, SATISFACTIONS, STAGES, TOUCHPOINTS

HERE = Path(__file__).parent
MODEL = HERE.parent / "carelog" / "rulebooks" / "model.npz"
WORD = re.compile(r"[^ .?\n]+")
THAI = re.compile("[\u0e00-\u0e7f]{3,}")
SIDES = {"customer": 0, "agent": 1, "bot": 1, "system": 2}

Target = tuple[str, "np.ndarray", "np.ndarray"]


def texts_by_slot(record: dict[str, Any]) -> list[str]:
    """The normal forms of what the customer said, what the company said (notes too), and the short fields."""
    said: list[list[str]] = [[], [], []]
    for message in record.get("messages", []):
        said[SIDES[message["speaker"]]].append(message["text"])
    said[1].append(record.get("notes", ""))
    said[2] += [record.get(f, "") for f in ("subject", "category", "queue", "campaign")] + record.get("tags", [])
    return ["\n".join(normalize(t) for t in part if t) for part in said]


def terms_of(text: str) -> set[str]:
    """Candidate terms of a normal form, written as phrases of a rulebook."""
    found: set[str] = set()
    for line in text.split("\n"):
        words = WORD.findall(line)
        for word in words:
            runs = THAI.findall(word)
            for run in runs:
                found.update(run[i : i + n] for n in (4, 5, 6, 8, 10) for i in range(len(run) - n + 1))
            if not runs and len(word) > 1 and not word.isdigit():
                found.add(word)
                found.update(word[:n] + "*" for n in (4, 5, 6, 7) if len(word) > n)
        pairs = zip(words, words[1:], strict=False)
        found.update(f"{a} {b}" for a, b in pairs if not THAI.search(a + b) and not (a + b).isdigit())
    return found


def targets(golds: list[dict[str, Any]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
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
        put(f"stage.{s}", [bool(g["stages"] and g["stages"][s]) for g in golds], [g["stages"] is not None for g in golds])
    for s in SATISFACTIONS:
        put(f"satisfaction.{s}", [g["satisfaction"] == s for g in golds])
    for o in OUTCOMES:
        put(f"outcome.{o}", [g["outcome"] == o for g in golds])
    put("loyalty", [g["loyalty"] for g in golds])
    put("churn_risk", [g["churn_risk"] for g in golds])
    for t in (*TOUCHPOINTS, None):
        put(f"touchpoint.{t or 'none'}", [g["touchpoint"] == t for g in golds])
    put("customer_kind.internal", [g["customer_kind"] == "internal" for g in golds])
    return result


def choose_terms(texts: list[list[str]], wanted: dict[str, tuple[np.ndarray, np.ndarray]], most: int) -> list[str]:
    """The terms that tell most about any output: highest χ² over outputs, at least four records."""
    holders: dict[str, list[int]] = defaultdict(list)
    for row, parts in enumerate(texts):
        for term in set().union(*(terms_of(p) for p in parts)):
            holders[term].append(row)
    kept = sorted(t for t, rows in holders.items() if len(rows) >= 4)
    held = sparse.csr_matrix(
        (np.ones(sum(len(holders[t]) for t in kept)), ([i for i, t in enumerate(kept) for _ in holders[t]], [r for t in kept for r in holders[t]])),
        shape=(len(kept), len(texts)),
    )
    judged = [o for o in OUTPUTS if not o.startswith(("main.", "touchpoint.", "customer_kind"))]
    labels = np.stack([wanted[o][0] for o in judged], axis=1).astype(float)
    seen = np.asarray(held.sum(axis=1))
    both = held @ labels
    expected = seen * labels.mean(axis=0)
    score = ((both - expected) ** 2 / np.maximum(expected * (1 - labels.mean(axis=0)), 0.3)).max(axis=1)
    chosen: list[str] = []
    taken: set[tuple[int, ...]] = set()
    for at in np.argsort(-score, kind="stable"):
        rows = tuple(holders[kept[at]])
        if rows not in taken:  # of terms that stand in the very same records, the first is enough
            taken.add(rows)
            chosen.append(kept[at])
        if len(chosen) == most:
            break
    return sorted(chosen)


GROUPS = {
    "orientation": ORIENTATIONS,
    "satisfaction": SATISFACTIONS,
    "outcome": OUTCOMES,
    "touchpoint": (*TOUCHPOINTS, "none"),
}
STRENGTH = {"orientation": 0.6, "satisfaction": 0.5, "outcome": 0.4, "touchpoint": 0.4}
DEFAULT_STRENGTH = 0.6
TERM_SCALE = 0.5
"""Terms count half: they are many and each is seen seldom, so they are held closer to zero than signals."""


def fit(columns: sparse.csr_matrix, wanted: dict[str, tuple[np.ndarray, np.ndarray]], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (columns × OUTPUTS) and biases learned from those rows."""
    weights = np.zeros((columns.shape[1], len(OUTPUTS)), np.float64)
    bias = np.zeros(len(OUTPUTS))
    for group, values in GROUPS.items():
        codes = np.argmax(np.stack([wanted[f"{group}.{v}"][0] for v in values], axis=1), axis=1)
        model = LogisticRegression(C=STRENGTH[group], max_iter=400, class_weight=_soft_balance(codes[rows]))
        model.fit(columns[rows], codes[rows])
        for code, row, intercept in zip(model.classes_, _coefficients(model), _intercepts(model), strict=True):
            at = OUTPUT_AT[f"{group}.{values[code]}"]
            weights[:, at], bias[at] = row, intercept
        for code in set(range(len(values))) - set(model.classes_.tolist()):
            bias[OUTPUT_AT[f"{group}.{values[code]}"]] = -20
    for output in OUTPUTS:
        if output.partition(".")[0] in GROUPS:
            continue
        truth, known = wanted[output]
        use = rows[known[rows]]
        if truth[use].sum() < 3 or truth[use].all():
            bias[OUTPUT_AT[output]] = -6.0
            continue
        balance = _soft_balance(truth[use].astype(int))
        model = LogisticRegression(C=DEFAULT_STRENGTH, max_iter=400, class_weight=balance).fit(columns[use], truth[use])
        weights[:, OUTPUT_AT[output]], bias[OUTPUT_AT[output]] = model.coef_[0], model.intercept_[0]
    return weights, bias


def _soft_balance(codes: np.ndarray) -> dict[int, float]:
    """Half way (in the logarithm) to equal weight for every class: seldom labels are not drowned and not shouted."""
    counts = Counter(codes.tolist())
    return {code: (len(codes) / (len(counts) * n)) ** 0.5 for code, n in counts.items()}


def _coefficients(model: LogisticRegression) -> np.ndarray:
    return np.vstack([-model.coef_[0], model.coef_[0]]) / 2 if len(model.classes_) == 2 else model.coef_


def _intercepts(model: LogisticRegression) -> np.ndarray:
    return np.array([-model.intercept_[0], model.intercept_[0]]) / 2 if len(model.classes_) == 2 else model.intercept_


def tune_thresholds(scores: np.ndarray, wanted: dict[str, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """For each yes/no output the score above which it is given: best F1 on out-of-fold scores, shrunk to the common one."""
    result = np.zeros(len(OUTPUTS), np.float32)
    steps = np.linspace(-3, 3, 61)

    def f1(cells: list[tuple[np.ndarray, np.ndarray]], step: float) -> float:
        hit = sum(int(((s > step) & t).sum()) for s, t in cells)
        claimed = sum(int((s > step).sum()) for s, _ in cells)
        there = sum(int(t.sum()) for _, t in cells)
        return 2 * hit / max(claimed + there, 1)

    families = [[f"activity.{a}" for a in ACTIVITIES], *([f"stage.{s}"] for s in STAGES), ["loyalty"], ["churn_risk"]]
    families += [["initiative.proactive"], ["customer_kind.internal"]]
    for family in families:
        cells = []
        for output in family:
            truth, known = wanted[output]
            cells.append((scores[known, OUTPUT_AT[output]], truth[known]))
        common = steps[int(np.argmax([f1(cells, s) for s in steps]))]
        for output, cell in zip(family, cells, strict=True):
            own = steps[int(np.argmax([f1([cell], s) for s in steps]))]
            result[OUTPUT_AT[output]] = common if len(family) == 1 else 0.7 * common + 0.3 * np.clip(own, common - 0.7, common + 0.7)
    return result


def measure(records: list[dict[str, Any]], terms: list[str]) -> tuple[Any, sparse.csr_matrix]:
    """The classifier (weights zero) and the training columns: feature columns, then terms × TERM_SLOTS."""
    width = len(TERM_SLOTS)
    patterns = tuple(to_pattern(t) for t in terms)
    blank = Model((), np.zeros((0, len(OUTPUTS)), np.float32), np.zeros(len(OUTPUTS), np.float32), patterns,
                  np.zeros((len(terms), width, len(OUTPUTS)), np.float32), np.zeros(len(OUTPUTS), np.float32))  # fmt: skip
    classifier = compile_classifier(merge_rulebooks(load_packaged()), blank)
    batch = to_record_batch(records)
    from carelog.classification.classifier import term_places

    measured = measure_batch(batch, classifier, read_scores(batch))
    row, term, slot = term_places(measured, classifier)
    held = sparse.csr_matrix((np.full(len(row), TERM_SCALE), (row, term * width + slot)), shape=(len(records), len(terms) * width))
    return classifier, sparse.hstack([sparse.csr_matrix(measured.columns), held]).tocsr()


def to_model(classifier: Any, terms: list[str], weights: np.ndarray, bias: np.ndarray, thresholds: np.ndarray) -> Model:
    """Learned weights as a model that classification can use."""
    n = len(classifier.features)
    term_weights = (weights[n:] * TERM_SCALE).reshape(len(terms), len(TERM_SLOTS), len(OUTPUTS))
    return Model(classifier.features, weights[:n].astype(np.float32), bias.astype(np.float32),
                 tuple(to_pattern(t) for t in terms), term_weights.astype(np.float32), thresholds)  # fmt: skip


def cross_validate(columns: sparse.csr_matrix, wanted: dict[str, tuple[np.ndarray, np.ndarray]], folds: int = 5) -> np.ndarray:
    """Scores of each record by a model that has not seen it."""
    n = columns.shape[0]
    fold = np.arange(n) * 2654435761 % (1 << 32) * folds >> 32
    scores = np.zeros((n, len(OUTPUTS)))
    for k in range(folds):
        weights, bias = fit(columns, wanted, np.flatnonzero(fold != k))
        test = np.flatnonzero(fold == k)
        scores[test] = columns[test] @ weights + bias
    return scores


def main() -> None:
    """Train, say what to expect, write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=Path, default=HERE / "records")
    parser.add_argument("--terms", type=int, default=3000)
    parser.add_argument("-o", "--output", type=Path, default=MODEL)
    options = parser.parse_args()
    records, golds = load_records(options.records)
    wanted = targets(golds)
    terms = choose_terms([texts_by_slot(r) for r in records], wanted, options.terms) if options.terms else []
    classifier, columns = measure(records, terms)
    scores = cross_validate(columns, wanted)
    thresholds = tune_thresholds(scores, wanted)
    report(scores, thresholds, records, golds)
    weights, bias = fit(columns, wanted, np.arange(len(records)))
    model = to_model(classifier, terms, weights, bias, thresholds)
    options.output.write_bytes(to_bytes(model))
    print(f"{len(records)} records, {columns.shape[1]} columns, {len(terms)} terms → {options.output.name}, {options.output.stat().st_size:,} bytes")


def report(scores: np.ndarray, thresholds: np.ndarray, records: list[dict[str, Any]], golds: list[dict[str, Any]]) -> None:
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
        print(f"cross-validated {language}: orientation macro-F1 {macro_f1(truth[at], decided.orientation[at], 4):.3f}", end=" ")
        wanted = np.array([[a in g["activities"] for a in ACTIVITIES] for g in golds])[at]
        got = decided.activities[at]
        print(f"activities micro-F1 {2 * (wanted & got).sum() / max(wanted.sum() + got.sum(), 1):.3f}")


def macro_f1(truth: np.ndarray, given: np.ndarray, classes: int) -> float:
    """Mean over the classes of 2·hits ÷ (given + there)."""
    parts = [2 * ((truth == c) & (given == c)).sum() / max((truth == c).sum() + (given == c).sum(), 1) for c in range(classes)]
    return float(np.mean(parts))


if __name__ == "__main__":
    main()

"""What another rulebook would change: two labellings of the same interactions, compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from carelog.classification.evidence import MODEL_RULE
from carelog.classification.metric_totals import total_metrics
from carelog.classification.sheets import CHOICES, FLAGS, Codes, read_labels

EXAMPLES = 5
_RULES_SHOWN = 10


@dataclass(slots=True)
class Difference:
    """How two labellings differ over `n` interactions.

    `changed` by label: how many interactions, and the first ids; for a choice also which value became which
    (`moves`). `rules`: which rules' evidence came or went in changed interactions. `sums` are (old, new)
    totals for the metrics.
    """

    n: int = 0
    interactions: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    moves: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    came: Counter[tuple[str, str]] = field(default_factory=Counter)
    went: Counter[tuple[str, str]] = field(default_factory=Counter)
    sums: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    def add(self, old: pa.RecordBatch, new: pa.RecordBatch) -> None:
        """Compare one batch labelled twice, row for row."""
        before, after = read_labels(old), read_labels(new)
        differs = {label: before.codes[label] != after.codes[label] for label in (*CHOICES, *FLAGS)}
        rows = (
            np.flatnonzero(np.any(list(differs.values()), axis=0)) if old.num_rows else np.zeros(0, np.int64)
        )
        self.n += old.num_rows
        self.interactions += len(rows)
        for label, mask in differs.items():
            self._count_label(
                label, np.flatnonzero(mask), before.codes[label], after.codes[label], before.ids
            )
        self._count_rules(old, new, rows)
        for name, pair in _totals(old, new).items():
            self.sums[name] = self.sums.get(name, np.zeros((2, 2))) + pair

    def _count_label(
        self, label: str, rows: npt.NDArray[np.int64], old: Codes, new: Codes, ids: Sequence[str]
    ) -> None:
        if not len(rows):
            return
        self.changed[label] += len(rows)
        shown = self.examples.setdefault(label, [])
        shown += [ids[row] for row in rows[: EXAMPLES - len(shown)].tolist()]
        values = CHOICES.get(label, ("no", "yes"))
        names = [*values, "null"]
        for row in rows.tolist():
            self.moves[label, names[int(old[row])], names[int(new[row])]] += 1

    def _count_rules(self, old: pa.RecordBatch, new: pa.RecordBatch, rows: npt.NDArray[np.int64]) -> None:
        """Which evidence came and went in the interactions whose labels changed."""
        chosen = pa.array(rows)
        pairs = zip(
            old.column("evidence").take(chosen).to_pylist(),
            new.column("evidence").take(chosen).to_pylist(),
            strict=True,
        )
        for before, after in pairs:
            had = {(e["rule"], e["label"]) for e in before if e["rule"] != MODEL_RULE}
            has = {(e["rule"], e["label"]) for e in after if e["rule"] != MODEL_RULE}
            self.came.update(has - had)
            self.went.update(had - has)


def _totals(old: pa.RecordBatch, new: pa.RecordBatch) -> dict[str, npt.NDArray[np.float64]]:
    """For each metric (old, new) × (numerator, denominator)."""
    pairs = zip(total_metrics(old), total_metrics(new), strict=True)
    return {before[0]: np.array([before[1:], after[1:]], np.float64) for before, after in pairs}


def to_difference_value(difference: Difference) -> dict[str, Any]:
    """A difference as a JSON value, the largest changes first."""
    return {
        "interactions": difference.n,
        "interactions_changed": difference.interactions,
        "labels": [
            {
                "label": label,
                "changed": count,
                "moves": _moves_of(difference.moves, label),
                "examples": difference.examples[label],
            }
            for label, count in sorted(difference.changed.items(), key=lambda i: (-i[1], i[0]))
        ],
        "rules": {"came": _rules_of(difference.came), "went": _rules_of(difference.went)},
        "metrics": {name: _metric(sums) for name, sums in difference.sums.items()},
    }


def _moves_of(moves: Mapping[tuple[str, str, str], int], label: str) -> list[dict[str, Any]]:
    mine = [(old, new, count) for (name, old, new), count in moves.items() if name == label]
    return [{"old": o, "new": n, "count": c} for o, n, c in sorted(mine, key=lambda m: (-m[2], m[:2]))]


def _rules_of(counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"rule": rule, "label": label, "interactions": count} for (rule, label), count in order[:_RULES_SHOWN]
    ]


def _metric(sums: npt.NDArray[np.float64]) -> dict[str, float | None]:
    old, new = (float(n / d) if d else None for n, d in sums)
    change = None if old is None or new is None else round(new - old, 6)
    return {
        "old": None if old is None else round(old, 6),
        "new": None if new is None else round(new, 6),
        "change": change,
    }

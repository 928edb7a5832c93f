"""What tuning learned and gained, as a JSON value and as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carelog.classification.classifier import Classifier
from carelog.classification.gains import GAIN_DIGITS, Gain
from carelog.classification.tuning import Tuned
from carelog.findings import visible
from carelog.reports.counted import count_noun
from carelog.reports.evaluation import FIGURES
from carelog.reports.plain_table import to_table_lines


def to_tuning_value(tuned: Tuned, gain: Gain, classifier: Classifier, written: str | None) -> dict[str, Any]:
    """The gain with its interval, and what was learned; `written` names the rulebook, None where there is
    none.
    """
    weights = {classifier.rules[rule].id: weight for rule, weight in tuned.weights.items()}
    return {
        "gain": {
            "n": gain.n,
            "before": round(gain.before, 6),
            "after": round(gain.after, 6),
            "gain": round(gain.after - gain.before, 6),
            "interval": [round(gain.low, 6), round(gain.high, 6)],
        },
        "offsets": dict(sorted(tuned.offsets.items())),
        "weights": dict(sorted(weights.items())),
        "written": written,
    }


def to_tuning_text(value: Mapping[str, Any]) -> str:
    """The result for a person."""
    gain = value["gain"]
    rows = [
        [title, _figure(value["figures"]["before"][name]), _figure(value["figures"]["after"][name])]
        for name, title in FIGURES
    ]
    told = [f"{value:+.{GAIN_DIGITS}f}" for value in (gain["gain"], *gain["interval"])]
    lines = [
        f"{value['interactions']:,} interactions with gold, {value['folds']} folds:",
        "each interaction is labelled by weights that were learned without it",
        "",
        *to_table_lines(["", "before", "after"], rows),
        "",
        f"right labels per interaction: {gain['before']:.3f} before, {gain['after']:.3f} after",
        f"gain {told[0]}, 95 % interval {told[1]} to {told[2]}",
    ]
    if value["written"] is None:
        lines.append(
            "That is no sure gain: nothing was written. More labels, or rules of your own, may help."
        )
    else:
        offsets, weights = len(value["offsets"]), len(value["weights"])
        rules = "a rule" if weights == 1 else "rules"
        learned = f"{count_noun(offsets, 'offset')} and {count_noun(weights, 'weight')} of {rules}"
        lines.append(f"Written to {visible(value['written'])}: {learned}.")
    return "\n".join(lines) + "\n"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"

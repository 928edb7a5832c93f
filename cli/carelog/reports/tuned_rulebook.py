"""What tuning learned, as a rulebook to read and edit."""

from __future__ import annotations

from carelog.classification.classifier import OWN_WEIGHT, Classifier
from carelog.classification.gains import GAIN_DIGITS, Gain
from carelog.classification.tuning import Tuned


def to_rulebook_text(tuned: Tuned, gain: Gain, classifier: Classifier, name: str) -> str:
    """What was learned as a rulebook (TOML): offsets, and for each weighed rule a copy with that weight.

    A copy has an id of its own, `tuned.` before the old one, so that it adds to what carelog knows of the
    rule's signal.
    """
    told = [f"{value:+.{GAIN_DIGITS}f}" for value in (gain.after - gain.before, gain.low, gain.high)]
    lines = [
        f"# Learned by `carelog tune` from {gain.n} labelled interactions. Read and edit it as you like.",
        f"# Cross-validated gain per interaction: {told[0]} (95 % interval {told[1]} to {told[2]}).",
        "[rulebook]",
        f'name = "{name}"',
        'version = "1"',
        'language = "*"',
        "",
        "# Log-odds added to a label in every interaction: above 0 it is given more readily, below 0 less.",
        "[offset]",
        *(f'"{output}" = {offset:g}' for output, offset in sorted(tuned.offsets.items())),
    ]
    for rule, weight in sorted(tuned.weights.items(), key=lambda item: classifier.rules[item[0]].id):
        lines += ["", *_rule_lines(classifier, rule, weight / OWN_WEIGHT)]
    return "\n".join(lines) + "\n"


def _rule_lines(classifier: Classifier, at: int, weight: float) -> list[str]:
    rule = classifier.rules[at]
    lines = ["[[rule]]", f'id = "tuned.{rule.id}"', f'label = "{rule.label}"', f'speaker = "{rule.speaker}"']
    lines += [f'place = "{rule.place}"', f"weight = {weight:.4f}"]
    if rule.pattern is not None:
        lines.append(f"pattern = {_quoted(rule.pattern)}")
    for name in ("channel", "phrases", "not_before", "not_after", "match", "no_match"):
        values = getattr(rule, name)
        if values:
            lines += [f"{name} = [", *(f"    {_quoted(v)}," for v in values), "]"]
    return lines


def _quoted(text: str) -> str:
    """A text as a TOML basic string."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in plain) + '"'

"""Are rules sound, and do their own examples hold? The same matching as in classification, on the rules' own sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from carelog.classification.matching import compile_expressions, scan, to_expressions
from carelog.classification.normal import to_normal_form
from carelog.classification.patterns import BadPhrase, compile_phrase, to_pattern
from carelog.classification.rulebook import Rule


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a rule: `kind` is a short name, `message` a sentence, `example` the sentence that showed it."""

    rule: str
    kind: str
    message: str
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One example sentence of a rule, whether the rule has to match it, and whether it did."""

    rule: str
    text: str
    wanted: bool
    matched: bool

    @property
    def passed(self) -> bool:
        """Whether the example holds."""
        return self.wanted == self.matched


def check_patterns(rules: Sequence[Rule]) -> list[Problem]:
    """Phrases and patterns that cannot be compiled, match the empty text, or stand twice in one rule."""
    problems: list[Problem] = []
    for rule in rules:
        seen: dict[str, str] = {}
        for phrase in rule.phrases:
            try:
                pattern = to_pattern(phrase)
            except BadPhrase as reason:
                problems.append(Problem(rule.id, "bad_phrase", f"phrase {phrase!r}: {reason}"))
                continue
            if pattern in seen:
                problems.append(
                    Problem(
                        rule.id, "repeated_phrase", f"phrase {phrase!r} says the same as {seen[pattern]!r}"
                    )
                )
            seen[pattern] = phrase
        if rule.pattern is not None:
            try:
                if compile_phrase(rule.pattern).search(b""):
                    problems.append(Problem(rule.id, "matches_nothing", "the pattern matches the empty text"))
            except (ValueError, re.error) as error:
                problems.append(
                    Problem(rule.id, "bad_pattern", f"the pattern is not a regular expression: {error}")
                )
        if not rule.phrases and rule.pattern is None:
            problems.append(Problem(rule.id, "no_phrases", "it has neither phrases nor a pattern"))
    return problems


def run_examples(rules: Sequence[Rule]) -> list[Example]:
    """Every rule's own must-match and must-not-match examples, matched as classification would."""
    sentences = [
        (n, text, wanted)
        for n, r in enumerate(rules)
        for wanted, texts in ((True, r.match), (False, r.no_match))
        for text in texts
    ]
    if not sentences:
        return []
    expressions = to_expressions(rules)
    form = to_normal_form(pa.array([text for _, text, _ in sentences], pa.string()))
    matches = scan(compile_expressions(expressions), expressions, form)
    hit = set(zip(matches.rules.tolist(), matches.segments.tolist(), strict=True))
    return [
        Example(rules[n].id, text, wanted, (n, at) in hit) for at, (n, text, wanted) in enumerate(sentences)
    ]

"""What is wrong with rules before any record is read: within each rule, and between rules of one label and
language.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from carelog.classification.examples import Problem, check_patterns
from carelog.classification.normal import normalize
from carelog.classification.patterns import BadPhrase, compile_phrase, to_pattern
from carelog.classification.rulebook import Rule

_LEAST_MATCH, _LEAST_NO_MATCH = 2, 1
REMARKS = frozenset({"shadowed_by_rule"})
"""Kinds that are worth knowing and not wrong: two signals of one label may need the same words."""
_SHOWN = 60
_SYNTAX = re.compile(r"\\.|\[[^\]]*\]|\(\?[:=!<]*|\{\d*,?\d*\}")
_NEVER = ",;:!'\"@#/"
"""Characters that the normal form turns into separators or drops."""
_SHOWN_FIELDS = (
    "id", "label", "language", "signal", "rulebook", "speaker", "place", "channel", "weight", "phrases",
    "pattern", "not_before", "not_after", "match", "no_match",
)  # fmt: skip


def check_rules(rules: Sequence[Rule]) -> list[Problem]:
    """Everything that `rules check` finds, by rule: phrases and patterns that cannot be compiled, can never
    match, match the empty text, stand twice or shadow each other, and rules without examples.
    """
    found = [
        *check_patterns(rules),
        *_check_examples(rules),
        *_check_guards(rules),
        *_check_normal_form(rules),
        *find_shadows(rules),
    ]
    return sorted(found, key=lambda problem: (problem.rule, problem.kind, problem.message))


def _check_examples(rules: Sequence[Rule]) -> Iterator[Problem]:
    for rule in rules:
        if len(rule.match) < _LEAST_MATCH or len(rule.no_match) < _LEAST_NO_MATCH:
            told = f"{len(rule.match)} sentences that must match and {len(rule.no_match)} that must not"
            wanted = f"at least {_LEAST_MATCH} and {_LEAST_NO_MATCH} are wanted"
            yield Problem(rule.id, "no_examples", f"it has {told}; {wanted}")


def _check_guards(rules: Sequence[Rule]) -> Iterator[Problem]:
    for rule in rules:
        for word in (*rule.not_before, *rule.not_after):
            try:
                to_pattern(word)
            except BadPhrase as reason:
                yield Problem(rule.id, "bad_guard", f"negation {word[:_SHOWN]!r}: {reason}")


def _check_normal_form(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Patterns that can never match, since they ask for characters that the normal form does not hold."""
    for rule in rules:
        if rule.pattern is None:
            continue
        plain = re.sub(_SYNTAX, "", rule.pattern)
        odd = sorted({c for c in plain if c.isupper() or c in _NEVER})
        if odd:
            reason = f"the pattern asks for {' '.join(odd)}, which the normal form of a text never holds"
            yield Problem(rule.id, "never_matches", reason)


def find_shadows(rules: Sequence[Rule]) -> list[Problem]:
    """Phrases that add nothing, since a shorter phrase of the same rule, or of another rule that asks for
    no more, matches wherever they do.

    Rules are compared within one label and language; phrases are looked up by their words, so that
    thousands of rules take a moment.
    """
    groups: dict[tuple[str, str], list[Rule]] = defaultdict(list)
    for rule in rules:
        groups[rule.label, rule.language].append(rule)
    return [problem for group in groups.values() for problem in _shadows_in(group)]


def _shadows_in(group: Sequence[Rule]) -> Iterator[Problem]:
    shorter: dict[str, list[tuple[tuple[str, ...], Rule, str]]] = defaultdict(list)
    phrases = []
    for rule in group:
        for phrase in rule.phrases:
            words = _plain_words(phrase)
            if words:
                shorter[words[0]].append((words, rule, phrase))
                phrases.append((words, rule, phrase))
    for words, rule, phrase in phrases:
        shadow = _first_shadow(words, rule, phrase, shorter)
        if shadow is not None:
            other, by = shadow
            whose = "" if other.id == rule.id else f" of {other.id}"
            kind = "shadowed_phrase" if other.id == rule.id else "shadowed_by_rule"
            needed = f"phrase {phrase[:_SHOWN]!r} is never needed"
            yield Problem(rule.id, kind, f"{needed}: {by[:_SHOWN]!r}{whose} matches there")


def _plain_words(phrase: str) -> tuple[str, ...]:
    """The words of a phrase that says one thing only (no gap, choice or *, and no Thai, which has no word
    borders).
    """
    if re.search(r"[*|]|(?<!\S)\.\.+(?!\S)|[\u0e00-\u0e7f]", phrase):
        return ()
    return tuple(w for w in re.split(r"[ .?]+", normalize(phrase)) if w)


def _first_shadow(
    words: tuple[str, ...],
    rule: Rule,
    phrase: str,
    shorter: Mapping[str, Sequence[tuple[tuple[str, ...], Rule, str]]],
) -> tuple[Rule, str] | None:
    for start, word in enumerate(words):
        for other_words, other, other_phrase in shorter.get(word, ()):
            # The same words in one rule are told as repeated; of two rules the later one is not needed.
            same = other.id == rule.id and other_words == words
            equal = other_words == words and other.id > rule.id
            inside = words[start : start + len(other_words)] == other_words
            if inside and not same and not equal and _asks_no_more(other, rule):
                return other, other_phrase
    return None


def _asks_no_more(other: Rule, rule: Rule) -> bool:
    """Whether `other` counts wherever `rule` would, and speaks as strongly."""
    return (
        other.speaker in (rule.speaker, "any")
        and other.place in (rule.place, "any")
        and (not other.channel or (bool(rule.channel) and set(rule.channel) <= set(other.channel)))
        and set(other.not_before) <= set(rule.not_before)
        and set(other.not_after) <= set(rule.not_after)
        and other.weight == rule.weight
    )


def keep_good_rules(rules: Sequence[Rule]) -> list[Rule]:
    """The rules all of whose phrases and patterns can be matched."""
    return [rule for rule in rules if find_obstacle(rule) is None]


def find_obstacle(rule: Rule) -> str | None:
    """Why a rule cannot be compiled; None if it can."""
    for phrase in (*rule.phrases, *rule.not_before, *rule.not_after):
        try:
            to_pattern(phrase)
        except BadPhrase as reason:
            return f"phrase {phrase[:_SHOWN]!r}: {reason}"
    if rule.pattern is None:
        return None
    try:
        if compile_phrase(rule.pattern).search(b""):
            return "the pattern matches the empty text"
    except (ValueError, re.error) as error:
        return f"the pattern is not a regular expression: {error}"
    return None


def to_rule_value(rule: Rule) -> dict[str, Any]:
    """A rule as a JSON value in the names of the rulebook, with its language, signal and rulebook."""
    value: dict[str, Any] = {name: getattr(rule, name) for name in _SHOWN_FIELDS}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in value.items()}

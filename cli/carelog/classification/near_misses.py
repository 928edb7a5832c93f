"""What rules just missed in one interaction: the nearest rule of a label, and why it did not count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from carelog.classification import segments as seg
from carelog.classification.classifier import Classifier, Measured
from carelog.classification.clauses import trim
from carelog.classification.guards import REACH, WORDS_AFTER, WORDS_BEFORE
from carelog.classification.normal import normalize_many
from carelog.classification.patterns import compile_phrase, to_pattern
from carelog.classification.rulebook import Rule

SEARCHED = 64 * 1024
"""So many bytes of the normal form, from its start, are searched for near misses: a hint is not worth minutes of a megabyte."""
MOST_PLACES = 8
"""So many places of one phrase are looked at for what failed there."""
_CLAUSE_ENDS = bytes.maketrans(b".?", b"  ")
_NOT_APART = re.compile("[\u0e00-\u0e7f]|[^\x00-\u1fff\u2c00-\ufaff]")
"""Thai, and signs without borders such as emoji: they stand in the text without spaces around them."""


@dataclass(frozen=True)
class Searched:
    """One record as near misses are looked for in it; its words are taken apart once for all labels."""

    measured: Measured
    classifier: Classifier
    record: pa.RecordBatch
    language: str | None

    @cached_property
    def data(self) -> bytes:
        """The start of the normal form, up to the end of a word."""
        data = self.measured.form.data
        return data if len(data) <= SEARCHED else data[: data.rfind(b" ", 0, SEARCHED) + 1] or data[:SEARCHED]

    @cached_property
    def softened(self) -> bytes:
        """The same with spaces where clauses end."""
        return self.data.translate(_CLAUSE_ENDS)

    @cached_property
    def words(self) -> frozenset[bytes]:
        """The words that are in it."""
        return frozenset(self.softened.split())

    @cached_property
    def counted(self) -> dict[int, int]:
        """The rules that matched and counted, each with its first match."""
        rules, first = np.unique(self.measured.matches.rules, return_index=True)
        return dict(zip(rules.tolist(), first.tolist(), strict=True))

    @cached_property
    def rules_of(self) -> dict[str, list[int]]:
        """The rules that speak for each label, those of the record's language first."""
        found: dict[str, list[int]] = {}
        rules = self.classifier.rules
        for at in sorted(range(len(rules)), key=lambda at: (self._is_foreign(rules[at]), rules[at].id)):
            if rules[at].weight > 0:
                found.setdefault(rules[at].label, []).append(at)
        return found

    def _is_foreign(self, rule: Rule) -> bool:
        own = (self.language or "").partition("-")[0]
        return rule.language != "*" and rule.language.partition("-")[0] != own


@dataclass(frozen=True, slots=True)
class _Miss:
    """A rule that did not count: the words that are there, and the conditions that failed."""

    rule: str | None
    words: str
    failed: tuple[str, ...]
    share: float = 1.0


_NOTHING = _Miss(None, "", ("words: nothing of any rule's phrases is in the text",), 0.0)


def find_nearest(label: str, searched: Searched) -> dict[str, Any] | None:
    """The rule of a label that came nearest to matching, and why it did not count; None if the label has no
    rules, `rule` None if of none of them a word is there.

    First rules that matched and counted (then the score is what failed), then those whose words are there
    but a condition does not hold, then the one of whose phrases most words are there; of equals one of the
    record's language.
    """
    places = searched.rules_of.get(label, [])
    if not places:
        return None
    best = _counted(places, searched) or _nearest_of(
        [searched.classifier.rules[at] for at in places], searched
    )
    return {"rule": best.rule, "words": best.words, "failed": list(best.failed)}


def _counted(places: Sequence[int], searched: Searched) -> _Miss | None:
    at = next((at for at in places if at in searched.counted), None)
    if at is None:
        return None
    matches, match = searched.measured.matches, [searched.counted[at]]
    (start,), (end,) = trim(searched.measured.form, matches.starts[match], matches.ends[match])
    words = searched.measured.form.data[start:end].decode("utf-8", "replace")
    return _Miss(searched.classifier.rules[at].id, words, ())


def _nearest_of(rules: Sequence[Rule], searched: Searched) -> _Miss:
    """Of rules that did not count: one with a phrase in the text, else the one of which most words are."""
    there: _Miss | None = None
    apart = _NOTHING
    for rule in rules:
        for phrase, share, words in _shares(rule, searched):
            for miss in _misses(rule, to_pattern(phrase), searched) if share == 1 else ():
                if there is None or len(miss.failed) < len(there.failed):
                    there = miss
            if share > apart.share:
                apart = _Miss(rule.id, words, (_why_apart(phrase, words, share),), share)
        for miss in _misses(rule, rule.pattern, searched) if rule.pattern else ():
            if there is None or len(miss.failed) < len(there.failed):
                there = miss
        # Nothing that did not count can miss by less than one condition.
        if there is not None and len(there.failed) <= 1:
            break
    return there or apart


def _why_apart(phrase: str, words: str, share: float) -> str:
    if share == 1:
        return f"words: those of the phrase {phrase!r} are there, but not next to each other"
    return f"words: of the phrase {phrase!r} only {words!r} is in the text"


def _shares(rule: Rule, searched: Searched) -> Iterator[tuple[str, float, str]]:
    """Each phrase of a rule of which words are in the text: which part of them, and those words."""
    split = [[w.split("|") for w in phrase.split() if w.strip(".")] for phrase in rule.phrases]
    options = [option for words in split for choice in words for option in choice]
    normal = dict(zip(options, normalize_many([o.replace("*", "") for o in options]), strict=True))
    for phrase, words in zip(rule.phrases, split, strict=True):
        there = (next((o for o in choice if _is_there(normal[o], o, searched)), None) for choice in words)
        has = [normal[option].strip(" .?") for option in there if option is not None]
        if has:
            yield phrase, len(has) / len(words), " ".join(has)


def _is_there(normal: str, option: str, searched: Searched) -> bool:
    """Whether all words of an option are in the text; with a `*` or without borders as part of a word."""
    parts = normal.encode().translate(_CLAUSE_ENDS).split()
    if "*" in option or _NOT_APART.search(option):
        return bool(parts) and all(part in searched.data for part in parts)
    return bool(parts) and searched.words.issuperset(parts)


def _misses(rule: Rule, pattern: str, searched: Searched) -> Iterator[_Miss]:
    """The first places of a pattern in the text, each with what failed there."""
    data = searched.data
    for _, found in zip(range(MOST_PLACES), compile_phrase(pattern).finditer(data), strict=False):
        words = found.group().decode("utf-8", "replace").strip(" .?\n")
        segment = int(searched.measured.form.segment_of(np.array([found.end() - 1]))[0])
        failed = [*_failed_conditions(rule, searched, segment), *_failed_guards(rule, data, found)]
        yield _Miss(rule.id, words, tuple(failed))


def _failed_conditions(rule: Rule, searched: Searched, segment: int) -> Iterator[str]:
    segments, record = searched.measured.segments, searched.record
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
    # No word of a guard that counts stands farther away.
    first, last = max(found.start() - 4 * REACH, 0), found.end() + 4 * REACH
    for word in rule.not_before:
        spans = _all_of(word, data, first, last)
        if any(_is_near(data, m.end(), found.start(), WORDS_BEFORE) for m in spans):
            yield f"negation: {word!r} stands before it"
            return
    for word in rule.not_after:
        spans = _all_of(word, data, first, last)
        if any(_is_near(data, found.end(), m.start(), WORDS_AFTER) for m in spans):
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


def _all_of(phrase: str, data: bytes, first: int, last: int) -> Iterator[re.Match[bytes]]:
    return compile_phrase(to_pattern(phrase)).finditer(data, first, last)

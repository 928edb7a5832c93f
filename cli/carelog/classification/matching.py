"""All rules of all languages, compiled once and matched over a whole batch in one pass."""

from __future__ import annotations

import hashlib
import math
import platform
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import product

import hyperscan
import numpy as np
import numpy.typing as npt

from carelog.classification.normal import NormalForm
from carelog.classification.patterns import to_patterns
from carelog.classification.rulebook import Rule
from carelog.errors import UsageProblem
from carelog.resources import cached_bytes

Places = npt.NDArray[np.int64]

WORDS_BEFORE, WORDS_AFTER = 3, 2
"""How many words may stand between a guard and the match that it voids."""
REACH = 60
"""How many bytes, at most: in Thai, which writes no spaces, twenty letters."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The negation guards of a rule: ids of the words that must not stand before, or after, its matches."""

    rule: int
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Expressions:
    """What is compiled: distinct patterns, and whose they are.

    `owners[i]` are the rules that have pattern i; numbers from `words` on are the words of guards. `lengths[i]` is the
    length of all its matches in bytes, 0 where that varies (a phrase with a gap).
    """

    texts: tuple[str, ...]
    owners: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...]
    words: int
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """Where rules matched, ordered by segment, rule and end: `rules[i]` ended at `ends[i]` (half open) in `segments[i]`.

    Where a phrase has a gap (`gapped`), `starts` is some words back: no earlier start is known.
    """

    rules: npt.NDArray[np.int32]
    starts: Places
    ends: Places
    segments: Places
    gapped: npt.NDArray[np.bool_]

    def where(self, mask: npt.NDArray[np.bool_]) -> Matches:
        """The matches that the mask keeps."""
        return Matches(
            self.rules[mask], self.starts[mask], self.ends[mask], self.segments[mask], self.gapped[mask]
        )


def rule_patterns(rule: Rule) -> list[str]:
    """The patterns of a rule: one per phrase, and its own."""
    return [*to_patterns(rule.phrases), *([rule.pattern] if rule.pattern else [])]


def to_expressions(rules: Sequence[Rule]) -> Expressions:
    """The expressions of the rules; a rule's place in the sequence is its number. BadPhrase is a ValueError."""
    phrases = list(dict.fromkeys(p for r in rules for p in (*r.phrases, *r.not_before, *r.not_after)))
    patterns = dict(zip(phrases, map(to_scanned, to_patterns(phrases)), strict=True))
    owners: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        own = [text for p in rule.phrases for text in patterns[p]]
        own += [soften(rule.pattern)] if rule.pattern else []
        for pattern in dict.fromkeys(own):
            owners.setdefault(pattern, []).append(number)
    words: dict[tuple[str, ...], int] = {}

    def identify(phrases: Sequence[str]) -> tuple[int, ...]:
        return tuple(len(rules) + words.setdefault(patterns[p], len(words)) for p in phrases)

    guarded = [n for n, r in enumerate(rules) if r.not_before or r.not_after]
    guards = tuple(Guard(n, identify(rules[n].not_before), identify(rules[n].not_after)) for n in guarded)
    for texts_of_word, place in words.items():
        for pattern in texts_of_word:
            owners.setdefault(pattern, []).append(len(rules) + place)
    texts = tuple(owners)
    lengths = tuple(fixed_length(t) for t in texts)
    return Expressions(texts, tuple(tuple(owners[t]) for t in texts), lengths, len(rules), guards)


_CHOICE = re.compile(r"(\(\?:[^()]*\)(?!\{)| \?)")
_MOST_SPELLINGS = 64


def soften(pattern: str) -> str:
    """A pattern over the normal form as one over the scanned text, in which the ends of clauses are spaces too."""
    return pattern.replace("[^ .?\\n]", "[^ \\n]").replace("[ .?]", " ").replace("[ ]", " ")


def to_scanned(pattern: str) -> tuple[str, ...]:
    """A phrase's pattern as what is scanned: each spelling of its choices by itself.

    Texts without any choice compile ten times faster, scan three times faster and tell where they start.
    """
    soft = soften(pattern)
    if "{" in soft:
        return (soft,)
    parts = [
        [" ", ""] if part == " ?" else part[3:-1].split("|") if part.startswith("(?:") else [part]
        for part in _CHOICE.split(soft)
    ]
    if math.prod(map(len, parts)) > _MOST_SPELLINGS:
        return (soft,)
    return tuple("".join(spelling) for spelling in product(*parts))


_UNIT = r"\\x[0-9a-f]{2}|[0-9A-Za-z ]"
_UNITS = re.compile(_UNIT)
_ONLY_UNITS = re.compile(f"(?:{_UNIT})+")


def fixed_length(pattern: str) -> int:
    """How many bytes every match of a scanned pattern has; 0 where that varies or cannot be told."""
    return len(_UNITS.findall(pattern)) if _ONLY_UNITS.fullmatch(pattern) else 0


def _cache_key(expressions: Expressions) -> str:
    content = repr((expressions.texts, version("hyperscan"), platform.machine())).encode()
    return f"patterns-{hashlib.sha256(content).hexdigest()[:32]}.hs"


def compile_expressions(expressions: Expressions) -> hyperscan.Database:
    """The hyperscan database, from the private cache where it lies there. UsageProblem names a pattern that fails."""
    serialised = cached_bytes(_cache_key(expressions), lambda: hyperscan.dumpb(_compile(expressions)))
    database = hyperscan.loadb(serialised, hyperscan.HS_MODE_BLOCK)
    database.scratch = hyperscan.Scratch(database)
    return database


_NEVER = r"\xff\xfe"
"""Matches no UTF-8: hyperscan refuses to compile nothing."""


def _compile(expressions: Expressions) -> hyperscan.Database:
    # No start-of-match flag: it triples the database. Nearly all phrases have one length, so the end tells the start.
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    texts = expressions.texts or (_NEVER,)
    count = len(texts)
    try:
        database.compile(
            expressions=[t.encode("ascii") for t in texts],
            ids=list(range(count)),
            elements=count,
            flags=[hyperscan.HS_FLAG_DOTALL] * count,
        )
    except hyperscan.HyperscanError as error:
        raise UsageProblem(
            f"a pattern of the rulebooks cannot be compiled: {error}", "`carelog rules check` names it"
        ) from error
    return database


_WORDS_BACK = 5


def _starts_of_gapped(form: NormalForm, ends: Places) -> Places:
    """Where matches of patterns with gaps start at the latest: some words back, in the same clause."""
    data = np.frombuffer(form.data, np.uint8)
    separators = np.flatnonzero((data == 0x20) | (data == 0x2E) | (data == 0x3F) | (data == 0x0A))
    breaks = np.flatnonzero((data == 0x2E) | (data == 0x3F) | (data == 0x0A))
    at = np.searchsorted(separators, ends - 1, side="left")
    far = separators[np.maximum(at - _WORDS_BACK, 0)]
    clause = np.searchsorted(breaks, ends - 1, side="left") - 1
    near = np.where(clause >= 0, breaks[np.maximum(clause, 0)], 0)
    return np.minimum(np.maximum(np.maximum(far, near), ends - 150), ends - 1)


_CLAUSE_ENDS = bytes.maketrans(b".?", b"  ")


def _within_clause(form: NormalForm, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    """Which spans have no end of a clause inside (at their edges it is a border of a word); spans without a start pass."""
    data = np.frombuffer(form.data, np.uint8)
    stops = np.flatnonzero((data == 0x2E) | (data == 0x3F))
    inside: npt.NDArray[np.bool_] = np.searchsorted(stops, starts + 1) == np.searchsorted(stops, ends - 1)
    return inside | (starts < 0)


def scan(database: hyperscan.Database, expressions: Expressions, form: NormalForm) -> Matches:
    """Every match of every rule, guards applied, each (rule, segment, end) once."""
    found = array("q")
    add = found.append

    def on_match(identity: int, start: int, end: int, flags: int, context: object) -> None:
        add(identity << 40 | end)

    if form.data and expressions.texts:
        database.scan(form.data.translate(_CLAUSE_ENDS), match_event_handler=on_match)
    if not found:
        none = np.zeros(0, np.int64)
        return Matches(none.astype(np.int32), none, none, none, none.astype(bool))
    packed = np.frombuffer(found, np.int64)
    identities, ends = packed >> 40, packed & ((1 << 40) - 1)
    length = np.array(expressions.lengths, np.int64)[identities]
    starts = np.where(length > 0, ends - length, -1)
    whole = _within_clause(form, starts, ends)
    identities, ends, length, starts = identities[whole], ends[whole], length[whole], starts[whole]
    gapped = np.flatnonzero(length == 0)
    starts[gapped] = _starts_of_gapped(form, ends[gapped])
    rules, at = _owned_by(expressions, identities)
    matches = _in_order(rules, starts[at], ends[at], (length == 0)[at], form)
    return _apply_guards(matches, expressions, form)


@lru_cache(maxsize=4)
def _flat_owners(owners: tuple[tuple[int, ...], ...]) -> tuple[Places, npt.NDArray[np.int32]]:
    """How many rules have each pattern, and these rules one after another; kept, since every batch asks."""
    counts = np.array([len(o) for o in owners], np.int64)
    return counts, np.array([n for o in owners for n in o], np.int32)


def _owned_by(expressions: Expressions, identities: Places) -> tuple[npt.NDArray[np.int32], Places]:
    """The rules that matched, and for each the place of the match among the identities."""
    counts, flat = _flat_owners(expressions.owners)
    first = np.cumsum(counts) - counts
    size = counts[identities]
    at = np.repeat(np.arange(len(identities)), size)
    within = np.arange(len(at)) - np.repeat(np.cumsum(size) - size, size)
    return flat[first[identities[at]] + within], at


def _in_order(
    rules: npt.NDArray[np.int32],
    starts: Places,
    ends: Places,
    gapped: npt.NDArray[np.bool_],
    form: NormalForm,
) -> Matches:
    """Matches by segment, rule and end; where several phrases of a rule end together the longest stands for them."""
    segments = form.segment_of(ends - 1)
    order = np.lexsort((starts, ends, rules, segments))
    rules, starts, ends, segments = rules[order], starts[order], ends[order], segments[order]
    first = np.concatenate([[True], (rules[1:] != rules[:-1]) | (ends[1:] != ends[:-1])])
    return Matches(rules[first], starts[first], ends[first], segments[first], gapped[order][first])


def _apply_guards(matches: Matches, expressions: Expressions, form: NormalForm) -> Matches:
    """Drop the matches that have one of their rule's guard words up to WORDS_BEFORE words before or WORDS_AFTER after."""
    is_word = matches.rules >= expressions.words
    if not is_word.any():
        return matches
    words, counted = matches.where(is_word), matches.where(~is_word)
    data = np.frombuffer(form.data, np.uint8)
    separators = np.flatnonzero((data == 0x20) | (data == 0x2E) | (data == 0x3F) | (data == 0x0A))
    void = np.zeros(len(counted.rules), bool)
    for guard in expressions.guards:
        mine = np.flatnonzero(counted.rules == guard.rule)
        if not len(mine):
            continue
        starts, ends = counted.starts[mine], counted.ends[mine]
        # In a phrase with a gap the negation may stand in the gap.
        starts = np.where(counted.gapped[mine], ends - 1, starts)
        slack = np.where(counted.gapped[mine], _WORDS_BACK, 0)
        for ids, before in ((guard.before, True), (guard.after, False)):
            chosen = np.isin(words.rules, ids)
            if chosen.any():
                near = _stands_near(
                    words.where(chosen), counted.segments[mine], starts, ends, separators, before, slack
                )
                void[mine] |= near
    return counted.where(~void)


def _stands_near(
    words: Matches,
    segments: Places,
    starts: Places,
    ends: Places,
    separators: Places,
    before: bool,
    slack: Places,
) -> npt.NDArray[np.bool_]:
    """For each span of a segment: whether one of the words stands near before (or after) it, in the same segment.

    `slack` is how many words more may stand between, by span.
    """
    edges = np.sort(words.ends if before else words.starts)
    # a word may share its separator with the span, hence the one byte of overlap
    at = (
        np.searchsorted(edges, starts + 1, side="right") - 1
        if before
        else np.searchsorted(edges, ends - 1, side="left")
    )
    inside = (at >= 0) & (at < len(edges))
    edge = edges[np.clip(at, 0, len(edges) - 1)]
    low, high = (edge, starts) if before else (ends, edge)
    order = np.argsort(words.ends if before else words.starts, kind="stable")
    same = words.segments[order][np.clip(at, 0, len(edges) - 1)] == segments
    between = np.searchsorted(separators, high) - np.searchsorted(separators, low)
    near = (between <= (WORDS_BEFORE if before else WORDS_AFTER) + slack) & (high - low <= REACH + 8 * slack)
    result: npt.NDArray[np.bool_] = inside & same & near
    return result

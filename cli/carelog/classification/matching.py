"""All rules of all languages, compiled once and matched over a whole batch in one pass."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass

import hyperscan
import numpy as np
import numpy.typing as npt

from carelog.classification.normal import NormalForm
from carelog.classification.patterns import to_guard_after, to_guard_before, to_pattern
from carelog.classification.rulebook import Rule
from carelog.errors import UsageProblem
from carelog.resources import cached_bytes

Places = npt.NDArray[np.int64]

_AFTER_REACH = 120
"""How many bytes after a phrase its negation may end (three words of an Indic script)."""


@dataclass(frozen=True, slots=True)
class Expressions:
    """What is compiled: `texts[i]` reports as `ids[i]`; ids from `guards` on are the
    guards of rule `guarded[(id - guards) // 2]`: even ones look before the phrase, odd ones after it."""

    texts: tuple[str, ...]
    ids: tuple[int, ...]
    guards: int
    guarded: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """Where rules matched, ordered by segment, rule and end: `rules[i]` ended at `ends[i]` (half open) in `segments[i]`."""

    rules: npt.NDArray[np.int32]
    starts: Places
    ends: Places
    segments: Places

    def where(self, mask: npt.NDArray[np.bool_]) -> Matches:
        """The matches that the mask keeps."""
        return Matches(self.rules[mask], self.starts[mask], self.ends[mask], self.segments[mask])


def rule_patterns(rule: Rule) -> list[str]:
    """The patterns of a rule: one per phrase, and its own."""
    own = [rule.pattern] if rule.pattern else []
    return [to_pattern(p) for p in rule.phrases] + own


def to_expressions(rules: Sequence[Rule]) -> Expressions:
    """The expressions of the rules; a rule's place in the sequence is its id. BadPhrase is a ValueError."""
    texts: list[str] = []
    ids: list[int] = []
    guarded: list[int] = []

    def add(patterns: list[str], number: int) -> None:
        distinct = list(dict.fromkeys(patterns))
        texts.extend(distinct)
        ids.extend([number] * len(distinct))

    for number, rule in enumerate(rules):
        add(rule_patterns(rule), number)
    for number, rule in enumerate(rules):
        if rule.not_before or rule.not_after:
            guard = len(rules) + 2 * len(guarded)
            add([to_guard_before(w, p) for w in rule.not_before for p in rule.phrases], guard)
            add([to_guard_after(w, p) for w in rule.not_after for p in rule.phrases], guard + 1)
            guarded.append(number)
    return Expressions(tuple(texts), tuple(ids), len(rules), tuple(guarded))


def compile_expressions(expressions: Expressions) -> hyperscan.Database:
    """The hyperscan database, from the private cache where it lies there. UsageProblem names a pattern that fails."""
    content = repr((expressions, hyperscan.__version__, platform.machine(), 2)).encode()
    key = f"patterns-{hashlib.sha256(content).hexdigest()[:32]}.hs"
    serialised = cached_bytes(key, lambda: hyperscan.dumpb(_compile(expressions)))
    database = hyperscan.loadb(serialised, hyperscan.HS_MODE_BLOCK)
    database.scratch = hyperscan.Scratch(database)
    return database


def _compile(expressions: Expressions) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = [
        hyperscan.HS_FLAG_DOTALL | (hyperscan.HS_FLAG_SOM_LEFTMOST if _tells_start(t, i, expressions) else 0)
        for t, i in zip(expressions.texts, expressions.ids, strict=True)
    ]
    try:
        database.compile(
            expressions=[t.encode("ascii") for t in expressions.texts],
            ids=list(expressions.ids),
            elements=len(expressions.texts),
            flags=flags,
        )
    except hyperscan.HyperscanError as error:
        raise UsageProblem(
            f"a pattern of the rulebooks cannot be compiled: {error}", "`carelog rules check` names it"
        ) from error
    return database


def _tells_start(text: str, identity: int, expressions: Expressions) -> bool:
    """Whether hyperscan can tell where matches of a pattern start: with gaps in it the automaton would be too large."""
    return identity < expressions.guards and "{" not in text and "*" not in text


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


def scan(database: hyperscan.Database, expressions: Expressions, form: NormalForm) -> Matches:
    """Every match of every rule, guards applied, each (rule, segment, end) once."""
    found: list[tuple[int, int, int]] = []
    add = found.append

    def on_match(rule: int, start: int, end: int, flags: int, context: object) -> None:
        add((rule, start, end))

    if form.data:
        database.scan(form.data, match_event_handler=on_match)
    if not found:
        none = np.zeros(0, np.int64)
        return Matches(none.astype(np.int32), none, none, none)
    table = np.array(found, np.int64)
    unknown = (table[:, 1] == 0) & (table[:, 0] < expressions.guards)
    table[unknown, 1] = _starts_of_gapped(form, table[unknown, 2])
    segments = form.segment_of(table[:, 2] - 1)
    order = np.lexsort((table[:, 1], table[:, 2], table[:, 0], segments))
    table, segments = table[order], segments[order]
    same = (table[1:, 0] == table[:-1, 0]) & (table[1:, 2] == table[:-1, 2])
    first = np.concatenate([[True], ~same])
    matches = Matches(table[first, 0].astype(np.int32), table[first, 1], table[first, 2], segments[first])
    return _apply_guards(matches, expressions)


def _apply_guards(matches: Matches, expressions: Expressions) -> Matches:
    """Drop the matches whose rule's guard ended with them (a negation before) or soon after (a negation after)."""
    is_guard = matches.rules >= expressions.guards
    if not is_guard.any():
        return matches
    number = matches.rules[is_guard] - expressions.guards
    owner = np.array(expressions.guarded, np.int64)[number // 2]
    void = np.zeros(len(matches.rules), bool)
    for kind, reach in ((0, 0), (1, _AFTER_REACH)):
        chosen = number % 2 == kind
        if chosen.any():
            void |= _ends_near(matches, owner[chosen], matches.ends[is_guard][chosen], reach)
    return matches.where(~is_guard & ~void)


def _ends_near(matches: Matches, rules: Places, ends: Places, reach: int) -> npt.NDArray[np.bool_]:
    """Which matches have one of the (rule, end) pairs of their own rule at their end or up to `reach` bytes after."""
    width = np.int64(1) << 40
    keys = np.sort(rules * width + ends)
    wanted = matches.rules.astype(np.int64) * width + matches.ends
    at = np.minimum(np.searchsorted(keys, wanted, side="left"), len(keys) - 1)
    near = keys[at] - wanted
    return (near >= 0) & (near <= reach)

"""All rules of all languages, compiled once and matched over a whole batch in one pass."""

from __future__ import annotations

import hashlib
import platform
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import hyperscan
import numpy as np
import numpy.typing as npt

from carelog.classification.chains import ChainBuilder, Chains, join_parts
from carelog.classification.gaps import to_parts
from carelog.classification.guards import WORDS_BACK, Guards, Spans, find_void, to_guards
from carelog.classification.normal import NormalForm
from carelog.classification.patterns import to_patterns
from carelog.classification.ragged import Ragged
from carelog.classification.rulebook import Rule
from carelog.classification.walks import WalkBuilder, Walks, to_walk, walk_from
from carelog.classification.words import Words, WordTable, is_word
from carelog.errors import UsageProblem
from carelog.resources import cached_bytes

Places = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Expressions:
    """What is compiled: distinct patterns, and whose they are.

    Patterns are numbered: first `texts`, which are scanned for (none where they were compiled before), then those that are one
    whole word, in `vocabulary`. `owners` are the rules that have pattern i as a whole phrase; `walks` and `chains` are the phrases
    that are joined of parts. Rules from `words` on are the words of guards. `lengths[i]` is the length of all matches of pattern i
    in bytes, 0 where that varies.
    """

    texts: tuple[str, ...]
    vocabulary: WordTable
    owners: Ragged
    lengths: Places
    walks: Walks
    chains: Chains
    words: int
    guards: Guards


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
    scanned = dict(zip(phrases, map(soften, to_patterns(phrases)), strict=True))
    words: dict[str, int] = {}
    guards = to_guards(rules, lambda phrase: words.setdefault(scanned[phrase], len(words)))
    owned: dict[str, dict[int, None]] = {}
    for number, rule in enumerate(rules):
        for phrase in rule.phrases:
            owned.setdefault(scanned[phrase], {})[number] = None
    for pattern, word in words.items():
        owned.setdefault(pattern, {})[len(rules) + word] = None
    whole, walks, chains = _share_out(owned)
    for number, rule in enumerate(rules):
        if rule.pattern:
            text = soften(rule.pattern)
            whole[text] = whole.get(text, {}) | {number: None}
    found = dict.fromkeys([*whole, *walks.literals, *chains.of_literal])
    scanned_for = tuple(text for text in found if not is_word(text))
    alone = [text for text in found if is_word(text)]
    texts = (*scanned_for, *alone)
    return Expressions(
        scanned_for,
        WordTable.of(alone, len(scanned_for)),
        Ragged.of([list(whole.get(t, ())) for t in texts]),
        np.array([fixed_length(t) for t in texts], np.int64),
        walks.build(texts),
        chains.build(texts),
        len(rules),
        guards,
    )


Owners = dict[str, dict[int, None]]
"""Patterns, each with its owners in order (a dict, since a list would be searched for each)."""


def _share_out(owned: Owners) -> tuple[Owners, WalkBuilder, ChainBuilder]:
    """Patterns of phrases as what is scanned: the spellings of whole phrases, and phrases that are joined of parts.

    Texts without any choice or gap compile ten times faster, scan three times faster and tell where they start.
    """
    whole: Owners = {}
    walks, chains = WalkBuilder(), ChainBuilder()
    for pattern, owners in owned.items():
        parts = to_parts(pattern) or ()
        walk = to_walk(parts) if len(parts) > 1 else None
        if walk is not None:
            walks.add(walk, owners)
        elif len(parts) > 1:
            chains.add(parts, owners)
        else:
            for text in parts[0].spellings if parts else (pattern,):
                # Most have one phrase: its owners are shared, not copied, for there are a hundred thousand texts.
                whole[text] = whole[text] | owners if text in whole else owners
    return whole, walks, chains


def soften(pattern: str) -> str:
    """A pattern over the normal form as one over the scanned text, in which the ends of clauses are spaces too."""
    return pattern.replace("[^ .?\\n]", "[^ \\n]").replace("[ .?]", " ").replace("[ ]", " ")


_ONLY_UNITS = re.compile(r"(?:\\x[0-9a-f]{2}|[0-9A-Za-z ])+")


def fixed_length(pattern: str) -> int:
    """How many bytes every match of a scanned pattern has; 0 where that varies or cannot be told."""
    return len(pattern) - 3 * pattern.count("\\x") if _ONLY_UNITS.fullmatch(pattern) else 0


def _cache_key(expressions: Expressions) -> str:
    content = repr((expressions.texts, version("hyperscan"), platform.machine())).encode()
    return f"patterns-{hashlib.sha256(content).hexdigest()[:32]}.hs"


def compile_expressions(expressions: Expressions) -> hyperscan.Database:
    """The hyperscan database, from the private cache where it lies there. UsageProblem names a pattern that fails."""
    return load_database(
        cached_bytes(_cache_key(expressions), lambda: hyperscan.dumpb(compile_database(expressions)))
    )


def load_database(serialised: bytes) -> hyperscan.Database:
    """A database as `hyperscan.dumpb` gave it, ready to scan."""
    database = hyperscan.loadb(serialised, hyperscan.HS_MODE_BLOCK)
    database.scratch = hyperscan.Scratch(database)
    return database


_NEVER = r"\xff\xfe"
"""Matches no UTF-8: hyperscan refuses to compile nothing."""


def compile_database(expressions: Expressions) -> hyperscan.Database:
    """The hyperscan database, made anew. UsageProblem names a pattern that fails."""
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


def _starts_of_gapped(form: NormalForm, ends: Places) -> Places:
    """Where matches of phrases with gaps start at the latest: some words back, in the same clause."""
    at = np.searchsorted(form.separators, ends - 1, side="left")
    far = form.separators[np.maximum(at - WORDS_BACK, 0)]
    clause = np.searchsorted(form.breaks, ends - 1, side="left") - 1
    near = np.where(clause >= 0, form.breaks[np.maximum(clause, 0)], 0)
    return np.minimum(np.maximum(np.maximum(far, near), ends - 150), ends - 1)


_CLAUSE_ENDS = bytes.maketrans(b".?", b"  ")
_BITS = 40
_PLACE = (1 << _BITS) - 1


def _find(database: hyperscan.Database, expressions: Expressions, words: Words) -> tuple[Places, Places]:
    """The patterns that match somewhere, and where each match ends."""
    found = array("q")
    add = found.append

    def on_match(identity: int, start: int, end: int, flags: int, context: object) -> None:
        add(identity << _BITS | end)

    if words.form.data and len(expressions.lengths):
        database.scan(words.form.data.translate(_CLAUSE_ENDS), match_event_handler=on_match)
    packed = np.frombuffer(found, np.int64) if found else np.zeros(0, np.int64)
    patterns, ends = expressions.vocabulary.find(words)
    return np.concatenate([packed >> _BITS, patterns]), np.concatenate([packed & _PLACE, ends])


def scan(database: hyperscan.Database, expressions: Expressions, form: NormalForm) -> Matches:
    """Every match of every rule, guards applied, each (rule, segment, end) once."""
    words = Words(form)
    identities, ends = _find(database, expressions, words)
    rules, starts, stops = _whole_phrases(expressions, form, identities, ends)
    joined = [
        walk_from(expressions.walks, identities, expressions.lengths[identities], ends, words),
        _joined_phrases(expressions.chains, form, identities, ends, expressions.lengths),
    ]
    joined_rules, joined_stops = (np.concatenate(parts) for parts in zip(*joined, strict=True))
    gapped = np.concatenate([starts < 0, np.ones(len(joined_rules), bool)])
    rules = np.concatenate([rules, joined_rules])
    starts = np.concatenate([starts, np.full(len(joined_rules), -1)])
    stops = np.concatenate([stops, joined_stops])
    starts[gapped] = _starts_of_gapped(form, stops[gapped])
    is_guard = rules >= expressions.words
    counted = _in_order(rules[~is_guard], starts[~is_guard], stops[~is_guard], gapped[~is_guard], form)
    against = (rules[is_guard] - expressions.words, starts[is_guard], stops[is_guard])
    return _apply_guards(counted, against, expressions.guards, form)


def _whole_phrases(
    expressions: Expressions, form: NormalForm, identities: Places, ends: Places
) -> tuple[Places, Places, Places]:
    """Rules, starts (-1 where unknown) and ends of the phrases that were found whole, in one clause."""
    rules, at = expressions.owners.spread(identities)
    ends, length = ends[at], expressions.lengths[identities[at]]
    starts = np.where(length > 0, ends - length, -1)
    # At the edges of a phrase the end of a clause is a border of a word.
    one = np.searchsorted(form.stops, starts + 1) == np.searchsorted(form.stops, ends - 1)
    one |= starts < 0
    return rules[one], starts[one], ends[one]


def _joined_phrases(
    chains: Chains, form: NormalForm, identities: Places, ends: Places, lengths: Places
) -> tuple[Places, Places]:
    """Rules and ends of the phrases that were found in parts."""
    nodes, at = chains.nodes.spread(identities)
    part, stops = identities[at], ends[at]
    starts = stops - lengths[part] + chains.leads[part]
    done = join_parts(chains, nodes, starts, stops - chains.trails[part], form)
    rules, at = chains.owners.spread(nodes[done])
    return rules, stops[done][at]


def _in_order(rules: Places, starts: Places, ends: Places, gapped: Bools, form: NormalForm) -> Matches:
    """Matches by segment, rule and end; where several phrases of a rule end together the longest stands for them."""
    segments = form.segment_of(ends - 1)
    order = np.lexsort((starts, ends, segments << 20 | rules))
    rules, starts, ends, segments = rules[order], starts[order], ends[order], segments[order]
    first = np.ones(len(rules), bool)
    first[1:] = (rules[1:] != rules[:-1]) | (ends[1:] != ends[:-1])
    return Matches(
        rules[first].astype(np.int32), starts[first], ends[first], segments[first], gapped[order][first]
    )


def _apply_guards(
    counted: Matches, words: tuple[Places, Places, Places], guards: Guards, form: NormalForm
) -> Matches:
    """Drop the matches that have one of their rule's words too near before or after them."""
    mine = np.flatnonzero(guards.guarded[counted.rules])
    if not (len(mine) and len(words[0])):
        return counted
    asked = np.zeros(len(form.ends), bool)
    asked[counted.segments[mine]] = True
    near = asked[form.segment_of(words[2] - 1)]
    numbers, begin, end = (w[near] for w in words)
    there = _in_order(numbers, begin, end, np.zeros(len(numbers), bool), form)
    gapped = counted.gapped[mine]
    # In a phrase with a gap the negation may stand in the gap.
    starts = np.where(gapped, counted.ends[mine] - 1, counted.starts[mine])
    spans = Spans(counted.rules[mine].astype(np.int64), starts, counted.ends[mine], counted.segments[mine])
    stand = Spans(there.rules.astype(np.int64), there.starts, there.ends, there.segments)
    kept = np.ones(len(counted.rules), bool)
    kept[mine] = ~find_void(guards, spans, np.where(gapped, WORDS_BACK, 0), stand, form)
    return counted.where(kept)

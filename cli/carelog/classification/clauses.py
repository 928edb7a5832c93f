"""Which clause of a segment speaks most for a label: what is shown of a message as the reason of a learned vote."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from carelog.classification.classifier import Measured
from carelog.classification.lexicon import LEXICAL_SLOTS
from carelog.classification.normal import NormalForm
from carelog.classification.ragged import write_out
from carelog.classification.tokens import IS_SEPARATOR

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

CLAUSE_REACH = 72
"""How far, in bytes to each side, a learned vote's clause is shown."""

_SEPARATORS_BETWEEN = 3
"""So many separators stand between two texts: what begins at the first of them begins in the text behind."""
LOOKED_AT = 1 << 13
"""Of a text so many words are looked at, at most, for the clause to show."""
_STRIDE = 1 << 12
"""So many words are weighed at a time: what they have learned stays in the processor's cache, and memory low."""


def trim(form: NormalForm, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Spans without the separators at their edges."""
    data = np.frombuffer(form.data, np.uint8)
    for _ in range(_SEPARATORS_BETWEEN):
        starts = starts + (IS_SEPARATOR[data[starts]] & (starts < ends - 1))
        ends = ends - (IS_SEPARATOR[data[ends - 1]] & (starts < ends - 1))
    return starts, np.maximum(ends, starts + 1)


def best_of_each(group: Ints, vote: Floats) -> Ints:
    """Per group the place of the highest vote, of equals the first; groups stand together."""
    if not len(group):
        return np.zeros(0, np.int64)
    vote = np.round(vote, 4)
    heads = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    sizes = np.diff(np.concatenate([heads, [len(group)]]))
    best = np.flatnonzero(vote == np.repeat(np.maximum.reduceat(vote, heads), sizes))
    of = group[best]
    firsts: Ints = best[np.concatenate([[True], of[1:] != of[:-1]])]
    return firsts


def strongest_clauses(measured: Measured, segments: Ints, outputs: Ints) -> tuple[Ints, Ints]:
    """In each segment the clause whose words vote most for an output; a short segment is shown whole."""
    ends = measured.form.ends
    first = np.where(segments > 0, ends[np.maximum(segments - 1, 0)] + 1, 0)
    start, end = trim(measured.form, first, ends[segments])
    long = np.flatnonzero(end - start > 2 * CLAUSE_REACH)
    if len(long):
        start[long], end[long] = _strongest_of_long(measured, segments[long], outputs[long])
    return start, end


def _strongest_of_long(measured: Measured, segments: Ints, outputs: Ints) -> tuple[Ints, Ints]:
    spoken, tokens = measured.spoken, measured.spoken.tokens
    distinct, own = np.unique(segments, return_inverse=True)
    heads, counts, firsts = _clauses(measured, distinct)
    chosen = firsts[own]
    several = np.flatnonzero(firsts[own + 1] - chosen > 1)
    votes, pair, clause = _clause_votes(measured, heads, counts, firsts, own[several], outputs[several])
    chosen[several] = clause[best_of_each(pair, votes)]
    # All of a short clause is shown. Of a long one the part around the word that says most.
    at = heads[chosen]
    last = at + counts[chosen] - 1
    long = np.flatnonzero(tokens.starts[last] + tokens.lengths[last] - tokens.starts[at] > CLAUSE_REACH)
    run, token = write_out(at[long], counts[chosen[long]])
    votes = _word_votes(measured, token, output_weights(measured, outputs[long]), run)
    at[long] = token[best_of_each(run, votes * spoken.scales[tokens.segments[token]])]
    return clause_around(measured.form, tokens.starts[at], tokens.starts[at] + tokens.lengths[at])


def _word_votes(measured: Measured, tokens: Ints, weights: Floats, run: Ints) -> Floats:
    """What each word says for an output, before it is scaled; `run` is the row of `weights` for each."""
    votes = np.empty(len(tokens), np.float32)
    for low in range(0, len(tokens), _STRIDE):
        part = slice(low, low + _STRIDE)
        vectors = _vectors(measured, tokens[part])
        votes[part] = np.einsum("ij,ij->i", vectors, weights.take(run[part], axis=0))
    return votes


def _vectors(measured: Measured, tokens: Ints) -> Floats:
    """What the words at these places have learned, tokens × rank."""
    spoken = measured.spoken
    slots = measured.word_slots[spoken.tokens.segments[tokens]]
    flat = spoken.table.vectors.reshape(-1, spoken.table.lexicon.rank)
    vectors: Floats = flat.take(spoken.rows_of_tokens[tokens] * len(LEXICAL_SLOTS) + slots, axis=0)
    return vectors


def output_weights(measured: Measured, outputs: Ints) -> Floats:
    """What turns vectors into log-odds of an output each, outputs × rank."""
    weights: Floats = np.ascontiguousarray(measured.spoken.table.lexicon.projection.T).take(outputs, axis=0)
    return weights


def _clauses(measured: Measured, segments: Ints) -> tuple[Ints, Ints, Ints]:
    """The clauses of some segments: each one's first token and number of tokens; and where each segment's clauses begin."""
    tokens = measured.spoken.tokens
    low = np.searchsorted(tokens.segments, segments)
    high = np.searchsorted(tokens.segments, segments, side="right")
    number, token = write_out(low, np.minimum(high - low, LOOKED_AT))
    clause = np.searchsorted(measured.form.breaks, tokens.starts[token], side="right")
    new = np.ones(len(token), bool)
    new[1:] = (number[1:] != number[:-1]) | (clause[1:] != clause[:-1])
    heads = np.flatnonzero(new)
    counts = np.diff(np.concatenate([heads, [len(token)]]))
    return token[heads], counts, np.searchsorted(number[heads], np.arange(len(segments) + 1))


def _clause_votes(
    measured: Measured, heads: Ints, counts: Ints, firsts: Ints, own: Ints, outputs: Ints
) -> tuple[Floats, Ints, Ints]:
    """Log-odds that each clause of a pair's segment adds to the pair's output; with the pair, and the clause."""
    pair, clause = write_out(firsts[own], firsts[own + 1] - firsts[own])
    distinct, place = np.unique(clause, return_inverse=True)
    if not len(distinct):
        return np.zeros(0, np.float32), pair, clause
    sums = _clause_sums(measured, heads[distinct], counts[distinct])
    weights = output_weights(measured, outputs)
    votes = np.empty(len(pair), np.float32)
    for low in range(0, len(pair), _STRIDE):
        part = slice(low, low + _STRIDE)
        votes[part] = np.einsum("ij,ij->i", sums.take(place[part], axis=0), weights.take(pair[part], axis=0))
    return votes, pair, clause


def _clause_sums(measured: Measured, heads: Ints, counts: Ints) -> Floats:
    """What the words of each clause have learned, together and scaled, clauses × rank."""
    begins = np.cumsum(counts) - counts
    cuts = np.unique(np.searchsorted(begins, np.arange(0, int(counts.sum()), _STRIDE)))
    parts = []
    for low, high in pairwise([*cuts[cuts < len(heads)].tolist(), len(heads)]):
        _, token = write_out(heads[low:high], counts[low:high])
        parts.append(np.add.reduceat(_vectors(measured, token), begins[low:high] - begins[low], axis=0))
    sums: Floats = np.concatenate(parts)
    return sums * measured.spoken.scales[measured.spoken.tokens.segments[heads]][:, None]


def clause_around(form: NormalForm, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """The clause in which each span stands, at most CLAUSE_REACH bytes to each side, cut between words."""
    starts, ends = trim(form, starts, ends)
    breaks = form.breaks
    before = np.searchsorted(breaks, starts, side="right") - 1
    low = np.where(before >= 0, breaks[np.maximum(before, 0)] + 1, 0)
    after = np.searchsorted(breaks, ends, side="left")
    high = np.where(after < len(breaks), breaks[np.minimum(after, len(breaks) - 1)], len(form.data))
    low = np.where(low < starts - CLAUSE_REACH, _next_word(form, starts - CLAUSE_REACH, starts), low)
    high = np.where(high > ends + CLAUSE_REACH, _last_word(form, ends + CLAUSE_REACH, ends), high)
    return trim(form, low, np.maximum(high, low + 1))


def _next_word(form: NormalForm, reach: Ints, span: Ints) -> Ints:
    """The first word that begins after `reach` and before the span, or the letter there, where there is none."""
    spaces = form.spaces
    reach = np.maximum(reach, 0)
    at = np.searchsorted(spaces, reach, side="left")
    word = np.concatenate([spaces + 1, [len(form.data)]])[at]
    return np.where(word > span, _letter(form, reach), word)


def _last_word(form: NormalForm, reach: Ints, span: Ints) -> Ints:
    """Where the last word ends before `reach` and after the span, or the letter there, where there is none."""
    spaces = form.spaces
    word = np.concatenate([[-1], spaces])[np.searchsorted(spaces, reach, side="right")]
    return np.where(word < span, np.maximum(_letter(form, reach), span), word)


def _letter(form: NormalForm, places: Ints) -> Ints:
    """The places, moved on to where a character begins."""
    data = np.frombuffer(form.data, np.uint8)
    for _ in range(3):
        places = places + ((data[np.minimum(places, len(data) - 1)] & 0xC0) == 0x80)
    return np.minimum(places, len(data) - 1)

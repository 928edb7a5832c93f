"""Phrases cut into literal parts: hyperscan finds literals, whole arrays join the parts of phrases with gaps.

Compiled as patterns with bounded repeats, a thousand such phrases cost two thirds of the scan (measured: 79 ms for 2 MB of text
with them, 23 ms without) and most of the time and memory of compiling.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import product

BYTES_BETWEEN = 60
"""How many bytes a gap in Thai may hold, at most (patterns.py writes it, as it does the three words of others)."""
MOST_SPELLINGS = 64

_STAR = re.escape(r"[^ \n]*")
_WORD_GAP = re.escape(r"(?: [^ \n]+){0,3} ")
_THAI_GAP = re.escape(r"[^\n]{0,60}")
_LINK = re.compile(
    rf"(?P<thai>{_THAI_GAP})|(?P<left>{_STAR})?(?:(?P<gap>{_WORD_GAP})|(?P<space> )(?!\?))(?P<right>{_STAR})?"
)
_CHOICE = re.compile(r"(\(\?:[^()]*\)(?!\{)| \?)")
_LITERAL = re.compile(r"(?:\\x[0-9a-f]{2}|[0-9A-Za-z ])+")
_PIECE = re.compile(r"(?:\\x[0-9a-f]{2}|[0-9A-Za-z ]| \?|\(\?:[^()\[\]{}*+?.^$]+\))+")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a phrase: its spellings, and how many words may stand between it and the part before (-1: Thai, bytes)."""

    spellings: tuple[str, ...]
    words: int


def spell_out(text: str) -> tuple[str, ...]:
    """Each spelling of the choices of a scanned pattern by itself."""
    parts = [
        [" ", ""] if part == " ?" else part[3:-1].split("|") if part.startswith("(?:") else [part]
        for part in _CHOICE.split(text)
    ]
    return tuple("".join(spelling) for spelling in product(*parts))


def count_spellings(text: str) -> int:
    """How many spellings `spell_out` gives."""
    return math.prod(2 if choice == " ?" else choice.count("|") + 1 for choice in _CHOICE.findall(text))


def to_parts(pattern: str) -> tuple[Part, ...] | None:
    """A scanned pattern as parts in order (one, where it has no gap); None where it is more than literals and gaps.

    A phrase with too many spellings is cut between words, too.
    """
    if _LITERAL.fullmatch(pattern):
        return (Part((pattern,), 0),)
    simple = "[^" not in pattern and count_spellings(pattern) <= MOST_SPELLINGS
    pieces = [(pattern, 0)] if simple else _cut(pattern)
    if not all(_PIECE.fullmatch(text) and text.strip() for text, _ in pieces):
        return None
    if any(count_spellings(text) > MOST_SPELLINGS for text, _ in pieces):
        return None
    return tuple(Part(spell_out(text), words) for text, words in pieces)


def _cut(pattern: str) -> list[tuple[str, int]]:
    """The texts of the parts, each with how many words may stand before it."""
    links = [m for m in _LINK.finditer(pattern) if m.start() and m.end() < len(pattern)]
    following = [*(m.start() for m in links[1:]), len(pattern)]
    pieces, start, lead, words = [], 0, "", 0
    for link, stop in zip(links, following, strict=False):
        is_space = bool(link["space"]) and not (link["left"] or link["right"])
        if is_space and count_spellings(pattern[start:stop]) <= MOST_SPELLINGS:
            continue
        # A word that ends (or begins) at the gap takes the space along: so its border is looked at as well.
        pieces.append(
            (lead + pattern[start : link.start()] + ("" if link["thai"] or link["left"] else " "), words)
        )
        lead = "" if link["thai"] or link["right"] else " "
        words = -1 if link["thai"] else 3 if link["gap"] else 0
        start = link.end()
    return [*pieces, (lead + pattern[start:], words)]

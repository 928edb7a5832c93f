"""Phrases to patterns over the normal form, for hyperscan (bytes) and for a closer look with `re` at one text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from carelog.classification.normal import normalize_many

LEFT = r"[ .?]"
RIGHT = r"[ .?]"
_WORD = r"[^ .?\n]"
_GAP = rf"(?:[ .?]{_WORD}+){{0,3}}[ ]"
_THAI_GAP = r"[^\n]{0,60}"
_THAI = re.compile("[\u0e00-\u0e7f]")
_STAR, _BAR, _DOTS = "xstarx", "xbarx", "xdotsx"
_GAPS = re.compile(r"(?<!\S)\.\.+(?!\S)")
_MARKS = re.compile(r"[*|]|\.\.")
_SPLIT = re.compile(r"[ .?]+")


class BadPhrase(ValueError):
    """A phrase that cannot become a pattern, with the reason."""


def to_pattern(phrase: str) -> str:
    r"""A phrase of a rulebook as a regular expression over the bytes of the normal form (non-ASCII as \xNN).

    Words are whole words unless `*` stands at their end or start; ` .. ` is up to three words (in Thai up to 20
    characters); `a|b` inside a word position is either. Raises BadPhrase.
    """
    return to_patterns([phrase])[0]


def to_patterns(phrases: Sequence[str]) -> list[str]:
    """`to_pattern` of each phrase, normalised together (thousands of rules' phrases in a blink)."""
    marked = [
        _GAPS.sub(_DOTS, p).replace("*", _STAR).replace("|", _BAR) if _MARKS.search(p) else p for p in phrases
    ]
    normal = normalize_many(marked)
    return [_assemble(phrase, text) for phrase, text in zip(phrases, normal, strict=True)]


def _assemble(phrase: str, normal: str) -> str:
    words = [w for w in _SPLIT.split(normal.strip(" .?")) if w]
    if not words:
        raise BadPhrase(f"nothing is left of {phrase!r} in the normal form")
    if words[0] == _DOTS or words[-1] == _DOTS:
        raise BadPhrase(f"a gap (..) at the edge of {phrase!r} means nothing")
    thai = bool(_THAI.search(phrase))
    last = len(words) - 1
    pieces = [_piece(word, thai, at == 0, at == last) for at, word in enumerate(words)]
    body = pieces[0]
    for before, word, piece in zip(words, words[1:], pieces[1:], strict=False):
        if before == _DOTS:
            body += piece
        elif word == _DOTS:
            body += _THAI_GAP if thai else _GAP
        else:
            body += ("[ ]?" if thai else "[ ]") + piece
    left = "" if thai or words[0].startswith(_STAR) or not _is_wordy(words[0]) else LEFT
    right = "" if thai or words[-1].endswith(_STAR) or not _is_wordy(words[-1]) else RIGHT
    return left + body + right


def _is_wordy(word: str) -> bool:
    """Whether the word is made of letters, so that it has borders; an emoji has none."""
    plain = word.replace(_STAR, "").replace(_BAR, "")
    return any(ord(c) < 0x2000 or 0x2C00 <= ord(c) < 0xFB00 for c in plain)


def _piece(word: str, thai: bool, first: bool, last: bool) -> str:
    """One word position. At the edge of a phrase `*` needs no pattern: hyperscan would report every longer end."""
    if word == _DOTS:
        return ""
    if _STAR not in word and _BAR not in word:
        return _escape(word)
    options = []
    for option in word.split(_BAR):
        bare = option.replace(_STAR, "")
        if not bare:
            raise BadPhrase("an empty choice, or a lone *")
        inner = _escape(bare)
        options.append(inner)
    body = options[0] if len(options) == 1 else "(?:" + "|".join(options) + ")"
    start = f"{_WORD}*" if word.startswith(_STAR) and not (thai or first) else ""
    end = f"{_WORD}*" if word.endswith(_STAR) and not (thai or last) else ""
    return start + body + end


_ESCAPED = [chr(b) if b < 128 and chr(b).isalnum() else f"\\x{b:02x}" for b in range(256)]


def _escape(text: str) -> str:
    return "".join(map(_ESCAPED.__getitem__, text.encode()))


def compile_phrase(pattern: str) -> re.Pattern[bytes]:
    """The same pattern for Python's `re`, over the bytes of one normal form."""
    return re.compile(pattern.encode("ascii"), re.DOTALL)

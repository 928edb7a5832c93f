"""Phrases to patterns over the normal form, for hyperscan (bytes) and for a closer look with `re` at one text."""

from __future__ import annotations

import re

from carelog.classification.normal import normalize

LEFT = r"[ .?]"
RIGHT = r"[ .?]"
_WORD = r"[^ .?\n]"
_GAP = rf"(?:[ .?]{_WORD}+){{0,3}}[ ]"
_THAI_GAP = r"[^\n]{0,60}"
_THAI = re.compile("[\u0e00-\u0e7f]")
_STAR, _BAR, _DOTS = "xstarx", "xbarx", "xdotsx"


class BadPhrase(ValueError):
    """A phrase that cannot become a pattern, with the reason."""


def to_pattern(phrase: str) -> str:
    r"""A phrase of a rulebook as a regular expression over the bytes of the normal form (non-ASCII as \xNN).

    Words are whole words unless `*` stands at their end or start; ` .. ` is up to three words (in Thai up to 20
    characters); `a|b` inside a word position is either. Raises BadPhrase.
    """
    words = _normal_words(phrase)
    if not words:
        raise BadPhrase("nothing is left of it in the normal form")
    if words[0] == _DOTS or words[-1] == _DOTS:
        raise BadPhrase("a gap (..) at the edge means nothing")
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


def _normal_words(phrase: str) -> list[str]:
    marked = re.sub(r"(?<!\S)\.\.+(?!\S)", _DOTS, phrase).replace("*", _STAR).replace("|", _BAR)
    text = normalize(marked).strip(" .?")
    return [w for w in re.split(r"[ .?]+", text) if w]


def _is_wordy(word: str) -> bool:
    """Whether the word is made of letters, so that it has borders; an emoji has none."""
    plain = word.replace(_STAR, "").replace(_BAR, "")
    return any(ord(c) < 0x2000 or 0x2C00 <= ord(c) < 0xFB00 for c in plain)


def _piece(word: str, thai: bool, first: bool, last: bool) -> str:
    """One word position. At the edge of a phrase `*` needs no pattern: hyperscan would report every longer end."""
    if word == _DOTS:
        return ""
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


def _escape(text: str) -> str:
    return "".join(chr(b) if chr(b).isalnum() and b < 128 else f"\\x{b:02x}" for b in text.encode())


def to_guard_before(word: str, phrase: str) -> str:
    """A pattern that ends where the phrase ends and has `word` up to three words before it."""
    thai = bool(_THAI.search(word) or _THAI.search(phrase))
    gap = r"[^\n]{0,30}" if thai else rf"(?:[ .?]{_WORD}+){{0,3}}"
    head = to_pattern(word).removesuffix(RIGHT)
    return head + gap + to_pattern(phrase)


def to_guard_after(word: str, phrase: str) -> str:
    """A pattern that has the phrase and then `word` up to two words after it."""
    thai = bool(_THAI.search(word) or _THAI.search(phrase))
    gap = r"[^\n]{0,30}" if thai else rf"(?:[ .?]{_WORD}+){{0,2}}"
    return to_pattern(phrase).removesuffix(RIGHT) + gap + to_pattern(word)


def compile_phrase(pattern: str) -> re.Pattern[bytes]:
    """The same pattern for Python's `re`, over the bytes of one normal form."""
    return re.compile(pattern.encode("ascii"), re.DOTALL)

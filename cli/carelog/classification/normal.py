"""The normal form of text: what rules are matched against, with the way back to the text as it was.

All segments of a batch become one buffer of UTF-8 bytes: lower case, one separator between words (a space, or `.` or `?`
where a clause ends), segments divided by a line feed. Spelling variants that do not change the word are folded: apostrophes,
zero-width characters, nukta, chandrabindu, the order of vowel signs and tone marks, native digits, letters repeated three
times or more. Every step replaces bytes in place or deletes them, so each byte of the normal form knows its place in the
original; that is what makes evidence offsets exact. Everything runs on whole arrays of bytes (measured: about 4 ns a byte).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint16]

SPACE, STOP, ASK, NEWLINE = 0x20, 0x2E, 0x3F, 0x0A
_SEPARATOR = b" \n "

_LINE = 0x0B
"""Stands for a line feed of the text itself until it is known whether an empty line follows."""

_DELETE, _REPLACE = 1, 2


def _ascii_table() -> bytes:
    table = bytearray(range(256))
    for byte in range(128):
        char = chr(byte)
        if char.isupper():
            table[byte] = byte + 32
        elif not (char.isalnum() or char in "%+$'`"):
            table[byte] = SPACE
    table[ord("!")] = table[ord(".")] = STOP
    table[ord("?")] = ASK
    table[ord("\n")] = _LINE
    return bytes(table)


_ASCII = _ascii_table()
_SEPARATORS = bytes(byte in (SPACE, STOP, ASK, NEWLINE) for byte in range(256))


def _code_point_tables() -> tuple[npt.NDArray[np.uint8], Codes]:
    """What to do with each code point of the Basic Multilingual Plane, and what replaces it."""
    action = np.zeros(1 << 16, np.uint8)
    becomes = np.arange(1 << 16, dtype=np.uint16)

    def delete(*ranges: tuple[int, int]) -> None:
        for first, last in ranges:
            action[first : last + 1] = _DELETE

    def replace(first: int, last: int, target: int, step: int = 0) -> None:
        for place, code in enumerate(range(first, last + 1)):
            action[code] = _REPLACE
            becomes[code] = target + step * place

    # zero-width and direction marks, soft hyphen, variation selectors, apostrophes, nuktas, Latin combining marks
    delete(
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xAD, 0xAD), (0xFE00, 0xFE0F)
    )
    delete(
        (0x2018, 0x201B),
        (0x2BC, 0x2BC),
        (0xB4, 0xB4),
        (0x93C, 0x93C),
        (0xABC, 0xABC),
        (0x300, 0x36F),
        (0xE4E, 0xE4E),
    )
    for first, last in (
        (0x80, 0xA0), (0xA6, 0xA9), (0xAB, 0xAC), (0xAE, 0xB3), (0xB5, 0xBE), (0x1680, 0x1680), (0x2000, 0x200A),
        (0x2010, 0x2017), (0x201C, 0x2025), (0x2027, 0x2029), (0x202F, 0x203B), (0x203D, 0x205F), (0x3000, 0x3001),
        (0x3003, 0x301F), (0xFF02, 0xFF0D), (0xFF0F, 0xFF0F), (0xFF1A, 0xFF1E), (0x2500, 0x25FF),
    ):  # fmt: skip
        replace(first, last, SPACE)
    for code in (0x964, 0x965, 0x3002, 0xFF01, 0xFF0E, 0xA1, 0x2026, 0x203C):
        replace(code, code, STOP)
    for code in (0xBF, 0xFF1F, 0x37E):
        replace(code, code, ASK)
    for zero in (0x966, 0xAE6, 0xE50, 0x660, 0x6F0, 0xFF10):
        replace(zero, zero + 9, 0x30, 1)
    replace(0xFF21, 0xFF3A, 0x61, 1)
    replace(0xFF41, 0xFF5A, 0x61, 1)
    replace(0xC0, 0xD6, 0xE0, 1)
    replace(0xD8, 0xDE, 0xF8, 1)
    # Devanagari letters composed with a nukta, then chandrabindu to anusvara (Devanagari, Gujarati)
    composed = {
        0x929: 0x928,
        0x931: 0x930,
        0x934: 0x933,
        0x95B: 0x91C,
        0x95C: 0x921,
        0x95D: 0x922,
        0x95E: 0x92B,
        0x95F: 0x92F,
    }
    for code, base in {
        **composed,
        0x958: 0x915,
        0x959: 0x916,
        0x95A: 0x917,
        0x901: 0x902,
        0xA81: 0xA82,
    }.items():
        replace(code, code, base)
    return action, becomes


_ACTION, _BECOMES = _code_point_tables()
_THAI_TONES = (0xE48, 0xE4B)
_NIKHAHIT, _SARA_AA, _SARA_AM, _SARA_E, _SARA_AE = 0xE4D, 0xE32, 0xE33, 0xE40, 0xE41


@dataclass(frozen=True)
class NormalForm:
    """The normal form of n segments.

    `data` holds them one after the other, each with a separator before and after every word, divided by line feeds;
    `ends[i]` is the place of the line feed that ends segment i.
    """

    data: bytes
    ends: Places
    _original: Bytes
    _kept: Bytes
    _kept_again: Bytes
    _starts: Places

    def segment_of(self, places: Places) -> Places:
        """Which segment each place in `data` stands in."""
        return np.searchsorted(self.ends, places, side="left")

    @cached_property
    def separators(self) -> Places:
        """Where words, clauses and segments end."""
        return np.flatnonzero(np.frombuffer(self.data.translate(_SEPARATORS), np.bool_))

    @cached_property
    def doubled(self) -> Places:
        """For each separator how many before it (itself counted) have another right before them."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.diff(self.separators) == 1)])

    @cached_property
    def _separating(self) -> Bytes:
        return np.frombuffer(self.data, np.uint8)[self.separators]

    @cached_property
    def spaces(self) -> Places:
        """Where words end inside a clause."""
        places: Places = self.separators[self._separating == SPACE]
        return places

    @cached_property
    def breaks(self) -> Places:
        """Where clauses and segments end."""
        places: Places = self.separators[self._separating != SPACE]
        return places

    @cached_property
    def stops(self) -> Places:
        """Where clauses end inside a segment."""
        places: Places = self.separators[(self._separating == STOP) | (self._separating == ASK)]
        return places

    @cached_property
    def _origin(self) -> Places:
        return np.flatnonzero(self._kept)[np.flatnonzero(self._kept_again)]

    @cached_property
    def _characters(self) -> npt.NDArray[np.int32]:
        """How many characters stand before each byte of the original buffer."""
        counts = np.cumsum((self._original & 0xC0) != 0x80, dtype=np.int32)
        return np.concatenate([np.zeros(1, np.int32), counts])

    def character_spans(self, starts: Places, stops: Places) -> tuple[Places, Places]:
        """Spans of `data` (bytes, half open) as spans of Unicode characters of the segments' original text."""
        segments = self.segment_of(starts)
        begin = self._characters[self._starts[segments]]
        first = self._characters[self._origin[starts]]
        last = self._characters[self._origin[stops - 1] + 1]
        return (first - begin).astype(np.int64), (last - begin).astype(np.int64)


def to_normal_form(texts: pa.StringArray) -> NormalForm:
    """The normal form of a column of texts (no nulls), together under 2 GiB."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    starts = (
        1 + np.concatenate([[0], np.cumsum(lengths + len(_SEPARATOR))[:-1]])
        if len(texts)
        else np.zeros(0, np.int64)
    )
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), _SEPARATOR.decode())[
        0
    ].as_buffer()
    # The padding lets every step look three bytes ahead without leaving the array.
    raw = b" " + (joined.to_pybytes() if joined is not None else b"") + _SEPARATOR
    original = np.frombuffer(raw, np.uint8)
    data = np.frombuffer(bytearray(raw.translate(_ASCII)), np.uint8)
    data[starts + lengths + 1] = NEWLINE
    _end_paragraphs(data)
    kept = np.ones(len(data), bool)
    _fold_apostrophes(data, kept)
    _fold_wide_characters(data, kept)
    _fold_elongations(data, kept)
    once = data if kept.all() else data[kept]
    again = _keep_separators(once)
    final = once[again]
    return NormalForm(final.tobytes(), np.flatnonzero(final == NEWLINE), original, kept, again, starts)


def normalize(text: str) -> str:
    """The normal form of one text, with its outer separators: for examples and tests."""
    return normalize_many([text])[0]


def normalize_many(texts: Sequence[str]) -> list[str]:
    """The normal form of each text, with its outer separators."""
    if not texts:
        return []
    form = to_normal_form(pa.array(texts, pa.string()))
    # Each segment but the first begins after the line feed of the one before it.
    return [part.decode("utf-8", "replace") for part in form.data.split(b"\n")[: len(texts)]]


def _end_paragraphs(data: Bytes) -> None:
    """An empty line ends a clause; any other line feed is a space, since mails are wrapped."""
    lines = np.flatnonzero(data == _LINE)
    data[lines] = SPACE
    data[lines[1:][np.diff(lines) <= 2]] = STOP


def _fold_apostrophes(data: Bytes, kept: Bytes) -> None:
    kept[(data == ord("'")) | (data == ord("`"))] = False


def _fold_wide_characters(data: Bytes, kept: Bytes) -> None:
    """Fold the characters of two and three bytes; emoji modifiers (four bytes) go."""
    leads = np.flatnonzero(data >= 0xC2)
    if not len(leads):
        return
    lead = data[leads]
    two = leads[lead < 0xE0]
    if len(two):
        small: Codes = ((data[two] & 0x1F).astype(np.uint16) << np.uint16(6)) | (data[two + 1] & 0x3F).astype(
            np.uint16
        )
        _apply(data, kept, two, small, 2)
    three = leads[(lead >= 0xE0) & (lead < 0xF0)]
    if len(three):
        codes = _codes_of_three(data, three)
        _apply(data, kept, three, codes, 3)
        three = three[kept[three] & (data[three] >= 0xE0)]
        codes = _codes_of_three(data, three)
        _order_marks(data, kept, three, codes)
        _collapse_runs(kept, three, codes, 3)
    four = leads[lead >= 0xF0]
    if len(four):
        skin = four[(data[four + 1] == 0x9F) & (data[four + 2] == 0x8F) & (data[four + 3] >= 0xBB)]
        for byte in range(4):
            kept[skin + byte] = False


def _codes_of_three(data: Bytes, places: Places) -> Codes:
    high = (data[places] & 0x0F).astype(np.uint16) << np.uint16(12)
    codes: Codes = (
        high | ((data[places + 1] & 0x3F).astype(np.uint16) << np.uint16(6)) | (data[places + 2] & 0x3F)
    )
    return codes


def _apply(data: Bytes, kept: Bytes, places: Places, codes: Codes, width: int) -> None:
    action = _ACTION[codes]
    if not action.any():
        return
    gone = places[action == _DELETE]
    for byte in range(width):
        kept[gone + byte] = False
    changed = action == _REPLACE
    where, target = places[changed], _BECOMES[codes[changed]]
    small = target < 0x80
    data[where[small]] = target[small]
    for byte in range(1, width):
        kept[where[small] + byte] = False
    _write(data, where[~small], target[~small], width)


def _write(data: Bytes, places: Places, codes: Codes, width: int) -> None:
    """Write code points over code points of the same width in bytes."""
    if width == 2:
        data[places] = 0xC0 | (codes >> 6)
        data[places + 1] = 0x80 | (codes & 0x3F)
        return
    data[places] = 0xE0 | (codes >> 12)
    data[places + 1] = 0x80 | ((codes >> 6) & 0x3F)
    data[places + 2] = 0x80 | (codes & 0x3F)


def _order_marks(data: Bytes, kept: Bytes, places: Places, codes: Codes) -> None:
    """Put vowel signs, tone marks and anusvara in one order; join the two-part spellings of Thai vowels."""
    if len(places) < 2:
        return
    beside = places[1:] == places[:-1] + 3
    here, after = codes[:-1], codes[1:]
    tone = (here >= _THAI_TONES[0]) & (here <= _THAI_TONES[1])
    vowel = (after == 0xE31) | ((after >= 0xE34) & (after <= 0xE39)) | (after == _NIKHAHIT)
    anusvara = ((here == 0x902) & (after >= 0x93E) & (after <= 0x94C)) | (
        (here == 0xA82) & (after >= 0xABE) & (after <= 0xACC)
    )
    swap = np.flatnonzero(beside & ((tone & vowel & (after != _NIKHAHIT)) | anusvara))
    for at in swap.tolist():  # a slip in typing: rare
        first, second = codes[at], codes[at + 1]
        codes[at], codes[at + 1] = second, first
    _write(data, places[swap], codes[swap], 3)
    _write(data, places[swap + 1], codes[swap + 1], 3)
    twice_e = np.flatnonzero(beside & (codes[:-1] == _SARA_E) & (codes[1:] == _SARA_E))
    codes[twice_e + 1] = _SARA_AE
    _write(data, places[twice_e + 1], codes[twice_e + 1], 3)
    _drop(kept, places[twice_e])
    direct = np.flatnonzero(beside & (codes[:-1] == _NIKHAHIT) & (codes[1:] == _SARA_AA))
    codes[direct + 1] = _SARA_AM
    _write(data, places[direct + 1], codes[direct + 1], 3)
    _drop(kept, places[direct])
    if len(places) > 2:
        far = beside[:-1] & beside[1:] & (codes[:-2] == _NIKHAHIT) & (codes[2:] == _SARA_AA)
        far &= (codes[1:-1] >= _THAI_TONES[0]) & (codes[1:-1] <= _THAI_TONES[1])
        across = np.flatnonzero(far)
        codes[across + 2] = _SARA_AM
        _write(data, places[across + 2], codes[across + 2], 3)
        _drop(kept, places[across])


def _drop(kept: Bytes, places: Places) -> None:
    for byte in range(3):
        kept[places + byte] = False


def _collapse_runs(kept: Bytes, places: Places, codes: Codes, width: int) -> None:
    """Letters of three bytes that stand three times or more: only the first stays ("มากกกก")."""
    if len(places) < 3:
        return
    same = (places[1:] == places[:-1] + width) & (codes[1:] == codes[:-1])
    triple = same[1:] & same[:-1]
    if not triple.any():
        return
    gone = np.zeros(len(places), bool)
    gone[1:-1] |= triple
    gone[2:] |= triple
    _drop(kept, places[gone])


def _fold_elongations(data: Bytes, kept: Bytes) -> None:
    """ASCII letters that stand three times or more: only the first stays ("salamaaat"). Digits stay: 1000 is a number."""
    same = data[1:] == data[:-1]
    triple = same[1:] & same[:-1]
    triple &= (data[2:] >= ord("a")) & (data[2:] <= ord("z"))
    at = np.flatnonzero(triple)
    kept[at + 1] = False
    kept[at + 2] = False


def _keep_separators(data: Bytes) -> Bytes:
    """Which bytes stay when each run of separators shrinks to one: the end of a clause wins over a space."""
    space = data == SPACE
    stop = (data == STOP) | (data == ASK)
    before = np.empty(len(data), np.uint8)
    before[0] = NEWLINE
    before[1:] = data[:-1]
    after = np.empty(len(data), np.uint8)
    after[-1] = NEWLINE
    after[:-1] = data[1:]
    gone = space & ((before == SPACE) | (before == STOP) | (before == ASK) | (after == STOP) | (after == ASK))
    gone |= stop & ((before == STOP) | (before == ASK))
    stays: Bytes = ~gone
    return stays

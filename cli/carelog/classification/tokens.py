"""The words of a normal form as numbers: where each token stands, and a 64-bit key for it and for its beginnings.

A token is a word; in Thai, which writes no spaces, every window of four characters. Keys are computed from bytes in whole
arrays (three loads of eight bytes a token), so that looking words up costs no Python per word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carelog.classification.normal import ASK, NEWLINE, SPACE, STOP, NormalForm

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

KEY_BYTES = 24
"""Words are told apart by their first 24 bytes (eight letters of an Indic script) and their length up to there."""
WINDOW = 4
PREFIXES = (3, 4, 5, 6)
"""Beginnings of a word, in letters, that stand for it beside the whole word: inflection changes its end."""

_PAD = bytes(KEY_BYTES + 8)
_LOW = np.array([(1 << (8 * n)) - 1 for n in range(8)] + [(1 << 64) - 1], np.uint64)
_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64
)
IS_SEPARATOR = np.isin(np.arange(256), [SPACE, STOP, ASK, NEWLINE])
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_WIDTH = np.ones(256, np.int64)
_WIDTH[0xC2:0xE0] = 2
_WIDTH[0xE0:0xF0] = 3
_WIDTH[0xF0:] = 4


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a normal form, by place: `starts` and `lengths` in bytes, the `segments` they stand in, and `keys`.

    `text` is the padded buffer that the places refer to (digits are all 0 there).
    """

    text: npt.NDArray[np.uint8]
    starts: Ints
    lengths: Ints
    segments: Ints
    keys: Keys


def find_tokens(form: NormalForm) -> Tokens:
    """All tokens of a normal form."""
    text = np.frombuffer(form.data.translate(_DIGITS) + _PAD, np.uint8)
    body = text[: len(form.data)]
    thai = _thai_leads(body)
    inside = ~IS_SEPARATOR[body]
    for byte in range(3):
        inside[thai + byte] = False
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    if len(thai):
        more, widths = _thai_windows(thai)
        starts, lengths = np.concatenate([starts, more]), np.concatenate([lengths, widths])
        order = np.argsort(starts, kind="stable")
        starts, lengths = starts[order], lengths[order]
    counts = np.diff(np.searchsorted(starts, form.ends), prepend=0)
    segments = np.repeat(np.arange(len(form.ends)), counts)
    return Tokens(text, starts, lengths, segments, span_keys(text, starts, lengths))


def _thai_leads(body: npt.NDArray[np.uint8]) -> Ints:
    leads = np.flatnonzero(body == 0xE0)
    second = body[leads + 1]
    thai: Ints = leads[(second == 0xB8) | (second == 0xB9)]
    return thai


def _thai_windows(leads: Ints) -> tuple[Ints, Ints]:
    """Windows of WINDOW characters inside runs of Thai; a shorter run is one window."""
    new = np.concatenate([[True], np.diff(leads) != 3])
    heads = np.flatnonzero(new)
    sizes = np.diff(np.concatenate([heads, [len(leads)]]))
    full = np.repeat(sizes, sizes) - (np.arange(len(leads)) - np.repeat(heads, sizes)) >= WINDOW
    short = sizes < WINDOW
    starts = np.concatenate([leads[full], leads[heads[short]]])
    widths = np.concatenate([np.full(int(full.sum()), 3 * WINDOW), 3 * sizes[short]])
    return starts, widths


def span_keys(text: npt.NDArray[np.uint8], starts: Ints, lengths: Ints) -> Keys:
    """A key for each span of the padded text: the same bytes (the first KEY_BYTES) and length give the same key."""
    words = np.ndarray((len(text) - 7,), np.dtype("<u8"), text, 0, (1,))
    size = np.minimum(lengths, KEY_BYTES)
    key: Keys = size.astype(np.uint64) * _FACTORS[3]
    for part in range(3):
        # Most spans end in the first or second load: what lies behind their end counts as zeros.
        piece = np.full(len(size), part, np.uint64)
        reach = np.flatnonzero(size > 8 * part) if part else slice(None)
        piece[reach] += words[starts[reach] + 8 * part] & _LOW[np.minimum(size[reach] - 8 * part, 8)]
        key ^= piece * _FACTORS[part]
        key ^= key >> np.uint64(29)
        key *= _FACTORS[2]
    return key ^ (key >> np.uint64(32))


def feature_keys(text: npt.NDArray[np.uint8], starts: Ints, lengths: Ints, keys: Keys) -> tuple[Ints, Keys]:
    """The features of tokens: the whole token, and its beginnings. Returns the token's place and the key, feature by feature."""
    places = [np.arange(len(starts))]
    found = [keys]
    width = _WIDTH[text[starts]]
    for letters in PREFIXES:
        longer = np.flatnonzero(letters * width < np.minimum(lengths, KEY_BYTES))
        places.append(longer)
        found.append(span_keys(text, starts[longer], letters * width[longer]) ^ np.uint64(0x5BD1E995))
    return np.concatenate(places), np.concatenate(found)

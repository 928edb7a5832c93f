"""Which language an interaction is in: what the record says, else the script, else its common words."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from carelog.classification.normal import to_normal_form
from carelog.classification.tokens import find_tokens
from carelog.labels import LANGUAGES

if TYPE_CHECKING:
    from carelog.classification.classifier import Measured

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

# The first two bytes of a script's code points in UTF-8 (Devanagari, Gujarati, Thai blocks).
_SCRIPTS = {"hi": (0xA4, 0xA5), "gu": (0xAA, 0xAB), "th": (0xB8, 0xB9)}
_SCRIPT_SHARE = 0.2
"""A script decides from a fifth of the bytes on: names and English words stand in every language."""


def detect_languages(stated: pa.StringArray, measured: Measured) -> pa.StringArray:
    """BCP 47 tags: the record's own where it has one; null where nothing tells."""
    rows = len(stated)
    if stated.null_count == 0:
        return stated
    data = np.frombuffer(measured.form.data, np.uint8)
    row_of_segment = measured.segments.rows
    length = np.bincount(row_of_segment, np.diff(np.concatenate([[-1], measured.form.ends])), rows)
    points = np.zeros((rows, len(LANGUAGES)))
    thirds = np.flatnonzero(data == 0xE0)
    block = data[thirds + 1]
    for language, (low, high) in _SCRIPTS.items():
        letters = thirds[(block == low) | (block == high)]
        per_segment = np.diff(np.searchsorted(letters, measured.form.ends), prepend=0)
        bytes_of_script = 3 * np.bincount(row_of_segment, per_segment, rows)
        points[:, LANGUAGES.index(language)] = np.where(
            bytes_of_script > _SCRIPT_SHARE * length, 1e6 + bytes_of_script, 0
        )
    points += _heard(measured, rows)
    code = np.where(points.max(axis=1) > 0, np.argmax(points, axis=1), len(LANGUAGES))
    code = np.where(
        (code == len(LANGUAGES)) & (length > 12), 0, code
    )  # Latin letters without any common word: English
    found = pa.array(np.where(code < len(LANGUAGES), code, 0).astype(np.int32), mask=code == len(LANGUAGES))
    names = pa.DictionaryArray.from_arrays(found, pa.array(list(LANGUAGES))).cast(pa.string())
    return pc.coalesce(stated, names)


_COMMON_WORDS = {
    "en": "the is are was were you your my i we it this that to of for and not have has can please with on in at be do don't",
    "hi": "hai hain nahi nahin mera mere meri aap aapka aapki ka ki ke se ko kya main mujhe hum raha rahi gaya gayi kar karo "
    "karna hua hui bhi toh tha thi ho gaya wala abhi kyun kyu haan ji sir bhaiya",
    "gu": "chhe che nathi mare mari maru mara tame tamari tamaru hu ame ne nu na ni thi shu su mate karo aapo gayu gayi kem pan "
    "ane hato hati thayu joie joiye che ke j to bhai ben saheb",
    "tl": "ang ng sa po na ko ako hindi yung ba naman lang mga siya nila kasi pero opo kayo niyo ninyo namin natin ito iyan wala "
    "may mayroon meron sana din rin pa ho si ni kay salamat bakit",
}
"""Words that stand in most sentences of a language and seldom in others, in Latin letters."""


@cache
def _markers() -> tuple[Keys, Ints]:
    """The keys of the common words, sorted, and the language of each; a word of two languages counts for neither."""
    found: dict[int, int] = {}
    twice: set[int] = set()
    for language, words in _COMMON_WORDS.items():
        tokens = find_tokens(to_normal_form(pa.array([words], pa.string())))
        for key in set(tokens.keys.tolist()):
            twice |= {key} if key in found else set()
            found[key] = LANGUAGES.index(language)
    keys = sorted(found.keys() - twice)
    return np.array(keys, np.uint64), np.array([found[k] for k in keys], np.int64)


def _heard(measured: Measured, rows: int) -> npt.NDArray[np.float64]:
    """How many common words of each language stand in each interaction."""
    keys, language = _markers()
    tokens = measured.spoken.tokens
    # Few words begin as a marker's key does: only these are looked up.
    maybe = np.zeros(1 << 16, bool)
    maybe[(keys >> np.uint64(48)).astype(np.int64)] = True
    like = np.flatnonzero(maybe[(tokens.keys >> np.uint64(48)).astype(np.int64)])
    at = np.minimum(np.searchsorted(keys, tokens.keys[like]), len(keys) - 1)
    same = keys[at] == tokens.keys[like]
    known, at = like[same], at[same]
    row = measured.segments.rows[tokens.segments[known]]
    counts = np.bincount(row * len(LANGUAGES) + language[at], minlength=rows * len(LANGUAGES))
    return counts.reshape(rows, len(LANGUAGES)).astype(np.float64)

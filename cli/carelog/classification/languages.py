"""Which language an interaction is in: what the record says, else the script, else whose words were heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from carelog.labels import LANGUAGES

if TYPE_CHECKING:
    from carelog.classification.classifier import Classifier, Measured

# The first two bytes of a script's code points in UTF-8 (Devanagari, Gujarati, Thai blocks).
_SCRIPTS = {"hi": (0xA4, 0xA5), "gu": (0xAA, 0xAB), "th": (0xB8, 0xB9)}
_SCRIPT_SHARE = 0.2
"""A script decides from a fifth of the bytes on: names and English words stand in every language."""


def detect_languages(stated: pa.StringArray, measured: Measured, classifier: Classifier) -> pa.StringArray:
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
    row = row_of_segment[measured.form.segment_of(thirds)]
    for language, (low, high) in _SCRIPTS.items():
        bytes_of_script = 3 * np.bincount(row[(block >= low) & (block <= high)], minlength=rows)
        points[:, LANGUAGES.index(language)] = np.where(
            bytes_of_script > _SCRIPT_SHARE * length, 1e6 + bytes_of_script, 0
        )
    points += _heard(measured, classifier, rows)
    code = np.where(points.max(axis=1) > 0, np.argmax(points, axis=1), len(LANGUAGES))
    code = np.where(
        (code == len(LANGUAGES)) & (length > 12), 0, code
    )  # Latin letters that no rule knows: English
    found = pa.array(np.where(code < len(LANGUAGES), code, 0).astype(np.int32), mask=code == len(LANGUAGES))
    names = pa.DictionaryArray.from_arrays(found, pa.array(list(LANGUAGES))).cast(pa.string())
    return pc.coalesce(stated, names)


def _heard(measured: Measured, classifier: Classifier, rows: int) -> npt.NDArray[np.float64]:
    """How many matches each language's rules have; English words stand in all of them, so they count half."""
    language = np.array(
        [LANGUAGES.index(r.language) if r.language in LANGUAGES else -1 for r in classifier.rules]
    )
    of_match = language[measured.matches.rules] if len(classifier.rules) else np.zeros(0, np.int64)
    row = measured.segments.rows[measured.matches.segments]
    use = of_match >= 0
    counts = np.bincount(row[use] * len(LANGUAGES) + of_match[use], minlength=rows * len(LANGUAGES))
    return counts.reshape(rows, len(LANGUAGES)) * np.where(
        np.arange(len(LANGUAGES)) == LANGUAGES.index("en"), 0.5, 1.0
    )

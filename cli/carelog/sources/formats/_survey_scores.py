"""Which column of a survey holds a score of satisfaction, on which scale, and what its cells mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

RANGES = {"nps_10": (0, 10), "csat_5": (1, 5), "ces_7": (1, 7), "thumbs": (0, 1), "percent": (0, 100)}
_ASKS = {
    "nps_10": re.compile(
        r"recommend|\bnps\b|net promoter|empfehl|recomend|recommand|raccomand|แนะนำ|सिफारिश|"
        r"सुझाव देंगे|ભલામણ|irerekomenda|rekomenda|推荐|おすすめ|勧め|추천",
        re.IGNORECASE,
    ),
    "csat_5": re.compile(
        r"satisf|\bcsat\b|zufrieden|tevreden|พึงพอใจ|พอใจ|संतुष्ट|સંતુષ્ટ|સંતોષ|"
        r"nasiyahan|kontento|满意|満足|만족|overall rating",
        re.IGNORECASE,
    ),
    "ces_7": re.compile(
        r"\beas(?:y|ily|e)\b|\beffort|\bces\b|\beinfach|leicht|ง่าย|आसान|સરળ|madali|容易|쉽", re.IGNORECASE
    ),
    "thumbs": re.compile(r"thumb", re.IGNORECASE),
}
_LABELS = {
    "csat_5": {
        "very dissatisfied": 1, "extremely dissatisfied": 1, "very unsatisfied": 1, "dissatisfied": 2,
        "somewhat dissatisfied": 2, "unsatisfied": 2, "neutral": 3, "neither satisfied nor dissatisfied": 3,
        "satisfied": 4, "somewhat satisfied": 4, "very satisfied": 5, "extremely satisfied": 5,
    },
    "ces_7": {
        "strongly disagree": 1, "disagree": 2, "somewhat disagree": 3, "neither agree nor disagree": 4,
        "neutral": 4, "somewhat agree": 5, "agree": 6, "strongly agree": 7, "extremely difficult": 1,
        "very difficult": 2, "difficult": 3, "easy": 5, "very easy": 6, "extremely easy": 7,
    },
    "nps_10": {"not at all likely": 0, "extremely likely": 10},
    "thumbs": {"up": 1, "thumbs up": 1, "yes": 1, "good": 1, "down": 0, "thumbs down": 0, "no": 0, "bad": 0},
    "percent": {},
}  # fmt: skip
_GROUP = re.compile(r"_NPS_GROUP$", re.IGNORECASE)
_LEADING = re.compile(r"(\d{1,3}(?:\.\d+)?)(?:\s*%|\s*[-–—:(/].*|\s+\D.*)?", re.DOTALL)


def guess_scales(
    names: Sequence[str], texts: dict[str, str], answers: Iterable[dict[str, str]]
) -> dict[str, str]:
    """The scale of each column that seems to ask for satisfaction and whose answers all lie on it.

    A column beside its own `…_NPS_GROUP` is sure; others are told by the words of the question.
    """
    rows = list(answers)
    found: dict[str, str] = {}
    for name in names:
        if _GROUP.search(name):
            beside = _GROUP.sub("", name)
            if beside in names:
                found[beside] = "nps_10"
    for name in names:
        asked = f"{name} {texts.get(name, '')}"
        for scale, pattern in _ASKS.items():
            if name not in found and not _GROUP.search(name) and pattern.search(asked):
                cells = [row[name] for row in rows if row.get(name, "").strip()]
                if cells and all(to_score(cell, scale) is not None for cell in cells):
                    found[name] = scale
    order = list(RANGES)
    return dict(sorted(found.items(), key=lambda item: order.index(item[1])))


def to_score(cell: str, scale: str) -> float | int | None:
    """The score in a cell (a number, "9 - very likely", a label); None where it is not on the scale."""
    text = re.sub(r"\s+", " ", cell.strip())
    label = _LABELS[scale].get(text.casefold())
    if label is not None:
        return label
    leading = _LEADING.fullmatch(text)
    if leading is None:
        return None
    number = float(leading[1])
    low, high = RANGES[scale]
    if not low <= number <= high or (scale == "thumbs" and number not in (0, 1)):
        return None
    return int(number) if number.is_integer() else number


def find_score(cells: dict[str, str], scales: dict[str, str]) -> tuple[dict[str, Any] | None, str | None]:
    """The first score that an answer gives, and its column; CSAT first, since it speaks of this contact."""
    by_nearness = sorted(scales, key=lambda name: scales[name] != "csat_5")
    for name in by_nearness:
        score = to_score(cells.get(name, ""), scales[name])
        if score is not None:
            return {"scale": scales[name], "score": score}, name
    return None, None

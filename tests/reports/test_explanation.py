"""Explanations as text, from plain values."""

from __future__ import annotations

from typing import Any

import pytest

from carelog.classification.evidence import MODEL_RULE
from carelog.reports.explanation import COLOURED_MARKS, display_width, to_explanation_text

BARE: dict[str, Any] = {
    "interaction_id": "chat-1",
    "channel": "chat",
    "started_at": "2026-03-10T09:15:00Z",
    "rulebook": {"name": "ours", "hash": "0123456789abcdef"},
    "labels": {"language": "en", "stage_score": None},
    "texts": [],
}


def entry(rule: str, message: int | None, start: int | None = None, end: int | None = None) -> dict[str, Any]:
    field = "category" if message is None else "messages"
    return {"rule": rule, "field": field, "message": message, "start": start, "end": end}


def lines_of(name: str, one: dict[str, Any], **more: Any) -> list[str]:
    value = {**BARE, **more, "explained": {name: {"given": True, "evidence": [], **one}}}
    return to_explanation_text(value).splitlines()


def test_only_evidence_without_a_message_is_said_to_be_of_a_field() -> None:
    reasons = [
        entry("structure.mapped_value", None),
        entry("en.complaint.x", 1),
        {**entry(MODEL_RULE, None), "field": "record"},
    ]
    lines = lines_of("activity.complaint", {"evidence": reasons, "score": 1, "margin": 1, "rival": None})
    assert "  category  the field decides  [structure.mapped_value]" in lines
    assert "  message 2:  the message as a whole  [en.complaint.x]" in lines
    assert f"  record  many words together  [{MODEL_RULE}]" in lines


def test_an_activity_below_its_threshold_says_why_it_is_given() -> None:
    below = {"score": 0.91, "margin": -0.19, "rival": None}
    head = "activity.complaint: given, +0.91, below its threshold by 0.19: "
    why = "given as the strongest activity of care, which the orientation asks for"
    assert head + why in lines_of("activity.complaint", below)
    service = lines_of("activity.order", below)
    assert any(line.endswith(why.replace("care,", "service,")) for line in service)
    assert "strongest" not in "\n".join(lines_of("activity.complaint", {**below, "margin": 0.1}))


LONG_ENGLISH = "The lamp came late and it was broken too, so what now? " * 6
LONG_THAI = "โคมไฟมาช้ามากแล้วยังแตกอีกด้วยค่ะ " * 8
LONG_WIDE = "ランプが壊れて届きました。" * 12


@pytest.mark.parametrize("text", [LONG_ENGLISH, LONG_THAI, LONG_WIDE])
@pytest.mark.parametrize("span", [(0, 5), (100, 112), (10, 140), (0, 60)])
@pytest.mark.parametrize("width", [60, 80, 132])
@pytest.mark.parametrize("rule", ["en.complaint.x", "ours.complaint.with.a.name.that.is.rather.long"])
def test_lines_of_evidence_fit_the_width(text: str, span: tuple[int, int], width: int, rule: str) -> None:
    texts = [{"field": "messages", "message": 0, "side": "customer", "text": text}]
    value = {
        **BARE,
        "texts": texts,
        "explained": {"loyalty": {"given": True, "evidence": [entry(rule, 0, *span)]}},
    }
    lines = to_explanation_text(value, width=width).splitlines()
    marked = next(line for line in lines if "«" in line)
    assert "»" in marked
    assert min(width, 80) - 8 - len(rule) <= display_width(marked) <= width
    assert rule in "".join(lines)
    found = marked.partition("«")[2].partition("»")[0]
    head, _, tail = found.partition("…")
    assert text[span[0] : span[1]].startswith(head)
    assert text[span[0] : span[1]].endswith(tail)


def test_marks_that_colour_take_no_room() -> None:
    texts = [{"field": "messages", "message": 0, "side": "customer", "text": "It was late. " * 20}]
    one = {"given": True, "evidence": [entry("en.x", 0, 100, 108)]}
    value = {**BARE, "texts": texts, "explained": {"loyalty": one}}
    line = next(x for x in to_explanation_text(value, marks=COLOURED_MARKS).splitlines() if "\x1b" in x)
    for mark in COLOURED_MARKS:
        line = line.replace(mark, "")
    assert 70 < display_width(line) <= 80


def test_vowels_and_tones_above_and_below_take_no_room() -> None:
    assert (display_width("ที่นี่"), display_width("नि"), display_width("ランプ"), display_width("abc")) == (
        2,
        2,
        6,
        3,
    )

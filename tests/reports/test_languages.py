"""The report speaks five languages; JSON and CSV never change; the shipped catalogues are complete and fresh."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import run

from carelog.reports.catalogues import (
    LOCALE,
    TRANSLATED,
    collect_texts,
    fresh_catalogue,
    read_catalogue,
    to_mo,
    to_po,
)
from carelog.reports.words import LOCALES, load_words

CARE_AND_SERVICE = {
    "hi": ("ग्राहक देखभाल", "ग्राहक सेवा"),
    "gu": ("ગ્રાહક સંભાળ", "ગ્રાહક સેવા"),
    "th": ("การดูแลลูกค้า", "การบริการลูกค้า"),
    "tl": ("Pangangalaga sa customer", "serbisyo sa customer"),
}


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_has_every_text_and_its_compiled_form_is_fresh(language: str) -> None:
    folder = LOCALE / language / "LC_MESSAGES"
    fresh = fresh_catalogue(language)
    assert to_po(fresh) == (folder / "carelog.po").read_bytes(), "run python -m carelog.reports.catalogues"
    assert to_mo(fresh) == (folder / "carelog.mo").read_bytes(), "run python -m carelog.reports.catalogues"
    assert {str(m.id) for m in read_catalogue(language) if m.id} == set(collect_texts())


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_with_the_same_places_to_fill(language: str) -> None:
    for message in read_catalogue(language):
        if message.id:
            assert message.string, message.id
            places = [sorted(re.findall(r"\{\w+\}", str(text))) for text in (message.id, message.string)]
            assert places[0] == places[1], message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_page_markdown_and_terminal_use_the_words_of_the_language(
    labelled_year: Path, tmp_path: Path, language: str
) -> None:
    targets = [tmp_path / f"out.{ending}" for ending in ("html", "md", "txt")]
    result = run("summarize", labelled_year, "--lang", language, *(p for t in targets for p in ("-o", t)))
    assert result.exit_code == 0, result.stderr
    for target in targets:
        text = target.read_text("utf-8")
        assert all(words in text for words in CARE_AND_SERVICE[language]), target
        assert "Outcome of complaints" not in text
        assert "Care share" not in text
    assert f'<html lang="{LOCALES[language]}">' in targets[0].read_text("utf-8")


def test_json_and_csv_are_the_same_in_every_language(labelled_year: Path, tmp_path: Path) -> None:
    found = {}
    for language in ("en", "hi", "th"):
        targets = [tmp_path / f"{language}.{ending}" for ending in ("json", "csv")]
        run("summarize", labelled_year, "--lang", language, *(p for t in targets for p in ("-o", t)))
        texts = [t.read_text("utf-8").replace(f'"report.lang": "{language}"', "") for t in targets]
        found[language] = texts
    assert found["en"] == found["hi"] == found["th"]


def test_dates_durations_and_numbers_are_those_of_the_language() -> None:
    english, hindi, thai = load_words("en"), load_words("hi"), load_words("th")
    assert english.month("2026-03") == "Mar 2026"
    assert "2026" in hindi.month("2026-03")
    assert hindi.month("2026-03") != english.month("2026-03") != thai.month("2026-03")
    assert hindi.count(1234567) == "12,34,567"
    assert english.duration(272) == "4 min, 32 sec".replace(",", "")
    assert english.duration(59) == "59 sec"
    assert english.duration(3 * 3600 + 300) == "3 hr 5 min"
    assert english.duration(2 * 86400 + 4 * 3600) == "2 days 4 hr"
    assert english.duration(-270) == "−4 min 30 sec"
    assert english.weekday("1") == "Monday"
    assert english.language_name("tl") == "Filipino"
    assert english.percent(0.12345) == "12.3%"


@pytest.mark.parametrize("seconds", [0, 59.4, 59.6, 3599, 3599.7, 3600, 86399.9, 86400, 1e7])
def test_durations_never_show_a_full_unit_as_a_part(seconds: float) -> None:
    text = load_words("en").duration(seconds)
    assert not re.search(r"\b(60 (sec|min)|24 hr)\b", text), text

"""The catalogues of the report's languages: `python -m carelog.reports.catalogues` brings them up to date.

It collects every text that a report may say, adds new ones to locale/LANGUAGE/LC_MESSAGES/carelog.po, takes
out those that nobody says any more, and compiles each .po to the .mo that ships. A test holds that this was
done.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from carelog.reports import figures_text, sections, sections_journey, words
from carelog.settings import REPORT_LANGUAGES, default_settings
from carelog.summary import care_service, complaints, journey, stages
from carelog.summary.metrics import list_metrics

FOLDER = Path(__file__).parent
LOCALE = FOLDER / "locale"
TRANSLATED = tuple(language for language in REPORT_LANGUAGES if language != "en")
KEYWORDS = {"t": None, "mark": None}


def collect_texts() -> list[str]:
    """Every English text that reports pass to `Words.t`, sorted."""
    found = {*_written_texts(), *_template_texts(), *_named_texts()}
    return sorted(text for text in found if text)


def _written_texts() -> Iterator[str]:
    for file in sorted(FOLDER.glob("*.py")):
        if file.name != "catalogues.py":
            for _, _, text, _ in extract_python(io.BytesIO(file.read_bytes()), KEYWORDS, [], {}):
                first = text if isinstance(text, str) else (text or (None,))[0]
                if first:
                    yield first


def _template_texts() -> Iterator[str]:
    for file in sorted((FOLDER / "templates").glob("*.j2")):
        yield from re.findall(r"\bt\(\"((?:[^\"\\]|\\.)*)\"", file.read_text("utf-8"))


def _named_texts() -> Iterator[str]:
    yield from (metric.title for metric in list_metrics(default_settings()).values())
    yield from (title for title, _ in sections.BUILDERS.values())
    yield from words.REASONS.values()
    yield from sections_journey.TOP_TITLES.values()
    for titles in (
        figures_text.COLUMN_TITLES,
        figures_text.CHANNEL_TITLES,
        care_service.ACTIVITY_TITLES,
        care_service.ORIENTATION_TITLES,
        complaints.ASPECT_TITLES,
        complaints.OUTCOME_TITLES,
        journey.TOUCHPOINT_TITLES,
        stages.STAGE_TITLES,
    ):
        yield from titles.values()
    yield from stages.SOURCES


def read_catalogue(language: str) -> Catalog:
    """The catalogue of a language as it stands in its .po file; an empty one where there is none."""
    path = LOCALE / language / "LC_MESSAGES" / "carelog.po"
    if not path.is_file():
        return Catalog(locale=words.LOCALES[language])
    with path.open("rb") as stream:
        return read_po(stream, locale=words.LOCALES[language])


def fresh_catalogue(language: str) -> Catalog:
    """The catalogue with exactly the texts that reports say now, translations kept."""
    known = read_catalogue(language)
    fresh = Catalog(
        locale=words.LOCALES[language], project="carelog", version="1", charset="utf-8", fuzzy=False,
        creation_date=_NO_CLOCK, revision_date=_NO_CLOCK, last_translator="carelog", language_team=language,
        msgid_bugs_address="", copyright_holder="carelog", header_comment="# Texts of carelog's reports.",
    )  # fmt: skip
    for text in collect_texts():
        message = known.get(text)
        fresh.add(text, message.string if message else "")
    return fresh


_NO_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)


def to_po(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalogue, width=100, no_location=True, sort_output=True)
    return out.getvalue()


def to_mo(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def main() -> None:
    """Bring every catalogue up to date and say what is not translated yet."""
    for language in TRANSLATED:
        catalogue = fresh_catalogue(language)
        folder = LOCALE / language / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "carelog.po").write_bytes(to_po(catalogue))
        (folder / "carelog.mo").write_bytes(to_mo(catalogue))
        missing = [str(m.id) for m in catalogue if m.id and not m.string]
        print(f"{language}: {len(catalogue)} texts, {len(missing)} not translated")


if __name__ == "__main__":
    main()

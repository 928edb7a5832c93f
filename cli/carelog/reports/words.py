"""The reader's language: texts by gettext, numbers, dates and durations by Babel. JSON and CSV never pass
through here.
"""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import as_file, files

from babel import Locale
from babel.dates import format_date, get_day_names
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

LOCALES = {"en": "en", "hi": "hi", "gu": "gu", "th": "th", "tl": "fil"}
"""Report languages and the locale that Babel knows them by."""

DASH = "–"
UNKNOWN = "not recorded"

REASONS = {
    "no_cases": "no cases",
    "small_group": "too few cases to show",
    "no_scores": "no scores of this kind",
    "no_times": "no times recorded",
    "no_handled_time": "no handled time recorded",
    "no_rate": "no rate per minute set",
    "no_orders": "no orders recorded",
    "no_offered": "no contact offered by phone or chat",
    "no_mentions": "not mentioned",
    "no_signs": "no signs of either",
    "no_leavers": "no customer at risk",
    "no_customers": "no customer known",
    "no_complete_window": "the days after the contact are not complete",
    "one_side_empty": "one side has no cases",
    "too_few_or_constant": "too few cases, or all alike",
    "not_by_group": "not counted by group",
    "no_such_group": "no such group",
}


def mark(text: str) -> str:
    """The text as it is: marks one that is kept in a variable and translated later, so that the catalogues
    have it.
    """
    return text


@cache
def load_words(language: str) -> Words:
    """The words of a report language; English where there is no catalogue."""
    folder = files("carelog.reports") / "locale"
    with as_file(folder) as path:
        catalogue = gettext.translation("carelog", path, [language], fallback=True)
    return Words(language, Locale.parse(LOCALES[language]), catalogue)


@dataclass(frozen=True)
class Words:
    """How one language says things. All methods take plain values and return text for a reader."""

    language: str
    locale: Locale
    catalogue: gettext.NullTranslations

    def t(self, text: str, **values: str) -> str:
        """A text in this language, with `{name}` filled in. The English text is its key."""
        found = self.catalogue.gettext(text) if text else ""
        return found.format(**values) if values else found

    def count(self, value: float) -> str:
        return str(format_decimal(round(value), locale=self.locale))

    def decimal(self, value: float, places: int = 1) -> str:
        text = str(
            format_decimal(
                round(value, places),
                format="#,##0." + "0" * places if places else "#,##0",
                locale=self.locale,
            )
        )
        return text.replace("-", "−")

    def percent(self, value: float, places: int = 1) -> str:
        return str(format_percent(value, format=f"#,##0.{'0' * places}%", locale=self.locale)).replace(
            "\xa0", "\u202f"
        )

    def percent_points(self, value: float) -> str:
        unit = self.t("pp")
        return f"{sign(value)}{self.decimal(abs(value) * 100)} {unit}"

    def money(self, value: float, currency: str | None) -> str:
        if not currency:
            return self.decimal(value, 2)
        return str(format_currency(value, currency, locale=self.locale))

    def duration(self, seconds: float) -> str:
        """Seconds in the two largest units that fit: `45 s`, `4 min 32 s`, `3 h 5 min`, `2 d 4 h`."""
        if seconds < 0:
            return sign(seconds) + self.duration(-seconds)
        whole = round(seconds)
        if whole < 60:
            return self._unit(whole, "second")
        for size, unit, below, smaller in _UNITS:
            if whole >= size:
                first, rest = divmod(round(whole / below), size // below)
                second = f" {self._unit(rest, smaller)}" if rest else ""
                return self._unit(first, unit) + second
        return self._unit(whole, "second")

    def _unit(self, value: int, unit: str) -> str:
        return str(format_unit(value, f"duration-{unit}", length="short", locale=self.locale))

    def day(self, text: str) -> str:
        """`2026-03-31` as this language writes a date; other texts as they are."""
        try:
            return str(format_date(date.fromisoformat(text), "medium", locale=self.locale))
        except ValueError:
            return text

    def month(self, text: str) -> str:
        """`2026-03` as a month with its year; other texts as they are."""
        try:
            return str(format_date(date.fromisoformat(text + "-01"), "MMM y", locale=self.locale))
        except ValueError:
            return text

    def weekday(self, number: str) -> str:
        """`1` (Monday) to `7` as the day's name."""
        names = get_day_names("wide", locale=self.locale)
        return str(names[int(number) - 1]) if number.isdigit() and 1 <= int(number) <= 7 else number

    def language_name(self, code: str) -> str:
        """A BCP 47 code as the language's name; the code where there is no name."""
        name = self.locale.languages.get("fil" if code == "tl" else code.split("-")[0])
        return f"{name} ({code})" if name and "-" in code else str(name or code)

    def reason(self, code: str | None) -> str:
        return self.t(REASONS.get(code or "", "unknown"))


_UNITS = (
    (86_400, "day", 3_600, "hour"),
    (3_600, "hour", 60, "minute"),
    (60, "minute", 1, "second"),
)


def sign(value: float) -> str:
    """The sign of a change: + or a true minus, nothing at 0."""
    return "+" if value > 0 else "−" if value < 0 else ""

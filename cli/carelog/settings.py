"""Settings: what `carelog.toml` may say, what is in force, and where each value comes from.

Every setting stands once in SETTINGS with its default and its check. Files are read in this order, later ones
win: the user's own, the one in the folder; `--config F` replaces both. The command line wins over all of
them.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from carelog.errors import UsageProblem

FILE_NAME = "carelog.toml"
RECORDED = "recorded"
"""The zone that is none: every interaction counts at the local time its source wrote."""

SECTIONS = (
    "headline", "care_service", "stages", "satisfaction", "complaints", "journey", "style", "quality",
    "definitions",
)  # fmt: skip
SERVICE_LEVELS = (
    "late_abandons_count", "answered_only", "all_abandons_count", "early_abandons_succeed",
    "short_abandons_succeed",
)  # fmt: skip
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAME_MODES = ("show", "pseudonym", "hide")
REPORT_LANGUAGES = ("en", "hi", "gu", "th", "tl")

Check = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the config: its default, what it means, and a check that returns what is wrong (None:
    nothing).
    """

    default: Any
    meaning: str
    check: Check


def _number(low: float, high: float, whole: bool = False) -> Check:
    def check(value: Any) -> str | None:
        kinds = (int,) if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            return f"must be a {'whole ' if whole else ''}number from {low:g} to {high:g}"
        return None

    return check


def _one_of(*choices: str) -> Check:
    return lambda value: None if value in choices else "must be one of " + ", ".join(choices)


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _text(value: Any) -> str | None:
    return (
        None if isinstance(value, str) and len(value) <= 500 else "must be a text of at most 500 characters"
    )


def _currency(value: Any) -> str | None:
    good = isinstance(value, str) and (value == "" or re.fullmatch("[A-Z]{3}", value))
    return None if good else "must be an ISO 4217 code such as INR"


def _section_list(value: Any) -> str | None:
    if not isinstance(value, list) or not value or not all(v in SECTIONS for v in value):
        return "must be a list of " + ", ".join(SECTIONS)
    return None


def _hours(value: Any) -> str | None:
    if value in ("", "closed"):
        return None
    match = (
        re.fullmatch(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", value)
        if isinstance(value, str)
        else None
    )
    if not match or value[:5] >= value[6:] or value[6:] > "24:00":
        return 'must be "HH:MM-HH:MM" within one day, "closed", or "" for no limit'
    return None


def check_zone(value: Any) -> str | None:
    """What is wrong with a time zone: None for `recorded` and for the names of the IANA database."""
    if value == RECORDED:
        return None
    try:
        ZoneInfo(value)
    except (ValueError, OSError, TypeError):
        return 'must be a zone such as Asia/Kolkata, or "recorded" (the local time that the source wrote)'
    except KeyError:
        return 'must be a zone such as Asia/Kolkata, or "recorded" (the local time that the source wrote)'
    return None


def _rate_settings() -> dict[str, Setting]:
    meaning = "what a handled minute costs on this channel; -1: not known"
    return {
        f"cost.{name}": Setting(-1, meaning, _number(-1, 1e6))
        for name in ("phone", "email", "chat", "in_store")
    }


def _hours_settings() -> dict[str, Setting]:
    meaning = "open hours; times and service level leave out contacts that began outside them"
    return {f"business_hours.{day}": Setting("", meaning, _hours) for day in WEEKDAYS}


SETTINGS: dict[str, Setting] = {
    "report.title": Setting("", "title of the report", _text),
    "report.logo": Setting("", "image file (PNG or SVG) shown at the top of the page", _text),
    "report.lang": Setting("en", "language of page, Markdown and terminal", _one_of(*REPORT_LANGUAGES)),
    "report.sections": Setting(list(SECTIONS), "sections of the report, in this order", _section_list),
    "report.names": Setting(
        "show", "agents and customers by name, by pseudonym, or not at all", _one_of(*NAME_MODES)
    ),
    "period.tz": Setting(RECORDED, "zone of days, months and hours", check_zone),
    "summary.min_group": Setting(
        5, "below so many cases a group's value is not shown", _number(1, 10_000, True)
    ),
    "summary.max_groups": Setting(
        1000, "most groups of one column; the rest is counted", _number(1, 100_000, True)
    ),
    "windows.repeat_days": Setting(
        7, "days within which a further contact is a repeat", _number(1, 365, True)
    ),
    "windows.value_days": Setting(90, "days of orders after the first contact", _number(1, 730, True)),
    "windows.loyalty_days": Setting(90, "days within which a customer returns", _number(1, 730, True)),
    "service_level.formula": Setting(
        SERVICE_LEVELS[0], "which of the five formulas", _one_of(*SERVICE_LEVELS)
    ),
    "service_level.seconds": Setting(20, "answered within so many seconds", _number(0, 86_400)),
    "abandonment.short_seconds": Setting(5, "an abandon below this is short", _number(0, 600)),
    "abandonment.drop_short": Setting(False, "leave short abandons out of the abandonment rate", _flag),
    "handle_time.missing_parts": Setting(
        "unknown",
        "a part (talk, hold, wrap-up) that is absent makes the time unknown, or counts as not spent",
        _one_of("unknown", "absent"),
    ),
    "ces.high_is": Setting(
        "easy", "whether 7 on the effort scale means easy or hard", _one_of("easy", "hard")
    ),
    **_rate_settings(),
    "cost.currency": Setting("", "currency of the costs", _currency),
    **_hours_settings(),
    "bootstrap.resamples": Setting(2000, "resamples of the bootstrap", _number(200, 20_000, True)),
    "bootstrap.seed": Setting(20260101, "seed of the bootstrap", _number(0, 2**31, True)),
    "engine.memory_mb": Setting(
        300, "memory of the query engine in MB; beyond it spills to disk", _number(100, 1e6, True)
    ),
    "engine.threads": Setting(0, "threads of the query engine; 0: all cores", _number(0, 1024, True)),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in force: `values` and `origins` (a file, `default`, or the option) by dotted key."""

    values: Mapping[str, Any]
    origins: Mapping[str, str]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def replaced(self, origin: str, **values: Any) -> Settings:
        """A copy in which `section__key=value` pairs that are not None win, checked like those of a file."""
        changed, origins = dict(self.values), dict(self.origins)
        for name, value in values.items():
            key = name.replace("__", ".", 1)
            if value is not None:
                _check_value(key, value, origin)
                changed[key], origins[key] = value, origin
        return Settings(changed, origins)


def default_settings() -> Settings:
    """The settings when nothing is configured."""
    return Settings({k: s.default for k, s in SETTINGS.items()}, dict.fromkeys(SETTINGS, "default"))


def user_config_path() -> Path:
    """Where the user's own `carelog.toml` lives: the platform's config folder."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", str(Path.home()))) / "carelog" / FILE_NAME
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "carelog" / FILE_NAME


def load_settings(config: str | None = None, folder: Path | None = None) -> Settings:
    """The settings in force for `folder` (default: the current one). UsageProblem names file and key of what
    is wrong.
    """
    if config is not None:
        return _merge(default_settings(), Path(config), config)
    settings = default_settings()
    local = (folder or Path()) / FILE_NAME
    for path, shown in ((user_config_path(), str(user_config_path())), (local, str(local))):
        if path.is_file():
            settings = _merge(settings, path, shown)
    return settings


def _merge(settings: Settings, path: Path, shown: str) -> Settings:
    values, origins = dict(settings.values), dict(settings.origins)
    for key, value in _flatten(_read_toml(path, shown)).items():
        _check_value(key, value, shown)
        values[key], origins[key] = value, shown
    return Settings(values, origins)


def _read_toml(path: Path, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{shown} is not TOML: {error}") from error
    except OSError as error:
        raise UsageProblem(f"{shown} cannot be read: {error.strerror}") from error


def _flatten(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _check_value(key: str, value: Any, origin: str) -> None:
    if key not in SETTINGS:
        close = get_close_matches(key, SETTINGS, 1)
        raise UsageProblem(
            f"{origin}: there is no setting {key}",
            f"did you mean {close[0]}?" if close else "`carelog config show` lists all settings",
        )
    wrong = SETTINGS[key].check(value)
    if wrong:
        raise UsageProblem(f"{origin}: {key} {wrong}")

"""The options that mean the same in every command, as decorators; and what they turn into."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from carelog.commands.file_type import FILE
from carelog.commands.notices import Notices, wants_color
from carelog.engines.local import default_jobs
from carelog.errors import MissingInput, UsageProblem
from carelog.labels import CHANNELS
from carelog.settings import Settings, load_settings
from carelog.sources.blocks import MAX_LINE_BYTES, ReadOptions
from carelog.sources.formats import FORMATS
from carelog.sources.formats._mapping import parse_mapping
from carelog.sources.formats.mapped import NAME as MAPPING

Command = TypeVar("Command", bound=Callable[..., Any])


class ByteSize(click.ParamType[int]):
    """A number of bytes, or of thousands, millions (K, M) of them as powers of 1024."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes; BadParameter if it is none."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9]\d{0,11})\s*([KMG]?)i?B?", str(value), re.IGNORECASE)
        if found is None:
            self.fail(f"{value!r} is no number of bytes; examples: 5000000, 16M", param, ctx)
        return int(found[1]) << 10 * " KMG".index(found[2].upper() or " ")


class Zone(click.ParamType[str]):
    """A time zone of the IANA database."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The zone's name; BadParameter if there is no such zone."""
        try:
            ZoneInfo(str(value))
        except (ValueError, OSError, KeyError):
            self.fail(f"{value!r} is no time zone; examples: Asia/Kolkata, Europe/Berlin, UTC", param, ctx)
        return str(value)


class StartTime(click.ParamType[str]):
    """A date and time in ISO 8601, with or without an offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The time as RFC 3339 would write it; BadParameter if it is none."""
        text = str(value).strip()
        try:
            return datetime.fromisoformat(text).isoformat()
        except ValueError:
            self.fail(f"{text!r} is no date and time; example: 2026-09-14T09:00+07:00", param, ctx)


class Share(click.ParamType["Allowance"]):
    """A number of records, or a percentage of those read."""

    name = "N|P%"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Allowance:
        """What is allowed; BadParameter if it is neither."""
        if isinstance(value, Allowance):
            return value
        found = re.fullmatch(r"(\d{1,15})|(\d{1,3}(?:\.\d{1,6})?)%", str(value))
        if found is None or (found[2] and float(found[2]) > 100):
            self.fail(f"{value!r} is neither a number nor a percentage; examples: 0, 25, 0.5%", param, ctx)
        return Allowance(count=int(found[1])) if found[1] else Allowance(percent=float(found[2]))


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many records may be invalid: so many, or so many of a hundred; without either, any number."""

    count: int | None = None
    percent: float | None = None

    def allows(self, invalid: int, read: int) -> bool:
        """Whether `invalid` of `read` records are few enough."""
        if self.count is not None:
            return invalid <= self.count
        return self.percent is None or invalid * 100 <= self.percent * read


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Put the value of an option of single formats where `to_read_options` finds it; commands need not know
    of it.
    """
    if value not in (None, ()):
        ctx.meta.setdefault(_FOR_FORMATS, {})[param.name] = value
    return value


def _split_names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for text in value for name in text.split(",") if name.strip())
    _keep(ctx, param, names)
    return names


def _read_mapping(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    try:
        raw = Path(value).read_bytes()
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "cannot be read").lower()
        raise MissingInput(f"{value}: {reason}") from None
    _keep(ctx, param, parse_mapping(raw, value))


def _by_mapping(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """With a mapping file, every PATH is read by it."""
    has_mapping = "mapping" in ctx.meta.get(_FOR_FORMATS, {})
    if has_mapping and value not in (None, MAPPING):
        raise UsageProblem(f"--mapping and --from {value} contradict each other", "leave one of them out")
    return MAPPING if has_mapping else value


def _keep_currency(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[A-Za-z]{3}", value):
        raise click.BadParameter(f"{value!r} is no currency code; examples: THB, INR, PHP", ctx, param)
    return value if value is None else str(_keep(ctx, param, value.upper()))


_FOR_FORMATS = "carelog.reading"
FORMAT_OPTIONS = (
    click.option(
        "--our-domains", metavar="D,...", multiple=True, expose_value=False, callback=_split_names,
        help="The company's own mail domains (or addresses): whose mails are the agents'.",
    ),
    click.option(
        "--agents", metavar="NAME,...", multiple=True, expose_value=False, callback=_split_names,
        help="Names or ids of the company's people in chats and transcripts; everybody else is a customer.",
    ),
    click.option(
        "--gap", "gap_hours", metavar="HOURS", type=click.FloatRange(0, 24 * 366, min_open=True),
        expose_value=False, callback=_keep, help="The silence that ends a chat (default: 24).",
    ),
    click.option(
        "--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), expose_value=False, callback=_keep,
        help="How a chat's text file (or a till's table) writes its dates, where the file does not tell.",
    ),
    click.option(
        "--currency", metavar="CODE", expose_value=False, callback=_keep_currency,
        help="The currency (ISO 4217) of receipts that do not name theirs, such as THB.",
    ),
    click.option(
        "--start", metavar="TIME", type=StartTime(), expose_value=False, callback=_keep,
        help="When a mail or a transcript began that does not say so, such as 2026-09-14T09:00+07:00.",
    ),
    click.option(
        "--mapping", metavar="F", type=FILE, is_eager=True, expose_value=False, callback=_read_mapping,
        help="A file (TOML) that says which column or JSON key is which field; `convert --infer` begins one.",
    ),
)  # fmt: skip
"""Options that only some formats read; each is named as its field of ReadOptions."""


def reading_options(command: Command) -> Command:
    """PATH… and how to read them: --from, --channel, --tz, --max-line-bytes, --keep-going, and what single
    formats need to know.
    """
    for decorate in reversed(
        (
            click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=FILE),
            click.option(
                "--from", "from_format", metavar="NAME", type=click.Choice(list(FORMATS)),
                callback=_by_mapping,
                help=f"Read every PATH as this format, whatever it looks like: {', '.join(FORMATS)}.",
            ),
            click.option(
                "--channel", type=click.Choice(CHANNELS),
                help="The channel of records that do not name theirs.",
            ),
            click.option(
                "--tz", "zone", metavar="ZONE", type=Zone(),
                help="The zone of times without an offset, such as Asia/Kolkata.",
            ),
            click.option(
                "--max-line-bytes", type=ByteSize(), default=MAX_LINE_BYTES, show_default="16M",
                help="A longer record is put aside, not read.",
            ),
            click.option(
                "--keep-going", is_flag=True,
                help="If a PATH cannot be opened or is of no known format, read the others all the same.",
            ),
            *FORMAT_OPTIONS,
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


def run_options(command: Command) -> Command:
    """How to run and to speak: --jobs, --engine, --config, --quiet, --no-progress, --color, --log-format."""
    for decorate in reversed(
        (
            click.option(
                "--jobs", type=click.IntRange(1, 1024), metavar="N",
                help="How many processes to use (default: all cores). The result is the same.",
            ),
            click.option("--config", metavar="F", type=FILE, help="Read settings from this file only."),
            click.option("--quiet", "-q", is_flag=True, help="Say only what is wrong."),
            click.option("--no-progress", is_flag=True, help="No progress bar, even on a terminal."),
            click.option(
                "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
                help="Whether to write in colour; auto: on a terminal, unless NO_COLOR is set.",
            ),
            click.option(
                "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True,
                help="How to write notices to standard error.",
            ),
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


@dataclass(frozen=True, slots=True)
class Running:
    """What the run options say."""

    jobs: int
    settings: Settings
    notices: Notices


def to_running(
    command: str,
    jobs: int | None,
    config: str | None,
    quiet: bool,
    no_progress: bool,
    color: str,
    log_format: str,
) -> Running:
    """The run options of `command` in use; UsageProblem if the config is wrong."""
    notices = Notices(
        command, quiet, log_format == "json", wants_color(color, sys.stderr), progress=not no_progress
    )
    return Running(jobs or default_jobs(), load_settings(config), notices)


def to_read_options(max_line_bytes: int, zone: str | None) -> ReadOptions:
    """The reading options in use, those of single formats included."""
    given = click.get_current_context().meta.get(_FOR_FORMATS, {})
    return ReadOptions(max_line_bytes=max_line_bytes, zone=zone, **given)

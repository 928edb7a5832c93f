"""`carelog config`: what is set, and where."""

from __future__ import annotations

import json

import click

from carelog.commands.file_type import FILE
from carelog.errors import ExitCode
from carelog.settings import SETTINGS, load_settings


@click.group("config")
def command() -> None:
    """The settings: what is in force, and from where.

    \b
    Settings are read from carelog.toml in the current folder, then from the user's own
    (~/.config/carelog/carelog.toml); --config F of a command replaces both.
    """


@command.command("show")
@click.option("--config", metavar="F", type=FILE, help="Show what holds with this file instead.")
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def show(config: str | None, output_format: str) -> ExitCode:
    """Every setting with its value, its origin and its meaning.

    The text is TOML: keep the lines you want as your carelog.toml.

    \b
    Examples:
      carelog config show
      carelog config show --config monthly.toml --format json
    """
    settings = load_settings(config)
    if output_format == "json":
        shown = {
            key: {"value": settings[key], "origin": settings.origins[key], "meaning": setting.meaning}
            for key, setting in SETTINGS.items()
        }
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))
        return ExitCode.OK
    table = ""
    for key, setting in SETTINGS.items():
        section, _, name = key.partition(".")
        if section != table:
            click.echo(f"{chr(10) if table else ''}[{section}]")
            table = section
        value = json.dumps(settings[key], ensure_ascii=False)
        click.echo(f"{name} = {value}  # {setting.meaning} ({settings.origins[key]})")
    return ExitCode.OK

"""What the README says can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from carelog.app import COMMANDS, main
from carelog.sources.formats import FORMATS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def typed_lines() -> list[str]:
    """The lines of code blocks that call carelog, without comments, prompts and what stands after a pipe."""
    blocks = re.findall(r"```(?:console|sh)?\n(.*?)```", README, re.S)
    indented = [line[4:] for line in README.splitlines() if line.startswith("    ")]
    lines = [
        line.removeprefix("$ ") for block in blocks for line in block.replace("\\\n", " ").splitlines()
    ] + indented
    calls = [re.split(r"\s+#|\s{4,}|\s\|\s|\s>\s", line.strip())[0] for line in lines]
    return sorted({c for c in calls if c.startswith("carelog ") and "…" not in c})


def test_the_readme_shows_calls() -> None:
    assert len(typed_lines()) > 20


@pytest.mark.parametrize("line", typed_lines())
def test_every_call_names_a_command_and_options_that_exist(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command | None = main
    context = click.Context(main)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = command.get_command(context, words.pop(0))
    assert command is not None, line
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used <= known | {"-h", "--help", "--version"}, line


def test_every_format_stands_in_the_table() -> None:
    missing = {name for name in FORMATS if f"`{name}`" not in README}
    assert missing == set()


def test_the_pictures_are_there() -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file()


def test_the_two_commands_come_first() -> None:
    top = README[:1500]
    assert "make run" in top
    assert "make test" in top


def test_every_command_is_mentioned() -> None:
    assert {name for name in COMMANDS if f"carelog {name}" not in README} == set()

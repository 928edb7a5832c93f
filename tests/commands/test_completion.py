"""What a shell completes: commands, options, choices, and files wherever a file is asked for."""

from __future__ import annotations

import click
import pytest
from click.shell_completion import BashComplete

from carelog.app import COMMANDS, main

FILE_NAMES = ("F", "F...", "G", "PATH...", "[PATH]...")
"""How help calls a file."""


def completed(*words: str) -> list[tuple[str, str]]:
    """The type and the text of what is offered for the last of the words."""
    items = BashComplete(main, {}, "carelog", "_CARELOG_COMPLETE").get_completions(
        list(words[:-1]), words[-1]
    )
    return [(item.type, item.value) for item in items]


def test_commands_options_and_choices_are_offered() -> None:
    assert completed("") == [("plain", name) for name in COMMANDS]
    assert completed("rules", "") == [("plain", n) for n in ("list", "show", "check", "test", "diff")]
    assert completed("validate", "--fo") == [("plain", "--format")]
    assert completed("validate", "--format", "j") == [("plain", "json"), ("plain", "junit")]


@pytest.mark.parametrize(
    "words",
    [
        ("validate", "ex"),
        ("classify", "exports", "-o", "ex"),
        ("summarize", "--rejects", "ex"),
        ("schema", "check", "ex"),
        ("rules", "diff", "shipped", "ex"),
    ],
    ids=" ".join,
)
def test_files_are_offered(words: tuple[str, ...]) -> None:
    assert completed(*words) == [("file", "ex")]


def _leaves(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return [(name, command)]
    context = click.Context(command)
    found = [(n, command.get_command(context, n)) for n in command.list_commands(context)]
    return [leaf for n, inner in found if inner is not None for leaf in _leaves(inner, f"{name} {n}".strip())]


@pytest.mark.parametrize(("name", "command"), [pytest.param(n, c, id=n) for n, c in _leaves(main, "")])
def test_whatever_help_calls_a_file_is_completed_as_one(name: str, command: click.Command) -> None:
    files = [p for p in command.params if p.metavar in FILE_NAMES]
    assert [p.name for p in files if not isinstance(p.type, click.Path)] == []

"""`carelog schema`: the JSON Schemas that ship with the tool."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click

from carelog.commands.file_type import FILE
from carelog.errors import ExitCode, UnusableInput, UsageProblem
from carelog.findings import Finding
from carelog.resources import load_schema, schema_names
from carelog.sources.instances import read_instances
from carelog.sources.paths import find_inputs
from carelog.validation.soundness import bundle_schema, check_instance, check_schema, guess_schema

format_option = click.option(
    "--format", "output_format", type=click.Choice(["json", "text"]), default="json", show_default=True
)


class Schemas(click.Group):
    """Hands the exit code of its command on to the boundary in carelog.app."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["list", "show", "check"]


@click.group("schema", cls=Schemas)
def command() -> None:
    """Show the JSON Schemas of records, labels and reports, and check files against them.

    \b
    Examples:
      carelog schema list --format text
      carelog schema show chat > chat.schema.json
      carelog schema check --name labelled labelled.jsonl
      carelog schema check                    are the shipped schemas themselves sound?
    """


@command.command("list")
@format_option
def list_schemas(output_format: str) -> ExitCode:
    """List the schemas: name, title, description.

    \b
    Example:
      carelog schema list --format text
    """
    entries = [_entry(name) for name in schema_names()]
    if output_format == "text":
        click.echo("\n".join(f"{e['name']:<12} {e['title']}" for e in entries))
    else:
        click.echo(to_json(entries))
    return ExitCode.OK


def _entry(name: str) -> dict[str, str]:
    schema = load_schema(name)
    return {
        "name": name,
        "title": schema["title"],
        "description": schema["description"],
        "id": schema["$id"],
    }


@command.command("show")
@click.argument("name")
@click.option(
    "--bundled", is_flag=True, help="With the schemas that it refers to inside, for other validators."
)
def show_schema(name: str, bundled: bool) -> ExitCode:
    """Write the schema NAME as JSON.

    \b
    Examples:
      carelog schema show interaction
      carelog schema show chat --bundled > chat.schema.json
    """
    schema = load_schema(_known(name))
    click.echo(to_json(bundle_schema(schema) if bundled else schema))
    return ExitCode.OK


@command.command("check")
@click.argument("paths", metavar="[PATH]...", type=FILE, nargs=-1)
@click.option(
    "--name", metavar="NAME", help="The schema to check against (default: guessed from the fields)."
)
@format_option
def check(paths: tuple[str, ...], name: str | None, output_format: str) -> ExitCode:
    """Check files of JSON values, or rulebooks (TOML), against a schema; without PATH, the shipped schemas.

    A file holds one JSON value, or one on each line. For exports with millions of records use
    carelog validate, which also checks what a schema cannot say.

    \b
    Examples:
      carelog schema check
      carelog schema check --name rejects rejects.jsonl
      carelog schema check rulebook.toml --format text

    \b
    Exit code: 0 all valid, 1 there are findings, 2 no schema of that name, 65 nothing to check,
    66 a PATH does not exist.
    """
    if name is not None:
        _known(name)
    return _check_files(paths, name, output_format) if paths else _check_shipped(name, output_format)


def _known(name: str) -> str:
    if name not in schema_names():
        raise UsageProblem(f"there is no schema {name[:40]!r}", f"there are: {', '.join(schema_names())}")
    return name


def _check_shipped(name: str | None, output_format: str) -> ExitCode:
    problems = {n: list(check_schema(n)) for n in ([name] if name else schema_names())}
    if output_format == "json":
        schemas = [{"name": n, "sound": not found, "problems": found} for n, found in problems.items()]
        click.echo(to_json({"schemas": schemas}))
    else:
        for n, found in problems.items():
            click.echo(
                "\n".join([f"{n}: {'sound' if not found else 'not sound'}", *(f"  {p}" for p in found)])
            )
    return ExitCode.FINDINGS if any(problems.values()) else ExitCode.OK


def _check_files(paths: Sequence[str], name: str | None, output_format: str) -> ExitCode:
    checked: list[tuple[str, list[Finding]]] = []
    for item in find_inputs(paths):
        for line, value, fault in read_instances(item):
            if fault is not None:
                checked.append(("", [Finding(item.name, line, "", fault.keyword, fault.message)]))
                continue
            schema = name or guess_schema(value)
            checked.append((schema, list(_findings(item.name, line, schema, value))))
    if not checked:
        raise UnusableInput("there is nothing to check in what was named")
    click.echo(_report(checked, output_format))
    return ExitCode.FINDINGS if any(found for _, found in checked) else ExitCode.OK


def _findings(file: str, line: int, schema: str, value: Any) -> Iterator[Finding]:
    for remark in check_instance(schema, value):
        yield Finding(file, line, remark.pointer, remark.keyword, remark.message, remark.severity)


def _report(checked: Sequence[tuple[str, list[Finding]]], output_format: str) -> str:
    found = [(schema, finding) for schema, findings in checked for finding in findings]
    valid = sum(not findings for _, findings in checked)
    if output_format == "text":
        lines = [f"{f.file}:{f.line} {schema}: {f.message} [{f.keyword}]" for schema, f in found]
        return "\n".join([*lines, f"{len(checked)} checked = {valid} valid + {len(checked) - valid} invalid"])
    errors = [
        {
            "file": f.file,
            "line": f.line,
            "schema": schema or None,
            "pointer": f.pointer,
            "keyword": f.keyword,
            "message": f.message,
        }
        for schema, f in found
    ]
    return to_json({"checked": len(checked), "valid": valid, "errors": errors})


def to_json(value: Any) -> str:
    """A value as indented JSON text."""
    return json.dumps(value, ensure_ascii=False, indent=2)

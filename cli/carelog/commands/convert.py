"""`carelog convert`: another system's export to canonical records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click

from carelog.columns import RECORD
from carelog.commands.file_type import FILE
from carelog.commands.notices import Notices
from carelog.commands.options import (
    Allowance,
    Share,
    reading_options,
    run_options,
    to_read_options,
    to_running,
)
from carelog.commands.surveys import survey_options, tell_joined, to_surveys
from carelog.engines.local import map_ordered
from carelog.engines.steps import validate_part
from carelog.errors import ExitCode, UsageProblem
from carelog.findings import Finding, Reject, visible
from carelog.sources.archives import find_member, open_archive
from carelog.sources.blocks import Block, Chunk, ReadOptions
from carelog.sources.explaining import explain_inputs, to_text
from carelog.sources.inferring import infer_mapping
from carelog.sources.paths import Input, find_inputs
from carelog.sources.reading import Inputs, identify, read_chunks
from carelog.sources.streams import open_input
from carelog.sources.structure import plain_suffix
from carelog.store.atomic import Outputs, check_outputs, write_whole
from carelog.store.containers import SUFFIX, write_vcons
from carelog.store.tables import Write, check_rejects_name, check_table_name, write_rejects, write_table
from carelog.validation import DuplicateIds, Validated, reject_duplicates

TARGETS = ("jsonl", "csv", "tsv", "parquet", "vcon")
MOST_WARNINGS = 10
PutAside = Callable[[Iterable[Reject]], None]


@click.command("convert")
@reading_options
@click.option(
    "-o", "--output", metavar="F", type=FILE, default="-", show_default=True,
    help="The records (.jsonl, .csv, .tsv, .parquet, .vcon; - is standard output).",
)  # fmt: skip
@click.option("--to", type=click.Choice(TARGETS), help="Write this, whatever the name after -o.")
@click.option(
    "--rejects",
    metavar="F",
    type=FILE,
    help="Write records that are invalid here, with what is wrong (.jsonl).",
)
@click.option(
    "--max-invalid", type=Share(), default=None,
    help="Exit 1 if more records are invalid (N or P%; default: any number is fine).",
)  # fmt: skip
@click.option(
    "--explain",
    is_flag=True,
    help="Convert nothing: say of each PATH which format it has, why, and what comes out.",
)
@click.option(
    "--infer",
    is_flag=True,
    help="Convert nothing: write a first mapping file for PATH, for a person to finish.",
)
@survey_options
@run_options
def command(
    paths: tuple[str, ...],
    from_format: str | None,
    channel: str | None,
    zone: str | None,
    max_line_bytes: int,
    keep_going: bool,
    output: str,
    to: str | None,
    rejects: str | None,
    max_invalid: Allowance | None,
    explain: bool,
    infer: bool,
    surveys: tuple[str, ...],
    survey_key: str | None,
    survey_scores: tuple[str, ...],
    **run: Any,
) -> ExitCode:
    """Turn exports of other systems into canonical records.

    \b
    Examples:
      carelog convert zendesk.json -o tickets.jsonl --rejects bad.jsonl
      carelog convert helpdesk.csv --mapping our-desk.toml -o tickets.parquet
      carelog convert --explain exports/
      carelog convert --infer helpdesk.csv -o our-desk.toml
      carelog convert calls.jsonl -o calls.vcon
      carelog convert tickets.csv --surveys answers.csv --on interaction_id=ticket_id -o joined.jsonl

    \b
    Exit code: 0 done, 1 more invalid records than --max-invalid, 2 wrong usage,
    65 nothing usable, 66 an input is missing, 73 an output cannot be written.
    """
    running = to_running("convert", **run)
    options = to_read_options(max_line_bytes, zone)
    if infer:
        return infer_path(paths, output)
    if explain:
        return explain_paths(paths, from_format, keep_going, output, options)
    name = to_target_name(output, to)
    if rejects is not None:
        check_rejects_name(rejects)
    joined = to_surveys(surveys, survey_key, survey_scores, options, running.notices)
    step = partial(validate_part, channel=channel, now=datetime.now(UTC), surveys=joined)
    counts = Counts()
    with identify(paths, from_format, keep_going) as inputs:
        read = [known.input.path for known in inputs.known]
        check_outputs((output, rejects), [*read, *map(Path, surveys)])
        with Outputs() as outputs:
            file = outputs.open(output)
            with ExitStack() as stack:
                write = stack.enter_context(_write_records(file, name))
                put_aside = stack.enter_context(_write_rejects(outputs, rejects))
                on_bytes = stack.enter_context(running.notices.count_bytes(inputs.total_bytes()))
                parts = read_chunks(inputs, options, on_bytes)
                convert_all(parts, step, running.jobs, counts, write, put_aside)
            if not counts.accepted:
                outputs.forget(file if counts.read else None)
    tell_joined(joined, survey_key, counts.joined, running.notices)
    counts.tell(running.notices, rejects)
    return to_exit_code(counts, inputs, max_invalid, running.notices)


def _write_records(file: BinaryIO, name: str) -> AbstractContextManager[Write]:
    return write_vcons(file, name) if plain_suffix(name) == SUFFIX else write_table(file, name, RECORD)


@contextmanager
def _write_rejects(outputs: Outputs, name: str | None) -> Iterator[PutAside | None]:
    if name is None:
        yield None
        return
    with write_rejects(outputs.open(name), name) as put_aside:
        yield put_aside


def explain_paths(
    paths: tuple[str, ...], from_format: str | None, keep_going: bool, output: str, options: ReadOptions
) -> ExitCode:
    """Write what becomes of each input; without `keep_going` the first that cannot be told ends the run."""
    with identify(paths, from_format, keep_going) as inputs:
        check_outputs((output,), (known.input.path for known in inputs.known))
        with write_whole(output) as file:
            texts = [to_text(explained) for explained in explain_inputs(inputs, options)]
            texts += [f"{visible(name)}: of no known format; it would be skipped" for name in inputs.skipped]
            texts += [problem.message for problem in inputs.problems]
            file.write(_to_bytes("".join(f"{text}\n" for text in texts)))
    return inputs.problems[0].exit_code if inputs.problems else ExitCode.OK


def infer_path(paths: tuple[str, ...], output: str) -> ExitCode:
    """Write a first mapping for the one input that is named; UsageProblem if there are several or none."""
    item = _only_input(paths)
    check_outputs((output,), (item.path,))
    with write_whole(output) as file, open_input(item) as opened:
        text = infer_mapping(opened, Path(item.name).stem if item.path is not None else "mapped")
        file.write(_to_bytes(text))
    return ExitCode.OK


def _only_input(paths: tuple[str, ...]) -> Input:
    """The one input that is named: a file, the only one in a zip archive, or one of it as ARCHIVE/NAME."""
    named = find_member(paths[0]) if len(paths) == 1 else None
    items = [named] if named else [member for item in find_inputs(paths) for member in open_archive(item)]
    if len(items) == 1:
        return items[0]
    shown = ", ".join(visible(item.name) for item in items[:3]) + (", …" if len(items) > 3 else "")
    raise UsageProblem(
        "--infer looks at one file",
        f"name one that is typical of the others: {shown}" if items else "there is none in what was named",
    )


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


@dataclass(slots=True)
class Counts:
    """read = accepted + rejected; the first findings, to be told, and how many there are in all."""

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    joined: int = 0
    told: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    warnings: int = 0

    def add(self, validated: Validated) -> None:
        """Count one part."""
        self.read += validated.read
        self.accepted += validated.accepted.num_rows
        self.rejected += validated.rejected
        self.joined += validated.joined
        for finding in (*validated.findings, *(r.findings[0] for r in validated.rejects if r.findings)):
            self.warnings += 1
            if len(self.told) < MOST_WARNINGS:
                # One of a kind is enough to know by; validate lists them all.
                self.told.setdefault((finding.file, finding.pointer, finding.keyword), finding)

    def tell(self, notices: Notices, rejects: str | None) -> None:
        """Say what became of the records."""
        for finding in self.told.values():
            place = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
            notices.note(f"{place}: {finding.message} [{finding.keyword}]")
        if self.warnings > len(self.told):
            notices.note(f"{self.warnings:,} findings in all; `carelog validate` lists them")
        text = f"read {self.read:,} = accepted {self.accepted:,} + rejected {self.rejected:,}"
        if self.rejected:
            text += f" (kept in {rejects})" if rejects else " (--rejects F keeps them)"
        notices.tell(text, read=self.read, accepted=self.accepted, rejected=self.rejected)


def to_target_name(output: str, to: str | None) -> str:
    """The name that tells the output's format; UsageProblem if it tells none."""
    name = output if to is None else f"x.{to}"
    if plain_suffix(name) == ".parquet" and output == "-":
        raise UsageProblem("Parquet cannot be written to standard output", "name a file after -o")
    if plain_suffix(name) != SUFFIX:
        check_table_name(name)
    return name


def to_exit_code(counts: Counts, inputs: Inputs, max_invalid: Allowance | None, notices: Notices) -> ExitCode:
    """What the run amounts to; problems and emptiness are said."""
    if inputs.skipped:
        notices.note(f"skipped {len(inputs.skipped)} of no known format: {', '.join(inputs.skipped[:3])}")
    for problem in inputs.problems:
        notices.warn(problem.message)
    if inputs.problems:
        return inputs.problems[0].exit_code
    if not counts.accepted:
        advice = f"; {inputs.advice()}" if counts.read else ""
        notices.warn(f"nothing usable was read; no output was written{advice}")
        return ExitCode.UNUSABLE_INPUT
    if max_invalid is not None and not max_invalid.allows(counts.rejected, counts.read):
        return ExitCode.FINDINGS
    return ExitCode.OK


def convert_all(
    parts: Iterable[Chunk | Block],
    step: Callable[[Chunk | Block], Validated],
    jobs: int,
    counts: Counts,
    write: Write,
    put_aside: PutAside | None,
) -> None:
    """Read and check part after part in the order of the input, and write what is sound."""
    seen = DuplicateIds()
    for result in map_ordered(step, parts, jobs, weigh=lambda part: part.weight):
        validated = reject_duplicates(result, seen)
        counts.add(validated)
        if validated.accepted.num_rows:
            write(validated.accepted)
        if put_aside is not None:
            put_aside(validated.rejects)

"""`carelog validate`: is every record sound?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click
import pyarrow as pa

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
from carelog.engines.local import map_ordered
from carelog.engines.steps import validate_part
from carelog.errors import ExitCode
from carelog.findings import Reject
from carelog.reports.findings import FINDINGS_FORMATS
from carelog.sources.blocks import Block, Chunk
from carelog.sources.reading import Inputs, identify, read_chunks
from carelog.store.atomic import Outputs, check_outputs
from carelog.store.tables import check_rejects_name, check_table_name, write_rejects, write_table
from carelog.validation import DuplicateIds, Tally, Validated, reject_duplicates


@click.command("validate")
@reading_options
@click.option(
    "--accepted", metavar="F", type=FILE, help="Write the sound records here (.jsonl, .csv, .parquet)."
)
@click.option("--rejects", metavar="F", type=FILE, help="Write the others here, with what is wrong (.jsonl).")
@click.option(
    "-o", "--output", metavar="F", type=FILE, help="Write the report here instead of standard output."
)
@click.option(
    "--format", "report_format", type=click.Choice(list(FINDINGS_FORMATS)), default="text", show_default=True
)
@click.option(
    "--max-errors", type=click.IntRange(0), default=100, show_default=True, metavar="N",
    help="List at most so many findings; the counts are always exact.",
)  # fmt: skip
@click.option(
    "--max-invalid", type=Share(), default="0", show_default=True,
    help="So many invalid records, or so many of a hundred, are no reason to exit 1.",
)  # fmt: skip
@click.option(
    "--fail-on", type=click.Choice(["error", "warning", "never"]), default="error", show_default=True,
    help="What makes the exit code 1.",
)  # fmt: skip
@run_options
def command(
    paths: tuple[str, ...],
    from_format: str | None,
    channel: str | None,
    zone: str | None,
    max_line_bytes: int,
    keep_going: bool,
    accepted: str | None,
    rejects: str | None,
    output: str | None,
    report_format: str,
    max_errors: int,
    max_invalid: Allowance,
    fail_on: str,
    **run: Any,
) -> ExitCode:
    """Check exports record by record: is every one sound?

    PATH is a file, a folder (searched recursively), a glob, or - for standard input.

    \b
    Examples:
      carelog validate exports/
      carelog validate calls.csv --channel phone --format json -o findings.json
      zcat chats.jsonl.gz | carelog validate - --accepted good.jsonl --rejects bad.jsonl
      carelog validate exports/ --max-invalid 0.5% --format junit -o findings.xml

    \b
    Exit code: 0 all sound, 1 there are findings, 2 wrong usage, 65 nothing usable,
    66 an input is missing, 73 an output cannot be written.
    """
    running = to_running("validate", **run)
    _check_names(accepted, rejects)
    found = _Found(Tally(max_errors))
    step = partial(validate_part, channel=channel, now=datetime.now(UTC), with_columns=accepted is not None)
    with identify(paths, from_format, keep_going) as inputs:
        check_outputs((output or "-", accepted, rejects), (known.input.path for known in inputs.known))
        with Outputs() as outputs:
            report = outputs.open(output or "-")
            with (
                _open_sinks(outputs, accepted, rejects) as sinks,
                running.notices.count_bytes(inputs.total_bytes()) as on_bytes,
            ):
                parts = read_chunks(inputs, to_read_options(max_line_bytes, zone), on_bytes)
                _validate_all(parts, step, running.jobs, found, sinks)
            report.write(FINDINGS_FORMATS[report_format](found.tally).encode("utf-8", "backslashreplace"))
    _tell(found.tally, inputs, running.notices)
    return _exit_code(found, inputs, max_invalid, fail_on)


@dataclass(slots=True)
class _Found:
    """What the run found; `file_errors` counts the errors that belong to an input and to no record."""

    tally: Tally
    file_errors: int = 0


@dataclass(frozen=True, slots=True)
class _Sinks:
    """Where records go; None where nobody asked for them."""

    accepted: Callable[[pa.RecordBatch], None] | None = None
    rejects: Callable[[Iterable[Reject]], None] | None = None


def _check_names(accepted: str | None, rejects: str | None) -> None:
    if accepted is not None:
        check_table_name(accepted)
    if rejects is not None:
        check_rejects_name(rejects)


@contextmanager
def _open_sinks(outputs: Outputs, accepted: str | None, rejects: str | None) -> Iterator[_Sinks]:
    with ExitStack() as stack:
        write_accepted = write_rejected = None
        if accepted is not None:
            write_accepted = stack.enter_context(write_table(outputs.open(accepted), accepted, RECORD))
        if rejects is not None:
            write_rejected = stack.enter_context(write_rejects(outputs.open(rejects), rejects))
        yield _Sinks(write_accepted, write_rejected)


def _validate_all(
    parts: Iterable[Chunk | Block],
    step: Callable[[Chunk | Block], Validated],
    jobs: int,
    found: _Found,
    sinks: _Sinks,
) -> None:
    seen = DuplicateIds()
    for result in map_ordered(step, parts, jobs, weigh=lambda part: part.weight):
        validated = reject_duplicates(result, seen)
        found.tally.add(validated)
        found.file_errors += sum(finding.severity == "error" for finding in validated.findings)
        if sinks.accepted is not None:
            sinks.accepted(validated.accepted)
        if sinks.rejects is not None:
            sinks.rejects(validated.rejects)


def _tell(tally: Tally, inputs: Inputs, notices: Notices) -> None:
    if inputs.skipped:
        shown = ", ".join(inputs.skipped[:3]) + (", …" if len(inputs.skipped) > 3 else "")
        notices.note(
            f"skipped {len(inputs.skipped)} of no known format: {shown}", skipped=len(inputs.skipped)
        )
    for problem in inputs.problems:
        notices.warn(problem.message)
    counts = {"read": tally.records, "accepted": tally.accepted, "rejected": tally.rejected}
    notices.tell("read {read} = accepted {accepted} + rejected {rejected}".format(**counts), **counts)
    if not tally.records:
        notices.warn("no records were found in what was named")
    elif not tally.accepted:
        notices.warn(f"no record is sound; {inputs.advice()}")


def _exit_code(found: _Found, inputs: Inputs, max_invalid: Allowance, fail_on: str) -> ExitCode:
    tally = found.tally
    if any(problem.exit_code is ExitCode.NO_INPUT for problem in inputs.problems):
        return ExitCode.NO_INPUT
    if inputs.problems or not tally.accepted:
        return ExitCode.UNUSABLE_INPUT
    fails = found.file_errors > 0 or not max_invalid.allows(tally.rejected, tally.records)
    fails = fails or (fail_on == "warning" and tally.warnings > 0)
    return ExitCode.FINDINGS if fails and fail_on != "never" else ExitCode.OK

"""`carelog replay`: repaired rejects once more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from carelog.columns import RECORD
from carelog.commands.convert import Counts, convert_all
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
from carelog.engines.steps import validate_part
from carelog.errors import CarelogError, ExitCode, MissingInput
from carelog.sources.blocks import Block, ReadOptions
from carelog.sources.paths import Input, find_inputs
from carelog.sources.rejects import read_rejects
from carelog.store.atomic import Outputs, check_outputs
from carelog.store.tables import check_rejects_name, check_table_name, write_rejects, write_table


@click.command("replay")
@reading_options
@click.option(
    "-o", "--output", metavar="F", type=FILE, default="-", show_default=True,
    help="The records (.jsonl, .csv, .tsv, .parquet; - is standard output).",
)  # fmt: skip
@click.option(
    "--rejects",
    metavar="F",
    type=FILE,
    help="Write what is still invalid here (.jsonl), to be repaired again.",
)
@click.option(
    "--max-invalid", type=Share(), default=None,
    help="Exit 1 if more records are still invalid (N or P%; default: any number is fine).",
)  # fmt: skip
@run_options
def command(
    paths: tuple[str, ...],
    from_format: str | None,
    channel: str | None,
    zone: str | None,
    max_line_bytes: int,
    keep_going: bool,
    output: str,
    rejects: str | None,
    max_invalid: Allowance | None,
    **run: Any,
) -> ExitCode:
    """Read rejects again, after what stands in their `raw` was repaired.

    PATH is a rejects file of `validate`, `classify` or `convert`. Rows of a table need the table itself where
    it was, for the names of its columns. --from says the format of what stands in `raw`.

    \b
    Examples:
      carelog convert tickets.csv -o good.jsonl --rejects bad.jsonl
      (repair what stands in `raw` in bad.jsonl)
      carelog replay bad.jsonl -o repaired.jsonl --rejects still-bad.jsonl

    \b
    Exit code: 0 done, 1 more invalid records than --max-invalid, 2 wrong usage,
    65 nothing usable, 66 an input is missing, 73 an output cannot be written.
    """
    running = to_running("replay", **run)
    check_table_name(output)
    if rejects is not None:
        check_rejects_name(rejects)
    problems: list[CarelogError] = []
    items = find_inputs(paths, problems.append if keep_going else None)
    check_outputs((output, rejects), (item.path for item in items))
    step = partial(validate_part, channel=channel, now=datetime.now(UTC))
    counts = Counts()
    with Outputs() as outputs:
        file = outputs.open(output)
        with ExitStack() as stack:
            write = stack.enter_context(write_table(file, output, RECORD))
            put_aside = (
                None
                if rejects is None
                else stack.enter_context(write_rejects(outputs.open(rejects), rejects))
            )
            parts = _read_all(items, from_format, to_read_options(max_line_bytes, zone))
            convert_all(parts, step, 1, counts, write, put_aside)
        if not counts.accepted:
            outputs.forget(file if counts.read else None)
    counts.tell(running.notices, rejects)
    return _to_exit_code(counts, problems, max_invalid, running.notices)


def _read_all(items: Sequence[Input], from_format: str | None, options: ReadOptions) -> Iterator[Block]:
    for item in items:
        yield from read_rejects(item, from_format, options)


def _to_exit_code(
    counts: Counts, problems: Sequence[CarelogError], max_invalid: Allowance | None, notices: Notices
) -> ExitCode:
    for problem in problems:
        notices.warn(problem.message)
    if any(isinstance(problem, MissingInput) for problem in problems):
        return ExitCode.NO_INPUT
    if not counts.accepted:
        notices.warn("no record could be used; no output was written")
        return ExitCode.UNUSABLE_INPUT
    if max_invalid is not None and not max_invalid.allows(counts.rejected, counts.read):
        return ExitCode.FINDINGS
    return ExitCode.OK

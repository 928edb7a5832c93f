"""`carelog classify`: label every interaction as care or service, with the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import pyarrow as pa

from carelog.classification.compiled import are_patterns_ready, load_rulebook, prepare_patterns
from carelog.classification.corrections import (
    Corrections,
    apply_corrections,
    corrected_schema,
    join_corrections,
    parse_corrections,
)
from carelog.columns import labelled_schema
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
from carelog.commands.small_files import read_rulebooks, read_small
from carelog.commands.surveys import survey_options, tell_joined, to_surveys
from carelog.engines.local import map_ordered
from carelog.engines.steps import label_part
from carelog.errors import ExitCode
from carelog.findings import Reject
from carelog.reports.counted import count_noun
from carelog.sources.blocks import Block, Chunk
from carelog.sources.reading import identify, read_chunks
from carelog.store.atomic import Outputs, check_outputs
from carelog.store.tables import check_rejects_name, check_table_name, write_rejects, write_table
from carelog.validation import DuplicateIds, Validated, reject_duplicates


@click.command("classify")
@reading_options
@click.option(
    "-o",
    "--output",
    metavar="F",
    type=FILE,
    required=True,
    help="Labelled interactions (.parquet, .jsonl, .csv; - is standard output).",
)
@click.option(
    "--rejects", metavar="F", type=FILE, help="Write invalid records here, with what is wrong (.jsonl)."
)
@click.option(
    "--rulebook",
    "rulebooks",
    metavar="F",
    type=FILE,
    multiple=True,
    help="A rulebook of your own (TOML); repeatable, later wins.",
)
@click.option(
    "--corrections", "corrected", metavar="F", type=FILE, multiple=True,
    help="Labels that people set (JSON Lines); they win over every rule, the originals are kept beside. "
    "Repeatable, later wins.",
)  # fmt: skip
@click.option("--with-text", is_flag=True, help="Keep the messages in the output, as `explain` needs them.")
@click.option(
    "--max-invalid",
    type=Share(),
    default=None,
    help="Exit 1 if more records are invalid (N or P%; default: any number is fine).",
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
    rejects: str | None,
    rulebooks: tuple[str, ...],
    corrected: tuple[str, ...],
    with_text: bool,
    max_invalid: Allowance | None,
    surveys: tuple[str, ...],
    survey_key: str | None,
    survey_scores: tuple[str, ...],
    **run: Any,
) -> ExitCode:
    """Label every valid interaction as care or service, with the evidence.

    PATH is a file, a folder (searched recursively), a glob, or - for standard input: JSON Lines, JSON, CSV,
    Parquet or what another system exports, plain, .gz, .zst, or in a zip archive. Invalid records are put
    aside (--rejects keeps them) and counted.

    \b
    Examples:
      carelog classify exports/ -o labelled.parquet --rejects bad.jsonl
      carelog classify chats.jsonl -o - | jq .orientation
      carelog classify exports/ --rulebook our-words.toml --with-text -o labelled.jsonl

    \b
    Exit code: 0 done, 1 more invalid records than --max-invalid, 2 wrong usage or rulebook,
    65 nothing usable, 66 an input is missing, 73 an output cannot be written.
    """
    running = to_running("classify", **run)
    check_table_name(output)
    if rejects is not None:
        check_rejects_name(rejects)
    own = read_rulebooks(rulebooks)
    if own:
        load_rulebook(own)  # a broken rulebook is told before anything is read
    if not are_patterns_ready(own):
        prepare_patterns(own)
    corrections = read_corrections(corrected)
    layout = (
        labelled_schema(with_text) if corrections is None else corrected_schema(labelled_schema(with_text))
    )
    options = to_read_options(max_line_bytes, zone)
    joined = to_surveys(surveys, survey_key, survey_scores, options, running.notices)
    step = partial(
        label_part,
        rulebooks=own,
        channel=channel,
        now=datetime.now(UTC),
        with_text=with_text,
        surveys=joined,
    )
    counts = Counts()
    with identify(paths, from_format, keep_going) as inputs:
        own_files = map(Path, (*rulebooks, *corrected))
        check_outputs((output, rejects), (*(known.input.path for known in inputs.known), *own_files))
        with Outputs() as outputs:
            file = outputs.open(output)
            with ExitStack() as stack:
                write = stack.enter_context(write_table(file, output, layout))
                put_aside = (
                    stack.enter_context(write_rejects(outputs.open(rejects), rejects))
                    if rejects is not None
                    else None
                )
                on_bytes = stack.enter_context(running.notices.count_bytes(inputs.total_bytes()))
                parts = read_chunks(inputs, options, on_bytes)
                label_all(parts, step, running.jobs, counts, counts.correcting(write, corrections), put_aside)
            if not counts.accepted:
                outputs.forget(file if counts.read else None)
    tell_joined(joined, survey_key, counts.joined, running.notices)
    counts.tell(running.notices, rejects)
    if corrections is not None:
        counts.tell_corrected(running.notices, len(corrections))
    if inputs.problems:
        for problem in inputs.problems:
            running.notices.warn(problem.message)
        return inputs.problems[0].exit_code
    if not counts.accepted:
        advice = f"; {inputs.advice()}" if counts.read else ""
        running.notices.warn(f"nothing usable was read; no output was written{advice}")
        return ExitCode.UNUSABLE_INPUT
    if max_invalid is not None and not max_invalid.allows(counts.rejected, counts.read):
        return ExitCode.FINDINGS
    return ExitCode.OK


def read_corrections(names: Sequence[str]) -> Corrections | None:
    """The corrections of those files, later ones on top; None without a file. UsageProblem if a line is none,
    MissingInput if a file cannot be read.
    """
    if not names:
        return None
    return join_corrections(parse_corrections(read_small(name), name) for name in names)


@dataclass(slots=True)
class Counts:
    """read = accepted + rejected, and the warnings beside."""

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    joined: int = 0
    corrected: int = 0

    def add(self, validated: Validated) -> None:
        """Count one part."""
        self.read += validated.read
        self.accepted += validated.accepted.num_rows
        self.rejected += validated.rejected
        self.joined += validated.joined

    def tell(self, notices: Notices, rejects: str | None) -> None:
        """Say what became of the records."""
        text = f"read {self.read:,} = accepted {self.accepted:,} + rejected {self.rejected:,}"
        if self.rejected:
            text += (
                f" (kept in {rejects})"
                if rejects
                else " (--rejects F keeps them; `carelog validate` says why)"
            )
        notices.tell(text, read=self.read, accepted=self.accepted, rejected=self.rejected)

    def correcting(
        self, write: Callable[[pa.RecordBatch], None], corrections: Corrections | None
    ) -> Callable[[pa.RecordBatch], None]:
        """`write` with the corrections laid over each batch first, and counted."""
        if corrections is None:
            return write

        def write_corrected(batch: pa.RecordBatch) -> None:
            self.corrected += sum(i in corrections.values for i in batch.column("interaction_id").to_pylist())
            write(apply_corrections(batch, corrections))

        return write_corrected

    def tell_corrected(self, notices: Notices, given: int) -> None:
        """Say how many interactions were corrected, and of how many there was no sign."""
        text = f"corrected {count_noun(self.corrected, 'interaction')} as people say"
        notices.tell(text, corrected=self.corrected)
        if given > self.corrected:
            missing = given - self.corrected
            verb = "is" if missing == 1 else "are"
            told = f"{count_noun(missing, 'correction')} {verb} for interactions that were not read"
            notices.warn(told, missing=missing)


def label_all(
    parts: Iterable[Chunk | Block],
    step: Callable[[Chunk | Block], Validated],
    jobs: int,
    counts: Counts,
    write: Callable[[pa.RecordBatch], None],
    put_aside: Callable[[Iterable[Reject]], None] | None,
) -> None:
    """Label part after part in the order of the input, and write what comes out."""
    seen = DuplicateIds()
    for result in map_ordered(step, parts, jobs, weigh=lambda part: part.weight):
        validated = reject_duplicates(result, seen)
        counts.add(validated)
        if validated.accepted.num_rows:
            write(validated.accepted)
        if put_aside is not None:
            put_aside(validated.rejects)

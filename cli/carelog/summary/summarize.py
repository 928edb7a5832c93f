"""Labelled interactions in, a Summary out: reads once, computes every metric for the period, its groups and
its comparison.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from carelog import __version__
from carelog.errors import UnusableInput, UsageProblem
from carelog.settings import Settings
from carelog.summary import (
    care_service,
    complaints,
    data_quality,
    journey,
    loyalty,
    stages,
    style,
)
from carelog.summary.aggregates import count_plain, list_states, without_customers
from carelog.summary.compare import MOVING, list_changes
from carelog.summary.contacts import create_contacts, found_span, group_key, group_names, load_labelled
from carelog.summary.figures import Figure, Group, Grouping, Metric, Summary, Table, hide_small
from carelog.summary.gates import Condition, check_gates, parse_gates
from carelog.summary.labelled import Labelled, read_labelled
from carelog.summary.metrics import list_metrics
from carelog.summary.periods import Span, choose_span, compared_span
from carelog.summary.records import list_examples, list_top

STANDARD_GROUPS = ("channel", "team", "store_id", "agent_id", "language", "month")
"""Columns that every summary is grouped by, because the report's page shows them."""

COMPARED_GROUPS = ("channel", "team", "store_id", "language")
"""Columns whose groups are looked through for movements."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a summary is asked for. Dates are texts as on the command line; `by` are extra grouping columns."""

    paths: Sequence[str]
    by: Sequence[str] = ()
    first: str | None = None
    last: str | None = None
    compare: str | None = None
    rejects: Sequence[str] = ()
    gates: Sequence[str] = ()
    top: Sequence[str] = ()
    command: str = ""
    known_groups: Sequence[str] = field(default=STANDARD_GROUPS)


def summarize_labelled(question: Question, settings: Settings) -> Summary:
    """The summary of what `question` asks. MissingInput, UnusableInput, UsageProblem as their names say."""
    gates = parse_gates(question.gates, list_metrics(settings))
    extra = [*question.by, *(g.by for g in gates if g.by)]
    with open_labelled(question.paths, settings, extra) as source:
        return _summarize(source, question, settings, gates)


@dataclass
class Source:
    """An engine with the rows of the labelled input; closes the engine and removes its private folder.

    Where the engine ran out of the memory that it is given, leaving raises UsageProblem.
    """

    engine: duckdb.DuckDBPyConnection
    relation: str
    files: list[Any]
    counts: dict[str, int]
    folder: tempfile.TemporaryDirectory[str]
    settings: Settings

    def __enter__(self) -> Source:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self.engine.close()
        self.folder.cleanup()
        if isinstance(error, duckdb.OutOfMemoryException):
            raise _too_little_memory(self.settings, error) from error


def open_labelled(paths: Sequence[str], settings: Settings, extra: Sequence[str] = ()) -> Source:
    """Read the labelled input into an engine. MissingInput, UnusableInput, UsageProblem."""
    folder = tempfile.TemporaryDirectory(prefix="carelog-")
    try:
        labelled = read_labelled(paths, Path(folder.name))
        engine = _open_engine(settings, Path(folder.name))
        counts = _load(engine, labelled, settings, extra)
    except BaseException:
        folder.cleanup()
        raise
    counts["damaged"] += sum(f.damaged for f in labelled.files)
    return Source(engine, labelled.relation, labelled.files, counts, folder, settings)


def _load(
    engine: duckdb.DuckDBPyConnection, labelled: Labelled, settings: Settings, extra: Sequence[str]
) -> dict[str, int]:
    try:
        return load_labelled(engine, labelled, settings, extra)
    except duckdb.OutOfMemoryException as error:
        raise _too_little_memory(settings, error) from error
    except (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException) as error:
        raise UnusableInput(
            "an input holds damaged Parquet", "make it again with `carelog classify`"
        ) from error


def _too_little_memory(settings: Settings, error: duckdb.OutOfMemoryException) -> UsageProblem:
    if "temp_directory" in str(error).partition("\n")[0]:
        return UsageProblem(
            "the query engine has no room left on disk for what does not fit its memory",
            "make room where temporary files go (TMPDIR names the place), or raise engine.memory_mb",
        )
    memory = settings["engine.memory_mb"]
    return UsageProblem(
        f"engine.memory_mb = {memory} is too little for this report",
        f"raise it in carelog.toml (or in the file of --config), such as to {max(300, 2 * memory)}",
    )


def _open_engine(settings: Settings, folder: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {
        "memory_limit": f"{settings['engine.memory_mb']}MB",
        "temp_directory": str(folder / "spill"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "preserve_insertion_order": "false",
    }
    if settings["engine.threads"]:
        config["threads"] = settings["engine.threads"]
    engine = duckdb.connect(":memory:", config=config)
    engine.execute("SET TimeZone = 'UTC'")
    return engine


def check_groups(names: Sequence[str]) -> None:
    """UsageProblem if a name is none that interactions can be grouped by."""
    for name in names:
        try:
            group_key(name)
        except KeyError as error:
            raise UsageProblem(
                f"--by {name}: there is no such column", "one of " + ", ".join(group_names())
            ) from error


def _summarize(source: Source, question: Question, settings: Settings, gates: Sequence[Condition]) -> Summary:
    definitions = list_metrics(settings)
    engine = source.engine
    span, compared = prepare_contacts(source, question, settings)
    complaints.create_mentions(engine, source.relation)
    figures = count_all(engine, definitions, settings, 1)
    names = list(dict.fromkeys((*question.known_groups, *question.by, *(g.by for g in gates if g.by))))
    groupings = {name: _count_groups(engine, definitions, settings, name, 1) for name in names}
    rejected, findings = data_quality.read_rejects(question.rejects)
    summary = Summary(
        version=__version__,
        files=sorted(source.files, key=lambda f: f.name),
        period=span.to_window(),
        zone=settings["period.tz"],
        counts=_counts(engine, source.counts, rejected if question.rejects else None),
        figures=figures,
        definitions=definitions,
        # How many threads and how much memory: no part of the result.
        settings={k: v for k, v in settings.values.items() if not k.startswith("engine.")},
        rulebooks=data_quality.list_rulebooks(engine, source.relation),
        groupings={
            name: grouping
            for name, grouping in groupings.items()
            if name in question.by or _is_known(grouping)
        },
        tables=_tables(source, findings),
        command=question.command,
        chosen_by=tuple(question.by),
    )
    if compared:
        _compare(summary, engine, compared, settings)
    summary.gates = check_gates(gates, figures, groupings)
    summary.examples = list_examples(engine, definitions)
    summary.top = list_top(engine, source.relation, question.top)
    return summary


def prepare_contacts(source: Source, question: Question, settings: Settings) -> tuple[Span, Span | None]:
    """Make the table `contacts` for the question's period; returns the period and the one it is compared
    with.
    """
    rows = source.engine.execute("SELECT count(*) FROM labelled_rows").fetchone()
    if not rows or not rows[0]:
        raise UnusableInput("the input holds no labelled interaction", "make one with `carelog classify`")
    span = choose_span(question.first, question.last, found_span(source.engine))
    compared = compared_span(question.compare, span) if question.compare else None
    states = list_states(list_metrics(settings).values())
    create_contacts(source.engine, span, compared, settings["windows.repeat_days"], states)
    return span, compared


def count_all(
    engine: duckdb.DuckDBPyConnection, definitions: dict[str, Metric], settings: Settings, period: int
) -> dict[str, Figure]:
    """Every figure of one period, in the order of the definitions."""
    keyed, _ = count_plain(engine, definitions.values(), "NULL::VARCHAR", period)
    found = keyed.get(None) or _nothing(definitions)
    special = [
        *care_service.count_minutes_and_costs(engine, settings, period),
        *stages.count_stage_effects(engine, period),
        *complaints.count_balances(engine, period),
        *journey.count_journey(engine, period),
        *loyalty.count_loyalty(engine, settings, period),
        *style.count_style_effects(engine, period),
    ]
    found |= {figure.name: figure for figure in special}
    return {name: found[name] for name in definitions}


def _nothing(definitions: dict[str, Metric]) -> dict[str, Figure]:
    return {m.name: Figure(m.name, None, reason=m.absent, unit=m.unit) for m in definitions.values()}


def _count_groups(
    engine: duckdb.DuckDBPyConnection,
    definitions: dict[str, Metric],
    settings: Settings,
    by: str,
    period: int,
) -> Grouping:
    limit = settings["summary.max_groups"]
    key, omitted = _limited_key(engine, group_key(by), limit, period)
    keyed, sizes = count_plain(engine, [without_customers(m) for m in definitions.values()], key, period)
    groups = [
        Group(
            k, *sizes[k], {name: hide_small(f, settings["summary.min_group"]) for name, f in figures.items()}
        )
        for k, figures in keyed.items()
        if k != _REST
    ]
    return Grouping(by, groups, omitted)


_REST = "\x00rest"


def _limited_key(engine: duckdb.DuckDBPyConnection, key: str, limit: int, period: int) -> tuple[str, int]:
    """The key itself, or one that keeps the `limit` largest groups; and how many groups are not shown."""
    row = engine.execute(f"SELECT count(DISTINCT {key}) FROM contacts WHERE period = {period}").fetchone()
    groups = int(row[0]) if row else 0
    if groups <= limit:
        return key, 0
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE largest AS SELECT {key} AS name FROM contacts WHERE period = {period} "
        f"AND {key} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {limit}"
    )
    return (
        f"CASE WHEN {key} IS NULL OR {key} IN (SELECT name FROM largest) THEN {key} ELSE '{_REST}' END",
        groups - limit,
    )


def _is_known(grouping: Grouping) -> bool:
    return any(group.key is not None for group in grouping.groups)


def _counts(engine: duckdb.DuckDBPyConnection, read: dict[str, int], rejected: int | None) -> dict[str, int]:
    row = engine.execute(
        """
        SELECT count(*), count(DISTINCT customer_id), count(DISTINCT agent_id), count(DISTINCT store_id),
            count(*) FILTER (assessable), count(*) FILTER (NOT assessable), count(*) FILTER (customer_id IS
                NULL),
            count(*) FILTER (order_kind = 'sale')
        FROM contacts WHERE period = 1
        """
    ).fetchone()
    names = (
        "interactions",
        "customers",
        "agents",
        "stores",
        "assessable",
        "not_assessable",
        "customer_unknown",
        "orders",
    )
    counts = dict(zip(names, row or (0,) * len(names), strict=True))
    counts |= {"read": read["read"], "damaged": read["damaged"], "duplicates": read["duplicates"]}
    counts["outside_period"] = read["read"] - read["duplicates"] - counts["interactions"]
    if rejected is not None:
        counts["rejected"] = rejected
    return counts


def _tables(source: Source, findings: Table) -> dict[str, Table]:
    return {
        "transitions": journey.count_transitions(source.engine),
        "not_assessable": data_quality.count_reasons(source.engine),
        "rules": data_quality.count_rules(source.engine, source.relation),
        "findings": findings,
    }


def _compare(summary: Summary, engine: duckdb.DuckDBPyConnection, compared: Span, settings: Settings) -> None:
    summary.compared_with = compared.to_window()
    row = engine.execute("SELECT count(*) FROM contacts WHERE period = 2").fetchone()
    if not row or not row[0]:
        summary.compare_reason = "no_cases"
        return
    before = count_all(engine, summary.definitions, settings, 2)
    moving = {name: metric for name, metric in summary.definitions.items() if name in MOVING}
    groups = {
        by: _count_groups(engine, moving, settings, by, 2)
        for by in COMPARED_GROUPS
        if by in summary.groupings
    }
    summary.changes = list_changes(summary, before, groups)

"""The table `contacts`: one row per interaction with everything that the metrics' SQL speaks of.

Its columns, beside those of the labelled record of the same name:

- `instant`, `local_at`: when it began, and the local time of that in the report's zone; `period`: 1 in the
  report's period, 2 in the compared one, 0 outside (kept, since customers come back after a period ends).
- `does_<activity>`: booleans; `care_weight`, `whole_weight`: whole numbers, the codebook's weights in
  millionths.
- `scale`, `score`; `order_kind`, `amount`, `currency` (net: returns negative, voids left out).
- `wait`, `talk`, `handled`, `first_response`, `resolution`: milliseconds as whole numbers, so that sums are
  exact; NULL is unknown.
- `answered`, `abandoned`, `offered`: inbound contacts by phone and chat; `in_hours`: began within business
  hours.
- `next_at`, `next_touchpoint`: the same customer's next contact; `earlier`: how many came before.
- `followable`: customer and activity are known; `complete`: the repeat window has passed when the data ends;
  `repeated`: within it the customer came again with a shared activity.
- `known_until`: the last instant in the data: what lies after it cannot be known.
- `"state of METRIC"`: what the row is to that metric (aggregates.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import duckdb

from carelog.labels import (
    ACTIVITIES,
    CHANNELS,
    CUSTOMER_KINDS,
    INITIATIVES,
    ORIENTATIONS,
    OUTCOMES,
    SATISFACTION_SOURCES,
    SATISFACTIONS,
    TOUCHPOINTS,
)
from carelog.settings import RECORDED, WEEKDAYS, Settings
from carelog.summary.labelled import Labelled, quote
from carelog.summary.periods import Span

GROUP_COLUMNS = (
    "channel", "direction", "initiative", "status", "customer_id", "customer_kind", "agent_id", "team",
    "queue",
    "store_id", "campaign", "language", "category", "orientation", "satisfaction_label",
    "satisfaction_source",
    "touchpoint", "outcome", "not_assessable_reason", "currency",
)  # fmt: skip
"""Text columns that `--by` may name."""

TIME_COLUMNS = {
    "year": "strftime(local_at, '%Y')",
    "quarter": "strftime(local_at, '%Y') || '-Q' || quarter(local_at)",
    "month": "strftime(local_at, '%Y-%m')",
    "week": "strftime(local_at, '%G-W%V')",
    "day": "strftime(local_at, '%Y-%m-%d')",
    "weekday": "isodow(local_at)::VARCHAR",
    "hour": "strftime(local_at, '%H')",
}
"""Keys made of the local time that `--by` may name."""

OTHER_COLUMNS = {
    "loyalty": "loyalty::VARCHAR",
    "churn_risk": "churn_risk::VARCHAR",
    "assessable": "assessable::VARCHAR",
    "stage_score": "stage_score::VARCHAR",
    "system": "system",
    "file": "file",
}


FIXED_VALUES = {
    "channel": CHANNELS,
    "direction": ("inbound", "outbound", "internal", "unknown"),
    "status": ("completed", "missed", "abandoned", "voicemail", "failed", "open", "closed", "unknown"),
    "orientation": ORIENTATIONS,
    "initiative": INITIATIVES,
    "satisfaction_label": SATISFACTIONS,
    "satisfaction_source": SATISFACTION_SOURCES,
    "touchpoint": TOUCHPOINTS,
    "outcome": OUTCOMES,
    "scale": ("csat_5", "nps_10", "ces_7", "thumbs", "percent"),
    "order_kind": ("sale", "return", "exchange", "void"),
    "customer_kind": CUSTOMER_KINDS,
}
"""Columns with a fixed list of values: a byte each instead of a text. A value that is not in the list is
unknown.
"""

RARE_COLUMNS = ("queue", "campaign", "category", "file")
"""Text columns that are read only where they are asked for."""

MOST_ENUM_VALUES = 60_000

KEPT_TEXTS = ("agent_id", "team", "store_id", "language")
"""Text columns that reports always group by."""


def group_key(by: str) -> str:
    """The SQL of a grouping key; KeyError if `--by` may not name it."""
    if by in GROUP_COLUMNS:
        return f'"{by}"::VARCHAR'
    return {**TIME_COLUMNS, **OTHER_COLUMNS}[by]


def group_names() -> list[str]:
    """All names that `--by` knows, sorted."""
    return sorted((*GROUP_COLUMNS, *TIME_COLUMNS, *OTHER_COLUMNS))


def load_labelled(
    engine: duckdb.DuckDBPyConnection, labelled: Labelled, settings: Settings, extra: Collection[str] = ()
) -> dict[str, int]:
    """Make the table `labelled_rows`: each interaction once. Returns counts of `read`, `damaged`,
    `duplicates`.

    `extra` names the columns beyond the usual ones that are asked for. An interaction that stands in several
    files counts once; where the copies differ, the one whose text sorts last wins, so that the order of files
    does not matter.
    """
    _create_types(engine, labelled.relation)
    first_response = _first_response(labelled.has_messages)
    rows = _row_sql(labelled.relation, settings, first_response, [c for c in RARE_COLUMNS if c in extra])
    usable_rows = "interaction_id IS NOT NULL AND instant IS NOT NULL AND channel IS NOT NULL"
    engine.execute(f"CREATE TEMP TABLE labelled_rows AS SELECT * FROM ({rows}) WHERE {usable_rows}")
    read = _count(engine, f"SELECT count(*) FROM ({labelled.relation})")
    usable = _count(engine, "SELECT count(*) FROM labelled_rows")
    unique = _count(
        engine, "SELECT count(*) FROM (SELECT DISTINCT system, interaction_id FROM labelled_rows)"
    )
    if unique < usable:
        _drop_duplicates(engine)
    return {"read": read, "damaged": read - usable, "duplicates": usable - unique}


def _create_types(engine: duckdb.DuckDBPyConnection, relation: str) -> None:
    """Types that hold a byte or two for a text: those of the codebook, and of the columns that reports group
    by.
    """
    for name, values in FIXED_VALUES.items():
        engine.execute(f"CREATE TYPE {name}_type AS ENUM ({', '.join(quote(v) for v in values)})")
    for name in KEPT_TEXTS:
        found = f"SELECT DISTINCT {_kept_text(name)} AS name FROM ({relation}) WHERE name IS NOT NULL"
        kind = "VARCHAR"
        if _count(engine, f"SELECT count(*) FROM ({found})") <= MOST_ENUM_VALUES:
            kind = f"ENUM (SELECT name FROM ({found}) ORDER BY name)"
        engine.execute(f"CREATE TYPE {name}_type AS {kind}")


def _kept_text(name: str) -> str:
    return f"nullif(trim({name}), '')"


def _drop_duplicates(engine: duckdb.DuckDBPyConnection) -> None:
    engine.execute(
        """
        CREATE OR REPLACE TEMP TABLE labelled_rows AS
        SELECT * FROM labelled_rows
        QUALIFY row_number() OVER (PARTITION BY system, interaction_id ORDER BY labelled_rows::VARCHAR
            DESC) = 1
        """
    )


def _count(engine: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = engine.execute(sql).fetchone()
    return int(row[0]) if row else 0


def found_span(engine: duckdb.DuckDBPyConnection) -> Span:
    """The first and the last local day in the data. There must be rows."""
    row = engine.execute("SELECT min(local_at)::DATE, max(local_at)::DATE FROM labelled_rows").fetchone()
    assert row is not None
    first: date = row[0]
    last: date = row[1]
    return Span(first, last)


def create_contacts(
    engine: duckdb.DuckDBPyConnection,
    span: Span,
    compared: Span | None,
    repeat_days: int,
    states: Mapping[str, str],
) -> None:
    """Make the table `contacts` from `labelled_rows`: each row with its period and the customer's next
    contact.

    `states` are further columns, by name, computed from these.
    """
    engine.execute(_followup_sql())
    window = f"instant + INTERVAL {repeat_days} DAY"
    further = "".join(f", {sql} AS {name}" for name, sql in states.items())
    engine.execute(
        f"""
        CREATE TEMP TABLE contacts AS
        WITH ends AS (SELECT max(instant) AS known_until FROM labelled_rows),
        joined AS (
            SELECT labelled_rows.* EXCLUDE (activities), {_period_sql(span, compared)} AS period,
                next_at, next_touchpoint, coalesce(earlier, 0) AS earlier, known_until,
                customer_id IS NOT NULL AND len(activities) > 0 AS followable,
                {window} <= known_until AS complete,
                coalesce(next_same_at <= {window}, false) AS repeated
            FROM labelled_rows LEFT JOIN followups ON labelled_rows.rowid = followups.number CROSS JOIN ends
        )
        SELECT * {further} FROM joined
        """
    )
    engine.execute("DROP TABLE labelled_rows")
    engine.execute("DROP TABLE followups")


def _period_sql(span: Span, compared: Span | None) -> str:
    second = f"WHEN {_within(compared)} THEN 2 " if compared else ""
    return f"CASE WHEN {_within(span)} THEN 1 {second}ELSE 0 END::TINYINT"


def _within(span: Span) -> str:
    return f"local_at::DATE BETWEEN DATE '{span.first}' AND DATE '{span.last}'"


def _followup_sql() -> str:
    # Only customers with several contacts can have a next one; most have not, so the windows stay small.
    return """
        CREATE TEMP TABLE followups AS
        WITH several AS (
            SELECT customer_id FROM labelled_rows WHERE customer_id IS NOT NULL GROUP BY ALL HAVING
                count(*) > 1
        ), known AS (
            SELECT rowid AS number, customer_id, instant, system, interaction_id, touchpoint, activities
            FROM labelled_rows SEMI JOIN several USING (customer_id)
        ), same AS (
            SELECT number,
                lead(instant) OVER (PARTITION BY customer_id, activity ORDER BY instant, system,
                    interaction_id) AS later
            FROM (SELECT * EXCLUDE (activities, touchpoint), unnest(activities) AS activity FROM known)
        )
        SELECT number, next_same_at,
            lead(instant) OVER line AS next_at,
            lead(touchpoint) OVER line AS next_touchpoint,
            row_number() OVER line - 1 AS earlier
        FROM known LEFT JOIN (SELECT number, min(later) AS next_same_at FROM same GROUP BY ALL) USING (number)
        WINDOW line AS (PARTITION BY customer_id ORDER BY instant, system, interaction_id)
    """


def _row_sql(relation: str, settings: Settings, first_response: str, rare: Sequence[str]) -> str:
    does = ",\n".join(f"list_contains(activities, '{a}') AS does_{a}" for a in ACTIVITIES)
    fixed = ",\n".join(f"TRY_CAST({name} AS {name}_type) AS {name}" for name in FIXED_VALUES)
    kept = ",\n".join(f"{_kept_text(name)}::{name}_type AS {name}" for name in KEPT_TEXTS)
    return f"""
        WITH source_rows AS ({relation}),
        named AS (
            SELECT * EXCLUDE (satisfaction, "order", source, activities),
                coalesce(source.system, '') AS system, source.file AS file,
                list_sort(list_distinct(coalesce(activities, []))) AS activities,
                coalesce(assessable, false) AS judged,
                satisfaction.scale AS scale, satisfaction.score AS score,
                "order".kind AS order_kind, "order".currency AS currency,
                TRY_CAST("order".amount AS DECIMAL(18, 4)) AS paid
            FROM source_rows
        )
        SELECT system, interaction_id, started_at AS instant, {_local_sql(settings["period.tz"])} AS local_at,
            {fixed},
            {kept},
            {"".join(f"{name}, " for name in rare)}
            customer_id, judged AS assessable, not_assessable_reason,
            stage_greeting, stage_rapport, stage_needs, stage_solution, stage_gratitude, stage_score,
            management_supportive, management_hierarchical, loyalty, churn_risk, activities,
            {does},
            {_weight_sql()},
            score, currency,
            CASE order_kind WHEN 'void' THEN NULL WHEN 'return' THEN -abs(paid) ELSE paid END AS amount,
            {_milliseconds("wait_seconds")} AS wait, {_milliseconds("talk_seconds")} AS talk,
            {_milliseconds(_handled_sql(settings))} AS handled,
            {_milliseconds(first_response)} AS first_response,
            {_milliseconds("resolution_seconds")} AS resolution,
            {_hours_sql(settings)} AS in_hours,
            {_offered_sql()}
        FROM named
    """


def _local_sql(zone: str) -> str:
    if zone == RECORDED:
        return "timezone('UTC', started_at) + coalesce(started_at_offset, 0) * INTERVAL 1 MINUTE"
    return f"timezone({quote(zone)}, started_at)"


def _milliseconds(seconds: str) -> str:
    return f"CASE WHEN ({seconds}) >= 0 AND ({seconds}) < 1e9 THEN round(({seconds}) * 1000)::BIGINT END"


def _weight_sql() -> str:
    """The codebook's weights from `care_share` and the number of activities.

    The main activities weigh 2, the others 1, so with k activities the whole is k + 1 to 2k: the smallest of
    these that makes the care weight a whole number, else k + 1. In millionths, which keeps sums of broken
    shares exact.
    """
    count = "greatest(len(activities), 1)"
    fits = " ".join(
        f"WHEN {more} <= {count} AND abs(care_share * ({count} + {more}) - round(care_share * ({count} + "
        f"{more}))) < 1e-6 "
        f"THEN {count} + {more}"
        for more in range(1, 7)
    )
    return f"""
        CASE WHEN judged AND care_share IS NOT NULL
            THEN round(care_share * (CASE {fits} ELSE {count} + 1 END) * 1000000)::BIGINT END AS care_weight,
        CASE WHEN judged AND care_share IS NOT NULL
            THEN (CASE {fits} ELSE {count} + 1 END)::BIGINT * 1000000 END AS whole_weight
    """


def _handled_sql(settings: Settings) -> str:
    """Worked seconds: the source's own, or the sum of its parts. Elapsed time is never worked time."""
    parts = ["talk_seconds", "hold_seconds", "wrap_up_seconds"]
    if settings["handle_time.missing_parts"] == "absent":
        spent = " + ".join(f"coalesce({part}, 0)" for part in parts)
        whole = f"CASE WHEN coalesce({', '.join(parts)}) IS NOT NULL THEN {spent} END"
    else:
        whole = " + ".join(parts)
    return f"coalesce(handle_seconds, {whole})"


def _offered_sql() -> str:
    # A contact that the company placed was not offered to it. Open chats are answered: somebody is in them.
    inbound = "channel IN ('phone', 'chat') AND coalesce(direction, 'inbound') IN ('inbound', 'unknown')"
    answered = f"{inbound} AND status IN ('completed', 'closed', 'open')"
    return f"""
        coalesce({answered}, false) AS answered,
        coalesce({inbound} AND status = 'abandoned', false) AS abandoned,
        coalesce({inbound} AND status IN ('completed', 'closed', 'open', 'abandoned', 'missed',
            'voicemail'), false) AS offered
    """


def _hours_sql(settings: Settings) -> str:
    cases = []
    for number, day in enumerate(WEEKDAYS, start=1):
        hours = settings[f"business_hours.{day}"]
        if hours == "closed":
            cases.append(f"WHEN isodow(local_at) = {number} THEN false")
        elif hours:
            cases.append(
                f"WHEN isodow(local_at) = {number} THEN strftime(local_at, '%H:%M') >= {quote(hours[:5])} "
                f"AND strftime(local_at, '%H:%M') < {quote(hours[6:])}"
            )
    return f"CASE {' '.join(cases)} ELSE true END" if cases else "true"


def _first_response(has_messages: bool) -> str:
    """Seconds to the first answer of a person: the source's own field, else from the messages where the input
    has them.

    Only what an agent wrote after the customer's first words counts: no bot, no later turn of a reopened
    thread, and nothing where the company spoke first.
    """
    if not has_messages:
        return "CASE WHEN coalesce(initiative, 'reactive') <> 'proactive' THEN first_response_seconds END"
    spoken = "list_filter(messages, lambda m: m.speaker = '{}')"
    times = f"list_transform({spoken}, lambda m: TRY_CAST(m.at AS TIMESTAMPTZ))"
    customer, agent = f"list_min({times.format('customer')})", times.format("agent")
    answer = f"list_min(list_filter({agent}, lambda t: t >= {customer}))"
    company_first = f"list_min({agent}) < {customer}"
    seconds = (
        f"CASE WHEN coalesce({company_first}, false) THEN NULL ELSE epoch({answer}) - epoch({customer}) END"
    )
    return (
        "CASE WHEN coalesce(initiative, 'reactive') <> 'proactive' "
        f"THEN coalesce(first_response_seconds, {seconds}) END"
    )

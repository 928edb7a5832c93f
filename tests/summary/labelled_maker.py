"""Labelled interactions of an invented centre, seeded, any size: stages drive satisfaction, care brings
customers back.

Columns are made at once, so that a million rows take seconds. Run as a program: `labelled_maker.py ROWS
OUT.parquet [SEED]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from carelog.columns import labelled_schema
from carelog.labels import ACTIVITIES, ASPECTS, CARE_ACTIVITIES, CHANNELS, STAGES, TOUCHPOINTS

CHANNEL_SHARES = (0.42, 0.22, 0.26, 0.10)
LANGUAGES = ("en", "hi", "gu", "th", "tl")
TEAMS = ("Welcome desk", "After sales", "Billing", "Technical", "Loyalty")
STORES = tuple(f"Store {n:02}" for n in range(1, 13))
START = np.datetime64("2026-01-01T00:00:00", "us")


def _texts(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    return pa.array(values.astype(object), pa.string(), mask=missing)


def _pick(
    random: np.random.Generator, choices: tuple[str, ...], rows: int, shares: tuple[float, ...] | None = None
) -> np.ndarray:
    return np.array(choices, dtype=object)[random.choice(len(choices), rows, p=shares)]


def _activities(
    random: np.random.Generator, care: np.ndarray, empty: np.ndarray
) -> tuple[pa.Array, np.ndarray]:
    """Lists of one or two activities, and the care share by the codebook's weights (2 for the first, 1 for
    the second).
    """
    rows = len(care)
    names = np.array(ACTIVITIES, dtype=object)
    cares = len(CARE_ACTIVITIES)
    first = np.where(care, random.integers(0, cares, rows), random.integers(cares, len(names), rows))
    second = random.integers(0, len(names), rows)
    two = (random.random(rows) < 0.35) & (second != first)
    share = (2.0 * (first < cares) + two * (second < cares)) / (2.0 + two)
    lengths = np.where(empty, 0, 1 + two)
    pairs = np.stack([np.minimum(first, np.where(two, second, first)), np.maximum(first, second)], axis=1)
    keep = np.stack([lengths >= 1, lengths >= 2], axis=1)
    values = names[pairs[keep]]
    order = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    sorted_values = _sorted_within(values, order)
    return pa.ListArray.from_arrays(pa.array(order), pa.array(sorted_values, pa.string())), share


def _sorted_within(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return values[np.lexsort((values.astype(str), rows))]


def _aspects(random: np.random.Generator, unhappy: np.ndarray) -> pa.Array:
    rows = len(unhappy)
    has = random.random(rows) < 0.4
    kind = pa.array(np.array(ASPECTS, dtype=object)[random.integers(0, len(ASPECTS), has.sum())], pa.string())
    negative = random.random(has.sum()) < np.where(unhappy[has], 0.85, 0.25)
    polarity = pa.array(np.where(negative, "negative", "positive").astype(object), pa.string())
    offsets = np.concatenate([[0], np.cumsum(has)]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.StructArray.from_arrays([kind, polarity], ["aspect", "polarity"])
    )


def _evidence(random: np.random.Generator, rows: int) -> pa.Array:
    offsets = (np.arange(rows + 1) * 2).astype(np.int32)
    count = 2 * rows
    rules = np.array([f"en.rule_{n:03}" for n in range(120)], dtype=object)
    chosen = rules[np.minimum(random.geometric(0.05, count), 119)]
    zero = pa.array(np.zeros(count, np.int32))
    fields = [
        pa.array(np.array(["greeting", "solution"], dtype=object)[np.arange(count) % 2], pa.string()),
        pa.array(chosen, pa.string()),
        pa.array(np.full(count, "messages", dtype=object), pa.string()),
        zero,
        zero,
        pa.array(np.full(count, 5, np.int32)),
    ]
    struct = pa.StructArray.from_arrays(fields, ["label", "rule", "field", "message", "start", "end"])
    return pa.ListArray.from_arrays(pa.array(offsets), struct)


def make_labelled(rows: int, seed: int = 1, days: int = 365, agents: int = 200) -> pa.Table:
    """`rows` labelled interactions over `days` days from 1 January 2026."""
    random = np.random.default_rng(seed)
    channel = _pick(random, CHANNELS, rows, CHANNEL_SHARES)
    instant = START + np.sort(random.integers(0, days * 86_400, rows)).astype("timedelta64[s]")
    month = (instant.astype("datetime64[M]").astype(int) % 12).astype(float)
    agent = random.integers(0, agents, rows)
    skill = np.random.default_rng(7).normal(0, 0.6, agents)[agent]
    customer = random.zipf(1.7, rows) % max(rows // 3, 2) + random.integers(0, max(rows // 3, 2), rows)
    inbound = channel != "in_store"
    status = np.where(random.random(rows) < 0.06, "abandoned", "completed").astype(object)
    status[~np.isin(channel, ("phone", "chat"))] = "closed"
    judged = (status != "abandoned") & (random.random(rows) < 0.97)
    empty = ~judged | (random.random(rows) < 0.03)
    care = random.random(rows) < 0.22 + 0.01 * month + np.where(channel == "email", 0.12, 0)
    activities, share = _activities(random, care, empty)
    stages = {
        s: random.random(rows) < 1 / (1 + np.exp(-(0.4 + skill - 0.25 * i))) for i, s in enumerate(STAGES)
    }
    score = sum(s.astype(np.int8) for s in stages.values())
    happy = random.random(rows) < 1 / (1 + np.exp(-(score - 2.2)))
    known = judged & (random.random(rows) < 0.55)
    stated = known & (random.random(rows) < 0.35)
    csat = np.clip(np.round(2 + 2.6 * happy + random.normal(0, 0.7, rows)), 1, 5)
    nps = np.clip(np.round(3 + 6 * happy + random.normal(0, 1.4, rows)), 0, 10)
    on_csat = random.random(rows) < 0.7
    label = np.where(
        happy, "satisfied", np.where(random.random(rows) < 0.4, "neutral", "dissatisfied")
    ).astype(object)
    from_csat = np.select([csat >= 4, csat == 3], ["satisfied", "neutral"], "dissatisfied")
    from_nps = np.select([nps >= 9, nps >= 7], ["satisfied", "neutral"], "dissatisfied")
    label = np.where(stated, np.where(on_csat, from_csat, from_nps), label).astype(object)
    label[~known] = "unknown"
    talk = np.where(channel == "phone", random.gamma(2, 150, rows).round(), np.nan)
    handle = np.where(channel == "chat", random.gamma(2, 200, rows).round(), np.nan)
    sale = (channel == "in_store") & (random.random(rows) < 0.6) | (random.random(rows) < 0.04)
    amount = np.char.mod("%.2f", random.gamma(2, 30 + 12 * happy, rows))
    supportive, hierarchical = random.poisson(0.6, rows), random.poisson(0.4 + 0.3 * ~happy, rows)
    silent = ~judged
    columns: dict[str, pa.Array] = {
        "interaction_id": _texts(np.char.add("i-", np.char.zfill(np.arange(rows).astype(str), 7))),
        "channel": _texts(channel),
        "started_at": pa.array(instant).cast(pa.timestamp("us", tz="UTC")),
        "started_at_offset": pa.array(np.full(rows, 330, np.int16)),
        "direction": _texts(np.where(inbound & (random.random(rows) < 0.85), "inbound", "outbound")),
        "status": _texts(status),
        "customer_id": _texts(np.char.add("c-", customer.astype(str)), random.random(rows) < 0.08),
        "agent_id": _texts(np.char.add("agent ", np.char.zfill(agent.astype(str), 3)), status == "abandoned"),
        "team": _texts(np.array(TEAMS, dtype=object)[agent % len(TEAMS)]),
        "store_id": _texts(_pick(random, STORES, rows), channel != "in_store"),
        "wait_seconds": pa.array(
            random.exponential(25, rows).round(), mask=~np.isin(channel, ("phone", "chat"))
        ),
        "talk_seconds": pa.array(talk, mask=np.isnan(talk)),
        "hold_seconds": pa.array(np.zeros(rows), mask=channel != "phone"),
        "wrap_up_seconds": pa.array(random.exponential(30, rows).round(), mask=channel != "phone"),
        "handle_seconds": pa.array(handle, mask=np.isnan(handle)),
        "first_response_seconds": pa.array(random.exponential(5000, rows).round(), mask=channel != "email"),
        "resolution_seconds": pa.array(random.exponential(50_000, rows).round(), mask=channel != "email"),
        "satisfaction": pa.StructArray.from_arrays(
            [_texts(np.where(on_csat, "csat_5", "nps_10")), pa.array(np.where(on_csat, csat, nps))],
            ["scale", "score"],
            mask=pa.array(~stated),
        ),
        "order": pa.StructArray.from_arrays(
            [
                _texts(np.char.add("o-", np.arange(rows).astype(str))),
                _texts(np.where(random.random(rows) < 0.9, "sale", "return")),
                _texts(amount),
                _texts(np.full(rows, "INR")),
            ],
            ["order_id", "kind", "amount", "currency"],
            mask=pa.array(~sale),
        ),
        "orientation": _texts(
            np.where(
                empty,
                "none",
                np.select([share >= 2 / 3 - 1e-9, share <= 1 / 3 + 1e-9], ["care", "service"], "mixed"),
            ),
        ),
        "care_share": pa.array(share, mask=empty),
        "activities": activities,
        "initiative": _texts(
            np.where(random.random(rows) < 0.1 + 0.2 * care, "proactive", "reactive"), silent
        ),
        **{f"stage_{s}": pa.array(v, mask=silent) for s, v in stages.items()},
        "stage_score": pa.array(score.astype(np.int8), mask=silent),
        "satisfaction_label": _texts(label),
        "satisfaction_source": _texts(np.where(stated, "stated", np.where(known, "inferred", "none"))),
        "management_supportive": pa.array(supportive.astype(np.int32)),
        "management_hierarchical": pa.array(hierarchical.astype(np.int32)),
        "aspects": _aspects(random, ~happy),
        "touchpoint": _texts(_pick(random, TOUCHPOINTS, rows), random.random(rows) < 0.2),
        "outcome": _texts(
            np.where(
                happy,
                _pick(random, ("resolved", "promised"), rows),
                _pick(random, ("unresolved", "escalated", "unknown"), rows),
            )
        ),
        "loyalty": pa.array(happy & (random.random(rows) < 0.15), mask=silent),
        "churn_risk": pa.array(~happy & (random.random(rows) < 0.12), mask=silent),
        "customer_kind": _texts(np.full(rows, "external")),
        "language": _texts(_pick(random, LANGUAGES, rows)),
        "assessable": pa.array(judged),
        "not_assessable_reason": _texts(np.where(status == "abandoned", "abandoned", "no_words"), judged),
        "evidence": _evidence(random, rows),
        "rulebook": pa.StructArray.from_arrays(
            [_texts(np.full(rows, v)) for v in ("carelog", "1.0.0", "0123456789abcdef")],
            ["name", "version", "hash"],
        ),
    }
    schema = labelled_schema()
    missing = {f.name: pa.nulls(rows, f.type) for f in schema if f.name not in columns}
    return pa.table([(columns | missing)[f.name].cast(f.type) for f in schema], schema=schema)


def write_labelled(path: Path, rows: int, seed: int = 1, **options: int) -> Path:
    """Write `rows` labelled interactions as Parquet and return the path."""
    pq.write_table(make_labelled(rows, seed, **options), path, compression="zstd", row_group_size=100_000)
    return path


if __name__ == "__main__":
    write_labelled(Path(sys.argv[2]), int(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)

"""The training records' compact notation, as canonical records and as labels in the words of the codebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SPEAKERS = {"a": "agent", "c": "customer", "b": "bot", "s": "system"}
STAGES = ("greeting", "rapport", "needs", "solution", "gratitude")
PASSED_ON = (
    "status", "subject", "category", "tags", "queue", "campaign", "notes", "satisfaction", "order",
    "talk_seconds", "wait_seconds", "customer_kind",
)  # fmt: skip


def load_records(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Every training record under `folder`, ordered by file and line: canonical records, and their labels."""
    records, golds = [], []
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if line.strip():
                compact = json.loads(line)
                identity = f"{file.stem}-{number}"
                records.append(to_record(compact, identity))
                golds.append(to_gold(compact, identity))
    return records, golds


def to_record(compact: dict[str, Any], identity: str) -> dict[str, Any]:
    """The canonical record (contract.md) of one compact line."""
    record = {k: compact[k] for k in PASSED_ON if k in compact}
    record.update(interaction_id=identity, channel=compact["ch"], started_at="2026-03-02T09:00:00Z")
    if "dir" in compact:
        record["direction"] = compact["dir"]
    if compact["ch"] == "in_store":
        record["store_id"] = "S1"
    if compact.get("m"):
        record["messages"] = [{"speaker": SPEAKERS[s], "text": t} for s, t in compact["m"]]
    return record


def to_gold(compact: dict[str, Any], identity: str) -> dict[str, Any]:
    """The labels of one compact line; orientation follows from the activities by the codebook's 2-and-1 weights.

    Where a second reader saw other activities (`read`), those are learned; the orientation stays the writer's, who knew what the
    interaction is mainly about. `satisfaction` is None where the two disagreed. `places`: by label the messages ("s" the subject, "n" the notes) that show
    it, or None where no reader has marked them.
    """
    from carelog.labels import CARE_ACTIVITIES

    weights = to_weights(compact["act"])
    seen = to_weights(compact.get("read", compact["act"]))
    care = sum(w for a, w in weights.items() if a in CARE_ACTIVITIES)
    total = sum(weights.values())
    share = care / total if total else None
    stages = compact["st"]
    return {
        "id": identity,
        "language": identity[:2],
        "activities": sorted(seen),
        "main": sorted(a for a, w in seen.items() if w == 2),
        "orientation": "none"
        if share is None
        else "care"
        if 3 * care >= 2 * total
        else "service"
        if 3 * care <= total
        else "mixed",
        "care_share": share,
        "initiative": compact["ini"],
        "stages": None if stages is None else {s: d == "1" for s, d in zip(STAGES, stages, strict=True)},
        "satisfaction": compact["sat"],
        "places": compact.get("ev"),
        "outcome": compact["out"],
        "loyalty": "l" in compact.get("fl", ""),
        "churn_risk": "c" in compact.get("fl", ""),
        "touchpoint": compact.get("tp"),
        "aspects": compact.get("asp", []),
        "customer_kind": compact.get("kind", "external"),
    }


def to_weights(activities: list[str]) -> dict[str, int]:
    """The weights of activities that are named with a `*` behind each main one."""
    return {a.rstrip("*"): 2 if a.endswith("*") else 1 for a in activities}

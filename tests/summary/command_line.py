"""Runs `carelog` in this process, and writes small labelled files, for the tests of this room."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from carelog.app import main

LABELS: dict[str, Any] = {
    "orientation": "service", "care_share": 0.0, "activities": ["question"], "initiative": "reactive",
    "stage_greeting": None, "stage_rapport": None, "stage_needs": None, "stage_solution": None,
    "stage_gratitude": None,
    "stage_score": None, "satisfaction_label": "unknown", "satisfaction_source": "none",
    "management_supportive": 0,
    "management_hierarchical": 0, "aspects": [], "touchpoint": None, "outcome": "unknown", "loyalty": False,
    "churn_risk": False, "customer_kind": None, "language": "en", "assessable": True,
    "not_assessable_reason": None,
    "evidence": [], "rulebook": {"name": "carelog", "version": "1", "hash": "abc"},
}  # fmt: skip


def labelled(number: int, **fields: Any) -> dict[str, Any]:
    """A labelled interaction as a line of JSON Lines; `number` makes its id and its minute."""
    started = f"2026-03-{1 + number // 1440 % 28:02}T{number // 60 % 24:02}:{number % 60:02}:00+05:30"
    return {"interaction_id": f"i{number:05}", "channel": "phone", "started_at": started, **LABELS, **fields}


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    """The outcome of `carelog ARGUMENTS`, both streams apart."""
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


def run_json(*arguments: object) -> dict[str, Any]:
    """What `carelog summarize ARGUMENTS` writes as JSON on standard output; it must succeed."""
    result = run("summarize", *arguments, "-o", "-", "--format", "json", "-q")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found

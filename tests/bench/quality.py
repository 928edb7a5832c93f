"""The quality that classification has to reach, measured on labelled records: `make quality`.

Looks for the folders `look` and `measure` (X.jsonl beside X.gold.jsonl) under $CARELOG_GOLD, or under
shared/gold/dev beside the project. Prints figures only: no text and no id of a record ever.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from carelog.classification.sheets import agree_sheets, parse_golds
from carelog.commands.evaluate import evaluate_interactions
from carelog.commands.interactions import read_interactions
from carelog.reports.plain_table import to_table_lines
from carelog.sources.blocks import ReadOptions

PROJECT = Path(__file__).resolve().parents[2]
TARGETS = (
    ("orientation, macro-F1", "orientation.macro_f1", 0.85),
    ("care against service, accuracy", "orientation.care_or_service.accuracy", 0.95),
    ("activities, micro-F1", "activities.micro_f1", 0.78),
    ("stages, mean F1", "stages.mean_f1", 0.85),
    ("satisfaction, macro-F1", "satisfaction.macro_f1", 0.80),
    ("satisfaction where words decide", "satisfaction.words.macro_f1", 0.80),
    ("… and gold knows it", "satisfaction.words_known.macro_f1", 0.80),
    ("initiative, accuracy", "initiative.accuracy", 0.92),
    ("outcome, accuracy", "outcome.accuracy", 0.75),
    ("loyalty, F1", "loyalty.f1", 0.75),
    ("churn risk, F1", "churn_risk.f1", 0.75),
)


def gold_folder() -> Path:
    """Where the labelled records lie."""
    named = os.environ.get("CARELOG_GOLD")
    return Path(named) if named else PROJECT.parent / "shared" / "gold" / "dev"


def evaluate_set(folder: Path) -> dict[str, Any] | None:
    """The evaluation of all labelled records of a folder together; None where there are none."""
    golds = sorted(folder.glob("*.gold.jsonl"))
    records = [gold.with_name(gold.name.replace(".gold.jsonl", ".jsonl")) for gold in golds]
    if not golds:
        return None
    gold, _ = agree_sheets([parse_golds(path.read_bytes(), path.name) for path in golds])
    interactions = read_interactions([str(path) for path in records], ReadOptions(), set(gold.ids))
    return evaluate_interactions(interactions, gold, ())


def to_table(value: dict[str, Any]) -> list[str]:
    """The figures, a column for each language and channel; * stands where the target is missed."""
    groups = {"all": value["overall"], **value["languages"], **value["channels"]}
    rows = [["interactions", "", *(str(g["n"]) for g in groups.values())]]
    for title, name, least in TARGETS:
        cells = [_cell(group["figures"][name], least) for group in groups.values()]
        rows.append([title, f"{least:.2f}", *cells])
    return to_table_lines(["", "at least", *groups], rows)


def _cell(value: float | None, least: float) -> str:
    return "– " if value is None else f"{value:.3f}{' ' if value >= least else '*'}"


def main() -> int:
    """Print the table of each set that is there."""
    folder = gold_folder()
    found = 0
    for name in ("look", "measure"):
        value = evaluate_set(folder / name)
        if value is None:
            print(f"{name}: no labelled records here, skipped")
            continue
        found += 1
        print(f"\n{name} ({value['overall']['n']} interactions; * under the target)")
        print("\n".join(to_table(value)))
    if not found:
        print("nothing to measure; $CARELOG_GOLD names the folder that holds look/ and measure/")
    return 0


if __name__ == "__main__":
    sys.exit(main())

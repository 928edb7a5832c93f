"""`carelog explain`: why this interaction got its labels, and what would have changed them."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

import click
import pyarrow as pa

from carelog.classification.classify import LABEL_NAMES
from carelog.classification.compiled import load_classifier
from carelog.classification.explaining import explain_interaction
from carelog.columns import LABELS, to_values
from carelog.commands.file_type import FILE
from carelog.commands.interactions import Interactions, read_interactions
from carelog.commands.notices import Notices, wants_color
from carelog.commands.small_files import read_rulebooks
from carelog.errors import ExitCode, UnusableInput, UsageProblem
from carelog.reports.explanation import COLOURED_MARKS, MARKS, NEAR_MISSES, to_explanation_text
from carelog.sources.blocks import ReadOptions


@click.command("explain")
@click.argument("interaction_id", metavar="ID")
@click.option(
    "--in", "paths", metavar="F", type=FILE, multiple=True, required=True,
    help="Where it is: labelled with --with-text, or the exports. Repeatable.",
)  # fmt: skip
@click.option("--label", "labels", metavar="NAME", multiple=True, help="Only this label, given or not.")
@click.option("--rulebook", "rulebooks", metavar="F", type=FILE, multiple=True, help="As in classify.")
@click.option("--top", type=click.IntRange(1), default=8, show_default=True, help="So many weights a label.")
@click.option("--format", "report_format", type=click.Choice(["text", "json"]), default="text")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    interaction_id: str,
    paths: tuple[str, ...],
    labels: tuple[str, ...],
    rulebooks: tuple[str, ...],
    top: int,
    report_format: str,
    color: str,
) -> ExitCode:
    """Why has interaction ID its labels, and what would have changed them?

    Shows each label with its evidence in context, the weights that it is the sum of, and for labels that
    were not given the nearest rule and the condition that failed.

    \b
    Examples:
      carelog explain chat-17 --in labelled.jsonl
      carelog explain chat-17 --in exports/ --label activity.complaint
      carelog explain chat-17 --in labelled.parquet --format json | jq .explained

    \b
    Exit code: 0 done, 2 wrong usage, label or rulebook, 65 no such interaction, 66 an input is missing.
    """
    chosen = tuple(name for label in labels for name in _label_names(label))
    own = read_rulebooks(rulebooks)
    interactions = read_interactions(paths, ReadOptions(), {interaction_id})
    record = _record_of(interactions, interaction_id)
    near = None if chosen or report_format == "json" else NEAR_MISSES
    value = explain_interaction(record, load_classifier(own), top, chosen or LABEL_NAMES, near)
    value["corrections"] = _corrections_of(interactions)
    _tell_differences(interactions, value)
    if report_format == "json":
        text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    else:
        coloured = wants_color(color, sys.stdout)
        width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80
        text = to_explanation_text(value, chosen, COLOURED_MARKS if coloured else MARKS, width)
    click.echo(text.encode("utf-8", "backslashreplace"), nl=False, color=True)
    return ExitCode.OK


def _label_names(label: str) -> list[str]:
    """The labels that a name stands for: itself, an activity without its family, or a whole family."""
    names = [n for n in LABEL_NAMES if label in (n, n.partition(".")[2]) or n.startswith(label + ".")]
    if not names:
        raise UsageProblem(
            f"there is no label {label[:40]!r}", "such as complaint, activity.complaint, stage, churn_risk"
        )
    return names


def _record_of(interactions: Interactions, interaction_id: str) -> pa.RecordBatch:
    """The record with that id, as a batch of one row."""
    if interactions.records.num_rows:
        return interactions.records.slice(0, 1)
    if not interactions.labelled.num_rows:
        raise UnusableInput(
            f"no interaction {interaction_id[:60]!r} is in what was read", "ids are compared letter by letter"
        )
    evidence = interactions.labelled.column("evidence")[0].as_py()
    if not interactions.has_text and any(entry["field"] == "messages" for entry in evidence):
        raise UsageProblem(
            "the labelled interaction does not hold its messages",
            "label with `carelog classify --with-text`, or name the exports with --in",
        )
    return interactions.originals.slice(0, 1)


def _corrections_of(interactions: Interactions) -> list[dict[str, Any]]:
    """What people corrected, as classification kept it: each label, its value now, and what it `was`."""
    if interactions.records.num_rows:
        return []
    kept = to_values(interactions.labelled.slice(0, 1))[0]
    noted = _parsed(interactions.originals.column("extra")[0].as_py() or "{}").get("corrections")
    # In CSV the list is one more text.
    noted = _parsed(noted) if isinstance(noted, str) else noted
    return [
        {"label": one["label"], "value": kept[one["label"]], "was": _parsed(one["original"])}
        for one in (noted if isinstance(noted, list) else [])
        if isinstance(one, dict) and one.get("label") in LABELS.names and isinstance(one.get("original"), str)
    ]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UnusableInput(
            "its corrections are not as carelog writes them", "`carelog schema check` says what is wrong"
        ) from error


def _tell_differences(interactions: Interactions, value: dict[str, Any]) -> None:
    """Say where the labels that were kept are others than those that are explained, though nobody corrected
    them: then they are of another rulebook or model.
    """
    if interactions.records.num_rows:
        return
    kept = to_values(interactions.labelled.slice(0, 1))[0]
    corrected = {one["label"] for one in value["corrections"]}
    changed = [name for name, label in value["labels"].items() if kept[name] != label]
    changed = [name for name in changed if name not in corrected]
    if (kept.get("rulebook") or {}).get("hash") != value["rulebook"]["hash"]:
        Notices("explain").warn("it was labelled with another rulebook; this is what today's would give")
    if changed:
        told = "; ".join(f"{name} {json.dumps(kept[name], ensure_ascii=False)}" for name in changed)
        Notices("explain").warn(f"the labels that were kept differ (another rulebook or version): {told}")

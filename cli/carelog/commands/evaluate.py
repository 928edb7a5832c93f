"""`carelog evaluate`: how far labels agree with those that people gave."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa

from carelog.classification.agreement import evaluate_sheets, group_rows, krippendorff_alpha
from carelog.classification.classify import classify
from carelog.classification.compiled import RulebookFile, load_classifier
from carelog.classification.rule_claims import (
    claims_of_evidence,
    claims_of_matches,
    count_coverage,
    judge_rules,
)
from carelog.classification.sheets import ALL_LABELS, Sheet, agree_sheets, parse_golds, read_labels
from carelog.columns import join_batches, labelled_schema
from carelog.commands.file_type import FILE
from carelog.commands.interactions import Interactions, read_interactions, tell_read, to_classify
from carelog.commands.notices import Notices, wants_color
from carelog.commands.small_files import read_rulebooks, read_small
from carelog.errors import ExitCode, UnusableInput
from carelog.reports.evaluation import to_evaluation_text, to_evaluation_value
from carelog.sources.blocks import ReadOptions
from carelog.store.atomic import check_outputs, write_whole


@click.command("evaluate")
@click.argument("paths", metavar="F...", type=FILE, nargs=-1, required=True)
@click.option(
    "--gold", "golds", metavar="G", type=FILE, multiple=True, required=True,
    help="Labels by people (JSON Lines); repeatable: one file for each reader.",
)  # fmt: skip
@click.option(
    "--rulebook", "rulebooks", metavar="F", type=FILE, multiple=True, help="Label anew with this rulebook."
)
@click.option(
    "--format", "report_format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--worst", type=click.IntRange(0), default=10, show_default=True, help="List so many rules.")
@click.option("-o", "--output", metavar="F", type=FILE, default="-", help="Write the report here.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    paths: tuple[str, ...],
    golds: tuple[str, ...],
    rulebooks: tuple[str, ...],
    report_format: str,
    worst: int,
    output: str,
    quiet: bool,
    log_format: str,
) -> ExitCode:
    """Precision, recall, F1, Cohen's kappa of labels against gold, and the rules that are wrong most often.

    F is what `carelog classify` wrote, or exports, which are labelled on the spot. A line of G is
    {"id": …, "orientation": …, "activities": […], …}; what it lacks is not scored.

    \b
    Examples:
      carelog evaluate labelled.jsonl --gold gold.jsonl
      carelog evaluate exports/ --gold anna.jsonl --gold ravi.jsonl --format json -o agreement.json
      carelog evaluate exports/ --gold gold.jsonl --rulebook ours.toml

    \b
    Exit code: 0 done, 2 wrong usage, gold or rulebook, 65 no interaction has gold, 66 an input is missing,
    73 the output cannot be written.
    """
    notices = Notices("evaluate", quiet, log_format == "json", wants_color("auto", sys.stderr))
    check_outputs([output], map(Path, (*paths, *golds, *rulebooks)))
    readers = [parse_golds(read_small(name), name) for name in golds]
    own = read_rulebooks(rulebooks)
    agreed, codes = agree_sheets(readers)
    with write_whole(output) as file:
        interactions = read_interactions(paths, ReadOptions(), set(agreed.ids))
        tell_read(notices, interactions)
        value = evaluate_interactions(interactions, agreed, own)
        value["readers"] = {"golds": len(readers), "alpha": _alphas(codes) if len(readers) > 1 else None}
        text = to_evaluation_text(value, worst) if report_format == "text" else to_json(value)
        file.write(text.encode("utf-8", "backslashreplace"))
    return ExitCode.OK


def to_json(value: Any) -> str:
    """A value as JSON text."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _alphas(codes: np.ndarray) -> dict[str, float | None]:
    """Krippendorff's alpha of the gold files among themselves, by label."""
    return {label: krippendorff_alpha(codes[number]) for number, label in enumerate(ALL_LABELS)}


def evaluate_interactions(
    interactions: Interactions, gold: Sheet, own: tuple[RulebookFile, ...]
) -> dict[str, Any]:
    """The whole evaluation as a JSON value: overall, by language, by channel, and by rule. UnusableInput if
    none has gold.
    """
    batch, claims = _label(interactions, own)
    given = read_labels(batch)
    at = {identity: place for place, identity in enumerate(gold.ids)}
    rows = np.array([at[i] for i in given.ids], np.int64)
    if not len(rows):
        raise UnusableInput(
            "no interaction has gold labels", "the `id` of a gold line is the `interaction_id` of its record"
        )
    gold = gold.take(rows)
    stated = np.array([s == "stated" for s in batch.column("satisfaction_source").to_pylist()], bool)
    languages = [a or b for a, b in zip(gold.languages, given.languages, strict=True)]
    everyone = np.arange(len(rows))
    groups = {
        "overall": {"all": everyone},
        "languages": group_rows(languages),
        "channels": group_rows(batch.column("channel").to_pylist()),
    }
    evaluated = {
        kind: {key: evaluate_sheets(gold.take(r), given.take(r), ~stated[r]) for key, r in members.items()}
        for kind, members in groups.items()
    }
    return to_evaluation_value(
        evaluated, judge_rules(claims, gold), count_coverage(claims, len(rows)), len(at), claims.complete
    )


def _label(interactions: Interactions, own: tuple[RulebookFile, ...]) -> tuple[pa.RecordBatch, Any]:
    """The labelled interactions and their rules' claims; those without labels are classified first."""
    records = to_classify(interactions, anew=bool(own))
    if not records.num_rows:
        return interactions.labelled, claims_of_evidence(interactions.labelled)
    classifier = load_classifier(own)
    classified = classify(records, classifier, with_text=True)
    if own or not interactions.labelled.num_rows:
        return classified.batch, claims_of_matches(classified, classifier)
    both = join_batches([interactions.labelled, classified.batch], labelled_schema(with_text=True))
    return both, claims_of_evidence(both)

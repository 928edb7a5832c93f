"""`carelog tune`: a company's own weights, learned from labels by its own people."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from carelog.classification.agreement import evaluate_sheets
from carelog.classification.classify import classify
from carelog.classification.compiled import load_classifier
from carelog.classification.gains import Gain, measure_gain, rate_rows
from carelog.classification.labelling import read_scores
from carelog.classification.sheets import Sheet, agree_sheets, parse_golds
from carelog.classification.tuning import Material, cross_validate, gather_material, tune_weights
from carelog.commands.file_type import FILE
from carelog.commands.interactions import read_interactions, tell_read, to_classify
from carelog.commands.notices import Notices, wants_color
from carelog.commands.small_files import read_rulebooks, read_small
from carelog.errors import ExitCode, UnusableInput, UsageProblem
from carelog.reports.counted import count_noun
from carelog.reports.tuned_rulebook import to_rulebook_text
from carelog.reports.tuning import to_tuning_text, to_tuning_value
from carelog.sources.blocks import ReadOptions
from carelog.store.atomic import Outputs, check_outputs

LEAST_INTERACTIONS = 30


@click.command("tune")
@click.argument("paths", metavar="F...", type=FILE, nargs=-1, required=True)
@click.option(
    "--gold", "golds", metavar="G", type=FILE, multiple=True, required=True,
    help="Labels by your people (JSON Lines), as for evaluate; repeatable.",
)  # fmt: skip
@click.option("-o", "--output", metavar="F", type=FILE, required=True, help="The rulebook to write (.toml).")
@click.option(
    "--rulebook", "rulebooks", metavar="F", type=FILE, multiple=True, help="Learn on top of this; repeatable."
)
@click.option("--name", default="tuned", show_default=True, help="The name of the rulebook.")
@click.option("--folds", type=click.IntRange(2, 50), default=5, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed, the same folds.")
@click.option("--format", "report_format", type=click.Choice(["text", "json"]), default="text")
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    paths: tuple[str, ...],
    golds: tuple[str, ...],
    output: str,
    rulebooks: tuple[str, ...],
    name: str,
    folds: int,
    seed: int,
    report_format: str,
    quiet: bool,
    log_format: str,
) -> ExitCode:
    """Learn weights from labels by your own people (a few hundred), and write them as a rulebook.

    F is the exports, or what `carelog classify --with-text` wrote. The gain is measured by cross-validation;
    where it is not sure to be one, nothing is written.

    \b
    Examples:
      carelog tune exports/ --gold gold.jsonl -o ours.toml
      carelog classify exports/ --rulebook ours.toml -o labelled.parquet

    \b
    Exit code: 0 written, 1 no gain and nothing written, 2 wrong usage, gold or rulebook,
    65 too few interactions have gold, 66 an input is missing, 73 the output cannot be written.
    """
    notices = Notices("tune", quiet, log_format == "json", wants_color("auto", sys.stderr))
    _check_name(name, output)
    check_outputs([output], map(Path, (*paths, *golds, *rulebooks)))
    own = read_rulebooks(rulebooks)
    gold, _ = agree_sheets([parse_golds(read_small(g), g) for g in golds])
    with Outputs() as outputs:
        file = outputs.open(output)
        material = _read_material(paths, gold, own, notices)
        gain, value = _learn(material, folds, seed)
        tuned = tune_weights(material, np.arange(material.records.num_rows), seed)
        written = gain.is_sure and bool(tuned.offsets or tuned.weights)
        value |= to_tuning_value(tuned, gain, material.classifier, output if written else None)
        if written:
            file.write(to_rulebook_text(tuned, gain, material.classifier, name).encode())
        else:
            outputs.forget()
    if report_format == "json":
        text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    else:
        text = to_tuning_text(value)
    click.echo(text, nl=False)
    return ExitCode.OK if written else ExitCode.FINDINGS


def _check_name(name: str, output: str) -> None:
    if not output.endswith(".toml"):
        raise UsageProblem(f"{output}: a rulebook's name ends in .toml", "the report is on standard output")
    if re.fullmatch(r"[\w .-]{1,60}", name) is None or name.startswith("carelog-") or not name.strip():
        raise UsageProblem(
            f"--name {name[:40]!r} cannot be the name of a rulebook", "such as tuned, or acme-2026"
        )


def _read_material(paths: tuple[str, ...], gold: Sheet, own: tuple[Any, ...], notices: Notices) -> Material:
    interactions = read_interactions(paths, ReadOptions(), set(gold.ids))
    tell_read(notices, interactions)
    records = to_classify(interactions, anew=True)
    if records.num_rows < LEAST_INTERACTIONS:
        raise UnusableInput(
            f"gold labels of {count_noun(records.num_rows, 'interaction')} were found; "
            f"{LEAST_INTERACTIONS} are the least",
            "a few hundred are better",
        )
    classifier = load_classifier(own)
    at = {identity: place for place, identity in enumerate(gold.ids)}
    rows = np.array([at[i] for i in records.column("interaction_id").to_pylist()], np.int64)
    return gather_material(records, classify(records, classifier), gold.take(rows), classifier)


def _learn(material: Material, folds: int, seed: int) -> tuple[Gain, dict[str, Any]]:
    """The cross-validated gain, and the figures before and after."""
    before, after = cross_validate(material, folds, seed)
    gold = material.gold
    gain = measure_gain(rate_rows(gold, before), rate_rows(gold, after), seed)
    in_words = read_scores(material.records) == 0
    figures = {
        "before": dict(evaluate_sheets(gold, before, in_words).figures),
        "after": dict(evaluate_sheets(gold, after, in_words).figures),
    }
    return gain, {"interactions": material.records.num_rows, "folds": folds, "seed": seed, "figures": figures}

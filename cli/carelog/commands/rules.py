"""`carelog rules`: what is in the rulebooks, are they sound, what would a change do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from carelog.classification.classify import LABEL_NAMES
from carelog.classification.compiled import RulebookFile
from carelog.classification.diffing import Difference, to_difference_value
from carelog.classification.examples import Example, run_examples
from carelog.classification.rule_soundness import REMARKS, check_rules, keep_good_rules, to_rule_value
from carelog.classification.rulebook import Rule, Rulebook, load_packaged, merge_rulebooks, parse_rulebook
from carelog.commands.file_type import FILE
from carelog.commands.interactions import read_interactions, tell_read, to_classify
from carelog.commands.notices import Notices
from carelog.commands.small_files import read_rulebooks
from carelog.engines.local import default_jobs, map_ordered
from carelog.engines.relabel import Slice, cut_rows, relabel_slice
from carelog.errors import ExitCode, UsageProblem
from carelog.labels import LANGUAGES
from carelog.reports import rules as reports
from carelog.sources.blocks import ReadOptions
from carelog.store.atomic import check_outputs, write_whole

SHIPPED = "shipped"
_EXAMPLE_FORMATS: dict[str, Callable[[Sequence[Example]], str]] = {
    "text": reports.to_examples_text,
    "json": lambda examples: reports.to_json(reports.to_examples_value(examples)),
    "junit": reports.to_examples_junit,
}

rulebook_option = click.option(
    "--rulebook",
    "rulebooks",
    metavar="F",
    type=FILE,
    multiple=True,
    help="With this rulebook on top; repeatable.",
)
format_option = click.option(
    "--format", "report_format", type=click.Choice(["text", "json"]), default="text", show_default=True
)


class Actions(click.Group):
    """Lists its commands in the order of the contract."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["list", "show", "check", "test", "diff"]


@click.group("rules", cls=Actions)
def command() -> None:
    """The rulebooks: what is in them, are they sound, do their examples hold, what would a change do.

    \b
    Examples:
      carelog rules list --language th --label activity.complaint
      carelog rules check --rulebook ours.toml
      carelog rules test --rulebook ours.toml --format junit -o rules.xml
      carelog rules diff shipped ours.toml --in labelled.parquet
    """


def merge_own(own: Sequence[RulebookFile]) -> Rulebook:
    """The shipped rulebooks with the user's own on top; phrases are not looked at yet. UsageProblem if one is
    broken.
    """
    return merge_rulebooks([*load_packaged(), *(parse_rulebook(f.text, f.name) for f in own)])


@command.command("list")
@click.option("--language", type=click.Choice([*LANGUAGES, "*"]), help="Only rules of this language.")
@click.option("--label", metavar="NAME", help="Only rules of this label, or family of labels (activity).")
@click.option("--signal", metavar="NAME", help="Only rules of this signal, as complaint.repeat_failure.")
@rulebook_option
@format_option
def list_rules(
    language: str | None,
    label: str | None,
    signal: str | None,
    rulebooks: tuple[str, ...],
    report_format: str,
) -> ExitCode:
    """List the rules.

    \b
    Examples:
      carelog rules list --language hi --label satisfaction
      carelog rules list --signal complaint.repeat_failure --format json

    \b
    Exit code: 0 done, 1 no rule is like that, 2 wrong usage, label, signal or rulebook.
    """
    merged = merge_own(read_rulebooks(rulebooks)).rules
    _check_asked(merged, label, signal)
    rules = [r for r in merged if _is_wanted(r, language, label, signal)]
    if report_format == "json":
        values = [
            {k: v for k, v in to_rule_value(r).items() if k not in ("match", "no_match")} for r in rules
        ]
        click.echo(reports.to_json(values), nl=False)
    else:
        click.echo(reports.to_rules_text(rules), nl=False)
    return ExitCode.OK if rules else ExitCode.FINDINGS


def _check_asked(rules: Sequence[Rule], label: str | None, signal: str | None) -> None:
    """UsageProblem for a label that the codebook does not have, or a signal that no rule has."""
    labels = {*LABEL_NAMES, *(rule.label for rule in rules)}
    if label is not None and not any(_has_label(name, label) for name in labels):
        raise UsageProblem(
            f"there is no label {label[:40]!r}", "such as complaint, activity.complaint, stage, churn_risk"
        )
    if signal is not None and not any(_has_signal(rule, signal) for rule in rules):
        raise UsageProblem(
            f"no rule has the signal {signal[:60]!r}",
            "a signal is a rule's id without its language; `carelog rules list` shows the ids",
        )


def _is_wanted(rule: Rule, language: str | None, label: str | None, signal: str | None) -> bool:
    return (
        (language is None or rule.language == language)
        and (label is None or _has_label(rule.label, label))
        and (signal is None or _has_signal(rule, signal))
    )


def _has_label(name: str, label: str) -> bool:
    """Whether `label` stands for the label `name`: itself, an activity without its family, or a family."""
    return label in (name, name.partition(".")[2]) or name.startswith(label + ".")


def _has_signal(rule: Rule, signal: str) -> bool:
    return rule.signal == signal or rule.signal.startswith(signal + ".")


@command.command("show")
@click.argument("rule_id", metavar="ID")
@rulebook_option
@format_option
def show_rule(rule_id: str, rulebooks: tuple[str, ...], report_format: str) -> ExitCode:
    """Show the rule ID with its phrases, conditions and examples; the text is a rulebook to change.

    \b
    Example:
      carelog rules show en.complaint.repeat_failure > ours.toml
    """
    rules = {rule.id: rule for rule in merge_own(read_rulebooks(rulebooks)).rules}
    if rule_id not in rules:
        raise UsageProblem(f"there is no rule {rule_id[:60]!r}", "`carelog rules list` shows the ids")
    rule = rules[rule_id]
    text = reports.to_json(to_rule_value(rule)) if report_format == "json" else reports.to_rule_text(rule)
    click.echo(text, nl=False)
    return ExitCode.OK


@command.command("check")
@click.option("--own", is_flag=True, help="Only the rules of the rulebooks given with --rulebook.")
@click.option("--strict", is_flag=True, help="Remarks count as problems.")
@rulebook_option
@format_option
def check(own: bool, strict: bool, rulebooks: tuple[str, ...], report_format: str) -> ExitCode:
    """Are the rules sound?

    Finds phrases and patterns that can never match, match the empty text, stand twice or shadow each other,
    and rules without examples.

    \b
    Examples:
      carelog rules check
      carelog rules check --rulebook ours.toml --own

    \b
    Exit code: 0 sound (remarks aside), 1 there are problems,
    2 a rulebook is not of the form, or an id stands twice in one.
    """
    rules = _rules_of(rulebooks, own)
    problems = check_rules(rules)
    value = reports.to_problems_value(problems, len(rules))
    click.echo(
        reports.to_json(value) if report_format == "json" else reports.to_problems_text(problems, len(rules)),
        nl=False,
    )
    wrong = problems if strict else [p for p in problems if p.kind not in REMARKS]
    return ExitCode.FINDINGS if wrong else ExitCode.OK


def _rules_of(rulebooks: tuple[str, ...], own: bool) -> list[Rule]:
    """The rules of the merged rulebooks, or of the user's own alone (UsageProblem without any)."""
    files = read_rulebooks(rulebooks)
    merged = merge_own(files)
    if not own:
        return list(merged.rules)
    if not files:
        raise UsageProblem("--own needs a rulebook", "name it with --rulebook F")
    names = {parse_rulebook(f.text, f.name)["rulebook"]["name"] for f in files}
    return [rule for rule in merged.rules if rule.rulebook in names]


@command.command("test")
@click.option("--own", is_flag=True, help="Only the rules of the rulebooks given with --rulebook.")
@rulebook_option
@click.option(
    "--format",
    "report_format",
    type=click.Choice(list(_EXAMPLE_FORMATS)),
    default="text",
    show_default=True,
)
@click.option("-o", "--output", metavar="F", type=FILE, default="-", help="Write the report here.")
def test(own: bool, rulebooks: tuple[str, ...], report_format: str, output: str) -> ExitCode:
    """Do the rules' own examples hold? Each must match its `match` sentences and none of its `no_match`.

    \b
    Examples:
      carelog rules test
      carelog rules test --rulebook ours.toml --own --format junit -o rules.xml

    \b
    Exit code: 0 all hold, 1 some do not (or a phrase cannot be matched at all), 2 wrong usage or rulebook.
    """
    check_outputs([output], map(Path, rulebooks))
    rules = _rules_of(rulebooks, own)
    good = keep_good_rules(rules)
    with write_whole(output) as file:
        examples = run_examples(good)
        file.write(_EXAMPLE_FORMATS[report_format](examples).encode("utf-8", "backslashreplace"))
    for rule in rules:
        if rule not in good:
            Notices("rules test").warn(f"{rule.id} cannot be tested; `carelog rules check` says why")
    return ExitCode.OK if len(good) == len(rules) and all(e.passed for e in examples) else ExitCode.FINDINGS


@command.command("diff")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option(
    "--in",
    "paths",
    metavar="F",
    type=FILE,
    multiple=True,
    required=True,
    help="Exports, or labelled with text.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 1024), metavar="N", help="How many processes (default: all cores)."
)
@format_option
def diff(old: str, new: str, paths: tuple[str, ...], jobs: int | None, report_format: str) -> ExitCode:
    """What would the rulebook NEW change against OLD? Labels F with both; `shipped` is carelog's own.

    Shows which labels change, which rules did it, and what becomes of the report's metrics that follow from
    labels alone.

    \b
    Examples:
      carelog rules diff shipped ours.toml --in exports/
      carelog rules diff ours-1.toml ours-2.toml --in labelled.parquet --format json

    \b
    Exit code: 0 done, 2 wrong usage or rulebook, 65 nothing usable, 66 an input is missing.
    """
    sides = [read_rulebooks([] if name == SHIPPED else [name]) for name in (old, new)]
    for side in sides:
        merge_own(side)  # a broken rulebook is told before anything is read
    interactions = read_interactions(paths, ReadOptions())
    tell_read(Notices("rules diff"), interactions)
    records = to_classify(interactions, anew=True)
    difference = Difference()
    step = partial(relabel_slice, old=sides[0], new=sides[1])
    for before, after in map_ordered(step, cut_rows(records), jobs or default_jobs(), weigh=_weigh):
        difference.add(before, after)
    value = to_difference_value(difference)
    text = reports.to_json(value) if report_format == "json" else reports.to_difference_text(value, old, new)
    click.echo(text, nl=False)
    return ExitCode.OK


def _weigh(part: Slice) -> float:
    return float(part.records.nbytes)

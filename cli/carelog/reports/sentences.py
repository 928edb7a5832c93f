"""Sentences that state what a summary says: computed from figures, with their n, never invented."""

from __future__ import annotations

from collections.abc import Iterator

from carelog.reports.figures_text import COLUMN_TITLES, change_text, group_text, interval_text, value_text
from carelog.reports.words import Words, mark
from carelog.summary.compare import MOVING, sure_changes
from carelog.summary.figures import Change, Figure, Group, Summary
from carelog.summary.stages import STAGE_TITLES

MOST = 3
SPREAD_COLUMNS = ("channel", "team", "store_id", "language")


def headline_sentences(summary: Summary, words: Words) -> list[str]:
    """Up to three sentences: the surest movements against the compared period, else the largest differences
    within.
    """
    moved = [_moved(summary, words, c) for c in _distinct(sure_changes(summary.changes))]
    standing = (s for s in _standing(summary, words) if s)
    return [*moved[:MOST], *standing][:MOST]


def _distinct(changes: list[Change]) -> list[Change]:
    """One change per metric, the surest, and only of metrics that a reader knows by name."""
    seen: dict[str, Change] = {}
    for change in changes:
        if change.name in MOVING:
            seen.setdefault(change.name, change)
    return list(seen.values())


def _moved(summary: Summary, words: Words, change: Change) -> str:
    what = words.t(summary.definitions[change.name].title)
    if change.group:
        by, key = change.group
        what = f"{what} ({words.t(COLUMN_TITLES[by])}: {group_text(words, by, key)})"
    up = (change.change or 0) > 0
    text = (
        mark("{what} went up from {before} to {now} ({change}; n {n_before} and {n_now}).")
        if up
        else mark("{what} went down from {before} to {now} ({change}; n {n_before} and {n_now}).")
    )
    return words.t(
        text,
        what=what,
        before=value_text(words, change.before),
        now=value_text(words, change.now),
        change=change_text(words, change),
        n_before=words.count(change.before.n),
        n_now=words.count(change.now.n),
    )


def _standing(summary: Summary, words: Words) -> Iterator[str | None]:
    yield _widest_spread(summary, words)
    yield _strongest_stage(summary, words)
    yield _complaints(summary, words)
    yield _care(summary, words)


def _widest_spread(summary: Summary, words: Words) -> str | None:
    """The column whose groups differ most in care share, if the two intervals do not touch."""
    best: tuple[float, str, Group, Group] | None = None
    for by in SPREAD_COLUMNS:
        if by not in summary.groupings:
            continue
        groups = [
            g
            for g in summary.groupings[by].groups
            if g.key is not None and g.figures["care_share"].value is not None
        ]
        if len(groups) < 2:
            continue
        groups.sort(key=lambda g: g.figures["care_share"].value or 0.0)
        low, high = groups[0], groups[-1]
        gap = _gap(low.figures["care_share"], high.figures["care_share"])
        if gap > 0 and (best is None or gap > best[0]):
            best = (gap, by, low, high)
    if best is None:
        return None
    _, by, low, high = best
    return words.t(
        "{column}: care share is highest for {high} ({high_value}, n {high_n}) and lowest for {low} "
        "({low_value}, n {low_n}).",
        column=words.t(COLUMN_TITLES[by]),
        high=group_text(words, by, high.key),
        high_value=value_text(words, high.figures["care_share"]),
        high_n=words.count(high.figures["care_share"].n),
        low=group_text(words, by, low.key),
        low_value=value_text(words, low.figures["care_share"]),
        low_n=words.count(low.figures["care_share"].n),
    )


def _gap(low: Figure, high: Figure) -> float:
    if low.interval is None or high.interval is None:
        return 0.0
    return high.interval.low - low.interval.high


def _strongest_stage(summary: Summary, words: Words) -> str | None:
    for prefix, source in (("stage_effect", "stated"), ("stage_effect_inferred", "inferred")):
        figures = [(stage, summary.figures[f"{prefix}.{stage}"]) for stage in STAGE_TITLES]
        sure = [(s, f) for s, f in figures if f.value is not None and f.interval and f.interval.low > 0]
        if sure:
            stage, figure = max(sure, key=lambda pair: pair[1].value or 0.0)
            parts = figure.parts
            return words.t(
                "Where the stage “{stage}” is done {with_value} are satisfied, where it is not "
                "{without_value} "
                "(difference {interval}, n {n}, satisfaction {source}).",
                stage=words.t(STAGE_TITLES[stage]),
                with_value=words.percent(parts["hits_with"] / parts["n_with"]),
                without_value=words.percent(parts["hits_without"] / parts["n_without"]),
                interval=interval_text(words, figure),
                n=words.count(figure.n),
                source=words.t(source),
            )
    return None


def _complaints(summary: Summary, words: Words) -> str | None:
    rate, resolved = summary.figures["complaint_rate"], summary.figures["complaint_outcome.resolved"]
    if rate.value is None or resolved.value is None:
        return None
    return words.t(
        "{rate} of the interactions hold a complaint (n {n}); {resolved} of the complaints end resolved "
        "(n {n_complaints}).",
        rate=value_text(words, rate),
        n=words.count(rate.n),
        resolved=value_text(words, resolved),
        n_complaints=words.count(resolved.n),
    )


def _care(summary: Summary, words: Words) -> str | None:
    figure = summary.figures["care_share"]
    if figure.value is None:
        return None
    return words.t(
        "{care} of the work is care, the rest service ({interval}, n {n}).",
        care=value_text(words, figure),
        interval=interval_text(words, figure),
        n=words.count(figure.n),
    )

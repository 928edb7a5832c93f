"""Where to look first: what the figures single out with certainty, as sentences with their n. They point,
they do not explain.
"""

from __future__ import annotations

from collections.abc import Iterator

from carelog.labels import ASPECTS, TOUCHPOINTS
from carelog.reports.figures_text import COLUMN_TITLES, group_text, interval_text, value_text
from carelog.reports.words import Words
from carelog.summary.complaints import ASPECT_TITLES
from carelog.summary.figures import Figure, Group, Summary
from carelog.summary.journey import TOUCHPOINT_TITLES
from carelog.summary.stages import STAGE_TITLES

SEARCHED = ("team", "store_id", "channel")


def pointer_sentences(summary: Summary, words: Words) -> list[str]:
    """Up to four sentences, each only where an interval leaves no doubt; the most frequent touchpoint always."""
    found = (
        _missed_stage(summary, words),
        _complaining_group(summary, words),
        _worst_aspect(summary, words),
        _busiest_touchpoint(summary, words),
    )
    return [sentence for sentence in found if sentence]


def _missed_stage(summary: Summary, words: Words) -> str | None:
    """The stage that surely goes with satisfaction and is missed so often that most would be gained by it."""
    best: tuple[float, str, Figure, Figure] | None = None
    for stage in STAGE_TITLES:
        effect, rate = summary.figures[f"stage_effect.{stage}"], summary.figures[f"stage_rate.{stage}"]
        if effect.value is None or rate.value is None or effect.interval is None or effect.interval.low <= 0:
            continue
        gain = effect.value * (1 - rate.value)
        if best is None or gain > best[0]:
            best = (gain, stage, effect, rate)
    if best is None:
        return None
    _, stage, effect, rate = best
    return words.t(
        "The stage “{stage}” goes with satisfaction ({interval}, n {n_effect}) and is done in {rate} of "
        "the interactions "
        "(n {n}).",
        stage=words.t(STAGE_TITLES[stage]),
        interval=interval_text(words, effect),
        n_effect=words.count(effect.n),
        rate=value_text(words, rate),
        n=words.count(rate.n),
    )


def _complaining_group(summary: Summary, words: Words) -> str | None:
    """The group whose complaint rate lies surely above that of all, by the widest gap."""
    overall = summary.figures["complaint_rate"]
    if overall.value is None or overall.interval is None:
        return None
    sure = [
        (figure.interval.low - overall.interval.high, by, group)
        for by, group, figure in _complaint_rates(summary)
        if figure.interval is not None and figure.interval.low > overall.interval.high
    ]
    if not sure:
        return None
    _, by, group = max(sure, key=lambda found: found[0])
    figure = group.figures["complaint_rate"]
    return words.t(
        "{column} {group}: {rate} hold a complaint, {overall} of all (n {n}).",
        column=words.t(COLUMN_TITLES[by]),
        group=group_text(words, by, group.key),
        rate=value_text(words, figure),
        overall=value_text(words, overall),
        n=words.count(figure.n),
    )


def _complaint_rates(summary: Summary) -> Iterator[tuple[str, Group, Figure]]:
    for by in SEARCHED:
        if by in summary.groupings:
            for group in summary.groupings[by].groups:
                if group.key is not None:
                    yield by, group, group.figures["complaint_rate"]


def _worst_aspect(summary: Summary, words: Words) -> str | None:
    balances = [(aspect, summary.figures[f"aspect_balance.{aspect}"]) for aspect in ASPECTS]
    sure = [(a, f) for a, f in balances if f.value is not None and f.interval and f.interval.high < 0]
    if not sure:
        return None
    aspect, figure = min(sure, key=lambda pair: pair[1].value or 0.0)
    return words.t(
        "Customers speak worst of “{aspect}” ({value}, {interval}, n {n}).",
        aspect=words.t(ASPECT_TITLES[aspect]),
        value=value_text(words, figure),
        interval=interval_text(words, figure),
        n=words.count(figure.n),
    )


def _busiest_touchpoint(summary: Summary, words: Words) -> str | None:
    shares = [(name, summary.figures[f"journey.{name}"]) for name in TOUCHPOINTS]
    known = [(name, figure) for name, figure in shares if figure.value is not None]
    if not known:
        return None
    name, figure = max(known, key=lambda pair: pair[1].value or 0.0)
    return words.t(
        "Most contacts come from “{touchpoint}” ({value}, n {n}).",
        touchpoint=words.t(TOUCHPOINT_TITLES[name]),
        value=value_text(words, figure),
        n=words.count(figure.n),
    )

"""What classification spends its time on: the processor time of its steps, by wrapping them while it runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from carelog.classification import classifier, classify, evidence, matching

STAGES: tuple[tuple[str, ModuleType, str], ...] = (
    ("segments, quotes", classifier, "to_segments"),
    ("normal form", classifier, "to_normal_form"),
    ("scan for literals", matching, "_find"),
    ("phrases and guards", classifier, "scan"),
    ("conditions", classifier, "_conditions_hold"),
    ("shape of the talk", classifier, "measure_talk"),
    ("signals", classifier, "signal_columns"),
    ("tokens", classifier, "find_tokens"),
    ("words", classifier, "listen_to_words"),
    ("scores", classify, "score_batch"),
    ("labels", classify, "decide"),
    ("claims", classify, "_claims"),
    ("label columns", classify, "_label_columns"),
    ("evidence: places", classify, "point"),
    ("evidence: rules", classify, "direct_entries"),
    ("evidence: clauses", evidence, "strongest_clauses"),
    ("evidence: votes", classify, "vote_entries"),
    ("evidence: column", classify, "to_evidence_column"),
)
"""Steps with the module that calls them; a step that stands inside another is taken off the outer one."""
_INSIDE = {"scan for literals": "phrases and guards", "evidence: clauses": "evidence: votes"}


@contextmanager
def stages_timed() -> Iterator[Counter[str]]:
    """Processor seconds by stage, of what runs inside."""
    spent: Counter[str] = Counter()
    plain = [(module, name, getattr(module, name)) for _, module, name in STAGES]
    for (title, module, name), (_, _, step) in zip(STAGES, plain, strict=True):
        setattr(module, name, _timed(step, title, spent))
    try:
        yield spent
    finally:
        for module, name, step in plain:
            setattr(module, name, step)


def _timed(step: Callable[..., Any], title: str, spent: Counter[str]) -> Callable[..., Any]:
    def timed(*arguments: Any) -> Any:
        begin = time.process_time()
        result = step(*arguments)
        took = time.process_time() - begin
        spent[title] += took
        if title in _INSIDE:
            spent[_INSIDE[title]] -= took
        return result

    return timed


def print_shares(spent: Counter[str], total: float, size: int) -> None:
    """One line for each stage: nanoseconds for a byte of text, and its share; the largest first."""
    rest = total - sum(spent.values())
    for title, seconds in sorted([*spent.items(), ("the rest", rest)], key=lambda item: -item[1]):
        print(f"    {title:<20} {seconds / size * 1e9:6.1f} ns/byte {seconds / total:6.1%}")

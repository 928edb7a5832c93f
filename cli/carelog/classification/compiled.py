"""From rulebook files to a classifier: what a worker needs is a few texts, and each process compiles them once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from carelog.classification.classifier import Classifier, compile_classifier
from carelog.classification.matching import compile_expressions, is_compiled, to_expressions
from carelog.classification.model import load_model
from carelog.classification.rule_soundness import find_obstacle
from carelog.classification.rulebook import Rulebook, load_packaged, merge_rulebooks, parse_rulebook, to_rule
from carelog.errors import UsageProblem


@dataclass(frozen=True, slots=True)
class RulebookFile:
    """A rulebook of the user's own: its name for messages, and its text."""

    name: str
    text: bytes


@lru_cache(maxsize=4)
def load_rulebook(own: tuple[RulebookFile, ...] = ()) -> Rulebook:
    """The packaged rulebooks with the user's own on top. UsageProblem names file, rule and reason."""
    books = load_packaged()
    for file in own:
        book = parse_rulebook(file.text, file.name)
        _check_phrases(file, book)
        books.append(book)
    return merge_rulebooks(books)


def _check_phrases(file: RulebookFile, book: Mapping[str, Any]) -> None:
    for values in book.get("rule", []):
        rule = to_rule(values, book)
        obstacle = find_obstacle(rule)
        if obstacle is not None:
            raise UsageProblem(f"{file.name}: rule {rule.id}: {obstacle}")


def prepare_patterns(
    own: tuple[RulebookFile, ...] = (), on_compile: Callable[[], None] = lambda: None
) -> None:
    """See to it that the compiled patterns lie in the cache before other processes ask for them all at once.

    Compiling takes some ten seconds and 400 MB, once for each set of rulebooks; `on_compile` is called before.
    """
    expressions = to_expressions(load_rulebook(own).rules)
    if not is_compiled(expressions):
        on_compile()
        compile_expressions(expressions)


@lru_cache(maxsize=4)
def load_classifier(own: tuple[RulebookFile, ...] = ()) -> Classifier:
    """The compiled classifier; the same one when asked again in this process."""
    return compile_classifier(load_rulebook(own), load_model())

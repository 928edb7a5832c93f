"""From rulebook files to a classifier: what a worker needs is a few texts, and each process compiles them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from carelog.classification.classifier import Classifier, compile_classifier
from carelog.classification.matching import rule_patterns
from carelog.classification.model import load_model
from carelog.classification.patterns import BadPhrase
from carelog.classification.rulebook import Rulebook, load_packaged, merge_rulebooks, parse_rulebook
from carelog.errors import UsageProblem


@dataclass(frozen=True, slots=True)
class RulebookFile:
    """A rulebook of the user's own: its name for messages, and its text."""

    name: str
    text: bytes


def load_rulebook(own: Sequence[RulebookFile] = ()) -> Rulebook:
    """The packaged rulebooks with the user's own on top. UsageProblem names file, rule and reason."""
    books = load_packaged()
    for file in own:
        book = parse_rulebook(file.text, file.name)
        books.append(book)
    merged = merge_rulebooks(books)
    for rule in merged.rules:
        try:
            rule_patterns(rule)
        except BadPhrase as reason:
            raise UsageProblem(f"{rule.rulebook}: rule {rule.id}: {reason}") from reason
    return merged


@lru_cache(maxsize=4)
def load_classifier(own: tuple[RulebookFile, ...] = ()) -> Classifier:
    """The compiled classifier; the same one when asked again in this process."""
    return compile_classifier(load_rulebook(own), load_model())

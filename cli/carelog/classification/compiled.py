"""From rulebook files to a classifier: what a worker needs is a few texts, and each process compiles them once."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from carelog import __version__ as carelog_version
from carelog.classification.classifier import Classifier, compile_classifier
from carelog.classification.model import load_model
from carelog.classification.prepared import cache_key, code_digest, prepare_rules
from carelog.classification.rule_soundness import find_obstacle
from carelog.classification.rulebook import Rulebook, load_packaged, merge_rulebooks, parse_rulebook, to_rule
from carelog.errors import UsageProblem
from carelog.resources import cached_bytes, is_cached, read_cached, rulebook_files


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


def _ready_key(own: tuple[RulebookFile, ...]) -> str:
    digest = hashlib.sha256(f"{carelog_version} {code_digest()}".encode())
    for text in (*(f.read_bytes() for f in rulebook_files()), *(f.text for f in own)):
        digest.update(hashlib.sha256(text).digest())
    return f"ready-{digest.hexdigest()[:32]}"


def are_patterns_ready(own: tuple[RulebookFile, ...] = ()) -> bool:
    """Whether the compiled patterns of these rulebooks lie in the private cache (told without reading the rulebooks)."""
    key = read_cached(_ready_key(own))
    return key is not None and is_cached(key.decode())


def prepare_patterns(own: tuple[RulebookFile, ...] = ()) -> None:
    """Compile the patterns into the private cache, before several processes ask for them all at once.

    Takes some seconds and 200 MB, once for each set of rulebooks; the memory is given back.
    """
    prepare_rules(load_rulebook(own).rules)
    key = cache_key(load_rulebook(own).rules)
    cached_bytes(_ready_key(own), key.encode)
    load_rulebook.cache_clear()
    gc.collect()
    pa.default_memory_pool().release_unused()


@lru_cache(maxsize=4)
def load_classifier(own: tuple[RulebookFile, ...] = ()) -> Classifier:
    """The compiled classifier; the same one when asked again in this process."""
    return compile_classifier(load_rulebook(own), load_model())

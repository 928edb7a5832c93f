"""Rulebooks: text that says which words speak for which label. Read, checked, merged; later ones win over earlier ones."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import jsonschema

from carelog.errors import UsageProblem
from carelog.resources import load_schema, rulebook_files

MAPPED_FIELDS = ("category", "tags", "queue", "campaign")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: words (or a field's value) that speak for or against a label.

    `weight` below 0 speaks against the label. `signal` is the id without its language: what rules of several languages share.
    """

    id: str
    label: str
    speaker: str = "any"
    place: str = "any"
    channel: tuple[str, ...] = ()
    weight: float = 1.0
    phrases: tuple[str, ...] = ()
    pattern: str | None = None
    not_before: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()
    language: str = "*"
    rulebook: str = ""

    @property
    def signal(self) -> str:
        """`en.complaint.repeat_failure.2` → `complaint.repeat_failure`."""
        parts = self.id.split(".")
        if parts[0] == self.language:
            parts = parts[1:]
        if len(parts) > 1 and parts[-1].isdigit():
            parts = parts[:-1]
        return ".".join(parts)


@dataclass(frozen=True)
class Rulebook:
    """Rules of all languages, merged; `hash` names this very content."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    offsets: Mapping[str, float] = field(default_factory=dict)

    # Counted once: it takes 50 ms, and every batch asks for it.
    @cached_property
    def hash(self) -> str:
        """SHA-256 over the rules, maps and offsets (not over their order in files or comments), 16 hexadecimal digits."""
        content: dict[str, Any] = {"rules": [asdict(r) for r in self.rules], "maps": self.maps}
        if self.offsets:
            content["offsets"] = self.offsets
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[
            :16
        ]


def parse_rulebook(text: bytes, source: str) -> dict[str, Any]:
    """One rulebook file as checked plain values. UsageProblem names file, rule and reason."""
    try:
        book = tomllib.loads(text.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(
            f"{source}: not TOML: {error}", "see `carelog schema show rulebook` for the form"
        ) from error
    validator = jsonschema.Draft202012Validator(load_schema("rulebook"))
    for problem in sorted(validator.iter_errors(book), key=lambda e: [str(p) for p in e.absolute_path]):
        raise UsageProblem(f"{source}: {_rule_at(book, problem.absolute_path)}{_explain(problem)}")
    _check_ids(book, source)
    return book


_NEEDED = {
    "match": "at least 2 sentences that the rule must match are needed",
    "no_match": "at least 1 sentence that the rule must not match is needed",
}


def _explain(problem: jsonschema.ValidationError) -> str:
    """What is wrong, in a rule owner's words where the schema's own would not say what to write."""
    name = problem.absolute_path[-1] if problem.absolute_path else None
    if problem.validator == "minItems":
        there = len(problem.instance)
        return f"{_NEEDED.get(str(name), 'at least 1 entry is needed')}, {there or 'none'} given"
    if problem.validator == "required":
        missing = next((key for key in _NEEDED if problem.message.startswith(f"'{key}' ")), None)
        if missing is not None:
            return f"{missing} is missing: {_NEEDED[missing]}"
    if problem.validator == "anyOf":
        return "it has neither phrases nor a pattern"
    if problem.validator == "pattern" and problem.schema.get("title") == "Label":
        return f"{str(problem.instance)[:60]!r} is no label that a rulebook can give"
    return str(problem.message)[:200]


def _rule_at(book: Mapping[str, Any], path: Iterable[Any]) -> str:
    steps = list(path)
    if len(steps) >= 2 and steps[0] == "rule" and isinstance(steps[1], int):
        rule = book["rule"][steps[1]]
        name = rule.get("id") if isinstance(rule, dict) else None
        where = "/".join(str(s) for s in steps[2:])
        return f"rule {name or '#' + str(steps[1] + 1)}{' at ' + where if where else ''}: "
    return f"{'/'.join(str(s) for s in steps)}: " if steps else ""


def _check_ids(book: Mapping[str, Any], source: str) -> None:
    seen: set[str] = set()
    for rule in book.get("rule", []):
        if rule["id"] in seen:
            raise UsageProblem(f"{source}: rule {rule['id']}: the id stands twice")
        seen.add(rule["id"])


def to_rule(values: Mapping[str, Any], book: Mapping[str, Any]) -> Rule:
    """One `[[rule]]` table as a Rule."""
    head = book["rulebook"]
    lists = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Rule(**{**lists, "language": head.get("language", "*"), "rulebook": head["name"]})


def merge_rulebooks(books: Sequence[Mapping[str, Any]]) -> Rulebook:
    """Checked rulebooks as one: the same id replaces the earlier rule, `[[disable]]` takes rules out, maps are joined."""
    rules: dict[str, Rule] = {}
    maps: dict[str, dict[str, str]] = {}
    offsets: dict[str, float] = {}
    names: list[str] = []
    versions: list[str] = []
    for book in books:
        for values in book.get("rule", []):
            rules[values["id"]] = to_rule(values, book)
        for entry in book.get("disable", []):
            if rules.pop(entry["id"], None) is None:
                raise UsageProblem(
                    f"{book['rulebook']['name']}: disables {entry['id']}, which no earlier rulebook has",
                    "`carelog rules list` shows the ids",
                )
        for name, values in book.get("map", {}).items():
            maps.setdefault(name, {}).update({k.casefold().strip(): v for k, v in values.items()})
        offsets.update(book.get("offset", {}))
        names.append(book["rulebook"]["name"])
        versions.append(str(book["rulebook"]["version"]))
    own = [n for n in names if not n.startswith("carelog-")]
    version = next(
        (v for n, v in zip(names, versions, strict=True) if n.startswith("carelog-")), versions[-1]
    )
    return Rulebook(
        "+".join(["carelog", *own]), version, tuple(rules[k] for k in sorted(rules)), maps, offsets
    )


def load_packaged() -> list[dict[str, Any]]:
    """The rulebooks that ship with carelog. The tests hold them to the schema; here that would cost a second a process."""
    return [tomllib.loads(f.read_text("utf-8")) for f in rulebook_files()]

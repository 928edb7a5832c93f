"""A record of another system as a canonical one, as a mapping says: which value is which field, and what
stays under `extra`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from carelog.sources.blocks import Fault
from carelog.sources.formats._mapping import Mapping, Messages, Rule
from carelog.sources.formats._mapping_values import UnclearError, plain, to_time, to_value

_REQUIRED = ("interaction_id", "started_at", "channel")
_MISSING: Any = object()
Path = tuple[str | int, ...]


@lru_cache(maxsize=4096)
def key_of(name: str) -> str:
    """A column's name as it is compared."""
    return re.sub(r"[\s_]+", " ", name.strip("\ufeff \t\r\n'\"")).casefold()


def map_record(record: dict[str, Any], mapping: Mapping, faults: list[Fault]) -> dict[str, Any]:
    """A foreign record as a canonical one; `faults` gets a remark for each value that was not understood."""
    value: dict[str, Any] = {}
    used: set[Path] = set()
    find = _finder(record)
    for rule in mapping.rules:
        if rule.outbound and value.get("direction") == "outbound":
            rule = replace(rule, sources=rule.outbound)
        found = _fill(rule, find, mapping.decimal, used, faults, f"/{rule.field.replace('.', '/')}")
        if found is not None:
            _put(value, rule.field, found)
    messages: list[dict[str, Any]] = []
    for rules in mapping.messages:
        if not rules.only or (not messages and value.get("channel") in rules.only):
            messages += _messages(rules, record, mapping, used, faults)
    if messages:
        value["messages"] = messages
    for name in ("satisfaction", "order"):
        if set(value.get(name, ())) <= {"scale", "currency", "kind"}:
            value.pop(name, None)  # a constant scale alone says nothing
    extra = _without(record, used, ())
    if extra:
        value["extra"] = extra
    return value


def _put(value: dict[str, Any], field: str, found: Any) -> None:
    first, _, second = field.partition(".")
    if second:
        value.setdefault(first, {})[second] = found
    else:
        value[first] = found


Find = Callable[[str], tuple[Path, Any]]


def _finder(record: dict[str, Any]) -> Find:
    """A function from a name to the path and the value there (None: nothing is said)."""
    by_key = _by_key(tuple(record))

    def find(name: str) -> tuple[Path, Any]:
        known = name if name in record else by_key.get(key_of(name))
        if known is not None:
            return (known,), plain(record[known])
        path, value = look_up(record, name)
        return path, plain(value)

    return find


@lru_cache(maxsize=256)
def _by_key(names: tuple[str, ...]) -> dict[str, str]:
    # The records of a file mostly have the same names.
    return {key_of(name): name for name in reversed(names)}


def look_up(value: Any, name: str) -> tuple[Path, Any]:
    """The path and the value at `a.b.0.c` in a JSON value; None where there is none."""
    path: list[str | int] = []
    for part in name.split("."):
        if isinstance(value, dict) and part in value:
            path.append(part)
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            path.append(int(part))
            value = value[int(part)]
        else:
            return (), None
    return tuple(path), value


def _fill(rule: Rule, find: Find, decimal: str, used: set[Path], faults: list[Fault], pointer: str) -> Any:
    if rule.between:
        return _between(rule, find)
    if rule.join:
        found = _fill_joined(rule, find, decimal, used, faults, pointer)
        if found is not None:
            return found
    for name in rule.sources:
        path, raw = find(name)
        if raw is None or (rule.absent and str(raw).strip().casefold() in rule.absent):
            continue
        try:
            found, remark = to_value(raw, rule, decimal)
        except UnclearError as unclear:
            faults.append(Fault("not_understood", f"`{name}`: {unclear}; it is kept under extra", pointer))
            # Without these there is no record: what stands there is for validation to refuse.
            return str(raw) if rule.field in _REQUIRED else None
        if remark is not None:
            faults.append(Fault(remark.keyword, remark.message, pointer))
        if found is None:
            continue
        if _says_all(found, raw, rule):
            used.add(path)
        return found
    return rule.constant


def _fill_joined(
    rule: Rule, find: Find, decimal: str, used: set[Path], faults: list[Fault], pointer: str
) -> Any:
    """Several columns (a day and a clock) as one text; None where the first of them says nothing."""
    parts = [(path, raw) for path, raw in map(find, rule.join) if raw is not None]
    if find(rule.join[0])[1] is None:
        return None
    text, names = " ".join(str(raw).strip() for _, raw in parts), " ".join(rule.join)
    inner: set[Path] = set()
    alone = replace(rule, join=(), sources=(names,))
    found = _fill(alone, lambda name: ((name,), text), decimal, inner, faults, pointer)
    if inner:
        used.update(path for path, _ in parts)
    return found


def _says_all(found: Any, raw: Any, rule: Rule) -> bool:
    """Whether the source's value need not be kept beside what became of it."""
    if rule.kind == "time" or (rule.kind == "tags" and not isinstance(raw, dict)):
        return True
    if isinstance(raw, (list, dict)):
        return False
    is_replaced = bool(rule.values or rule.matches)
    return str(found).casefold() == str(raw).strip().casefold() or (rule.kind == "text" and not is_replaced)


def _between(rule: Rule, find: Find) -> float | int | None:
    moments = []
    for name in rule.between:
        raw = find(name)[1]
        try:
            text = None if raw is None else to_time(raw, rule)[0]
        except UnclearError:
            return None
        if text is None:
            return None
        moments.append(datetime.fromisoformat(text))
    try:
        seconds = (moments[1] - moments[0]).total_seconds()
    except TypeError:
        return None  # one has an offset and the other has none
    return None if seconds < 0 else int(seconds) if seconds.is_integer() else seconds


def _messages(
    rules: Messages,
    record: dict[str, Any],
    mapping: Mapping,
    used: set[Path],
    faults: list[Fault],
) -> Iterator[dict[str, Any]]:
    if not rules.each:
        message = _message(rules, _finder(record), mapping.decimal, used, faults, "/messages/0")
        if message.get("text"):
            yield message
        return
    path, items = look_up(record, rules.each)
    for number, item in enumerate(items if isinstance(items, list) else []):
        if not isinstance(item, dict):
            continue
        inner: set[Path] = set()
        message = _message(rules, _finder(item), mapping.decimal, inner, faults, f"/messages/{number}")
        used.update((*path, number, *rest) for rest in inner)
        yield {"text": "", **message}


def _message(
    rules: Messages,
    find: Find,
    decimal: str,
    used: set[Path],
    faults: list[Fault],
    pointer: str,
) -> dict[str, Any]:
    message: dict[str, Any] = {"speaker": "customer"}
    for rule in rules.rules:
        found = _fill(rule, find, decimal, used, faults, f"{pointer}/{rule.field}")
        if found is not None:
            message[rule.field] = found
    return message


def _without(value: Any, used: set[Path], path: Path) -> Any:
    """A copy of a record without the places that were used, and without what says nothing."""
    if isinstance(value, dict):
        kept = {k: _without(v, used, (*path, k)) for k, v in value.items()}
        return {k: v for k, v in kept.items() if v is not _MISSING and v is not None and v != "" and v != {}}
    if path in used:
        return _MISSING
    if isinstance(value, list):
        inner = [_without(v, used, (*path, n)) for n, v in enumerate(value)]
        rest = [v for v in inner if v is not _MISSING]
        return rest if any(v not in ({}, None, "") for v in rest) else None
    return value

"""A mapping file (TOML) says what the columns of a table, or the places in a JSON record, mean.

    name = "shop-desk"                      # becomes source.system
    [layout]                                # only where the file needs it
    columns = ["id", "when", "who"]         # of a table that has no header
    header = "Ticket No"                    # a column of the header row; the lines before it are skipped
    delimiter = ";"
    encoding = "windows-874"
    footer = "^(Total|Copyright)"           # rows to leave out, as a regular expression
    records = "results.items"               # JSON: where the list of records stands
    [times]
    zone = "Asia/Kolkata"                   # of times that carry no offset; before --tz
    order = "dmy"                           # or mdy, ymd: how days are written
    formats = ["%d %b %Y %H:%M"]            # as strptime; ISO 8601 and Unix times need none
    [numbers]
    decimal = ","                           # default "."
    [constants]
    channel = "email"
    [fields]
    interaction_id = "Ticket ID"
    subject = ["Subject", "Title"]          # the first that is there
    status = { from = "State", values = { Open = "open", Done = "closed" }, otherwise = "unknown" }
    handle_seconds = { from = "Worked", unit = "min" }      # s, ms, min, h, hms (HH:MM:SS), hm (HH:MM)
    first_response_seconds = { between = ["Created", "First reply"] }
    ended_at = { join = ["End date", "End time"] }          # several columns as one text
    category = { from = "Note", matches = { "refund|money back" = "refund" } }  # regular expressions
    agent_id = { from = "Owner", absent = ["Nobody"] }
    direction = { from = "Way", values = { In = "inbound", Out = "outbound" } }
    customer_id = { from = "Caller", outbound = "Called" }
    tags = { from = "Labels", split = ";" }
    notes = { from = "Description", html = true }
    "satisfaction.score" = { from = "Rating", values = { Good = 5, Bad = 1 } }
    [[messages]]
    each = "comments"                       # JSON: a list of messages; without it, one message a record
    speaker = { from = "author.role", values = { end-user = "customer" }, otherwise = "agent" }
    text = "body"
    at = "created_at"
    # only = ["chat"]                       # just in chats, and where there is no message yet

Columns are found whatever their capitals, spaces and underscores; places in JSON are written with dots. What
is not named goes under `extra`. The shipped presets (folder `presets`) are such files with a `[detect]`.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from carelog.columns import DURATIONS, RECORD_FIELDS, TIMES
from carelog.errors import UsageProblem
from carelog.sources.clocks import load_zone
from carelog.sources.formats._charsets import find_codec

UNITS = ("s", "ms", "min", "h", "hms", "hm")
ORDERS = ("dmy", "mdy", "ymd")
_PARTS = {
    "satisfaction": ("scale", "score"),
    "order": ("order_id", "kind", "amount", "currency"),
}
FIELDS = frozenset(
    {*RECORD_FIELDS, *(f"{name}.{part}" for name, parts in _PARTS.items() for part in parts)}
    - {"messages", "source", "extra", "satisfaction", "order"}
)
"""What a mapping can fill, besides messages."""
MESSAGE_FIELDS = frozenset({"speaker", "text", "at", "message_id"})
_TOP = {"name", "title", "detect", "layout", "times", "numbers", "constants", "fields", "messages"}
_LAYOUT = {"columns", "header", "delimiter", "encoding", "footer", "records"}
_RULE = {
    "from", "values", "otherwise", "unit", "between", "split", "html", "zone", "order", "format", "constant",
    "absent", "outbound", "join", "matches",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field is filled: from the first of `sources` that says something, else `constant`.

    `kind` is what the text is read as (`time`, `seconds`, `number`, `money`, `tags`, `text`). `values`
    replaces texts (compared without capitals), `matches` those in which an expression is found, `otherwise`
    the others. `between` are two times whose distance in seconds is meant, `join` columns that are one text
    together. `absent` are texts that stand for nothing, `outbound` the sources where `direction` (which must
    come first) is outbound.
    """

    field: str
    kind: str
    sources: tuple[str, ...] = ()
    constant: Any = None
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    otherwise: Any = None
    unit: str = ""
    between: tuple[str, ...] = ()
    split: str = ""
    html: bool = False
    zone: str | None = None
    order: str = ""
    formats: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset()
    outbound: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    matches: tuple[tuple[re.Pattern[str], Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Messages:
    """How messages are filled: one a record, or one for each element of the list at `each`.

    With `only`, just in records of these channels that have no message yet.
    """

    rules: tuple[Rule, ...]
    each: str = ""
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How the file is laid out, as the module's text describes."""

    columns: tuple[str, ...] = ()
    header: str = ""
    delimiter: str = ""
    encoding: str = ""
    footer: str = ""
    records: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping file, checked. `needs` are the columns by which a preset knows its files."""

    name: str
    title: str
    rules: tuple[Rule, ...]
    messages: tuple[Messages, ...] = ()
    layout: Layout = Layout()
    decimal: str = "."
    needs: tuple[tuple[str, ...], ...] = ()

    def with_order(self, order: str | None) -> Mapping:
        """The mapping where days that do not say their order are written in this one."""
        if order is None:
            return self
        inner = tuple(replace(m, rules=_ordered(m.rules, order)) for m in self.messages)
        return replace(self, rules=_ordered(self.rules, order), messages=inner)

    def sources(self) -> set[str]:
        """The columns that the mapping names."""
        rules = [*self.rules, *(rule for m in self.messages if not m.each for rule in m.rules)]
        return {name for rule in rules for name in (*rule.sources, *rule.between, *rule.outbound, *rule.join)}


def _ordered(rules: tuple[Rule, ...], order: str) -> tuple[Rule, ...]:
    return tuple(replace(rule, order=rule.order or order) for rule in rules)


def preset_names() -> list[str]:
    """The names of the shipped mappings, sorted."""
    return sorted(f.name.removesuffix(".toml") for f in _folder().iterdir() if f.name.endswith(".toml"))


@cache
def load_preset(name: str) -> Mapping:
    """The shipped mapping of that name."""
    file = _folder() / f"{name}.toml"
    return parse_mapping(file.read_bytes(), file.name)


def _folder() -> Any:
    return files("carelog.sources.formats") / "presets"


def parse_mapping(raw: bytes, file: str) -> Mapping:
    """The mapping in a TOML text. UsageProblem names the file and the key that is wrong."""
    try:
        value = tomllib.loads(raw.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProblem(f"{file}: this is no mapping file: {error}") from None
    try:
        return _to_mapping(value)
    except _WrongError as wrong:
        raise UsageProblem(f"{file}: {wrong}", "README shows a whole mapping file") from None


class _WrongError(Exception):
    """What is wrong with a mapping, in words."""


def _to_mapping(value: dict[str, Any]) -> Mapping:
    _only(value, _TOP, "the file")
    times = _table(value, "times")
    _only(times, {"zone", "order", "formats"}, "[times]")
    numbers = _table(value, "numbers")
    _only(numbers, {"decimal"}, "[numbers]")
    rules = _to_rules(value, times)
    if not rules:
        raise _WrongError("[fields] is missing: it says which column is which field")
    name = _text(value, "name") or "mapped"
    detect = _table(value, "detect")
    _only(detect, {"columns"}, "[detect]")
    decimal = _text(numbers, "decimal") or "."
    if decimal not in (".", ","):
        raise _WrongError(f'numbers.decimal is "." or ",", not {decimal!r}')
    return Mapping(
        name,
        _text(value, "title") or name,
        rules,
        tuple(_to_messages(inner, times) for inner in _list(value, "messages")),
        _to_layout(_table(value, "layout")),
        decimal,
        tuple(_names(inner) for inner in _list(detect, "columns")),
    )


def _to_rules(value: dict[str, Any], times: dict[str, Any]) -> tuple[Rule, ...]:
    rules = []
    for field, constant in _table(value, "constants").items():
        rules.append(_to_rule(field, {"constant": constant}, times, FIELDS))
    for field, rule in _flatten(_table(value, "fields")).items():
        if any(field == other.field for other in rules):
            raise _WrongError(f"`{field}` is both a constant and a field")
        rules.append(_to_rule(field, rule, times, FIELDS))
    return tuple(rules)


def _flatten(fields: dict[str, Any]) -> dict[str, Any]:
    # satisfaction.score = … without quotes is a nested table for TOML.
    flat = {}
    for name, rule in fields.items():
        if name in _PARTS and isinstance(rule, dict) and not set(rule) & _RULE:
            flat.update({f"{name}.{part}": inner for part, inner in rule.items()})
        else:
            flat[name] = rule
    return flat


def _to_rule(field: str, value: Any, times: dict[str, Any], allowed: Iterable[str]) -> Rule:
    if field not in allowed:
        raise _WrongError(f"`{field}` is no field that can be filled")
    if not isinstance(value, dict):
        value = {"from": value}
    _only(value, _RULE, f"`{field}`")
    unit, order = _text(value, "unit"), _text(value, "order") or _text(times, "order")
    if unit and unit not in UNITS:
        raise _WrongError(f"`{field}`: the unit is one of {', '.join(UNITS)}, not {unit!r}")
    if order and order not in ORDERS:
        raise _WrongError(f"`{field}`: the order of a date is one of {', '.join(ORDERS)}, not {order!r}")
    between = _names(value.get("between", ()))
    if len(between) not in (0, 2):
        raise _WrongError(f"`{field}`: between takes two columns")
    if not ({"from", "between", "join", "constant"} & set(value)):
        raise _WrongError(f"`{field}` says neither from, nor join, nor between, nor constant")
    formats = _names(value["format"] if "format" in value else times.get("formats", ()))
    for format_ in formats:
        _check_format(field, format_)
    return Rule(
        field, _kind_of(field), _names(value.get("from", ())), value.get("constant"),
        {str(k).strip().casefold(): v for k, v in _table(value, "values").items()},
        value.get("otherwise"), unit, between, _text(value, "split"), value.get("html") is True,
        _zone(value, field) or _zone(times, "times"), order, formats,
        frozenset(name.strip().casefold() for name in _names(value.get("absent", ()))),
        _names(value.get("outbound", ())), _names(value.get("join", ())), _to_matches(value, field),
    )  # fmt: skip


def _to_matches(value: dict[str, Any], field: str) -> tuple[tuple[re.Pattern[str], Any], ...]:
    found = []
    for pattern, meaning in _table(value, "matches").items():
        try:
            found.append((re.compile(pattern, re.IGNORECASE), meaning))
        except re.error as error:
            raise _WrongError(f"`{field}`: {pattern!r} is no regular expression: {error}") from None
    return tuple(found)


def _check_format(field: str, format_: str) -> None:
    try:
        datetime.strptime(datetime(2026, 1, 2).strftime(format_), format_)
    except ValueError:
        raise _WrongError(f"`{field}`: {format_!r} is no clock format, such as %d.%m.%Y %H:%M") from None


def _kind_of(field: str) -> str:
    if field in (*TIMES, "at"):
        return "time"
    if field in DURATIONS:
        return "seconds"
    return {"satisfaction.score": "number", "order.amount": "money", "tags": "tags"}.get(field, "text")


def _to_messages(value: Any, times: dict[str, Any]) -> Messages:
    if not isinstance(value, dict):
        raise _WrongError("[[messages]] is a table")
    _only(value, {*MESSAGE_FIELDS, "each", "only"}, "[[messages]]")
    if "text" not in value:
        raise _WrongError("[[messages]] does not say where the text is")
    rules = []
    for field, rule in value.items():
        if field in ("each", "only"):
            continue
        if field == "speaker" and rule in ("customer", "agent", "bot", "system"):
            rule = {"constant": rule}
        rules.append(_to_rule(field, rule, times, MESSAGE_FIELDS))
    return Messages(tuple(rules), _text(value, "each"), _names(value.get("only", ())))


def _to_layout(value: dict[str, Any]) -> Layout:
    _only(value, _LAYOUT, "[layout]")
    encoding = find_codec(_text(value, "encoding"))
    if encoding is None and _text(value, "encoding"):
        raise _WrongError("layout.encoding is no encoding that is known")
    try:
        re.compile(_text(value, "footer"))
    except re.error:
        raise _WrongError("layout.footer is no regular expression") from None
    delimiter = _text(value, "delimiter")
    if len(delimiter) > 1:
        raise _WrongError("layout.delimiter is one character")
    return Layout(
        _names(value.get("columns", ())), _text(value, "header"), delimiter, encoding or "",
        _text(value, "footer"), _text(value, "records"),
    )  # fmt: skip


def _only(value: dict[str, Any], allowed: Iterable[str], place: str) -> None:
    strange = sorted(set(value) - set(allowed))
    if strange:
        raise _WrongError(
            f"{place} has `{strange[0]}`, which means nothing; known: {', '.join(sorted(allowed))}"
        )


def _table(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key, {})
    if not isinstance(found, dict):
        raise _WrongError(f"{key} is a table")
    return found


def _list(value: dict[str, Any], key: str) -> list[Any]:
    found = value.get(key, [])
    if not isinstance(found, list):
        raise _WrongError(f"{key} is a list")
    return found


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key, "")
    if not isinstance(found, str):
        raise _WrongError(f"{key} is a text")
    return found


def _names(value: Any) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, (list, tuple)) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise _WrongError("a column is named by a text, or several by a list of texts")
    return names


def _zone(value: dict[str, Any], place: str) -> str | None:
    name = _text(value, "zone")
    if not name:
        return None
    try:
        load_zone(name)
    except (KeyError, ValueError, OSError):
        raise _WrongError(f"{place}: {name!r} is no time zone, such as Asia/Kolkata") from None
    return name

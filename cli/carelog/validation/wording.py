"""What a schema found wrong, in the words of people who answer customers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from carelog.findings import show_value

FREE_TEXT = frozenset({"subject", "category", "notes", "text", "tags", "extra", "messages", "raw"})
"""Fields that may hold a customer's words: their fault is named, their value never shown."""

_TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object (fields in braces)",
    "null": "null",
}
_LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?")
_LEAP_SECOND = re.compile(r"[0-9-]{10}[Tt][0-9]{2}:[0-9]{2}:60")
_DATE = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([Tt ][0-9:.,Zz+ -]*)?\s?")
_PERSONAL = re.compile(r"\s|@|[0-9]{7}|[^\W\d_a-zA-Z]")
_VAST = 10**9
_ZONE_EXAMPLE = "--tz Asia/Bangkok"
_TIME_EXAMPLE = "2026-03-10T09:15:00+05:30"
_PATTERN_WORDS = {
    "language": "it must be a language tag such as en, hi-IN or fil",
    "currency": "it must be a currency code of three capital letters, such as INR",
    "amount": 'it must be a decimal number as text, such as "1499.00", without thousands marks',
}


def to_pointer(path: Iterable[str | int]) -> str:
    """A path into a record as a JSON Pointer (RFC 6901); names of more than 100 characters are cut."""
    return "".join(f"/{_cut_name(p).replace('~', '~0').replace('/', '~1')}" for p in path)


def _cut_name(part: str | int) -> str:
    name = str(part)
    return name if len(name) <= 100 else name[:99] + "…"


def to_field(path: Iterable[str | int]) -> str:
    """A path as people write it: `messages[2].at`; "the record" for the whole of it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{show_value(part, quote=False)}"
    return f"`{text.removeprefix('.')}`" if text else "the record"


def error_place(error: Any) -> tuple[str | int, ...]:
    """Where the error is in the record; for a missing field the place where it ought to be."""
    place: tuple[str | int, ...] = tuple(error.absolute_path)
    missing = missing_field(error)
    return place if missing is None else (*place, missing)


def missing_field(error: Any) -> str | None:
    """The field whose absence a `required` error is about."""
    if error.validator != "required":
        return None
    # jsonschema gives one error per missing field and its name only inside the message.
    return next((n for n in error.validator_value if error.message.startswith(f"{n!r} ")), None)


def explain(error: Any, record: Any) -> str:
    """One sentence for one error of `jsonschema` about `record`."""
    words = _WORDS.get(error.validator, _explain_other)
    return words(error, to_field(error_place(error)), record)


def _explain_required(error: Any, field: str, record: Any) -> str:
    return f"{field} is missing"


def _explain_type(error: Any, field: str, record: Any) -> str:
    allowed = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    wanted = " or ".join(_TYPES.get(t, t) for t in allowed)
    if error.instance is None:
        return f"{field} is null; it must be {wanted}, or left out where it is not known"
    return f"{field} is {_type_of(error.instance)}; it must be {wanted}"


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    kinds = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return _TYPES[kinds.get(type(value), "null")]


def _explain_enum(error: Any, field: str, record: Any) -> str:
    allowed = ", ".join("null" if v is None else str(v) for v in error.validator_value)
    return f"{_is(field, error)}{_for_scale(error, record)} it must be one of {allowed}"


def _explain_range(error: Any, field: str, record: Any) -> str:
    low, high = error.schema.get("minimum"), error.schema.get("maximum")
    # A bound that only keeps the number storable is worth a word only where it is what failed.
    if high is None or (high >= _VAST and error.validator == "minimum"):
        span = f"{low} or more"
    else:
        span = f"{high} or less" if low is None or high >= _VAST else f"{low} to {high}"
    return f"{_is(field, error)}{_for_scale(error, record)} it must be {span}"


def _for_scale(error: Any, record: Any) -> str:
    if tuple(error.absolute_path)[-2:] != ("satisfaction", "score"):
        return ";"
    return f"; for scale `{record['satisfaction']['scale']}`"


def _explain_time(error: Any, field: str, record: Any) -> str:
    text = error.instance
    if _LOCAL_TIME.fullmatch(text):
        write = f"write it like {_TIME_EXAMPLE} or with Z"
        return f"{_is(field, error)}; it lacks the offset from UTC: {write}, or say the zone: {_ZONE_EXAMPLE}"
    if _LEAP_SECOND.match(text):
        return f"{_is(field, error)}; a leap second cannot be kept: write second 59"
    if re.fullmatch(error_pattern(error), text):
        return f"{_is(field, error)}; there is no such day"
    return f"{_is(field, error)}; it must be a date, T, a time and an offset from UTC, like {_TIME_EXAMPLE}"


def error_pattern(error: Any) -> str:
    """The pattern beside the keyword that failed; one that matches nothing where there is none."""
    return str(error.schema.get("pattern", r"(?!)")).removesuffix("$")


def _explain_pattern(error: Any, field: str, record: Any) -> str:
    name = _last_name(error)
    if error.schema.get("format") == "date-time":
        return _explain_time(error, field, record)
    if not error.instance.strip("".join(map(chr, range(33)))):
        return f"{field} is blank"
    return f"{_is(field, error)}; {_PATTERN_WORDS.get(name, 'it does not have the form that it must have')}"


def _explain_empty(error: Any, field: str, record: Any) -> str:
    return f"{field} is empty" if error.validator_value == 1 else f"{field} has too few entries"


def _explain_length(error: Any, field: str, record: Any) -> str:
    return f"{field} is longer than {error.validator_value} characters"


def _explain_stranger(error: Any, field: str, record: Any) -> str:
    known = error.schema.get("properties", {})
    names = sorted(n for n in error.instance if n not in known)
    shown = ", ".join(f"`{show_value(n, quote=False)}`" for n in names[:5])
    return f"{field} has fields that it may not have: {shown}"


def _explain_choice(error: Any, field: str, record: Any) -> str:
    described = error.schema.get("description")
    return str(described) if described else f"{field} has none of the forms that it may have"


def _explain_const(error: Any, field: str, record: Any) -> str:
    return f"{_is(field, error)}; it must be {show_value(error.validator_value, quote=False)}"


def _explain_other(error: Any, field: str, record: Any) -> str:
    return f"{field} breaks the rule `{error.validator}` of the schema"


def _is(field: str, error: Any) -> str:
    """Field and value; a value that may be a customer's words, address or number is not shown."""
    if any(part in FREE_TEXT for part in error.absolute_path if part != "messages"):
        return f"the value of {field} is not allowed"
    if isinstance(error.instance, str) and not _is_code(error.instance):
        return f"the value of {field} is not allowed"
    return f"{field} is {show_value(error.instance)}"


def _is_code(text: str) -> bool:
    """Whether a text can be shown: a date or one plain word. In a slipped column anything may stand."""
    return bool(_DATE.fullmatch(text)) or not _PERSONAL.search(text)


def _last_name(error: Any) -> str:
    return next((p for p in reversed(error.absolute_path) if isinstance(p, str)), "")


_Words = Callable[[Any, str, Any], str]
_WORDS: dict[str, _Words] = {
    "required": _explain_required,
    "type": _explain_type,
    "enum": _explain_enum,
    "const": _explain_const,
    "minimum": _explain_range,
    "maximum": _explain_range,
    "format": _explain_time,
    "pattern": _explain_pattern,
    "minItems": _explain_empty,
    "minProperties": _explain_empty,
    "minLength": _explain_empty,
    "maxLength": _explain_length,
    "additionalProperties": _explain_stranger,
    "anyOf": _explain_choice,
    "oneOf": _explain_choice,
}

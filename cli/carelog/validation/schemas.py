"""The packaged schemas, compiled for both validators: the fast one clears, the thorough one explains."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urljoin

import jsonschema
import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from carelog.labels import CHANNELS
from carelog.resources import load_schema, schema_names

Schema = dict[str, Any]
Verdict = Callable[[Any], bool]

ANY_CHANNEL = "interaction"
"""The schema of records whose channel is missing or unknown."""

_NOT_INLINED = ("$ref", "$defs", "$schema", "$id", "title", "examples")
_OPEN_OBJECTS = ("message", "satisfaction", "order", "source")


@dataclass(frozen=True, slots=True)
class CompiledSchemas:
    """What validation needs, by schema name (`interaction` and one per channel).

    `is_valid[name](value)` is the schema's verdict. `is_tidy[name](value)` is true only if, besides, no
    object holds a field that the schemas do not name: true for nearly every record, and then nothing more
    has to be looked at. `explain[name]` finds everything that is wrong.
    """

    is_valid: dict[str, Verdict]
    is_tidy: dict[str, Verdict]
    explain: dict[str, Any]


@cache
def compile_schemas() -> CompiledSchemas:
    """The compiled schemas; made once per process."""
    names = (ANY_CHANNEL, *CHANNELS)
    packaged = {name: load_schema(name) for name in names}
    tidy = {**packaged, ANY_CHANNEL: _without_strangers(packaged[ANY_CHANNEL])}
    return CompiledSchemas(
        is_valid={name: fast_validator(packaged[name], packaged).is_valid for name in names},
        is_tidy={name: fast_validator(tidy[name], tidy).is_valid for name in names},
        explain={name: quick_explainer(packaged[name], packaged) for name in names},
    )


def fast_validator(schema: Schema, others: dict[str, Schema]) -> Any:
    """jsonschema-rs for one schema: formats asserted, references resolved among `others` and nowhere else."""
    registry = jsonschema_rs.Registry([(s["$id"], s) for s in others.values()])
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, registry=registry, offline=True)


def thorough_validator(schema: Schema, part: str = "") -> Any:
    """jsonschema for one schema, or for the `part` of it at that JSON Pointer.

    Formats are asserted; references are resolved among the packaged schemas and nowhere else.
    """
    if "date-time" not in jsonschema.FormatChecker.checkers:
        # Without rfc3339-validator jsonschema lets every date-time pass and says nothing.
        raise RuntimeError("the package rfc3339-validator is missing: install it")
    registry = _registry().with_resource(schema["$id"], _to_resource(schema))
    formats = jsonschema.FormatChecker(["date-time"])
    return _Explaining({"$ref": f"{schema['$id']}#{part}"}, registry=registry, format_checker=formats)


def quick_explainer(schema: Schema, others: dict[str, Schema]) -> Any:
    """As `thorough_validator`, many times faster: a field that jsonschema-rs clears is not looked into.

    A file in which every record has the same fault is nothing rare. A test holds that nothing gets lost.
    """
    by_id = {s["$id"]: s for s in others.values()}
    formats = jsonschema.FormatChecker(["date-time"])
    return _Skipping(_inlined(schema, schema, by_id), format_checker=formats)


def _inlined(part: Any, home: Schema, by_id: dict[str, Schema]) -> Any:
    """A part of the schema `home` with every reference replaced by what it refers to."""
    if isinstance(part, list):
        return [_inlined(inner, home, by_id) for inner in part]
    if not isinstance(part, dict):
        return part
    kept = {k: _inlined(v, home, by_id) for k, v in part.items() if k not in _NOT_INLINED}
    if "$ref" not in part:
        return kept
    uri, _, pointer = urljoin(home["$id"], part["$ref"]).partition("#")
    target: Any = by_id[uri]
    for step in pointer.split("/")[1:]:
        target = target[step]
    return {**_inlined(target, by_id[uri], by_id), **kept}


@cache
def _registry() -> Registry[Any]:
    schemas = [load_schema(name) for name in schema_names()]
    return Registry().with_resources([(s["$id"], _to_resource(s)) for s in schemas])


def _to_resource(schema: Schema) -> Resource[Any]:
    # At a `$schema` jsonschema goes on with its own class for that draft, without our way with patterns.
    return DRAFT202012.create_resource({k: v for k, v in schema.items() if k != "$schema"})


def _without_strangers(schema: Schema) -> Schema:
    closed = deepcopy(schema)
    closed["additionalProperties"] = False
    for name in _OPEN_OBJECTS:
        closed["$defs"][name]["additionalProperties"] = False
    return closed


@cache
def _ecma(pattern: str) -> re.Pattern[str]:
    # In a schema `$` is the end of the text; Python's `$` also lets a last newline pass.
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))


def _check_pattern(validator: Any, pattern: str, instance: Any, schema: Schema) -> Iterator[Any]:
    if isinstance(instance, str) and not _ecma(pattern).search(instance):
        yield jsonschema.ValidationError("does not match the pattern")


def _check_properties(
    validator: Any, properties: dict[str, Schema], instance: Any, schema: Schema
) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for name, part in properties.items():
        if name in instance and not _clears(part, instance[name]):
            yield from validator.descend(instance[name], part, path=name, schema_path=name)


def _clears(part: Schema, value: Any) -> bool:
    verdict = _VERDICTS.get(id(part))
    if verdict is None:
        # The part is kept beside its verdict, so that its id stays its own.
        fast = jsonschema_rs.Draft202012Validator(part, validate_formats=True)
        verdict = _VERDICTS[id(part)] = (fast.is_valid, part)
    return verdict[0](value)


_VERDICTS: dict[int, tuple[Verdict, Schema]] = {}
_Explaining = extend(Draft202012Validator, {"pattern": _check_pattern})
_Skipping = extend(_Explaining, {"properties": _check_properties})

"""Whether the packaged schemas are sound themselves, and which of them an instance is meant for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing.exceptions import Unresolvable

from carelog.findings import visible
from carelog.labels import CHANNELS
from carelog.resources import load_schema
from carelog.validation.rules import Remark
from carelog.validation.schemas import Schema, thorough_validator
from carelog.validation.wording import error_place, explain, to_pointer

_REFERRED = "interaction"
_REQUIRED_WORDS = ("title", "description", "examples")


def check_schema(name: str) -> Iterator[str]:
    """What is wrong with the packaged schema of that name: form, words, examples, references."""
    schema = load_schema(name)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield f"at {to_pointer(error.absolute_path) or 'the root'}: not JSON Schema 2020-12"
        return
    if not schema["$id"].endswith(f"/{name}.schema.json"):
        yield "its $id does not end in its file name"
    for path, part in find_parts(schema):
        for word in _REQUIRED_WORDS:
            if word not in part:
                yield f"{path or 'the root'} has no {word}"
        yield from _check_examples(schema, path, part)


def _check_examples(schema: Schema, path: str, part: Schema) -> Iterator[str]:
    validator = thorough_validator(schema, path)
    try:
        if not all(validator.is_valid(example) for example in part.get("examples", [])):
            yield f"{path or 'the root'} has an example that is not valid"
    except Unresolvable:
        yield f"{path or 'the root'} refers to something that is not there"


def find_parts(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """The schema itself, its definitions, and every field, each with its JSON Pointer."""
    yield path, schema
    for container in ("$defs", "properties"):
        for name, part in schema.get(container, {}).items():
            yield from find_parts(part, path + to_pointer([container, name]))
    items = schema.get("items")
    if isinstance(items, dict) and set(items) != {"$ref"}:
        yield from find_parts(items, f"{path}/items")


def bundle_schema(schema: Schema) -> Schema:
    """The schema with the one that it refers to among its `$defs`, under its own `$id`."""
    if f'"{_REFERRED}.schema.json' not in json.dumps(schema):
        return schema
    return {**schema, "$defs": {**schema.get("$defs", {}), _REFERRED: load_schema(_REFERRED)}}


def check_instance(name: str, value: Any) -> Iterator[Remark]:
    """Everything that the packaged schema of that name finds wrong with any JSON value."""
    for error in thorough_validator(load_schema(name)).iter_errors(value):
        yield Remark(error_place(error), str(error.validator), visible(explain(error, value)))


def guess_schema(value: Any) -> str:
    """The schema that a value is most likely meant for, by its field names; `interaction` where nothing
    tells.
    """
    if not isinstance(value, dict):
        return "interaction"
    for name, fields in _TELLING.items():
        if fields <= value.keys():
            return name
    channel = value.get("channel")
    return channel if channel in CHANNELS else "interaction"


_TELLING = {
    "rejects": {"raw", "errors"},
    "labelled": {"interaction_id", "orientation"},
    "summary": {"metrics", "counts"},
    "rulebook": {"rulebook"},
}

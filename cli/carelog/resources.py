"""What ships inside the package: schemas, rulebooks, sample logs. Works the same from a wheel and from an editable install."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any


def schema_names() -> list[str]:
    """Names of the packaged JSON Schemas, sorted: `interaction`, `phone`, …"""
    suffix = ".schema.json"
    return sorted(f.name.removesuffix(suffix) for f in files("carelog.schemas").iterdir() if f.name.endswith(suffix))


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The packaged JSON Schema of that name; KeyError if there is none. Callers must not change it."""
    file = files("carelog.schemas") / f"{name}.schema.json"
    if not file.is_file():
        raise KeyError(name)
    schema: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return schema


def rulebook_files() -> list[Traversable]:
    """The packaged rulebooks, sorted by name."""
    return sorted((f for f in files("carelog.rulebooks").iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)


def rulebook_resource(name: str) -> Traversable:
    """A file that ships beside the rulebooks, such as the learned weights."""
    return files("carelog.rulebooks") / name

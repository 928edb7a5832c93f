"""Instances that each schema must let pass and must refuse, collected by walking: a new file is a new test.

The name of an invalid instance begins with the keyword that must be found wrong: `maximum-nps_11.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from carelog.resources import load_schema, schema_names
from carelog.validation.schemas import fast_validator, thorough_validator

HERE = Path(__file__).parent


def instances(kind: str) -> list[Any]:
    files = sorted(HERE.glob(f"*/{kind}/*.json"))
    return [pytest.param(f.parts[-3], f, id=f"{f.parts[-3]}/{f.stem}") for f in files]


def both_validators(name: str) -> tuple[Any, Any]:
    packaged = {n: load_schema(n) for n in schema_names()}
    return fast_validator(packaged[name], packaged), thorough_validator(packaged[name])


@pytest.mark.parametrize(("schema", "file"), instances("valid"))
def test_a_valid_instance_passes_both_validators(schema: str, file: Path) -> None:
    instance = json.loads(file.read_text("utf-8"))
    fast, thorough = both_validators(schema)
    assert [e.message for e in thorough.iter_errors(instance)] == []
    assert fast.is_valid(instance)


@pytest.mark.parametrize(("schema", "file"), instances("invalid"))
def test_an_invalid_instance_is_refused_for_its_own_reason(schema: str, file: Path) -> None:
    instance = json.loads(file.read_text("utf-8"))
    fast, thorough = both_validators(schema)
    assert file.stem.split("-")[0] in {e.validator for e in thorough.iter_errors(instance)}
    assert not fast.is_valid(instance)


@pytest.mark.parametrize("name", schema_names())
def test_every_schema_has_instances_of_both_kinds(name: str) -> None:
    assert list(HERE.glob(f"{name}/valid/*.json"))
    assert len(list(HERE.glob(f"{name}/invalid/*.json"))) >= 3

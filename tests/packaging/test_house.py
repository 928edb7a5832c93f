"""The house stands as it was drawn: rooms import only from lower floors, and everything that runs is shipped."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cli" / "carelog"

FLOORS = {
    "errors": 0,
    "findings": 0,
    "labels": 1,
    "columns": 1,
    "resources": 1,
    "settings": 1,
    "sources": 2,
    "validation": 3,
    "classification": 3,
    "privacy": 3,
    "store": 4,
    "summary": 5,
    "reports": 6,
    "engines": 7,
    "commands": 8,
    "app": 9,
}
"""A new room has no floor, and so fails here, until it is given one."""

DATA_ONLY = {"rulebooks"}


def rooms() -> set[str]:
    names = {p.stem for p in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    return names - {"__init__"} - DATA_ONLY


def imported_rooms(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "carelog":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {a.name for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("carelog.")}
    return found - {"__version__"}


def test_every_room_has_a_floor() -> None:
    assert rooms() == set(FLOORS)


@pytest.mark.parametrize("room", sorted(FLOORS))
def test_a_room_imports_only_from_lower_floors(room: str) -> None:
    files = (
        [PACKAGE / f"{room}.py"]
        if (PACKAGE / f"{room}.py").exists()
        else sorted((PACKAGE / room).rglob("*.py"))
    )
    assert files
    too_high = {
        f"{file.relative_to(PACKAGE)} imports {other}"
        for file in files
        for other in imported_rooms(file)
        if other != room and other in FLOORS and FLOORS[other] >= FLOORS[room]
    }
    assert too_high == set() or (room == "store" and too_high <= {"atomic.py imports sources"})


def test_only_commands_speak_click_and_tqdm() -> None:
    speakers = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {n.split(".")[0] for n in names} & {"click", "tqdm"}:
                speakers.add(file.relative_to(PACKAGE).parts[0])
    assert speakers <= {"commands", "app.py"}


def test_the_list_of_packages_is_the_tree() -> None:
    listed = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    )
    tree = {".".join(p.parent.relative_to(ROOT / "cli").parts) for p in PACKAGE.rglob("__init__.py")}
    assert listed == tree | {"carelog.schemas", "carelog.sample_logs"}


def test_top_level_holds_what_was_agreed() -> None:
    agreed = {
        "pyproject.toml",
        "README.md",
        "Makefile",
        "CHANGELOG.md",
        "LICENSE",
        "cli",
        "schemas",
        "sample_logs",
        "tests",
    }
    assert agreed <= {p.name for p in ROOT.iterdir()}

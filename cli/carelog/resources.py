"""What ships inside the package: schemas, rulebooks, sample logs. Works the same from a wheel and from an editable install."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any


def schema_names() -> list[str]:
    """Names of the packaged JSON Schemas, sorted: `interaction`, `phone`, …"""
    suffix = ".schema.json"
    return sorted(
        f.name.removesuffix(suffix) for f in files("carelog.schemas").iterdir() if f.name.endswith(suffix)
    )


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
    return sorted(
        (f for f in files("carelog.rulebooks").iterdir() if f.name.endswith(".toml")), key=lambda f: f.name
    )


def rulebook_resource(name: str) -> Traversable:
    """A file that ships beside the rulebooks, such as the learned weights."""
    return files("carelog.rulebooks") / name


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "carelog"


def is_cached(key: str) -> bool:
    """Whether something lies under `key` in the private cache."""
    try:
        return (_cache_folder() / key).is_file()
    except OSError:
        return False


def cached_bytes(key: str, make: Callable[[], bytes]) -> bytes:
    """What `make` returns, kept under `key` in the user's private cache (0700) so that the next run need not make it.

    A cache that cannot be read or written, or that belongs to somebody else, is passed over without a word.
    """
    folder = _cache_folder()
    file = folder / key
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = folder.stat().st_uid == os.getuid() and folder.stat().st_mode & 0o077 == 0
        if private and file.is_file():
            return file.read_bytes()
    except OSError:
        private = False
    content = make()
    if private:
        with suppress(OSError), NamedTemporaryFile(dir=folder, delete=False) as draft:
            draft.write(content)
            draft.close()
            os.replace(draft.name, file)  # noqa: PTH105
    return content

"""What ships inside the package: schemas, rulebooks, sample logs. Works the same from a wheel and from an editable install."""

from __future__ import annotations

import json
import os
import time
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


def read_cached(key: str) -> bytes | None:
    """What lies under `key` in the user's private cache (0700); None where nothing does, or the folder is somebody else's."""
    file = _cache_folder() / key
    try:
        if not _is_private(file.parent) or not file.is_file():
            return None
        content = file.read_bytes()
    except OSError:
        return None
    with suppress(OSError):
        os.utime(file)  # what is used stays longest
    return content


def forget_cached(key: str) -> None:
    """Delete what lies under `key` in the private cache."""
    with suppress(OSError):
        (_cache_folder() / key).unlink(missing_ok=True)


def _is_private(folder: Path) -> bool:
    found = folder.stat()
    return found.st_uid == os.getuid() and found.st_mode & 0o077 == 0


def cached_bytes(key: str, make: Callable[[], bytes]) -> bytes:
    """What `make` returns, kept under `key` in the private cache so that the next run need not make it.

    A cache that cannot be read or written, or that belongs to somebody else, is passed over without a word. The files that
    were used last stay, KEPT_FILES of them and up to KEPT_BYTES together.
    """
    kept = read_cached(key)
    if kept is not None:
        return kept
    content = make()
    folder = _cache_folder()
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_private(folder):
            _write(folder / key, content)
            _forget_oldest(folder, folder / key)
    return content


def _write(file: Path, content: bytes) -> None:
    with NamedTemporaryFile(dir=file.parent, prefix=_DRAFT, delete=False) as draft:
        draft.write(content)
        draft.close()
        os.replace(draft.name, file)  # noqa: PTH105


_DRAFT = "draft-"
KEPT_FILES = 32
KEPT_BYTES = 200_000_000
_LONGEST_DRAFT = 3600.0
"""Seconds after which a draft is one that a run left behind when it was ended."""


def _forget_oldest(folder: Path, newest: Path) -> None:
    """Delete what was not used for longest. Another run that had opened it still reads it, or makes it anew."""
    found = [(file, file.stat()) for file in folder.iterdir() if file.is_file()]
    files = sorted(((s.st_mtime, f.name, f, s.st_size) for f, s in found if f != newest), reverse=True)
    now = time.time()
    count, size = 1, newest.stat().st_size
    for used, name, file, length in files:
        if name.startswith(_DRAFT):
            old = now - used > _LONGEST_DRAFT
        else:
            count, size = count + 1, size + length
            old = count > KEPT_FILES or size > KEPT_BYTES
        if old:
            with suppress(OSError):
                file.unlink()

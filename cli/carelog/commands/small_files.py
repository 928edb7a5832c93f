"""Small files that a command reads whole: rulebooks, gold labels, corrections."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from carelog.classification.compiled import RulebookFile
from carelog.errors import MissingInput


def read_small(name: str) -> bytes:
    """The bytes of a file; `-` is standard input. MissingInput if it cannot be read."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise MissingInput(f"{name}: {(error.strerror or 'cannot be read').lower()}") from error


def read_rulebooks(names: Iterable[str]) -> tuple[RulebookFile, ...]:
    """The user's own rulebooks, read. MissingInput if one cannot be."""
    return tuple(RulebookFile(name, read_small(name)) for name in names)

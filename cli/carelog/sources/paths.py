"""From what the user typed to the inputs of a run: files, folders, globs and standard input."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from carelog.errors import MissingInput

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Member:
    """Where a file lies in a zip archive: its header begins at byte `offset`, it has `packed` bytes there and
    `size` without compression (`is_stored`: it has none). `is_sealed`: it cannot be unpacked.
    """

    offset: int
    packed: int
    size: int
    checksum: int
    is_stored: bool
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a run.

    `name` is how messages and records call it: as the user typed it, or the folder (or archive) as typed and
    the way from there; `-` for standard input. `path` is None for standard input. `walked` tells a file that
    was met in a folder from one that was named; `member` says which of a zip archive's files it is.
    """

    name: str
    path: Path | None
    walked: bool = False
    member: Member | None = None

    @property
    def is_stream(self) -> bool:
        """Whether it can be read only once, from its beginning (standard input, a named pipe)."""
        return self.path is None or not self.path.is_file()


def find_inputs(
    arguments: Sequence[str], on_missing: Callable[[MissingInput], None] | None = None
) -> list[Input]:
    """The inputs that the arguments name, each once, sorted by name, so that no order of arguments changes
    a result.

    A folder stands for the files in it and under it, without hidden ones. What does not exist goes to
    `on_missing`; without that, MissingInput is raised for the first.
    """
    found: dict[str, Input] = {}
    for argument in arguments:
        try:
            for item in _expand(argument, on_missing or _raise):
                key = os.path.realpath(item.path) if item.path else STDIN
                found.setdefault(key, item)
        except MissingInput as missing:
            (on_missing or _raise)(missing)
    return sorted(found.values(), key=lambda item: item.name)


def _raise(missing: MissingInput) -> None:
    raise missing


def _expand(argument: str, on_missing: Callable[[MissingInput], None]) -> Iterator[Input]:
    if argument == STDIN:
        yield Input(STDIN, None)
        return
    path = Path(argument)
    if _exists(path):
        yield from (
            _walk(argument, on_missing) if path.is_dir() else iter([Input(display_name(argument), path)])
        )
        return
    # A shell leaves a glob alone when it is quoted, when nothing matches, and everywhere on Windows.
    matches = sorted(glob.glob(argument, recursive=True)) if glob.has_magic(argument) else []  # noqa: PTH207
    if not matches:
        raise MissingInput(f"{display_name(argument)}: no such file or folder")
    for match in matches:
        yield from _expand(match, on_missing)


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise MissingInput(f"{display_name(path)}: {_reason(error)}") from None
    return True


def _walk(folder: str, on_missing: Callable[[MissingInput], None]) -> Iterator[Input]:
    def unreadable(error: OSError) -> None:
        on_missing(MissingInput(f"{display_name(error.filename)}: {_reason(error)}"))

    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for file in sorted(files):
            path = Path(place, file)
            if not file.startswith(".") and _is_regular(path):
                yield Input(display_name(os.path.join(place, file)), path, walked=True)  # noqa: PTH118


def _is_regular(path: Path) -> bool:
    # A pipe or a device that lies in a folder is nobody's export, and reading it could wait for ever.
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _reason(error: OSError | ValueError) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return (text or "cannot be opened").lower()


def display_name(path: str | Path) -> str:
    """A path as text that can be written anywhere: bytes that are not UTF-8 as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")

"""Outputs that appear whole or not at all.

Each output is written as a draft beside its target, and all drafts of a run take their places together at
the end. If anything fails before, they are removed and the targets are as they were. That an output can be
written is found out before the work begins, by opening its draft.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from carelog.errors import UnwritableOutput, UsageProblem
from carelog.findings import visible
from carelog.sources.paths import display_name

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

STDOUT = "-"
_DRAFT_SUFFIX = ".carelog-draft"


class _DraftFile(io.FileIO):
    """A file whose write errors (a full disk) are unwritable outputs, not faults of carelog."""

    target: Path = Path()

    def write(self, data: Buffer, /) -> int:
        with _reporting(self.target):
            return super().write(data) or 0


class _StandardOutput(io.RawIOBase):
    """Standard output, with errors as those of a draft; closing it leaves standard output open."""

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        with _reporting(Path("standard output")):
            return sys.stdout.buffer.write(data)

    def flush(self) -> None:
        with _reporting(Path("standard output")):
            sys.stdout.buffer.flush()


@dataclass(slots=True)
class _Draft:
    """An output in the making; `path` is None where there is nothing to put in place (a pipe)."""

    file: BinaryIO
    target: Path
    path: Path | None


class Outputs:
    """The outputs of one run. Leave the `with` block without an exception, and they are all in place.

        with Outputs() as outputs:
            file = outputs.open("report.json")

    Raises UnwritableOutput (exit code 73) where an output cannot be written.
    """

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._put_in_place()
        finally:
            self._clean_up()

    def open(self, target: str | Path) -> BinaryIO:
        """A binary file for the output named `target`; `-` is standard output."""
        if str(target) == STDOUT:
            draft = _Draft(cast(BinaryIO, _StandardOutput()), Path(STDOUT), None)
        else:
            draft = _open_draft(Path(target))
        self._drafts.append(draft)
        return draft.file

    def forget(self, file: BinaryIO | None = None) -> None:
        """Leave the targets (or that of one file) as they were: what was written is not wanted after all."""
        forgotten = [draft for draft in self._drafts if file is None or draft.file is file]
        kept = [draft for draft in self._drafts if draft not in forgotten]
        self._drafts = forgotten
        self._clean_up()
        self._drafts = kept

    def _put_in_place(self) -> None:
        for draft in self._drafts:
            if draft.path is not None:
                draft.file.flush()
                with _reporting(draft.target):
                    os.fsync(draft.file.fileno())
                draft.file.close()
        for draft in self._drafts:
            if draft.path is not None:
                with _reporting(draft.target):
                    draft.path.replace(draft.target)
                draft.path = None
        # Pipes last: that their reader has gone must not keep the files from their places.
        for draft in self._drafts:
            if not draft.file.closed:
                draft.file.flush()

    def _clean_up(self) -> None:
        for draft in self._drafts:
            with suppress(OSError, UnwritableOutput):
                draft.file.close()
            if draft.path is not None:
                draft.path.unlink(missing_ok=True)
        self._drafts = []


@contextmanager
def write_whole(target: str | Path) -> Iterator[BinaryIO]:
    """A binary file for one output, which appears when the block ends without an exception."""
    with Outputs() as outputs:
        yield outputs.open(target)


def _open_draft(target: Path) -> _Draft:
    with _reporting(target):
        # A link stays a link: what it points to is replaced.
        real = Path(os.path.realpath(target))
        mode = _mode_of(real)
        if mode is not None and stat.S_ISDIR(mode):
            raise UnwritableOutput(f"{_shown(target)}: is a folder")
        if mode is not None and not stat.S_ISREG(mode):
            return _Draft(_buffered(os.open(real, os.O_WRONLY), real), target, None)
        if mode is not None and not os.access(real, os.W_OK):
            raise UnwritableOutput(f"{_shown(target)}: is write-protected")
        handle, name = tempfile.mkstemp(_DRAFT_SUFFIX, f".{real.name[:100]}.", real.parent)
        os.chmod(name, stat.S_IMODE(mode) if mode is not None else _new_mode())  # noqa: PTH101
        return _Draft(_buffered(handle, real), real, Path(name))


def _buffered(handle: int, target: Path) -> BinaryIO:
    raw = _DraftFile(handle, "wb")
    raw.target = target
    return io.BufferedWriter(raw, 1024 * 1024)


def _mode_of(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _new_mode() -> int:
    # The mask can only be read by setting it.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def _reporting(target: Path) -> Iterator[None]:
    """An OSError in the block is an output that cannot be written; but a closed pipe is its reader's wish."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise UnwritableOutput(f"{_shown(target)}: {reason}") from error


def _shown(target: str | Path) -> str:
    return visible(display_name(target))


def check_outputs(outputs: Iterable[str | Path | None], inputs: Iterable[Path | None] = ()) -> None:
    """Raise UsageProblem if an output is named twice, or is one of the inputs; None is none of either."""
    read = {os.path.realpath(path) for path in inputs if path is not None}
    seen: set[str] = set()
    for output in outputs:
        if output is None:
            continue
        name = str(output)
        key = name if name == STDOUT else os.path.realpath(name)
        if key in seen:
            shown = "standard output" if name == STDOUT else _shown(name)
            hint = "give each output its own name (the report's with -o)"
            raise UsageProblem(f"{shown} is named for two outputs", hint)
        if key in read:
            raise UsageProblem(
                f"{name} is an input and an output",
                "write to another file, outside the folders that are read",
            )
        seen.add(key)

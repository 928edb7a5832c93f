"""What a run says about itself on standard error: notices as text or JSON, progress on a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

import click
from tqdm import tqdm

from carelog.findings import visible

# tqdm's watching thread serves bars that stall; a thread less is worth more where processes are started.
tqdm.monitor_interval = 0


@dataclass(frozen=True, slots=True)
class Notices:
    """How to speak: `command` begins each line, `quiet` leaves out what nobody must know."""

    command: str
    quiet: bool = False
    as_json: bool = False
    color: bool = False
    progress: bool = True

    def note(self, text: str, **fields: Any) -> None:
        """Something good to know; not said when quiet."""
        if not self.quiet:
            self._say("info", text, fields)

    def tell(self, text: str, **fields: Any) -> None:
        """Something that is always said, such as how many records were read."""
        self._say("info", text, fields)

    def warn(self, text: str, **fields: Any) -> None:
        """Something that may need attention."""
        self._say("warning", text, fields)

    def _say(self, level: str, text: str, fields: dict[str, Any]) -> None:
        if self.as_json:
            line = {"level": level, "command": self.command, "message": text, **fields}
            click.echo(json.dumps(line, ensure_ascii=False), err=True)
            return
        lead = "" if level == "info" else click.style("warning: ", fg="yellow") if self.color else "warning: "
        click.echo(f"{self.command}: {lead}{visible(text)}", err=True, color=self.color)

    @contextmanager
    def count_bytes(self, total: int | None) -> Iterator[Callable[[int], None]]:
        """A function that hears of bytes read and, on a terminal, shows how far the run is."""
        if self.quiet or not self.progress or self.as_json or not sys.stderr.isatty():
            yield lambda count: None
            return
        # tqdm shows nothing on a terminal that does not tell its size.
        size = shutil.get_terminal_size()
        with tqdm(
            total=total,
            desc=self.command,
            unit="B",
            unit_scale=True,
            leave=False,
            file=sys.stderr,
            ncols=size.columns,
            nrows=size.lines,
        ) as bar:
            yield bar.update


def wants_color(choice: str, stream: TextIO) -> bool:
    """Whether to write in colour: as told, else on a terminal unless NO_COLOR is set (https://no-color.org)."""
    if choice != "auto":
        return choice == "always"
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()

"""Small logs for the tests of commands, and the two ways to call the program."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from carelog.app import main

PROGRAM = [sys.executable, "-c", "from carelog.app import main; main(prog_name='carelog')"]


def chat(number: int, **fields: Any) -> dict[str, Any]:
    """A sound chat record; fields given as None are left out."""
    value = {
        "interaction_id": f"chat-{number}",
        "channel": "chat",
        "started_at": "2026-03-10T09:15:00+05:30",
        "messages": [{"speaker": "customer", "text": "नमस्ते, is my order {late}?"}],
        **fields,
    }
    return {name: inner for name, inner in value.items() if inner is not None}


def line(number: int, **fields: Any) -> str:
    """A sound chat record as a line of JSON Lines, with its end."""
    return json.dumps(chat(number, **fields), ensure_ascii=False) + "\n"


def lines(*numbers: int) -> str:
    """Sound chat records as JSON Lines."""
    return "".join(map(line, numbers))


def call(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    """Call the program in this process."""
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


def _hear_ctrl_c() -> None:
    # A runner in the background may ignore Ctrl-C, and a child would inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start the program in a process of its own."""
    command = [*PROGRAM, *(str(a) for a in arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_hear_ctrl_c, **options
    )


def names_in(folder: Path) -> list[str]:
    """The names of all files in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def findings_of(result: Result) -> list[tuple[str, int | None, str]]:
    """File, line and keyword of each error or warning that a JSON report lists."""
    report = json.loads(result.stdout)
    return [(e["file"], e["line"], e["keyword"]) for e in report["errors"]]

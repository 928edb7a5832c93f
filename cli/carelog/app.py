"""The command group; the one place that turns outcomes into exit codes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from carelog import __version__
from carelog.errors import CarelogError, ExitCode
from carelog.findings import visible

# Before numpy and pyarrow are loaded, here and in the workers: one thread for sums, so that they are always added in the same
# order (the cores are used by processes), and the system's allocator, which gives memory back (a tenth less at the peak).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

COMMANDS = {
    "validate": "carelog.commands.validate",
    "classify": "carelog.commands.classify",
    "convert": "carelog.commands.convert",
    "replay": "carelog.commands.replay",
    "summarize": "carelog.commands.summarize",
    "explain": "carelog.commands.explain",
    "evaluate": "carelog.commands.evaluate",
    "tune": "carelog.commands.tune",
    "rules": "carelog.commands.rules",
    "config": "carelog.commands.config",
    "schema": "carelog.commands.schema",
}
"""Each command and the module that holds it as `command`; imported only when it is called, so that help stays quick."""


class Terminated(BaseException):
    """SIGTERM arrived: unwind, so that drafts are removed, and exit with 143."""


class Commands(click.Group):
    """Loads commands when they are named, and is the boundary where outcomes become exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        with _stopped_at_once():
            command: click.Command = import_module(COMMANDS[cmd_name]).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; its return value (an ExitCode or None) is the exit code, whatever happens."""
        signal.signal(signal.SIGTERM, _terminate)
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except CarelogError as error:
            _say(f"carelog: error: {error.message}")
            if error.hint:
                _say(f"  {error.hint}")
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort):
            _say("carelog: interrupted; outputs are as they were before the run")
            code = ExitCode.INTERRUPTED
        except Terminated:
            _say("carelog: terminated; outputs are as they were before the run")
            code = ExitCode.TERMINATED
        except BrokenPipeError:
            # The reader of our output has seen enough: that is success, and nothing may be written on the way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = ExitCode.OK
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            if os.environ.get("CARELOG_DEBUG"):
                traceback.print_exc()
            _say(
                f"carelog: a fault in carelog itself ({type(error).__name__} in {_place(error)}). "
                f"Please report it with the output of the same command under CARELOG_DEBUG=1 (carelog {__version__})"
            )
            code = ExitCode.FAULT
        ctx.exit(int(code or 0))


def _terminate(signum: int, frame: object) -> None:
    raise Terminated


@contextmanager
def _stopped_at_once() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the process as they end any other, while nothing is there to be undone.

    An exception that a signal raises while a compiled module is being loaded is lost in it, or crashes it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [number for number in (signal.SIGINT, signal.SIGTERM) if callable(signal.getsignal(number))]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    # File names and options can hold what a terminal would obey.
    click.echo("\n".join(map(visible, text.split("\n"))), err=True)


def _place(error: BaseException) -> str:
    # The message of an unexpected exception may hold a customer's text: name only where it happened.
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{os.path.basename(last.filename)}:{last.lineno}"  # noqa: PTH119


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="carelog")
def main() -> None:
    """Tell customer care from customer service in the logs of phone, email, chat and store.

    \b
    Examples:
      carelog validate exports/                       is every record sound?
      carelog classify exports/ -o labelled.parquet   label every interaction, with evidence
      carelog summarize labelled.parquet -o report.html
    """

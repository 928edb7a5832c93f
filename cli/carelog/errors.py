"""Exit codes, and the few exceptions that end a run. What is wrong with a record is a finding, never one of these."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit code means (the numbers above 63 are those of BSD's sysexits)."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNUSABLE_INPUT = 65
    NO_INPUT = 66
    FAULT = 70
    CANNOT_WRITE = 73
    TRY_LATER = 75
    INTERRUPTED = 130
    TERMINATED = 143


class CarelogError(Exception):
    """Ends the run with `exit_code`; `hint` says what to do next."""

    exit_code = ExitCode.FAULT

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageProblem(CarelogError):
    """The command line, the config or a rulebook is wrong."""

    exit_code = ExitCode.USAGE


class UnusableInput(CarelogError):
    """Input was read, but nothing in it was usable."""

    exit_code = ExitCode.UNUSABLE_INPUT


class MissingInput(CarelogError):
    """An input does not exist or cannot be opened."""

    exit_code = ExitCode.NO_INPUT


class UnwritableOutput(CarelogError):
    """An output cannot be written."""

    exit_code = ExitCode.CANNOT_WRITE


class StoreLocked(CarelogError):
    """Another run holds the store's lock."""

    exit_code = ExitCode.TRY_LATER

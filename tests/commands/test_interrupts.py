"""A run that is killed leaves everything as it was, and says so by its exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from tests.commands.logs import line, names_in, start

from carelog.app import main

PATIENCE = 300
"""Seconds after which a test gives up; a busy machine may take long."""

Starter = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe: the run waits in it until the test writes."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture
def started() -> Iterator[Starter]:
    """Starts the program; what still runs when the test ends is ended."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str | Path) -> subprocess.Popen[bytes]:
        processes.append(start(*arguments))
        return processes[-1]

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.communicate()


def children_of(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in found.stdout.split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true_: object, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not true_():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "terminate"]
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_is_stopped_leaves_the_old_outputs(
    tmp_path: Path, pipe: Path, started: Starter, number: signal.Signals, code: int, jobs: int
) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text("as it was")
    process = started("validate", pipe, "--accepted", good, "--rejects", bad, "--jobs", str(jobs))
    record = line(1, notes="x" * 1_000_000).encode()
    with pipe.open("wb", buffering=0) as file:
        for _ in range(40):
            file.write(record)
        wait_until(lambda: any(name.endswith("-draft") for name in names_in(tmp_path)))
        if jobs > 1:
            wait_until(lambda: len(children_of(process.pid)) >= jobs)
        workers = children_of(process.pid)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stdout) == (code, b"")
    assert b"outputs are as they were" in stderr
    assert b"Traceback" not in stderr
    assert names_in(tmp_path) == ["good.jsonl", "pipe"]
    assert good.read_text() == "as it was"
    wait_until(lambda: not any(map(is_alive, workers)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_workers_end_when_their_parent_is_killed(tmp_path: Path, pipe: Path, started: Starter) -> None:
    process = started("validate", pipe, "--jobs", "2")
    record = line(1, notes="x" * 1_000_000).encode()
    with pipe.open("wb", buffering=0) as file:
        for _ in range(40):
            file.write(record)
        wait_until(lambda: len(children_of(process.pid)) >= 2)
        workers = children_of(process.pid)
        process.kill()
        process.communicate(timeout=PATIENCE)
    wait_until(lambda: not any(map(is_alive, workers)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_worker_that_dies_is_said_and_nothing_is_written(
    tmp_path: Path, pipe: Path, started: Starter
) -> None:
    good = tmp_path / "good.jsonl"
    process = started("validate", pipe, "--accepted", good, "--jobs", "2")
    record = line(1, notes="x" * 1_000_000).encode()
    with pipe.open("wb", buffering=0) as file:
        for _ in range(40):
            file.write(record)
        wait_until(lambda: len(children_of(process.pid)) >= 2)
        for worker in children_of(process.pid):
            os.kill(worker, signal.SIGKILL)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 70
    assert b"a worker process ended unexpectedly" in stderr
    assert names_in(tmp_path) == ["pipe"]


def test_while_modules_are_loaded_signals_end_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # An exception that a signal raises inside the loading of a compiled module can be lost there, or crash it.
    kinds = (signal.SIGINT, signal.SIGTERM)
    while_loading: list[object] = []

    def load(name: str) -> object:
        while_loading.extend(map(signal.getsignal, kinds))
        return import_module(name)

    monkeypatch.setattr("carelog.app.import_module", load)
    before = [signal.signal(kind, lambda *_: None) for kind in kinds]
    try:
        set_here = [signal.getsignal(kind) for kind in kinds]
        assert main.get_command(click.Context(main), "schema") is not None
        assert [signal.getsignal(kind) for kind in kinds] == set_here
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
    assert while_loading == [signal.SIG_DFL, signal.SIG_DFL]

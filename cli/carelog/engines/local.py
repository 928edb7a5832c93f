"""Runs a function over items on this machine's cores; results come in the order of the items, whatever
`jobs` is.

Processes are started afresh (not forked), the same on every system: a fork of a process that has threads,
as Arrow's readers do, can hang. So functions and arguments must be importable and picklable. A run with
little work stays in this process, since starting others would take longer.

Each worker has a pipe of its own and no locks in common with others, so that all can be stopped at any
moment, and each ends by itself when the pipe closes because this process has ended, however it ended.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Any, TypeVar

from carelog.errors import CarelogError

Item = TypeVar("Item")
Result = TypeVar("Result")

LITTLE_WORK = 12_000_000
"""Up to so much work (the sum of what `weigh` says of the items) is not worth another process."""
AT_HAND = 2
"""How many items a worker has: the one it works on, and the next, so that it need not wait for it."""


def default_jobs() -> int:
    """How many processes to use when nothing is said: the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_ordered(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    jobs: int = 1,
    weigh: Callable[[Item], float] | None = None,
) -> Iterator[Result]:
    """`function` of each item, in the order of the items.

    At most two items for each job are under way at once, so that memory does not grow with their number.
    With `jobs` 1, or little work as `weigh` tells it, all is done in this process. An exception of
    `function` is raised here; a worker that dies is a CarelogError.
    """
    iterator = iter(items)
    if jobs <= 1:
        return map(function, iterator)
    first, work = [], 0.0
    for item in iterator:
        first.append(item)
        work += weigh(item) if weigh else LITTLE_WORK
        if work > LITTLE_WORK:
            return _map_in_workers(function, chain(first, iterator), jobs)
    return map(function, first)


@dataclass(slots=True)
class _Worker:
    """A process, the pipe to it, and the numbers of the items that it has, in order."""

    process: BaseProcess
    pipe: Connection
    items: list[int]


def _map_in_workers(function: Callable[[Item], Result], items: Iterator[Item], jobs: int) -> Iterator[Result]:
    numbered = enumerate(items)
    results: dict[int, Result] = {}
    wanted = 0
    with _started(function, jobs) as workers:
        more = _hand_out(numbered, workers, AT_HAND * jobs)
        while more or results or any(worker.items for worker in workers):
            if wanted in results:
                yield results.pop(wanted)
                wanted += 1
            else:
                _collect(workers, results)
            under_way = len(results) + sum(len(worker.items) for worker in workers)
            more = more and _hand_out(numbered, workers, AT_HAND * jobs - under_way)


def _hand_out(items: Iterator[tuple[int, Any]], workers: list[_Worker], count: int) -> bool:
    """Give out up to `count` items, to those who have least; False when there are no more."""
    for _ in range(count):
        worker = min(workers, key=lambda w: len(w.items))
        if len(worker.items) >= AT_HAND:
            break
        number, item = next(items, (-1, None))
        if number < 0:
            return False
        try:
            worker.pipe.send(item)
        except OSError:
            raise _ended() from None
        worker.items.append(number)
    return True


def _collect(workers: list[_Worker], results: dict[int, Any]) -> None:
    """Wait for results, and take those that are there."""
    busy = {worker.pipe: worker for worker in workers if worker.items}
    for pipe in wait(list(busy)):
        worker = busy[pipe]  # type: ignore[index]
        try:
            is_result, value = worker.pipe.recv()
        except (EOFError, OSError):
            raise _ended() from None
        if not is_result:
            raise value
        results[worker.items.pop(0)] = value


def _ended() -> CarelogError:
    return CarelogError(
        "a worker process ended unexpectedly", "the machine may be out of memory: try --jobs 1"
    )


@contextmanager
def _started(function: Callable[[Any], Any], jobs: int) -> Iterator[list[_Worker]]:
    workers: list[_Worker] = []
    context = multiprocessing.get_context("spawn")
    try:
        with _ctrl_c_ignored():
            for _ in range(jobs):
                here, there = context.Pipe()
                process = context.Process(target=_work, args=(there, function), daemon=True)
                process.start()
                there.close()
                workers.append(_Worker(process, here, []))
        yield workers
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join()
            worker.pipe.close()


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    # Workers take over that Ctrl-C is ignored: it reaches them too, and what to do about it is the parent's
    # to say.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(pipe: Connection, function: Callable[[Any], Any]) -> None:
    """The life of a worker: items in, results or exceptions out, until the pipe closes."""
    waiting: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, waiting), daemon=True).start()
    while True:
        item = waiting.get()
        outcome: tuple[bool, Any]
        try:
            outcome = True, function(item)
        except Exception as error:
            outcome = False, error
        _send(pipe, outcome)


def _send(pipe: Connection, outcome: tuple[bool, Any]) -> None:
    try:
        pipe.send(outcome)
    except OSError:
        os._exit(1)
    except Exception:
        # The exception itself cannot be sent; its message may hold a customer's words.
        pipe.send((False, RuntimeError(f"{type(outcome[1]).__name__} in a worker")))


def _receive(pipe: Connection, waiting: SimpleQueue[Any]) -> None:
    # In a thread, so that the parent can always send: were both to wait for the other to read, nothing
    # would move.
    while True:
        try:
            waiting.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(1)

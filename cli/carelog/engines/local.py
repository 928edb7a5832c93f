"""Runs a function over items on this machine's cores; results come in the order of the items, whatever
`jobs` is.

Processes are started afresh (not forked), the same on every system: a fork of a process that has threads,
as Arrow's readers do, can hang. So functions and arguments must be importable and picklable. A run of only
a few items stays in this process, since starting others would take longer than the work.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import chain
from typing import TypeVar

from carelog.errors import CarelogError

Item = TypeVar("Item")
Result = TypeVar("Result")

LITTLE_WORK = 12_000_000
"""Up to so much work (the sum of what `weigh` says of the items) is not worth another process."""


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

    At most `jobs` + 1 items are under way at once, so that memory does not grow with their number. With
    `jobs` 1, or little
    work as `weigh` tells it, all is done in this process. An exception of `function` is raised
    here; a worker that dies is a CarelogError.
    """
    iterator = iter(items)
    if jobs <= 1:
        return map(function, iterator)
    first, work = [], 0.0
    for item in iterator:
        first.append(item)
        work += weigh(item) if weigh else LITTLE_WORK
        if work > LITTLE_WORK:
            return _map_in_processes(function, chain(first, iterator), jobs)
    return map(function, first)


def _map_in_processes(
    function: Callable[[Item], Result], items: Iterator[Item], jobs: int
) -> Iterator[Result]:
    others = multiprocessing.active_children()
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_prepare_worker)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(partial(_call, function), item))
            if len(waiting) > jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        pool.shutdown()
    except BrokenProcessPool:
        hint = "the machine may be out of memory: try --jobs 1"
        raise CarelogError("a worker process ended unexpectedly", hint) from None
    finally:
        # On the way out of an interrupt nobody wants to wait for work that nobody wants.
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            if child not in others:
                child.terminate()


def _call(function: Callable[[Item], Result], item: Item) -> Result:
    return function(item)


def _prepare_worker() -> None:
    """Leave Ctrl-C to the parent, and end when it ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)

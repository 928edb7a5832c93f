"""Results come in the order of the items, whatever runs them."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from functools import partial

import pytest

from carelog.engines.local import map_ordered
from carelog.errors import CarelogError, UnusableInput


def slow_square(number: int) -> int:
    # The early ones take longest, so that results would overtake each other if they could.
    time.sleep(0.05 if number < 3 else 0)
    return number * number


def fail_at(bad: int, number: int) -> int:
    if number == bad:
        raise UnusableInput("no good", "a hint")
    return number


def end_at(bad: int, number: int) -> int:
    if number == bad:
        os._exit(3)
    return number


def fail_unspeakably(number: int) -> int:
    class LocalError(Exception):
        """Cannot be sent to another process."""

    raise LocalError("secret words")


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    assert list(map_ordered(slow_square, range(40), jobs)) == [n * n for n in range(40)]
    assert list(map_ordered(slow_square, [], jobs)) == []


def test_large_items_and_results_do_not_block_each_other() -> None:
    items = [bytes([n]) * 3_000_000 for n in range(12)]
    assert list(map_ordered(bytes.upper, items, 2)) == [item.upper() for item in items]


def test_items_are_taken_only_as_they_are_needed() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    results = map_ordered(slow_square, items(), 2)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert taken <= 5 + 2 * 2 + 1
    results.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_little_work_stays_in_this_process() -> None:
    ids = map_ordered(lambda number: os.getpid(), range(5), 4, weigh=lambda number: 1)
    assert set(ids) == {os.getpid()}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_exception_arrives_as_it_was_after_the_results_before_it(jobs: int) -> None:
    results = map_ordered(partial(fail_at, 0), range(9), jobs)
    with pytest.raises(UnusableInput) as caught:
        list(results)
    assert (caught.value.message, caught.value.hint) == ("no good", "a hint")
    assert multiprocessing.active_children() == []


def test_an_exception_that_cannot_be_sent_is_named_without_its_words() -> None:
    with pytest.raises(RuntimeError, match="LocalError in a worker") as caught:
        list(map_ordered(fail_unspeakably, range(3), 2))
    assert "secret" not in str(caught.value)


def test_a_worker_that_dies_is_an_error_that_says_so() -> None:
    with pytest.raises(CarelogError, match="ended unexpectedly"):
        list(map_ordered(partial(end_at, 4), range(9), 2))
    assert multiprocessing.active_children() == []

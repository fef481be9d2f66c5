"""One function over many items, in as many processes as there are processors."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from bench.process import end_with_parent

Item = TypeVar("Item")
Result = TypeVar("Result")

_work: Callable[[int], Any] | None = None  # what the forked processes do


def mapped(
    function: Callable[[Item], Result], items: Sequence[Item], *, least: int = 1
) -> Iterator[Result]:
    """``function`` of each item, in order; the same whatever the number of processes.

    Processes are forked, so that function and items need not be picklable (results must be), on
    Linux alone: elsewhere a fork is not safe, and everything is done in this process.

    Args:
        least: items that are worth a process.

    Raises:
        concurrent.futures.process.BrokenProcessPool: the system ended one, say for its memory.
    """
    global _work
    processes = min(processors(), len(items) // least)
    if processes < 2 or sys.platform != "linux":
        yield from map(function, items)
        return
    _work = lambda place: function(items[place])  # noqa: E731 – forks find it by this name
    try:
        fork = multiprocessing.get_context("fork")
        chunk = max(1, min(16, len(items) // (16 * processes)))
        with ProcessPoolExecutor(processes, fork, _begin) as pool:
            yield from pool.map(_do, range(len(items)), chunksize=chunk)
    finally:
        _work = None


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _begin() -> None:
    """What ends the parent is the parent's to answer, even where all are told; with it this process
    ends."""
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.SIG_IGN)
    end_with_parent()


def _do(place: int) -> Any:
    assert _work is not None
    return _work(place)

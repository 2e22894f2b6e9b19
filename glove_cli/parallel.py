"""Work done by threads, results in order.

Kernels release the interpreter's lock, so threads are enough. What is computed never depends on how many there are.
"""

from __future__ import annotations

import os
import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from glove_cli.errors import OptionError

Item = TypeVar("Item")
State = TypeVar("State")
Result = TypeVar("Result")
MAX_THREADS = 1024
Progress = Callable[[str, int, "int | None", str], None]


def thread_count(threads: int | None) -> int:
    """Return how many threads to use: `threads`, or all cores that this process may use.

    Raises
    ------
    OptionError
        If `threads` is not a positive integer, or more than MAX_THREADS.
    """
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise OptionError(f"--threads: {threads!r} is not a positive integer. Give 1 or more.")
    if threads > MAX_THREADS:
        raise OptionError(f"--threads: {threads} are too many. Give at most {MAX_THREADS}.")
    return threads


def ordered_map(
    work: Callable[[State, Item], Result], items: Iterable[Item], states: Sequence[State], *, ahead: int = 2
) -> Iterator[Result]:
    """Yield `work(state, item)` for each item, in the order of the items.

    Parameters
    ----------
    work : callable
        Runs in a thread.
    items : iterable
        Drawn as threads become free.
    states : sequence
        One working state for each thread (tables, accumulators); no two calls hold the same one at a time.
    ahead : int
        How many results more than there are threads may wait for the caller.

    Yields
    ------
    result

    Raises
    ------
    exception
        What a call raised, the first one in time; no call begins after it.
    """
    free: queue.SimpleQueue[State] = queue.SimpleQueue()
    for state in states:
        free.put(state)

    failures: list[BaseException] = []

    def run(item: Item) -> Result:
        state = free.get()
        try:
            if failures:  # the state may be one that was left in the middle of something
                raise failures[0]
            return work(state, item)
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            free.put(state)

    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(len(states)) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(run, item))
                if len(waiting) >= len(states) + ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

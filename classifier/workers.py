"""Work done in order by several processes."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_all_start_methods, get_context
from signal import SIG_IGN, SIGINT, signal
from typing import Any, TypeVar

from classifier.errors import ModelError

_AHEAD, _IN_MEMORY = 2, 6
"""How many items wait for each worker, and how many there are at most for each."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result], items: Iterator[Item], workers: int
) -> Generator[Result, None, None]:
    """Do work on items, with a share for this process; few items are in memory at a time.

    Parameters
    ----------
    work
        What to do with an item. A forked worker shares what it holds as it stands; where there is
        no forking, each worker gets a copy once.
    items
        Taken as they are needed.
    workers
        How many processes work; with 1, this one does.

    Yields
    ------
    Result
        What came of each item, in the order of items.

    Raises
    ------
    ModelError
        If a worker dies.
    """
    if workers == 1:
        yield from map(work, items)
        return
    context = get_context("fork" if "fork" in get_all_start_methods() else None)
    others = workers - 1
    pool = ProcessPoolExecutor(others, context, initializer=_begin, initargs=(work,))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            if sum(not future.done() for future in waiting) < _AHEAD * others:
                waiting.append(pool.submit(_do, item))
            else:
                waiting.append(Future())
                waiting[-1].set_result(work(item))
            while waiting and (waiting[0].done() or len(waiting) > _IN_MEMORY * workers):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise ModelError("a worker died, perhaps for lack of memory; try fewer") from error
    finally:
        pool.shutdown(cancel_futures=True)


_work: Callable[[Any], Any]  # of a worker


def _begin(work: Callable[[Any], Any]) -> None:
    global _work  # the one place where a worker keeps what it works with
    _work = work
    signal(SIGINT, SIG_IGN)  # the process that reads and writes ends the run


def _do(item: Any) -> Any:
    return _work(item)

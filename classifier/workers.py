"""Work done in order by several processes."""

import os
import pickle
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from itertools import count, islice
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from threading import Thread
from typing import Any, TypeVar

from classifier.errors import ClassifierError, ModelError, OutputError

_AHEAD = 3
"""How many results of a worker may wait for those before them."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result], items: Callable[[], Iterator[Item]], workers: int
) -> Generator[Result, None, None]:
    """Do work on items: with n workers, each process does every n-th.

    Each goes through the items itself, so that none has to be sent; results come as files, so that
    no process waits for another to listen.

    Parameters
    ----------
    work
        What to do with an item. A forked worker shares what it holds as it stands; where there is
        no forking, each worker gets a copy once.
    items
        Returns the same items each time.
    workers
        How many processes work, this one among them.

    Yields
    ------
    Result
        What came of each item, in the order of items.

    Raises
    ------
    ModelError
        If a worker dies.
    ClassifierError
        Whatever work or items raise.
    """
    if workers == 1:
        yield from map(work, items())
        return
    context = get_context("fork" if "fork" in get_all_start_methods() else None)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        others = []
        for own in range(1, workers):
            here, there = context.Pipe(duplex=False)
            room = context.Semaphore(_AHEAD)
            share = (work, items, own, workers, there, room, directory)
            process = context.Process(target=_do_share, args=share, daemon=True)
            process.start()
            stack.callback(process.join)
            stack.callback(process.terminate)
            there.close()
            others.append((here, room))
        mine = islice(items(), 0, None, workers)
        for n in count():
            if n % workers == 0:
                item = next(mine, None)
                if item is None:
                    return
                yield work(item)
                continue
            here, room = others[n % workers - 1]
            path = _received(here)
            if path is None:
                return
            result: Result = pickle.loads(path.read_bytes())  # written by a process of ours
            path.unlink()
            room.release()
            yield result


def _received(connection: "Connection[Any, Any]") -> Path | None:
    """Return where a worker's next result is, None if there are no more."""
    try:
        message = connection.recv()
    except EOFError as error:
        raise ModelError("a worker died, perhaps for lack of memory; try fewer") from error
    if isinstance(message, ClassifierError):
        raise message
    return message if message is None else Path(message)


def _end_with_the_first() -> None:
    """End when the process that was started first does: nobody waits for what is done here."""
    first = parent_process()
    if first is not None:
        first.join()
        os._exit(1)


def _do_share(
    work: Callable[[Any], Any],
    items: Callable[[], Iterator[Any]],
    own: int,
    workers: int,
    connection: "Connection[Any, Any]",
    room: Any,
    directory: Path,
) -> None:
    """Do the share of one worker, and say where each result is."""
    signal(SIGINT, SIG_IGN)  # the process that was started first ends the run
    Thread(target=_end_with_the_first, daemon=True).start()
    try:
        for n, item in enumerate(islice(items(), own, None, workers)):
            result = work(item)
            room.acquire()
            path = directory / f"{own}-{n}"
            path.write_bytes(pickle.dumps(result))
            connection.send(str(path))
        connection.send(None)
    except ClassifierError as error:
        connection.send(error)
    except OSError as error:
        connection.send(OutputError(f"{directory}: cannot be written ({error.strerror})"))

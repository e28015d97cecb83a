"""Keeps worker processes at work on a port, each with the model that is active."""

import gc
import logging
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from api import metrics
from api.port import refuse_new
from api.settings import Settings
from api.worker import DRAIN, RETIREMENT, Worker, WSGIApplication
from classifier import ClassifierError

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_RETIRE = signal.SIGUSR1  # tells a worker that others have taken its place
_CRASHES, _WITHIN = 5, 10.0  # workers that die more often in so many seconds are given up
_LOOK = 0.5  # seconds between two looks for another model
_GRACE = 1.5  # seconds beyond what a worker takes to end by itself, before it is killed
_PID = struct.Struct("q")

logger = logging.getLogger("jobtitle.service")


@dataclass(frozen=True)
class Served:
    """A model made ready to answer.

    Parameters
    ----------
    application
        Answers requests.
    model
        What the log and ``/metrics`` call it: its ``name`` and ``sha256``.
    finish
        Called when a worker has answered its last request.
    """

    application: WSGIApplication
    model: Mapping[str, str]
    finish: Callable[[], object]


class _Stopped(BaseException):
    """The service was told to stop while a model was being loaded."""


class Supervisor:
    """Keeps worker processes at work on a port.

    Each is a fork of this one, so that they share the model. One that dies is made again. When
    another model becomes active, or SIGHUP comes, it is loaded here; new workers are made of it,
    and when they answer, the old ones take no more connections and end when their clients have
    gone. A model that cannot be loaded is logged, and the one before goes on. On SIGTERM or SIGINT
    all take no more connections, and finish the requests that they have.

    Parameters
    ----------
    load
        Loads the active model; raises `classifier.ClassifierError` if that is no good.
    state
        Returns what changes when `load` would give another.
    opened
        The port.
    settings
        How many processes and threads.
    """

    def __init__(
        self,
        load: Callable[[], Served],
        state: Callable[[], object],
        opened: socket.socket,
        settings: Settings,
    ) -> None:
        self._load = load
        self._state = state
        self._opened = opened
        self._settings = settings
        self._tried = self._seen = state()
        self._served = load()
        self._workers: set[int] = set()
        self._coming: set[int] = set()
        self._ready: set[int] = set()
        self._ending: dict[int, float] = {}  # with the times at which they are killed
        self._deaths: list[float] = []
        self._asked = self._loading = self._stopping = False
        self._settle()

    def run(self, ready: Callable[[], object]) -> None:
        """Answer requests until told to stop.

        Parameters
        ----------
        ready
            Called when the first workers are made.

        Raises
        ------
        ClassifierError
            If workers die as fast as they are made.
        """
        with self._listening() as (signals, news):
            for _ in range(self._settings.workers):
                self._make_worker(self._workers)
            ready()
            while self._workers or self._coming or self._ending:
                select.select([signals, news], [], [], _LOOK)
                _emptied(signals)
                self._ready.update(pid for (pid,) in _PID.iter_unpack(_emptied(news)))
                self._bury()
                self._switch()
                self._kill_overdue()
                if not (self._stopping or self._coming):
                    with suppress(_Stopped):
                        self._look()

    @contextmanager
    def _listening(self) -> Iterator[tuple[int, int]]:
        """Give what can be read when a signal came, and when a new worker answers."""
        signals, self._alarm = _pipe()
        news, self._news = _pipe()
        self._pipes = (signals, self._alarm, news)
        signal.set_wakeup_fd(self._alarm, warn_on_full_buffer=False)
        for number in _SIGNALS[:2]:
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._ask)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # it wakes the loop up
        try:
            yield signals, news
        finally:
            signal.set_wakeup_fd(-1)

    def _ask(self, *_: object) -> None:
        self._asked = True

    def _stop(self, *_: object) -> None:
        if self._stopping:
            return
        self._stopping = True
        refuse_new(self._opened)
        self._opened.close()  # so that the port is closed when the workers have closed it
        self._end(self._workers | self._coming | self._ending.keys(), signal.SIGTERM, DRAIN)
        self._workers, self._coming = set(), set()
        if self._loading:
            raise _Stopped

    def _end(self, workers: set[int], number: int, seconds: float) -> None:
        """Tell workers to end, and note when they are killed if they do not."""
        for worker in workers:
            self._ending[worker] = time.monotonic() + seconds + _GRACE
            _send(worker, number)

    def _bury(self) -> None:
        """Take note of workers that ended, and make those again that should not have."""
        for worker in [*self._workers, *self._coming, *self._ending]:
            with suppress(ChildProcessError):
                if os.waitpid(worker, os.WNOHANG) == (0, 0):
                    continue
            metrics.forget(worker)
            own = self._coming if worker in self._coming else self._workers
            own.discard(worker)
            self._ready.discard(worker)
            if self._ending.pop(worker, None) is None:
                self._remake(own)

    def _remake(self, own: set[int]) -> None:
        """Make a worker again, unless they die as fast as they are made."""
        now = time.monotonic()
        self._deaths = [*(at for at in self._deaths if now - at < _WITHIN), now]
        if len(self._deaths) <= _CRASHES * self._settings.workers:
            if own is self._coming or not self._coming:  # else others take its place at once
                self._make_worker(own)
        elif own is self._coming:
            self._log(logging.ERROR, "new workers die; the old ones stay")
            coming, self._coming = self._coming, set()
            self._end(coming, signal.SIGKILL, 0)
        else:
            self._stop()
            raise ClassifierError("workers die as fast as they are made; see what they logged")

    def _look(self) -> None:
        """Load another model if there is one and it has been so for two looks, or as asked."""
        state = self._state()
        settled, self._seen = state == self._seen, state
        if self._asked or (settled and state != self._tried):
            self._asked, self._tried = False, state
            self._reload()

    def _reload(self) -> None:
        """Load the active model and make workers of it; keep the old one if it is no good."""
        begun = time.monotonic()
        try:
            self._loading = True
            self._served = self._load()
        except Exception as error:
            # of what is not foreseen, the message might quote anything
            own = isinstance(error, ClassifierError)
            fault = " ".join(str(error).split()) if own else type(error).__name__
            self._log(logging.ERROR, "the new model is refused; the old one stays", error=fault)
            return
        finally:
            self._loading = False
        self._settle()
        seconds = round(time.monotonic() - begun, 2)
        self._log(logging.INFO, "model loaded", **self._served.model, seconds=seconds)
        for _ in range(self._settings.workers):
            self._make_worker(self._coming)

    def _settle(self) -> None:
        """Free the model before, and keep the collector from copying what workers share."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def _switch(self) -> None:
        """Let the old workers end once the new ones answer."""
        if self._coming and self._coming <= self._ready:
            self._end(self._workers, _RETIRE, RETIREMENT + DRAIN)
            self._workers, self._coming = self._coming, set()
            self._log(logging.INFO, "model serves", **self._served.model)

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for worker, end in list(self._ending.items()):
            if now > end:
                _send(worker, signal.SIGKILL)

    def _log(self, level: int, message: str, **fields: Any) -> None:
        logger.log(level, message, extra={"fields": fields})

    def _make_worker(self, own: set[int]) -> None:
        """Fork; in the fork, serve and end."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until both know what to do with them
        if self._stopping:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return
        worker = os.fork()
        if worker:
            own.add(worker)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return
        code = 1
        try:
            self._work()
            code = 0
        except Exception as error:
            self._log(logging.ERROR, "a worker failed", error=type(error).__name__)
        finally:
            os._exit(code)

    def _work(self) -> None:
        """Be a worker."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the supervisor says when to stop
        for pipe in self._pipes:
            os.close(pipe)
        own = Worker(self._served.application, self._opened, self._settings)
        signal.signal(signal.SIGTERM, lambda *_: own.stop())
        signal.signal(_RETIRE, lambda *_: own.retire())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        metrics.count_worker(self._served.model["sha256"])
        os.write(self._news, _PID.pack(os.getpid()))
        os.close(self._news)
        own.serve()
        self._served.finish()


def _send(worker: int, number: int) -> None:
    with suppress(ProcessLookupError):  # it may have ended
        os.kill(worker, number)


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _emptied(pipe: int) -> bytes:
    """Read all that waits in a pipe."""
    found = b""
    with suppress(BlockingIOError):
        while part := os.read(pipe, 4_096):
            found += part
    return found

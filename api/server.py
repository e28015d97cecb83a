"""Serves the application: a supervisor, and worker processes that share one model."""

import ctypes
import gc
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from api import guards, metrics
from api.app import create_app
from api.settings import Settings
from api.worker import Worker, WSGIApplication
from classifier import ClassifierError, JobTitleClassifier

_SO_ATTACH_FILTER = 26  # of Linux; Python does not name it
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_CRASHES, _WITHIN = 5, 10.0  # workers that die more often in so many seconds are given up


def listen(host: str, port: int) -> socket.socket:
    """Open a port.

    Parameters
    ----------
    host, port
        Where; port 0 takes any free one.

    Raises
    ------
    ClassifierError
        If it cannot be listened on.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        opened = socket.create_server((host, port), family=family, backlog=1_024)
    except OSError as error:
        raise ClassifierError(f"{host}:{port}: cannot listen there ({error.strerror})") from error
    opened.setblocking(False)
    return opened


def address_of(opened: socket.socket) -> str:
    """Return the address of an open port."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve_model(
    load: Callable[[], JobTitleClassifier],
    host: str,
    port: int,
    settings: Settings,
    *,
    facts: Callable[[], Mapping[str, Any]],
    ready: Callable[[str], object],
) -> None:
    """Open a port, load a model, and answer requests until told to stop.

    Parameters
    ----------
    load
        Loads the model; called when the port is open, since that fails sooner.
    host, port
        Where; port 0 takes any free one.
    settings
        How many processes, and their limits.
    facts
        Returns what ``/v1/model`` shall tell of the model.
    ready
        Called with the address when requests are answered.

    Raises
    ------
    ClassifierError
        If the port cannot be listened on, or the model not be loaded.
    """
    metrics.share_between_processes()
    with listen(host, port) as opened:
        model = load()
        model.warm_up()  # no request shall wait for what the first would load
        app = create_app(model, settings, facts=facts())
        guards.log_to_stderr()
        gc.collect()
        gc.freeze()  # what is there is shared by all: the collector would copy its pages
        Supervisor(app, opened, settings).run(lambda: ready(address_of(opened)))


def _refuse_new(opened: socket.socket) -> None:
    """Let an open port make no new connections, while those that are made can still be taken.

    To close it at once would take back connections that were made and wait, and their requests.
    """
    if not sys.platform.startswith("linux"):
        opened.listen(0)
        return
    # a filter of packets: those with the flag SYN, which ask for a connection, are dropped
    program = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0x40000))
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    how = struct.pack("HL", len(program), ctypes.addressof(packed))
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, how)


class Supervisor:
    """Keeps worker processes at work on a port.

    Each is a fork of this one, so that they share the model. One that dies is made again. On
    SIGTERM or SIGINT they take no more connections, and finish the requests that they have.

    Parameters
    ----------
    application
        Answers requests; its model is loaded.
    opened
        The port.
    settings
        How many processes and threads.
    """

    def __init__(
        self, application: WSGIApplication, opened: socket.socket, settings: Settings
    ) -> None:
        self._application = application
        self._opened = opened
        self._settings = settings
        self._workers: set[int] = set()
        self._stopping = False

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
        for number in _SIGNALS:
            signal.signal(number, self._stop)
        for _ in range(self._settings.workers):
            self._make_worker()
        ready()
        deaths: list[float] = []
        while self._workers:
            worker, _ = os.wait()
            self._workers.discard(worker)
            if self._stopping:
                continue
            now = time.monotonic()
            deaths = [*(at for at in deaths if now - at < _WITHIN), now]
            if len(deaths) > _CRASHES * self._settings.workers:
                self._stop()
                raise ClassifierError("workers die as fast as they are made; see what they logged")
            self._make_worker()

    def _stop(self, *_: object) -> None:
        self._stopping = True
        _refuse_new(self._opened)
        self._opened.close()  # so that the port is closed when the workers have closed it
        for worker in self._workers:
            os.kill(worker, signal.SIGTERM)

    def _make_worker(self) -> None:
        """Fork; in the fork, serve and end."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until both know what to do with them
        worker = os.fork()
        if worker:
            self._workers.add(worker)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return
        code = 1
        try:
            own = Worker(self._application, self._opened, self._settings)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor says when to stop
            signal.signal(signal.SIGTERM, lambda *_: own.stop())
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            own.serve()
            code = 0
        finally:
            os._exit(code)

"""One process that answers requests: waitress, with manners for slow, large and many clients."""

import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import Error

from api.problems import problem_body
from api.settings import Settings

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

DRAIN = 8.0
"""How long a worker that is told to stop finishes what it has begun, in seconds."""

RETIREMENT = 40.0
"""How long a worker that is replaced waits for its clients at most, in seconds.

A connection on which nothing comes is closed sooner, as it always is.
"""

_QUIET = 0.3  # seconds without a request, after which a stopping worker closes idle connections
_ROUNDS = 10  # looks for connections that wait to be taken, before the port is closed
_IDLE = 30  # seconds after which a connection on which nothing comes is closed
_SLOW = 30  # seconds that a request may take to arrive
_LINGER = 2.0  # seconds that a client may take to stop sending what is not read
_CONNECTIONS = 1_000
_HEADERS = 64 << 10


class _Busy(Error):  # type: ignore[misc]  # noqa: N818 - the word of waitress
    """More requests wait than can be answered in good time."""

    code, reason = 503, "Service Unavailable"


_KINDS = {
    413: ("too-large", "The body is too large"),
    431: ("too-large", "The headers are too large"),
    503: ("busy", "Too many requests are waiting"),
}


class _Refusal(ErrorTask):  # type: ignore[misc]
    """Answers what never reaches the application: as a problem, like all else."""

    def execute(self) -> None:
        error = self.request.error
        kind, title = _KINDS.get(error.code, ("bad-request", "The request cannot be read as HTTP"))
        body = problem_body(error.code, kind, title, str(error.body)).encode()
        content_type = "application/problem+json"
        if self.request.headers.get("ACCEPT", "").startswith("text/html"):  # a form, not a program
            page = f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>"
            body, content_type = page.encode(), "text/html; charset=utf-8"
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", content_type))
        if error.code == 503:
            self.response_headers.append(("Retry-After", "1"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Request(WSGITask):  # type: ignore[misc]
    """Answers a request; a worker that ends says so to the client."""

    def execute(self) -> None:
        if self.channel.server.draining:
            self.set_close_on_finish()
        super().execute()


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection; one whose request was refused is closed when the client has read the answer."""

    task_class = _Request
    error_task_class = _Refusal
    begun: float | None = None
    lingers: float | None = None
    close_when_flushed: bool

    def received(self, data: bytes) -> bool:
        """Take what the client sent, and note since when a request is coming in."""
        if self.lingers is not None:
            return False
        found: bool = super().received(data)
        if self.request is None:
            self.begun = None
        elif self.begun is None:
            self.begun = time.time()
        return found

    def readable(self) -> bool:
        return self.lingers is not None or super().readable()

    def handle_read(self) -> None:
        super().handle_read()
        if self.lingers is not None and not self.connected:
            self.will_close = True

    def handle_write(self) -> None:
        # to close a socket with unread data would take the answer back that says why
        if self.close_when_flushed and not self.total_outbufs_len and self.lingers is None:
            self.lingers = time.time()
            self.close_when_flushed = False
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.will_close = True
            return
        super().handle_write()

    def writable(self) -> bool:
        """Return whether the main thread shall look for room to send what waits.

        A thread that answers sends by itself. To ask the system about its socket again and again
        meanwhile would take the interpreter's lock from it, for milliseconds a request.
        """
        if self.lingers is not None:
            return bool(self.will_close)
        if self.total_outbufs_len and not self.will_close:
            if not self.outbuf_lock.acquire(False):
                return False
            self.outbuf_lock.release()
        return bool(super().writable())

    def service(self) -> None:
        """Answer the first request that waits, if it has not waited too long for its client."""
        own = self.requests[0]
        if time.monotonic() - own.arrived > self.server.patience:
            own.error = _Busy("it waited too long; try again in a second")
        super().service()

    @property
    def is_busy(self) -> bool:
        """Whether a request is coming in, being answered, or going out."""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)

    def expired(self, now: float) -> bool:
        """Return whether the client has had its time."""
        if self.lingers is not None:
            return now - self.lingers > _LINGER
        return self.begun is not None and not self.requests and now - self.begun > _SLOW


class Worker(TcpWSGIServer):  # type: ignore[misc]
    """Answers requests on an open port until it is told to stop.

    Parameters
    ----------
    application
        Answers them.
    opened
        The port.
    settings
        How many threads, and the limits.
    """

    channel_class = _Channel

    def __init__(
        self, application: WSGIApplication, opened: socket.socket, settings: Settings
    ) -> None:
        more: dict[str, Any] = {}
        if settings.trusted_proxy:
            more = {
                "trusted_proxy": settings.trusted_proxy,
                "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto",
                "clear_untrusted_proxy_headers": True,
            }
        adjustments = Adjustments(
            threads=settings.threads,
            sockets=[opened],
            max_request_body_size=settings.max_body,
            max_request_header_size=_HEADERS,
            connection_limit=_CONNECTIONS,
            channel_timeout=_IDLE,
            cleanup_interval=1,
            asyncore_use_poll=True,
            ident=None,
            **more,
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.queue_logger.disabled = True  # a queue is no fault, and is bounded here
        dispatcher.set_thread_count(settings.threads)
        self.draining = False
        self._stopping = False
        self._waiting = dispatcher.queue
        self._most = settings.queue
        self.patience = settings.timeout
        self._parent = os.getppid()
        super().__init__(
            application,
            dispatcher=dispatcher,
            adj=adjustments,
            _sock=opened,
            sockinfo=(opened.family, opened.type, opened.proto, opened.getsockname()),
            bind_socket=False,
        )

    def add_task(self, task: _Channel) -> None:
        """Let a request wait for a thread, unless too many do."""
        task.requests[0].arrived = time.monotonic()
        if len(self._waiting) >= self._most:
            task.requests[0].error = _Busy("try again in a second")
        super().add_task(task)

    def maintenance(self, now: float) -> None:
        """Close connections that are idle or too slow; stop if the supervisor is gone."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.expired(now):
                channel.will_close = True
        if os.getppid() != self._parent:
            self._stopping = self.draining = True

    def stop(self) -> None:
        """Take no more connections, and end when what was begun is done: the port is closing."""
        self._stopping = self.draining = True
        self.pull_trigger()

    def retire(self) -> None:
        """Leave new connections to others, and end when nobody is connected any more."""
        self.draining = True
        self.pull_trigger()

    def serve(self) -> None:
        """Answer requests until told to end."""
        while not self.draining:
            wasyncore.poll2(1.0, self._map)
        if self._stopping:
            self._take_waiting()
        self.del_channel(self._map)
        self.socket.close()
        end = time.monotonic() + RETIREMENT
        while self.active_channels and not self._stopping and time.monotonic() < end:
            wasyncore.poll2(0.5, self._map)
            self.maintenance(time.time())
        self._finish()

    def _take_waiting(self) -> None:
        """Take the connections that were made and wait: to close the port would break them."""
        for _ in range(_ROUNDS):
            known = -1
            while known != len(self.active_channels):
                known = len(self.active_channels)
                self.handle_accept()
            wasyncore.poll2(0.01, self._map)

    def _finish(self) -> None:
        """Answer what has come in, and close."""
        end = time.monotonic() + DRAIN
        quiet = time.monotonic()
        while time.monotonic() < end and time.monotonic() - quiet < _QUIET:
            wasyncore.poll2(0.05, self._map)
            if any(channel.is_busy for channel in self.active_channels.values()):
                quiet = time.monotonic()
        self.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)

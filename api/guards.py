"""What happens around every request: keys, limits, headers, a line of log, a count."""

import hmac
import json
import logging
import random
import re
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from flask import Flask, Response, g, request

from api import metrics
from api.problems import Problem
from api.settings import Settings, hashed

MAX_CLIENTS = 10_000
"""How many clients' rates are remembered; the one that was silent longest is forgotten first."""

OPEN = ("/v2/health/", "/openapi.json", "/docs", "/problems/", "/static/")
"""Paths that need no key and are not limited: they say nothing of anybody."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._~+/=-]{1,128}")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # with less, browsers do not say whence a form comes
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_METHODS = "GET, POST, OPTIONS"

logger = logging.getLogger("jobtitle.requests")


@dataclass
class Buckets:
    """Token buckets: each client has so many requests at once, and gets so many back a second.

    Parameters
    ----------
    rate
        Requests a second.
    burst
        Requests at once.
    """

    rate: float
    burst: int
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, client: str, now: float) -> float:
        """Count a request.

        Parameters
        ----------
        client
            Whose it is.
        now
            The time, in seconds on a clock that only goes on.

        Returns
        -------
        float
            0 if it may go on, else the seconds after which one may.
        """
        with self._lock:
            left, since = self._left.pop(client, (float(self.burst), now))
            left = min(self.burst, left + (now - since) * self.rate)
            allowed = left >= 1
            self._left[client] = (left - allowed, now)
            if len(self._left) > MAX_CLIENTS:
                self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self.rate


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON; what is logged names no title."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {"time": f"{stamp}.{record.msecs:03.0f}Z", "level": record.levelname.lower()}
        more = getattr(record, "fields", None)
        return json.dumps({**line, "message": record.getMessage(), **(more or {})})


def log_to_stderr() -> None:
    """Write what the service logs as JSON lines on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logger.setLevel(logging.INFO)


def register(app: Flask, settings: Settings) -> None:
    """Put the guards before and after every request of an app.

    Parameters
    ----------
    app
        The app.
    settings
        Its limits, keys and origins.
    """
    # each process has its own buckets: together they let through what one alone would
    share = settings.rate / settings.workers
    buckets = Buckets(share, settings.burst) if settings.rate else None

    def begin() -> None:
        g.begun = time.perf_counter()
        sent = request.headers.get("X-Request-Id", "")
        g.request_id = sent if _REQUEST_ID.fullmatch(sent) else f"{random.getrandbits(128):032x}"
        if request.method == "OPTIONS" or request.path.startswith(OPEN):
            return
        client = request.remote_addr or ""
        if settings.key_hashes:
            client = _check_key(settings.key_hashes)
        wait = buckets.take(client, time.monotonic()) if buckets else 0.0
        if wait:
            raise Problem(
                429,
                "too-many-requests",
                "Too many requests",
                f"at most {settings.rate:g} requests a second; try again in {wait:.1f} seconds",
                headers={"Retry-After": str(max(1, round(wait)))},
                limit=settings.rate,
            )

    def end(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = g.get("request_id", "")
        _allow_origin(response, settings.cors_origins)
        seconds = time.perf_counter() - g.get("begun", time.perf_counter())
        path = request.url_rule.rule if request.url_rule else "(none)"
        metrics.count(request.method, path, response.status_code, seconds)
        if settings.log_requests:
            fields = {
                "request_id": g.get("request_id", ""),
                "method": request.method,
                "path": path,
                "status": response.status_code,
                "ms": round(seconds * 1_000, 1),
            }
            logger.info("request", extra={"fields": fields})
        return response

    app.before_request(begin)
    app.after_request(end)


def _check_key(hashes: frozenset[str]) -> str:
    """Return the hash of the key that was sent, which stands for the client."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    key = token.strip() if kind.lower() == "bearer" else request.headers.get("X-API-Key", "")
    own = hashed(key)
    # all are compared, each in constant time: how long it takes tells nothing
    if not sum(hmac.compare_digest(own, known) for known in hashes):
        raise Problem(
            401,
            "no-key",
            "A key is needed",
            "send a known key as Authorization: Bearer … or X-API-Key",
            headers={"WWW-Authenticate": 'Bearer realm="jobtitle"'},
        )
    return own


def _allow_origin(response: Response, origins: tuple[str, ...]) -> None:
    """Let pages of some origins read the answer."""
    if not origins:
        return
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin in origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "X-Request-Id, Retry-After"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = (
                "Authorization, Content-Type, X-API-Key, X-Request-Id"
            )
            response.headers["Access-Control-Max-Age"] = "600"

"""What the service counts, for Prometheus: all its processes together."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from flask import Response

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_between_processes() -> Iterator[None]:
    """Let the processes made from this one count in files that all of them read.

    Prometheus' client looks for their directory when it is imported: nothing here imports it
    before that.
    """
    if _DIRECTORY in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="jobtitle-metrics-") as directory:
        os.environ[_DIRECTORY] = directory
        yield


@lru_cache(maxsize=1)
def _counters() -> tuple[Any, Any]:
    import prometheus_client as prometheus

    names = ("method", "path", "status")
    return (
        prometheus.Counter(
            "jobtitle_postings", "Postings that were labelled, by status.", ("status",)
        ),
        prometheus.Histogram(
            "jobtitle_request_seconds", "Requests, and how long they took.", names, buckets=_BUCKETS
        ),
    )


@lru_cache(maxsize=1)
def _workers() -> Any:
    import prometheus_client as prometheus

    return prometheus.Gauge(
        "jobtitle_workers",
        "Processes that answer, by the SHA-256 of their model.",
        ("model",),
        multiprocess_mode="livesum",
    )


def declare() -> None:
    """Make the counters, before threads would do so at the same time."""
    _counters()
    _workers()


def count(method: str, path: str, status: int, seconds: float) -> None:
    """Count a request."""
    _, requests = _counters()
    requests.labels(method, path, str(status)).observe(seconds)


def count_postings(statuses: Counter[str]) -> None:
    """Count labelled postings by their status."""
    for status, n in statuses.items():
        _postings(status).inc(n)


@lru_cache(maxsize=8)
def _postings(status: str) -> Any:
    return _counters()[0].labels(status)


def count_worker(sha256: str) -> None:
    """Count this process among those that answer with a model."""
    _workers().labels(sha256).set(1)


def forget(process: int) -> None:
    """Count a process that has ended no more; what it counted stays."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]


def exposition() -> Response:
    """Write all counts as Prometheus reads them."""
    from prometheus_client import (
        CONTENT_TYPE_LATEST,
        REGISTRY,
        CollectorRegistry,
        generate_latest,
        multiprocess,
    )

    registry = REGISTRY
    if _DIRECTORY in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

"""Uncertain postings on their way from requests to the review queue."""

import logging
import os
import threading
import time
import weakref
from collections.abc import Iterable

from api.database import Database
from classifier.corrections import QueueEntry
from classifier.errors import DatabaseError
from classifier.labels import Label
from classifier.review import DOUBTFUL, doubt_of

WAITING = 1_000
"""How many entries wait to be written in a process; more are let go."""

LONGEST = 20_000
"""Characters of a posting that is kept for review; nobody reads longer ones."""

ANY_CONFIDENCE = 2.0
"""The threshold for labels that were asked for without one."""

_EVERY = 1.0  # seconds between writes
_QUIET = 60.0  # seconds between lines of log about a database that does not answer

logger = logging.getLogger("jobtitle.database")


def entry_of(title: str, description: str, label: Label, threshold: float) -> QueueEntry | None:
    """Return what the review queue shall keep of a posting, None if its label is sure enough.

    Parameters
    ----------
    title, description
        The posting.
    label
        What it was said to be.
    threshold
        From this confidence on, 0-1, it is not for the model that a label is unknown, but for a
        threshold of the request's own; `ANY_CONFIDENCE` if it had none.
    """
    if label.confidence is None or label.basis == "correction":
        return None
    if label.status == "labelled" and label.confidence >= DOUBTFUL:
        return None
    if len(title) + len(description) > LONGEST:
        return None
    candidates = [(own.department, own.confidence) for own in label.candidates]
    candidates = candidates or [(label.department or "", label.confidence)]
    is_unknown = label.status == "unknown" and label.confidence < threshold
    status = "unknown" if is_unknown else "labelled"
    doubt = doubt_of({"status": status}, candidates)
    if doubt is None:
        return None
    return QueueEntry(
        title,
        description,
        label.department,
        label.role,
        doubt.confidence,
        doubt.reason,
    )


class Doubts:
    """Entries on their way to the review queue; requests never wait for it.

    A thread writes them each second; those that come faster than that can be done are let go.

    Parameters
    ----------
    database
        Keeps the queue; nothing is kept if None.
    limit
        How many entries the queue holds; nothing is kept if 0.
    """

    def __init__(self, database: Database | None, limit: int) -> None:
        self._database = database if limit else None
        self._limit = limit
        self._begin()
        own = weakref.ref(self)

        def begin() -> None:  # threads stay behind in the parent
            doubts = own()
            if doubts is not None:
                doubts._begin()

        os.register_at_fork(after_in_child=begin)

    def _begin(self) -> None:
        self._waiting: list[QueueEntry] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._told = float("-inf")

    @property
    def is_kept(self) -> bool:
        """Whether uncertain postings are kept at all."""
        return self._database is not None

    def add(self, entries: Iterable[QueueEntry | None]) -> None:
        """Take entries along; it returns at once and never fails."""
        found = [entry for entry in entries if entry is not None]
        if self._database is None or not found:
            return
        with self._lock:
            self._waiting += found[: WAITING - len(self._waiting)]
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="doubts", daemon=True)
                self._thread.start()

    def _write(self) -> None:
        while True:
            time.sleep(_EVERY)
            self.flush()

    def flush(self) -> None:
        """Write what waits; what the database does not take is lost."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if not waiting or self._database is None:
            return
        try:
            self._database.store.enqueue(waiting, self._limit)
        except DatabaseError as error:
            if time.monotonic() - self._told > _QUIET:
                self._told = time.monotonic()
                logger.warning("uncertain postings cannot be kept for review: %s", error)

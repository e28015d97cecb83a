"""What people said titles are, found by title: what a model asks before it answers."""

import hashlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from classifier.catalogue import title_key
from classifier.errors import DatabaseError
from classifier.labels import Corrected

_EVERY = 0.25
"""How many seconds what is known is taken for the latest."""

_PATIENCE = 2.0
"""How many seconds a request waits for a database that has answered so far."""

_BACK_OFF = 5.0
"""How many seconds a database that does not answer is left alone."""

_QUIET = 60.0
"""How many seconds pass before it is said again that a database does not answer."""

_IDLE = 60.0
"""How many seconds the thread that looks waits for somebody who wants it to."""

_LOG = logging.getLogger("classifier.corrections")


def text_key(text: str) -> str:
    """Return what two copies of a description have in common: single spaces."""
    return " ".join(text.split())


def posting_key(title: str, description: str) -> str:
    """Tell postings apart by a digest of title and description, 32 hexadecimal digits."""
    posting = f"{title_key(title)}\0{text_key(description)}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(posting, digest_size=16).hexdigest()


class Said(NamedTuple):
    """What a person said of a posting."""

    title: str
    description: str
    corrected: Corrected


@dataclass(frozen=True)
class Snapshot:
    """What had been said at one moment; it is never changed, and can be pickled.

    Parameters
    ----------
    version
        Another number for what was said at another moment.
    by_title, by_bare_title, by_posting
        The latest by `title_key`; of those without a description alone; and by `posting_key`.
    """

    version: int = 0
    by_title: dict[str, Corrected] = field(default_factory=dict)
    by_bare_title: dict[str, Corrected] = field(default_factory=dict)
    by_posting: dict[str, Corrected] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.by_posting)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of all that it would answer; empty if that is nothing."""
        if not self:
            return ""
        content = (sorted(self.by_title.items()), sorted(self.by_posting.items()))
        return hashlib.sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest()

    def updated(self, said: Iterable[Said], version: int) -> "Snapshot":
        """Return it with what was said since, oldest first."""
        new = Snapshot(
            version, dict(self.by_title), dict(self.by_bare_title), dict(self.by_posting)
        )
        for title, description, corrected in said:
            key = title_key(title)
            new.by_posting[posting_key(title, description)] = corrected
            if key:
                new.by_title[key] = corrected
            if key and not text_key(description):
                new.by_bare_title[key] = corrected
        return new

    def find(
        self, titles: Sequence[str], descriptions: Sequence[str] | None
    ) -> dict[int, Corrected]:
        """Find the postings that were corrected; see `classifier.labels.Corrections`.

        Without a description, the latest of the title counts; with one, that of the same posting,
        else the latest of the title that had none.
        """
        if not self.by_posting:
            return {}
        if descriptions is None:
            keys = map(title_key, titles)
            return {n: self.by_title[key] for n, key in enumerate(keys) if key in self.by_title}
        found = {}
        for n, (title, description) in enumerate(zip(titles, descriptions, strict=True)):
            key = title_key(title)
            if key and key not in self.by_title:
                continue
            if not description or description.isspace():
                said = self.by_title.get(key)
            else:
                said = self.by_posting.get(posting_key(title, description))
                said = said or self.by_bare_title.get(key)
            if said is not None:
                found[n] = said
        return found


class Live:
    """What has been said up to now, looked up again and again.

    A labelling request never fails by it: a thread of its own asks the database, so that one that
    does not answer holds nobody up for long, and what is known goes on to count.

    Parameters
    ----------
    known
        What had been said at first.
    refreshed
        Takes what is known, and returns what is known now; may raise a DatabaseError.
    changed
        Returns another number when something was said that must be known at once.
    """

    def __init__(
        self,
        known: Snapshot,
        refreshed: Callable[[Snapshot], Snapshot],
        changed: Callable[[], int] | None = None,
    ) -> None:
        self._known = known
        self._changes = 0
        self._refreshed = refreshed
        self._changed = changed or (lambda: 0)
        self._told = float("-inf")
        self._begin()
        own = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_again(own()))

    def _begin(self) -> None:
        """Begin to look in this process: threads and locks do not come along into a forked one."""
        self._state = threading.Condition()
        self._wanted = self._done = 0  # how many looks were asked for, and how many are over
        self._is_well, self._is_looking = True, False
        self._number, self._due = -1, float("-inf")

    @property
    def version(self) -> int:
        """Another number after every change that is seen."""
        self._latest()
        return self._changes

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all that it would answer; see `Snapshot.fingerprint`."""
        return self._latest().fingerprint

    def find(
        self, titles: Sequence[str], descriptions: Sequence[str] | None
    ) -> dict[int, Corrected]:
        """Find the postings that were corrected; see `Snapshot.find`."""
        return self._latest().find(titles, descriptions)

    def _latest(self) -> Snapshot:
        """Return what is known, after a look at the database if it is time for one."""
        number = self._changed()
        with self._state:
            now = time.monotonic()
            if number != self._number or now >= self._due:
                self._number, self._due = number, now + _EVERY
                self._wanted += 1
                self._look()
            if self._is_well:
                asked = self._wanted
                self._is_well = self._state.wait_for(lambda: self._done >= asked, _PATIENCE)
            return self._known

    def _look(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            threading.Thread(target=self._keep_looking, name="corrections", daemon=True).start()
        self._state.notify_all()

    def _keep_looking(self) -> None:
        """Look as often as asked to, until nobody has for a while."""
        state = self._state
        while True:
            with state:
                if not state.wait_for(lambda: self._wanted > self._done, _IDLE):
                    self._is_looking = False
                    return
                asked = self._wanted
            known, is_well = self._known, True
            try:
                known = self._refreshed(known)
            except Exception as error:
                is_well = False
                self._tell(error)
            with state:
                self._changes += known is not self._known
                self._known, self._done, self._is_well = known, asked, is_well
                if not is_well:
                    self._due = time.monotonic() + _BACK_OFF
                state.notify_all()

    def _tell(self, error: Exception) -> None:
        """Say that the database does not answer, but not every time; errors name no titles."""
        now = time.monotonic()
        if now >= self._told + _QUIET:
            self._told = now
            reason = str(error) if isinstance(error, DatabaseError) else type(error).__name__
            _LOG.warning("corrections are not up to date: %s", reason)


def _begin_again(live: Live | None) -> None:
    if live is not None:
        live._begin()

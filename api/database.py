"""Corrections and the review queue, as the processes of the service share them."""

import logging
import mmap
import os
from collections.abc import Sequence
from functools import lru_cache

from api.settings import Settings
from classifier.corrections import Correction, CorrectionStore
from classifier.errors import DatabaseError
from classifier.labels import Corrections

logger = logging.getLogger("jobtitle.database")


class Database:
    """Where the service keeps corrections and the postings that wait for one.

    The processes share a bell: a number that is another one after every correction, so that each
    of them knows of it with its next request.

    Parameters
    ----------
    store
        Keeps them.
    """

    def __init__(self, store: CorrectionStore) -> None:
        self.store = store
        self._bell = _bell()

    @classmethod
    def open(cls, settings: Settings) -> "Database | None":
        """Open the database that is wanted.

        Returns
        -------
        Database or None
            None if none is wanted, or none was named and the usual place cannot be written to.

        Raises
        ------
        DatabaseError
            If one was named and cannot be opened.
        """
        try:
            store = CorrectionStore.find(settings.database_url or None, create=True)
        except DatabaseError as error:
            if settings.database_url:
                raise
            logger.warning("corrections cannot be recorded: %s", error)
            return None
        return None if store is None else cls(store)

    def live(self) -> Corrections:
        """Return what was corrected up to now, for a model to ask.

        Raises
        ------
        DatabaseError
            If it cannot be read.
        """
        return self.store.live(self._heard)

    def add(self, corrections: Sequence[Correction]) -> list[Correction]:
        """Record corrections; when it returns they are kept, and hold in all processes.

        Raises
        ------
        DatabaseError
            If they cannot be recorded; none of them is, then.
        """
        stored = self.store.add(corrections)
        # two that ring at once leave one of two numbers, and either is another than before
        self._bell[:] = os.urandom(8)
        return stored

    def _heard(self) -> int:
        return int.from_bytes(self._bell[:])


@lru_cache(maxsize=1)
def _bell() -> mmap.mmap:
    """Return memory that this process shares with all that are forked of it."""
    return mmap.mmap(-1, 8)

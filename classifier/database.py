"""The rows of corrections in a database: written in order, read as of one moment."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from classifier.engines import (
    WAITING,
    WRITES,
    in_one_line,
    is_file,
    make_engine,
    make_file,
    name_of,
    parsed,
)
from classifier.errors import DatabaseError
from classifier.schema import CORRECTIONS, QUEUE, REVISION, VERSION, migrate, version_of

Row = dict[str, Any]

_SOME = 500
"""How many values stand in one question: SQLite may take no more than 999."""

_FORGETTING = 5
"""How many seconds a deletion waits for those who still read what was there before."""

_MOST = 2_000_000_000
"""How often a posting of the queue is counted."""


class News(NamedTuple):
    """What was said since a revision.

    Parameters
    ----------
    revision
        Up to which one.
    is_all
        Whether the rows are all there are: something was deleted, or it is another database.
    rows
        Oldest first.
    """

    revision: int
    is_all: bool
    rows: list[Row]


class Database:
    """Tables of corrections and of a review queue.

    Parameters
    ----------
    url, engine
        Where they are, and what connects to them.
    """

    def __init__(self, url: URL, engine: Engine) -> None:
        self._url = url
        self._engine = engine

    @property
    def name(self) -> str:
        """Where the tables are, without a password."""
        return name_of(self._url)

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open a database, and make its tables or bring them up to date.

        Raises
        ------
        DatabaseError
            If it cannot be opened, or a newer version of this program made it.
        """
        own = parsed(url)
        if is_file(own):
            make_file(own)
        database = cls(own, make_engine(own))
        try:
            with in_one_line(own):
                database._bring_up_to_date()
        except DatabaseError:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close the connections that nobody uses; the next use makes new ones."""
        self._engine.dispose()

    def _bring_up_to_date(self) -> None:
        """Migrate unless it is done; try again while another process is at it."""
        end = time.monotonic() + WAITING
        while True:
            try:
                with self._engine.connect() as connection:
                    if version_of(connection) == VERSION:
                        return
                with self._engine.execution_options(**WRITES).begin() as connection:
                    migrate(connection)
                return
            except DatabaseError as error:
                raise DatabaseError(f"{self.name}: {error}") from error
            except (SQLAlchemyError, sqlite3.Error) as error:
                if not _passes(error) or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    @contextmanager
    def _writing(self, n_changes: int) -> Iterator[tuple[Connection, int]]:
        """Begin to write, after all who have begun before, and give the last revision."""
        last = select(REVISION.c.number)
        moved = update(REVISION).values(number=REVISION.c.number + n_changes)
        engine = self._engine.execution_options(**WRITES)
        with in_one_line(self._url), engine.begin() as connection:
            connection.execute(moved)
            yield connection, connection.execute(last).scalar_one() - n_changes

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with in_one_line(self._url), self._engine.connect() as connection:
            yield connection

    def add(self, rows: Sequence[Row]) -> list[Row]:
        """Write rows of `CORRECTIONS`, but for their revisions, in a transaction.

        Parameters
        ----------
        rows : sequence of shape (n_rows,)
            One whose digest is there already makes that the latest.

        Returns
        -------
        list of n_rows dict
            As they stand there now.

        Raises
        ------
        DatabaseError
            If they could not be written.
        """
        digests = [row["digest"] for row in rows]
        with self._writing(len(rows)) as (connection, last):
            # nobody else writes until this is over: what is not there now will not be there
            found = _found(connection, CORRECTIONS.c.digest, digests)
            there = {row["digest"]: row for row in found}
            kept: dict[str, Row] = {}
            for number, row in enumerate(rows, last + 1):
                own = kept.get(row["digest"]) or there.get(row["digest"]) or row
                said = row["said"] if own["said"] is None else own["said"]
                kept[row["digest"]] = {**own, "at": row["at"], "said": said, "revision": number}
            new = [row for digest, row in kept.items() if digest not in there]
            again = [
                {f"own_{name}": kept[digest][name] for name in ("id", "at", "said", "revision")}
                for digest in there
            ]
            if new:
                connection.execute(insert(CORRECTIONS), new)
            if again:
                connection.execute(_SAID_AGAIN, again)
            _settle(connection, rows)
        return [kept[digest] for digest in digests]

    def rows(self) -> Iterator[Row]:
        """Go through the rows of `CORRECTIONS` as of one moment, oldest first.

        Raises
        ------
        DatabaseError
            If they cannot be read.
        """
        with self._reading() as connection:
            wanted = select(CORRECTIONS).order_by(CORRECTIONS.c.revision)
            result = connection.execute(wanted, execution_options={"yield_per": _SOME})
            yield from map(dict, result.mappings())

    def since(self, revision: int) -> News:
        """Return what was said since a revision, 0 for the beginning.

        Raises
        ------
        DatabaseError
            If it cannot be read.
        """
        own = CORRECTIONS.c
        with self._reading() as connection:
            last = connection.execute(select(REVISION.c.number, REVISION.c.deleted)).one()
            if last.number == revision:
                return News(revision, is_all=False, rows=[])
            wanted = select(own.title, own.description, own.department, own.role)
            is_all = revision < last.deleted or revision > last.number
            if not is_all:
                wanted = wanted.where(own.revision > revision)
            rows = connection.execute(wanted.order_by(own.revision)).mappings()
            return News(last.number, is_all, [dict(row) for row in rows])

    def delete(self, wanted: Mapping[str, str]) -> int:
        """Delete corrections by the values of some columns, and postings of the same titles.

        Parameters
        ----------
        wanted
            Columns of `CORRECTIONS` to values; all rows, of the queue too, if there are none.

        Returns
        -------
        int
            How many rows there were, those of the queue among them.

        Raises
        ------
        DatabaseError
            If they could not be deleted.
        """
        chosen = [CORRECTIONS.c[name] == value for name, value in wanted.items()]
        with self._writing(1) as (connection, last):
            titles = set(connection.scalars(select(CORRECTIONS.c.title_digest).where(*chosen)))
            titles |= {wanted[name] for name in wanted if name == "title_digest"}
            n_rows = connection.execute(delete(CORRECTIONS).where(*chosen)).rowcount
            if wanted:
                n_rows += _delete(connection, QUEUE.c.title_digest, titles)
            else:
                n_rows += connection.execute(delete(QUEUE)).rowcount
            connection.execute(update(REVISION).values(deleted=last + 1))
        self._forget()
        return n_rows

    def _forget(self) -> None:
        """See to it that no file of SQLite holds what was deleted.

        That it is overwritten where it stood is not enough: pages that were put in order may have
        left copies. So the file is written anew, and the journal emptied.
        """
        if not is_file(self._url):
            return
        with in_one_line(self._url), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA temp_store = MEMORY")
            cursor.execute("VACUUM")
            cursor.execute(f"PRAGMA busy_timeout = {_FORGETTING * 1000}")
            if cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise DatabaseError(
                    f"{self.name}: deleted, but another program still reads what was there "
                    "before; delete it again when that has ended, for its text to be gone"
                )

    def enqueue(self, rows: Sequence[Row], limit: int) -> None:
        """Write rows of `QUEUE`, but for what they are worth; those there already count on.

        Parameters
        ----------
        rows
            With different ids.
        limit
            How many rows stay at most: those worth most.

        Raises
        ------
        DatabaseError
            If they could not be written.
        """
        with self._writing(0) as (connection, _):
            rows = _uncorrected(connection, rows)
            there = {
                row["id"]: row["count"]
                for row in _found(connection, QUEUE.c.id, [row["id"] for row in rows])
            }
            _delete(connection, QUEUE.c.id, there)
            new = []
            for row in rows:
                count = min(row["count"] + there.get(row["id"], 0), _MOST)
                new.append({**row, "count": count, "worth": count * (1 - row["confidence"])})
            if new:
                connection.execute(insert(QUEUE), new)
            n_rows = connection.execute(select(func.count()).select_from(QUEUE)).scalar_one()
            if n_rows > limit:
                least = select(QUEUE.c.id).order_by(QUEUE.c.worth, QUEUE.c.at)
                ids = connection.scalars(least.limit(n_rows - limit)).all()
                _delete(connection, QUEUE.c.id, ids)

    def queue(self, limit: int, offset: int) -> list[Row]:
        """Return rows of `QUEUE`, those worth most first.

        Raises
        ------
        DatabaseError
            If they cannot be read.
        """
        order = (QUEUE.c.worth.desc(), QUEUE.c.at, QUEUE.c.id)
        with self._reading() as connection:
            wanted = select(QUEUE).order_by(*order).limit(limit).offset(offset)
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def dismiss(self, ids: Sequence[str]) -> int:
        """Delete rows of `QUEUE`; return how many there were.

        Raises
        ------
        DatabaseError
            If they could not be deleted.
        """
        with self._writing(0) as (connection, _):
            return _delete(connection, QUEUE.c.id, ids)


_SAID_AGAIN = (
    update(CORRECTIONS)
    .where(CORRECTIONS.c.id == bindparam("own_id"))
    .values({name: bindparam(f"own_{name}") for name in ("at", "said", "revision")})
)


def _some(values: Iterable[str]) -> Iterator[list[str]]:
    """Hand values out, no more than a question holds at a time."""
    left = iter(values)
    while own := list(islice(left, _SOME)):
        yield own


def _found(connection: Connection, column: Column[str], values: Iterable[str]) -> Iterator[Row]:
    """Return the rows that have one of some values in a column."""
    for own in _some(values):
        found = connection.execute(select(column.table).where(column.in_(own)))
        yield from map(dict, found.mappings().all())


def _delete(connection: Connection, column: Column[str], values: Iterable[str]) -> int:
    """Delete the rows that have one of some values in a column; return how many there were."""
    return sum(
        connection.execute(delete(column.table).where(column.in_(own))).rowcount
        for own in _some(values)
    )


def _settle(connection: Connection, rows: Sequence[Row]) -> None:
    """Take postings out of the queue that corrections answer."""
    _delete(connection, QUEUE.c.id, [row["posting"] for row in rows])
    bare = {row["title_digest"] for row in rows if not row["description"]}
    _delete(connection, QUEUE.c.title_digest, bare)
    for own in _some({row["title_digest"] for row in rows} - bare):
        # the latest correction of a title counts where there is no description
        connection.execute(
            delete(QUEUE).where(QUEUE.c.title_digest.in_(own), QUEUE.c.description == "")
        )


def _uncorrected(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the queue that no correction answers."""
    own = CORRECTIONS.c
    postings, bare, titles = set(), set(), set()
    for digests in _some({row["title_digest"] for row in rows}):
        wanted = select(own.posting, own.title_digest, (own.description == "").label("is_bare"))
        for found in connection.execute(wanted.where(own.title_digest.in_(digests))):
            postings.add(found.posting)
            titles.add(found.title_digest)
            bare |= {found.title_digest} if found.is_bare else set()
    return [
        row
        for row in rows
        if row["id"] not in postings
        and row["title_digest"] not in (bare if row["description"] else titles)
    ]


def _passes(error: Exception) -> bool:
    """Return whether something went wrong because another process makes the tables."""
    return any(word in str(error).casefold() for word in ("locked", "already exists"))

"""Databases by their addresses: opened so that what is written stays, with errors in one line."""

import os
import sqlite3
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from classifier.errors import DatabaseError

WAITING = 30
"""How many seconds a writer waits for the others."""

WRITES = {"writes": True}
"""The execution options of a connection that will write."""

_CONNECTING = 5
"""How many seconds a server may take to let one in."""

_POSTGRESQL = ("postgresql", "postgres")

_PLAINLY = {
    "attempt to write a readonly database": "it may only be read",
    "unable to open database file": "it cannot be opened",
    "database or disk is full": "the disk is full",
    "disk i/o error": "the disk cannot be written",
    "database is locked": f"another program has held it for more than {WAITING} seconds",
    "file is not a database": "this is no SQLite database",
    "database disk image is malformed": "the file is damaged; take the last good copy",
}


def parsed(url: str) -> URL:
    """Read the address of a database.

    Parameters
    ----------
    url
        Such as ``sqlite:///corrections.sqlite3`` or ``postgresql://user:password@host/name``.

    Returns
    -------
    URL
        With the driver that is used.

    Raises
    ------
    DatabaseError
        If it is no address, or one of a database that would be forgotten.
    """
    try:
        own = make_url(url.strip())
    except (ArgumentError, ValueError) as error:  # it is not repeated: there may be a password
        raise DatabaseError(
            "the address of the database is not understood; that of a file is "
            "sqlite:///corrections.sqlite3, of a server postgresql://user:password@host/name"
        ) from error
    if own.drivername in _POSTGRESQL:
        own = own.set(drivername="postgresql+psycopg")
    if is_file(own) and own.database in (None, "", ":memory:"):
        raise DatabaseError("a database in memory is soon forgotten; name a file")
    return own


def is_file(url: URL) -> bool:
    """Return whether a database is a file of SQLite."""
    return url.get_backend_name() == "sqlite"


def name_of(url: URL) -> str:
    """Return what messages call a database: its address without a password."""
    if is_file(url):
        return str(url.database)
    plain = url.set(drivername=url.get_backend_name(), query={})
    return plain.render_as_string(hide_password=True)


def make_engine(url: URL) -> Engine:
    """Make what connects to a database; nothing is opened yet.

    Its connections are closed for a forked process, which makes its own.

    Raises
    ------
    DatabaseError
        If there is no library for it.
    """
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 2, "max_overflow": 30}
    if is_file(url):
        options = {"poolclass": NullPool}
    elif url.drivername == "postgresql+psycopg":
        # a network that has gone away is noticed within seconds, too
        options |= {"isolation_level": "READ COMMITTED"}
        options["connect_args"] = {"connect_timeout": _CONNECTING, "tcp_user_timeout": 10_000}
    try:
        engine = create_engine(url, hide_parameters=True, **options)
    except NoSuchModuleError as error:
        raise DatabaseError(f"{name_of(url)}: no such kind of database is known") from error
    except ModuleNotFoundError as error:
        raise DatabaseError(f"{name_of(url)}: {_missing(error)}") from error
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise DatabaseError(f"{name_of(url)}: the address is not understood") from error
    if is_file(url):
        event.listen(engine, "connect", _prepare_file)
        event.listen(engine, "begin", _begin)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _prepare_postgresql)
    _close_in_forked(engine)
    return engine


def _missing(error: ModuleNotFoundError) -> str:
    if error.name in ("psycopg", "psycopg_binary", "psycopg_c"):
        return "PostgreSQL needs psycopg: pip install 'jobtitle-classifier[postgresql]'"
    return f"needs the Python package {error.name}, which is not installed"


def _prepare_file(connection: sqlite3.Connection, _record: object) -> None:
    """Let writers wait for each other, and readers not at all; what is committed is on the disk."""
    connection.isolation_level = None  # transactions begin where SQLAlchemy says so
    connection.execute(f"PRAGMA busy_timeout = {WAITING * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten


def _begin(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, _record: object) -> None:
    """See to it that what is committed is on the disk, however the server is set up."""
    cursor = connection.cursor()
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.close()
    connection.commit()


def _close_in_forked(engine: Engine) -> None:
    """Let a forked process leave the connections alone that it has come by."""
    own = weakref.ref(engine)

    def leave() -> None:
        here = own()
        if here is not None:
            here.dispose(close=False)

    os.register_at_fork(after_in_child=leave)


def make_file(url: URL) -> None:
    """Make the file of a database if it is not there, for nobody else to read.

    Raises
    ------
    DatabaseError
        If it cannot be made.
    """
    path = Path(str(url.database))
    if path.exists() or str(path).startswith("file:"):
        return
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseError(f"{path}: cannot be made ({error.strerror})") from error


@contextmanager
def in_one_line(url: URL) -> Iterator[None]:
    """Turn what goes wrong into a DatabaseError of one line, without password or title.

    Raises
    ------
    DatabaseError
        If the database cannot be opened, read or written.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise DatabaseError(f"{name_of(url)}: {_reason(error, url)}") from error
    except sqlite3.Error as error:
        raise DatabaseError(f"{name_of(url)}: {_plainly(str(error))}") from error


def _reason(error: SQLAlchemyError, url: URL) -> str:
    original = error.orig if isinstance(error, DBAPIError) else None
    if original is None:
        return f"cannot be used ({type(error).__name__})"
    diagnosis = getattr(original, "diag", None)  # of PostgreSQL: without the row's values
    message = getattr(diagnosis, "message_primary", None) or str(original)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    reason = _plainly(lines[0] if lines else type(original).__name__)
    for secret in _secrets(url):
        reason = reason.replace(secret, "***")
    return reason


def _plainly(message: str) -> str:
    return next((own for said, own in _PLAINLY.items() if said in message.casefold()), message)


def _secrets(url: URL) -> list[str]:
    """Return what of an address nobody shall read."""
    query: Mapping[str, Any] = url.query
    values = [url.password, *(v for key, v in query.items() if "pass" in key.casefold())]
    return [str(value) for value in values if value]

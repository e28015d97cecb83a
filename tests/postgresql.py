"""A PostgreSQL server of the tests' own, for as long as they take."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

_WITHIN = 60
"""Seconds that it may take to start."""


def programs() -> Path | None:
    """Return the directory of its programs, None if it is not installed."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian's
    return next((own for own in places if (own / "initdb").exists()), None)


@contextmanager
def server(own: Path) -> Iterator[str]:
    """Make a cluster and serve it on a socket in a directory of its own.

    Yields
    ------
    str
        The address of an empty database.
    """
    # it refuses to be run by root, and does not come by what pytest makes
    as_whom: dict[str, Any] = {}
    directory = Path(tempfile.mkdtemp(prefix="jobtitle-pg-"))
    try:
        if os.getuid() == 0:
            as_whom = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(directory, "postgres", "postgres")
        made = [own / "initdb", "-D", directory / "data", "-U", "postgres", "--auth=trust"]
        made += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd=directory, **as_whom)
        command = [own / "postgres", "-D", directory / "data", "-k", directory, "-h", ""]
        with (
            (directory / "log").open("wb") as log,
            subprocess.Popen(
                command, stdout=log, stderr=log, cwd=directory, start_new_session=True, **as_whom
            ) as process,
        ):
            try:
                _wait(directory, process)
                yield f"postgresql://postgres@/postgres?host={directory}"
            finally:
                process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _wait(directory: Path, process: "subprocess.Popen[bytes]") -> None:
    import psycopg

    end = time.monotonic() + _WITHIN
    while True:
        try:
            psycopg.connect(f"host={directory} user=postgres dbname=postgres").close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((directory / "log").read_text("utf-8")) from None
            time.sleep(0.05)


def create_schema(address: str) -> str:
    """Create a schema, which takes less than a database; return the address of its tables."""
    import psycopg

    name = f"own_{uuid4().hex}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{address}&options=-csearch_path%3D{name}"

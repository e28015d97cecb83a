"""What tests share: the shipped model, and the command line run as a user would run it."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from classifier import JobTitleClassifier, load_model
from classifier.cli import main
from tests import postgresql

ROOT = Path(__file__).resolve().parent.parent

os.environ["JOBTITLE_DATABASE_URL"] = "none"  # no test shall touch the user's own corrections


@dataclass(frozen=True)
class Run:
    """What a command left behind."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


Jobtitle = Callable[..., Run]


@pytest.fixture(scope="session")
def model() -> JobTitleClassifier:
    return load_model()


@pytest.fixture
def jobtitle(model: JobTitleClassifier, monkeypatch: pytest.MonkeyPatch) -> Jobtitle:  # noqa: ARG001 - trained before it is used
    """Run the command line on real files and streams, and keep what it wrote."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Run:
        out, err = io.BytesIO(), io.BytesIO()
        code: object = 0
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["jobtitle", *map(str, arguments)])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            patch.setattr(sys, "stdout", io.TextIOWrapper(out, "utf-8", write_through=True))
            patch.setattr(sys, "stderr", io.TextIOWrapper(err, "utf-8", write_through=True))
            try:
                main()
            except SystemExit as stop:
                code = stop.code
            left = out.getvalue(), err.getvalue().decode()
        assert isinstance(code, int)
        return Run(code, *left)

    return run


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Return the address of a database on a PostgreSQL server."""
    programs = postgresql.programs()
    if programs is None:
        pytest.skip("no PostgreSQL is installed: its tests are left out")
    with postgresql.server(programs) as address:
        yield address


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in a line each why tests were left out."""
    skipped = terminalreporter.stats.get("skipped", ())
    for reason in sorted({own.longrepr[2] for own in skipped if isinstance(own.longrepr, tuple)}):
        terminalreporter.write_line(reason)

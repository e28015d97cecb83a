"""Corrections: kept by SQLite and PostgreSQL whatever happens, and answered at once."""

import csv
import io
import json
import logging
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text

from classifier import JobTitleClassifier, engines, matching, outputs, schema
from classifier.corrections import (
    MAX_TITLE,
    Correction,
    CorrectionStore,
    QueueEntry,
    latest,
)
from classifier.database import Database
from classifier.engines import WRITES, make_engine, parsed
from classifier.errors import DatabaseError, InputError
from classifier.labels import Corrected
from tests.benchmarks.corrections import faults, torn
from tests.conftest import ROOT, Jobtitle
from tests.postgresql import create_schema

TITLE = "Zebrakoordinator Norden"
IT = "information_technology"

Open = Callable[[str], CorrectionStore]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'corrections.sqlite3'}"
    return create_schema(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def opened() -> Iterator[Open]:
    """Open databases, and close them in the end."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(CorrectionStore.open(url))


@pytest.fixture
def store(url: str, opened: Open) -> CorrectionStore:
    return opened(url)


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'corrections.sqlite3'}"


def titles(store: CorrectionStore) -> list[str]:
    return [one.title for one in store.all()]


def test_all_that_is_said_is_kept(store: CorrectionStore, url: str) -> None:
    """Another process that opens the database reads every field as it was written."""
    said = {"department": None, "confidence": 0.25, "model": "å"}
    long = Correction("Å" * MAX_TITLE, "it", "text\r\n" * 30_000, "developer", "Åsa", said)
    before = datetime.now(UTC)
    kept = store.add([Correction("Lönechef", "payroll"), long])
    with CorrectionStore.open(url) as other:
        short, own = other.all()
    assert kept == [short, own]
    assert (short.title, short.description, short.role, short.who) == ("Lönechef", "", None, "")
    assert (own.title, own.description, own.role) == (
        long.title,
        long.description.strip(),
        long.role,
    )
    assert (own.who, own.said) == ("Åsa", said)
    assert own.id is not None and UUID(own.id) != UUID(short.id or "")
    assert own.at is not None and before <= own.at <= datetime.now(UTC)
    assert own.at.utcoffset() == timedelta(0)


def test_the_same_twice_is_one(store: CorrectionStore) -> None:
    """What a person says again, in another spelling, stays one correction but is the latest."""
    said = {"department": "it"}
    first = store.add([Correction("Kock", "sales", who="a", said=said)])[0]
    store.add([Correction("Kock", "hr", who="b")])
    assert store.snapshot().find(["KOCK"], None) == {0: Corrected("hr")}
    again = store.add(
        [Correction(" kock ", "sales", who="a"), Correction("kock", "sales", who="a")]
    )
    assert [(one.id, one.title, one.said) for one in again] == [(first.id, "Kock", said)] * 2
    assert [one.who for one in store.all()] == ["b", "a"]
    assert store.snapshot().find(["KOCK"], None) == {0: Corrected("sales")}


def test_all_or_nothing(store: CorrectionStore) -> None:
    """One that cannot be kept, of several, is named, and none of them is kept."""
    with pytest.raises(InputError, match="^correction 2: the title has 4,001 characters"):
        store.add([Correction("Kock", "hr"), Correction("x" * 4_001, "hr")])
    assert titles(store) == []
    assert store.add([]) == []


@pytest.mark.parametrize(
    ("correction", "fault"),
    [
        (Correction(" ", "hr", "\n"), "neither a title nor a description"),
        (Correction("Kock", " "), "the right department is missing"),
        (Correction("Kock", "x" * 201), "the department must be plain text of at most 200"),
        (Correction("Kock", "hr", who="\0"), "the who must be plain text"),
        (Correction("Ko\0ck", "hr"), "characters that cannot be kept"),
        (Correction("Kock", "hr", "\ud800"), "the description has characters that cannot be kept"),
        (Correction("Kock", "hr", "x" * 200_001), "200,000 can be kept"),
        (Correction("Kock", "hr", said={"department": "x" * 4_000}), "4,000 characters of JSON"),
    ],
)
def test_what_cannot_be_kept(correction: Correction, fault: str, file_url: str) -> None:
    """Texts that are too long, or that some database cannot hold, are refused in words."""
    with pytest.raises(InputError, match=fault):
        CorrectionStore.open(file_url).add([correction])


def test_which_correction_counts(store: CorrectionStore) -> None:
    """The latest of the title; with a description that of the posting, else of the bare title."""
    store.add(
        [
            Correction("Chef", "sales"),
            Correction("Chef", "hr", "Du leder  löner."),
            Correction("", "it", "Bara text."),
            Correction("Chef", "food", "Du lagar mat.", "chef"),
        ]
    )
    known = store.snapshot()
    assert known.find(["CHEF  ", "", "Koch"], None) == {0: Corrected("food", "chef")}
    asked = [
        ("chef", "Du leder\nlöner."),
        ("chef", "Något annat."),
        ("chef", "  "),
        ("", "Bara text."),
        ("", ""),
        ("Koch", "Bara text."),
    ]
    found = known.find(*map(list, zip(*asked, strict=True)))  # type: ignore[arg-type]
    assert found == {
        0: Corrected("hr"),
        1: Corrected("sales"),
        2: Corrected("food", "chef"),
        3: Corrected("it"),
    }
    assert len(known) == 4


def test_a_snapshot_tells_what_it_would_answer(store: CorrectionStore) -> None:
    """Its fingerprint is that of its answers: the same said again leaves it as it is."""
    empty = store.snapshot()
    assert (empty.version, empty.fingerprint) == (0, "")
    store.add([Correction("Kock", "hr")])
    first = store.snapshot()
    store.add([Correction("Kock", "hr")])
    assert store.snapshot().version > first.version > 0
    assert store.snapshot().fingerprint == first.fingerprint != ""
    store.add([Correction("Kock", "it")])
    assert store.snapshot().fingerprint != first.fingerprint


def test_latest() -> None:
    """What counts of several corrections of a posting is the last."""
    said = [Correction("Kock", "hr"), Correction("Chef", "it"), Correction("kock", "food")]
    assert latest(said) == said[1:]


def test_deleting(store: CorrectionStore) -> None:
    """By id, title, person, or all: gone for who reads, and from the review queue."""
    a, _, _, _ = store.add(
        [
            Correction("Kock", "hr", who="a"),
            Correction("kock", "hr", "text", who="b"),
            Correction("Chef", "hr", who="b"),
            Correction("Smed", "hr", who="b"),
        ]
    )
    store.enqueue([QueueEntry("Målare"), QueueEntry("Svets", "text")], 10)
    assert store.delete(id=a.id) == 1
    assert store.delete(id=a.id) == store.delete(title="Bagare") == 0
    assert store.delete(title="KOCK") == 1
    assert store.delete(who="b", title="chef") == 1
    assert titles(store) == ["Smed"]
    assert store.delete(title="svets") == 1
    assert [own.title for own in store.queue()] == ["Målare"]
    assert store.snapshot().find(["Kock", "Chef", "Smed"], None) == {2: Corrected("hr")}
    with pytest.raises(InputError, match="by id, title or who, or delete all"):
        store.delete()
    with pytest.raises(InputError, match="or delete all"):
        store.delete(id="x", everything=True)
    assert store.delete(everything=True) == 2
    assert (titles(store), store.queue()) == ([], [])


def test_deleted_text_leaves_the_files(file_url: str, tmp_path: Path) -> None:
    """No byte of a deleted title or description is left in the files, whatever moved about."""
    rng = random.Random(2)
    store = CorrectionStore.open(file_url)
    reader = CorrectionStore.open(file_url)
    marks = [f"Mark{n:04}{rng.randrange(10**9):09}" for n in range(1_000)]
    said = [Correction(m + "z" * rng.randrange(300), "hr", m * rng.randrange(99)) for m in marks]
    for start in range(0, 1_000, 100):
        store.add(said[start : start + 100])
    store.enqueue([QueueEntry(f"Queued{mark}") for mark in marks], 10_000)
    gone = rng.sample(range(1_000), 12)
    for n in gone:
        store.delete(title=said[n].title)
        store.delete(title=f"Queued{marks[n]}")
        reader.snapshot()
        store.add([Correction("new" + "y" * rng.randrange(900), "hr")])
    there = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [n for n in gone if marks[n].encode() in there] == []
    assert sum(mark.encode() in there for mark in marks) == 988


def test_a_reader_holds_deleted_text(
    file_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads from before a deletion keeps the text on the disk: that is said, and can be mended."""
    monkeypatch.setattr("classifier.database._FORGETTING", 0)
    store = CorrectionStore.open(file_url)
    store.add([Correction(f"{TITLE} {n}", "hr") for n in range(600)])
    reading = CorrectionStore.open(file_url).all()
    next(reading)
    with pytest.raises(DatabaseError, match="deleted, but another program still reads"):
        store.delete(everything=True)
    assert titles(store) == []
    del reading
    assert store.delete(everything=True) == 0
    there = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert TITLE.encode() not in there


def test_the_review_queue(store: CorrectionStore) -> None:
    """Each posting waits once, with a count, those first where one look mends most."""
    store.enqueue(
        [QueueEntry("Kock", confidence=0.5), QueueEntry("Chef", "text", "hr", "r", 0.75)], 9
    )
    store.enqueue([QueueEntry(" KOCK", confidence=0.9), QueueEntry("kock", confidence=0.9)], 9)
    store.enqueue([QueueEntry("Smed", confidence=0.2, reason="close", count=2)], 9)
    found = store.queue()
    assert [(own.title, own.count, own.reason) for own in found] == [
        ("Smed", 2, "close"),
        ("KOCK", 3, "unknown"),
        ("Chef", 1, "unknown"),
    ] or [own.title for own in found] == ["Smed", "kock", "Chef"]
    chef = found[2]
    assert (chef.description, chef.department, chef.role, chef.confidence) == (
        "text",
        "hr",
        "r",
        0.75,
    )
    assert chef.at is not None and chef.at.utcoffset() == timedelta(0)
    assert store.queue(1, 1) == [found[1]]
    assert store.dismiss([chef.id or "", "nothing"]) == 1
    assert store.dismiss([]) == 0
    assert store.queue() == found[:2]


def test_the_review_queue_is_bounded(store: CorrectionStore) -> None:
    """Beyond the limit those go where a look would mend least; what cannot be kept is passed over."""
    store.enqueue([QueueEntry(f"T{n}", count=n) for n in range(1, 1_200)], 500)
    assert [own.count for own in store.queue(1_000)] == list(range(1_199, 699, -1))
    store.enqueue([QueueEntry("x" * 4_001), QueueEntry(""), QueueEntry("\0")], 500)
    store.enqueue([QueueEntry("New", count=5_000)], 3)
    assert [own.title for own in store.queue()] == ["New", "T1199", "T1198"]


def test_what_is_corrected_waits_no_more(store: CorrectionStore) -> None:
    """A correction takes out what it answers, and what is answered does not come back."""
    waiting = [
        QueueEntry("Kock"),
        QueueEntry("Kock", "text"),
        QueueEntry("Chef"),
        QueueEntry("Chef", "text"),
        QueueEntry("Chef", "other"),
        QueueEntry("Smed"),
    ]
    store.enqueue(waiting, 99)
    store.add([Correction("kock", "hr"), Correction("chef", "hr", "text")])
    left = {("Chef", "other"), ("Smed", "")}
    assert {(own.title, own.description) for own in store.queue()} == left
    store.enqueue(waiting, 99)
    assert {(own.title, own.description, own.count) for own in store.queue()} == {
        (*own, 2) for own in left
    }


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_live_corrections_follow_the_database(
    store: CorrectionStore, url: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another says or deletes is seen at once if one is told, and soon if not."""
    monkeypatch.setattr(matching, "_EVERY", 1e9)
    number = [0]
    told = store.live(lambda: number[0])
    assert told.find([TITLE], None) == {}
    other = opened(url)
    other.add([Correction(TITLE, "hr"), Correction("Kock", "it")])
    assert told.find([TITLE], None) == {}
    version = told.version
    number[0] += 1
    assert told.find([TITLE], None) == {0: Corrected("hr")}
    assert told.version != version
    other.delete(title=TITLE)
    number[0] += 1
    assert told.find([TITLE, "Kock"], None) == {1: Corrected("it")}
    monkeypatch.setattr(matching, "_EVERY", 0.01)
    soon = store.live()
    other.add([Correction(TITLE, "sales")])
    until(lambda: soon.find([TITLE], None) == {0: Corrected("sales")})


def test_labelling_goes_on_without_the_database(
    store: CorrectionStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that is away costs no answer: the last state counts, and one line says so."""
    for name in ("_EVERY", "_BACK_OFF"):
        monkeypatch.setattr(matching, name, 0.0)
    store.add([Correction(TITLE, "hr")])
    live = store.live()
    assert live.find([TITLE], None) == {0: Corrected("hr")}
    looks = [0]
    since = Database.since

    def away(_own: Database, _revision: int) -> object:
        looks[0] += 1
        raise DatabaseError("sqlite: gone")

    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        patch.setattr(Database, "since", away)
        until(lambda: live.find([TITLE], None) == {0: Corrected("hr")} and looks[0] > 3)
    assert [record.getMessage() for record in caplog.records] == [
        "corrections are not up to date: sqlite: gone"
    ]
    assert Database.since is since
    store.add([Correction(TITLE, "it")])
    until(lambda: live.find([TITLE], None) == {0: Corrected("it")})


def test_a_database_that_hangs_holds_nobody_up(
    file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks while a look takes long waits a moment once, then gets the last state at once."""
    monkeypatch.setattr(matching, "_PATIENCE", 0.05)
    monkeypatch.setattr(matching, "_EVERY", 0.0)
    store = CorrectionStore.open(file_url)
    store.add([Correction(TITLE, "hr")])
    go_on = threading.Event()
    since = Database.since

    def slow(own: Database, revision: int) -> object:
        assert go_on.wait(20)
        return since(own, revision)

    live = store.live()
    with monkeypatch.context() as patch:
        patch.setattr(Database, "since", slow)
        for _ in range(3):
            assert live.find([TITLE], None) == {0: Corrected("hr")}
        store.add([Correction(TITLE, "it")])
        go_on.set()
        until(lambda: live.find([TITLE], None) == {0: Corrected("it")})


def _add(store: CorrectionStore, title: str) -> None:
    store.add([Correction(title, "hr")])


def test_a_store_crosses_forks(store: CorrectionStore) -> None:
    """Forked processes and the one they come from use a store that was open before."""
    live = store.live()
    assert live.find(["T0"], None) == {}
    context = get_context("fork")
    others = [context.Process(target=_add, args=(store, f"T{n}")) for n in range(3)]
    for own in others:
        own.start()
    _add(store, "T3")
    for own in others:
        own.join()
    assert [own.exitcode for own in others] == [0, 0, 0]
    assert sorted(titles(store)) == ["T0", "T1", "T2", "T3"]
    assert len(store.snapshot()) == 4
    until(lambda: len(live.find(["T0", "T1", "T2", "T3"], None)) == 4)


def _open_and_add(url: str, number: int) -> None:
    with CorrectionStore.open(url) as store:
        store.add([Correction(f"T{number}", "hr")])


def test_many_open_an_empty_database_at_once(url: str, opened: Open) -> None:
    """Eight processes that find no tables make them once, and each can write."""
    context = get_context("fork")
    others = [context.Process(target=_open_and_add, args=(url, n)) for n in range(8)]
    for own in others:
        own.start()
    for own in others:
        own.join()
    assert [own.exitcode for own in others] == [0] * 8
    store = opened(url)
    assert sorted(titles(store)) == [f"T{n}" for n in range(8)]
    assert store.snapshot().version == 8


def test_none_is_lost_or_doubled_when_one_is_killed(url: str, tmp_path: Path) -> None:
    """Four processes say 800 things, some the same; one is killed at random, and goes on."""
    directory = tmp_path / "acknowledged"
    directory.mkdir()
    _, was_killed = torn(url, directory, 4, 800, random.Random())
    assert was_killed
    assert faults(url, 4, 800) == []


def test_migrations_make_the_tables(url: str, opened: Open) -> None:
    """From nothing, and from the first tables with what is in them, all come to the same tables."""
    own = parsed(url)
    engine = make_engine(own)
    if own.get_backend_name() == "sqlite":
        engines.make_file(own)
    with engine.execution_options(**WRITES).begin() as connection:
        schema.migrate(connection, "0001")
    with engine.execution_options(**WRITES).begin() as connection:
        connection.execute(
            text(
                "INSERT INTO corrections VALUES ('an id', 'd', 1, '2026-01-02 03:04:05', 'Kock', "
                "'t', '', 'p', 'hr', NULL, 'Åsa', NULL)"
            )
        )
        connection.execute(text("UPDATE revision SET number = 1"))
    store = opened(url)
    (kept,) = store.all()
    assert (kept.title, kept.who) == ("Kock", "Åsa")
    assert kept.at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert store.queue() == []
    with engine.connect() as connection:
        assert schema.version_of(connection) == schema.VERSION
        assert compare_metadata(MigrationContext.configure(connection), schema.METADATA) == []
    engine.dispose()


def test_the_last_migration_is_known() -> None:
    """What the program takes for up to date is the last of the migrations."""
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_heads() == [schema.VERSION]


def test_newer_tables_are_refused(store: CorrectionStore, url: str) -> None:
    """A database that a newer version of the program made is left alone."""
    engine = make_engine(parsed(url))
    with engine.execution_options(**WRITES).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseError) as caught:
        CorrectionStore.open(url)
    assert str(caught.value).startswith(f"{store.name}: a newer version of this program made it")
    assert "9999" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense secret", "the address of the database is not understood"),
        ("sqlite://", "in memory"),
        ("sqlite:////proc/a.sqlite3", "/proc/a.sqlite3: cannot be made (No such file"),
        ("sqlite:///ROOT/README.md", "README.md: this is no SQLite database"),
        (
            "postgresql://u:secret@127.0.0.1:1/d",
            "postgresql://u:***@127.0.0.1:1/d: connection failed",
        ),
        ("postgres://u@127.0.0.1:1/d?password=secret", "connection failed"),
        ("postgresql://u:secret@h:port/d", "is not understood"),
        ("postgresql://u@127.0.0.1:1/d?no=secret", "invalid connection option"),
        ("nodb://u:secret@h/d", "nodb://u:***@h/d: no such kind of database is known"),
        ("mysql://u:secret@h/d", "mysql://u:***@h/d: needs the Python package MySQLdb"),
    ],
)
def test_databases_that_cannot_be_opened(url: str, message: str) -> None:
    """One line says which and why, and never the password."""
    with pytest.raises(DatabaseError) as caught:
        CorrectionStore.open(url.replace("ROOT", str(ROOT)))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value).replace('"secret"', "")


def test_no_psycopg(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library for PostgreSQL, the message says how to install it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseError, match="pip install 'jobtitle-classifier\\[postgresql\\]'"):
        CorrectionStore.open("postgresql://h/d")


def test_a_file_that_may_only_be_read(file_url: str) -> None:
    """It can be read, and what cannot be written is one line."""
    store = CorrectionStore.open(file_url)
    store.add([Correction(TITLE, "hr")])
    path = parsed(file_url).database
    reader = CorrectionStore.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert titles(reader) == [TITLE]
    with pytest.raises(DatabaseError, match="it may only be read$"):
        reader.add([Correction("Kock", "hr")])


def test_a_full_disk(file_url: str) -> None:
    """What finds no room is refused in one line, and what was there before stays."""
    store = CorrectionStore.open(file_url)
    store.add([Correction("Kock", "hr")])
    engine = store._database._engine

    @event.listens_for(engine, "connect")
    def fill(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 30")

    with pytest.raises(DatabaseError, match="corrections.sqlite3: the disk is full$"):
        store.add([Correction(TITLE, "hr", "text " * 30_000)])
    assert titles(store) == ["Kock"]
    store.add([Correction("Chef", "hr")])


def test_a_locked_file(file_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that never lets go of the file is waited for, but not for ever."""
    store = CorrectionStore.open(file_url)
    other = sqlite3.connect(parsed(file_url).database or "")
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(engines, "WAITING", 0)
    with pytest.raises(DatabaseError, match="another program has held it"):
        store.add([Correction("Kock", "hr")])
    assert titles(store) == []
    other.close()
    store.add([Correction("Kock", "hr")])


def test_a_file_is_for_its_owner(file_url: str, tmp_path: Path) -> None:
    """Titles are personal data: nobody else may read the files."""
    store = CorrectionStore.open(file_url)
    store.add([Correction("Kock", "hr")])
    reading = store.all()
    next(reading)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_server_goes_away_and_comes_back(postgresql_server: str, opened: Open) -> None:
    """Connections that the server has ended are made anew."""
    address = create_schema(postgresql_server)
    store = opened(address)
    other = make_engine(parsed(postgresql_server))
    with other.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
            )
        )
    other.dispose()
    store.add([Correction("Kock", "hr")])
    assert titles(store) == ["Kock"]


# from here on by the command line, as a user would


@pytest.fixture
def cli(jobtitle: Jobtitle, file_url: str, monkeypatch: pytest.MonkeyPatch) -> Jobtitle:
    """Run the command line with a database named by the environment."""
    monkeypatch.setenv("JOBTITLE_DATABASE_URL", file_url)
    return jobtitle


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Make a home for somebody who names no database."""
    monkeypatch.delenv("JOBTITLE_DATABASE_URL")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    yield tmp_path / "jobtitle" / "corrections.sqlite3"


def labelled(run: Jobtitle, *arguments: str) -> list[tuple[str, str, str]]:
    found = run("label", *arguments, "--json")
    assert found.code == 0, found.err
    return [(own["department"], own["role"], own["basis"]) for own in json.loads(found.text)]


def test_correct_and_ask_again(jobtitle: Jobtitle, model: JobTitleClassifier, url: str) -> None:
    """A corrected title is answered so at once, in any spelling; what the model had said is kept."""
    own = model.predict(["Lönechef"])[0]
    role = next(role for role in model.roles if role.department == IT)
    database = ("--database", url)
    done = jobtitle("correct", "Lönechef", "--department", "IT", "--who", "Åsa", *database)
    assert (done.code, done.err) == (0, "")
    assert done.text.startswith(f"recorded as {IT}; the model by itself says payroll, 0.")
    assert labelled(jobtitle, "LÖNECHEF", "Kock", *database)[0][::2] == (IT, "correction")
    named = ("--department", "it", "--role", role.names["sv"])
    jobtitle("correct", "Lönechef", *named, *database)
    assert labelled(jobtitle, " lönechef", *database) == [(IT, role.id, "correction")]
    assert labelled(jobtitle, "lönechef")[0][::2] == ("payroll", "model")
    first, second = json.loads(jobtitle("corrections", "list", "--json", *database).text)[::-1]
    assert (first["who"], first["department"], first["said"]["department"]) == (
        "Åsa",
        IT,
        "payroll",
    )
    assert first["said"]["confidence"] == pytest.approx(own.confidence, abs=1e-6)
    assert len(first["said"]["model"]) == 64
    assert (second["role"], second["said"]["department"]) == (role.id, "payroll")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("Kock", "--department", "payrol"),
            1,
            "unknown department 'payrol'; did you mean payroll?",
        ),
        (
            ("Kock", "--department", "it", "--role", "zzz"),
            1,
            "unknown role 'zzz' of information_technology",
        ),
        (("x" * 4_001, "--department", "it"), 1, "the title has 4,001 characters"),
        ((" ", "--department", "it"), 1, "neither a title nor a description"),
        (("Kock",), 2, "name a TITLE and its --department"),
        (("Kock", "--file", "a.csv"), 2, "a --file says itself what is corrected"),
        (("Kock", "--department", "it", "--title-column", "x"), 2, "are for a --file"),
        (("Kock", "--department", "it", "--database", "none"), 1, "corrections are turned off"),
    ],
)
def test_what_cannot_be_recorded(
    cli: Jobtitle, arguments: tuple[str, ...], code: int, message: str
) -> None:
    """One line says what is wrong, and what may be meant."""
    done = cli("correct", *arguments)
    assert done.code == code
    assert message in done.err
    assert cli("corrections", "list").text == "nothing has been corrected\n"


def test_the_database_of_ones_own(jobtitle: Jobtitle, home: Path) -> None:
    """Who names no database has a file at home, made by the first correction."""
    assert labelled(jobtitle, "Lönechef")[0][2] == "model"
    assert jobtitle("corrections", "list").text == "nothing has been corrected\n"
    assert jobtitle("corrections", "queue").text == "nothing waits for review\n"
    assert jobtitle("corrections", "delete", "--all", "--yes").err.endswith(": 0\n")
    assert not home.exists()
    assert jobtitle("correct", "Lönechef", "--department", "it").code == 0
    assert home.exists()
    assert home.parent.stat().st_mode & 0o777 == 0o700
    assert labelled(jobtitle, "Lönechef")[0][::2] == (IT, "correction")
    home.write_bytes(b"no database at all" * 100)
    failed = jobtitle("label", "Lönechef")
    assert failed.code == 1
    assert failed.err.endswith("no SQLite database; --database none labels without corrections\n")
    assert labelled(jobtitle, "Lönechef", "--database", "none")[0][2] == "model"


def test_files_are_labelled_as_corrected(cli: Jobtitle, tmp_path: Path) -> None:
    """By one process, by two and by Dask, the same rows are answered from corrections."""
    cli("correct", "Lönechef", "--department", "it")
    source = tmp_path / "in.csv"
    source.write_text("titel\n" + "Lönechef\nKock\nSäljare\n" * 20_000, "utf-8")
    for n in (1, 2):
        done = cli("classify", source, "-o", tmp_path / f"{n}.csv", "--workers", str(n))
        assert done.code == 0, done.err
    one = (tmp_path / "1.csv").read_bytes()
    assert one == (tmp_path / "2.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(one.decode())))
    assert [(row["department"], row["basis"]) for row in rows[:2]] == [
        (IT, "correction"),
        (rows[4]["department"], "model"),
    ]
    parts = ("--engine", "dask", "--workers", "1", "-o", tmp_path / "parts")
    assert cli("classify", source, *parts).code == 0
    assert b"".join(path.read_bytes() for path in sorted((tmp_path / "parts").glob("part*"))) == one


def test_reasons_know_of_corrections(cli: Jobtitle) -> None:
    """The reasons are those of the model, but the label is what a person said."""
    cli("correct", "Lönechef", "--department", "it")
    explained = cli("explain", "Lönechef", "--json")
    assert explained.code == 0, explained.err
    label = json.loads(explained.text)["label"]
    assert (label["department"], label["basis"]) == (IT, "correction")


def test_a_run_is_not_gone_on_with_after_a_correction(
    cli: Jobtitle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is labelled by the same corrections from beginning to end, or begun anew."""
    cli("correct", "Lönechef", "--department", "it")
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("titel\n" + "Lönechef\nKock\n" * 30_000, "utf-8")
    write = outputs.FileOutput.add

    def interrupted(own: outputs.FileOutput, *arguments: Any) -> None:
        write(own, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outputs, "CHECKPOINT", 0)
        patch.setattr(outputs.FileOutput, "add", interrupted)
        assert cli("classify", source, "-o", out).code == 130
    cli("correct", "Kock", "--department", "it")
    refused = cli("classify", source, "-o", out, "--resume")
    assert (refused.code, "cannot go on" in refused.err) == (1, True)
    cli("corrections", "delete", "--title", "Kock", "--yes")
    assert cli("classify", source, "-o", out).code == 0


def filled(review: Path, answers: dict[str, str], prefix: str = "") -> None:
    """Fill in the right departments of a review, by title."""
    rows = list(csv.DictReader(io.StringIO(review.read_text("utf-8-sig"))))
    for row in rows:
        row[f"{prefix}right_department"] = answers.get(row["titel"], "")
    with review.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def review(cli: Jobtitle, tmp_path: Path) -> Path:
    """Return the review of a file in which three titles are doubtful."""
    source, found = tmp_path / "in.csv", tmp_path / "review.csv"
    source.write_text("titel\nqwrt zxcv\nasdf ghjk\nasdf ghjk\nplok mnji\nLönechef\n", "utf-8")
    arguments = ("-o", tmp_path / "out.csv", "--review", found, "--prefix", "own_")
    done = cli("classify", source, *arguments)
    assert done.code == 0, done.err
    return found


def test_a_review_becomes_corrections(cli: Jobtitle, review: Path, tmp_path: Path) -> None:
    """Rows that a person filled in are answered so; the others wait in the review queue."""
    filled(review, {"asdf ghjk": "Payroll"}, "own_")
    done = cli("correct", "--file", review, "--who", "Åsa")
    assert done.code == 0, done.err
    assert ": 1; without an answer, waiting for review: 2\n" in done.err
    assert labelled(cli, "asdf ghjk", "plok mnji")[0][::2] == ("payroll", "correction")
    waiting = json.loads(cli("corrections", "queue", "--json").text)
    assert {(own["title"], own["count"], own["reason"]) for own in waiting} == {
        ("qwrt zxcv", 1, "unknown"),
        ("plok mnji", 1, "unknown"),
    }
    assert "plok mnji" in cli("corrections", "queue").text
    (kept,) = json.loads(cli("corrections", "list", "--json").text)
    assert (kept["who"], kept["said"]["department"]) == ("Åsa", None)
    again = cli("classify", tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert again.code == 0
    assert "asdf ghjk,labelled,payroll" in (tmp_path / "out.csv").read_text("utf-8")


def test_a_review_goes_into_the_queue(cli: Jobtitle, review: Path) -> None:
    """Rows without an answer wait; those with one are pointed out."""
    filled(review, {"plok mnji": "it"}, "own_")
    done = cli("corrections", "queue", review)
    assert done.code == 0, done.err
    assert done.err.startswith("waiting for review: 2\nleft out, since they are answered: 1;")
    shown = cli("corrections", "queue", "--limit", "1").text.splitlines()
    assert (len(shown), shown[2].split()[:3]) == (3, ["2", "asdf", "ghjk"])
    assert cli("corrections", "list").text == "nothing has been corrected\n"


def test_a_review_with_errors(cli: Jobtitle, tmp_path: Path) -> None:
    """All that is wrong is said at once with its lines, and nothing is recorded."""
    path = tmp_path / "review.csv"
    path.write_text(
        "titel;right_department;right_role\nKock;payrol;\nChef;;x\nSmed;it;\nSMED;sales;\n;it;\n"
        "Lok;it;\n",
        "utf-8",
    )
    done = cli("correct", "--file", path)
    assert done.code == 1
    lines = done.err.splitlines()
    assert lines[0].endswith("line 2: unknown department 'payrol'; did you mean payroll?")
    assert lines[1].endswith("line 3: right_role is filled in, but not right_department")
    assert lines[2].endswith(
        "line 5: the same posting is information_technology in line 4, but sales here"
    )
    assert lines[3].endswith("line 6: there is neither a title nor a description")
    assert len(lines) == 4
    assert cli("corrections", "list").text == "nothing has been corrected\n"
    path.write_text("titel;avdelning\nKock;it\n", "utf-8")
    refused = cli("correct", "--file", path)
    assert (refused.code, "no column right_department" in refused.err) == (1, True)


def test_export(cli: Jobtitle, tmp_path: Path) -> None:
    """The latest of each posting goes to a file or a pipe, oldest first."""
    for title, department in (("Kock", "it"), ('Chef, "ny"\nrad', "sales"), ("kock", "sales")):
        assert cli("correct", title, "--department", department, "--description", "x").code == 0
    assert cli("corrections", "export", tmp_path / "out.csv").code == 0
    piped = cli("corrections", "export", "-").text
    rows = list(csv.DictReader(io.StringIO(piped, newline="")))
    assert [(row["title"], row["description"], row["department"]) for row in rows] == [
        ('Chef, "ny"\nrad', "x", "sales"),
        ("kock", "x", "sales"),
    ]
    assert piped == (tmp_path / "out.csv").read_text("utf-8-sig")
    missing = cli("corrections", "export", tmp_path / "no" / "out.csv")
    assert (missing.code, missing.err.count("\n")) == (1, 1)


def test_delete(cli: Jobtitle) -> None:
    """It asks first, and says how many there were."""
    for title in ("Kock", "Chef"):
        cli("correct", title, "--department", "sales", "--who", "Åsa")
    assert cli("corrections", "delete", "--title", "kock", stdin=b"n\n").code == 130
    done = cli("corrections", "delete", "--title", "kock", stdin=b"y\n")
    assert "Delete corrections with title 'kock'" in done.err
    assert done.err.endswith("review: 1\n")
    assert labelled(cli, "Kock", "Chef")[1][2] == "correction"
    assert cli("corrections", "delete", "--who", "Åsa", "--yes").err.endswith("review: 1\n")
    assert cli("corrections", "list").text == "nothing has been corrected\n"
    assert cli("corrections", "delete").code == 2
    assert cli("corrections", "delete", "--all", "--who", "x").code == 2


def test_list_says_what_the_model_does_not_know(cli: Jobtitle, file_url: str) -> None:
    """What was said of departments that are no more is shown, and passed over when labelling."""
    CorrectionStore.open(file_url).add(
        [Correction("Lönechef", "gone"), Correction("Kock", IT, role="gone")]
    )
    assert labelled(cli, "Lönechef")[0][::2] == ("payroll", "model")
    shown = cli("corrections", "list").text.splitlines()
    assert shown[2].endswith("no such role")
    assert shown[3].endswith("no such department")
    assert len(cli("corrections", "list", "--limit", "1").text.splitlines()) == 3


def test_labelling_takes_no_sqlalchemy() -> None:
    """Who labels without a database does not wait for its libraries; nor does --help."""
    code = (
        "import sys; sys.argv = ['jobtitle', *sys.argv[1:]]\n"
        "from classifier.cli import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(repr({'sqlalchemy', 'alembic'} & set(sys.modules)))"
    )
    for arguments in (["label", "Kock"], ["correct", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "JOBTITLE_DATABASE_URL": "none"},
        )
        assert done.stderr == "set()"

"""Runs that are killed, stopped and starved, in processes of their own: nothing is half done."""

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from classifier import JobTitleClassifier, paths
from tests.conftest import ROOT

# Starts runs of the command, each in a process of its own that has modules and model at hand
# already. Chunks are small, and each is written down as done. A run may be told to send itself a signal
# when some function is called for the n-th time.
STARTER = """
import importlib, itertools, json, os, resource, sys
from classifier import batch, classify_command, cli, labelling_files, load_model, outputs
import openpyxl.writer.excel, pyarrow.parquet
outputs.CHECKPOINT, batch.CHUNK = 0, 40
model, load = load_model(), classify_command.load_corrected
model.predict([""])
classify_command.load_corrected = lambda directory, database: load(directory, database) if directory else model

def signalling(points, n, number):
    calls = itertools.count(1)
    for module, owner, name in points:
        owner = getattr(importlib.import_module(module), owner) if owner else importlib.import_module(module)
        def call(*args, own=getattr(owner, name), **named):
            if next(calls) == n:
                os.kill(os.getpid(), number)
            return own(*args, **named)
        setattr(owner, name, call)

def run(job):
    os.setsid()
    os.dup2(os.open(job["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0, 1)
    if job["points"]:
        signalling(job["points"], job["n"], job["signal"])
    if job["limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["limit"], job["limit"]))
    sys.argv = ["jobtitle", "classify", *job["arguments"]]
    try:
        cli.main()
        code = 0
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 99
    sys.stderr.flush()
    os._exit(code or 0)

said = os.dup(1)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        run(json.loads(line))
    os.write(said, f"{pid}\\n".encode())
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        os.write(said, f"{'stopped' if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)}\\n".encode())
        if not os.WIFSTOPPED(status):
            break
"""

FSYNC, REPLACE, UNLINK = (
    ("os", "", "fsync"),
    ("pathlib", "Path", "replace"),
    ("pathlib", "Path", "unlink"),
)
ADD = ("classifier.outputs", "FileOutput", "add")
ROW_OF_BOOK = ("openpyxl.worksheet._write_only", "WriteOnlyWorksheet", "append")
KILLED = -signal.SIGKILL


TITLES = [
    "Lönechef", "kock", "HR-chef", "Säljare, butik", "Sr. Acct. Mgr", "Undersköterska", "Chef",
    "konsult", "Systemutvecklare Java", "Receptionist", "Nurse", "Truckförare", "Jurist",
]  # fmt: skip


class Starter:
    """Starts runs."""

    def __init__(self, directory: Path) -> None:
        self.errors = directory / "stderr"
        self.running = 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", STARTER], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(directory)},
        )  # fmt: skip

    def start(
        self,
        *arguments: object,
        points: Any = (),
        n: int = 0,
        number: int = signal.SIGKILL,
        limit: int = 0,
    ) -> int:
        """Start a run, and return its process id."""
        self._clear()
        job = {"arguments": list(map(str, arguments)), "err": str(self.errors), "points": points}
        self._say(json.dumps({**job, "n": n, "signal": number, "limit": limit}))
        self.running = int(self._heard())
        return self.running

    def ended(self) -> int:
        """Return how the run ended, an exit code or minus a signal."""
        code = int(self._heard())
        with suppress(ProcessLookupError):  # its workers, if it was killed
            os.killpg(self.running, signal.SIGKILL)
        self.running = 0
        return code

    def stopped(self) -> None:
        assert self._heard() == "stopped", self.errors.read_text()

    def run(self, *arguments: object, **named: Any) -> int:
        """Do a run to its end."""
        self.start(*arguments, **named)
        return self.ended()

    def error(self) -> str:
        """Return the only line that the last run wrote to stderr."""
        (line,) = self.errors.read_text("utf-8").splitlines()
        return line

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def _clear(self) -> None:
        """End what a test left behind that failed."""
        if self.running:
            os.killpg(self.running, signal.SIGKILL)
            while self._heard() == "stopped":
                pass
            self.running = 0

    def close(self) -> None:
        self._clear()
        self.process.communicate()


@pytest.fixture(scope="module")
def starter(
    model: JobTitleClassifier,  # noqa: ARG001 - trained before it is used
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Starter]:
    own = Starter(tmp_path_factory.mktemp("starter"))
    yield own
    own.close()


@dataclass(frozen=True)
class Place:
    """A file to label in a directory of its own, and what comes of it."""

    directory: Path
    source: Path

    def out(self, ending: str) -> Path:
        return self.directory / f"out.{ending}"

    def left(self) -> set[str]:
        """Return the names of what else is in the directory."""
        return {path.name for path in self.directory.iterdir()} - {self.source.name}


def table(n_rows: int) -> str:
    """Return rows of which some repeat, some are doubtful, and some are faulty."""
    rng = random.Random(7)
    lines = ["id,title,sum"]
    for n in range(n_rows):
        title = f"{rng.choice(TITLES)} {rng.choice('abcdef')}" if n % 3 else f"asdf {n % 50}"
        lines.append(f'{n},"{title}",=1+{n}' if n % 97 else f"{n},short")
    return "\n".join([*lines, ""])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    directory = tmp_path / "place"
    directory.mkdir()
    source = directory / "in.csv"
    source.write_text(table(400), "utf-8")
    return Place(directory, source)


# --- killed at any moment


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "xlsx", "parquet"])
def test_killed_at_random_and_gone_on_with(starter: Starter, tmp_path: Path, ending: str) -> None:
    """A run of one process or two that is killed again and again makes the bytes of a calm one."""
    source, calm, torn = tmp_path / "in.csv", tmp_path / "calm", tmp_path / "torn"
    source.write_text(table(800), "utf-8")
    for directory in (calm, torn):
        directory.mkdir()

    def arguments(directory: Path, workers: int) -> list[object]:
        own = [
            source,
            "-o",
            directory / f"out.{ending}",
            "--review",
            directory / f"review.{ending}",
        ]
        return [*own, "--summary", directory / "summary.json", "--workers", workers]

    start = time.monotonic()
    assert starter.run(*arguments(calm, 1)) == 0, starter.errors.read_text()
    seconds = time.monotonic() - start
    rng = random.Random(ending)
    for n in range(5):
        pid = starter.start(*arguments(torn, 1 + n % 2), "--resume")
        time.sleep(rng.uniform(0.2, 0.9) * seconds)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        if starter.ended() == 0:
            break
    assert starter.run(*arguments(torn, 2), "--resume") == 0, starter.errors.read_text()
    names = {f"out.{ending}", f"review.{ending}", "summary.json"}
    assert {path.name for path in torn.iterdir()} == names
    for name in (f"out.{ending}", f"review.{ending}"):
        assert (torn / name).read_bytes() == (calm / name).read_bytes(), name
    found = [json.loads((own / "summary.json").read_text("utf-8")) for own in (calm, torn)]
    for own in found:
        del own["seconds"], own["files"][0]["output"]
    assert found[0] == found[1]


@pytest.mark.parametrize(("ending", "stride"), [("csv", 2), ("xlsx.gz", 4)])
def test_killed_at_each_step(starter: Starter, place: Place, ending: str, stride: int) -> None:
    """At whichever step to the disk a run is killed, it can be gone on with, and leaves no litter.

    The steps are all that bring bytes or names to the disk, remove them or make the workbook; one
    is the removal of the journal after the file has got its name.
    """
    lines = place.source.read_text("utf-8").splitlines(keepends=True)
    place.source.write_text("".join(lines[:80]), "utf-8")
    out = place.out(ending)
    assert starter.run(place.source, "-o", out) == 0
    wanted = out.read_bytes()
    points = (FSYNC, REPLACE, UNLINK, ("shutil", "", "copyfileobj"))
    killed = 0
    for n in range(1, 100, stride):
        out.write_bytes(b"old")
        code = starter.run(place.source, "-o", out, points=points, n=n)
        if code == 0:
            break
        assert code == KILLED
        killed += 1
        assert out.read_bytes() in (b"old", wanted)
        assert starter.run(place.source, "-o", out, "--resume") == 0, starter.errors.read_text()
        assert out.read_bytes() == wanted, n
        assert place.left() == {out.name}, n
    assert killed * stride > 16


def test_killed_while_the_workbook_is_made(starter: Starter, place: Place) -> None:
    """When only the workbook was not whole, no row is labelled again, and it is the same."""
    out = place.out("xlsx")
    assert starter.run(place.source, "-o", out) == 0
    wanted = out.read_bytes()
    out.write_bytes(b"old")
    assert starter.run(place.source, "-o", out, points=[ROW_OF_BOOK], n=200) == KILLED
    assert out.read_bytes() == b"old"
    journal = json.loads((place.directory / "out.xlsx.partial.json").read_text())
    assert journal["run"]["whole"]
    # the first chunk that is added now would kill it
    assert starter.run(place.source, "-o", out, "--resume", points=[ADD], n=1) == 0
    assert out.read_bytes() == wanted
    assert place.left() == {"out.xlsx"}


def test_a_run_goes_on_where_it_was(starter: Starter, place: Place) -> None:
    """What was done is not done again: only the chunks that are missing are added."""
    out = place.out("csv")
    assert starter.run(place.source, "-o", out, points=[ADD], n=8) == KILLED  # of ten chunks
    partial = place.directory / "out.csv.partial"
    rows = partial.read_bytes().count(b"\n") - 1
    assert rows == 7 * 40
    assert starter.run(place.source, "-o", out, "--resume", points=[ADD], n=4) == 0
    assert out.read_bytes().count(b"\n") == 401


def test_resume_without_anything_to_go_on_with(starter: Starter, place: Place) -> None:
    """--resume for the first run, and for one that was done, is a run like others."""
    out = place.out("csv")
    for _ in range(2):
        assert starter.run(place.source, "-o", out, "--resume") == 0
        assert place.left() == {"out.csv"}
        assert out.read_bytes().count(b"\n") == 401


def test_a_new_run_forgets_the_old_one(starter: Starter, place: Place) -> None:
    """Without --resume, what an earlier run left is written over."""
    out = place.out("csv")
    assert starter.run(place.source, "-o", out, "--prefix", "old_", points=[ADD], n=8) == KILLED
    assert starter.run(place.source, "-o", out) == 0
    assert b"old_" not in out.read_bytes()
    assert place.left() == {"out.csv"}


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_and_gone_on_with(starter: Starter, place: Place, workers: int) -> None:
    """Ctrl-C says that the run can be gone on with, and it can."""
    out = place.out("csv")
    assert starter.run(place.source, "-o", out) == 0
    wanted = out.read_bytes()
    out.write_bytes(b"old")
    arguments = [place.source, "-o", out, "--workers", workers]
    assert starter.run(*arguments, points=[ADD], n=6, number=signal.SIGINT) == 130
    assert starter.error() == "jobtitle: interrupted; --resume goes on from there"
    assert out.read_bytes() == b"old"
    assert starter.run(*arguments, "--resume", points=[ADD], n=6) == 0
    assert out.read_bytes() == wanted
    assert place.left() == {"out.csv"}


# --- gone on with by mistake


@contextmanager
def broken_off(starter: Starter, place: Place, ending: str = "csv") -> Iterator[Path]:
    """Give an output whose run was killed; in the end it can still be gone on with."""
    out = place.out(ending)
    out.write_bytes(b"old")
    assert starter.run(place.source, "-o", out, points=[ADD], n=6) == KILLED
    before = {path: path.read_bytes() for path in place.directory.iterdir()}
    yield out
    assert out.read_bytes() == b"old"
    for path, data in before.items():
        path.write_bytes(data)
    assert starter.run(place.source, "-o", out, "--resume") == 0, starter.errors.read_text()
    assert out.read_bytes().startswith(b"id,title,sum,status")
    assert place.left() == {out.name}


def test_another_input(starter: Starter, place: Place) -> None:
    """An input that has changed since is not gone on with, however alike it is."""
    with broken_off(starter, place) as out:
        text = place.source.read_text("utf-8")
        place.source.write_text(text.replace("asdf 3", "asdf 4"), "utf-8")
        assert starter.run(place.source, "-o", out, "--resume") == 1
        assert "out.csv: cannot go on, the input has changed since; run again" in starter.error()


def test_another_model(starter: Starter, place: Place, tmp_path: Path) -> None:
    """Another model does not go on with what the first began."""
    own = tmp_path / "model"
    shutil.copytree(paths.models(), own)
    path = own / "model.joblib"
    path.write_bytes(path.read_bytes() + b"\0")  # loads the same, but is another file
    manifest = json.loads((own / "manifest.json").read_text())
    done = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True)
    manifest["sha256"]["model.joblib"] = done.stdout.split()[0]
    (own / "manifest.json").write_text(json.dumps(manifest))
    with broken_off(starter, place) as out:
        assert starter.run(place.source, "-o", out, "--resume", "--model", own) == 1
        assert "cannot go on, the model is another one since" in starter.error()


def test_other_options(starter: Starter, place: Place) -> None:
    """Whatever would make other bytes is refused; the number of processes is not."""
    with broken_off(starter, place) as out:
        for more in (
            ["--candidates", 2], ["--prefix", "x_"], ["--min-confidence", 0.9], ["--excel-safe"],
            ["--policy", "customer_contact"], ["--output-delimiter", ";"], ["--title", "id"],
            ["--shard", "1/2"], ["--review", place.directory / "review.csv"], ["--strict"],
        ):  # fmt: skip
            assert starter.run(place.source, "-o", out, "--resume", *more) == 1
            assert "cannot go on, the options are others since; run again" in starter.error()
        others = place.left()
        assert (
            starter.run(place.source, "-o", out, "--resume", "--workers", 2, points=[ADD], n=2)
            == KILLED
        )
        assert place.left() == others


DAMAGES: list[Callable[[str], str]] = [
    lambda text: text[: len(text) // 2],
    lambda text: text.replace('"chunks": 5', '"chunks": 4'),
    lambda text: text.replace("labelled", "unknown"),
    lambda _: "",
    lambda _: "[]",
    lambda _: "{}",
    lambda _: '{"sha256": "", "run": {}}',
    lambda _: '{"sha256": "", "run": [1]}',
]


def test_a_damaged_journal(starter: Starter, place: Place) -> None:
    """A journal that is not as it was written is one line that says what to do."""
    with broken_off(starter, place) as out:
        journal = place.directory / "out.csv.partial.json"
        text = journal.read_text()
        for damage in DAMAGES:
            journal.write_text(damage(text))
            assert journal.read_text() != text
            assert starter.run(place.source, "-o", out, "--resume") == 1
            assert "out.csv.partial.json: damaged; run again without --resume" in starter.error()


def test_less_on_the_disk_than_was_done(starter: Starter, place: Place) -> None:
    """Rows that were written but are not there are not taken for done."""
    with broken_off(starter, place) as out:
        partial = place.directory / "out.csv.partial"
        for data in (partial.read_bytes()[:100], b""):
            partial.write_bytes(data)
            assert starter.run(place.source, "-o", out, "--resume") == 1
            assert "out.csv.partial: shorter than its journal says" in starter.error()


def test_more_on_the_disk_than_was_done(starter: Starter, place: Place) -> None:
    """What was written after the last word of the journal is written again, not twice."""
    with broken_off(starter, place) as out:
        with (place.directory / "out.csv.partial").open("ab") as file:
            file.write(b"half a li")
        shutil.copytree(place.directory, place.directory.parent / "copy")
    copy = place.directory.parent / "copy" / "out.csv"
    assert starter.run(place.source, "-o", copy, "--resume") == 0
    assert copy.read_bytes() == out.read_bytes()


# --- two at once, and what else goes wrong while a run is on its way


def test_two_runs_do_not_write_the_same(starter: Starter, place: Place, tmp_path: Path) -> None:
    """While a run writes a file, another is refused; the first is not disturbed."""
    out = place.out("csv")
    other = Starter(tmp_path)
    try:
        assert starter.run(place.source, "-o", out) == 0
        wanted = out.read_bytes()
        # stopped in the middle, and at the moment before it gives the file its name
        for points, n in (([ADD], 5), ([REPLACE], 12)):
            pid = starter.start(place.source, "-o", out, points=points, n=n, number=signal.SIGSTOP)
            starter.stopped()
            for more in ([], ["--resume"]):
                assert other.run(place.source, "-o", out, *more) == 1
                assert "out.csv: another run is writing it" in other.error()
            os.kill(pid, signal.SIGCONT)
            assert starter.ended() == 0
            assert out.read_bytes() == wanted
            assert place.left() == {"out.csv"}
    finally:
        other.close()


def test_a_run_that_waits_for_its_turn(starter: Starter, place: Place, tmp_path: Path) -> None:
    """A run that opens the file of another, which then gets its name, takes a new one."""
    out = place.out("csv")
    flock = ("fcntl", "", "flock")
    pid = starter.start(place.source, "-o", out, points=[flock], n=1, number=signal.SIGSTOP)
    starter.stopped()
    other = Starter(tmp_path)
    try:
        assert other.run(place.source, "-o", out) == 0
        wanted = out.read_bytes()
        with out.open("rb") as held:
            os.kill(pid, signal.SIGCONT)
            assert starter.ended() == 0, starter.errors.read_text()
            assert held.read() == wanted  # what had its name was not touched
    finally:
        other.close()
    assert out.read_bytes() == wanted
    assert place.left() == {"out.csv"}


def test_one_file_for_everything(starter: Starter, place: Place) -> None:
    """An output that shall also hold the review is refused, and stays as it was."""
    out = place.out("csv")
    out.write_bytes(b"old")
    assert starter.run(place.source, "-o", out, "--review", out) == 1
    assert "another run is writing it" in starter.error()
    assert out.read_bytes() == b"old"


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("change", ["vanished", "changed", "cut"])
def test_an_input_that_does_not_stay(
    starter: Starter, place: Place, ending: str, change: str
) -> None:
    """An input that vanishes or changes during a run is one line; the old output stays."""
    out = place.out(ending)
    out.write_bytes(b"old")
    pid = starter.start(place.source, "-o", out, points=[ADD], n=3, number=signal.SIGSTOP)
    starter.stopped()
    if change == "vanished":
        place.source.unlink()
    elif change == "changed":
        with place.source.open("a", encoding="utf-8") as file:
            file.write("401,kock,x\n")
    else:
        os.truncate(place.source, 2_000)
    os.kill(pid, signal.SIGCONT)
    assert starter.ended() == 1
    said = {"vanished": "cannot be read (No such file", "changed": "changed while it was read"}
    assert f"in.csv: {said.get(change, 'changed while it was read')}" in starter.error()
    assert out.read_bytes() == b"old"


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
@pytest.mark.parametrize(
    "change",
    [lambda text: text + "401,kock,x\n", lambda text: text[:2_000]],
    ids=["longer", "shorter"],
)
def test_an_input_that_changes_at_the_end(
    starter: Starter, place: Place, ending: str, change: Callable[[str], str]
) -> None:
    """Rows that are read once more to be joined to their labels must be as many as they were."""
    out = place.out(ending)
    out.write_bytes(b"old")
    points = [("classifier.outputs", "FileOutput", "finish")]
    pid = starter.start(place.source, "-o", out, points=points, n=1, number=signal.SIGSTOP)
    starter.stopped()
    place.source.write_text(change(place.source.read_text("utf-8")), "utf-8")
    os.kill(pid, signal.SIGCONT)
    assert starter.ended() == 1
    assert "in.csv: changed while it was read; run again" in starter.error()
    assert out.read_bytes() == b"old"


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[Path]:
    """Give a directory with little room."""
    own = directory / "disk"
    own.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", own],
        capture_output=True,
        check=False,
    )
    if not mounted or mounted.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        yield own
    finally:
        subprocess.run(["umount", own], check=True)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "xlsx", "parquet"])
def test_a_full_disk(starter: Starter, place: Place, tmp_path: Path, ending: str) -> None:
    """A full disk is one line; the old output stays, and with more room the run goes on."""
    wanted = place.out(ending)
    assert starter.run(place.source, "-o", wanted) == 0
    with small_disk(tmp_path, "20k") as disk:
        out = disk / f"out.{ending}"
        out.write_bytes(b"old")
        assert starter.run(place.source, "-o", out) == 1
        assert f"out.{ending}: cannot be written (No space left on device)" in starter.error()
        assert "--resume goes on from there" in starter.error()
        assert out.read_bytes() == b"old"
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        assert starter.run(place.source, "-o", out, "--resume") == 0, starter.errors.read_text()
        assert out.read_bytes() == wanted.read_bytes()
        assert [path.name for path in disk.iterdir()] == [out.name]


def test_a_disk_without_any_room(starter: Starter, place: Place, tmp_path: Path) -> None:
    """A disk that is full from the start leaves what was there, and nothing more."""
    with small_disk(tmp_path, "8k") as disk:
        out = disk / "out.csv"
        out.write_bytes(b"old")
        (disk / "rest").write_bytes(b"x" * 4_000)
        assert starter.run(place.source, "-o", out) == 1
        assert "out.csv: cannot be written (No space left on device)" in starter.error()
        assert out.read_bytes() == b"old"
        assert {path.name for path in disk.iterdir()} == {"out.csv", "rest"}


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "xlsx", "parquet", "json"])
def test_files_may_not_be_so_long(starter: Starter, place: Place, ending: str) -> None:
    """Where the system lets no file grow further, the old output stays, and it is said."""
    out = place.out(ending)
    out.write_bytes(b"old")
    assert starter.run(place.source, "-o", out, limit=3_000) == 1
    assert f"out.{ending}: cannot be written (File too large)" in starter.error()
    assert out.read_bytes() == b"old"
    assert starter.run(place.source, "-o", out, "--resume") == 0
    assert place.left() == {out.name}


def test_a_full_disk_for_the_review(starter: Starter, place: Place, tmp_path: Path) -> None:
    """When only the review has no room, the output is not given out either, and nothing is lost."""
    out = place.out("csv")
    out.write_bytes(b"old")
    with small_disk(tmp_path, "8k") as disk:
        arguments = [place.source, "-o", out, "--review", disk / "review.csv"]
        assert starter.run(*arguments) == 1
        assert "review.csv: cannot be written (No space left on device)" in starter.error()
        assert out.read_bytes() == b"old"
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        assert starter.run(*arguments, "--resume", points=[ADD], n=1) == 0
        assert [path.name for path in disk.iterdir()] == ["review.csv"]
    assert place.left() == {"out.csv"}


def test_a_directory_that_cannot_be_written(starter: Starter, place: Place, tmp_path: Path) -> None:
    """A read-only directory, one that is no directory, and one that is not there, are one line."""
    (tmp_path / "file").write_text("")
    for target, said in (
        (tmp_path / "file" / "out.csv", "Not a directory"),
        (tmp_path / "none" / "out.csv", "No such file or directory"),
        (Path("/proc/out.csv"), "No such file or directory"),
    ):
        assert starter.run(place.source, "-o", target) == 1
        assert f"{target}: cannot be written ({said})" in starter.error()
    with small_disk(tmp_path, "64k") as disk:
        out = disk / "out.csv"
        out.write_bytes(b"old")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for more in ([], ["--resume"]):
            assert starter.run(place.source, "-o", out, *more) == 1
            assert "out.csv: cannot be written (Read-only file system)" in starter.error()
        assert [(path.name, path.read_bytes()) for path in disk.iterdir()] == [("out.csv", b"old")]


def test_a_stream_that_is_full(starter: Starter, place: Place) -> None:
    """Standard output and devices that take nothing more are one line, not a traceback."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no device that is always full")
    full = "cannot be written (No space left on device)"
    for kind in ("csv", "jsonl", "xlsx"):
        assert starter.run(place.source, "-o", "/dev/full", "--output-format", kind) == 1
        assert starter.error() == f"jobtitle: /dev/full: {full}"
    command = f"{sys.executable} -m classifier classify {place.source} > /dev/full"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"jobtitle: standard output: {full}\n"


def test_an_output_keeps_its_mode_and_its_link(starter: Starter, place: Place) -> None:
    """Who may read an output stays as it was, and a link goes on to point at it."""
    for ending in ("csv", "xlsx"):
        own = place.directory / "deep" / f"real.{ending}"
        own.parent.mkdir(exist_ok=True)
        own.write_bytes(b"old")
        own.chmod(0o640)
        link = place.out(ending)
        link.symlink_to(own)
        assert starter.run(place.source, "-o", link) == 0
        assert link.is_symlink()
        assert own.stat().st_mode & 0o777 == 0o640
        assert own.read_bytes() != b"old"
        assert sorted(path.name for path in own.parent.iterdir())[-1] == f"real.{ending}"


def test_archives_are_sound(starter: Starter, place: Place) -> None:
    """An archive that was gone on with is unpacked by others, whatever chunks it was written in."""
    out = place.out("csv.gz")
    assert starter.run(place.source, "-o", out, points=[ADD], n=5) == KILLED
    assert starter.run(place.source, "-o", out, "--resume") == 0
    plain = place.out("csv")
    assert starter.run(place.source, "-o", plain) == 0
    assert gzip.decompress(out.read_bytes()) == plain.read_bytes()
    done = subprocess.run(["gzip", "-dc", out], capture_output=True, check=True)
    assert done.stdout == plain.read_bytes()


def test_workers_end_with_the_run(starter: Starter, place: Place) -> None:
    """When the first process of a run is killed, its workers end, too, and the run can go on at once."""
    out = place.out("csv")
    place.source.write_text(table(4_000), "utf-8")  # more than a worker does ahead
    pid = starter.start(
        place.source, "-o", out, "--workers", 3, points=[ADD], n=4, number=signal.SIGSTOP
    )
    starter.stopped()
    time.sleep(1)  # the workers are three chunks ahead, and wait
    os.kill(pid, signal.SIGKILL)
    assert starter._heard() == str(KILLED)
    starter.running = 0
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        os.killpg(pid, signal.SIGKILL)
        pytest.fail("workers are left")
    assert starter.run(place.source, "-o", out, "--resume") == 0

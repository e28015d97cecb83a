"""Corrections by many processes at once, one of them killed. Run by ``make corrections``."""

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from classifier.corrections import Correction, CorrectionStore
from tests.postgresql import create_schema, programs, server

PROCESSES, CORRECTIONS = 8, 10_000


def share(own: int, of: int, n_corrections: int) -> list[Correction]:
    """Return what a process says; every tenth correction is said by its neighbour, too."""
    return [
        Correction(f"Titel {n}", f"department_{n % 5}", "text" * (n % 3), who=f"person {n % 7}")
        for n in range(n_corrections)
        if n % of == own or (n % 10 == 0 and (n + 1) % of == own)
    ]


def say(url: str, acknowledged: Path, own: int, of: int, n_corrections: int) -> None:
    """Add corrections one by one, from the last that was acknowledged, and note each that is."""
    done = len(acknowledged.read_bytes()) if acknowledged.exists() else 0
    with CorrectionStore.open(url) as store, acknowledged.open("ab", buffering=0) as file:
        for correction in share(own, of, n_corrections)[done:]:
            store.add([correction])
            file.write(b".")


def torn(
    url: str, directory: Path, processes: int, n_corrections: int, rng: random.Random
) -> tuple[int, bool]:
    """Let processes add corrections, kill one at some moment, and let it go on.

    Returns
    -------
    int
        How many of its corrections had been acknowledged when it was killed.
    bool
        Whether it was at work then.
    """

    def started(own: int) -> "subprocess.Popen[bytes]":
        numbers = map(str, (own, processes, n_corrections))
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.benchmarks.corrections",
                url,
                directory / f"{own}",
                *numbers,
            ],
            cwd=Path(__file__).resolve().parents[2],
        )

    running = [started(own) for own in range(processes)]
    try:
        victim = rng.randrange(processes)
        notes = directory / f"{victim}"
        least = rng.randrange(1, n_corrections // processes // 2)
        while running[victim].poll() is None and not (
            notes.exists() and notes.stat().st_size >= least
        ):
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.02))
        running[victim].kill()
        was_killed = running[victim].wait() == -signal.SIGKILL
        done = notes.stat().st_size
        running[victim] = started(victim)
        codes = [own.wait() for own in running]
    finally:
        for own in running:
            own.kill()
            own.wait()
    if any(codes):
        raise RuntimeError(f"processes ended with {codes}")
    return done, was_killed


def faults(url: str, processes: int, n_corrections: int) -> list[str]:
    """Return what is wrong with the corrections that are there."""

    def parts(one: Correction) -> tuple[str, str, str, str]:
        return one.title, one.department, one.description, one.who

    wanted = {parts(c) for own in range(processes) for c in share(own, processes, n_corrections)}
    with CorrectionStore.open(url) as store:
        there = Counter(map(parts, store.all()))
        snapshot = store.snapshot()
    found = [f"{len(wanted - set(there))} lost"] * bool(wanted - set(there))
    found += [f"{there.total() - len(there)} doubled"] * (there.total() != len(there))
    found += [f"{len(set(there) - wanted)} never said"] * bool(set(there) - wanted)
    known = snapshot.find([one[0] for one in wanted], [one[2] for one in wanted])
    answers = [known[n].department == one[1] for n, one in enumerate(wanted) if n in known]
    found += ["not all are answered so"] * (answers != [True] * len(wanted))
    return found


def tried(name: str, url: str) -> bool:
    """Try a database, and say what came of it; return whether all was well."""
    with tempfile.TemporaryDirectory() as directory:
        start = time.perf_counter()
        done, was_killed = torn(url, Path(directory), PROCESSES, CORRECTIONS, random.Random())
        seconds = time.perf_counter() - start
        said = sum(len(share(own, PROCESSES, CORRECTIONS)) for own in range(PROCESSES))
    wrong = faults(url, PROCESSES, CORRECTIONS)
    sys.stdout.write(
        f"{name}: {CORRECTIONS:,} corrections, {said - CORRECTIONS:,} of them said twice, by "
        f"{PROCESSES} processes, one killed after {done} of its own: {seconds:.1f} s; "
        f"{', '.join(wrong) or 'none lost, none doubled'}\n"
    )
    return was_killed and not wrong


def main(arguments: Sequence[str]) -> None:
    """Try SQLite, and PostgreSQL if it is installed."""
    if arguments:
        url, acknowledged, *numbers = arguments
        say(url, Path(acknowledged), *map(int, numbers))
        return
    with tempfile.TemporaryDirectory() as directory:
        is_well = tried("SQLite", f"sqlite:///{directory}/corrections.sqlite3")
    own = programs()
    if own is None:
        sys.exit("no PostgreSQL is installed: it was left out")
    with server(own) as address:
        is_well &= tried("PostgreSQL", create_schema(address))
    if not is_well:
        sys.exit("something was lost or doubled, or nothing was killed")


if __name__ == "__main__":
    main(sys.argv[1:])

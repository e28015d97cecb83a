"""A run over two million rows, killed twenty times and gone on with. Run by ``make kill``."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from classifier import load_model, paths
from classifier.corpus import TrainingData
from tests.benchmarks.benchmark import classify_command, distinct_titles, repeated_titles

ROWS, BLOCK, KILLS = 2_000_000, 200_000, 20


def write_rows(source: Path) -> None:
    """Write rows of which half repeat and half are new, and a few cannot be read."""
    titles = distinct_titles(TrainingData.from_directory(paths.training_data()), BLOCK)
    with source.open("w", encoding="utf-8") as file:
        file.write("id;titel\n")
        for start in range(0, ROWS, BLOCK):
            own = (f"{title} {start}" for title in titles[: BLOCK // 2])
            for n, title in enumerate((*repeated_titles(titles, BLOCK // 2), *own), start):
                cell = title.replace('"', '""')
                file.write(f'{n};"{cell}"\n' if n % 100_003 else f"{n}\n")


def killed(command: list[str], partial: Path, longest: float, rng: random.Random) -> bool:
    """Kill a run at some time after it has begun to write; return whether it was still running."""
    before = partial.stat().st_mtime_ns if partial.exists() else 0
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as run:
        while run.poll() is None and not (partial.exists() and partial.stat().st_mtime_ns > before):
            time.sleep(0.01)
        time.sleep(rng.uniform(0, longest))
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    return run.returncode == -signal.SIGKILL


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Kill a run again and again, and compare what it makes in the end with a calm one."""
    load_model()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        source, calm, torn = (Path(name) / own for own in ("in.csv", "calm", "torn"))
        os.environ["TMPDIR"] = name  # what killed runs leave there goes, too
        write_rows(source)
        for directory in (calm, torn):
            directory.mkdir()
        start = time.perf_counter()
        subprocess.run(classify_command(source, calm), check=True, capture_output=True)
        seconds = time.perf_counter() - start
        wanted = sha256(calm / "out.csv")
        out, partial = torn / "out.csv", torn / "out.csv.partial"
        out.write_text("old")
        start, kills = time.perf_counter(), 0
        while kills < KILLS:
            command = [*classify_command(source, torn), "--workers", str(1 + kills % 2), "--resume"]
            if not killed(command, partial, seconds / 4, rng):
                out.write_text("old")  # done too soon: all over again
                continue
            kills += 1
            if out.read_bytes() != b"old" and sha256(out) != wanted:
                sys.exit(f"neither the old output nor a whole one after kill {kills}")
        subprocess.run(command, check=True, capture_output=True)
        torn_seconds = time.perf_counter() - start
        size, is_same = out.stat().st_size, sha256(out) == wanted
        left = sorted(path.name for path in torn.iterdir())
    sys.stdout.write(f"{ROWS:,} rows, {size:,} bytes: {seconds:.1f} s undisturbed\n")
    sys.stdout.write(f"killed {kills} times and gone on with: {torn_seconds:.1f} s\n")
    sys.stdout.write(f"bytes {'the same' if is_same else 'DIFFERENT'}; left: {', '.join(left)}\n")
    if not is_same or left != ["out.csv"]:
        sys.exit("not the same, or something was left behind")


if __name__ == "__main__":
    main()

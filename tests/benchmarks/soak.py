"""Memory over a long run: ten million rows, labelled by the command. Run by ``make soak``."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from classifier import load_model, paths
from classifier.corpus import TrainingData
from tests.benchmarks.benchmark import distinct_titles, repeated_titles

ROWS, BLOCK, ALLOWED = 10_000_000, 1_000_000, 50


def resident(pid: int) -> float:
    """Return the memory of a process in MiB, pages of the model's file left out; 0 once it ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return 0
    sizes = [int(line.split()[1]) for line in lines if line.startswith("RssAnon")]
    return sizes[0] / 2**10 if sizes else 0


def main() -> None:
    """Label ten million rows, and show what memory they took."""
    load_model()
    titles = distinct_titles(TrainingData.from_directory(paths.training_data()), BLOCK)
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "in.csv"
        with source.open("w", encoding="utf-8") as file:
            file.write("id;titel\n")
            for start in range(0, ROWS, BLOCK):
                # half of each million repeats, half is new: no title twice but for the first
                common = repeated_titles(titles, BLOCK // 2)
                own = (f"{title} {start}" for title in titles[: BLOCK // 2])
                for n, title in enumerate((*common, *own)):
                    cell = title.replace('"', '""')
                    file.write(f'{start + n};"{cell}"\n')
        command = [sys.executable, "-m", "classifier", "classify", str(source)]
        start_time = time.perf_counter()
        with subprocess.Popen(
            [*command, "-o", f"{name}/out.csv"], stderr=subprocess.DEVNULL
        ) as run:
            found = []
            while run.poll() is None:
                found.append(resident(run.pid))
                time.sleep(0.5)
        seconds = time.perf_counter() - start_time
        with (Path(name) / "out.csv").open("rb") as file:
            lines = sum(1 for _ in file)
    found = [size for size in found if size][:-1]
    fifths = [max(found[len(found) * n // 5 : len(found) * (n + 1) // 5]) for n in range(5)]
    sys.stdout.write(f"{lines - 1:,} rows in {seconds:.0f} s; exit {run.returncode}\n")
    sys.stdout.write("highest MiB in each fifth of the run: ")
    sys.stdout.write(", ".join(f"{size:.0f}" for size in fifths) + "\n")
    if run.returncode or lines != ROWS + 1 or max(fifths[1:]) - min(fifths[1:]) > ALLOWED:
        sys.exit(f"not flat: more than {ALLOWED} MiB between them, or rows lost")


if __name__ == "__main__":
    main()

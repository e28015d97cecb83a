"""Memory over a long run: ten million rows, labelled by the command. Run by ``make soak``."""

import sys
import tempfile
import time
from pathlib import Path

from classifier import load_model, paths
from classifier.corpus import TrainingData
from tests.benchmarks.benchmark import (
    classify_command,
    distinct_titles,
    memory_over,
    repeated_titles,
)

ROWS, BLOCK, ALLOWED = 10_000_000, 1_000_000, 50


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
        start_time = time.perf_counter()
        found, code = memory_over(classify_command(source, Path(name)), "RssAnon", 0.5)
        seconds = time.perf_counter() - start_time
        with (Path(name) / "out.csv").open("rb") as file:
            lines = sum(1 for _ in file)
    found = found[:-1]
    fifths = [max(found[len(found) * n // 5 : len(found) * (n + 1) // 5]) for n in range(5)]
    sys.stdout.write(f"{lines - 1:,} rows in {seconds:.0f} s; exit {code}\n")
    sys.stdout.write("highest MiB in each fifth of the run: ")
    sys.stdout.write(", ".join(f"{size:.0f}" for size in fifths) + "\n")
    if code or lines != ROWS + 1 or max(fifths[1:]) - min(fifths[1:]) > ALLOWED:
        sys.exit(f"not flat: more than {ALLOWED} MiB between them, or rows lost")


if __name__ == "__main__":
    main()

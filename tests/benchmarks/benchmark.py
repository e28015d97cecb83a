"""How fast it is, as ratios within one run: against scikit-learn, fastText and pandas.

Run by ``make benchmark``; writes `models/BENCHMARKS.md`. One core, unless a line says otherwise.
"""

import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from classifier import JobTitleClassifier, batch, formats, load_model, paths
from classifier.composition import compose
from classifier.corpus import TrainingData
from classifier.outputs import StreamOutput
from classifier.persistence import MODEL_FILE, REFERENCE_FILE
from tests.benchmarks.figures import write_part

TITLES, POSTINGS, ROWS, SAMPLE = 200_000, 5_000, 1_000_000, 20_000


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """Return the shortest of several runs."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def distinct_titles(data: TrainingData, n: int) -> list[str]:
    rng = random.Random(1)
    rows = [(title, language, "") for title, language, _ in data.catalogue.titles()]
    found: dict[str, None] = {}
    seed = 0
    while len(found) < n:
        seed += 1
        found |= dict.fromkeys(t for t, _ in compose(rows, data.decorations, share=1, seed=seed))
    titles = list(found)
    rng.shuffle(titles)
    return titles[:n]


def repeated_titles(titles: Sequence[str], n: int) -> list[str]:
    """Draw titles as registers hold them: few are common, most are rare."""
    rng = random.Random(2)
    return [titles[min(int(rng.paretovariate(0.5)) - 1, len(titles) - 1)] for _ in range(n)]


def postings(data: TrainingData, n: int) -> pd.DataFrame:
    """Compose ads of about 1,500 characters: duties of one role among lines that name no work."""
    rng = random.Random(3)
    roles = list(data.catalogue.roles.values())
    rows = []
    for _ in range(n):
        role = rng.choice(roles)
        language = rng.choice(["sv", "en"])
        lines: list[str] = []
        while sum(map(len, lines)) < 1_450:
            lines.append(rng.choice(role.duties[language] if rng.random() < 0.4 else data.no_work))
        rows.append((rng.choice(role.titles[language]), ". ".join(lines)))
    return pd.DataFrame(rows, columns=["title", "description"])


def plain_pipeline(model: JobTitleClassifier) -> Callable[[Sequence[str]], np.ndarray]:
    """Return what plain scikit-learn does: features, decision values, probabilities."""
    scorer = model.reference
    pipeline, temperature = scorer.pipeline, scorer.calibration.temperature
    return lambda texts: np.asarray(
        softmax(pipeline.decision_function(texts) / temperature, axis=1)
    )


def fast_text(data: TrainingData, directory: Path) -> Callable[[Sequence[str]], object]:
    import fasttext  # not in the processes that only compare workers

    examples = data.augmented(data.examples(), 0)
    path = directory / "train.txt"
    with path.open("w", encoding="utf-8") as file:
        for text, department in zip(examples["text"], examples["department"], strict=True):
            file.write(f"__label__{department} {' '.join(text.lower().split())}\n")
    model = fasttext.train_supervised(
        str(path), minn=2, maxn=5, wordNgrams=2, thread=2, verbose=0, seed=0
    )
    return lambda texts: [model.f.predict(text + "\n", 1, 0.0, "strict") for text in texts]


def throughput(work: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    return len(texts) / seconds(lambda: work(texts))


def classify_command(path: Path, directory: Path) -> list[str]:
    run = [sys.executable, "-m", "classifier", "classify", str(path)]
    return [*run, "-o", str(directory / "out.csv")]


def csv_run(path: Path, directory: Path) -> tuple[float, float]:
    """Time pandas reading and writing a file, and the command that labels it."""
    command = classify_command(path, directory)

    def copy() -> None:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table.to_csv(directory / "copy.csv", index=False)

    return seconds(copy), seconds(lambda: subprocess.run(command, check=True, capture_output=True))


def memory_over(command: Sequence[str], field: str, pause: float) -> tuple[list[float], int]:
    """Run a command; return its memory from time to time, in MiB, and its exit code; Linux only.

    The field is one of /proc/PID/status: VmRSS for all, RssAnon without the model's own file.
    """
    found = []
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as run:
        status = Path(f"/proc/{run.pid}/status")
        while run.poll() is None:
            lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
            found += [int(line.split()[1]) / 2**10 for line in lines if line.startswith(field)]
            time.sleep(pause)
    return found, run.returncode


def workers_run(path: Path, directory: Path) -> float:
    """Return how much faster two processes label a file than one; the median of several times.

    In a process of its own, as large as the command: forking this one would copy fastText, too.
    """
    command = [sys.executable, __file__, "--workers", str(path), str(directory / "out.csv")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def compare_workers(source: str, target: str) -> float:
    model = load_model()
    model.predict([""])
    usual = {"title": ["title"], "description": []}

    def label(workers: int) -> None:
        with formats.open_table(source, usual["title"]) as table, Path(target).open("wb") as file:
            options = batch.Options(model.policy())
            columns = batch.find_columns(table, options, usual)
            writer = formats.make_writer(table, options.added, options.excess, formats.Writing())
            with StreamOutput(file, writer, table) as output:
                batch.classify(model, table, columns, options, writer, output, workers=workers)

    label(1)
    ratios = [seconds(lambda: label(1), 1) / seconds(lambda: label(2), 1) for _ in range(5)]
    return float(np.median(ratios))


def latency(model: JobTitleClassifier) -> tuple[float, float]:
    """Return the median and the 99th percentile of single calls, in milliseconds."""
    found = []
    for n in range(1_000):
        start = time.perf_counter()
        model.predict([f"Ekonomiassistent {n}"])
        found.append((time.perf_counter() - start) * 1_000)
    return float(np.median(found)), float(np.percentile(found, 99))


def command(*arguments: str) -> float:
    run = [sys.executable, "-m", "classifier", *arguments]
    return seconds(lambda: subprocess.run(run, check=True, capture_output=True))


def main() -> None:
    """Measure, and write the table."""
    model = load_model()
    data = TrainingData.from_directory(paths.training_data())
    plain = plain_pipeline(model)
    titles = distinct_titles(data, TITLES)
    repeated = repeated_titles(titles, TITLES)
    ads = postings(data, POSTINGS)
    whole = [f"{a.title}. {a.description}" for a in ads.itertuples()]

    def label(texts: Sequence[str]) -> pd.DataFrame:
        return model.predict_frame(pd.DataFrame({"title": texts}, dtype=object))

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        rival = fast_text(data, directory)
        label(titles[:SAMPLE])
        ours = throughput(label, titles)
        ours_repeated = throughput(label, repeated)
        reference = throughput(plain, titles[:SAMPLE])
        other = throughput(rival, titles)
        ours_ads = len(ads) / seconds(lambda: model.predict_frame(ads, description="description"))
        reference_ads = throughput(plain, whole[:1_000])
        other_ads = throughput(rival, whole)
        for file, texts in (
            ("repeating.csv", repeated_titles(titles, ROWS)),
            ("distinct.csv", distinct_titles(data, ROWS)),
        ):
            pd.DataFrame({"title": texts}).to_csv(directory / file, index=False)
        pandas, labelled = csv_run(directory / "repeating.csv", directory)
        command_line = classify_command(directory / "repeating.csv", directory)
        memory = max(memory_over(command_line, "VmRSS", 0.05)[0])
        both = workers_run(directory / "distinct.csv", directory)
        both_repeating = workers_run(directory / "repeating.csv", directory)
    median, slow = latency(model)
    sizes = [
        (paths.models() / name).stat().st_size / 2**20 for name in (MODEL_FILE, REFERENCE_FILE)
    ]
    rows = [
        ("titles, all distinct, against the scikit-learn pipeline", f"{ours / reference:.1f}x", "10x"),
        ("titles, all distinct, against fastText", f"{ours / other:.2f}x", "1.5x"),
        ("titles that repeat, against the pipeline", f"{ours_repeated / reference:.1f}x", "40x"),
        ("postings of 1,500 characters, against the pipeline", f"{ours_ads / reference_ads:.1f}x", "20x"),
        ("postings of 1,500 characters, against fastText", f"{ours_ads / other_ads:.2f}x", "3x"),
        (f"classify a CSV of {ROWS:,} titles, against pandas reading and writing it",
         f"{labelled / pandas:.1f} times the time", "at most 5"),
        (f"two processes against one, {ROWS:,} distinct titles in a CSV", f"{both:.2f}x", "1.7x"),
        (f"two processes against one, {ROWS:,} titles that repeat", f"{both_repeating:.2f}x", ""),
    ]  # fmt: skip
    speeds = [
        ("titles a second, all distinct", ours),
        ("titles a second, repeating", ours_repeated),
        ("titles a second, scikit-learn pipeline", reference),
        ("titles a second, fastText", other),
        ("postings a second", ours_ads),
        ("postings a second, scikit-learn pipeline", reference_ads),
        ("postings a second, fastText", other_ads),
    ]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make benchmark`, and the part on the service by `make service`; do not edit. Ratios",
        "of one run, on one core unless a line says otherwise; what is labelled is department, category,",
        "role, seniority and confidences. The scikit-learn pipeline and fastText give a department only.",
        "",
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores.",
        "",
        "| measured | found | asked for |",
        "|---|---|---|",
        *(f"| {what} | {found} | {asked} |" for what, found, asked in rows),
        "",
        "| speed | a second |",
        "|---|---|",
        *(f"| {what} | {speed:,.0f} |" for what, speed in speeds),
        "",
        f"- One title at a time: {median:.1f} ms median, {slow:.1f} ms at the 99th percentile.",
        f"- `--help` in {command('--help'):.2f} s; `label Kock` from a cold start in "
        f"{command('label', 'Kock'):.1f} s.",
        f"- The model has {sizes[0]:.0f} MiB, memory-mapped, and its scikit-learn reference "
        f"{sizes[1]:.0f} MiB, packed.",
        f"- Labelling the CSV took {memory:,.0f} MiB at its peak.",
    ]
    write_part("", lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--workers"]:
        sys.stdout.write(f"{compare_workers(*sys.argv[2:])}")
    else:
        main()

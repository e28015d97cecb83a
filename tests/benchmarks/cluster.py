"""A dataset of 2 GB, labelled by the plain run and by Dask. Run by ``make cluster``."""

import shutil
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from classifier import load_model, paths
from classifier.corpus import TrainingData
from classifier.labels import LABEL_COLUMNS
from tests.benchmarks.benchmark import postings

SIZE, WORKERS = 2 << 30, 2
ROW_GROUP, GROUPS = 100_000, 2
"""How many rows a row group has, and how many of those a file."""


def make_dataset(data: TrainingData, directory: Path) -> None:
    """Write files of postings until they take 2 GB; no text comes twice."""
    ads = postings(data, ROW_GROUP)
    halves = [(text[: len(text) // 2], text[len(text) // 2 :]) for text in ads["description"]]
    first, second = (np.array(half, dtype=object) for half in zip(*halves, strict=True))
    turns = count()
    for n in count():
        if sum(path.stat().st_size for path in directory.iterdir()) >= SIZE:
            return
        schema = pa.schema(
            [("id", pa.int64()), ("title", pa.string()), ("description", pa.string())]
        )
        path = directory / f"{n:03}.parquet"
        with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
            for _ in range(GROUPS):
                turn = next(turns)
                ids = np.arange(turn * ROW_GROUP, (turn + 1) * ROW_GROUP)
                texts = first + np.roll(second, turn * 977)
                table = pa.table([ids, ads["title"], texts], schema=schema)
                file.write_table(table, row_group_size=ROW_GROUP)


def seconds(source: Path, target: Path, *options: str) -> float:
    """Time the command that labels files."""
    command = [sys.executable, "-m", "classifier", "classify", str(source), "-o", str(target)]
    start = time.perf_counter()
    subprocess.run([*command, "--workers", str(WORKERS), *options], check=True)
    return time.perf_counter() - start


def labels(directory: Path) -> pa.Table:
    """Return the labels of a dataset, file after file."""
    columns = ["id", *LABEL_COLUMNS]
    files = sorted(directory.iterdir())
    return pa.concat_tables([parquet.read_table(path, columns=columns) for path in files])


def main() -> None:
    """Label the dataset twice, and compare."""
    load_model()
    with tempfile.TemporaryDirectory() as name:
        source, plain, dask = (Path(name) / own for own in ("in", "plain", "dask"))
        source.mkdir()
        make_dataset(TrainingData.from_directory(paths.training_data()), source)
        size = sum(path.stat().st_size for path in source.iterdir())
        plain_seconds = seconds(source, plain)
        expected = labels(plain)
        shutil.rmtree(plain)
        dask_seconds = seconds(source, dask, "--engine", "dask")
        n_parts = len(list(dask.iterdir()))
        same = labels(dask).equals(expected)
    rows = len(expected)
    sys.stdout.write(f"{rows:,} rows, {size / 2**30:.2f} GiB, {n_parts} parts\n")
    for engine, own in (("plain", plain_seconds), ("Dask", dask_seconds)):
        sys.stdout.write(f"{engine}, {WORKERS} processes: {own:.0f} s, {rows / own:,.0f} rows/s\n")
    sys.stdout.write(f"Dask is {plain_seconds / dask_seconds:.2f} times as fast\n")
    if not same:
        sys.exit("labels differ")


if __name__ == "__main__":
    main()

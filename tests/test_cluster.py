"""A cluster gives the same rows the same labels as one process does, and errors of one line."""

import gzip
import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import distributed
import fsspec
import pandas as pd
import pyarrow as pa
import pytest
from backports import zstd
from pyarrow import parquet

from classifier import JobTitleClassifier, paths
from classifier.batch import Options, as_cells
from classifier.cluster import label_dataset
from classifier.console import usual_names
from classifier.errors import InputError, ModelError
from classifier.formats import Reading, Writing
from classifier.labelling_files import Job
from classifier.labels import LABEL_COLUMNS
from classifier.parts import Remote
from classifier.persistence import MODEL_FILE, read_manifest
from tests.conftest import ROOT, Jobtitle

TITLES = [
    "Löneadministratör 80 %", "Sr. Acct. Mgr, Nordics", "asdf qwer", "Barista", "", "VD",
    "Sjuksköterska, natt", "Backend developer (Java)", "HR-chef", "Säljande butikschef",
]  # fmt: skip
TEXTS = ["Du kör lönen för 600 anställda.", "", "You cook.\nYou clean.", 'Kundtjänst "på riktigt"']
SMALL = "from classifier import batch, cluster, parts; cluster.ROWS = parts.ROWS = batch.CHUNK = batch.TEXT_CHUNK = 7"

pytestmark = pytest.mark.usefixtures("model")


@pytest.fixture(scope="module")
def scheduler(model: JobTitleClassifier) -> Iterator[str]:  # noqa: ARG001 - trained before it is used
    """Start two workers, whose parts have few rows, so that small files have many parts."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):  # fmt: skip
        client.run(exec, SMALL)
        yield cluster.scheduler_address


@pytest.fixture
def dask(jobtitle: Jobtitle, scheduler: str) -> Jobtitle:
    """Run the command that labels files on that cluster."""
    return partial(jobtitle, "classify", "--engine", "dask", "--scheduler", scheduler)


def job(model: JobTitleClassifier, **chosen: Any) -> Job:
    """Return what the command wants when nothing is chosen."""
    manifest = read_manifest(paths.models())
    own = Job(
        Options(model.policy()), Reading(), Writing(), usual_names(), manifest["sha256"][MODEL_FILE]
    )
    return replace(own, **chosen)


def csv_rows(n: int) -> list[list[str]]:
    return [[str(i), TITLES[i % len(TITLES)], TEXTS[i // 3 % len(TEXTS)]] for i in range(n)]


def csv_text(rows: list[list[str]], delimiter: str = ",", newline: str = "\n") -> str:
    def quoted(cell: str) -> str:
        needs = any(c in cell for c in f'{delimiter}"\n')
        return '"' + cell.replace('"', '""') + '"' if needs else cell

    return "".join(delimiter.join(map(quoted, row)) + newline for row in rows)


def found_in(directory: Path) -> list[bytes]:
    """Return the parts, unpacked."""
    unpack = {".gz": gzip.decompress, ".zst": zstd.decompress}
    return [unpack.get(p.suffix, bytes)(p.read_bytes()) for p in sorted(directory.iterdir())]


def in_parts(whole: bytes, parts: Iterator[bytes], encoding: str = "utf-8", head: int = 1) -> int:
    """Take as many parts as hold the rows of a file, each below its first lines; return how many."""
    lines = whole.decode(encoding, "surrogateescape").splitlines(keepends=True)
    first = "".join(lines[:head]).encode(encoding)
    rest, n = whole.removeprefix(first), 0
    while rest or not n:
        part = next(parts)
        assert part.startswith(first)
        rows = part.removeprefix(first)
        assert rows and rest.startswith(rows) if rest else not rows
        rest, n = rest.removeprefix(rows), n + 1
    return n


def said(err: str) -> list[str]:
    """Return what was said of rows, and not of how they were read."""
    return [line for line in err.splitlines() if not re.search(r"title from|; utf|; cp", line)]


def recipe() -> str:
    """Return the README's recipe for Spark, without the line that calls Spark."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    (own,) = [block for block in blocks if "mapInPandas" in block]
    return str(own.partition("\nspark.")[0])


def test_the_same_rows_get_the_same_labels_on_every_engine(
    model: JobTitleClassifier,
    jobtitle: Jobtitle,
    dask: Jobtitle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One process, shares, Dask, the library and Spark's recipe: rows and labels are the same."""
    rows = csv_rows(100)
    source, whole = tmp_path / "in.csv", tmp_path / "whole.csv"
    source.write_text(csv_text([["id", "title", "description"], *rows]), "utf-8")
    assert jobtitle("classify", source, "-o", whole).code == 0

    run = dask(
        source,
        "-o",
        tmp_path / "parts",
    )
    assert (run.code, run.out) == (0, b"")
    assert "100 rows: " in run.err
    parts = found_in(tmp_path / "parts")
    assert in_parts(whole.read_bytes(), iter(parts)) == len(parts) > 9

    monkeypatch.setattr("classifier.batch.TEXT_CHUNK", 7)
    shares = []
    for n in (1, 2, 3):
        share = tmp_path / f"share-{n}.csv"
        assert jobtitle("classify", source, "-o", share, "--shard", f"{n}/3").code == 0
        shares.append(share.read_bytes())
    assert min(map(len, shares)) > len(whole.read_bytes()) / 4
    assert in_parts(whole.read_bytes(), iter(shares)) == 3

    table = pd.read_csv(whole, dtype=str, keep_default_na=False)
    frame = pd.DataFrame(rows, columns=["id", "title", "description"])
    labels = model.predict_frame(frame, description="description")
    assert table[["id", "title", "description"]].to_numpy().tolist() == rows
    for name in LABEL_COLUMNS:
        assert table[name].tolist() == as_cells(labels[name]), name

    names: dict[str, Any] = {}
    exec(recipe(), names)  # noqa: S102 - our own README
    batches = [frame.iloc[:30], frame.iloc[30:31], frame.iloc[31:]]
    spark = pd.concat(names["label"](iter(batches)))
    assert [column.split()[0] for column in names["schema"].split(", ")] == list(spark)
    for name in LABEL_COLUMNS:
        assert as_cells(spark[name]) == as_cells(labels[name]), name


AWKWARD = [
    ["1", "Kock"],
    ["2", "Lönechef", "", "Säljare"],
    ["3", "VD", "line\nbreaks\n" * 9, "4,5"],
    ["", "", "", ""],
    ["4", 'Kock "kall"', "a,b;c", "x"],
    ["5", "Barista", "text", "y", "more", "and\nmore"],
] * 6
PIECES = ['"', '""', ",", "\n", "\r\n", "\r", "a", "Kock", "å,", "1,VD\n", "2,Kock\r\n"]


def test_csv_is_written_as_by_one_process(
    jobtitle: Jobtitle, dask: Jobtitle, tmp_path: Path
) -> None:
    """However rows are cut into parts, each comes back with the bytes and faults it has in one."""
    two = [["id", "title"], *(row[:2] for row in csv_rows(40))]
    texts = {
        "awkward.csv": csv_text([["id", "title", "text", "rest"], *AWKWARD]),
        "semicolons.csv": csv_text([["id", "title", "text", "rest"], *AWKWARD], ";", "\r\n"),
        "macintosh.csv": csv_text(two, ";", "\r"),
        "tabs.tsv": csv_text(two, "\t"),
        "one-column.csv": csv_text([row[1:] for row in two]),
        "quotes.csv": "id,title\n" + '1,"Kock\n2,VD\n3,HR-chef"\n4,"VD"x\n' * 20,
        "blanks.csv": "id,title\n\n\n" + "1,Kock\n\n" * 20 + '1,"Kock',
        "no-rows.csv": "id,title\n",
        "no-end.csv": "id,title",
        "sep.csv": "sep=;\n" + csv_text(two, ";"),
    }
    rng = random.Random(0)
    for n in range(30):
        texts[f"x{n:02}.csv"] = "id,title\n" + "".join(rng.choices(PIECES, k=90))
    source = tmp_path / "in"
    source.mkdir()
    for name, text in texts.items():
        (source / name).write_bytes(text.encode())
    one = jobtitle("classify", source, "-o", tmp_path / "one")
    many = dask(source, "-o", tmp_path / "many")
    assert (one.code, many.code) == (0, 0), many.err
    parts = iter(found_in(tmp_path / "many"))
    for path in sorted((tmp_path / "one").iterdir()):
        n_parts = in_parts(path.read_bytes(), parts, head=2 if path.name == "sep.csv" else 1)
        assert (n_parts == 1) == path.name.startswith("no-"), path.name
    assert next(parts, None) is None
    assert said(many.err) == said(one.err)
    assert many.err.count("too many cells") > 6


def test_encodings_are_cut_between_rows(jobtitle: Jobtitle, dask: Jobtitle, tmp_path: Path) -> None:
    """A part from the middle of a file is read in its encoding; byte order marks come first only."""
    text = csv_text([["id", "title", "description"], *csv_rows(90)])
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.csv").write_bytes(text.encode("utf-8-sig"))
    (source / "b.csv").write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
    (source / "c.csv").write_bytes(b"\xfe\xff" + text.encode("utf-16-be"))
    (source / "d.csv").write_bytes(text.encode("utf-16-be"))
    (source / "e.csv").write_bytes(b"\x00\x00\xfe\xff" + text.encode("utf-32-be"))
    # bytes that stand for nothing are the fault of their row
    (source / "f.csv").write_bytes(text.encode("cp1252").replace(b"Barista", b"Bar\x81ista"))
    (source / "g.csv.gz").write_bytes(gzip.compress(text.encode()))
    (source / "h.csv.zst").write_bytes(zstd.compress(text.encode()))
    one = jobtitle("classify", source, "-o", tmp_path / "one")
    many = dask(source, "-o", tmp_path / "many")
    assert (one.code, many.code) == (0, 0), many.err
    parts = iter(found_in(tmp_path / "many"))
    encodings = ["utf-8-sig", "utf-16", "utf-16", "utf-16-be", "utf-32", "cp1252", "utf-8", "utf-8"]
    n_parts = [
        in_parts(whole, parts, encoding)
        for whole, encoding in zip(found_in(tmp_path / "one"), encodings, strict=True)
    ]
    assert n_parts == [15] * 6 + [2] * 2  # archives are cut less often
    assert next(parts, None) is None
    assert said(many.err) == said(one.err)
    assert "bytes that are not cp1252" in many.err


@pytest.mark.parametrize(
    ("header", "head", "options"),
    [
        ([], 0, ["-H", "--title", "2", "-d", ","]),
        (["status", "title"], 1, ["--prefix", "x_", "--min-confidence", "0", "--candidates", "2"]),
        (["id", "=title"], 1, ["--title", "=title", "--excel-safe", "--output-delimiter", "|"]),
    ],
)
def test_options_are_those_of_one_process(
    jobtitle: Jobtitle,
    dask: Jobtitle,
    tmp_path: Path,
    header: list[str],
    head: int,
    options: list[str],
) -> None:
    """What the user chooses about reading, labels and writing holds in a cluster, too."""
    source = tmp_path / "in.csv"
    rows = [row[:2] for row in csv_rows(30)]
    source.write_text(csv_text([header, *rows] if header else rows), "utf-8")
    one = jobtitle("classify", source, *options)
    many = dask(source, "-o", tmp_path / "many", *options)
    assert (one.code, many.code) == (0, 0), many.err
    assert in_parts(one.out, iter(found_in(tmp_path / "many")), head=head) == 5


def typed(n: int, start: int = 0) -> pa.Table:
    """Return a table of many types, with missing values in each column but the first."""
    numbers = range(start, start + n)

    def some(value: Any) -> list[Any]:
        return [None if i % 3 == 1 else value(i) for i in numbers]

    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return pa.table(
        {
            "id": pa.array(list(numbers), pa.int64()),
            "title": pa.array([TITLES[i % len(TITLES)] or None for i in numbers], pa.string()),
            "count": pa.array(some(int), pa.int32()),
            "share": pa.array(some(lambda i: i / 8 if i % 2 else float("nan")), pa.float32()),
            "pay": pa.array(some(lambda i: Decimal(i) / 4), pa.decimal128(9, 2)),
            "seen": pa.array(some(lambda i: moment.replace(day=i % 28 + 1)), pa.timestamp("us", "UTC")),
            "day": pa.array(some(lambda i: date(2026, 1, i % 28 + 1)), pa.date32()),
            "tags": pa.array(some(lambda i: [str(i), None]), pa.list_(pa.string())),
            "place": pa.array(some(lambda i: {"town": "Umeå", "n": i}), pa.struct([("town", pa.string()), ("n", pa.int8())])),
            "kind": pa.array(some(lambda i: "abc"[i % 3 :]), pa.string()).dictionary_encode(),
            "raw": pa.array(some(lambda i: bytes([i % 256, 255])), pa.binary()),
            "open": pa.array(some(lambda i: i % 2 == 0), pa.bool_()),
        }
    )  # fmt: skip


def test_parquet_keeps_types_and_rows(jobtitle: Jobtitle, dask: Jobtitle, tmp_path: Path) -> None:
    """Columns of every type come through several files, row groups and an empty file as they were."""
    (tmp_path / "in").mkdir()
    parquet.write_table(typed(60), tmp_path / "in" / "a.parquet", row_group_size=25)
    parquet.write_table(typed(0), tmp_path / "in" / "b.parquet")
    parquet.write_table(typed(20, 60), tmp_path / "in" / "c.parquet", row_group_size=1)
    (tmp_path / "in" / "_SUCCESS").touch()
    assert jobtitle("classify", tmp_path / "in", "-o", tmp_path / "one").code == 0
    run = dask(
        tmp_path / "in",
        "-o",
        tmp_path / "many",
    )
    assert run.code == 0, run.err
    one, many = (
        [parquet.read_table(path) for path in sorted((tmp_path / name).iterdir())]
        for name in ("one", "many")
    )
    assert len(many) == 9 + 1 + 3
    assert {table.schema for table in many} == {table.schema for table in one}
    rows = pa.concat_tables(many)
    assert repr(rows.to_pylist()) == repr(pa.concat_tables(one).to_pylist())  # NaN is NaN
    assert rows.select(typed(0).column_names).schema == typed(0).schema
    assert rows["status"].to_pylist()[:5] == [
        "labelled",
        "labelled",
        "unknown",
        "labelled",
        "empty",
    ]


def test_files_of_a_dataset_may_differ(jobtitle: Jobtitle, dask: Jobtitle, tmp_path: Path) -> None:
    """Each file is read by its own columns, with or without descriptions, once, and kept as it is."""
    source, many, rows = tmp_path / "in", tmp_path / "new" / "many", csv_rows(20)
    source.mkdir()
    (source / "a.csv").write_text(csv_text([["id", "title", "text"], *rows]), "utf-8")
    turned = [row[1::-1] for row in rows]
    (source / "b.csv").write_text(csv_text([["title", "n"], *turned], ";"), "utf-8")
    parquet.write_table(typed(5), source / "c.parquet")
    (source / "notes.md").touch()
    run = dask(f"file://{source}/?.csv", f"file://{source}", "-o", f"file://{many}")
    assert run.code == 0, run.err
    parts = iter(found_in(many))
    for name in ("a.csv", "b.csv"):
        whole = jobtitle("classify", source / name).out
        assert in_parts(whole, parts) > 1
    assert next(parts).startswith(b"PAR1")
    assert next(parts, None) is None


def test_other_formats_and_a_summary_come_out(
    jobtitle: Jobtitle, dask: Jobtitle, tmp_path: Path
) -> None:
    """Parts may be written in another format, and the summary is that of one process."""
    source, chosen = tmp_path / "in.csv", ["--output-format", "parquet", "--summary"]
    source.write_text(csv_text([["id", "title"], *AWKWARD]), "utf-8")
    one = jobtitle("classify", source, "-o", tmp_path / "one", *chosen, tmp_path / "one.json")
    many = dask(source, "-o", tmp_path / "many", *chosen, tmp_path / "many.json")
    assert (one.code, many.code) == (0, 0), many.err
    own, others = (
        re.sub(r'"(seconds|output)":.*', "", (tmp_path / name).read_text("utf-8"))
        for name in ("one.json", "many.json")
    )
    assert own == others
    assert '"n_faults": 30' in own
    rows = parquet.read_table(tmp_path / "one").to_pylist()
    paths_of = sorted((tmp_path / "many").iterdir())
    assert rows == [row for path in paths_of for row in parquet.read_table(path).to_pylist()]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("in.csv", b"", []),
        ("in.csv", b"\x00\x01\x02\x03\x05" * 9, []),
        ("in.csv", b"id,title\n1,Kock\n", ["--title", "yrke"]),
        ("in.csv", b"id,title,status\n1,Kock,x\n", []),
        ("in.csv", b"id,n\n1,Kock\n", []),
        ("in.csv", b"id,title\n1,Kock\n2,VD,3\n", ["--strict"]),
        ("in.csv", b"id,title\n1,Kock\n", ["--encoding", "klingon"]),
        ("in.csv", "id,title\n1,Kock\u2013\n".encode(), ["--output-encoding", "latin-1"]),
        (
            "in.csv.gz",
            gzip.compress(random.Random(0).randbytes(5000).hex().encode(), mtime=0)[:999],
            [],
        ),
        ("in.csv.zst", zstd.compress(b"id,title\n1,Kock\n")[:-5], []),
        ("in.csv", b"<html><body><table>", []),
        ("in.parquet", b"PAR1 and no more", []),
        ("in.parquet", b"id,title\n", ["--format", "parquet"]),
    ],
)
def test_what_one_process_refuses_a_cluster_refuses_in_the_same_words(
    jobtitle: Jobtitle,
    dask: Jobtitle,
    tmp_path: Path,
    name: str,
    content: bytes,
    options: list[str],
) -> None:
    """What is wrong with a file reaches the user from a worker as one line, and nothing is left."""
    source = tmp_path / name
    source.write_bytes(content)
    one = jobtitle("classify", source, "-o", tmp_path / "one", *options)
    many = dask(
        source,
        "-o",
        tmp_path / "many",
        *options,
    )
    assert (many.code, many.out) == (1, b"")
    assert many.err == one.err
    assert many.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv", "-o", "out"], "none.csv: there is no file that can be labelled"),
        (["*.tsv", "-o", "out"], "*.tsv: there is no file that can be labelled"),
        (["foo://in.csv", "-o", "out"], "foo://in.csv: cannot be reached (Protocol not known: foo)"),
        (["in.csv", "-o", "foo://out"], "foo://out: cannot be reached (Protocol not known: foo)"),
        (["in.csv", "-o", "memory://out"], "memory://out: workers write to another place of that name"),
        (["in.csv", "-o", "full"], "full: is there already; name a new directory with --output"),
        (["in.csv", "-o", "in.csv"], "in.csv: is there already; name a new directory with --output"),
        (["in.csv", "-o", "in.csv/out"], "in.csv/out: cannot be written (Not a directory)"),
        (["in.csv", "-o", "out", "--scheduler", "nonsense"], "nonsense: no Dask scheduler with a worker answers there; an address is like tcp://10.0.0.7:8786"),
        (["in.csv", "-o", "out", "--workers", "2"], "--workers is for a cluster made here, not for that of --scheduler"),
        (["in.csv", "-o", "out", "--resume"], "--engine dask takes no --resume: run it again without"),
        (["in.csv", "-o", "out", "--shard", "1/2"], "--engine dask takes no --shard: the cluster shares the rows out itself"),
        (["full/in.json", "-o", "out"], "in.json: a cluster labels CSV and Parquet only, not json"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(
    dask: Jobtitle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    """Wrong addresses and options are said in a line, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("classifier.cluster.CONNECTING", 1)
    (tmp_path / "in.csv").write_text("title\nKock\n", "utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "in.json").write_text("{}", "utf-8")
    run = dask(*arguments)
    assert (run.code, run.out) == (1, b"")
    assert run.err.removeprefix("jobtitle: ").removeprefix(f"{tmp_path}/full/") == f"{message}\n"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["full", "in.csv", "in.json"]


def test_an_empty_directory_is_written_to(dask: Jobtitle, tmp_path: Path) -> None:
    """A directory that is there, but empty, takes the parts."""
    (tmp_path / "in.csv").write_text("title\nKock\n", "utf-8")
    (tmp_path / "out").mkdir()
    run = dask(
        tmp_path / "in.csv",
        "-o",
        tmp_path / "out",
    )
    assert run.code == 0, run.err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["part-00000.csv"]


def test_any_file_system_will_do(model: JobTitleClassifier) -> None:
    """Files in a store that is no disk are labelled into it, and progress is told."""
    memory = fsspec.filesystem("memory")
    memory.pipe("/in/a.csv", csv_text([["id", "title"], *(r[:2] for r in csv_rows(30))]).encode())
    told: list[tuple[int, int]] = []
    with distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        address = cluster.scheduler_address
        found = label_dataset(
            ["memory://in"], "memory://out", job(model), scheduler=address,
            progress=lambda n, of: told.append((n, of)),
        )  # fmt: skip
    assert found["memory:///in/a.csv"].rows == 30
    assert memory.find("/") == ["/in/a.csv", "/out/part-00000.csv"]
    assert memory.cat("/out/part-00000.csv").count(b"\n") == 31
    assert told == [(1, 1)]
    memory.rm("/", recursive=True)


def test_a_worker_with_another_model_is_found_out(
    model: JobTitleClassifier, scheduler: str, tmp_path: Path
) -> None:
    """A worker does not label by a model that is not the one of the run, nor does it train one."""
    source, target, own = str(tmp_path / "in.csv"), str(tmp_path / "out"), job(model)
    Path(source).write_text("title\nKock\n", "utf-8")
    other = replace(own, model_hash="0" * 64)
    with pytest.raises(ModelError, match="a worker has another model"):
        label_dataset([source], target, other, scheduler=scheduler)
    with pytest.raises(ModelError, match="no readable manifest"):
        label_dataset([source], target, own, scheduler=scheduler, model_directory=tmp_path)
    assert not Path(target).exists()


def test_what_cannot_be_cut_is_refused(dask: Jobtitle, tmp_path: Path) -> None:
    """A file whose bytes do not follow from its text is not cut at the wrong places."""
    source = tmp_path / "in.csv"
    source.write_bytes(b"title\n+AEs-ock\n")  # K need not be written so
    run = dask(source, "-o", tmp_path / "out", "--encoding", "utf-7")
    assert run.code == 1
    assert run.err == (
        f"jobtitle: {source}: cannot be cut into parts in utf-7; save it as UTF-8, or leave out "
        "--engine dask\n"
    )


def test_a_file_that_changes_is_found_out(tmp_path: Path) -> None:
    """What was planned for one file is not done with another of its name."""
    path = tmp_path / "in.csv"
    path.write_text("title\nKock\n", "utf-8")
    fs = fsspec.filesystem("file")
    file = Remote(str(path), Path(), "csv", None, fs, str(path), fs.ukey(str(path)))
    file.check()
    path.write_text("title\nKock\nVD\n", "utf-8")
    with pytest.raises(InputError, match="in.csv: changed while it was read; run again"):
        file.check()
    path.unlink()
    with pytest.raises(InputError, match="in.csv: cannot be read"):
        file.check()


def test_the_command_makes_a_cluster_and_ends_it(tmp_path: Path, jobtitle: Jobtitle) -> None:
    """With no scheduler, processes of its own do the work, say nothing themselves, and are gone."""
    source, many = tmp_path / "in.csv", tmp_path / "many"
    source.write_text(csv_text([["id", "title", "text", "rest"], *AWKWARD]), "utf-8")
    one = jobtitle("classify", source, "-o", tmp_path / "one.csv")
    command = [
        sys.executable,
        "-m",
        "classifier",
        "classify",
        source,
        "--engine",
        "dask",
        "-o",
        many,
    ]
    # a process that is left would keep standard error open, and this waiting
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == said(one.err)
    assert found_in(many) == [(tmp_path / "one.csv").read_bytes()]


def test_ctrl_c_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """Interrupted while its processes start, a run ends them, says so, and tidies up."""
    source = tmp_path / "in.csv"
    source.write_text("title\nKock\n", "utf-8")
    command = [sys.executable, "-m", "classifier", "classify", source, "--engine", "dask"]
    with subprocess.Popen(
        [*command, "-o", tmp_path / "out"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=ROOT, start_new_session=True,
    ) as run:  # fmt: skip
        while not list(tmp_path.glob("out.*")) and run.poll() is None:
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert err.strip() == "jobtitle: interrupted"
    assert list(tmp_path.iterdir()) == [source]


def test_one_process_needs_no_dask(tmp_path: Path) -> None:
    """Labelling without a cluster imports nothing of it."""
    script = (
        "import sys; from classifier.cli import main\n"
        "sys.argv = ['jobtitle', 'classify', 'notebooks/postings.csv', '-o', sys.argv[1]]\n"
        "main()\n"
        "sys.exit(str({'dask', 'distributed', 'fsspec', 'classifier.cluster'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "out.csv"],
        capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "set()"

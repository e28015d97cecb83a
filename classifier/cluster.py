"""Datasets labelled by a Dask cluster: CSV and Parquet, wherever fsspec reaches."""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import pandas as pd

from classifier.batch import ERROR, Columns, Options, as_cells, check_names, find_columns
from classifier.delimited import CsvChunk, CsvOptions, CsvTable, CsvWriter, open_csv
from classifier.dialects import Dialect
from classifier.errors import InputError, OutputError
from classifier.labels import LABEL_COLUMNS
from classifier.model import JobTitleClassifier
from classifier.parquet import label_array, label_type, libraries
from classifier.shipped import load_model
from classifier.sources import Source, kind_of
from classifier.summary import Fault, Kind, Summary
from classifier.tables import RowsChunk, Table

ROWS = 100_000
"""About how many rows a partition has."""

_BLOCK = 25_000
_FAULT, _EXCESS, _PLACE = "fault", "excess", "place"


@dataclass(frozen=True)
class Remote(Source):
    """A file that fsspec reads: its name is its address."""

    def open(self) -> BinaryIO:
        """Open it for reading, unpacked."""
        import fsspec

        packing = {"gz": "gzip", "zst": "zstd"}.get(self.compression or "")
        return cast(BinaryIO, fsspec.open(self.name, "rb", compression=packing).open())


@dataclass(frozen=True)
class Part:
    """A run of rows of a file that becomes a partition.

    Parameters
    ----------
    source
        The file.
    number
        The partition's place among all of them.
    start, stop
        Bytes of a CSV file, or row groups of a Parquet file.
    line
        How many lines or rows stand before it.
    header
        The names of the columns.
    codec
        Of a CSV file, what its bytes are decoded with from there on.
    dialect
        Of a CSV file, how it is written.
    schema
        Of a Parquet file, the types of its columns, as Arrow serialises them.
    """

    source: Remote
    number: int
    start: int
    stop: int | None
    line: int
    header: tuple[str, ...]
    codec: str = ""
    dialect: Dialect | None = None
    schema: bytes = b""


@dataclass(frozen=True)
class Dataset:
    """What is wanted of a dataset.

    Parameters
    ----------
    options
        What is chosen about labels.
    csv
        How CSV files are written.
    usual_names
        The usual names of the columns ``title`` and ``description``.
    model_directory
        Where the model is, for each worker; None for the one shipped here.
    target
        The directory that the parts go to, as fsspec addresses it.
    """

    options: Options
    csv: CsvOptions
    usual_names: Mapping[str, Sequence[str]]
    model_directory: Path | None
    target: str


def label_dataset(
    sources: Sequence[str],
    dataset: Dataset,
    *,
    scheduler: str | None = None,
    workers: int = 2,
    progress: Callable[[int, int, Summary], object] | None = None,
) -> Summary:
    """Label CSV or Parquet files, a partition at a time, into one file for each partition.

    Parameters
    ----------
    sources
        Addresses of files and directories, and patterns, of one format.
    dataset
        What is wanted.
    scheduler
        The address of a Dask scheduler; None to make a cluster on this machine.
    workers
        How many processes that cluster has.
    progress
        Called with the number of partitions that are done, how many there are, and what was found.

    Returns
    -------
    Summary
        The rows of each kind, and those that could not be read.

    Raises
    ------
    InputError
        If Dask is not installed, or files cannot be read.
    OutputError
        If the directory has files in it, or cannot be written.
    """
    dask_frame, distributed = _libraries()
    files = _files(sources)
    fs, target = _target(dataset.target)
    with _cluster(distributed, scheduler, workers) as client:
        plans = client.gather(client.map(partial(_parts, dataset=dataset), files, pure=False))
        parts = [
            replace(part, number=number) for number, part in enumerate(chain.from_iterable(plans))
        ]
        frame = dask_frame.from_map(_read, parts, meta=_read(parts[0]).iloc[:0])
        labelled = frame.map_partitions(_label, parts[0], dataset, meta=_meta(parts[0], dataset))
        folder = f"{target}.partial"
        fs.makedirs(folder, exist_ok=True)
        written = labelled.map_partitions(
            _write, parts, folder, dataset, meta={"state": str}, align_dataframes=False
        )
        summary = Summary()
        try:
            for n, state in enumerate(_results(distributed, client, written), 1):
                own = Summary.from_state(json.loads(state))
                summary.add(own.kinds, own.faults)
                if progress is not None:
                    progress(n, len(parts), summary)
            fs.mv(folder, target, recursive=True)
        except OSError as error:
            raise OutputError(f"{dataset.target}: cannot be written ({error})") from error
    return summary


def _libraries() -> tuple[Any, Any]:
    """Return Dask's data frames and its scheduler."""
    try:
        import dask
        import distributed
        from dask import dataframe
    except ImportError as error:
        raise InputError(
            "a cluster needs Dask; run: pip install 'jobtitle-classifier[dask]'"
        ) from error
    dask.config.set({"dataframe.convert-string": False})  # text stays what it is
    return dataframe, distributed


@contextmanager
def _cluster(distributed: Any, scheduler: str | None, workers: int) -> Iterator[Any]:
    """Connect to a cluster, or make one on this machine."""
    with ExitStack() as stack:
        if scheduler is None:
            cluster = distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            )
            address: Any = stack.enter_context(cluster)
        else:
            address = scheduler
        try:
            client = distributed.Client(address, timeout=30)
        except (OSError, ValueError) as error:
            raise InputError(f"{scheduler}: no Dask scheduler answers there") from error
        yield stack.enter_context(client)


def _results(distributed: Any, client: Any, frame: Any) -> Iterator[str]:
    """Yield what came of each partition, as it is done; at the first error the rest is left."""
    futures = client.compute(frame.to_delayed())
    try:
        for future in distributed.as_completed(futures):
            yield future.result()["state"].iloc[0]
            future.release()
    finally:
        client.cancel(futures)


def _files(sources: Sequence[str]) -> list[Remote]:
    """Find the files of addresses, directories and patterns."""
    import fsspec

    found: list[Remote] = []
    for source in sources:
        fs, path = fsspec.core.url_to_fs(source)
        if fs.isdir(path):
            names = [name for name in fs.ls(path, detail=False) if kind_of(name)[0]]
        else:
            names = fs.glob(path) if any(c in path for c in "*?[") else [path]
        if not names or not all(map(fs.exists, names)):
            raise InputError(f"{source}: there is no such file")
        for name in sorted(names):
            kind, compression = kind_of(name)
            url = fs.unstrip_protocol(name) if "://" in source else name
            found.append(Remote(url, Path(), kind or "csv", compression))
    kinds = {"csv" if file.format == "tsv" else file.format for file in found}
    if not kinds <= {"csv"} and kinds != {"parquet"}:
        raise InputError(f"a cluster labels CSV or Parquet, not {', '.join(sorted(kinds))}")
    return found


def _target(address: str) -> tuple[Any, str]:
    """Find where the parts go; nothing may be there yet."""
    import fsspec

    fs, path = fsspec.core.url_to_fs(address)
    if fs.exists(path) and (not fs.isdir(path) or fs.ls(path)):
        raise OutputError(f"{address}: is there already; name a new directory with --output")
    if fs.exists(f"{path}.partial"):
        fs.rm(f"{path}.partial", recursive=True)
    if fs.exists(path):
        fs.rmdir(path)
    return fs, path


@lru_cache(maxsize=1)
def _model(directory: Path | None) -> JobTitleClassifier:
    """Load the model, once in each worker."""
    return load_model(directory)


def _parts(file: Remote, dataset: Dataset) -> list[Part]:
    """Divide a file into partitions; done by a worker."""
    if file.format == "parquet":
        return list(_row_groups(file, dataset))
    usual = [*dataset.usual_names["title"], *dataset.usual_names["description"]]
    table = open_csv(file, usual, dataset.csv)
    _columns(table, dataset)
    return list(_byte_ranges(file, table))


def _columns(table: Table, dataset: Dataset) -> Columns:
    """Find the columns of a file, and see that there is room for the new ones."""
    check_names(table, dataset.options)
    return find_columns(table, dataset.options, dataset.usual_names)


def _byte_ranges(file: Remote, table: CsvTable) -> Iterator[Part]:
    """Cut a CSV file between rows."""
    header, dialect = tuple(table.header), table.dialect
    codec = _codec(file, dialect.encoding)
    if file.compression is not None:  # cannot be read from its middle
        yield Part(file, 0, 0, None, table.n_before, header, codec, dialect)
        return
    at = start = len(dialect.encoded(table.before, first=True))
    line, n_rows = table.n_before, 0
    for chunk in table._chunks(_BLOCK):
        at += len("".join(chunk.lines).encode(codec, dialect.errors))
        n_rows += len(chunk)
        if n_rows >= ROWS:
            yield Part(file, 0, start, at, line, header, codec, dialect)
            start, line, n_rows = at, chunk.line + len(chunk.lines), 0
    if n_rows or at == start:
        yield Part(file, 0, start, at, line, header, codec, dialect)


def _codec(file: Remote, encoding: str) -> str:
    """Return what decodes a file from its middle, where there is no byte order mark."""
    if encoding == "utf-16":
        with file.open() as raw:
            return "utf-16-be" if raw.read(2) == b"\xfe\xff" else "utf-16-le"
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _row_groups(file: Remote, dataset: Dataset) -> Iterator[Part]:
    """Cut a Parquet file between its row groups."""
    _, parquet = libraries()
    with file.open() as raw:
        found = parquet.ParquetFile(raw)
        schema = found.schema_arrow
        sizes = [found.metadata.row_group(n).num_rows for n in range(found.metadata.num_row_groups)]
    _columns(_Named(file.name, schema.names, sum(sizes)), dataset)
    start = n_rows = before = 0
    for n, size in enumerate(sizes, 1):
        n_rows += size
        if n_rows >= ROWS or n == len(sizes):
            yield Part(
                file, 0, start, n, before, tuple(schema.names),
                schema=schema.serialize().to_pybytes(),
            )  # fmt: skip
            start, before, n_rows = n, before + n_rows, 0


class _Named(Table):
    """Names of columns without rows."""

    def _chunks(self, size: int) -> Any:  # noqa: ARG002
        return iter(())


def _read(part: Part) -> pd.DataFrame:
    """Read a partition: columns by position, and for CSV what is wrong with rows."""
    if part.dialect is None:
        return _read_parquet(part)
    with part.source.open() as raw:
        raw.seek(part.start)
        content = raw.read(-1 if part.stop is None else part.stop - part.start)
    text = content.decode(part.codec, part.dialect.errors)
    lines = list(io.StringIO(text, newline=""))
    if part.stop is None:
        lines = lines[part.line :]
    chunk = CsvChunk(part.line, lines, part.dialect, len(part.header))
    rows, width = chunk.cells, len(part.header)
    frame = pd.DataFrame(
        [cells[:width] for cells in rows], columns=list(map(str, range(width))), dtype=object
    )
    faults = chunk.faults
    frame[_FAULT] = pd.Series([faults.get(n, "") for n in range(len(rows))], dtype=object)
    excess = (json.dumps(cells[width:]) if len(cells) > width else "" for cells in rows)
    frame[_EXCESS] = pd.Series(list(excess), dtype=object)
    frame[_PLACE] = [chunk.place(n) for n in range(len(rows))]
    return frame.astype({_PLACE: "int64"})


def _read_parquet(part: Part) -> pd.DataFrame:
    _, parquet = libraries()
    with part.source.open() as raw:
        table = parquet.ParquetFile(raw).read_row_groups(range(part.start, part.stop or 0))
    table = table.rename_columns(list(map(str, range(table.num_columns))))
    frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _meta(part: Part, dataset: Dataset) -> pd.DataFrame:
    """Return a labelled partition without rows."""
    return _read(part).iloc[:0].assign(**dict.fromkeys(dataset.options.added, ""))


def _label(frame: pd.DataFrame, part: Part, dataset: Dataset) -> pd.DataFrame:
    """Label the rows of a partition."""
    own = dataset.options
    columns = _columns(_Named(part.source.name, list(part.header), 0), dataset)
    title, text = (None if at is None else str(at) for at in (columns.title, columns.description))
    labels = _model(dataset.model_directory).predict_frame(
        frame,
        title=title,
        description=text,
        policy=own.policy,
        min_confidence=own.min_confidence,
        n_candidates=own.n_candidates,
    )
    cells = pd.DataFrame(
        {
            name: pd.Series(as_cells(labels[column]), dtype=object, index=frame.index)
            for name, column in zip(own.added, labels, strict=True)
        }
    )
    if _FAULT in frame:
        faulty = (frame[_FAULT] != "").to_numpy()
        cells.loc[faulty, :] = ""
        cells.loc[faulty, own.added[0]] = ERROR
    return pd.concat([frame, cells], axis=1)


def _write(
    frame: pd.DataFrame,
    parts: Sequence[Part],
    folder: str,
    dataset: Dataset,
    partition_info: dict[str, int],
) -> pd.DataFrame:
    """Write a partition as a file, and return what was found."""
    import fsspec

    part = parts[partition_info["number"]]
    fs, _ = fsspec.core.url_to_fs(dataset.target)
    write = _write_parquet if part.dialect is None else _write_csv
    ending = "parquet" if part.dialect is None else "csv"
    with fs.open(str(PurePosixPath(folder) / f"part-{part.number:05}.{ending}"), "wb") as file:
        write(frame, part, dataset, file)
    return pd.DataFrame({"state": [json.dumps(_found(frame, part, dataset).state())]})


def _found(frame: pd.DataFrame, part: Part, dataset: Dataset) -> Summary:
    """Count the rows of a partition."""
    names = [dataset.options.prefix + name for name in LABEL_COLUMNS[:3]]
    summary = Summary(Counter(map(Kind, *(frame[name].tolist() for name in names))))
    if _FAULT in frame:
        own = frame.loc[frame[_FAULT] != "", [_PLACE, _FAULT]]
        for place, reason in own.itertuples(index=False):
            summary.add(Counter(), [Fault(place, f"{reason} ({part.source.name})")])
    return summary


def _write_csv(frame: pd.DataFrame, part: Part, dataset: Dataset, file: BinaryIO) -> None:
    assert part.dialect is not None  # noqa: S101 - for the type checker
    added = dataset.options.added
    own = frame[list(map(str, range(len(part.header))))].to_numpy(dtype=object).tolist()
    excess = (json.loads(cells) if cells else [] for cells in frame[_EXCESS])
    rows = [[*cells, *more] for cells, more in zip(own, excess, strict=True)]
    faults = {n: fault for n, fault in enumerate(frame[_FAULT]) if fault}
    writer = CsvWriter(
        part.header, added, part.dialect,
        has_header=dataset.csv.has_header, as_read=False, excel_safe=False,
    )  # fmt: skip
    file.write(writer.head())
    labels = writer.labels({name: frame[name].tolist() for name in added})
    file.write(writer.segment(RowsChunk(rows, faults), labels, first=True))


def _write_parquet(frame: pd.DataFrame, part: Part, dataset: Dataset, file: BinaryIO) -> None:
    pa, parquet = libraries()
    schema = pa.ipc.read_schema(pa.py_buffer(part.schema))
    arrays = [frame[str(n)].array.__arrow_array__() for n in range(len(part.header))]
    for name in dataset.options.added:
        schema = schema.append(pa.field(name, label_type(name)))
        arrays.append(label_array(name, frame[name].tolist()))
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), file)

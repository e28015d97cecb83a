"""Datasets labelled by a Dask cluster: CSV and Parquet, wherever fsspec reaches."""

import io
import json
import logging
import os
import signal
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import accumulate, chain
from multiprocessing import resource_tracker
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, cast
from uuid import uuid4

import pandas as pd

from classifier.batch import (
    ERROR,
    Columns,
    as_cells,
    check_names,
    faults_of,
    find_columns,
    segment_of,
)
from classifier.delimited import CsvChunk, CsvOptions, CsvTable, open_csv
from classifier.dialects import Dialect
from classifier.errors import ClassifierError, InputError, ModelError, OutputError
from classifier.formats import make_writer
from classifier.labelling_files import Job
from classifier.labels import LABEL_COLUMNS
from classifier.model import JobTitleClassifier
from classifier.outputs import StreamOutput
from classifier.parquet import ParquetChunk, ParquetTable, opened
from classifier.persistence import MODEL_FILE, read_manifest
from classifier.shipped import load_model
from classifier.sources import Source, kind_of, readable, recognised
from classifier.summary import Kind, Summary
from classifier.tables import CHANGED, Table
from classifier.versions import active_directory

ROWS, BYTES = 100_000, 64 << 20
"""About how many rows, and how many bytes unpacked, a partition has at most."""

CONNECTING = 10
"""How many seconds a scheduler, and its first worker, may take to answer."""

_TITLE, _TEXT, _PART, _STATE = "title", "description", "part", "state"
_BUFFER = 1 << 20
_BATCH = 10_000
_MARKS = (
    ("utf-8-sig", BOM_UTF8, "utf-8"),
    ("utf-16", BOM_UTF16_LE, "utf-16-le"),  # also what is meant where there is no mark
    ("utf-16", BOM_UTF16_BE, "utf-16-be"),
    ("utf-32", BOM_UTF32_LE, "utf-32-le"),
    ("utf-32", BOM_UTF32_BE, "utf-32-be"),
)
_PACKINGS = {"gz": "gzip", "zst": "zstd"}
_FAILURES = {
    "KilledWorker": "workers died, perhaps for lack of memory; give them more, or have fewer",
    "FutureCancelledError": "the Dask scheduler is gone; run again",
    "CommClosedError": "the Dask scheduler is gone; run again",
}
# with this, which Dask sets, memory goes back to the system all the time: half as fast
_ENVIRON, _TRIM = "distributed.nanny.pre-spawn-environ", "MALLOC_TRIM_THRESHOLD_"
# errors are told once, by whoever waits for what becomes of a part
_QUIET = dict.fromkeys(("distributed", "distributed.client", "distributed.gc"), "critical")
_LOADING = Lock()


@dataclass(frozen=True)
class Remote(Source):
    """A file that fsspec reads.

    Parameters
    ----------
    fs
        The file system of fsspec that it is in.
    address
        Where it is in there.
    stamp_of
        Tells it apart from what stands there when it has changed.
    """

    fs: Any
    address: str
    stamp_of: str = ""

    def open(self) -> BinaryIO:
        """Open it for reading, unpacked."""
        packing = _PACKINGS.get(self.compression or "")
        return cast(BinaryIO, self.fs.open(self.address, "rb", compression=packing))

    def check(self) -> None:
        """Raise an InputError if it has changed."""
        with readable(self.name):
            if self.fs.ukey(self.address) != self.stamp_of:
                raise InputError(f"{self.name}: {CHANGED}")


@dataclass(frozen=True)
class Part:
    """A run of rows of a file that becomes a partition.

    Parameters
    ----------
    source
        The file.
    header
        The names of its columns.
    columns
        Where titles and descriptions stand.
    start, stop
        From where to where: bytes of a CSV file, unpacked; rows of a Parquet file.
    line
        Of a CSV file, how many lines stand before it.
    dialect
        Of a CSV file, how it is written; None for a Parquet file.
    codec
        Of a CSV file, what its bytes are decoded with when they are not its first.
    number
        Its place among all parts.
    """

    source: Remote
    header: tuple[str, ...]
    columns: Columns
    start: int
    stop: int
    line: int = 0
    dialect: Dialect | None = None
    codec: str = ""
    number: int = 0


def label_dataset(
    sources: Sequence[str],
    target: str,
    job: Job,
    *,
    model_directory: Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, Summary]:
    """Label CSV and Parquet files in parts, each of which becomes a file.

    The same rows get the same labels as by `classifier.labelling_files.label_file`.

    Parameters
    ----------
    sources
        Addresses of files and directories, and patterns, as fsspec takes them.
    target
        The address of the directory that the parts go to. It has its name only when it is whole; a
        store that cannot rename directories gets one part after the other in the end.
    job
        What is wanted; runs cannot be gone on with, and have no shares.
    model_directory
        Where each worker finds the model; None for the one shipped here.
    scheduler
        The address of a Dask scheduler; None to make a cluster on this machine.
    workers
        How many processes that cluster has; None for one a core.
    progress
        Called with the number of parts that are done, and how many there are.

    Returns
    -------
    dict of str to Summary
        What was found in each file.

    Raises
    ------
    InputError
        If Dask is not installed, no scheduler answers, or files cannot be read.
    OutputError
        If the directory has files in it, or cannot be written.
    ModelError
        If a worker has no model, or another one.
    ClassifierError
        If the cluster fails.
    """
    dask, dask_frame, distributed = _libraries()
    files = _files(sources)
    fs, folder = _directory(target)
    unfinished = f"{folder}.{uuid4().hex[:8]}.partial"  # no other run's
    with ExitStack() as stack:
        stack.enter_context(_told())
        with _writing(target):
            fs.makedirs(unfinished)
        stack.callback(_remove, fs, unfinished)  # when the workers are gone
        # what is text in a file stays the text it is
        stack.enter_context(dask.config.set({"dataframe.convert-string": False}))
        client = stack.enter_context(_client(dask, distributed, scheduler, workers))
        plans = client.map(partial(_parts, job=job), files, pure=False)
        for plan in distributed.as_completed(plans):
            plan.result()  # the first error is raised
        own_parts = chain.from_iterable(plan.result() for plan in plans)
        parts = [replace(part, number=n) for n, part in enumerate(own_parts)]
        labelling = partial(_label, job=job, model_directory=model_directory)
        writing = partial(_write, job=job, fs=fs, folder=unfinished, target=target)
        frame = _labelled(dask_frame, parts, partial(_read, job=job), labelling, writing)
        found: list[Summary] = [Summary()] * len(parts)
        futures = distributed.as_completed(client.compute(frame.to_delayed()))
        for n_done, future in enumerate(futures, 1):
            state = json.loads(future.result()[_STATE].iloc[0])
            found[state["number"]] = Summary.from_state(state["summary"])
            if progress is not None:
                progress(n_done, len(parts))
        with _writing(target):
            fs.invalidate_cache()
            if len(fs.ls(unfinished)) != len(parts):
                raise OutputError(f"{target}: workers write to another place of that name")
            if fs.exists(folder):  # empty
                fs.rmdir(folder)
            fs.mv(unfinished, folder, recursive=True)
    summaries = {file.name: Summary() for file in files}
    for part, own in zip(parts, found, strict=True):
        summaries[part.source.name].include(own)
    return summaries


def _libraries() -> tuple[Any, Any, Any]:
    """Return Dask, its data frames and its scheduler."""
    try:
        import dask

        dask.config.set({"logging": _QUIET})  # it is read when distributed is imported
        import distributed
        from dask import dataframe
    except ImportError as error:
        raise InputError(
            "a cluster needs Dask; run: pip install 'jobtitle-classifier[dask]'"
        ) from error
    return dask, dataframe, distributed


@contextmanager
def _told() -> Iterator[None]:
    """Say in a line what went wrong in a worker, or on the way to it."""
    try:
        yield
    except ClassifierError:
        raise
    except Exception as error:
        known = _FAILURES.get(type(error).__name__)
        if known is not None:
            raise ClassifierError(known) from error
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise ClassifierError(f"the cluster failed: {type(error).__name__}: {reason}") from error


@contextmanager
def _client(
    dask: Any, distributed: Any, scheduler: str | None, workers: int | None
) -> Iterator[Any]:
    """Connect to a cluster, or make one on this machine."""
    with ExitStack() as stack:
        if scheduler is None:
            environ = dask.config.get(_ENVIRON)
            environ = {name: own for name, own in environ.items() if name != _TRIM}
            stack.enter_context(dask.config.set({_ENVIRON: environ}))
            with _uninterrupted():
                own = stack.enter_context(
                    distributed.LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        memory_limit=None,  # a part at a time: there is nothing to spill
                        dashboard_address="127.0.0.1:0",
                        silence_logs=logging.CRITICAL,
                    )
                )
            yield stack.enter_context(distributed.Client(own))
            return
        try:
            client = stack.enter_context(distributed.Client(scheduler, timeout=CONNECTING))
            client.wait_for_workers(1, timeout=CONNECTING)
        except (OSError, TypeError, ValueError) as error:
            raise InputError(
                f"{scheduler}: no Dask scheduler with a worker answers there; an address is like "
                "tcp://10.0.0.7:8786"
            ) from error
        yield client


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let processes that are started not hear of Ctrl-C: this one hears of it, and ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # which lets a thread hear of it again
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextmanager
def _addressed(address: str) -> Iterator[None]:
    """Say of an address that leads nowhere which one it is."""
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
        reason = str(getattr(error, "strerror", None) or error).splitlines()[0]
        raise InputError(f"{address}: cannot be reached ({reason})") from error


@contextmanager
def _writing(target: str) -> Iterator[None]:
    """Say of a directory that cannot be written which one it is."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror or error})") from error


def _files(sources: Sequence[str]) -> list[Remote]:
    """Find the files of addresses, directories and patterns, each once."""
    import fsspec

    found: dict[str, Remote] = {}
    for source in sources:
        with _addressed(source):
            fs, path = fsspec.core.url_to_fs(source)
            if fs.isdir(path):
                names = [own["name"] for own in fs.ls(path, detail=True) if own["type"] == "file"]
                names = [name for name in names if kind_of(name)[0]]
            elif fs.exists(path):
                names = [path]
            else:
                own = fs.glob(path, detail=True)
                names = [name for name in own if own[name]["type"] == "file"]
        if not names:
            raise InputError(f"{source}: there is no file that can be labelled")
        for name in sorted(names):
            shown = fs.unstrip_protocol(name) if "://" in source else name
            found[fs.unstrip_protocol(name)] = Remote(
                shown, Path(), kind_of(name)[0] or "csv", None, fs, name
            )
    return list(found.values())


def _directory(address: str) -> tuple[Any, str]:
    """Find where the parts go; nothing may be there yet."""
    import fsspec

    with _addressed(address):
        fs, path = fsspec.core.url_to_fs(address)
        if fs.exists(path) and (not fs.isdir(path) or fs.ls(path)):
            raise OutputError(f"{address}: is there already; name a new directory with --output")
    return fs, path.rstrip("/")


def _remove(fs: Any, folder: str) -> None:
    """Delete a directory, if it is there."""
    with suppress(OSError):
        if fs.exists(folder):
            fs.rm(folder, recursive=True)


def _parts(file: Remote, job: Job) -> list[Part]:
    """Divide a file into parts; done by a worker."""
    with readable(file.name):
        file = recognised(replace(file, stamp_of=file.fs.ukey(file.address)), job.reading.format)
    if file.format not in ("csv", "tsv", "parquet"):
        raise InputError(f"{file.name}: a cluster labels CSV and Parquet only, not {file.format}")
    return list((_rows if file.format == "parquet" else _byte_ranges)(file, job))


def _columns(table: Table, job: Job) -> Columns:
    """Find the columns of a file, and see that there is room for the new ones."""
    columns = find_columns(table, job.options, job.usual_names)
    check_names(table, job.options)
    return columns


def _byte_ranges(file: Remote, job: Job) -> Iterator[Part]:
    """Cut a CSV file between rows."""
    usual = job.options.telling_names(job.usual_names)
    table = open_csv(file, usual, job.reading.csv)
    columns = _columns(table, job)
    dialect = table.dialect
    codec, start = _codec(file, dialect.encoding)
    start += len(table.before.encode(codec, dialect.errors))
    line = table.n_before
    part = Part(file, tuple(table.header), columns, start, start, line, dialect, codec)
    n_rows = ROWS if file.compression is None else 10 * ROWS  # each unpacks all before it
    for chunk in table._chunks(columns.chunk_size):
        part = replace(
            part, stop=part.stop + len("".join(chunk.lines).encode(codec, dialect.errors))
        )
        line += len(chunk.lines)
        if line - part.line >= n_rows or part.stop - part.start >= BYTES:
            yield part
            part = replace(part, start=part.stop, line=line)
    with readable(file.name), file.open() as raw:
        if raw.seek(0, io.SEEK_END) != part.stop:
            raise InputError(
                f"{file.name}: cannot be cut into parts in {dialect.encoding}; save it as UTF-8, "
                "or leave out --engine dask"
            )
    if part.stop > part.start or part.start == start:  # a file without rows is a part, too
        yield part


def _codec(file: Remote, encoding: str) -> tuple[str, int]:
    """Return what decodes a file after its byte order mark, and how long that is."""
    for name, mark, codec in _MARKS:
        with readable(file.name), file.open() as raw:
            if name == encoding and raw.read(len(mark)) == mark:
                return codec, len(mark)
    return next((codec for name, _, codec in _MARKS if name == encoding), encoding), 0


def _rows(file: Remote, job: Job) -> Iterator[Part]:
    """Cut a Parquet file every so many rows."""
    with _parquet(file) as found:
        table = ParquetTable(file, list(found.schema_arrow.names), found.metadata.num_rows)
        groups = map(found.metadata.row_group, range(found.metadata.num_row_groups))
        n_bytes = sum(group.total_byte_size for group in groups)
    columns = _columns(table, job)
    step = max(1, min(ROWS, BYTES * table.n_rows // max(1, n_bytes)))
    for start in range(0, max(1, table.n_rows), step):
        stop = min(start + step, table.n_rows)
        yield Part(file, tuple(table.header), columns, start, stop)


@contextmanager
def _parquet(file: Remote) -> Generator[Any, None, None]:
    with (
        readable(file.name),
        file.open() as raw,
        opened(file.name, raw, buffer_size=_BUFFER) as found,
    ):
        yield found


class _CsvPart(CsvTable):
    """The rows of a part of a CSV file."""

    def __init__(self, part: Part, options: CsvOptions) -> None:
        assert part.dialect is not None  # noqa: S101 - for the type checker
        header = list(part.header)
        super().__init__(
            part.source, header, part.dialect, 0, before=[], has_header=options.has_header
        )
        with readable(self.name), part.source.open() as raw:
            raw.seek(part.start)
            text = raw.read(part.stop - part.start).decode(part.codec, part.dialect.errors)
        lines = list(io.StringIO(text, newline=""))
        self._own = CsvChunk(part.line, lines, part.dialect, len(header))

    def _chunks(self, size: int) -> Generator[CsvChunk, None, None]:  # noqa: ARG002
        if len(self._own):
            yield self._own


class _ParquetPart(ParquetTable):
    """The rows of a part of a Parquet file."""

    def __init__(self, part: Part) -> None:
        super().__init__(part.source, list(part.header), part.stop - part.start)
        with _parquet(part.source) as found:
            self._schema = found.schema_arrow
            self._own = list(_between(found, part.start, part.stop))

    @property
    def schema(self) -> Any:
        """The types of the columns."""
        return self._schema

    def _chunks(self, size: int) -> Generator[ParquetChunk, None, None]:  # noqa: ARG002
        yield from self._own


def _between(file: Any, start: int, stop: int) -> Iterator[ParquetChunk]:
    """Read rows, of no more row groups than need be."""
    sizes = [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]
    ends = list(accumulate(sizes))
    groups = [n for n, end in enumerate(ends) if start < end and end - sizes[n] < stop]
    at = ends[groups[0]] - sizes[groups[0]] if groups else 0
    for batch in file.iter_batches(_BATCH, row_groups=groups):
        first, last = max(start, at), min(stop, at + batch.num_rows)
        if first < last:
            yield ParquetChunk(first, batch.slice(first - at, last - first))
        at += batch.num_rows
        if at >= stop:
            return


@lru_cache(maxsize=1)
def _table(part: Part, options: CsvOptions) -> _CsvPart | _ParquetPart:
    """Read a part; it is kept from when it is labelled until it is written."""
    return _ParquetPart(part) if part.dialect is None else _CsvPart(part, options)


@lru_cache(maxsize=1)
def _model(directory: Path | None, expected: str) -> JobTitleClassifier:
    """Load the model that a worker finds, if it is the one that is expected."""
    own = active_directory(directory)
    if read_manifest(own)["sha256"][MODEL_FILE] != expected:
        raise ModelError(f"{own}: a worker has another model there; give all the same")
    return load_model(directory)


def _labelled(
    dask_frame: Any,
    parts: Sequence[Part],
    read: Callable[[pd.DataFrame], pd.DataFrame],
    label: Callable[[pd.DataFrame], pd.DataFrame],
    write: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame],
) -> Any:
    """Return Dask's frame of what was found in each part, a row each."""
    plan = dask_frame.from_map(_planned, parts, meta=_empty(_PART))
    rows = plan.map_partitions(read, meta=_empty(_TITLE, _TEXT), enforce_metadata=False)
    labels = rows.map_partitions(label, meta=_empty(*LABEL_COLUMNS), enforce_metadata=False)
    return labels.map_partitions(
        write, plan, meta=_empty(_STATE), enforce_metadata=False, align_dataframes=False
    )


def _empty(*names: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(names), dtype=object)


def _planned(part: Part) -> pd.DataFrame:
    return pd.DataFrame({_PART: [part]})


def _read(plan: pd.DataFrame, job: Job) -> pd.DataFrame:
    """Read the titles and descriptions of a part; no descriptions where there is no column."""
    part = plan[_PART].iloc[0]
    table = _table(part, job.reading.csv)
    titles: list[str] = []
    texts: list[str | None] = []
    for chunk in table.chunks(ROWS):
        faults_of(table, chunk, strict=job.options.strict)
        own_titles, own_texts = part.columns.read(chunk)
        titles += own_titles
        texts += [None] * len(chunk) if own_texts is None else own_texts
    return pd.DataFrame({_TITLE: titles, _TEXT: texts}, dtype=object)


def _label(rows: pd.DataFrame, job: Job, model_directory: Path | None) -> pd.DataFrame:
    """Label the rows of a part."""
    with _LOADING:  # once, also where a worker has several threads
        model = _model(model_directory, job.model_hash)
        model.corrections = job.options.corrections
    return model.predict_frame(
        rows,
        title=_TITLE,
        description=None if rows[_TEXT].isna().all() else _TEXT,
        policy=job.options.policy,
        min_confidence=job.options.min_confidence,
        n_candidates=job.options.n_candidates,
    )


def _write(
    labels: pd.DataFrame, plan: pd.DataFrame, job: Job, fs: Any, folder: str, target: str
) -> pd.DataFrame:
    """Write a part with its labels, and return what was found."""
    part: Part = plan[_PART].iloc[0]
    source, added = part.source, job.options.added
    kind = job.writing.format or source.format
    name = f"part-{part.number:05}.{kind}" + (f".{source.compression}" * bool(source.compression))
    table = _table(part, job.reading.csv)
    writer = make_writer(table, added, job.options.excess, replace(job.writing, format=kind))
    columns = [as_cells(labels[column]) for column in labels]
    summary, start = Summary(), 0
    with (
        _writing(target),
        fs.open(f"{folder}/{name}", "wb") as file,
        StreamOutput(file, writer, table, source.compression, name=target) as output,
    ):
        output.write(writer.head())
        for n, chunk in enumerate(table.chunks(ROWS)):
            own = [cells[start : start + len(chunk)] for cells in columns]
            start += len(chunk)
            for row in chunk.faults:
                for cells in own:
                    cells[row] = ERROR if cells is own[0] else ""
            cells_of = dict(zip(added, own, strict=True))
            written = writer.labels(cells_of)
            output.write(segment_of(writer, table, chunk, written, first=n == 0))
            summary.add(Counter(map(Kind, *own[:3])), faults_of(table, chunk))
        output.write(writer.tail())
        output.finish()
        with suppress(io.UnsupportedOperation):  # a local file
            os.fsync(file.fileno())
    _table.cache_clear()
    source.check()
    return pd.DataFrame({_STATE: [json.dumps({"number": part.number, "summary": summary.state()})]})

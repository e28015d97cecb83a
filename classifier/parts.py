"""Files wherever fsspec reaches, and the parts of them that become partitions."""

import io
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, cast

from classifier.batch import Columns, check_names, find_columns
from classifier.delimited import CsvChunk, CsvOptions, CsvTable, open_csv
from classifier.dialects import Dialect
from classifier.errors import InputError
from classifier.labelling_files import Job
from classifier.parquet import ParquetChunk, ParquetTable, opened
from classifier.sources import Source, kind_of, readable, recognised
from classifier.tables import CHANGED, Table

ROWS, BYTES = 100_000, 64 << 20
"""About how many rows, and how many bytes unpacked, a partition has at most."""

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


@contextmanager
def addressed(address: str) -> Iterator[None]:
    """Say of an address that leads nowhere which one it is."""
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
        reason = str(getattr(error, "strerror", None) or error).splitlines()[0]
        raise InputError(f"{address}: cannot be reached ({reason})") from error


def find_files(sources: Sequence[str]) -> list[Remote]:
    """Find the files of addresses, directories and patterns, each once.

    Raises
    ------
    InputError
        If an address cannot be reached, or there is no file that can be labelled.
    """
    import fsspec

    found: dict[str, Remote] = {}
    for source in sources:
        with addressed(source):
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


def cut(file: Remote, job: Job) -> list[Part]:
    """Divide a file into parts; done by a worker.

    Raises
    ------
    InputError
        If it cannot be read, or is neither CSV nor Parquet.
    """
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
def read_part(part: Part, options: CsvOptions) -> _CsvPart | _ParquetPart:
    """Read a part; it is kept from when it is labelled until it is written."""
    return _ParquetPart(part) if part.dialect is None else _CsvPart(part, options)

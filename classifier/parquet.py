"""Parquet files, by pyarrow: columns keep their types."""

from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from classifier.cells import Number, as_text, whole
from classifier.errors import InputError
from classifier.labels import is_probability
from classifier.sources import Source
from classifier.tables import Chunk, LateWriter, Table, distinct, paired

if TYPE_CHECKING:  # imported where Parquet is read or written
    import pyarrow as pa

_ROW_GROUP = 100_000


@dataclass(frozen=True)
class ParquetChunk(Chunk):
    """Some rows of a Parquet file.

    Parameters
    ----------
    row
        How many rows stand before them.
    batch
        The rows.
    """

    row: int
    batch: "pa.RecordBatch"

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def column(self, position: int) -> list[str]:
        return list(map(as_text, _values(self.batch.column(position))))

    @property
    def cells(self) -> list[list[Any]]:
        return list(map(list, zip(*map(_values, self.batch.columns), strict=True)))

    @cached_property
    def faults(self) -> Mapping[int, str]:
        return {}

    def place(self, row: int) -> int:
        return self.row + row + 1


def _values(column: "pa.Array") -> list[Any]:
    """Return a column as values that every format knows."""
    pa, _ = libraries()
    own = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    values: list[Any] = column.to_pylist()
    if (pa.types.is_primitive(own) and not pa.types.is_decimal(own)) or own in _texts(pa):
        return values
    return list(map(_plain, values))


def _texts(pa: Any) -> tuple[Any, ...]:
    return (pa.string(), pa.large_string(), pa.string_view())


def _plain(value: Any, *, within: bool = False) -> Any:
    """Return a value without what only Parquet knows; within lists and objects, as JSON has it."""
    if isinstance(value, bytes):
        try:
            return value.decode()  # some programs write text as bytes
        except UnicodeDecodeError:
            return b64encode(value).decode()
    if isinstance(value, Decimal):
        return Number(value)
    if isinstance(value, dict):
        return {as_text(key): _plain(own, within=True) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own, within=True) for own in value]
    if value is None or isinstance(value, bool | int | str) or not within:
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return as_text(value)


class ParquetTable(Table):
    """A Parquet file.

    Parameters
    ----------
    source
        The file.
    header
        The names of the columns.
    n_rows
        How many rows there are.
    """

    place_name = "row"

    def __init__(self, source: Source, header: list[str], n_rows: int) -> None:
        super().__init__(source.name, header, n_rows, source)

    @property
    def schema(self) -> "pa.Schema":
        """The types of the columns, and what else the file says of them."""
        with opened(self.name, self.source.path) as file:
            return file.schema_arrow

    def _chunks(self, size: int) -> Generator[ParquetChunk, None, None]:
        row = 0
        with opened(self.name, self.source.path) as file:
            for batch in file.iter_batches(batch_size=size):
                yield ParquetChunk(row, batch)
                row += batch.num_rows


def open_parquet(source: Source) -> ParquetTable:
    """Open a Parquet file.

    Raises
    ------
    InputError
        If it cannot be read, or pyarrow is not installed.
    """
    with opened(source.name, source.path) as file:
        names = list(file.schema_arrow.names)
        if not names:
            raise InputError(f"{source.name}: a Parquet file without columns")
        return ParquetTable(source, names, file.metadata.num_rows)


@contextmanager
def opened(name: str, file: Path | BinaryIO, **how: Any) -> Generator[Any, None, None]:
    """Open a Parquet file.

    Parameters
    ----------
    name
        What messages call it.
    file
        Where it is, or the file itself.
    how
        What pyarrow shall know besides.

    Yields
    ------
    pyarrow.parquet.ParquetFile
        The file.

    Raises
    ------
    InputError
        If it cannot be read, or pyarrow is not installed.
    """
    pa, parquet = libraries()
    try:
        with parquet.ParquetFile(file, **how) as found:
            yield found
    except (pa.ArrowException, OSError, UnicodeError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{name}: cannot be read as Parquet ({reason})") from error


def libraries() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet module.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            "Parquet needs pyarrow; run: pip install 'jobtitle-classifier[parquet]'"
        ) from error
    return pa, parquet


class ParquetWriter(LateWriter):
    """Writes a Parquet file, when all labels are there; what was no Parquet becomes text.

    Parameters
    ----------
    header
        The names of the columns of the table.
    added
        The names of the columns of the label.
    excess
        The name of a column of cells that have none.
    """

    def __init__(self, header: Sequence[str], added: Sequence[str], excess: str) -> None:
        libraries()
        super().__init__(header, added)
        self.excess = excess

    def finish(self, table: Table, segments: Path, target: Path) -> None:
        pa, parquet = libraries()
        schema = table.schema if isinstance(table, ParquetTable) else None
        has_excess = schema is None and self._has_excess(table)
        names = distinct([whole(name) for name in self.header])
        if schema is None:
            schema = pa.schema([(name, pa.string()) for name in names])
        for name in self.added:
            schema = schema.append(pa.field(name, label_type(name)))
        if has_excess:
            schema = schema.append(pa.field(self.excess, pa.list_(pa.string())))
        with parquet.ParquetWriter(target, schema) as file:
            waiting: list[Any] = []
            for chunk, labels in paired(table, segments):
                waiting.append(self._batch(chunk, labels, schema, has_excess=has_excess))
                if sum(batch.num_rows for batch in waiting) >= _ROW_GROUP:
                    file.write_table(pa.Table.from_batches(waiting, schema))
                    waiting.clear()
            if waiting:
                file.write_table(pa.Table.from_batches(waiting, schema))

    def _has_excess(self, table: Table) -> bool:
        width = len(self.header)
        return any(
            len(cells) > width
            for chunk in table.chunks(_ROW_GROUP)
            if chunk.faults
            for cells in chunk.cells
        )

    def _batch(
        self, chunk: Chunk, labels: list[list[str]], schema: Any, *, has_excess: bool
    ) -> Any:
        """Join rows and labels."""
        pa, _ = libraries()
        width = len(self.header)
        if isinstance(chunk, ParquetChunk):
            columns = list(chunk.batch.columns)
        else:
            rows = chunk.cells
            columns = [
                pa.array([_text(cells[n]) for cells in rows], pa.string()) for n in range(width)
            ]
        for name, values in zip(self.added, zip(*labels, strict=True), strict=True):
            columns.append(label_array(name, values))
        if has_excess:
            excess = [[_text(v) for v in cells[width:]] or None for cells in rows]
            columns.append(pa.array(excess, pa.list_(pa.string())))
        return pa.RecordBatch.from_arrays(columns, schema=schema)


def _text(value: Any) -> str | None:
    return None if value is None else whole(as_text(value))


def label_type(name: str) -> Any:
    """Return the type of a column of the label: probabilities are numbers, all else is text."""
    pa, _ = libraries()
    return pa.float64() if is_probability(name) else pa.string()


def label_array(name: str, values: Sequence[str]) -> Any:
    """Return a column of the label; what is empty is missing."""
    pa, _ = libraries()
    if is_probability(name):
        return pa.array([float(value) if value else None for value in values], pa.float64())
    return pa.array([value or None for value in values], pa.string())

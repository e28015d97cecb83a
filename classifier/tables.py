"""What a table is, however it is written: columns with names, rows in chunks, faulty rows kept."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from classifier.dialects import loosely
from classifier.errors import InputError
from classifier.sources import Source

CHANGED = "changed while it was read; run again"
"""What is said of a file that is not what it was when the run began."""

_BATCH = 10_000


class Chunk(ABC):
    """Some rows of a table."""

    @abstractmethod
    def __len__(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def column(self, position: int) -> list[str]:
        """Return the cells of a column as texts; empty where a row has none."""

    @property
    @abstractmethod
    def cells(self) -> list[list[Any]]:
        """The cells of each row, at least as many as the header has; those in excess come last."""

    @property
    @abstractmethod
    def faults(self) -> Mapping[int, str]:
        """What is wrong with rows, by their position in the chunk."""

    @abstractmethod
    def place(self, row: int) -> int:
        """Return where a row stands in the file, counted from 1: the line it ends on, mostly."""


class Table(ABC):
    """A table that can be read as often as need be, by this process or another.

    Parameters
    ----------
    name
        What messages call it.
    header
        The names of the columns.
    n_rows
        About how many rows it has.
    source
        The file that they are read from.
    """

    place_name = "line"
    """What `Chunk.place` counts."""

    def __init__(
        self, name: str, header: list[str], n_rows: int, source: Source | None = None
    ) -> None:
        self.name = name
        self.header = header
        self.n_rows = n_rows
        self._source = source
        self._share: tuple[int, int, int] | None = None

    @property
    def source(self) -> Source:
        """The file that the rows are read from."""
        if self._source is None:
            raise TypeError("rows at hand come from no file")
        return self._source

    @abstractmethod
    def _chunks(self, size: int) -> Generator[Chunk, None, None]:
        """Yield all rows in runs of about a size, the same each time."""

    def chunks(self, size: int) -> Generator[Chunk, None, None]:
        """Yield the rows, or the share of them that was chosen, the same each time.

        Parameters
        ----------
        size
            About how many at a time; a share keeps to that which it was chosen with.

        Raises
        ------
        InputError
            If the file cannot be read on; the message names the place.
        """
        if self._share is None:
            yield from self._chunks(size)
        else:
            start, stop, own_size = self._share
            yield from islice(self._chunks(own_size), start, stop)

    def take_share(self, number: int, of: int, size: int) -> None:
        """Keep one of several parts, to label the others elsewhere.

        Parts are rows one after the other: end to end, in their order, they are the table.

        Parameters
        ----------
        number, of
            Which part, counted from 1, and of how many.
        size
            How many rows are labelled at a time; no such run of rows is cut.
        """
        n_chunks = sum(1 for _ in self._chunks(size))
        self._share = n_chunks * (number - 1) // of, n_chunks * number // of, size
        self.n_rows = min(self.n_rows, (self._share[1] - self._share[0]) * size)

    def column(self, wanted: str) -> int:
        """Return the position of a column by its name, else by its number, counted from 1.

        Raises
        ------
        InputError
            If there is none.
        """
        names = [loosely(name) for name in self.header]
        if loosely(wanted) in names:
            return names.index(loosely(wanted))
        if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
            return int(wanted) - 1
        raise InputError(f"{self.name}: no column {wanted!r}; there are {listed(self.header)}")

    def usual_column(self, names: Sequence[str]) -> int | None:
        """Return the position of the first of some usual names that the table has."""
        header = [loosely(name) for name in self.header]
        found = (header.index(loosely(name)) for name in names if loosely(name) in header)
        return next(found, None)


@dataclass(frozen=True)
class RowsChunk(Chunk):
    """Rows at hand, none at fault.

    Parameters
    ----------
    rows
        The cells of each.
    """

    rows: list[list[Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, position: int) -> list[str]:
        """Return the cells of a column."""
        return [str(cells[position]) for cells in self.rows]

    @property
    def cells(self) -> list[list[Any]]:
        """The cells of each row."""
        return self.rows

    @property
    def faults(self) -> Mapping[int, str]:
        """What is wrong with rows, by their position."""
        return {}

    def place(self, row: int) -> int:
        """Return the position of a row, counted from 1."""
        return row + 1


class RowsTable(Table):
    """A table whose rows are at hand.

    Parameters
    ----------
    name
        What messages call it.
    header
        The names of the columns.
    rows
        As many cells each.
    """

    place_name = "row"

    def __init__(self, name: str, header: list[str], rows: list[list[Any]]) -> None:
        super().__init__(name, header, len(rows))
        self.rows = rows

    def _chunks(self, size: int) -> Generator[RowsChunk, None, None]:
        for start in range(0, len(self.rows), size):
            yield RowsChunk(self.rows[start : start + size])


class Writer(ABC):
    """Writes rows with their labels.

    A label is first written alone, since titles repeat; then it is joined to its row. Head,
    segments and tail, end to end, are the file, but for a `LateWriter`.
    """

    @abstractmethod
    def head(self) -> bytes:
        """Return what the file begins with."""

    @abstractmethod
    def labels(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        """Write labels, given as columns; one text for each."""

    @abstractmethod
    def segment(self, chunk: Chunk, labels: Sequence[str], *, first: bool) -> bytes:
        """Join the rows of a chunk to their labels.

        Parameters
        ----------
        chunk
            The rows.
        labels : sequence of shape (n_rows,)
            What `labels` returned for them.
        first
            Whether this is the first chunk.

        Raises
        ------
        InputError
            If a cell cannot be written in this format; the message names the place.
        """

    def tail(self) -> bytes:
        """Return what the file ends with."""
        return b""


class LateWriter(Writer):
    """Writes a format whose end depends on its beginning: made when all labels are there.

    Until then, head and tail are empty, and segments are lines of labels, for `paired`.

    Parameters
    ----------
    header
        The names of the columns of the table.
    added
        The names of the columns of the label.
    """

    def __init__(self, header: Sequence[str], added: Sequence[str]) -> None:
        self.header = list(header)
        self.added = list(added)

    def head(self) -> bytes:
        """Return nothing."""
        return b""

    def labels(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        """Write labels as lines."""
        return [",".join(row) + "\n" for row in zip(*columns.values(), strict=True)]

    def segment(self, chunk: Chunk, labels: Sequence[str], *, first: bool) -> bytes:  # noqa: ARG002
        """Join the labels; rows come to them in the end."""
        return "".join(labels).encode()

    @abstractmethod
    def finish(self, table: Table, segments: Path, target: Path) -> None:
        """Make the file of the segments and of the rows, which are read once more.

        Raises
        ------
        InputError
            If a row cannot be written in this format, or there are not as many as there were.
        """


def listed(header: Sequence[str]) -> str:
    """Name columns, but not hundreds of them."""
    shown = ", ".join(header[:30])
    return shown if len(header) <= 30 else f"{shown} and {len(header) - 30} more"


def distinct(header: Sequence[str]) -> list[str]:
    """Return names of columns without blanks and repetitions, for formats that allow neither.

    Examples
    --------
    >>> distinct(["id", "", "id"])
    ['id', 'column_2', 'id_3']
    """
    taken = set(header)
    names: list[str] = []
    for n, name in enumerate(header, 1):
        own = name if name and name not in names else f"{name or 'column'}_{n}"
        while own in names or (own != name and own in taken):
            own += "_"
        names.append(own)
    return names


def paired(table: Table, segments: Path) -> Iterator[tuple[Chunk, list[list[str]]]]:
    """Read the rows of a table again, with their labels.

    Raises
    ------
    InputError
        If there are not as many rows as there were.
    """
    with segments.open(encoding="utf-8") as file:
        for chunk in table.chunks(_BATCH):
            labels = [line[:-1].split(",") for line in islice(file, len(chunk))]
            if len(labels) != len(chunk):
                raise InputError(f"{table.name}: {CHANGED}")
            yield chunk, labels
        if file.readline():
            raise InputError(f"{table.name}: {CHANGED}")

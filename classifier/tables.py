"""CSV files as people have them: columns found, rows kept as they are."""

import csv
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, islice
from operator import methodcaller
from pathlib import Path
from typing import TextIO

from classifier.dialects import SAMPLE, Dialect, find_delimiter, find_encoding, loosely
from classifier.errors import InputError

_QUOTES = methodcaller("count", '"')


@dataclass(frozen=True)
class Chunk:
    """Some rows of a table, as they are written.

    Parameters
    ----------
    name
        What messages call the table.
    line
        The line of the file before the first of them, counted from 1.
    lines
        The lines, with their ends; the last one ends a row.
    dialect
        How they are written.
    """

    name: str
    line: int
    lines: list[str]
    dialect: Dialect

    @cached_property
    def rows(self) -> list[list[str]]:
        """The cells of each row.

        Raises
        ------
        InputError
            If a row cannot be parsed; the message names the line.
        """
        rows: list[list[str]] = []
        try:
            rows.extend(self.dialect.reader(self.lines))
        except csv.Error as error:
            line = [self.line, *_ends(self.line, rows)][-1] + 1
            raise InputError(
                f"{self.name}, line {line}: {error}; look for a quotation mark that is not closed, "
                "or not doubled within a cell"
            ) from error
        return rows

    @property
    def as_written(self) -> list[str]:
        """Each row without its end of line."""
        text = "".join(self.lines)
        if len(self.rows) == len(self.lines) and "\r" not in text:
            return text.removesuffix("\n").split("\n")
        lines = iter(self.lines)
        parts = (islice(lines, 1 + _line_breaks(cells)) for cells in self.rows)
        return ["".join(part).rstrip("\r\n") for part in parts]

    @cached_property
    def ends(self) -> list[int]:
        """The line of the file that each row ends on."""
        return _ends(self.line, self.rows)

    def column(self, position: int) -> list[str]:
        """Return the cells of a column; rows that are too short have an empty one."""
        try:
            return [cells[position] for cells in self.rows]
        except IndexError:
            return [cells[position] if position < len(cells) else "" for cells in self.rows]


class Table:
    """A CSV file opened for reading.

    Parameters
    ----------
    name
        What messages call it.
    header
        The names of the columns.
    dialect
        How it is written.
    path
        The file.
    first
        How many lines the header takes.
    """

    def __init__(
        self, name: str, header: list[str], dialect: Dialect, path: Path, first: int
    ) -> None:
        self.name = name
        self.header = header
        self.dialect = dialect
        self._path = path
        self._first = first

    def chunks(self, size: int) -> Generator[Chunk, None, None]:
        """Yield the rows in runs of about a size.

        Parameters
        ----------
        size
            How many lines at a time; more where a row goes on.

        Yields
        ------
        Chunk
            The next rows.

        Raises
        ------
        InputError
            If the file cannot be decoded; the message names the line.
        """
        encoding = self.dialect.encoding
        with _readable(self.name), self._path.open(encoding=encoding, newline="") as text:
            line = len(list(islice(text, self._first)))
            while lines := self._read(text, line, size):
                yield Chunk(self.name, line, lines, self.dialect)
                line += len(lines)

    def _read(self, text: TextIO, before: int, size: int) -> list[str]:
        """Read as many lines, and those that the last row goes on with."""
        lines: list[str] = []
        try:
            lines.extend(islice(text, size))
            # a row that goes on has an odd number of quotation marks in its first line
            if any(count % 2 for count in map(_QUOTES, lines)):
                n_read = len(lines)
                reader = self.dialect.reader(chain(lines[:], _noted(text, lines)))
                with suppress(csv.Error):  # said when the rows are read
                    while reader.line_num < n_read:
                        next(reader)
        except UnicodeError as error:
            raise InputError(
                f"{self.name}, line {before + len(lines) + 1}: not {self.dialect.encoding} "
                f"({error})"
            ) from error
        return lines

    def column(self, wanted: str) -> int:
        """Return the position of a column by its name.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        try:
            return [loosely(name) for name in self.header].index(loosely(wanted))
        except ValueError:
            raise InputError(
                f"{self.name}: no column {wanted!r}; there are {', '.join(self.header)}"
            ) from None

    def usual_column(self, names: Sequence[str]) -> int | None:
        """Return the position of the first of some usual names that the table has."""
        header = [loosely(name) for name in self.header]
        found = (header.index(loosely(name)) for name in names if loosely(name) in header)
        return next(found, None)


@contextmanager
def open_table(source: str, usual_names: Sequence[str] = ()) -> Iterator[Table]:
    """Open a CSV file and find out how it is written.

    Parameters
    ----------
    source
        A path, or ``-`` for standard input.
    usual_names
        Names of columns; a delimiter that brings one of them out is preferred.

    Yields
    ------
    Table
        Its header and rows.

    Raises
    ------
    InputError
        If it cannot be read; the message names the file, and the line where there is one.
    """
    name = "standard input" if source == "-" else source
    with _file(source, name) as path:
        with _readable(name), path.open("rb") as raw:
            encoding = find_encoding(raw, name)
        with _readable(name), path.open(encoding=encoding, newline="") as text:
            sample = text.read(SAMPLE)
        newline = "\r\n" if "\r\n" in sample else "\n"
        dialect = Dialect(encoding, find_delimiter(sample, usual_names), newline)
        with closing(Table(name, [], dialect, path, 0).chunks(1)) as chunks:
            first = next(chunks, None)
        if first is None:
            raise InputError(f"{name}: the file is empty; the first line must name the columns")
        yield Table(name, first.rows[0], dialect, path, len(first.lines))


@contextmanager
def _file(source: str, name: str) -> Iterator[Path]:
    """Give the path of a source; what cannot be read twice is written to a file first."""
    if source != "-" and not Path(source).is_fifo():
        yield Path(source)
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "stdin"
        with path.open("wb") as file:
            if source == "-":
                shutil.copyfileobj(sys.stdin.buffer, file)
            else:
                with _readable(name), Path(source).open("rb") as pipe:
                    shutil.copyfileobj(pipe, file)
        yield path


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Say of a file that cannot be opened or read which one it is."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from error


def _noted(lines: Iterator[str], notes: list[str]) -> Iterator[str]:
    """Yield lines, and note each of them."""
    for line in lines:
        notes.append(line)
        yield line


def _ends(before: int, rows: Iterable[Sequence[str]]) -> list[int]:
    """Return the line on which each of some rows ends."""
    return list(accumulate((1 + _line_breaks(cells) for cells in rows), initial=before))[1:]


def _line_breaks(cells: Sequence[str]) -> int:
    """Count the line breaks within cells."""
    text = "".join(cells).replace("\r\n", "\n")
    return text.count("\n") + text.count("\r")

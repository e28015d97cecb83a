"""CSV files as people have them: encoding, delimiter and columns found, rows kept as they are."""

import codecs
import csv
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from classifier.errors import InputError

MAX_CELL = 10_000_000
"""The longest cell that is read, in characters."""

_DELIMITERS = (",", ";", "\t", "|")
_NOT_IN_TEXT = "\x1f"  # reads a file of one column: a unit separator stands in no one's title
_SAMPLE = 1 << 16
_BLOCK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Parameters
    ----------
    encoding
        As Python names it.
    delimiter
        Between the cells; None for a file of one column.
    newline
        Between the rows.
    """

    encoding: str
    delimiter: str | None
    newline: str


@dataclass(frozen=True)
class Chunk:
    """Some rows of a table.

    Parameters
    ----------
    line
        The line of the file before the first of them, counted from 1.
    rows
        The cells of each row as they stand.
    lines
        Each row as it is written in the file, without its end of line; None where one takes
        several lines.
    """

    line: int
    rows: list[list[str]]
    lines: list[str] | None = None

    def line_of(self, row: int) -> int:
        """Return the line of the file that a row ends on."""
        return self.line + sum(1 + _line_breaks(cells) for cells in self.rows[: row + 1])

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
    reader
        Reads the rows below the header, as they are asked for.
    """

    def __init__(self, name: str, header: list[str], dialect: Dialect, reader: "_Reader") -> None:
        self.name = name
        self.header = header
        self.dialect = dialect
        self._reader = reader

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield the rows in runs of a size.

        Parameters
        ----------
        size
            How many rows at a time.

        Yields
        ------
        Chunk
            The next rows.

        Raises
        ------
        InputError
            If the file cannot be parsed; the message names the line.
        """
        while (chunk := self._reader.read(size)).rows:
            yield chunk

    def column(self, wanted: str) -> int:
        """Return the position of a column by its name.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        try:
            return [_loose(name) for name in self.header].index(_loose(wanted))
        except ValueError:
            raise InputError(
                f"{self.name}: no column {wanted!r}; there are {', '.join(self.header)}"
            ) from None

    def usual_column(self, names: Sequence[str]) -> int | None:
        """Return the position of the first of some usual names that the table has."""
        header = [_loose(name) for name in self.header]
        found = (header.index(_loose(name)) for name in names if _loose(name) in header)
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
    with _open(source) as raw:
        encoding = _encoding(raw, name)
        raw.seek(0)
        text = io.TextIOWrapper(raw, encoding=encoding, newline="")
        sample = text.read(_SAMPLE)
        text.seek(0)
        newline = "\r\n" if "\r\n" in sample else "\n"
        dialect = Dialect(encoding, _delimiter(sample, usual_names), newline)
        reader = _Reader(text, dialect, name)
        header = reader.read(1).rows
        if not header:
            raise InputError(f"{name}: the file is empty; the first line must name the columns")
        yield Table(name, header[0], dialect, reader)


class TableWriter:
    """Writes lines in the encoding of a table.

    Parameters
    ----------
    file
        A binary file.
    dialect
        How to write.
    """

    def __init__(self, file: BinaryIO, dialect: Dialect) -> None:
        self._file = file
        # one for the whole file: a byte order mark stands at its beginning only
        self._encoder = codecs.getincrementalencoder(dialect.encoding)()

    def write(self, text: str) -> None:
        """Write text: lines with their ends."""
        self._file.write(self._encoder.encode(text))


def lines(rows: Sequence[Sequence[str]], dialect: Dialect) -> list[str]:
    """Return rows as lines of text.

    Parameters
    ----------
    rows
        Rows of cells.
    dialect
        How to write them.

    Returns
    -------
    list of str
        One for each row, without its end of line; cells are quoted where they must be.
    """
    delimiter = dialect.delimiter or ","
    text = "\n".join(map(delimiter.join, rows))
    n_cells = sum(map(len, rows))
    if not (
        '"' in text
        or "\r" in text
        or text.count("\n") != len(rows) - 1
        or text.count(delimiter) != n_cells - len(rows)
    ):
        return text.split("\n")  # nothing in them needs quotes
    found: list[str] = []
    csv.writer(_Lines(found), delimiter=delimiter, lineterminator=dialect.newline).writerows(rows)
    return [line[: -len(dialect.newline)] for line in found]


@dataclass(frozen=True)
class _Lines:
    """What a csv writer writes to: each row is a line of a list."""

    lines: list[str]

    def write(self, line: str) -> None:
        self.lines.append(line)


@contextmanager
def _open(source: str) -> Iterator[BinaryIO]:
    """Open a path, or spool standard input to a file that can be read twice."""
    if source == "-":
        with tempfile.TemporaryFile() as spool:
            shutil.copyfileobj(sys.stdin.buffer, spool)
            spool.seek(0)
            yield cast(BinaryIO, spool)
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(source).open("rb"))
        except OSError as error:
            raise InputError(f"{source}: cannot be read ({error.strerror})") from error
        yield file


def _encoding(file: BinaryIO, name: str) -> str:
    """Find the encoding: byte order mark, NULs of UTF-16, strict UTF-8, else Windows-1252."""
    try:
        start = file.read(4096)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from error
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    if start[1::2].count(0) > len(start) // 5:
        return "utf-16-le"
    if start[::2].count(0) > len(start) // 5:
        return "utf-16-be"
    for encoding in ("utf-8", "cp1252"):
        line = _undecodable(file, encoding)
        if line is None:
            return encoding
    raise InputError(
        f"{name}, line {line}: neither UTF-8, UTF-16 nor Windows-1252; save the file as UTF-8"
    )


def _undecodable(file: BinaryIO, encoding: str) -> int | None:
    """Return the line of the first byte that an encoding does not know, None if it knows all."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    while True:
        block = file.read(_BLOCK)
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            return line + block[: error.start].count(b"\n")
        if not block:
            return None
        line += block.count(b"\n")


def _delimiter(sample: str, usual_names: Sequence[str]) -> str | None:
    """Find the delimiter that cuts the rows of a sample into as many cells as its header.

    A file whose header has no delimiter is one column, whatever stands in its rows.
    """
    usual = {_loose(name) for name in usual_names}
    best: tuple[float, int, str] | None = None
    for delimiter in _DELIMITERS:
        rows = [row for row in _parsed(sample, delimiter) if row]
        if not rows or len(rows[0]) < 2:
            continue
        below = rows[1:51]
        even = sum(len(row) == len(rows[0]) for row in below) / len(below) if below else 1.0
        if any(_loose(cell) in usual for cell in rows[0]):
            even += 1
        if even >= 0.8 and (best is None or (even, len(rows[0])) > best[:2]):
            best = (even, len(rows[0]), delimiter)
    return best[2] if best else None


def _parsed(sample: str, delimiter: str) -> list[list[str]]:
    rows = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            rows.append(row)
    except csv.Error:  # the rows before the fault are enough to judge by
        pass
    return rows[:-1] if len(sample) == _SAMPLE and len(rows) > 1 else rows


class _Reader:
    """Reads rows of cells, and keeps count of the lines."""

    def __init__(self, text: TextIO, dialect: Dialect, name: str) -> None:
        csv.field_size_limit(MAX_CELL)
        self._text = text
        self._line = 0
        self._delimiter = dialect.delimiter or _NOT_IN_TEXT
        self._encoding = dialect.encoding
        self._name = name

    def read(self, size: int) -> Chunk:
        """Read as many rows, or what is left."""
        rows: list[list[str]] = []
        try:
            block = list(islice(self._text, size))
            reader = csv.reader(chain(block, self._text), delimiter=self._delimiter, strict=True)
            rows.extend(islice(reader, size))
        except csv.Error as error:
            raise InputError(
                f"{self._name}, line {self._after(rows)}: {error}; look for a quotation mark "
                "that is not closed, or not doubled within a cell"
            ) from error
        except UnicodeError as error:
            raise InputError(
                f"{self._name}, line {self._after(rows)}: not {self._encoding} ({error})"
            ) from error
        lines = [line.rstrip("\r\n") for line in block] if reader.line_num == len(rows) else None
        chunk = Chunk(self._line, rows, lines)
        self._line += reader.line_num
        return chunk

    def _after(self, rows: list[list[str]]) -> int:
        """Return the line after the last row that could be read."""
        return Chunk(self._line, rows).line_of(len(rows) - 1) + 1


def _line_breaks(cells: Sequence[str]) -> int:
    """Count the line breaks within cells."""
    text = "".join(cells).replace("\r\n", "\n")
    return text.count("\n") + text.count("\r")


def _loose(name: str) -> str:
    """Return a column's name without case, spaces, hyphens and underscores."""
    return "".join(c for c in name.casefold() if c not in " -_\ufeff")

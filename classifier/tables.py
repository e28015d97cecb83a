"""CSV files as people have them: encoding, delimiter and columns found, rows kept as they are."""

import codecs
import csv
import io
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, cast

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

    def encoded(self, text: str, *, first: bool = False) -> bytes:
        """Encode text for a file; only the first of it has a byte order mark."""
        encoding = self.encoding
        if not first:
            encoding = {"utf-8-sig": "utf-8", "utf-16": f"utf-16-{sys.byteorder[0]}e"}.get(
                encoding, encoding
            )
        return text.encode(encoding)

    def reader(self, lines: Iterable[str]) -> Any:
        """Return a csv reader of lines."""
        csv.field_size_limit(MAX_CELL)
        return csv.reader(lines, delimiter=self.delimiter or _NOT_IN_TEXT, strict=True)


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
            raise InputError(
                f"{self.name}, line {_last_line(self.line, rows) + 1}: {error}; look for a "
                "quotation mark that is not closed, or not doubled within a cell"
            ) from error
        return rows

    @property
    def as_written(self) -> list[str] | None:
        """Each row without its end of line; None where one takes several lines."""
        if len(self.rows) != len(self.lines):
            return None
        text = "".join(self.lines)
        if "\r" in text:
            return [line.rstrip("\r\n") for line in self.lines]
        return text.removesuffix("\n").split("\n")

    def line_of(self, row: int) -> int:
        """Return the line of the file that a row ends on."""
        return _last_line(self.line, self.rows[: row + 1])

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
    lines
        The lines below the header, read as they are asked for.
    line
        How many lines the header takes.
    """

    def __init__(
        self, name: str, header: list[str], dialect: Dialect, lines: Iterator[str], line: int
    ) -> None:
        self.name = name
        self.header = header
        self.dialect = dialect
        self._lines = lines
        self._line = line

    def chunks(self, size: int) -> Iterator[Chunk]:
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
        while lines := self._read(size):
            yield Chunk(self.name, self._line, lines, self.dialect)
            self._line += len(lines)

    def _read(self, size: int) -> list[str]:
        """Read as many lines, and those that the last row goes on with."""
        lines: list[str] = []
        try:
            lines.extend(islice(self._lines, size))
            # a row that goes on has an odd number of quotation marks in its first line
            if any(line.count('"') % 2 for line in lines if '"' in line):
                n_read = len(lines)
                reader = self.dialect.reader(chain(lines[:], _noted(self._lines, lines)))
                with suppress(csv.Error):  # said when the rows are read
                    while reader.line_num < n_read:
                        next(reader)
        except UnicodeError as error:
            raise InputError(
                f"{self.name}, line {self._line + len(lines) + 1}: not {self.dialect.encoding} "
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
        first = next(Table(name, [], dialect, text, 0).chunks(1), None)
        if first is None:
            raise InputError(f"{name}: the file is empty; the first line must name the columns")
        yield Table(name, first.rows[0], dialect, text, len(first.lines))


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


def _noted(lines: Iterator[str], notes: list[str]) -> Iterator[str]:
    """Yield lines, and note each of them."""
    for line in lines:
        notes.append(line)
        yield line


def _last_line(before: int, rows: Sequence[Sequence[str]]) -> int:
    """Return the line on which the last of some rows ends."""
    return before + sum(1 + _line_breaks(cells) for cells in rows)


def _line_breaks(cells: Sequence[str]) -> int:
    """Count the line breaks within cells."""
    text = "".join(cells).replace("\r\n", "\n")
    return text.count("\n") + text.count("\r")


def _loose(name: str) -> str:
    """Return a column's name without case, spaces, hyphens and underscores."""
    return "".join(c for c in name.casefold() if c not in " -_\ufeff")

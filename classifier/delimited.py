"""CSV files as people have them: no row is lost, and each is written back as it was."""

import csv
import io
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from io import TextIOWrapper
from itertools import accumulate, chain, islice
from operator import methodcaller
from typing import Any, NamedTuple, TextIO

from classifier.cells import as_text, has_halves, is_formula, whole
from classifier.dialects import SAMPLE, Dialect, codec_name, find_delimiter, lines, run_of, survey
from classifier.errors import InputError
from classifier.sources import Source, readable
from classifier.tables import Chunk, Table, Writer

MAX_ROW_LINES = 10_000
"""A row that takes more lines has a quotation mark that is not closed."""

_QUOTES = methodcaller("count", '"')
_NOT_CLOSED = "a quotation mark that is not closed, or not doubled within a cell"


class _Row(NamedTuple):
    """A row: its cells, the lines it takes, and what is wrong with it."""

    cells: list[str]
    n_lines: int
    fault: str | None


class _Lines:
    """Lines that can be read again from any of them; more are fetched as they are needed."""

    def __init__(self, lines: list[str], more: Iterator[str]) -> None:
        self.lines = lines
        self.next = 0
        self.stop = 0
        self._more = more

    def __iter__(self) -> "Iterator[str]":
        return self

    def __next__(self) -> str:
        if self.next >= self.stop:
            raise csv.Error(_NOT_CLOSED)
        if self.next == len(self.lines):
            self.lines.append(next(self._more))
        self.next += 1
        return self.lines[self.next - 1]


def _rows(lines: list[str], more: Iterator[str], dialect: Dialect, width: int) -> Iterator[_Row]:
    """Parse lines row by row; a row that cannot be parsed is its first line alone.

    So a quotation mark that is not closed costs one row, not all that come after it.
    """
    source = _Lines(lines, more)
    start, n_lines = 0, len(lines)
    reader = dialect.reader(source)
    while start < n_lines:
        source.stop = start + MAX_ROW_LINES
        try:
            cells, fault = next(reader), None
        except (csv.Error, StopIteration):
            cells, fault = [lines[start].rstrip("\r\n")], _NOT_CLOSED
        taken = source.next - start
        if fault is None and taken > 1 and len(cells) != width:
            inner = lines[start + 1 : start + taken]
            if any(_fits(line, dialect, width) for line in inner):
                cells, fault = [lines[start].rstrip("\r\n")], _NOT_CLOSED
        if fault is not None:
            taken = 1
            source.next = start + 1
            reader = dialect.reader(source)
        yield _Row(cells, taken, fault)
        start += taken


def _fits(line: str, dialect: Dialect, width: int) -> bool:
    """Return whether a line is a whole row in itself."""
    try:
        return width > 1 and [len(cells) for cells in dialect.reader([line])] == [width]
    except csv.Error:
        return False


@dataclass(frozen=True)
class CsvChunk(Chunk):
    """Some rows of a CSV file, as they are written.

    Parameters
    ----------
    line
        The line of the file before the first of them, counted from 1.
    lines
        The lines, with their ends; the last one ends a row.
    dialect
        How they are written.
    width
        How many cells the header has.
    """

    line: int
    lines: list[str]
    dialect: Dialect
    width: int

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def _parsed(self) -> tuple[list[list[str]], list[int] | None, dict[int, str]]:
        """The cells of each row, the lines each takes (None if one each), and faults."""
        try:
            rows = list(self.dialect.reader(self.lines))
            if len(rows) == len(self.lines):
                return rows, None, {}
        except csv.Error:
            pass
        parsed = list(_rows(self.lines, iter(()), self.dialect, self.width))
        faults = {n: row.fault for n, row in enumerate(parsed) if row.fault is not None}
        return [row.cells for row in parsed], [row.n_lines for row in parsed], faults

    @property
    def rows(self) -> list[list[str]]:
        """The cells of each row, as many as it has."""
        return self._parsed[0]

    @cached_property
    def faults(self) -> Mapping[int, str]:
        rows, _, faults = self._parsed
        found = dict(faults)
        if set(map(len, rows)) != {self.width}:
            for n, cells in enumerate(rows):
                if n not in found and len(cells) != self.width and cells:
                    few_many = "few" if len(cells) < self.width else "many"
                    found[n] = f"too {few_many} cells ({len(cells)} of {self.width})"
        if self.dialect.errors != "strict":
            for n, cells in enumerate(rows):
                if has_halves("".join(cells)):
                    found.setdefault(n, f"bytes that are not {self.dialect.encoding}")
        return dict(sorted(found.items()))

    @property
    def as_written(self) -> list[str]:
        """Each row without its end of line."""
        spans = self._parsed[1]
        text = "".join(self.lines)
        if spans is None and "\r" not in text:
            return text.removesuffix("\n").split("\n")
        lines = iter(self.lines)
        parts = (islice(lines, n) for n in spans or [1] * len(self.lines))
        return ["".join(part).rstrip("\r\n") for part in parts]

    @cached_property
    def _ends(self) -> list[int]:
        spans = self._parsed[1] or [1] * len(self.lines)
        return list(accumulate(spans, initial=self.line))[1:]

    def place(self, row: int) -> int:
        return self._ends[row]

    def column(self, position: int) -> list[str]:
        try:
            return [cells[position] for cells in self.rows]
        except IndexError:
            return [cells[position] if position < len(cells) else "" for cells in self.rows]

    @property
    def cells(self) -> list[list[Any]]:
        return [cells + [""] * (self.width - len(cells)) for cells in self.rows]


class CsvTable(Table):
    """A CSV file opened for reading.

    Parameters
    ----------
    source
        The file.
    header
        The names of the columns; their numbers if the file does not name them.
    dialect
        How it is written.
    n_rows
        About how many rows it has.
    before
        The lines before the first row.
    has_header
        Whether the file names its columns.
    """

    def __init__(
        self,
        source: Source,
        header: list[str],
        dialect: Dialect,
        n_rows: int,
        *,
        before: list[str],
        has_header: bool,
    ) -> None:
        super().__init__(source.name, header, n_rows, source)
        self.dialect = dialect
        self.has_header = has_header
        self.format = source.format
        self.before = "".join(before)
        self.n_before = len(before)

    def _chunks(self, size: int) -> Generator[CsvChunk, None, None]:
        with readable(self.name), _text(self.source, self.dialect) as text:
            line = len(list(islice(text, self.n_before)))
            kept: list[str] = []
            more = iter(text)
            while lines := [*kept[:size], *run_of(more, size - len(kept))]:
                kept = kept[size:]
                # a row that goes on has an odd number of quotation marks in its first line
                if any(count % 2 for count in map(_QUOTES, lines)):
                    lines, kept = self._whole_rows(lines, kept, more)
                yield CsvChunk(line, lines, self.dialect, len(self.header))
                line += len(lines)

    def _whole_rows(
        self, lines: list[str], kept: list[str], more: Iterator[str]
    ) -> tuple[list[str], list[str]]:
        """Add the lines that the last row goes on with; return what was read beyond it."""
        fetched = [*lines]
        rest = iter(kept)
        rows = _rows(fetched, chain(rest, more), self.dialect, len(self.header))
        end = sum(row.n_lines for row in rows)
        return fetched[:end], [*fetched[end:], *rest]


def _text(source: Source, dialect: Dialect) -> TextIO:
    """Open a CSV file as text."""
    return TextIOWrapper(source.open(), dialect.encoding, dialect.errors, newline="")


@dataclass(frozen=True)
class CsvOptions:
    """What a user may say about how a CSV file is written; None to find it out.

    Parameters
    ----------
    encoding
        As Python names it.
    delimiter
        One character.
    has_header
        Whether the first line names the columns.
    """

    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool = True


def open_csv(source: Source, usual_names: Sequence[str], options: CsvOptions) -> CsvTable:
    """Find out how a CSV file is written.

    Parameters
    ----------
    source
        The file.
    usual_names
        Names of columns; a delimiter that brings one of them out is preferred.
    options
        What the user says of it.

    Returns
    -------
    CsvTable
        Its header and rows.

    Raises
    ------
    InputError
        If it cannot be read; the message names the file, and the line where there is one.
    """
    with readable(source.name), source.open() as raw:
        found = survey(raw, source.name, options.encoding)
    with readable(source.name):
        text = _text(source, Dialect(found.encoding, None, "\n", found.errors))
        with text:
            sample = text.read(SAMPLE)
    first_line, told, sample = _sep_line(sample)
    delimiter = options.delimiter or told
    if delimiter is None and source.format == "tsv" and "\t" in sample:
        delimiter = "\t"
    if delimiter is None:
        delimiter = find_delimiter(sample, usual_names)
    dialect = Dialect(found.encoding, delimiter, "\n", found.errors, first_line.rstrip("\r\n"))
    told_in = [first_line] if first_line else []
    whole_file = CsvTable(source, [], dialect, 0, before=told_in, has_header=False)
    with closing(whole_file._chunks(1)) as chunks:
        first = next(chunks, None)
    if first is None:
        raise InputError(f"{source.name}: the file is empty; the first line must name the columns")
    header = first.rows[0]
    dialect = replace(dialect, newline=_end_of(first.lines[-1], sample))
    fault = _header_fault(header, first, options)
    if fault is not None:
        raise InputError(f"{source.name}, line {len(told_in) + 1}: {fault}")
    if not options.has_header:
        header = [str(n) for n in range(1, len(header) + 1)]
        return CsvTable(source, header, dialect, found.n_lines, before=told_in, has_header=False)
    before = [*told_in, *first.lines]
    n_rows = max(0, found.n_lines - len(before))
    return CsvTable(source, header, dialect, n_rows, before=before, has_header=True)


def _header_fault(header: list[str], chunk: CsvChunk, options: CsvOptions) -> str | None:
    """Return what is wrong with the first row of a file."""
    if _NOT_CLOSED in chunk.faults.values():
        return _NOT_CLOSED
    if not options.has_header:
        return None if header else "blank; the first line must have as many cells as the others"
    if not any(map(str.strip, header)):
        return "blank; the first line must name the columns"
    if has_halves("".join(header)):
        return f"bytes that are not {chunk.dialect.encoding}; name another with --encoding"
    return None


def _end_of(line: str, sample: str) -> str:
    """Return what ends the rows of a file, by the end of its header."""
    if line.endswith("\r") and "\n" not in sample:  # as on a Macintosh of old
        return "\r"
    return "\r\n" if line.endswith("\r\n") else "\n"


def _sep_line(sample: str) -> tuple[str, str | None, str]:
    """Cut off a line that tells Excel the delimiter, such as ``sep=;``."""
    line = next(io.StringIO(sample, newline=""), "")
    told = _told_by(line)
    return (line, told, sample[len(line) :]) if told else ("", None, sample)


def _told_by(line: str) -> str | None:
    """Return the delimiter that a line tells Excel."""
    told = line.rstrip("\r\n").strip('"')
    return told[4] if len(told) == 5 and told.lower().startswith("sep=") else None


class CsvWriter(Writer):
    """Writes rows as CSV.

    Parameters
    ----------
    header
        The names of the columns of the table.
    added
        The names of the columns of the label; () where the file has no header.
    dialect
        How to write.
    as_read
        Whether rows of CSV files may be written as they stand.
    excel_safe
        Whether cells that Excel would take for a formula get an apostrophe in front.
    """

    def __init__(
        self,
        header: Sequence[str],
        added: Sequence[str],
        dialect: Dialect,
        *,
        has_header: bool,
        as_read: bool,
        excel_safe: bool,
    ) -> None:
        self.header = list(header)
        self.added = list(added)
        own = codec_name(dialect.encoding)
        self.dialect = replace(dialect, encoding=own)
        self._mark = "\ufffd".encode(own, "replace").decode(own)  # a question mark in old ones
        self.has_header = has_header
        self.as_read = as_read and not excel_safe
        self.excel_safe = excel_safe

    def head(self) -> bytes:
        text = ""
        if _told_by(self.dialect.first_line) == (self.dialect.delimiter or ","):
            text = self.dialect.first_line + self.dialect.newline
        if self.has_header:
            (line,) = lines([[*self._safe(self.header), *self.added]], self.dialect)
            text += line + self.dialect.newline
        return self._encoded(text, first=True)

    def labels(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        delimiter, newline = self.dialect.delimiter or ",", self.dialect.newline
        ends = lines(list(zip(*columns.values(), strict=True)), self.dialect)
        return [f"{delimiter}{end}{newline}" for end in ends]

    def segment(self, chunk: Chunk, labels: Sequence[str], *, first: bool) -> bytes:  # noqa: ARG002
        starts, ends = self._starts(chunk), list(labels)
        width = len(self.header)
        rows = chunk.cells if chunk.faults else []
        for n in chunk.faults:  # cells in excess stand behind the label
            cells = rows[n]
            (starts[n],) = lines([self._safe(map(as_text, cells[:width]))], self.dialect)
            if len(cells) > width:
                (excess,) = lines([self._safe(map(as_text, cells[width:]))], self.dialect)
                end = ends[n].removesuffix(self.dialect.newline)
                ends[n] = f"{end}{self.dialect.delimiter or ','}{excess}{self.dialect.newline}"
        return self._encoded("".join(chain.from_iterable(zip(starts, ends, strict=True))))

    def _encoded(self, text: str, *, first: bool = False) -> bytes:
        try:
            return self.dialect.encoded(text, first=first)
        except UnicodeEncodeError as error:
            own = text[error.start]
            raise InputError(
                f"{own!r} cannot be written in {self.dialect.encoding}; choose utf-8 with "
                "--output-encoding"
            ) from error

    def _starts(self, chunk: Chunk) -> list[str]:
        """Return the rows as lines: as they were written, where that can be."""
        width = len(self.header)
        if not (self.as_read and isinstance(chunk, CsvChunk)):
            rows = [self._safe(map(as_text, cells[:width])) for cells in chunk.cells]
            return lines(rows, self.dialect)
        starts = chunk.as_written
        if "" in starts and width > 1:
            (blank,) = lines([[""] * width], self.dialect)
            starts = [start or blank for start in starts]
        if self.dialect.delimiter is None:  # cells of a single column may hold what becomes one
            for n in [n for n, line in enumerate(starts) if "," in line and line[0] != '"']:
                (starts[n],) = lines([chunk.rows[n]], self.dialect)
        return starts

    def _safe(self, cells: Iterable[str]) -> list[str]:
        if self.dialect.errors == "strict":
            cells = [whole(cell, self._mark) for cell in cells]
        if not self.excel_safe:
            return list(cells)
        return [f"'{cell}" if is_formula(cell) else cell for cell in cells]

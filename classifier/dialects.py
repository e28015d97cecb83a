"""How CSV files are written: encoding, delimiter and end of line, found and kept."""

import codecs
import csv
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from classifier.errors import InputError

MAX_CELL = 10_000_000
"""The longest cell that is read, in characters."""

SAMPLE = 1 << 16
"""How much of a file is looked at to find its delimiter, in characters."""

_DELIMITERS = (",", ";", "\t", "|")
_NOT_IN_TEXT = "\x1f"  # reads a file of one column: a unit separator stands in no one's title
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


def find_encoding(file: BinaryIO, name: str) -> str:
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


def find_delimiter(sample: str, usual_names: Sequence[str]) -> str | None:
    """Find the delimiter that cuts the rows of a sample into as many cells as its header.

    A file whose header has no delimiter is one column, whatever stands in its rows.
    """
    usual = {loosely(name) for name in usual_names}
    best: tuple[float, int, str] | None = None
    for delimiter in _DELIMITERS:
        rows = [row for row in _parsed(sample, delimiter) if row]
        if not rows or len(rows[0]) < 2:
            continue
        below = rows[1:51]
        even = sum(len(row) == len(rows[0]) for row in below) / len(below) if below else 1.0
        if any(loosely(cell) in usual for cell in rows[0]):
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
    return rows[:-1] if len(sample) == SAMPLE and len(rows) > 1 else rows


def loosely(name: str) -> str:
    """Return a column's name without case, spaces, hyphens and underscores."""
    return "".join(c for c in name.casefold() if c not in " -_\ufeff")

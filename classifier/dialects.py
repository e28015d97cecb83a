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

MAX_LINE = 10_000_000
"""The longest line of a file that is read, in characters."""

SAMPLE = 1 << 16
"""How much of a file is looked at to find its delimiter, in characters."""

_DELIMITERS = (",", ";", "\t", "|")
_NOT_IN_TEXT = "\x1f"  # reads a file of one column: a unit separator stands in no one's title
_BLOCK = 1 << 20
_CONTROLS = [bytes([n]) for n in range(32) if n not in b"\t\n\v\f\r\x1b\x1c\x1d\x1e\x1f"]
_CUT_OFF = "unexpected end of data"  # what the UTF-8 codec says of a character without its end
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Survey:
    """What reading a text file through tells.

    Parameters
    ----------
    encoding
        As Python names it.
    errors
        ``strict``, or ``surrogateescape`` if there are bytes that stand for nothing.
    n_lines
        How many lines there are.
    """

    encoding: str
    errors: str
    n_lines: int


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
    errors
        What becomes of bytes that stand for nothing: ``strict`` or ``surrogateescape``.
    first_line
        A line ``sep=;`` before the header, without its end; empty if there is none.
    """

    encoding: str
    delimiter: str | None
    newline: str
    errors: str = "strict"
    first_line: str = ""

    def encoded(self, text: str, *, first: bool = False) -> bytes:
        """Encode text for a file; only the first of it has a byte order mark."""
        encoding = self.encoding
        if not first:
            encoding = {"utf-8-sig": "utf-8", "utf-16": f"utf-16-{sys.byteorder[0]}e"}.get(
                encoding, encoding
            )
        return text.encode(encoding, self.errors)

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


def survey(file: BinaryIO, name: str, encoding: str | None = None) -> Survey:
    """Read a file of text through once, to find its encoding and how many lines it has.

    The encoding is told by a byte order mark or the NULs of UTF-16; else it is UTF-8 if all of the
    file is, and Windows-1252 if not. Bytes that stand for nothing are the fault of their rows.

    Parameters
    ----------
    file
        At its start, and can be sought.
    name
        What messages call it.
    encoding
        What the user says it is, as Python names encodings.

    Returns
    -------
    Survey
        Encoding, how bytes outside it are treated, and the number of lines.

    Raises
    ------
    InputError
        If it is no text, the encoding is unknown or wrong, or a line is longer than `MAX_LINE`.
    """
    start = file.read(4096)
    own = _told(start) if encoding is None else _codec(encoding, start)
    if own is None:
        if sum(map(start.count, _CONTROLS)) > len(start) // 20:
            raise InputError(f"{name}: this is no text; --format says what it is")
        try:
            return Survey("utf-8", "strict", _lines(file, name, "utf-8", "strict"))
        except UnicodeDecodeError as error:
            # a file that breaks off within a character is no Windows-1252 for that
            own = "utf-8" if error.reason == _CUT_OFF else "cp1252"
    try:
        return Survey(own, "strict", _lines(file, name, own, "strict"))
    except UnicodeDecodeError as error:
        if own.startswith(("utf-16", "utf-32")):
            raise InputError(f"{name}: not {own} all through ({error.reason})") from error
        return Survey(own, "surrogateescape", _lines(file, name, own, "surrogateescape"))


def _told(start: bytes) -> str | None:
    """Return the encoding that the first bytes of a file give away."""
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if zeros.count(0) > len(start) // 5:
            return encoding
    return None


def _codec(encoding: str, start: bytes) -> str:
    """Return Python's name of an encoding; a byte order mark is kept where there is one."""
    try:
        own = codecs.lookup(encoding).name
        "".encode(own)
    except LookupError as error:
        raise InputError(
            f"encoding {encoding!r} is not known; usual are utf-8, cp1252 and utf-16"
        ) from error
    return "utf-8-sig" if own == "utf-8" and start.startswith(codecs.BOM_UTF8) else own


def _lines(file: BinaryIO, name: str, encoding: str, errors: str) -> int:
    """Count the lines of a file, and refuse one that is too long to be read."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    n_lines, unfinished = 0, 0
    while block := file.read(_BLOCK):
        text = decoder.decode(block)
        breaks = [at for at in (text.find("\n"), text.find("\r")) if at >= 0]
        if unfinished + min(breaks, default=len(text)) > MAX_LINE:
            raise InputError(
                f"{name}, line {n_lines + 1}: longer than {MAX_LINE:,} characters; is it a table?"
            )
        n_lines += text.count("\n")
        last = max(text.rfind("\n"), text.rfind("\r"))
        unfinished = len(text) - last - 1 + (unfinished if last < 0 else 0)
    decoder.decode(b"", final=True)
    return n_lines + (unfinished > 0)


def find_delimiter(sample: str, usual_names: Sequence[str]) -> str | None:
    """Find the delimiter that cuts the rows of a sample into as many cells as its header.

    A file whose header has no delimiter is one column, whatever stands in its rows.

    Parameters
    ----------
    sample
        The start of the file.
    usual_names
        Names of columns; a delimiter that brings one of them out is preferred.

    Returns
    -------
    str or None
        The delimiter; None for a single column.
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

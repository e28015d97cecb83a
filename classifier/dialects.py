"""How CSV files are written: encoding, delimiter and end of line, found and kept."""

import codecs
import csv
import io
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from classifier.errors import InputError

MAX_CELL = 10_000_000
"""The longest cell that is read, in characters."""

MAX_LINE = 10_000_000
"""The longest line of a file that is read, in characters."""

MAX_RUN = 20_000_000
"""About how many characters of a file are held at a time, however few lines they are."""

SAMPLE = 1 << 16
"""How much of a file is looked at to find its delimiter, in characters."""

_DELIMITERS = (",", ";", "\t", "|")
_NOT_IN_TEXT = "\x1f"  # reads a file of one column: a unit separator stands in no one's title
_BLOCK = 1 << 20
_CONTROLS = [bytes([n]) for n in range(32) if n not in b"\t\n\v\f\r\x1b\x1c\x1d\x1e\x1f"]
_CUT_OFF = "unexpected end of data"  # what the UTF-8 codec says of a character without its end
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = ("utf-16", "utf-32")
_WITHOUT_MARK = {"utf-8-sig": "utf-8"} | {e: f"{e}-{sys.byteorder[0]}e" for e in _WIDE}
_OF_NO_FILE = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"}
_UNSEEN = "-_\ufeff\u200b\u00ad"  # and spaces: what does not matter in the name of a column


@dataclass(frozen=True)
class Survey:
    """What reading a text file through tells.

    Parameters
    ----------
    encoding
        As Python names it.
    errors
        ``strict``; ``surrogateescape`` or ``surrogatepass`` if there are bytes that stand for
        nothing.
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
        What becomes of bytes that stand for nothing, as in `Survey`.
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
        own = self.encoding
        return text.encode(own if first else _WITHOUT_MARK.get(own, own), self.errors)

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
    # a cell is quoted for what may end a line: for either sign, whatever ends them here
    csv.writer(_Lines(found), delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return [line[:-2] for line in found]


@dataclass(frozen=True)
class _Lines:
    """What a csv writer writes to: each row is a line of a list."""

    lines: list[str]

    def write(self, line: str) -> None:
        self.lines.append(line)


def run_of(lines: Iterator[str], size: int) -> list[str]:
    """Take the next lines of a file, as many as a size; fewer if they are long."""
    found: list[str] = []
    held = 0
    while held < MAX_RUN and (more := list(islice(lines, max(0, min(100, size - len(found)))))):
        held += sum(map(len, more))
        found += more
    return found


def survey(
    file: BinaryIO, name: str, encoding: str | None = None, longest: int | None = None
) -> Survey:
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
    longest
        The longest line, in characters; `MAX_LINE` if None.

    Returns
    -------
    Survey
        Encoding, how bytes outside it are treated, and the number of lines.

    Raises
    ------
    InputError
        If it is no text, the encoding is unknown or wrong, or a line is too long.
    """
    start = file.read(4096)
    longest = longest or MAX_LINE
    own = _told(start) if encoding is None else _codec(encoding, start)
    if own is None:
        if sum(map(start.count, _CONTROLS)) > len(start) // 20:
            raise InputError(f"{name}: this is no text; say what it is with --format or --encoding")
        try:
            return Survey("utf-8", "strict", _lines(file, name, "utf-8", "strict", longest))
        except UnicodeDecodeError as error:
            # a file that breaks off within a character is no Windows-1252 for that
            own = "utf-8" if error.reason == _CUT_OFF else "cp1252"
    # in the wide ones, what stands for nothing is half a pair: a character that was cut in two
    lenient = "surrogatepass" if own.startswith(_WIDE) else "surrogateescape"
    reason: object = None
    for errors in ("strict", lenient):
        try:
            return Survey(own, errors, _lines(file, name, own, errors, longest))
        except UnicodeError as error:
            reason = getattr(error, "reason", error)
    raise InputError(f"{name}: not {own} all through ({reason}); save it as UTF-8")


def _told(start: bytes) -> str | None:
    """Return the encoding that the first bytes of a file give away."""
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) > len(start) // 5 and min(even, odd) <= len(start) // 50:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def _codec(encoding: str, start: bytes) -> str:
    """Return Python's name of an encoding; a byte order mark is kept where there is one."""
    own, told = codec_name(encoding), _told(start)
    if own == "utf-8" and told == "utf-8-sig":
        return told
    if own == "utf-16" and told != own:  # without a mark; from Windows, most likely
        return told if told in ("utf-16-le", "utf-16-be") else "utf-16-le"
    return own


def codec_name(encoding: str) -> str:
    """Return Python's own name of an encoding, whatever a user calls it.

    Raises
    ------
    InputError
        If there is none of that name, or files are not written in it.

    Examples
    --------
    >>> codec_name("UTF8"), codec_name("Windows-1252")
    ('utf-8', 'cp1252')
    """
    try:
        own = codecs.lookup(encoding).name
        if own not in _OF_NO_FILE:
            "".encode(own)
            return own
    except LookupError:
        pass
    raise InputError(f"encoding {encoding!r} is not known; usual are utf-8, cp1252 and utf-16")


def _lines(file: BinaryIO, name: str, encoding: str, errors: str, longest: int) -> int:
    """Count the lines of a file, and refuse one that is too long to be read."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    n_lines, unfinished = 0, 0
    while block := file.read(_BLOCK):
        text = decoder.decode(block)
        breaks = [at for at in (text.find("\n"), text.find("\r")) if at >= 0]
        if unfinished + min(breaks, default=len(text)) > longest:
            raise InputError(
                f"{name}, line {n_lines + 1}: longer than {longest:,} characters; is it a table?"
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
    """Return a column's name without case, spaces of any kind, hyphens and underscores.

    Examples
    --------
    >>> loosely("Job-Title"), loosely("Yrkes_ benämning")
    ('jobtitle', 'yrkesbenämning')
    """
    name = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in name if not c.isspace() and c not in _UNSEEN)

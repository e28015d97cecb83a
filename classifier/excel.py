"""Excel workbooks: read by calamine, written by openpyxl, refused where they would fill memory."""

import re
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.cells import Number, as_text, is_formula
from classifier.errors import InputError
from classifier.sources import Source
from classifier.tables import Chunk, Table, Writer, label_lines, paired

if TYPE_CHECKING:  # imported where workbooks are read or written
    from python_calamine import CalamineSheet

MAX_XML = 4 << 30
"""The most bytes that the parts of a workbook unpack to."""

MAX_CELLS = 100_000_000
"""The most cells, with the empty ones between them, that a sheet is read with."""

MAX_ROWS, MAX_TEXT = 1_048_576, 32_767
"""The most rows of a sheet, and characters of a cell, that Excel knows."""

_BLOCK = 1 << 20
_COLUMNS = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br=[\"']([A-Z]{1,3})\d{1,7}[\"']")
_ROWS = re.compile(rb"<(?:\w+:)?row\s[^>]*?\br=[\"'](\d{1,9})[\"']")
# what XML has no characters for, and what would be read as one of these escapes
_ESCAPED = re.compile(
    "[\x00-\x08\x0b-\x0d\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)"
)


@dataclass(frozen=True)
class ExcelChunk(Chunk):
    """Some rows of a sheet.

    Parameters
    ----------
    row
        The row of the sheet before the first of them.
    rows
        Their cells, as many as the header has.
    """

    row: int
    rows: list[list[Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, position: int) -> list[str]:
        return [as_text(cells[position]) for cells in self.rows]

    @property
    def cells(self) -> list[list[Any]]:
        return self.rows

    @cached_property
    def faults(self) -> Mapping[int, str]:
        return {}

    def place(self, row: int) -> int:
        return self.row + row + 1


class ExcelTable(Table):
    """A sheet of a workbook.

    Parameters
    ----------
    source
        The file.
    sheet
        The name of the sheet.
    header
        The names of the columns.
    first
        How many rows stand before the first one with a posting.
    n_rows
        How many rows there are.
    """

    place_name = "row"

    def __init__(
        self, source: Source, sheet: str, header: list[str], first: int, n_rows: int
    ) -> None:
        super().__init__(source.name, header, n_rows, source)
        self.sheet = sheet
        self._first = first

    def _chunks(self, size: int) -> Generator[ExcelChunk, None, None]:
        rows = _rows(_sheet(self.source, self.sheet))
        width, start = len(self.header), self._first
        own: list[list[Any]] = []
        for n, cells in enumerate(rows):
            if n < self._first:
                continue
            own.append([*cells[:width], *[""] * (width - len(cells))])
            if len(own) == size:
                yield ExcelChunk(start, own)
                start, own = start + size, []
        if own:
            yield ExcelChunk(start, own)


def open_excel(source: Source, sheet: str | None = None) -> ExcelTable:
    """Open a sheet of a workbook.

    Parameters
    ----------
    source
        The file.
    sheet
        The name of the sheet; the first that is not empty if None.

    Returns
    -------
    ExcelTable
        Its first row that is not empty names the columns.

    Raises
    ------
    InputError
        If it cannot be read, would take more memory than is good, or has no such sheet.
    """
    _check(source)
    names = _workbook(source).sheet_names
    if sheet is not None and sheet not in names:
        raise InputError(f"{source.name}: no sheet {sheet!r}; there are {', '.join(names)}")
    for name in [sheet] if sheet is not None else names:
        own = _sheet(source, name)
        for n, cells in enumerate(_rows(own)):
            if any(cell != "" for cell in cells):
                header = [as_text(cell) for cell in cells]
                return ExcelTable(source, name, header, n + 1, own.total_height - n - 1)
    raise InputError(f"{source.name}: the workbook is empty; its first row must name the columns")


def _check(source: Source) -> None:
    """Refuse a workbook that unpacks to more than it should, before anything is made of it."""
    unpacked = 0
    with zipfile.ZipFile(source.path) as archive:
        for name in archive.namelist():
            rows = columns = 0
            rest = b""
            try:
                with archive.open(name) as part:
                    while block := part.read(_BLOCK):
                        unpacked += len(block)
                        if unpacked > MAX_XML:
                            raise InputError(
                                f"{source.name}: unpacks to more than {MAX_XML >> 30} GiB; save "
                                "it as .csv"
                            )
                        if name.startswith("xl/worksheets/"):
                            text = rest + block
                            rows = max([rows, *map(int, _ROWS.findall(text))])
                            letters = set(_COLUMNS.findall(text))
                            columns = max([columns, *map(_number, letters)])
                            rest = text[-256:]
            except (zipfile.BadZipFile, zipfile.error, OSError, RuntimeError, EOFError) as error:
                raise InputError(f"{source.name}: a damaged Excel file ({error})") from error
            if rows * columns > MAX_CELLS:
                raise InputError(
                    f"{source.name}: a sheet of {rows:,} rows and {columns:,} columns, mostly "
                    "empty; delete what stands far from the table"
                )


def _number(letters: bytes) -> int:
    """Return the number of a column: 1 for A, 27 for AA."""
    found = 0
    for letter in letters:
        found = found * 26 + letter - 64
    return found


def _workbook(source: Source) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        return CalamineWorkbook.from_path(str(source.path))
    except PasswordError as error:
        raise InputError(f"{source.name}: has a password; save it without one") from error
    except (CalamineError, OSError) as error:
        raise InputError(f"{source.name}: a damaged Excel file ({error})") from error


def _sheet(source: Source, name: str) -> "CalamineSheet":
    from python_calamine import CalamineError

    try:
        found: CalamineSheet = _workbook(source).get_sheet_by_name(name)
    except CalamineError as error:
        raise InputError(f"{source.name}: sheet {name!r} cannot be read ({error})") from error
    return found


def _rows(sheet: "CalamineSheet") -> Iterator[list[Any]]:
    """Yield the rows of a sheet from its first; cells before its first column are empty."""
    if sheet.start is None:
        return
    row, column = sheet.start
    for _ in range(row):
        yield []
    for cells in sheet.iter_rows():
        yield [*[""] * column, *cells]


class ExcelWriter(Writer):
    """Writes a workbook of one sheet, when all labels are there.

    Parameters
    ----------
    header
        The names of the columns of the table.
    added
        The names of the columns of the label.
    excess
        The name of the columns of cells that have none.
    excel_safe
        Whether text stays text, also where it looks like a formula.
    """

    whole = False

    def __init__(
        self, header: Sequence[str], added: Sequence[str], excess: str, *, excel_safe: bool
    ) -> None:
        self.header = list(header)
        self.added = list(added)
        self.excess = excess
        self.excel_safe = excel_safe

    def head(self) -> bytes:
        return b""

    def labels(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        return label_lines(columns)

    def segment(self, chunk: Chunk, labels: Sequence[str], *, first: bool) -> bytes:  # noqa: ARG002
        return "".join(labels).encode()

    def finish(self, table: Table, segments: Path, target: Path) -> None:
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet(getattr(table, "sheet", "jobtitle"))
        width, n_rows = len(self.header), 1
        cell = self._cells(sheet)
        sheet.append([cell(name, "the header") for name in [*self.header, *self.added]])
        for chunk, labels in paired(table, segments):
            places = f"{table.name}, {table.place_name}"
            for n, (cells, label) in enumerate(zip(chunk.cells, labels, strict=True)):
                n_rows += 1
                if n_rows > MAX_ROWS:
                    raise InputError(
                        f"{table.name}: an Excel sheet holds {MAX_ROWS:,} rows; choose another "
                        "--output-format"
                    )
                where = f"{places} {chunk.place(n)}"
                values = [*cells[:width], *map(self._label, self.added, label), *cells[width:]]
                sheet.append([cell(value, where) for value in values])
        book.save(target)

    @staticmethod
    def _label(name: str, value: str) -> Any:
        return float(value) if name.endswith("confidence") and value else value

    def _cells(self, sheet: Any) -> Any:
        """Return what makes cells of values."""
        from openpyxl.cell import WriteOnlyCell

        def cell(value: Any, where: str) -> Any:
            value = _as_cell(value)
            if not isinstance(value, str):
                return value
            if len(value) > MAX_TEXT:
                raise InputError(
                    f"{where}: a cell of {len(value):,} characters; Excel holds {MAX_TEXT:,}: "
                    "choose another --output-format"
                )
            if not is_formula(value):
                return _escaped(value)
            if not self.excel_safe:
                return _escaped(value)
            own = WriteOnlyCell(sheet, _escaped(value))
            own.data_type = "s"
            own.quotePrefix = True
            return own

        return cell


def _as_cell(value: Any) -> Any:
    """Return a value as a cell of Excel: a number, a date, a truth value, text or nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, Number):
        with suppress(ValueError):
            number = float(value)
            if abs(number) < 1e15 and as_text(number) == value:
                return int(number) if number.is_integer() else number
        return str(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, bool | datetime | date | time | timedelta):
        return value
    if isinstance(value, int) and abs(value) < 10**15:
        return value
    return as_text(value)


def _escaped(text: str) -> str:
    """Write what XML cannot hold as Excel does: ``_x000D_`` for a carriage return."""
    return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text)

"""Excel workbooks: read by calamine, written by openpyxl, refused where they would fill memory."""

import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.cells import Number, as_text, is_formula
from classifier.errors import InputError, RowError
from classifier.labels import is_probability
from classifier.sources import Source
from classifier.tables import Chunk, LateWriter, Table, paired

if TYPE_CHECKING:  # imported where workbooks are read or written
    from python_calamine import CalamineSheet

MAX_XML = 4 << 30
"""The most bytes that the parts of a workbook unpack to."""

MAX_CELLS = 100_000_000
"""The most cells, with the empty ones between them, that a sheet is read with."""

MAX_ROWS, MAX_COLUMNS, MAX_TEXT = 1_048_576, 16_384, 32_767
"""The most rows and columns of a sheet, and characters of a cell, that Excel knows."""

_BLOCK = 1 << 20
_READ = ("xl/worksheets/", "xl/sharedStrings")  # parts that are read whole
_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError)
_NO_TIME = datetime(1980, 1, 1)  # what archives begin with: the same rows, the same bytes
_MAX_NUMBER = 10**15  # of longer ones Excel shows zeros for the last digits
_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")
_NOT_IN_TITLES = re.compile(r"[\\*?:/\[\]]")
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
        return [list(map(_as_number, cells)) for cells in self.rows]

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
        rows = _rows(_sheet(_workbook(self.source), self.name, self.sheet))
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
    book = _workbook(source)
    names = book.sheet_names
    if sheet is not None and sheet not in names:
        raise InputError(f"{source.name}: no sheet {sheet!r}; there are {', '.join(names)}")
    for name in [sheet] if sheet is not None else names:
        own = _sheet(book, source.name, name)
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
                        if len(block) == _BLOCK and b"<" not in block and name.startswith(_READ):
                            raise InputError(
                                f"{source.name}: a cell of more than {_BLOCK >> 20} MiB; save it "
                                "as .csv"
                            )
                        if name.startswith("xl/worksheets/"):
                            text = rest + block
                            rows = max([rows, *map(int, _ROWS.findall(text))])
                            letters = set(_COLUMNS.findall(text))
                            columns = max([columns, *map(_number, letters)])
                            rest = text[-256:]
            except _DAMAGE as error:
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
        with source.path.open("rb") as file:  # by its name it might be taken for another format
            return CalamineWorkbook.from_filelike(file)
    except PasswordError as error:
        raise InputError(f"{source.name}: has a password; save it without one") from error
    except (CalamineError, OSError) as error:
        raise InputError(f"{source.name}: a damaged Excel file ({error})") from error


def _sheet(book: Any, file: str, name: str) -> "CalamineSheet":
    from python_calamine import CalamineError

    try:
        found: CalamineSheet = book.get_sheet_by_name(name)
    except CalamineError as error:
        raise InputError(f"{file}: sheet {name!r} cannot be read ({error})") from error
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


class ExcelWriter(LateWriter):
    """Writes a workbook of one sheet, when all labels are there.

    Parameters
    ----------
    header
        The names of the columns of the table.
    added
        The names of the columns of the label.
    excel_safe
        Whether text stays text, also where it looks like a formula.
    """

    def __init__(self, header: Sequence[str], added: Sequence[str], *, excel_safe: bool) -> None:
        super().__init__(header, added)
        self.excel_safe = excel_safe
        n_columns = len(self.header) + len(self.added)
        if n_columns > MAX_COLUMNS:
            raise InputError(
                f"{n_columns:,} columns, of which an Excel sheet holds {MAX_COLUMNS:,}; choose "
                "another --output-format"
            )

    def finish(self, table: Table, segments: Path, target: Path) -> None:
        from openpyxl import Workbook
        from openpyxl.writer.excel import ExcelWriter as BookWriter

        book = Workbook(write_only=True)
        book.properties.created = book.properties.modified = _NO_TIME
        title = _NOT_IN_TITLES.sub("_", getattr(table, "sheet", "jobtitle"))
        sheet = book.create_sheet(title[:31])
        try:
            self._write_rows(sheet, table, segments)
        except BaseException:
            sheet.close()  # or its own file would be closed some time later
            raise
        with _Undated(target, "w", zipfile.ZIP_DEFLATED) as archive:
            BookWriter(book, archive).save()

    def _write_rows(self, sheet: Any, table: Table, segments: Path) -> None:
        width, n_rows = len(self.header), 1
        cell = self._cells(sheet)
        where = f"{table.name}, header"
        sheet.append([cell(name, where) for name in [*self.header, *self.added]])
        for chunk, labels in paired(table, segments):
            places = f"{table.name}, {table.place_name}"
            for n, (cells, label) in enumerate(zip(chunk.cells, labels, strict=True)):
                n_rows += 1
                if n_rows > MAX_ROWS:
                    raise RowError(
                        f"{table.name}: an Excel sheet holds {MAX_ROWS:,} rows; choose another "
                        "--output-format"
                    )
                where = f"{places} {chunk.place(n)}"
                values = [*cells[:width], *map(self._label, self.added, label), *cells[width:]]
                sheet.append([cell(value, where) for value in values])

    @staticmethod
    def _label(name: str, value: str) -> Any:
        return float(value) if is_probability(name) and value else value

    def _cells(self, sheet: Any) -> Callable[[Any, str], Any]:
        """Return what makes cells of values; the second is where they stand."""
        from openpyxl.cell import WriteOnlyCell

        def as_it_is(written: str, data_type: str) -> Any:
            own: Any = WriteOnlyCell(sheet)
            own._value, own.data_type = written, data_type  # past what openpyxl would make of it
            return own

        def cell(value: Any, where: str) -> Any:
            value = _as_cell(value)
            if isinstance(value, float) and float(f"{value:.16g}") != value:
                return as_it_is(repr(value), "n")
            if not isinstance(value, str):
                return value
            if len(value) > MAX_TEXT // 2 and _units(value) > MAX_TEXT:
                raise RowError(
                    f"{where}: a cell of {_units(value):,} characters; Excel holds {MAX_TEXT:,}: "
                    "choose another --output-format"
                )
            written = _escaped(value)
            to_be_kept = self.excel_safe and is_formula(value)
            if not to_be_kept and value not in _ERRORS and len(written) <= MAX_TEXT:
                return written
            own = as_it_is(written, "s")
            own.quotePrefix = to_be_kept
            return own

        return cell


class _Undated(zipfile.ZipFile):
    """An archive that does not tell when it was made."""

    def write(self, filename: Any, arcname: Any = None, *_: Any) -> None:
        info = self._info(arcname)
        info.file_size = Path(filename).stat().st_size
        with Path(filename).open("rb") as file, self.open(info, "w") as part:
            shutil.copyfileobj(file, part, _BLOCK)

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any) -> None:
        super().writestr(self._info(zinfo_or_arcname), data)

    @staticmethod
    def _info(name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        return info


def _as_number(value: Any) -> Any:
    """Return a whole number of a workbook, where all numbers are fractions, as what it is."""
    if type(value) is float and value.is_integer() and abs(value) < _MAX_NUMBER:
        return int(value)
    return value


def _as_cell(value: Any) -> Any:
    """Return a value as a cell of Excel: a number, a date, a truth value, text or nothing.

    What Excel does not hold as it is becomes text: numbers of more than 15 digits before the
    point, decimals that no binary fraction stands for, times of a time zone, before 1900 or finer
    than a millisecond.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, Number):
        number = float(value)
        held = abs(number) < _MAX_NUMBER and Decimal(repr(number)) == Decimal(value)
        return _as_number(number) if held else as_text(value)
    if isinstance(value, float):
        return _as_number(value) if abs(value) < float("inf") else as_text(value)
    if isinstance(value, int):
        return value if abs(value) < _MAX_NUMBER else as_text(value)
    if isinstance(value, date | time | timedelta):
        return value if _is_held(value) else as_text(value)
    return as_text(value)


def _is_held(value: Any) -> bool:
    """Return whether Excel has a number for a time."""
    if isinstance(value, timedelta):
        return value >= timedelta(0) and not value % timedelta(milliseconds=1)
    if isinstance(value, date) and value.year < 1900:
        return False
    if isinstance(value, datetime | time):
        finer = value.microsecond % 1000 or getattr(value, "nanosecond", 0)
        return value.tzinfo is None and not finer
    return True


def _units(text: str) -> int:
    """Return the length of a text as Excel counts it, where an emoji is two characters."""
    return len(text) + sum(c > "\uffff" for c in text)


def _escaped(text: str) -> str:
    """Write what XML cannot hold as Excel does: ``_x000D_`` for a carriage return."""
    return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text)

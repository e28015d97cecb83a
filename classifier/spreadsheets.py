"""Workbooks that people edit: sheets of texts, written so that Excel leaves them as they are."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.cells import is_formula
from classifier.errors import TrainingDataError

MAX_TEXT = 32_767
"""The most characters of a cell that Excel knows; an emoji is two."""

_SMALL = MAX_TEXT // 2  # characters that are few enough even if each counts twice
_WIDEST = 80
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # what Excel would read as a code of a character


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook.

    Parameters
    ----------
    name
        Its name.
    header
        The texts of its first row.
    rows
        The number of each row below that is not empty, as Excel shows it, and its cells.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Any, ...]], ...]


def read_sheets(path: Path) -> dict[str, Sheet]:
    """Read the sheets of a workbook.

    Parameters
    ----------
    path
        An ``.xlsx`` file.

    Returns
    -------
    dict of str to Sheet
        Name to sheet, in lower case.

    Raises
    ------
    TrainingDataError
        If it cannot be read; the message names the file.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with path.open("rb") as file:
            book = CalamineWorkbook.from_filelike(file)
            return {
                name.strip().casefold(): _sheet(name, book.get_sheet_by_name(name))
                for name in book.sheet_names
            }
    except PasswordError as error:
        raise TrainingDataError(f"{path}: has a password; save it without one") from error
    except (CalamineError, OSError) as error:
        raise TrainingDataError(f"{path}: no Excel file, or a damaged one ({error})") from error


def _sheet(name: str, own: Any) -> Sheet:
    first, left = own.start or (0, 0)
    numbered = (
        (number, ("",) * left + tuple(cells))
        for number, cells in enumerate(own.iter_rows(), first + 1)
    )
    rows = tuple((number, cells) for number, cells in numbered if any(c != "" for c in cells))
    header = tuple(str(cell).strip() for cell in rows[0][1]) if rows else ()
    return Sheet(name, header, rows[1:])


def write_sheets(path: Path, sheets: Mapping[str, Sequence[Sequence[str]]]) -> None:
    """Write a workbook of texts.

    Parameters
    ----------
    path
        Where to.
    sheets
        Name to rows, the first of which is the header; empty texts are empty cells.

    Raises
    ------
    TrainingDataError
        If a text is longer than a cell of Excel may be.
    OSError
        If it cannot be written.
    """
    from openpyxl import Workbook

    for name, rows in sheets.items():
        _check(path.name, name, rows)
    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet: Any = book.create_sheet(name)
        try:
            _write(sheet, rows)
        except BaseException:
            sheet.close()  # or its own file would be closed some time later
            raise
    book.save(path)


def _check(name: str, sheet: str, rows: Sequence[Sequence[str]]) -> None:
    """Refuse texts that no cell of Excel can hold."""
    for number, row in enumerate(rows, 1):
        for text in row:
            size = len(text) + sum(c > "\uffff" for c in text) if len(text) > _SMALL else 0
            if size > MAX_TEXT:
                raise TrainingDataError(
                    f"{name}, {sheet}, row {number}: a text of {size:,} characters, of which a "
                    f"cell of Excel holds {MAX_TEXT:,}; shorten it, or keep to --as toml"
                )


def _write(sheet: Any, rows: Sequence[Sequence[str]]) -> None:
    from openpyxl.utils import get_column_letter

    letters = [get_column_letter(n + 1) for n in range(len(rows[0]))]
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{letters[-1]}{len(rows)}"
    for n, letter in enumerate(letters):
        widest = max(len(row[n]) for row in rows[:1_000])
        sheet.column_dimensions[letter].width = min(max(widest, 8), _WIDEST) + 2
        sheet.column_dimensions[letter].number_format = "@"  # 0110 that is typed stays 0110
    plain, kept, bold = _styles(sheet)
    for number, row in enumerate(rows, 1):
        cells = []
        for text in row:
            if number == 1:
                style = bold
            else:
                style = kept if is_formula(text) or text.startswith("'") else plain
            cells.append(_cell(sheet, text, style))
        sheet.append(cells)


def _styles(sheet: Any) -> list[Any]:
    """Return the styles of texts, of those that look like something else, and of headings."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cells: list[Any] = [WriteOnlyCell(sheet) for _ in range(3)]
    for own in cells:
        own.number_format = "@"
    cells[1].quotePrefix = True
    cells[2].font = Font(bold=True)
    return [own._style for own in cells]


def _cell(sheet: Any, text: str, style: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    own: Any = WriteOnlyCell(sheet)
    own._style = style
    if text:
        # past what openpyxl would make of it
        own._value, own.data_type = _ESCAPE.sub("_x005F_", text), "s"
    return own

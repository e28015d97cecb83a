"""The files of official downloads, read as they are published: what is not so is refused."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from classifier.errors import InputError
from classifier.tables import listed

CHANGED = "the format of this release may have changed"
"""What is said where a download is not as published before."""


def files_named(directory: Path, pattern: re.Pattern[str]) -> list[tuple[Path, re.Match[str]]]:
    """Return the files in a directory whose names are of a form, in order.

    Raises
    ------
    InputError
        If there is no such directory.
    """
    try:
        found = sorted(directory.iterdir())
    except OSError as error:
        raise InputError(f"{directory}: cannot be read ({error.strerror})") from error
    return [(path, name) for path in found if (name := pattern.fullmatch(path.name))]


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8.

    Raises
    ------
    InputError
        If it cannot be read or is not UTF-8; the message names file, line and column.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].split(b"\n")
        place = f"{path}:{len(before)}, column {len(before[-1].decode('utf-8', 'replace')) + 1}"
        raise InputError(f"{place}: not UTF-8; take the file as it was downloaded") from error


def read_rows(
    path: Path, delimiter: str, wanted: Sequence[str]
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the rows of a table by the names of its columns.

    Parameters
    ----------
    path
        The file, in UTF-8.
    delimiter
        Between the cells; there are no quotation marks around cells between tabs.
    wanted
        Columns that must be there.

    Yields
    ------
    tuple
        The line that a row begins on, and its cells by the names of their columns.

    Raises
    ------
    InputError
        If it is not such a table; the message names file, line and column.
    """
    reader = csv.reader(
        io.StringIO(read_text(path), newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if delimiter == "	" else csv.QUOTE_MINIMAL,
        strict=True,
    )
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if header is None:
                header = [cell.strip() for cell in cells]
                _check_header(path, header, wanted)
            elif cells and len(cells) != len(header):
                raise InputError(
                    f"{path}:{line}: {len(cells)} cells where the header has {len(header)}; "
                    "take the file as it was downloaded"
                )
            elif cells:
                yield line, dict(zip(header, cells, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}:{line}: not as published ({error})") from error
    if header is None:
        raise InputError(f"{path}: the file is empty")


def _check_header(path: Path, header: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in header]
    if missing:
        raise InputError(
            f"{path}:1: no column {', '.join(missing)}; there are {listed(header)}; {CHANGED}"
        )

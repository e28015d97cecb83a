"""Labelled titles and postings in files of any format."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from classifier.errors import InputError
from classifier.examples import COLUMNS, MAX_WEIGHT, ExampleFile, Examples
from classifier.formats import open_table
from classifier.tables import Chunk, Table, listed

_CHUNK = 10_000

_NAMED = ("title", "description", "department", "role")


@dataclass(frozen=True)
class Named:
    """The columns that a user has named, by name or number; None to look for the usual ones."""

    title: str | None = None
    description: str | None = None
    department: str | None = None
    role: str | None = None


def read_examples(
    source: str,
    usual_names: Mapping[str, Sequence[str]],
    named: Named | None = None,
    weight: float = 1.0,
) -> Examples:
    """Read the labelled titles or postings of a file.

    Parameters
    ----------
    source
        A path, or ``-`` for standard input; any format that tables are read from.
    usual_names
        The usual names of the columns ``title``, ``description``, ``department``, ``role`` and
        ``language``; a column ``weight`` is multiplied with `weight`.
    named
        The columns that are called otherwise.
    weight
        What each example weighs, above 0; a title of the catalogue weighs 1.

    Returns
    -------
    found : Examples
        As they stand there, to be `checked`; rows without a department are left out.

    Raises
    ------
    InputError
        If the file cannot be read, or has no column of departments, or neither titles nor
        descriptions.
    """
    named = named or Named()
    telling = [own for name in _NAMED for own in usual_names[name]]
    chosen = (named.title, named.description, named.department, named.role)
    telling += [name for name in chosen if name is not None]
    with open_table(source, telling) as table:
        reader = _FileReader(table, _positions(table, usual_names, named), weight)
        for chunk in table.chunks(_CHUNK):
            reader.read(chunk)
        frame = pd.DataFrame(reader.columns)
        if not reader.n_rows:
            raise InputError(f"{table.name}: no row has a department")
        file = ExampleFile(
            Path(table.name).name, table.source.sha256(), len(frame), reader.left_out, weight
        )
        return Examples(frame, (file,), tuple(reader.problems))


def _positions(
    table: Table, usual_names: Mapping[str, Sequence[str]], named: Named
) -> dict[str, int]:
    """Find the columns that there are."""

    def place(column: str | None, usual: Sequence[str]) -> int | None:
        return table.usual_column(usual) if column is None else table.column(column)

    found = {
        "title": place(named.title, usual_names["title"]),
        "description": place(named.description, usual_names["description"]),
        "department": place(named.department, usual_names["department"]),
        "role": place(named.role, usual_names["role"]),
        "language": table.usual_column(usual_names["language"]),
        "weight": table.usual_column(["weight"]),
    }
    header = listed(table.header)
    if found["department"] is None:
        raise InputError(
            f"{table.name}: no column of departments; name it with --department; there are {header}"
        )
    if found["title"] is None and found["description"] is None:
        raise InputError(
            f"{table.name}: no column of titles or descriptions; name it with --title or "
            f"--description; there are {header}"
        )
    if named.role is None and found["role"] == found["title"]:
        found["role"] = None  # some call a column of titles so
    return {name: position for name, position in found.items() if position is not None}


class _FileReader:
    """Gathers the examples of a table."""

    def __init__(self, table: Table, positions: Mapping[str, int], weight: float) -> None:
        self._table = table
        self._positions = positions
        self._weight = weight
        self.columns: dict[str, list[str | float]] = {name: [] for name in COLUMNS}
        self.problems: list[str] = []
        self.n_rows = self.left_out = 0

    def read(self, chunk: Chunk) -> None:
        """Read some rows."""
        cells = {name: chunk.column(at) for name, at in self._positions.items()}
        faults = chunk.faults
        for row, department in enumerate(cells["department"]):
            place = f"{self._table.name}, {self._table.place_name} {chunk.place(row)}"
            if row in faults:
                self.problems.append(f"{place}: {faults[row]}")
                self.n_rows += 1
            elif not department.strip():
                self.left_out += 1
            else:
                self.n_rows += 1
                self._add({name: column[row] for name, column in cells.items()}, place)

    def _add(self, told: dict[str, str], place: str) -> None:
        weight = _number(told.pop("weight", "") or "1")
        if not 0 < weight * self._weight <= MAX_WEIGHT:
            self.problems.append(f"{place}: the weight is not above 0 and at most {MAX_WEIGHT:g}")
            return
        full = {**dict.fromkeys(COLUMNS, ""), **told, "place": place}
        for name, cell in full.items():
            self.columns[name].append(weight * self._weight if name == "weight" else cell)


def _number(cell: str) -> float:
    """Read a number; not a number if it is none."""
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return math.nan

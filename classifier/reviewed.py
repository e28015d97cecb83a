"""Review files in which a person filled in the right departments."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from classifier.batch import Columns, Options, find_columns
from classifier.corrections import Correction, QueueEntry, fault_of
from classifier.dialects import loosely
from classifier.errors import InputError
from classifier.review import ANSWER, REASON, ROWS
from classifier.tables import Table, listed

RIGHT_ROLE = "right_role"
"""A column that a person may add to a review, and fill in."""

_MOST = 200  # problems that are listed

_CHUNK = 2_000

_FALLBACK = "unknown"

Resolve = Callable[[str, str], tuple[str, str | None]]
"""Takes what a person wrote for department and role, and returns their ids; raises InputError."""


@dataclass
class Reviewed:
    """What a person has filled in, and what is left.

    Parameters
    ----------
    corrections
        Of rows with a right department.
    waiting
        Rows without one.
    problems
        What is wrong, a line each.
    """

    corrections: list[Correction] = field(default_factory=list)
    waiting: list[QueueEntry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Raise an InputError with all problems, if there are any."""
        more = len(self.problems) - _MOST
        if self.problems:
            rest = [f"and {more:,} more problems"] * (more > 0)
            raise InputError("\n".join([*self.problems[:_MOST], *rest]))


def read_review(
    table: Table,
    options: Options,
    usual_names: Mapping[str, Sequence[str]],
    resolve: Resolve,
    who: str = "",
) -> Reviewed:
    """Read a review that `classifier.labelling_files.write_review` wrote.

    Parameters
    ----------
    table
        Its rows.
    options
        May name the columns of title and description.
    usual_names
        The usual names of these columns.
    resolve
        Says which department and role are meant.
    who
        Who filled it in.

    Returns
    -------
    Reviewed
        Corrections and what waits on, with all problems.

    Raises
    ------
    InputError
        If the table is no review.
    """
    columns = find_columns(table, options, usual_names)
    cells = _Cells(table)
    found = Reviewed()
    said: dict[str, tuple[str, int]] = {}
    for chunk in table.chunks(_CHUNK):
        titles, texts = columns.read(chunk)
        own = cells.read(columns, chunk.column, len(chunk))
        for n, (title, row) in enumerate(zip(titles, own, strict=True)):
            text = texts[n] if texts else ""
            place = chunk.place(n)
            problem = chunk.faults.get(n)
            if problem is None and not row[ANSWER] and not row[RIGHT_ROLE]:
                found.waiting += _entry(title, text, row)
                continue
            try:
                if problem is not None:
                    raise InputError(problem)
                correction = _correction(title, text, row, resolve, who)
                _claim(correction, place, said, table.place_name)
                found.corrections.append(correction)
            except InputError as error:
                found.problems.append(f"{table.name}, {table.place_name} {place}: {error}")
    return found


class _Cells:
    """Reads the cells of a review beside title and description."""

    _NAMES = (ANSWER, RIGHT_ROLE, ROWS, REASON, "status", "department", "role", "confidence")

    def __init__(self, table: Table) -> None:
        header = [loosely(name) for name in table.header]
        ends = [name for name in header if name.endswith(loosely(ANSWER))]
        if not ends:
            raise InputError(
                f"{table.name}: no column {ANSWER}, as a file of classify --review has; there are "
                f"{listed(table.header)}"
            )
        prefix = ends[-1].removesuffix(loosely(ANSWER))
        # a person who adds a column need not know of the prefix
        wanted = {name: (prefix + loosely(name), loosely(name)) for name in self._NAMES}
        self._at: dict[str, int | None] = {
            name: next((header.index(own) for own in names if own in header), None)
            for name, names in wanted.items()
        }

    def read(
        self, columns: Columns, column: Callable[[int], list[str]], n_rows: int
    ) -> Iterator[dict[str, str]]:
        """Yield the cells of each row by name; empty where there is no such column."""
        taken = (columns.title, columns.description)  # a column role may hold the titles
        cells = [
            [""] * n_rows if at is None or at in taken else [cell.strip() for cell in column(at)]
            for at in self._at.values()
        ]
        return (dict(zip(self._at, row, strict=True)) for row in zip(*cells, strict=True))


def _number(text: str, otherwise: float) -> float:
    with suppress(ValueError):
        return float(text.replace(",", "."))
    return otherwise


def _entry(title: str, text: str, row: Mapping[str, str]) -> list[QueueEntry]:
    if not title.strip() and not text.strip():
        return []
    confidence = min(max(_number(row["confidence"], 0), 0), 1)
    count = int(min(max(_number(row[ROWS], 1), 1), 1e9))
    reason = row[REASON][:20] or _FALLBACK
    department, role = row["department"][:200] or None, row["role"][:200] or None
    return [QueueEntry(title, text, department, role, confidence, reason, count)]


def _correction(
    title: str, text: str, row: Mapping[str, str], resolve: Resolve, who: str
) -> Correction:
    if not row[ANSWER]:
        raise InputError(f"{RIGHT_ROLE} is filled in, but not {ANSWER}")
    department, role = resolve(row[ANSWER], row[RIGHT_ROLE])
    said = None
    if row["status"] or row["confidence"]:
        said = {
            "department": row["department"] or None,
            "role": row["role"] or None,
            "confidence": _number(row["confidence"], 0) if row["confidence"] else None,
        }
    correction = Correction(title, department, text, role, who, said)
    fault = fault_of(correction)
    if fault is not None:
        raise InputError(fault)
    return correction


def _claim(
    correction: Correction, place: int, said: dict[str, tuple[str, int]], place_name: str
) -> None:
    """Refuse a posting that is said to be of two departments."""
    department, earlier = said.setdefault(correction.posting, (correction.department, place))
    if department != correction.department:
        raise InputError(
            f"the same posting is {department} in {place_name} {earlier}, but "
            f"{correction.department} here"
        )

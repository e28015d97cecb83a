"""Rows in, labelled rows out, chunk by chunk."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

import numpy as np
import pandas as pd

from classifier.errors import InputError
from classifier.labels import LABEL_COLUMNS
from classifier.model import JobTitleClassifier
from classifier.policy import Policy
from classifier.tables import Row, Table, TableWriter

CHUNK = 50_000
"""How many rows are labelled at a time."""

REMEMBERED = 200_000
"""How many titles are remembered with their labels, each some 500 bytes."""

_FOUR_DIGITS = np.array([*(f"{n / 10_000:.4f}" for n in range(10_001)), ""], dtype=object)
"""Probabilities as text, by ten-thousandths; the last stands for none."""

ERROR = "error"
"""The status of a row that has more or fewer cells than the header."""


@dataclass(frozen=True)
class Options:
    """What a user may choose about a run.

    Parameters
    ----------
    title, description
        Names of the columns to read; None to look for the usual names.
    policy
        Decides the category.
    prefix
        Put before the names of the added columns.
    n_candidates
        If above 0, a column ``candidates`` is added.
    min_confidence
        Below this probability, 0-1, a row is ``unknown``; the shipped threshold if None.
    """

    policy: Policy
    title: str | None = None
    description: str | None = None
    prefix: str = ""
    n_candidates: int = 0
    min_confidence: float | None = None

    @property
    def added(self) -> tuple[str, ...]:
        """The names of the added columns."""
        names = (*LABEL_COLUMNS, "candidates") if self.n_candidates else LABEL_COLUMNS
        return tuple(self.prefix + name for name in names)


@dataclass
class Summary:
    """What a run did.

    Parameters
    ----------
    statuses
        Status to number of rows.
    faulty_lines
        The lines of the rows that could not be read.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    faulty_lines: list[int] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self.statuses.total()


@dataclass(frozen=True)
class _Columns:
    """The positions of title and description in a row; None where there is none."""

    title: int | None
    description: int | None


def classify(
    model: JobTitleClassifier,
    table: Table,
    target: BinaryIO,
    options: Options,
    usual_names: Mapping[str, Sequence[str]],
    progress: Callable[[int], object] | None = None,
) -> Summary:
    """Label the rows of a table.

    Parameters
    ----------
    model
        Labels them.
    table
        Read to its end.
    target
        Gets the same rows with the label's columns, in the same dialect.
    options
        What the user chose.
    usual_names
        The usual names of the columns ``title`` and ``description``.
    progress
        Called with the number of rows of each chunk that is done.

    Returns
    -------
    Summary
        The number of rows by status, and the lines that could not be read.

    Raises
    ------
    InputError
        If a column is missing or a row cannot be parsed.
    """
    columns = _find_columns(table, options, usual_names)
    clashing = [name for name in options.added if name in table.header]
    if clashing:
        raise InputError(
            f"{table.name}: already has columns {', '.join(clashing)}; choose a prefix for the new "
            "ones with --prefix"
        )
    summary = Summary()
    labeller = _Labeller(model, columns, options)
    with TableWriter(target, table.dialect) as writer:
        writer.write([[*table.header, *options.added]])
        while chunk := list(islice(table.rows, CHUNK)):
            writer.write(_labelled(labeller, chunk, len(table.header), summary))
            if progress is not None:
                progress(len(chunk))
    return summary


def _find_columns(
    table: Table, options: Options, usual_names: Mapping[str, Sequence[str]]
) -> _Columns:
    if options.title is not None:
        title: int | None = table.column(options.title)
    else:
        title = table.usual_column(usual_names["title"])
    if options.description is not None:
        description: int | None = table.column(options.description)
    else:
        description = table.usual_column(usual_names["description"])
    if title is None and description is None and len(table.header) == 1:
        title = 0
    if title is None and description is None:
        raise InputError(
            f"{table.name}: no column looks like a title; name it with --title. "
            f"There are {', '.join(table.header)}"
        )
    return _Columns(title, description)


@dataclass
class _Labeller:
    """Labels rows as cells of text, and remembers those of titles: they repeat."""

    model: JobTitleClassifier
    columns: _Columns
    options: Options
    remembered: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def cells(self, rows: list[Row]) -> list[tuple[str, ...]]:
        """Return the cells of the label of each row."""
        if self.columns.description is not None:
            return _as_cells(_labels(self.model, rows, self.columns, self.options))
        titles = _cells(rows, self.columns.title)
        if len(self.remembered) > REMEMBERED:
            self.remembered.clear()
        new = list(dict.fromkeys(title for title in titles if title not in self.remembered))
        labels = _predicted(self.model, self.options, new)
        self.remembered.update(zip(new, _as_cells(labels), strict=True))
        return [self.remembered[title] for title in titles]


def _as_cells(labels: pd.DataFrame) -> list[tuple[str, ...]]:
    """Lay labels out as cells of text, row by row."""
    columns = [
        _FOUR_DIGITS[np.rint(labels[name].fillna(1.0001) * 10_000).astype(int)].tolist()
        if str(name).endswith("confidence")
        else labels[name].tolist()
        for name in labels
    ]
    return list(zip(*columns, strict=True))


def _labelled(
    labeller: _Labeller, chunk: list[Row], width: int, summary: Summary
) -> Iterator[list[str]]:
    """Yield the rows of a chunk with their labels; cells in excess come after them."""
    labels = labeller.cells(chunk)
    summary.statuses.update(label[0] for label in labels)
    for row, label in zip(chunk, labels, strict=True):
        cells = row.cells
        if len(cells) == width:
            yield [*cells, *label]
            continue
        own = label
        if cells:
            summary.faulty_lines.append(row.line)
            summary.statuses[label[0]] -= 1
            summary.statuses[ERROR] += 1
            own = (ERROR, *[""] * (len(label) - 1))
        padding = [""] * (width - len(cells))
        yield [*cells[:width], *padding, *own, *cells[width:]]


def _labels(
    model: JobTitleClassifier, rows: list[Row], columns: _Columns, options: Options
) -> pd.DataFrame:
    descriptions = None if columns.description is None else _cells(rows, columns.description)
    return _predicted(model, options, _cells(rows, columns.title), descriptions)


def _predicted(
    model: JobTitleClassifier,
    options: Options,
    titles: list[str],
    descriptions: list[str] | None = None,
) -> pd.DataFrame:
    frame = pd.DataFrame({"title": titles, "description": descriptions}, dtype=object)
    return model.predict_frame(
        frame,
        description=None if descriptions is None else "description",
        policy=options.policy,
        min_confidence=options.min_confidence,
        n_candidates=options.n_candidates,
    )


def _cells(chunk: list[Row], column: int | None) -> list[str]:
    if column is None:
        return [""] * len(chunk)
    return [row.cells[column] if column < len(row.cells) else "" for row in chunk]


@dataclass(frozen=True)
class Measured:
    """The rows of a table whose departments are known, labelled.

    Parameters
    ----------
    titles
        What was labelled, for examples of errors.
    gold
        The right departments of each row.
    languages
        The language of each row; None if the table does not tell.
    labels
        One label a row.
    """

    titles: list[str]
    gold: list[frozenset[str]]
    languages: list[str] | None
    labels: pd.DataFrame


def label_against_gold(
    model: JobTitleClassifier,
    table: Table,
    options: Options,
    usual_names: Mapping[str, Sequence[str]],
    gold: str,
) -> Measured:
    """Label the rows of a table whose departments are known.

    Parameters
    ----------
    model
        Labels them.
    table
        Read to its end.
    options
        What the user chose.
    usual_names
        The usual names of the columns ``title``, ``description`` and ``language``.
    gold
        The column of right departments, ``|`` between them; rows without one are left out.

    Returns
    -------
    Measured
        The right departments of each row, and its label.

    Raises
    ------
    InputError
        If a column is missing, a department is unknown, or no row has one.
    """
    column = table.column(gold)
    columns = _find_columns(table, options, usual_names)
    language = table.usual_column(usual_names["language"])
    known: list[Row] = []
    labels: list[pd.DataFrame] = []
    while chunk := list(islice(table.rows, CHUNK)):
        own = [row for row in chunk if column < len(row.cells) and row.cells[column].strip()]
        labels.append(_labels(model, own, columns, options))
        known += own
    truths = [_departments(row, column, table, model) for row in known]
    if not truths:
        raise InputError(f"{table.name}: no row has a department in column {gold}")
    return Measured(
        _cells(known, columns.title if columns.title is not None else columns.description),
        truths,
        None if language is None else _cells(known, language),
        pd.concat(labels, ignore_index=True),
    )


def _departments(row: Row, column: int, table: Table, model: JobTitleClassifier) -> frozenset[str]:
    """Read the right departments of a row."""
    found = frozenset(part.strip() for part in row.cells[column].split("|"))
    unknown = sorted(found - set(model.taxonomy.departments))
    if unknown:
        raise InputError(
            f"{table.name}, line {row.line}: {', '.join(unknown)} in column "
            f"{table.header[column]} is no department; python -m classifier taxonomy lists them"
        )
    return found

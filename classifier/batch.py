"""Rows in, labelled rows out, chunk by chunk, on one core or several."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from classifier.dialects import Dialect, lines
from classifier.errors import InputError
from classifier.labels import LABEL_COLUMNS
from classifier.model import JobTitleClassifier
from classifier.policy import Policy
from classifier.tables import Chunk, Table
from classifier.workers import in_order

CHUNK = 25_000
"""How many rows are labelled at a time."""

TEXT_CHUNK = 2_000
"""How many rows with descriptions are labelled at a time."""

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
class Columns:
    """Where titles and descriptions stand.

    Parameters
    ----------
    title, description
        Positions in a row; None where there is none.
    """

    title: int | None
    description: int | None

    def read(
        self, chunk: Chunk, rows: Sequence[int] | None = None
    ) -> tuple[list[str], list[str] | None]:
        """Return the titles and descriptions of a chunk, or of some of its rows."""
        titles = [""] * len(chunk.rows) if self.title is None else chunk.column(self.title)
        texts = None if self.description is None else chunk.column(self.description)
        if rows is not None:
            titles = [titles[n] for n in rows]
            texts = None if texts is None else [texts[n] for n in rows]
        return titles, texts

    @property
    def chunk_size(self) -> int:
        """How many rows to label at a time."""
        return CHUNK if self.description is None else TEXT_CHUNK


def classify(
    model: JobTitleClassifier,
    table: Table,
    target: BinaryIO,
    options: Options,
    usual_names: Mapping[str, Sequence[str]],
    *,
    workers: int = 1,
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
        Gets the same rows with the label's columns, in the same order and dialect.
    options
        What the user chose.
    usual_names
        The usual names of the columns ``title`` and ``description``.
    workers
        How many processes label rows; with 1, this one does.
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
    ModelError
        If a worker dies.
    """
    columns = find_columns(table, options, usual_names)
    clashing = [name for name in options.added if name in table.header]
    if clashing:
        raise InputError(
            f"{table.name}: already has columns {', '.join(clashing)}; choose a prefix for the new "
            "ones with --prefix"
        )
    summary = Summary()
    labeller = _Labeller(model, columns, options, table.dialect, len(table.header))
    (header,) = lines([[*table.header, *options.added]], table.dialect)
    target.write(table.dialect.encoded(header + table.dialect.newline, first=True))
    model.predict([""])  # what the workers share is there before they are made
    parts = in_order(labeller.label, partial(table.chunks, columns.chunk_size), workers)
    with _uncollected(), closing(parts):
        for labelled in parts:
            target.write(labelled.text)
            summary.statuses += labelled.statuses
            summary.faulty_lines += labelled.faulty_lines
            if progress is not None:
                progress(labelled.statuses.total())
    return summary


def find_columns(
    table: Table, options: Options, usual_names: Mapping[str, Sequence[str]]
) -> Columns:
    """Find the columns of title and description.

    Parameters
    ----------
    table
        Has a header.
    options
        May name them.
    usual_names
        The usual names of the columns ``title`` and ``description``.

    Returns
    -------
    Columns
        At least one of them.

    Raises
    ------
    InputError
        If there is none, or none of the name that was chosen.
    """
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
    return Columns(title, description)


@dataclass(frozen=True)
class _Labelled:
    """The rows of a chunk with their labels, as text of a file."""

    text: bytes
    statuses: Counter[str]
    faulty_lines: list[int]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from walking through millions of cells: none is in a circle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass
class _Labeller:
    """Labels chunks, and remembers the labels of titles: they repeat.

    `width` is the number of cells of the header.
    """

    model: JobTitleClassifier
    columns: Columns
    options: Options
    dialect: Dialect
    width: int
    remembered: dict[str, tuple[str, str]] = field(default_factory=dict)

    def label(self, chunk: Chunk) -> _Labelled:
        """Write the rows of a chunk out with their labels."""
        labels = self._labels(*self.columns.read(chunk))
        statuses = Counter(map(itemgetter(0), labels))
        starts = self._starts(chunk)
        ends = list(map(itemgetter(1), labels))
        faulty = []
        if set(map(len, chunk.rows)) != {self.width}:
            for n, cells in enumerate(chunk.rows):
                if len(cells) > self.width or 0 < len(cells) < self.width:
                    starts[n], ends[n] = self._uneven(cells)
                    faulty.append(chunk.ends[n])
                    statuses[labels[n][0]] -= 1
                    statuses[ERROR] += 1
                elif not cells:  # a blank line is no fault
                    (starts[n],) = lines([[""] * self.width], self.dialect)
        text = "".join(chain.from_iterable(zip(starts, ends, strict=True)))
        return _Labelled(self.dialect.encoded(text), +statuses, faulty)

    def _starts(self, chunk: Chunk) -> list[str]:
        """Return the rows as lines: as they were written, where that can be."""
        starts = chunk.as_written
        if self.dialect.delimiter is None:  # cells of a single column may hold what becomes one
            for n in [n for n, line in enumerate(starts) if "," in line and line[0] != '"']:
                (starts[n],) = lines([chunk.rows[n]], self.dialect)
        return starts

    def _uneven(self, cells: list[str]) -> tuple[str, str]:
        """Write a row of more or fewer cells than the header; those in excess come last."""
        padding = [""] * (self.width - len(cells))
        own = [ERROR, *[""] * (len(self.options.added) - 1)]
        (line,) = lines(
            [[*cells[: self.width], *padding, *own, *cells[self.width :]]], self.dialect
        )
        return line, self.dialect.newline

    def _labels(self, titles: list[str], texts: list[str] | None) -> list[tuple[str, str]]:
        """Return the status of each posting, and its label as the end of a line."""
        if texts is not None:
            return self._ends(titles, texts)
        if len(self.remembered) > REMEMBERED:
            self.remembered.clear()
        new = [title for title in dict.fromkeys(titles) if title not in self.remembered]
        self.remembered.update(zip(new, self._ends(new, None), strict=True))
        return list(map(self.remembered.__getitem__, titles))

    def _ends(self, titles: list[str], texts: list[str] | None) -> list[tuple[str, str]]:
        labels = predicted(self.model, self.options, titles, texts)
        columns = [_as_cells(labels[name]) for name in labels]
        delimiter, newline = self.dialect.delimiter or ",", self.dialect.newline
        ends = lines(list(zip(*columns, strict=True)), self.dialect)
        return [
            (status, f"{delimiter}{end}{newline}")
            for status, end in zip(columns[0], ends, strict=True)
        ]


def _as_cells(column: "pd.Series[Any]") -> list[str]:
    """Return a column of labels as cells of text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = np.array(column.cat.categories, dtype=object)
        return list(names[column.cat.codes].tolist())
    if column.dtype == np.float64:
        tens = np.rint(column.fillna(1.0001).to_numpy() * 10_000).astype(np.int64)
        return list(_FOUR_DIGITS[tens].tolist())
    return column.tolist()


def predicted(
    model: JobTitleClassifier, options: Options, titles: list[str], texts: list[str] | None
) -> pd.DataFrame:
    """Label titles, or titles with texts, as `JobTitleClassifier.predict_frame` does."""
    frame = pd.DataFrame({"title": titles, "description": texts}, dtype=object)
    return model.predict_frame(
        frame,
        description=None if texts is None else "description",
        policy=options.policy,
        min_confidence=options.min_confidence,
        n_candidates=options.n_candidates,
    )

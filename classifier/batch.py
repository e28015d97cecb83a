"""Rows in, labelled rows out, chunk by chunk, on one core or several."""

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from classifier.errors import InputError, RowError
from classifier.labels import LABEL_COLUMNS, Corrections
from classifier.model import JobTitleClassifier
from classifier.outputs import Output
from classifier.policy import Policy
from classifier.review import Doubt, Review, Seen, doubt_of
from classifier.summary import Fault, Kind, Summary
from classifier.tables import Chunk, Table, Writer, listed
from classifier.workers import in_order

CHUNK = 25_000
"""How many rows are labelled at a time."""

TEXT_CHUNK = 2_000
"""How many rows with descriptions are labelled at a time."""

_PIECE = 2_000  # rows that are handed out at a time: enough to be fast, and soon there

REMEMBERED = 200_000
"""How many titles are remembered with their labels, each some 500 bytes."""

_FOUR_DIGITS = np.array([*(f"{n / 10_000:.4f}" for n in range(10_001)), ""], dtype=object)
"""Probabilities as text, by ten-thousandths; the last stands for none."""

_CANDIDATES = "candidates"

ERROR = "error"
"""The status of a row that could not be read."""

_FAULTY = Kind(ERROR, "", "")


@dataclass(frozen=True)
class Options:
    """What a user may choose about a run.

    Parameters
    ----------
    title, description
        Names or numbers of the columns to read; None to look for the usual names.
    policy
        Decides the category.
    prefix
        Put before the names of the added columns.
    n_candidates
        If above 0, a column ``candidates`` is added.
    min_confidence
        Below this probability, 0-1, a row is ``unknown``; the shipped threshold if None.
    strict
        Whether a row that cannot be read ends the run.
    review
        Whether doubtful rows are noted.
    corrections
        What the model knows of what people said; if there is any, a column ``basis`` is added.
    """

    policy: Policy
    title: str | None = None
    description: str | None = None
    prefix: str = ""
    n_candidates: int = 0
    min_confidence: float | None = None
    strict: bool = False
    review: bool = False
    corrections: Corrections | None = field(default=None, repr=False)

    @property
    def added(self) -> tuple[str, ...]:
        """The names of the added columns."""
        names = [*LABEL_COLUMNS]
        names += ["basis"] * (self.corrections is not None) + [_CANDIDATES] * (
            self.n_candidates > 0
        )
        return tuple(self.prefix + name for name in names)

    def telling_names(self, usual_names: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the names of columns that tell the delimiter: usual ones, and those chosen."""
        chosen = [name for name in (self.title, self.description) if name is not None]
        return [*usual_names["title"], *usual_names["description"], *chosen]

    @property
    def excess(self) -> str:
        """The name for cells that have no column, in formats that must name them."""
        return f"{self.prefix}excess"


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
        titles = [""] * len(chunk) if self.title is None else chunk.column(self.title)
        texts = None if self.description is None else chunk.column(self.description)
        if rows is not None:
            titles = [titles[n] for n in rows]
            texts = None if texts is None else [texts[n] for n in rows]
        return titles, texts

    @property
    def chunk_size(self) -> int:
        """How many rows to label at a time."""
        return CHUNK if self.description is None else TEXT_CHUNK


@dataclass(frozen=True)
class Labelled:
    """The rows of a chunk with their labels, as a segment of a file.

    Parameters
    ----------
    text
        The segment.
    kinds
        How many rows there are of each kind.
    faults, doubts
        Rows that could not be read, and rows for review.
    """

    text: bytes
    kinds: Counter[Kind]
    faults: list[Fault]
    doubts: list[Seen]

    @property
    def statuses(self) -> Counter[str]:
        """Number of rows by status."""
        return Summary(self.kinds).statuses


def classify(
    model: JobTitleClassifier,
    table: Table,
    columns: Columns,
    options: Options,
    writer: Writer,
    output: Output,
    *,
    workers: int = 1,
    progress: Callable[[int, Summary], object] | None = None,
) -> tuple[Summary, Review]:
    """Label the rows of a table.

    Parameters
    ----------
    model
        Labels them.
    table
        Read to its end.
    columns
        Where its titles and descriptions stand.
    options
        What the user chose.
    writer
        Writes rows with their labels.
    output
        Takes what is written; it may hold the first chunks from an earlier run.
    workers
        How many processes label rows; with 1, this one does.
    progress
        Called with the number of rows of each chunk that is done, and what was found so far.

    Returns
    -------
    summary : Summary
        The number of rows of each kind, and those that could not be read.
    review : Review
        Doubtful rows, if the options ask for them.

    Raises
    ------
    InputError
        If a column clashes, the file cannot be read on, or a row is faulty and must not be.
    OutputError
        If the output cannot be written.
    ModelError
        If a worker dies.
    """
    summary = Summary.from_state(output.state.get("summary", {}))
    review = Review.from_state(output.state.get("review", ()))
    labeller = _Labeller(model, columns, options, writer, table)
    done = output.n_done
    if not done:
        output.write(writer.head())
    if done and progress is not None:
        progress(summary.rows, summary)
    model.predict([""])  # what the workers share is there before they are made

    def state() -> dict[str, Any]:
        return {"summary": summary.state(), "review": review.state()}

    def chunks() -> Iterator[tuple[int, Chunk]]:
        return islice(enumerate(table.chunks(columns.chunk_size)), done, None)

    parts = in_order(labeller.label, chunks, workers)
    with _uncollected(), closing(parts):
        for n, labelled in enumerate(parts, done):
            summary.add(labelled.kinds, labelled.faults)
            review.add(n, labelled.doubts)
            output.add(labelled.text, state)
            if progress is not None:
                progress(labelled.kinds.total(), summary)
    return summary, review


def segments(
    model: JobTitleClassifier, table: Table, columns: Columns, options: Options, writer: Writer
) -> Iterator[Labelled]:
    """Label the rows of a table, and hand the file out piece by piece.

    Parameters
    ----------
    model, table, columns, options, writer
        As for `classify`.

    Yields
    ------
    Labelled
        The head without rows, then chunk by chunk; end to end, their texts are the file.

    Raises
    ------
    InputError
        If a row cannot be written.
    """
    yield Labelled(writer.head(), Counter(), [], [])
    labeller = _Labeller(model, columns, options, writer, table)
    yield from map(labeller.label, enumerate(table.chunks(min(columns.chunk_size, _PIECE))))


def check_names(table: Table, options: Options) -> None:
    """Refuse names of added columns that the table has already.

    Raises
    ------
    InputError
        If there are such.
    """
    there = {name.casefold() for name in table.header}
    clashing = [name for name in options.added if name.casefold() in there]
    if clashing:
        raise InputError(
            f"{table.name}: already has columns {listed(clashing)}; choose a prefix for the new "
            "ones with --prefix"
        )


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
            f"There are {listed(table.header)}"
        )
    return Columns(title, description)


class _Label(NamedTuple):
    """A label: what it is counted as, how it is written, and why it is for review."""

    kind: Kind
    text: str
    doubt: Doubt | None


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
    """Labels chunks, and remembers the labels of titles: they repeat."""

    model: JobTitleClassifier
    columns: Columns
    options: Options
    writer: Writer
    table: Table
    remembered: dict[str, _Label] = field(default_factory=dict)

    def label(self, numbered: tuple[int, Chunk]) -> Labelled:
        """Write the rows of a chunk out with their labels."""
        number, chunk = numbered
        titles, texts = self.columns.read(chunk)
        labels = self._labels(titles, texts)
        faults = faults_of(self.table, chunk, strict=self.options.strict)
        if faults:
            faulty = self._faulty()
            for n in chunk.faults:
                labels[n] = faulty
        kinds, written, _ = zip(*labels, strict=True) if labels else ((), (), ())
        doubts = []
        if self.options.review:
            doubts = [
                Seen(_key(titles[n], texts[n] if texts else ""), n, label.doubt)
                for n, label in enumerate(labels)
                if label.doubt is not None
            ]
        text = segment_of(self.writer, self.table, chunk, written, first=number == 0)
        return Labelled(text, Counter(kinds), faults, doubts)

    def _faulty(self) -> _Label:
        """Return the label of rows that could not be read."""
        cells = [ERROR, *[""] * (len(self.options.added) - 1)]
        (text,) = self.writer.labels(
            {name: [cell] for name, cell in zip(self.options.added, cells, strict=True)}
        )
        return _Label(_FAULTY, text, None)

    def _labels(self, titles: list[str], texts: list[str] | None) -> list[_Label]:
        """Return the label of each posting."""
        if texts is not None:
            return self._new(titles, texts)
        if len(self.remembered) > REMEMBERED:
            self.remembered.clear()
        new = [title for title in dict.fromkeys(titles) if title not in self.remembered]
        self.remembered.update(zip(new, self._new(new, None), strict=True))
        return list(map(self.remembered.__getitem__, titles))

    def _new(self, titles: list[str], texts: list[str] | None) -> list[_Label]:
        columns = label_cells(self.model, self.options, titles, texts)
        doubts: Sequence[Doubt | None] = [None] * len(titles)
        if self.options.review:
            rows = [
                dict(zip(columns, cells, strict=True))
                for cells in zip(*columns.values(), strict=True)
            ]
            doubts = [doubt_of(row, _pairs(row[_CANDIDATES])) for row in rows]
            columns = self._without_more(columns)
        kinds = map(Kind, columns["status"], columns["department"], columns["category"])
        texts_of = self.writer.labels(columns)
        return list(map(_Label, kinds, texts_of, doubts))

    def _without_more(self, columns: dict[str, list[str]]) -> dict[str, list[str]]:
        """Take out candidates that only the review wants."""
        own = columns.pop(_CANDIDATES)
        n = self.options.n_candidates
        return {**columns, _CANDIDATES: ["|".join(c.split("|")[:n]) for c in own]} if n else columns


def faults_of(table: Table, chunk: Chunk, *, strict: bool = False) -> list[Fault]:
    """Return where rows of a chunk are at fault, and why.

    Raises
    ------
    RowError
        If there are such and must not be.
    """
    faults = [Fault(chunk.place(n), reason) for n, reason in chunk.faults.items()]
    if faults and strict:
        place, reason = faults[0]
        raise RowError(f"{table.name}, {table.place_name} {place}: {reason}")
    return faults


def segment_of(
    writer: Writer, table: Table, chunk: Chunk, labels: Sequence[str], *, first: bool
) -> bytes:
    """Join the rows of a chunk to their labels; see `classifier.tables.Writer.segment`.

    Raises
    ------
    RowError
        If a row cannot be written; the message names the table.
    """
    try:
        return writer.segment(chunk, labels, first=first)
    except InputError as error:
        raise RowError(f"{table.name}: {error}") from error


def _key(title: str, text: str) -> str:
    """Tell postings apart without keeping them."""
    posting = f"{title}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(posting, digest_size=12).hexdigest()


def _pairs(candidates: str) -> list[tuple[str, float]]:
    """Read departments and probabilities from the cell of candidates."""
    parts = (part.rpartition(":") for part in candidates.split("|") if part)
    return [(department, float(probability)) for department, _, probability in parts]


def label_cells(
    model: JobTitleClassifier, options: Options, titles: list[str], texts: list[str] | None
) -> dict[str, list[str]]:
    """Label postings, and write the labels as cells of text.

    Parameters
    ----------
    model
        Labels them.
    options
        What the user chose.
    titles : list of shape (n_postings,)
        Free text.
    texts : list of shape (n_postings,) or None
        Descriptions.

    Returns
    -------
    dict of str to list of shape (n_postings,)
        The columns of a label in their order; probabilities have four decimals.
    """
    n_candidates = max(3, options.n_candidates) if options.review else options.n_candidates
    labels = predicted(model, replace(options, n_candidates=n_candidates), titles, texts)
    return {name: as_cells(labels[name]) for name in map(str, labels)}


def as_cells(column: "pd.Series[Any]") -> list[str]:
    """Return a column of labels as cells of text; probabilities have four decimals."""
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

"""A CSV file that a person sends by the page: labelled, counted and listed."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from werkzeug.datastructures import FileStorage

from api import metrics
from api.wording import Fault
from classifier import JobTitleClassifier
from classifier.batch import (
    ERROR,
    Columns,
    Labelled,
    Options,
    check_names,
    find_columns,
    label_cells,
    segments,
)
from classifier.delimited import CsvOptions, CsvTable, open_csv
from classifier.errors import InputError
from classifier.formats import Writing, make_writer
from classifier.sources import Source, open_source
from classifier.summary import Summary
from classifier.tables import listed

ROWS = 200
"""How many rows of a file are shown."""

MAX_LINK = 1_400_000
"""Bytes of a labelled file that the page itself holds: browsers take links of 2 MiB."""

_SHOWN_TITLE = 150  # characters of a title in a table


@dataclass(frozen=True)
class Row:
    """A row of a file as the table shows it; ids are empty where there is no label."""

    place: int
    text: str
    status: str
    department: str
    category: str
    role: str
    seniority: str
    confidence: float | None


@dataclass(frozen=True)
class Overview:
    """What was found in a file.

    Parameters
    ----------
    name
        What the file was called.
    summary
        Its rows by status, department and category.
    rows
        The first of them.
    link
        The labelled file as an address of its own; empty if it is too large.
    link_name
        What that is called.
    """

    name: str
    summary: Summary
    rows: list[Row]
    link: str
    link_name: str

    @property
    def groups(self) -> list[tuple[str, int, list[tuple[str, int]]]]:
        """Categories with their rows, and the departments in them, most rows first."""
        found: dict[str, list[tuple[str, int]]] = {}
        for department, category, n in self.summary.departments():
            found.setdefault(category, []).append((department, n))
        groups = [(category, sum(n for _, n in own), own) for category, own in found.items()]
        return sorted(groups, key=lambda group: -group[1])

    def named(self, part: str, name: Callable[[str], str]) -> list[tuple[str, str]]:
        """List what the rows that are shown have of one kind, by name."""
        found = {getattr(row, part) for row in self.rows} - {""}
        return sorted(((key, name(key)) for key in found), key=lambda item: item[1].casefold())

    @property
    def largest(self) -> int:
        """The rows of the largest bar, at least 1."""
        silent = [n for status, n in self.summary.statuses.items() if status != "labelled"]
        return max([1, *silent, *(n for *_, n in self.summary.departments())])


class Upload:
    """A CSV file that was sent, opened in a directory of its own.

    Parameters
    ----------
    sent
        The file.
    directory
        Where it is put while it is read.
    model
        Labels its rows.
    usual
        The usual names of columns.
    title, description
        The names of its columns; empty to look for the usual ones.

    Raises
    ------
    Fault
        If it is no CSV file, or has no column of titles or texts.
    """

    def __init__(
        self,
        sent: FileStorage,
        directory: Path,
        model: JobTitleClassifier,
        usual: Mapping[str, Sequence[str]],
        title: str,
        description: str,
    ) -> None:
        self.model = model
        self.options = Options(
            model.policy(), title or None, description or None, corrections=model.corrections
        )
        self.table = open_upload(sent, directory, self.options.telling_names(usual))
        try:
            self.columns: Columns = find_columns(self.table, self.options, usual)
        except InputError as error:
            raise Fault("no_column", columns=listed(self.table.header)) from error
        try:
            check_names(self.table, self.options)
        except InputError as error:
            raise Fault("clash") from error

    def labelled(self) -> Iterator[Labelled]:
        """Label the rows, piece by piece."""
        writer = make_writer(self.table, self.options.added, self.options.excess, Writing())
        for part in segments(self.model, self.table, self.columns, self.options, writer):
            metrics.count_postings(part.statuses)
            yield part

    def rows(self) -> Iterator[Row]:
        """Label the first rows for the table."""
        with closing(self.table.chunks(ROWS)) as chunks:
            chunk = next(chunks, None)
        if chunk is None:
            return
        titles, texts = self.columns.read(chunk)
        cells = label_cells(self.model, self.options, titles, texts)
        for n in range(min(len(chunk), ROWS)):
            own = {name: "" if n in chunk.faults else column[n] for name, column in cells.items()}
            yield Row(
                chunk.place(n),
                " ".join((titles[n].strip() or (texts[n] if texts else ""))[:_SHOWN_TITLE].split()),
                own["status"] or ERROR,
                own["department"],
                own["category"],
                own["role"],
                own["seniority"],
                float(own["confidence"]) if own["department"] else None,
            )

    @property
    def media_type(self) -> str:
        """What the labelled file is."""
        return f"text/csv;charset={self.table.dialect.encoding.removesuffix('-sig')}"


def open_upload(sent: FileStorage, directory: Path, names: Sequence[str]) -> CsvTable:
    """Open a CSV file that was sent; refuse what is something else, whatever it is called.

    Parameters
    ----------
    sent
        The file.
    directory
        Where it is put while it is read.
    names
        Names of columns by which its header can be told.

    Raises
    ------
    Fault
        If it is no CSV file.
    """
    path = directory / "file.csv"
    sent.save(path)
    try:
        with open_source(str(path)) as found:
            if found.format != "csv" or found.compression:
                raise Fault("not_csv")
    except InputError as error:
        raise Fault("not_csv") from error
    try:
        return open_csv(Source("the file", path, "csv", None), names, CsvOptions())
    except InputError as error:
        raise Fault("unreadable") from error


def overview_of(upload: Upload, name: str, link_name: str) -> Overview:
    """Label a file, and keep of it what the page shows.

    Parameters
    ----------
    upload
        The file.
    name
        What it is called.
    link_name
        What the labelled file shall be called.

    Raises
    ------
    Fault
        If it cannot be read on.
    """
    summary, text = Summary(), bytearray()
    try:
        for part in upload.labelled():
            summary.add(part.kinds, part.faults)
            if len(text) <= MAX_LINK:
                text += part.text
        rows = list(upload.rows())
    except InputError as error:
        raise Fault("unreadable") from error
    link = ""
    if len(text) <= MAX_LINK:
        link = f"data:{upload.media_type};base64,{b64encode(text).decode()}"
    return Overview(name, summary, rows, link, link_name)

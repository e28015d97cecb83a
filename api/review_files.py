"""Files for the review queue: what ``--review`` wrote, perhaps filled in, or titles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from werkzeug.datastructures import FileStorage

from api.doubts import ANY_CONFIDENCE, entry_of
from api.uploads import open_upload
from api.wording import Fault
from classifier import JobTitleClassifier
from classifier.batch import Options, find_columns
from classifier.corrections import Correction, QueueEntry, fault_of
from classifier.errors import InputError
from classifier.review import ANSWER, MAX_REVIEWED, REASON, ROWS
from classifier.tables import Chunk, Table, listed

_REASONS = ("unknown", "close", "low")


@dataclass
class Found:
    """What a file holds.

    Parameters
    ----------
    entries
        Postings to be looked at.
    corrections
        Postings whose right department stands in the file.
    unclear
        How many answers name no department.
    """

    entries: list[QueueEntry] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    unclear: int = 0


@dataclass(frozen=True)
class _Row:
    title: str
    description: str
    rows: str
    reason: str
    answer: str


def read_review(
    sent: FileStorage,
    directory: Path,
    model: JobTitleClassifier,
    usual: Mapping[str, Sequence[str]],
    who: str,
) -> Found:
    """Read a file for the review queue.

    Parameters
    ----------
    sent
        The file; only its first rows, `MAX_REVIEWED`, are read.
    directory
        Where it is put while it is read.
    model
        Labels its rows afresh; it asks no corrections.
    usual
        The usual names of columns.
    who
        Who filled it in.

    Raises
    ------
    Fault
        If it is no CSV file, has no column of titles or texts, or cannot be read on.
    """
    table = open_upload(sent, directory, [*usual["title"], *usual["description"]])
    try:
        columns = find_columns(table, Options(model.policy()), usual)
    except InputError as error:
        raise Fault("no_column", columns=listed(table.header)) from error
    rows: list[_Row] = []
    try:
        for chunk in table.chunks(columns.chunk_size):
            titles, texts = columns.read(chunk)
            texts = texts or [""] * len(titles)
            more = [_column(table, chunk, name) for name in (ROWS, REASON, ANSWER)]
            cells = zip(titles, texts, *more, strict=True)
            rows += [_Row(*own) for n, own in enumerate(cells) if n not in chunk.faults]
            if len(rows) >= MAX_REVIEWED:
                break
    except InputError as error:
        raise Fault("unreadable") from error
    return _sorted(rows[:MAX_REVIEWED], model, who)


def _column(table: Table, chunk: Chunk, name: str) -> list[str]:
    """Return a column of a review, whatever its prefix, empty where there is none."""
    header = table.header
    found = [n for n, own in enumerate(header) if own == name or own.endswith(f"_{name}")]
    return chunk.column(found[-1]) if found else [""] * len(chunk)


def _sorted(rows: Sequence[_Row], model: JobTitleClassifier, who: str) -> Found:
    """Tell rows that were answered from those that a person should look at."""
    spellings = {
        name.casefold(): own.id
        for own in model.taxonomy.departments.values()
        for name in (*own.names.values(), own.id)
    }
    found = Found()
    texts = [row.description for row in rows]
    labels = model.predict([row.title for row in rows], texts if any(texts) else None)
    for row, label in zip(rows, labels, strict=True):
        answer = spellings.get(" ".join(row.answer.casefold().split()))
        if answer is not None:
            correction = Correction(row.title, answer, row.description, who=who)
            if fault_of(correction) is None:
                found.corrections.append(correction)
                continue
        found.unclear += bool(row.answer.strip())
        entry = entry_of(row.title, row.description, label, ANY_CONFIDENCE)
        if entry is None and row.reason in _REASONS and label.confidence is not None:
            entry = QueueEntry(
                row.title, row.description, label.department, label.role, label.confidence,
                row.reason,
            )  # fmt: skip
        if entry is not None:
            count = int(row.rows) if row.rows.isascii() and row.rows.isdigit() else 1
            found.entries.append(replace(entry, count=min(max(count, 1), 1_000_000)))
    return found

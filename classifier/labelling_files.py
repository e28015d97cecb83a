"""Files labelled from beginning to end: opened, gone on with, counted and reviewed."""

import glob
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from classifier import __version__
from classifier.batch import Columns, Options, check_names, classify, find_columns
from classifier.delimited import CsvTable
from classifier.errors import InputError, OutputError
from classifier.formats import KEYED, Reading, Writing, format_of, make_writer, open_table
from classifier.model import JobTitleClassifier
from classifier.outputs import FileOutput, Output, StreamOutput
from classifier.review import ANSWER, MAX_REVIEWED, REASON, ROWS, Review
from classifier.sources import ENDINGS, kind_of, readable
from classifier.summary import Summary
from classifier.tables import CHANGED, Table, Writer, listed

_ENDING_OF = {kind: ending for ending, kind in reversed(ENDINGS.items())}


@dataclass(frozen=True)
class Job:
    """What a user wants of a run over a file.

    Parameters
    ----------
    options
        What is chosen about labels.
    reading, writing
        How the file is written, and how the output shall be.
    usual_names
        The usual names of the columns ``title`` and ``description``.
    model_hash
        Tells the model apart from others.
    workers
        How many processes label rows.
    share
        Which part of the rows, and of how many; all of them if None.
    resume
        Whether to go on with a run that was broken off.
    """

    options: Options
    reading: Reading
    writing: Writing
    usual_names: Mapping[str, Sequence[str]]
    model_hash: str
    workers: int = 1
    share: tuple[int, int] | None = None
    resume: bool = False

    def fingerprint(self, table: Table) -> dict[str, str]:
        """Tell input, model and options apart from others."""
        chosen = repr((self.options, self.reading, self.writing, self.share, __version__))
        corrections = self.options.corrections
        return {
            "input": table.source.sha256(),
            "model": self.model_hash,
            "options": hashlib.sha256(chosen.encode()).hexdigest(),
            "corrections": "" if corrections is None else corrections.fingerprint,
        }


@dataclass(frozen=True)
class Done:
    """What came of a file.

    Parameters
    ----------
    table
        Its columns, and how it is written.
    columns
        Where titles and descriptions were read.
    summary
        What was counted.
    """

    table: Table
    columns: Columns
    summary: Summary


def label_file(
    model: JobTitleClassifier,
    source: str,
    target: str,
    job: Job,
    *,
    review_path: Path | None = None,
    opened: Callable[[Table], Callable[[int, Summary], object] | None] | None = None,
) -> Done:
    """Label the rows of one file.

    Parameters
    ----------
    model
        Labels them.
    source, target
        Paths, or ``-`` for standard input and output. The target has its name only when it is
        whole.
    job
        What is wanted.
    review_path
        Where the rows go that a person should look at, if anywhere.
    opened
        Called with the table once it is known; returns what is called with the number of rows of
        each chunk, and what was found so far.

    Returns
    -------
    Done
        What was found.

    Raises
    ------
    InputError
        If the file or a row of it cannot be read, or the review not be written.
    OutputError
        If the target cannot be written.
    ModelError
        If a worker dies.
    """
    kind, compression = kind_of("" if target == "-" else target)
    writing = replace(job.writing, format=job.writing.format or kind)
    usual = job.options.telling_names(job.usual_names)
    wants_columns = review_path is not None or writing.format not in (None, *KEYED)
    reading = replace(job.reading, all_keys=wants_columns)
    with open_table(source, usual, reading) as table:
        stamp = table.source.stamp()
        columns = find_columns(table, job.options, job.usual_names)
        check_names(table, job.options)
        if review_path is not None:
            _check_review(table, job.options)
        if job.share is not None:
            table.take_share(*job.share, columns.chunk_size)
        writer = make_writer(table, job.options.added, job.options.excess, writing)
        progress = opened(table) if opened else None
        with _output(target, writer, table, compression, job) as output:
            summary, review = _run(model, table, columns, job, writer, output, progress)
            if table.source.stamp() != stamp:
                raise InputError(f"{table.name}: {CHANGED}")
            if review_path is not None:
                write_review(review, table, columns, job, review_path)
            output.finish()
        return Done(table, columns, summary)


def _run(
    model: JobTitleClassifier,
    table: Table,
    columns: Columns,
    job: Job,
    writer: Writer,
    output: Output,
    progress: Callable[[int, Summary], object] | None,
) -> tuple[Summary, Review]:
    if isinstance(output, FileOutput) and output.is_whole:  # only its name was missing
        return (
            Summary.from_state(output.state["summary"]),
            Review.from_state(output.state["review"]),
        )
    found = classify(
        model, table, columns, job.options, writer, output, workers=job.workers, progress=progress
    )
    output.write(writer.tail())
    return found


@contextmanager
def _output(
    target: str, writer: Writer, table: Table, compression: str | None, job: Job
) -> Iterator[Output]:
    """Open what takes the rows: a stream, or a file that is there whole or not at all."""
    if target == "-":
        with StreamOutput(sys.stdout.buffer, writer, table) as stream:
            yield stream
        return
    path = Path(target)
    if _is_stream(path):
        with (
            _opened(path) as file,
            StreamOutput(file, writer, table, compression, name=target) as stream,
        ):
            yield stream
        return
    fingerprint = job.fingerprint(table)
    with FileOutput(
        path, writer, table, compression, fingerprint=fingerprint, resume=job.resume
    ) as output:
        yield output


def _is_stream(path: Path) -> bool:
    """Return whether a path is no file but a pipe or a device."""
    try:
        return path.exists() and not path.is_file()
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error


def _check_review(table: Table, options: Options) -> None:
    """Refuse names of columns of a review that the table has already."""
    clashing = [name for name in _named(options, ROWS, REASON, ANSWER) if name in table.header]
    if clashing:
        raise InputError(
            f"{table.name}: already has columns {listed(clashing)}, as a review has; choose a "
            "prefix for the new ones with --prefix"
        )


def _named(options: Options, *names: str) -> list[str]:
    return [options.prefix + name for name in names]


def write_review(review: Review, table: Table, columns: Columns, job: Job, path: Path) -> None:
    """Write the rows that a person should look at, most useful first.

    Parameters
    ----------
    review
        The doubtful rows of a run.
    table, columns, job
        Of that run.
    path
        Where to; the ending tells the format, CSV if there is none.

    Raises
    ------
    InputError
        If a row cannot be written in that format.
    OutputError
        If the file cannot be written.
    """
    options = replace(job.options, n_candidates=1)
    added = [*options.added, *_named(options, ANSWER)]
    rows, labels = review.read(table, columns.chunk_size, options.prefix)
    kind, compression = kind_of(path.name)
    delimiter = job.writing.delimiter
    if delimiter is None and kind != "tsv" and isinstance(table, CsvTable):
        delimiter = table.dialect.delimiter if table.format == "csv" else None
    how = Writing(kind or "csv", "utf-8-sig", delimiter, job.writing.excel_safe)
    writer = make_writer(rows, added, options.excess, how)
    with FileOutput(path, writer, rows, compression) as output:
        output.write(writer.head())
        for chunk in rows.chunks(MAX_REVIEWED):
            cells = {name: [label[n] for label in labels] for n, name in enumerate(options.added)}
            ends = writer.labels({**cells, added[-1]: [""] * len(labels)})
            output.write(writer.segment(chunk, ends, first=True))
        output.write(writer.tail())
        output.finish()


def find_targets(sources: Sequence[str], target: str, wanted: str | None) -> list[tuple[str, str]]:
    """Pair files with where their labelled rows go.

    Parameters
    ----------
    sources
        Paths, patterns such as ``ads/*.csv``, directories, or ``-``.
    target
        A path or ``-``; a directory if there are several files.
    wanted
        The format of the outputs; that of the inputs if None.

    Returns
    -------
    list of (source, target)
        In the order of sources; those of a directory or pattern by name.

    Raises
    ------
    InputError
        If there is nothing to label, several files have no directory to go to, two files would go
        to the same, or one would be written over.
    OutputError
        If the directory cannot be made.
    """
    files: list[str] = []
    for source in sources:
        with readable(source):
            files += [source] if source == "-" else _found(source)
    directory = Path(target)
    try:
        is_directory = target.endswith(("/", os.sep)) or directory.is_dir()
        if files == [*sources] and len(files) == 1 and not (is_directory and files[0] != "-"):
            return [(files[0], target)]
        return _into(directory, files, target, wanted)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror})") from error


def _found(source: str) -> list[str]:
    """Return the files that a path, a directory or a pattern stands for."""
    path = Path(source)
    if path.is_dir():
        # hidden files and those that begin with ~$ are what programs leave beside one's own
        own = [p for p in sorted(path.iterdir()) if not p.name.startswith((".", "~$"))]
        found = [str(p) for p in own if kind_of(p.name)[0] and p.is_file()]
        if not found:
            raise InputError(f"{source}: no files in it that can be labelled")
        return found
    if glob.has_magic(source) and not path.exists():
        names = glob.glob(source, recursive=True)  # noqa: PTH207 - patterns may be absolute
        found = sorted(name for name in names if Path(name).is_file())
        if not found:
            raise InputError(f"{source}: no file is called so")
        return found
    return [source]


def _into(
    directory: Path, files: Sequence[str], target: str, wanted: str | None
) -> list[tuple[str, str]]:
    """Pair several files with files of a directory."""
    if target == "-" or (directory.exists() and not directory.is_dir()) or "-" in files:
        raise InputError("several files go to a directory; name one with --output")
    pairs = [(file, str(directory / _renamed(Path(file).name, wanted))) for file in files]
    taken: dict[str, str] = {}
    for file, own in pairs:
        if own in taken:
            raise InputError(f"{taken[own]} and {file} would both be written to {own}")
        if Path(own).exists() and Path(own).samefile(file):
            raise InputError(f"{file}: would be written over; choose another directory")
        taken[own] = file
    directory.mkdir(parents=True, exist_ok=True)
    return pairs


def _renamed(name: str, wanted: str | None) -> str:
    """Return the name of an output: with the ending of its format, if that is another one."""
    kind, compression = kind_of(name)
    if wanted is None or kind == wanted:
        return name
    stem = name
    for _ in range(bool(kind) + bool(compression)):
        stem = Path(stem).stem
    return stem + _ENDING_OF[wanted] + (f".{compression}" if compression else "")


def described(done: Done, usual_names: Mapping[str, Sequence[str]]) -> str:
    """Say how a file was read: which columns, and for CSV how it is written."""
    table, header = done.table, done.table.header
    read = [
        f"{what} from {header[at]!r}" if at < len(header) else what
        for what, at in (("title", done.columns.title), ("description", done.columns.description))
        if at is not None
    ]
    usual = (name for names in usual_names.values() for name in names)
    if isinstance(table, CsvTable) and table.has_header and len(header) == 1:
        known = table.usual_column([*usual]) is not None
        read += [] if known else ["which was taken for the header: -H if it is a title"]
    dialect = getattr(table, "dialect", None)
    how = format_of(table) if dialect is None else dialect.encoding
    return f"{', '.join(read)}; {how}"

"""Rows through the labelling of files: none lost, none changed, whatever the chunks and workers."""

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import JobTitleClassifier, batch, workers
from classifier.errors import InputError, ModelError
from classifier.formats import Writing, make_writer, open_table
from classifier.labels import LABEL_COLUMNS
from classifier.outputs import StreamOutput
from classifier.summary import Summary
from tests.test_regression import TITLES

USUAL = {"title": ["title"], "description": ["description"]}
CELLS = st.one_of(
    st.sampled_from(
        ["Kock", "HR-chef, Solna", '5" rör', "a\nb", "x;y|z\tw", "", " ", "=1+1", "007"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
)


def classify(
    model: JobTitleClassifier, content: bytes, n: int = 1, *, strict: bool = False
) -> tuple[bytes, Summary]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "in.csv"
        path.write_bytes(content)
        target = io.BytesIO()
        with open_table(str(path), [*USUAL["title"], *USUAL["description"]]) as table:
            options = batch.Options(model.policy(), strict=strict)
            columns = batch.find_columns(table, options, USUAL)
            writer = make_writer(table, options.added, options.excess, Writing())
            with StreamOutput(target, writer, table) as output:
                summary, _ = batch.classify(
                    model, table, columns, options, writer, output, workers=n
                )
                output.finish()
        return target.getvalue(), summary


def written(rows: list[list[str]], delimiter: str, newline: str, quoting: int) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS).map(list), min_size=1, max_size=6),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_cells_come_back(
    model: JobTitleClassifier, rows: list[list[str]], delimiter: str, newline: str, quoting: int
) -> None:
    """Whatever the cells hold and however they are quoted, each comes back as it was."""
    table = [["id", "title", "note"], *rows]
    content = written(table, delimiter, newline, quoting)
    found, summary = classify(model, content.encode())
    text = io.StringIO(found.decode(), newline="")
    back = list(csv.reader(text, delimiter=delimiter))
    assert [row[:3] for row in back] == table
    assert {len(row) for row in back} == {3 + len(LABEL_COLUMNS)}
    assert summary.rows == len(rows)


@settings(max_examples=30, deadline=None)
@given(titles=st.lists(CELLS.filter(lambda cell: "\n" not in cell), min_size=1, max_size=6))
def test_a_single_column_comes_back(model: JobTitleClassifier, titles: list[str]) -> None:
    """A file of one column, quoted or not, becomes a table with commas between its cells."""
    content = "title\n" + "".join(f"{title}\n" for title in titles if '"' not in title)
    found, _ = classify(model, content.encode())
    back = list(csv.reader(io.StringIO(found.decode(), newline="")))
    assert [row[0] for row in back[1:]] == [title for title in titles if '"' not in title]


def mixed(encoding: str) -> bytes:
    """Return a file with everything in it: quotes, line breaks, short, long and blank rows."""
    lines = [f'{n};"{row["title"]}"' for n, row in enumerate(TITLES[:60])]
    lines[7:7] = ["7b", '7c;"Kock\nkallskänka"', "7d;Kock;extra", "", '7e;5" rör']
    lines[40:40] = ['40b;"a ""b""\nc\nd"', "40c;HR-chef", "x"]
    return "\n".join(["id;title", *lines, ""]).encode(encoding)


@pytest.mark.filterwarnings("ignore:.*fork")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_chunks_and_workers_change_nothing(
    model: JobTitleClassifier, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """One chunk or many, one process or three: the same bytes, counts and faulty lines."""
    whole, summary = classify(model, mixed(encoding))
    assert [fault.place for fault in summary.faults] == [9, 12, 47]
    assert summary.statuses["error"] == 3
    assert whole.decode(encoding).count("\ufeff") == 0
    for size in (1, 3, 10):
        monkeypatch.setattr(batch, "CHUNK", size)
        for n in (1, 3):
            assert classify(model, mixed(encoding), n) == (whole, summary)


@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_fault_ends_all_workers(
    model: JobTitleClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that must not be faulty is named by line, also when another process meets it."""
    monkeypatch.setattr(batch, "CHUNK", 2)
    content = b"id,title\n" + b"1,Kock\n" * 9 + b'2,"open\n3,Kock\n'
    for n in (1, 2):
        with pytest.raises(InputError, match="line 11: .*not closed"):
            classify(model, content, n, strict=True)


@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_worker_that_dies_is_an_error(
    model: JobTitleClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is killed ends the run with a clear error, not with lost rows."""
    monkeypatch.setattr(batch, "CHUNK", 2)
    monkeypatch.setattr(workers, "_do_share", _die)
    with pytest.raises(ModelError, match="a worker died"):
        classify(model, b"id,title\n" + b"1,Kock\n" * 9, 2)


def _die(*_: object) -> None:
    import os

    os._exit(9)

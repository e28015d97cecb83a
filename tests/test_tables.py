"""CSV files as people have them."""

from pathlib import Path

import pytest

from classifier.dialects import Dialect
from classifier.errors import InputError
from classifier.formats import open_table

USUAL = ["title", "titel", "description"]


def read(path: Path) -> tuple[Dialect, list[str], list[list[str]]]:
    with open_table(str(path), USUAL) as table:
        rows = [cells for chunk in table.chunks(2) for cells in chunk.rows]
        return table.dialect, table.header, rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encoding_delimiter_and_newline_are_found(
    tmp_path: Path, encoding: str, delimiter: str, newline: str
) -> None:
    """Every usual way to write a CSV file is read as what it is."""
    rows = [["id", "titel"], ["1", "Löneadministratör å ä ö"], ["2", "Säljare"]]
    path = tmp_path / "in.csv"
    path.write_bytes(newline.join(delimiter.join(row) for row in rows).encode(encoding))
    dialect, header, cells = read(path)
    assert dialect == Dialect(encoding, delimiter, newline)
    assert [header, *cells] == rows


@pytest.mark.parametrize(
    ("content", "delimiter", "cells"),
    [
        ("title\nSäljare, telefon\nKock; kallskänka\n", None, [["Säljare, telefon"], ["Kock; kallskänka"]]),
        ('title\n"Säljare, telefon"\n', None, [["Säljare, telefon"]]),
        ('id;title\n1;"Kock; ""kall"""\n', ";", [["1", 'Kock; "kall"']]),
        ("id;title\n1;Säljare, butik, kassa, lager\n", ";", [["1", "Säljare, butik, kassa, lager"]]),
        ('id,title\n1,"rad ett\nrad två"\n', ",", [["1", "rad ett\nrad två"]]),
        ("id,title\n1,NA\n2,None\n3,007\n", ",", [["1", "NA"], ["2", "None"], ["3", "007"]]),
        ("id,title\n1\n2,b,c\n\n", ",", [["1"], ["2", "b", "c"], []]),
        ("title,id", ",", []),
    ],
)  # fmt: skip
def test_cells_are_kept(
    tmp_path: Path, content: str, delimiter: str | None, cells: list[list[str]]
) -> None:
    """Delimiters within cells, quotes, line breaks and odd words come through as they are."""
    path = tmp_path / "in.csv"
    path.write_text(content, encoding="utf-8")
    dialect, _, found = read(path)
    assert (dialect.delimiter, found) == (delimiter, cells)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b'"id,title\n1,b\n', "line 1: .*not closed"),
        (b"\nid,title\n1,b\n", "line 1: blank"),
        (b"\x00\x01\x02\x03\x05" * 9, "this is no text"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, content: bytes, said: str) -> None:
    """A file that cannot be read is an error that says where."""
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"in.csv.*{said}"):
        read(path)


def test_a_missing_file_and_a_directory_are_named(tmp_path: Path) -> None:
    """What is no readable file is an error that names it."""
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(InputError, match=str(path)):
            read(path)


def test_columns_are_found_loosely(tmp_path: Path) -> None:
    """Case, spaces, hyphens and underscores do not matter in the name of a column."""
    path = tmp_path / "in.csv"
    path.write_text("ID,Job_Title,Text\n")
    with open_table(str(path)) as table:
        assert table.column("job title") == 1
        assert table.usual_column(["yrke", "jobtitle"]) == 1
        with pytest.raises(InputError, match="there are ID, Job_Title, Text"):
            table.column("befattning")

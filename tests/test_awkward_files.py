"""Files as people have them: each named for what is wrong with it, with exactly what it becomes.

In what is expected, ``«Kock»`` stands for the label of the title Kock, ``«Kock|Du lagar mat.»`` for
that of a posting, ``«columns»`` for the names of the label's columns, and ``«error»`` and ``«empty»``
for the labels of rows that cannot be read and of rows without text.
"""

import csv
import gzip
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from classifier import JobTitleClassifier, classify_command, dialects, excel, json_lines
from classifier.labels import LABEL_COLUMNS, Label
from classifier.sources import zstd
from tests.conftest import Jobtitle


@pytest.fixture(autouse=True)
def in_an_empty_directory(
    model: JobTitleClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work where no other files are, with the model that is loaded already: there are many runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(classify_command, "load_corrected", lambda *_: model)


# --- files of text --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A file that is text, and the text that it becomes.

    Parameters
    ----------
    name
        What is wrong with it.
    file
        What it is called.
    content
        What is in it.
    out
        What comes out, in full.
    faults
        What is said of rows that cannot be read.
    encoding, delimiter
        How the output is written; without a delimiter it is JSON.
    arguments
        What the user says.
    """

    name: str
    file: str
    content: bytes
    out: str
    faults: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str | None = ","
    arguments: tuple[str, ...] = ()


def rows(text: str, *, encoding: str = "utf-8") -> bytes:
    """Return a table of id and title with some rows."""
    return f"id,titel\n{text}".encode(encoding)


LONG = "Kock " * 200_000
NOT_CLOSED = "a quotation mark that is not closed, or not doubled within a cell"

ENCODINGS = [
    Case(
        "swedish_excel_semicolons_cp1252",
        "anställda.csv",
        "Anst.nr;Befattning;Ort\r\n007;Löneadministratör;Malmö\r\n8;Säljare, butik;Åre\r\n".encode(
            "cp1252"
        ),
        "Anst.nr;Befattning;Ort;«columns»\r\n"
        "007;Löneadministratör;Malmö;«Löneadministratör»\r\n"
        "8;Säljare, butik;Åre;«Säljare, butik»\r\n",
        encoding="cp1252",
        delimiter=";",
    ),
    Case(
        "excel_unicode_text_utf16_tabs",
        "anställda.txt",
        'id\tTitel\r\n1\t"Säljare ""ute"""\r\n2\tKöksbiträde\r\n'.encode("utf-16"),
        'id\tTitel\t«columns»\r\n1\t"Säljare ""ute"""\t«Säljare "ute"»\r\n2\tKöksbiträde\t«Köksbiträde»\r\n',
        encoding="utf-16",
        delimiter="\t",
    ),
    Case(
        "utf8_with_a_byte_order_mark",
        "a.csv",
        "\ufefftitel;ort\r\nLönechef;Umeå\r\n".encode(),
        "\ufefftitel;ort;«columns»\r\nLönechef;Umeå;«Lönechef»\r\n",
        delimiter=";",
    ),
    Case(
        "utf16_without_a_byte_order_mark",
        "a.csv",
        rows("1,Lönechef\n2,Kock\n", encoding="utf-16-le"),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n2,Kock,«Kock»\n",
        encoding="utf-16-le",
    ),
    Case(
        "big_endian_utf16_without_a_byte_order_mark",
        "a.csv",
        rows("1,Lönechef\n", encoding="utf-16-be"),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n",
        encoding="utf-16-be",
    ),
    Case(
        "utf16_said_without_a_byte_order_mark",
        "a.csv",
        rows("1,Lönechef\n", encoding="utf-16-le"),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n",
        encoding="utf-16-le",
        arguments=("--encoding", "UTF16"),
    ),
    Case(
        "utf16_with_half_a_smiley",
        "a.csv",
        "id,titel\n1,Kock \ud83d\n2,Lönechef\n".encode("utf-16", "surrogatepass"),
        "id,titel,«columns»\n1,Kock \ud83d,«error»\n2,Lönechef,«Lönechef»\n",
        faults=("line 2: bytes that are not utf-16",),
        encoding="utf-16",
    ),
    Case(
        "utf32",
        "a.csv",
        rows("1,Lönechef\n2,Kock\n", encoding="utf-32"),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n2,Kock,«Kock»\n",
        encoding="utf-32",
    ),
    Case(
        "utf8_cut_off_within_a_character",
        "a.csv",
        rows("1,Lönechef\n2,Städare på ö")[:-1],
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n2,Städare på \udcc3,«error»\n",
        faults=("line 3: bytes that are not utf-8",),
    ),
    Case(
        "utf8_cut_off_and_wanted_in_cp1252",
        "a.csv",
        rows("1,Lönechef\n2,Städare på ö")[:-1],
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n2,Städare på ?,«error»\n",
        faults=("line 3: bytes that are not utf-8",),
        encoding="cp1252",
        arguments=("--output-encoding", "Windows-1252"),
    ),
    Case(
        "two_encodings_glued",
        "a.csv",
        rows("1,Lönechef\n") + "2,Kökschef\n".encode("cp1252"),
        "id,titel,«columns»\n1,LÃ¶nechef,«LÃ¶nechef»\n2,Kökschef,«Kökschef»\n",
        encoding="cp1252",
    ),
    Case(
        "two_encodings_glued_and_said",
        "a.csv",
        rows("1,Lönechef\n") + "2,Kökschef\n".encode("cp1252"),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n2,K\udcf6kschef,«error»\n",
        faults=("line 3: bytes that are not utf-8",),
        arguments=("--encoding", "utf8"),
    ),
    Case(
        "bytes_that_cp1252_has_no_character_for",
        "a.csv",
        b"id,titel\n1,L\xf6nechef\n2,Ko\x81ck\n",
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n2,Ko\udc81ck,«error»\n",
        faults=("line 3: bytes that are not cp1252",),
        encoding="cp1252",
    ),
    Case(
        "dos_encoding_said",
        "a.csv",
        rows("1,Lönechef\n", encoding="cp850"),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n",
        encoding="cp850",
        arguments=("--encoding", "cp850"),
    ),
    Case(
        "nul_bytes",
        "a.csv",
        rows("1,Ko\0ck\n2,Lönechef\n"),
        "id,titel,«columns»\n1,Ko\0ck,«Ko\0ck»\n2,Lönechef,«Lönechef»\n",
    ),
    Case(
        "byte_order_mark_between_files_glued",
        "a.csv",
        rows("1,Kock\n") + "\ufeffid,titel\n2,Lönechef\n".encode(),
        "id,titel,«columns»\n1,Kock,«Kock»\n\ufeffid,titel,«titel»\n2,Lönechef,«Lönechef»\n",
    ),
]

SHAPES = [
    Case(
        "sep_line",
        "a.csv",
        "sep=;\r\nid;titel\r\n1;Säljare, butik\r\n".encode("cp1252"),
        "sep=;\r\nid;titel;«columns»\r\n1;Säljare, butik;«Säljare, butik»\r\n",
        encoding="cp1252",
        delimiter=";",
    ),
    Case(
        "sep_line_in_quotes_with_a_byte_order_mark",
        "a.csv",
        '\ufeff"sep=|"\r\nid|titel\r\n1|Lönechef\r\n'.encode(),
        '\ufeff"sep=|"\r\nid|titel|«columns»\r\n1|Lönechef|«Lönechef»\r\n',
        delimiter="|",
    ),
    Case(
        "sep_line_that_is_wrong",
        "a.csv",
        b"sep=,\nid;titel\n1;Kock, kall\n",
        "id;titel;«columns»\n1;Kock, kall;«Kock, kall»\n",
        delimiter=";",
        arguments=("-d", ";"),
    ),
    Case(
        "sep_line_and_a_faulty_row",
        "a.csv",
        b"sep=;\nid;titel\n1\n2;Kock\n",
        "sep=;\nid;titel;«columns»\n1;;«error»\n2;Kock;«Kock»\n",
        faults=("line 3: too few cells (1 of 2)",),
        delimiter=";",
    ),
    Case(
        "semicolons_in_the_header_commas_in_titles",
        "a.csv",
        "id;titel\n1;Säljare, butik, kassa\n2;Kock, kall, varm\n".encode(),
        "id;titel;«columns»\n"
        "1;Säljare, butik, kassa;«Säljare, butik, kassa»\n"
        "2;Kock, kall, varm;«Kock, kall, varm»\n",
        delimiter=";",
    ),
    Case(
        "decimal_commas",
        "a.csv",
        "titel;lön;grad\nKock;31,5;0,75\nLönechef;45,0;1,0\n".encode(),
        "titel;lön;grad;«columns»\nKock;31,5;0,75;«Kock»\nLönechef;45,0;1,0;«Lönechef»\n",
        delimiter=";",
    ),
    Case(
        "single_column_with_commas_in_titles",
        "titlar.txt",
        'titel\nSäljare, butik\nKock\n"Städare, natt"\n'.encode(),
        "titel,«columns»\n"
        '"Säljare, butik",«Säljare, butik»\nKock,«Kock»\n"Städare, natt",«Städare, natt»\n',
    ),
    Case(
        "tabs_in_a_txt",
        "a.txt",
        b"id\ttitel\n1\tKock, kall\n",
        "id\ttitel\t«columns»\n1\tKock, kall\t«Kock, kall»\n",
        delimiter="\t",
    ),
    Case(
        "tsv_without_a_tab",
        "a.tsv",
        b"id;titel\n1;Kock, kall\n",
        "id;titel;«columns»\n1;Kock, kall;«Kock, kall»\n",
        delimiter=";",
    ),
    Case(
        "bars",
        "a.csv",
        b"id|titel\n1|Kock, kall; varm\n",
        "id|titel|«columns»\n1|Kock, kall; varm|«Kock, kall; varm»\n",
        delimiter="|",
    ),
    Case(
        "a_delimiter_of_ones_own",
        "a.csv",
        b"id~titel\n1~Kock\n",
        "id~titel~«columns»\n1~Kock~«Kock»\n",
        delimiter="~",
        arguments=("-d", "~"),
    ),
    Case(
        "header_with_one_delimiter_too_many",
        "a.csv",
        b"id;titel;\n1;Kock;\n",
        "id;titel;;«columns»\n1;Kock;;«Kock»\n",
        delimiter=";",
    ),
    Case(
        "rows_with_one_delimiter_too_many",
        "a.csv",
        b"id;titel\n1;Kock;\n2;Barista\n",
        "id;titel;«columns»\n1;Kock;«error»;\n2;Barista;«Barista»\n",
        faults=("line 2: too many cells (3 of 2)",),
        delimiter=";",
    ),
    Case(
        "short_and_long_rows",
        "a.csv",
        rows("1\n2,Kock,extra,mer\n3,Kock\n"),
        "id,titel,«columns»\n1,,«error»\n2,Kock,«error»,extra,mer\n3,Kock,«Kock»\n",
        faults=("line 2: too few cells (1 of 2)", "line 3: too many cells (4 of 2)"),
    ),
    Case(
        "blank_lines_between_rows",
        "a.csv",
        rows("\n1,Kock\n\n\n2,Barista\n\n"),
        "id,titel,«columns»\n,,«empty»\n1,Kock,«Kock»\n,,«empty»\n,,«empty»\n2,Barista,«Barista»\n,,«empty»\n",
    ),
    Case(
        "rows_of_delimiters_only",
        "a.csv",
        rows("1,Kock\n,\n"),
        "id,titel,«columns»\n1,Kock,«Kock»\n,,«empty»\n",
    ),
    Case("header_only", "a.csv", b"id,titel\n", "id,titel,«columns»\n"),
    Case("header_only_without_its_line_end", "a.csv", b"id,titel", "id,titel,«columns»\n"),
    Case(
        "last_row_without_its_line_end",
        "a.csv",
        rows("1,Kock"),
        "id,titel,«columns»\n1,Kock,«Kock»\n",
    ),
    Case(
        "no_header",
        "a.csv",
        "1;Lönechef\n2;Kock\n".encode(),
        "1;Lönechef;«Lönechef»\n2;Kock;«Kock»\n",
        delimiter=";",
        arguments=("-H", "--title", "2"),
    ),
    Case(
        "no_header_and_a_single_column",
        "a.txt",
        "Lönechef\nKock, kall\n".encode(),
        'Lönechef,«Lönechef»\n"Kock, kall",«Kock, kall»\n',
        arguments=("-H",),
    ),
    Case(
        "mac_line_ends",
        "a.csv",
        b"id,titel\r1,Kock\r2,Barista\r",
        "id,titel,«columns»\r1,Kock,«Kock»\r2,Barista,«Barista»\r",
    ),
    Case(
        "mixed_line_ends",
        "a.csv",
        b"id,titel\r\n1,Kock\n2,Barista\r3,Kock\r\n",
        "id,titel,«columns»\r\n1,Kock,«Kock»\r\n2,Barista,«Barista»\r\n3,Kock,«Kock»\r\n",
    ),
    Case(
        "windows_line_end_within_a_cell_only",
        "a.csv",
        b'id,titel\n1,"Kock\r\nkall"\n',
        'id,titel,«columns»\n1,"Kock\r\nkall",«Kock\r\nkall»\n',
    ),
    Case(
        "odd_characters_that_end_no_line",
        "a.csv",
        rows("1,Kock\x0bkall\n2,Kock\x85kall\n3,Kock\u2028kall\n"),
        "id,titel,«columns»\n1,Kock\x0bkall,«Kock\x0bkall»\n2,Kock\x85kall,«Kock\x85kall»\n3,Kock\u2028kall,«Kock\u2028kall»\n",
    ),
]  # fmt: skip

QUOTES = [
    Case(
        "quotes_inside_cells",
        "a.csv",
        rows('1,5" rör\n2,"5"" rör"\n3,Kock\n'),
        'id,titel,«columns»\n1,5" rör,«5" rör»\n2,"5"" rör",«5" rör»\n3,Kock,«Kock»\n',
    ),
    Case(
        "quote_not_doubled_within_a_cell",
        "a.csv",
        rows('1,"5" rör"\n2,Kock\n'),
        'id,titel,«columns»\n"1,""5"" rör""",,«error»\n2,Kock,«Kock»\n',
        faults=(f"line 2: {NOT_CLOSED}",),
    ),
    Case(
        "quote_never_closed",
        "a.csv",
        rows('1,"Kock\n2,Lönechef\n3,Barista\n'),
        'id,titel,«columns»\n"1,""Kock",,«error»\n2,Lönechef,«Lönechef»\n3,Barista,«Barista»\n',
        faults=(f"line 2: {NOT_CLOSED}",),
    ),
    Case(
        "quote_never_closed_in_the_last_row",
        "a.csv",
        rows('1,Kock\n2,"Barista'),
        'id,titel,«columns»\n1,Kock,«Kock»\n"2,""Barista",,«error»\n',
        faults=(f"line 3: {NOT_CLOSED}",),
    ),
    Case(
        "quote_closed_by_the_next_rows_quote",
        "a.csv",
        rows('1,"Kock\n2,"Lönechef"\n3,Barista\n'),
        'id,titel,«columns»\n"1,""Kock",,«error»\n2,"Lönechef",«Lönechef»\n3,Barista,«Barista»\n',
        faults=(f"line 2: {NOT_CLOSED}",),
    ),
    Case(
        "quote_closed_after_a_whole_row",
        "a.csv",
        rows('1,"Kock\n2,Lönechef\n3,Säljare",butik\n4,Barista\n'),
        'id,titel,«columns»\n"1,""Kock",,«error»\n2,Lönechef,«Lönechef»\n3,"Säljare""",«error»,butik\n4,Barista,«Barista»\n',
        faults=(f"line 2: {NOT_CLOSED}", "line 4: too many cells (3 of 2)"),
    ),
    Case(
        "backslashes_before_quotes",
        "a.csv",
        rows('1,"Kock \\"kall\\""\n2,Barista\n'),
        'id,titel,«columns»\n"1,""Kock \\""kall\\""""",,«error»\n2,Barista,«Barista»\n',
        faults=(f"line 2: {NOT_CLOSED}",),
    ),
    Case(
        "rows_that_are_a_single_cell_each",
        "a.csv",
        b'id,titel\n"1,""Kock, kall"""\n2,Barista\n',
        'id,titel,«columns»\n"1,""Kock, kall""",,«error»\n2,Barista,«Barista»\n',
        faults=("line 2: too few cells (1 of 2)",),
    ),
    Case(
        "line_breaks_within_cells",
        "a.csv",
        rows('1,"Kock\nkallskänka"\n2\n3,"a\n\nb"\n4\n'),
        'id,titel,«columns»\n1,"Kock\nkallskänka",«Kock\nkallskänka»\n2,,«error»\n3,"a\n\nb",«a\n\nb»\n4,,«error»\n',
        faults=("line 4: too few cells (1 of 2)", "line 8: too few cells (1 of 2)"),
    ),
    Case(
        "a_cell_of_a_million_characters",
        "a.csv",
        rows(f"1,{LONG}\n2,Kock\n"),
        f"id,titel,«columns»\n1,{LONG},«{LONG}»\n2,Kock,«Kock»\n",
    ),
    Case(
        "formulas_made_harmless",
        "a.csv",
        rows('=1,Kock\n+46-8,Barista\n-5,"=HYPERLINK(""http://x"")"\n@a,Kock\n'),
        "id,titel,«columns»\n'=1,Kock,«Kock»\n'+46-8,Barista,«Barista»\n"
        '-5,"\'=HYPERLINK(""http://x"")",«=HYPERLINK("http://x")»\n'
        "'@a,Kock,«Kock»\n",
        arguments=("--excel-safe",),
    ),
]  # fmt: skip

COLUMNS = [
    *(
        Case(
            f"title_called_{how}",
            "a.csv",
            f"id;{name};ort\n1;Lönechef;Åre\n".encode(),
            f"id;{name};ort;«columns»\n1;Lönechef;Åre;«Lönechef»\n",
            delimiter=";",
        )
        for how, name in {
            "befattning": "Befattning",
            "yrkesbenamning_in_capitals": "YRKESBENÄMNING",
            "tjanst": "Tjänst",
            "tjanst_with_dots_of_their_own": "Tja\u0308nst",
            "rubrik_in_no_break_spaces": "\u00a0Rubrik\u00a0",
            "job_title_with_a_low_line": "Job_Title",
        }.items()
    ),
    *(
        Case(
            f"description_called_{name.casefold()}",
            "a.csv",
            f"id;Roll;{name}\n1;Konsult;Du ansvarar för löner.\n".encode(),
            f"id;Roll;{name};«columns»\n"
            "1;Konsult;Du ansvarar för löner.;«Konsult|Du ansvarar för löner.»\n",
            delimiter=";",
        )
        for name in ("Annonstext", "Arbetsuppgifter")
    ),
    Case(
        "title_with_a_line_break_in_its_name",
        "a.csv",
        b'id;"Job\ntitle"\r\n1;Kock\r\n',
        'id;"Job\ntitle";«columns»\r\n1;Kock;«Kock»\r\n',
        delimiter=";",
    ),
    Case(
        "duplicate_column_names",
        "a.csv",
        "titel,titel,x,x\nKock,Lönechef,1,2\n".encode(),
        "titel,titel,x,x,«columns»\nKock,Lönechef,1,2,«Kock»\n",
    ),
    Case(
        "blank_column_names",
        "a.csv",
        b"id,,titel,\n1,x,Kock,y\n",
        "id,,titel,,«columns»\n1,x,Kock,y,«Kock»\n",
    ),
]  # fmt: skip

JSON = [
    Case(
        "json_lines_named_json",
        "a.json",
        '{"title":"Kock","n":1.50}\n{"title":"Lönechef"}\n'.encode(),
        '{"title":"Kock","n":1.50, «Kock»}\n{"title":"Lönechef", «Lönechef»}\n',
        delimiter=None,
    ),
    Case(
        "json_lines_named_csv",
        "a.csv",
        b'{"title":"Kock, kall"}\n{"title":"Barista"}\n',
        '{"title":"Kock, kall", «Kock, kall»}\n{"title":"Barista", «Barista»}\n',
        delimiter=None,
    ),
    Case(
        "json_lines_with_a_byte_order_mark",
        "a.jsonl",
        '\ufeff{"title":"Lönechef"}\r\n\r\n{}\r\n'.encode(),
        '{"title":"Lönechef", «Lönechef»}\n{«empty»}\n',
        delimiter=None,
    ),
    Case(
        "json_lines_in_utf16",
        "a.jsonl",
        '{"title":"Lönechef"}\n{"title":"Kock"}\n'.encode("utf-16"),
        '{"title":"Lönechef", «Lönechef»}\n{"title":"Kock", «Kock»}\n',
        delimiter=None,
    ),
    Case(
        "json_lines_broken",
        "a.jsonl",
        '{"title":"Kock"}\n{"title":"Löne\n[1,2]\n"x"\n\n{"title":"Barista"}\n{"ti'.encode(),
        '{"title":"Kock", «Kock»}\n'
        '{"broken": "{\\"title\\":\\"Löne", «error»}\n'
        '{"broken": "[1,2]", «error»}\n'
        '{"broken": "\\"x\\"", «error»}\n'
        '{"title":"Barista", «Barista»}\n'
        '{"broken": "{\\"ti", «error»}\n',
        faults=tuple(f"line {n}: no JSON object" for n in (2, 3, 4, 7)),
        delimiter=None,
    ),
    Case(
        "json_lines_with_bytes_of_no_character",
        "a.jsonl",
        b'{"title":"L\xf6nechef"}\n{"title":"Ko\x81ck"}\n',
        '{"title":"Lönechef", «Lönechef»}\n{"broken": "{\\"title\\":\\"Ko\\udc81ck\\"}", «error»}\n',
        faults=("line 2: bytes that stand for no character",),
        delimiter=None,
    ),
    Case(
        "json_lines_with_nan_and_huge_numbers",
        "a.jsonl",
        b'{"title":"Kock","a":NaN,"b":-Infinity,"c":1e999,"d":123456789012345678901234567890}\n',
        '{"title":"Kock","a":NaN,"b":-Infinity,"c":1e999,"d":123456789012345678901234567890, «Kock»}\n',
        delimiter=None,
    ),
    Case(
        "json_lines_with_nan_and_huge_numbers_as_csv",
        "a.jsonl",
        b'{"title":"Kock","a":NaN,"b":-Infinity,"c":1e999,"d":123456789012345678901234567890}\n',
        "title,a,b,c,d,«columns»\nKock,NaN,-Infinity,1e999,123456789012345678901234567890,«Kock»\n",
        arguments=("--output-format", "csv"),
    ),
    Case(
        "json_lines_with_line_ends_in_strings_as_csv",
        "a.jsonl",
        b'{"id":1,"title":"Kock\\rkall"}\n{"id":2,"title":"a\\nb"}\n{"title":"x","ny":[1,{"a":null}]}\n',
        'id,title,ny,«columns»\n1,"Kock\rkall",,«Kock\rkall»\n2,"a\nb",,«a\nb»\n,x,"[1, {""a"": null}]",«x»\n',
        arguments=("--output-format", "csv"),
    ),
    Case(
        "json_lines_with_titles_that_are_no_text",
        "a.jsonl",
        b'{"title":["Kock","Barista"]}\n{"title":{"name":"Kock"}}\n{"title":null}\n{"title":true}\n',
        '{"title":["Kock","Barista"], «Kock\nBarista»}\n{"title":{"name":"Kock"}, «Kock»}\n'
        '{"title":null, «empty»}\n{"title":true, «empty»}\n',
        delimiter=None,
    ),
    Case(
        "json_lines_nested_too_deeply",
        "a.jsonl",
        b'{"title":"Kock"}\n{"title":"Kock","x":' + b"[" * 300 + b"]" * 300 + b"}\n",
        '{"title":"Kock", «Kock»}\n'
        f'{{"broken": "{{\\"title\\":\\"Kock\\",\\"x\\":{"[" * 300}{"]" * 300}}}", «error»}}\n',
        faults=("line 2: no JSON object",),
        delimiter=None,
    ),
    Case(
        "json_lines_of_lists",
        "a.jsonl",
        b'[{"title":"Kock"},{"title":"Barista"}]\n[{"title":"Kock"},7]\n',
        '{"title": "Kock", «Kock»}\n{"title": "Barista", «Barista»}\n{"title": "Kock", «Kock»}\n{"broken": "7", «error»}\n',
        faults=("line 2: no JSON object",),
        delimiter=None,
    ),
    Case(
        "json_array_on_one_line",
        "a.json",
        '[{"title":"Lönechef","a":1.50},{"title":"Kock"}]'.encode(),
        '[\n{"title": "Lönechef", "a": 1.50, «Lönechef»},\n{"title": "Kock", «Kock»}\n]\n',
        delimiter=None,
    ),
    Case(
        "json_array_named_jsonl",
        "a.jsonl",
        b'[\n  {"title": "Kock"},\n  {"title": "Barista"}\n]\n',
        '[\n{"title": "Kock", «Kock»},\n{"title": "Barista", «Barista»}\n]\n',
        delimiter=None,
    ),
    Case(
        "json_array_in_cp1252",
        "a.json",
        '[\n{"title":"Lönechef"}\n]'.encode("cp1252"),
        '[\n{"title": "Lönechef", «Lönechef»}\n]\n',
        delimiter=None,
    ),
    Case(
        "json_array_with_members_that_are_no_rows",
        "a.json",
        b'[{"title":"Kock"},null,"x",{"title":"Barista"}]',
        '[\n{"title": "Kock", «Kock»},\n{"broken": "null", «error»},\n{"broken": "\\"x\\"", «error»},\n{"title": "Barista", «Barista»}\n]\n',
        faults=("object 2: no JSON object", "object 3: no JSON object"),
        delimiter=None,
    ),
    Case(
        "json_rows_that_hold_lists_of_objects",
        "a.json",
        b'[{"name":"Kock","orter":[{"ort":"Lund"},{"ort":"Kiruna"}]}]',
        '[\n{"name": "Kock", "orter": [{"ort": "Lund"}, {"ort": "Kiruna"}], «Kock»}\n]\n',
        delimiter=None,
        arguments=("--title", "name"),
    ),
    Case(
        "json_nested_description",
        "a.json",
        '{"total":{"value":1},"hits":[{"headline":"Konsult","description":{"text":"Du ansvarar för löner.","text_formatted":null}}]}'.encode(),
        '[\n{"headline": "Konsult", "description": {"text": "Du ansvarar för löner.", "text_formatted": null}, '
        "«Konsult|Du ansvarar för löner.»}\n]\n",
        delimiter=None,
    ),
    Case(
        "json_title_deep_within",
        "a.jsonl",
        b'{"job":{"name":"Kock"}}\n{"job":null}\n{"job":["Kock"]}\n',
        '{"job":{"name":"Kock"}, «Kock»}\n{"job":null, «empty»}\n{"job":["Kock"], «empty»}\n',
        delimiter=None,
        arguments=("--title", "job.name"),
    ),
    Case(
        "json_title_within_what_is_no_object",
        "a.jsonl",
        b'{"job":null}\n{"job":"Kock"}\n',
        '{"job":null, «empty»}\n{"job":"Kock", «empty»}\n',
        delimiter=None,
        arguments=("--title", "job.name"),
    ),
    Case(
        "json_posting_alone",
        "a.jsonld",
        b'{"@context":"https://schema.org/","@type":"JobPosting","title":"Kock","description":"<p>Du lagar mat.</p>"}',
        '[\n{"@context": "https://schema.org/", "@type": "JobPosting", "title": "Kock", "description": "<p>Du lagar mat.</p>", '
        "«Kock|Du lagar mat.»}\n]\n",
        delimiter=None,
    ),
    Case(
        "json_graph_of_postings_with_html",
        "a.json",
        json.dumps(
            {
                "@context": "https://schema.org",
                "@graph": [
                    {"@type": "Organization", "name": "Bolaget"},
                    {"@type": "JobPosting", "title": "Kock", "description": "<p>Du lagar <b>mat</b> &amp; bakar.</p>"},
                    {"@type": ["Thing", "schema:JobPosting"], "title": "Barista"},
                ],
            }
        ).encode(),
        '[\n{"@type": "JobPosting", "title": "Kock", "description": "<p>Du lagar <b>mat</b> &amp; bakar.</p>", «Kock|<p>Du lagar <b>mat</b> &amp; bakar.</p>»},\n'
        '{"@type": ["Thing", "schema:JobPosting"], "title": "Barista", «Barista|»}\n]\n',
        delimiter=None,
    ),
    Case(
        "json_half_a_smiley",
        "a.jsonl",
        b'{"title":"Kock \\ud83d"}\n{"title":"\\ud83d\\ude00 Kock"}\n',
        "title,«columns»\nKock \ufffd,«Kock \ufffd»\n\U0001f600 Kock,«\U0001f600 Kock»\n",
        arguments=("--output-format", "csv"),
    ),
]  # fmt: skip

ARCHIVES = [
    Case(
        "gzip_named_csv",
        "a.csv",
        gzip.compress(rows("1,Lönechef\n")),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n",
    ),
    Case(
        "csv_named_gz",
        "a.csv.gz",
        rows("1,Lönechef\n"),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n",
    ),
    Case(
        "zstandard_named_gz",
        "a.csv.gz",
        zstd.compress(rows("1,Lönechef\n")),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n",
    ),
    Case(
        "gzip_of_several_files_glued_and_padded",
        "a.csv.gz",
        gzip.compress(rows("1,Lönechef\n")) + gzip.compress(b"2,Kock\n") + bytes(100),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n2,Kock,«Kock»\n",
    ),
    Case(
        "csv_named_xlsx",
        "a.xlsx",
        rows("1,Lönechef\n", encoding="cp1252"),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n",
        encoding="cp1252",
    ),
    Case(
        "csv_named_parquet",
        "a.parquet",
        rows("1,Lönechef\n"),
        "id,titel,«columns»\n1,Lönechef,«Lönechef»\n",
    ),
    Case(
        "csv_without_an_ending",
        "export",
        b"Yrke;Ort\nKock;Lund\n",
        "Yrke;Ort;«columns»\nKock;Lund;«Kock»\n",
        delimiter=";",
    ),
]
CASES = [*ENCODINGS, *SHAPES, *QUOTES, *COLUMNS, *JSON, *ARCHIVES]


def named(case: Any) -> str:
    return str(case.name)


def rendered(case: Case, model: JobTitleClassifier) -> bytes:
    """Return what a case shall become, as bytes."""

    def label(found: re.Match[str]) -> str:
        cells = label_cells(found[1], model)
        if case.delimiter is None:
            pairs = zip(LABEL_COLUMNS, cells, strict=True)
            return ", ".join(f'"{name}": {_as_json(name, cell)}' for name, cell in pairs)
        return case.delimiter.join(cells)

    text = re.sub("«(.*?)»", label, case.out, flags=re.DOTALL)
    errors = "surrogatepass" if case.encoding.startswith("utf-16") else "surrogateescape"
    return text.encode(case.encoding, errors)


def label_cells(text: str, model: JobTitleClassifier) -> list[str]:
    """Return the cells of a label as a CSV file has them, by what stands between « and »."""
    if text == "columns":
        return list(LABEL_COLUMNS)
    if text == "error":
        return ["error", *[""] * (len(LABEL_COLUMNS) - 1)]
    title, bar, description = ("", "", "") if text == "empty" else text.partition("|")
    (found,) = model.predict([title], [description] if bar else None)
    return list(map(_as_cell, label_values(found)))


def label_values(found: Label) -> list[Any]:
    return [getattr(found, name) for name in LABEL_COLUMNS]


def _as_cell(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else value or ""


def _as_json(name: str, cell: str) -> str:
    return "null" if not cell else cell if name.endswith("confidence") else f'"{cell}"'


@pytest.mark.parametrize("case", CASES, ids=named)
def test_each_becomes_exactly_this(
    jobtitle: Jobtitle, model: JobTitleClassifier, case: Case
) -> None:
    """What comes out is right to the byte, and each row that cannot be read is named by its line."""
    Path(case.file).write_bytes(case.content)
    run = jobtitle("classify", case.file, "-o", "out", *case.arguments)
    assert run.code == 0, run.err
    assert Path("out").read_bytes() == rendered(case, model)
    said = run.err.splitlines()
    assert tuple(s for s in said if s.startswith(f"{case.file}, ")) == tuple(
        f"{case.file}, {fault}" for fault in case.faults
    )
    assert sorted(path.name for path in Path().iterdir()) == sorted([case.file, "out"])


@pytest.mark.parametrize("case", [case for case in CASES if case.faults], ids=named)
def test_each_faulty_row_ends_a_strict_run(jobtitle: Jobtitle, case: Case) -> None:
    """With --strict the first faulty row is an error of one line, and the old output stays."""
    Path(case.file).write_bytes(case.content)
    Path("out").write_bytes(b"old")
    run = jobtitle("classify", case.file, "-o", "out", "--strict", *case.arguments)
    assert (run.code, run.err) == (1, f"jobtitle: {case.file}, {case.faults[0]}\n")
    assert Path("out").read_bytes() == b"old"
    assert sorted(path.name for path in Path().iterdir()) == sorted([case.file, "out"])


# --- workbooks and Parquet ------------------------------------------------------------------------


@dataclass(frozen=True)
class CellCase:
    """A file that is no text, and the cells that it becomes.

    Parameters
    ----------
    name
        What is wrong with it.
    file
        What it is called; the output has the same ending.
    content
        What is in it.
    cells
        The cells that come out, row by row; the last of each is the label.
    arguments
        What the user says.
    """

    name: str
    file: str
    content: bytes
    cells: list[list[Any]]
    arguments: tuple[str, ...] = ()
    out: str = "out.xlsx"


def workbook(fill: Callable[[openpyxl.Workbook], object]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def sheet(*rows: Sequence[Any], at: tuple[int, int] = (1, 1)) -> bytes:
    """Return a workbook with a table whose first cell is at a row and column."""

    def fill(book: openpyxl.Workbook) -> None:
        for n, cells in enumerate(rows, at[0]):
            for m, value in enumerate(cells, at[1]):
                if value is not None:
                    book.active.cell(n, m, value)  # type: ignore[union-attr]

    return workbook(fill)


def with_sheets(**sheets: list[list[Any]]) -> bytes:
    def fill(book: openpyxl.Workbook) -> None:
        book.remove(book.active)  # type: ignore[arg-type]
        for name, rows in sheets.items():
            own = book.create_sheet(name)
            for cells in rows:
                own.append(cells)

    return workbook(fill)


def merged() -> bytes:
    def fill(book: openpyxl.Workbook) -> None:
        own: Any = book.active
        for cells in (
            ["avd", "titel"],
            ["Kök", "Kock"],
            [None, "Kallskänka"],
            [],
            ["Lön", "Lönechef"],
        ):
            own.append(cells)
        own.merge_cells("A2:A3")

    return workbook(fill)


def replaced(content: bytes, part: str, data: bytes) -> bytes:
    """Return a zip archive with another part of that name."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name == part else old.read(name))
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
TABLE = (["id", "titel"], [1, "Kock"], [2, "Lönechef"])
TYPES = (
    ["titel", "from", "kl", "tid", "fast", "lön", "nr"],
    ["Kock", datetime(2024, 1, 31, 13, 5), time(8, 30), timedelta(hours=38, minutes=15), True, 31.5, "007"],
    ["Lönechef", date(2024, 2, 1), None, None, False, 1e20, -1],
)  # fmt: skip
# openpyxl keeps no results of formulas; Excel does
CALCULATED = b"""<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>titel</t></is></c></row>
<row r="2"><c r="A2"><f>40+2</f><v>42</v></c><c r="B2" t="str"><f>"Ko"&amp;"ck"</f><v>Kock</v></c></row>
</sheetData></worksheet>"""


def table_file(**columns: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


NESTED = [{"ort": "Åre", "km": [1, None]}, None]
CELL_CASES = [
    CellCase(
        "workbook_named_csv",
        "a.csv",
        sheet(*TABLE),
        [["id", "titel", "«columns»"], [1, "Kock", "«Kock»"], [2, "Lönechef", "«Lönechef»"]],
    ),
    CellCase(
        "workbook_within_gzip",
        "a.xlsx.gz",
        gzip.compress(sheet(*TABLE)),
        [["id", "titel", "«columns»"], [1, "Kock", "«Kock»"], [2, "Lönechef", "«Lönechef»"]],
    ),
    CellCase(
        "workbook_with_an_empty_first_sheet",
        "a.xlsx",
        with_sheets(Omslag=[], Annonser=[["titel"], ["Kock"]]),
        [["titel", "«columns»"], ["Kock", "«Kock»"]],
    ),
    CellCase(
        "workbook_with_the_table_on_another_sheet",
        "a.xlsx",
        with_sheets(Läsmig=[["Så här gör du"]], Annonser=[["titel"], ["Kock"]]),
        [["titel", "«columns»"], ["Kock", "«Kock»"]],
        arguments=("--sheet", "Annonser"),
    ),
    CellCase(
        "workbook_with_a_table_not_at_a1",
        "a.xlsx",
        sheet(*TABLE, at=(4, 3)),
        [
            [None, None, "id", "titel", "«columns»"],
            [None, None, 1, "Kock", "«Kock»"],
            [None, None, 2, "Lönechef", "«Lönechef»"],
        ],
    ),
    CellCase(
        "workbook_with_merged_cells_and_blank_rows",
        "a.xlsx",
        merged(),
        [
            ["avd", "titel", "«columns»"],
            ["Kök", "Kock", "«Kock»"],
            [None, "Kallskänka", "«Kallskänka»"],
            [None, None, "«empty»"],
            ["Lön", "Lönechef", "«Lönechef»"],
        ],
    ),
    CellCase(
        "workbook_with_dates_truth_values_and_numbers",
        "a.xlsx",
        sheet(*TYPES),
        [
            [*TYPES[0], "«columns»"],
            [*TYPES[1], "«Kock»"],
            ["Lönechef", datetime(2024, 2, 1), None, None, False, 1e20, -1, "«Lönechef»"],
        ],
    ),
    CellCase(
        "workbook_with_dates_truth_values_and_numbers_as_csv",
        "a.xlsx",
        sheet(*TYPES),
        [
            [*TYPES[0], "«columns»"],
            ["Kock", "2024-01-31T13:05:00", "08:30:00", "38:15:00", "TRUE", "31.5", "007", "«Kock»"],
            ["Lönechef", "2024-02-01", "", "", "FALSE", "1e+20", "-1", "«Lönechef»"],
        ],
        out="out.csv",
    ),
    CellCase(
        "workbook_with_titles_that_are_no_text",
        "a.xlsx",
        sheet(["id", "titel"], [1, 5], [2, True], [3, None], [4, date(2024, 2, 1)]),
        [
            ["id", "titel", "«columns»"],
            ["1", "5", "«5»"],
            ["2", "TRUE", "«TRUE»"],
            ["3", "", "«empty»"],
            ["4", "2024-02-01", "«2024-02-01»"],
        ],
        out="out.csv",
    ),
    CellCase(
        "workbook_with_formulas",
        "a.xlsx",
        replaced(sheet(["x"]), SHEET, CALCULATED),
        [["id", "titel", "«columns»"], [42, "Kock", "«Kock»"]],
    ),
    CellCase(
        "workbook_with_duplicate_and_blank_column_names",
        "a.xlsx",
        sheet(["titel", "titel", None, "x"], ["Kock", "Lönechef", 3, 4]),
        [["titel", "titel", None, "x", "«columns»"], ["Kock", "Lönechef", 3, 4, "«Kock»"]],
    ),
    CellCase(
        "csv_with_faulty_rows_as_workbook",
        "a.csv",
        b'id;titel\n1;Kock;x;y\n2\n"3;Kock\n=1+1;Kock\n',
        [
            ["id", "titel", "«columns»"],
            ["1", "Kock", "«error»", "x", "y"],
            ["2", None, "«error»"],
            ['"3;Kock', None, "«error»"],
            ["=1+1", "Kock", "«Kock»"],
        ],
    ),
    CellCase(
        "parquet_of_numbers_and_nested_columns",
        "a.parquet",
        table_file(title=pa.array([1, None], pa.int32()), plats=NESTED),
        [["title", "plats", "«columns»"], [1, NESTED[0], "«1»"], [None, None, "«empty»"]],
        out="out.parquet",
    ),
    CellCase(
        "parquet_of_numbers_and_nested_columns_as_csv",
        "a.parquet",
        table_file(title=["Kock", None], plats=NESTED),
        [["title", "plats", "«columns»"], ["Kock", '{"ort": "Åre", "km": [1, null]}', "«Kock»"], ["", "", "«empty»"]],
        out="out.csv",
    ),
    CellCase(
        "parquet_with_text_as_bytes",
        "a.parquet",
        table_file(title=["Lönechef".encode(), b"Kock"]),
        [["title", "«columns»"], ["Lönechef", "«Lönechef»"], ["Kock", "«Kock»"]],
        out="out.csv",
    ),
    CellCase(
        "parquet_named_csv",
        "a.csv",
        table_file(title=["Kock"], n=[1.5]),
        [["title", "n", "«columns»"], ["Kock", 1.5, "«Kock»"]],
        out="out.parquet",
    ),
    CellCase(
        "parquet_without_rows",
        "a.parquet",
        table_file(title=pa.array([], pa.string())),
        [["title", "«columns»"]],
        out="out.parquet",
    ),
]  # fmt: skip


def read_cells(path: Path) -> list[list[Any]]:
    """Read an output with the library that people would read it with."""
    if path.suffix == ".xlsx":
        return [list(cells) for cells in openpyxl.load_workbook(path).active.values]  # type: ignore[union-attr]
    if path.suffix == ".parquet":
        found = parquet.ParquetFile(path).read()
        columns = [column.to_pylist() for column in found.columns]
        return [found.column_names, *map(list, zip(*columns, strict=True))]
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))


def filled_in(cells: list[Any], model: JobTitleClassifier, *, typed: bool) -> list[Any]:
    """Return the cells of a row with those of its label."""
    own: list[Any] = []
    for cell in cells:
        if not (isinstance(cell, str) and cell.startswith("«")):
            own.append(cell)
        elif cell == "«columns»" or not typed:
            own += label_cells(cell[1:-1], model)
        else:
            *texts, a, b, c = (value or None for value in label_cells(cell[1:-1], model))
            own += [*texts, *(value and float(value) for value in (a, b, c))]
    return own


@pytest.mark.parametrize("case", CELL_CASES, ids=named)
def test_each_becomes_exactly_these_cells(
    jobtitle: Jobtitle, model: JobTitleClassifier, case: CellCase
) -> None:
    """What comes out of workbooks and Parquet has the right values, each of the right type."""
    Path(case.file).write_bytes(case.content)
    run = jobtitle("classify", case.file, "-o", case.out, *case.arguments)
    assert run.code == 0, run.err
    typed = not case.out.endswith("csv")
    wanted = [filled_in(cells, model, typed=typed) for cells in case.cells]
    width = max(map(len, wanted))
    found = read_cells(Path(case.out))
    assert list(map(repr, found)) == [repr(own + [None] * (width - len(own))) for own in wanted]
    assert sorted(path.name for path in Path().iterdir()) == sorted([case.file, case.out])


# --- what is refused ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refused:
    """A file that cannot be labelled, and what is said of it.

    Parameters
    ----------
    name
        What is wrong with it.
    file
        What it is called.
    content
        What is in it.
    said
        What is said after the name of the file.
    arguments
        What the user says.
    """

    name: str
    file: str
    content: bytes
    said: str
    arguments: tuple[str, ...] = ()


def archive(**parts: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name.replace("__", "/").replace("_", "."), text)
    return file.getvalue()


def damaged(packed: bytes) -> bytes:
    """Return an archive whose checksum is wrong."""
    return packed[:-8] + struct.pack("<L", zlib.crc32(b"else")) + packed[-4:]


OLE = bytes.fromhex("d0cf11e0a1b11ae1")
NO_TEXT = ": this is no text; say what it is with --format or --encoding"
NO_WORKBOOK = ": a zip archive, but no Excel workbook; unpack it, or save its table as .xlsx"
WEB_PAGE = ": a web page or XML, whatever it is called; open it in Excel and save it as .xlsx"
OLD_EXCEL = ": an old Excel file, or one with a password; save it as .xlsx without one"
BLANK = ", line 1: blank; the first line must name the columns"
EMPTY = ": the file is empty; the first line must name the columns"
NO_TITLE = ": no column looks like a title; name it with --title. There are "
CUT_OFF = ": the archive breaks off; pack it again"
DAMAGED = ": the archive is damaged ({}); pack it again"

REFUSED = [
    Refused("empty_file", "a.csv", b"", EMPTY),
    Refused("empty_workbook_file", "a.xlsx", b"", EMPTY),
    Refused("byte_order_mark_only", "a.csv", b"\xef\xbb\xbf", EMPTY),
    Refused("sep_line_only", "a.csv", b"sep=;\r\n", EMPTY),
    Refused("gzip_of_nothing", "a.csv.gz", gzip.compress(b""), EMPTY),
    Refused("blank_first_line", "a.csv", b"\nid,titel\n1,Kock\n", BLANK),
    Refused("first_line_of_spaces", "a.csv", b"   \nid,titel\n1,Kock\n", BLANK),
    Refused("first_line_of_delimiters", "a.csv", b";;\nid;titel;\n1;Kock;\n", BLANK),
    Refused("blank_header_after_a_sep_line", "a.csv", b"sep=;\n\nid;titel\n", BLANK.replace("1", "2")),
    Refused("quote_never_closed_in_the_header", "a.csv", b'id,"titel\n1,Kock\n', f", line 1: {NOT_CLOSED}"),
    Refused(
        "header_with_bytes_of_no_character", "a.csv", b"id,tit\x81el\n1,L\xf6nechef\n",
        ", line 1: bytes that are not cp1252; name another with --encoding",
    ),
    Refused("heading_above_the_header", "a.csv", b"Lista 2024;\nid;titel\n", f"{NO_TITLE}Lista 2024, "),
    Refused("no_header_though_one_is_expected", "a.csv", b"1;Kock\n2;Barista\n", f"{NO_TITLE}1, Kock"),
    Refused("column_that_is_not_there", "a.csv", rows("1,Kock\n"), ": no column 'yrke'; there are id, titel", ("--title", "yrke")),
    Refused(
        "key_that_is_not_there_within",
        "a.jsonl",
        b'{"job":null}\n{"job":{"name":"Kock","id":1}}\n{"job":{"name":"VD","at":{"x":1}}}\n',
        ": no key 'job.nome'; there are job.name, job.id, job.at",
        ("--title", "job.nome"),
    ),
    Refused(
        "columns_that_collide", "a.csv", b"titel,status,role\nKock,a,b\n",
        ": already has columns status, role; choose a prefix for the new ones with --prefix",
    ),
    Refused(
        "keys_that_collide", "a.jsonl", b'{"title":"Kock","confidence":1}\n',
        ": already has columns confidence; choose a prefix for the new ones with --prefix",
    ),
    Refused(
        "utf16_cut_off_within_a_character", "a.csv", rows("1,Kock\n", encoding="utf-16")[:-1],
        ": not utf-16 all through (truncated data); save it as UTF-8",
    ),
    Refused("padded_with_nul", "a.csv", rows(f"1,Kock{chr(0) * 20}\n2,Barista{chr(0) * 20}\n"), NO_TEXT),
    Refused("random_bytes", "a.csv", bytes(range(256)) * 20, NO_TEXT),
    Refused("picture_named_csv", "a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1", NO_TEXT),
    Refused("old_xls", "a.xls", OLE + bytes(600), OLD_EXCEL),
    Refused("workbook_with_a_password", "a.xlsx", OLE + bytes(600), OLD_EXCEL),
    Refused("html_saved_as_xls", "a.xls", b"<html>\n<body><table><tr><td>titel</td></tr></table></body></html>", WEB_PAGE),
    Refused("xml_saved_as_xls", "a.xls", b'\xef\xbb\xbf<?xml version="1.0"?>\n<Workbook></Workbook>', WEB_PAGE),
    Refused("login_page_saved_as_csv", "a.csv", b"\n<!DOCTYPE html>\n<title>Logga in</title>\n", WEB_PAGE),
    Refused("postings_within_a_web_page", "a.html", b'<script type="application/ld+json">{"title":"Kock"}</script>', WEB_PAGE),
    Refused("pdf", "a.pdf", b"%PDF-1.7\n1 0 obj", ": a document; save the table it was made from as .xlsx or .csv"),
    Refused("rtf_named_csv", "a.csv", rb"{\rtf1\ansi Kock\par}", ": a document; save the table it was made from as .xlsx or .csv"),
    Refused("xz", "a.csv.xz", lzma.compress(rows("1,Kock\n")), ": an archive that is not read, or one within another; unpack it"),
    Refused("gzip_within_gzip", "a.csv.gz", gzip.compress(gzip.compress(rows("1,Kock\n"))), ": an archive that is not read, or one within another; unpack it"),
    Refused("gzip_cut_off", "a.csv.gz", gzip.compress(rows("1,Kock\n" * 99))[:-20], CUT_OFF),
    Refused("gzip_cut_off_in_its_first_bytes", "a.csv.gz", b"\x1f\x8b\x08", CUT_OFF),
    Refused("zstandard_cut_off", "a.csv.zst", zstd.compress(rows("1,Kock\n" * 99))[:-5], CUT_OFF),
    Refused(
        "gzip_with_a_wrong_checksum", "a.csv.gz", damaged(gzip.compress(rows("1,Kock\n"))),
        DAMAGED.format(f"CRC check failed {zlib.crc32(b'else'):#x} != {zlib.crc32(rows('1,Kock' + chr(10))):#x}"),
    ),
    Refused(
        "gzip_with_damaged_blocks", "a.csv.gz", gzip.compress(b"")[:10] + b"\xff" * 50,
        DAMAGED.format("Error -3 while decompressing data: invalid block type"),
    ),
    Refused(
        "gzip_with_something_behind_it", "a.csv.gz", gzip.compress(rows("1,Kock\n")) + b"xx",
        DAMAGED.format("Not a gzipped file (b'xx')"),
    ),
    Refused("zip_that_is_no_workbook", "a.zip", archive(a_csv="titel\nKock\n"), NO_WORKBOOK),
    Refused("zip_of_nothing", "a.zip", archive(), NO_WORKBOOK),
    Refused("open_document_sheet", "a.ods", archive(mimetype="application/vnd.oasis", content_xml="<x/>"), NO_WORKBOOK),
    Refused("word_document_named_xlsx", "a.xlsx", archive(word__document_xml="<x/>"), NO_WORKBOOK),
    Refused("workbook_cut_off", "a.xlsx", sheet(*TABLE)[:-99], ": a damaged Excel file or zip archive (File is not a zip file)"),
    Refused("workbook_cut_off_within_gzip", "a.xlsx.gz", gzip.compress(sheet(*TABLE)[:-99]), ": a damaged Excel file or zip archive (File is not a zip file)"),
    Refused("csv_said_to_be_a_workbook", "a.csv", rows("1,Kock\n"), ": a damaged Excel file or zip archive (File is not a zip file)", ("--format", "xlsx")),
    Refused("workbook_without_cells", "a.xlsx", with_sheets(Blad1=[], Blad2=[]), ": the workbook is empty; its first row must name the columns"),
    Refused("sheet_that_is_not_there", "a.xlsx", with_sheets(Annonser=[["titel"]]), ": no sheet 'Blad1'; there are Annonser", ("--sheet", "Blad1")),
    Refused(
        "parquet_cut_off", "a.parquet", table_file(title=["Kock"])[:-20],
        ": cannot be read as Parquet (Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file.)",
    ),
    Refused("json_without_anything", "a.json", b" \n", ": there are no rows in it"),
    Refused("json_lines_without_anything", "a.jsonl", b"\n\n", ": there are no rows in it"),
    Refused("json_without_rows", "a.json", b"[]", ": there are no rows in it"),
    Refused("json_of_texts", "a.json", b'["Kock", "Barista"]', ": no JSON objects in it; each row is an object"),
    Refused("json_of_a_number", "a.json", b"7", ": no JSON objects in it; each row is an object"),
    Refused("json_lines_with_commas_between", "a.jsonl", b'{"title":"Kock"},\n{"title":"Barista"},\n', ": no JSON objects with keys in it; each row is one"),
    Refused("json_cut_off", "a.json", b'[{"title":"Kock"},{"title', ": no JSON (Unterminated string starting at: line 1 column 20 (char 19))"),
    Refused("json_with_a_comma_too_many", "a.json", b'[{"title":"Kock"},]', ": no JSON (Expecting value: line 1 column 19 (char 18))"),
    Refused("json_with_bytes_of_no_character", "a.json", b'[{"title":"L\xf6nechef"},{"title":"Ko\x81ck"}]', ": bytes that are not cp1252; name another with --encoding"),
    Refused("json_nested_too_deeply", "a.json", b'[{"title":"Kock","x":' + b"[" * 9999 + b"]" * 9999 + b"}]", ": nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_each_is_refused_with_this_line(jobtitle: Jobtitle, case: Refused) -> None:
    """What cannot be read is one line that names the file and what to do; the old output stays."""
    Path(case.file).write_bytes(case.content)
    Path("out.csv").write_bytes(b"old")
    run = jobtitle("classify", case.file, "-o", "out.csv", *case.arguments)
    assert (run.code, run.err) == (1, f"jobtitle: {case.file}{case.said}\n")
    assert Path("out.csv").read_bytes() == b"old"
    assert sorted(path.name for path in Path().iterdir()) == sorted([case.file, "out.csv"])


@pytest.mark.parametrize("option", ["--encoding", "--output-encoding"])
@pytest.mark.parametrize("name", ["klingon", "base64", "punycode", ""])
def test_an_encoding_that_files_are_not_written_in_is_refused(
    jobtitle: Jobtitle, option: str, name: str
) -> None:
    """What is no encoding of files, though Python may know it, is an error of one line."""
    run = jobtitle("classify", "-", option, name, stdin=b"titel\nKock\n")
    assert (run.code, run.out) == (1, b"")
    assert (
        run.err == f"jobtitle: encoding {name!r} is not known; usual are utf-8, cp1252 and utf-16\n"
    )


# --- files that would fill memory or disk ---------------------------------------------------------


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(
    jobtitle: Jobtitle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workbook of some kilobytes that unpacks to more than the limit is not read to its end."""
    monkeypatch.setattr(excel, "MAX_XML", 8 << 20)
    start, _, end = CALCULATED.partition(b"<row")
    with zipfile.ZipFile("bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as bomb:
        with zipfile.ZipFile(io.BytesIO(sheet(["titel"]))) as book:
            for name in book.namelist():
                if name != SHEET:
                    bomb.writestr(name, book.read(name))
        with bomb.open(SHEET, "w") as part:
            part.write(start)
            for _ in range(16):
                part.write(b" <row/>" * (1 << 17))
            part.write(b"<row" + end)
    assert Path("bomb.xlsx").stat().st_size < 100_000
    run = jobtitle("classify", "bomb.xlsx", "-o", "out.xlsx")
    assert run.code == 1
    assert run.err.startswith("jobtitle: bomb.xlsx: unpacks to more than ")
    assert not Path("out.xlsx").exists()


def test_a_sheet_of_its_two_farthest_corners_is_refused(jobtitle: Jobtitle) -> None:
    """A sheet of two cells is not made a table of seventeen thousand million."""

    def fill(book: Any) -> None:
        book.active["A1"], book.active["XFD1048576"] = "titel", "Kock"

    Path("sparse.xlsx").write_bytes(workbook(fill))
    run = jobtitle("classify", "sparse.xlsx", "-o", "out.xlsx")
    assert (run.code, run.err) == (
        1,
        "jobtitle: sparse.xlsx: a sheet of 1,048,576 rows and 16,384 columns, mostly empty; delete "
        "what stands far from the table\n",
    )


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_a_line_without_end_is_refused(
    jobtitle: Jobtitle, monkeypatch: pytest.MonkeyPatch, ending: str, compression: str
) -> None:
    """A line that is longer than any row is named, however small the archive that it comes in."""
    monkeypatch.setattr(dialects, "MAX_LINE", 3_000_000)
    start = b'{"titel": "' if ending == ".jsonl" else b"titel\n"
    content = start + b"x" * 4_000_000
    packed = {"": bytes, ".gz": gzip.compress, ".zst": zstd.compress}[compression](content)
    name = f"long{ending}{compression}"
    Path(name).write_bytes(packed)
    run = jobtitle("classify", name, "-o", "out")
    line = 1 if ending == ".jsonl" else 2
    assert (run.code, run.err) == (
        1,
        f"jobtitle: {name}, line {line}: longer than 3,000,000 characters; is it a table?\n",
    )


def test_a_json_document_that_is_too_long_is_refused(
    jobtitle: Jobtitle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document that would have to be read as a whole is refused with what to do."""
    monkeypatch.setattr(json_lines, "MAX_DOCUMENT", 2 << 20)
    Path("a.json").write_bytes(b'[\n{"title": "Kock"}' + b',\n{"title": "Kock"}' * 120_000 + b"]")
    run = jobtitle("classify", "a.json", "-o", "out")
    assert (run.code, run.err) == (
        1,
        "jobtitle: a.json: longer than 2 MiB; save it as JSON Lines\n",
    )


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_rows_that_are_long_are_labelled_few_at_a_time(
    jobtitle: Jobtitle, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """How much is held at once goes by the length of rows too, and changes nothing of the output."""
    held: list[int] = []
    predict = JobTitleClassifier.predict_frame

    def counted(self: JobTitleClassifier, frame: Any, **how: Any) -> Any:
        held.append(len(frame))
        return predict(self, frame, **how)

    numbered = [f"Kock {n}" for n in range(1000)]
    if ending == ".csv":
        lines = ["titel,annons", *(f"{title},{'x' * 1000}" for title in numbered)]
    else:
        lines = [json.dumps({"titel": title, "annons": "x" * 1000}) for title in numbered]
    Path(f"a{ending}").write_text("\n".join([*lines, ""]), "utf-8")
    assert jobtitle("classify", f"a{ending}", "-o", "whole").code == 0
    monkeypatch.setattr(dialects, "MAX_RUN", 150_000)
    monkeypatch.setattr(JobTitleClassifier, "predict_frame", counted)
    assert jobtitle("classify", f"a{ending}", "-o", "parts").code == 0
    assert max(held) <= 200
    assert sum(held) >= 1000
    assert Path("parts").read_bytes() == Path("whole").read_bytes()

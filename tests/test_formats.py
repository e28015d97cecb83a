"""Every format in, every format out: rows, cells and labels stay what they are."""

import csv
import gzip
import io
import json
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from pyarrow import parquet

from classifier import JobTitleClassifier, excel
from classifier.batch import Options
from classifier.formats import Reading, Writing
from classifier.labelling_files import Job, label_file
from classifier.labels import LABEL_COLUMNS
from classifier.sources import FORMATS, zstd
from classifier.tables import distinct
from tests.conftest import ROOT, Jobtitle

USUAL = {"title": ["title", "titel"], "description": ["description"]}
N_LABEL = len(LABEL_COLUMNS)
CONFIDENCES = [n for n, name in enumerate(LABEL_COLUMNS) if name.endswith("confidence")]
KEYED = ("json", "jsonl")
TEXTUAL = ("csv", "tsv")


class Written(str):
    """A number of a JSON file, as it is written."""

    __slots__ = ()


# --- how files are written and read here, by other means than those of the program


def packed(data: bytes, ending: str) -> bytes:
    return {"": bytes, ".gz": gzip.compress, ".zst": zstd.compress}[ending](data)


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".zst":
        return zstd.decompress(data)
    return gzip.decompress(data) if path.suffix == ".gz" else data


def escaped(text: str) -> str:
    """Write text for a workbook, as Excel does."""
    text = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    return re.sub("[\x00-\x08\x0b-\x1f]", lambda found: f"_x{ord(found[0]):04X}_", text)


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for y, row in enumerate(rows, 1):
            for x, value in enumerate(row, 1):
                if isinstance(value, str):
                    sheet.cell(y, x).value = escaped(value) or None
                    sheet.cell(y, x).data_type = "s"
                elif value is not None:
                    sheet.cell(y, x).value = value
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def content(kind: str, header: Sequence[str], rows: list[list[Any]], schema: Any = None) -> bytes:
    """Return a file of a format."""
    if kind in TEXTUAL:
        text = io.StringIO(newline="")
        delimiter = "\t" if kind == "tsv" else ","
        csv.writer(text, delimiter=delimiter).writerows([header, *rows])
        return text.getvalue().encode()
    if kind == "xlsx":
        return workbook({"Blad1": [list(header), *rows]})
    if kind == "parquet":
        columns = [list(column) for column in zip(*rows, strict=True)]
        arrays = [pa.array(own, kind) for own, kind in zip(columns, schema, strict=True)]
        target = io.BytesIO()
        parquet.write_table(pa.Table.from_arrays(arrays, list(header)), target)
        return target.getvalue()
    objects = [json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) for row in rows]
    return ("\n".join(objects) if kind == "jsonl" else f"[{','.join(objects)}]").encode()


def cells(path: Path, kind: str) -> tuple[list[str], list[list[Any]]]:
    """Read the header and the rows of a file."""
    data = unpacked(path)
    if kind in TEXTUAL:
        text = io.StringIO(data.decode(), newline="")
        header, *rows = csv.reader(text, delimiter="\t" if kind == "tsv" else ",")
        return header, rows
    if kind == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(data)).active
        header, *rows = [[_excel(cell) for cell in row] for row in sheet.iter_rows()]
        return ["" if name is None else name for name in header], rows
    if kind == "parquet":
        table = parquet.ParquetFile(io.BytesIO(data)).read()
        columns = [column.to_pylist() for column in table.columns]
        return table.column_names, list(map(list, zip(*columns, strict=True)))
    text = data.decode()
    parse: dict[str, Any] = {"parse_float": Written, "parse_int": Written}
    if kind == "json":
        objects = json.loads(text, **parse)
    else:
        objects = [json.loads(line, **parse) for line in text.split("\n") if line]
    keys = list(objects[0])
    assert all(list(row) == keys for row in objects)
    return keys, [list(row.values()) for row in objects]


def _excel(cell: Any) -> Any:
    assert cell.data_type not in ("f", "e"), "a formula or an error"
    return unescape(cell.value) if isinstance(cell.value, str) else cell.value


# --- what each format can hold


def as_text(value: Any, source: str) -> str:
    """Return what a value is where there is only text."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).upper()
    if (
        isinstance(value, float)
        and source not in KEYED
        and value.is_integer()
        and abs(value) < 1e15
    ):
        return str(int(value))
    if isinstance(value, date | time):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("NaN", "nan").replace("Infinity", "inf")


def is_held(found: Any, value: Any, source: str, target: str) -> bool:
    """Return whether a cell came through as well as the format of the output can hold it."""
    text = as_text(value, source)
    if isinstance(value, list | dict) and target not in KEYED:
        return bool(json.loads(found) == value)
    if target in TEXTUAL:
        return bool(found == text)
    if target == "parquet":
        return bool(found is None if value is None else found == text)
    if target == "xlsx":
        return _is_held_by_excel(found, value, text)
    if isinstance(found, Written):
        assert isinstance(value, int | float)
        return float(found) == value if isinstance(value, float) else str(found) == str(value)
    if isinstance(value, float):
        return found is None and not math.isfinite(value)
    if isinstance(value, date | time):
        return bool(found == text)
    return bool(_numbered(found) == value)


def _numbered(value: Any) -> Any:
    """Return numbers within lists and objects as numbers."""
    if isinstance(value, Written):
        return json.loads(value)
    if isinstance(value, list):
        return list(map(_numbered, value))
    return {k: _numbered(v) for k, v in value.items()} if isinstance(value, dict) else value


def _is_held_by_excel(found: Any, value: Any, text: str) -> bool:
    if value is None or value == "":
        return found is None
    if isinstance(value, bool):
        return found is value
    if isinstance(value, float) and math.isfinite(value) and (abs(value) < 1e15 or found != text):
        return bool(found == value)
    if isinstance(value, int) and abs(value) < 1e15:
        return type(found) is int and found == value
    if (
        isinstance(value, date)
        and value.year >= 1900
        and not getattr(value, "microsecond", 0) % 1000
    ):
        whole = value if isinstance(value, datetime) else datetime.combine(value, time())
        return bool(found == whole)
    return bool(found == text)


# --- tables as people have them, and worse

WORDS = [
    " Kock", "Kock ", "\tKock", "Löne\r\nchef", "Löne\rchef", "_x000D_", "a_x000D_b_x0041_", "_x_",
    '"', '5" rör', "'", "''", '"a","b"', "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+46 8 123", "-5,3",
    "-", "=", "#N/A", "#REF!", "12345678901234567890", "007", "1e5", "1.50", "TRUE", "NaN", "null",
    "None", "👩‍🍳", "🇸🇪 kock", "e\u0301", "\x00", "\x07\x1b", "\x7f", "\x85", "\u2028", "\ufffd",
    "\ufffe", "\uffff", "\ufeffx", "\u00a0", "a,b;c|d\te", "\\", "\\n", "<b>&amp;</b>", "]]>", "{}", "[1",
    "å" * 20_000, "🙂" * 9_000, "",
]  # fmt: skip
TEXTS = st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=9)
TITLES = st.sampled_from(["Lönechef", "kock", "Säljare, butik", "Sr. Acct. Mgr", "Nurse", "asdf"])
NAMES = [
    "",
    "",
    "note",
    "note",
    "=1",
    "a,b",
    ' "q" ',
    "rad\nbryts",
    "_x000D_",
    "🙂",
    "2020",
    "x" * 1_500,
]
DATES = st.dates(date(1880, 1, 1), date(2200, 1, 1))
TIMES = st.datetimes(datetime(1880, 1, 1), datetime(2200, 1, 1)).map(
    lambda t: t.replace(hour=t.hour or 1, fold=0)
)
SIMPLE = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.sampled_from(WORDS[:30])
TYPED: dict[str, tuple[Any, Any, tuple[str, ...]]] = {
    "number": (st.integers(-(2**62), 2**62), pa.int64(), (*KEYED, "parquet")),
    "count": (st.integers(-(10**12), 10**12), pa.int64(), (*KEYED, "xlsx", "parquet")),
    "share": (
        st.floats(allow_nan=False, allow_infinity=False).map(lambda f: float(f"{f:.12g}") + 0.0),
        pa.float64(),
        (*KEYED, "xlsx", "parquet"),
    ),
    "any_float": (st.floats().map(lambda f: f + 0.0), pa.float64(), ("parquet",)),
    "flag": (st.booleans(), pa.bool_(), (*KEYED, "xlsx", "parquet")),
    "day": (DATES.filter(lambda d: d.year >= 1900), pa.date32(), ("xlsx", "parquet")),
    "old_day": (DATES, pa.date32(), ("parquet",)),
    "moment": (
        TIMES.filter(lambda t: t.year >= 1900).map(lambda t: t.replace(microsecond=678_000)),
        pa.timestamp("us"),
        ("xlsx", "parquet"),
    ),
    "any_moment": (TIMES, pa.timestamp("us"), ("parquet",)),
    "tags": (st.lists(TEXTS, max_size=2), pa.list_(pa.string()), (*KEYED, "parquet")),
    "place": (
        st.tuples(st.none() | TEXTS, st.none() | st.integers(0, 9)).map(
            lambda pair: dict(zip(("city", "zip"), pair, strict=True))
        ),
        pa.struct([("city", pa.string()), ("zip", pa.int64())]),
        (*KEYED, "parquet"),
    ),
    "anything": (SIMPLE | st.dictionaries(TEXTS, SIMPLE, max_size=2), None, KEYED),
}


@dataclass(frozen=True)
class Case:
    """A table for each format of an input, and how files are compressed."""

    names: list[str]
    titles: list[str]
    texts: list[list[str]]
    values: list[dict[str, Any]]
    endings: dict[str, str]

    def table(self, kind: str) -> tuple[list[str], list[list[Any]], list[Any]]:
        """Return header, rows and Parquet types of what an input of a format can hold."""
        typed = [name for name, (_, _, kinds) in TYPED.items() if kind in kinds]
        names = distinct(self.names) if kind in KEYED else self.names
        keep = _readable_in_excel if kind == "xlsx" else str
        header = ["id", *names, "title", "end", *typed]
        rows = [
            [f"r{n}", *map(keep, texts), keep(title), "x", *(values[name] for name in typed)]
            for n, (title, texts, values) in enumerate(
                zip(self.titles, self.texts, self.values, strict=True)
            )
        ]
        schema = [pa.string()] * (len(names) + 3) + [TYPED[name][1] for name in typed]
        return header, rows, schema


def _readable_in_excel(text: str) -> str:
    """Leave out what calamine does not read: no characters, and blanks without anything else."""
    text = text.replace("\ufffe", "").replace("\uffff", "")
    return text if text.strip(" \t\n") else ""


@st.composite
def cases(draw: Callable[[Any], Any]) -> Case:
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4))
    n_rows = draw(st.integers(1, 4))
    rows = range(n_rows)
    return Case(
        ["pad" * 500, *names],
        [draw(TITLES | TEXTS) for _ in rows],
        [["", *(draw(TEXTS) for _ in names)] for _ in rows],
        [{name: draw(st.none() | kind) for name, (kind, _, _) in TYPED.items()} for _ in rows],
        draw(st.fixed_dictionaries(dict.fromkeys(FORMATS, st.sampled_from(["", ".gz", ".zst"])))),
    )


EVERYTHING = Case(
    ["pad" * 500, *NAMES],
    WORDS,
    [["", *([word] * len(NAMES))] for word in WORDS],
    [dict.fromkeys(TYPED) for _ in WORDS],
    dict.fromkeys(FORMATS, ""),
)


def labels_of(model: JobTitleClassifier, titles: Sequence[str]) -> list[list[str]]:
    """Return labels as the library gives them, as text; confidences have four decimals."""
    found = []
    for label in model.predict(titles):
        own = [getattr(label, name) for name in LABEL_COLUMNS]
        found.append(["" if v is None else v if isinstance(v, str) else f"{v:.4f}" for v in own])
    return found


def label_text(row: Sequence[Any], target: str) -> list[str]:
    """Return the label of a row as text."""
    if target in (*TEXTUAL, *KEYED):
        return ["" if cell is None else str(cell) for cell in row]
    numbers = {n: row[n] for n in CONFIDENCES if row[n] is not None}
    assert all(isinstance(value, float | int) for value in numbers.values())
    return [f"{numbers[n]:.4f}" if n in numbers else cell or "" for n, cell in enumerate(row)]


def job(model: JobTitleClassifier) -> Job:
    return Job(Options(model.policy()), Reading(), Writing(), USUAL, "model")


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # to make a failing case smaller takes minutes
    suppress_health_check=list(HealthCheck),
)
@example(case=EVERYTHING)
@given(case=cases())
def test_every_pair_of_formats(model: JobTitleClassifier, case: Case) -> None:
    """Rows, cells and labels come through from each format to each, packed or not."""
    with tempfile.TemporaryDirectory() as name:
        for source in FORMATS:
            header, rows, schema = case.table(source)
            path = Path(name) / f"in.{source}{case.endings[source]}"
            path.write_bytes(packed(content(source, header, rows, schema), case.endings[source]))
            labels = labels_of(model, [row[header.index("title")] for row in rows])
            for target in FORMATS:
                out = Path(name) / f"out.{target}{case.endings[target]}"
                done = label_file(model, str(path), str(out), job(model))
                assert done.summary.rows == len(rows)
                assert done.summary.n_faults == 0, done.summary.faults
                _compare(out, header, rows, labels, source, target)


def _compare(
    out: Path,
    header: list[str],
    rows: list[list[Any]],
    labels: list[list[str]],
    source: str,
    target: str,
) -> None:
    found_header, found = cells(out, target)
    must_differ = target in KEYED or (target == "parquet" and source != "parquet")
    own = distinct(header) if must_differ and source not in KEYED else header
    if target == "parquet" and source in KEYED:
        own = distinct(header)
    assert found_header == [*own, *LABEL_COLUMNS], (source, target)
    assert len(found) == len(rows), (source, target)
    for row, back, label in zip(rows, found, labels, strict=True):
        assert label_text(back[-N_LABEL:], target) == label, (source, target)
        for column, value, cell in zip(header, row, back, strict=False):
            if source == target == "parquet":
                assert repr(cell) == repr(value), column
            else:
                # an empty cell of a workbook is empty text
                value = "" if value is None and source == "xlsx" else value
                assert is_held(cell, value, source, target), (source, target, column, value, cell)


# --- numbers, times and text that not every format can hold

NUMBERS = {  # as they stand in JSON, and what a workbook makes of them
    "1.50": 1.5,
    "1e5": 100_000,
    "-7": -7,
    "0.1": 0.1,
    "0.30000000000000004": 0.30000000000000004,
    "123456789012345": 123_456_789_012_345,
    "1234567890123456": "1234567890123456",
    "0.1000000000000000055511": "0.1000000000000000055511",
    "1E400": "1E400",
}


def test_numbers_stay_as_they_are_written(model: JobTitleClassifier, tmp_path: Path) -> None:
    """No digit is lost: text keeps numbers as written, a workbook holds those that it can."""
    path = tmp_path / "in.jsonl"
    path.write_text("".join(f'{{"title": "Kock", "n": {number}}}\n' for number in NUMBERS))
    for target in FORMATS:
        out = tmp_path / f"out.{target}"
        label_file(model, str(path), str(out), job(model))
        found = [row[1] for row in cells(out, target)[1]]
        assert found == list(NUMBERS.values() if target == "xlsx" else NUMBERS), target


def test_parquet_keeps_its_types_and_tells_others(
    model: JobTitleClassifier, tmp_path: Path
) -> None:
    """Types of Parquet come back in Parquet; elsewhere, each value is what it can be."""
    stockholm = pa.timestamp("ns", "Europe/Stockholm")
    columns: dict[str, tuple[Any, Any]] = {
        "title": (["Lönechef".encode(), b"kock"], pa.binary()),
        "kind": (["a", None], pa.dictionary(pa.int32(), pa.string())),
        "pay": ([Decimal("1.50"), None], pa.decimal128(9, 2)),
        "exact": ([Decimal("0.100000000000000005"), None], pa.decimal128(38, 18)),
        "when": ([0, None], stockholm),
        "clock": ([time(1, 2, 3), None], pa.time64("us")),
        "long": ([timedelta(hours=36), timedelta(hours=-1)], pa.duration("s")),
        "map": ([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
        "nested": (
            [{"at": datetime(2020, 1, 2), "pay": Decimal("1.10"), "x": math.inf, "raw": b"\xff"}, None],
            pa.struct([("at", pa.timestamp("s")), ("pay", pa.decimal128(5, 2)), ("x", pa.float64()), ("raw", pa.binary())]),
        ),
        "big": ([2**63, None], pa.uint64()),
        "nothing": ([None, None], pa.null()),
    }  # fmt: skip
    table = pa.table({name: pa.array(own, kind) for name, (own, kind) in columns.items()})
    path = tmp_path / "in.parquet"
    parquet.write_table(table, path)
    done = {
        target: label_file(model, str(path), str(tmp_path / f"out.{target}"), job(model))
        for target in FORMATS
    }
    assert {one.summary.statuses["labelled"] for one in done.values()} == {2}
    same = parquet.read_table(tmp_path / "out.parquet")
    assert same.select(list(columns)).equals(parquet.read_table(path))
    assert same.schema.field("confidence").type == pa.float64()
    first = dict(zip(columns, cells(tmp_path / "out.jsonl", "jsonl")[1][0], strict=False))
    assert first["title"] == "Lönechef"
    assert (first["pay"], first["exact"]) == ("1.50", "0.100000000000000005")
    assert first["when"] == "1970-01-01T01:00:00+01:00"
    assert first["nested"] == {"at": "2020-01-02T00:00:00", "pay": "1.10", "x": None, "raw": "/w=="}
    assert (first["map"], first["big"], first["nothing"]) == ([["a", "1"]], str(2**63), None)
    first = dict(zip(columns, cells(tmp_path / "out.xlsx", "xlsx")[1][0], strict=False))
    assert (first["pay"], first["exact"]) == (1.5, "0.100000000000000005")
    assert (first["clock"], first["long"]) == (time(1, 2, 3), timedelta(hours=36))
    assert (first["when"], first["big"]) == ("1970-01-01T01:00:00+01:00", str(2**63))
    second = dict(zip(columns, cells(tmp_path / "out.xlsx", "xlsx")[1][1], strict=False))
    assert second["long"] == "-1:00:00"  # Excel shows no time before its own
    text = dict(zip(columns, cells(tmp_path / "out.csv", "csv")[1][0], strict=False))
    assert (text["title"], text["kind"], text["pay"], text["clock"]) == (
        "Lönechef", "a", "1.50", "01:02:03",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["å" * 32_768, "🙂" * 16_384, "aa" + "\r" * 32_766])
def test_text_that_no_cell_of_excel_holds_is_said(
    jobtitle: Jobtitle, tmp_path: Path, text: str
) -> None:
    """Text too long for a workbook is one line that says where; one character less goes in."""
    source, out = tmp_path / "in.jsonl", tmp_path / "out.xlsx"
    out.write_text("old")
    source.write_bytes(content("jsonl", ["title", "note"], [["kock", "x"], ["kock", text]]))
    run = jobtitle("classify", source, "-o", out)
    assert run.code == 1
    assert out.read_text() == "old"
    (line,) = run.err.splitlines()
    assert re.search(r"in\.jsonl, line 2: a cell of 32,768 characters; .*--output-format", line)
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "out.xlsx"}
    source.write_bytes(content("jsonl", ["title", "note"], [["kock", "x"], ["kock", text[1:]]]))
    assert jobtitle("classify", source, "-o", out).code == 0
    assert cells(out, "xlsx")[1][1][1] == text[1:]


def test_a_sheet_has_no_room_for_all_columns(jobtitle: Jobtitle) -> None:
    """More columns than Excel has are refused before anything is labelled."""
    wide = ",".join(["title", *(f"c{n}" for n in range(16_380))])
    run = jobtitle("classify", "-", "--output-format", "xlsx", stdin=f"{wide}\n".encode())
    assert (run.code, run.out) == (1, b"")
    assert "16,390 columns, of which an Excel sheet holds 16,384" in run.err


def test_a_sheet_has_no_room_for_all_rows(
    jobtitle: Jobtitle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than Excel has are one line, and what was there stays."""
    monkeypatch.setattr(excel, "MAX_ROWS", 3)
    out = tmp_path / "out.xlsx"
    assert jobtitle("classify", "-", "-o", out, stdin=b"title\nkock\nkock\n").code == 0
    before = out.read_bytes()
    run = jobtitle("classify", "-", "-o", out, stdin=b"title\nkock\nkock\nkock\n")
    assert run.code == 1
    assert "an Excel sheet holds 3 rows; choose another --output-format" in run.err
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_half_characters_break_no_format(model: JobTitleClassifier, tmp_path: Path) -> None:
    """Half an emoji, which a JSON escape can write, is kept in JSON and marked elsewhere."""
    path = tmp_path / "in.jsonl"
    half = chr(0xD83D)
    path.write_text('{"title": "kock \\ud83d", "n": "\\ude42"}\n')
    for target in FORMATS:
        out = tmp_path / f"out.{target}"
        label_file(model, str(path), str(out), job(model))
        if target != "xlsx":  # XML has no way to write it, and Excel escapes it
            (row,) = cells(out, target)[1]
            assert row[0] == ("kock " + (half if target in KEYED else "\ufffd")), target


def test_a_workbook_is_the_same_each_time(model: JobTitleClassifier, tmp_path: Path) -> None:
    """The same rows make the same bytes: no time of writing stands in an output."""
    path = tmp_path / "in.csv"
    path.write_text("title\nkock\n")
    for ending in (*FORMATS, "xlsx.gz", "csv.gz", "jsonl.zst"):
        found = []
        for n in (1, 2):
            out = tmp_path / f"{n}.{ending}"
            label_file(model, str(path), str(out), job(model))
            found.append(out.read_bytes())
        assert found[0] == found[1], ending
    book = openpyxl.load_workbook(tmp_path / "1.xlsx")
    assert book.properties.created == datetime(1980, 1, 1)


# --- what may be said of the output


def test_excel_safe_in_csv(jobtitle: Jobtitle) -> None:
    """Cells that Excel would take for formulas get an apostrophe, also in names; others stay."""
    own = [
        "=1+1",
        "@x",
        "+46 8x",
        "-cmd",
        "\t=1",
        "\uff1d1",
        "-5,3",
        "+46 8 12",
        "kock",
        "a=1",
        "'x",
        "",
    ]
    table = content("csv", ["title", "=name"], [["kock", cell] for cell in own])
    plain = jobtitle("classify", "-", stdin=table)
    safe = jobtitle("classify", "-", "--excel-safe", stdin=table)
    found = list(csv.reader(io.StringIO(safe.text, newline="")))
    assert found[0][:2] == ["title", "'=name"]
    assert [row[1] for row in found[1:]] == [f"'{cell}" for cell in own[:6]] + own[6:]
    assert [row[1] for row in csv.reader(io.StringIO(plain.text, newline=""))] == ["=name", *own]


def test_formulas_in_a_workbook(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Text stays text in a workbook, unless a user wants formulas."""
    source = b"title,n\nkock,=1+1\nkock,@x\n"
    for flag, kind in (("--excel-safe", "s"), ("--no-excel-safe", "f")):
        out = tmp_path / "out.xlsx"
        assert jobtitle("classify", "-", flag, "-o", out, stdin=source).code == 0
        sheet = openpyxl.load_workbook(out).active
        assert (sheet["B2"].data_type, sheet["B2"].value) == (kind, "=1+1")
        assert (sheet["B3"].data_type, sheet["B3"].value) == ("s", "@x")
        assert sheet["B2"].quotePrefix is (kind == "s")


def test_sheets(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """The first sheet with rows is read, or the one that is named, under its own name."""
    book = workbook(
        {
            "Tomt": [],
            "Ett/a"[:3]: [["titel"], ["kock"]],
            "Två": [[], [None, "titel"], [None, "Lönechef"]],
        }
    )
    path = tmp_path / "in.xlsx"
    path.write_bytes(book)
    out = tmp_path / "out.xlsx"
    for arguments, name, title in (([], "Ett", "kock"), (["--sheet", "Två"], "Två", "Lönechef")):
        assert jobtitle("classify", path, "-o", out, *arguments).code == 0
        sheet = openpyxl.load_workbook(out)[name]
        assert title in [cell.value for cell in sheet[2]]
    for name, said in (("Tre", "no sheet 'Tre'; there are Tomt, Ett, Två"), ("Tomt", "empty")):
        run = jobtitle("classify", path, "--sheet", name)
        assert run.code == 1
        assert said in run.err


@pytest.mark.parametrize("target", FORMATS)
def test_without_a_header(jobtitle: Jobtitle, tmp_path: Path, target: str) -> None:
    """With -H the first line is a row; formats that need names get numbers."""
    out = tmp_path / f"out.{target}"
    run = jobtitle("classify", "-", "-H", "--title", "2", "-o", out, stdin=b"1,kock\n2,HR-chef\n")
    assert run.code == 0, run.err
    header, rows = cells(out, target)
    if target in TEXTUAL:
        rows = [header, *rows]
    else:
        assert header == ["1", "2", *LABEL_COLUMNS]
    assert [row[:4] for row in rows] == [
        ["1", "kock", "labelled", "hospitality"],
        ["2", "HR-chef", "labelled", "human_resources"],
    ]


@pytest.mark.parametrize(
    ("encoding", "codec", "mark"),
    [
        ("UTF-16", "utf-16", b"\xff\xfe"),
        ("utf_8_sig", "utf-8-sig", b"\xef\xbb\xbf"),
        ("UTF8", "utf-8", b"t"),
        ("windows-1252", "cp1252", b"t"),
        ("latin1", "latin-1", b"t"),
    ],
)
def test_output_encoding(jobtitle: Jobtitle, encoding: str, codec: str, mark: bytes) -> None:
    """An encoding by any of its names is written through, with one byte order mark at most."""
    source = "title;n\r\nLönechef;é\r\n".encode("cp1252") * 2
    run = jobtitle("classify", "-", "--output-encoding", encoding, stdin=source)
    assert run.out.startswith(mark), run.err
    text = run.out.decode(codec)
    assert "\ufeff" not in text
    assert text.split("\r\n")[1].startswith("Lönechef;é;labelled;payroll")


def test_output_encoding_that_cannot_be(jobtitle: Jobtitle) -> None:
    """An encoding that is none, or lacks a character, is one line that says what to do."""
    source = "title\nkock 🙂\n".encode()
    for encoding, said in (
        ("nonsense", "is not known"),
        ("base64", "is not known"),
        ("cp1252", "'🙂' cannot be"),
    ):
        run = jobtitle("classify", "-", "--output-encoding", encoding, stdin=source)
        assert run.code == 1
        (line,) = run.err.splitlines()
        assert said in line
        assert "utf-8" in line


def test_output_delimiter(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Another delimiter is used through and through, also in the line that tells Excel of it."""
    source = b'sep=;\r\nid;title\r\n1;"kock, a|b"\r\n'
    for delimiter, first in (
        ("|", b"sep=|\r\nid|title|"),
        ("tab", b"sep=\t\r\nid\ttitle\t"),
        (";", b"sep=;\r\nid;title;"),
    ):
        run = jobtitle("classify", "-", "--output-delimiter", delimiter, stdin=source)
        assert run.out.startswith(first), run.err
        lines = list(csv.reader(io.StringIO(run.text, newline=""), delimiter=first.decode()[4]))
        assert lines[2][:3] == ["1", "kock, a|b", "labelled"]
    out = tmp_path / "out.tsv"
    jobtitle("classify", "-", "-o", out, stdin=source)
    assert out.read_bytes().startswith(b"sep=\t\r\nid\ttitle\t")


# --- several files, pipes


def test_a_directory_to_a_directory(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """All files of a directory that can be labelled are, under their names; others are left."""
    inputs = tmp_path / "in"
    (inputs / "deeper").mkdir(parents=True)
    table = (["title"], [["kock"], ["HR-chef"]], [pa.string()])
    for kind in FORMATS:
        (inputs / f"{kind}.{kind}").write_bytes(content(kind, *table))
    (inputs / "packed.csv.gz").write_bytes(gzip.compress(content("csv", *table)))
    for name in ("notes.docx", ".hidden.csv", "~$xlsx.xlsx"):
        (inputs / name).write_bytes(b"no table")
    out = tmp_path / "made" / "here"
    run = jobtitle("classify", inputs, "-o", out)
    assert run.code == 0, run.err
    assert {path.name for path in out.iterdir()} == {
        *(f"{kind}.{kind}" for kind in FORMATS), "packed.csv.gz",
    }  # fmt: skip
    for kind in FORMATS:
        assert [row[:2] for row in cells(out / f"{kind}.{kind}", kind)[1]] == [
            ["kock", "labelled"], ["HR-chef", "labelled"],
        ]  # fmt: skip
    again = tmp_path / "again"
    run = jobtitle("classify", f"{inputs}/*s*", f"{inputs}/packed.csv.gz", "-o", again, "--output-format", "jsonl")  # fmt: skip
    assert run.code == 1  # notes.docx is named by the pattern, csv and tsv both become jsonl
    run = jobtitle("classify", f"{inputs}/*.[ctj]s*", "-o", again, "--output-format", "xlsx")
    assert run.code == 0, run.err
    assert {path.name for path in again.iterdir()} == {
        "csv.xlsx", "tsv.xlsx", "jsonl.xlsx", "json.xlsx", "packed.xlsx.gz",
    }  # fmt: skip


def test_one_file_to_a_directory(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """A file goes into a directory that is there, or that a slash at the end says to make."""
    source = tmp_path / "in.csv"
    source.write_text("title\nkock\n")
    (tmp_path / "there").mkdir()
    for name in ("there", "new/"):
        assert jobtitle("classify", source, "-o", f"{tmp_path}/{name}").code == 0
        assert cells(tmp_path / name / "in.csv", "csv")[1][0][:2] == ["kock", "labelled"]


def test_files_that_cannot_be_paired(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Clashes, nothing to label and inputs that would be lost are refused before anything is done."""
    for name in ("a.csv", "a.tsv", "b/a.csv", "empty/x.txt.bak"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("title\nkock\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    a, b, out = tmp_path / "a.csv", tmp_path / "b", tmp_path / "out"
    for arguments, said in (
        ([a, b, "-o", out], "a.csv would both be written to"),
        ([a, tmp_path / "a.tsv", "-o", out, "--output-format", "jsonl"], "a.tsv would both be written to"),
        ([a, a, "-o", out], "would both be written to"),
        ([a, "-o", tmp_path], "a.csv: would be written over; choose another directory"),
        ([f"{tmp_path}/*.csv", "-o", tmp_path], "a.csv: would be written over"),
        ([b, "-o", b], "a.csv: would be written over"),
        ([tmp_path / "empty", "-o", out], "no files in it that can be labelled"),
        ([tmp_path / "x*.csv", "-o", out], "x*.csv: no file is called so"),
        ([a, b], "several files go to a directory"),
        ([a, "-", "-o", out], "several files go to a directory"),
        ([a, b, "-o", tmp_path / "a.tsv"], "several files go to a directory"),
        ([a, "-o", tmp_path / "a.tsv" / "x/"], "cannot be written (Not a directory)"),
        ([a, "-o", "x" * 300], "cannot be written (File name too long)"),
        (["x" * 300], "cannot be read (File name too long)"),
    ):  # fmt: skip
        run = jobtitle("classify", *arguments)
        assert run.code == 1
        (line,) = run.err.splitlines()
        assert said in line
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_bad_file_does_not_stop_the_others(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Of several files, the sound ones are labelled; the run says which was not, and fails."""
    for name, text in (("a", "title\nkock\n"), ("b", "x,y\n1,2\n"), ("c", "title\nHR-chef\n")):
        (tmp_path / f"{name}.csv").write_text(text)
    out = tmp_path / "out"
    run = jobtitle("classify", f"{tmp_path}/*.csv", "-o", out, "--summary", tmp_path / "s.json")
    assert run.code == 1
    assert "b.csv: no column looks like a title" in run.err
    assert run.err.splitlines()[-1] == "jobtitle: 1 of 3 files could not be labelled"
    assert sorted(path.name for path in out.iterdir()) == ["a.csv", "c.csv"]
    found = json.loads((tmp_path / "s.json").read_text())
    assert (found["rows"], len(found["files"])) == (2, 2)


def test_pipes_of_any_format(model: JobTitleClassifier, tmp_path: Path) -> None:  # noqa: ARG001 - trained before it is used
    """Standard input and output carry binary formats, named or found out."""
    run = f"{sys.executable} -m classifier classify -"
    pipe = f"{run} --format xlsx --output-format parquet | {run} --prefix x_ --output-format xlsx"
    given = content("xlsx", ["title"], [["Lönechef"], ["kock"]])
    done = subprocess.run(
        ["bash", "-c", pipe], input=given, capture_output=True, cwd=ROOT, timeout=60, check=True
    )
    path = tmp_path / "out.xlsx"
    path.write_bytes(done.stdout)
    header, rows = cells(path, "xlsx")
    assert header[-N_LABEL:] == [f"x_{name}" for name in LABEL_COLUMNS]
    assert [row[0] for row in rows] == ["Lönechef", "kock"]
    assert rows[0][1 : 1 + N_LABEL] == rows[0][1 + N_LABEL :]


def test_a_format_that_it_is_not(jobtitle: Jobtitle) -> None:
    """A format that the user says wrongly is one line, not a traceback."""
    for kind in ("xlsx", "parquet", "json"):
        run = jobtitle("classify", "-", "--format", kind, stdin=b"title\nkock\n")
        assert run.code == 1
        (line,) = run.err.splitlines()
        assert line.startswith("jobtitle: standard input: ")


# --- what a run tells


@pytest.mark.parametrize("kind", ["xlsx", "jsonl", "parquet", "csv"])
def test_evaluate_any_format(jobtitle: Jobtitle, tmp_path: Path, kind: str) -> None:
    """A file of any format whose departments are known can be measured."""
    path = tmp_path / f"gold.{kind}"
    rows = [["Lönechef", "payroll"], ["kock", "hospitality"], ["Läkare", "sales"], ["x", ""]]
    path.write_bytes(content(kind, ["titel", "right"], rows, [pa.string()] * 2))
    run = jobtitle("evaluate", path, "--gold", "right", "--json")
    assert run.code == 0, run.err
    figures = json.loads(run.text)
    assert (figures["rows"], figures["accuracy"]) == (3, 0.6667)


def test_summary(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """The summary counts every row once by status, category and department, and names faults."""
    source, path = tmp_path / "in.csv", tmp_path / "s.json"
    source.write_text("id,title\n1,Lönechef\n2,kock\n3,kock\n4,asdf qwer\n5,\n6\n", "utf-8")
    run = jobtitle("classify", source, "-o", tmp_path / "o.csv", "--summary", path)
    found = json.loads(path.read_text("utf-8"))
    assert found["rows"] == 6, run.err
    assert found["statuses"] == {"labelled": 3, "empty": 1, "error": 1, "unknown": 1}
    assert found["categories"] == {"outside_office": 2, "back_office": 1}
    assert found["departments"] == {"hospitality": 2, "payroll": 1}
    assert found["departments_by_category"][0] == {
        "department": "hospitality", "category": "outside_office", "rows": 2,
    }  # fmt: skip
    assert found["faults"] == [{"place": 7, "reason": "too few cells (1 of 2)"}]
    assert found["n_faults"] == 1
    assert found["seconds"] > 0
    assert re.fullmatch("[0-9a-f]{64}", found["model_sha256"])
    assert found["files"][0]["input"] == str(source)


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])  # fmt: skip
def test_plot(jobtitle: Jobtitle, tmp_path: Path, ending: str, start: bytes) -> None:
    """The plot is a file of its kind with all departments in it, and the same each time."""
    source = ROOT / "notebooks" / "postings.csv"
    found = []
    for n in (1, 2):
        path = tmp_path / f"{n}.{ending}"
        run = jobtitle("classify", source, "-o", tmp_path / "o.csv", "--plot", path)
        assert run.code == 0, run.err
        found.append(path.read_bytes())
    assert found[0].startswith(start)
    assert found[0] == found[1]
    if ending == "png":
        from matplotlib import image

        pixels = image.imread(tmp_path / "1.png")
        height, width, _ = pixels.shape
        assert width == 1_200
        assert 700 < height < 1_000
        colours = {
            tuple(round(float(x) * 255) for x in p[:3]) for row in pixels[::9] for p in row[::9]
        }
        assert {(31, 95, 168), (217, 130, 43), (138, 143, 152)} <= colours


def test_a_plot_of_nothing(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """A run without a labelled row can be drawn, too; a plot of another kind is refused."""
    path = tmp_path / "p.png"
    assert jobtitle("classify", "-", "--plot", path, stdin=b"title\nasdf qwer\n").code == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    run = jobtitle("classify", "-", "--plot", tmp_path / "p.gif", stdin=b"title\nkock\n")
    assert run.code == 1
    assert "ends in .png, .svg or .pdf" in run.err


def doubtful() -> list[list[str]]:
    """Return rows, of which some should be looked at."""
    titles = ["asdf qwer"] + ["zxcv bnm"] * 5 + ["Lönechef", "asdf qwer", "Chef", "", "kock"]
    return [[f"r{n}", title, f"note {n}", "=1+1"] for n, title in enumerate(titles)]


@pytest.mark.parametrize("target", ["csv", "xlsx", "parquet", "jsonl", "csv.gz"])
def test_review(jobtitle: Jobtitle, tmp_path: Path, target: str) -> None:
    """Each doubtful posting stands once, with how many rows it has; that which mends most first."""
    source, path = tmp_path / "in.csv", tmp_path / f"review.{target}"
    source.write_bytes(content("csv", ["id", "title", "note", "sum"], doubtful()))
    run = jobtitle("classify", source, "-o", tmp_path / "o.csv", "--review", path)
    assert run.code == 0, run.err
    kind = target.split(".")[0]
    if kind == "csv":
        path.write_bytes(unpacked(path).removeprefix(b"\xef\xbb\xbf"))  # Excel tells UTF-8 by it
        path = path.rename(tmp_path / "plain.csv")
    header, rows = cells(path, kind)
    assert header == [
        "id", "title", "note", "sum", "rows", "reason", *LABEL_COLUMNS, "candidates", "right_department",
    ]  # fmt: skip
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["id"] for row in found][:2] == ["r1", "r0"]
    assert [str(row["rows"]) for row in found][:2] == ["5", "2"]
    assert found[0]["sum"] == "=1+1"
    assert found[0]["note"] == "note 1"
    titles = [row["title"] for row in found]
    assert len(set(titles)) == len(titles)
    assert not {"Lönechef", "kock", ""} & set(titles)
    doubts = [int(row["rows"]) * (1 - float(row["confidence"])) for row in found]
    assert doubts == sorted(doubts, reverse=True)
    assert {row["reason"] for row in found} <= {"unknown", "close", "low"}
    assert all(row["right_department"] in ("", None) for row in found)
    labelled = {row[1]: row[4:] for row in cells(tmp_path / "o.csv", "csv")[1]}
    start = header.index("status")
    for row, cell in zip(found, rows, strict=True):
        assert label_text(cell[start : start + N_LABEL], kind) == labelled[row["title"]]


def test_a_review_can_be_measured(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """A review with its answers filled in is read by evaluate."""
    source, path = tmp_path / "in.csv", tmp_path / "review.csv"
    source.write_bytes(content("csv", ["id", "title", "note", "sum"], doubtful()))
    jobtitle("classify", source, "-o", tmp_path / "o.csv", "--review", path)
    lines = path.read_text("utf-8-sig").splitlines()
    path.write_text("\n".join([lines[0], *(f"{line}payroll" for line in lines[1:])]), "utf-8")
    run = jobtitle("evaluate", path, "--gold", "right_department", "--json")
    assert json.loads(run.text)["rows"] == len(lines) - 1, run.err


def test_a_review_keeps_to_what_was_asked(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """--excel-safe holds for the review, a prefix keeps its columns apart, clashes are refused."""
    path = tmp_path / "r.csv"
    source = b"reason,title\n=1+1,asdf qwer\n"
    run = jobtitle("classify", "-", "--review", path, stdin=source)
    assert (run.code, run.out) == (1, b"")
    assert "already has columns reason, as a review has; choose a prefix" in run.err
    run = jobtitle(
        "classify", "-", "--excel-safe", "--prefix", "x_", "--review", path, stdin=source
    )
    assert run.code == 0, run.err
    header, row = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    assert header[:5] == ["reason", "title", "x_rows", "x_reason", "x_status"]
    assert header[-1] == "x_right_department"
    assert row[:4] == ["'=1+1", "asdf qwer", "1", "unknown"]


@pytest.mark.parametrize("target", ["csv", "json", "xlsx"])
@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("csv", b"id,title\n1,kock\n2\n", "line 3: too few cells"),
        ("jsonl", b'{"title": "kock"}\nnot json\n', "line 2: no JSON"),
    ],
)
def test_strict(
    jobtitle: Jobtitle, tmp_path: Path, kind: str, data: bytes, said: str, target: str
) -> None:
    """--strict stops at the first row that cannot be read, and leaves nothing but what was there."""
    out = tmp_path / f"out.{target}"
    out.write_text("old")
    run = jobtitle("classify", "-", "--format", kind, "-o", out, "--strict", stdin=data)
    assert run.code == 1
    (line,) = run.err.splitlines()
    assert f"standard input, {said}" in line
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
    run = jobtitle("classify", "-", "--format", kind, "-o", out, stdin=data)
    assert run.code == 0
    assert said in run.err


@pytest.mark.parametrize("target", FORMATS)
def test_cells_without_a_column(jobtitle: Jobtitle, tmp_path: Path, target: str) -> None:
    """What a row has too much of is kept in every format: behind the label, or in a list."""
    out = tmp_path / f"out.{target}"
    run = jobtitle("classify", "-", "-o", out, stdin=b"id,title\n1,kock\n2,HR,more,=1\n3\n")
    assert run.code == 0, run.err
    if target in KEYED:
        text = out.read_text("utf-8")
        rows = json.loads(text) if target == "json" else list(map(json.loads, text.splitlines()))
        assert rows[1]["excess"] == ["more", "=1"]
        assert [row["status"] for row in rows] == ["labelled", "error", "error"]
        return
    _, rows = cells(out, target)
    assert [row[2] for row in rows] == ["labelled", "error", "error"]
    excess = rows[1][2 + N_LABEL :]
    assert excess == ([["more", "=1"]] if target == "parquet" else ["more", "=1"])

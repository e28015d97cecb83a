"""Tables opened and writers chosen by format."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from classifier.delimited import CsvOptions, CsvTable, CsvWriter, open_csv
from classifier.dialects import Dialect, codec_name
from classifier.excel import ExcelWriter, open_excel
from classifier.json_lines import JsonTable, JsonWriter, open_json
from classifier.parquet import ParquetTable, ParquetWriter, open_parquet
from classifier.sources import open_source
from classifier.tables import Table, Writer

KEYED = ("json", "jsonl")
"""Formats whose rows name their columns themselves."""


@dataclass(frozen=True)
class Reading:
    """What a user may say of a file to be read; None to find it out.

    Parameters
    ----------
    format
        One of `classifier.sources.FORMATS`.
    csv
        How a CSV file is written.
    sheet
        The sheet of a workbook.
    all_keys
        Whether all of a JSON file is read for its keys, as columns of another format.
    """

    format: str | None = None
    csv: CsvOptions = field(default_factory=CsvOptions)
    sheet: str | None = None
    all_keys: bool = False


@dataclass(frozen=True)
class Writing:
    """How a file shall be written.

    Parameters
    ----------
    format
        One of `classifier.sources.FORMATS`; that of the input if None.
    encoding, delimiter
        Of CSV; those of the input if None.
    excel_safe
        Whether cells that look like formulas are made harmless; only in workbooks if None.
    """

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    excel_safe: bool | None = None


@contextmanager
def open_table(
    source: str, usual_names: Sequence[str] = (), how: Reading | None = None
) -> Iterator[Table]:
    """Open a file and find out how it is written.

    Parameters
    ----------
    source
        A path, or ``-`` for standard input.
    usual_names
        Names of columns; a delimiter that brings one of them out is preferred.
    how
        What the user says of it.

    Yields
    ------
    Table
        Its header and rows.

    Raises
    ------
    InputError
        If it cannot be read; the message names the file, and the line where there is one.
    """
    how = how or Reading()
    with open_source(source, how.format) as found:
        if found.format in KEYED:
            yield open_json(found, how.csv.encoding, all_keys=how.all_keys)
        elif found.format == "xlsx":
            yield open_excel(found, how.sheet)
        elif found.format == "parquet":
            yield open_parquet(found)
        else:
            yield open_csv(found, usual_names, how.csv)


def format_of(table: Table) -> str:
    """Return the format in which a table is written back unless told otherwise."""
    if isinstance(table, JsonTable):
        return table.format
    if isinstance(table, CsvTable):
        return "csv"
    return "parquet" if isinstance(table, ParquetTable) else "xlsx"


def make_writer(table: Table, added: Sequence[str], excess: str, how: Writing) -> Writer:
    """Choose what writes the rows of a table with their labels.

    Parameters
    ----------
    table
        The rows.
    added
        The names of the columns of the label.
    excess
        The name for cells that have no column.
    how
        What the user wants.

    Returns
    -------
    Writer
        Writes them in the format that is wanted.

    Raises
    ------
    InputError
        If the library of the format is not installed, it cannot hold so many columns, or there is
        no such encoding.
    """
    kind = how.format or format_of(table)
    if kind in KEYED:
        return JsonWriter(table.header, added, excess, document=kind == "json")
    if kind == "xlsx":
        return ExcelWriter(table.header, added, excel_safe=how.excel_safe is not False)
    if kind == "parquet":
        return ParquetWriter(table.header, added, excess)
    own = table.dialect if isinstance(table, CsvTable) else None
    dialect = own or Dialect("utf-8", ",", "\n")
    delimiter = how.delimiter
    if delimiter is None and kind == "tsv":
        delimiter = "\t"
    elif delimiter is None and how.format == "csv" and getattr(table, "format", "") == "tsv":
        delimiter = ","
    if delimiter not in (None, dialect.delimiter):
        first_line = f"sep={delimiter}" if dialect.first_line else ""
        dialect = replace(dialect, delimiter=delimiter, first_line=first_line)
    encoding = dialect.encoding if how.encoding is None else codec_name(how.encoding)
    if encoding != dialect.encoding:
        dialect = replace(dialect, encoding=encoding, errors="strict")
    has_header = table.has_header if isinstance(table, CsvTable) else True
    return CsvWriter(
        table.header, added, dialect,
        has_header=has_header, as_read=dialect == own, excel_safe=bool(how.excel_safe),
    )  # fmt: skip

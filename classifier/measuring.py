"""Rows whose departments are known, labelled to be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from classifier.batch import Options, find_columns, predicted
from classifier.errors import InputError
from classifier.model import JobTitleClassifier
from classifier.tables import Table


@dataclass(frozen=True)
class Measured:
    """The rows of a table whose departments are known, labelled.

    Parameters
    ----------
    titles
        What was labelled, for examples of errors.
    gold
        The right departments of each row.
    languages
        The language of each row; None if the table does not tell.
    labels
        One label a row.
    """

    titles: list[str]
    gold: list[frozenset[str]]
    languages: list[str] | None
    labels: pd.DataFrame


def label_against_gold(
    model: JobTitleClassifier,
    table: Table,
    options: Options,
    usual_names: Mapping[str, Sequence[str]],
    gold: str,
) -> Measured:
    """Label the rows of a table whose departments are known.

    Parameters
    ----------
    model
        Labels them.
    table
        Read to its end.
    options
        What the user chose.
    usual_names
        The usual names of the columns ``title``, ``description`` and ``language``.
    gold
        The column of right departments, ``|`` between them; rows without one are left out.

    Returns
    -------
    Measured
        The right departments of each row, and its label.

    Raises
    ------
    InputError
        If a column is missing, a department is unknown, or no row has one.
    """
    column = table.column(gold)
    columns = find_columns(table, options, usual_names)
    language = table.usual_column(usual_names["language"])
    titles: list[str] = []
    truths: list[frozenset[str]] = []
    languages: list[str] = []
    labels: list[pd.DataFrame] = []
    for chunk in table.chunks(columns.chunk_size):
        gold_cells = chunk.column(column)
        own = [n for n, cell in enumerate(gold_cells) if cell.strip()]
        truths += [_departments(gold_cells[n], chunk.place(n), table, gold, model) for n in own]
        own_titles, own_texts = columns.read(chunk, own)
        labels.append(predicted(model, options, own_titles, own_texts))
        titles += own_texts if columns.title is None and own_texts else own_titles
        if language is not None:
            cells = chunk.column(language)
            languages += [cells[n] for n in own]
    if not truths:
        raise InputError(f"{table.name}: no row has a department in column {gold}")
    return Measured(
        titles,
        truths,
        None if language is None else languages,
        pd.concat(labels, ignore_index=True),
    )


def _departments(
    cell: str, line: int, table: Table, column: str, model: JobTitleClassifier
) -> frozenset[str]:
    """Read the right departments of a row."""
    found = frozenset(part.strip() for part in cell.split("|"))
    unknown = sorted(found - set(model.taxonomy.departments))
    if unknown:
        raise InputError(
            f"{table.name}, {table.place_name} {line}: {', '.join(unknown)} in column {column} is "
            "no department; python -m classifier taxonomy lists them"
        )
    return found

"""Two models side by side: figures, departments, and the titles that they label otherwise."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.catalogue import title_key
from classifier.errors import OutputError
from classifier.files import replacing
from classifier.model import JobTitleClassifier

FIGURES = (
    "rows", "accuracy", "category_accuracy", "macro_f1", "answered", "selective_accuracy", "ece",
)  # fmt: skip
"""What is compared of the figures that stand beside a model."""

MOST_SHOWN = 20
"""How many changed titles are kept to be shown."""

COLUMNS = (
    "title", "changed", "department_a", "role_a", "confidence_a",
    "department_b", "role_b", "confidence_b",
)  # fmt: skip
"""The columns of a file of changed titles."""

Row = tuple[str, ...]
Posts = tuple[list[str], list[str] | None]


@dataclass(frozen=True)
class Difference:
    """What one of two models has and the other has not, by id.

    Parameters
    ----------
    added, gone
        Only in the second, only in the first.
    """

    added: tuple[str, ...]
    gone: tuple[str, ...]

    @classmethod
    def between(cls, a: Iterable[str], b: Iterable[str]) -> "Difference":
        """Compare two lists, keeping their order."""
        first, second = dict.fromkeys(a), dict.fromkeys(b)
        return cls(
            tuple(own for own in second if own not in first),
            tuple(own for own in first if own not in second),
        )


@dataclass
class Changes:
    """The titles that two models label otherwise.

    Parameters
    ----------
    titles
        How many were labelled.
    departments
        How many go from one department to another; an empty id is no label.
    roles
        How many keep their department and get another role.
    first
        The first of those that change their department, as `COLUMNS` says.
    """

    titles: int = 0
    departments: Counter[tuple[str, str]] = field(default_factory=Counter)
    roles: int = 0
    first: list[Row] = field(default_factory=list)

    def add(self, titles: int, changed: Sequence[Row]) -> None:
        """Count titles, and those of them that changed."""
        self.titles += titles
        for row in changed:
            own = dict(zip(COLUMNS, row, strict=True))
            if own["changed"] == "role":
                self.roles += 1
                continue
            self.departments[own["department_a"], own["department_b"]] += 1
            if len(self.first) < MOST_SHOWN:
                self.first.append(row)


@dataclass(frozen=True)
class Comparison:
    """What differs between two models.

    Parameters
    ----------
    figures
        As `figures_of` returns them.
    departments, roles
        Which were added and which are gone.
    thresholds
        The probability below which each says that it does not know, 0-1.
    changes
        The titles that they label otherwise.
    """

    figures: list[tuple[str, str, float | None, float | None]]
    departments: Difference
    roles: Difference
    thresholds: tuple[float, float]
    changes: Changes

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison for JSON."""
        sets: dict[str, dict[str, Any]] = {}
        for name, figure, a, b in self.figures:
            sets.setdefault(name, {})[figure] = {"a": a, "b": b}
        moves = [
            {"from": a or None, "to": b or None, "titles": n}
            for (a, b), n in self.changes.departments.most_common()
        ]
        return {
            "figures": sets,
            "min_confidence": {"a": self.thresholds[0], "b": self.thresholds[1]},
            "departments": asdict(self.departments),
            "roles": asdict(self.roles),
            "titles": self.changes.titles,
            "department_changes": self.changes.departments.total(),
            "role_changes": self.changes.roles,
            "moves": moves,
            "first": [dict(zip(COLUMNS, row, strict=True)) for row in self.changes.first],
        }


def figures_of(
    a: Mapping[str, Any], b: Mapping[str, Any]
) -> list[tuple[str, str, float | None, float | None]]:
    """Lay the figures of two models side by side.

    Parameters
    ----------
    a, b
        As `persistence.read_metrics` returns them.

    Returns
    -------
    list of tuple
        What was measured (such as ``titles``), the figure, and its value in each; None where it
        has none. What is no table of figures is left out.
    """
    rows = []
    for name in dict.fromkeys([*a, *b]):
        for figure in FIGURES:
            first, second = (_figure(metrics.get(name), figure) for metrics in (a, b))
            if first is not None or second is not None:
                rows.append((name, figure, first, second))
    return rows


def _figure(measured: object, figure: str) -> float | None:
    return measured.get(figure) if isinstance(measured, dict) else None


def catalogue_titles(*models: JobTitleClassifier) -> list[str]:
    """Return the titles of the catalogues that models were trained on, each once."""
    titles: dict[str, str] = {}
    for model in models:
        for role in model.reference.roles.roles:
            for title in role.all_titles:
                titles.setdefault(title_key(title), title)
    return list(titles.values())


def compare_labels(
    a: JobTitleClassifier,
    b: JobTitleClassifier,
    postings: Iterable[Posts],
    take: Callable[[list[Row]], object] = lambda _: None,
) -> Changes:
    """Label titles or postings with two models, and gather those that change.

    Parameters
    ----------
    a, b
        The models.
    postings
        Titles, with their descriptions or None, some at a time.
    take
        Called with those that changed, as `COLUMNS` says.

    Returns
    -------
    Changes
        What changes from the first to the second.
    """
    changes = Changes()
    for titles, texts in postings:
        changed = _changed(a, b, titles, texts)
        changes.add(len(titles), changed)
        take(changed)
    return changes


def _changed(
    a: JobTitleClassifier, b: JobTitleClassifier, titles: list[str], texts: list[str] | None
) -> list[Row]:
    frame = pd.DataFrame({"title": titles, "description": texts or ""})
    column = None if texts is None else "description"
    first, second = (
        model.predict_frame(frame, title="title", description=column).astype(
            {"department": str, "role": str}
        )
        for model in (a, b)
    )
    other = first["department"] != second["department"]
    rows = (other | (first["role"] != second["role"])).to_numpy().nonzero()[0]
    return [
        (
            titles[n],
            "department" if other.iloc[n] else "role",
            *(text for labels in (first, second) for text in _label(labels.iloc[n])),
        )
        for n in rows
    ]


def _label(row: "pd.Series[Any]") -> tuple[str, str, str]:
    confidence = row["confidence"]
    return row["department"], row["role"], "" if pd.isna(confidence) else f"{confidence:.4f}"


@contextmanager
def writing(path: Path | None) -> Iterator[Callable[[list[Row]], object]]:
    """Give what writes changed titles to a CSV file, which is there whole or not at all.

    Parameters
    ----------
    path
        Where to; None for nowhere.

    Yields
    ------
    callable
        Takes some of them at a time, as `COLUMNS` says.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    if path is None:
        yield lambda _: None
        return
    try:
        with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            yield writer.writerows
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error

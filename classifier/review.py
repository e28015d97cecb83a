"""Rows that a person should look at, those first where one look mends most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from classifier.errors import InputError
from classifier.tables import CHANGED, RowsTable, Table

MAX_REVIEWED = 5_000
"""How many rows a review lists; those with the same posting are one."""

DOUBTFUL = 0.75
"""Rows whose confidence, 0-1, is lower are for review."""

CLOSE = 0.15
"""Two departments are close if their probabilities, 0-1, differ by less."""

ROWS, REASON, ANSWER = "rows", "reason", "right_department"
"""The columns of a review: how many rows have the same posting, why it is there, and one that a
person fills in."""

_KEPT = 20_000


class Doubt(NamedTuple):
    """Why a posting is for review.

    Parameters
    ----------
    reason
        ``unknown``, ``close`` or ``low``.
    confidence
        The probability of its department, 0-1.
    label
        The cells of its label, with candidates.
    """

    reason: str
    confidence: float
    label: tuple[str, ...]


class Seen(NamedTuple):
    """A doubtful row: a key of its posting, its position in the chunk, and the doubt."""

    posting: str
    row: int
    doubt: Doubt


@dataclass
class Review:
    """Doubtful postings, how often each came, and where first.

    Parameters
    ----------
    entries
        For each posting the chunk and row where it came first, the number of rows, and the doubt.
    """

    entries: dict[str, tuple[int, int, int, Doubt]] = field(default_factory=dict)

    def add(self, chunk: int, seen: Sequence[Seen]) -> None:
        """Count the doubtful rows of a chunk, given by its number."""
        for posting, row, doubt in seen:
            earlier = self.entries.get(posting)
            self.entries[posting] = (
                (chunk, row, 1, doubt) if earlier is None else (*earlier[:2], earlier[2] + 1, doubt)
            )
        if len(self.entries) > _KEPT:  # the least useful go
            self.entries = dict(self._ranked()[: _KEPT // 2])

    def _ranked(self) -> list[tuple[str, tuple[int, int, int, Doubt]]]:
        """Order postings by how many wrong rows one look is likely to mend."""
        return sorted(
            self.entries.items(),
            key=lambda item: (-item[1][2] * (1 - item[1][3].confidence), item[1][:2]),
        )

    def read(
        self, source: Table, size: int, prefix: str
    ) -> tuple[RowsTable, list[tuple[str, ...]]]:
        """Read the rows again that are to be looked at.

        Parameters
        ----------
        source
            The rows of the run.
        size
            How many were labelled at a time.
        prefix
            Put before the names of the columns that are added.

        Returns
        -------
        rows : RowsTable
            The rows with all their cells, how many rows have the same posting, and why they are
            here; most useful first.
        labels : list of tuple of str
            `Doubt.label` of each.
        """
        ranked = [entry for _, entry in self._ranked()[:MAX_REVIEWED]]
        wanted: dict[int, list[int]] = {}
        for chunk, row, _, _ in ranked:
            wanted.setdefault(chunk, []).append(row)
        width = len(source.header)
        cells: dict[tuple[int, int], list[Any]] = {}
        for n, chunk_read in enumerate(source.chunks(size)):
            if n in wanted:
                own = chunk_read.cells
                cells |= {(n, row): own[row][:width] for row in wanted[n]}
        if len(cells) != len(ranked):
            raise InputError(f"{source.name}: {CHANGED}")
        rows = [[*cells[chunk, row], count, doubt.reason] for chunk, row, count, doubt in ranked]
        header = [*source.header, prefix + ROWS, prefix + REASON]
        return RowsTable(source.name, header, rows), [doubt.label for *_, doubt in ranked]

    def state(self) -> list[Any]:
        """Return all there is to know of it, for a journal."""
        return [[posting, *entry[:3], *entry[3]] for posting, entry in self.entries.items()]

    @classmethod
    def from_state(cls, state: Sequence[Any]) -> "Review":
        """Make it again of what `state` returned."""
        return cls(
            {
                posting: (chunk, row, n_rows, Doubt(reason, confidence, tuple(label)))
                for posting, chunk, row, n_rows, reason, confidence, label in state
            }
        )


def doubt_of(label: Mapping[str, str], candidates: Sequence[tuple[str, float]]) -> Doubt | None:
    """Return why a row is for review, None if it is not.

    Parameters
    ----------
    label
        The cells of its label.
    candidates
        Departments with their probabilities, likeliest first.
    """
    if label["status"] == "empty" or not candidates:
        return None
    confidence = candidates[0][1]
    cells = tuple(label.values())
    if label["status"] == "unknown":
        return Doubt("unknown", confidence, cells)
    if confidence >= DOUBTFUL:
        return None
    close = len(candidates) > 1 and confidence - candidates[1][1] < CLOSE
    return Doubt("close" if close else "low", confidence, cells)

"""What comes out: labels and their candidates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

LABEL_COLUMNS = (
    "status",
    "department",
    "category",
    "category_basis",
    "role",
    "seniority",
    "confidence",
    "category_confidence",
    "seniority_confidence",
)
"""The columns of a label, in the order in which files get them."""


def is_probability(column: str) -> bool:
    """Return whether a column of a label holds probabilities, whatever prefix its name has."""
    return column.endswith("confidence")


@dataclass(frozen=True)
class Candidate:
    """A department that a title may belong to.

    Parameters
    ----------
    department
        Its id.
    category
        The office category of the department.
    confidence
        The probability of the department, 0-1.
    """

    department: str
    category: str
    confidence: float


@dataclass(frozen=True)
class Label:
    """What a title or posting is.

    Parameters
    ----------
    status
        ``labelled``, ``unknown`` (text, but nothing to go by) or ``empty`` (no text).
    department, category, category_basis, role, seniority
        Ids, of which the basis may also be a reason in a policy's own words; None unless labelled.
    confidence
        The probability of the department, 0-1; None where there is no text.
    category_confidence
        The probability of the category, 0-1: the sum over all departments and roles that fall in
        it; None unless labelled.
    seniority_confidence
        How often a level that was read in the same way is right, 0-1; None unless labelled.
    candidates
        The likeliest departments, likeliest first.
    basis
        ``model``, or ``correction`` if a person said what the title is.
    """

    status: str
    department: str | None
    category: str | None
    category_basis: str | None
    role: str | None
    seniority: str | None
    confidence: float | None
    category_confidence: float | None
    seniority_confidence: float | None
    candidates: tuple[Candidate, ...]
    basis: str = "model"


class Corrected(NamedTuple):
    """What a person said a posting is.

    Parameters
    ----------
    department
        Its id.
    role
        Its id; None if the person did not say.
    """

    department: str
    role: str | None = None


class Corrections(Protocol):
    """What people said, for a model to ask before it answers.

    Attributes
    ----------
    version
        Another number after every change.
    fingerprint
        Tells them apart from others, whatever database they are of; empty if there are none.
    """

    @property
    def version(self) -> int: ...  # noqa: D102

    @property
    def fingerprint(self) -> str: ...  # noqa: D102

    def find(
        self, titles: Sequence[str], descriptions: Sequence[str] | None
    ) -> dict[int, Corrected]:
        """Find the postings that were corrected.

        Parameters
        ----------
        titles : sequence of shape (n_postings,)
            Free text.
        descriptions : sequence of shape (n_postings,), optional
            Free text.

        Returns
        -------
        dict of int to Corrected
            By position.
        """
        ...

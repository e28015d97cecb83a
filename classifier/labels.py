"""What comes out: labels and their candidates."""

from dataclasses import dataclass

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
        Ids; None unless labelled.
    confidence
        The probability of the department, 0-1; None where there is no text.
    category_confidence
        The probability of the category, 0-1: the sum over all departments and roles that fall in
        it; None unless labelled.
    seniority_confidence
        How often a level that was read in the same way is right, 0-1; None unless labelled.
    candidates
        The likeliest departments, likeliest first.
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

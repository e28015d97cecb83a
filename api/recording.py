"""What a correction must be to be recorded, and recording it, for programs and people alike."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from api.database import Database
from classifier import JobTitleClassifier
from classifier.corrections import Correction
from classifier.labels import Label

MODEL_FILE = "model.joblib"
"""The file whose SHA-256 stands for the model."""


def faults(
    model: JobTitleClassifier, department: str, role: str | None
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a corrected label: a field, and what to put there.

    Parameters
    ----------
    model
        Knows the departments and roles.
    department
        The id of the right department.
    role
        The id of the right role, None if not told.
    """
    departments = model.taxonomy.departments
    if department not in departments:
        names = {own.id: own.names.values() for own in departments.values()}
        yield "department", f"no department of this model{_nearest(department, names)}"
    elif role is not None:
        roles = {own.id: own.names.values() for own in model.roles if own.department == department}
        if role not in roles:
            yield "role", f"no role of {department}{_nearest(role, roles)}"


def _nearest(text: str, names: Mapping[str, Iterable[str]]) -> str:
    """Say which ids are most like a text, by themselves or by their names."""
    spellings = {own.casefold(): key for key, all_names in names.items() for own in all_names}
    spellings |= {key: key for key in names}
    found = difflib.get_close_matches(text.casefold()[:100], spellings, 3, 0.5)
    ids = list(dict.fromkeys(spellings[own] for own in found)) or list(names)[:30]
    return f"; nearest: {', '.join(ids)}" if found else f"; there are {', '.join(ids)}"


def record(
    corrections: Sequence[Correction],
    database: Database,
    model: JobTitleClassifier,
    facts: Mapping[str, Any],
) -> list[Correction]:
    """Record corrections, each with what the model itself says of its posting.

    Parameters
    ----------
    corrections
        Checked by `faults`.
    database
        Keeps them.
    model, facts
        The model, which asks no corrections, and its manifest.

    Raises
    ------
    DatabaseError
        If they cannot be recorded; none of them is, then.
    """
    if not corrections:
        return []
    texts = [own.description for own in corrections]
    labels = model.predict([own.title for own in corrections], texts if any(texts) else None)
    sha256 = facts.get("sha256", {}).get(MODEL_FILE)
    told = [
        replace(own, said=_said(label, sha256))
        for own, label in zip(corrections, labels, strict=True)
    ]
    return database.add(told)


def _said(label: Label, sha256: str | None) -> dict[str, Any]:
    confidence = None if label.confidence is None else round(label.confidence, 6)
    return {
        "department": label.department,
        "role": label.role,
        "confidence": confidence,
        "model": sha256,
    }

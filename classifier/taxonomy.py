"""The departments, the office categories, and the files that hold the knowledge of work."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.errors import TrainingDataError

BASES = ("document", "customer_contact", "role", "outside")
"""Why a category is what it is; see `training_data/README.md`."""

NO_WORK = "no_work"
"""The class of texts that name no work: names, places, benefits, keyboard noise."""

SENIORITIES = ("entry", "professional", "senior", "lead", "manager", "director", "executive")
"""The levels of seniority, lowest first."""


@dataclass(frozen=True)
class Department:
    """A department of the taxonomy.

    Parameters
    ----------
    id
        Its fixed id, such as ``payroll``.
    names
        Language code to name.
    category
        The id of its office category.
    basis
        Why it belongs there, one of `BASES`.
    """

    id: str
    names: Mapping[str, str]
    category: str
    basis: str


@dataclass(frozen=True)
class Taxonomy:
    """The departments and categories that labels are made of.

    Parameters
    ----------
    version
        The taxonomy's own version.
    departments
        Id to department, in the taxonomy's order.
    category_names
        Category id to its names by language.
    """

    version: str
    departments: Mapping[str, Department]
    category_names: Mapping[str, Mapping[str, str]]

    @property
    def categories(self) -> tuple[str, ...]:
        """The ids of the office categories."""
        return tuple(self.category_names)

    @classmethod
    def from_file(cls, path: Path) -> "Taxonomy":
        """Read a taxonomy.

        Parameters
        ----------
        path
            A TOML file like `training_data/taxonomy.toml`.

        Returns
        -------
        Taxonomy
            The validated taxonomy.

        Raises
        ------
        TrainingDataError
            If the file cannot be read or contradicts itself.
        """
        document = read_toml(path)
        categories = {key: dict(names) for key, names in document.get("names", {}).items()}
        problems = []
        departments = {}
        for key, entry in document.get("departments", {}).items():
            where = f"{path}: department {key}"
            if not entry.get("names"):
                problems.append(f"{where}: no names; add names = {{ sv = …, en = … }}")
            if entry.get("category") not in categories:
                problems.append(
                    f"{where}: category {entry.get('category')!r} is not one of "
                    + ", ".join(categories)
                )
            if entry.get("basis") not in BASES:
                problems.append(
                    f"{where}: basis {entry.get('basis')!r} is not one of " + ", ".join(BASES)
                )
            departments[key] = Department(
                key, entry.get("names", {}), entry.get("category", ""), entry.get("basis", "")
            )
        if not departments:
            problems.append(f"{path}: no departments")
        if problems:
            raise TrainingDataError("\n".join(problems))
        return cls(str(document.get("version", "")), departments, categories)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path
        The file, in UTF-8.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    TrainingDataError
        If the file is missing, not UTF-8 or not TOML; the message names the file and line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingDataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise TrainingDataError(
            f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise TrainingDataError(f"{path}: not valid TOML: {error}") from error

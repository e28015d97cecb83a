"""The departments, the office categories, and the files that hold the knowledge of work."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.errors import TrainingDataError
from classifier.places import Lines, nearest

BASES = ("document", "customer_contact", "role", "outside")
"""Usual reasons for a category; a taxonomy or policy may give others in its own words."""

MAX_BASIS = 200
"""Characters of a reason for a category."""

ID = re.compile(r"[a-z][a-z0-9_]*")
"""What ids of departments, categories and roles look like."""

LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""What codes of languages look like."""

NO_WORK = "no_work"
"""The class of texts that name no work: names, places, benefits, keyboard noise."""

SENIORITIES = ("entry", "professional", "senior", "lead", "manager", "director", "executive")
"""The levels of seniority, lowest first."""

_LINE = re.compile(r"at line (\d+)")


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
        Why it belongs there: one of `BASES`, or a reason in other words.
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
            If the file cannot be read or contradicts itself; every problem is a line.
        """
        taxonomy, problems = cls.read(path)
        if problems:
            raise TrainingDataError("\n".join(problems))
        return taxonomy

    @classmethod
    def read(cls, path: Path) -> "tuple[Taxonomy, list[str]]":
        """Read a taxonomy as far as that goes, and list what is wrong with it.

        Parameters
        ----------
        path
            As for `from_file`.

        Returns
        -------
        Taxonomy
            What could be read.
        list of str
            Problems, each with file, line and what to do.
        """
        try:
            document, lines = read_lines(path)
        except TrainingDataError as error:
            return cls("", {}, {}), [str(error)]
        reader = _Reader(document, lines)
        return cls(
            str(document.get("version", "")), reader.departments(), reader.categories
        ), reader.problems


class _Reader:
    """Gathers departments and problems."""

    def __init__(self, document: Mapping[str, Any], lines: Lines) -> None:
        self.problems: list[str] = []
        self._lines = lines
        self._entries = self._table(document, "departments")
        self.categories = {
            key: self._names(names, "category", key, "names", key)
            for key, names in self._table(document, "names").items()
        }

    def _table(self, document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = document.get(name, {})
        if isinstance(found, dict):
            return found
        self._say(f"{name} must be a table", name)
        return {}

    def _say(self, problem: str, *path: str) -> None:
        self.problems.append(f"{self._lines.place(self._lines.table(*path))}: {problem}")

    def departments(self) -> dict[str, Department]:
        found = {key: self._department(key, entry) for key, entry in self._entries.items()}
        if not self.categories:
            self._say("no categories; add a table [names], such as back_office = { en = … }")
        if not found:
            self._say("no departments; add a table such as [departments.payroll]")
        elif len(found) == 1:
            self._say("one department alone; there is nothing to tell apart: add another")
        self._check_names(found)
        return found

    def _check_names(self, departments: Mapping[str, Department]) -> None:
        """Say which names do not tell a department from the others."""
        owners = {key.casefold(): key for key in departments}
        for key, department in departments.items():
            for name in dict.fromkeys(department.names.values()):
                owner = owners.setdefault(name.casefold(), key)
                if owner != key:
                    self._say(
                        f"department {key}: {name!r} is {owner} already; give it another name",
                        "departments", key, "names",
                    )  # fmt: skip

    def _department(self, key: str, entry: object) -> Department:
        path = ("departments", key)
        fields = entry if isinstance(entry, dict) else {}
        if key == NO_WORK:
            self._say(f"department {key}: this id is taken for lines of no_work.toml", *path)
        for name in sorted(set(fields) - {"names", "category", "basis"}):
            self._say(f"department {key}: unknown field {name}", *path, name)
        category, basis = str(fields.get("category", "")), fields.get("basis")
        if category not in self.categories:
            known = nearest(category, tuple(self.categories))
            self._say(f"department {key}: category {category!r} is not known; {known}", *path)
        if (fault := basis_fault(basis)) is not None:
            self._say(f"department {key}: {fault}", *path)
        names = self._names(fields.get("names"), "department", key, *path)
        return Department(key, names, category, str(basis or ""))

    def _names(self, names: object, kind: str, key: str, *path: str) -> dict[str, str]:
        """Check the id and the names of a department or category."""
        if not ID.fullmatch(key):
            self._say(f"{kind} {key!r}: an id has lower-case letters a-z, digits and _", *path)
        if not (isinstance(names, dict) and names):
            example = "names = { en = … }" if kind == "department" else f"{key} = {{ en = … }}"
            self._say(f"{kind} {key}: no names; add {example}", *path)
            return {}
        for language, name in names.items():
            if not LANGUAGE.fullmatch(language):
                self._say(f"{kind} {key}: {language!r} is no code of a language", *path)
            if not (isinstance(name, str) and name.strip()):
                self._say(f"{kind} {key}: the name in {language} is empty", *path)
        return {language: str(name).strip() for language, name in names.items()}


def basis_fault(basis: object) -> str | None:
    """Return what is wrong with the reason for a category, None if nothing is.

    Parameters
    ----------
    basis
        One of `BASES` or a text of one's own, in a line of 1-200 characters.
    """
    if basis is None:
        return 'no basis; say in a few words why, such as basis = "our division of 2025"'
    if not isinstance(basis, str) or not basis.strip() or len(basis) > MAX_BASIS:
        return f"basis must be a text of 1-{MAX_BASIS} characters"
    return None if len(basis.splitlines()) == 1 else "basis must stand on one line"


def named(names: Mapping[str, str], language: str, key: str) -> str:
    """Return a name in a language, else in the first there is, else the id.

    Examples
    --------
    >>> named({"de": "Lohn"}, "en", "payroll"), named({}, "en", "payroll")
    ('Lohn', 'payroll')
    """
    return names.get(language) or next(iter(names.values()), key)


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
    return read_lines(path)[0]


def read_lines(path: Path) -> tuple[dict[str, Any], Lines]:
    """Read a TOML file and its lines; as `read_toml`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text), Lines(str(path), text)
    except OSError as error:
        raise TrainingDataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise TrainingDataError(
            f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        where = f"{path}:{line[1]}" if line else str(path)
        raise TrainingDataError(f"{where}: not valid TOML: {error}") from error

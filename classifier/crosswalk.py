"""Official classifications of occupations, and the departments that their groups belong to."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier import paths
from classifier.errors import TrainingDataError
from classifier.places import Lines, nearest
from classifier.taxonomy import read_lines

FOLDER = "crosswalk"
"""Where crosswalks stand in a directory of training data."""


@dataclass(frozen=True)
class Standard:
    """An official classification of occupations.

    Parameters
    ----------
    id
        What its crosswalk is called, without the ending.
    name
        What people call it.
    form, prefix_form
        What its codes look like, and what may stand for all codes that begin so.
    example
        A code and its beginnings, for messages.
    """

    id: str
    name: str
    form: re.Pattern[str]
    prefix_form: re.Pattern[str]
    example: str

    def code(self, text: str) -> str | None:
        """Return a code in one spelling; None if it is none.

        Examples
        --------
        >>> ISCO_08.code("http://data.europa.eu/esco/isco/C0110"), ISCO_08.code("110")
        ('0110', None)
        """
        found = self.form.fullmatch(text.strip())
        return found["code"] if found else None


_FOUR = r"(?P<code>[0-9]{4})"
_UP_TO_FOUR = re.compile(r"[0-9]{1,4}")
ISCO_08 = Standard(
    "isco08",
    "ISCO-08",
    # ESCO writes them alone, behind a C, as an address, or with its own numbers behind them
    re.compile(rf"(?:https?://data\.europa\.eu/esco/isco/)?C?{_FOUR}(?:\.[0-9]+)*"),
    _UP_TO_FOUR,
    "4313, 431, 43 or 4",
)
SSYK_2012 = Standard("ssyk2012", "SSYK 2012", re.compile(_FOUR), _UP_TO_FOUR, "4222, 422, 42 or 4")
SOC_2018 = Standard(
    "soc2018",
    "SOC 2018",
    re.compile(r"(?P<code>[0-9]{2}-[0-9]{4}(?:\.[0-9]{2})?)"),  # O*NET adds two digits
    re.compile(r"[0-9]{2}(-[0-9]{1,4})?|[0-9]{2}-[0-9]{4}\.[0-9]{2}"),
    "11-9199.01, 11-9199, 11-919, 11-9 or 11",
)


@dataclass(frozen=True)
class Group:
    """A group of a classification.

    Parameters
    ----------
    code
        Its code: all codes that begin so belong to it.
    title
        What the standard calls it.
    department
        The id of its department; None if its work is spread over several.
    why
        If so, over which.
    """

    code: str
    title: str
    department: str | None
    why: str = ""


@dataclass(frozen=True)
class Crosswalk:
    """Which departments the groups of a classification belong to.

    Parameters
    ----------
    standard
        The classification.
    groups
        Code to group.
    """

    standard: Standard
    groups: Mapping[str, Group]

    def find(self, code: str) -> Group | None:
        """Return the group with the longest code that a code begins with; None if there is none.

        Parameters
        ----------
        code
            As `Standard.code` returns it.
        """
        beginnings = (code[:n] for n in range(len(code), 0, -1))
        return next((self.groups[own] for own in beginnings if own in self.groups), None)

    def title(self, code: str | None) -> str:
        """Return what the standard calls the group of just this code; empty if it is not there."""
        group = self.groups.get(code or "")
        return group.title if group else ""

    @classmethod
    def read(
        cls, path: Path, standard: Standard, departments: Collection[str] | None = None
    ) -> "tuple[Crosswalk, list[str]]":
        """Read a crosswalk as far as that goes, and list what is wrong with it.

        Parameters
        ----------
        path
            A file like those in `training_data/crosswalk`.
        standard
            The classification it is of.
        departments
            The ids that it may name; any if None.

        Returns
        -------
        Crosswalk
            What could be read.
        list of str
            Problems, each with file and line.
        """
        try:
            document, lines = read_lines(path)
        except TrainingDataError as error:
            return cls(standard, {}), [str(error)]
        reader = _Reader(standard, lines)
        reader.read(document)
        if departments is not None:
            reader.check_departments(departments)
        return cls(standard, reader.groups), reader.problems


class _Reader:
    """Gathers groups and problems."""

    def __init__(self, standard: Standard, lines: Lines) -> None:
        self.standard = standard
        self.groups: dict[str, Group] = {}
        self.problems: list[str] = []
        self._lines = lines
        self._places: dict[str, str] = {}

    def read(self, document: Mapping[str, Any]) -> None:
        for name in sorted(set(document) - {"departments", "ambiguous"}):
            known = nearest(name, ("departments", "ambiguous"))
            self._say(self._lines.table(name), f"unknown table {name}; {known}")
        for department, entries in self._table(document, "departments").items():
            start = self._lines.table("departments", department)
            if not isinstance(entries, dict):
                self._say(start, f'departments.{department} must hold lines such as "4313" = "…"')
                continue
            for code, title in entries.items():
                self._add(code, title, department, "", start)
        start = self._lines.table("ambiguous")
        for code, entry in self._table(document, "ambiguous").items():
            fields = entry if isinstance(entry, dict) else {}
            if set(fields) != {"title", "why"}:
                self._say(
                    self._lines.key(code, start),
                    f'{code}: must be {{ title = "…", why = "…" }}: why no department fits',
                )
            self._add(code, fields.get("title", "?"), None, str(fields.get("why", "")), start)

    def _table(self, document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = document.get(name, {})
        if isinstance(found, dict):
            return found
        self._say(self._lines.key(name), f"{name} must be a table")
        return {}

    def _say(self, line: int, problem: str) -> None:
        self.problems.append(f"{self._lines.place(line)}: {problem}")

    def _add(self, code: str, title: object, department: str | None, why: str, start: int) -> None:
        line = self._lines.key(code, start)
        if not self.standard.prefix_form.fullmatch(code):
            own = self.standard
            self._say(line, f"{code!r} is no code of {own.name}, such as {own.example}")
        elif code in self.groups:
            self._say(line, f"{code} stands twice; the other is at {self._places[code]}")
        elif not (isinstance(title, str) and title.strip()):
            self._say(line, f"{code}: the title must be text")
        else:
            self.groups[code] = Group(code, title.strip(), department, why)
            self._places[code] = self._lines.place(line)

    def check_departments(self, known: Collection[str]) -> None:
        """Name the departments that there are not, with their groups."""
        unknown: dict[str, list[str]] = {}
        for group in self.groups.values():
            if group.department is not None and group.department not in known:
                unknown.setdefault(group.department, []).append(group.code)
        for department, codes in unknown.items():
            self._say(
                self._lines.table("departments", department),
                f"unknown department {department!r} (codes {listed_codes(codes)}); "
                + nearest(department, list(known)),
            )


def find_crosswalk(directory: Path, standard: Standard, departments: Collection[str]) -> Crosswalk:
    """Read the crosswalk of a directory of training data, else the one shipped here.

    Parameters
    ----------
    directory
        Laid out like `training_data`.
    standard
        The classification.
    departments
        The ids of its departments; one of its own may name no others, while the one shipped here
        may.

    Raises
    ------
    TrainingDataError
        If it is faulty; every problem is a line with file and line.
    """
    own = directory / FOLDER / f"{standard.id}.toml"
    if not own.exists():
        return shipped_crosswalk(standard)
    return _sound(*Crosswalk.read(own, standard, departments))


def shipped_crosswalk(standard: Standard) -> Crosswalk:
    """Read the crosswalk of a classification that is shipped here.

    Raises
    ------
    TrainingDataError
        If it is faulty; every problem is a line with file and line.
    """
    return _sound(*Crosswalk.read(paths.training_data() / FOLDER / f"{standard.id}.toml", standard))


def _sound(crosswalk: Crosswalk, problems: Sequence[str]) -> Crosswalk:
    if problems:
        raise TrainingDataError("\n".join(problems))
    return crosswalk


def listed_codes(codes: Collection[str], most: int = 12) -> str:
    """Name codes, but not hundreds of them."""
    shown = ", ".join(list(codes)[:most])
    return shown if len(codes) <= most else f"{shown} and {len(codes) - most} more"

"""Titles and postings that a user has labelled: checked, and each said once."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

import pandas as pd

from classifier.catalogue import Catalogue, title_key
from classifier.errors import InputError
from classifier.tables import listed
from classifier.taxonomy import Taxonomy
from classifier.text import has_letter

MAX_WEIGHT = 100.0
"""The most that an example may weigh; a title of the catalogue weighs 1."""

COLUMNS = ("title", "description", "department", "role", "language", "weight", "place")
"""The columns of examples; ``place`` is where messages say that each stands."""

_SHOWN = 200  # problems that are listed; who has more has named the wrong column


@dataclass(frozen=True)
class ExampleFile:
    """Where examples came from.

    Parameters
    ----------
    name
        What the file is called, without its directory.
    sha256
        Of its bytes, 64 hexadecimal digits.
    rows
        How many examples it gave.
    left_out
        How many rows of it have no department, and say nothing.
    weight
        What its examples were said to weigh.
    """

    name: str
    sha256: str
    rows: int
    left_out: int
    weight: float


@dataclass(frozen=True)
class Examples:
    """Labelled titles and postings.

    Parameters
    ----------
    frame : DataFrame
        Columns ``title``, ``description``, ``department``, ``role`` and ``language`` (empty where
        not told), ``weight`` (above 0, at most `MAX_WEIGHT`) and, if they come from files,
        ``place``.
    files
        Where they came from.
    problems
        Rows that could not be read, as messages; `checked` reports them with the others.
    """

    frame: pd.DataFrame
    files: tuple[ExampleFile, ...] = ()
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def sha256(self) -> str:
        """Fingerprint of what is learned from them, 64 hexadecimal digits."""
        told = self.frame[list(COLUMNS[:-1])].to_csv(index=False)
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()

    def checked(self, taxonomy: Taxonomy, catalogue: Catalogue) -> "Examples":
        """Check labels, and say each posting once.

        Parameters
        ----------
        taxonomy
            The departments they may name, by id or by name in any language.
        catalogue
            The roles they may name, likewise.

        Returns
        -------
        checked : Examples
            With ids of departments and roles; the same title with the same description stands
            there once.

        Raises
        ------
        InputError
            If a label is not known or two contradict each other; each problem is a line that names
            file and line.
        """
        check = _Check(Labels(taxonomy, catalogue), list(self.problems))
        rows = check.kept(self._placed())
        if check.problems:
            more = len(check.problems) - _SHOWN
            told = check.problems[:_SHOWN] + [f"and {more:,} more problems"] * (more > 0)
            raise InputError("\n".join(told))
        return Examples(pd.DataFrame(rows, columns=list(COLUMNS)), self.files)

    def _placed(self) -> Iterator[dict[str, str | float]]:
        frame = self.frame
        missing = [name for name in COLUMNS[:-2] if name not in frame]
        frame = frame.assign(**dict.fromkeys(missing, "")).fillna(dict.fromkeys(COLUMNS[:-2], ""))
        if "weight" not in frame:
            frame = frame.assign(weight=1.0)
        if "place" not in frame:
            frame = frame.assign(place=[f"example {n}" for n in range(1, len(frame) + 1)])
        columns = [frame[name].tolist() for name in COLUMNS]
        return (dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True))

    def beside(self, others: "Examples") -> "Examples":
        """Return these examples and others; where both label one posting, the others count."""
        taken = set(map(posting, others.frame["title"], others.frame["description"]))
        own = [
            key not in taken for key in map(posting, self.frame["title"], self.frame["description"])
        ]
        frame = pd.concat([self.frame[own], others.frame], ignore_index=True)
        problems = (*self.problems, *others.problems)
        return Examples(frame, (*self.files, *others.files), problems)


def posting(title: str, description: str) -> tuple[str, str]:
    """Return what two spellings of one posting have in common."""
    return title_key(title), " ".join(description.split())


def joined(parts: Sequence[Examples]) -> Examples:
    """Lay examples of several files end to end."""
    return Examples(
        pd.concat([part.frame for part in parts], ignore_index=True),
        tuple(file for part in parts for file in part.files),
        tuple(problem for part in parts for problem in part.problems),
    )


class Labels:
    """The departments and roles that examples may name.

    Parameters
    ----------
    taxonomy
        The departments.
    catalogue
        The roles.
    """

    def __init__(self, taxonomy: Taxonomy, catalogue: Catalogue) -> None:
        self._taxonomy = taxonomy
        self._roles = catalogue.roles
        self._of_department: dict[str, dict[str, str]] = {}

    @cached_property
    def _departments(self) -> dict[str, str]:
        """Ids and names, in the spelling of `title_key`, to ids."""
        named = {d.id: d.names.values() for d in self._taxonomy.departments.values()}
        return _by_name(named)

    def department(self, told: str) -> str | None:
        """Return the id of a department, told by id or name; None if there is none."""
        return self._departments.get(title_key(told))

    def role(self, told: str, department: str) -> str | None:
        """Return the id of a role of a department, told by id or name; None if there is none."""
        return self._roles_of(department).get(title_key(told))

    def _roles_of(self, department: str) -> dict[str, str]:
        if department not in self._of_department:
            own = (role for role in self._roles.values() if role.department == department)
            self._of_department[department] = _by_name({r.id: r.names.values() for r in own})
        return self._of_department[department]

    def department_fault(self, told: str) -> str:
        """Say that a department is not known, and which may be meant."""
        near = get_close_matches(title_key(told), self._departments, n=1)
        if near:
            meant = f"did you mean {self._departments[near[0]]}?"
        else:
            meant = f"there are {listed(list(self._taxonomy.departments))}"
        return f"unknown department {told!r}; {meant}"

    def role_fault(self, told: str, department: str) -> str:
        """Say that a role is not known, or of another department, and which may be meant."""
        elsewhere = self._roles.get(told)
        if elsewhere is not None:
            return f"role {told} belongs to {elsewhere.department}, not to {department}"
        own = self._roles_of(department)
        near = get_close_matches(title_key(told), own, n=1)
        meant = f"did you mean {own[near[0]]}?" if near else "leave it empty if none fits"
        return f"unknown role {told!r} of {department}; {meant}"


def _by_name(named: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return names and ids to ids; a name that two have stands for neither."""
    owners: dict[str, set[str]] = {}
    for key, names in named.items():
        for name in names:
            owners.setdefault(title_key(name), set()).add(key)
    sole = {name: min(keys) for name, keys in owners.items() if len(keys) == 1}
    return sole | {key: key for key in named}


@dataclass
class _Check:
    """Gathers examples and problems."""

    labels: Labels
    problems: list[str]
    _seen: dict[tuple[str, str], dict[str, str | float]] = field(default_factory=dict)

    def kept(self, rows: Iterable[dict[str, str | float]]) -> list[dict[str, str | float]]:
        """Return the rows that stand, each posting once."""
        unknown: dict[str, list[str]] = {}
        for row in rows:
            fault = self._resolve(row)
            if fault is not None:
                unknown.setdefault(fault, []).append(str(row["place"]))
            else:
                self._add(row)
        for fault, places in unknown.items():  # a label that is misspelt is so in many rows
            others = len(places) - 1
            rest = f" (and {others:,} more row{'s' * (others > 1)})" if others else ""
            self.problems.append(f"{places[0]}{rest}: {fault}")
        return list(self._seen.values())

    def _resolve(self, row: dict[str, str | float]) -> str | None:
        """Put ids for names; return what is wrong, None if nothing is."""
        told = {name: str(row[name]).strip() for name in COLUMNS[:-2]}
        weight = row["weight"]
        if not (has_letter(told["title"]) or has_letter(told["description"])):
            return "neither title nor description has a word"
        if not (isinstance(weight, int | float) and 0 < weight <= MAX_WEIGHT):
            return f"weight {weight!r} is not above 0 and at most {MAX_WEIGHT:g}"
        department = self.labels.department(told["department"])
        if department is None:
            return self.labels.department_fault(told["department"])
        role = self.labels.role(told["role"], department) if told["role"] else ""
        if role is None:
            return self.labels.role_fault(told["role"], department)
        row |= told | {"department": department, "role": role, "weight": float(weight)}
        row["language"] = told["language"].lower()
        return None

    def _add(self, row: dict[str, str | float]) -> None:
        """Take a row, or join it to the one of the same posting, or say that they contradict."""
        own = self._seen.setdefault(posting(str(row["title"]), str(row["description"])), row)
        if own is row:
            return
        for name in ("department", "role"):
            if row[name] and own[name] and row[name] != own[name]:
                what = repr(row["title"]) if row["title"] else "the same description"
                self.problems.append(
                    f"{row['place']}: {what} has {name} {row[name]} here, but {own[name]} in "
                    f"{own['place']}"
                )
                return
        own["role"] = own["role"] or row["role"]
        own["language"] = own["language"] or row["language"]
        own["weight"] = max(float(own["weight"]), float(row["weight"]))


def corrected(
    corrections: Iterable[tuple[str, str, str, str]],
    is_known: Callable[[str, str], bool],
    weight: float,
) -> tuple[Examples, int]:
    """Make examples of what people said.

    Parameters
    ----------
    corrections
        Title, description, department and role (empty if not said), one for each posting.
    is_known
        Whether there is such a department and role; after a change of the taxonomy some are not.
    weight
        What each weighs.

    Returns
    -------
    known : Examples
        Those that are known.
    n_unknown : int
        How many are not, and are left out.
    """
    told = list(corrections)
    kept = [one for one in told if is_known(one[2], one[3])]
    frame = pd.DataFrame(kept, columns=["title", "description", "department", "role"])
    frame = frame.assign(language="", weight=weight, place="corrections")
    digest = hashlib.sha256(repr(kept).encode("utf-8", "surrogatepass")).hexdigest()
    file = ExampleFile("corrections", digest, len(kept), len(told) - len(kept), weight)
    return Examples(frame, (file,)), len(told) - len(kept)

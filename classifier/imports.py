"""Titles of registers made into examples for training, by way of a crosswalk."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields, replace
from pathlib import Path

from classifier.catalogue import Role, title_key
from classifier.crosswalk import Crosswalk, listed_codes
from classifier.errors import InputError, OutputError
from classifier.files import replacing
from classifier.registers import Entry
from classifier.role_codes import code_of
from classifier.text import has_letter


@dataclass(frozen=True)
class Row:
    """A title with its department; a line of the file of examples.

    Parameters
    ----------
    title
        As the register has it.
    department
        The id of its department.
    role
        The id of its role, where the department has just one of its group; else empty.
    language
        Code of its language.
    code
        Its group in the register's classification.
    source
        The file of the register.
    """

    title: str
    department: str
    role: str
    language: str
    code: str
    source: str


@dataclass
class Import:
    """What became of the titles of a register: each is a row, or counted among the others.

    Parameters
    ----------
    rows
        Title key to its row.
    n_read
        How many titles were read.
    ambiguous, unplaced
        Titles whose group is spread over several departments, or is in no crosswalk, by code.
    foreign
        Titles of departments that the taxonomy has not, by department and code.
    repeated, wordless
        How many stood there before, or have no letter.
    clashing
        Title keys with the departments that they would have.
    n_clashing
        How many titles these were.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    n_read: int = 0
    ambiguous: Counter[str] = field(default_factory=Counter)
    unplaced: Counter[str] = field(default_factory=Counter)
    foreign: dict[str, Counter[str]] = field(default_factory=dict)
    repeated: int = 0
    wordless: int = 0
    clashing: dict[str, set[str]] = field(default_factory=dict)
    n_clashing: int = 0

    @classmethod
    def of(
        cls,
        entries: Iterable[Entry],
        crosswalk: Crosswalk,
        departments: Iterable[str],
        roles: Iterable[Role],
    ) -> "Import":
        """Find the departments and roles of titles.

        Parameters
        ----------
        entries
            The titles.
        crosswalk
            Which departments their codes belong to.
        departments
            The ids of the departments that there are.
        roles
            The roles that there are.

        Returns
        -------
        Import
            A title stands in it once; one that would have two departments does not.
        """
        done = cls()
        known = frozenset(departments)
        by_code = _roles_by_code(crosswalk, roles)
        for entry in entries:
            done.n_read += 1
            group = crosswalk.find(entry.code)
            if not has_letter(entry.title):
                done.wordless += 1
            elif group is None:
                done.unplaced[entry.code] += 1
            elif group.department is None:
                done.ambiguous[group.code] += 1
            elif group.department not in known:
                done.foreign.setdefault(group.department, Counter())[group.code] += 1
            else:
                role = by_code.get((group.department, entry.code), "")
                done._add(Row(_one_line(entry.title), group.department, role, *_rest(entry)))
        for key in done.clashing:
            del done.rows[key]
        return done

    def _add(self, row: Row) -> None:
        key = title_key(row.title)
        first = self.rows.setdefault(key, row)
        if first.department != row.department:
            own = self.clashing.setdefault(key, {first.department})
            self.n_clashing += 1 + (len(own) == 1)  # this one, and once the first
            own.add(row.department)
        elif first is not row:
            self.repeated += 1
            if first.role != row.role:  # of groups with different roles: neither is certain
                self.rows[key] = replace(first, role="")

    def summary(self, crosswalk: Crosswalk) -> list[str]:
        """Say in lines what was left out, and why.

        Parameters
        ----------
        crosswalk
            The one that it was made with.
        """
        n = self.n_clashing
        clashing = sorted(self.clashing.items())[:3]
        examples = "; ".join(f"{key} ({', '.join(sorted(own))})" for key, own in clashing)
        lines = [
            (self.repeated, "stood there before"),
            (n, f"would have two departments, such as {examples}"),
            (self.wordless, "have no letter"),
            (
                self.ambiguous.total(),
                "their groups are spread over several departments: " + _counted(self.ambiguous),
            ),
            (
                self.unplaced.total(),
                f"the crosswalk of {crosswalk.standard.name} lacks their groups: "
                + _counted(self.unplaced),
            ),
        ]
        lines += [
            (codes.total(), f"the taxonomy has no department {name}: {_counted(codes)}")
            for name, codes in self.foreign.items()
        ]
        return [f"left out {n:,}: {why}" for n, why in lines if n]


def _rest(entry: Entry) -> tuple[str, str, str]:
    return entry.language, entry.code, entry.source


def _one_line(title: str) -> str:
    return " ".join(title.split())


def _counted(codes: Counter[str]) -> str:
    return listed_codes([f"{code} ({n:,})" for code, n in codes.most_common()])


def _roles_by_code(crosswalk: Crosswalk, roles: Iterable[Role]) -> Mapping[tuple[str, str], str]:
    """Return the ids of roles by department and code, where a department has just one of a code."""
    found: dict[tuple[str, str], list[str]] = {}
    for role in roles:
        code = code_of(role, crosswalk.standard)
        if code is not None:
            found.setdefault((role.department, code), []).append(role.id)
    return {place: ids[0] for place, ids in found.items() if len(ids) == 1}


def write_examples(rows: Sequence[Row], path: Path) -> None:
    """Write examples as CSV, all of them or none.

    Parameters
    ----------
    rows
        What to write.
    path
        Where to; a file that stands there is replaced.

    Raises
    ------
    InputError
        If there are none.
    OutputError
        If it cannot be written.
    """
    if not rows:
        raise InputError("no title got a department, so nothing was written")
    try:
        with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([column.name for column in fields(Row)])
            writer.writerows(map(astuple, rows))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error

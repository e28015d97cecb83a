"""The role catalogue: kinds of job with their titles and duties, read and checked."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier.errors import TrainingDataError
from classifier.places import nearest
from classifier.role_files import (
    CODES,
    FIELDS,
    KINDS,
    RoleEntry,
    read_roles,
    role_files,
    split_lines,
)
from classifier.taxonomy import ID, LANGUAGE, SENIORITIES, Taxonomy

_CODE = re.compile(r"\d{4}", re.ASCII)
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f\ufffe\uffff]")
_TEXT_KEYS = ("name", *KINDS)
_REMEDIES = {
    "name": "give the role one, or take the language away",
    "titles": "write at least one title besides the name",
    "duties": "write one, or take the field away",
}


@dataclass(frozen=True)
class Role:
    """A kind of job.

    Parameters
    ----------
    id
        Its own id, such as ``payroll_administrator``.
    department
        The id of its department.
    names
        Language code to name.
    titles
        Language code to titles, the name first.
    duties
        Language code to duty lines, as a job ad words them.
    seniority
        The level, where the role itself fixes it.
    isco, ssyk
        ISCO-08 and SSYK 2012 unit-group codes, four digits, where they exist.
    """

    id: str
    department: str
    names: Mapping[str, str]
    titles: Mapping[str, tuple[str, ...]]
    duties: Mapping[str, tuple[str, ...]]
    seniority: str | None = None
    isco: str | None = None
    ssyk: str | None = None

    @property
    def all_titles(self) -> tuple[str, ...]:
        """The titles in all languages."""
        return tuple(title for titles in self.titles.values() for title in titles)


@dataclass(frozen=True)
class Catalogue:
    """All roles.

    Parameters
    ----------
    roles
        Role id to role, department by department.
    """

    roles: Mapping[str, Role]

    def titles(self) -> Iterator[tuple[str, str, Role]]:
        """Yield every title with its language and role."""
        for role in self.roles.values():
            for language, titles in role.titles.items():
                for title in titles:
                    yield title, language, role

    def duties(self) -> Iterator[tuple[str, str, Role]]:
        """Yield every duty line with its language and role."""
        for role in self.roles.values():
            for language, duties in role.duties.items():
                for duty in duties:
                    yield duty, language, role

    def without(self, titles: Collection[str]) -> "Catalogue":
        """Return the catalogue less some titles, given as `title_key` makes them."""
        roles = {}
        for role in self.roles.values():
            kept = {
                language: tuple(title for title in own if title_key(title) not in titles)
                for language, own in role.titles.items()
            }
            roles[role.id] = replace(role, titles=kept)
        return Catalogue(roles)

    @classmethod
    def from_directory(cls, directory: Path, taxonomy: Taxonomy) -> "Catalogue":
        """Read and check the files of the catalogue, one a department.

        Parameters
        ----------
        directory
            Holds TOML files and workbooks, in any mixture; see `training_data/README.md`.
        taxonomy
            The departments that roles may belong to.

        Returns
        -------
        Catalogue
            All roles, in the taxonomy's order of departments.

        Raises
        ------
        TrainingDataError
            If anything is wrong; the message lists every problem with its file and entry.
        """
        catalogue, problems, _ = cls.read(directory, taxonomy)
        if problems:
            raise TrainingDataError("\n".join(problems))
        return catalogue

    @classmethod
    def read(cls, directory: Path, taxonomy: Taxonomy) -> "tuple[Catalogue, list[str], bool]":
        """Read a catalogue as far as that goes, and list what is wrong with it.

        Parameters
        ----------
        directory, taxonomy
            As for `from_directory`.

        Returns
        -------
        Catalogue
            What could be read.
        list of str
            Problems, each with its place and what to do.
        bool
            Whether every file could be read, so that what is not there is missing.
        """
        reader = _Reader(taxonomy)
        for path in role_files(directory):
            reader.read(path)
        filled = {role.department for role in reader.roles.values()}
        reader.problems.extend(
            f"{directory}: no roles for department {name}; add a file {name}.toml or .xlsx, or "
            "take the department out of the taxonomy"
            for name in taxonomy.departments
            if reader.is_whole and name not in filled
        )
        order = {name: n for n, name in enumerate(taxonomy.departments)}
        ordered = sorted(
            reader.roles.values(), key=lambda role: order.get(role.department, len(order))
        )
        return cls({role.id: role for role in ordered}), reader.problems, reader.is_whole


class _Reader:
    """Gathers roles and problems over all files of a catalogue."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.roles: dict[str, Role] = {}
        self.problems: list[str] = []
        self.is_whole = True
        self._places: dict[str, str] = {}
        self._claims: dict[str, Role] = {}

    def read(self, path: Path) -> None:
        entries, problems = read_roles(path)
        self.problems += problems
        self.is_whole &= bool(entries)
        unknown: set[str] = set()
        for entry in entries:
            department = str(entry.fields.get("department", ""))
            known_ones = self.taxonomy.departments  # none if the taxonomy could not be read
            if known_ones and department not in {*known_ones, *unknown}:
                unknown.add(department)  # once a file: all of its roles may have it
                known = nearest(department, list(known_ones))
                self.problems.append(
                    f"{entry.department_place}: unknown department {department!r}; {known}"
                    if department
                    else f"{entry.department_place}: no department; {known}"
                )
            self._read_role(entry)

    def _read_role(self, entry: RoleEntry) -> None:
        key = str(entry.fields.get("id", ""))
        faults = [*_role_faults(entry), *_text_faults(entry.texts)]
        if key in self.roles:
            faults.append(f"this id stands twice; the other is at {self._places[key]}")
        self.problems += [f"{entry.place}: role {key or '(without id)'}: {own}" for own in faults]
        role = _make_role(entry, key)
        self.problems += self._claim(role, entry)
        self.roles.setdefault(key, role)
        self._places.setdefault(key, entry.place)

    def _claim(self, role: Role, entry: RoleEntry) -> Iterator[str]:
        """Give each title to its role; yield those that already have one."""
        for language, titles in role.titles.items():
            own: set[str] = set()
            for n, title in enumerate(titles):
                key = title_key(title)
                owner = self._claims.setdefault(key, role)
                if key and (owner is not role or key in own):
                    place = entry.find(language, "titles" if n else "name", title)
                    yield (
                        f"{place}: role {role.id}: title {title!r} is already claimed by role "
                        f"{owner.id} of {owner.department}; take it out of one of them"
                    )
                own.add(key)


def _make_role(entry: RoleEntry, key: str) -> Role:
    names = {language: str(text.get("name", "")).strip() for language, text in entry.texts.items()}
    titles = {
        language: (names[language], *split_lines(text.get("titles", "")))
        for language, text in entry.texts.items()
    }
    duties = {
        language: split_lines(text.get("duties", "")) for language, text in entry.texts.items()
    }
    codes = (entry.fields.get(name) for name in ("seniority", "isco", "ssyk"))
    return Role(key, str(entry.fields.get("department", "")), names, titles, duties, *codes)


def _role_faults(entry: RoleEntry) -> Iterator[str]:
    fields = entry.fields
    if not ID.fullmatch(str(fields.get("id", ""))):
        yield "id must be lower-case letters a-z, digits and _"
    for name in sorted(set(fields) - set(FIELDS)):
        yield f"unknown field {name}; {nearest(name, FIELDS)}"
    for code in CODES:
        if code in fields and not (isinstance(fields[code], str) and _CODE.fullmatch(fields[code])):
            yield f"{code} {fields[code]!r} is not four digits in quotes"
    if fields.get("seniority") not in (None, *SENIORITIES):
        yield f"seniority {fields['seniority']!r} is not one of {', '.join(SENIORITIES)}"
    if not entry.texts:
        yield "no language; give it a name in one, such as [roles.sv] or a column name sv"


def _text_faults(texts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for language, text in texts.items():
        if not LANGUAGE.fullmatch(language):
            yield f"{language!r} is no code of a language, such as sv or de"
        for name in sorted(set(text) - set(_TEXT_KEYS)):
            yield f"unknown field {language}.{name}; {nearest(name, _TEXT_KEYS)}"
        for name in _TEXT_KEYS:
            value = text.get(name, "")
            if not isinstance(value, str):
                yield f"{language}.{name} must be text, one entry a line"
            elif not value.strip() and (name in text or name != "duties"):
                yield f"{language}.{name} is empty; {_REMEDIES[name]}"
            elif name == "name" and len(value.strip().splitlines()) > 1:
                yield f"{language}.name must stand on one line"
            elif found := _NO_TEXT.search(value):
                yield f"{language}.{name} has a character that is no text, U+{ord(found[0]):04X}"


def title_key(title: str) -> str:
    """Return what two spellings of one title have in common: no case, single spaces."""
    return " ".join(title.casefold().split())


def fingerprint(directory: Path, borrowed: Iterable[Path] = ()) -> str:
    """Return the SHA-256 of the training data below a directory, by name and content.

    Parameters
    ----------
    directory
        The training data: its TOML files but for those that only help to read other files, and
        its workbooks of roles.
    borrowed
        Files that stand elsewhere and are used with it.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    # no model is trained on what reads registers and finds columns
    others = {*(directory / "crosswalk").rglob("*.toml"), directory / "columns.toml"}
    texts = set(directory.rglob("*.toml")) - others
    for path in sorted({*texts, *role_files(directory / "roles")}):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for path in borrowed:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()

"""The role catalogue: kinds of job with their titles and duties, read and checked."""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier.errors import TrainingDataError
from classifier.taxonomy import SENIORITIES, Taxonomy, read_toml

_CODE = re.compile(r"\d{4}")
_ID = re.compile(r"[a-z][a-z0-9_]*")
_ROLE_KEYS = {"id", "isco", "ssyk", "seniority"}
_TEXT_KEYS = {"name", "titles", "duties"}


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
            Holds the TOML files.
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
        reader = _Reader(taxonomy)
        for path in sorted(directory.glob("*.toml")):
            reader.read(path)
        missing = sorted(set(taxonomy.departments) - {r.department for r in reader.roles.values()})
        reader.problems.extend(f"{directory}: no roles for department {name}" for name in missing)
        if reader.problems:
            raise TrainingDataError("\n".join(reader.problems))
        order = list(taxonomy.departments)
        ordered = sorted(reader.roles.values(), key=lambda role: order.index(role.department))
        return cls({role.id: role for role in ordered})


class _Reader:
    """Gathers roles and problems over all files of a catalogue."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.roles: dict[str, Role] = {}
        self.problems: list[str] = []
        self._claims: dict[str, Role] = {}

    def read(self, path: Path) -> None:
        try:
            document = read_toml(path)
        except TrainingDataError as error:
            self.problems.append(str(error))
            return
        department = document.get("department", "")
        if department not in self.taxonomy.departments:
            self.problems.append(f"{path}: unknown department {department!r}")
            return
        lines = path.read_text(encoding="utf-8").splitlines()
        for entry in document.get("roles", []):
            self._read_role(entry, department, path, lines)

    def _read_role(
        self, entry: Mapping[str, Any], department: str, path: Path, lines: list[str]
    ) -> None:
        key = str(entry.get("id", ""))
        line = next((n for n, text in enumerate(lines, 1) if f'"{key}"' in text), 1)
        where = f"{path}:{line}: role {key or '(without id)'}"
        texts = {name: value for name, value in entry.items() if isinstance(value, dict)}
        faults = [*_role_faults(entry, texts), *_text_faults(texts)]
        if key in self.roles:
            faults.append("this id stands twice")
        role = _make_role(entry, key, department, texts)
        faults.extend(self._claim(role, lines))
        self.problems.extend(f"{where}: {fault}" for fault in faults)
        self.roles[key] = role

    def _claim(self, role: Role, lines: list[str]) -> Iterator[str]:
        """Give each title to its role; yield those that already have one."""
        for titles in role.titles.values():
            own: set[str] = set()
            for title in titles:
                key = title_key(title)
                owner = self._claims.setdefault(key, role)
                if owner is not role or key in own:
                    line = next((n for n, text in enumerate(lines, 1) if title in text), 1)
                    yield (
                        f"line {line}: title {title!r} is already claimed by role {owner.id} "
                        f"of {owner.department}"
                    )
                own.add(key)


def _make_role(
    entry: Mapping[str, Any], key: str, department: str, texts: Mapping[str, Mapping[str, Any]]
) -> Role:
    names = {language: str(text.get("name", "")).strip() for language, text in texts.items()}
    titles = {
        language: (names[language], *_lines(text.get("titles", "")))
        for language, text in texts.items()
    }
    duties = {language: _lines(text.get("duties", "")) for language, text in texts.items()}
    codes = (entry.get("seniority"), entry.get("isco"), entry.get("ssyk"))
    return Role(key, department, names, titles, duties, *codes)


def _role_faults(entry: Mapping[str, Any], texts: Mapping[str, Any]) -> Iterator[str]:
    if not _ID.fullmatch(str(entry.get("id", ""))):
        yield "id must be lower-case letters, digits and _"
    for name in sorted(set(entry) - _ROLE_KEYS - set(texts)):
        yield f"unknown field {name}"
    for code in ("isco", "ssyk"):
        if code in entry and not _CODE.fullmatch(str(entry[code])):
            yield f"{code} {entry[code]!r} is not four digits in quotes"
    if entry.get("seniority") not in (None, *SENIORITIES):
        yield f"seniority {entry['seniority']!r} is not one of {', '.join(SENIORITIES)}"
    if not texts:
        yield "no language; add a table such as [roles.sv]"


def _text_faults(texts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for language, text in texts.items():
        for name in sorted(set(text) - _TEXT_KEYS):
            yield f"unknown field {language}.{name}"
        for name in sorted(_TEXT_KEYS):
            value = text.get(name, "")
            if not isinstance(value, str):
                yield f"{language}.{name} must be text, one entry a line"
            elif not value.strip():
                yield f"{language}.{name} is empty"


def _lines(block: object) -> tuple[str, ...]:
    stripped = (line.strip() for line in str(block).splitlines())
    return tuple(line for line in stripped if line)


def title_key(title: str) -> str:
    """Return what two spellings of one title have in common: no case, single spaces."""
    return " ".join(title.casefold().split())


def fingerprint(directory: Path) -> str:
    """Return the SHA-256 of all files below a directory, by name and content.

    Parameters
    ----------
    directory
        The training data.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*.toml")):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()

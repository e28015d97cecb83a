"""Which office category a label falls in, and on what basis: stated, never learned."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.errors import InputError, TrainingDataError
from classifier.places import Lines, nearest
from classifier.taxonomy import ID, Taxonomy, basis_fault, read_lines

DEFAULT = "document"
"""The policy that is taken unless another is named."""

_FIELDS = {"id", "description", "default", "departments", "roles"}
_FEW = 40  # names that a message may list


@dataclass(frozen=True)
class Rule:
    """A category and the reason for it.

    Parameters
    ----------
    category
        The id of an office category.
    basis
        Why: one of `classifier.taxonomy.BASES`, or a reason in other words.
    """

    category: str
    basis: str


@dataclass(frozen=True)
class Policy:
    """Maps departments and roles to categories.

    Parameters
    ----------
    id
        Its name, as ``--policy`` takes it.
    description
        Language code to a sentence on what it does.
    departments
        Department id to rule, for every department of the taxonomy.
    roles
        Role id to rule; it overrides that of the role's department.
    """

    id: str
    description: Mapping[str, str]
    departments: Mapping[str, Rule]
    roles: Mapping[str, Rule]

    def rule(self, department: str, role: str) -> Rule:
        """Return the rule that decides the category of a label."""
        return self.roles.get(role) or self.departments[department]

    @classmethod
    def of_taxonomy(cls, taxonomy: Taxonomy) -> "Policy":
        """Return the policy that the taxonomy itself states, called `DEFAULT`."""
        stated = {d.id: Rule(d.category, d.basis) for d in taxonomy.departments.values()}
        return cls(DEFAULT, {}, stated, {})

    @classmethod
    def from_file(
        cls, path: Path, taxonomy: Taxonomy, roles: Collection[str] | None = None
    ) -> "Policy":
        """Read a policy.

        Parameters
        ----------
        path
            A TOML file like those in `training_data/policies`. Departments that it does not name
            get its ``default``; without one, what the taxonomy states.
        taxonomy
            The departments and categories it may speak of.
        roles
            The ids of the roles it may speak of; any if None.

        Returns
        -------
        Policy
            The validated policy.

        Raises
        ------
        TrainingDataError
            If the file cannot be read, or names a department, category or role that is not there;
            every problem is a line.
        """
        policy, problems = cls.read(path, taxonomy, roles)
        if problems:
            raise TrainingDataError("\n".join(problems))
        return policy

    @classmethod
    def read(
        cls, path: Path, taxonomy: Taxonomy, roles: Collection[str] | None = None
    ) -> "tuple[Policy, list[str]]":
        """Read a policy as far as that goes, and list what is wrong with it.

        Parameters
        ----------
        path, taxonomy, roles
            As for `from_file`.

        Returns
        -------
        Policy
            What could be read.
        list of str
            Problems, each with file, line and what to do.
        """
        stated = cls.of_taxonomy(taxonomy)
        try:
            document, lines = read_lines(path)
        except TrainingDataError as error:
            return stated, [str(error)]
        reader = _Reader(document, lines, taxonomy)
        default = reader.default()
        description = document.get("description", {})
        if not isinstance(description, dict):
            reader.say("description must be a table by language, such as en = …", "description")
        given = dict.fromkeys(stated.departments, default) if default else stated.departments
        policy = cls(
            id=str(document.get("id", path.stem)),
            description=description if isinstance(description, dict) else {},
            departments={**given, **reader.rules("departments", taxonomy.departments)},
            roles=reader.rules("roles", roles),
        )
        return policy, reader.problems


class _Reader:
    """Gathers the rules and problems of a policy."""

    def __init__(self, document: Mapping[str, Any], lines: Lines, taxonomy: Taxonomy) -> None:
        self.problems: list[str] = []
        self._document = document
        self._lines = lines
        self._categories = taxonomy.categories
        for name in sorted(set(document) - _FIELDS):
            self.say(f"unknown field {name}; {nearest(name, sorted(_FIELDS))}", name)

    def say(self, problem: str, *path: str) -> None:
        self.problems.append(f"{self._lines.place(self._lines.table(*path))}: {problem}")

    def _table(self, name: str) -> Mapping[str, Any]:
        found = self._document.get(name, {})
        if isinstance(found, dict):
            return found
        self.say(f"{name} must be a table, such as [{name}]", name)
        return {}

    def default(self) -> Rule | None:
        """Return the rule of departments that are not named, if one is given."""
        entry = self._table("default")
        return self._rule(entry, "default") if "category" in entry else None

    def rules(self, table: str, known: Collection[str] | None) -> dict[str, Rule]:
        """Return the rules of a table; those of what is not known are problems."""
        found = {}
        for key, entry in self._table(table).items():
            if not isinstance(entry, dict):
                self.say(f"{table}.{key}: must be a table with category and basis", table, key)
                continue
            rule = self._rule(entry, table, key)
            if known is None or key in known:
                found[key] = rule
            else:
                kind = table.removesuffix("s")
                self.say(f"unknown {kind} {key}; {_which(key, known)}", table, key)
        return found

    def _rule(self, entry: Mapping[str, Any], *path: str) -> Rule:
        name, category = ".".join(path), entry.get("category", "")
        basis = entry.get("basis", self._table("default").get("basis"))
        for field in sorted(set(entry) - {"category", "basis"}):
            self.say(f"{name}: unknown field {field}", *path, field)
        if category not in self._categories:
            known = nearest(category, self._categories)
            self.say(f"{name}: category {category!r} is not known; {known}", *path)
        if (fault := basis_fault(basis)) is not None:
            self.say(f"{name}: {fault}", *path)
        return Rule(str(category), str(basis or ""))


def _which(key: str, known: Collection[str]) -> str:
    """Say what is meant, or what to do; roles are too many to list."""
    if len(known) < _FEW:
        return nearest(key, list(known))
    found = nearest(key, list(known))
    return found if found.endswith("?") else "rename the rule or take it out"


def read_policies(directory: Path, taxonomy: Taxonomy) -> dict[str, Policy]:
    """Read all policies of a directory.

    Parameters
    ----------
    directory
        Holds one TOML file a policy.
    taxonomy
        The departments and categories they may speak of.

    Returns
    -------
    dict of str to Policy
        Id to policy.

    Raises
    ------
    TrainingDataError
        If one of them is faulty, or there is none called ``document`` in it.
    """
    policies, problems = gather_policies(directory, taxonomy)
    if problems:
        raise TrainingDataError("\n".join(problems))
    return policies


def gather_policies(
    directory: Path, taxonomy: Taxonomy, roles: Collection[str] | None = None
) -> tuple[dict[str, Policy], list[str]]:
    """Read all policies of a directory as far as that goes, and list what is wrong with them.

    Parameters
    ----------
    directory
        Holds one TOML file a policy; if it is not there, the taxonomy's own is the only one.
    taxonomy, roles
        As for `Policy.from_file`.

    Returns
    -------
    dict of str to Policy
        Id to policy.
    list of str
        Problems, each with file, line and what to do.
    """
    if not directory.exists():
        return {DEFAULT: Policy.of_taxonomy(taxonomy)}, []
    policies: dict[str, Policy] = {}
    problems = []
    for path in sorted(directory.glob("*.toml")):
        policy, faults = Policy.read(path, taxonomy, roles)
        problems += faults
        if not ID.fullmatch(policy.id):
            problems.append(f"{path}: policy {policy.id!r}: an id has a-z, 0-9 and _; give it one")
        if policy.id in policies:
            problems.append(f"{path}: policy {policy.id} stands in another file, too; rename one")
        policies[policy.id] = policy
    if DEFAULT not in policies:
        problems.append(
            f"{directory}: no policy called {DEFAULT}, the default; add {DEFAULT}.toml, or take "
            "the directory away: then the taxonomy alone decides"
        )
    return policies, problems


def find_policy(
    name: str,
    policies: Mapping[str, Policy],
    taxonomy: Taxonomy,
    roles: Collection[str] | None = None,
) -> Policy:
    """Return a policy by its name or from a file.

    Parameters
    ----------
    name
        The id of a known policy, or the path of a TOML file.
    policies
        The known ones.
    taxonomy
        The departments and categories a file may speak of.
    roles
        The ids of the roles it may speak of; any if None.

    Returns
    -------
    Policy
        The policy meant.

    Raises
    ------
    InputError
        If there is neither a policy nor a file of that name.
    TrainingDataError
        If the file is not a valid policy.
    """
    if name in policies:
        return policies[name]
    path = Path(name)
    if not path.is_file():
        raise InputError(
            f"policy {name!r}: neither one of {', '.join(policies)} nor a file that exists"
        )
    return Policy.from_file(path, taxonomy, roles)

"""Which office category a label falls in, and on what basis: stated, never learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.errors import InputError, TrainingDataError
from classifier.taxonomy import BASES, Taxonomy, read_toml


@dataclass(frozen=True)
class Rule:
    """A category and the reason for it.

    Parameters
    ----------
    category
        The id of an office category.
    basis
        Why, one of `classifier.taxonomy.BASES`.
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
    def from_file(cls, path: Path, taxonomy: Taxonomy) -> "Policy":
        """Read a policy; departments it does not name keep what the taxonomy states.

        Parameters
        ----------
        path
            A TOML file like those in `training_data/policies`.
        taxonomy
            The departments and categories it may speak of.

        Returns
        -------
        Policy
            The validated policy.

        Raises
        ------
        TrainingDataError
            If the file cannot be read, or names a department, category or basis that is not there.
        """
        document = read_toml(path)
        stated = {d.id: Rule(d.category, d.basis) for d in taxonomy.departments.values()}
        departments = _rules(document, "departments", taxonomy, path)
        unknown = sorted(set(departments) - set(stated))
        if unknown:
            raise TrainingDataError(f"{path}: unknown department {', '.join(unknown)}")
        return cls(
            id=str(document.get("id", path.stem)),
            description=document.get("description", {}),
            departments=stated | departments,
            roles=_rules(document, "roles", taxonomy, path),
        )


def _rules(
    document: Mapping[str, Any], table: str, taxonomy: Taxonomy, path: Path
) -> dict[str, Rule]:
    rules = {}
    for key, entry in document.get(table, {}).items():
        rule = Rule(entry.get("category", ""), entry.get("basis", ""))
        if rule.category not in taxonomy.categories:
            raise TrainingDataError(
                f"{path}: {table}.{key}: category {rule.category!r} is not one of "
                + ", ".join(taxonomy.categories)
            )
        if rule.basis not in BASES:
            raise TrainingDataError(
                f"{path}: {table}.{key}: basis {rule.basis!r} is not one of {', '.join(BASES)}"
            )
        rules[key] = rule
    return rules


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
        If one of them cannot be read, or there is none called ``document``.
    """
    found = [Policy.from_file(path, taxonomy) for path in sorted(directory.glob("*.toml"))]
    policies = {policy.id: policy for policy in found}
    if "document" not in policies:
        raise TrainingDataError(f"{directory}: no policy called document, the default")
    return policies


def find_policy(name: str, policies: Mapping[str, Policy], taxonomy: Taxonomy) -> Policy:
    """Return a policy by its name or from a file.

    Parameters
    ----------
    name
        The id of a known policy, or the path of a TOML file.
    policies
        The known ones.
    taxonomy
        The departments and categories a file may speak of.

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
    return Policy.from_file(path, taxonomy)

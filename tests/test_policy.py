"""Policies: from department and role to category."""

from pathlib import Path

import pytest

from classifier import paths
from classifier.errors import InputError, TrainingDataError
from classifier.policy import Policy, Rule, find_policy, read_policies
from classifier.taxonomy import Taxonomy

TAXONOMY = Taxonomy.from_file(paths.training_data() / "taxonomy.toml")
POLICIES = read_policies(paths.training_data() / "policies", TAXONOMY)


@pytest.mark.parametrize(
    ("policy", "department", "role", "rule"),
    [
        ("document", "customer_service", "", Rule("back_office", "document")),
        ("customer_contact", "customer_service", "", Rule("front_office", "customer_contact")),
        ("document", "payroll", "", Rule("back_office", "document")),
        ("customer_contact", "payroll", "", Rule("back_office", "customer_contact")),
        ("document", "administration", "", Rule("back_office", "customer_contact")),
        ("document", "administration", "receptionist", Rule("front_office", "role")),
        ("document", "finance", "bank_teller", Rule("front_office", "role")),
        ("document", "transport", "", Rule("outside_office", "outside")),
    ],
)
def test_the_shipped_policies(policy: str, department: str, role: str, rule: Rule) -> None:
    """Each shipped policy gives the category and basis that it promises."""
    assert POLICIES[policy].rule(department, role) == rule


def test_a_policy_of_ones_own(tmp_path: Path) -> None:
    """A file that states one rule leaves the other departments as the taxonomy has them."""
    path = tmp_path / "mine.toml"
    path.write_text('[departments.sales]\ncategory = "back_office"\nbasis = "customer_contact"\n')
    policy = find_policy(str(path), POLICIES, TAXONOMY)
    assert policy.id == "mine"
    assert policy.rule("sales", "").category == "back_office"
    assert policy.rule("marketing", "").category == "front_office"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[departments.sale]\ncategory="back_office"\nbasis="role"', "unknown department sale"),
        ('[departments.sales]\ncategory="middle"\nbasis="role"', "category 'middle'"),
        ('[roles.x]\ncategory="back_office"\nbasis=""', "basis must be a text of 1-200"),
        ('[roles.x]\ncategory="back_office"', "roles.x: no basis"),
        ('[role.x]\ncategory="back_office"', "did you mean 'roles'?"),
    ],
)
def test_faults_are_named(tmp_path: Path, content: str, said: str) -> None:
    """A policy that speaks of what is not there is refused by name."""
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(TrainingDataError, match="mine.toml") as error:
        Policy.from_file(path, TAXONOMY)
    assert said in str(error.value)


def test_an_unknown_policy_lists_the_known_ones() -> None:
    """Neither a policy nor a file: the message names the policies there are."""
    with pytest.raises(InputError, match="customer_contact, document"):
        find_policy("nowhere", POLICIES, TAXONOMY)


def test_the_default_policy_must_be_there(tmp_path: Path) -> None:
    """A directory without the default policy is refused."""
    with pytest.raises(TrainingDataError, match="no policy called document"):
        read_policies(tmp_path, TAXONOMY)

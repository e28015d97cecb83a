"""The role catalogue and the faults it refuses."""

from collections import Counter
from pathlib import Path

import pytest

from classifier import paths
from classifier.catalogue import Catalogue, fingerprint
from classifier.errors import TrainingDataError
from classifier.taxonomy import Taxonomy

TAXONOMY = Taxonomy.from_file(paths.training_data() / "taxonomy.toml")
SMALL = Taxonomy("1", {"payroll": TAXONOMY.departments["payroll"]}, TAXONOMY.category_names)
ROLE = """
[[roles]]
id = "{id}"
{more}
[roles.sv]
name = "{name}"
titles = "{titles}"
duties = "Kör lön"
"""


def write(directory: Path, *roles: str, department: str = "payroll") -> Path:
    text = f'department = "{department}"\n' + "".join(roles)
    (directory / "payroll.toml").write_text(text, encoding="utf-8")
    return directory


def role(id: str = "clerk", name: str = "Lönist", titles: str = "Lönis", more: str = "") -> str:  # noqa: A002
    return ROLE.format(id=id, name=name, titles=titles, more=more)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.from_directory(paths.training_data() / "roles", TAXONOMY)


def test_every_department_is_deep_enough(catalogue: Catalogue) -> None:
    """Each department has eight roles or more, each with titles and duties in both languages."""
    roles = Counter(r.department for r in catalogue.roles.values())
    assert min(roles[d] for d in TAXONOMY.departments) >= 8
    for one in catalogue.roles.values():
        for language in ("sv", "en"):
            assert len(one.titles[language]) >= 8, (one.id, language)
            assert len(one.duties[language]) >= 4, (one.id, language)


def test_the_name_is_the_first_title(tmp_path: Path) -> None:
    """A role's name counts as a title; blank lines do not."""
    found = Catalogue.from_directory(write(tmp_path, role(titles="A\\n\\n B ")), SMALL)
    assert found.roles["clerk"].titles == {"sv": ("Lönist", "A", "B")}


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ([role(), role(name="Annan", titles="Någon")], "this id stands twice"),
        ([role(), role("other", "Annan", "LÖNIST")], "already claimed by role clerk of payroll"),
        ([role(titles="Lönis\\nlönis ")], "already claimed by role clerk"),
        ([role(more='isco = "43"')], "isco '43' is not four digits"),
        ([role(more='ssyk = "41A2"')], "ssyk '41A2'"),
        ([role(more='seniority = "boss"')], "seniority 'boss'"),
        ([role(more='colour = "blue"')], "unknown field colour"),
        ([role(name="")], "sv.name is empty"),
        ([role(titles=" ")], "sv.titles is empty"),
        ([role(id="Löne Clerk")], "id must be"),
    ],
)
def test_faults_are_named(tmp_path: Path, roles: list[str], said: str) -> None:
    """Each fault is an error that names the file, the line and the role."""
    with pytest.raises(TrainingDataError, match=r"payroll.toml:\d+: role") as error:
        Catalogue.from_directory(write(tmp_path, *roles), SMALL)
    assert said in str(error.value)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    """A file with several faults gives one message with all of them."""
    write(tmp_path, role(more='isco = "1"\nssyk = "2"'), role("b", "B", "lönis"))
    with pytest.raises(TrainingDataError) as error:
        Catalogue.from_directory(tmp_path, SMALL)
    assert len(str(error.value).splitlines()) == 3


def test_a_title_of_two_departments_is_refused(tmp_path: Path) -> None:
    """A title that two departments claim is an error that names both."""
    write(tmp_path, role())
    other = write(tmp_path, role("b", "Lönist", "C")).joinpath("payroll.toml").read_text("utf-8")
    (tmp_path / "finance.toml").write_text(other.replace('"payroll"', '"finance"'), "utf-8")
    write(tmp_path, role())
    two = Taxonomy(
        "1", {d: TAXONOMY.departments[d] for d in ("payroll", "finance")}, TAXONOMY.category_names
    )
    with pytest.raises(TrainingDataError, match="already claimed by role b of finance"):
        Catalogue.from_directory(tmp_path, two)


def test_an_unknown_department_is_refused(tmp_path: Path) -> None:
    """A file of a department that the taxonomy lacks is refused by name."""
    with pytest.raises(TrainingDataError, match="unknown department 'lön'"):
        Catalogue.from_directory(write(tmp_path, role(), department="lön"), SMALL)


def test_a_department_without_roles_is_refused(tmp_path: Path) -> None:
    """Every department of the taxonomy needs roles."""
    with pytest.raises(TrainingDataError, match="no roles for department payroll"):
        Catalogue.from_directory(tmp_path, SMALL)


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    """Any change of a file changes the fingerprint; reading it again does not."""
    before = fingerprint(write(tmp_path, role()))
    assert fingerprint(tmp_path) == before
    assert fingerprint(write(tmp_path, role(titles="Lönis 2"))) != before

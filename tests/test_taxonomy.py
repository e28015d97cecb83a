"""The taxonomy and the files behind it."""

from pathlib import Path

import pytest

from classifier import paths
from classifier.errors import TrainingDataError
from classifier.taxonomy import Taxonomy

OFFICE = {
    "back_office": 12,
    "front_office": 3,
    "outside_office": 8,
}


def test_the_shipped_taxonomy_is_whole() -> None:
    """There are 23 departments, named in both languages, divided as the design says."""
    taxonomy = Taxonomy.from_file(paths.training_data() / "taxonomy.toml")
    found = [d.category for d in taxonomy.departments.values()]
    assert {category: found.count(category) for category in taxonomy.categories} == OFFICE
    assert all(set(d.names) == {"sv", "en"} for d in taxonomy.departments.values())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[names]\nback_office = {}\n", "no departments"),
        ('[departments.x]\nnames={en="X"}\ncategory="back"\nbasis="document"', "category 'back'"),
        (
            '[names.b]\nen="B"\n[departments.x]\nnames={en="X"}\ncategory="b"\nbasis=" "',
            "basis must be a text of 1-200 characters",
        ),
        ('[names.b]\nen="B"\n[departments.x]\ncategory="b"\nbasis="role"', "no names"),
        (
            '[names.b]\nen="B"\n[departments.x]\nnames={en="A",sv="Lön"}\ncategory="b"\nbasis="x"\n'
            '[departments.y]\nnames={en="Pay",sv="LÖN"}\ncategory="b"\nbasis="x"\n',
            "taxonomy.toml:8: department y: 'LÖN' is x already; give it another name",
        ),
        ("[departments", "not valid TOML"),
        ("x = '\xe5'", "not UTF-8"),
    ],
)
def test_faults_are_named(tmp_path: Path, content: str, said: str) -> None:
    """A faulty taxonomy is an error that names the file and the fault."""
    path = tmp_path / "taxonomy.toml"
    path.write_bytes(content.encode("latin-1" if content.startswith("x") else "utf-8"))
    with pytest.raises(TrainingDataError, match="taxonomy.toml") as error:
        Taxonomy.from_file(path)
    assert said in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A missing file is an error that names it."""
    with pytest.raises(TrainingDataError, match="nowhere.toml"):
        Taxonomy.from_file(tmp_path / "nowhere.toml")

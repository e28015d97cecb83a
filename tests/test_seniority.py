"""Seniority read from titles."""

import csv
from pathlib import Path

import pytest

from classifier import JobTitleClassifier
from classifier.errors import TrainingDataError
from classifier.seniority import SeniorityReader
from classifier.text import Tokenizer
from tests.conftest import ROOT

TITLES = {
    "entry": "Junior Developer|Payroll trainee|Praktikant HR|Graduate engineer|Lärling, elektriker",
    "professional": (
        "Löneadministratör|Account Manager|Lead Generation Officer|Internal auditor|Managing Editor|"
        "Executive Assistant to the CEO|Chefssekreterare|Barnchef|Projektledare|Chef de partie|"
        "Senior care assistant|Handledare|VD-assistent"
    ),
    "senior": "Senior Payroll Officer|Sr. Accountant|Redovisningsspecialist|Principal Engineer",
    "lead": "Team Lead, Support|Gruppledare kundtjänst|Warehouse supervisor|Förman|Verkmästare",
    "manager": "Lönechef|HR-chef|Payroll Mgr.|Bitr. enhetschef|Förskolechef|Senior HR manager",
    "director": "HR Director|Ekonomidirektör|Head of Finance|Vice President, Sales|VP Marketing",
    "executive": "VD|CEO|Chief People Officer|Managing Director|Founder|Styrelseledamot",
}


@pytest.mark.parametrize(
    ("title", "level"), [(t, level) for level, titles in TITLES.items() for t in titles.split("|")]
)
def test_levels_and_traps(model: JobTitleClassifier, title: str, level: str) -> None:
    """Marker words set the level; words that only look like markers do not."""
    assert model.seniority.read(title).level == level


def test_the_list_of_titles(model: JobTitleClassifier) -> None:
    """At least 95 in 100 titles of a list written apart from the marker words are read right."""
    with (ROOT / "tests" / "data" / "seniority_titles.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wrong = [row for row in rows if model.seniority.read(row["title"]).level != row["seniority"]]
    assert len(rows) >= 300
    assert len(wrong) <= 0.05 * len(rows), wrong


def test_the_role_speaks_where_the_title_is_silent(model: JobTitleClassifier) -> None:
    """A level fixed by the role counts only for a title that says nothing of its own."""
    read = model.seniority.read
    assert read("Löneadministratör", fixed="manager").level == "manager"
    assert read("Junior löneadministratör", fixed="manager").level == "entry"


@pytest.mark.parametrize(
    ("sentence", "level"),
    [
        ("Du är nyexaminerad ekonom eller har studerat lön.", "entry"),
        ("No experience required, we train you.", "entry"),
        ("Rollen innebär personalansvar för tolv medarbetare.", "manager"),
        ("You will lead a team of six and plan their shifts.", "lead"),
        ("Minst tio års erfarenhet av redovisning.", "senior"),
        ("10+ years of experience in payroll", "senior"),
        ("You report to the manager and work with senior colleagues.", "professional"),
        ("Vår chef heter Anna.", "professional"),
    ],
)
def test_the_text_speaks_where_title_and_role_are_silent(
    model: JobTitleClassifier, sentence: str, level: str
) -> None:
    """A sentence that tells the job's own level counts; the levels of others do not."""
    read = model.seniority.read
    assert read("Ekonom", [sentence]).level == level
    assert read("Ekonomichef", [sentence]).level == "manager"
    assert read("Ekonom", [sentence], "lead").level == "lead"


def test_each_way_of_reading_has_its_confidence(model: JobTitleClassifier) -> None:
    """A marker in the title is surer than the role, and that surer than the text."""
    read = model.seniority.read
    title, role = read("Ekonomichef"), read("Ekonom", fixed="lead")
    text = read("Ekonom", ["Du har personalansvar."])
    assert 1 > title.confidence > role.confidence > text.confidence > 0.5


def test_an_unknown_level_is_refused(tmp_path: Path) -> None:
    """A file that speaks of a level that is not there is refused by name."""
    path = tmp_path / "seniority.toml"
    rates = "[confidence]\ntitle = 1\nrole = 1\ntext = 1\nnone = 1\n"
    path.write_text(f'{rates}[levels]\nboss = "boss"\n')
    with pytest.raises(TrainingDataError, match="levels boss"):
        SeniorityReader.from_file(path, Tokenizer({}))
    path.write_text("[confidence]\ntitle = 1\nrole = 1\nnone = 1\n")
    with pytest.raises(TrainingDataError, match="no confidence for text"):
        SeniorityReader.from_file(path, Tokenizer({}))

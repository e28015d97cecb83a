"""A list of real-sounding titles, written apart from the catalogue, with what they are."""

import csv
from collections import Counter

import pytest

from classifier import JobTitleClassifier
from classifier.catalogue import title_key
from tests.conftest import ROOT


def read(name: str) -> list[dict[str, str]]:
    with (ROOT / "tests" / "data" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


TITLES = read("regression_titles.csv")
TRAPS = """Lead Generation Specialist|Internal Communications Manager|Managing Editor|
Executive Assistant to the CEO|Mobile Phlebotomist|QA Nurse|Data Entry Clerk (Payroll)|
Legal Secretary|Sales Engineer|Customer Success Manager|IT-säljare|Personlig assistent|
Chef de partie|Chefssekreterare|Programledare|Systemvetare|Revisorsassistent|
Marknadsundersökare|Vårdadministratör"""


def test_the_list_is_broad_and_apart_from_the_catalogue(model: JobTitleClassifier) -> None:
    """Fifteen titles or more a department and language, nine in ten of them not in the catalogue."""
    counts = Counter((row["department"], row["language"]) for row in TITLES)
    assert len(TITLES) >= 600
    assert min(counts[d, lang] for d in model.taxonomy.departments for lang in ("sv", "en")) >= 15
    known = {title_key(title) for role in model.reference.roles.roles for title in role.all_titles}
    assert sum(title_key(row["title"]) in known for row in TITLES) <= 0.1 * len(TITLES)


def test_departments_and_categories(model: JobTitleClassifier) -> None:
    """At least 95 in 100 titles get their department, and as many their category."""
    labels = model.predict([row["title"] for row in TITLES], min_confidence=0)
    pairs = list(zip(TITLES, labels, strict=True))
    wrong = [
        (row["title"], row["department"], label.candidates[0])
        for row, label in pairs
        if label.department != row["department"]
    ]
    assert len(wrong) <= 0.05 * len(TITLES), wrong
    wrong_category = [row["title"] for row, label in pairs if label.category != row["category"]]
    assert len(wrong_category) <= 0.05 * len(TITLES), wrong_category


def test_the_shipped_threshold(model: JobTitleClassifier) -> None:
    """At the shipped threshold at least 9 in 10 are answered, and 96 in 100 of those rightly."""
    labels = model.predict([row["title"] for row in TITLES])
    answered = [(r, label) for r, label in zip(TITLES, labels, strict=True) if label.department]
    right = sum(row["department"] == label.department for row, label in answered)
    assert len(answered) >= 0.9 * len(TITLES)
    assert right >= 0.96 * len(answered)


def test_roles(model: JobTitleClassifier) -> None:
    """At least 85 in 100 titles whose role is stated, and whose department is right, get it."""
    rows = [row for row in TITLES if row["role"]]
    labels = model.predict([row["title"] for row in rows], min_confidence=0)
    wrong = [
        (row["title"], row["role"], label.role)
        for row, label in zip(rows, labels, strict=True)
        if label.role != row["role"]
    ]
    assert len(wrong) <= 0.15 * len(rows), wrong


@pytest.mark.parametrize("trap", [t.strip() for t in TRAPS.replace("\n", "").split("|")])
def test_traps(model: JobTitleClassifier, trap: str) -> None:
    """Titles whose words point the wrong way are labelled right, each one of them."""
    expected = next(row for row in TITLES if row["title"] == trap)
    label = model.predict([trap], min_confidence=0)[0]
    assert (label.department, label.category) == (expected["department"], expected["category"])


def test_ordinary_short_titles(model: JobTitleClassifier) -> None:
    """Titles that anyone knows are labelled: at most 3 in 100 unknown, 5 in 100 wrong."""
    rows = read("short_titles.csv")
    labels = model.predict([row["title"] for row in rows])
    unknown = [r["title"] for r, label in zip(rows, labels, strict=True) if not label.department]
    wrong = [
        (r["title"], r["department"], label.department)
        for r, label in zip(rows, labels, strict=True)
        if label.department != r["department"]
    ]
    assert len(unknown) <= 0.03 * len(rows), unknown
    assert len(wrong) <= 0.05 * len(rows), wrong


def test_what_is_no_title_is_unknown(model: JobTitleClassifier) -> None:
    """At least 95 in 100 names, addresses, sentences, codes and noise get no department."""
    rows = read("not_titles.csv")
    labels = model.predict([row["text"] for row in rows])
    labelled = [
        (row["text"], label.department)
        for row, label in zip(rows, labels, strict=True)
        if label.status == "labelled"
    ]
    assert len(labelled) <= 0.05 * len(rows), labelled

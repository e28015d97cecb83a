"""The catalogue report."""

from classifier import JobTitleClassifier
from classifier.catalogue import Catalogue, Role
from classifier.report import report
from tests.conftest import Jobtitle


def role(id: str, department: str, *titles: str) -> Role:  # noqa: A002
    return Role(id, department, {"sv": titles[0]}, {"sv": titles}, {"sv": ("Kör lön",) * 6})


def test_faults_of_a_small_catalogue_are_found(model: JobTitleClassifier) -> None:
    """Amounts are counted; a thin role, a misplaced title and twins are found."""
    roles = [
        role("clerk", "payroll", *(f"Löneadministratör {n}" for n in range(12)), "Lastbilsförare"),
        role("driver", "transport", "Förare, lastbil", "Lastbil förare"),
        role("chauffeur", "sales", "lastbil, FÖRARE"),
    ]
    found = report(Catalogue({r.id: r for r in roles}), model)
    assert [(a.department, a.titles, a.duties) for a in found.amounts[:1]] == [("payroll", 13, 6)]
    assert [(r, what) for r, _, what in found.thin] == [
        ("driver", "2 titles"),
        ("chauffeur", "1 titles"),
    ]
    misplaced = {m.title: m.said for m in found.misplaced}
    assert misplaced["Lastbilsförare"] == "transport"
    assert [(a, b) for _, a, _, b in found.near_duplicates] == [("transport", "sales")]


def test_the_report_of_the_shipped_catalogue(jobtitle: Jobtitle) -> None:
    """The command prints amounts, thin spots, misplaced titles and twins."""
    text = jobtitle("taxonomy", "--report").text
    for part in (
        "duty lines",
        "thin spots:",
        "places elsewhere:",
        "same words in two departments:",
    ):
        assert part in text

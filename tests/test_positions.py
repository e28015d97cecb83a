"""Every position of the source document, in wordings that the catalogue does not hold."""

import pytest

from classifier import JobTitleClassifier
from classifier.catalogue import title_key

POSITIONS = {
    "payroll": """
        Inmatare av arbetad tid | Registrerare av tidkort till lönekörningen
        Clerk keying in hours worked | Entering timesheets for payroll
        Handläggare som betalar ut löner | Kontorist på löneavdelningen
        Clerk issuing pay cheques | Wages direct deposit clerk
        Chef över lönekontoristerna | Ledare för löneavdelningen
        Supervisor of the payroll clerks | Manager in charge of payroll staff
    """,
    "human_resources": """
        Personaldirektör på storföretag | Chef för HR-avdelningen
        Director responsible for human resources | Manager of the HR department
        Rekryterare till HR-avdelningen | Rekryterare med ansvar för platsannonser
        Recruiter placing vacancies | In-house recruiter for interviews
        HR-konsult på mindre företag | HR-medarbetare, nybörjare
        HR consultant for small companies | HR officer at a municipality
    """,
    "finance": """
        Redovisningskontorist | Kontorist som stämmer av räkenskaper
        Accounting clerk balancing the books | Clerk making and receiving payments
        Budgetarbete med avdelningschefer | Budgetekonom på förvaltningen
        Budgeting officer for departments | Departmental budget accountant
        Certifierad revisor, internrevision | Revisor för interna granskningar
        Certified auditor, internal audits | Internal auditor of company accounts
        Chef för ekonomiavdelningen | Ekonomichef med plats i styrelsen
        Manager of the finance department | Finance manager sitting on the board
    """,
    "information_technology": """
        Helpdesk-medarbetare för datorproblem | IT-helpdesk till anställda
        Help-desk agent for employees | Computer help desk worker
        Programmerare av ny programvara | Programmerare och utbildare i datorsystem
        Programmer of company software | Programmer who trains staff on software
        Erfaren seniorprogrammerare | Senior programmerare i IT-gruppen
        Senior computer programmer, in-house | Senior programmer in the IT group
        Avdelningschef på IT-enheten | Chef för IT-avdelningen på kommun
        IT department head | Manager of an IT department
    """,
    "customer_service": """
        Kundtjänstmedarbetare på deltid | Anställd i kundservice
        Position in customer service | Worker in customer services
    """,
}
CASES = [
    (title.strip(), department)
    for department, block in POSITIONS.items()
    for line in block.strip().splitlines()
    for title in line.split("|")
]


@pytest.mark.parametrize(("title", "department"), CASES)
def test_the_documents_positions(model: JobTitleClassifier, title: str, department: str) -> None:
    """A position of the document is labelled with its department, and back office."""
    label = model.predict([title])[0]
    assert (label.department, label.category) == (department, "back_office")
    assert label.category_basis == "document"


def test_the_wordings_are_not_in_the_catalogue(model: JobTitleClassifier) -> None:
    """None of these wordings was learned by heart."""
    known = {title_key(title) for role in model.reference.roles.roles for title in role.all_titles}
    assert [title for title, _ in CASES if title_key(title) in known] == []

"""The state of the catalogue: how much there is, where it is thin, and where it disagrees."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from classifier.catalogue import Catalogue
from classifier.model import JobTitleClassifier

FEW_TITLES = 12
"""A role with fewer titles than this in a language is thin."""

FEW_DUTIES = 6
"""A role with fewer duty lines than this in a language is thin."""


@dataclass(frozen=True)
class Amount:
    """How much the catalogue holds of a department in a language.

    Parameters
    ----------
    department, language
        The ids.
    roles, titles, duties
        Numbers of roles, titles and duty lines.
    """

    department: str
    language: str
    roles: int
    titles: int
    duties: int


@dataclass(frozen=True)
class Misplaced:
    """A title that the model places elsewhere than the catalogue does.

    Parameters
    ----------
    title, role
        The title and the id of its role.
    department, said
        The department of the role, and the model's; empty if it gave none.
    confidence
        The model's, 0-1.
    """

    title: str
    role: str
    department: str
    said: str
    confidence: float


@dataclass(frozen=True)
class CatalogueReport:
    """The state of the catalogue.

    Parameters
    ----------
    amounts
        How much there is, by department and language.
    thin
        Role id, language, and what there is little of.
    misplaced
        Titles that the model places elsewhere, the surest first: slips of the catalogue, or titles
        that need company.
    near_duplicates
        Pairs of titles of different departments that hold the same words, with their departments.
    """

    amounts: tuple[Amount, ...]
    thin: tuple[tuple[str, str, str], ...]
    misplaced: tuple[Misplaced, ...]
    near_duplicates: tuple[tuple[str, str, str, str], ...]


def report(catalogue: Catalogue, model: JobTitleClassifier) -> CatalogueReport:
    """Look through the catalogue.

    Parameters
    ----------
    catalogue
        The roles.
    model
        Trained on them.

    Returns
    -------
    CatalogueReport
        What a writer of the catalogue should know.
    """
    return CatalogueReport(
        tuple(_amounts(catalogue)),
        tuple(_thin(catalogue)),
        tuple(sorted(_misplaced(catalogue, model), key=lambda found: -found.confidence)),
        tuple(_near_duplicates(catalogue, model)),
    )


def _amounts(catalogue: Catalogue) -> Iterator[Amount]:
    roles: Counter[tuple[str, str]] = Counter()
    titles: Counter[tuple[str, str]] = Counter()
    duties: Counter[tuple[str, str]] = Counter()
    for role in catalogue.roles.values():
        for language in role.names:
            key = (role.department, language)
            roles[key] += 1
            titles[key] += len(role.titles[language])
            duties[key] += len(role.duties[language])
    for key, number in roles.items():
        yield Amount(*key, roles=number, titles=titles[key], duties=duties[key])


def _thin(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    for role in catalogue.roles.values():
        for language in role.names:
            n_titles, n_duties = len(role.titles[language]), len(role.duties[language])
            if n_titles < FEW_TITLES:
                yield role.id, language, f"{n_titles} titles"
            if n_duties < FEW_DUTIES:
                yield role.id, language, f"{n_duties} duty lines"


def _misplaced(catalogue: Catalogue, model: JobTitleClassifier) -> Iterator[Misplaced]:
    titles = list(catalogue.titles())
    labels = model.predict([title for title, *_ in titles], n_candidates=1)
    for (title, _, role), label in zip(titles, labels, strict=True):
        if label.department != role.department:
            said, confidence = label.department or "", label.confidence or 0.0
            yield Misplaced(title, role.id, role.department, said, confidence)


def _near_duplicates(
    catalogue: Catalogue, model: JobTitleClassifier
) -> Iterator[tuple[str, str, str, str]]:
    alike: defaultdict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for title, _, role in catalogue.titles():
        words = tuple(sorted(set(model.lexicon.tokenizer.words(title))))
        alike[words].setdefault(role.department, title)
    for found in alike.values():
        (department, title), *others = found.items()
        for other, twin in others:
            yield title, department, twin, other

"""What examples say of titles that the catalogue holds, and of those that it does not."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from classifier.catalogue import Catalogue, title_key


@dataclass(frozen=True)
class Clash:
    """A title that the catalogue and the examples place in different departments.

    Parameters
    ----------
    title
        As the catalogue spells it.
    department
        That of the examples; ``|`` between several.
    catalogue_department, role
        Where it stands in the catalogue.
    """

    title: str
    department: str
    catalogue_department: str
    role: str


@dataclass(frozen=True)
class Claim:
    """Where examples say that a title belongs.

    Parameters
    ----------
    titles
        Its spellings, with their languages.
    departments
        One, unless it was seen in postings of several.
    role
        The role, if exactly one was told.
    is_alone
        Whether it stands there without a description.
    """

    titles: tuple[tuple[str, str], ...]
    departments: tuple[str, ...]
    role: str
    is_alone: bool

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, str, str, bool]]) -> "Claim":
        """Join what rows say of one title: where it stands alone, that counts, not its postings.

        Parameters
        ----------
        rows
            Title, language, department, role, and whether there is a description.
        """
        own = list(rows)
        alone = [row for row in own if not row[4]]
        own = alone or own
        departments = tuple(dict.fromkeys(row[2] for row in own))
        roles = {row[3] for row in own if row[3]}
        titles = tuple(dict.fromkeys((row[0], row[1]) for row in own))
        return cls(titles, departments, roles.pop() if len(roles) == 1 else "", bool(alone))

    @property
    def is_told(self) -> bool:
        """Whether the department is beyond doubt."""
        return self.is_alone and len(self.departments) == 1


@dataclass(frozen=True)
class Taught:
    """A catalogue with what examples say of titles.

    Parameters
    ----------
    catalogue
        Less the titles that the examples place elsewhere, with those whose role they tell.
    placed
        Further titles of the examples, with their departments: their roles are to be found.
    moved
        Role id and title, as `title_key` makes it, of the titles that the catalogue no longer has.
    clashes
        Those of them that were moved to another department.
    told
        The words of the titles that stand alone in the examples: there is no doubt about these.
    """

    catalogue: Catalogue
    placed: tuple[tuple[str, str], ...] = ()
    moved: frozenset[tuple[str, str]] = frozenset()
    clashes: tuple[Clash, ...] = ()
    told: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, catalogue: Catalogue, claims: Mapping[str, Claim], spelt: Callable[[str], str]
    ) -> "Taught":
        """Put titles where examples say.

        Parameters
        ----------
        catalogue
            The roles and titles as they stand in the training data.
        claims
            The words of a title to what is said of it.
        spelt
            Returns the words of a title.
        """
        moved, clashes, settled = _compared(catalogue, claims, spelt)
        new = [
            claim
            for key, claim in claims.items()
            if key not in settled and len(claim.departments) == 1
        ]
        placed = (
            (title, claim.departments[0])
            for claim in new
            if not claim.role
            for title, _ in claim.titles
        )
        return cls(
            _with_titles(_without(catalogue, moved), new),
            tuple(placed),
            moved,
            tuple(clashes),
            frozenset(key for key, claim in claims.items() if claim.is_told),
        )


def _compared(
    catalogue: Catalogue, claims: Mapping[str, Claim], spelt: Callable[[str], str]
) -> tuple[frozenset[tuple[str, str]], list[Clash], set[str]]:
    """Find titles that must move, those of them that clash, and those that are in place."""
    moved: set[tuple[str, str]] = set()
    clashes: list[Clash] = []
    settled: set[str] = set()
    for title, _, role in catalogue.titles():
        key = spelt(title)
        claim = claims.get(key)
        if claim is None:
            continue
        elsewhere = role.department not in claim.departments
        if elsewhere:
            told = "|".join(claim.departments)
            clashes.append(Clash(title, told, role.department, role.id))
        if elsewhere or claim.role not in ("", role.id):
            moved.add((role.id, title_key(title)))
        else:
            settled.add(key)
    return frozenset(moved), clashes, settled


def _without(catalogue: Catalogue, moved: Collection[tuple[str, str]]) -> Catalogue:
    """Take titles out of their roles."""
    if not moved:
        return catalogue
    roles = {}
    for role in catalogue.roles.values():
        titles = {
            language: tuple(title for title in own if (role.id, title_key(title)) not in moved)
            for language, own in role.titles.items()
        }
        roles[role.id] = replace(role, titles=titles)
    return Catalogue(roles)


def _with_titles(catalogue: Catalogue, claims: Iterable[Claim]) -> Catalogue:
    """Put titles into the roles that were told."""
    roles = dict(catalogue.roles)
    for claim in claims:
        if claim.role:
            role = roles[claim.role]
            titles = dict(role.titles)
            for title, language in claim.titles:
                titles[language] = (*titles.get(language, ()), title)
            roles[claim.role] = replace(role, titles=titles)
    return Catalogue(roles)

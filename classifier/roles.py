"""The closest role of the catalogue within a department."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from classifier.catalogue import Catalogue, Role
from classifier.text import Tokenizer

if TYPE_CHECKING:  # labels come without scikit-learn, which takes a second to import
    from sklearn.pipeline import Pipeline

_SMOOTHING = 0.1
_NAME_WEIGHT = 2
_DUTY_WEIGHT = 0.3


EXACT_WEIGHT = 20.0
"""What it adds to a role's log-odds that it has the title: more than features ever say."""


@dataclass(frozen=True)
class RoleIndex:
    """Finds the role that a text is closest to.

    Parameters
    ----------
    roles
        All roles; `weights` and `sizes` stand in this order.
    weights : sparse matrix of shape (n_roles, n_features)
        What each feature says for a role: ``log(1 + amount / smoothing)``.
    sizes : ndarray of shape (n_roles,)
        What each feature costs a role: the more a role has, the less a single match says.
    exact
        Normalised title to the positions of the roles that have it.
    tokenizer
        Cuts and normalises titles, as for the features.
    told
        Normalised titles that a user has labelled.

    Notes
    -----
    Multinomial naive Bayes over the features of a role's titles; name and duties weigh otherwise.
    Only features that a role has are stored, so that hundreds of roles stay small.

    References
    ----------
    .. [1] A. McCallum and K. Nigam, "A comparison of event models for naive Bayes text
       classification", AAAI-98 workshop on learning for text categorization.
    """

    roles: tuple[Role, ...]
    weights: sp.csr_matrix
    sizes: np.ndarray
    exact: dict[str, tuple[int, ...]]
    tokenizer: Tokenizer
    told: frozenset[str] = frozenset()

    @classmethod
    def fit(cls, catalogue: Catalogue, vectorizer: "Pipeline", tokenizer: Tokenizer) -> "RoleIndex":
        """Learn the roles of a catalogue in the space of a fitted vectoriser.

        Parameters
        ----------
        catalogue
            The roles.
        vectorizer
            Fitted, from texts to features.
        tokenizer
            Cuts and normalises titles, as for the features.

        Returns
        -------
        RoleIndex
            An index of the catalogue's roles.
        """
        roles = tuple(catalogue.roles.values())
        position = {role.id: n for n, role in enumerate(roles)}
        names = [(name, language, role) for role in roles for language, name in role.names.items()]
        amounts = sp.csr_matrix(
            _amounts(catalogue.titles(), position, vectorizer)
            + _NAME_WEIGHT * _amounts(names, position, vectorizer)
            + _DUTY_WEIGHT * _amounts(catalogue.duties(), position, vectorizer)
        )
        totals = np.asarray(amounts.sum(axis=1)).ravel()
        amounts.data = np.log1p(amounts.data / _SMOOTHING).astype(np.float32)
        exact: dict[str, tuple[int, ...]] = {}
        for title, _, role in catalogue.titles():
            key = " ".join(tokenizer.words(title))
            found = exact.get(key, ())
            if position[role.id] not in found:
                exact[key] = (*found, position[role.id])
        sizes = np.log(totals + _SMOOTHING * amounts.shape[1])
        return cls(roles, amounts, sizes, exact, tokenizer)

    def score(self, X: sp.csr_matrix, titles: Sequence[str]) -> np.ndarray:
        """Return how well each role fits each text, as log-odds within a department.

        Parameters
        ----------
        X : sparse matrix of shape (n_texts, n_features)
            The texts' features.
        titles
            Their titles; one that stands in the catalogue speaks for its own roles.

        Returns
        -------
        ndarray of shape (n_texts, n_roles)
            Log-odds up to a constant a department.
        """
        scores = (X @ self._by_feature).toarray() - np.asarray(X.sum(axis=1)) * self.sizes
        for row, title in enumerate(titles):
            scores[row, list(self.known(title))] += EXACT_WEIGHT
        return np.asarray(scores)

    def closest(
        self, X: sp.csr_matrix, titles: Sequence[str], departments: Sequence[str]
    ) -> list[int]:
        """Find the role that fits each title best within a department that is known.

        Parameters
        ----------
        X : sparse matrix of shape (n_titles, n_features)
            The titles' features.
        titles, departments
            The titles, and the id of the department of each.

        Returns
        -------
        list of n_titles int
            Positions in `roles`.
        """
        scores = self.score(X, titles)
        found = []
        for row, department in enumerate(departments):
            own = self.positions[department]
            found.append(int(own[scores[row, own].argmax()]))
        return found

    def knowing(self, titles: Iterable[tuple[str, int]]) -> "RoleIndex":
        """Return an index that also finds further titles word for word.

        What features say for roles stays as it is: where a role was found by them, to learn it as
        if it had been told makes roles no surer, but more often wrong.

        Parameters
        ----------
        titles
            Titles with the positions of their roles.
        """
        exact = dict(self.exact)
        added: dict[int, list[str]] = {}
        for title, position in titles:
            key = " ".join(self.tokenizer.words(title))
            if position not in exact.get(key, ()):
                exact[key] = (*exact.get(key, ()), position)
            added.setdefault(position, []).append(title)
        roles = list(self.roles)
        for position, own in added.items():
            role = roles[position]
            with_own = {**role.titles, "": (*role.titles.get("", ()), *own)}
            roles[position] = replace(role, titles=with_own)
        return replace(self, roles=tuple(roles), exact=exact)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made again."""
        return {own.name: getattr(self, own.name) for own in fields(self)}

    @cached_property
    def _by_feature(self) -> sp.csr_matrix:
        """The weights with a row for each feature: laid out so, few features take little time."""
        return sp.csr_matrix(self.weights.T)

    @cached_property
    def positions(self) -> dict[str, np.ndarray]:
        """Department to the positions in `roles` of its roles."""
        return positions_by_department(self.roles)

    def known(self, title: str) -> tuple[int, ...]:
        """Return the positions of the roles that have a title, word for word."""
        return self.exact.get(" ".join(self.tokenizer.words(title)), ())

    def is_told(self, title: str) -> bool:
        """Return whether a user has labelled a title."""
        return " ".join(self.tokenizer.words(title)) in self.told

    def known_department(self, title: str) -> str | None:
        """Return the department of a catalogue title; None for others, and where two have it."""
        departments = {self.roles[n].department for n in self.known(title)}
        return departments.pop() if len(departments) == 1 else None


def positions_by_department(roles: Sequence[Role]) -> dict[str, np.ndarray]:
    """Return the positions of the roles of each department."""
    own = np.array([role.department for role in roles])
    return {str(department): np.flatnonzero(own == department) for department in np.unique(own)}


def _amounts(
    texts: Iterable[tuple[str, str, Role]], position: dict[str, int], vectorizer: "Pipeline"
) -> sp.csr_matrix:
    """Sum the features of texts by role."""
    pairs = list(texts)
    X = vectorizer.transform([text for text, _, _ in pairs])
    rows = np.array([position[role.id] for *_, role in pairs])
    shape = (len(position), len(pairs))
    membership = sp.csr_matrix((np.ones(len(pairs)), (rows, np.arange(len(pairs)))), shape=shape)
    return sp.csr_matrix(membership @ X)

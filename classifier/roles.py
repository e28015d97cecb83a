"""The closest role of the catalogue within a department."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import normalize

from classifier.catalogue import Catalogue, Role
from classifier.text import Tokenizer

_DUTY_WEIGHT = 0.3


@dataclass(frozen=True)
class RoleIndex:
    """Finds the role that a text is closest to.

    Parameters
    ----------
    roles
        All roles; the rows of `centroids` stand in this order.
    centroids : sparse matrix of shape (n_roles, n_features)
        The mean direction of each role's titles and duties, unit length.
    exact
        Department and normalised title to the position of its role.
    tokenizer
        Cuts and normalises titles, as for the features.
    """

    roles: tuple[Role, ...]
    centroids: sp.csr_matrix
    exact: dict[tuple[str, str], int]
    tokenizer: Tokenizer

    @classmethod
    def fit(cls, catalogue: Catalogue, vectorizer: Pipeline, tokenizer: Tokenizer) -> "RoleIndex":
        """Place the roles of a catalogue in the space of a fitted vectoriser.

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
        titles = _centroids(catalogue.titles(), position, vectorizer)
        duties = _centroids(catalogue.duties(), position, vectorizer)
        exact: dict[tuple[str, str], int] = {}
        for title, _, role in catalogue.titles():
            key = " ".join(tokenizer.words(title))
            exact.setdefault((role.department, key), position[role.id])
        centroids = normalize(titles + _DUTY_WEIGHT * duties).astype(np.float32)
        return cls(roles, sp.csr_matrix(centroids), exact, tokenizer)

    def closest(
        self, X: sp.csr_matrix, titles: Sequence[str], departments: Sequence[str]
    ) -> np.ndarray:
        """Return the closest role of each text within its department.

        Parameters
        ----------
        X : sparse matrix of shape (n_texts, n_features)
            The texts' features.
        titles
            Their titles; one that stands in the catalogue gets its own role.
        departments
            The department of each text; an empty string for none.

        Returns
        -------
        ndarray of shape (n_texts,)
            Positions in `roles`; -1 where there is no department.
        """
        found = np.full(len(titles), -1)
        if not titles:
            return found
        similarity = (X @ self.centroids.T).toarray()
        own = np.array([role.department for role in self.roles])
        wanted = np.array(departments)
        for department in set(departments) - {""}:
            rows = np.flatnonzero(wanted == department)
            columns = np.flatnonzero(own == department)
            found[rows] = columns[similarity[np.ix_(rows, columns)].argmax(axis=1)]
        for row, (title, department) in enumerate(zip(titles, departments, strict=True)):
            key = (department, " ".join(self.tokenizer.words(title)))
            found[row] = self.exact.get(key, found[row])
        return found


def _centroids(
    texts: Iterable[tuple[str, str, Role]], position: dict[str, int], vectorizer: Pipeline
) -> sp.csr_matrix:
    pairs = list(texts)
    X = vectorizer.transform([text for text, _, _ in pairs])
    rows = np.array([position[role.id] for *_, role in pairs])
    shape = (len(position), len(pairs))
    membership = sp.csr_matrix((np.ones(len(pairs)), (rows, np.arange(len(pairs)))), shape=shape)
    return sp.csr_matrix(normalize(membership @ X))

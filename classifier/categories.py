"""How probable each office category is: the sum over departments and roles that fall in it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from classifier.calibration import softmax
from classifier.catalogue import Role
from classifier.policy import Policy
from classifier.roles import positions_by_department
from classifier.scoring import Scored

ROLE_MATTERS = 0.05
"""The least probability of a department, 0-1, at which its roles are told apart for categories."""


class OneScored(Protocol):
    """What is known of a single posting.

    Attributes
    ----------
    probabilities : ndarray of shape (n_departments,)
        Of the departments.
    """

    probabilities: np.ndarray

    def fit(self, department: str) -> np.ndarray:
        """Return how well each role of a department fits; see `classifier.scoring.Scored.fit`."""
        ...


class CategorySums:
    """Sums the probabilities of departments and roles by office category.

    Parameters
    ----------
    policy
        Says which department and which role falls in which category.
    roles
        All roles.

    Attributes
    ----------
    categories
        The categories that the policy names.
    """

    def __init__(self, policy: Policy, roles: Sequence[Role]) -> None:
        rules = (*policy.departments.values(), *policy.roles.values())
        self.policy = policy
        self.categories = list(dict.fromkeys(rule.category for rule in rules))
        positions = positions_by_department(roles)
        self._column = [self.categories.index(policy.departments[d].category) for d in positions]
        columns = np.array(self._column)
        self._members = [np.flatnonzero(columns == n) for n in range(len(self.categories))]
        self._special: dict[int, tuple[str, list[tuple[int, int]]]] = {}
        for n, (department, own) in enumerate(positions.items()):
            rules_of = enumerate(policy.rule(department, roles[role].id) for role in own.tolist())
            places = [(place, self.categories.index(rule.category)) for place, rule in rules_of]
            others = [pair for pair in places if pair[1] != self._column[n]]
            if others:
                self._special[n] = (department, others)

    def of(self, scores: Scored) -> np.ndarray:
        """Sum the probabilities of postings.

        Parameters
        ----------
        scores
            Of n_postings postings.

        Returns
        -------
        ndarray of shape (n_postings, n_categories)
            0-1; a row sums to the probability that there is work.
        """
        found = scores.probabilities
        # not as a product of matrices, which would depend on how many postings there are
        sums = np.stack([found.take(own, axis=1).sum(axis=1) for own in self._members], axis=1)
        likely = found >= ROLE_MATTERS
        for n, (department, places) in self._special.items():
            rows = np.flatnonzero(likely[:, n])
            if len(rows):
                shares = softmax(scores.fit(department, rows))
                shares *= found[rows, n, np.newaxis]
                for place, category in places:
                    sums[rows, category] += shares[:, place]
                    sums[rows, self._column[n]] -= shares[:, place]
        return np.asarray(sums.clip(0, 1))

    def of_one(self, scores: OneScored, category: str) -> float:
        """Sum the probabilities of a single posting that fall in one category.

        Parameters
        ----------
        scores
            Of the posting.
        category
            One that the policy names.

        Returns
        -------
        float
            0-1; what `of` gives for the category.
        """
        wanted = self.categories.index(category)
        found = scores.probabilities
        total = float(found.take(self._members[wanted]).sum())
        for n, (department, places) in self._special.items():
            probability = found.item(n)
            if probability >= ROLE_MATTERS:
                shares = softmax(scores.fit(department))
                shares *= np.float64(probability)
                for place, own in places:
                    if wanted == own:
                        total += shares.item(place)
                    elif wanted == self._column[n]:
                        total -= shares.item(place)
        return min(max(total, 0.0), 1.0)

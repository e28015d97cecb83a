"""How probable each office category is: the sum over departments and roles that fall in it."""

from collections.abc import Sequence

import numpy as np

from classifier.calibration import softmax
from classifier.catalogue import Role
from classifier.policy import Policy
from classifier.roles import positions_by_department
from classifier.scoring import Scored

ROLE_MATTERS = 0.05
"""The least probability of a department, 0-1, at which its roles are told apart for categories."""


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
        self._membership = np.eye(len(self.categories))[self._column]
        self._special: dict[int, tuple[str, list[tuple[int, int]]]] = {}
        for n, (department, own) in enumerate(positions.items()):
            places = [
                (place, self.categories.index(policy.roles[roles[role].id].category))
                for place, role in enumerate(own.tolist())
                if roles[role].id in policy.roles
            ]
            if places:
                self._special[n] = (department, places)

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
        sums = scores.probabilities @ self._membership
        likely = scores.probabilities >= ROLE_MATTERS
        for n, (department, places) in self._special.items():
            rows = np.flatnonzero(likely[:, n])
            if len(rows):
                shares = softmax(scores.fit(department, rows))
                shares *= scores.probabilities[rows, n, np.newaxis]
                for place, category in places:
                    sums[rows, category] += shares[:, place]
                    sums[rows, self._column[n]] -= shares[:, place]
        return np.asarray(sums.clip(0, 1))

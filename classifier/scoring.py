"""From postings to log-odds and probabilities: title and text, each by what it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.special import softmax
from sklearn.pipeline import Pipeline

from classifier.calibration import Calibration
from classifier.estimator import NO_WORK
from classifier.policy import Policy
from classifier.postings import Evidence, Posting
from classifier.roles import RoleIndex

CATALOGUE_WEIGHT = 4.0
"""What it adds to a department's log-odds that the title stands in the catalogue, word for word."""


@dataclass(frozen=True)
class Scores:
    """What was computed for a batch of postings.

    Parameters
    ----------
    postings
        The postings, cleaned.
    evidence
        Their pieces.
    weights : ndarray of shape (n_pieces,)
        How much each piece counted.
    X : sparse matrix of shape (n_pieces, n_features)
        The features of the pieces.
    known : ndarray of shape (n_postings, n_classes)
        What it added to the log-odds that the title stands in the catalogue.
    log_odds : ndarray of shape (n_postings, n_classes)
        What pieces and catalogue say together, up to a constant a row.
    probabilities : ndarray of shape (n_postings, n_departments)
        A row sums to at most 1, the rest being the probability that the text names no work.
    """

    postings: list[Posting]
    evidence: Evidence
    weights: np.ndarray
    X: sp.csr_matrix
    known: np.ndarray
    log_odds: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def features(self) -> sp.csr_matrix:
        """The features of whole postings, of shape (n_postings, n_features)."""
        return sp.csr_matrix(self.evidence.membership(self.weights) @ self.X)


@dataclass(frozen=True)
class Scorer:
    """Computes the probability of each department.

    Parameters
    ----------
    pipeline
        Fitted, with the steps ``features`` and ``classifier``.
    calibration
        Turns its decision values into probabilities.
    roles
        Knows the titles of the catalogue.
    """

    pipeline: Pipeline
    calibration: Calibration
    roles: RoleIndex

    @cached_property
    def departments(self) -> np.ndarray:
        """The ids of the departments, in the order of probabilities."""
        classes = self.pipeline.classes_
        return np.asarray(classes[classes != NO_WORK])

    def score(self, postings: list[Posting]) -> Scores:
        """Compute the probability of each department for each posting.

        Parameters
        ----------
        postings
            The postings, cleaned.

        Returns
        -------
        Scores
            Probabilities, and the evidence behind them.
        """
        evidence = Evidence.gather(postings)
        known = self._known(postings)
        if not evidence.pieces:
            nothing = np.zeros((len(postings), len(self.departments)))
            X = sp.csr_matrix((0, self.roles.weights.shape[1]))
            return Scores(postings, evidence, np.zeros(0), X, known, known, nothing)
        X = self.pipeline.named_steps["features"].transform(evidence.pieces)
        log_odds = self._log_odds(X)
        worth = self._worth(log_odds, X)
        weights = evidence.weights(worth)
        total = evidence.membership(weights) @ log_odds + known
        probabilities = self.calibration.probabilities(total, evidence.substance(worth))
        probabilities = probabilities[:, self.pipeline.classes_ != NO_WORK]
        silent = np.bincount(evidence.owner, np.diff(X.indptr), len(postings)) == 0
        probabilities[silent] = 0
        return Scores(postings, evidence, weights, X, known, total, probabilities)

    def contributions(self, department: str) -> tuple[np.ndarray, float]:
        """Return what each feature adds to a department's score.

        Parameters
        ----------
        department
            Its id.

        Returns
        -------
        ndarray of shape (n_features,), float
            Log-odds against the mean of all classes, a unit of the feature; and their offset.
        """
        classifier = self.pipeline.named_steps["classifier"]
        row = int(np.flatnonzero(self.pipeline.classes_ == department)[0])
        temperature = self.calibration.temperature
        coefficients = (classifier.coef_[row] - classifier.coef_.mean(axis=0)) / temperature
        offset = (classifier.intercept_[row] - classifier.intercept_.mean()) / temperature
        return coefficients, float(offset)

    def category_probabilities(
        self, scores: Scores, fit: np.ndarray, policy: Policy
    ) -> dict[str, np.ndarray]:
        """Sum the probabilities of departments and roles by office category.

        Parameters
        ----------
        scores
            Of n_postings postings.
        fit : ndarray of shape (n_postings, n_roles)
            How well each role fits, as `classifier.roles.RoleIndex.score` returns it.
        policy
            Says which department and which role falls in which category.

        Returns
        -------
        dict of str to ndarray of shape (n_postings,)
            Category to probability, 0-1; together they are the probability that there is work.
        """
        rules = (*policy.departments.values(), *policy.roles.values())
        sums = {rule.category: np.zeros(len(scores.postings)) for rule in rules}
        for department, probability in zip(self.departments, scores.probabilities.T, strict=True):
            positions = self.roles.positions(department)
            ids = [self.roles.roles[n].id for n in positions]
            left = probability
            if not policy.roles.keys().isdisjoint(ids):
                shares = probability * softmax(fit[:, positions], axis=1).T
                for role, share in zip(ids, shares, strict=True):
                    if role in policy.roles:
                        sums[policy.roles[role].category] += share
                        left = left - share
            sums[policy.departments[department].category] += np.maximum(left, 0)
        return {category: np.minimum(total, 1) for category, total in sums.items()}

    def _log_odds(self, X: sp.csr_matrix) -> np.ndarray:
        """Return the log-odds of each class, up to a constant, for rows of features."""
        values = self.pipeline.named_steps["classifier"].decision_function(X)
        return np.asarray(values / self.calibration.temperature)

    def _worth(self, log_odds: np.ndarray, X: sp.csr_matrix) -> np.ndarray:
        """Say how surely each piece speaks of work, 0-1: boilerplate does not."""
        probabilities = softmax(log_odds, axis=1)[:, self.pipeline.classes_ != NO_WORK]
        return np.asarray(probabilities.max(axis=1) ** 2 * (np.diff(X.indptr) > 0))

    def _known(self, postings: Sequence[Posting]) -> np.ndarray:
        added = np.zeros((len(postings), len(self.pipeline.classes_)))
        for row, posting in enumerate(postings):
            department = self.roles.known_department(posting.title)
            if department is not None:
                added[row, self.pipeline.classes_ == department] = CATALOGUE_WEIGHT
        return added

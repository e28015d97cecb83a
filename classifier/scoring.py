"""From evidence to log-odds and probabilities: title and text, each by what it is worth.

`Scorer` is the reference: plain scikit-learn and scipy. `classifier.fast` computes the same faster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import scipy.sparse as sp

from classifier.calibration import Calibration
from classifier.postings import Evidence, Layout
from classifier.roles import RoleIndex
from classifier.seniority import SeniorityReader
from classifier.taxonomy import NO_WORK, SENIORITIES

if TYPE_CHECKING:  # labels come without scikit-learn, which takes a second to import
    from sklearn.pipeline import Pipeline

CATALOGUE_WEIGHT = 4.0
"""What it adds to a department's log-odds that the title stands in the catalogue, word for word."""

TOLD_WEIGHT = 16.0
"""What it adds that a user has labelled the title: more than all that its words say otherwise."""


class Scored(Protocol):
    """What is known of a batch of postings before it is decided.

    Attributes
    ----------
    layout
        Which pieces of text belong to which posting.
    probabilities : ndarray of shape (n_postings, n_departments)
        A row sums to at most 1, the rest being the probability that the text names no work.
    """

    @property
    def layout(self) -> Layout: ...  # noqa: D102

    @property
    def probabilities(self) -> np.ndarray: ...  # noqa: D102

    def fit(self, department: str, rows: np.ndarray) -> np.ndarray:
        """Return how well the roles of a department fit.

        Parameters
        ----------
        department
            Its id.
        rows : ndarray of shape (n_rows,)
            The postings to look at.

        Returns
        -------
        ndarray of shape (n_rows, n_roles_of_department)
            Log-odds up to a constant a row, in the order of `RoleIndex.positions`.
        """
        ...

    def title_levels(self, seniority: SeniorityReader) -> np.ndarray:
        """Return the level that each posting's title tells of.

        Parameters
        ----------
        seniority
            Reads levels.

        Returns
        -------
        ndarray of shape (n_postings,)
            Positions in `classifier.taxonomy.SENIORITIES`, -1 where a title tells of none.
        """
        ...

    def sentences(self, posting: int) -> list[str]:
        """Return the sentences of a posting, at least those that tell of a level of seniority."""
        ...


@dataclass(frozen=True)
class Decision:
    """Turns log-odds into what pieces are worth and into probabilities.

    Parameters
    ----------
    classes
        The ids of departments and of no work, in the order of log-odds.
    calibration
        Says how sure log-odds are.
    """

    classes: Sequence[str]
    calibration: Calibration

    @cached_property
    def work(self) -> np.ndarray:
        """The positions of the departments among the classes."""
        return np.flatnonzero([name != NO_WORK for name in self.classes])

    @cached_property
    def _no_work(self) -> np.ndarray:
        return np.flatnonzero([name == NO_WORK for name in self.classes])

    @cached_property
    def departments(self) -> tuple[str, ...]:
        """The ids of the departments, in the order of probabilities."""
        return tuple(name for name in self.classes if name != NO_WORK)

    def worth(self, log_odds: np.ndarray, has_features: np.ndarray) -> np.ndarray:
        """Say how surely each piece speaks of work: boilerplate does not.

        Parameters
        ----------
        log_odds : ndarray of shape (n_pieces, n_classes)
            Up to a constant a row.
        has_features : ndarray of shape (n_pieces,)
            Whether anything of a piece is known.

        Returns
        -------
        ndarray of shape (n_pieces,)
            0-1.
        """
        odds = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
        total = odds.sum(axis=1)
        odds[:, self._no_work] = 0
        return np.asarray((odds.max(axis=1, initial=0) / total) ** 2 * has_features)

    def probabilities(
        self, log_odds: np.ndarray, substance: np.ndarray, silent: np.ndarray
    ) -> np.ndarray:
        """Turn the log-odds of postings into the probabilities of departments.

        Parameters
        ----------
        log_odds : ndarray of shape (n_postings, n_classes) or (n_classes,)
            Up to a constant a row.
        substance : ndarray of shape (n_postings,) or ()
            How much a description had a part in them, 0-1.
        silent : ndarray of shape (n_postings,) or ()
            Which postings have no known feature at all: theirs are 0.

        Returns
        -------
        ndarray of shape (n_postings, n_departments) or (n_departments,)
            Probabilities.
        """
        found = self.calibration.probabilities(log_odds, substance).take(self.work, axis=-1)
        found[silent] = 0
        return found


@dataclass(frozen=True)
class Scores:
    """What was computed for a batch of postings.

    Parameters
    ----------
    evidence
        The pieces of the postings.
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
    roles
        All roles.
    """

    evidence: Evidence
    weights: np.ndarray
    X: sp.csr_matrix
    known: np.ndarray
    log_odds: np.ndarray
    probabilities: np.ndarray
    roles: RoleIndex

    @cached_property
    def features(self) -> sp.csr_matrix:
        """The features of whole postings, of shape (n_postings, n_features)."""
        return sp.csr_matrix(self.evidence.membership(self.weights) @ self.X)

    @property
    def layout(self) -> Layout:
        """Which pieces belong to which posting."""
        return self.evidence

    def fit(self, department: str, rows: np.ndarray) -> np.ndarray:
        """Return how well the roles of a department fit; see `Scored.fit`."""
        titles = [self.evidence.titles[row] for row in rows]
        fit = self.roles.score(self.features[rows], titles)
        return np.asarray(fit[:, self.roles.positions[department]])

    def title_levels(self, seniority: SeniorityReader) -> np.ndarray:
        """Return the level that each posting's title tells of; see `Scored.title_levels`."""
        told = [seniority.of_title(title) for title in self.evidence.titles]
        return np.array([-1 if level is None else SENIORITIES.index(level) for level in told], int)

    def sentences(self, posting: int) -> list[str]:
        """Return the sentences of a posting."""
        return self.evidence.sentences(posting)


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

    pipeline: "Pipeline"
    calibration: Calibration
    roles: RoleIndex

    @cached_property
    def decision(self) -> Decision:
        """Turns log-odds into probabilities."""
        return Decision(tuple(map(str, self.pipeline.classes_)), self.calibration)

    def score(self, evidence: Evidence) -> Scores:
        """Compute the probability of each department for each posting.

        Parameters
        ----------
        evidence
            The pieces of the postings.

        Returns
        -------
        Scores
            Probabilities, and what is behind them.
        """
        known = self._known(evidence.titles)
        if not evidence.pieces:
            nothing = np.zeros((evidence.n_postings, len(self.decision.departments)))
            X = sp.csr_matrix((0, self.roles.weights.shape[1]))
            return Scores(evidence, np.zeros(0), X, known, known, nothing, self.roles)
        X = self.pipeline.named_steps["features"].transform(evidence.pieces)
        values = self.pipeline.named_steps["classifier"].decision_function(X)
        log_odds = values / self.calibration.temperature
        worth = self.decision.worth(log_odds, np.diff(X.indptr) > 0)
        weights = evidence.weights(worth)
        total = evidence.membership(weights) @ log_odds + known
        silent = np.bincount(evidence.owner, np.diff(X.indptr), evidence.n_postings) == 0
        probabilities = self.decision.probabilities(total, evidence.substance(worth), silent)
        return Scores(evidence, weights, X, known, total, probabilities, self.roles)

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

    def _known(self, titles: list[str]) -> np.ndarray:
        added = np.zeros((len(titles), len(self.pipeline.classes_)))
        for row, title in enumerate(titles):
            department = self.roles.known_department(title)
            if department is not None:
                weight = TOLD_WEIGHT if self.roles.is_told(title) else CATALOGUE_WEIGHT
                added[row, self.pipeline.classes_ == department] = weight
        return added

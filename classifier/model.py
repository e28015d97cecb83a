"""The classifier: labels for titles and postings, with confidence, candidates and reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.special import softmax
from sklearn.pipeline import Pipeline

from classifier.errors import InputError
from classifier.estimator import NO_WORK
from classifier.explanation import Explanation, WordWeight, closest_titles, word_weights
from classifier.labels import LABEL_COLUMNS, Candidate, Label
from classifier.policy import Policy, find_policy
from classifier.postings import Evidence, Posting
from classifier.roles import RoleIndex
from classifier.seniority import SeniorityReader
from classifier.taxonomy import Taxonomy

CATALOGUE_WEIGHT = 4.0
"""What it adds to a department's log-odds that the title stands in the catalogue, word for word."""


@dataclass(frozen=True)
class Scores:
    """What the model computed for a batch of postings.

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
    probabilities : ndarray of shape (n_postings, n_departments)
        In the order of `JobTitleClassifier.departments`; a row sums to at most 1, the rest being
        the probability that the text names no work.
    """

    postings: list[Posting]
    evidence: Evidence
    weights: np.ndarray
    X: sp.csr_matrix
    probabilities: np.ndarray


class JobTitleClassifier:
    """Labels job titles and postings; made by training, kept by persistence.

    Parameters
    ----------
    pipeline
        Fitted, with the steps ``features`` and ``classifier``.
    temperature
        Divides decision values before the softmax; above 0.
    min_confidence
        Below this probability, 0-1, a text is ``unknown``.
    text_weight
        The weight of a description beside its title, which weighs 1.
    taxonomy, policies, seniority, roles
        What labels are made of.
    """

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        temperature: float,
        min_confidence: float,
        text_weight: float,
        taxonomy: Taxonomy,
        policies: Mapping[str, Policy],
        seniority: SeniorityReader,
        roles: RoleIndex,
    ) -> None:
        self.pipeline = pipeline
        self.temperature = temperature
        self.min_confidence = min_confidence
        self.text_weight = text_weight
        self.taxonomy = taxonomy
        self.policies = policies
        self.seniority = seniority
        self.roles = roles

    @cached_property
    def departments(self) -> np.ndarray:
        """The ids of the departments, in the order of probabilities."""
        classes = self.pipeline.classes_
        return np.asarray(classes[classes != NO_WORK])

    def policy(self, name: str | None = None) -> Policy:
        """Return a policy by name or file, the default one for None.

        Raises
        ------
        InputError
            If there is no such policy.
        TrainingDataError
            If a file is not a valid policy.
        """
        return find_policy(name or "document", self.policies, self.taxonomy)

    def scores(self, titles: Sequence[str], descriptions: Sequence[str] | None = None) -> Scores:
        """Compute the probability of each department for each posting.

        Parameters
        ----------
        titles : sequence of shape (n_postings,)
            Free text; an empty string where there is none.
        descriptions : sequence of shape (n_postings,), optional
            Free text or HTML.

        Returns
        -------
        Scores
            Probabilities, and the evidence behind them.

        Raises
        ------
        InputError
            If the two sequences differ in length, or titles is a single string.
        """
        if isinstance(titles, str):
            raise InputError("titles must be a sequence of texts, not one text; wrap it in a list")
        texts = descriptions if descriptions is not None else [""] * len(titles)
        if len(texts) != len(titles):
            raise InputError(f"{len(titles)} titles but {len(texts)} descriptions")
        postings = [Posting.read(title, text) for title, text in zip(titles, texts, strict=True)]
        evidence = Evidence.gather(postings)
        if not evidence.pieces:
            empty = np.zeros((len(postings), len(self.departments)))
            return Scores(postings, evidence, np.zeros(0), sp.csr_matrix((0, 0)), empty)
        X = self.pipeline.named_steps["features"].transform(evidence.pieces)
        decisions = self.decisions(X)
        weights = self._weights(evidence, decisions, X)
        total = evidence.membership(weights) @ decisions + self._known(postings)
        probabilities = softmax(total, axis=1)[:, self.pipeline.classes_ != NO_WORK]
        silent = np.bincount(evidence.owner, np.diff(X.indptr), len(postings)) == 0
        probabilities[silent] = 0
        return Scores(postings, evidence, weights, X, probabilities)

    def decisions(self, X: sp.csr_matrix) -> np.ndarray:
        """Return the log-odds of each class, up to a constant, for rows of features."""
        values = self.pipeline.named_steps["classifier"].decision_function(X)
        return np.asarray(values / self.temperature)

    def _known(self, postings: Sequence[Posting]) -> np.ndarray:
        """Return what it adds to the log-odds that a title stands in the catalogue."""
        added = np.zeros((len(postings), len(self.pipeline.classes_)))
        for row, posting in enumerate(postings):
            department = self.roles.known_department(posting.title)
            if department is not None:
                added[row, self.pipeline.classes_ == department] = CATALOGUE_WEIGHT
        return added

    def _weights(self, evidence: Evidence, decisions: np.ndarray, X: sp.csr_matrix) -> np.ndarray:
        """Weigh sentences by how surely they speak of work."""
        probabilities = softmax(decisions, axis=1)[:, self.pipeline.classes_ != NO_WORK]
        known = np.diff(X.indptr) > 0
        return evidence.weights(probabilities.max(axis=1) ** 2 * known, self.text_weight)

    def predict(
        self,
        titles: Sequence[str],
        descriptions: Sequence[str] | None = None,
        *,
        policy: Policy | None = None,
        n_candidates: int = 3,
    ) -> list[Label]:
        """Label titles or postings.

        Parameters
        ----------
        titles : sequence of shape (n_postings,)
            Free text; an empty string where there is none.
        descriptions : sequence of shape (n_postings,), optional
            Free text or HTML.
        policy
            Decides the category; the default policy if None.
        n_candidates
            How many candidates each label carries.

        Returns
        -------
        list of Label
            One for each posting, in order.

        Raises
        ------
        InputError
            If the sequences differ in length, or titles is a single string.
        """
        policy = policy or self.policy()
        scores = self.scores(titles, descriptions)
        columns = self._columns(scores, policy)
        ranked = self._ranked(scores, n_candidates)
        labels = []
        for row, values in enumerate(zip(*columns.values(), strict=True)):
            status, *ids, confidence = values
            candidates = tuple(
                Candidate(d, policy.departments[d].category, p) for d, p in ranked[row]
            )
            department, category, basis, role, seniority = (i or None for i in ids)
            labels.append(
                Label(status, department, category, basis, role, seniority, None, ())
                if status == "empty"
                else Label(
                    status,
                    department,
                    category,
                    basis,
                    role,
                    seniority,
                    float(confidence),
                    candidates,
                )
            )
        return labels

    def explain(
        self, title: str, description: str = "", *, policy: Policy | None = None
    ) -> Explanation:
        """Give the reasons for the label of one posting.

        Parameters
        ----------
        title, description
            Free text or HTML.
        policy
            Decides the category; the default policy if None.

        Returns
        -------
        Explanation
            The words that spoke for and against the likeliest department, and the closest titles
            of the catalogue.
        """
        policy = policy or self.policy()
        label = self.predict([title], [description], policy=policy)[0]
        if not label.candidates:
            return Explanation(label, None, (), 0.0, ())
        department = label.candidates[0].department
        scores = self.scores([title], [description])
        classifier = self.pipeline.named_steps["classifier"]
        row = int(np.flatnonzero(self.pipeline.classes_ == department)[0])
        coefficients = (classifier.coef_[row] - classifier.coef_.mean(axis=0)) / self.temperature
        intercept = (classifier.intercept_[row] - classifier.intercept_.mean()) / self.temperature
        vectorizer = self.pipeline.named_steps["features"]
        words = [
            word
            for n, piece in enumerate(scores.evidence.pieces)
            for word in word_weights(
                piece,
                "title" if scores.evidence.is_title[n] else "description",
                scores.X[[n]],
                coefficients * scores.weights[n],
                vectorizer,
            )
        ]
        known = self._known(scores.postings)[0]
        if known.any():
            weight = float(known[row] - known.mean())
            words.append(WordWeight(scores.postings[0].title, "catalogue", weight))
        x = sp.csr_matrix(scores.evidence.membership(scores.weights) @ scores.X)
        roles = [role for role in self.roles.roles if role.department == department]
        titles = [(title, role) for role in roles for title in role.all_titles]
        return Explanation(
            label,
            department,
            tuple(words),
            float(intercept * scores.weights.sum()),
            tuple(closest_titles(x, titles, vectorizer)),
        )

    def predict_frame(
        self,
        frame: pd.DataFrame,
        *,
        title: str | None = "title",
        description: str | None = None,
        policy: Policy | None = None,
        n_candidates: int = 0,
    ) -> pd.DataFrame:
        """Label the rows of a table.

        Parameters
        ----------
        frame
            One posting a row.
        title, description
            The names of its columns; None where there is none.
        policy
            Decides the category; the default policy if None.
        n_candidates
            If above 0, a column ``candidates`` lists as many as ``department:probability``.

        Returns
        -------
        DataFrame
            The columns of `LABEL_COLUMNS`, on the index of `frame`; ids are empty strings and
            confidence is missing where a row has none.

        Raises
        ------
        InputError
            If the frame lacks a column.
        """
        for name in (title, description):
            if name is not None and name not in frame:
                raise InputError(f"no column {name!r} among {', '.join(map(str, frame.columns))}")
        titles = _texts(frame, title)
        scores = self.scores(titles, None if description is None else _texts(frame, description))
        columns = self._columns(scores, policy or self.policy())
        if n_candidates:
            columns["candidates"] = [
                "|".join(f"{d}:{p:.4f}" for d, p in ranked) if status != "empty" else ""
                for ranked, status in zip(
                    self._ranked(scores, n_candidates), columns["status"], strict=True
                )
            ]
        return pd.DataFrame(columns, index=frame.index)

    def _columns(self, scores: Scores, policy: Policy) -> dict[str, list[str] | np.ndarray]:
        """Decide each posting and lay the labels out by column."""
        n_postings = len(scores.postings)
        if n_postings == 0:
            return {name: [] for name in LABEL_COLUMNS}
        best = scores.probabilities.argmax(axis=1)
        confidence = scores.probabilities.max(axis=1)
        no_work = 1 - scores.probabilities.sum(axis=1)
        has_text = np.array([not posting.is_empty for posting in scores.postings])
        labelled = (confidence >= self.min_confidence) & (confidence > no_work)
        status = np.where(has_text, np.where(labelled, "labelled", "unknown"), "empty")
        department = np.where(labelled, self.departments[best], "")
        roles = self._closest_roles(scores, department)
        found = [self.roles.roles[r] if r >= 0 else None for r in roles]
        rules = [
            policy.rule(role.department, role.id) if role is not None else None for role in found
        ]
        return {
            "status": status.tolist(),
            "department": department.tolist(),
            "category": [rule.category if rule else "" for rule in rules],
            "category_basis": [rule.basis if rule else "" for rule in rules],
            "role": [role.id if role else "" for role in found],
            "seniority": [
                self.seniority.read(posting.title, role.seniority) if role else ""
                for posting, role in zip(scores.postings, found, strict=True)
            ],
            "confidence": np.where(has_text, confidence, np.nan),
        }

    def _closest_roles(self, scores: Scores, department: np.ndarray) -> np.ndarray:
        if not scores.evidence.pieces:
            return np.full(len(scores.postings), -1)
        X = scores.evidence.membership(scores.weights) @ scores.X
        titles = [posting.title for posting in scores.postings]
        return self.roles.closest(sp.csr_matrix(X), titles, department.tolist())

    def _ranked(self, scores: Scores, n_candidates: int) -> list[list[tuple[str, float]]]:
        """Return the likeliest departments of each posting with their probabilities."""
        order = np.argsort(-scores.probabilities, axis=1, kind="stable")[:, :n_candidates]
        values = np.take_along_axis(scores.probabilities, order, axis=1)
        names = self.departments[order]
        return [
            [(str(d), float(p)) for d, p in zip(*pair, strict=True)]
            for pair in zip(names, values, strict=True)
        ]


def _texts(frame: pd.DataFrame, column: str | None) -> list[str]:
    """Return a column as texts; missing values are empty."""
    if column is None:
        return [""] * len(frame)
    values = frame[column]
    return ["" if value is None or value != value else str(value) for value in values]

"""The classifier: labels for titles and postings, with confidence, candidates and reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from classifier.calibration import Calibration
from classifier.errors import InputError
from classifier.explanation import Explanation, explain
from classifier.labels import LABEL_COLUMNS, Candidate, Label
from classifier.policy import Policy, find_policy
from classifier.postings import Posting
from classifier.roles import RoleIndex
from classifier.scoring import Scorer, Scores
from classifier.seniority import SeniorityReader
from classifier.taxonomy import Taxonomy


class JobTitleClassifier:
    """Labels job titles and postings; made by training, kept by persistence.

    Parameters
    ----------
    pipeline
        Fitted, with the steps ``features`` and ``classifier``.
    calibration
        Turns its decision values into probabilities; holds the shipped threshold.
    taxonomy, policies, seniority, roles
        What labels are made of.
    """

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        calibration: Calibration,
        taxonomy: Taxonomy,
        policies: Mapping[str, Policy],
        seniority: SeniorityReader,
        roles: RoleIndex,
    ) -> None:
        self.scorer = Scorer(pipeline, calibration, roles)
        self.min_confidence = calibration.min_confidence
        self.taxonomy = taxonomy
        self.policies = policies
        self.seniority = seniority
        self.roles = roles

    @property
    def departments(self) -> np.ndarray:
        """The ids of the departments, in the order of probabilities."""
        return self.scorer.departments

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

    def predict(
        self,
        titles: Sequence[str],
        descriptions: Sequence[str] | None = None,
        *,
        policy: Policy | None = None,
        min_confidence: float | None = None,
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
        min_confidence
            Below this probability, 0-1, a text is ``unknown``; the shipped threshold if None.
        n_candidates
            How many candidates each label carries.

        Returns
        -------
        list of Label
            One for each posting, in order.

        Raises
        ------
        InputError
            If the sequences differ in length, titles is a single string, or the threshold is not
            a probability.
        """
        scores = self.scorer.score(_postings(titles, descriptions))
        return self._labels(scores, policy or self.policy(), min_confidence, n_candidates)

    def explain(
        self,
        title: str,
        description: str = "",
        *,
        policy: Policy | None = None,
        min_confidence: float | None = None,
    ) -> Explanation:
        """Give the reasons for the label of one posting.

        Parameters
        ----------
        title, description
            Free text or HTML.
        policy
            Decides the category; the default policy if None.
        min_confidence
            Below this probability, 0-1, a text is ``unknown``; the shipped threshold if None.

        Returns
        -------
        Explanation
            The words that spoke for and against the likeliest department, the closest role and
            the titles it was learned from.

        Raises
        ------
        InputError
            If the threshold is not a probability.
        """
        scores = self.scorer.score(_postings([title], [description]))
        label = self._labels(scores, policy or self.policy(), min_confidence, 3)[0]
        return explain(label, scores, self.scorer)

    def predict_frame(
        self,
        frame: pd.DataFrame,
        *,
        title: str | None = "title",
        description: str | None = None,
        policy: Policy | None = None,
        min_confidence: float | None = None,
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
        min_confidence
            Below this probability, 0-1, a text is ``unknown``; the shipped threshold if None.
        n_candidates
            If above 0, a column ``candidates`` lists as many as ``department:probability``.

        Returns
        -------
        DataFrame
            The columns of `LABEL_COLUMNS`, on the index of `frame`; ids are empty strings and
            confidences are missing where a row has none.

        Raises
        ------
        InputError
            If the frame lacks a column, or the threshold is not a probability.
        """
        for name in (title, description):
            if name is not None and name not in frame:
                raise InputError(f"no column {name!r} among {', '.join(map(str, frame.columns))}")
        titles = _texts(frame, title)
        texts = None if description is None else _texts(frame, description)
        scores = self.scorer.score(_postings(titles, texts))
        columns = self._columns(scores, policy or self.policy(), min_confidence)
        if n_candidates:
            columns["candidates"] = [
                "|".join(f"{d}:{p:.4f}" for d, p in ranked) if status != "empty" else ""
                for ranked, status in zip(
                    self._ranked(scores, n_candidates), columns["status"], strict=True
                )
            ]
        return pd.DataFrame(columns, index=frame.index)

    def _labels(
        self, scores: Scores, policy: Policy, min_confidence: float | None, n_candidates: int
    ) -> list[Label]:
        columns = self._columns(scores, policy, min_confidence)
        ranked = self._ranked(scores, n_candidates)
        labels = []
        for row, values in enumerate(zip(*columns.values(), strict=True)):
            found: dict[str, Any] = dict(zip(columns, map(_given, values), strict=True))
            candidates = tuple(
                Candidate(d, policy.departments[d].category, p)
                for d, p in ranked[row]
                if found["status"] != "empty"
            )
            labels.append(Label(**found, candidates=candidates))
        return labels

    def _columns(
        self, scores: Scores, policy: Policy, min_confidence: float | None
    ) -> dict[str, Sequence[object]]:
        """Decide each posting and lay the labels out by column."""
        threshold = self.min_confidence if min_confidence is None else min_confidence
        if not 0 <= threshold <= 1:
            raise InputError(f"min_confidence is a probability, from 0 to 1, not {threshold}")
        if not scores.postings:
            return {name: [] for name in LABEL_COLUMNS}
        best = scores.probabilities.argmax(axis=1)
        confidence = scores.probabilities.max(axis=1)
        no_work = 1 - scores.probabilities.sum(axis=1)
        has_text = np.array([not posting.is_empty for posting in scores.postings])
        labelled = (confidence >= threshold) & (confidence > no_work)
        status = np.where(has_text, np.where(labelled, "labelled", "unknown"), "empty")
        department = np.where(labelled, self.departments[best], "").tolist()
        fit = self.roles.score(scores.features, [posting.title for posting in scores.postings])
        closest = self.roles.closest(fit, department)
        found = [self.roles.roles[r] if r >= 0 else None for r in closest]
        rules = [policy.rule(r.department, r.id) if r is not None else None for r in found]
        levels = [
            self.seniority.read(posting.title, posting.sentences, role.seniority) if role else None
            for posting, role in zip(scores.postings, found, strict=True)
        ]
        shares = self.scorer.category_probabilities(scores, fit, policy)
        return {
            "status": status.tolist(),
            "department": department,
            "category": [rule.category if rule else "" for rule in rules],
            "category_basis": [rule.basis if rule else "" for rule in rules],
            "role": [role.id if role else "" for role in found],
            "seniority": [level.level if level else "" for level in levels],
            "confidence": np.where(has_text, confidence, np.nan).tolist(),
            "category_confidence": [
                shares[rule.category][row] if rule else np.nan for row, rule in enumerate(rules)
            ],
            "seniority_confidence": [level.confidence if level else np.nan for level in levels],
        }

    def _ranked(self, scores: Scores, n_candidates: int) -> list[list[tuple[str, float]]]:
        """Return the likeliest departments of each posting with their probabilities."""
        order = np.argsort(-scores.probabilities, axis=1, kind="stable")[:, :n_candidates]
        values = np.take_along_axis(scores.probabilities, order, axis=1)
        names = self.departments[order]
        return [
            [(str(d), float(p)) for d, p in zip(*pair, strict=True)]
            for pair in zip(names, values, strict=True)
        ]


def _postings(titles: Sequence[str], descriptions: Sequence[str] | None) -> list[Posting]:
    """Clean titles and descriptions, pair by pair."""
    if isinstance(titles, str):
        raise InputError("titles must be a sequence of texts, not one text; wrap it in a list")
    texts = descriptions if descriptions is not None else [""] * len(titles)
    if len(texts) != len(titles):
        raise InputError(f"{len(titles)} titles but {len(texts)} descriptions")
    return [Posting.read(title, text) for title, text in zip(titles, texts, strict=True)]


def _given(value: object) -> object:
    """Return a cell of a column as it stands in a label: None where there is nothing."""
    return None if value == "" or value != value else value


def _texts(frame: pd.DataFrame, column: str | None) -> list[str]:
    """Return a column as texts; missing values are empty."""
    if column is None:
        return [""] * len(frame)
    values = frame[column]
    return ["" if value is None or value != value else str(value) for value in values]

"""From probabilities to labels, column by column: department, category, role, seniority."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from classifier.catalogue import Role
from classifier.policy import Policy
from classifier.roles import positions_by_department
from classifier.scoring import Scored
from classifier.seniority import SeniorityReader
from classifier.taxonomy import SENIORITIES

ROLE_MATTERS = 0.05
"""The least probability of a department, 0-1, at which its roles are told apart for categories."""


class Labelling:
    """Decides postings by their scores.

    Parameters
    ----------
    roles
        All roles.
    seniority
        Reads levels.
    """

    def __init__(self, roles: Sequence[Role], seniority: SeniorityReader) -> None:
        self.roles = roles
        self.seniority = seniority
        self._positions = positions_by_department(roles)
        self._departments = list(self._positions)
        self._by_department = {d: [roles[n] for n in own] for d, own in self._positions.items()}

    def columns(self, scores: Scored, policy: Policy, threshold: float) -> dict[str, Any]:
        """Decide each posting.

        Parameters
        ----------
        scores
            Of n_postings postings.
        policy
            Decides the category.
        threshold
            Below this probability, 0-1, a text is ``unknown``.

        Returns
        -------
        dict of str to array of shape (n_postings,)
            The columns of `classifier.labels.LABEL_COLUMNS`.
        """
        best = scores.probabilities.argmax(axis=1)
        confidence = scores.probabilities.max(axis=1, initial=0)
        no_work = 1 - scores.probabilities.sum(axis=1)
        labelled = (confidence >= threshold) & (confidence > no_work)
        is_empty = scores.layout.is_empty
        role = np.full(len(best), -1)
        for department in np.unique(best[labelled]):
            rows = np.flatnonzero(labelled & (best == department))
            name = self._departments[department]
            positions = self._positions[name]
            role[rows] = positions[scores.fit(name, rows).argmax(axis=1)]
        found, where = np.unique(role, return_inverse=True)
        roles = [self.roles[n] if n >= 0 else None for n in found]
        rules = [policy.rule(r.department, r.id) if r else None for r in roles]
        shares = category_probabilities(scores, policy, self._by_department)
        table = np.column_stack([*shares.values(), np.full(len(best), np.nan)])
        of_rule = [list(shares).index(rule.category) if rule else -1 for rule in rules]
        column = np.array(of_rule, dtype=np.int64)
        of_category = table[np.arange(len(best)), column[where]]
        level, level_confidence = self._levels(scores, roles, where)
        return {
            "status": _categorical(
                ["labelled", "unknown", "empty"], np.where(is_empty, 2, np.where(labelled, 0, 1))
            ),
            "department": _categorical([r.department if r else "" for r in roles], where),
            "category": _categorical([rule.category if rule else "" for rule in rules], where),
            "category_basis": _categorical([rule.basis if rule else "" for rule in rules], where),
            "role": _categorical([r.id if r else "" for r in roles], where),
            "seniority": _categorical([*SENIORITIES, ""], level),
            "confidence": np.where(is_empty, np.nan, confidence),
            "category_confidence": of_category,
            "seniority_confidence": level_confidence,
        }

    def _levels(
        self, scores: Scored, roles: Sequence[Role | None], where: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read the seniority of the postings that have a role: its position and confidence."""
        rates = self.seniority.confidence
        told = scores.title_levels(self.seniority)
        fixed = np.array([_position(r.seniority) if r else -1 for r in roles], dtype=np.int64)[
            where
        ]
        level = np.where(told >= 0, told, fixed)
        confidence = np.where(told >= 0, rates["title"], rates["role"])
        silent = level < 0
        level[silent], confidence[silent] = _position("professional"), rates["none"]
        labelled = np.array([role is not None for role in roles], dtype=bool)[where]
        if scores.layout.has_text:
            for row in np.flatnonzero(silent & labelled).tolist():
                read = self.seniority.read_text(scores.sentences(row))
                level[row], confidence[row] = _position(read.level), read.confidence
        return np.where(labelled, level, -1), np.where(labelled, confidence, np.nan)

    def ranked(self, scores: Scored, n_candidates: int) -> list[list[tuple[str, float]]]:
        """Return the likeliest departments of each posting.

        Parameters
        ----------
        scores
            Of n_postings postings.
        n_candidates
            How many of each.

        Returns
        -------
        list of n_postings lists of tuples of str and float
            Ids and probabilities, 0-1, likeliest first.
        """
        order = np.argsort(-scores.probabilities, axis=1, kind="stable")[:, :n_candidates]
        values = np.take_along_axis(scores.probabilities, order, axis=1)
        names = np.array(self._departments, dtype=object)[order]
        return [
            [(str(d), float(p)) for d, p in zip(*pair, strict=True)]
            for pair in zip(names, values, strict=True)
        ]


def category_probabilities(
    scores: Scored, policy: Policy, roles: Mapping[str, Sequence[Role]]
) -> dict[str, np.ndarray]:
    """Sum the probabilities of departments and roles by office category.

    Parameters
    ----------
    scores
        Of n_postings postings.
    policy
        Says which department and which role falls in which category.
    roles
        Department to its roles, in the order of probabilities and fits.

    Returns
    -------
    dict of str to ndarray of shape (n_postings,)
        Category to probability, 0-1; together they are the probability that there is work.
    """
    rules = (*policy.departments.values(), *policy.roles.values())
    categories = list(dict.fromkeys(rule.category for rule in rules))
    column = [categories.index(policy.departments[department].category) for department in roles]
    sums = scores.probabilities @ np.eye(len(categories))[column]
    for n, (department, own) in enumerate(roles.items()):
        special = [k for k, role in enumerate(own) if role.id in policy.roles]
        rows = np.flatnonzero(scores.probabilities[:, n] >= ROLE_MATTERS)
        if special and len(rows):
            shares = softmax(scores.fit(department, rows), axis=1)[:, special]
            shares *= scores.probabilities[rows, n, np.newaxis]
            for k, share in zip(special, shares.T, strict=True):
                sums[rows, categories.index(policy.roles[own[k].id].category)] += share
                sums[rows, column[n]] -= share
    return dict(zip(categories, np.clip(sums, 0, 1).T, strict=True))


def _categorical(names: Sequence[str], where: np.ndarray) -> Any:
    """Return a column of few names, each of which may stand at several positions."""
    codes, categories = pd.factorize(np.array(names, dtype=object))
    return pd.Categorical.from_codes(codes[where], list(categories))  # type: ignore[call-overload]


def _position(level: str | None) -> int:
    return -1 if level is None else SENIORITIES.index(level)

"""From probabilities to labels, column by column: department, category, role, seniority."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from classifier.catalogue import Role
from classifier.labels import Corrected
from classifier.policy import Policy
from classifier.roles import positions_by_department
from classifier.scoring import Scored
from classifier.seniority import SeniorityReader
from classifier.taxonomy import SENIORITIES

ROLE_MATTERS = 0.05
"""The least probability of a department, 0-1, at which its roles are told apart for categories."""


@dataclass(frozen=True)
class Named:
    """A column of few names.

    Parameters
    ----------
    names
        The names; one may stand at several positions.
    where : ndarray of int of shape (n_postings,)
        Which of them each posting has.
    """

    names: list[str]
    where: np.ndarray

    def tolist(self) -> list[str]:
        """Return the name of each posting."""
        names = self.names
        return [names[n] for n in self.where.tolist()]

    def categorical(self) -> Any:
        """Return the column as pandas keeps such."""
        codes, categories = pd.factorize(np.array(self.names, dtype=object))
        return pd.Categorical.from_codes(codes[self.where], list(categories))  # type: ignore[call-overload]


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
        self._places = role_places(roles)

    def correct(
        self, scores: Scored, corrected: Mapping[int, Corrected]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Let what people said overrule the scores.

        Parameters
        ----------
        scores
            Of n_postings postings; the probability of a department that a person named becomes 1.
        corrected
            By posting; what names a department that is not there is passed over.

        Returns
        -------
        ndarray of shape (n_postings,), ndarray of shape (n_postings,)
            Whether each posting was corrected, and the position of the role that was named, -1
            where none was.
        """
        is_corrected = np.zeros(scores.layout.n_postings, dtype=bool)
        role = np.full(scores.layout.n_postings, -1)
        for posting, said in corrected.items():
            if said.department in self._positions and not scores.layout.is_empty[posting]:
                scores.probabilities[posting] = 0
                scores.probabilities[posting, self._departments.index(said.department)] = 1
                is_corrected[posting] = True
                own = {self.roles[n].id: n for n in self._positions[said.department]}
                role[posting] = own.get(said.role or "", -1)
        return is_corrected, role

    def columns(
        self,
        scores: Scored,
        policy: Policy,
        threshold: float,
        corrected: Mapping[int, Corrected] | None = None,
    ) -> dict[str, Any]:
        """Decide each posting.

        Parameters
        ----------
        scores
            Of n_postings postings.
        policy
            Decides the category.
        threshold
            Below this probability, 0-1, a text is ``unknown``.
        corrected
            What people said, by posting, if there is anyone to ask; see `correct`.

        Returns
        -------
        dict of str to Named or array of shape (n_postings,)
            The columns of `classifier.labels.LABEL_COLUMNS`, and ``basis`` if there are
            corrections.
        """
        is_corrected, said = self.correct(scores, corrected or {})
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
        role = np.where(said >= 0, said, role)
        found, where = np.unique(role, return_inverse=True)
        roles = [self.roles[n] if n >= 0 else None for n in found]
        rules = [policy.rule(r.department, r.id) if r else None for r in roles]
        shares = category_probabilities(scores, policy, self._places)
        table = np.column_stack([*shares.values(), np.full(len(best), np.nan)])
        of_rule = [list(shares).index(rule.category) if rule else -1 for rule in rules]
        column = np.array(of_rule, dtype=np.int64)
        of_category = table[np.arange(len(best)), column[where]]
        level, level_confidence = self._levels(scores, roles, where)
        basis = {"basis": Named(["model", "correction"], is_corrected.astype(np.int64))}
        return {
            "status": Named(
                ["labelled", "unknown", "empty"], np.where(is_empty, 2, np.where(labelled, 0, 1))
            ),
            "department": Named([r.department if r else "" for r in roles], where),
            "category": Named([rule.category if rule else "" for rule in rules], where),
            "category_basis": Named([rule.basis if rule else "" for rule in rules], where),
            "role": Named([r.id if r else "" for r in roles], where),
            "seniority": Named([*SENIORITIES, ""], level),
            "confidence": np.where(is_empty, np.nan, confidence),
            "category_confidence": of_category,
            "seniority_confidence": level_confidence,
            **(basis if corrected is not None else {}),
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


def role_places(roles: Sequence[Role]) -> dict[str, dict[str, int]]:
    """Return for each department its roles, with their places among its fits."""
    return {
        department: {roles[n].id: place for place, n in enumerate(own)}
        for department, own in positions_by_department(roles).items()
    }


def category_probabilities(
    scores: Scored, policy: Policy, places: Mapping[str, Mapping[str, int]]
) -> dict[str, np.ndarray]:
    """Sum the probabilities of departments and roles by office category.

    Parameters
    ----------
    scores
        Of n_postings postings.
    policy
        Says which department and which role falls in which category.
    places
        Department, in the order of probabilities, to its roles and their places among the fits.

    Returns
    -------
    dict of str to ndarray of shape (n_postings,)
        Category to probability, 0-1; together they are the probability that there is work.
    """
    rules = (*policy.departments.values(), *policy.roles.values())
    categories = list(dict.fromkeys(rule.category for rule in rules))
    column = [categories.index(policy.departments[department].category) for department in places]
    sums = scores.probabilities @ np.eye(len(categories))[column]
    likely = scores.probabilities >= ROLE_MATTERS
    for n in np.flatnonzero(likely.any(axis=0)).tolist():
        department, own = list(places.items())[n]
        special = [role for role in policy.roles if role in own]
        if special:
            rows = np.flatnonzero(likely[:, n])
            fit = scores.fit(department, rows)
            shares = softmax(fit, axis=1)[:, [own[role] for role in special]]
            shares *= scores.probabilities[rows, n, np.newaxis]
            for role, share in zip(special, shares.T, strict=True):
                sums[rows, categories.index(policy.roles[role].category)] += share
                sums[rows, column[n]] -= share
    return dict(zip(categories, np.clip(sums, 0, 1).T, strict=True))


def _position(level: str | None) -> int:
    return -1 if level is None else SENIORITIES.index(level)

"""From probabilities to labels, column by column: department, category, role, seniority."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from classifier.catalogue import Role
from classifier.categories import CategorySums, OneScored
from classifier.labels import Corrected
from classifier.policy import Policy
from classifier.roles import positions_by_department
from classifier.scoring import Scored
from classifier.seniority import SeniorityReader
from classifier.taxonomy import SENIORITIES

_POLICIES = 8
"""For so many policies what they need is kept."""


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


class _Said(NamedTuple):
    """Whether each posting was corrected, and the position of its role, -1 if none was named."""

    is_corrected: np.ndarray
    role: np.ndarray


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
        self._category_sums: dict[int, CategorySums] = {}

    def _correct(self, scores: Scored, corrected: Mapping[int, Corrected]) -> "_Said":
        """Let what people said overrule the scores: the probability of what they named becomes 1.

        What names a department that is not there is passed over.
        """
        said = _Said(*(np.full(scores.layout.n_postings, none) for none in (False, -1)))
        for posting, own in corrected.items():
            if own.department in self._positions and not scores.layout.is_empty[posting]:
                scores.probabilities[posting] = 0
                scores.probabilities[posting, self._departments.index(own.department)] = 1
                roles = {self.roles[n].id: n for n in self._positions[own.department]}
                said.is_corrected[posting] = True
                said.role[posting] = roles.get(own.role or "", -1)
        return said

    def _sums(self, policy: Policy) -> CategorySums:
        """Return what sums up by a policy; those of some policies are kept."""
        known = self._category_sums.get(id(policy))  # which stays its own while it is kept
        if known is None:
            if len(self._category_sums) >= _POLICIES:
                self._category_sums = {}
            known = self._category_sums[id(policy)] = CategorySums(policy, self.roles)
        return known

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
            What people said, by posting, if there is anyone to ask.

        Returns
        -------
        dict of str to Named or array of shape (n_postings,)
            The columns of `classifier.labels.LABEL_COLUMNS`, and ``basis`` if there are
            corrections.
        """
        said = None if corrected is None else self._correct(scores, corrected)
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
        if said is not None:
            role = np.where(said.role >= 0, said.role, role)
        found, where = np.unique(role, return_inverse=True)
        roles = [self.roles[n] if n >= 0 else None for n in found]
        rules = [policy.rule(r.department, r.id) if r else None for r in roles]
        sums = self._sums(policy)
        of_rule = [sums.categories.index(rule.category) if rule else 0 for rule in rules]
        of_category = sums.of(scores)[
            np.arange(len(best)), np.array(of_rule, dtype=np.int64)[where]
        ]
        of_category[role < 0] = np.nan
        level, level_confidence = self._levels(scores, roles, where)
        named: dict[str, Any] = {
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
        }
        if said is not None:
            named["basis"] = Named(["model", "correction"], said.is_corrected.astype(np.int64))
        return named

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

    def role(self, department: str, place: int) -> Role:
        """Return a role by its department and its place among the roles of that."""
        position: int = self._positions[department].item(place)
        return self.roles[position]

    def level(self, told: int, role: Role) -> tuple[str, float]:
        """Return the level of a title that has no description, and how sure that is.

        Parameters
        ----------
        told
            The position of the level that the title tells of, -1 for none.
        role
            The title's role.
        """
        rates = self.seniority.confidence
        if told >= 0:
            return SENIORITIES[told], rates["title"]
        if role.seniority is not None:
            return role.seniority, rates["role"]
        return "professional", rates["none"]

    def likeliest(self, probabilities: np.ndarray, n: int) -> list[tuple[str, float]]:
        """Return the likeliest departments of a posting; see `ranked`."""
        order = (-probabilities).argsort(kind="stable")[:n].tolist()
        return [(self._departments[place], probabilities.item(place)) for place in order]

    def category_confidence(self, scores: OneScored, policy: Policy, category: str) -> float:
        """Return the probability of a category of a single posting, 0-1."""
        return self._sums(policy).of_one(scores, category)

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


def _position(level: str | None) -> int:
    return -1 if level is None else SENIORITIES.index(level)

"""What every feature contributes, by key: the reference laid out for look-ups, kept in a file.

Features never cross a word but for pairs of neighbours, and both the numerator and the squared
length of a text are sums over its features (see `classifier.features.AdditiveTfidf`). So whatever a
word or a pair adds to the score of a department or role is a fixed row of numbers, and a text is a
short sum of rows. `classifier.fast` adds them up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
import scipy.sparse as sp

from classifier.calibration import Calibration
from classifier.catalogue import Role
from classifier.keys import key_of_piece, pair_keys, sequence_keys, word_keys
from classifier.roles import RoleIndex, positions_by_department
from classifier.runs import Numbers, Snapshot, spread
from classifier.scoring import CATALOGUE_WEIGHT, TOLD_WEIGHT, Scorer
from classifier.text import Tokenizer

N_BREAKS = Numbers.SILENT + 1
"""The numbers of breaks and the like come first, then those of pairs, then those of words."""


@dataclass(frozen=True)
class Known:
    """What `classifier.memory.Memory` knows from the start, by number: breaks, pairs, words.

    Parameters
    ----------
    runs
        Runs of characters between spaces, and what they read as.
    words
        The words in the order of their numbers, a line each.
    scores, squares, units, keys, kind, sizes
        What each number adds, and how many features it has.
    columns
        The features, number by number.
    roles
        Department to the numbers of the words of its titles, and what each says for its roles.
    """

    runs: Snapshot | None
    words: str
    scores: np.ndarray
    squares: np.ndarray
    units: np.ndarray
    keys: np.ndarray
    kind: np.ndarray
    sizes: np.ndarray
    columns: np.ndarray
    roles: Mapping[str, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of_pairs(cls, scores: np.ndarray, squares: np.ndarray, units: np.ndarray) -> "Known":
        """Return what is known before any word has been read: what each pair adds."""
        n_pairs = len(scores)
        breaks = np.zeros(N_BREAKS, dtype=np.float32)
        return cls(
            runs=None,
            words="",
            scores=np.concatenate([np.zeros((N_BREAKS, scores.shape[1]), np.float32), scores]),
            squares=np.append(breaks, squares),
            units=np.append(breaks, units),
            keys=np.zeros(N_BREAKS + n_pairs, dtype=np.uint64),
            kind=np.zeros(N_BREAKS + n_pairs, dtype=np.int64),
            sizes=np.repeat([0, 1], [N_BREAKS, n_pairs]),
            columns=np.arange(n_pairs, dtype=np.int32),
            roles={},
        )


@dataclass(frozen=True)
class Lexicon:
    """Rows of numbers by key; arrays may be memory-mapped.

    Parameters
    ----------
    classes
        The ids of departments and of no work, in the order of scores.
    calibration
        Turns scores into probabilities.
    tokenizer
        Cuts and normalises texts.
    roles
        All roles, without their titles and duties.
    shortest, longest
        Lengths of the pieces of words, in characters.
    pairs : ndarray of shape (n_pairs,)
        Keys of the pairs of words that are features.
    features : ndarray of shape (n_features - n_pairs,)
        Keys of the words and pieces of words that are features.
    scores : ndarray of shape (n_features, n_classes)
        What each feature, pairs first, adds to the log-odds before they are scaled; float32.
    squares, units : ndarray of shape (n_features,)
        What it adds to the squared length, and to the units of features; float32.
    intercept : ndarray of shape (n_classes,)
        The log-odds of a text without features.
    role_data, role_features, role_ends
        What features say for roles: the parts of a sparse matrix of shape (n_features, n_roles),
        column by column.
    role_sizes : ndarray of shape (n_roles,)
        What a unit of features costs each role.
    titles : ndarray of shape (n_titles,)
        Keys of the titles of the catalogue.
    title_class : ndarray of shape (n_titles,)
        The position of the department of each; -1 where several have it.
    title_roles, title_ends
        The positions of the roles that have each title, end to end, and where each title's end.
    known
        Pairs, and the words of the catalogue once they have been read.
    told : ndarray of shape (n_told,)
        Positions of the titles that a user has labelled; None if there are none.
    """

    classes: tuple[str, ...]
    calibration: Calibration
    tokenizer: Tokenizer
    roles: tuple[Role, ...]
    shortest: int
    longest: int
    pairs: np.ndarray
    features: np.ndarray
    scores: np.ndarray
    squares: np.ndarray
    units: np.ndarray
    intercept: np.ndarray
    role_data: np.ndarray
    role_features: np.ndarray
    role_ends: np.ndarray
    role_sizes: np.ndarray
    titles: np.ndarray
    title_class: np.ndarray
    title_roles: np.ndarray
    title_ends: np.ndarray
    known: Known
    told: np.ndarray | None = None

    @classmethod
    def of(cls, scorer: Scorer) -> "Lexicon":
        """Lay out what a fitted reference has learned.

        Parameters
        ----------
        scorer
            The reference.

        Returns
        -------
        Lexicon
            All that is needed for the same labels.
        """
        vectorizer = scorer.pipeline.named_steps["features"]
        counter, idf = vectorizer["count"], vectorizer["weigh"].idf_.astype(np.float64)
        classifier = scorer.pipeline.named_steps["classifier"]
        temperature = scorer.calibration.temperature
        order, pairs, features = _feature_keys(counter.vocabulary_)
        roles = sp.csc_matrix(scorer.roles.weights.multiply(idf).T.astype(np.float32))[order]
        scores = (classifier.coef_ * idf / temperature).T[order].astype(np.float32)
        squares, units = ((idf**power)[order].astype(np.float32) for power in (2, 1))
        own = slice(0, len(pairs))
        return cls(
            classes=tuple(map(str, scorer.pipeline.classes_)),
            calibration=scorer.calibration,
            tokenizer=counter.analyzer.tokenizer,
            roles=tuple(replace(role, titles={}, duties={}) for role in scorer.roles.roles),
            shortest=counter.analyzer.shortest,
            longest=counter.analyzer.longest,
            pairs=pairs,
            features=features,
            scores=scores,
            squares=squares,
            units=units,
            intercept=(classifier.intercept_ / temperature).astype(np.float32),
            role_data=roles.data,
            role_features=roles.indices,
            role_ends=roles.indptr,
            role_sizes=scorer.roles.sizes,
            known=Known.of_pairs(scores[own], squares[own], units[own]),
            **_titles(scorer.roles, scorer.pipeline.classes_),
            told=_told(scorer.roles),
        )

    @property
    def n_pairs(self) -> int:
        """How many pairs of words are features."""
        return len(self.pairs)

    @cached_property
    def positions(self) -> dict[str, np.ndarray]:
        """Department to the positions of its roles."""
        return positions_by_department(self.roles)

    def roles_of(self, department: str) -> sp.csr_matrix:
        """Return what features say for the roles of a department.

        Parameters
        ----------
        department
            Its id.

        Returns
        -------
        sparse matrix of shape (n_features, n_roles_of_department)
            float32.
        """
        whole = (self.role_data, self.role_features, self.role_ends)
        shape = (len(self.scores), len(self.roles))
        return sp.csc_matrix(whole, shape=shape)[:, self.positions[department]].tocsr()

    def sizes_of(self, department: str) -> np.ndarray:
        """Return what a unit of features costs each role of a department."""
        return self._sizes[department]

    @cached_property
    def _sizes(self) -> dict[str, np.ndarray]:
        sizes = np.asarray(self.role_sizes)
        return {department: sizes[own] for department, own in self.positions.items()}

    def roles_of_titles(self, titles: np.ndarray, department: str) -> tuple[np.ndarray, np.ndarray]:
        """Find the roles of a department that have titles of the catalogue.

        Parameters
        ----------
        titles : ndarray of shape (n_titles,)
            Positions of titles.
        department
            Its id.

        Returns
        -------
        ndarray of shape (n_found,), ndarray of shape (n_found,)
            Which title, and which of the department's roles has it.
        """
        sizes = self.title_ends[titles + 1] - self.title_ends[titles]
        roles = self.title_roles[spread(self.title_ends[titles], sizes)]
        positions = self.positions[department]
        place = np.minimum(np.searchsorted(positions, roles), len(positions) - 1)
        own = positions[place] == roles
        return np.repeat(np.arange(len(titles)), sizes)[own], place[own]

    def roles_of_title(self, title: int, department: str) -> list[int]:
        """Return which of a department's roles have a title of the catalogue."""
        roles = self.title_roles[self.title_ends.item(title) : self.title_ends.item(title + 1)]
        own = self._places[department]
        return [own[role] for role in roles.tolist() if role in own]

    @cached_property
    def _places(self) -> dict[str, dict[int, int]]:
        """Department to the places of its roles, by their positions."""
        return {
            department: {role: place for place, role in enumerate(own.tolist())}
            for department, own in self.positions.items()
        }

    @cached_property
    def pair_index(self) -> "pd.Index[Any]":
        """Key of a pair to its row."""
        return _index(self.pairs)

    @cached_property
    def feature_index(self) -> "pd.Index[Any]":
        """Key of a word or piece to its row, less the number of pairs."""
        return _index(self.features)

    @cached_property
    def title_weight(self) -> np.ndarray:
        """What each title adds to the log-odds of its department."""
        weights = np.full(len(self.titles), CATALOGUE_WEIGHT)
        if self.told is not None:
            weights[self.told] = TOLD_WEIGHT
        return weights

    @cached_property
    def title_index(self) -> "pd.Index[Any]":
        """Key of a title to its position."""
        return _index(self.titles)


def _index(keys: np.ndarray) -> "pd.Index[Any]":
    return cast("pd.Index[Any]", pd.Index(keys))


def _feature_keys(vocabulary: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the columns of the reference in the order of rows, and the keys of both kinds."""
    pairs = [feature for feature in vocabulary if " " in feature]
    others = [feature for feature in vocabulary if " " not in feature]
    sides = word_keys([word for pair in pairs for word in pair.split(" ")])
    keys = np.zeros(len(others), dtype=np.uint64)
    is_piece = np.array([feature.startswith("~") for feature in others], dtype=bool)
    keys[~is_piece] = word_keys([f for f in others if not f.startswith("~")])
    keys[is_piece] = [key_of_piece(f[1:]) for f in others if f.startswith("~")]
    order = np.array([vocabulary[feature] for feature in (*pairs, *others)], dtype=np.int64)
    return order, pair_keys(sides[::2], sides[1::2]), keys


def _titles(roles: RoleIndex, classes: np.ndarray) -> dict[str, np.ndarray]:
    """Lay out the titles of the catalogue: keys, departments and roles."""
    words = [title.split() for title in roles.exact]
    sizes = np.array([len(own) for own in words], dtype=np.int64)
    keys = sequence_keys(word_keys([word for own in words for word in own]), sizes)
    department = np.full(len(words), -1, dtype=np.int16)
    for row, own in enumerate(roles.exact.values()):
        departments = {roles.roles[n].department for n in own}
        if len(departments) == 1:
            department[row] = np.searchsorted(classes, departments.pop())
    return {
        "titles": keys,
        "title_class": department,
        "title_roles": np.array([n for own in roles.exact.values() for n in own], dtype=np.int32),
        "title_ends": np.cumsum([0, *map(len, roles.exact.values())]),
    }


def _told(roles: RoleIndex) -> np.ndarray | None:
    if not roles.told:
        return None
    return np.array([n for n, title in enumerate(roles.exact) if title in roles.told], np.int64)

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
from classifier.scoring import Scorer
from classifier.text import Tokenizer


@dataclass(frozen=True)
class Known:
    """Words that are known from the start, so that nobody waits for them to be learned.

    Parameters
    ----------
    runs
        Runs of characters between spaces, a line each.
    records
        What each reads as; see `classifier.reading.Reader`.
    words
        The words by number, a line each.
    scores, sums, keys, kind
        What each word adds; see `classifier.memory.Memory`.
    """

    runs: str
    records: tuple[np.ndarray, ...]
    words: str
    scores: np.ndarray
    sums: np.ndarray
    keys: np.ndarray
    kind: np.ndarray


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
    sums : ndarray of shape (n_features, 2)
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
        The words of the catalogue; None before they have been read.
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
    sums: np.ndarray
    intercept: np.ndarray
    role_data: np.ndarray
    role_features: np.ndarray
    role_ends: np.ndarray
    role_sizes: np.ndarray
    titles: np.ndarray
    title_class: np.ndarray
    title_roles: np.ndarray
    title_ends: np.ndarray
    known: Known | None = None

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
        return cls(
            classes=tuple(map(str, scorer.pipeline.classes_)),
            calibration=scorer.calibration,
            tokenizer=counter.analyzer.tokenizer,
            roles=tuple(replace(role, titles={}, duties={}) for role in scorer.roles.roles),
            shortest=counter.analyzer.shortest,
            longest=counter.analyzer.longest,
            pairs=pairs,
            features=features,
            scores=(classifier.coef_ * idf / temperature).T[order].astype(np.float32),
            sums=np.column_stack([idf**2, idf])[order].astype(np.float32),
            intercept=(classifier.intercept_ / temperature).astype(np.float32),
            role_data=roles.data,
            role_features=roles.indices,
            role_ends=roles.indptr,
            role_sizes=scorer.roles.sizes,
            **_titles(scorer.roles, scorer.pipeline.classes_),
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

    @cached_property
    def pair_index(self) -> "pd.Index[Any]":
        """Key of a pair to its row."""
        return _index(self.pairs)

    @cached_property
    def feature_index(self) -> "pd.Index[Any]":
        """Key of a word or piece to its row, less the number of pairs."""
        return _index(self.features)

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

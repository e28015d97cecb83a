"""The fast way from postings to probabilities: sums of rows, the same labels as the reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
import scipy.sparse as sp

from classifier.keys import positions, sequence_keys
from classifier.lexicon import Lexicon
from classifier.memory import Memory
from classifier.postings import Layout
from classifier.reading import Words
from classifier.recall import Recall
from classifier.roles import EXACT_WEIGHT
from classifier.runs import spread
from classifier.scoring import Decision
from classifier.seniority import SeniorityReader

MAX_WORDS = 150_000
"""Distinct words that are remembered; beyond it, all but those of the catalogue are forgotten.

A word takes about 400 bytes, and 120 for each department whose roles it was compared with.
"""

_FEW_SUMS = 4
"""So many sums are done before scipy has checked its matrix."""

_WIDEST_GAP = 3
"""No phrase of a level has room for more words than this that it does not name."""


class FastScorer:
    """Scores postings by what each of their words contributes.

    Parameters
    ----------
    lexicon
        What features contribute.
    seniority
        Reads levels from titles.

    Notes
    -----
    Not safe for use by several threads at once.
    """

    def __init__(self, lexicon: Lexicon, seniority: SeniorityReader) -> None:
        self.lexicon = lexicon
        self.seniority = seniority
        self.decision = Decision(lexicon.classes, lexicon.calibration)
        self._forget()

    def _forget(self) -> None:
        self.memory = Memory(self.lexicon, self.seniority)
        self.recall = Recall(self.memory, self.lexicon, self.seniority)

    def bound(self) -> None:
        """Forget all words but those of the catalogue if they have become too many."""
        if self.memory.n_words > MAX_WORDS or self.memory.n_runs > 3 * MAX_WORDS:
            self._forget()

    def score(self, titles: Sequence[str], descriptions: Sequence[str] | None) -> "FastScores":
        """Compute the probability of each department for each posting.

        Parameters
        ----------
        titles : sequence of shape (n_postings,)
            Free text or HTML.
        descriptions : sequence of shape (n_postings,), optional
            Free text or HTML.

        Returns
        -------
        FastScores
            The probabilities of `classifier.scoring.Scorer.score`, to 1e-5.
        """
        self.bound()
        words = self.memory.reader.read(titles, descriptions)
        memory = self.memory
        memory.learn()
        layout = words.layout
        pairs, pair_piece = memory.pairs(words.numbers, words.piece)
        piece = np.concatenate([words.piece, pair_piece])
        numbers = np.concatenate([words.numbers, pairs])
        title = self._find_titles(words)
        of_class = np.where(title >= 0, self.lexicon.title_class[title], -1)
        rows = np.flatnonzero(of_class >= 0)
        if layout.has_text:
            sums = Sums.of(piece, numbers, layout.n_pieces)
            log_odds, scale, known = self._log_odds(sums)
            worth = self.decision.worth(log_odds, known)
            weights = layout.weights(worth)
            # a title without a description is as likely to be this or that as among titles alone
            total = (layout.membership(weights) @ log_odds).astype(np.float32)
            silent = np.bincount(layout.owner, known, layout.n_postings) == 0
            substance = layout.substance(worth)
            whole = layout.membership(weights * scale) @ sums.matrix(self.memory.n_numbers)
            sums = Sums(whole.data.astype(np.float32), whole.indices, whole.indptr)
        else:  # one title each: nothing to weigh
            sums = Sums.of(layout.owner[piece], numbers, layout.n_postings)
            total, scale, known = self._log_odds(sums)
            silent, substance = ~known, np.zeros(layout.n_postings)
            sums = Sums(np.repeat(scale, np.diff(sums.ends)), sums.numbers, sums.ends)
        total[rows, of_class[rows]] += self.lexicon.title_weight[title[rows]]
        probabilities = self.decision.probabilities(total, substance, silent)
        return FastScores(words, probabilities, self, sums, title)

    def _log_odds(self, sums: "Sums") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the log-odds of texts, their scale, and whether anything of them is known."""
        squared = sums.over(self.memory.squares)
        known = squared > 0
        scale = (1 / np.sqrt(np.where(known, squared, 1))).astype(np.float32)
        log_odds = sums.over(self.memory.scores)
        log_odds *= scale[:, np.newaxis]
        log_odds += self.lexicon.intercept
        return log_odds, scale, known

    def _find_titles(self, words: Words) -> np.ndarray:
        """Return the position of each posting's title in the catalogue, -1 where it has none."""
        layout = words.layout
        own = layout.is_title[words.piece]
        keys = self.memory.keys[words.numbers[own]]
        sizes = np.bincount(words.piece[own], minlength=layout.n_pieces)
        titles = np.flatnonzero(sizes)
        found = np.full(layout.n_postings, -1)
        found[layout.owner[titles]] = positions(
            self.lexicon.title_index, sequence_keys(keys, sizes[titles])
        )
        return found

    def levels(self, words: Words) -> np.ndarray:
        """Return the level that each posting's title tells of; see `Scored.title_levels`."""
        found = np.full(words.layout.n_postings, -1)
        in_title = words.layout.is_title[words.piece]
        kind, piece = self.memory.kind[words.numbers[in_title]], words.piece[in_title]
        place = np.arange(len(kind))
        starts = np.maximum.accumulate(np.where(np.diff(piece, prepend=-1), place, 0))
        # other words count only in so far as they stand between: none before, few after
        latest = np.maximum.accumulate(np.where(kind > 0, place, -1))
        kept = (latest >= starts) & (place - latest <= _WIDEST_GAP)
        kind, piece = kind[kept], piece[kept]
        ends = np.flatnonzero(np.diff(piece, append=-1)) + 1
        sizes = np.diff(ends, prepend=0)
        starts = ends - sizes
        codes, keys = pd.factorize(sequence_keys(kind, sizes))
        first = np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1))
        levels = np.zeros(len(keys), dtype=np.int64)
        for n, at in enumerate(first.tolist()):  # titles of the same kinds of words share an answer
            levels[n] = self.recall.level_of_kinds(tuple(kind[starts[at] : ends[at]].tolist()))
        found[words.layout.owner[piece[starts]]] = levels[codes]
        return found


@dataclass(frozen=True)
class FastScores:
    """What was computed for a batch of postings.

    Parameters
    ----------
    words
        The postings as numbered words.
    probabilities : ndarray of shape (n_postings, n_departments)
        A row sums to at most 1, the rest being the probability that the text names no work.
    scorer
        Computed them.
    sums
        How much each word and pair counts in each posting.
    title : ndarray of shape (n_postings,)
        The title's position in the catalogue; -1 where it has none.
    """

    words: Words
    probabilities: np.ndarray
    scorer: FastScorer
    sums: "Sums"
    title: np.ndarray

    @cached_property
    def units(self) -> np.ndarray:
        """How many units of features each posting has."""
        return self.sums.over(self.scorer.memory.units)

    @property
    def layout(self) -> Layout:
        """Which pieces belong to which posting."""
        return self.words.layout

    def fit(self, department: str, rows: np.ndarray) -> np.ndarray:
        """Return how well the roles of a department fit; see `Scored.fit`."""
        memory, lexicon = self.scorer.memory, self.scorer.lexicon
        own = self.sums.some(rows)
        numbers, values = memory.for_roles(department, own.numbers)
        fit = Sums(own.weights, numbers, own.ends).over(values)
        fit -= np.multiply.outer(self.units[rows], lexicon.sizes_of(department))
        # a title that stands in the catalogue speaks for its own roles
        titled = np.flatnonzero(self.title[rows] >= 0)
        if len(titled):
            n_titled, roles = lexicon.roles_of_titles(self.title[rows[titled]], department)
            fit[titled[n_titled], roles] += EXACT_WEIGHT
        return fit

    def title_levels(self, seniority: SeniorityReader) -> np.ndarray:  # noqa: ARG002
        """Return the level that each posting's title tells of; see `Scored.title_levels`."""
        return self.scorer.levels(self.words)

    def sentences(self, posting: int) -> list[str]:
        """Return the sentences of a posting that may tell of a level; see `Scored.sentences`."""
        return self.words.telling.get(posting, [])


@dataclass(frozen=True)
class Sums:
    """Which rows of numbers to add up, and by what weight: a sparse matrix, less its checks.

    Parameters
    ----------
    weights, numbers : ndarray of shape (n_words,)
        The rows, and how much each counts, sum after sum.
    ends : ndarray of shape (n_sums + 1,)
        Where each sum begins, and where the last ends.
    """

    weights: np.ndarray
    numbers: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, row: np.ndarray, numbers: np.ndarray, n_sums: int) -> "Sums":
        """Sum numbers by row, each once."""
        order = np.argsort(row, kind="stable")
        ends = np.zeros(n_sums + 1, dtype=np.int64)
        np.cumsum(np.bincount(row, minlength=n_sums), out=ends[1:])
        return cls(np.ones(len(row), dtype=np.float32), numbers[order], ends)

    def some(self, rows: np.ndarray) -> "Sums":
        """Return some of the sums."""
        if len(rows) == len(self.ends) - 1:  # in order, so it is all of them
            return self
        sizes = (self.ends[1:] - self.ends[:-1])[rows]
        at = spread(self.ends[rows], sizes)
        ends = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(sizes, out=ends[1:])
        return Sums(self.weights[at], self.numbers[at], ends)

    def over(self, values: np.ndarray) -> np.ndarray:
        """Sum rows of values one by one: it makes no difference how many sums there are."""
        n_sums = len(self.ends) - 1
        if values.ndim == 1:
            row = np.repeat(np.arange(n_sums), np.diff(self.ends))
            return np.bincount(row, self.weights * values[self.numbers], n_sums)
        if n_sums > _FEW_SUMS:
            return np.asarray(self.matrix(len(values)) @ values)
        weighted = self.weights[:, np.newaxis] * values[self.numbers]
        found = np.empty((n_sums, values.shape[1]), dtype=weighted.dtype)
        for n, (start, end) in enumerate(pairwise(self.ends.tolist())):
            weighted[start:end].sum(axis=0, out=found[n])
        return found

    def matrix(self, n_numbers: int) -> sp.csr_matrix:
        """Return the matrix of shape (n_sums, n_numbers)."""
        shape = (len(self.ends) - 1, n_numbers)
        return sp.csr_matrix((self.weights, self.numbers, self.ends), shape=shape)

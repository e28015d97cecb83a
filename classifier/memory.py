"""The words met so far: their numbers, and the rows of numbers that each adds to a score."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import scipy.sparse as sp

from classifier.keys import pair_keys, piece_keys, word_keys
from classifier.lexicon import Known, Lexicon
from classifier.reading import Numbers, Reader
from classifier.seniority import SeniorityReader

_MARKS = Numbers.SILENT + 1
"""The numbers of breaks and the like come first, then those of pairs, then those of words."""

_ROWS = ("scores", "sums", "keys", "kind")

_BLOCK = 20_000
"""Words that are learned at a time: a bound on what their pieces take."""


class Memory:
    """Words by number, and what each adds; the rows of pairs are there from the start.

    Parameters
    ----------
    lexicon
        What features contribute.
    seniority
        Knows the words that tell of a level.

    Attributes
    ----------
    reader
        Cuts postings into numbered words.
    scores : ndarray of shape (n_numbers, n_classes)
        What each adds to the log-odds before they are scaled.
    sums : ndarray of shape (n_numbers, 2)
        What it adds to the squared length, and to the units of features.
    keys : ndarray of shape (n_numbers,)
        The keys of words.
    kind : ndarray of shape (n_numbers,)
        A word that may tell of a level in a title as this one does; 0 for those that cannot.
    """

    def __init__(self, lexicon: Lexicon, seniority: SeniorityReader) -> None:
        self._lexicon = lexicon
        self._seniority = seniority
        self._numbers = Numbers(_MARKS + lexicon.n_pairs)
        self.reader = Reader(self._numbers, lexicon.tokenizer, seniority)
        self._n_learned = size = len(self._numbers.spelt)
        self.scores = np.zeros((size, len(lexicon.classes)), dtype=np.float32)
        self.sums = np.zeros((size, 2), dtype=np.float32)
        self.scores[_MARKS:] = lexicon.scores[: lexicon.n_pairs]
        self.sums[_MARKS:] = lexicon.sums[: lexicon.n_pairs]
        self.keys = np.zeros(size, dtype=np.uint64)
        self.kind = np.zeros(size, dtype=np.int64)
        self._kinds: dict[str, int] = {"": 0}
        self._roles: dict[str, _RoleRows] = {}
        self._n_known = self._n_known_runs = 0
        if lexicon.known is not None:
            self._restore(lexicon.known)

    @classmethod
    def knowing(cls, lexicon: Lexicon, seniority: SeniorityReader, runs: Iterable[str]) -> Known:
        """Learn runs of characters ahead.

        Parameters
        ----------
        lexicon
            What features contribute.
        seniority
            Knows the words that tell of a level.
        runs
            As they stand between spaces.

        Returns
        -------
        Known
            What a lexicon keeps of them.
        """
        memory = cls(replace(lexicon, known=None), seniority)
        for run in dict.fromkeys(runs):
            memory.reader[run]
        memory.learn()
        first, end = _MARKS + lexicon.n_pairs, len(memory._numbers.spelt)
        arrays = (memory.scores, memory.sums, memory.keys, memory.kind)
        return Known(
            *memory.reader.snapshot(),
            "\n".join(memory._numbers),
            *(values[first:end].copy() for values in arrays),
        )

    def _restore(self, known: Known) -> None:
        """Start with words that were learned ahead."""
        words = known.words.split("\n")
        numbers = range(self._n_learned, self._n_learned + len(words))
        self._numbers.update(zip(words, numbers, strict=True))
        self._numbers.spelt += words
        self._n_known = len(words)
        self.reader.restore(known.runs, known.records)
        self._n_known_runs = len(self.reader)
        for name in _ROWS:
            rows = np.concatenate([getattr(self, name), getattr(known, name)])
            setattr(self, name, rows)
        self._kinds |= {self._seniority.kind(self.spelt(n)): n for n in np.unique(self.kind) if n}
        self._n_learned += len(words)

    @property
    def n_words(self) -> int:
        """How many words have been learned since the start."""
        return len(self._numbers) - self._n_known

    @property
    def n_runs(self) -> int:
        """How many runs of characters have been read since the start."""
        return len(self.reader) - self._n_known_runs

    def spelt(self, number: int) -> str:
        """Return a word by its number."""
        return self._numbers.spelt[number] or ""

    def learn(self) -> None:
        """Compute the rows of the words that were numbered since the last time."""
        end = len(self._numbers.spelt)
        if end > len(self.keys):
            room = max(end, len(self.keys) * 5 // 4) - len(self.keys)
            for name in _ROWS:
                old = getattr(self, name)
                new = np.zeros((room, *old.shape[1:]), dtype=old.dtype)
                setattr(self, name, np.concatenate([old, new]))
        for start in range(self._n_learned, end, _BLOCK):
            new = np.arange(start, min(start + _BLOCK, end))
            words = [self.spelt(n) for n in new.tolist()]
            self.keys[new] = word_keys(words)
            counts = self._counts(new)
            self.scores[new] = counts @ self._lexicon.scores
            self.sums[new] = counts @ self._lexicon.sums
            kinds = zip(map(self._seniority.kind, words), new.tolist(), strict=True)
            self.kind[new] = [self._kinds.setdefault(kind, n) for kind, n in kinds]
        self._n_learned = end

    def _counts(self, numbers: np.ndarray) -> sp.csr_matrix:
        """Count the features of words and pairs."""
        rows = np.flatnonzero(numbers >= _MARKS + self._lexicon.n_pairs)
        words = [self.spelt(n) for n in numbers[rows].tolist()]
        keys, owner = piece_keys(words, self._lexicon.shortest, self._lexicon.longest)
        of_words = pd.Index(np.concatenate([self.keys[numbers[rows]], keys]))
        found = self._lexicon.feature_index.get_indexer(of_words)
        known = found >= 0
        pairs = np.flatnonzero(numbers < _MARKS + self._lexicon.n_pairs)
        row = np.concatenate([rows, rows[owner]])[known]
        column = found[known] + self._lexicon.n_pairs
        row, column = np.append(row, pairs), np.append(column, numbers[pairs] - _MARKS)
        ones = np.ones(len(row), dtype=np.float32)
        shape = (len(numbers), len(self._lexicon.scores))
        return sp.csr_matrix((ones, (row, column)), shape=shape)

    def pairs(self, numbers: np.ndarray, piece: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the pairs of neighbours that are features.

        Parameters
        ----------
        numbers, piece : ndarray of shape (n_words,)
            Words, and the piece that each stands in.

        Returns
        -------
        ndarray of shape (n_pairs,), ndarray of shape (n_pairs,)
            The pairs' numbers and pieces.
        """
        keys = self.keys[numbers]
        both = pd.Index(pair_keys(keys[:-1], keys[1:]))
        found = self._lexicon.pair_index.get_indexer(both)
        known = (found >= 0) & (piece[1:] == piece[:-1])
        return found[known] + _MARKS, piece[1:][known]

    def for_roles(self, department: str, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what words and pairs say for the roles of a department.

        Parameters
        ----------
        department
            Its id.
        numbers : ndarray of shape (n_words,)
            Words and pairs.

        Returns
        -------
        ndarray of shape (n_words,), ndarray of shape (n_rows, n_roles_of_department)
            The row of each, and the rows.
        """
        if department not in self._roles:
            self._roles[department] = _RoleRows(self._lexicon.roles_of(department))
        rows = self._roles[department]
        rows.grow(len(self.keys))
        place = rows.of_number[numbers]
        if (place < 0).any():
            new = np.unique(numbers[place < 0])
            for start in range(0, len(new), _BLOCK):
                part = new[start : start + _BLOCK]
                rows.add(part, (self._counts(part) @ rows.features).toarray())
            place = rows.of_number[numbers]
        return place, rows.values


@dataclass
class _RoleRows:
    """What some of the words say for the roles of one department."""

    features: sp.csr_matrix
    of_number: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    n_rows: int = 0
    values: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.values = np.zeros((0, self.features.shape[1]), dtype=np.float32)

    def grow(self, n_numbers: int) -> None:
        """Make room for more words."""
        more = n_numbers - len(self.of_number)
        if more > 0:
            self.of_number = np.append(self.of_number, np.full(more, -1, dtype=np.int32))

    def add(self, numbers: np.ndarray, rows: np.ndarray) -> None:
        """Remember the rows of words."""
        end = self.n_rows + len(rows)
        if end > len(self.values):
            grown = np.zeros(
                (max(end, 1_000, len(self.values) * 3 // 2), rows.shape[1]), np.float32
            )
            grown[: self.n_rows] = self.values[: self.n_rows]
            self.values = grown
        self.values[self.n_rows : end] = rows
        self.of_number[numbers] = np.arange(self.n_rows, end)
        self.n_rows = end

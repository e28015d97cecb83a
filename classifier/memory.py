"""The words met so far: their numbers, and the rows of numbers that each adds to a score."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from classifier.keys import pair_keys, piece_keys, positions, word_keys
from classifier.lexicon import N_BREAKS, Known, Lexicon
from classifier.reading import Reader
from classifier.runs import Numbers, Runs, spread
from classifier.seniority import SeniorityReader

_ROWS = ("scores", "squares", "units", "keys", "kind", "sizes", "starts")

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
    runs
        Knows the words between spaces.
    reader
        Cuts postings into numbered words.
    scores : ndarray of shape (n_numbers, n_classes)
        What each adds to the log-odds before they are scaled.
    squares, units : ndarray of shape (n_numbers,)
        What it adds to the squared length, and to the units of features.
    keys : ndarray of shape (n_numbers,)
        The keys of words.
    kind : ndarray of shape (n_numbers,)
        A word that may tell of a level in a title as this one does; 0 for those that cannot.
    starts, sizes : ndarray of shape (n_numbers,)
        Where its features are among all, and how many there are.
    """

    def __init__(self, lexicon: Lexicon, seniority: SeniorityReader) -> None:
        known = lexicon.known
        self._lexicon = lexicon
        self._seniority = seniority
        words = known.words.split("\n") if known.words else []
        self._numbers = Numbers(N_BREAKS + lexicon.n_pairs, words)
        self.runs = Runs(self._numbers, lexicon.tokenizer, seniority, known.runs)
        self.reader = Reader(self.runs)
        # they may be memory-mapped: plain views are quicker; they are exchanged when they grow
        own = (known.scores, known.squares, known.units, known.keys, known.kind, known.sizes)
        self.scores, self.squares, self.units, self.keys, self.kind, self.sizes = map(
            np.asarray, own
        )
        self.starts = np.cumsum(known.sizes) - known.sizes
        self._columns, self._n_columns = known.columns, len(known.columns)
        kinds = np.unique(known.kind[known.kind > 0]).tolist()
        self._kinds = {"": 0, **{seniority.kind(self.spelt(n)): n for n in kinds}}
        self._roles: dict[str, _RoleRows] = {}
        self._n_learned = self._n_known = len(self._numbers)
        self._n_known_runs = len(self.runs)

    @classmethod
    def knowing(
        cls,
        lexicon: Lexicon,
        seniority: SeniorityReader,
        runs: Iterable[str],
        titles: Mapping[str, Sequence[str]],
    ) -> Known:
        """Learn words ahead.

        Parameters
        ----------
        lexicon
            What features contribute.
        seniority
            Knows the words that tell of a level.
        runs
            Words as they stand between spaces.
        titles
            Department to titles: their words are learned with what they say for its roles.

        Returns
        -------
        Known
            What a lexicon keeps of them.
        """
        memory = cls(lexicon, seniority)
        memory.runs.find(" ".join(runs))
        for department, own in titles.items():
            words = memory.reader.read(own, None)
            memory.learn()
            pairs, _ = memory.pairs(words.numbers, words.piece)
            memory.for_roles(department, np.append(words.numbers, pairs))
        arrays = {name: getattr(memory, name)[: memory._n_learned] for name in _ROWS[:-1]}
        return Known(
            runs=memory.runs.snapshot(),
            words="\n".join(memory._numbers.words(N_BREAKS + lexicon.n_pairs, memory._n_learned)),
            columns=memory._columns[: memory._n_columns],
            roles={department: rows.snapshot() for department, rows in memory._roles.items()},
            **arrays,
        )

    @property
    def n_words(self) -> int:
        """How many words have been learned since the start."""
        return len(self._numbers) - self._n_known

    @property
    def n_runs(self) -> int:
        """How many runs of characters have been read since the start."""
        return len(self.runs) - self._n_known_runs

    @property
    def n_numbers(self) -> int:
        """How many numbers there is room for."""
        return len(self.keys)

    def spelt(self, number: int) -> str:
        """Return a word by its number."""
        return self._numbers.word(number)

    def learn(self) -> None:
        """Compute the rows of the words that were numbered since the last time."""
        end = len(self._numbers)
        if end > len(self.keys):
            room = max(end, len(self.keys) * 5 // 4) - len(self.keys)
            for name in _ROWS:
                old = getattr(self, name)
                new = np.zeros((room, *old.shape[1:]), dtype=old.dtype)
                setattr(self, name, np.concatenate([old, new]))
        for start in range(self._n_learned, end, _BLOCK):
            new = np.arange(start, min(start + _BLOCK, end))
            words = self._numbers.words(start, start + len(new))
            self.keys[new] = word_keys(words)
            self._find_features(new, words)
            counts = self._counts(new)
            self.scores[new] = counts @ self._lexicon.scores
            self.squares[new] = counts @ self._lexicon.squares
            self.units[new] = counts @ self._lexicon.units
            kinds = zip(map(self._seniority.kind, words), new.tolist(), strict=True)
            self.kind[new] = [self._kinds.setdefault(kind, n) for kind, n in kinds]
        self._n_learned = end

    def _find_features(self, numbers: np.ndarray, words: Sequence[str]) -> None:
        """Note which features words have: they themselves, and their pieces."""
        keys, owner = piece_keys(words, self._lexicon.shortest, self._lexicon.longest)
        keys = np.append(self.keys[numbers], keys)
        owner = np.append(np.arange(len(words)), owner)
        found = positions(self._lexicon.feature_index, keys)
        order = np.argsort(owner, kind="stable")
        order = order[found[order] >= 0]
        columns = (found[order] + self._lexicon.n_pairs).astype(np.int32)
        self.sizes[numbers] = np.bincount(owner[order], minlength=len(words))
        self.starts[numbers] = (
            self._n_columns + np.cumsum(self.sizes[numbers]) - self.sizes[numbers]
        )
        if not len(columns):
            return  # the array may be memory-mapped: it is exchanged, not written to
        end = self._n_columns + len(columns)
        if end > len(self._columns):
            room = np.zeros(max(end, len(self._columns) * 5 // 4), dtype=np.int32)
            room[: self._n_columns] = self._columns[: self._n_columns]
            self._columns = room
        self._columns[self._n_columns : end] = columns
        self._n_columns = end

    def _counts(self, numbers: np.ndarray) -> sp.csr_matrix:
        """Count the features of words and pairs."""
        sizes = self.sizes[numbers]
        columns = self._columns[spread(self.starts[numbers], sizes)]
        ones = np.ones(len(columns), dtype=np.float32)
        ends = np.append(0, np.cumsum(sizes))
        return sp.csr_matrix((ones, columns, ends), shape=(len(numbers), len(self._lexicon.scores)))

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
        found = positions(self._lexicon.pair_index, pair_keys(keys[:-1], keys[1:]))
        known = (found >= 0) & (piece[1:] == piece[:-1])
        return found[known] + N_BREAKS, piece[1:][known]

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
            if department in self._lexicon.known.roles:
                self._roles[department].restore(*self._lexicon.known.roles[department])
        rows = self._roles[department]
        rows.grow(self.n_numbers)
        place = rows.of_number[numbers]
        if (place < 0).any():
            new = np.unique(numbers[place < 0])
            for start in range(0, len(new), _BLOCK):
                part = new[start : start + _BLOCK]
                rows.add(part, self._for_roles(part, rows.features))
            place = rows.of_number[numbers]
        return place, rows.values

    def _for_roles(self, numbers: np.ndarray, roles: sp.csr_matrix) -> np.ndarray:
        """Add up what the features of words and pairs say for roles."""
        sizes = self.sizes[numbers]
        columns = self._columns[spread(self.starts[numbers], sizes)]
        starts = roles.indptr[columns]
        there = roles.indptr[columns + 1] - starts
        at = spread(starts, there)
        rows = np.zeros((len(numbers), roles.shape[1]), dtype=np.float32)
        row = np.repeat(np.repeat(np.arange(len(numbers)), sizes), there)
        np.add.at(rows, (row, roles.indices[at]), roles.data[at])
        return rows


@dataclass
class _RoleRows:
    """What some of the words say for the roles of one department."""

    features: sp.csr_matrix
    of_number: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    n_rows: int = 0
    values: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.values = np.zeros((0, self.features.shape[1]), dtype=np.float32)

    def snapshot(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the words and their rows."""
        numbers = np.flatnonzero(self.of_number >= 0)
        return numbers, self.values[self.of_number[numbers]]

    def restore(self, numbers: np.ndarray, rows: np.ndarray) -> None:
        """Know the rows of a snapshot."""
        self.grow(int(numbers[-1]) + 1)
        self.of_number[numbers] = np.arange(len(numbers))
        self.values, self.n_rows = np.asarray(rows), len(rows)

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

"""What each word contributes, computed once: the same scores as the reference, much faster.

Features never cross a word but for pairs of neighbours, and both the numerator and the squared
length of a text are sums over its features (see `classifier.features.AdditiveTfidf`). So whatever a
word or a pair adds to the score of a department or role is a fixed row of numbers, and a text is a
short sum of rows.
"""

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import scipy.sparse as sp

from classifier.postings import Evidence
from classifier.roles import EXACT_WEIGHT
from classifier.scoring import CATALOGUE_WEIGHT, Scorer
from classifier.seniority import SeniorityReader
from classifier.taxonomy import SENIORITIES
from classifier.text import WORD_OR_BREAK, Tokenizer

MAX_WORDS = 150_000
"""Distinct words that are remembered; beyond it, all but those of the catalogue are forgotten.

A word takes about 400 bytes, and 120 for each department whose roles it was compared with.
"""

MAX_CHARACTERS = 2_000_000
"""Characters that are cut into words at a time, so that one batch cannot fill the memory."""

_GAP = re.compile(r"( _){4,} ")
_MIX, _PLACE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)


class Lexicon:
    """Words by number, and the rows of numbers that each adds to a score.

    Parameters
    ----------
    scorer
        The reference that it computes the same as.
    seniority
        Reads levels from titles.

    Notes
    -----
    Not safe for use by several threads at once.
    """

    def __init__(self, scorer: Scorer, seniority: SeniorityReader) -> None:
        self.scorer = scorer
        self.seniority = seniority
        vectorizer = scorer.pipeline.named_steps["features"]
        self._counter, idf = vectorizer["count"], vectorizer["weigh"].idf_.astype(np.float64)
        classifier = scorer.pipeline.named_steps["classifier"]
        temperature = scorer.calibration.temperature
        self._of_feature = (classifier.coef_ * idf / temperature).T.astype(np.float32)
        self._intercept = classifier.intercept_ / temperature
        self._lengths = np.column_stack([idf**2, idf]).astype(np.float32)
        self._idf = idf
        self._roles = {d: self._role_features(d) for d in map(str, scorer.departments)}
        self._forget()

    def _role_features(self, department: str) -> sp.csr_matrix:
        """Return what a feature says for each role of a department, without their sizes."""
        weights = self.scorer.roles.weights[self.scorer.roles.positions(department)]
        return sp.csr_matrix(weights.multiply(self._idf).T.astype(np.float32))

    def _forget(self) -> None:
        """Start with the pairs of the vocabulary and the words of the catalogue, and no others."""
        self._numbers = _Numbers()
        self._spelt = self._numbers.spelt
        self._tokens = _Tokens(self._numbers, self.scorer.roles.tokenizer)
        self._levels: dict[bytes, int] = {}
        self._told: dict[str, int] = {}
        pairs = [(f, c) for f, c in self._counter.vocabulary_.items() if " " in f]
        self._spelt += [None] * len(pairs)
        self._n_pairs = len(pairs)
        self._pair_columns = np.array([column for _, column in pairs], dtype=np.int32)
        sides = [[self._numbers[word] for word in feature.split(" ")] for feature, _ in pairs]
        keys = np.array(sides, dtype=np.uint64).reshape(len(pairs), 2)
        self._pairs = pd.Index(keys[:, 0] << np.uint64(32) | keys[:, 1])
        self._read_catalogue()
        size = len(self._spelt)
        self._scores = np.zeros((size, len(self._intercept)), dtype=np.float32)
        self._sums = np.zeros((size, 2), dtype=np.float32)
        self._columns = array("i", [0])  # never empty: numpy cannot look into nothing
        self._places = np.full((size, 2), -1, dtype=np.int64)
        self._ready = np.zeros(size, dtype=bool)
        self._marks = np.zeros(size, dtype=bool)
        self._role_rows = {d: _Rows(size, f.shape[1]) for d, f in self._roles.items()}

    def _read_catalogue(self) -> None:
        """Find a key for each title of the catalogue: the numbers of its words."""
        exact = self.scorer.roles.exact
        ids = [[self._numbers[word] for word in title.split()] for title in exact]
        sizes = np.array([len(words) for words in ids])
        flat = np.array([word for words in ids for word in words], dtype=np.int64)
        keys = _sequence_keys(flat, sizes)
        self._titles = pd.Index(keys)
        roles = self.scorer.roles.roles
        rows = np.repeat(np.arange(len(exact)), [len(own) for own in exact.values()])
        columns = np.array([n for own in exact.values() for n in own], dtype=np.int64)
        shape = (len(exact), len(roles))
        values = np.full(len(rows), EXACT_WEIGHT, dtype=np.float32)
        self._title_roles = sp.csr_matrix((values, (rows, columns)), shape=shape)
        classes = self.scorer.pipeline.classes_
        self._title_class = np.full(len(exact), -1)
        for row, own in enumerate(exact.values()):
            departments = {roles[n].department for n in own}
            if len(departments) == 1:
                self._title_class[row] = np.searchsorted(classes, departments.pop())

    def score(self, evidence: Evidence) -> "FastScores":
        """Compute the probability of each department for each posting.

        Parameters
        ----------
        evidence
            The pieces of the postings.

        Returns
        -------
        FastScores
            The probabilities of `Scorer.score`, to 1e-5.
        """
        if len(self._spelt) > self._n_pairs + MAX_WORDS or len(self._tokens) > 2 * MAX_WORDS:
            self._forget()
        words = _Words.joined([self._cut(part) for part in _parts(evidence.pieces)])
        self._learn(words.numbers)
        pairs, pair_piece = self._known_pairs(words)
        n_pieces = len(evidence.pieces)
        shape = (n_pieces, len(self._ready))
        A = _summing(np.append(words.piece, pair_piece), np.append(words.numbers, pairs), shape)
        squared = A @ self._sums[:, 0]
        scale = 1 / np.sqrt(np.where(squared > 0, squared, 1))
        log_odds = (A @ self._scores) * scale[:, np.newaxis] + self._intercept
        title = self._find_titles(words, evidence)
        known = np.zeros((evidence.n_postings, log_odds.shape[1]))
        of_class = np.where(title >= 0, self._title_class[title], -1)
        rows = np.flatnonzero(of_class >= 0)
        known[rows, of_class[rows]] = CATALOGUE_WEIGHT
        if evidence.has_text or len(evidence.pieces) != evidence.n_postings:
            worth = self.scorer.worth(log_odds, squared > 0)
            weights = evidence.weights(worth)
            total = evidence.membership(weights) @ log_odds + known
            silent = np.bincount(evidence.owner, squared, evidence.n_postings) == 0
            substance = evidence.substance(worth)
            A = sp.csr_matrix(evidence.membership(weights * scale) @ A)
        else:  # one title each: nothing to weigh
            total, silent, substance = log_odds + known, squared == 0, np.zeros(n_pieces)
            A.data *= np.repeat(scale.astype(np.float32), np.diff(A.indptr))
        probabilities = self.scorer.probabilities(total, substance, silent)
        return FastScores(evidence, probabilities, self, A, title, words)

    def _cut(self, pieces: Sequence[str]) -> "_Words":
        """Cut pieces into numbered words."""
        tokens = self._tokens
        raw = WORD_OR_BREAK.findall("\n".join(pieces))
        token = np.fromiter(map(tokens.__getitem__, raw), np.int64, len(raw))
        piece = np.cumsum(token == 0)
        sizes = np.frombuffer(tokens.sizes, dtype=np.int64)[token]
        starts = np.frombuffer(tokens.starts, dtype=np.int64)[token]
        flat = np.frombuffer(tokens.flat, dtype=np.int64)
        first = np.cumsum(sizes) - sizes
        numbers = flat[np.repeat(starts - first, sizes) + np.arange(sizes.sum())]
        return _Words(numbers, np.repeat(piece, sizes), len(pieces))

    def _learn(self, numbers: np.ndarray) -> None:
        """Compute the rows of words that are met for the first time."""
        size = len(self._spelt)
        if size > len(self._ready):
            grown = max(size, len(self._ready) * 5 // 4)
            for name in ("_scores", "_sums", "_places", "_ready", "_marks"):
                old = getattr(self, name)
                empty = -1 if name == "_places" else 0
                new = np.full((grown, *old.shape[1:]), empty, dtype=old.dtype)
                new[: len(old)] = old
                setattr(self, name, new)
        if not self._ready[: self._n_pairs].all():
            self._fill(np.arange(self._n_pairs))
        met = np.zeros(len(self._ready), dtype=bool)
        met[numbers] = True
        new = np.flatnonzero(met & ~self._ready)
        if len(new):
            self._fill(new)
            marks = self.seniority.titles.words
            self._marks[new] = [
                marks.fullmatch(self._spelt[n] or "") is not None for n in new.tolist()
            ]

    def _fill(self, numbers: np.ndarray) -> None:
        for part in np.array_split(numbers, len(numbers) // 20_000 + 1):
            counts = self._features(part)
            self._scores[part] = counts @ self._of_feature
            self._sums[part] = counts @ self._lengths
            self._ready[part] = True

    def _features(self, numbers: np.ndarray) -> sp.csr_matrix:
        """Count the features of words and pairs."""
        for number in numbers[self._places[numbers, 1] < 0].tolist():
            self._places[number] = self._look_up(number)
        starts, sizes = self._places[numbers].T
        first = np.cumsum(sizes) - sizes
        flat = np.frombuffer(self._columns, dtype=np.int32)
        columns = flat[np.repeat(starts - first, sizes) + np.arange(sizes.sum())]
        ones = np.ones(len(columns), dtype=np.float32)
        ends = np.append(0, np.cumsum(sizes))
        return sp.csr_matrix((ones, columns, ends), shape=(len(numbers), len(self._of_feature)))

    def _look_up(self, number: int) -> tuple[int, int]:
        """Find the features of a word or pair: where their columns begin, and how many."""
        vocabulary, start = self._counter.vocabulary_, len(self._columns)
        word = self._spelt[number]
        if word is None:
            self._columns.append(int(self._pair_columns[number]))
        else:
            features = self._counter.analyzer.of_word(word)
            self._columns.extend([vocabulary[f] for f in features if f in vocabulary])
        return start, len(self._columns) - start

    def _known_pairs(self, words: "_Words") -> tuple[np.ndarray, np.ndarray]:
        """Find the pairs of neighbours that are features, and their pieces."""
        together = words.piece[1:] == words.piece[:-1]
        first, second = words.numbers[:-1][together], words.numbers[1:][together]
        keys = first.astype(np.uint64) << np.uint64(32) | second.astype(np.uint64)
        found = self._pairs.get_indexer(pd.Index(keys))
        known = found >= 0
        return found[known], words.piece[1:][together][known]

    def _find_titles(self, words: "_Words", evidence: Evidence) -> np.ndarray:
        """Return the position of each posting's title in the catalogue, -1 where it has none."""
        sizes = np.bincount(words.piece, minlength=words.n_pieces)
        keys = _sequence_keys(words.numbers, sizes)
        own = evidence.is_title & (sizes > 0)
        found = np.full(evidence.n_postings, -1)
        found[evidence.owner[own]] = self._titles.get_indexer(pd.Index(keys[own]))
        return found

    def role_rows(self, department: str, numbers: np.ndarray) -> np.ndarray:
        """Return what words say for the roles of a department, by the number of the word.

        Parameters
        ----------
        department
            Its id.
        numbers : ndarray of shape (n_words,)
            Words and pairs.

        Returns
        -------
        ndarray of shape (n_words,)
            Their rows in `role_scores`.
        """
        rows = self._role_rows[department]
        rows.grow(len(self._ready))
        met = np.zeros(len(rows.of_word), dtype=bool)
        met[numbers] = True
        new = np.flatnonzero(met & (rows.of_word < 0))
        for part in np.array_split(new, len(new) // 20_000 + 1):
            rows.add(part, (self._features(part) @ self._roles[department]).toarray())
        return np.asarray(rows.of_word[numbers])

    def role_scores(self, department: str) -> np.ndarray:
        """Return the rows of numbers that `role_rows` points at."""
        return self._role_rows[department].values

    def sizes(self, department: str) -> np.ndarray:
        """Return what a unit of features costs each role of a department."""
        return np.asarray(self.scorer.roles.sizes[self.scorer.roles.positions(department)])

    def idf_sums(self) -> np.ndarray:
        """Return how many units of features each word has."""
        return self._sums[:, 1]

    def title_bonus(self, title: np.ndarray, department: str) -> np.ndarray:
        """Return what it adds to each role that titles stand in the catalogue."""
        positions = self.scorer.roles.positions(department)
        bonus = np.zeros((len(title), len(positions)), dtype=np.float32)
        rows = np.flatnonzero(title >= 0)
        bonus[rows] = self._title_roles[title[rows]][:, positions].toarray()
        return bonus

    def levels(self, words: "_Words", evidence: Evidence) -> np.ndarray:
        """Return the level that each posting's title tells of; see `Scored.title_levels`."""
        found = np.full(evidence.n_postings, -1)
        marked = self._marks[words.numbers] & evidence.is_title[words.piece]
        telling = np.zeros(words.n_pieces, dtype=bool)
        telling[words.piece[marked]] = True
        kept = telling[words.piece]
        pieces = words.piece[kept]
        # a word that stands in no phrase is as good as any other: titles alike share an answer
        masked = np.where(self._marks[words.numbers[kept]], words.numbers[kept], -1)
        ends = np.flatnonzero(np.diff(pieces, append=-1)) + 1
        start = 0
        for end in ends.tolist():
            key = masked[start:end].tobytes()
            if key not in self._levels:
                if len(self._levels) > MAX_WORDS:
                    self._levels.clear()
                self._levels[key] = self._level(masked[start:end].tolist())
            found[evidence.owner[pieces[start]]] = self._levels[key]
            start = end
        return found

    def _level(self, numbers: list[int]) -> int:
        """Return the position of the level that words tell of, -1 for none."""
        words = (self._spelt[n] or "_" if n >= 0 else "_" for n in numbers)
        # no phrase has room for more than a few words that it does not name
        text = _GAP.sub(" _ _ _ ", f" {' '.join(words)} ").strip()
        if text not in self._told:
            if len(self._told) > MAX_WORDS:
                self._told.clear()
            level = self.seniority.titles.find(text.split())
            self._told[text] = -1 if level is None else SENIORITIES.index(level)
        return self._told[text]


@dataclass(frozen=True)
class FastScores:
    """What the lexicon computed for a batch of postings.

    Parameters
    ----------
    evidence
        The pieces of the postings.
    probabilities : ndarray of shape (n_postings, n_departments)
        A row sums to at most 1, the rest being the probability that the text names no work.
    lexicon
        Computed them.
    A : sparse matrix of shape (n_postings, n_words)
        How much each word and pair counts.
    title : ndarray of shape (n_postings,)
        The title's position in the catalogue; -1 where it has none.
    words
        The pieces, cut into words.
    """

    evidence: Evidence
    probabilities: np.ndarray
    lexicon: Lexicon
    A: sp.csr_matrix
    title: np.ndarray
    words: "_Words"

    def fit(self, department: str, rows: np.ndarray) -> np.ndarray:
        """Return how well the roles of a department fit; see `classifier.scoring.Scored.fit`."""
        A = self.A[rows] if len(rows) < self.A.shape[0] else self.A
        columns = self.lexicon.role_rows(department, A.indices)
        scores = self.lexicon.role_scores(department)
        own = sp.csr_matrix((A.data, columns, A.indptr), shape=(A.shape[0], len(scores)))
        units = A @ self.lexicon.idf_sums()[: A.shape[1]]
        fit = own @ scores - units[:, np.newaxis] * self.lexicon.sizes(department)
        return np.asarray(fit + self.lexicon.title_bonus(self.title[rows], department))

    def title_levels(self, seniority: SeniorityReader) -> np.ndarray:  # noqa: ARG002
        """Return the level that each posting's title tells of; see `Scored.title_levels`."""
        return self.lexicon.levels(self.words, self.evidence)


class _Numbers(dict[str, int]):
    """Numbers words; `spelt` has them by number, and None for the pairs that come first."""

    def __init__(self) -> None:
        super().__init__()
        self.spelt: list[str | None] = []

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self.spelt)
        self.spelt.append(word)
        return number


class _Tokens(dict[str, int]):
    """Numbers spellings, and lists the words that each stands for; 0 is the break of pieces.

    It knows no more of the lexicon than it needs: a circle of references would keep a model that
    is set aside in memory.
    """

    def __init__(self, numbers: _Numbers, tokenizer: Tokenizer) -> None:
        super().__init__({"\n": 0})
        self._numbers, self._tokenizer = numbers, tokenizer
        # one entry for the break, and one so that no buffer is ever empty
        self.sizes, self.starts, self.flat = array("q", [0]), array("q", [0]), array("q", [0])

    def __missing__(self, raw: str) -> int:
        words = self._tokenizer.words(raw)
        self.starts.append(len(self.flat))
        self.sizes.append(len(words))
        self.flat.extend([self._numbers[word] for word in words])
        number = self[raw] = len(self.sizes) - 1
        return number


@dataclass
class _Words:
    """Pieces of text as numbered words; `piece` says which piece each belongs to."""

    numbers: np.ndarray
    piece: np.ndarray
    n_pieces: int

    @classmethod
    def joined(cls, parts: Sequence["_Words"]) -> "_Words":
        """Lay parts end to end."""
        if len(parts) == 1:
            return parts[0]
        before = np.cumsum([0, *(part.n_pieces for part in parts)])
        return cls(
            np.concatenate([np.zeros(0, np.int64), *(part.numbers for part in parts)]),
            np.concatenate(
                [
                    np.zeros(0, np.int64),
                    *(p.piece + n for p, n in zip(parts, before, strict=False)),
                ]
            ),
            int(before[-1]),
        )


@dataclass
class _Rows:
    """Rows of numbers for some of the words."""

    n_words: int
    width: int
    of_word: np.ndarray = field(init=False)
    values: np.ndarray = field(init=False)
    n_rows: int = 0

    def __post_init__(self) -> None:
        self.of_word = np.full(self.n_words, -1, dtype=np.int32)
        self.values = np.zeros((0, self.width), dtype=np.float32)

    def grow(self, n_words: int) -> None:
        """Make room for more words."""
        more = n_words - len(self.of_word)
        if more > 0:
            self.of_word = np.append(self.of_word, np.full(more, -1, dtype=np.int32))

    def add(self, numbers: np.ndarray, rows: np.ndarray) -> None:
        """Remember the rows of words."""
        end = self.n_rows + len(rows)
        if end > len(self.values):
            grown = np.zeros((max(end, 1_000, len(self.values) * 3 // 2), self.width), np.float32)
            grown[: self.n_rows] = self.values[: self.n_rows]
            self.values = grown
        self.values[self.n_rows : end] = rows
        self.of_word[numbers] = np.arange(self.n_rows, end)
        self.n_rows = end


def _parts(pieces: Sequence[str]) -> Iterable[Sequence[str]]:
    """Yield runs of pieces of a bounded number of characters."""
    start = characters = 0
    for n, piece in enumerate(pieces):
        if characters > MAX_CHARACTERS:
            yield pieces[start:n]
            start, characters = n, 0
        characters += len(piece)
    if start < len(pieces):
        yield pieces[start:]


def _sequence_keys(numbers: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return a 64-bit key for each run of numbers; the order counts."""
    starts = np.cumsum(sizes) - sizes
    place = (np.arange(len(numbers)) - np.repeat(starts, sizes)).astype(np.uint64)
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * _MIX + place * _PLACE
    for _ in range(2):
        mixed ^= mixed >> np.uint64(32)
        mixed *= _MIX
    mixed ^= mixed >> np.uint64(29)
    totals = np.append(np.uint64(0), np.cumsum(mixed, dtype=np.uint64))
    return np.asarray(totals[starts + sizes] - totals[starts])


def _summing(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sp.csr_matrix:
    """Return the matrix that has a 1 for each place that is named."""
    order = np.argsort(row, kind="stable")
    ends = np.append(0, np.cumsum(np.bincount(row, minlength=shape[0])))
    ones = np.ones(len(row), dtype=np.float32)
    return sp.csr_matrix((ones, column[order], ends), shape=shape)

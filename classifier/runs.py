"""Runs of characters between two spaces: found many at a time, and each kind read only once."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from classifier.keys import codes_of, positions, prefix_sums, span_keys
from classifier.seniority import SeniorityReader
from classifier.text import Tokenizer, cut, has_letter

# no cleaned text holds control characters
END, TITLE_END, TITLE_MISSING, NEWLINE = MARKS = "\x80", "\x81", "\x82", "\x83"
"""What stands between postings, between title and text with and without title, and lines."""

POSTING, TITLE, NO_TITLE, LINE = range(4)
"""The records of these marks."""

_LONGEST_REMEMBERED = 60
"""Longer runs of characters, mostly addresses and noise, are read anew each time."""

_AROUND = np.array([ord(c) for c in ",()[]/\"'\u201d\u201c\u2019\u00ab\u00bb\u2013"])
"""Characters that change nothing where they stand around a word."""

_FRESH = 1_000
"""How many runs are kept apart before the table of all is made anew."""

_SPACE = ord(" ")


class Numbers:
    """Numbers words as they are met.

    Parameters
    ----------
    taken
        How many numbers are not for words; the first of them are breaks.
    words
        The words that come next.
    """

    INNER, LAST, SILENT = range(3)
    """A break after which the run goes on, one at its end, and letters that make no word."""

    def __init__(self, taken: int, words: Sequence[str] = ()) -> None:
        self._taken = taken
        self._words = list(words)
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return self._taken + len(self._words)

    def of(self, word: str) -> int:
        """Return the number of a word, a new one if it has none yet."""
        if not self._numbers:  # as late as this: who meets no new run does without
            first = range(self._taken, len(self))
            self._numbers.update(zip(self._words, first, strict=True))
        number = self._numbers.get(word)
        if number is None:
            number = self._numbers[word] = len(self)
            self._words.append(word)
        return number

    def word(self, number: int) -> str:
        """Return a word by its number."""
        return self._words[number - self._taken]

    def words(self, first: int, end: int) -> list[str]:
        """Return the words of some numbers."""
        return self._words[first - self._taken : end - self._taken]


class Found(NamedTuple):
    """The runs of a text: where they start and stop, and the record of each."""

    text: str
    starts: np.ndarray
    stops: np.ndarray
    records: np.ndarray

    def between(self, first: int, end: int) -> str:
        """Return the text from one run to before another."""
        return self.text[self.starts[first] : self.stops[end - 1]]


@dataclass(frozen=True)
class Snapshot:
    """Runs and what they read as.

    Parameters
    ----------
    keys, records : ndarray of shape (n_runs,)
        The record of each run, by its key.
    flat, starts, sizes, tells, bare
        The records; see `Runs`.
    """

    keys: np.ndarray
    records: np.ndarray
    flat: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    tells: np.ndarray
    bare: np.ndarray


class Runs:
    """Finds the runs of a text, and knows the words and breaks of each.

    It knows no more of the rest than it needs: a circle of references would keep a model that is
    set aside in memory.

    Parameters
    ----------
    numbers
        Numbers the words.
    tokenizer
        Cuts and normalises them.
    seniority
        Knows the words by which a sentence may tell of a level.
    snapshot
        What is known from the start; None for the marks alone.
    """

    def __init__(
        self,
        numbers: Numbers,
        tokenizer: Tokenizer,
        seniority: SeniorityReader,
        snapshot: Snapshot | None,
    ) -> None:
        self._numbers, self._tokenizer, self._seniority = numbers, tokenizer, seniority
        self._flat, self._starts, self._sizes = array("q"), array("q"), array("q")
        self._tells, self._bare = array("b"), array("b")
        self._fresh: dict[int, int] = {}
        if snapshot is None:
            # the end of a title stands for it even if it has no word
            for found in ([Numbers.LAST], [Numbers.SILENT, Numbers.LAST], *[[Numbers.LAST]] * 2):
                self._add(found, tells=False, bare=False)
            marks = "".join(MARKS)
            keys = span_keys(prefix_sums(codes_of(marks)), np.arange(4), np.arange(1, 5))
            self._index, self._record_of = pd.Index(keys), np.arange(4)
        else:
            self._index, self._record_of = pd.Index(snapshot.keys), snapshot.records
            for name in ("flat", "starts", "sizes", "tells", "bare"):
                getattr(self, f"_{name}").frombytes(getattr(snapshot, name).tobytes())

    def __len__(self) -> int:
        return len(self._sizes)

    def snapshot(self) -> Snapshot:
        """Return what is known."""
        self._merge()
        return Snapshot(
            self._index.to_numpy(),
            self._record_of,
            *(np.array(own) for own in (self._flat, self._starts, self._sizes)),
            *(np.array(own) for own in (self._tells, self._bare)),
        )

    def find(self, text: str) -> Found:
        """Find the runs of a text.

        Parameters
        ----------
        text
            Cleaned; marks stand between spaces.

        Returns
        -------
        Found
            All runs, in order.
        """
        codes = codes_of(text)
        inside = np.zeros(len(codes) + 2, dtype=bool)
        np.greater(codes, _SPACE, out=inside[1:-1])
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        starts, stops = edges[::2], edges[1::2]
        sums = prefix_sums(codes)
        keys = span_keys(sums, starts, stops)
        records = self._look_up(keys)
        missing = np.flatnonzero(records < 0)
        if len(missing):
            bare = self._look_up_bare(codes, sums, starts[missing], stops[missing])
            records[missing] = bare
            for n in missing[bare < 0].tolist():
                records[n] = self._record(int(keys[n]), text[starts[n] : stops[n]])
            if len(self._fresh) > _FRESH:
                self._merge()
        return Found(text, starts, stops, records)

    def _look_up(self, keys: np.ndarray) -> np.ndarray:
        """Return the records of runs, -1 for those not in the table."""
        found = positions(self._index, keys)
        return np.where(found >= 0, self._record_of[found], -1)

    def _look_up_bare(
        self, codes: np.ndarray, sums: np.ndarray, starts: np.ndarray, stops: np.ndarray
    ) -> np.ndarray:
        """Return the records of runs without what stands around them, -1 for unknown ones."""
        first, end = starts.copy(), stops.copy()
        for _ in range(3):
            first += np.isin(codes[first], _AROUND) & (end - first > 1)
            end -= np.isin(codes[end - 1], _AROUND) & (end - first > 1)
        records = self._look_up(span_keys(sums, first, end))
        is_bare = np.frombuffer(self._bare, dtype=bool)[records]
        return np.where(is_bare, records, -1)

    def _record(self, key: int, run: str) -> int:
        """Return the record of a run that is not in the table."""
        record = self._fresh.get(key)
        if record is None:
            record = len(self._sizes)
            bare = run[0].isalnum() and run[-1].isalnum()
            self._add(list(self._read(run)), tells=self._seniority.may_tell(run), bare=bare)
            if len(run) <= _LONGEST_REMEMBERED:
                self._fresh[key] = record
        return record

    def _add(self, numbers: Sequence[int], *, tells: bool, bare: bool) -> None:
        self._starts.append(len(self._flat))
        self._sizes.append(len(numbers))
        self._flat.extend(numbers)
        self._tells.append(tells)
        self._bare.append(bare)

    def words(self, run: str) -> list[int]:
        """Return the numbers of the words of a single run; it is not remembered."""
        return [number for number in self._read(run) if number > Numbers.SILENT]

    def _read(self, run: str) -> Iterator[int]:
        """Yield the numbers of the words and breaks of a run."""
        for n, part in enumerate([run] if run.isalnum() else cut(run + " ")):
            if n:
                yield Numbers.INNER if part.strip() else Numbers.LAST
            words = self._tokenizer.words(part)
            if words:
                yield from map(self._numbers.of, words)
            elif has_letter(part):
                yield Numbers.SILENT

    def _merge(self) -> None:
        """Put the runs that were kept apart into the table."""
        keys = np.fromiter(self._fresh.keys(), np.uint64, len(self._fresh))
        records = np.fromiter(self._fresh.values(), np.int64, len(self._fresh))
        self._index = pd.Index(np.append(self._index.to_numpy(), keys))
        self._record_of = np.append(self._record_of, records)
        self._fresh.clear()

    def expanded(self, records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers that records stand for, and the place of each one's record."""
        sizes = np.frombuffer(self._sizes, dtype=np.int64)[records]
        starts = np.frombuffer(self._starts, dtype=np.int64)[records]
        flat = np.frombuffer(self._flat, dtype=np.int64)
        return flat[spread(starts, sizes)], np.repeat(np.arange(len(records)), sizes)

    def tells(self, records: np.ndarray) -> np.ndarray:
        """Return whether runs have a word by which a sentence may tell of a level."""
        return np.asarray(np.frombuffer(self._tells, dtype=bool)[records])


def spread(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the positions of stretches that lie somewhere in an array, one after another.

    Parameters
    ----------
    starts, sizes : ndarray of shape (n_stretches,)
        Where each begins, and how long it is.

    Returns
    -------
    ndarray of shape (sizes.sum(),)
        Positions.
    """
    ends = np.cumsum(sizes)
    return np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1] if len(ends) else 0)

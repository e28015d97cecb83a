"""Titles looked up in dictionaries: for a few of them that is quicker than arrays are."""

from collections.abc import Callable, Sequence

import numpy as np

from classifier.memory import Memory
from classifier.postings import Layout
from classifier.reading import Words
from classifier.text import MAX_TITLE, is_plain_line

FEW = 32
"""So many titles are looked up one by one."""

_REMEMBERED = 50_000
"""Beyond so many runs or kinds all are forgotten."""


class Recall:
    """What a memory has told of runs of characters and kinds of words.

    Parameters
    ----------
    memory
        Tells of those that did not come before.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._runs: dict[str, list[int]] = {}
        self._levels: dict[tuple[int, ...], int] = {}

    def read(self, titles: Sequence[str]) -> Words | None:
        """Cut a few plain titles into numbered words.

        Parameters
        ----------
        titles : sequence of shape (n_postings,)
            Free text.

        Returns
        -------
        Words or None
            What `classifier.reading.Reader.read` gives; None if that has to be asked.
        """
        if len(titles) > FEW or not all(map(_is_plain, titles)):
            return None
        runs = [title.split(" ") for title in titles]
        if len(self._runs) > _REMEMBERED:
            self._runs.clear()
        self._remember([run for run in set().union(*runs) if run not in self._runs])
        numbers: list[int] = []
        piece: list[int] = []
        owner: list[int] = []
        for n, title in enumerate(runs):
            own = [number for run in title for number in self._runs[run]]
            if own:
                piece += [len(owner)] * len(own)
                owner.append(n)
                numbers += own
        titled = np.array([any(title) for title in runs], dtype=bool)
        is_title = np.ones(len(owner), dtype=bool)
        layout = Layout(np.array(owner, dtype=np.int64), is_title, titled, ~titled)
        whole = np.array(numbers, dtype=np.int64), np.array(piece, dtype=np.int64)
        return Words(*whole, layout, {})

    def _remember(self, runs: list[str]) -> None:
        """Note the numbers of the words of runs that did not come before."""
        if not runs:
            return
        words = self._memory.reader.read(runs, None)
        own: list[list[int]] = [[] for _ in runs]
        owner = words.layout.owner[words.piece].tolist()
        for number, n in zip(words.numbers.tolist(), owner, strict=True):
            own[n].append(number)
        self._runs.update(zip(runs, own, strict=True))

    def levels(self, words: Words, find: Callable[[Words], np.ndarray]) -> np.ndarray:
        """Return the level that each title tells of.

        Parameters
        ----------
        words
            Of titles without descriptions.
        find
            Finds it for titles whose kinds of words did not come before.
        """
        levels = np.full(words.layout.n_postings, -1)
        kinds = self._memory.kind[words.numbers].tolist()
        ends = np.cumsum(np.bincount(words.piece, minlength=words.layout.n_pieces)).tolist()
        start = 0
        told = []
        for end in ends:
            told.append(self._levels.get(tuple(kinds[start:end])))
            start = end
        levels[words.layout.owner] = [-1 if level is None else level for level in told]
        if None in told:
            levels = find(words)
            if len(self._levels) > _REMEMBERED:
                self._levels.clear()
            start = 0
            for end, owner in zip(ends, words.layout.owner.tolist(), strict=True):
                self._levels[tuple(kinds[start:end])] = int(levels[owner])
                start = end
        return levels


def _is_plain(title: str) -> bool:
    return len(title) <= MAX_TITLE and is_plain_line(title)

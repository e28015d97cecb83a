"""Single titles looked up in dictionaries: for one that is quicker than arrays are."""

from itertools import pairwise

from classifier.keys import pair_key, position, sequence_key
from classifier.lexicon import N_BREAKS, Lexicon
from classifier.memory import Memory
from classifier.seniority import SeniorityReader
from classifier.taxonomy import SENIORITIES

_REMEMBERED = 50_000
"""Beyond so many runs, pairs or kinds all are forgotten."""


class Recall:
    """What a memory tells of the words of single titles.

    Parameters
    ----------
    memory
        Tells of what did not come before.
    lexicon
        Knows the keys of pairs and titles.
    seniority
        Reads levels from titles.
    """

    def __init__(self, memory: Memory, lexicon: Lexicon, seniority: SeniorityReader) -> None:
        self._memory, self._lexicon, self._seniority = memory, lexicon, seniority
        self._runs: dict[str, list[int]] = {}
        self._pairs: dict[tuple[int, int], int] = {}
        self._levels: dict[tuple[int, ...], int] = {}

    def words(self, title: str) -> list[int]:
        """Return the numbers of the words of a plain title; new ones are to be learned."""
        known = self._runs
        if len(known) > _REMEMBERED:
            known.clear()
        numbers: list[int] = []
        for run in title.split(" "):
            own = known.get(run)
            if own is None:
                own = known[run] = self._memory.runs.words(run)
            numbers += own
        return numbers

    def pairs(self, words: list[int]) -> list[int]:
        """Return the numbers of those pairs of neighbours among words that are features."""
        known = self._pairs
        if len(known) > _REMEMBERED:
            known.clear()
        found = []
        for pair in pairwise(words):
            number = known.get(pair)
            if number is None:
                first, second = map(self._memory.keys.item, pair)
                place = position(self._lexicon.pair_index, pair_key(first, second))
                number = known[pair] = place + N_BREAKS if place >= 0 else -1
            if number >= 0:
                found.append(number)
        return found

    def title(self, words: list[int]) -> int:
        """Return the position of the title of these words in the catalogue, -1 if it has none."""
        key = sequence_key(map(self._memory.keys.item, words))
        return position(self._lexicon.title_index, key) if words else -1

    def level(self, words: list[int]) -> int:
        """Return the position of the level that a title of these words tells of, -1 for none."""
        return self.level_of_kinds(tuple(map(self._memory.kind.item, words)))

    def level_of_kinds(self, kinds: tuple[int, ...]) -> int:
        """Return the position of the level that words of these kinds tell of, -1 for none."""
        level = self._levels.get(kinds)
        if level is None:
            if len(self._levels) > _REMEMBERED:
                self._levels.clear()
            # a kind is the number of a word; those that tell of nothing only stand between
            spelt = [self._memory.spelt(kind) if kind else "_" for kind in kinds]
            name = self._seniority.titles.find(spelt)
            level = self._levels[kinds] = -1 if name is None else SENIORITIES.index(name)
        return level

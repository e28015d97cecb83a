"""Short requests that came before, remembered with their answers."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from classifier.corrections import QueueEntry

REMEMBERED = 10_000
"""How many requests are remembered: those that came last."""

LONGEST = 500
"""The bytes of a request that is remembered: of its body and query."""

LARGEST = 2_000
"""The bytes of an answer that is remembered."""


class Answer(NamedTuple):
    """What a request is answered, and what is noted besides.

    Parameters
    ----------
    body
        JSON.
    statuses
        How many of its labels have which status.
    doubts
        What the review queue shall keep.
    """

    body: bytes
    statuses: Counter[str]
    doubts: Sequence[QueueEntry | None]


class Remembered:
    """Answers by what was asked; it may be used by several threads at once."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, asked: Hashable) -> Answer | None:
        """Return what was answered, None if that is not known any more."""
        with self._lock:
            answer = self._answers.get(asked)
            if answer is not None:
                self._answers.move_to_end(asked)
            return answer

    def add(self, asked: Hashable, answer: Answer) -> None:
        """Remember an answer, unless it is too large."""
        if len(answer.body) > LARGEST:
            return
        with self._lock:
            self._answers[asked] = answer
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)

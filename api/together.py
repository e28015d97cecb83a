"""Single postings that several threads ask for at the same time, labelled in one go."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from classifier import JobTitleClassifier, Label
from classifier.policy import Policy

REMEMBERED = 20_000
"""How many titles are remembered with their labels: those that came last."""

_MOMENT = 0.002  # seconds that the first of a crowd waits for the others
_CLOSE = 0.003  # seconds between requests that make a crowd
_MOST = 32  # postings that are waited for
_LONGEST = 200  # characters of a title that is remembered


class Wish(NamedTuple):
    """What a request wants of labels; requests with the same wish can be answered together."""

    policy: Policy
    min_confidence: float | None
    n_candidates: int


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False)
class _Ask:
    """A posting that is waited for."""

    title: str
    description: str
    wish: Wish
    label: Label | None = None
    error: Exception | None = None
    done: bool = False
    woken: threading.Lock = field(default_factory=_closed)


@dataclass
class Together:
    """Labels single postings for many threads.

    Labelling a posting alone takes nearly as long as labelling ten, so whoever gets the model
    labels all that wait for it. A request that comes alone waits for nobody. Titles that came
    before and had no description are remembered with their labels.

    Parameters
    ----------
    model
        Labels them.
    """

    model: JobTitleClassifier
    _known: OrderedDict[tuple[object, ...], Label] = field(default_factory=OrderedDict)
    _waiting: list[_Ask] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _is_led: bool = False
    _crowd: int = 1
    _is_crowded: bool = False
    _latest: float = float("-inf")

    def __post_init__(self) -> None:
        self._come = threading.Condition(self._guard)

    def label(self, title: str, description: str, wish: Wish) -> Label:
        """Label a posting, as `classifier.JobTitleClassifier.predict` does."""
        said = self.model.corrections
        key = (title, wish.policy.id, *wish[1:], 0 if said is None else said.version)
        ask = _Ask(title, description, wish)
        with self._guard:
            known = None if description else self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known
            now = time.monotonic()
            self._is_crowded, self._latest = now - self._latest < _CLOSE, now
            self._waiting.append(ask)
            self._come.notify()
            leads, self._is_led = not self._is_led, True
        if not leads:
            ask.woken.acquire()  # answered, or the next to label what waits
        if not ask.done:
            self._lead(ask)
        if ask.error is not None:
            raise ask.error
        assert ask.label is not None  # noqa: S101 - done without an error
        if not description and len(title) <= _LONGEST:
            with self._guard:
                self._known[key] = ask.label
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return ask.label

    def _lead(self, own: _Ask) -> None:
        """Label all that wait, wake those who asked, and leave the rest to the next."""
        asks: list[_Ask] = []
        try:
            asks = self._gathered()
            self._answer(asks)
        finally:
            with self._guard:
                self._is_led = bool(self._waiting)
                following = self._waiting[:1]
            for ask in (*following, *asks):
                if ask is not own:
                    ask.woken.release()

    def _gathered(self) -> list[_Ask]:
        """Take all that wait; in a crowd, those who come in a moment, too: twice the last time's.

        Those could not come before: while the model labels, it hardly lets other threads run.
        """
        with self._come:
            if self._is_crowded:
                most = min(2 * self._crowd, _MOST)
                self._come.wait_for(lambda: len(self._waiting) >= most, _MOMENT)
            own, self._waiting = self._waiting, []
            self._crowd = max(1, len(own))
        return own

    def _answer(self, asks: Sequence[_Ask]) -> None:
        wishes: dict[tuple[object, ...], list[_Ask]] = {}
        for ask in asks:
            key = (bool(ask.description), id(ask.wish.policy), *ask.wish[1:])
            wishes.setdefault(key, []).append(ask)
        for own in wishes.values():
            titles = [ask.title for ask in own]
            texts = [ask.description for ask in own]
            wish = own[0].wish
            try:
                labels = self.model.predict(
                    titles,
                    texts if own[0].description else None,
                    policy=wish.policy,
                    min_confidence=wish.min_confidence,
                    n_candidates=wish.n_candidates,
                )
            except Exception as error:  # each request says so for itself
                for ask in own:
                    ask.error, ask.done = error, True
                continue
            for ask, label in zip(own, labels, strict=True):
                ask.label, ask.done = label, True

"""The words that spoke for a department, found again in the text and ranked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifier.explanation import WordWeight
from classifier.postings import Posting
from classifier.text import plain

SHOWN = 20_000
"""Characters of a posting that are shown."""

_STEPS = (0.05, 0.2, 0.5)  # shares of the strongest word's weight at which a mark is stronger


@dataclass(frozen=True)
class Span:
    """A run of a text; how strongly it spoke for the department, 0-3."""

    text: str
    strength: int


@dataclass(frozen=True)
class Word:
    """A word with its weight, and the share of the strongest word's, 0-1."""

    text: str
    source: str
    weight: float
    share: float


def strongest(words: Sequence[WordWeight], n_words: int = 5) -> list[Word]:
    """Return the words that weighed most, for or against; the same word is counted once."""
    sums: dict[tuple[str, str], float] = {}
    names: dict[tuple[str, str], str] = {}
    for word in words:
        key = (word.text.casefold(), word.source)
        sums[key] = sums.get(key, 0.0) + word.weight
        names.setdefault(key, word.text)
    ranked = sorted(sums.items(), key=lambda item: -abs(item[1]))[:n_words]
    most = max((abs(weight) for _, weight in ranked), default=0.0) or 1.0
    return [
        Word(names[key], key[1], weight, abs(weight) / most)
        for key, weight in ranked
        if abs(weight) >= most * _STEPS[0]
    ]


def marked(title: str, description: str, words: Sequence[WordWeight]) -> list[list[Span]]:
    """Mark the words that spoke for the department in a title and in a description.

    Words come in the order of the text, and what stands between two of them holds no letter that
    is theirs: the next place where one stands is its own.
    """
    posting = Posting.read(title, description)
    text = plain(description)
    if title and not posting.title:  # so long a title is read as text
        text = f"{plain(title)}\n{text}"
    sources = (("title", posting.title), ("description", text.strip()[:SHOWN]))
    return [
        list(_spans(own, [word for word in words if word.source == source]))
        for source, own in sources
    ]


def _spans(text: str, words: Sequence[WordWeight]) -> Iterator[Span]:
    most = max((word.weight for word in words), default=0.0)
    written = after = 0
    for word in words:
        start = text.find(word.text, after)
        if start < 0:
            continue  # beyond what is shown
        after = start + len(word.text)
        strength = sum(word.weight >= most * step for step in _STEPS) if word.weight > 0 else 0
        if strength:
            if start > written:
                yield Span(text[written:start], 0)
            yield Span(word.text, strength)
            written = after
    if written < len(text):
        yield Span(text[written:], 0)

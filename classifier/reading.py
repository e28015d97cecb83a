"""Postings to numbered words, many at a time: what `Posting.read` and the tokenizer do, but fast.

Neither words nor breaks between sentences ever reach across a space, so what a run of letters
between two spaces reads as is worked out once and looked up from then on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from classifier.postings import Layout
from classifier.runs import (
    END,
    LINE,
    NEWLINE,
    NO_TITLE,
    POSTING,
    TITLE,
    TITLE_END,
    TITLE_MISSING,
    Found,
    Numbers,
    Runs,
)
from classifier.text import MAX_SENTENCE, MAX_SENTENCES, MAX_TITLE, cut, is_plain_line, plain

MAX_BATCH = 1_000_000
"""Characters that are cut into words at a time, so that one batch cannot fill the memory."""


@dataclass(frozen=True)
class Words:
    """Postings as numbered words.

    Parameters
    ----------
    numbers : ndarray of shape (n_words,)
        The words, posting by posting.
    piece : ndarray of shape (n_words,)
        The piece that each word stands in.
    layout
        Which pieces belong to which posting.
    telling
        Posting to those of its sentences that may tell of a level of seniority.
    """

    numbers: np.ndarray
    piece: np.ndarray
    layout: Layout
    telling: dict[int, list[str]]

    @classmethod
    def joined(cls, parts: Sequence["Words"]) -> "Words":
        """Lay batches end to end."""
        if len(parts) == 1:
            return parts[0]
        postings = np.cumsum([0, *(part.layout.n_postings for part in parts)]).tolist()
        pieces = np.cumsum([0, *(part.layout.n_pieces for part in parts)]).tolist()
        layouts = [part.layout for part in parts]
        return cls(
            _laid([part.numbers for part in parts]),
            _laid([part.piece + n for part, n in zip(parts, pieces, strict=False)]),
            Layout(
                _laid([layout.owner + n for layout, n in zip(layouts, postings, strict=False)]),
                _laid([layout.is_title for layout in layouts], bool),
                _laid([layout.titled for layout in layouts], bool),
                _laid([layout.is_empty for layout in layouts], bool),
            ),
            {
                posting + n: sentences
                for part, n in zip(parts, postings, strict=False)
                for posting, sentences in part.telling.items()
            },
        )


class Reader:
    """Cuts postings into numbered words.

    Parameters
    ----------
    runs
        Knows the words between spaces.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def read(self, titles: Sequence[str], descriptions: Sequence[str] | None) -> Words:
        """Clean postings and cut them into numbered words.

        Parameters
        ----------
        titles : sequence of shape (n_postings,)
            Free text or HTML.
        descriptions : sequence of shape (n_postings,), optional
            Free text or HTML.

        Returns
        -------
        Words
            The pieces that `classifier.postings.Evidence.read` gives, as numbered words.
        """
        if descriptions is None:
            if max(map(len, titles), default=0) <= MAX_TITLE:
                return Words.joined([self._titles(part) for part in _parts(_cleaned(titles))])
            descriptions = [""] * len(titles)
        postings = [_laid_out(*both) for both in zip(titles, descriptions, strict=True)]
        return Words.joined([self._postings(part) for part in _parts(postings)])

    def _titles(self, titles: Sequence[str]) -> Words:
        """Read clean titles without descriptions: whatever breaks they have, each is one piece."""
        records = self._runs.find(f" {END} ".join([*titles, ""])).records
        numbers, place = self._runs.expanded(records)
        ends = records == POSTING
        posting = (np.cumsum(ends) - ends)[place]
        kept = numbers > Numbers.SILENT
        numbers, posting = numbers[kept], posting[kept]
        first = np.diff(posting, prepend=-1) > 0
        owner = posting[first]
        titled = np.diff(np.flatnonzero(ends), prepend=-1) > 1
        layout = Layout(owner, np.ones(len(owner), dtype=bool), titled, ~titled)
        return Words(numbers, np.cumsum(first) - 1, layout, {})

    def _postings(self, texts: Sequence[str]) -> Words:
        """Read postings whose title, lines and ends are marked."""
        found = self._runs.find(" ".join(texts))
        records = found.records
        numbers, place = self._runs.expanded(records)
        ends = np.flatnonzero(records == POSTING)
        title_ends = np.flatnonzero((records == TITLE) | (records == NO_TITLE))
        sizes = np.diff(ends, prepend=-1)
        in_title = np.zeros(len(records) + 1, dtype=np.int8)
        in_title[ends - sizes + 1] += 1
        in_title[title_ends] -= 1
        in_title = np.cumsum(in_title[:-1], dtype=np.int8).view(bool)
        # a sentence begins after each break that is not in a title
        breaks = (numbers <= Numbers.LAST) & ~in_title[place]
        sentence = np.cumsum(breaks)
        closes = place[breaks]
        last = numbers[breaks] == Numbers.LAST
        begins = np.append(0, closes + last)
        kept = np.flatnonzero(numbers > Numbers.LAST)
        numbers, place, sentence = numbers[kept], place[kept], sentence[kept]
        in_title[title_ends] = True
        # a long one is read in parts
        part = np.zeros_like(sentence)
        if np.any(closes - begins[:-1] >= MAX_SENTENCE):
            part = np.where(in_title[place], 0, (place - begins[sentence]) // MAX_SENTENCE)
        new = np.ones(len(sentence), dtype=bool)
        new[1:] = (sentence[1:] != sentence[:-1]) | (part[1:] != part[:-1])
        own, at = sentence[new], place[new]
        starts = begins[own] + part[new] * MAX_SENTENCE
        pieces = _Pieces(
            np.repeat(np.arange(len(ends)), sizes)[at],
            in_title[at],
            starts,
            np.minimum(closes[own] + 1, starts + MAX_SENTENCE),
            ~(last[own] & last[own - 1]),
        )
        piece = np.cumsum(new) - 1
        few = pieces.few()
        if not few.all():
            kept = few[piece]
            numbers, place, piece = numbers[kept], place[kept], (np.cumsum(few) - 1)[piece[kept]]
            pieces = pieces.of(few)
        tells = np.zeros(len(pieces.owner), dtype=bool)
        tells[piece[self._runs.tells(records[place])]] = True
        visible = np.add.reduceat(records > LINE, ends - sizes + 1, dtype=np.int64)
        layout = Layout(pieces.owner, pieces.is_title, records[title_ends] == TITLE, visible == 0)
        words = numbers > Numbers.SILENT
        return Words(numbers[words], piece[words], layout, pieces.sentences(found, tells))


@dataclass(frozen=True)
class _Pieces:
    """Titles and sentences: whose they are, and where they stand among runs of characters.

    `shares_run` says whether the first or last run may be another sentence's, too.
    """

    owner: np.ndarray
    is_title: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    shares_run: np.ndarray

    def few(self) -> np.ndarray:
        """Return which are read: no more than so many sentences of a posting."""
        first = np.searchsorted(self.owner, self.owner)
        rank = np.arange(len(first)) - first - self.is_title[first] * ~self.is_title
        return np.asarray(rank < MAX_SENTENCES)

    def of(self, few: np.ndarray) -> "_Pieces":
        """Return some of them."""
        return _Pieces(*(getattr(self, name.name)[few] for name in fields(self)))

    def sentences(self, runs: Found, wanted: np.ndarray) -> dict[int, list[str]]:
        """Write some of the sentences out, by posting."""
        found: dict[int, list[str]] = {}
        for n in np.flatnonzero(wanted & ~self.is_title).tolist():
            text = runs.between(self.starts[n], self.stops[n])
            own = found.setdefault(int(self.owner[n]), [])
            own.extend(cut(text) if self.shares_run[n] else [text])
        return found


def _cleaned(titles: Sequence[str]) -> Sequence[str]:
    """Return titles as plain text; most are."""
    whole = "".join(titles)
    if is_plain_line(whole):
        return titles
    if whole.isprintable() and "<" not in whole:
        return [plain(title) if "&" in title else title for title in titles]
    return [title if is_plain_line(title) else plain(title) for title in titles]


def _laid_out(title: str, text: str) -> str:
    """Clean a posting and mark the ends of its title and lines; see `Posting.read`."""
    if len(title) > MAX_TITLE or not is_plain_line(title):
        title = " ".join(plain(title).split())
    text = plain(text) if text else ""
    if len(title) > MAX_TITLE:
        title, text = "", f"{title}\n{text}"
    lines = text.replace("\r", "\n").replace("\n", f" {NEWLINE} ")
    mark = TITLE_MISSING if not title or title.isspace() else TITLE_END
    return f"{title} {mark} {lines} {END}"


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield runs of texts of a bounded number of characters; one run if there is none."""
    if sum(map(len, texts)) <= MAX_BATCH:
        yield texts
        return
    start = characters = 0
    for n, text in enumerate(texts):
        if characters > MAX_BATCH:
            yield texts[start:n]
            start, characters = n, 0
        characters += len(text)
    yield texts[start:]


def _laid(arrays: Sequence[np.ndarray], dtype: type = np.int64) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *arrays])

"""Postings as pieces of evidence: titles, and the sentences of texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from classifier.text import MAX_TITLE, is_plain_line, plain, sentences

TEXT_WEIGHT = 4.0
"""The most that a description can weigh, beside a title that says nothing."""

TITLE_GAIN = 3.0
"""The most that a plain title, which alone weighs 1, gains beside a description."""

TITLE_SAY = 0.6
"""The share of its weight that a description loses beside a plain title."""

HALF_WORTH = 1.25
"""The sum of its sentences' worth at which a description weighs half as much as it can."""


@dataclass(frozen=True)
class Posting:
    """A title and the sentences of a description, as plain text.

    Parameters
    ----------
    title
        The title; empty if there is none, or if it was too long to be one.
    sentences
        The sentences and list items of the text.
    is_empty
        Whether there was no visible text at all.
    """

    title: str
    sentences: tuple[str, ...]
    is_empty: bool

    @classmethod
    def read(cls, title: str, description: str = "") -> "Posting":
        """Clean a title and a description and cut them into pieces.

        Parameters
        ----------
        title
            Free text or HTML; one longer than `classifier.text.MAX_TITLE` characters is read as
            part of the description.
        description
            Free text or HTML.

        Returns
        -------
        Posting
            The posting's pieces.
        """
        title = " ".join(plain(title).split())
        text = plain(description) if description else ""
        if len(title) > MAX_TITLE:
            title, text = "", f"{title}\n{text}"
        return cls(title, tuple(sentences(text)), is_empty=not (title or text.strip()))


@dataclass(frozen=True)
class Evidence:
    """The pieces of many postings, and which belong to which.

    Parameters
    ----------
    titles : list of n_postings str
        The titles, cleaned; empty where there is none.
    pieces
        All titles and sentences, posting by posting, a title before its sentences.
    owner : ndarray of shape (n_pieces,)
        The posting that each piece belongs to.
    is_title : ndarray of shape (n_pieces,)
        Whether the piece is a title.
    is_empty : ndarray of shape (n_postings,)
        Whether a posting has no visible text at all.
    """

    titles: list[str]
    pieces: list[str]
    owner: np.ndarray
    is_title: np.ndarray
    is_empty: np.ndarray

    @classmethod
    def read(cls, titles: Sequence[str], descriptions: Sequence[str] | None = None) -> "Evidence":
        """Clean postings and lay their pieces end to end.

        Parameters
        ----------
        titles : sequence of shape (n_postings,)
            Free text or HTML.
        descriptions : sequence of shape (n_postings,), optional
            Free text or HTML.

        Returns
        -------
        Evidence
            The pieces.
        """
        if descriptions is None and (lines := _clean_lines(titles)) is not None:
            return cls._of_lines(lines)
        cleaned: list[str] = []
        pieces: list[str] = []
        sizes: list[int] = []
        empty: list[bool] = []
        texts = descriptions if descriptions is not None else [""] * len(titles)
        for title, text in zip(titles, texts, strict=True):
            # most titles are no more than a line of text
            if not text and len(title) <= MAX_TITLE and is_plain_line(title):
                line = " ".join(title.split())
                cleaned.append(line)
                empty.append(not line)
                sizes.append(1 if line else 0)
                if line:
                    pieces.append(line)
                continue
            posting = Posting.read(title, text)
            cleaned.append(posting.title)
            empty.append(posting.is_empty)
            if posting.title:
                pieces.append(posting.title)
            pieces.extend(posting.sentences)
            sizes.append(len(posting.sentences) + bool(posting.title))
        counts = np.array(sizes, dtype=np.intp)
        starts = np.cumsum(counts) - counts
        is_title = np.zeros(len(pieces), dtype=bool)
        is_title[starts[np.array([bool(title) for title in cleaned], dtype=bool)]] = True
        owner = np.repeat(np.arange(len(counts)), counts)
        return cls(cleaned, pieces, owner, is_title, np.array(empty, dtype=bool))

    @classmethod
    def _of_lines(cls, lines: list[str]) -> "Evidence":
        """Lay out clean titles without descriptions."""
        empty = np.array([not line for line in lines], dtype=bool)
        pieces = [line for line in lines if line] if empty.any() else lines
        is_title = np.ones(len(pieces), dtype=bool)
        return cls(lines, pieces, np.flatnonzero(~empty), is_title, empty)

    @property
    def n_postings(self) -> int:
        """How many postings there are."""
        return len(self.titles)

    @property
    def has_text(self) -> bool:
        """Whether any posting has sentences."""
        return not bool(self.is_title.all())

    def sentences(self, posting: int) -> list[str]:
        """Return the sentences of a posting."""
        first, last = np.searchsorted(self.owner, (posting, posting + 1))
        return self.pieces[first + bool(self.titles[posting]) : last]

    def substance(self, worth: np.ndarray) -> np.ndarray:
        """Say how much the text of each posting tells of the work.

        Parameters
        ----------
        worth : ndarray of shape (n_pieces,)
            How much each piece tells, 0-1.

        Returns
        -------
        ndarray of shape (n_postings,)
            0 for a posting without text, towards 1 the more its sentences tell.
        """
        total = np.bincount(self.owner, np.where(self.is_title, 0.0, worth), self.n_postings)
        return np.asarray(total / (total + HALF_WORTH))

    def weights(self, worth: np.ndarray) -> np.ndarray:
        """Weigh each piece of the postings.

        Parameters
        ----------
        worth : ndarray of shape (n_pieces,)
            How much each piece tells of the work, 0-1.

        Returns
        -------
        ndarray of shape (n_pieces,)
            A title alone weighs 1. With the substance of the text the sentences, which share by
            worth, gain weight, and so does a plain title: two sources are surer than one, and
            what the title says plainly the text shall not overrule. A vague title lets it decide.
        """
        substance = self.substance(worth)
        titled = np.bincount(self.owner, self.is_title, self.n_postings) > 0
        plainness = np.bincount(self.owner, np.where(self.is_title, worth, 0.0), self.n_postings)
        of_title = 1 + TITLE_GAIN * substance * np.where(titled, plainness, 1)
        of_text = np.where(titled, TEXT_WEIGHT * substance * (1 - TITLE_SAY * plainness), of_title)
        worth = np.where(self.is_title, 0.0, worth + 1e-9)
        total = np.bincount(self.owner, worth, self.n_postings)
        share = of_text / np.where(total > 0, total, 1.0)
        own = self.owner
        return np.asarray(np.where(self.is_title, of_title[own], worth * share[own]))

    def membership(self, weights: np.ndarray) -> sp.csr_matrix:
        """Return the matrix of shape (n_postings, n_pieces) that sums pieces by weight."""
        shape = (self.n_postings, len(self.pieces))
        return sp.csr_matrix((weights, (self.owner, np.arange(len(self.pieces)))), shape=shape)


def _clean_lines(titles: Sequence[str]) -> list[str] | None:
    """Clean titles without descriptions; None if one is so long that it is a text."""
    if max(map(len, titles), default=0) > MAX_TITLE:
        return None
    return [" ".join((title if is_plain_line(title) else plain(title)).split()) for title in titles]

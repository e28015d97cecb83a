"""Postings as pieces of evidence: titles, and the sentences of texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from classifier.text import MAX_TITLE, plain, sentences

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
class Layout:
    """Which pieces of text belong to which posting.

    Parameters
    ----------
    owner : ndarray of shape (n_pieces,)
        The posting that each piece belongs to.
    is_title : ndarray of shape (n_pieces,)
        Whether the piece is a title; else it is a sentence.
    titled : ndarray of shape (n_postings,)
        Whether a posting has a title.
    is_empty : ndarray of shape (n_postings,)
        Whether a posting has no visible text at all.
    """

    owner: np.ndarray
    is_title: np.ndarray
    titled: np.ndarray
    is_empty: np.ndarray

    @property
    def n_postings(self) -> int:
        """How many postings there are."""
        return len(self.is_empty)

    @property
    def n_pieces(self) -> int:
        """How many pieces there are."""
        return len(self.owner)

    @property
    def has_text(self) -> bool:
        """Whether any posting has sentences."""
        return not bool(self.is_title.all())

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
        plainness = np.bincount(self.owner, np.where(self.is_title, worth, 0.0), self.n_postings)
        of_title = 1 + TITLE_GAIN * substance * np.where(self.titled, plainness, 1)
        beside_title = TEXT_WEIGHT * substance * (1 - TITLE_SAY * plainness)
        of_text = np.where(self.titled, beside_title, of_title)
        worth = np.where(self.is_title, 0.0, worth + 1e-9)
        total = np.bincount(self.owner, worth, self.n_postings)
        share = of_text / np.where(total > 0, total, 1.0)
        own = self.owner
        return np.asarray(np.where(self.is_title, of_title[own], worth * share[own]))

    def membership(self, weights: np.ndarray) -> sp.csr_matrix:
        """Return the matrix of shape (n_postings, n_pieces) that sums pieces by weight."""
        ends = np.append(0, np.cumsum(np.bincount(self.owner, minlength=self.n_postings)))
        shape = (self.n_postings, self.n_pieces)
        return sp.csr_matrix((weights, np.arange(self.n_pieces), ends), shape=shape)


@dataclass(frozen=True)
class Evidence(Layout):
    """The pieces of many postings as texts.

    Parameters
    ----------
    owner, is_title, titled, is_empty
        As for `Layout`.
    titles : list of n_postings str
        The titles, cleaned; empty where there is none.
    pieces : list of n_pieces str
        All titles and sentences, posting by posting, a title before its sentences.
    """

    titles: list[str]
    pieces: list[str]

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
        texts = descriptions if descriptions is not None else [""] * len(titles)
        postings = [Posting.read(title, text) for title, text in zip(titles, texts, strict=True)]
        pieces: list[str] = []
        owner: list[int] = []
        is_title: list[bool] = []
        for n, posting in enumerate(postings):
            own = [posting.title] if posting.title else []
            pieces += [*own, *posting.sentences]
            is_title += [True] * len(own) + [False] * len(posting.sentences)
            owner += [n] * (len(own) + len(posting.sentences))
        return cls(
            np.array(owner, dtype=np.int64),
            np.array(is_title, dtype=bool),
            np.array([bool(posting.title) for posting in postings], dtype=bool),
            np.array([posting.is_empty for posting in postings], dtype=bool),
            [posting.title for posting in postings],
            pieces,
        )

    def sentences(self, posting: int) -> list[str]:
        """Return the sentences of a posting."""
        first, last = np.searchsorted(self.owner, (posting, posting + 1))
        return self.pieces[first + bool(self.titles[posting]) : last]

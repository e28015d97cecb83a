"""A posting as pieces of evidence: its title and the sentences of its text."""

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

    @property
    def pieces(self) -> tuple[str, ...]:
        """The title, if there is one, and then the sentences."""
        return (self.title, *self.sentences) if self.title else self.sentences


@dataclass(frozen=True)
class Evidence:
    """The pieces of many postings, and which belong to which.

    Parameters
    ----------
    pieces
        All pieces, posting by posting.
    owner : ndarray of shape (n_pieces,)
        The posting that each piece belongs to.
    is_title : ndarray of shape (n_pieces,)
        Whether the piece is a title.
    n_postings
        How many postings there are.
    """

    pieces: list[str]
    owner: np.ndarray
    is_title: np.ndarray
    n_postings: int

    @classmethod
    def gather(cls, postings: Sequence[Posting]) -> "Evidence":
        """Lay the pieces of postings end to end."""
        pieces = [piece for posting in postings for piece in posting.pieces]
        sizes = [len(posting.pieces) for posting in postings]
        owner = np.repeat(np.arange(len(postings)), sizes)
        starts = np.cumsum([0, *sizes[:-1]]) if sizes else np.array([], dtype=int)
        is_title = np.zeros(len(pieces), dtype=bool)
        is_title[[s for s, posting in zip(starts, postings, strict=True) if posting.title]] = True
        return cls(pieces, owner, is_title, len(postings))

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

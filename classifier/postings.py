"""A posting as pieces of evidence: its title and the sentences of its text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from classifier.text import MAX_TITLE, plain, sentences


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

    def weights(self, worth: np.ndarray, text_weight: float) -> np.ndarray:
        """Share out the weight of each posting's text over its sentences.

        Parameters
        ----------
        worth : ndarray of shape (n_pieces,)
            How much each piece says of the job, 0 or more.
        text_weight
            The weight of all sentences of a posting together; its title weighs 1.

        Returns
        -------
        ndarray of shape (n_pieces,)
            The weight of each piece; the sentences of a posting without a title sum to 1.
        """
        worth = np.where(self.is_title, 0.0, worth + 1e-9)
        total = np.bincount(self.owner, worth, self.n_postings)
        titled = np.bincount(self.owner, self.is_title, self.n_postings) > 0
        share = np.where(titled, text_weight, 1.0) / np.where(total > 0, total, 1.0)
        return np.asarray(np.where(self.is_title, 1.0, worth * share[self.owner]))

    def membership(self, weights: np.ndarray) -> sp.csr_matrix:
        """Return the matrix of shape (n_postings, n_pieces) that sums pieces by weight."""
        shape = (self.n_postings, len(self.pieces))
        return sp.csr_matrix((weights, (self.owner, np.arange(len(self.pieces)))), shape=shape)

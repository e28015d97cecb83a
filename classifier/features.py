"""From titles to features: words, pairs of words and pieces of words, weighted."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Self

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from classifier.text import Tokenizer


@dataclass(frozen=True)
class TitleAnalyzer:
    """Lists the features of a title: each word, its pieces, and each pair of neighbours.

    Parameters
    ----------
    tokenizer
        Cuts and normalises the text.
    shortest, longest
        Lengths of the pieces, in characters; the word's ends count as one character each, so that
        the last part of a Swedish compound (*-ekonom*) differs from the same letters inside.
    """

    tokenizer: Tokenizer
    shortest: int = 3
    longest: int = 6

    def __call__(self, text: str) -> list[str]:
        """Return the features of a text, with repetition.

        Parameters
        ----------
        text
            A plain text.

        Returns
        -------
        list of str
            ``word``, ``word word`` and ``<pie`` features.
        """
        words = self.tokenizer.words(text)
        features = [feature for word in words for feature in self.of_word(word)]
        features.extend(self.of_pair(a, b) for a, b in pairwise(words))
        return features

    def of_word(self, word: str) -> tuple[str, ...]:
        """Return the features that a word has wherever it stands."""
        return _of_word(word, self.shortest, self.longest)

    def of_pair(self, first: str, second: str) -> str:
        """Return the feature of two neighbouring words."""
        return f"{first} {second}"


@lru_cache(maxsize=1 << 16)  # words repeat endlessly
def _of_word(word: str, shortest: int, longest: int) -> tuple[str, ...]:
    marked = f"<{word}>"
    size = len(marked)
    pieces = (
        "~" + marked[start : start + length]
        for length in range(shortest, min(longest, size - 1) + 1)
        for start in range(size - length + 1)
    )
    return (word, *pieces)


class AdditiveTfidf(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Weights counts by rarity and scales rows to about unit length.

    Attributes
    ----------
    idf_ : ndarray of shape (n_features,)
        Inverse document frequency, ``ln((1 + n) / (1 + df)) + 1``.

    Notes
    -----
    The length of a row is taken as ``sqrt(sum(count * idf**2))``: for features that occur once this
    is the Euclidean length; repeated ones count in proportion, not squared. Numerator and squared
    length are thus both sums over the words of a text, so that a word's share can be computed
    once and reused.

    References
    ----------
    .. [1] G. Salton and C. Buckley, "Term-weighting approaches in automatic text retrieval",
       Information Processing & Management 24(5), 1988.
    """

    idf_: np.ndarray

    def fit(self, X: sp.csr_matrix, y: object = None) -> Self:  # noqa: ARG002
        """Learn the inverse document frequencies.

        Parameters
        ----------
        X : sparse matrix of shape (n_samples, n_features)
            Counts.
        y
            Ignored.

        Returns
        -------
        AdditiveTfidf
            The fitted transformer.
        """
        n_samples = X.shape[0]
        frequency = np.bincount(X.indices, minlength=X.shape[1])
        self.idf_ = (np.log((1 + n_samples) / (1 + frequency)) + 1).astype(np.float32)
        return self

    def transform(self, X: sp.csr_matrix) -> sp.csr_matrix:
        """Weight and scale counts.

        Parameters
        ----------
        X : sparse matrix of shape (n_samples, n_features)
            Counts.

        Returns
        -------
        sparse matrix of shape (n_samples, n_features)
            Weights, float32; a row without a known feature is all zeros.
        """
        check_is_fitted(self)
        counts = X.astype(np.float32)
        squared = counts @ (self.idf_**2)
        scale = 1 / np.sqrt(np.where(squared > 0, squared, 1))
        weighted = sp.csr_matrix(counts.multiply(self.idf_))
        weighted.data *= np.repeat(scale.astype(np.float32), np.diff(weighted.indptr))
        return weighted


def make_vectorizer(
    tokenizer: Tokenizer, *, shortest: int = 3, longest: int = 6, min_df: int = 3
) -> Pipeline:
    """Build the unfitted vectoriser of titles and sentences.

    Parameters
    ----------
    tokenizer
        Cuts and normalises the text.
    shortest, longest
        Lengths of the pieces of words, in characters; see `TitleAnalyzer`.
    min_df
        In how many texts a feature must occur.

    Returns
    -------
    sklearn.pipeline.Pipeline
        From a sequence of texts to a sparse matrix of shape (n_texts, n_features).
    """
    analyzer = TitleAnalyzer(tokenizer, shortest, longest)
    counter = CountVectorizer(analyzer=analyzer, min_df=min_df, dtype=np.int32)
    return Pipeline([("count", counter), ("weigh", AdditiveTfidf())])

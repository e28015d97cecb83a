"""Features and their weights."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from classifier.features import AdditiveTfidf, TitleAnalyzer, make_vectorizer
from classifier.text import Tokenizer

ANALYZER = TitleAnalyzer(Tokenizer({}), shortest=3, longest=4)


def test_a_title_gives_words_pieces_and_pairs() -> None:
    """A title's features are its words, their marked pieces and pairs of neighbours."""
    assert ANALYZER("VD IT") == ["vd", "~<vd", "~vd>", "it", "~<it", "~it>", "vd it"]


@given(st.lists(st.sampled_from(["lön", "it", "chef", "säljare"]), min_size=1, max_size=6))
def test_features_add_up_over_words(words: list[str]) -> None:
    """A text has the features of its words plus one for each pair, whatever the words are."""
    alone = sum(len(ANALYZER(word)) for word in words)
    assert len(ANALYZER(" ".join(words))) == alone + len(words) - 1


def test_rows_without_repetition_have_unit_length() -> None:
    """The additive length is the Euclidean one where each feature occurs once."""
    counts = sp.csr_matrix(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 0]]))
    weights = AdditiveTfidf().fit(counts).transform(counts)
    lengths = np.sqrt(weights.multiply(weights).sum(axis=1))
    assert np.asarray(lengths).ravel() == pytest.approx([1, 1, 1])


def test_rare_features_weigh_more() -> None:
    """A feature in one text of three outweighs one in all three."""
    counts = sp.csr_matrix(np.array([[1, 1], [1, 0], [1, 0]]))
    weights = AdditiveTfidf().fit(counts).transform(counts).toarray()
    assert weights[0, 1] > weights[0, 0] > 0


def test_an_unknown_text_is_a_row_of_zeros() -> None:
    """A text without a known feature is all zeros, not an error or a NaN."""
    vectorizer = make_vectorizer(Tokenizer({}), min_df=1).fit(["lön", "säljare"])
    X = vectorizer.transform(["", "12345", "🚚"])
    assert X.shape[0] == 3
    assert X.nnz == 0

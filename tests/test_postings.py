"""Postings as pieces of evidence, and what each piece weighs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.postings import TEXT_WEIGHT, TITLE_GAIN, Evidence, Posting
from classifier.text import MAX_TITLE

TEXTS = st.tuples(st.sampled_from(["", "Säljare"]), st.sampled_from(["", "Ett.", "Ett. Två. Tre."]))


def test_a_long_title_is_read_as_text() -> None:
    """What is too long for a title joins the description."""
    posting = Posting.read("Du kör lön. " * 20, "Och svarar.")
    assert (posting.title, posting.sentences[-1]) == ("", "Och svarar.")
    assert Posting.read("å" * MAX_TITLE).title == "å" * MAX_TITLE


@given(texts=st.lists(TEXTS, max_size=6), data=st.data())
def test_weights_are_bounded(texts: list[tuple[str, str]], data: st.DataObject) -> None:
    """Titles weigh 1 to 1 + TITLE_GAIN; the sentences beside one at most TEXT_WEIGHT together."""
    evidence = Evidence.read([title for title, _ in texts], [text for _, text in texts])
    n = len(evidence.pieces)
    worth = np.array(data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)))
    weights = evidence.weights(worth)
    assert np.isfinite(weights).all()
    titles = weights[evidence.is_title]
    assert ((titles >= 1) & (titles <= 1 + TITLE_GAIN)).all()
    of_text = np.bincount(evidence.owner, weights * ~evidence.is_title, len(texts))
    beside = np.array([bool(title and text) for title, text in texts], dtype=bool)
    assert (of_text[beside] <= TEXT_WEIGHT).all()


def test_the_text_counts_by_what_it_tells() -> None:
    """Without substance a text weighs nothing; beside a vague title it weighs more."""
    evidence = Evidence.read(["Säljare"], ["Ett. Två."])
    assert evidence.weights(np.array([1.0, 0, 0])) == pytest.approx([1, 0, 0], abs=1e-6)
    plain, vague = (evidence.weights(np.array([title, 1, 0])) for title in (1.0, 0))
    assert plain[1] < vague[1]
    assert plain[0] > vague[0] == 1

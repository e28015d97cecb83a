"""The fast way against the reference: the same labels from scikit-learn alone."""

import random
import threading
import weakref
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import JobTitleClassifier, fast, load_model, recall
from classifier.features import _of_word
from classifier.keys import (
    key_of_piece,
    pair_key,
    pair_keys,
    piece_keys,
    position,
    positions,
    sequence_key,
    sequence_keys,
    word_keys,
)
from tests.test_regression import TITLES

DUTIES = (
    "Du kör lönen för 600 anställda. Vi erbjuder friskvård.\nMinst tio års erfarenhet av lön.",
    "You will lead a team of six.Sell cars-Answer calls & write <b>letters</b>",
    "Om oss: vi är 3 000 kollegor \u2022 Du är nyexaminerad \u2022 Personalansvar ingår",
    "",
)
PIECES = st.sampled_from(
    ["Senior", "lön", "HR-chef", "f.d.", "Sr.", "mgr", "C++", "80 %", "å", "\u00e9\u0301", "R&D", "xyzzy",
     "ekonom", "assistent", "till", "VD", "Payroll", "<b>", "&amp;", "\u200b", "職務", "Éva", "adm."]
)  # fmt: skip
WORDS = st.one_of(PIECES, st.text(max_size=12))


def agree(model: JobTitleClassifier, frame: pd.DataFrame, **options: object) -> None:
    fast = model.predict_frame(frame, description="description", **options)  # type: ignore[arg-type]
    slow = model.reference_frame(frame, description="description", **options)  # type: ignore[arg-type]
    numbers = [name for name in fast if name.endswith("confidence")]
    for name in numbers:
        assert fast[name].to_numpy() == pytest.approx(slow[name].to_numpy(), abs=1e-5, nan_ok=True)
    rest = fast.columns.difference(numbers)
    pd.testing.assert_frame_equal(fast[rest].astype(str), slow[rest].astype(str))


def test_real_titles_and_texts(model: JobTitleClassifier) -> None:
    """Titles of a list, alone and with texts, get what the reference gives."""
    frame = pd.DataFrame(TITLES).assign(description="")
    agree(model, frame)
    frame["description"] = [DUTIES[n % len(DUTIES)] for n in range(len(frame))]
    agree(model, frame)


@settings(max_examples=60, deadline=None)
@given(
    titles=st.lists(st.lists(WORDS, max_size=5).map(" ".join), min_size=1, max_size=6),
    text=st.sampled_from(DUTIES),
)
def test_any_text(model: JobTitleClassifier, titles: list[str], text: str) -> None:
    """Whatever the text, the fast way gives what the reference gives."""
    description = [text if n % 2 else "" for n in range(len(titles))]
    agree(model, pd.DataFrame({"title": titles, "description": description}), min_confidence=0)


def test_titles_that_repeat(model: JobTitleClassifier) -> None:
    """Titles without descriptions are labelled once each, and come back in order."""
    frame = pd.DataFrame({"title": ["Kock", "HR-chef", "", "Kock", "asdf", "HR-chef"] * 50})
    found = model.predict_frame(frame)
    once = ["hospitality", "human_resources", "", "hospitality", "", "human_resources"]
    assert found["department"].tolist() == once * 50
    assert found["status"].tolist()[:3] == ["labelled", "labelled", "empty"]


def test_memory_is_bounded(model: JobTitleClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words without end are forgotten again, and what comes after is labelled as before."""
    monkeypatch.setattr(fast, "MAX_WORDS", model._scorer.memory.n_words + 2_000)
    before = model.predict(["Löneadministratör", "Butikssäljare"])
    rng = random.Random(0)
    for _ in range(6):
        noise = ["".join(rng.choices("abcdefghijklmnop", k=9)) for _ in range(1_500)]
        model.predict(noise)
        assert model._scorer.memory.n_words <= fast.MAX_WORDS + 1_500
    assert model.predict(["Löneadministratör", "Butikssäljare"]) == before


def test_several_threads(model: JobTitleClassifier) -> None:
    """Requests at the same time get the answers that each gets alone."""
    titles = [f"{title} {n}" for n in range(40) for title in ("HR-chef", "Kock", "Säljare")]
    alone = model.predict(titles)
    found: dict[int, list[object]] = {}

    def ask(n: int) -> None:
        found[n] = [model.predict([title])[0].department for title in titles]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[n] == [label.department for label in alone] for n in range(4))


def test_keys_of_sequences_differ() -> None:
    """The order and the number of words make different keys."""
    runs = [[1], [2], [1, 2], [2, 1], [1, 1], [1, 1, 2], [], [0], [0, 0]]
    sizes = np.array([len(run) for run in runs])
    keys = sequence_keys(np.array([n for run in runs for n in run]), sizes)
    assert len(set(keys.tolist())) == len(runs)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=8))
def test_one_key_at_a_time(numbers: list[int]) -> None:
    """A run or pair has the same key, and the same place in an index, by itself as among many."""
    array = np.array(numbers, dtype=np.uint64)
    assert sequence_key(numbers) == sequence_keys(array, np.array([len(numbers)])).item()
    pairs = [pair_key(first, second) for first, second in pairwise(numbers)]
    assert pairs == pair_keys(array[:-1], array[1:]).tolist()
    index = pd.Index(np.unique(array[::2]))
    assert [position(index, n) for n in numbers] == positions(index, array).tolist()


def test_what_single_titles_leave_is_bounded(
    model: JobTitleClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Titles without end, one at a time, are forgotten again, and labelled as before."""
    monkeypatch.setattr(recall, "_REMEMBERED", 50)
    monkeypatch.setattr(fast, "MAX_WORDS", model._scorer.memory.n_words + 2_000)
    before = model.predict(["Vice President Sales, Umeå"])
    rng = random.Random(0)
    for _ in range(300):
        model.predict([" ".join("".join(rng.choices("abcdef", k=6)) for _ in range(8))])
        kept = model._scorer.recall
        assert max(map(len, (kept._runs, kept._pairs, kept._levels))) <= 50 + 8
        assert model._scorer.memory.n_words <= fast.MAX_WORDS + 8
    assert model.predict(["Vice President Sales, Umeå"]) == before


def test_a_model_that_is_set_aside_leaves_the_memory(model: JobTitleClassifier) -> None:  # noqa: ARG001 - trained before it is loaded
    """Nothing holds on to a loaded model but who loaded it: no circle of references."""
    loaded = load_model()
    loaded.predict(["Kock"])
    watched = weakref.ref(loaded._scorer)
    del loaded
    assert watched() is None


@given(words=st.lists(st.text(min_size=1, max_size=50), max_size=5))
def test_pieces_are_those_of_the_reference(words: list[str]) -> None:
    """A word has the pieces that the reference cuts it into, whatever its letters."""
    keys, owner = piece_keys(words, 3, 6)
    found = sorted(zip(owner.tolist(), keys.tolist(), strict=True))
    pieces = [(n, piece) for n, word in enumerate(words) for piece in _of_word(word, 3, 6)[1:]]
    assert found == sorted((n, int(key_of_piece(piece[1:]))) for n, piece in pieces)


def test_features_have_keys_of_their_own(model: JobTitleClassifier) -> None:
    """No two features, pairs or titles share a key."""
    tables = model.lexicon
    for keys in (tables.features, tables.pairs, tables.titles):
        assert len(np.unique(keys)) == len(keys)
    assert len(set(word_keys(["ab", "ba", "a", "aa"]).tolist())) == 4

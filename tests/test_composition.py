"""Decorated and misspelt titles for training."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import paths
from classifier.composition import compose, misspell, read_decorations
from classifier.errors import TrainingDataError

DECORATIONS = read_decorations(paths.training_data() / "wording" / "composition.toml")
TITLES = [(f"Löneadministratör nummer {n}", "sv", "payroll") for n in range(200)]


def test_the_title_stands_in_its_decoration() -> None:
    """A decorated title holds the plain one, and no field is left open."""
    for language, decorations in DECORATIONS.items():
        rng = random.Random(0)
        for _ in range(500):
            text = decorations.decorate("Lönechef", rng)
            assert "Lönechef" in text, language
            assert not set("{}") & set(text)
            assert text != "Lönechef"


def test_the_share_and_the_seed_decide() -> None:
    """About the share asked for is composed, the same again with the same seed."""
    found = list(compose(TITLES, DECORATIONS, share=0.5, seed=1))
    assert 70 <= len(found) <= 130
    assert found == list(compose(TITLES, DECORATIONS, share=0.5, seed=1))
    assert found != list(compose(TITLES, DECORATIONS, share=0.5, seed=2))
    assert list(compose(TITLES, {}, share=1, seed=1)) == []


@given(st.from_regex(r"[a-zåäö]{6,12}( [a-z]{2,8})?", fullmatch=True), st.integers(0, 99))
def test_a_typing_error_stays_near(title: str, seed: int) -> None:
    """A misspelt title differs by at most one letter in length, and keeps its first letter."""
    ((typed, label),) = misspell([(title, "sv", "x")], share=1, seed=seed)
    assert label == "x"
    assert abs(len(typed) - len(title)) <= 1
    assert typed[0] == title[0]


def test_short_words_are_not_misspelt() -> None:
    """A title of short words only is left out: one letter less would make it another word."""
    assert list(misspell([("VD IT", "sv", "x")], share=1, seed=0)) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[sv.patterns]\n"{rank}" = 1\n[sv.words]\nrank = "x"', "lacks {title}"),
        ('[sv.patterns]\n"{rank} {title}" = 1', "has no words for rank"),
    ],
)
def test_faults_are_named(tmp_path: Path, content: str, said: str) -> None:
    """A pattern without a title, or with a field that has no words, is refused by name."""
    path = tmp_path / "composition.toml"
    path.write_text(content)
    with pytest.raises(TrainingDataError, match=r"composition\.toml:\d+: pattern") as error:
        read_decorations(path)
    assert said in str(error.value)


def test_a_title_is_drawn_alone() -> None:
    """What happens to a title does not depend on the others: a smaller catalogue moves none."""
    for draw in (
        lambda titles: compose(titles, DECORATIONS, share=0.5, seed=1),
        lambda titles: misspell(titles, share=0.5, seed=1),
    ):
        whole = list(draw(TITLES))
        assert [found for title in TITLES for found in draw([title])] == whole

"""Normalising and tokenising."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.text import (
    MAX_CHARACTERS,
    MAX_SENTENCE,
    MAX_SENTENCES,
    Tokenizer,
    fold,
    plain,
    sentences,
)

TOKENIZER = Tokenizer({"mgr": "manager", "adm.": "administrator", "f.d.": "", "hr": "hr personal"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Löneadministratör", ["loneadministrator"]),
        ("LÖNEADMINISTRATÖR", ["loneadministrator"]),
        ("loneadministrator", ["loneadministrator"]),
        ("Payroll Mgr.", ["payroll", "manager"]),
        ("Löneadm", ["loneadm"]),
        ("adm. assistent", ["administrator", "assistent"]),
        ("f.d. ekonomichef", ["ekonomichef"]),
        ("HR-chef", ["hr", "personal", "chef"]),
        ("Ekonom/controller", ["ekonom", "controller"]),
        ("C++ och C#", ["c++", "och", "c#"]),
        ("Säljare (m/k) 80 % 2024", ["saljare", "m", "k"]),
        ("🚚", []),
    ],
)
def test_words_are_normalised(text: str, words: list[str]) -> None:
    """Case, diacritics, punctuation and abbreviations do not change what a title says."""
    assert TOKENIZER.words(text) == words


@given(st.text())
def test_tokens_point_at_their_words(text: str) -> None:
    """Offsets stay inside the text and in order, so that words can be marked in it."""
    end = 0
    for token in TOKENIZER.tokens(text):
        assert end <= token.start < token.end <= len(text)
        end = token.end


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    """A folded text is a fixed point, so that data and titles meet whichever was folded first."""
    assert fold(fold(text)) == fold(text)


def test_html_becomes_lines() -> None:
    """Blocks and list items are lines; tags within a sentence leave no trace."""
    html = "<p>Du <b>kör</b> lön.</p><ul><li>A &amp; B</li><li>C</li></ul><script>x</script>"
    assert plain(html).split("\n") == ["Du kör lön.", "A & B", "C"]


def test_plain_text_with_a_smaller_sign_stays() -> None:
    """A smaller-than sign that opens no tag is text."""
    assert plain("lön < 30 000") == "lön < 30 000"


def test_sentences_are_bounded() -> None:
    """A text of any length is a bounded number of sentences."""
    assert len(sentences("Hej där. " * 5_000)) == MAX_SENTENCES


def test_an_abbreviation_is_read_as_written() -> None:
    """AR is accounts receivable; the Swedish är is not, though both fold to ar."""
    tokenizer = Tokenizer({"ar": "accounts receivable"})
    assert tokenizer.words("AR clerk") == ["accounts", "receivable", "clerk"]
    assert tokenizer.words("Du är här") == ["du", "ar", "har"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Du kör lön. Du svarar!", ["Du kör lön.", "Du svarar!"]),
        ("Work in London.You will sell.", ["Work in London.", "You will sell."]),
        ("You will:-Answer calls-Write letters", ["You will:", "-Answer calls", "-Write letters"]),
        ("• Kör lön • Svara", ["Kör lön", "Svara"]),
        ("Node.js, C++ och e-post 08-12", ["Node.js, C++ och e-post 08-12"]),
    ],
)
def test_sentences_part_where_lines_were_lost(text: str, pieces: list[str]) -> None:
    """Sentences and list items are told apart, also where an ad lost its line breaks."""
    assert sentences(text) == pieces


@given(st.text(max_size=3_000))
def test_long_sentences_are_parted_without_loss(text: str) -> None:
    """No part is too long, and together they hold every letter of the text, in order."""
    parts = sentences(text)
    assert all(len(part.split()) <= MAX_SENTENCE for part in parts)
    if len(parts) < MAX_SENTENCES:
        letters = [c for c in text if c.isalpha()]
        assert [c for part in parts for c in part if c.isalpha()] == letters


def test_text_is_cut() -> None:
    """No more than the stated number of characters is read."""
    assert len(plain("a" * (MAX_CHARACTERS + 10))) == MAX_CHARACTERS


def test_deep_html_is_read_in_good_time() -> None:
    """Tags nested without end are taken out; the words between them stay, and so do entities."""
    for tag in ("b", "div", "span"):
        nested = f"<{tag}>" * 10_000 + "Kock &amp; kallsk&auml;nka" + f"</{tag}>" * 10_000
        assert plain(nested).split() == ["Kock", "&", "kallskänka"]
    flat = "<p><b>Kock</b><br>" * 1_000
    assert plain(flat).split() == ["Kock"] * 1_000


def test_unprintable_characters_become_spaces() -> None:
    """What cannot be printed becomes a space each, line breaks stay, however many kinds there are."""
    kinds = "".join(map(chr, [*range(0xF0000, 0xFFFFE), *range(0xE000, 0xF900)]))
    assert plain(f"Lön\u00a0chef\n{kinds}\tx") == f"Lön chef\n{' ' * len(kinds)}\tx"

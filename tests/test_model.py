"""The classifier: one path, odd input, and reasons that add up."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import JobTitleClassifier
from classifier.categories import CategorySums
from classifier.errors import InputError
from classifier.labels import LABEL_COLUMNS, Label
from classifier.postings import Evidence
from classifier.text import MAX_SENTENCE, MAX_SENTENCES, MAX_TITLE

PARAGRAPH = (
    "We met at the station and walked through the park, talking about the film that we had seen the "
    "evening before, and then it started to rain so we went home and made soup for everyone."
)


@pytest.mark.parametrize("title", ["", " ", "\t\n", "\x00", "<p></p>", "&nbsp;"])
def test_no_text_is_empty(model: JobTitleClassifier, title: str) -> None:
    """A title without visible text is empty: no ids, no confidence, no candidates."""
    label = model.predict([title])[0]
    assert label.status == "empty"
    assert label.department is label.category is label.role is label.confidence is None
    assert label.candidates == ()


@pytest.mark.parametrize(
    "title",
    ["🙂", "🚚🚚", "12345", "80 %", "-", "...", "職務名称", "Инженер", "مدير", "asdf qwer", "xzxzxz",
     "hgfdsa lkjhg", "NULL", "n/a", "Anna Andersson", PARAGRAPH],
)  # fmt: skip
def test_nothing_to_go_by_is_unknown(model: JobTitleClassifier, title: str) -> None:
    """Emoji, digits, other scripts, noise, names and small talk get no department."""
    label = model.predict([title])[0]
    assert (label.status, label.department, label.category) == ("unknown", None, None)


@pytest.mark.parametrize(
    ("title", "department"),
    [
        ("Löneadministratör " * 5_000, "payroll"),
        ("<b>Löneadministratör</b>", "payroll"),
        ("LÖNEADMINISTRATÖR!!!", "payroll"),
        ("loneadministrator", "payroll"),
        ("Truck-driver / lorry driver", "transport"),
    ],
)
def test_odd_wrapping_does_not_hide_a_title(
    model: JobTitleClassifier, title: str, department: str
) -> None:
    """Length, tags, case and punctuation around a title do not change what it is."""
    assert model.predict([title])[0].department == department


@settings(max_examples=200, deadline=None)
@given(title=st.text(max_size=80), description=st.text(max_size=200))
def test_any_text_gets_a_sound_label(
    model: JobTitleClassifier, title: str, description: str
) -> None:
    """Whatever the text, the label is consistent and its numbers are probabilities."""
    label = model.predict([title], [description])[0]
    ids = (label.department, label.category, label.category_basis, label.role, label.seniority)
    assert all(ids) if label.status == "labelled" else not any(ids)
    assert (label.confidence is None) == (label.status == "empty")
    assert all(0 <= c.confidence <= 1 for c in label.candidates)
    assert sum(c.confidence for c in label.candidates) <= 1 + 1e-6


def test_a_description_lets_a_vague_title_be_labelled(model: JobTitleClassifier) -> None:
    """A title that says nothing is decided by the text; a plain one is not overruled."""
    text = "Du kör lönen för 600 anställda och svarar på frågor om lön, skatt och semester."
    assert model.predict(["Medarbetare sökes"], [text])[0].department == "payroll"
    assert model.predict([""], [text])[0].department == "payroll"
    assert (
        model.predict(["Lastbilsförare"], ["Vi erbjuder friskvård."])[0].department == "transport"
    )


def test_alone_or_among_others(model: JobTitleClassifier) -> None:
    """A title gets the same label alone, to the bit, as among a thousand."""
    titles = [f"{title} {n}" for n in range(250) for title in ("HR-chef", "Kock", "Säljare", "x")]
    together = model.predict(titles)
    assert [model.predict([title])[0] for title in titles[::9]] == together[::9]


def test_policies_in_turn(model: JobTitleClassifier) -> None:
    """Each policy's categories and their probabilities stay its own, whatever was asked before."""
    titles = ["Kundtjänstmedarbetare", "Säljare", "Receptionist"]
    policies = [model.policies["document"], model.policies["customer_contact"]]
    once = [model.predict(titles, policy=policy) for policy in policies]
    again = [model.predict(titles, policy=policy) for policy in policies * 8]
    assert again == once * 8
    assert once[0][0].category != once[1][0].category


def test_frame_and_list_agree(model: JobTitleClassifier) -> None:
    """Predict and predict_frame give the same labels, on the frame's own index."""
    titles = ["Lönechef", "", "asdf qwer", "Receptionist", "Nurse"]
    frame = model.predict_frame(pd.DataFrame({"t": titles}, index=list("abcde")), title="t")
    assert list(frame.index) == list("abcde")
    assert tuple(frame.columns) == LABEL_COLUMNS
    for row, label in zip(frame.itertuples(), model.predict(titles), strict=True):
        assert (row.status, row.department) == (label.status, label.department or "")
        assert (row.role, row.seniority) == (label.role or "", label.seniority or "")


def test_missing_values_in_a_frame_are_empty(model: JobTitleClassifier) -> None:
    """None and NaN are no text; they are not the words None and nan."""
    frame = model.predict_frame(pd.DataFrame({"title": [None, np.nan, "Kock"]}, dtype=object))
    assert list(frame["status"]) == ["empty", "empty", "labelled"]


def test_nothing_in_nothing_out(model: JobTitleClassifier) -> None:
    """No titles give no labels, and a frame without rows keeps its columns."""
    assert model.predict([]) == []
    assert tuple(model.predict_frame(pd.DataFrame({"title": []})).columns) == LABEL_COLUMNS


def test_wrong_arguments_are_named(model: JobTitleClassifier) -> None:
    """A lone string, sequences of unequal length and a missing column are errors that say so."""
    with pytest.raises(InputError, match="wrap it in a list"):
        model.predict("Lönechef")
    with pytest.raises(InputError, match="1 titles but 2 descriptions"):
        model.predict(["a"], ["b", "c"])
    with pytest.raises(InputError, match="no column 'title' among job"):
        model.predict_frame(pd.DataFrame({"job": ["a"]}))


def test_the_policy_decides_the_category(model: JobTitleClassifier) -> None:
    """Another policy changes category and basis, and nothing else."""
    title = ["Kundtjänstmedarbetare"]
    default = model.predict(title)[0]
    other = model.predict(title, policy=model.policy("customer_contact"))[0]
    assert (default.category, default.category_basis) == ("back_office", "document")
    assert (other.category, other.category_basis) == ("front_office", "customer_contact")
    assert (default.department, default.role) == (other.department, other.role)


@settings(max_examples=50, deadline=None)
@given(
    words=st.lists(
        st.sampled_from(["Senior", "lön", "HR-chef", "IT", "säljare", "xyz", "mgr", "80 %", "å"]),
        max_size=6,
    ),
    description=st.sampled_from(["", "Du kör lön. Vi erbjuder friskvård.", "Sälj bilar\nLaga mat"]),
)
def test_word_weights_add_up(model: JobTitleClassifier, words: list[str], description: str) -> None:
    """Word weights and offset sum to the score of the department against the mean of all."""
    title = " ".join(words)
    explanation = model.explain(title, description)
    if explanation.department is None:
        return
    explained = explanation.offset + sum(word.weight for word in explanation.words)
    assert explained == pytest.approx(explanation.score, abs=1e-4)


POSTINGS = st.tuples(
    st.sampled_from(["", "Receptionist", "Senior lönechef", "Bank teller", "x", "Säljare, Solna"]),
    st.sampled_from(["", "Du kör lön. Vi erbjuder friskvård.", "Sell cars\nGreet visitors", "å?"]),
)


@settings(max_examples=50, deadline=None)
@given(
    postings=st.lists(POSTINGS, min_size=1, max_size=8),
    name=st.sampled_from(["document", "customer_contact"]),
)
def test_a_category_is_the_sum_of_its_parts(
    model: JobTitleClassifier, postings: list[tuple[str, str]], name: str
) -> None:
    """Probabilities are finite and 0-1; those of categories add up to those of departments."""
    policy = model.policy(name)
    evidence = Evidence.read([title for title, _ in postings], [text for _, text in postings])
    scores = model.reference.score(evidence)
    assert np.isfinite(scores.probabilities).all()
    assert (scores.probabilities >= 0).all()
    assert (scores.probabilities.sum(axis=1) <= 1 + 1e-9).all()
    sums = CategorySums(policy, model.roles)
    categories = dict(zip(sums.categories, sums.of(scores).T, strict=True))
    assert sum(categories.values()) == pytest.approx(scores.probabilities.sum(axis=1))
    outside = [
        rule.category == "outside_office" for rule in map(policy.departments.get, model.departments)
    ]
    parts = scores.probabilities[:, outside].sum(axis=1)
    assert categories["outside_office"] == pytest.approx(parts)


WORDS = st.sampled_from(
    ["Säljare", "Lönechef,", "Umeå", "IT", "x", "Junior", "kock", "80", "%", "Receptionist", "f.d.",
     "Vd-assistent", "C++", "(vikariat)", "Vice", "President", "職務", "\u00a0", "Butikssäljare"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    titles=st.lists(
        st.lists(WORDS, max_size=6).map(" ".join) | st.text(max_size=MAX_TITLE),
        min_size=1,
        max_size=6,
    ),
    n_candidates=st.integers(0, 40),
    min_confidence=st.sampled_from([None, 0.0, 1.0]),
    policy=st.sampled_from(["document", "customer_contact"]),
)
def test_labels_are_the_same_to_the_bit_in_any_company(
    model: JobTitleClassifier,
    titles: list[str],
    n_candidates: int,
    min_confidence: float | None,
    policy: str,
) -> None:
    """A title's label does not depend on the titles beside it, nor on how many there are."""

    def labels(titles: list[str]) -> list[Label]:
        return model.predict(
            titles,
            policy=model.policies[policy],
            min_confidence=min_confidence,
            n_candidates=n_candidates,
        )

    together = labels([*titles, *map(str, range(30))])
    assert [labels([title])[0] for title in titles] == together[: len(titles)]


def test_a_role_moves_its_share_of_the_category(model: JobTitleClassifier) -> None:
    """A front desk is front office by its role, and the probability goes with it."""
    desk, office = model.predict(["Receptionist", "Arkivassistent"])
    assert (desk.department, desk.category) == ("administration", "front_office")
    assert desk.category_confidence == pytest.approx(desk.confidence, abs=0.15)
    assert office.category == "back_office"
    assert office.category_confidence is not None
    assert office.confidence is not None
    assert office.category_confidence >= office.confidence - 0.05


def test_the_threshold_can_be_chosen(model: JobTitleClassifier) -> None:
    """A higher threshold leaves more unknown and changes no candidate; it must be a probability."""
    low, high = (model.predict(["Säljare"], min_confidence=p)[0] for p in (0, 1))
    assert (low.status, high.status) == ("labelled", "unknown")
    assert low.candidates == high.candidates
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="from 0 to 1"):
            model.predict(["Säljare"], min_confidence=wrong)


def test_boilerplate_does_not_sway_a_title(model: JobTitleClassifier) -> None:
    """Praise, benefits and how to apply leave a plain title's label as it was."""
    praise = (
        "About us. We build software for hospitals in 20 countries. We offer health insurance and "
        "25 days of holiday. We are an equal opportunity employer. Apply by 31 August.\n"
    )
    for title in ("Lastbilsförare", "Payroll specialist", "Key Account Manager", "Undersköterska"):
        alone, posting = model.predict([title, title], ["", praise * 5])
        assert posting.department == alone.department


def test_work_is_bounded(model: JobTitleClassifier) -> None:
    """A text of 200,000 characters is read in at most 200 pieces of at most 60 words."""
    for text in ("Du kör lön. " * 20_000, "lön" * 70_000, "<p>lön</p>" * 20_000):
        pieces = Evidence.read([""], [text]).pieces
        assert len(pieces) <= MAX_SENTENCES
        assert max(len(piece.split()) for piece in pieces) <= MAX_SENTENCE
        assert model.predict([""], [text])[0].candidates


def test_a_catalogue_title_gets_its_own_role(model: JobTitleClassifier) -> None:
    """At least 99 in 100 catalogue titles that get their department get their role as well."""
    pairs = [(title, role) for role in model.reference.roles.roles for title in role.all_titles][
        ::20
    ]
    labels = model.predict([title for title, _ in pairs])
    placed = [
        (role.id, label.role)
        for (_, role), label in zip(pairs, labels, strict=True)
        if label.department == role.department
    ]
    assert np.mean([own == said for own, said in placed]) >= 0.99


def test_the_closest_titles_are_close(model: JobTitleClassifier) -> None:
    """A title of the catalogue is its own closest neighbour, in its own role."""
    explanation = model.explain("Löneadministratör")
    closest = explanation.closest
    role = next(role for role in model.reference.roles.roles if role.id == explanation.role)
    assert {title.title for title in closest} <= set(role.all_titles)
    assert closest[0].title == "Löneadministratör"
    assert closest[0].similarity == pytest.approx(max(n.similarity for n in closest))

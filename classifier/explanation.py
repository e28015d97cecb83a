"""Reasons: the words that spoke for a department, and the titles that a text is closest to."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from sklearn.pipeline import Pipeline

from classifier.features import TitleAnalyzer
from classifier.labels import Label
from classifier.scoring import Scorer, Scores
from classifier.text import Token


@dataclass(frozen=True)
class WordWeight:
    """How strongly a word spoke for the department.

    Parameters
    ----------
    text
        The word as it stands.
    source
        ``title`` or ``description``; ``catalogue`` for a whole title that stands there.
    weight
        What it added to the department's score, in log-odds against the mean of all departments;
        below 0 if it spoke against.
    """

    text: str
    source: str
    weight: float


@dataclass(frozen=True)
class Neighbour:
    """A title of the catalogue that a text resembles.

    Parameters
    ----------
    title
        The title.
    similarity
        Cosine of the two texts' features, 0-1.
    """

    title: str
    similarity: float


@dataclass(frozen=True)
class Explanation:
    """The reasons for a label.

    Parameters
    ----------
    label
        The label.
    department
        The likeliest department, which the words speak for or against; None without text.
    words
        The words in order, title first.
    offset
        What the department's score is without any word; with the weights of all words it adds up
        to the score.
    score
        The department's log-odds against the mean of all departments.
    role
        The closest role of that department; None without text.
    closest
        Titles that this role was learned from, closest first.
    """

    label: Label
    department: str | None
    words: tuple[WordWeight, ...]
    offset: float
    score: float
    role: str | None
    closest: tuple[Neighbour, ...]


def explain(label: Label, scores: Scores, scorer: Scorer) -> Explanation:
    """Give the reasons for the label of one posting.

    Parameters
    ----------
    label
        The label.
    scores
        What was computed for it, and for no other posting.
    scorer
        What computed it.

    Returns
    -------
    Explanation
        Reasons whose weights add up to the score of the likeliest department.
    """
    if not label.candidates:
        return Explanation(label, None, (), 0.0, 0.0, None, ())
    department = label.candidates[0].department
    row = int(np.flatnonzero(scorer.pipeline.classes_ == department)[0])
    vectorizer = scorer.pipeline.named_steps["features"]
    coefficients, intercept = scorer.contributions(department)
    words = [
        word
        for n, piece in enumerate(scores.evidence.pieces)
        for word in word_weights(
            piece,
            "title" if scores.evidence.is_title[n] else "description",
            scores.X[[n]],
            coefficients * scores.weights[n],
            vectorizer,
        )
    ]
    if scores.known.any():
        weight = float(scores.known[0, row] - scores.known[0].mean())
        words.append(WordWeight(scores.evidence.titles[0], "catalogue", weight))
    own = [scorer.roles.roles[n] for n in scorer.roles.positions[department]]
    best = own[int(scores.fit(department, np.array([0]))[0].argmax())]
    role = next((role for role in own if role.id == label.role), best)
    return Explanation(
        label,
        department,
        tuple(words),
        intercept * float(scores.weights.sum()),
        float(scores.log_odds[0, row] - scores.log_odds[0].mean()),
        role.id,
        tuple(closest_titles(scores.features, role.all_titles, vectorizer)),
    )


def word_weights(
    piece: str, source: str, x: sp.csr_matrix, coefficients: np.ndarray, vectorizer: Pipeline
) -> Iterator[WordWeight]:
    """Share the score of a piece of text out over its words.

    Parameters
    ----------
    piece
        A title or a sentence.
    source
        ``title`` or ``description``.
    x : sparse matrix of shape (1, n_features)
        Its features.
    coefficients : ndarray of shape (n_features,)
        What each feature adds to the score.
    vectorizer
        The fitted vectoriser that made `x`.

    Yields
    ------
    WordWeight
        One for each word; a feature that several words share counts in equal parts.
    """
    counter = vectorizer.named_steps["count"]
    shares = dict(zip(x.indices, x.data * coefficients[x.indices], strict=True))
    tokens = list(counter.analyzer.tokenizer.tokens(piece))
    columns = [
        [counter.vocabulary_[f] for f in features if f in counter.vocabulary_]
        for features in _features(tokens, counter.analyzer)
    ]
    owners = Counter(column for own in columns for column in own)
    for token, own in zip(tokens, columns, strict=True):
        weight = sum(shares[column] / owners[column] for column in own)
        yield WordWeight(piece[token.start : token.end], source, float(weight))


def _features(tokens: Sequence[Token], analyzer: TitleAnalyzer) -> list[list[str]]:
    """List the features of each token; those of a pair stand with both its words."""
    features: list[list[str]] = [[] for _ in tokens]
    words = [(n, word) for n, token in enumerate(tokens) for word in token.words]
    for n, word in words:
        features[n].extend(analyzer.of_word(word))
    for (m, first), (n, second) in pairwise(words):
        pair = analyzer.of_pair(first, second)
        features[m].append(pair)
        features[n].append(pair)
    return features


def closest_titles(
    x: sp.csr_matrix,
    titles: Sequence[str],
    vectorizer: Pipeline,
    n_titles: int = 5,
) -> Iterator[Neighbour]:
    """Find the titles that a text resembles most.

    Parameters
    ----------
    x : sparse matrix of shape (1, n_features)
        The text's features.
    titles
        Titles of the catalogue.
    vectorizer
        The fitted vectoriser that made `x`.
    n_titles
        How many to return at most.

    Yields
    ------
    Neighbour
        The closest first; none that has nothing in common with the text.
    """
    length = np.sqrt(x.multiply(x).sum())
    if length == 0:
        return
    others = vectorizer.transform(titles)
    lengths = np.sqrt(np.asarray(others.multiply(others).sum(axis=1)).ravel())
    products = np.asarray((others @ x.T).toarray()).ravel()
    similarity = products / (length * np.where(lengths > 0, lengths, 1))
    for n in np.argsort(-similarity, kind="stable")[:n_titles]:
        if similarity[n] > 0:
            yield Neighbour(titles[n], min(1.0, float(similarity[n])))

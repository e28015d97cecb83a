"""The unfitted scikit-learn pipelines from texts to departments: the chosen one and its rivals."""

from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from classifier.features import make_vectorizer
from classifier.text import Tokenizer

CHOSEN = "linear SVM, C 0.5, pieces of 3-6"
"""The candidate that `make_pipeline` builds."""


def make_pipeline(tokenizer: Tokenizer, *, seed: int = 0) -> Pipeline:
    """Build the unfitted pipeline from texts to decision values.

    Parameters
    ----------
    tokenizer
        Cuts and normalises the text.
    seed
        Seeds the order in which the solver visits the examples.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Steps ``features`` and ``classifier``.

    Notes
    -----
    One linear support vector machine a class, against the rest. Its decision values become
    probabilities by a softmax with a temperature fitted on titles held out.
    """
    return candidates(tokenizer, seed=seed)[CHOSEN]


def candidates(tokenizer: Tokenizer, *, seed: int = 0) -> dict[str, Pipeline]:
    """Build the pipelines that were compared when the estimator was chosen.

    Parameters
    ----------
    tokenizer
        Cuts and normalises the text.
    seed
        Seeds the solvers.

    Returns
    -------
    dict of str to sklearn.pipeline.Pipeline
        Name to unfitted pipeline, `CHOSEN` first.
    """
    features = make_vectorizer(tokenizer)
    pairs = {
        CHOSEN: (features, LinearSVC(C=0.5, tol=1e-2, random_state=seed)),
        "linear SVM, C 0.1": (features, LinearSVC(C=0.1, tol=1e-2, random_state=seed)),
        "linear SVM, C 2": (features, LinearSVC(C=2, tol=1e-2, random_state=seed)),
        "linear SVM, pieces of 2-5": (
            make_vectorizer(tokenizer, shortest=2, longest=5),
            LinearSVC(C=0.5, tol=1e-2, random_state=seed),
        ),
        "linear SVM, whole words and pairs only": (
            make_vectorizer(tokenizer, shortest=1, longest=0, min_df=2),
            LinearSVC(C=0.5, tol=1e-2, random_state=seed),
        ),
        "logistic regression by gradient descent": (
            features,
            SGDClassifier(loss="log_loss", alpha=3e-6, random_state=seed),
        ),
        "complement naive Bayes": (features, ComplementNB(alpha=0.1)),
    }
    return {
        name: Pipeline([("features", vectorizer), ("classifier", classifier)])
        for name, (vectorizer, classifier) in pairs.items()
    }

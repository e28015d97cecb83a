"""The unfitted scikit-learn pipeline that gives each text a probability for each department."""

from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from classifier.features import make_vectorizer
from classifier.text import Tokenizer

NO_WORK = "no_work"
"""The class of texts that name no work: names, places, benefits, keyboard noise."""


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
    One linear support vector machine a class, against the rest: on short texts with many sparse
    features it is the most accurate of the linear models and the quickest to fit. Its decision
    values become probabilities by a softmax with a temperature fitted on titles held out.
    """
    return Pipeline(
        [
            ("features", make_vectorizer(tokenizer)),
            ("classifier", LinearSVC(C=0.5, tol=1e-2, random_state=seed)),
        ]
    )

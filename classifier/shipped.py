"""The model that belongs to the training data shipped here."""

from collections.abc import Callable
from pathlib import Path

from classifier import paths, persistence
from classifier.catalogue import fingerprint
from classifier.model import JobTitleClassifier


def load_model(
    directory: Path | None = None, *, progress: Callable[[str], object] | None = None
) -> JobTitleClassifier:
    """Load a model; train the default one first if it is not there yet.

    Parameters
    ----------
    directory
        Holds a model; None for the default one, which belongs to the training data shipped here.
    progress
        Called with the name of each step, should it have to be trained.

    Returns
    -------
    JobTitleClassifier
        The model.

    Raises
    ------
    ModelError
        If the model is corrupt, foreign or stale, or one that was named is missing.
    TrainingDataError
        If it has to be trained and the training data is faulty.
    """
    if directory is not None:
        return persistence.load(directory)
    data, home = paths.training_data(), paths.models()
    if not persistence.exists(home):
        from classifier.training import train  # scikit-learn takes a second to import

        say = progress or (lambda _: None)
        say("there is no model yet: training it once, which takes about a minute")
        train(data, home, progress=say)
    return persistence.load(home, training_data_hash=fingerprint(data))

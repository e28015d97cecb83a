"""The model that answers unless another is named: the active one, or the one shipped here."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from classifier import paths, persistence
from classifier.errors import ModelError
from classifier.model import JobTitleClassifier
from classifier.versions import DEFAULT, active_version


def load_model(
    directory: str | os.PathLike[str] | None = None,
    *,
    progress: Callable[[str], object] | None = None,
) -> JobTitleClassifier:
    """Load a model; train the default one first if it is not there yet.

    Parameters
    ----------
    directory
        Holds a model, or several of which one is active; None for the place of the default one,
        which belongs to the training data shipped here.
    progress
        Called with the name of each step, should it have to be trained.

    Returns
    -------
    JobTitleClassifier
        The model.

    Raises
    ------
    ModelError
        If the model is corrupt, foreign or stale, or one that was named or is active is missing.
    TrainingDataError
        If it has to be trained and the training data is faulty.
    """
    place = None if directory is None else Path(directory)
    train_if_missing(place, progress=progress)
    return load_active(place)[0]


def load_active(directory: Path | None = None) -> tuple[JobTitleClassifier, dict[str, Any]]:
    """Load the model that is active, with its facts; never train one.

    Parameters
    ----------
    directory
        As for `load_model`.

    Returns
    -------
    tuple of JobTitleClassifier and dict
        The model, which has labelled its test titles rightly, and what its manifest says of it;
        ``name`` is what it is called in its store.

    Raises
    ------
    ModelError
        If it is missing, corrupt, foreign or stale.
    """
    store, name = active_version(directory)
    try:
        model, facts = store.load(name)
    except ModelError as error:
        if name != DEFAULT:
            raise ModelError(f"{error}; or go back: {store.command('rollback')}") from error
        if store.names and DEFAULT not in store.names:
            there = ", ".join(store.names)
            raise ModelError(
                f"{store.directory}: none of {there} is active; {store.remedy('activate NAME')}"
            ) from error
        raise
    return model, {**facts, "name": name}


def state_of(directory: Path | None = None) -> tuple[object, ...]:
    """Return what changes when another model becomes active, or it is trained anew.

    Parameters
    ----------
    directory
        As for `load_model`.
    """
    try:
        store, name = active_version(directory)
    except ModelError as error:
        return (str(error),)
    return name, persistence.stamp(store.path(name))


def train_if_missing(
    directory: Path | None = None, *, progress: Callable[[str], object] | None = None
) -> None:
    """Train the default model if it is to answer and is not there.

    Parameters
    ----------
    directory, progress
        As for `load_model`.

    Raises
    ------
    TrainingDataError
        If the training data is faulty.
    """
    store, name = active_version(directory)
    if directory is not None or name != DEFAULT or persistence.exists(store.directory):
        return
    from classifier.training import train  # scikit-learn takes a second to import

    say = progress or (lambda _: None)
    say("there is no model yet: training it once, which takes about a minute")
    train(paths.training_data(), store.directory, progress=say)

"""Saving a model with its manifest; checking it; loading it."""

import gc
import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib

from classifier import __version__
from classifier.errors import ModelError
from classifier.files import replacing, write_text
from classifier.model import JobTitleClassifier

MODEL_FILE = "model.joblib"
MANIFEST_FILE = "manifest.json"
FORMAT = 2
"""Goes up when a model written earlier can no longer be read."""


def versions() -> dict[str, str]:
    """Return the versions that a model depends on, by name."""
    libraries = {name: version(name) for name in ("scikit-learn", "numpy", "scipy")}
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, "package": __version__, **libraries}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save(model: JobTitleClassifier, directory: Path, facts: Mapping[str, Any]) -> None:
    """Write a model and its manifest.

    Parameters
    ----------
    model
        A fitted classifier.
    directory
        Where to; made if it is not there.
    facts
        What the manifest shall hold besides hash and versions.

    Raises
    ------
    ModelError
        If the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / MODEL_FILE
        with replacing(path) as part:
            joblib.dump(model, part, compress=("zlib", 3))
        manifest = {"format": FORMAT, "sha256": sha256(path), "versions": versions(), **facts}
        text = json.dumps(manifest, indent=2, ensure_ascii=False)
        write_text(directory / MANIFEST_FILE, text + "\n")
    except OSError as error:
        raise ModelError(f"{directory}: the model cannot be written ({error.strerror})") from error


def exists(directory: Path) -> bool:
    """Return whether a directory holds a model, sound or not."""
    return (directory / MODEL_FILE).exists()


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of a model.

    Raises
    ------
    ModelError
        If it is missing or is no manifest.
    """
    path = directory / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: no readable manifest; {_remedy(directory)}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelError(f"{path}: not a manifest of this program; {_remedy(directory)}")
    return manifest


def load(directory: Path, *, training_data_hash: str | None = None) -> JobTitleClassifier:
    """Check a model and load it.

    Hash and versions are compared before anything is unpickled, because unpickling runs code.

    Parameters
    ----------
    directory
        Holds the model and its manifest.
    training_data_hash
        If given, what the model must have been trained on, 64 hexadecimal digits.

    Returns
    -------
    JobTitleClassifier
        The model.

    Raises
    ------
    ModelError
        If the model is missing, corrupt, foreign or stale; the message says what to run.
    """
    path = directory / MODEL_FILE
    if not path.is_file():
        raise ModelError(f"{path}: there is no model; {_remedy(directory)}")
    manifest = read_manifest(directory)
    if sha256(path) != manifest.get("sha256"):
        raise ModelError(
            f"{path}: not the file that its manifest describes (corrupt, cut short or exchanged); "
            + _remedy(directory)
        )
    trained_with, here = manifest.get("versions", {}), versions()
    different = [
        f"{name} {trained_with.get(name)} (here {found})"
        for name, found in here.items()
        if trained_with.get(name) != found
    ]
    if different:
        raise ModelError(f"{path}: trained with {', '.join(different)}; {_remedy(directory)}")
    if training_data_hash not in (None, manifest.get("training_data_sha256")):
        raise ModelError(
            f"{path}: the training data has changed since it was trained; {_remedy(directory)}"
        )
    try:
        with _left_alone():
            model = joblib.load(path)
            if isinstance(model, JobTitleClassifier):
                model.warm_up()
    except Exception as error:  # a pickle of another making can raise anything
        raise ModelError(f"{path}: cannot be loaded; {_remedy(directory)}") from error
    if not isinstance(model, JobTitleClassifier):
        raise ModelError(f"{path}: not a job-title classifier; {_remedy(directory)}")
    return model


@contextmanager
def _left_alone() -> Iterator[None]:
    """Keep the garbage collector from walking through a model's many objects again and again.

    They live as long as the process, so they are set aside for good once they are there.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()


def _remedy(directory: Path) -> str:
    return f"run: python -m classifier train --output {directory}"

"""Saving a model with its manifest; checking it; loading it."""

import gc
import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib

from classifier import __version__
from classifier.errors import ModelError
from classifier.files import replacing, write_text
from classifier.model import JobTitleClassifier
from classifier.scoring import Scorer

MODEL_FILE = "model.joblib"
"""What labels are made with; its arrays are memory-mapped."""

REFERENCE_FILE = "reference.joblib"
"""The fitted scikit-learn model and the whole catalogue: for reasons and comparisons."""

MANIFEST_FILE = "manifest.json"
METRICS_FILE = "metrics.json"
_FIGURES = ("rows", "accuracy", "category_accuracy", "answered", "selective_accuracy", "ece")
FORMAT = 3
"""Goes up when a model written earlier can no longer be read."""


_PARTS = ("lexicon", "taxonomy", "policies", "seniority")


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
        with replacing(directory / REFERENCE_FILE) as part:
            joblib.dump(model.reference, part, compress=("zlib", 3))
        parts = {name: getattr(model, name) for name in _PARTS}
        with replacing(directory / MODEL_FILE) as part:
            joblib.dump(parts, part)
        hashes = {name: sha256(directory / name) for name in (MODEL_FILE, REFERENCE_FILE)}
        manifest = {"format": FORMAT, "sha256": hashes, "versions": versions(), **facts}
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


def read_facts(directory: Path) -> dict[str, Any]:
    """Read the manifest of a model, with its figures on held-out titles if they stand beside it.

    Raises
    ------
    ModelError
        If the manifest is missing or is no manifest.
    """
    manifest = read_manifest(directory)
    try:
        metrics = json.loads((directory / METRICS_FILE).read_text(encoding="utf-8"))
        return {**manifest, "figures": {name: metrics["titles"][name] for name in _FIGURES}}
    except (OSError, ValueError, KeyError):
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
    _check_hash(path, manifest)
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
    reference = directory / REFERENCE_FILE
    _check_hash(reference, manifest)
    parts = _unpickled(path, lambda file: joblib.load(file, mmap_mode="r"))
    if not (isinstance(parts, dict) and set(parts) == set(_PARTS)):
        raise ModelError(f"{path}: not a job-title classifier; {_remedy(directory)}")
    return JobTitleClassifier(reference=partial(_load_reference, reference, manifest), **parts)


def _load_reference(path: Path, manifest: Mapping[str, Any]) -> Scorer:
    _check_hash(path, manifest)  # again: it may have been exchanged since
    scorer = _unpickled(path, joblib.load)
    if not isinstance(scorer, Scorer):
        raise ModelError(f"{path}: not a reference model; {_remedy(path.parent)}")
    return scorer


def _check_hash(path: Path, manifest: Mapping[str, Any]) -> None:
    hashes = manifest.get("sha256")
    wanted = hashes.get(path.name) if isinstance(hashes, dict) else None
    if not path.is_file() or sha256(path) != wanted:
        raise ModelError(
            f"{path}: not the file that its manifest describes (missing, corrupt, cut short or "
            "exchanged); " + _remedy(path.parent)
        )


def _unpickled(path: Path, load: Callable[[Path], object]) -> object:
    try:
        with _left_alone():
            return load(path)
    except Exception as error:  # a pickle of another making can raise anything
        raise ModelError(f"{path}: cannot be loaded; {_remedy(path.parent)}") from error


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

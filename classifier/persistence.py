"""Saving a model with its manifest; checking it; loading it."""

import gc
import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib

from classifier import __version__
from classifier.errors import ModelError
from classifier.files import replacing
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
_PATIENCE = 5.0  # seconds that a model may be in the midst of getting its files


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
        with ExitStack() as stack:  # they get their names when all are there, the manifest last
            manifest, reference, own = (
                stack.enter_context(replacing(directory / name))
                for name in (MANIFEST_FILE, REFERENCE_FILE, MODEL_FILE)
            )
            joblib.dump(model.reference, reference, compress=("zlib", 3))
            joblib.dump({name: getattr(model, name) for name in _PARTS}, own)
            hashes = {MODEL_FILE: sha256(own), REFERENCE_FILE: sha256(reference)}
            told = {"format": FORMAT, "sha256": hashes, "versions": versions(), **facts}
            text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
            manifest.write_text(text, encoding="utf-8")
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
        titles = read_metrics(directory)["titles"]
        return {**manifest, "figures": {name: titles[name] for name in _FIGURES}}
    except (KeyError, TypeError):
        return manifest


def read_metrics(directory: Path) -> dict[str, Any]:
    """Read the figures that stand beside a model, by what was measured; empty if there are none."""
    try:
        metrics = json.loads((directory / METRICS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return metrics if isinstance(metrics, dict) else {}


def stamp(directory: Path) -> tuple[int, ...]:
    """Return what tells a model from one that is written in its place; empty if there is none."""
    try:
        found = (directory / MANIFEST_FILE).stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


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
    return load_with_facts(directory, training_data_hash=training_data_hash)[0]


def load_with_facts(
    directory: Path, *, training_data_hash: str | None = None
) -> tuple[JobTitleClassifier, dict[str, Any]]:
    """Check a model and load it, with what `read_facts` tells of the very same.

    One that is being trained anew in its place is loaded when it is whole again.

    Parameters
    ----------
    directory, training_data_hash
        As for `load`.

    Returns
    -------
    tuple of JobTitleClassifier and dict
        The model and its facts.

    Raises
    ------
    ModelError
        As for `load`.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        before = stamp(directory)
        try:
            found = _loaded(directory, training_data_hash)
        except ModelError:
            being_written = any(directory.glob(f".{MANIFEST_FILE}.*"))
            changed = being_written or stamp(directory) != before
            if not changed or time.monotonic() > end:
                raise
        else:
            if stamp(directory) == before or time.monotonic() > end:
                return found
        time.sleep(0.1)


def check(directory: Path, *, training_data_hash: str | None = None) -> dict[str, Any]:
    """Check a model as far as it goes without loading it.

    Parameters
    ----------
    directory, training_data_hash
        As for `load`.

    Returns
    -------
    dict
        Its facts.

    Raises
    ------
    ModelError
        As for `load`.
    """
    path = directory / MODEL_FILE
    if not path.is_file():
        raise ModelError(f"{path}: there is no model; {_remedy(directory)}")
    facts = read_facts(directory)
    _check_hash(path, facts)
    trained_with, here = facts.get("versions", {}), versions()
    different = [
        f"{name} {trained_with.get(name)} (here {found})"
        for name, found in here.items()
        if trained_with.get(name) != found
    ]
    if different:
        raise ModelError(f"{path}: trained with {', '.join(different)}; {_remedy(directory)}")
    if training_data_hash not in (None, facts.get("training_data_sha256")):
        raise ModelError(
            f"{path}: the training data has changed since it was trained; {_remedy(directory)}"
        )
    _check_hash(directory / REFERENCE_FILE, facts)
    return facts


def _loaded(
    directory: Path, training_data_hash: str | None
) -> tuple[JobTitleClassifier, dict[str, Any]]:
    facts = check(directory, training_data_hash=training_data_hash)
    path, reference = directory / MODEL_FILE, directory / REFERENCE_FILE
    parts = _unpickled(path, lambda file: joblib.load(file, mmap_mode="r"))
    if not (isinstance(parts, dict) and set(parts) == set(_PARTS)):
        raise ModelError(f"{path}: not a job-title classifier; {_remedy(directory)}")
    return JobTitleClassifier(reference=partial(_load_reference, reference, facts), **parts), facts


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

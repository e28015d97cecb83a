"""Models on disk: whole, of this making, and of this data, or refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest

from classifier import JobTitleClassifier, paths, persistence
from classifier.catalogue import fingerprint
from classifier.errors import ModelError

FILES = (persistence.MODEL_FILE, persistence.REFERENCE_FILE, persistence.MANIFEST_FILE)


@pytest.fixture
def copy(model: JobTitleClassifier, tmp_path: Path) -> Path:  # noqa: ARG001 - it must be there
    for name in FILES:
        shutil.copy(paths.models() / name, tmp_path / name)
    return tmp_path


def edit_manifest(directory: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = directory / persistence.MANIFEST_FILE
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_a_loaded_model_labels_as_before(model: JobTitleClassifier, copy: Path) -> None:
    """Saving and loading changes no label and no probability."""
    titles = ["Löneadministratör", "Truck driver", "asdf"]
    assert persistence.load(copy).predict(titles) == model.predict(titles)


def test_the_manifest_says_what_it_was_made_of(copy: Path) -> None:
    """The manifest holds hashes, seed, versions and label ids."""
    manifest = persistence.read_manifest(copy)
    assert manifest["sha256"] == {name: persistence.sha256(copy / name) for name in FILES[:2]}
    assert manifest["training_data_sha256"] == fingerprint(paths.training_data())
    assert manifest["versions"] == persistence.versions()
    assert len(manifest["departments"]) == 23
    assert {"seed", "taxonomy_version", "categories", "min_confidence"} <= set(manifest)


@pytest.mark.parametrize("name", FILES[:2])
def test_a_corrupt_or_truncated_model_is_not_unpickled(copy: Path, name: str) -> None:
    """A file of another hash is refused with the command that mends it."""
    path = copy / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="corrupt.*run: python -m classifier train"):
        persistence.load(copy)


def test_a_model_of_other_versions_is_refused(copy: Path) -> None:
    """A model trained with another scikit-learn is refused by name and version."""
    edit_manifest(copy, lambda m: m["versions"].update({"scikit-learn": "0.1"}))  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match=r"scikit-learn 0\.1 \(here"):
        persistence.load(copy)


def test_a_stale_model_is_refused(copy: Path) -> None:
    """A model of other training data is refused."""
    with pytest.raises(ModelError, match="training data has changed"):
        persistence.load(copy, training_data_hash="0" * 64)


def test_a_foreign_pickle_is_refused(copy: Path) -> None:
    """A pickle of something else is refused even when its manifest agrees."""
    joblib.dump({"not": "a model"}, copy / persistence.MODEL_FILE)
    sha = persistence.sha256(copy / persistence.MODEL_FILE)
    edit_manifest(copy, lambda m: m["sha256"].update({persistence.MODEL_FILE: sha}))  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="not a job-title classifier"):
        persistence.load(copy)


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '{"format": 99}'])
def test_a_faulty_manifest_is_refused(copy: Path, content: str) -> None:
    """Whatever stands in the manifest's place, the answer is a clear error."""
    (copy / persistence.MANIFEST_FILE).write_text(content)
    with pytest.raises(ModelError, match=r"manifest\.json"):
        persistence.load(copy)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    """A directory without a model is an error that says what to run."""
    with pytest.raises(ModelError, match="there is no model; run"):
        persistence.load(tmp_path)

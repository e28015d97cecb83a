"""Training: same data and seed, same model; faults stop it before anything is written."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from classifier import paths, persistence
from classifier.calibration import calibrate
from classifier.corpus import TrainingData
from classifier.errors import TrainingDataError
from classifier.training import train

KEPT = ("payroll", "sales", "transport")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training data cut down to three departments, as a user with few would have it."""
    directory = tmp_path_factory.mktemp("data")
    shutil.copytree(paths.training_data(), directory, dirs_exist_ok=True)
    for path in (directory / "roles").glob("*.toml"):
        if path.stem not in KEPT:
            path.unlink()
    (directory / "policies" / "customer_contact.toml").unlink()
    (directory / "policies" / "document.toml").write_text('id = "document"\n')
    head, *blocks = (directory / "taxonomy.toml").read_text("utf-8").split("[departments.")
    wanted = [block for block in blocks if block.split("]")[0] in KEPT]
    (directory / "taxonomy.toml").write_text("[departments.".join([head, *wanted]), "utf-8")
    return directory


def test_three_departments_train_and_train_the_same(small: Path, tmp_path: Path) -> None:
    """A taxonomy of three departments works, and the same seed gives the same predictions."""
    titles = ["Lönechef", "Butikssäljare", "Truckförare", "asdf", "Store manager"]
    evaluation = train(small, tmp_path / "a")
    train(small, tmp_path / "b")
    first, second = (persistence.load(tmp_path / name).predict(titles) for name in "ab")
    assert first == second
    assert [label.department for label in first[:3]] == list(KEPT)
    assert evaluation.figures.accuracy > 0.8
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "model.joblib",
        "reference.joblib",
        "manifest.json",
        "metrics.json",
        "MODEL_CARD.md",
    }


def test_a_policy_with_an_unknown_role_is_refused(small: Path, tmp_path: Path) -> None:
    """A policy that names a role the catalogue lacks is an error, and nothing is written."""
    data = tmp_path / "data"
    shutil.copytree(small, data)
    rule = '[roles.nobody]\ncategory = "back_office"\nbasis = "role"\n'
    (data / "policies" / "document.toml").write_text(rule)
    with pytest.raises(TrainingDataError, match="document.toml:1: unknown role nobody"):
        train(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_line_of_the_source_document_is_copied() -> None:
    """Titles and duties are plain lines of our own: none is long enough to be an article's."""
    data = TrainingData.from_directory(paths.training_data())
    assert max(len(text.split()) for text, *_ in data.catalogue.titles()) <= 12
    assert max(len(text.split()) for text, *_ in data.catalogue.duties()) <= 45


def test_calibration_finds_temperature_and_threshold() -> None:
    """The temperature of a case whose right value is known; doubt where labels are wrong.

    Normal noise of variance 1 around a step of 2 has posterior logits of twice the value, so that
    four times the value needs a temperature of 2.
    """
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 3_000)
    decisions = rng.normal(size=(3_000, 3))
    decisions[np.arange(3_000), truth] += 2
    found = calibrate(decisions * 4, truth, familiar=np.ones(3_000, dtype=bool))
    assert found.temperature == pytest.approx(2, rel=0.15)
    assert found.doubt < 0.02
    assert 1 / 3 < found.min_confidence < 1
    wrong = rng.random(3_000) < 0.2
    noisy = calibrate(decisions * 4, np.where(wrong, 2, truth), np.ones(3_000, dtype=bool))
    assert noisy.doubt > found.doubt + 0.1

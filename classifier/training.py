"""From taxonomy and catalogue to a fitted, calibrated and measured model."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline

from classifier import paths, persistence
from classifier.card import model_card
from classifier.catalogue import Catalogue, fingerprint, title_key
from classifier.errors import TrainingDataError
from classifier.estimator import NO_WORK, make_pipeline
from classifier.evaluation import Evaluation, evaluate
from classifier.files import write_text
from classifier.model import JobTitleClassifier
from classifier.policy import Policy, read_policies
from classifier.roles import RoleIndex
from classifier.seniority import SeniorityReader
from classifier.taxonomy import Taxonomy, read_toml
from classifier.text import Tokenizer, fold

HELD_OUT = 0.15
"""The share of titles held out to calibrate and measure."""

TARGET_ACCURACY = 0.85
"""The accuracy that labels above the confidence threshold must reach on held-out titles."""

TEXT_WEIGHT = 0.6
"""The weight of a description beside its title, which weighs 1."""

Progress = Callable[[str], object]


def _silent(step: str) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class TrainingData:
    """All that a model is made from.

    Parameters
    ----------
    taxonomy, policies, catalogue, seniority, tokenizer
        Read from their files and checked.
    no_work
        Lines that name no work.
    sha256
        Fingerprint of the files, 64 hexadecimal digits.
    """

    taxonomy: Taxonomy
    policies: dict[str, Policy]
    catalogue: Catalogue
    seniority: SeniorityReader
    tokenizer: Tokenizer
    no_work: tuple[str, ...]
    sha256: str

    @classmethod
    def from_directory(cls, directory: Path) -> "TrainingData":
        """Read and check training data.

        Parameters
        ----------
        directory
            Laid out like `training_data`.

        Returns
        -------
        TrainingData
            Checked training data.

        Raises
        ------
        TrainingDataError
            If anything is missing or wrong; the message names file and entry.
        """
        taxonomy = Taxonomy.from_file(directory / "taxonomy.toml")
        words = read_toml(directory / "wording" / "abbreviations.toml").get("words", {})
        tokenizer = Tokenizer({fold(short): long for short, long in words.items()})
        blocks = read_toml(directory / "no_work.toml").values()
        data = cls(
            taxonomy=taxonomy,
            policies=read_policies(directory / "policies", taxonomy),
            catalogue=Catalogue.from_directory(directory / "roles", taxonomy),
            seniority=SeniorityReader.from_file(directory / "seniority.toml", tokenizer),
            tokenizer=tokenizer,
            no_work=tuple(line for block in blocks for line in block.splitlines() if line.strip()),
            sha256=fingerprint(directory),
        )
        for policy in data.policies.values():
            unknown = sorted(set(policy.roles) - set(data.catalogue.roles))
            if unknown:
                raise TrainingDataError(
                    f"{directory}: policy {policy.id} names roles that are not in the catalogue: "
                    + ", ".join(unknown)
                )
        return data

    def examples(self) -> pd.DataFrame:
        """Return what a pipeline learns from.

        Returns
        -------
        DataFrame
            Columns ``text``, ``department`` and ``kind`` (``title``, ``duty`` or ``no_work``).
        """
        rows = [
            *((text, role.department, "title") for text, role in self.catalogue.titles()),
            *((text, role.department, "duty") for text, role in self.catalogue.duties()),
            *((text, NO_WORK, "no_work") for text in self.no_work),
        ]
        return pd.DataFrame(rows, columns=["text", "department", "kind"])


@dataclass(frozen=True)
class Calibration:
    """What is fitted on held-out titles.

    Parameters
    ----------
    temperature
        Divides decision values before the softmax.
    min_confidence
        The lowest probability, 0-1, at which labels reach `TARGET_ACCURACY`.
    """

    temperature: float
    min_confidence: float


def calibrate(decisions: np.ndarray, classes: np.ndarray, truth: np.ndarray) -> Calibration:
    """Fit temperature and threshold.

    Parameters
    ----------
    decisions : ndarray of shape (n_titles, n_classes)
        Decision values of titles not trained on.
    classes : ndarray of shape (n_classes,)
        The classes, sorted.
    truth : ndarray of shape (n_titles,)
        The right class of each title.

    Returns
    -------
    Calibration
        The temperature of least log-loss, and the threshold on the risk-coverage curve.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    position = np.searchsorted(classes, truth)
    rows = np.arange(len(truth))

    def loss(temperature: float) -> float:
        return float(-log_softmax(decisions / temperature, axis=1)[rows, position].mean())

    temperature = float(minimize_scalar(loss, bounds=(0.02, 5), method="bounded").x)
    confidence = softmax(decisions / temperature, axis=1).max(axis=1)
    right = decisions.argmax(axis=1) == position
    order = np.argsort(-confidence)
    accuracy = np.cumsum(right[order]) / (1 + rows)
    enough = np.flatnonzero(accuracy >= TARGET_ACCURACY)
    threshold = confidence[order][enough[-1]] if len(enough) else 1.0
    return Calibration(round(temperature, 4), round(float(threshold), 3))


def fit(data: TrainingData, pipeline: Pipeline, calibration: Calibration) -> JobTitleClassifier:
    """Put a fitted pipeline and its calibration together to a classifier."""
    return JobTitleClassifier(
        pipeline=pipeline,
        temperature=calibration.temperature,
        min_confidence=calibration.min_confidence,
        text_weight=TEXT_WEIGHT,
        taxonomy=data.taxonomy,
        policies=data.policies,
        seniority=data.seniority,
        roles=RoleIndex.fit(data.catalogue, pipeline.named_steps["features"], data.tokenizer),
    )


def train(
    data_directory: Path, output: Path, *, seed: int = 0, progress: Progress = _silent
) -> Evaluation:
    """Train a model and write it with manifest, figures and card.

    Parameters
    ----------
    data_directory
        Laid out like `training_data`.
    output
        The directory of the model.
    seed
        Draws the held-out titles and orders the solver's work: same data and seed, same model.
    progress
        Called with the name of each step.

    Returns
    -------
    Evaluation
        The figures on the held-out titles.

    Raises
    ------
    TrainingDataError
        If the training data is faulty.
    ModelError
        If the output cannot be written.
    """
    progress("reading the catalogue")
    data = TrainingData.from_directory(data_directory)
    examples = data.examples()
    text, truth = examples["text"].to_numpy(), examples["department"].to_numpy()
    keys = examples["text"].map(title_key)
    split = GroupShuffleSplit(n_splits=1, test_size=HELD_OUT, random_state=seed)
    kept, held = next(split.split(text, groups=keys))
    held = held[examples["kind"].to_numpy()[held] == "title"]
    progress("fitting on a part of the titles")
    trial = make_pipeline(data.tokenizer, seed=seed).fit(text[kept], truth[kept])
    progress("calibrating and measuring on the others")
    decisions = trial.decision_function(text[held])
    calibration = calibrate(decisions, trial.classes_, truth[held])
    labels = fit(data, trial, calibration).predict_frame(pd.DataFrame({"title": text[held]}))
    categories = {d.id: d.category for d in data.taxonomy.departments.values()}
    evaluation = evaluate([frozenset({d}) for d in truth[held]], labels, categories)
    progress("fitting on all titles")
    pipeline = make_pipeline(data.tokenizer, seed=seed).fit(text, truth)
    progress("writing the model")
    _write(fit(data, pipeline, calibration), output, data, evaluation, seed)
    return evaluation


def _write(
    model: JobTitleClassifier, output: Path, data: TrainingData, evaluation: Evaluation, seed: int
) -> None:
    figures = evaluation.figures.as_dict()
    facts: dict[str, Any] = {
        "training_data_sha256": data.sha256,
        "seed": seed,
        "taxonomy_version": data.taxonomy.version,
        "departments": list(data.taxonomy.departments),
        "categories": list(data.taxonomy.categories),
        "temperature": model.temperature,
        "min_confidence": model.min_confidence,
        "target_accuracy": TARGET_ACCURACY,
    }
    persistence.save(model, output, facts)
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    card = model_card(data.catalogue, data.taxonomy, figures, facts)
    write_text(output / "metrics.json", text)
    write_text(output / "MODEL_CARD.md", card)


def load_model(
    directory: Path | None = None, *, progress: Progress = _silent
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
        progress("there is no model yet: training it once, which takes about a minute")
        train(data, home, progress=progress)
    return persistence.load(home, training_data_hash=fingerprint(data))

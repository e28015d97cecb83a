"""From taxonomy and catalogue to a fitted, calibrated and measured model."""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.pipeline import Pipeline

from classifier import paths, persistence
from classifier.calibration import TARGET_ACCURACY, Calibration, calibrate
from classifier.card import model_card
from classifier.catalogue import Catalogue, fingerprint, title_key
from classifier.corpus import TrainingData, hold_out
from classifier.estimator import NO_WORK, make_pipeline
from classifier.evaluation import Evaluation, evaluate
from classifier.files import write_text
from classifier.model import JobTitleClassifier
from classifier.roles import RoleIndex
from classifier.selection import read_selection

OFFICE_WEIGHT = 1.25
"""The weight of an example of an office department; one outside the office weighs 1.

Most who ask, ask about offices, and the outside departments have the larger vocabulary.
"""

TEXT_WEIGHT = 0.6
"""The weight of a description beside its title, which weighs 1."""

Progress = Callable[[str], object]


def _silent(step: str) -> None:
    """Show no progress."""


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
        Draws the held-out and the composed titles: same data and seed, same model.
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
    kept, held = hold_out(examples, examples["text"].map(title_key), seed)
    progress(f"fitting on {len(examples):,} lines and on a part of them, side by side")
    parts = (data.augmented(part, seed) for part in (examples, examples.iloc[kept]))
    outside = {d.id for d in data.taxonomy.departments.values() if d.basis == "outside"}
    # processes, not threads: the solver draws from one random state for the whole process
    pipeline, trial = Parallel(n_jobs=2)(
        delayed(_fitted)(make_pipeline(data.tokenizer, seed=seed), part, outside) for part in parts
    )
    progress("calibrating and measuring on titles held out")
    tried = examples.iloc[held]
    tried = tried[tried["kind"] == "title"]
    decisions = trial.decision_function(tried["text"])
    calibration = calibrate(decisions, trial.classes_, tried["department"].to_numpy())
    unseen = data.catalogue.without(set(tried["text"].map(title_key)))
    evaluation = _measure(_classifier(data, unseen, trial, calibration), tried)
    progress("writing the model")
    model = _classifier(data, data.catalogue, pipeline, calibration)
    _write(model, output, data, evaluation, seed)
    return evaluation


def _fitted(pipeline: Pipeline, examples: pd.DataFrame, outside: Collection[str]) -> Pipeline:
    departments = examples["department"]
    weights = np.where(departments.isin([*outside, NO_WORK]), 1.0, OFFICE_WEIGHT)
    return pipeline.fit(
        examples["text"].to_numpy(), departments.to_numpy(), classifier__sample_weight=weights
    )


def _classifier(
    data: TrainingData, catalogue: Catalogue, pipeline: Pipeline, calibration: Calibration
) -> JobTitleClassifier:
    """Put a fitted pipeline and its calibration together to a classifier."""
    return JobTitleClassifier(
        pipeline=pipeline,
        temperature=calibration.temperature,
        min_confidence=calibration.min_confidence,
        text_weight=TEXT_WEIGHT,
        taxonomy=data.taxonomy,
        policies=data.policies,
        seniority=data.seniority,
        roles=RoleIndex.fit(catalogue, pipeline.named_steps["features"], data.tokenizer),
    )


def _measure(model: JobTitleClassifier, examples: pd.DataFrame) -> Evaluation:
    labels = model.predict_frame(examples, title="text")
    categories = {d.id: d.category for d in model.taxonomy.departments.values()}
    return evaluate([frozenset({d}) for d in examples["department"]], labels, categories)


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
    card = model_card(data.catalogue, data.taxonomy, figures, facts, read_selection(output))
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

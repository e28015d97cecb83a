"""From taxonomy and catalogue to a fitted, calibrated and measured model."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.pipeline import Pipeline

from classifier import persistence
from classifier.calibration import TARGET_ACCURACY, Calibration, calibrate
from classifier.card import model_card
from classifier.catalogue import Catalogue, title_key
from classifier.corpus import Division, TrainingData
from classifier.estimator import make_pipeline
from classifier.evaluation import Evaluation, evaluate
from classifier.files import write_text
from classifier.lexicon import Lexicon
from classifier.memory import Memory
from classifier.model import JobTitleClassifier
from classifier.roles import RoleIndex
from classifier.scoring import Scorer
from classifier.selection import read_selection
from classifier.taxonomy import NO_WORK

OFFICE_WEIGHT = 1.25
"""The weight of an example of an office department; one outside the office weighs 1.

Most who ask, ask about offices, and the outside departments have the larger vocabulary.
"""

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
    division = Division.draw(examples, seed)
    progress(f"fitting on {len(examples):,} lines and on a part of them, side by side")
    parts = (data.augmented(part, seed) for part in (examples, division.kept))
    outside = {d.id for d in data.taxonomy.departments.values() if d.basis == "outside"}
    # processes, not threads: the solver draws from one random state for the whole process
    pipeline, trial = Parallel(n_jobs=2)(
        delayed(_fitted)(make_pipeline(data.tokenizer, seed=seed), part, outside) for part in parts
    )
    progress("calibrating and measuring on titles held out")
    calibration = _calibrated(trial, data, division, seed)
    tried = set(pd.concat([division.titles, division.roles])["text"].map(title_key))
    measured = _classifier(data, data.catalogue.without(tried), trial, calibration)
    evaluations = {
        "titles": _measure(measured, division.titles),
        "roles": _measure(measured, division.roles),
    }
    progress("writing the model")
    model = _classifier(data, data.catalogue, pipeline, calibration)
    _write(model, output, data, evaluations, seed)
    return evaluations["titles"]


def _calibrated(trial: Pipeline, data: TrainingData, division: Division, seed: int) -> Calibration:
    """Calibrate on titles as ads write them: held out, decorated, misspelt, of unknown roles."""
    written = data.augmented(division.titles, seed + 1)
    tried = pd.concat([written, division.roles], ignore_index=True)
    return calibrate(
        trial.decision_function(tried["text"]),
        np.searchsorted(trial.classes_, tried["department"]),
        familiar=np.arange(len(tried)) < len(written),
    )


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
    roles = RoleIndex.fit(catalogue, pipeline.named_steps["features"], data.tokenizer)
    scorer = Scorer(pipeline, calibration, roles)
    lexicon = Lexicon.of(scorer)
    titles: dict[str, list[str]] = {}
    for title, _, role in catalogue.titles():
        titles.setdefault(role.department, []).append(title)
    known = Memory.knowing(lexicon, data.seniority, data.runs(), titles)
    return JobTitleClassifier(
        lexicon=replace(lexicon, known=known),
        reference=lambda: scorer,
        taxonomy=data.taxonomy,
        policies=data.policies,
        seniority=data.seniority,
    )


def _measure(model: JobTitleClassifier, examples: pd.DataFrame) -> Evaluation:
    labels = model.predict_frame(examples, title="text", n_candidates=1)
    categories = {d.id: d.category for d in model.taxonomy.departments.values()}
    gold = [frozenset({d}) for d in examples["department"]]
    return evaluate(gold, labels, categories, languages=examples["language"].tolist())


def _write(
    model: JobTitleClassifier,
    output: Path,
    data: TrainingData,
    evaluations: Mapping[str, Evaluation],
    seed: int,
) -> None:
    figures = {name: evaluation.figures.as_dict() for name, evaluation in evaluations.items()}
    facts: dict[str, Any] = {
        "training_data_sha256": data.sha256,
        "seed": seed,
        "taxonomy_version": data.taxonomy.version,
        "departments": list(data.taxonomy.departments),
        "categories": list(data.taxonomy.categories),
        **asdict(model.lexicon.calibration),
        "target_accuracy": TARGET_ACCURACY,
    }
    persistence.save(model, output, facts)
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    card = model_card(data.catalogue, evaluations, facts, read_selection(output))
    write_text(output / persistence.METRICS_FILE, text)
    write_text(output / "MODEL_CARD.md", card)

"""How the estimator was chosen: candidates measured on titles held out and on roles left out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline

from classifier.catalogue import title_key
from classifier.corpus import TrainingData, hold_out
from classifier.estimator import CHOSEN, candidates
from classifier.files import write_text

SELECTION_FILE = "selection.json"

_FOLDS = 5


def select(
    data_directory: Path, output: Path, *, seed: int = 0, progress: Callable[[str], object]
) -> dict[str, Any]:
    """Measure all candidates and write the figures.

    Parameters
    ----------
    data_directory
        Laid out like `training_data`.
    output
        The directory of the model; gets `SELECTION_FILE`, which the model card shows.
    seed
        Draws the splits.
    progress
        Called with the name of each step.

    Returns
    -------
    dict
        ``candidates``: name to share right on ``titles`` held out and on ``roles`` left out, 0-1;
        ``roles``: the chosen one's share right on left-out roles, by department.

    Raises
    ------
    TrainingDataError
        If the training data is faulty.
    """
    data = TrainingData.from_directory(data_directory)
    examples = data.examples()
    titles = hold_out(examples["text"].map(title_key), seed)
    roles = hold_out(examples["role"], seed)
    found: dict[str, dict[str, float]] = {}
    for name, pipeline in candidates(data.tokenizer, seed=seed).items():
        progress(f"measuring {name}")
        right = Parallel(n_jobs=2)(
            delayed(_right)(pipeline, examples, *split) for split in (titles, roles)
        )
        found[name] = {
            kind: round(float(share.mean()), 4)
            for kind, share in zip(("titles", "roles"), right, strict=True)
        }
    progress(f"leaving out each role once with {CHOSEN}")
    by_department = _left_out(candidates(data.tokenizer, seed=seed)[CHOSEN], examples)
    figures = {"chosen": CHOSEN, "candidates": found, "roles": by_department}
    write_text(output / SELECTION_FILE, json.dumps(figures, indent=2) + "\n")
    return figures


def read_selection(directory: Path) -> dict[str, Any] | None:
    """Return the figures of an earlier selection, None if there was none."""
    path = directory / SELECTION_FILE
    if not path.is_file():
        return None
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures


def _right(
    pipeline: Pipeline, examples: pd.DataFrame, kept: np.ndarray, held: np.ndarray
) -> pd.Series:
    """Return whether each held-out title gets its department, indexed by department."""
    learned, tried = examples.iloc[kept], examples.iloc[held]
    tried = tried[tried["kind"] == "title"]
    fitted = clone(pipeline).fit(learned["text"], learned["department"])
    return pd.Series(
        fitted.predict(tried["text"]) == tried["department"].to_numpy(), tried["department"]
    )


def _left_out(pipeline: Pipeline, examples: pd.DataFrame) -> dict[str, float]:
    folds = GroupKFold(n_splits=_FOLDS).split(examples, groups=examples["role"])
    right = Parallel(n_jobs=2)(delayed(_right)(pipeline, examples, *fold) for fold in folds)
    shares = pd.concat(right).groupby(level=0, sort=False).mean()
    return {str(department): round(float(share), 4) for department, share in shares.items()}

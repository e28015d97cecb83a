"""Figures: how often labels are right, and whether their confidence means what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

NO_LABEL = ""
"""Stands for the prediction of a row without a label."""

_BINS = 15


@dataclass(frozen=True)
class Figures:
    """The figures of one evaluation; shares are in 0-1.

    Parameters
    ----------
    rows
        How many rows had a gold department.
    accuracy
        Share of rows whose department is right; no label counts as wrong.
    category_accuracy
        Share of rows whose office category is right.
    macro_f1
        Mean F1 over the departments that occur.
    answered
        Share of rows that got a label.
    selective_accuracy
        Accuracy among them; None if there are none.
    ece
        Expected calibration error of the confidence over the answered rows, 15 bins; None if there
        are none.
    departments
        Department to precision, recall, f1 and support.
    """

    rows: int
    accuracy: float
    category_accuracy: float
    macro_f1: float
    answered: float
    selective_accuracy: float | None
    ece: float | None
    departments: Mapping[str, Mapping[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, rounded to four digits."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


@dataclass(frozen=True)
class Evaluation:
    """Figures with the confusion table behind them.

    Parameters
    ----------
    figures
        The figures.
    confusion
        Gold department by predicted department, in rows; the column ``""`` is no label.
    """

    figures: Figures
    confusion: pd.DataFrame


def evaluate(
    gold: Sequence[frozenset[str]], labels: pd.DataFrame, categories: Mapping[str, str]
) -> Evaluation:
    """Compare labels with gold departments.

    Parameters
    ----------
    gold : sequence of shape (n_rows,)
        The right departments of each row: any of them counts.
    labels : DataFrame of n_rows rows
        As `JobTitleClassifier.predict_frame` returns it.
    categories
        Department to office category, for the gold departments.

    Returns
    -------
    Evaluation
        The figures and the confusion table.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017 (the calibration
       error).
    """
    predicted = labels["department"].astype(str).to_numpy()
    right = np.array([p in g for p, g in zip(predicted, gold, strict=True)], dtype=bool)
    # a row with several right answers counts as the one given, or as the first by name
    truth = np.array([p if p in g else min(g) for p, g in zip(predicted, gold, strict=True)])
    right_category = [
        c in {categories[d] for d in g} for c, g in zip(labels["category"], gold, strict=True)
    ]
    answered = predicted != NO_LABEL
    occurring = sorted(set(truth))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=occurring, zero_division=0
    )
    table = zip(occurring, precision, recall, f1, support, strict=True)
    columns = sorted({*occurring, *predicted})
    figures = Figures(
        rows=len(gold),
        accuracy=float(right.mean()),
        category_accuracy=float(np.mean(right_category)),
        macro_f1=float(np.mean(f1)),
        answered=float(answered.mean()),
        selective_accuracy=float(right[answered].mean()) if answered.any() else None,
        ece=calibration_error(labels["confidence"].to_numpy()[answered], right[answered]),
        departments={
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
            for name, p, r, f, n in table
        },
    )
    counts = confusion_matrix(truth, predicted, labels=columns)
    return Evaluation(figures, pd.DataFrame(counts, index=columns, columns=columns).loc[occurring])


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float | None:
    """Return the expected calibration error.

    Parameters
    ----------
    confidence : ndarray of shape (n_rows,)
        Probabilities, 0-1.
    right : ndarray of shape (n_rows,)
        Whether each answer was right.

    Returns
    -------
    float or None
        The mean distance between confidence and accuracy over 15 equal bins; None without rows.
    """
    if not len(right):
        return None
    bins = np.minimum((confidence.astype(float) * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value

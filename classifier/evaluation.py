"""Figures: how often labels are right, and whether their confidence means what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

NO_LABEL = ""
"""Stands for the prediction of a row without a label."""

_BINS = 15
_THRESHOLDS = tuple(n / 20 for n in range(20))


@dataclass(frozen=True)
class Shares:
    """How often labels are right; shares are in 0-1.

    Parameters
    ----------
    rows
        How many rows had a gold department.
    accuracy
        Share of rows whose department is right; no label counts as wrong.
    category_accuracy
        Share of rows whose office category is right.
    answered
        Share of rows that got a label.
    selective_accuracy
        Accuracy among them; None if there are none.
    ece
        Expected calibration error of the confidence over the answered rows, 15 bins; None if there
        are none.
    """

    rows: int
    accuracy: float
    category_accuracy: float
    answered: float
    selective_accuracy: float | None
    ece: float | None


@dataclass(frozen=True)
class Figures(Shares):
    """The figures of one evaluation; shares are in 0-1.

    Parameters
    ----------
    macro_f1
        Mean F1 over the departments that occur.
    departments
        Department to precision, recall, f1 and support.
    languages
        Language to its shares; empty if no languages were given.
    thresholds
        For each threshold: what share of rows it would answer, and how many of those rightly; None
        if it would answer none.
    reliability
        For each bin of confidence that occurs: its mean confidence, accuracy and rows.
    """

    macro_f1: float
    departments: Mapping[str, Mapping[str, float]]
    languages: Mapping[str, Shares]
    thresholds: Sequence[Mapping[str, float | None]]
    reliability: Sequence[Mapping[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, rounded to four digits."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


@dataclass(frozen=True)
class Evaluation:
    """Figures with the tables behind them.

    Parameters
    ----------
    figures
        The figures.
    confusion
        Gold department by predicted department, in rows; the column ``""`` is no label.
    curve : DataFrame with the columns ``coverage`` and ``accuracy``
        The risk-coverage curve: how many are right among the most confident rows.
    rows : DataFrame with the columns ``gold``, ``said`` and ``confidence``
        One line a row that was measured, in order.
    """

    figures: Figures
    confusion: pd.DataFrame
    curve: pd.DataFrame
    rows: pd.DataFrame

    def confusions(self, most: int = 15) -> list[tuple[str, str, int]]:
        """List the commonest confusions.

        Parameters
        ----------
        most
            How many to return at most.

        Returns
        -------
        list of tuple of str, str and int
            Gold department, the department said (`NO_LABEL` for none) and the number of rows.
        """
        wrong = [
            (str(gold), str(said), int(n))
            for gold, row in self.confusion.iterrows()
            for said, n in row.items()
            if gold != said and n
        ]
        return sorted(wrong, key=lambda confusion: -confusion[2])[:most]


def evaluate(
    gold: Sequence[frozenset[str]],
    labels: pd.DataFrame,
    categories: Mapping[str, str],
    *,
    languages: Sequence[str] | None = None,
) -> Evaluation:
    """Compare labels with gold departments.

    Parameters
    ----------
    gold : sequence of shape (n_rows,)
        The right departments of each row: any of them counts.
    labels : DataFrame of n_rows rows
        As `JobTitleClassifier.predict_frame` returns it, with at least one candidate, so that the
        curve knows what a lower threshold would have answered.
    categories
        Department to office category, for the gold departments.
    languages : sequence of shape (n_rows,), optional
        The language of each row.

    Returns
    -------
    Evaluation
        The figures and the tables.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017 (the calibration
       error).
    .. [2] R. El-Yaniv and Y. Wiener, "On the foundations of noise-free selective classification",
       JMLR 11, 2010 (the risk-coverage curve).
    """
    said = labels["department"].astype(str).to_numpy()
    likeliest = [cell.split(":")[0] for cell in labels["candidates"].astype(str)]
    table = pd.DataFrame(
        {
            # a row with several right answers counts as the one given, or as the first by name
            "gold": [p if p in g else min(g) for p, g in zip(said, gold, strict=True)],
            "said": said,
            "right": [p in g for p, g in zip(said, gold, strict=True)],
            "would_be_right": [p in g for p, g in zip(likeliest, gold, strict=True)],
            "category_right": [
                c in {categories[d] for d in g}
                for c, g in zip(labels["category"], gold, strict=True)
            ],
            "confidence": labels["confidence"].astype(float).fillna(0).to_numpy(),
        }
    )
    by_language = {} if languages is None else dict(tuple(table.groupby(np.asarray(languages))))
    occurring = sorted(set(table["gold"]))
    precision, recall, f1, support = precision_recall_fscore_support(
        table["gold"], said, labels=occurring, zero_division=0
    )
    figures = Figures(
        **asdict(_shares(table)),
        macro_f1=float(np.mean(f1)),
        departments={
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
            for name, p, r, f, n in zip(occurring, precision, recall, f1, support, strict=True)
        },
        languages={str(name): _shares(own) for name, own in by_language.items()},
        thresholds=[_at(threshold, table) for threshold in _THRESHOLDS],
        reliability=_reliability(table),
    )
    columns = sorted({*occurring, *said})
    place = {name: n for n, name in enumerate(columns)}
    counts = np.zeros((len(columns), len(columns)), dtype=np.int64)
    # not scikit-learn's: it warns of a single department, as few rows may have
    np.add.at(counts, (table["gold"].map(place), table["said"].map(place)), 1)
    confusion = pd.DataFrame(counts, index=columns, columns=columns).loc[occurring]
    ranked = table.sort_values("confidence", ascending=False, kind="stable")["would_be_right"]
    n = np.arange(1, len(table) + 1)
    curve = pd.DataFrame({"coverage": n / len(table), "accuracy": ranked.cumsum() / n})
    return Evaluation(figures, confusion, curve, table[["gold", "said", "confidence"]])


def _shares(table: pd.DataFrame) -> Shares:
    answered = table[table["said"] != NO_LABEL]
    right = answered["right"].to_numpy(dtype=bool)
    return Shares(
        rows=len(table),
        accuracy=float(table["right"].mean()),
        category_accuracy=float(table["category_right"].mean()),
        answered=len(answered) / len(table),
        selective_accuracy=float(right.mean()) if len(right) else None,
        ece=calibration_error(answered["confidence"].to_numpy(), right),
    )


def _at(threshold: float, table: pd.DataFrame) -> dict[str, float | None]:
    """Say what a threshold would answer, and how many of that rightly."""
    answered = table["confidence"] >= threshold
    right = table["would_be_right"][answered]
    return {
        "threshold": threshold,
        "answered": float(answered.mean()),
        "accuracy": float(right.mean()) if len(right) else None,
    }


def _reliability(table: pd.DataFrame) -> list[dict[str, float]]:
    """Compare confidence with accuracy, bin by bin."""
    bins = _bins(table["confidence"].to_numpy())
    return [
        {
            "confidence": float(own["confidence"].mean()),
            "accuracy": float(own["would_be_right"].mean()),
            "rows": len(own),
        }
        for _, own in table.groupby(bins)
    ]


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
    bins = _bins(confidence.astype(float))
    gaps = [
        abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def _bins(confidence: np.ndarray) -> np.ndarray:
    return np.asarray(np.minimum((confidence * _BINS).astype(int), _BINS - 1))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value

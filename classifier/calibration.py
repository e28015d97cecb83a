"""Temperature and threshold: what makes confidence mean what it says."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

TARGET_ACCURACY = 0.80
"""The accuracy that labels above the confidence threshold must reach on held-out titles."""

LOWEST_THRESHOLD = 0.15
"""The threshold is never lower, 0-1: below it a label is little better than a guess."""


@dataclass(frozen=True)
class Calibration:
    """What is fitted on held-out titles.

    Parameters
    ----------
    temperature
        Divides decision values before the softmax.
    min_confidence
        The lowest probability, 0-1, at which labels reach `TARGET_ACCURACY`; at least
        `LOWEST_THRESHOLD`.
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
    threshold = max(LOWEST_THRESHOLD, confidence[order][enough[-1]]) if len(enough) else 1.0
    return Calibration(round(temperature, 4), round(float(threshold), 3))

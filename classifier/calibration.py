"""Temperature, doubt and threshold: what makes confidence mean what it says."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

TARGET_ACCURACY = 0.904
"""The accuracy that labels above the confidence threshold must reach on held-out titles."""

LOWEST_THRESHOLD = 0.15
"""The threshold is never lower, 0-1: below it a label is little better than a guess."""

DISAGREEMENT = 0.05
"""How much doubt is added to titles, 0-1, because others draw the borders elsewhere.

Public registers place about one in ten of the titles that stand word for word in the catalogue in
another department than it does. Titles of our own cannot show that.
"""

TEXT_DISAGREEMENT = 0.17
"""How much more doubt is added with a description, 0-1.

Whole ads are harder to agree on than titles: employers name another function for one ad in five,
however plain its words.
"""


def softmax(log_odds: np.ndarray) -> np.ndarray:
    """Return the probabilities that log-odds stand for.

    Parameters
    ----------
    log_odds : ndarray of shape (..., n_classes)
        Up to a constant a row.

    Returns
    -------
    ndarray of shape (..., n_classes)
        Each row sums to 1.

    Notes
    -----
    `scipy.special.softmax` takes ten times as long for a single row.
    """
    odds = np.exp(log_odds - log_odds.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Calibration:
    """What is fitted on held-out titles.

    Parameters
    ----------
    temperature
        Divides decision values: they become log-odds.
    doubt
        The share of probability, 0-1, that is spread evenly over all classes.
    min_confidence
        The lowest probability, 0-1, at which labels reach `TARGET_ACCURACY`; at least
        `LOWEST_THRESHOLD`.
    """

    temperature: float
    doubt: float
    min_confidence: float

    def probabilities(self, log_odds: np.ndarray, substance: np.ndarray) -> np.ndarray:
        """Turn log-odds into probabilities.

        Parameters
        ----------
        log_odds : ndarray of shape (n_postings, n_classes) or (n_classes,)
            Up to a constant a row.
        substance : ndarray of shape (n_postings,) or ()
            How much a description had a part in them, 0-1.

        Returns
        -------
        ndarray of the shape of log_odds
            Each row sums to 1.
        """
        doubt = self.doubt + DISAGREEMENT + TEXT_DISAGREEMENT * substance
        return _doubted(log_odds, doubt[..., np.newaxis])


USUAL = Calibration(temperature=0.32, doubt=0.03, min_confidence=0.56)
"""What is assumed of a small catalogue: about what the large one has."""

FEW = 100
"""With fewer familiar titles than this, nothing is fitted: chance would decide."""


def _doubted(log_odds: np.ndarray, doubt: np.ndarray | float) -> np.ndarray:
    return np.asarray((1 - doubt) * softmax(log_odds) + doubt / log_odds.shape[-1])


def calibrate(decisions: np.ndarray, truth: np.ndarray, familiar: np.ndarray) -> Calibration:
    """Fit temperature, doubt and threshold.

    Parameters
    ----------
    decisions : ndarray of shape (n_titles, n_classes)
        Decision values of titles not trained on.
    truth : ndarray of shape (n_titles,)
        The position of the right class of each title.
    familiar : ndarray of shape (n_titles,)
        Whether other titles of its role were trained on. The threshold is chosen on these;
        temperature and doubt are fitted on all.

    Returns
    -------
    Calibration
        Temperature and doubt of least log-loss, and the threshold on the risk-coverage curve;
        `USUAL` where there is too little to fit them on.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017.
    .. [2] R. El-Yaniv and Y. Wiener, "On the foundations of noise-free selective classification",
       JMLR 11, 2010.
    """
    if familiar.sum() < FEW:
        return USUAL
    from scipy.optimize import minimize  # slow to import, and labels do without it

    rows = np.arange(len(truth))

    def loss(x: np.ndarray) -> float:
        probabilities = _doubted(decisions / np.exp(x[0]), float(expit(x[1])))
        return float(-np.log(probabilities[rows, truth] + 1e-12).mean())

    found = minimize(
        loss, [np.log(0.3), logit(0.05)], method="Nelder-Mead", options={"xatol": 0.01}
    )
    temperature, doubt = round(float(np.exp(found.x[0])), 4), round(float(expit(found.x[1])), 4)
    fitted = Calibration(temperature, doubt, 0.0)
    own = decisions[familiar] / temperature
    probabilities = fitted.probabilities(own, np.zeros(len(own)))
    right = probabilities.argmax(axis=1) == truth[familiar]
    threshold = _threshold(probabilities.max(axis=1), right)
    return Calibration(temperature, doubt, round(threshold, 3))


def _threshold(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the lowest threshold at which the answers reach the target, 1 if none does."""
    order = np.argsort(-confidence)
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(accuracy >= TARGET_ACCURACY)
    return max(LOWEST_THRESHOLD, float(confidence[order][enough[-1]])) if len(enough) else 1.0

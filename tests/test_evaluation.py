"""Figures against hand-made cases."""

import numpy as np
import pandas as pd
import pytest

from classifier.evaluation import calibration_error, evaluate

CATEGORIES = {"payroll": "back_office", "sales": "front_office", "nature": "outside_office"}


def test_figures_of_a_small_case() -> None:
    """Four rows, two right, one unlabelled, one with two right answers: figures by hand."""
    gold = [frozenset({d}) for d in ("payroll", "payroll", "sales")] + [
        frozenset({"sales", "nature"})
    ]
    labels = pd.DataFrame(
        {
            "department": ["payroll", "", "payroll", "nature"],
            "category": ["back_office", "", "back_office", "outside_office"],
            "confidence": [0.9, 0.1, 0.8, 0.7],
            "candidates": ["payroll:0.9", "payroll:0.1", "payroll:0.8", "nature:0.7"],
        }
    )
    evaluation = evaluate(gold, labels, CATEGORIES, languages=["sv", "sv", "en", "en"])
    figures = evaluation.figures
    assert (figures.rows, figures.accuracy, figures.answered) == (4, 0.5, 0.75)
    assert figures.category_accuracy == 0.5
    assert figures.selective_accuracy == pytest.approx(2 / 3)
    assert figures.departments["payroll"]["recall"] == 0.5
    assert figures.departments["nature"]["precision"] == 1
    assert evaluation.confusion.loc["sales", "payroll"] == 1
    assert evaluation.confusion.loc["payroll", ""] == 1
    assert (figures.languages["sv"].rows, figures.languages["sv"].accuracy) == (2, 0.5)
    assert list(evaluation.curve["coverage"]) == [0.25, 0.5, 0.75, 1]
    assert list(evaluation.curve["accuracy"]) == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4])
    lowest = figures.thresholds[0]
    assert (lowest["threshold"], lowest["answered"], lowest["accuracy"]) == (0, 1, 0.75)
    assert sum(own["rows"] for own in figures.reliability) == 4
    assert evaluation.confusions() == [("payroll", "", 1), ("sales", "payroll", 1)]


def test_calibration_error() -> None:
    """Confidence that is right as often as it says has no error; overconfidence has its gap."""
    right = np.array([True] * 9 + [False])
    assert calibration_error(np.full(10, 0.9), right) == pytest.approx(0)
    assert calibration_error(np.full(10, 1.0), right) == pytest.approx(0.1)
    assert calibration_error(np.array([]), np.array([], dtype=bool)) is None

"""What is learned at a time: fitted, calibrated, measured on titles held out, made a model of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.pipeline import Pipeline

from classifier.calibration import Calibration, calibrate
from classifier.claims import Taught
from classifier.corpus import Division, TrainingData, less
from classifier.errors import TrainingDataError
from classifier.estimator import make_pipeline
from classifier.evaluation import Evaluation, Shares, evaluate
from classifier.lessons import Lessons
from classifier.lexicon import Lexicon
from classifier.memory import Memory
from classifier.model import JobTitleClassifier
from classifier.roles import RoleIndex
from classifier.scoring import Scorer
from classifier.taxonomy import NO_WORK

OFFICE_WEIGHT = 1.25
"""The weight of an example of an office department; one outside the office weighs 1.

Most who ask, ask about offices, and the outside departments have the larger vocabulary.
"""

SHARES = ("rows", "accuracy", "category_accuracy", "answered", "selective_accuracy", "ece")
"""The figures that tell what examples have changed; see `classifier.evaluation.Shares`."""

_FEW_LINES = 20_000  # examples that are fitted in this process

_BLOCK = 2_000  # titles whose roles are looked for at a time


@dataclass(frozen=True)
class Course:
    """What is learned.

    Parameters
    ----------
    lines
        As `TrainingData.examples` returns them, or a part of them.
    taught
        The titles to be found word for word.
    """

    lines: pd.DataFrame
    taught: Taught

    def with_lessons(self, lessons: Lessons, languages: Collection[str]) -> "Course":
        """Return it with examples, which count where they contradict the catalogue.

        Parameters
        ----------
        lessons
            The examples.
        languages
            Those whose titles may be adorned and misspelt.
        """
        taught = lessons.teach(self.taught.catalogue)
        kept = less(self.lines, taught.moved)
        lines = pd.concat([kept, lessons.lines(languages)], ignore_index=True)
        return Course(lines, taught)

    def without(self, titles: Collection[str]) -> "Course":
        """Return it with fewer titles to be found, given as `title_key` makes them."""
        catalogue = self.taught.catalogue.without(titles)
        return replace(self, taught=replace(self.taught, catalogue=catalogue))


def fit_all(data: TrainingData, parts: Sequence[pd.DataFrame], seed: int) -> list[Pipeline]:
    """Fit a pipeline on each of several parts, side by side.

    Raises
    ------
    TrainingDataError
        If there is too little to learn from.
    """
    outside = {d.id for d in data.taxonomy.departments.values() if d.basis == "outside"}
    # processes, not threads: the solver draws from one random state for the whole process; to
    # start them takes longer than to fit a few lines
    n_jobs = 2 if max(map(len, parts)) > _FEW_LINES else 1
    fitted: list[Pipeline] = Parallel(n_jobs=n_jobs)(
        delayed(_fitted)(make_pipeline(data.tokenizer, seed=seed), part, outside)
        for part in (data.augmented(part, seed) for part in parts)
    )
    return fitted


def _fitted(pipeline: Pipeline, examples: pd.DataFrame, outside: Collection[str]) -> Pipeline:
    departments = examples["department"]
    weights = np.where(departments.isin([*outside, NO_WORK]), 1.0, OFFICE_WEIGHT)
    weights *= examples["weight"].to_numpy()
    try:
        return pipeline.fit(
            examples["text"].to_numpy(), departments.to_numpy(), classifier__sample_weight=weights
        )
    except ValueError as error:
        if "no terms remain" not in str(error) and "empty vocabulary" not in str(error):
            raise
        raise TrainingDataError(
            "too little to learn from: no word stands in three titles or lines; add more"
        ) from error


def try_out(
    data: TrainingData,
    course: Course,
    pipeline: Pipeline,
    division: Division,
    seed: int,
    more: pd.DataFrame | None = None,
) -> tuple[JobTitleClassifier, dict[str, Evaluation]]:
    """Calibrate and measure on what was held out.

    Parameters
    ----------
    data
        Knows how titles are adorned.
    course, pipeline
        What was learned, without the titles held out.
    division
        The titles held out.
    seed
        Draws how they are adorned for the calibration.
    more
        Further titles to calibrate on, in the form of `TrainingData.examples`.

    Returns
    -------
    JobTitleClassifier
        A model that has not seen the titles held out, with its calibration.
    dict of str to Evaluation
        Its figures on the ``titles`` and, if there are any, on ``roles`` left out.
    """
    titles = division.titles if more is None else pd.concat([division.titles, more])
    calibration = _calibrated(pipeline, data, titles, division.roles, seed)
    taught = course.without(division.tried).taught
    model = classifier(data, taught, pipeline, calibration, ahead=False)
    parts = {"titles": division.titles, "roles": division.roles}
    return model, {name: _measured(model, part) for name, part in parts.items() if len(part)}


def _calibrated(
    trial: Pipeline, data: TrainingData, titles: pd.DataFrame, roles: pd.DataFrame, seed: int
) -> Calibration:
    """Calibrate on titles as ads write them: held out, decorated, misspelt, of unknown roles."""
    written = data.augmented(titles, seed + 1)
    tried = pd.concat([written, roles], ignore_index=True)
    return calibrate(
        trial.decision_function(tried["text"]),
        np.searchsorted(trial.classes_, tried["department"]),
        familiar=np.arange(len(tried)) < len(written),
    )


def classifier(
    data: TrainingData,
    taught: Taught,
    pipeline: Pipeline,
    calibration: Calibration,
    *,
    ahead: bool = True,
) -> JobTitleClassifier:
    """Put a fitted pipeline and its calibration together to a classifier.

    Parameters
    ----------
    data
        Taxonomy, policies and the like.
    taught
        The roles, and the titles to be found word for word.
    pipeline, calibration
        Fitted.
    ahead
        Whether the words of all titles are learned now, which makes the first labels faster.
    """
    features = pipeline.named_steps["features"]
    roles = RoleIndex.fit(taught.catalogue, features, data.tokenizer)
    roles = replace(_knowing(roles, taught.placed, features), told=taught.told)
    scorer = Scorer(pipeline, calibration, roles)
    lexicon = Lexicon.of(scorer)
    if ahead:
        titles: dict[str, list[str]] = {}
        for role in roles.roles:
            titles.setdefault(role.department, []).extend(role.all_titles)
        known = Memory.knowing(lexicon, data.seniority, data.runs(), titles)
        lexicon = replace(lexicon, known=known)
    return JobTitleClassifier(
        lexicon=lexicon,
        reference=lambda: scorer,
        taxonomy=data.taxonomy,
        policies=data.policies,
        seniority=data.seniority,
    )


def _knowing(
    roles: RoleIndex, placed: Sequence[tuple[str, str]], vectorizer: Pipeline
) -> RoleIndex:
    """Put titles whose departments are known into the closest roles of these."""
    found: list[tuple[str, int]] = []
    for start in range(0, len(placed), _BLOCK):
        titles, departments = zip(*placed[start : start + _BLOCK], strict=True)
        closest = roles.closest(vectorizer.transform(titles), titles, departments)
        found += zip(titles, closest, strict=True)
    return roles.knowing(found) if found else roles


def _measured(model: JobTitleClassifier, titles: pd.DataFrame) -> Evaluation:
    labels = model.predict_frame(titles, title="text", n_candidates=1)
    return _compared(model, titles, labels)


def measured_on_examples(model: JobTitleClassifier, held: Lessons) -> dict[str, Any] | None:
    """Measure a model on examples held back; None if there are none."""
    frame = held.frame
    if frame.empty:
        return None
    description = "description" if (frame["description"] != "").any() else None
    labels = model.predict_frame(frame, title="title", description=description, n_candidates=1)
    return shares(_compared(model, frame, labels).figures)


def _compared(model: JobTitleClassifier, frame: pd.DataFrame, labels: pd.DataFrame) -> Evaluation:
    categories = {d.id: d.category for d in model.taxonomy.departments.values()}
    gold = [frozenset({d}) for d in frame["department"]]
    return evaluate(gold, labels, categories, languages=frame["language"].tolist())


def shares(figures: Shares) -> dict[str, float | None]:
    """Return the figures that tell what examples have changed."""
    found: Mapping[str, Any] = {name: getattr(figures, name) for name in SHARES}
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in found.items()
    }

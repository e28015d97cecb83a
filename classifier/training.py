"""From taxonomy, catalogue and examples to a fitted, calibrated and measured model."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

from classifier import persistence
from classifier.calibration import TARGET_ACCURACY
from classifier.card import model_card
from classifier.claims import Clash, Taught
from classifier.corpus import Division, TrainingData
from classifier.errors import TrainingDataError
from classifier.evaluation import Evaluation
from classifier.examples import Examples
from classifier.files import write_text
from classifier.lessons import Lessons
from classifier.model import JobTitleClassifier
from classifier.selection import read_selection
from classifier.trials import (
    Course,
    classifier,
    fit_all,
    measured_on_examples,
    shares,
    try_out,
)

CLASHES_FILE = "clashes.csv"
"""The titles that examples place elsewhere than the catalogue does; beside the model."""

N_PROBES = 3
"""How many titles a model is asked at its start, to see that it answers as it should."""

_SHOWN = 20  # clashes that are named at once

Progress = Callable[[str], object]


def _silent(step: str) -> None:
    """Show no progress."""


def train(
    data_directory: Path,
    output: Path,
    *,
    seed: int = 0,
    examples: Examples | None = None,
    progress: Progress = _silent,
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
    examples
        Labelled titles and postings to learn besides; they count where the catalogue says
        otherwise.
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
    InputError
        If the examples are.
    ModelError
        If the output cannot be written.
    """
    progress("reading the catalogue")
    data = TrainingData.from_directory(data_directory)
    return train_on(data, output, seed=seed, examples=examples, progress=progress)


def train_on(
    data: TrainingData,
    output: Path,
    *,
    seed: int = 0,
    examples: Examples | None = None,
    progress: Progress = _silent,
) -> Evaluation:
    """Train a model on training data that has been read; as `train`."""
    if not data.no_work:
        raise TrainingDataError("no_work.toml: there are no lines that name no work; keep some")
    if examples is None:
        learned = _learn(data, seed, progress)
    else:
        learned = _learn_with(data, examples.checked(data.taxonomy, data.catalogue), seed, progress)
    progress("writing the model")
    _write(learned, output, data, seed)
    return learned.evaluations["titles"]


@dataclass(frozen=True)
class _Learned:
    """A model, and what is known of it.

    Parameters
    ----------
    model
        To be written.
    evaluations
        On ``titles`` held out and, if there are any, on titles of ``roles`` left out.
    examples
        Facts of the examples, and what they changed; empty if there were none.
    clashes
        The titles that they place elsewhere than the catalogue does.
    """

    model: JobTitleClassifier
    evaluations: Mapping[str, Evaluation]
    examples: Mapping[str, Any]
    clashes: Sequence[Clash] = ()


def _learn(data: TrainingData, seed: int, progress: Progress) -> _Learned:
    """Learn the catalogue."""
    whole = Course(data.examples(), Taught(data.catalogue))
    division = Division.draw(whole.lines, seed)
    part = Course(division.kept, whole.taught)
    progress(f"fitting on {len(whole.lines):,} lines and on a part of them, side by side")
    pipeline, trial = fit_all(data, [whole.lines, part.lines], seed)
    progress("calibrating and measuring on titles held out")
    tried, found = try_out(data, part, trial, division, seed)
    model = classifier(data, whole.taught, pipeline, tried.lexicon.calibration)
    return _Learned(model, found, {})


def _learn_with(data: TrainingData, examples: Examples, seed: int, progress: Progress) -> _Learned:
    """Learn the catalogue and examples, and see what the examples change."""
    lessons, languages = Lessons.of(examples, data.tokenizer), data.decorations
    catalogue = Course(data.examples(), Taught(data.catalogue))
    division = Division.draw(catalogue.lines, seed)
    learned, held = lessons.divided(seed, division.tried)
    before = Course(division.kept, catalogue.taught)
    after = before.with_lessons(learned, languages)
    whole = catalogue.with_lessons(lessons, languages)
    _tell(whole.taught.clashes, progress)
    progress(f"fitting on {len(whole.lines):,} lines, on a part, and on that without examples")
    courses = (whole.lines, after.lines, before.lines)
    pipeline, with_them, without = fit_all(data, courses, seed)
    progress("calibrating and measuring on titles and examples held back")
    division = division.less(whole.taught.moved)  # they are no yardstick for either
    tried, found = try_out(data, before, without, division, seed)
    effect = {"before": _figures(tried, found, held)}
    fresh = held.titles_beside(after.lines)
    tried, found = try_out(data, after, with_them, division, seed, fresh)
    effect["after"] = _figures(tried, found, held)
    model = classifier(data, whole.taught, pipeline, tried.lexicon.calibration)
    facts = {
        **_facts(examples, whole.taught.clashes),
        "learned": len(learned),
        "held_back": len(held),
        **effect,
    }
    return _Learned(model, found, facts, whole.taught.clashes)


def _figures(
    tried: JobTitleClassifier, found: Mapping[str, Evaluation], held: Lessons
) -> dict[str, Any]:
    return {
        "examples": measured_on_examples(tried, held),
        "catalogue": shares(found["titles"].figures),
    }


def _tell(clashes: Sequence[Clash], progress: Progress) -> None:
    """Name the titles that examples place elsewhere, or the first of them."""
    if not clashes:
        return
    progress(
        f"titles that the catalogue has elsewhere: {len(clashes):,}, all of them in "
        f"{CLASHES_FILE}; the examples count"
    )
    for clash in clashes[:_SHOWN]:
        progress(f"  {clash.title}: {clash.department}, not {clash.catalogue_department}")
    if len(clashes) > _SHOWN:
        progress(f"  and {len(clashes) - _SHOWN:,} more")


def _facts(examples: Examples, clashes: Sequence[Clash]) -> dict[str, Any]:
    """Return what may be said of examples; never their titles, which may name people."""
    frame = examples.frame
    return {
        "sha256": examples.sha256,
        "rows": len(examples),
        "with_description": int((frame["description"] != "").sum()),
        "clashes": len(clashes),
        "files": [asdict(file) for file in examples.files],
        "departments": dict(sorted(Counter(frame["department"]).items())),
        "languages": dict(sorted(Counter(frame["language"]).items())),
        "weights": {f"{w:g}": n for w, n in sorted(Counter(frame["weight"]).items())},
    }


def _probes(model: JobTitleClassifier, data: TrainingData) -> dict[str, str | None]:
    """Find titles of different departments that a model labels surely, and what it says.

    They are names of roles: titles of the examples may be someone's secret.
    """
    roles = data.catalogue.roles.values()
    named = [(name, role.department) for role in roles for name in role.names.values()]
    asked = copy(model)  # what labelling works out on the way shall not be written with it
    asked.lexicon = replace(model.lexicon)
    labels = asked.predict([name for name, _ in named])
    sure = sorted(
        (-(label.confidence or 0), place, name, department)
        for place, ((name, department), label) in enumerate(zip(named, labels, strict=True))
        if label.department == department
    )
    probes: dict[str, str | None] = {}
    for _, _, name, department in sure:
        if department not in probes.values() and len(probes) < N_PROBES:
            probes[name] = department
    return probes | {"": None}


def _write(learned: _Learned, output: Path, data: TrainingData, seed: int) -> None:
    model = learned.model
    figures = {name: found.figures.as_dict() for name, found in learned.evaluations.items()}
    facts: dict[str, Any] = {
        "training_data_sha256": data.sha256,
        "seed": seed,
        "taxonomy_version": data.taxonomy.version,
        "departments": list(data.taxonomy.departments),
        "categories": list(data.taxonomy.categories),
        **asdict(model.lexicon.calibration),
        "target_accuracy": TARGET_ACCURACY,
        "probes": _probes(model, data),
    }
    if learned.examples:
        figures["examples"] = dict(learned.examples)
        facts["examples_sha256"] = learned.examples["sha256"]
        facts["examples"] = {name: learned.examples[name] for name in ("rows", "clashes")}
    persistence.save(model, output, facts)
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    selection = read_selection(output)
    card = model_card(data.catalogue, learned.evaluations, facts, selection, learned.examples)
    write_text(output / persistence.METRICS_FILE, text)
    write_text(output / "MODEL_CARD.md", card)
    if learned.examples:
        write_text(output / CLASHES_FILE, _clashes_csv(learned.clashes))


def _clashes_csv(clashes: Sequence[Clash]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Clash)])
    writer.writerows(map(astuple, clashes))
    return text.getvalue()

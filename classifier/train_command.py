"""``jobtitle train``: a model from taxonomy, catalogue, and a user's own examples."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classifier.console import (
    database_option,
    description_option,
    say,
    title_option,
    usual_names,
)
from classifier.errors import InputError

if TYPE_CHECKING:  # pandas is imported by the commands that need it
    from classifier.corpus import TrainingData
    from classifier.examples import Examples

CORRECTION_WEIGHT = 3.0
"""What a correction weighs: someone looked at this very title."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="Training data.")
@click.option("--output", type=click.Path(path_type=Path), metavar="DIR", help="Where to.")
@click.option(
    "--examples",
    "sources",
    multiple=True,
    metavar="FILE|-",
    help="Labelled titles or postings to learn besides; may be given several times.",
)
@title_option
@description_option
@click.option("--department", metavar="COLUMN", help="Their departments, by id or name.")
@click.option("--role", metavar="COLUMN", help="Their roles, by id or name.")
@click.option(
    "--weight",
    default=1.0,
    type=click.FloatRange(0, 100, min_open=True),
    show_default=True,
    help="What an example weighs; a title of the catalogue weighs 1.",
)
@click.option("--corrections", is_flag=True, help="Learn from the corrections, too.")
@database_option
@click.option("--seed", default=0, type=click.IntRange(0, 2**31), show_default=True)
def train(
    data: Path | None,
    output: Path | None,
    sources: tuple[str, ...],
    title: str | None,
    description: str | None,
    department: str | None,
    role: str | None,
    weight: float,
    corrections: bool,
    database: str | None,
    seed: int,
) -> None:
    """Train a model from taxonomy and catalogue, and from examples of one's own."""
    from classifier import paths, training
    from classifier.corpus import TrainingData
    from classifier.example_files import Named, read_examples
    from classifier.examples import joined
    from classifier.rendering import evaluation_text

    target = output or paths.models()
    wants_examples = bool(sources or corrections)
    if wants_examples and target.resolve() == paths.models().resolve():
        raise InputError(
            f"{target} is for the model of the training data alone; name another place for one "
            f"that learns from examples, such as --output {paths.models() / 'mine'}"
        )
    _check_target(target)
    say("reading the catalogue")
    known = TrainingData.from_directory(data or paths.training_data())
    examples = None
    if sources:
        named = Named(title, description, department, role)
        parts = [read_examples(source, usual_names(), named, weight) for source in sources]
        examples = joined(parts).checked(known.taxonomy, known.catalogue)
        _say_what_was_read(examples)
    if corrections:
        examples = _with_corrections(examples, known, database)
    evaluation = training.train_on(known, target, seed=seed, examples=examples, progress=say)
    click.echo(evaluation_text(evaluation))
    if examples is not None:
        click.echo(f"\n{_effect_text(target)}")
    say(f"written to {target}")


def _check_target(target: Path) -> None:
    """Refuse a place where no model can stand before it is trained."""
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; name a directory with --output")
    if (target / "taxonomy.toml").exists():
        raise InputError(f"{target} holds training data; name another directory with --output")


def _say_what_was_read(examples: "Examples") -> None:
    for file in examples.files:
        left_out = f", {file.left_out:,} left out without a department" if file.left_out else ""
        say(f"{file.name}: {file.rows:,} examples{left_out}")


def _with_corrections(
    examples: "Examples | None", data: "TrainingData", database: str | None
) -> "Examples":
    """Add the latest that people said of each posting; it counts beside other examples."""
    from classifier.corrections import CorrectionStore, latest
    from classifier.examples import corrected

    def is_known(department: str, role: str) -> bool:
        if role:
            known = data.catalogue.roles.get(role)
            return known is not None and known.department == department
        return department in data.taxonomy.departments

    store = CorrectionStore.find(database, create=False)
    said = latest(store.all()) if store is not None else []
    told = [(one.title, one.description, one.department, one.role or "") for one in said]
    found, n_unknown = corrected(told, is_known, CORRECTION_WEIGHT)
    if not len(found):
        raise InputError("there are no corrections of these departments to learn from")
    unknown = f", {n_unknown:,} left out: their departments or roles are gone" if n_unknown else ""
    say(f"corrections: {len(found):,}{unknown}")
    return found if examples is None else examples.beside(found)


def _effect_text(model_directory: Path) -> str:
    """Show what examples changed, as it stands with the figures of a model."""
    from classifier import persistence
    from classifier.card import CAUTION, is_little
    from classifier.rendering import table

    found: Mapping[str, Any] = persistence.read_metrics(model_directory)["examples"]
    before, after = found["before"], found["after"]
    columns = [own[part] or {} for part in ("examples", "catalogue") for own in (before, after)]
    header = ["figure", "examples before", "after", "catalogue before", "after"]
    rows = [(name, *(column.get(name) for column in columns)) for name in before["catalogue"]]
    text = (
        f"examples: {found['rows']:,}, of which {found['held_back']:,} were held back, to compare "
        f"a model without examples with one that learned {found['learned']:,} others\n\n"
        + table(header, rows)
    )
    return f"{text}\n\n{CAUTION}" if is_little(found) else text

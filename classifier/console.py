"""What the commands share: options, messages, the model."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:  # numpy and pandas are imported by the commands that need them
    from classifier.model import JobTitleClassifier

policy_option = click.option(
    "--policy", metavar="NAME|FILE", help="Decides back and front office. [default: document]"
)
confidence_option = click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Less sure than this is unknown, 0-1. [default: the model's own]",
)
model_option = click.option(
    "--model",
    "model_directory",
    type=click.Path(path_type=Path),
    envvar="JOBTITLE_MODEL",
    metavar="DIR",
    help="Where the model is. [default: the one shipped here]",
)
database_option = click.option(
    "--database",
    envvar="JOBTITLE_DATABASE_URL",
    metavar="URL",
    help="Where corrections are; none for none. [default: a file of your own]",
)
title_option = click.option("--title", metavar="COLUMN", help="The titles, by name or number.")
description_option = click.option(
    "--description", metavar="COLUMN", help="The descriptions, by name or number."
)


def fail(message: str, code: int) -> NoReturn:
    """End with one line on stderr and an exit code."""
    click.echo(f"jobtitle: {message}", err=True)
    sys.exit(code)


def say(message: str) -> None:
    """Write a line to stderr."""
    click.echo(message, err=True)


def print_json(value: Any) -> None:
    """Write a value as JSON to stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def load(directory: Path | None) -> "JobTitleClassifier":
    """Load the model, and say so if it has to be trained first."""
    from classifier.shipped import load_model

    return load_model(directory, progress=say)


def load_corrected(directory: Path | None, database: str | None) -> "JobTitleClassifier":
    """Load the model, and let it answer what was corrected as it was corrected."""
    from classifier.corrections import CorrectionStore
    from classifier.errors import DatabaseError

    model = load(directory)
    try:
        store = CorrectionStore.find(database, create=False)
        if store is not None:
            with store:
                said = store.snapshot()
            if said or database is not None:
                model.corrections = said
    except DatabaseError as error:
        if database is not None:
            raise
        raise DatabaseError(f"{error}; --database none labels without corrections") from error
    return model


def usual_names() -> dict[str, Any]:
    """Return what people call the columns of their files."""
    from classifier import paths
    from classifier.taxonomy import read_toml

    return read_toml(paths.training_data() / "columns.toml")

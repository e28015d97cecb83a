"""The commands for what people say titles are: record, list, export, delete, review."""

import csv
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from classifier.console import (
    database_option,
    load,
    model_option,
    print_json,
    say,
    usual_names,
)
from classifier.errors import DatabaseError, InputError, OutputError

if TYPE_CHECKING:  # imported by the commands that need them
    from classifier.corrections import Correction, CorrectionStore, QueueEntry
    from classifier.examples import Labels
    from classifier.model import JobTitleClassifier
    from classifier.reviewed import Reviewed

_SHOWN = 100  # rows of a list, unless said otherwise
_EXPORTED = ("title", "description", "department", "role", "who", "at", "id")

limit_option = click.option(
    "--limit", default=_SHOWN, type=click.IntRange(1), show_default=True, help="How many to show."
)
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")
who_option = click.option("--who", default="", metavar="NAME", help="Who says so.")
title_column_option = click.option(
    "--title-column", metavar="COLUMN", help="The titles of the file, by name or number."
)
description_column_option = click.option(
    "--description-column", metavar="COLUMN", help="The descriptions, by name or number."
)


@click.command()
@click.argument("title", required=False)
@click.option("--department", metavar="ID", help="The right one, by id or name.")
@click.option("--role", metavar="ID", help="The right one, by id or name.")
@click.option("--description", metavar="TEXT", help="The posting's text.")
@click.option(
    "--file", "source", metavar="FILE|-", help="A review with right_department filled in."
)
@title_column_option
@description_column_option
@who_option
@database_option
@model_option
def correct(
    title: str | None,
    department: str | None,
    role: str | None,
    description: str | None,
    *,
    source: str | None,
    title_column: str | None,
    description_column: str | None,
    who: str,
    database: str | None,
    model_directory: Path | None,
) -> None:
    """Record what a title is, or what a person filled in in a file of classify --review.

    The title is answered so from now on, and train --corrections learns from it.
    """
    if source is None:
        if department is None or title is None:
            raise click.UsageError("name a TITLE and its --department, or a --file")
        if title_column or description_column:
            raise click.UsageError("--title-column and --description-column are for a --file")
        _correct_one(title, description or "", department, role, who, database, model_directory)
        return
    if not (title is department is role is description is None):
        raise click.UsageError("a --file says itself what is corrected; name no title beside it")
    reviewed = _read(source, title_column, description_column, who, model_directory)
    reviewed.check()
    store = _store(database)
    store.add(reviewed.corrections)
    store.enqueue(reviewed.waiting)
    say(
        f"recorded in {store.name}: {len(reviewed.corrections)}; "
        f"without an answer, waiting for review: {len(reviewed.waiting)}"
    )


def _correct_one(
    title: str,
    description: str,
    department: str,
    role: str | None,
    who: str,
    database: str | None,
    model_directory: Path | None,
) -> None:
    """Record a correction, with what the model says without it."""
    from classifier.corrections import Correction
    from classifier.persistence import MODEL_FILE
    from classifier.shipped import load_active, train_if_missing

    train_if_missing(model_directory, progress=say)
    model, facts = load_active(model_directory)
    right, right_role = _resolver(_labels(model))(department, role or "")
    (label,) = model.predict([title], [description] if description else None)
    said = {
        "department": label.department,
        "role": label.role,
        "confidence": None if label.confidence is None else round(label.confidence, 6),
        "model": facts["sha256"][MODEL_FILE],
    }
    store = _store(database)
    store.add([Correction(title, right, description, right_role, who, said)])
    before = label.department or f"({label.status})"
    sure = "" if label.confidence is None else f", {label.confidence:.2f}"
    named = ", ".join(filter(None, (right, right_role)))
    click.echo(f"recorded as {named}; the model by itself says {before}{sure}")


def _store(database: str | None) -> "CorrectionStore":
    """Open the database to write to, made if need be."""
    from classifier.corrections import CorrectionStore

    store = CorrectionStore.find(database, create=True)
    if store is None:
        raise DatabaseError("corrections are turned off; name a database with --database")
    return _closed_in_the_end(store)


def _store_if_there(database: str | None) -> "CorrectionStore | None":
    """Open the database to read, if there is one."""
    from classifier.corrections import OFF, CorrectionStore

    if database == OFF:
        raise DatabaseError("corrections are turned off; name a database with --database")
    store = CorrectionStore.find(database, create=False)
    return None if store is None else _closed_in_the_end(store)


def _closed_in_the_end(store: "CorrectionStore") -> "CorrectionStore":
    click.get_current_context().call_on_close(store.close)
    return store


def _labels(model: "JobTitleClassifier") -> "Labels":
    from classifier.catalogue import Catalogue
    from classifier.examples import Labels

    return Labels(model.taxonomy, Catalogue({role.id: role for role in model.roles}))


def _resolver(labels: "Labels") -> Callable[[str, str], tuple[str, str | None]]:
    """Return what finds the ids of a department and a role, told by id or name."""

    def resolve(department: str, role: str) -> tuple[str, str | None]:
        found = labels.department(department)
        if found is None:
            raise InputError(labels.department_fault(department))
        found_role = labels.role(role, found) if role.strip() else None
        if role.strip() and found_role is None:
            raise InputError(labels.role_fault(role, found))
        return found, found_role

    return resolve


def _read(
    source: str,
    title: str | None,
    description: str | None,
    who: str,
    model_directory: Path | None,
) -> "Reviewed":
    """Read a review file."""
    from classifier.batch import Options
    from classifier.formats import Reading, open_table
    from classifier.review import ANSWER
    from classifier.reviewed import read_review

    usual, model = usual_names(), load(model_directory)
    options = Options(model.policy(), title, description)
    telling = [ANSWER, *options.telling_names(usual)]
    with open_table(source, telling, Reading(all_keys=True)) as table:
        return read_review(table, options, usual, _resolver(_labels(model)), who)


@click.group()
def corrections() -> None:
    """List, export and delete what people said titles are; show what waits for review."""


@corrections.command("list")
@json_option
@limit_option
@database_option
@model_option
def list_(as_json: bool, limit: int, database: str | None, model_directory: Path | None) -> None:
    """List the latest corrections, newest first."""
    from classifier.rendering import table

    store = _store_if_there(database)
    found = deque(store.all() if store else (), maxlen=limit)
    labels = _labels(load(model_directory)) if found else None
    told = [{**_as_dict(one), "note": _note(one, labels)} for one in reversed(found)]
    if as_json:
        print_json(told)
    elif not told:
        click.echo("nothing has been corrected")
    else:
        columns = ("title", "department", "role", "said", "who", "at", "id", "note")
        rows = [[_shown(own[name]) for name in columns] for own in told]
        header = ["title", "department", "role", "the model said", "who", "when", "id", "note"]
        click.echo(table(header, rows))


def _as_dict(row: "Correction | QueueEntry") -> dict[str, Any]:
    return {**vars(row), "at": row.at and row.at.isoformat(timespec="seconds")}


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("department") or "(unknown)")
    if isinstance(value, int | float):
        return f"{value:g}"
    return " ".join(str(value or "").split())


def _note(correction: "Correction", labels: "Labels | None") -> str:
    """Say what a model does not know of a correction, and passes over."""
    if labels is None or labels.department(correction.department) is None:
        return "no such department"
    role = correction.role
    if role and labels.role(role, correction.department) is None:
        return "no such role"
    return ""


@corrections.command()
@click.argument("target", metavar="FILE|-")
@database_option
def export(target: str, database: str | None) -> None:
    """Write the latest of each posting as CSV, which train --examples reads."""
    from classifier.corrections import latest

    store = _store_if_there(database)
    found = latest(store.all() if store else ())
    with _written(target) as file:
        rows = csv.DictWriter(file, _EXPORTED, extrasaction="ignore", lineterminator="\n")
        rows.writeheader()
        rows.writerows(map(_as_dict, found))
    if target != "-":
        say(f"corrections written to {target}: {len(found)}")


@contextmanager
def _written(target: str) -> Iterator[IO[str]]:
    """Open a CSV file that is there whole or not at all, or standard output."""
    from classifier.files import replacing

    if target == "-":
        yield sys.stdout
        return
    path = Path(target)
    try:
        with replacing(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error


@corrections.command()
@click.option("--id", "identity", metavar="ID", help="That one.")
@click.option("--title", metavar="TITLE", help="All of that title, however it is written.")
@click.option("--who", metavar="NAME", help="All by that person.")
@click.option("--all", "everything", is_flag=True, help="All there are.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
def delete(
    identity: str | None,
    title: str | None,
    who: str | None,
    everything: bool,
    yes: bool,
    database: str | None,
) -> None:
    """Delete corrections for good, and postings of the same titles that wait for review."""
    named = {"id": identity, "title": title, "who": who}
    given = {name: value for name, value in named.items() if value is not None}
    if bool(given) == everything:
        raise click.UsageError("name what to delete by --id, --title or --who, or say --all")
    what = "all corrections" if everything else f"corrections with {_listed(given)}"
    store = _store_if_there(database)
    if store is not None and not yes:
        click.confirm(f"Delete {what} in {store.name}?", abort=True, err=True)
    n_deleted = store.delete(**given, everything=everything) if store else 0
    say(f"deleted, corrections and postings that waited for review: {n_deleted}")


def _listed(given: Mapping[str, str]) -> str:
    return " and ".join(f"{name} {value!r}" for name, value in given.items())


@corrections.command()
@click.argument("source", required=False, metavar="[FILE|-]")
@title_column_option
@description_column_option
@json_option
@limit_option
@database_option
@model_option
def queue(
    source: str | None,
    title_column: str | None,
    description_column: str | None,
    as_json: bool,
    limit: int,
    database: str | None,
    model_directory: Path | None,
) -> None:
    """Show what waits for review, or add the rows of a file of classify --review."""
    if source is not None:
        reviewed = _read(source, title_column, description_column, "", model_directory)
        reviewed.check()
        _store(database).enqueue(reviewed.waiting)
        say(f"waiting for review: {len(reviewed.waiting)}")
        if reviewed.corrections:
            n = len(reviewed.corrections)
            say(f"left out, since they are answered: {n}; record them with correct --file")
        return
    from classifier.rendering import table

    store = _store_if_there(database)
    entries = store.queue(limit) if store else []
    if as_json:
        print_json([_as_dict(entry) for entry in entries])
    elif not entries:
        click.echo("nothing waits for review")
    else:
        columns = ("count", "title", "description", "department", "confidence", "reason")
        rows = [[_shown(vars(entry)[name]) for name in columns] for entry in entries]
        header = ["rows", "title", "description", "the model said", "confidence", "reason"]
        click.echo(table(header, rows))

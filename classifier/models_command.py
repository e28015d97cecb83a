"""The commands for versions of the model: list, show, compare, activate, roll back."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classifier.console import description_option, print_json, say, title_option, usual_names

if TYPE_CHECKING:  # numpy and pandas are imported by the commands that need them
    from classifier.batch import Options
    from classifier.comparison import Comparison, Difference, Posts
    from classifier.versions import Choice, Store

_MOST_MOVES, _MOST_NAMED = 30, 10  # that are shown

store_option = click.option(
    "--store",
    "store_directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the models are. [default: where the one shipped here is]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.group()
def models() -> None:
    """List and compare versions of the model, and choose the one that answers."""


@models.command("list")
@json_option
@store_option
def list_(as_json: bool, store_directory: Path | None) -> None:
    """List the versions: which is active, which sound."""
    from classifier.rendering import table

    store = _store(store_directory)
    active = store.choice.active
    found = [_state(store, name, active) for name in store.names]
    if active not in store.names:
        say(f"the active one, {active}, is not there; {store.remedy('activate NAME')}")
    if as_json:
        print_json(found)
        return
    header = ["", "name", "trained", "departments", "accuracy", "examples", "state"]
    rows = [
        [
            "*" if own["active"] else "",
            own["name"],
            own["trained"][:16].replace("T", " "),
            own["departments"],
            own["accuracy"],
            own["examples"],
            "not sound" if own["fault"] else "sound",
        ]
        for own in found
    ]
    click.echo(table(header, rows))
    for own in found:
        if own["fault"]:
            say(f"{own['name']}: {own['fault']}")


def _state(store: "Store", name: str, active: str) -> dict[str, Any]:
    """Return what the list tells of a version."""
    from classifier import persistence
    from classifier.errors import ModelError

    path = store.path(name)
    fault, facts = None, {}
    try:
        facts = persistence.read_facts(path)
        store.check(name)
    except ModelError as error:
        fault = str(error)
    file = path / (persistence.MANIFEST_FILE if facts else persistence.MODEL_FILE)
    trained = datetime.fromtimestamp(file.stat().st_mtime).astimezone() if file.exists() else None
    return {
        "name": name,
        "active": name == active,
        "trained": trained.isoformat(timespec="seconds") if trained else "",
        "departments": len(facts["departments"]) if "departments" in facts else None,
        "accuracy": facts.get("figures", {}).get("accuracy"),
        "examples": _n_examples(facts),
        "sha256": facts.get("sha256", {}).get(persistence.MODEL_FILE),
        "fault": fault,
    }


def _n_examples(facts: dict[str, Any]) -> Any:
    """Return how many examples of the user's own a model learned from, if its manifest tells."""
    told = facts.get("examples")
    return told.get("rows") if isinstance(told, dict) else told


@models.command()
@click.argument("name")
@json_option
@store_option
def show(name: str, as_json: bool, store_directory: Path | None) -> None:
    """Show what a version was made of, and how good it is."""
    from classifier import persistence
    from classifier.comparison import figures_of
    from classifier.rendering import table

    store = _store(store_directory)
    path = store.find(name)
    facts = persistence.read_facts(path)
    metrics = persistence.read_metrics(path)
    state = _state(store, name, store.choice.active)
    if as_json:
        print_json({**state, "manifest": facts, "metrics": metrics})
        return
    rows: list[list[object]] = [["active", "yes" if state["active"] else "no"]]
    rows += [["trained", state["trained"]], ["directory", str(path)]]
    rows += [[key, _as_text(value)] for key, value in facts.items() if key != "figures"]
    width = max(len(str(key)) for key, _ in rows)
    click.echo("\n".join(f"{key!s:{width}}  {value}" for key, value in rows))
    figures = [row[:3] for row in figures_of(metrics, metrics)]
    if figures:
        click.echo("\n" + table(["set", "figure", "value"], figures))
    click.echo(f"\n{'not sound: ' + state['fault'] if state['fault'] else 'sound'}")


def _as_text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {own}" for key, own in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@models.command()
@click.argument("a")
@click.argument("b")
@click.option("--titles", metavar="FILE", help="Label these. [default: those of the catalogues]")
@title_option
@description_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all titles that change there, as CSV.",
)
@json_option
@store_option
def compare(
    a: str,
    b: str,
    titles: str | None,
    title: str | None,
    description: str | None,
    output: Path | None,
    as_json: bool,
    store_directory: Path | None,
) -> None:
    """Compare two: figures, departments, changed labels.

    A and B are versions, or directories of models.
    """
    from classifier import comparison, persistence
    from classifier.batch import Options

    store = _store(store_directory)
    places = [_place(store, name) for name in (a, b)]
    first, second = (persistence.load(place) for place in places)
    options = Options(first.policy(), title, description)
    with comparison.writing(output) as take, _postings(titles, options) as postings:
        some = postings or [(comparison.catalogue_titles(first, second), None)]
        changes = comparison.compare_labels(first, second, some, take)
    difference = comparison.Difference.between
    found = comparison.Comparison(
        comparison.figures_of(*map(persistence.read_metrics, places)),
        difference(first.taxonomy.departments, second.taxonomy.departments),
        difference((r.id for r in first.roles), (r.id for r in second.roles)),
        (first.min_confidence, second.min_confidence),
        changes,
    )
    if as_json:
        print_json(found.as_dict())
    else:
        click.echo(_comparison_text(found, a, b))
    if output is not None:
        say(f"written to {output}")


def _place(store: "Store", name: str) -> Path:
    """Return the directory of a version, or of a model that is named by its path."""
    from classifier import persistence

    if name not in store.names and (Path(name) / persistence.MANIFEST_FILE).is_file():
        return Path(name)
    return store.find(name)


@contextmanager
def _postings(source: str | None, options: "Options") -> "Iterator[Iterable[Posts] | None]":
    """Open a table of titles and descriptions; None if none is named."""
    from classifier import batch, formats

    if source is None:
        yield None
        return
    usual = usual_names()
    with formats.open_table(source, options.telling_names(usual)) as table:
        columns = batch.find_columns(table, options, usual)
        yield (columns.read(chunk) for chunk in table.chunks(columns.chunk_size))


def _comparison_text(found: "Comparison", a: str, b: str) -> str:
    """Show a comparison."""
    from classifier.rendering import table

    rows = [("", "min_confidence", *found.thresholds), *found.figures]
    changes = found.changes
    n = changes.departments.total()
    share = f" ({n / changes.titles:.1%})" if changes.titles else ""
    parts = [
        table(["set", "figure", a, b], rows),
        *_difference_lines("departments", found.departments, a, b),
        *_difference_lines("roles", found.roles, a, b),
        f"{n:,} of {changes.titles:,} titles change their department{share}; "
        f"{changes.roles:,} more change their role",
    ]
    if n:
        moves = [
            (old or "(no label)", new or "(no label)", count)
            for (old, new), count in changes.departments.most_common(_MOST_MOVES)
        ]
        first = [(row[0], *_shown(row[2:5]), *_shown(row[5:])) for row in changes.first]
        header = ["title", a, "confidence", b, "confidence"]
        parts += [table(["from", "to", "titles"], moves), table(header, first)]
    return "\n\n".join(parts)


def _shown(label: Sequence[str]) -> tuple[str, str]:
    department, _, confidence = label
    return department or "(no label)", confidence[:4]


def _difference_lines(kind: str, found: "Difference", a: str, b: str) -> list[str]:
    lines = []
    for where, ids in ((b, found.added), (a, found.gone)):
        if ids:
            more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
            lines.append(f"{len(ids)} {kind} only in {where}: {', '.join(ids[:_MOST_NAMED])}{more}")
    return lines


@models.command()
@click.argument("name")
@store_option
def activate(name: str, store_directory: Path | None) -> None:
    """Let a version answer, also in a running service."""
    store = _store(store_directory)
    _tell(store, store.activate(name))


@models.command()
@store_option
def rollback(store_directory: Path | None) -> None:
    """Go back to the version that answered before."""
    store = _store(store_directory)
    _tell(store, store.rollback())


def _tell(store: "Store", choice: "Choice") -> None:
    """Say what is active now, and what was before."""
    before = [name for name in choice.before if name in store.names]
    back = f"rollback returns to {before[-1]}" if before else "there is nothing to roll back to"
    click.echo(f"{choice.active} is active; {back}")


def _store(directory: Path | None) -> "Store":
    from classifier.versions import Store

    return Store.at(directory)

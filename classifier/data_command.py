"""Commands for training data of one's own: make it, check it, show its departments."""

from collections.abc import Callable
from pathlib import Path

import click

from classifier.console import load, model_option, policy_option, say
from classifier.errors import ClassifierError, InputError

data_option = click.option(
    "--data",
    "data_directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Training data. [default: what is shipped here]",
)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--as",
    "form",
    type=click.Choice(["toml", "xlsx"]),
    default="toml",
    show_default=True,
    help="What roles stand in: text files, or a workbook for each department.",
)
@click.option(
    "--crosswalk", is_flag=True, help="Copy what maps official registers to departments, too."
)
@data_option
def init(directory: Path, form: str, crosswalk: bool, data_directory: Path | None) -> None:
    """Copy the training data to a new directory, to be edited.

    README.md there says how to rename, merge, split and add departments.
    """
    from tqdm import tqdm

    from classifier import paths
    from classifier.own_data import copy_data

    with tqdm(unit=" files", disable=None, leave=False) as bar:

        def opened(n_files: int) -> Callable[[], object]:
            bar.reset(total=n_files)
            return bar.update

        source = data_directory or paths.training_data()
        own = crosswalk or data_directory is not None  # one's own copy is copied whole
        copy_data(source, directory, form, crosswalk=own, opened=opened)
    say(f"written to {directory}; next: edit it (README.md says how), then")
    say(f"  jobtitle check {directory}")
    say(f"  jobtitle train --data {directory} --output {directory}-model")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
def check(directory: Path) -> None:
    """Report every problem of training data, each with its file and line."""
    from classifier.data_directory import DataDirectory, crosswalk_problems
    from classifier.rendering import amounts_text

    found = DataDirectory.read(directory)
    problems = [*found.problems, *crosswalk_problems(directory, found.taxonomy)]
    if problems:
        for problem in problems:
            click.echo(problem)
        n = len(problems)
        raise ClassifierError(f"{directory}: {n} {'problem' if n == 1 else 'problems'}")
    click.echo(f"{directory}: {amounts_text(found.catalogue, found.taxonomy)}")


@click.command()
@policy_option
@data_option
@click.option("--report", "wants_report", is_flag=True, help="Show the state of the catalogue.")
@model_option
def taxonomy(
    policy: str | None,
    data_directory: Path | None,
    wants_report: bool,
    model_directory: Path | None,
) -> None:
    """Show departments and categories under a policy, and where it differs from the usual one.

    They are those of --data, else those of --model, else those shipped here.
    """
    from classifier import paths
    from classifier.catalogue import Catalogue
    from classifier.policy import DEFAULT, find_policy, read_policies
    from classifier.rendering import report_text, taxonomy_text
    from classifier.taxonomy import Taxonomy

    data = data_directory or paths.training_data()
    if model_directory is not None and data_directory is None and not wants_report:
        model = load(model_directory)
        labels, policies, roles = model.taxonomy, model.policies, model.roles
    else:
        labels = Taxonomy.from_file(data / "taxonomy.toml")
        catalogue = Catalogue.from_directory(data / "roles", labels)
        roles = tuple(catalogue.roles.values())
        if wants_report:
            from classifier.report import report

            if data_directory is not None and model_directory is None:
                raise InputError("--report of your own --data needs the --model trained from it")
            click.echo(report_text(report(catalogue, load(model_directory))))
            return
        policies = read_policies(data / "policies", labels)
    usual = policies[DEFAULT]
    shown = (
        usual if policy is None else find_policy(policy, policies, labels, {r.id for r in roles})
    )
    click.echo(taxonomy_text(labels, shown, usual, roles))

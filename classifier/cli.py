"""The command line: arguments, files and exit codes."""

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import click

from classifier import __version__
from classifier.classify_command import classify
from classifier.console import (
    confidence_option,
    description_option,
    fail,
    load,
    model_option,
    policy_option,
    print_json,
    say,
    title_option,
    usual_names,
)
from classifier.errors import ClassifierError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jobtitle")
def cli() -> None:
    """Label job titles with department, office category, role and seniority."""


cli.add_command(classify)


@cli.command()
@click.argument("titles", nargs=-1, required=True, metavar="TITLE...")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@policy_option
@confidence_option
@model_option
def label(
    titles: tuple[str, ...],
    as_json: bool,
    policy: str | None,
    min_confidence: float | None,
    model_directory: Path | None,
) -> None:
    """Label titles given as arguments."""
    from classifier.rendering import labels_table

    model = load(model_directory)
    labels = model.predict(titles, policy=model.policy(policy), min_confidence=min_confidence)
    if as_json:
        print_json([{"title": t, **asdict(one)} for t, one in zip(titles, labels, strict=True)])
    else:
        click.echo(labels_table(titles, labels))


@cli.command()
@click.argument("title")
@click.option("--description", default="", metavar="TEXT", help="The posting's text.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@policy_option
@confidence_option
@model_option
def explain(
    title: str,
    description: str,
    as_json: bool,
    policy: str | None,
    min_confidence: float | None,
    model_directory: Path | None,
) -> None:
    """Show the reasons for the label of one title."""
    from classifier.rendering import explanation_text

    model = load(model_directory)
    chosen = model.policy(policy)
    explanation = model.explain(title, description, policy=chosen, min_confidence=min_confidence)
    if as_json:
        print_json(asdict(explanation))
    else:
        click.echo(explanation_text(explanation, chosen, model.taxonomy))


@cli.command()
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="Training data.")
@click.option("--output", type=click.Path(path_type=Path), metavar="DIR", help="Where to.")
@click.option("--seed", default=0, type=click.IntRange(0, 2**31), show_default=True)
def train(data: Path | None, output: Path | None, seed: int) -> None:
    """Train a model from taxonomy and catalogue."""
    from classifier import paths, training
    from classifier.rendering import evaluation_text

    target = output or paths.models()
    evaluation = training.train(data or paths.training_data(), target, seed=seed, progress=say)
    click.echo(evaluation_text(evaluation))
    say(f"written to {target}")


@cli.command()
@click.argument("source", metavar="FILE|-")
@click.option("--gold", required=True, metavar="COLUMN", help="Right departments, | between them.")
@title_option
@description_option
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--report",
    "report_directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write report.html, with plots, and metrics.json there.",
)
@policy_option
@confidence_option
@model_option
def evaluate(
    source: str,
    gold: str,
    title: str | None,
    description: str | None,
    as_json: bool,
    report_directory: Path | None,
    policy: str | None,
    min_confidence: float | None,
    model_directory: Path | None,
) -> None:
    """Measure the model on a CSV file whose departments are known."""
    from classifier import batch, formats, measuring
    from classifier.evaluation import evaluate as measure
    from classifier.rendering import evaluation_text

    usual = usual_names()
    with formats.open_table(source, [*usual["title"], *usual["description"], gold]) as table:
        model = load(model_directory)
        options = batch.Options(
            model.policy(policy), title, description, n_candidates=1, min_confidence=min_confidence
        )
        measured = measuring.label_against_gold(model, table, options, usual, gold)
    categories = {d: rule.category for d, rule in options.policy.departments.items()}
    evaluation = measure(measured.gold, measured.labels, categories, languages=measured.languages)
    if report_directory is not None:
        from classifier.evaluation_report import write_report

        threshold = model.min_confidence if min_confidence is None else min_confidence
        write_report(evaluation, measured.titles, Path(source).name, threshold, report_directory)
        say(f"written to {report_directory / 'report.html'}")
    if as_json:
        print_json(evaluation.figures.as_dict())
    else:
        click.echo(evaluation_text(evaluation))


@cli.command()
@policy_option
@click.option("--report", "wants_report", is_flag=True, help="Show the state of the catalogue.")
@model_option
def taxonomy(policy: str | None, wants_report: bool, model_directory: Path | None) -> None:
    """Show the departments and their categories, or the state of the catalogue."""
    from classifier import paths
    from classifier.policy import find_policy, read_policies
    from classifier.rendering import report_text, taxonomy_text
    from classifier.taxonomy import Taxonomy

    data = paths.training_data()
    labels = Taxonomy.from_file(data / "taxonomy.toml")
    if wants_report:
        from classifier.catalogue import Catalogue
        from classifier.report import report

        catalogue = Catalogue.from_directory(data / "roles", labels)
        click.echo(report_text(report(catalogue, load(model_directory))))
        return
    policies = read_policies(data / "policies", labels)
    click.echo(taxonomy_text(labels, find_policy(policy or "document", policies, labels)))


@cli.command()
@click.option("--host", default="127.0.0.1", envvar="JOBTITLE_HOST", show_default=True)
@click.option(
    "--port", default=8000, type=click.IntRange(0, 65535), envvar="JOBTITLE_PORT", show_default=True
)
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that answer. [default: 1]")
@model_option
def serve(host: str, port: int, workers: int | None, model_directory: Path | None) -> None:
    """Answer postings over HTTP."""
    from api.server import serve_model
    from api.settings import Settings
    from classifier import paths
    from classifier.persistence import read_facts

    settings = Settings.from_environment(os.environ)
    if workers is not None:
        settings = replace(settings, workers=workers)
    serve_model(
        lambda: load(model_directory),
        host,
        port,
        settings,
        facts=lambda: read_facts(model_directory or paths.models()),
        ready=lambda address: say(f"listening on {address}"),
    )


def main() -> None:
    """Run the command line; turn errors into one line and an exit code."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        fail("interrupted", 130)
    except KeyboardInterrupt:
        fail("interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # the reader (head, less) has enough: no message, and nothing left to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ClassifierError as error:
        fail(str(error), 1)

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
    database_option,
    description_option,
    fail,
    load,
    load_corrected,
    model_option,
    policy_option,
    print_json,
    say,
    title_option,
    usual_names,
)
from classifier.corrections_command import correct, corrections
from classifier.data_command import check, init, taxonomy
from classifier.errors import ClassifierError
from classifier.import_command import import_register
from classifier.models_command import models
from classifier.train_command import train


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jobtitle")
def cli() -> None:
    """Label job titles with department, office category, role and seniority."""


cli.add_command(classify)
cli.add_command(import_register)
cli.add_command(train)
cli.add_command(init)
cli.add_command(check)
cli.add_command(taxonomy)
cli.add_command(models)
cli.add_command(correct)
cli.add_command(corrections)


@cli.command()
@click.argument("titles", nargs=-1, required=True, metavar="TITLE...")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--codes", "wants_codes", is_flag=True, help="Add the role's ISCO-08 and SSYK 2012.")
@policy_option
@confidence_option
@database_option
@model_option
def label(
    titles: tuple[str, ...],
    as_json: bool,
    wants_codes: bool,
    policy: str | None,
    min_confidence: float | None,
    database: str | None,
    model_directory: Path | None,
) -> None:
    """Label titles given as arguments."""
    from classifier.rendering import labels_table
    from classifier.role_codes import codes_of_roles

    model = load_corrected(model_directory, database)
    labels = model.predict(titles, policy=model.policy(policy), min_confidence=min_confidence)
    codes = codes_of_roles(model.roles, [one.role for one in labels]) if wants_codes else None
    if as_json:
        every = zip(titles, labels, codes or [{}] * len(labels), strict=True)
        print_json([{"title": t, **asdict(one), **own} for t, one, own in every])
    else:
        click.echo(labels_table(titles, labels, codes))


@cli.command()
@click.argument("title")
@click.option("--description", default="", metavar="TEXT", help="The posting's text.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@policy_option
@confidence_option
@database_option
@model_option
def explain(
    title: str,
    description: str,
    as_json: bool,
    policy: str | None,
    min_confidence: float | None,
    database: str | None,
    model_directory: Path | None,
) -> None:
    """Show the reasons for the label of one title."""
    from classifier.rendering import explanation_text

    model = load_corrected(model_directory, database)
    chosen = model.policy(policy)
    explanation = model.explain(title, description, policy=chosen, min_confidence=min_confidence)
    if as_json:
        print_json(asdict(explanation))
    else:
        click.echo(explanation_text(explanation, chosen, model.taxonomy))


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
@click.option("--host", default="127.0.0.1", envvar="JOBTITLE_HOST", show_default=True)
@click.option(
    "--port", default=8000, type=click.IntRange(0, 65535), envvar="JOBTITLE_PORT", show_default=True
)
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that answer. [default: 1]")
@database_option
@model_option
def serve(
    host: str, port: int, workers: int | None, database: str | None, model_directory: Path | None
) -> None:
    """Answer postings over HTTP."""
    from api.server import serve_model
    from api.settings import Settings
    from classifier import shipped

    settings = Settings.from_environment(os.environ)
    if workers is not None:
        settings = replace(settings, workers=workers)
    if database is not None:
        settings = replace(settings, database_url=database)
    serve_model(
        lambda: shipped.load_active(model_directory),
        host,
        port,
        settings,
        state=lambda: shipped.state_of(model_directory),
        prepare=lambda: shipped.train_if_missing(model_directory, progress=say),
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

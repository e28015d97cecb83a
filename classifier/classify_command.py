"""The command that labels files."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classifier.console import (
    confidence_option,
    database_option,
    description_option,
    fail,
    load_corrected,
    model_option,
    policy_option,
    say,
    title_option,
    usual_names,
)
from classifier.errors import ClassifierError, InputError, OutputError

if TYPE_CHECKING:  # imported when files are labelled
    from classifier.labelling_files import Job
    from classifier.model import JobTitleClassifier
    from classifier.summary import Summary
    from classifier.tables import Table

_FORMATS = click.Choice(["csv", "tsv", "jsonl", "json", "xlsx", "parquet"])
_SHOWN_FAULTS = 20


class _Delimiter(click.ParamType[str]):
    """One character; ``tab`` is a tab."""

    name = "character"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        own = {"\\t": "\t", "tab": "\t"}.get(value, value)
        if len(own) != 1 or own in '"\r\n':
            self.fail("a delimiter is one character, such as ; or \\t", param, ctx)
        return own


class _Share(click.ParamType[tuple[int, int]]):
    """A part of the rows: ``2/8`` is the second of eight."""

    name = "i/n"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        number, _, of = str(value).partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= 100_000):
            self.fail("a share is like 2/8: the second of eight", param, ctx)
        return int(number), int(of)


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|DIR|PATTERN|-...")
@click.option(
    "-o", "--output", default="-", metavar="OUT|DIR|-", help="Where to. [default: stdout]"
)
@title_option
@description_option
@policy_option
@confidence_option
@click.option("--prefix", default="", help="Put before the names of the added columns.")
@click.option("--candidates", default=0, type=click.IntRange(0, 100), help="Add the K likeliest.")
@click.option("--format", "input_format", type=_FORMATS, help="Of the input. [default: found out]")
@click.option("--output-format", type=_FORMATS, help="[default: by ending, else as the input]")
@click.option("--encoding", metavar="NAME", help="Of the input. [default: found out]")
@click.option("--output-encoding", metavar="NAME", help="Of a CSV output. [default: as the input]")
@click.option("-d", "--delimiter", type=_Delimiter(), help="Of the input. [default: found out]")
@click.option("--output-delimiter", type=_Delimiter(), help="[default: as the input]")
@click.option("-H", "--no-header", is_flag=True, help="The first line of the CSV is a row.")
@click.option("--sheet", metavar="NAME", help="Of a workbook. [default: the first with rows]")
@click.option("--strict", is_flag=True, help="Stop at a row that cannot be read.")
@click.option(
    "--excel-safe/--no-excel-safe",
    default=None,
    help="Make cells that look like formulas harmless. [default: in .xlsx only]",
)
@click.option("--resume", is_flag=True, help="Go on with a run that was broken off.")
@click.option(
    "--summary",
    "summary_path",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Write the numbers of rows as JSON.",
)
@click.option(
    "--plot",
    "plot_path",
    type=click.Path(path_type=Path),
    metavar="FILE.png",
    help="Draw departments by category.",
)
@click.option(
    "--review",
    "review_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the rows that a person should look at, most useful first.",
)
@click.option(
    "--workers",
    default=1,
    type=click.IntRange(1, 256),
    show_default=True,
    help="How many processes label rows: one a core for large files.",
)
@click.option("--shard", type=_Share(), metavar="I/N", help="Label the I-th of N parts only.")
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster. [default: one made here]")
@database_option
@model_option
def classify(
    sources: tuple[str, ...],
    output: str,
    *,
    model_directory: Path | None,
    database: str | None,
    engine: str,
    scheduler: str | None,
    summary_path: Path | None,
    plot_path: Path | None,
    review_path: Path | None,
    **chosen: Any,
) -> None:
    """Label the rows of files: CSV, TSV, JSON Lines, JSON, Excel or Parquet, also .gz and .zst.

    The same rows come back with the columns of the label at the end, in the format of the input or
    of the output's ending. Several files go to a directory.
    """
    from classifier.labelling_files import find_targets

    _check_paths(summary_path, plot_path, review_path)
    if scheduler is not None and engine != "dask":
        raise InputError("--scheduler is for --engine dask")
    if engine == "dask":
        if plot_path or review_path or output == "-":
            raise InputError(
                "with --engine dask, name a directory with --output; no plot or review"
            )
        models = (model_directory, database)
        _label_with_dask(sources, output, scheduler, models, summary_path, chosen)
        return
    pairs = find_targets(sources, output, chosen["output_format"])
    if len(pairs) > 1 and review_path is not None:
        raise InputError("--review takes one file at a time")
    model = load_corrected(model_directory, database)
    job = _job(model, model_directory, chosen, review=review_path is not None)
    start = time.perf_counter()
    total, files, failed = _label_all(model, pairs, job, review_path)
    seconds = time.perf_counter() - start
    if summary_path is not None:
        _write_summary(summary_path, total, files, seconds, job.model_hash)
    if plot_path is not None:
        from classifier.charts import plot_departments
        from classifier.taxonomy import named

        names = {d.id: named(d.names, "en", d.id) for d in model.taxonomy.departments.values()}
        plot_departments(total, names, model.taxonomy.categories, plot_path)
    if failed:
        raise ClassifierError(f"{failed} of {len(pairs)} files could not be labelled")


def _check_paths(summary: Path | None, plot: Path | None, review: Path | None) -> None:
    """Refuse before the run what would fail after it."""
    for path in (summary, plot, review):
        if path is not None and not path.absolute().parent.is_dir():
            raise OutputError(f"{path}: cannot be written (there is no such directory)")
    if plot is not None:
        from classifier.charts import check_plot

        check_plot(plot)


def _job(
    model: "JobTitleClassifier",
    model_directory: Path | None,
    chosen: dict[str, Any],
    *,
    review: bool,
) -> "Job":
    """Gather what is wanted of each file."""
    from classifier.batch import Options
    from classifier.delimited import CsvOptions
    from classifier.formats import Reading, Writing
    from classifier.labelling_files import Job
    from classifier.persistence import MODEL_FILE, read_manifest
    from classifier.versions import active_directory

    manifest = read_manifest(active_directory(model_directory))
    return Job(
        Options(
            model.policy(chosen["policy"]),
            chosen["title"],
            chosen["description"],
            chosen["prefix"],
            chosen["candidates"],
            chosen["min_confidence"],
            strict=chosen["strict"],
            review=review,
            corrections=model.corrections,
        ),
        Reading(
            chosen["input_format"],
            CsvOptions(chosen["encoding"], chosen["delimiter"], not chosen["no_header"]),
            chosen["sheet"],
        ),
        Writing(
            chosen["output_format"],
            chosen["output_encoding"],
            chosen["output_delimiter"],
            chosen["excel_safe"],
        ),
        usual_names(),
        manifest["sha256"][MODEL_FILE],
        chosen["workers"],
        chosen["shard"],
        resume=chosen["resume"],
    )


def _label_all(
    model: "JobTitleClassifier", pairs: list[tuple[str, str]], job: "Job", review_path: Path | None
) -> "tuple[Summary, list[dict[str, Any]], int]":
    """Label each file; one that cannot be read does not stop the others."""
    from classifier.summary import Summary

    total, files, failed = Summary(), [], 0
    for source, target in pairs:
        try:
            summary = _label_one(model, source, target, job, review_path)
        except KeyboardInterrupt:
            if Path(f"{target}.partial.json").exists():
                fail("interrupted; --resume goes on from there", 130)
            raise
        except ClassifierError as error:
            if len(pairs) == 1:
                raise
            say(f"jobtitle: {error}")
            failed += 1
            continue
        total.include(summary)
        files.append({"input": source, "output": target, **summary.as_dict()})
    return total, files, failed


def _label_one(
    model: "JobTitleClassifier", source: str, target: str, job: "Job", review_path: Path | None
) -> "Summary":
    """Label a file, and say what came of it."""
    from tqdm import tqdm

    from classifier.labelling_files import described, label_file

    with tqdm(unit=" rows", unit_scale=True, disable=None, file=sys.stderr) as bar:

        def opened(table: "Table") -> Any:
            bar.reset(total=table.n_rows or None)

            def progress(n: int, summary: "Summary") -> None:
                share = summary.statuses["unknown"] / max(1, summary.rows)
                bar.set_postfix_str(f"{share:.0%} unknown", refresh=False)
                bar.update(n)

            return progress

        done = label_file(model, source, target, job, review_path=review_path, opened=opened)
    say(f"{done.table.name}: {described(done, usual_names())}")
    _say_found(done.table.name, done.table.place_name, done.summary)
    return done.summary


def _say_found(name: str, place_name: str, summary: "Summary") -> None:
    """Say how many rows there were of each status, and where those at fault stand."""
    say(f"{summary.rows} rows: " + ", ".join(f"{n} {s}" for s, n in summary.statuses.items() if n))
    for fault in summary.faults[:_SHOWN_FAULTS]:
        say(f"{name}, {place_name} {fault.place}: {fault.reason}")
    if summary.n_faults > _SHOWN_FAULTS:
        say(f"and {summary.n_faults - _SHOWN_FAULTS} more; all have status error")


def _write_summary(
    path: Path, total: "Summary", files: list[dict[str, Any]], seconds: float, model_hash: str
) -> None:
    """Write what was found as JSON."""
    from classifier import __version__
    from classifier.files import write_text

    found = {
        **total.as_dict(),
        "seconds": round(seconds, 3),
        "version": __version__,
        "model_sha256": model_hash,
        "files": files,
    }
    try:
        write_text(path, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error


def _label_with_dask(
    sources: tuple[str, ...],
    output: str,
    scheduler: str | None,
    models: tuple[Path | None, str | None],
    summary_path: Path | None,
    chosen: dict[str, Any],
) -> None:
    """Label a dataset by a cluster."""
    from tqdm import tqdm

    from classifier.cluster import label_dataset
    from classifier.summary import Summary

    instead = {
        "resume": "run it again without",
        "shard": "the cluster shares the rows out itself",
        "sheet": "it labels CSV and Parquet",
    }
    for name in instead:
        if chosen[name]:
            raise InputError(f"--engine dask takes no --{name}: {instead[name]}")
    source = click.get_current_context().get_parameter_source("workers")
    workers = None if source is None or source.name == "DEFAULT" else chosen["workers"]
    if scheduler is not None and workers is not None:
        raise InputError("--workers is for a cluster made here, not for that of --scheduler")
    model_directory = models[0]
    job = _job(load_corrected(*models), model_directory, chosen, review=False)
    start = time.perf_counter()
    with tqdm(unit=" parts", disable=None, file=sys.stderr) as bar:

        def progress(n_done: int, n_parts: int) -> None:
            bar.total = n_parts
            bar.update(n_done - bar.n)

        found = label_dataset(
            sources,
            output,
            job,
            model_directory=model_directory and model_directory.absolute(),
            scheduler=scheduler,
            workers=workers,
            progress=progress,
        )
    total, files = Summary(), []
    for name, summary in found.items():
        _say_found(name, "line", summary)
        total.include(summary)
        files.append({"input": name, "output": output, **summary.as_dict()})
    if summary_path is not None:
        seconds = time.perf_counter() - start
        _write_summary(summary_path, total, files, seconds, job.model_hash)

"""Commands that make examples for training of official registers of occupations."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.console import say

if TYPE_CHECKING:  # imported when a register is
    from classifier.crosswalk import Standard
    from classifier.registers import Entry

output_option = click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Where to write the examples.",
)
data_option = click.option(
    "--data",
    "data_directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Whose departments and roles. [default: those shipped here]",
)


@click.group(name="import")
def import_register() -> None:
    """Make examples for training of an official register of occupations.

    Each title gets the department of its group; see training_data/crosswalk. Then learn from them:
    jobtitle train --examples FILE.csv
    """


@import_register.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@output_option
@click.option("--language", "languages", multiple=True, metavar="XX", help="[default: all there]")
@data_option
def esco(
    directory: Path, output: Path, languages: tuple[str, ...], data_directory: Path | None
) -> None:
    """Read ESCO: a directory with occupations_XX.csv."""
    from classifier.crosswalk import ISCO_08
    from classifier.registers import read_esco

    _convert(ISCO_08, lambda skip: read_esco(directory, languages, skip), output, data_directory)


@import_register.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@output_option
@data_option
def onet(directory: Path, output: Path, data_directory: Path | None) -> None:
    """Read O*NET: a directory with its text files."""
    from classifier.crosswalk import SOC_2018
    from classifier.registers import read_onet

    _convert(SOC_2018, lambda skip: read_onet(directory, skip), output, data_directory)


@import_register.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@output_option
@data_option
def jobtech(file: Path, output: Path, data_directory: Path | None) -> None:
    """Read the JobTech taxonomy: a file of JSON."""
    from classifier.crosswalk import SSYK_2012
    from classifier.registers import read_jobtech

    _convert(SSYK_2012, lambda skip: read_jobtech(file, skip), output, data_directory)


def _convert(
    standard: "Standard",
    read: Callable[[Counter[str]], Iterator["Entry"]],
    output: Path,
    data_directory: Path | None,
) -> None:
    """Read a register, write its examples, and say what was left out."""
    from classifier import paths
    from classifier.catalogue import Catalogue
    from classifier.crosswalk import find_crosswalk
    from classifier.imports import Import, write_examples
    from classifier.taxonomy import Taxonomy

    data = data_directory or paths.training_data()
    taxonomy = Taxonomy.from_file(data / "taxonomy.toml")
    catalogue = Catalogue.from_directory(data / "roles", taxonomy)
    crosswalk = find_crosswalk(data, standard, taxonomy.departments)
    skipped: Counter[str] = Counter()
    done = Import.of(read(skipped), crosswalk, taxonomy.departments, catalogue.roles.values())
    languages = sorted({row.language for row in done.rows.values()})
    say(f"read {_number(done.n_read, 'title')}")
    for line in (
        *done.summary(crosswalk),
        *(f"left out {n:,}: {why}" for why, n in skipped.items()),
    ):
        say(line)
    write_examples(list(done.rows.values()), output)
    n_departments = len({row.department for row in done.rows.values()})
    titles = _number(len(done.rows), "title") + f" ({', '.join(languages)})"
    say(f"written to {output}: {titles}, {_number(n_departments, 'department')}")


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"

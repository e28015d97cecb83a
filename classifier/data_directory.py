"""A directory of training data: every part read and checked, every problem found at once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from classifier import paths
from classifier.catalogue import Catalogue
from classifier.composition import Decorations, read_decorations
from classifier.crosswalk import FOLDER, ISCO_08, SOC_2018, SSYK_2012, Crosswalk
from classifier.errors import TrainingDataError
from classifier.places import nearest
from classifier.policy import Policy, gather_policies
from classifier.role_files import ENDINGS
from classifier.seniority import SeniorityReader
from classifier.taxonomy import Taxonomy, read_lines
from classifier.text import Tokenizer, fold

NO_WORK_FILE = "no_work.toml"
_SENIORITY_FILE = "seniority.toml"
_ABBREVIATIONS_FILE = "wording/abbreviations.toml"
_DECORATIONS_FILE = "wording/composition.toml"

Part = TypeVar("Part")


@dataclass(frozen=True)
class DataDirectory:
    """What stands in a directory of training data, as far as it could be read.

    Parameters
    ----------
    taxonomy, policies, catalogue, seniority, tokenizer
        Read from their files.
    decorations
        Language code to the ways in which titles are decorated.
    no_work
        Lines that name no work.
    borrowed
        Files that it lacks, as they are shipped here.
    problems
        What is wrong, each with its place and what to do; with any, the parts are not sound.
    """

    taxonomy: Taxonomy
    policies: dict[str, Policy]
    catalogue: Catalogue
    seniority: SeniorityReader
    tokenizer: Tokenizer
    decorations: dict[str, Decorations]
    no_work: tuple[str, ...]
    borrowed: tuple[Path, ...]
    problems: tuple[str, ...]

    @classmethod
    def read(cls, directory: Path) -> "DataDirectory":
        """Read a directory of training data as far as that goes.

        Parameters
        ----------
        directory
            Laid out like `training_data`; see its README for what it may lack.

        Returns
        -------
        DataDirectory
            Its parts, and what is wrong with them.

        Raises
        ------
        TrainingDataError
            If there is no such directory, or no taxonomy in it.
        """
        if not (directory / "taxonomy.toml").is_file():
            raise TrainingDataError(
                f"{directory / 'taxonomy.toml'}: cannot be read (there is no such file); "
                "jobtitle init makes a directory of training data"
            )
        parts = _Parts(directory)
        taxonomy, problems = Taxonomy.read(directory / "taxonomy.toml")
        parts.problems += problems
        catalogue, problems, is_whole = Catalogue.read(directory / "roles", taxonomy)
        parts.problems += [*problems, *_strangers(directory / "roles")]
        roles = catalogue.roles if is_whole else None
        policies: dict[str, Policy] = {}
        if taxonomy.departments:  # without any, all that policies say would be wrong
            policies, problems = gather_policies(directory / "policies", taxonomy, roles)
            parts.problems += problems
        tokenizer = parts.read(_ABBREVIATIONS_FILE, read_tokenizer, Tokenizer({}))
        return cls(
            taxonomy,
            policies,
            catalogue,
            parts.read(
                _SENIORITY_FILE,
                lambda path: SeniorityReader.from_file(path, tokenizer),
                SeniorityReader.silent(tokenizer),
            ),
            tokenizer,
            parts.read(_DECORATIONS_FILE, read_decorations, {}),
            parts.read(NO_WORK_FILE, _read_no_work, ()),
            tuple(parts.borrowed),
            tuple(dict.fromkeys(parts.problems)),
        )


def crosswalk_problems(directory: Path, taxonomy: Taxonomy) -> list[str]:
    """List what is wrong with the crosswalks of a directory: registers are imported by them.

    Parameters
    ----------
    directory
        Laid out like `training_data`.
    taxonomy
        The departments that they may name.

    Returns
    -------
    list of str
        Problems, each with its place and what to do.
    """
    problems = []
    for standard in (ISCO_08, SSYK_2012, SOC_2018):
        path = directory / FOLDER / f"{standard.id}.toml"
        if path.exists() and taxonomy.departments:
            problems += Crosswalk.read(path, standard, taxonomy.departments)[1]
    return problems


class _Parts:
    """Reads files, or those shipped here in their place, and gathers problems."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.borrowed: list[Path] = []
        self.problems: list[str] = []

    def read(self, name: str, reader: Callable[[Path], Part], nothing: Part) -> Part:
        path = self.directory / name
        if not path.exists():
            path = paths.training_data() / name
            self.borrowed.append(path)
        try:
            return reader(path)
        except TrainingDataError as error:
            self.problems += str(error).splitlines()
            return nothing


def _strangers(directory: Path) -> list[str]:
    """Name the files among those of roles that are not read: tables of other formats."""
    found = sorted(directory.iterdir()) if directory.is_dir() else []
    return [
        f"{path}: not read; save it as .xlsx or .toml, or take it away"
        for path in found
        if path.is_file()
        and not path.name.startswith((".", "~$"))
        and path.suffix.lower() not in (*ENDINGS, ".md", ".txt")
    ]


def read_tokenizer(path: Path) -> Tokenizer:
    """Read the table of abbreviations and return a tokenizer that knows them.

    Raises
    ------
    TrainingDataError
        If the file cannot be read or is something else; every problem is a line.
    """
    document, lines = read_lines(path)
    problems = []
    tables = {}
    for name in document:
        if name not in ("words", "endings"):
            known = nearest(name, ["words", "endings"])
            problems.append(f"{lines.place(lines.table(name))}: unknown table {name}; {known}")
    for name in ("words", "endings"):
        table = document.get(name, {})
        tables[name] = table if isinstance(table, dict) else {}
        wrong = [key for key, value in tables[name].items() if not isinstance(value, str)]
        problems += [
            f"{lines.place(lines.key(key, lines.table(name)))}: {key}: must be read as a text"
            for key in wrong
        ]
        if not isinstance(table, dict):
            problems.append(f"{lines.place(lines.key(name))}: {name} must be a table")
    if problems:
        raise TrainingDataError("\n".join(problems))
    return Tokenizer(
        # people also write the abbreviations of Swedish words without dots and rings
        {
            spelling: long
            for short, long in tables["words"].items()
            for spelling in (short, fold(short))
        },
        {fold(short): long for short, long in tables["endings"].items()},
    )


def _read_no_work(path: Path) -> tuple[str, ...]:
    """Read the lines that name no work."""
    document, lines = read_lines(path)
    problems = [
        f"{lines.place(lines.key(name))}: {name} must be text, one entry a line"
        for name, block in document.items()
        if not isinstance(block, str)
    ]
    texts = [block for block in document.values() if isinstance(block, str)]
    found = tuple(line for block in texts for line in block.splitlines() if line.strip())
    if not found and not problems:
        problems = [f"{path}: no lines; write some, or take the file away to get those shipped"]
    if problems:
        raise TrainingDataError("\n".join(problems))
    return found

"""A directory of one's own training data, made of another: a copy, or with workbooks of roles."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from classifier import paths
from classifier.catalogue import Catalogue
from classifier.errors import InputError, TrainingDataError
from classifier.files import sync_directory
from classifier.role_files import read_roles, role_files, write_toml, write_workbook
from classifier.taxonomy import Taxonomy

FORMS = ("toml", "xlsx")
"""What files of roles can be written as."""

Opened = Callable[[int], Callable[[], object]]
ROLES, CROSSWALK = "roles", "crosswalk"
_README = "README.md"
_NOT_COPIED = "columns.toml"  # what is shipped is read, whatever stands elsewhere


def copy_data(
    source: Path,
    target: Path,
    form: str = "toml",
    *,
    crosswalk: bool = True,
    opened: Opened | None = None,
) -> None:
    """Copy training data to a new directory, where it can be edited.

    Parameters
    ----------
    source
        Laid out like `training_data`. Files that are in the form wanted are copied as they are,
        with their comments; those of roles in the other form are read and written anew.
    target
        Where to; it must not be there yet, or be empty.
    form
        One of `FORMS`.
    crosswalk
        Whether the crosswalk of official registers comes along, if the source has one.
    opened
        Called with the number of files of roles to be written anew; it returns what is called
        when one is done.

    Raises
    ------
    InputError
        If the target is taken, or cannot be written.
    TrainingDataError
        If the source is no training data, or its roles are faulty and have to be written anew.
    """
    if not (source / "taxonomy.toml").is_file():
        raise TrainingDataError(
            f"{source / 'taxonomy.toml'}: cannot be read (there is no such file); name a directory "
            "of training data"
        )
    _check_target(target, source)
    anew = [path for path in role_files(source / ROLES) if path.suffix.lower() != f".{form}"]
    if anew:  # what is faulty could not be written as it is meant
        Catalogue.from_directory(source / ROLES, Taxonomy.from_file(source / "taxonomy.toml"))
    try:
        with _building(target) as built:
            for path in _files(source):
                left_out = path.parent.name == CROSSWALK and not crosswalk
                if path not in anew and path.name != _NOT_COPIED and not left_out:
                    own = built / path.relative_to(source)
                    own.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, own)
            done = opened(len(anew)) if opened else None
            for path in anew:
                _write_roles(path, _free(built / ROLES / path.name, f".{form}"), form)
                if done:
                    done()
            if not (built / _README).exists():
                shutil.copyfile(paths.training_data() / _README, built / _README)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror})") from error


def _check_target(target: Path, source: Path) -> None:
    """Refuse to write over something, or into what is copied."""
    if target.exists() and not target.is_dir():
        raise InputError(f"{target}: is a file; name a directory that is not there yet")
    if target.is_dir() and any(target.iterdir()):
        raise InputError(f"{target}: is not empty; name a directory that is not there yet")
    parent = target.absolute().parent
    if not parent.is_dir():
        raise InputError(f"{target}: there is no directory {parent}; make it first")
    if source.resolve() in target.resolve().parents:
        raise InputError(f"{target}: lies within {source}, which it is to be a copy of")


@contextmanager
def _building(target: Path) -> Iterator[Path]:
    """Give a directory to fill, which takes its name when all went well, and is gone if not."""
    parent = target.absolute().parent
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=parent) as temporary:
        built = Path(temporary) / "data"  # made with the usual permissions, unlike the other
        built.mkdir()
        yield built
        if target.is_dir():
            target.rmdir()
        built.replace(target)
    sync_directory(parent)


def _files(directory: Path) -> Iterator[Path]:
    """Yield the files of training data; models that stand below it, and hidden files, are none."""
    for path in sorted(directory.iterdir()):
        if path.name.startswith((".", "~$", "__")):
            continue
        if path.is_file():
            yield path
        elif not (path / "manifest.json").exists():
            yield from _files(path)


def _free(path: Path, ending: str) -> Path:
    """Return a path with another ending, and a number if that is taken."""
    found, n = path.with_suffix(ending), 2
    while found.exists():
        found, n = path.with_name(f"{path.stem}_{n}{ending}"), n + 1
    return found


def _write_roles(source: Path, target: Path, form: str) -> None:
    """Write a file of roles in another form."""
    entries, problems = read_roles(source)
    if problems:
        raise TrainingDataError("\n".join(problems))
    target.parent.mkdir(parents=True, exist_ok=True)
    if form == "xlsx":
        write_workbook(target, entries)
    else:
        write_toml(target, entries)

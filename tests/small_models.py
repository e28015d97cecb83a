"""Small training data, cut out of that shipped here, for models that train in seconds."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from classifier import paths

ONE = ("payroll", "legal", "nature")
OTHER = ("human_resources", "marketing", "protection")
"""Departments of two models that have none in common."""


def small_data(directory: Path, departments: Sequence[str], roles: int = 8) -> Path:
    """Copy the training data with some departments only, and some roles of each.

    Parameters
    ----------
    directory
        Where to; made.
    departments
        Their ids.
    roles
        How many roles each keeps.
    """
    shutil.copytree(paths.training_data(), directory)
    for path in (directory / "roles").glob("*.toml"):
        if path.stem in departments:
            _keep(path, r"^\[\[roles\]\]", lambda n, _: n < roles)
        else:
            path.unlink()
    for path in [directory / "taxonomy.toml", *(directory / "policies").glob("*.toml")]:
        _keep(path, r"^\[(?:departments|roles)\.", lambda _, name: name in departments)
    no_work = directory / "no_work.toml"
    no_work.write_text("\n".join([*no_work.read_text().splitlines()[:300], '"""', ""]))
    return directory


def _keep(path: Path, start: str, wanted) -> None:  # type: ignore[no-untyped-def]
    """Keep the tables of a TOML file that are wanted, by their number and name."""
    head, *blocks = re.split(f"(?m)(?={start})", path.read_text())
    names = [re.match(r"\[+\w+\.?(\w*)", block)[1] for block in blocks]  # type: ignore[index]
    kept = [own for n, (own, name) in enumerate(zip(blocks, names, strict=True)) if wanted(n, name)]
    path.write_text("".join([head, *kept]))

"""The versions of the model that stand in one place, and which of them answers."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier import paths, persistence
from classifier.catalogue import fingerprint
from classifier.errors import InputError, ModelError
from classifier.files import write_text
from classifier.model import JobTitleClassifier

ACTIVE_FILE = "active.json"
"""Says which version of a store answers, and which did before."""

DEFAULT = "default"
"""The name of the model that stands in a store itself, not below it."""

_MOST_BEFORE = 50


@dataclass(frozen=True)
class Choice:
    """Which version answers.

    Parameters
    ----------
    active
        Its name.
    before
        The names of those that answered before, the last of them last.
    """

    active: str = DEFAULT
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Store:
    """A directory of models: one in itself, called `DEFAULT`, and one in each directory below.

    Parameters
    ----------
    directory
        Where they stand.
    is_shipped
        Whether it is the one of the model shipped here, which follows the training data shipped
        here; what others were trained on is left to their owners.
    """

    directory: Path
    is_shipped: bool = False

    @classmethod
    def at(cls, directory: Path | None) -> "Store":
        """Return the store in a directory; the one of the model shipped here if None."""
        return cls(directory or paths.models(), is_shipped=directory is None)

    @property
    def names(self) -> list[str]:
        """The names of the versions, sound or not."""
        below = sorted(
            own.name
            for own in (self.directory.iterdir() if self.directory.is_dir() else ())
            if _is_name(own.name) and own.name != DEFAULT and _holds_model(own)
        )
        return [DEFAULT, *below] if _holds_model(self.directory) else below

    @property
    def choice(self) -> Choice:
        """Which version answers; the default one if nobody chose.

        Raises
        ------
        ModelError
            If it cannot be read who did.
        """
        path = self.directory / ACTIVE_FILE
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            choice = Choice(found["active"], tuple(found["before"]))
            if not all(isinstance(n, str) and _is_name(n) for n in (choice.active, *choice.before)):
                raise ValueError
        except FileNotFoundError:
            return Choice()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{path}: does not say which version answers; {self.remedy('activate NAME')}"
            ) from error
        return choice

    def path(self, name: str) -> Path:
        """Return the directory of a version."""
        return self.directory if name == DEFAULT else self.directory / name

    def find(self, name: str) -> Path:
        """Return the directory of a version that is there.

        Raises
        ------
        InputError
            If there is none of this name; the message names the nearest.
        """
        names = self.names
        if name in names:
            return self.path(name)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        there = f"there are {', '.join(names)}" if names else "there is none"
        raise InputError(f"{self.directory}: no version {name!r}: {there}{hint}")

    def check(self, name: str) -> dict[str, Any]:
        """Check a version by hash and versions, and return its facts.

        Raises
        ------
        ModelError
            If it is missing, corrupt, foreign or stale.
        """
        expected = self._training_data_hash(name)
        return persistence.check(self.path(name), training_data_hash=expected)

    def load(self, name: str) -> tuple[JobTitleClassifier, dict[str, Any]]:
        """Load a version that labels its own test titles as it did when it was trained.

        Raises
        ------
        ModelError
            If it is missing, corrupt, foreign or stale, or labels them otherwise.
        """
        expected = self._training_data_hash(name)
        model, facts = persistence.load_with_facts(self.path(name), training_data_hash=expected)
        probe(model, facts, self.path(name))
        return model, facts

    def activate(self, name: str) -> Choice:
        """Let a version answer from now on, if it is sound.

        Raises
        ------
        InputError
            If there is none of this name.
        ModelError
            If it is not sound, or the choice cannot be written.
        """
        self.find(name)
        self.load(name)
        try:
            old = self.choice
        except ModelError:
            old = Choice(name)  # what it said before is lost, and nothing else
        before = old.before
        if old.active != name and old.active in self.names:
            before = (*before, old.active)[-_MOST_BEFORE:]
        return self._write(Choice(name, before))

    def rollback(self) -> Choice:
        """Let the version answer that did so before.

        Raises
        ------
        InputError
            If none did.
        ModelError
            If it is not sound, or the choice cannot be written.
        """
        choice = self.choice
        before = [name for name in choice.before if name in self.names]
        if not before:
            raise InputError(
                f"{self.directory}: {choice.active} is active, and no other was before it; "
                "choose one: " + self.command("activate NAME")
            )
        self.load(before[-1])
        return self._write(Choice(before[-1], tuple(before[:-1])))

    def command(self, words: str) -> str:
        """Return a command of this store, as a user types it."""
        where = "" if self.is_shipped else f" --store {self.directory}"
        return f"python -m classifier models {words}{where}"

    def remedy(self, words: str) -> str:
        """Return what to run."""
        return f"run: {self.command(words)}"

    def _training_data_hash(self, name: str) -> str | None:
        """Return what a version must have been trained on; None if it is its owner's matter."""
        follows = self.is_shipped and name == DEFAULT
        return fingerprint(paths.training_data()) if follows else None

    def _write(self, choice: Choice) -> Choice:
        path = self.directory / ACTIVE_FILE
        told = {"active": choice.active, "before": list(choice.before)}
        try:
            write_text(path, json.dumps(told, ensure_ascii=False) + "\n")
        except OSError as error:
            raise ModelError(f"{path}: cannot be written ({error.strerror})") from error
        return choice


def probe(model: JobTitleClassifier, facts: Mapping[str, Any], directory: Path) -> None:
    """Let a model label the test titles that its manifest holds, if it holds any.

    Parameters
    ----------
    model
        The model.
    facts
        ``probes`` are titles, each with the id of its department, or None for no label.
    directory
        Where the model is.

    Raises
    ------
    ModelError
        If it labels one otherwise.
    """
    probes = facts.get("probes") or {}
    labels = model.predict(list(probes), n_candidates=0)
    if [label.department for label in labels] != list(probes.values()):
        raise ModelError(
            f"{directory}: the model does not label its test titles as it did when it was trained; "
            f"run: python -m classifier train --output {directory}"
        )


def active_version(directory: Path | None = None) -> tuple[Store, str]:
    """Return the store of a directory, and the name of the version that answers.

    Parameters
    ----------
    directory
        A store, or a model alone; that of the shipped model if None.

    Raises
    ------
    ModelError
        If its choice cannot be read.
    """
    store = Store.at(directory)
    return store, store.choice.active


def active_directory(directory: Path | None = None) -> Path:
    """Return the directory of the model that answers; parameters as for `active_version`."""
    store, name = active_version(directory)
    return store.path(name)


def _is_name(name: str) -> bool:
    return bool(name) and not name.startswith(".") and "/" not in name and "\\" not in name


def _holds_model(directory: Path) -> bool:
    return directory.is_dir() and any(
        (directory / name).is_file() for name in (persistence.MANIFEST_FILE, persistence.MODEL_FILE)
    )

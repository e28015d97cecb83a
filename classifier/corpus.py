"""The training data as a whole: read, checked, and laid out as examples."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from classifier.catalogue import Catalogue, fingerprint, title_key
from classifier.composition import Decorations, compose, drawn, misspell
from classifier.data_directory import DataDirectory
from classifier.errors import TrainingDataError
from classifier.policy import Policy
from classifier.seniority import SeniorityReader
from classifier.taxonomy import NO_WORK, Taxonomy
from classifier.text import Tokenizer

HELD_OUT = 0.12
"""The share of titles held out to calibrate and measure; as large a share of roles is left out."""

DECORATED = 0.6
"""The share of titles that are learned once more with rank, place, employer or the like."""

MISSPELT = 0.12
"""The share of titles that are learned once more with a typing error."""


@dataclass(frozen=True)
class TrainingData:
    """All that a model is made from.

    Parameters
    ----------
    taxonomy, policies, catalogue, seniority, tokenizer
        Read from their files and checked.
    decorations
        Language code to the ways in which titles are decorated.
    no_work
        Lines that name no work.
    sha256
        Fingerprint of the files, 64 hexadecimal digits.
    """

    taxonomy: Taxonomy
    policies: dict[str, Policy]
    catalogue: Catalogue
    seniority: SeniorityReader
    tokenizer: Tokenizer
    decorations: dict[str, Decorations]
    no_work: tuple[str, ...]
    sha256: str

    @classmethod
    def from_directory(cls, directory: Path) -> "TrainingData":
        """Read and check training data.

        Parameters
        ----------
        directory
            Laid out like `training_data`.

        Returns
        -------
        TrainingData
            Checked training data.

        Raises
        ------
        TrainingDataError
            If anything is missing or wrong; every problem is a line, with file and entry.
        """
        found = DataDirectory.read(directory)
        if found.problems:
            raise TrainingDataError("\n".join(found.problems))
        return cls(
            found.taxonomy,
            found.policies,
            found.catalogue,
            found.seniority,
            found.tokenizer,
            found.decorations,
            found.no_work,
            fingerprint(directory, found.borrowed),
        )

    def examples(self) -> pd.DataFrame:
        """Return what a pipeline learns from.

        Returns
        -------
        DataFrame
            Columns ``text``, ``department``, ``kind`` (``title``, ``duty`` or ``no_work``),
            ``language``, ``role`` and ``weight``; lines that name no work are a role each.
        """
        titles, duties = self.catalogue.titles(), self.catalogue.duties()
        rows = [
            *((text, r.department, "title", language, r.id) for text, language, r in titles),
            *((text, r.department, "duty", language, r.id) for text, language, r in duties),
            *((text, NO_WORK, "no_work", "", text) for text in self.no_work),
        ]
        columns = ["text", "department", "kind", "language", "role"]
        return pd.DataFrame(rows, columns=columns).assign(weight=1.0)

    def runs(self) -> list[str]:
        """List all runs of characters between spaces, the most frequent first."""
        added = (
            text
            for decorations in self.decorations.values()
            for texts in (decorations.patterns, *decorations.words.values())
            for text in texts
        )
        titles, duties = self.catalogue.titles(), self.catalogue.duties()
        texts = chain((t for t, *_ in titles), (t for t, *_ in duties), self.no_work, added)
        counts = Counter(run for text in texts for run in text.split())
        return [run for run, _ in counts.most_common()]

    def augmented(self, examples: pd.DataFrame, seed: int) -> pd.DataFrame:
        """Add decorated and misspelt titles to examples.

        Parameters
        ----------
        examples
            As `examples` returns them, or a part of them.
        seed
            Draws which titles, and how.

        Returns
        -------
        DataFrame
            The examples in their order, then the added ones with kind ``composed``.
        """
        titles = examples[examples["kind"] == "title"]
        parts = [examples]
        for weight, own in titles.groupby("weight"):
            rows = list(zip(own["text"], own["language"], own["department"], strict=True))
            added = [
                *compose(rows, self.decorations, share=DECORATED, seed=seed),
                *misspell(rows, share=MISSPELT, seed=seed),
            ]
            composed = pd.DataFrame(added, columns=["text", "department"])
            parts.append(composed.assign(kind="composed", weight=weight))
        return pd.concat(parts, ignore_index=True)


def hold_out(groups: pd.Series, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide examples so that no group is on both sides.

    Parameters
    ----------
    groups : Series of shape (n_examples,)
        What belongs together, such as equal titles or the lines of a role.
    seed
        Draws the groups that are held out.

    Returns
    -------
    tuple of two ndarrays
        The rows to learn from, and the rows held out, about `HELD_OUT` of the groups. The draw of
        a group does not depend on the others: a title more or less moves no other title.
    """
    held = np.array([drawn(group, seed) < HELD_OUT for group in groups], dtype=bool)
    return np.flatnonzero(~held), np.flatnonzero(held)


@dataclass(frozen=True)
class Division:
    """Examples to learn from, and titles to calibrate and measure on.

    Parameters
    ----------
    kept
        To learn from.
    titles
        Titles held out; others of their roles were kept.
    roles
        Titles of roles that were left out whole: work of a kind never seen.
    tried
        The titles of both, as `classifier.catalogue.title_key` makes them.
    """

    kept: pd.DataFrame
    titles: pd.DataFrame
    roles: pd.DataFrame
    tried: frozenset[str]

    @classmethod
    def draw(cls, examples: pd.DataFrame, seed: int) -> "Division":
        """Divide examples at random.

        Parameters
        ----------
        examples
            As `TrainingData.examples` returns them.
        seed
            Draws roles and titles.

        Returns
        -------
        Division
            The parts; equal titles are never on two sides.
        """
        kept, left_out = _sparing(examples, *hold_out(examples["role"], seed))
        rest = examples.iloc[kept]
        seen, held = _sparing(rest, *_hold_out_titles(rest, seed))
        parts = (rest.iloc[held], examples.iloc[left_out])
        titles, roles = (part[part["kind"] == "title"] for part in parts)
        tried = frozenset(pd.concat([titles, roles])["text"].map(title_key))
        return cls(rest.iloc[seen], titles, roles, tried)

    def less(self, moved: Collection[tuple[str, str]]) -> "Division":
        """Return it without some titles to measure on; see `less`."""
        titles = less(self.titles, moved)
        titles = titles if len(titles) else self.titles  # there is something to measure on, always
        return replace(self, titles=titles, roles=less(self.roles, moved))


def less(examples: pd.DataFrame, moved: Collection[tuple[str, str]]) -> pd.DataFrame:
    """Return examples without titles that are named by role and `title_key`."""
    if not moved:
        return examples
    keys = zip(examples["role"], examples["text"].map(title_key), strict=True)
    named = np.array([key in moved for key in keys], dtype=bool)
    return examples[~(named & (examples["kind"] == "title"))]


def _hold_out_titles(examples: pd.DataFrame, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Hold out titles and lines; one title at least, of a catalogue that has few."""
    keys = examples["text"].map(title_key)
    kept, held = hold_out(keys, seed)
    is_title = (examples["kind"] == "title").to_numpy()
    if not is_title[held].any():
        first = min(keys[is_title], key=lambda key: drawn(key, seed))
        held = np.union1d(held, np.flatnonzero(keys == first))
        kept = np.setdiff1d(kept, held)
    return kept, held


def _sparing(
    examples: pd.DataFrame, kept: np.ndarray, held: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Hold out no department whole: a small catalogue has some of a role or a title alone."""
    departments = examples["department"].to_numpy()
    spared = ~np.isin(departments[held], departments[kept])
    return np.sort(np.append(kept, held[spared])), held[~spared]

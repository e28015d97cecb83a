"""The training data as a whole: read, checked, and laid out as examples."""

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from classifier.catalogue import Catalogue, fingerprint, title_key
from classifier.composition import Decorations, compose, drawn, misspell, read_decorations
from classifier.errors import TrainingDataError
from classifier.policy import Policy, read_policies
from classifier.seniority import SeniorityReader
from classifier.taxonomy import NO_WORK, Taxonomy, read_toml
from classifier.text import Tokenizer, fold

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
            If anything is missing or wrong; the message names file and entry.
        """
        taxonomy = Taxonomy.from_file(directory / "taxonomy.toml")
        tokenizer = read_tokenizer(directory / "wording" / "abbreviations.toml")
        blocks = read_toml(directory / "no_work.toml").values()
        data = cls(
            taxonomy=taxonomy,
            policies=read_policies(directory / "policies", taxonomy),
            catalogue=Catalogue.from_directory(directory / "roles", taxonomy),
            seniority=SeniorityReader.from_file(directory / "seniority.toml", tokenizer),
            tokenizer=tokenizer,
            decorations=read_decorations(directory / "wording" / "composition.toml"),
            no_work=tuple(line for block in blocks for line in block.splitlines() if line.strip()),
            sha256=fingerprint(directory),
        )
        for policy in data.policies.values():
            unknown = sorted(set(policy.roles) - set(data.catalogue.roles))
            if unknown:
                raise TrainingDataError(
                    f"{directory}: policy {policy.id} names roles that are not in the catalogue: "
                    + ", ".join(unknown)
                )
        return data

    def examples(self) -> pd.DataFrame:
        """Return what a pipeline learns from.

        Returns
        -------
        DataFrame
            Columns ``text``, ``department``, ``kind`` (``title``, ``duty`` or ``no_work``),
            ``language`` and ``role``; lines that name no work are a role each.
        """
        titles, duties = self.catalogue.titles(), self.catalogue.duties()
        rows = [
            *((text, r.department, "title", language, r.id) for text, language, r in titles),
            *((text, r.department, "duty", language, r.id) for text, language, r in duties),
            *((text, NO_WORK, "no_work", "", text) for text in self.no_work),
        ]
        return pd.DataFrame(rows, columns=["text", "department", "kind", "language", "role"])

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
        rows = list(zip(titles["text"], titles["language"], titles["department"], strict=True))
        added = [
            *compose(rows, self.decorations, share=DECORATED, seed=seed),
            *misspell(rows, share=MISSPELT, seed=seed),
        ]
        composed = pd.DataFrame(added, columns=["text", "department"]).assign(kind="composed")
        return pd.concat([examples, composed], ignore_index=True)


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
    """

    kept: pd.DataFrame
    titles: pd.DataFrame
    roles: pd.DataFrame

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
        kept, left_out = hold_out(examples["role"], seed)
        rest = examples.iloc[kept]
        seen, held = hold_out(rest["text"].map(title_key), seed)
        parts = (rest.iloc[held], examples.iloc[left_out])
        titles, roles = (part[part["kind"] == "title"] for part in parts)
        return cls(rest.iloc[seen], titles, roles)


def read_tokenizer(path: Path) -> Tokenizer:
    """Read the table of abbreviations and return a tokenizer that knows them."""
    document = read_toml(path)
    words = document.get("words", {})
    return Tokenizer(
        # people also write the abbreviations of Swedish words without dots and rings
        {spelling: long for short, long in words.items() for spelling in (short, fold(short))},
        {fold(short): long for short, long in document.get("endings", {}).items()},
    )

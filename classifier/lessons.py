"""Examples as they are learned from: lines for the pipeline, and titles to be found."""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

from classifier.catalogue import Catalogue, title_key
from classifier.claims import Claim, Taught
from classifier.composition import drawn
from classifier.examples import Examples
from classifier.postings import Posting
from classifier.text import Tokenizer

HELD_BACK = 0.2
"""The share of examples held back to see what the others do.

More than of the catalogue's titles, drawn alike: an example whose title the catalogue holds out is
held back, too.
"""

SENTENCE_WEIGHT = 0.5
"""What a sentence of a posting weighs beside its title: much of an ad says nothing of the work."""

MAX_SENTENCES = 100_000
"""How many sentences are learned from, of all postings together."""

PLAIN = "plain"
"""The kind of titles that are learned as they stand: nobody has told how their language adorns."""


class Lessons:
    """Examples as they are learned from.

    Parameters
    ----------
    frame : DataFrame
        The examples' columns, titles without HTML, and ``sentences`` and ``key``.
    words
        Cuts a title into the words by which titles are looked up.
    """

    def __init__(self, frame: pd.DataFrame, words: Callable[[str], list[str]]) -> None:
        self.frame = frame
        self._words = words

    @classmethod
    def of(cls, examples: Examples, tokenizer: Tokenizer) -> "Lessons":
        """Clean examples and cut their descriptions into sentences."""
        frame = examples.frame
        read = [
            Posting.read(title, description)
            for title, description in zip(frame["title"], frame["description"], strict=True)
        ]
        keys = [title_key(one.title or " ".join(one.sentences)) for one in read]
        titles = [one.title for one in read]
        sentences = pd.Series([one.sentences for one in read], dtype=object)
        frame = frame.reset_index(drop=True).assign(title=titles, sentences=sentences, key=keys)
        return cls(frame, tokenizer.words)

    def __len__(self) -> int:
        return len(self.frame)

    def divided(self, seed: int, beside: Collection[str]) -> tuple["Lessons", "Lessons"]:
        """Hold a part of the examples back.

        Parameters
        ----------
        seed
            Draws which.
        beside
            Titles, as `title_key` makes them, that must not be learned either.

        Returns
        -------
        tuple of two Lessons
            To learn from, and held back; equal titles are never on two sides.
        """
        held = np.array([drawn(key, seed) < HELD_BACK for key in self.frame["key"]], dtype=bool)
        barred = self.frame["key"].isin(set(beside)).to_numpy()
        learned, back = self.frame[~held & ~barred], self.frame[held]
        return Lessons(learned, self._words), Lessons(back, self._words)

    def lines(self, languages: Collection[str]) -> pd.DataFrame:
        """Return what a pipeline learns from, in the form of `TrainingData.examples`.

        Parameters
        ----------
        languages
            Those whose titles may be adorned and misspelt.
        """
        frame = self.frame
        rows = [
            (title, department, "title" if language in languages else PLAIN, language, "", weight)
            for title, department, language, weight in zip(
                frame["title"], frame["department"], frame["language"], frame["weight"], strict=True
            )
            if title
        ]
        rows += [
            (sentence, department, "duty", "", "", SENTENCE_WEIGHT * weight)
            for sentence, department, weight in self._sentences()
        ]
        columns = ["text", "department", "kind", "language", "role", "weight"]
        return pd.DataFrame(rows, columns=columns).astype({"weight": float})  # also if it is empty

    def titles_beside(self, lines: pd.DataFrame) -> pd.DataFrame:
        """Return the titles that stand alone and are not among lines that were learned."""
        known = set(lines["text"].map(title_key))
        alone = ~self.frame["sentences"].astype(bool) & ~self.frame["key"].isin(known)
        return Lessons(self.frame[alone], self._words).lines(())

    def _sentences(self) -> list[tuple[str, str, float]]:
        """List sentences that stand in postings of one department only: others tell nothing."""
        seen: dict[str, tuple[str, str, float] | None] = {}
        frame = self.frame
        for own, department, weight in zip(
            frame["sentences"], frame["department"], frame["weight"], strict=True
        ):
            for sentence in own:
                earlier = seen.setdefault(title_key(sentence), (sentence, department, weight))
                if earlier is not None and earlier[1] != department:
                    seen[title_key(sentence)] = None
        kept = [one for one in seen.values() if one is not None]
        if len(kept) > MAX_SENTENCES:
            kept = sorted(kept, key=lambda one: (drawn(one[0], 0), one))[:MAX_SENTENCES]
        return kept

    def teach(self, catalogue: Catalogue) -> Taught:
        """Put titles where the examples say.

        Parameters
        ----------
        catalogue
            The roles and titles as they stand in the training data.
        """
        return Taught.of(catalogue, self._claims(), self._spelt)

    def _claims(self) -> dict[str, Claim]:
        """Return what is said of each title, by its words; one without words is left out."""
        frame = self.frame
        rows = zip(
            frame["title"],
            frame["language"],
            frame["department"],
            frame["role"],
            frame["sentences"].astype(bool),
            strict=True,
        )
        found: dict[str, list[tuple[str, str, str, str, bool]]] = {}
        for row in rows:
            found.setdefault(self._spelt(row[0]), []).append(row)
        found.pop("", None)
        return {key: Claim.of(own) for key, own in found.items()}

    def _spelt(self, title: str) -> str:
        return " ".join(self._words(title))

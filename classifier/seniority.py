"""Reads the seniority of a title from its words."""

import re
from dataclasses import dataclass
from pathlib import Path

from classifier.errors import TrainingDataError
from classifier.taxonomy import SENIORITIES, read_toml
from classifier.text import Tokenizer, fold


@dataclass(frozen=True)
class SeniorityReader:
    """Finds the marker words that set a level, and passes over those that only look like one.

    Parameters
    ----------
    tokenizer
        Cuts and normalises the title.
    pattern
        One group a phrase, the longest first.
    meanings
        What each group of the pattern means: a level, or None for a trap.
    order
        The levels; the first found in a title wins.
    """

    tokenizer: Tokenizer
    pattern: re.Pattern[str]
    meanings: tuple[str | None, ...]
    order: tuple[str, ...]

    def read(self, title: str, fixed: str | None = None) -> str:
        """Return the seniority of a title.

        Parameters
        ----------
        title
            A plain text.
        fixed
            The level of its role, for a title that says nothing itself.

        Returns
        -------
        str
            One of `classifier.taxonomy.SENIORITIES`.
        """
        words = f" {' '.join(self.tokenizer.words(title))} "
        found = {
            self.meanings[(match.lastindex or 1) - 1] for match in self.pattern.finditer(words)
        }
        return next((level for level in self.order if level in found), fixed or "professional")

    @classmethod
    def from_file(cls, path: Path, tokenizer: Tokenizer) -> "SeniorityReader":
        """Read the marker words.

        Parameters
        ----------
        path
            A TOML file like `training_data/seniority.toml`.
        tokenizer
            Cuts and normalises the titles to come.

        Returns
        -------
        SeniorityReader
            A reader of titles.

        Raises
        ------
        TrainingDataError
            If the file cannot be read or names a level that does not exist.
        """
        document = read_toml(path)
        levels = document.get("levels", {})
        unknown = sorted(set(levels) - set(SENIORITIES))
        if unknown:
            raise TrainingDataError(
                f"{path}: levels {', '.join(unknown)} are not among {', '.join(SENIORITIES)}"
            )
        meanings: dict[str, str | None] = {}
        for level, block in (*levels.items(), (None, document.get("traps", ""))):
            meanings |= {phrase: level for line in block.splitlines() if (phrase := _clean(line))}
        phrases = sorted(meanings, key=lambda phrase: (-len(phrase), phrase))
        pattern = "|".join(f"({_expression(phrase)})" for phrase in phrases)
        return cls(
            tokenizer,
            re.compile(f"(?<= )(?:{pattern})(?= )"),
            tuple(meanings[phrase] for phrase in phrases),
            tuple(levels),
        )


def _clean(phrase: str) -> str:
    return " ".join(re.findall(r"[\w*+#]+", fold(phrase)))


def _expression(phrase: str) -> str:
    return r"\S*".join(re.escape(part) for part in phrase.split("*"))

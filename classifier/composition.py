"""Decorated titles for training: rank, place, employer, trade and contract around a plain title."""

import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.errors import TrainingDataError
from classifier.places import Lines
from classifier.taxonomy import read_lines

_FIELD = re.compile(r"\{(\w+)\}")
_LONG_WORD = re.compile(r"[^\W\d_]{6,}")


def drawn(text: str, seed: int) -> float:
    """Draw a number, 0-1, that depends on a text and a seed alone.

    Parameters
    ----------
    text
        What to draw for.
    seed
        Another seed, another draw.

    Returns
    -------
    float
        Evenly distributed over texts and seeds.
    """
    digest = hashlib.blake2b(f"{seed} {text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass(frozen=True)
class Decorations:
    """How the titles of one language are decorated.

    Parameters
    ----------
    patterns
        A text with fields in braces to its weight; one of the fields is ``{title}``.
    words
        Field to the texts that may stand in its place.
    """

    patterns: Mapping[str, int]
    words: Mapping[str, tuple[str, ...]]

    def decorate(self, title: str, rng: random.Random) -> str:
        """Return a title in one of the patterns, its fields drawn at random.

        Parameters
        ----------
        title
            A plain title.
        rng
            Draws pattern and fields.

        Returns
        -------
        str
            The decorated title.
        """
        (pattern,) = rng.choices(list(self.patterns), list(self.patterns.values()))
        return _FIELD.sub(
            lambda field: title if field[1] == "title" else rng.choice(self.words[field[1]]),
            pattern,
        )


def read_decorations(path: Path) -> dict[str, Decorations]:
    """Read the patterns and word lists of all languages.

    Parameters
    ----------
    path
        A TOML file like `training_data/wording/composition.toml`.

    Returns
    -------
    dict of str to Decorations
        Language code to its decorations.

    Raises
    ------
    TrainingDataError
        If the file cannot be read, a pattern lacks ``{title}`` or uses a field without words;
        every problem is a line.
    """
    document, lines = read_lines(path)
    problems = [fault for key in document for fault in _faults(key, document[key], lines)]
    if problems:
        raise TrainingDataError("\n".join(problems))
    return {
        language: Decorations(table["patterns"], _words(table))
        for language, table in document.items()
    }


def _words(table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(line.strip() for line in str(block).splitlines() if line.strip())
        for name, block in table.get("words", {}).items()
    }


def _faults(language: str, table: object, lines: Lines) -> Iterator[str]:
    """Yield what is wrong with the decorations of a language."""
    patterns = table.get("patterns") if isinstance(table, dict) else None
    own = table.get("words", {}) if isinstance(table, dict) else None
    if not (isinstance(patterns, dict) and patterns and isinstance(own, dict)):
        place = lines.place(lines.table(language))
        yield f"{place}: {language} must have tables {language}.patterns and {language}.words"
        return
    words = _words({"words": own})
    for pattern, weight in patterns.items():
        where = f"{lines.place(lines.key(pattern, lines.table(language, 'patterns')))}: "
        where += f"pattern {pattern!r} of {language}"
        fields = set(_FIELD.findall(pattern))
        missing = sorted(name for name in fields - {"title"} if not words.get(name))
        if missing:
            yield f"{where} has no words for {', '.join(missing)}"
        elif "title" not in fields:
            yield f"{where} lacks {{title}}"
        if not isinstance(weight, int) or weight < 1:
            yield f"{where}: its weight must be a whole number of at least 1"


def misspell(
    titles: Iterable[tuple[str, str, str]], *, share: float, seed: int
) -> Iterator[tuple[str, str]]:
    """Put a typing error into a share of titles.

    Parameters
    ----------
    titles
        Title, language code and label.
    share
        The share of titles to misspell, 0-1; one without a long word is left out.
    seed
        Draws which, and how.

    Yields
    ------
    tuple of str and str
        A misspelt title and its label.
    """
    for title, _, label in titles:
        words = _LONG_WORD.findall(title)
        if words and drawn(title, seed) < share:
            rng = random.Random(f"{seed} {title}")  # noqa: S311 - drawing examples, not secrets
            word = rng.choice(words)
            yield title.replace(word, _mistyped(word, rng), 1), label


def _mistyped(word: str, rng: random.Random) -> str:
    """Leave out, double or exchange letters inside a word, as fingers do."""
    n = rng.randrange(1, len(word) - 1)
    first, second = word[n], word[n + 1]
    typed = rng.choice((second, first + first + second, second + first))
    return word[:n] + typed + word[n + 2 :]


def compose(
    titles: Iterable[tuple[str, str, str]],
    decorations: Mapping[str, Decorations],
    *,
    share: float,
    seed: int,
) -> Iterator[tuple[str, str]]:
    """Decorate a share of titles.

    Parameters
    ----------
    titles
        Title, language code and label.
    decorations
        Language code to decorations; titles of other languages are passed over.
    share
        The share of titles to decorate, 0-1.
    seed
        Draws which, and how.

    Yields
    ------
    tuple of str and str
        A decorated title and its label.
    """
    for title, language, label in titles:
        if language in decorations and drawn(f"{language} {title}", seed) < share:
            rng = random.Random(f"{seed} {title}")  # noqa: S311 - drawing examples, not secrets
            yield decorations[language].decorate(title, rng), label

"""Reads the seniority of a posting from the words of its title, its role or its text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier.errors import TrainingDataError
from classifier.places import Lines, nearest
from classifier.taxonomy import SENIORITIES, read_lines
from classifier.text import Tokenizer, fold

_REMEMBERED = 20_000
"""How many words, and how many sentences, are remembered with what they may mean."""

_WAYS = ("title", "role", "text", "none")
_FIELDS = ("traps", "levels", "text", "confidence")
_WORD = re.compile(r"[\w*+#]+")
"""A word of a folded text, with its digits: years of experience tell a level."""


@dataclass(frozen=True)
class Seniority:
    """A level, and how sure it is.

    Parameters
    ----------
    level
        One of `classifier.taxonomy.SENIORITIES`.
    confidence
        How often a level that was read in the same way is right, 0-1.
    """

    level: str
    confidence: float


@dataclass(frozen=True)
class _Phrase:
    """A phrase as patterns of words, and what it means: a level, or None for a trap."""

    words: tuple[re.Pattern[str], ...]
    level: str | None

    def fits(self, words: Sequence[str], start: int) -> bool:
        """Return whether words read on like the phrase from a start on, whose first word fits."""
        if len(self.words) == 1:
            return True
        end = start + len(self.words)
        return end <= len(words) and all(
            pattern.fullmatch(word)
            for pattern, word in zip(self.words[1:], words[start + 1 : end], strict=True)
        )


@dataclass(frozen=True)
class _Phrases:
    """Phrases to look for in titles, the longest first.

    `words` are those that stand in phrases as they are, `stems` the patterns of others, and `any`
    fits all of them; `order` has the levels, the first found wins.
    """

    phrases: tuple[_Phrase, ...]
    words: frozenset[str]
    stems: tuple[re.Pattern[str], ...]
    any: re.Pattern[str]
    order: tuple[str, ...]
    _by_first: dict[str, tuple[_Phrase, ...]] = field(default_factory=dict, compare=False)

    def find(self, words: Sequence[str]) -> str | None:
        """Return the level of a text; where phrases of several stand, the first in order."""
        found: set[str | None] = set()
        place = 0
        while place < len(words):
            step = 1
            for phrase in self._starting(words[place]):
                if phrase.fits(words, place):
                    found.add(phrase.level)
                    step = len(phrase.words)
                    break
            place += step
        return next((level for level in self.order if level in found), None)

    def _starting(self, word: str) -> tuple[_Phrase, ...]:
        """Return the phrases that may start with a word, the longest first."""
        if word not in self._by_first:
            if len(self._by_first) > _REMEMBERED:
                self._by_first.clear()
            self._by_first[word] = tuple(
                phrase for phrase in self.phrases if phrase.words[0].fullmatch(word)
            )
        return self._by_first[word]


@dataclass(frozen=True)
class _TextPhrases:
    """Phrases to look for in sentences, by the longest word of each: most texts hold but few."""

    phrases: Mapping[str, tuple[tuple[re.Pattern[str], str], ...]]
    order: tuple[str, ...]
    _by_sentence: dict[str, frozenset[str]] = field(default_factory=dict, compare=False)

    def find(self, sentences: Sequence[str]) -> str | None:
        """Return the level of sentences; where phrases of several stand, the first in order."""
        found = frozenset[str]().union(*map(self._levels, sentences))
        return next((level for level in self.order if level in found), None)

    def _levels(self, sentence: str) -> frozenset[str]:
        """Return the levels that a sentence tells of; ads repeat their sentences."""
        if sentence not in self._by_sentence:
            if len(self._by_sentence) > _REMEMBERED:
                self._by_sentence.clear()
            words = _WORD.findall(fold(sentence))
            line = f" {' '.join(words)} "
            likely = (self.phrases[word] for word in self.phrases.keys() & set(words))
            levels = (level for own in likely for p, level in own if p.search(line))
            self._by_sentence[sentence] = frozenset(levels)
        return self._by_sentence[sentence]


@dataclass(frozen=True)
class SeniorityReader:
    """Finds the marker words that set a level, and passes over those that only look like one.

    Parameters
    ----------
    tokenizer
        Cuts and normalises titles and sentences.
    titles, texts
        The phrases to look for in titles and in sentences.
    confidence
        How often a level is right, 0-1, by where it was read: ``title``, ``role``, ``text`` or
        ``none``.
    """

    tokenizer: Tokenizer
    titles: _Phrases
    texts: _TextPhrases
    confidence: Mapping[str, float]

    def read(
        self, title: str, sentences: Sequence[str] = (), fixed: str | None = None
    ) -> Seniority:
        """Return the seniority of a posting.

        Parameters
        ----------
        title
            A plain text.
        sentences
            The sentences of its description; they count if title and role are silent.
        fixed
            The level of its role, for a title that says nothing itself.

        Returns
        -------
        Seniority
            The level; ``professional`` where nothing speaks of one.
        """
        told = self.of_title(title)
        if told is not None:
            return Seniority(told, self.confidence["title"])
        if fixed is not None:
            return Seniority(fixed, self.confidence["role"])
        return self.read_text(sentences)

    def of_title(self, title: str) -> str | None:
        """Return the level that a title tells of; None where it tells of none."""
        return self.titles.find(self.tokenizer.words(title))

    def kind(self, word: str) -> str:
        """Return what a word of a title is to the phrases.

        Parameters
        ----------
        word
            A normalised word.

        Returns
        -------
        str
            Words of one kind stand in the same places of the same phrases, as *lönechef* and
            *ekonomichef* do; empty for a word that stands in none.
        """
        if self.titles.any.fullmatch(word) is None:
            return ""
        own = word if word in self.titles.words else ""
        return f"{own} {[n for n, stem in enumerate(self.titles.stems) if stem.fullmatch(word)]}"

    def may_tell(self, text: str) -> bool:
        """Return whether a text has a word without which no sentence tells of a level."""
        folded = fold(text)
        words = (folded,) if folded.isalnum() else _WORD.findall(folded)
        return not self.texts.phrases.keys().isdisjoint(words)

    def read_text(self, sentences: Sequence[str]) -> Seniority:
        """Return the seniority that sentences tell of; ``professional`` where none does."""
        level = self.texts.find(sentences) if sentences else None
        if level is not None:
            return Seniority(level, self.confidence["text"])
        return Seniority("professional", self.confidence["none"])

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
            A reader of titles and texts.

        Raises
        ------
        TrainingDataError
            If the file cannot be read, names a level that does not exist, or lacks a confidence;
            every problem is a line.
        """
        document, lines = read_lines(path)
        problems = list(_faults(document, lines))
        if problems:
            raise TrainingDataError("\n".join(problems))
        return cls(
            tokenizer,
            _phrases(document.get("levels", {}), document.get("traps", "")),
            _text_phrases(document.get("text", {})),
            document["confidence"],
        )

    @classmethod
    def silent(cls, tokenizer: Tokenizer) -> "SeniorityReader":
        """Return a reader that knows no marker words."""
        rates = dict.fromkeys(_WAYS, 1.0)
        return cls(tokenizer, _phrases({}, ""), _text_phrases({}), rates)


def _phrases(levels: Mapping[str, str], traps: str) -> _Phrases:
    meanings: dict[str, str | None] = {}
    for level, block in (*levels.items(), (None, traps)):
        meanings |= {phrase: level for line in block.splitlines() if (phrase := _clean(line))}
    ordered = sorted(meanings, key=lambda phrase: (-len(phrase), phrase))
    words = {word for phrase in ordered for word in phrase.split() if word != "*"}
    stems = sorted(word for word in words if "*" in word)
    return _Phrases(
        tuple(
            _Phrase(tuple(re.compile(_expression(w)) for w in phrase.split()), meanings[phrase])
            for phrase in ordered
        ),
        frozenset(words.difference(stems)),
        tuple(re.compile(_expression(stem)) for stem in stems),
        re.compile("|".join(map(_expression, sorted(words)))),
        tuple(levels),
    )


def _text_phrases(levels: Mapping[str, str]) -> _TextPhrases:
    phrases: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    for level, block in levels.items():
        for phrase in filter(None, map(_clean, block.splitlines())):
            word = max(re.split(r"[ *]+", phrase), key=len)
            pattern = re.compile(f" {_expression(phrase)} ")
            phrases.setdefault(word, []).append((pattern, level))
    return _TextPhrases({word: tuple(own) for word, own in phrases.items()}, tuple(levels))


def _faults(document: Mapping[str, Any], lines: Lines) -> Iterator[str]:
    """Yield what is wrong with a file of marker words."""
    for name in document:
        if name not in _FIELDS:
            yield f"{lines.place(lines.table(name))}: unknown {name}; {nearest(name, _FIELDS)}"
    if not isinstance(document.get("traps", ""), str):
        yield f"{lines.place(lines.key('traps'))}: traps must be text, one entry a line"
    for table in ("levels", "text"):
        own = document.get(table, {})
        unknown = sorted(set(own) - set(SENIORITIES)) if isinstance(own, dict) else [table]
        if unknown:
            place = lines.place(lines.key(unknown[0], lines.table(table)))
            known = ", ".join(SENIORITIES)
            yield f"{place}: levels {', '.join(unknown)} are not among {known}"
            continue
        for level, block in own.items():
            if not isinstance(block, str):
                place = lines.place(lines.key(level, lines.table(table)))
                yield f"{place}: {table}.{level} must be text, one entry a line"
    rates = document.get("confidence", {})
    rates = rates if isinstance(rates, dict) else {}
    place = lines.place(lines.table("confidence"))
    if missing := sorted(set(_WAYS) - set(rates)):
        yield f"{place}: no confidence for {', '.join(missing)}"
    for name, rate in rates.items():
        if not isinstance(rate, int | float) or not 0 <= rate <= 1:
            place = lines.place(lines.key(name, lines.table("confidence")))
            yield f"{place}: the confidence of {name} must be a number from 0 to 1"


def _clean(phrase: str) -> str:
    return " ".join(_WORD.findall(fold(phrase)))


def _expression(phrase: str) -> str:
    return r"\S*".join(re.escape(part) for part in phrase.split("*"))

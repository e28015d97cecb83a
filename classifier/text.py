"""Normalising and tokenising: the one place where text is cleaned."""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from selectolax.lexbor import LexborHTMLParser

MAX_CHARACTERS = 200_000
"""What is read of one text, in characters; the rest is ignored."""

MAX_WORD = 40
"""What is read of one word, in characters: longer ones are codes or noise."""

MAX_TITLE = 150
"""A title longer than this, in characters, is read as a posting's text."""

MAX_SENTENCES = 200
"""How many sentences of one text are read: a bound on the work per posting."""

MAX_SENTENCE = 60
"""A longer sentence, in words between spaces, is read in parts."""

MAX_DEPTH = 300
"""How many elements of HTML may stand one within the other; tags are only taken out beyond it."""

# Abbreviations with inner dots (f.d., V.P.) are one word; otherwise letters, digits and C++, C#.
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+[+#]*\.?")
_TAG = re.compile(r"<[a-zA-Z!/]")
_ANY_TAG = re.compile(r"<[^<>]*>")
# these need not be closed: many of them are not one within the other
_NESTING_TAG = re.compile(
    r"<(/?)(?!(?:br|hr|img|input|li|p|td|th|tr|meta|link|option)\b)([a-zA-Z][a-zA-Z0-9]*)"
)
_INLINE = ["a", "b", "strong", "i", "em", "u", "span", "font", "small", "mark", "code"]
_BREAK = re.compile(r"[\r\n\u2022\u00b7\u25cf\u25aa\u2023.!?;:]|-(?=[A-ZÅÄÖ])")
_LETTER = re.compile(r"[^\W\d_]")
_ACCENTS = re.compile("[\u0300-\u034e\u0350-\u036f]+")
_BEYOND_LATIN = re.compile("[\u034f\u0370-\u1fff\u20d0-\u20ff\u2c00-\U0010ffff]")


@dataclass(frozen=True)
class Token:
    """A word of a text: where it stands and what it is read as.

    Parameters
    ----------
    start, end
        Offsets in the text, in characters.
    words
        The normalised words it stands for: none for *f.d.*, several for *HRBP*.
    """

    start: int
    end: int
    words: tuple[str, ...]


def fold(text: str) -> str:
    """Lower-case a text and drop its diacritics, so that *Lön*, *LÖN* and *lon* are one.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        The folded text; its length may differ from the input's.
    """
    if text.isascii():
        return text.lower()
    # decomposed first too: some compatibility characters have a case only once they are letters
    lower = unicodedata.normalize("NFKD", text).casefold()
    lower = unicodedata.normalize("NFKD", lower)
    if not _BEYOND_LATIN.search(lower):
        return _ACCENTS.sub("", lower)
    return "".join(c for c in lower if not unicodedata.combining(c))


def is_plain_line(text: str) -> bool:
    """Return whether a text has neither HTML nor control characters nor line breaks."""
    return text.isprintable() and "<" not in text and "&" not in text


def plain(text: str) -> str:
    """Return a text without HTML and control characters, cut to `MAX_CHARACTERS`.

    Parameters
    ----------
    text
        Plain text or HTML; blocks and list items become lines.

    Returns
    -------
    str
        The visible text.
    """
    text = text[:MAX_CHARACTERS]
    if is_plain_line(_in_one_line(text)):
        return text
    if _is_nested_deeply(text):
        text = html.unescape(_ANY_TAG.sub("\n", text))
    elif _TAG.search(text):
        tree = LexborHTMLParser(text.encode("utf-8", "replace").decode("utf-8"))
        tree.strip_tags(["script", "style"])
        tree.unwrap_tags(_INLINE)
        tree.merge_text_nodes()
        text = tree.text(separator="\n") or ""
    elif "&" in text:
        text = html.unescape(text)
    line = _in_one_line(text)
    if line.isprintable():
        return text
    return text.translate({ord(c): " " for c in set(line) if not c.isprintable()})


def _is_nested_deeply(text: str) -> bool:
    """Return whether HTML is nested more deeply than people write; to parse it takes minutes."""
    if text.count("<") <= MAX_DEPTH:
        return False
    opened: Counter[str] = Counter()
    depth = 0
    for closing, name in _NESTING_TAG.findall(text):
        if not closing:
            opened[name] += 1
            depth += 1
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
        if depth > MAX_DEPTH:
            return True
    return False


def _in_one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ").replace("\t", " ")


def sentences(text: str) -> list[str]:
    """Split a plain text into sentences and list items.

    Parameters
    ----------
    text
        A plain text, as `plain` returns it.

    Returns
    -------
    list of str
        At most `MAX_SENTENCES` pieces of at most `MAX_SENTENCE` words, each with at least one
        letter, in order; spaces are single.
    """
    pieces = (part for piece in cut(text) for part in _parts(piece.split()))
    return list(islice(filter(has_letter, pieces), MAX_SENTENCES))


def has_letter(text: str) -> bool:
    """Return whether there is a letter in a text."""
    return _LETTER.search(text) is not None


def cut(text: str) -> Iterator[str]:
    """Cut a text at line breaks, bullets and the ends of sentences.

    Ads that lost their line breaks run on: "in London.You will", "Answer calls-Write letters".
    What decides is never more than the characters between two spaces.

    Parameters
    ----------
    text
        A plain text.

    Yields
    ------
    str
        The parts between the breaks, with the mark that ends them; some may be blank.
    """
    start = 0
    for match in _BREAK.finditer(text):
        end = match.end()
        mark, after = text[end - 1], text[end : end + 2]
        if mark in ".!?;:":
            runs_on = text[end - 2 : end - 1].islower() and after.lstrip("-")[:1].isupper()
            if not (after[:1].isspace() or runs_on):
                continue
        elif mark == "-":
            end -= 1
            if not (text[end - 1 : end].islower() and text[end + 2 : end + 3].islower()):
                continue
        yield text[start:end] if mark in ".!?;:-" else text[start : end - 1]
        start = match.end() if mark != "-" else end
    yield text[start:]


def _parts(words: list[str]) -> Iterator[str]:
    """Write out the words of a sentence, in parts if there are too many."""
    for start in range(0, len(words), MAX_SENTENCE):
        yield " ".join(words[start : start + MAX_SENTENCE])


@dataclass(frozen=True)
class Tokenizer:
    """Cuts a text into normalised words.

    Parameters
    ----------
    abbreviations
        Abbreviation in lower case, with its final dot where that is part of it, to what it stands
        for; an empty string drops it.
    endings
        Folded end of a word that is cut off with a dot (``mek.``) to what it stands for.
    """

    abbreviations: Mapping[str, str] = field(default_factory=dict)
    endings: Mapping[str, str] = field(default_factory=dict)

    def tokens(self, text: str) -> Iterator[Token]:
        """Yield the words of a text with their places.

        Parameters
        ----------
        text
            A plain text.

        Yields
        ------
        Token
            One token per run of letters; runs of digits alone are passed over.
        """
        for match in _WORD.finditer(text):
            words = self._normalise(match.group())
            if words is not None:
                yield Token(match.start(), match.start() + len(match.group().rstrip(".")), words)

    def words(self, text: str) -> list[str]:
        """Return the normalised words of a text, in order."""
        # letters and digits alone are one word
        found = [text] if text.isalnum() else _WORD.findall(text)
        return [word for raw in found for word in self._normalise(raw) or ()]

    def _normalise(self, raw: str) -> tuple[str, ...] | None:
        # as written, not folded: "AR" is an abbreviation, the Swedish "är" is not
        lower = raw.lower() if raw.isascii() else unicodedata.normalize("NFC", raw).casefold()
        dotted = "." in raw
        expansion = self.abbreviations.get(lower)
        if expansion is None and dotted:
            expansion = self.abbreviations.get(lower.replace(".", ""))
        if expansion is not None:
            return tuple(fold(expansion).split())
        word = fold(raw)
        bare = word.replace(".", "") if dotted else word
        if not (bare.isalpha() or any(c.isalpha() for c in bare)):
            return None
        if word.endswith("."):
            bare = self._completed(word) or bare
        return (bare[:MAX_WORD],)

    def _completed(self, word: str) -> str | None:
        """Write out a word that is cut off with a dot, if its last part is known."""
        starts = range(len(word) - 1)  # the longest ending first
        found = (n for n in starts if word[n:] in self.endings)
        return next((word[:n] + fold(self.endings[word[n:]]) for n in found), None)

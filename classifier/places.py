"""Where the entries of a TOML file stand, for messages: the parser itself does not tell."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_QUOTES = re.compile("[\"'\\s]")


class Lines:
    """The lines of a TOML file.

    Parameters
    ----------
    name
        What the file is called in messages.
    text
        What stands in it.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = text.splitlines()
        self._headers = [
            (n, _QUOTES.sub("", found[1]))
            for n, line in enumerate(self.lines, 1)
            if (found := _HEADER.match(line))
        ]

    def place(self, line: int) -> str:
        """Return a line as messages name it."""
        return f"{self.name}:{line}"

    def tables(self, *path: str) -> list[int]:
        """Return the lines of the headers of a table, or of an array of tables."""
        wanted = _QUOTES.sub("", ".".join(path))
        return [n for n, header in self._headers if header == wanted]

    def table(self, *path: str, after: int = 0) -> int:
        """Return the line where a table begins: its header, or the key that holds it."""
        found = next((n for n in self.tables(*path) if n > after), None)
        if found is not None or not path:
            return found or max(after, 1)
        return self.key(path[-1], self.table(*path[:-1], after=after))

    def key(self, key: str, start: int = 1) -> int:
        """Return the line of a key at or below a line; that line if it is not found."""
        sought = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
        anywhere = re.compile(rf"""(?<![\w-])["']?{re.escape(key)}["']?\s*=""")
        for pattern in (sought.match, anywhere.search):
            for n, line in enumerate(self.lines[start - 1 :], start):
                if pattern(line):
                    return n
        return start

    def value(self, text: str, start: int, end: int) -> int:
        """Return the line of a text between two lines, the first of them if it is not found."""
        own = self.lines[start - 1 : end]
        for found in (
            lambda line: line.strip() == text,
            lambda line: f'"{text}"' in line,
            lambda line: text in line,
        ):
            for n, line in enumerate(own, start):
                if found(line):
                    return n
        return start


def nearest(name: object, known: Sequence[str]) -> str:
    """Say which known name is meant, for the end of a message.

    Parameters
    ----------
    name
        What was written.
    known
        What there is.

    Returns
    -------
    str
        The nearest name as a question; all of them if none is near.

    Examples
    --------
    >>> nearest("payrol", ["payroll", "sales"])
    "did you mean 'payroll'?"
    >>> nearest("x", ["payroll", "sales"])
    'there are payroll, sales'
    """
    found = get_close_matches(str(name).casefold(), known, n=1, cutoff=0.6)
    if found:
        return f"did you mean {found[0]!r}?"
    return f"there are {', '.join(known)}" if known else "there are none"

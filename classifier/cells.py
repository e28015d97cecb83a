"""Cells of any format: as text, and as what Excel might take them for."""

import json
import re
from datetime import date, time
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = frozenset("0123456789., \u00a0")
_HALVES = re.compile("[\ud800-\udfff]")


class Number(str):
    """A number of a JSON file, as it is written."""

    __slots__ = ()


def has_halves(text: str) -> bool:
    """Return whether a text has half a character or bytes that stand for nothing."""
    return bool(_HALVES.search(text))


def whole(text: str) -> str:
    """Return a text with question marks for what is no character."""
    return _HALVES.sub("\ufffd", text)


def is_formula(cell: str) -> bool:
    """Return whether Excel might take a cell for a formula; plain numbers are none.

    Examples
    --------
    >>> is_formula("=1+1"), is_formula("@SUM(A1)"), is_formula("-5,3"), is_formula("Kock")
    (True, True, False, False)
    """
    return cell.startswith(_FORMULA) and not (len(cell) > 1 and set(cell[1:]) <= _NUMBER)


def as_text(value: Any) -> str:
    """Return a cell of any format as the text of a CSV file."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)

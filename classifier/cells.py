"""Cells of any format: as text, and as what Excel might take them for."""

import json
import re
from datetime import date, time, timedelta
from math import isfinite
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


def whole(text: str, mark: str = "\ufffd") -> str:
    """Return a text with a mark for what is no character."""
    return _HALVES.sub(mark, text)


def is_formula(cell: str) -> bool:
    """Return whether Excel might take a cell for a formula; plain numbers are none.

    Examples
    --------
    >>> is_formula("=1"), is_formula("@SUM(A1)"), is_formula("-5,3"), is_formula("Kock")
    (True, True, False, False)
    """
    is_number = cell[:1] in ("+", "-") and len(cell) > 1 and set(cell[1:]) <= _NUMBER
    return cell.startswith(_FORMULA) and not is_number


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
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, dict | list):
        return as_json(value)
    return str(value)


def as_json(value: Any) -> str:
    """Return a cell of any format as JSON; numbers of a JSON file stay as they are written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{as_json(k)}: {as_json(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_json, value))}]"
    if isinstance(value, float) and not isfinite(value):
        return "null"
    own = value if value is None or isinstance(value, bool | int | float) else as_text(value)
    # half a character, which UTF-8 has no bytes for, can only be written as an escape
    return json.dumps(own, ensure_ascii=isinstance(own, str) and has_halves(own))


def _duration(value: timedelta) -> str:
    """Write a duration as Excel does, in hours: a day and a half is ``36:00:00``."""
    seconds = abs(value) // timedelta(seconds=1)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    micro = abs(value).microseconds
    return "-" * (value < timedelta(0)) + text + (f".{micro:06}" if micro else "")

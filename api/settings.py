"""What the service is told by its environment, checked before it starts."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from classifier import ClassifierError

PREFIX = "JOBTITLE_"
_ORIGIN = re.compile(r"https?://[^/\s,*]+")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Settings:
    """How the service behaves; each is an environment variable ``JOBTITLE_`` and its name.

    Parameters
    ----------
    workers
        How many processes answer.
    threads
        How many requests each of them works on at a time.
    max_body
        Bytes of a request body.
    queue
        How many requests may wait in each process before others are turned away.
    timeout
        Seconds after which a request that waited is given up.
    rate, burst
        Requests per second, and at once, that one client may send; a rate of 0 is no limit.
    api_keys_file
        A file with one SHA-256 of a key a line, in hexadecimal; without it no key is asked for.
    cors_origins
        Origins whose pages may call the service, with spaces between; none if empty.
    trusted_proxy
        The address of a proxy whose ``X-Forwarded-For`` is believed.
    log_requests
        Whether each request is logged.
    database_url
        Where corrections are kept; the usual place of this computer if empty, nowhere if ``none``.
    review_queue
        How many uncertain postings are kept for people to look at; none if 0.
    """

    workers: int = 1
    threads: int = 8
    max_body: int = 1 << 20
    queue: int = 128
    timeout: float = 10.0
    rate: float = 0.0
    burst: int = 20
    api_keys_file: Path | None = None
    cors_origins: tuple[str, ...] = ()
    trusted_proxy: str = ""
    log_requests: bool = True
    database_url: str = field(default="none", repr=False)  # there may be a password in it
    review_queue: int = 1_000
    key_hashes: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read settings, each from the variable of its name.

        Raises
        ------
        ClassifierError
            If a value is of no use; the message names the variable.
        """
        found: dict[str, Any] = {"database_url": ""}
        for own in fields(cls):
            text = environment.get(PREFIX + own.name.upper())
            if text is not None and own.name in _READERS:
                found[own.name] = _read(own.name, text.strip())
        if found.get("api_keys_file"):
            found["key_hashes"] = _keys(found["api_keys_file"])
        return cls(**found)


class _Reader(NamedTuple):
    """Reads a value, and says what it must be."""

    read: Callable[[str], Any]
    wanted: str


def _whole(least: int, most: int) -> _Reader:
    return _Reader(
        lambda text: _within(int(text), least, most), f"a whole number from {least} to {most}"
    )


def _number(least: float, most: float) -> _Reader:
    return _Reader(
        lambda text: _within(float(text), least, most), f"a number from {least:g} to {most:g}"
    )


def _within(number: Any, least: float, most: float) -> Any:
    if not least <= number <= most:
        raise ValueError
    return number


def _origins(text: str) -> tuple[str, ...]:
    found = tuple(text.split())
    if not all(_ORIGIN.fullmatch(own) for own in found):
        raise ValueError
    return found


_READERS = {
    "workers": _whole(1, 256),
    "threads": _whole(1, 256),
    "max_body": _whole(1_000, 1 << 30),
    "queue": _whole(1, 100_000),
    "timeout": _number(0.1, 3_600),
    "rate": _number(0, 1_000_000),
    "burst": _whole(1, 1_000_000),
    "api_keys_file": _Reader(Path, "a path"),
    "cors_origins": _Reader(
        _origins, "origins such as https://example.org, with spaces between them"
    ),
    "trusted_proxy": _Reader(str, "an address"),
    "database_url": _Reader(str, "the URL of a database, or none"),
    "review_queue": _whole(0, 1_000_000),
    "log_requests": _Reader({"1": True, "0": False}.__getitem__, "1 or 0"),
}


def _read(name: str, text: str) -> Any:
    reader = _READERS[name]
    try:
        return reader.read(text)
    except (ValueError, KeyError) as error:
        raise ClassifierError(
            f"{PREFIX}{name.upper()} is {text!r}; it must be {reader.wanted}"
        ) from error


def _keys(path: Path) -> frozenset[str]:
    """Read the hashes of keys; blank lines and what follows a # are left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise ClassifierError(f"{PREFIX}API_KEYS_FILE: {path} cannot be read") from error
    hashes = set()
    for number, line in enumerate(lines, 1):
        own = line.partition("#")[0].strip().lower()
        if own and not _HEX.fullmatch(own):
            raise ClassifierError(
                f"{path}, line {number}: not the SHA-256 of a key (64 hexadecimal digits)"
            )
        hashes |= {own} - {""}
    if not hashes:
        raise ClassifierError(f"{path}: there is no key in it, so nobody could call the service")
    return frozenset(hashes)


def hashed(key: str) -> str:
    """Return the SHA-256 of a key, as a file of keys holds it."""
    return hashlib.sha256(key.encode()).hexdigest()

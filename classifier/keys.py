"""64-bit keys for words, their pieces, pairs and titles: what stands for them in lookups.

Equal texts have equal keys whatever else has been read, so tables by key can be kept in a file.
Unequal ones share a key with a probability of about 1 in 10^19 a pair.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

_MIX, _PLACE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_BASE, _SECOND = np.uint64(0x9FB21C651E98DF25), np.uint64(0xA0761D6478BD642F)
_MIX_1, _PLACE_1, _BASE_1, _SECOND_1 = map(int, (_MIX, _PLACE, _BASE, _SECOND))
_ALL = 2**64 - 1
_BEGIN, _END = "<", ">"
_FEW = 8


def codes_of(text: str) -> np.ndarray:
    """Return the code points of a text.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    ndarray of shape (n_characters,)
        uint32.
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def word_keys(words: Sequence[str]) -> np.ndarray:
    """Return a key for each word.

    Parameters
    ----------
    words : sequence of shape (n_words,)
        Normalised words.

    Returns
    -------
    ndarray of shape (n_words,)
        uint64.
    """
    sizes = np.array([len(word) for word in words], dtype=np.int64)
    return sequence_keys(codes_of("".join(words)), sizes)


def sequence_keys(numbers: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return a key for each run of numbers; their order counts.

    Parameters
    ----------
    numbers : ndarray of shape (sizes.sum(),)
        Characters, or keys of words, run after run.
    sizes : ndarray of shape (n_runs,)
        How long each run is.

    Returns
    -------
    ndarray of shape (n_runs,)
        uint64; 0 for an empty run.
    """
    ends = np.cumsum(sizes)
    starts = ends - sizes
    place = (np.arange(len(numbers)) - np.repeat(starts, sizes)).astype(np.uint64)
    mixed = _mixed((numbers.astype(np.uint64) + np.uint64(1)) * _MIX + place * _PLACE)
    totals = np.append(np.uint64(0), np.cumsum(mixed, dtype=np.uint64))
    return np.asarray(totals[ends] - totals[starts])


def pair_keys(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return a key for each pair of words, from the words' keys.

    Parameters
    ----------
    first, second : ndarray of shape (n_pairs,)
        Keys of neighbours.

    Returns
    -------
    ndarray of shape (n_pairs,)
        uint64.
    """
    return np.asarray(first * _BASE + second * _SECOND)


def sequence_key(numbers: Iterable[int]) -> int:
    """Return the key that `sequence_keys` gives a single run of numbers."""
    total = 0
    for place, number in enumerate(numbers):
        mixed = ((number + 1) * _MIX_1 + place * _PLACE_1) & _ALL
        for _ in range(2):
            mixed = (mixed ^ (mixed >> 32)) * _MIX_1 & _ALL
        total += mixed ^ (mixed >> 29)
    return total & _ALL


def pair_key(first: int, second: int) -> int:
    """Return the key that `pair_keys` gives a single pair."""
    return (first * _BASE_1 + second * _SECOND_1) & _ALL


def prefix_sums(codes: np.ndarray) -> np.ndarray:
    """Return what `span_keys` needs to know of a text.

    Parameters
    ----------
    codes : ndarray of shape (n_characters,)
        Code points.

    Returns
    -------
    ndarray of shape (n_characters + 1,)
        uint64.
    """
    powers, _ = _powers(len(codes).bit_length())
    sums = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum(codes * powers[: len(codes)], out=sums[1:])
    return sums


def span_keys(sums: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return a key for each of some spans of a text: a polynomial of its characters.

    Parameters
    ----------
    sums : ndarray of shape (n_characters + 1,)
        As `prefix_sums` returns them.
    starts, stops : ndarray of shape (n_spans,)
        Where each begins, and where it has ended.

    Returns
    -------
    ndarray of shape (n_spans,)
        uint64; the same for the same characters, wherever they stand.
    """
    _, inverses = _powers((len(sums) - 1).bit_length())
    return np.asarray((sums[stops] - sums[starts]) * inverses[starts])


@lru_cache(maxsize=4)
def _powers(bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the powers of a base, and those of its inverse, modulo 2 to the 64th."""
    size = 1 << bits
    inverse = np.uint64(pow(int(_BASE), -1, 2**64))
    both = (np.full(size, number, dtype=np.uint64) for number in (_BASE, inverse))
    powers, inverses = (np.cumprod(numbers, dtype=np.uint64) for numbers in both)
    return powers, inverses


def piece_keys(words: Sequence[str], shortest: int, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a key for each piece of each word, as `classifier.features.TitleAnalyzer` cuts them.

    Parameters
    ----------
    words : sequence of shape (n_words,)
        Normalised words.
    shortest, longest
        Lengths of the pieces, in characters; the ends of a word count as one each.

    Returns
    -------
    ndarray of shape (n_pieces,), ndarray of shape (n_pieces,)
        The keys, and the position of the word that each is a piece of.
    """
    marked = [f"{_BEGIN}{word}{_END}" for word in words]
    sizes = np.array([len(word) for word in marked], dtype=np.int64)
    codes = codes_of("".join(marked))
    owner = np.repeat(np.arange(len(words)), sizes)
    size = sizes[owner]
    left = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(codes))  # characters to the end
    keys, owners = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    run = np.zeros(len(codes), dtype=np.uint64)
    for length in range(1, min(longest, len(codes)) + 1):
        last = len(codes) - length + 1
        run[:last] = run[:last] * _BASE + codes[length - 1 :]
        if length >= shortest:
            whole = (left >= length) & (size > length)
            keys.append(_mixed(run[whole] + np.uint64(length)))
            owners.append(owner[whole])
    return np.concatenate(keys), np.concatenate(owners)


def positions(index: "pd.Index[Any]", keys: np.ndarray) -> np.ndarray:
    """Look keys up.

    Parameters
    ----------
    index
        Keys, each once.
    keys : ndarray of shape (n_keys,)
        uint64.

    Returns
    -------
    ndarray of shape (n_keys,)
        The position of each among those of the index, -1 for those not there.
    """
    if len(keys) > _FEW:
        return index.get_indexer(pd.Index(keys))
    found = np.full(len(keys), -1)
    for n, key in enumerate(keys):  # pandas checks a list of keys for longer than it looks them up
        with suppress(KeyError):
            found[n] = index.get_loc(key)
    return found


def position(index: "pd.Index[Any]", key: int) -> int:
    """Look one key up: its position among those of an index, -1 if it is not there."""
    try:
        return int(index.get_loc(np.uint64(key)))  # type: ignore[arg-type]
    except KeyError:
        return -1


def key_of_piece(piece: str) -> np.uint64:
    """Return the key of a single piece of a word."""
    run = np.zeros(1, dtype=np.uint64)
    for code in codes_of(piece):
        run = run * _BASE + code
    return np.uint64(_mixed(run + np.uint64(len(piece)))[0])


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Spread what differs in a few bits over all."""
    for _ in range(2):
        numbers = numbers ^ (numbers >> np.uint64(32))
        numbers = numbers * _MIX
    return np.asarray(numbers ^ (numbers >> np.uint64(29)))

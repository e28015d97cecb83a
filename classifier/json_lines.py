"""JSON Lines and JSON documents, with schema.org's JobPosting: objects in, objects out."""

import json
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from io import TextIOWrapper
from typing import Any

from classifier.cells import Number, as_json, as_text, has_halves
from classifier.dialects import Survey, loosely, run_of, survey
from classifier.errors import InputError
from classifier.labels import is_probability
from classifier.sources import Source, readable
from classifier.tables import Chunk, Table, Writer, distinct, listed

MAX_DOCUMENT = 64 << 20
"""The longest JSON document that is read as a whole, in bytes; JSON Lines may be longer."""

MAX_DEPTH = 200
"""How deeply lists and objects may stand within each other."""

MAX_KEYS = 2_000
"""The most columns that objects of many kinds make up."""

_BLOCK = 1 << 20
_SAMPLE = 10_000
_BROKEN = "broken"
"""The key under which a line that is no JSON object is kept."""

_NO_OBJECT = "no JSON object"
_NO_CHARACTERS = "bytes that stand for no character"
_TEXTS = ("@value", "text", "name", "label")
_OF_ROWS = (
    "@graph", "@type", "title", "jobtitle", "titel", "befattning", "headline", "rubrik", "yrke",
    "tjänst", "position", "description",
)  # fmt: skip


def _parse(text: str) -> Any:
    """Read a JSON value; its numbers stay as they are written.

    Raises
    ------
    ValueError
        If it is none.
    RecursionError
        If it is nested too deeply.
    """
    value = json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)
    if text.count("{") + text.count("[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise RecursionError
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    members = value.values() if isinstance(value, dict) else value
    return isinstance(value, dict | list) and (
        levels == 0 or any(_is_deeper(member, levels - 1) for member in members)
    )


def postings_in(value: Any) -> list[Any] | None:
    """Return the objects of a JSON value that are rows.

    They are the value itself, the members of a list, or those of ``@graph``. Where some are
    schema.org's JobPosting, only they are.

    Returns
    -------
    list or None
        Members of a list that are no objects stand among them; None if there are no objects.
    """
    if isinstance(value, dict):
        graph = value.get("@graph")
        if not isinstance(graph, list):
            return [value]
        value = graph
    if not isinstance(value, list):
        return None
    objects = [member for member in value if isinstance(member, dict)]
    return [member for member in objects if is_job_posting(member)] or (value if objects else None)


def _unwrapped(value: Any) -> Any:
    """Return the only list of objects in an object that is no row, such as the hits of a search."""
    if not isinstance(value, dict) or any(loosely(key) in _OF_ROWS for key in value):
        return value
    lists = [v for v in value.values() if isinstance(v, list) and v]
    lists = [v for v in lists if all(isinstance(member, dict) for member in v)]
    return lists[0] if len(lists) == 1 else value


def is_job_posting(value: Mapping[str, Any]) -> bool:
    """Return whether an object is schema.org's JobPosting, however its type is written."""
    kinds = value.get("@type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return any(str(kind).rsplit("/", 1)[-1].rsplit(":", 1)[-1] == "JobPosting" for kind in kinds)


def text_of(value: Any) -> str:
    """Return the text of a value: of a list its members', of an object its text, name or label."""
    if isinstance(value, list):
        return "\n".join(filter(None, map(text_of, value)))
    if isinstance(value, dict):
        return next((text_of(value[key]) for key in _TEXTS if value.get(key)), "")
    return "" if value is None or isinstance(value, bool) else as_text(value)


@dataclass(frozen=True)
class JsonChunk(Chunk):
    """Some objects.

    Parameters
    ----------
    line
        The line of the file before the first of them.
    lines
        One JSON value each.
    header
        The names of the columns.
    paths
        Those, and dotted ones that go into nested objects.
    has_strays
        Whether there may be bytes in it that stand for nothing.
    """

    line: int
    lines: list[str]
    header: tuple[str, ...]
    paths: tuple[str, ...]
    has_strays: bool = False

    @cached_property
    def parsed(self) -> list[tuple[int, dict[str, Any], str | None]]:
        """For each row its line, its object, and that as text; None if it is broken."""
        found: list[tuple[int, dict[str, Any], str | None]] = []
        for n, text in enumerate(self.lines, self.line + 1):
            stripped = text.strip()
            if not stripped:
                continue
            rows = None
            if not (self.has_strays and has_halves(stripped)):
                with suppress(ValueError, RecursionError):
                    value = _parse(stripped)
                    rows = postings_in(value)
            if rows is None:
                found.append((n, {_BROKEN: text.rstrip("\r\n")}, None))
            elif len(rows) == 1 and rows[0] is value:
                found.append((n, value, stripped))
            else:
                found += [(n, *_member(row)) for row in rows]
        return found

    def __len__(self) -> int:
        return len(self.parsed)

    @cached_property
    def faults(self) -> Mapping[int, str]:
        return {
            n: _NO_CHARACTERS if self.has_strays and has_halves(row[_BROKEN]) else _NO_OBJECT
            for n, (_, row, text) in enumerate(self.parsed)
            if text is None
        }

    def place(self, row: int) -> int:
        return self.parsed[row][0]

    def column(self, position: int) -> list[str]:
        path = self.paths[position]
        return [text_of(_value(row, path)) for _, row, _ in self.parsed]

    @property
    def cells(self) -> list[list[Any]]:
        known = set(self.header)
        return [
            [
                *map(row.get, self.header),
                *(row.values() if text is None and _BROKEN not in known else ()),
            ]
            for _, row, text in self.parsed
        ]


def _member(value: Any) -> tuple[dict[str, Any], str | None]:
    """Return a member of a list as a row with its text."""
    text = as_json(value)
    return (value, text) if isinstance(value, dict) else ({_BROKEN: text}, None)


def _value(row: Mapping[str, Any], path: str) -> Any:
    """Return the value of a key, or of a dotted path of keys."""
    if path in row or "." not in path:
        return row.get(path)
    value: Any = row
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


class JsonTable(Table):
    """A file of JSON objects.

    Parameters
    ----------
    source
        The file.
    header
        The keys of its objects.
    written
        How its text is written.
    n_rows
        About how many there are.
    nested
        Dotted paths of the keys within them; empty if there are too many to tell.
    """

    def __init__(
        self,
        source: Source,
        header: list[str],
        written: Survey,
        n_rows: int,
        nested: Collection[str] = (),
    ) -> None:
        super().__init__(source.name, header, n_rows, source)
        self.written = written
        self.nested = nested
        self.format = source.format
        self._paths = list(header)
        if source.format == "json":
            self.place_name = "object"

    def column(self, wanted: str) -> int:
        """Return the position of a key, of a dotted path of keys, or by number."""
        if "." not in wanted or wanted in self.header or wanted.split(".")[0] not in self.header:
            return super().column(wanted)
        parent = wanted.rpartition(".")[0]
        beside = [path for path in self.nested if path.rpartition(".")[0] == parent]
        if beside and wanted not in self.nested:
            raise InputError(f"{self.name}: no key {wanted!r}; there are {listed(beside)}")
        self._paths.append(wanted)
        return len(self._paths) - 1

    def _chunks(self, size: int) -> Generator[JsonChunk, None, None]:
        header, paths = tuple(self.header), tuple(self._paths)
        with readable(self.name):
            for line, lines in self._lines(size):
                if any(map(str.strip, lines)):
                    yield JsonChunk(line, lines, header, paths, self.written.errors != "strict")

    def _lines(self, size: int) -> Iterator[tuple[int, list[str]]]:
        """Yield runs of lines, each with the number of lines before it."""
        if self.source.format == "json":
            lines = _document(self.source, self.written)
            yield from ((n, lines[n : n + size]) for n in range(0, len(lines), size))
            return
        with _text(self.source, self.written) as text:
            line = 0
            while lines := run_of(text, size):
                yield line, lines
                line += len(lines)


def _document(source: Source, written: Survey) -> list[str]:
    """Read a JSON document as if each of its objects stood on a line."""
    with _text(source, written) as text:
        content = text.read()
    if not content.strip():
        return []
    try:
        value = _parse(content)
    except RecursionError as error:
        raise InputError(f"{source.name}: nested too deeply") from error
    except ValueError as error:
        raise InputError(f"{source.name}: no JSON ({error})") from error
    rows = postings_in(_unwrapped(value))
    if rows is None and value not in ([], {}):
        raise InputError(f"{source.name}: no JSON objects in it; each row is an object")
    return list(map(as_json, rows or []))


def _text(source: Source, written: Survey) -> TextIOWrapper:
    return TextIOWrapper(source.open(), written.encoding, written.errors, newline="\n")


def _check_document(source: Source) -> None:
    """Refuse a document that is too long to be read as a whole."""
    n_bytes = 0
    with source.open() as raw:
        while block := raw.read(_BLOCK):
            n_bytes += len(block)
            if n_bytes > MAX_DOCUMENT:
                raise InputError(
                    f"{source.name}: longer than {MAX_DOCUMENT >> 20} MiB; save it as JSON Lines"
                )


def open_json(source: Source, encoding: str | None, *, all_keys: bool) -> JsonTable:
    """Read the keys of a file of JSON objects.

    Parameters
    ----------
    source
        The file.
    encoding
        As Python names it; None to find it out.
    all_keys
        Whether to read all of the file for them, or only its beginning.

    Returns
    -------
    JsonTable
        Its keys are the columns, in the order in which they first come.

    Raises
    ------
    InputError
        If it cannot be read, or has too many keys.
    """
    is_document = source.format == "json"
    with readable(source.name):
        if is_document:
            _check_document(source)
        with source.open() as raw:
            written = survey(raw, source.name, encoding, MAX_DOCUMENT if is_document else None)
    if is_document and written.errors != "strict":
        raise InputError(
            f"{source.name}: bytes that are not {written.encoding}; name another with --encoding"
        )
    keys: dict[str, None] = {}
    nested: dict[str, None] = {}
    seen = 0
    for chunk in JsonTable(source, [], written, 0)._chunks(_SAMPLE):
        for _, row, text in chunk.parsed:
            if text is not None:
                keys.update(dict.fromkeys(row))
                if len(nested) <= MAX_KEYS:
                    nested.update(dict.fromkeys(_nested(row)))
        seen += len(chunk)
        if len(keys) > MAX_KEYS:
            raise InputError(f"{source.name}: more than {MAX_KEYS} keys: {listed(list(keys))}")
        if not all_keys:
            break
    if not seen:
        raise InputError(f"{source.name}: there are no rows in it")
    if not keys:
        raise InputError(f"{source.name}: no JSON objects with keys in it; each row is one")
    n_rows = seen if is_document else written.n_lines
    return JsonTable(source, list(keys), written, n_rows, nested if len(nested) <= MAX_KEYS else ())


def _nested(row: Mapping[str, Any], parent: str = "") -> Iterator[str]:
    """Yield the dotted paths of the keys of objects within a row."""
    for key, value in row.items():
        if parent:
            yield parent + key
        if isinstance(value, dict):
            yield from _nested(value, f"{parent}{key}.")


class JsonWriter(Writer):
    """Writes rows as JSON objects, one a line or as a document.

    Parameters
    ----------
    header
        The names of the columns of the table.
    added
        The names of the columns of the label.
    excess
        The key of cells that have no column.
    document
        Whether the objects are the members of a list.
    """

    def __init__(
        self, header: Sequence[str], added: Sequence[str], excess: str, *, document: bool
    ) -> None:
        self.header = distinct(header)
        self.added = list(added)
        self.excess = excess
        self.document = document

    def head(self) -> bytes:
        return b"[" if self.document else b""

    def tail(self) -> bytes:
        return b"\n]\n" if self.document else b""

    def labels(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        rows = zip(*columns.values(), strict=True)
        return [
            ", ".join(
                f"{json.dumps(name)}: {_label_value(name, value)}"
                for name, value in zip(self.added, row, strict=True)
            )
            for row in rows
        ]

    def segment(self, chunk: Chunk, labels: Sequence[str], *, first: bool) -> bytes:
        if isinstance(chunk, JsonChunk):
            rows = [self._own(row, text) for _, row, text in chunk.parsed]
        else:
            width = len(self.header)
            faulty = chunk.faults
            rows = []
            for n, cells in enumerate(chunk.cells):
                row = dict(zip(self.header, cells[:width], strict=True))
                if n in faulty and len(cells) > width:
                    row[self.excess] = cells[width:]
                rows.append(as_json(row))
        joined = [
            f"{row[:-1].rstrip()}{', ' if row.strip('{} ') else ''}{label}}}"
            for row, label in zip(rows, labels, strict=True)
        ]
        if self.document:
            text = "".join(f",\n{line}" for line in joined)[first:]
        else:
            text = "".join(f"{line}\n" for line in joined)
        return text.encode("utf-8", "surrogateescape")

    def _own(self, row: Mapping[str, Any], text: str | None) -> str:
        clashing = [name for name in self.added if name in row]
        if clashing:
            raise InputError(
                f"there are objects with a key {clashing[0]!r} already; choose a prefix for the "
                "new ones with --prefix"
            )
        return text if text is not None else as_json(row)


def _label_value(name: str, value: str) -> str:
    """Write a cell of a label: numbers for probabilities, null where there is none."""
    if not value:
        return "[]" if name.endswith("candidates") else "null"
    if is_probability(name):
        return value
    if name.endswith("candidates"):
        pairs = (part.rpartition(":") for part in value.split("|"))
        return f"[{', '.join(_candidate(d, p) for d, _, p in pairs)}]"
    return json.dumps(value)


def _candidate(department: str, probability: str) -> str:
    return f'{{"department": {json.dumps(department)}, "confidence": {probability}}}'

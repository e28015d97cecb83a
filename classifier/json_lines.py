"""JSON Lines and JSON documents, with schema.org's JobPosting: objects in, objects out."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import TextIOWrapper
from itertools import islice
from typing import Any

from classifier.cells import Number, as_text, has_halves
from classifier.dialects import loosely, survey
from classifier.errors import InputError
from classifier.sources import Source, readable
from classifier.tables import Chunk, Table, Writer, distinct, listed

MAX_DOCUMENT = 256 << 20
"""The longest JSON document that is read as a whole, in bytes; JSON Lines may be longer."""

MAX_KEYS = 2_000
"""The most columns that objects of many kinds make up."""

_SAMPLE = 10_000
_BROKEN = "broken"
"""The key under which a line that is no JSON object is kept."""

_NO_OBJECT = "no JSON object"
_TEXTS = ("@value", "text", "name", "label")


def _parse(text: str) -> Any:
    return json.loads(text, parse_float=Number, parse_int=Number)


def postings_in(value: Any) -> list[dict[str, Any]] | None:
    """Return the objects of a JSON value that are rows.

    They are the value itself, the members of a list, those of ``@graph``, or those of the only
    list of objects in an object. Where some are schema.org's JobPosting, only they are.

    Returns
    -------
    list of dict or None
        None if there are none.
    """
    if isinstance(value, dict):
        graph = value.get("@graph")
        lists = [v for v in value.values() if isinstance(v, list) and v and _objects(v)]
        if isinstance(graph, list):
            found = graph
        elif len(lists) == 1 and not any(loosely(k) in _TITLES for k in value):
            found = lists[0]
        else:
            return [value]
    elif isinstance(value, list):
        found = value
    else:
        return None
    own = [member for member in found if isinstance(member, dict) and _is_posting(member)]
    found = own or found
    return found if found and _objects(found) else None


_TITLES = ("title", "titel", "jobtitle", "headline", "rubrik", "@type")


def _objects(values: Sequence[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _is_posting(value: Mapping[str, Any]) -> bool:
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
    """

    line: int
    lines: list[str]
    header: tuple[str, ...]
    paths: tuple[str, ...]

    @cached_property
    def parsed(self) -> list[tuple[int, dict[str, Any], str | None]]:
        """For each row its line, its object, and its text if it is written as one line."""
        found: list[tuple[int, dict[str, Any], str | None]] = []
        for n, text in enumerate(self.lines, self.line + 1):
            stripped = text.strip()
            if not stripped:
                continue
            try:
                value = _parse(stripped)
            except (ValueError, RecursionError):
                value = None
            rows = postings_in(value)
            if rows is None:
                found.append((n, {_BROKEN: text.rstrip("\r\n")}, None))
            elif len(rows) == 1 and rows[0] is value:
                found.append((n, value, stripped))
            else:
                found += [(n, row, None) for row in rows]
        return found

    def __len__(self) -> int:
        return len(self.parsed)

    @cached_property
    def faults(self) -> Mapping[int, str]:
        return {
            n: _NO_OBJECT for n, (_, row, text) in enumerate(self.parsed) if _is_broken(row, text)
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
            [*(row.get(name) for name in self.header), *_excess(row, known, text)]
            for _, row, text in self.parsed
        ]


def _is_broken(row: Mapping[str, Any], text: str | None) -> bool:
    return text is None and list(row) == [_BROKEN]


def _excess(row: Mapping[str, Any], known: set[str], text: str | None) -> list[Any]:
    return list(row.values()) if _is_broken(row, text) and _BROKEN not in known else []


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
    encoding
        As Python names it.
    n_rows
        About how many there are.
    """

    def __init__(self, source: Source, header: list[str], encoding: str, n_rows: int) -> None:
        super().__init__(source.name, header, n_rows, source)
        self.encoding = encoding
        self.format = source.format
        self._paths = list(header)
        if source.format == "json":
            self.place_name = "object"

    def column(self, wanted: str) -> int:
        """Return the position of a key, of a dotted path of keys, or by number."""
        if "." in wanted and wanted not in self.header and wanted.split(".")[0] in self.header:
            self._paths.append(wanted)
            return len(self._paths) - 1
        return super().column(wanted)

    def _chunks(self, size: int) -> Generator[JsonChunk, None, None]:
        header, paths = tuple(self.header), tuple(self._paths)
        with readable(self.name):
            for line, lines in self._lines(size):
                if any(map(str.strip, lines)):
                    yield JsonChunk(line, lines, header, paths)

    def _lines(self, size: int) -> Iterator[tuple[int, list[str]]]:
        """Yield runs of lines, each with the number of lines before it."""
        if self.source.format == "json":
            lines = _document(self.source, self.encoding)
            yield from ((n, lines[n : n + size]) for n in range(0, len(lines), size))
            return
        with _text(self.source, self.encoding) as text:
            line = 0
            while lines := list(islice(text, size)):
                yield line, lines
                line += len(lines)


def _document(source: Source, encoding: str) -> list[str]:
    """Read a JSON document as if each of its objects stood on a line."""
    with _text(source, encoding) as text:
        content = text.read(MAX_DOCUMENT + 1)
    if len(content) > MAX_DOCUMENT:
        raise InputError(
            f"{source.name}: longer than {MAX_DOCUMENT >> 20} MiB; save it as JSON Lines"
        )
    try:
        value = _parse(content)
    except RecursionError as error:
        raise InputError(f"{source.name}: nested too deeply") from error
    except ValueError as error:
        raise InputError(f"{source.name}: no JSON ({error})") from error
    rows = postings_in(value)
    if rows is None and value not in ([], {}):
        raise InputError(f"{source.name}: no JSON objects in it; each row is an object")
    return list(map(_dumped, rows or []))


def _text(source: Source, encoding: str) -> TextIOWrapper:
    return TextIOWrapper(source.open(), encoding, "surrogateescape", newline="\n")


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
    n_rows = 0
    with readable(source.name), source.open() as raw:
        if source.format == "json":
            start = raw.read(4)
            encoding = encoding or json.detect_encoding(start)
        else:
            found = survey(raw, source.name, encoding)
            encoding, n_rows = found.encoding, found.n_lines
    keys: dict[str, None] = {}
    seen = 0
    for chunk in JsonTable(source, [], encoding, 0)._chunks(_SAMPLE):
        for _, row, text in chunk.parsed:
            if not _is_broken(row, text):
                keys.update(dict.fromkeys(row))
        seen += len(chunk)
        if len(keys) > MAX_KEYS:
            raise InputError(f"{source.name}: more than {MAX_KEYS} keys: {listed(list(keys))}")
        if not all_keys:
            break
    if not seen:
        raise InputError(f"{source.name}: there are no rows in it")
    return JsonTable(source, list(keys), encoding, n_rows or seen)


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
                row = dict(zip(self.header, map(_plain, cells[:width]), strict=True))
                if n in faulty and len(cells) > width:
                    row[self.excess] = list(map(_plain, cells[width:]))
                rows.append(_dumped(row))
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
        return text if text is not None else _dumped(row)


def _plain(value: Any) -> Any:
    """Return a cell as a value of JSON."""
    if value is None or isinstance(value, bool | int | dict | list | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    return as_text(value)


def _dumped(value: Any) -> str:
    """Write a parsed value; numbers stay as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_dumped(k)}: {_dumped(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_dumped, value))}]"
    # half a character, which UTF-8 has no bytes for, can only be written as an escape
    return json.dumps(value, ensure_ascii=isinstance(value, str) and has_halves(value))


def _label_value(name: str, value: str) -> str:
    """Write a cell of a label: numbers for probabilities, null where there is none."""
    if not value:
        return "[]" if name.endswith("candidates") else "null"
    if name.endswith("confidence"):
        return value
    if name.endswith("candidates"):
        pairs = (part.rpartition(":") for part in value.split("|"))
        return f"[{', '.join(_candidate(d, p) for d, _, p in pairs)}]"
    return json.dumps(value)


def _candidate(department: str, probability: str) -> str:
    return f'{{"department": {json.dumps(department)}, "confidence": {probability}}}'

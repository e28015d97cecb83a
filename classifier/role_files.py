"""Files of roles, TOML or a workbook for each department: read as they stand, and written."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from classifier.cells import as_text
from classifier.errors import TrainingDataError
from classifier.places import Lines, nearest
from classifier.spreadsheets import Sheet, read_sheets, write_sheets
from classifier.taxonomy import LANGUAGE, read_lines

CODES = ("isco", "ssyk")
FIELDS = ("id", "department", *CODES, "seniority")
"""What a role has besides its texts."""

KINDS = {"titles": "title", "duties": "duty"}
"""The lists of texts of a role, and what one of them is called."""

ENDINGS = (".toml", ".xlsx")
"""The endings of files of roles."""

_NAME = "name "
_NOTE = "note"
_SPECIAL = re.compile(r'[\x00-\x08\x0a-\x1f\x7f\\"]')
_SPECIAL_IN_LINES = re.compile(_SPECIAL.pattern.replace('"', "") + '|"(?=")')


@dataclass(frozen=True)
class RoleEntry:
    """A role as it stands in a file, unchecked.

    Parameters
    ----------
    place, department_place
        Where it stands, and where its department: file and line, or file, sheet and row.
    fields
        What it has besides texts, as they stand there; ``department`` may come of the file.
    texts
        Language code to ``name``, ``titles`` and ``duties``; lists have an entry a line.
    find
        Returns where a text stands, from the language, ``titles`` or ``duties``, and the text.
    """

    place: str
    department_place: str
    fields: Mapping[str, Any]
    texts: Mapping[str, Mapping[str, Any]]
    find: Callable[[str, str, str], str]


def split_lines(block: object) -> tuple[str, ...]:
    """Return the lines of a block that are not empty."""
    stripped = (line.strip() for line in str(block).splitlines())
    return tuple(line for line in stripped if line)


def role_files(directory: Path) -> list[Path]:
    """List the files of roles in a directory, but not what an open Excel puts beside them."""
    found = directory.iterdir() if directory.is_dir() else ()
    own = (path for path in found if path.suffix.lower() in ENDINGS and path.is_file())
    seen = (path for path in own if not path.name.startswith(("~$", ".")))
    return sorted(seen, key=lambda path: (path.stem, path.suffix))


def read_roles(path: Path) -> tuple[list[RoleEntry], list[str]]:
    """Read a file of roles.

    Parameters
    ----------
    path
        A ``.toml`` or ``.xlsx`` file.

    Returns
    -------
    list of RoleEntry
        Its roles, in order.
    list of str
        Problems, each with its place.
    """
    problems: list[str] = []
    reader = _read_workbook if path.suffix.lower() == ".xlsx" else _read_toml
    try:
        return list(reader(path, problems)), problems
    except TrainingDataError as error:
        return [], [*problems, str(error)]


def _read_toml(path: Path, problems: list[str]) -> Iterator[RoleEntry]:
    document, lines = read_lines(path)
    for name in sorted(set(document) - {"department", "roles"}):
        problems.append(f"{lines.place(lines.key(name))}: unknown field {name}")
    entries = document.get("roles", [])
    if not (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)):
        raise TrainingDataError(f"{path}: each role must begin with a line [[roles]]")
    if not entries:
        problems.append(f"{path}: no roles; add one, or take the file away")
    starts = lines.tables("roles")
    starts += [1] * (len(entries) - len(starts))
    ends = [*(start - 1 for start in starts[1:]), len(lines.lines)]
    for entry, start, end in zip(entries, starts, ends, strict=False):
        fields = {name: value for name, value in entry.items() if not isinstance(value, dict)}
        if "department" in document:
            fields.setdefault("department", document["department"])
        texts = {name: value for name, value in entry.items() if isinstance(value, dict)}
        place = lines.place(min(lines.key("id", start), end))
        in_role = "department" in entry
        own = lines.place(lines.key("department", start if in_role else 1))
        yield RoleEntry(place, own, fields, texts, partial(_find_line, lines, start, end))


def _find_line(lines: Lines, start: int, end: int, language: str, kind: str, text: str) -> str:
    """Return the place of a text of a role whose lines are given."""
    table = next((n for n in lines.tables("roles", language) if start <= n <= end), start)
    after = lines.key(kind, table) if kind else table
    return lines.place(lines.value(text, min(after, end), end))


@dataclass
class _Role:
    """A role of a workbook while its texts are gathered."""

    place: str
    fields: dict[str, Any]
    names: dict[str, str]
    texts: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def add(self, language: str, kind: str, text: str, place: str) -> None:
        own = self.texts.setdefault(language, {})
        own[kind] = f"{own[kind]}\n{text}" if kind in own else text
        for line in split_lines(text):
            self.places[language, kind, line] = place

    def find(self, language: str, kind: str, text: str) -> str:
        return self.places.get((language, kind, text), self.place)

    def entry(self) -> RoleEntry:
        for language, name in self.names.items():
            self.texts.setdefault(language, {})["name"] = name
        return RoleEntry(self.place, self.place, self.fields, self.texts, self.find)


def _read_workbook(path: Path, problems: list[str]) -> Iterator[RoleEntry]:
    sheets = read_sheets(path)
    for name in ("roles", *KINDS):
        if name not in sheets:
            raise TrainingDataError(f"{path}: no sheet called {name}; there must be one")
    found: dict[str, _Role] = {}
    doubled = []
    for row in _rows(path, sheets["roles"], FIELDS, problems):
        names = {
            column.removeprefix(_NAME): text
            for column, text in row.cells.items()
            if column.startswith(_NAME) and text
        }
        fields = {name: row.cells[name] for name in FIELDS if row.cells.get(name)}
        own = _Role(row.place, fields, names)
        if own.fields.get("id", "") in found:
            doubled.append(own)
        else:
            found[own.fields.get("id", "")] = own
    strangers: dict[str, list[str]] = {}
    for kind, one in KINDS.items():
        for row in _rows(path, sheets[kind], ("role", "language", one), problems):
            key, language, text = (row.cells[name] for name in ("role", "language", one))
            if key not in found:
                strangers.setdefault(key, []).append(row.place)
            elif not (language and text.strip()):
                problems.append(f"{row.place}: no {'language' if text else one}; fill it in")
            else:
                found[key].add(language, kind, text, row.place)
    for key, (first, *others) in strangers.items():
        more = f" (and {len(others):,} more)" if others else ""
        problems.append(f"{first}{more}: unknown role {key!r}; {_known(key, found)}")
    if not found:
        problems.append(f"{path}: no roles; add one, or take the file away")
    yield from (own.entry() for own in [*found.values(), *doubled])


def _known(key: str, found: Iterable[str]) -> str:
    meant = nearest(key, list(found))
    return meant if meant.endswith("?") else "it must stand in the sheet roles"


@dataclass(frozen=True)
class _Row:
    """A row of a sheet: where it stands, and its texts by column."""

    place: str
    cells: Mapping[str, str]


def _rows(path: Path, sheet: Sheet, wanted: Sequence[str], problems: list[str]) -> Iterator[_Row]:
    """Yield the rows of a sheet; say which columns are missing or not known."""
    columns = [_column(text) for text in sheet.header]
    place = f"{path}, {sheet.name}"
    needed = wanted if wanted[0] == "role" else ("id", "department")
    missing = [name for name in needed if name not in columns]
    if missing:
        raise TrainingDataError(f"{place}, row 1: no column {', '.join(missing)}")
    for n, column in enumerate(columns):
        names = wanted if wanted[0] == "role" else (*wanted, "name en")
        if column in columns[:n] and column:
            problems.append(f"{place}, row 1: two columns {column}; take one away")
        elif column not in (*wanted, _NOTE, "") and not _is_name(column, wanted):
            meant = nearest(column, names)
            problems.append(f"{place}, row 1: unknown column {column!r}; {meant}")
    for number, cells in sheet.rows:
        at = f"{place}, row {number}"
        yield _Row(
            at,
            {
                column: _text(cell, column, at, problems)
                for column, cell in zip(columns, (*cells, *[""] * len(columns)), strict=False)
                if column not in ("", _NOTE)
            },
        )


def _column(text: str) -> str:
    """Return a heading in one spelling; the code of a language keeps its letters."""
    head, _, language = text.partition(" ")
    return (
        f"{_NAME}{language.strip()}" if language and head.casefold() == "name" else text.casefold()
    )


def _is_name(column: str, wanted: Sequence[str]) -> bool:
    language = column.removeprefix(_NAME)
    return "id" in wanted and language != column and bool(LANGUAGE.fullmatch(language))


def _text(cell: Any, column: str, place: str, problems: list[str]) -> str:
    """Return a cell as text; a number that Excel made of a code gets its zero back."""
    if isinstance(cell, date | time | timedelta):
        problems.append(
            f"{place}: {column} is a date to Excel; format the cell as Text and write it again"
        )
    text = as_text(cell).strip()
    if column in CODES and not isinstance(cell, str) and text in ("110", "210", "310"):
        return text.zfill(4)  # the armed forces, the only codes that begin so
    return text


def write_toml(path: Path, entries: Sequence[RoleEntry]) -> None:
    """Write roles as TOML.

    Parameters
    ----------
    path
        Where to.
    entries
        Roles that were checked.
    """
    common = entries[0].fields["department"]
    blocks = [f"department = {_quoted(common)}\n"]
    for entry in entries:
        lines = ["[[roles]]"]
        lines += [
            f"{name} = {_quoted(entry.fields[name])}"
            for name in FIELDS
            if name in entry.fields and (name, entry.fields[name]) != ("department", common)
        ]
        for language, own in entry.texts.items():
            lines += ["", f"[roles.{language}]", f"name = {_quoted(own['name'].strip())}"]
            for kind in KINDS:
                if texts := split_lines(own.get(kind, "")):
                    escaped = (_SPECIAL_IN_LINES.sub(_escape, text) for text in texts)
                    lines += [f'{kind} = """', *escaped, '"""']
        blocks.append("\n".join(lines) + "\n")
    path.write_text("\n".join(blocks), encoding="utf-8")


def _quoted(text: str) -> str:
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    """Write a character so that TOML reads it as it is."""
    return f"\\{found[0]}" if found[0] in '\\"' else f"\\u{ord(found[0]):04X}"


def write_workbook(path: Path, entries: Sequence[RoleEntry]) -> None:
    """Write roles as a workbook.

    Parameters
    ----------
    path
        Where to.
    entries
        Roles that were checked.

    Raises
    ------
    TrainingDataError
        If a text is longer than a cell of Excel may be.
    """
    languages = list(dict.fromkeys(language for entry in entries for language in entry.texts))
    roles = [[*FIELDS, *(_NAME + language for language in languages)]]
    sheets: dict[str, list[list[str]]] = {"roles": roles}
    for kind, one in KINDS.items():
        sheets[kind] = [["role", "language", one]]
    for entry in entries:
        names = [str(entry.texts.get(own, {}).get("name", "")).strip() for own in languages]
        roles.append([*(entry.fields.get(name, "") for name in FIELDS), *names])
        for language, own in entry.texts.items():
            for kind in KINDS:
                texts = split_lines(own.get(kind, ""))
                sheets[kind] += [[entry.fields["id"], language, text] for text in texts]
    write_sheets(path, sheets)

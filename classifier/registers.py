"""Official registers of occupations: the titles they know, read from their downloads."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.crosswalk import ISCO_08, SOC_2018, SSYK_2012, Standard
from classifier.downloads import CHANGED, files_named, read_rows, read_text
from classifier.errors import InputError
from classifier.tables import listed

_OCCUPATIONS = re.compile(r"occupations_([a-z]{2,3}(?:-[a-z]+)?)\.csv", re.IGNORECASE)
_LABELS = ("preferredLabel", "altLabels", "hiddenLabels")
_ONET_FILES = {
    "Occupation Data.txt": ("Title",),
    "Alternate Titles.txt": ("Alternate Title", "Short Title"),
    "Sample of Reported Titles.txt": ("Reported Job Title",),
}
_NO_TITLE = ("", "n/a")
_REMAINDER = ", All Other"


@dataclass(frozen=True)
class Entry:
    """A title in a register.

    Parameters
    ----------
    title
        As it stands there.
    code
        The group of the register's classification that it belongs to.
    language
        Code of its language.
    source
        The file it was read from.
    """

    title: str
    code: str
    language: str
    source: str


def esco_languages(directory: Path) -> dict[str, Path]:
    """Return the files of occupations in a download of ESCO, by language.

    Raises
    ------
    InputError
        If there are none.
    """
    found = {name[1].lower(): path for path, name in files_named(directory, _OCCUPATIONS)}
    if not found:
        raise InputError(
            f"{directory}: no ESCO classification; expected occupations_XX.csv, XX being a language"
        )
    return found


def read_esco(
    directory: Path, languages: Collection[str], skipped: Counter[str]
) -> Iterator[Entry]:
    """Read the labels of occupations in a download of the ESCO classification as CSV.

    Parameters
    ----------
    directory
        Holds ``occupations_XX.csv``, XX being a language.
    languages
        Those to read; all that there are if empty.
    skipped
        Counts what is left out, by reason.

    Yields
    ------
    Entry
        Each label, preferred, alternative or hidden; those of an occupation are given once.

    Raises
    ------
    InputError
        If there is no such file, or one is not as published; the message names file and line.
    """
    files = esco_languages(directory)
    for language in languages or files:
        if language.lower() not in files:
            raise InputError(
                f"{directory}: no occupations_{language}.csv; there are {', '.join(files)}"
            )
    for language in dict.fromkeys(own.lower() for own in languages or files):
        path = files[language]
        for line, row in read_rows(path, ",", ("iscoGroup", "preferredLabel", "altLabels")):
            kind, status = row.get("conceptType", "Occupation"), row.get("status", "released")
            if kind != "Occupation" or status != "released":
                skipped["occupations that are not, or no longer, released"] += 1
                continue
            code = _code(ISCO_08, row["iscoGroup"], f"{path}:{line}, column iscoGroup")
            labels = (part.strip() for name in _LABELS for part in row.get(name, "").splitlines())
            for title in dict.fromkeys(filter(None, labels)):
                yield Entry(title, code, language, path.name)


def read_onet(directory: Path, skipped: Counter[str]) -> Iterator[Entry]:
    """Read the titles in the text files of an O*NET database.

    Parameters
    ----------
    directory
        Holds ``Occupation Data.txt``, ``Alternate Titles.txt`` and ``Sample of Reported
        Titles.txt``, or some of them.
    skipped
        Counts what is left out, by reason.

    Yields
    ------
    Entry
        Each title, long and short.

    Raises
    ------
    InputError
        If there is no such file, or one is not as published; the message names file and line.
    """
    pattern = re.compile("|".join(map(re.escape, _ONET_FILES)), re.IGNORECASE)
    files = {name[0].lower(): path for path, name in files_named(directory, pattern)}
    if not files:
        raise InputError(f"{directory}: no O*NET database; expected {', '.join(_ONET_FILES)}")
    for name, columns in _ONET_FILES.items():
        path = files.get(name.lower())
        if path is None:
            skipped[f"file that is not there: {name}"] += 1
            continue
        for line, row in read_rows(path, "\t", ("O*NET-SOC Code", *columns)):
            code = _code(SOC_2018, row["O*NET-SOC Code"], f"{path}:{line}, column O*NET-SOC Code")
            titles = [row[column].strip() for column in columns]
            # "Chief Diversity Officer (CDO)" beside "CDO": each on its own
            titles[0] = titles[0].removesuffix(f" ({titles[-1]})")
            for title in titles:
                if title.endswith(_REMAINDER):
                    skipped["names of what is left over in a group (…, All Other)"] += 1
                elif title not in _NO_TITLE:
                    yield Entry(title, code, "en", path.name)


def read_jobtech(path: Path, skipped: Counter[str]) -> Iterator[Entry]:
    """Read the occupation names in an answer of the JobTech taxonomy.

    Parameters
    ----------
    path
        JSON: a list of concepts, alone or below ``concepts`` or ``data``; groups of SSYK 2012 with
        their occupation names below ``narrower``, or names with their group below ``broader``.
    skipped
        Counts what is left out, by reason.

    Yields
    ------
    Entry
        Each name, preferred or alternative.

    Raises
    ------
    InputError
        If it is no such answer; the message names the place.
    """
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}:{error.lineno}, column {error.colno}: not JSON ({error.msg})"
        ) from error
    except RecursionError as error:
        raise InputError(f"{path}: nested too deep for an answer of JobTech") from error
    where = "the answer"
    while isinstance(document, dict) and len(found := set(document) & {"data", "concepts"}) == 1:
        where = found.pop()
        document = document[where]
    if not isinstance(document, list):
        raise InputError(f"{path}: no list of concepts in {where}; {CHANGED}")
    for n, concept in enumerate(document, 1):
        yield from _Concepts(path, skipped).read(concept, f"concept {n}", None)


@dataclass(frozen=True)
class _Concepts:
    """Reads concepts and those below them."""

    path: Path
    skipped: Counter[str]

    def read(self, concept: object, place: str, above: str | None) -> Iterator[Entry]:
        if not isinstance(concept, dict):
            raise InputError(f"{self.path}: {place} is no object; {CHANGED}")
        own = _normal(concept)
        kind = str(own.get("type", "occupation-name" if above else "ssyk-level-4"))
        if own.get("deprecated") is True:
            self.skipped["concepts that are deprecated"] += 1
            return
        if kind == "occupation-name":
            yield from self._names(own, place, above)
        elif kind == "ssyk-level-4":
            above = self._group(own, place)
        elif not own.get("narrower"):
            self.skipped[f"concepts of type {kind}"] += 1
        for n, narrower in enumerate(_list(own.get("narrower")), 1):
            yield from self.read(narrower, f"{place}, narrower {n}", above)

    def _group(self, own: Mapping[str, Any], place: str) -> str:
        if "ssyk_code_2012" not in own:
            raise InputError(
                f"{self.path}: {place} has no ssyk_code_2012, but {listed(list(own))}; {CHANGED}"
            )
        return _code(SSYK_2012, str(own["ssyk_code_2012"]), f"{self.path}: {place}, ssyk_code_2012")

    def _names(self, own: Mapping[str, Any], place: str, above: str | None) -> Iterator[Entry]:
        for n, broader in enumerate(_list(own.get("broader")), 1):
            if isinstance(broader, dict) and above is None:
                normal = _normal(broader)
                if normal.get("type", "ssyk-level-4") == "ssyk-level-4":
                    above = self._group(normal, f"{place}, broader {n}")
        if above is None:
            self.skipped["occupation names without a group of SSYK 2012"] += 1
            return
        if not isinstance(own.get("preferred_label"), str):
            raise InputError(f"{self.path}: {place} has no preferred_label; {CHANGED}")
        for title in (own["preferred_label"], *_list(own.get("alternative_labels"))):
            if isinstance(title, str) and title.strip():
                yield Entry(title.strip(), above, "sv", self.path.name)


def _normal(concept: Mapping[str, Any]) -> dict[str, Any]:
    """Return a concept with its keys in one spelling: there is taxonomy/preferred-label, too."""
    return {key.removeprefix("taxonomy/").replace("-", "_"): own for key, own in concept.items()}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def _code(standard: Standard, text: str, place: str) -> str:
    code = standard.code(text)
    if code is None:
        raise InputError(f"{place}: {text!r} is no code of {standard.name}; {CHANGED}")
    return code

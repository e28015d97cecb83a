"""The page for people: a posting or a file in, what it is and why out, in Swedish or English."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Flask, Response, abort, current_app, redirect, request, url_for
from flask import render_template as rendered
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from api import metrics
from api.schemas import MAX_DESCRIPTION, MAX_TITLE
from api.settings import Settings
from classifier import Explanation, JobTitleClassifier
from classifier.batch import (
    ERROR,
    Columns,
    Labelled,
    Options,
    check_names,
    find_columns,
    label_cells,
    segments,
)
from classifier.delimited import CsvOptions, CsvTable, CsvWriter, open_csv
from classifier.errors import InputError
from classifier.explanation import WordWeight
from classifier.postings import Posting
from classifier.sources import Source, open_source
from classifier.summary import Summary
from classifier.tables import listed
from classifier.taxonomy import read_toml
from classifier.text import plain

LANGUAGES = ("en", "sv")
"""The languages of the page; the first is for browsers that want neither."""

ROWS = 200
"""How many rows of a file are shown."""

MAX_LINK = 1_400_000
"""Bytes of a labelled file that the page itself holds: browsers take links of 2 MiB."""

_SHOWN_TEXT = 20_000  # characters of a posting whose words are marked
_SHOWN_TITLE = 150  # characters of a title in a table
_STEPS = (0.05, 0.2, 0.5)  # shares of the strongest word's weight at which a mark is stronger
_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_YEAR = 365 * 24 * 60 * 60

page = Blueprint("page", __name__, template_folder="templates")


class _Fault(Exception):  # noqa: N818 - what a person did that cannot be answered
    """A text of the page that says what is wrong, its words, and the status."""

    def __init__(self, text: str, status: int = 422, **words: str) -> None:
        super().__init__(text)
        self.text, self.status, self.words = text, status, words


@dataclass(frozen=True)
class Span:
    """A run of a text; how strongly it spoke for the department, 0-3."""

    text: str
    strength: int


@dataclass(frozen=True)
class Wording:
    """Names, numbers and sentences in one language.

    Parameters
    ----------
    language
        One of `LANGUAGES`.
    texts
        Its texts.
    model
        Knows the names of labels.
    """

    language: str
    texts: dict[str, Any]
    model: JobTitleClassifier

    def department(self, key: str) -> str:
        """Return the name of a department."""
        return self.model.taxonomy.departments[key].names.get(self.language, key)

    def category(self, key: str) -> str:
        """Return the name of a category."""
        return self.model.taxonomy.category_names[key].get(self.language, key)

    def role(self, key: str) -> str:
        """Return the name of a role."""
        names = next(role.names for role in self.model.roles if role.id == key)
        return names.get(self.language, key)

    def percent(self, share: float) -> str:
        """Return a share, 0-1, as a whole percentage; none or all only if it is so."""
        whole = f"{round(share * 100)}"
        if 0 < share < 0.005:
            whole = "<1"
        elif 0.995 < share < 1:
            whole = ">99"
        return whole + ("\u00a0%" if self.language == "sv" else "%")

    def number(self, number: int) -> str:
        """Return a number with its thousands apart."""
        return f"{number:,}".replace(",", "\u00a0" if self.language == "sv" else ",")

    def size(self, n_bytes: int) -> str:
        """Return a number of bytes."""
        if n_bytes < 1 << 20:
            return f"{n_bytes >> 10} kB"
        return f"{n_bytes / (1 << 20):.3g} MB"

    def say(self, text: str, **words: str) -> str:
        """Return one of the texts, filled in."""
        return str(self.texts[text].format(**words))

    def basis(self, explanation: Explanation) -> str:
        """Say why a category is what it is."""
        label = explanation.label
        return str(self.texts["basis"][label.category_basis or ""]).format(
            department=self.department(label.department or ""),
            category=self.category(label.category or "").lower(),
            role=self.role(label.role or ""),
        )


@dataclass(frozen=True)
class Word:
    """A word with its weight, and the share of the strongest word's, 0-1."""

    text: str
    source: str
    weight: float
    share: float


def _strongest(words: Sequence[WordWeight], n_words: int = 5) -> list[Word]:
    """Return the words that weighed most, for or against; the same word is counted once."""
    sums: dict[tuple[str, str], float] = {}
    names: dict[tuple[str, str], str] = {}
    for word in words:
        key = (word.text.casefold(), word.source)
        sums[key] = sums.get(key, 0.0) + word.weight
        names.setdefault(key, word.text)
    ranked = sorted(sums.items(), key=lambda item: -abs(item[1]))[:n_words]
    most = max((abs(weight) for _, weight in ranked), default=0.0) or 1.0
    return [
        Word(names[key], key[1], weight, abs(weight) / most)
        for key, weight in ranked
        if abs(weight) >= most * _STEPS[0]
    ]


def _marked(title: str, description: str, words: Sequence[WordWeight]) -> list[list[Span]]:
    """Mark the words that spoke for the department in a title and in a description.

    Words come in the order of the text, and what stands between two of them holds no letter that
    is theirs: the next place where one stands is its own.
    """
    posting = Posting.read(title, description)
    text = plain(description)
    if title and not posting.title:  # so long a title is read as text
        text = f"{plain(title)}\n{text}"
    sources = (("title", posting.title), ("description", text.strip()[:_SHOWN_TEXT]))
    return [
        list(_spans(own, [word for word in words if word.source == source]))
        for source, own in sources
    ]


def _spans(text: str, words: Sequence[WordWeight]) -> Iterator[Span]:
    most = max((word.weight for word in words), default=0.0)
    written = after = 0
    for word in words:
        start = text.find(word.text, after)
        if start < 0:
            continue  # beyond what is shown
        after = start + len(word.text)
        strength = sum(word.weight >= most * step for step in _STEPS) if word.weight > 0 else 0
        if strength:
            if start > written:
                yield Span(text[written:start], 0)
            yield Span(word.text, strength)
            written = after
    if written < len(text):
        yield Span(text[written:], 0)


@dataclass(frozen=True)
class Row:
    """A row of a file as the table shows it; ids are empty where there is no label."""

    place: int
    text: str
    status: str
    department: str
    category: str
    role: str
    seniority: str
    confidence: float | None


@dataclass(frozen=True)
class Overview:
    """What was found in a file.

    Parameters
    ----------
    name
        What the file was called.
    summary
        Its rows by status, department and category.
    rows
        The first of them.
    link
        The labelled file as an address of its own; empty if it is too large.
    link_name
        What that is called.
    """

    name: str
    summary: Summary
    rows: list[Row]
    link: str
    link_name: str

    @property
    def groups(self) -> list[tuple[str, int, list[tuple[str, int]]]]:
        """Categories with their rows, and the departments in them, most rows first."""
        found: dict[str, list[tuple[str, int]]] = {}
        for department, category, n in self.summary.departments():
            found.setdefault(category, []).append((department, n))
        groups = [(category, sum(n for _, n in own), own) for category, own in found.items()]
        return sorted(groups, key=lambda group: -group[1])

    def named(self, part: str, name: Callable[[str], str]) -> list[tuple[str, str]]:
        """List what the rows that are shown have of one kind, by name."""
        found = {getattr(row, part) for row in self.rows} - {""}
        return sorted(((key, name(key)) for key in found), key=lambda item: item[1].casefold())

    @property
    def largest(self) -> int:
        """The rows of the largest bar, at least 1."""
        silent = [n for status, n in self.summary.statuses.items() if status != "labelled"]
        return max([1, *silent, *(n for *_, n in self.summary.departments())])


class _Upload:
    """A CSV file that was sent, opened in a directory of its own.

    Parameters
    ----------
    sent
        The file.
    directory
        Where it is put while it is read.
    title, description
        The names of its columns; empty to look for the usual ones.
    """

    def __init__(self, sent: FileStorage, directory: Path, title: str, description: str) -> None:
        path = directory / "file.csv"
        sent.save(path)
        usual = current_app.config["USUAL_NAMES"]
        self.model = _model()
        self.options = Options(self.model.policy(), title or None, description or None)
        self.table = _table(path, [*usual["title"], *usual["description"], title])
        try:
            self.columns: Columns = find_columns(self.table, self.options, usual)
        except InputError as error:
            raise _Fault("no_column", columns=listed(self.table.header)) from error
        try:
            check_names(self.table, self.options)
        except InputError as error:
            raise _Fault("clash") from error

    def labelled(self) -> Iterator[Labelled]:
        """Label the rows, piece by piece."""
        writer = CsvWriter(
            self.table.header, self.options.added, self.table.dialect,
            has_header=True, as_read=True, excel_safe=False,
        )  # fmt: skip
        for part in segments(self.model, self.table, self.columns, self.options, writer):
            metrics.count_kinds(part.kinds)
            yield part

    def rows(self) -> Iterator[Row]:
        """Label the first rows for the table."""
        with closing(self.table.chunks(ROWS)) as chunks:
            chunk = next(chunks, None)
        if chunk is None:
            return
        titles, texts = self.columns.read(chunk)
        cells = label_cells(self.model, self.options, titles, texts)
        for n in range(min(len(chunk), ROWS)):
            own = {name: "" if n in chunk.faults else column[n] for name, column in cells.items()}
            yield Row(
                chunk.place(n),
                " ".join((titles[n].strip() or (texts[n] if texts else ""))[:_SHOWN_TITLE].split()),
                own["status"] or ERROR,
                own["department"],
                own["category"],
                own["role"],
                own["seniority"],
                float(own["confidence"]) if own["department"] else None,
            )

    @property
    def media_type(self) -> str:
        """What the labelled file is."""
        return f"text/csv;charset={self.table.dialect.encoding.removesuffix('-sig')}"


def _table(path: Path, names: Sequence[str]) -> CsvTable:
    """Open a CSV file; refuse what is something else, whatever it is called."""
    try:
        with open_source(str(path)) as found:
            if found.format != "csv" or found.compression:
                raise _Fault("not_csv")
    except InputError as error:
        raise _Fault("not_csv") from error
    try:
        return open_csv(Source("the file", path, "csv", None), names, CsvOptions())
    except InputError as error:
        raise _Fault("unreadable") from error


def _model() -> JobTitleClassifier:
    model: JobTitleClassifier = current_app.extensions["classifier"]
    return model


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _wording() -> Wording:
    """Return the wording that is asked for, else that of the browser."""
    language = request.args.get("lang", "")
    if language not in LANGUAGES:
        language = request.accept_languages.best_match(LANGUAGES, LANGUAGES[0])
    return Wording(language, current_app.extensions["page"]["texts"][language], _model())


def _page(status: int = 200, **found: Any) -> Response:
    """Write the page with what was found."""
    words = _wording()
    html = rendered(
        "page.html",
        w=words,
        t=words.texts,
        version=current_app.extensions["page"]["version"],
        limit=_settings().max_body,
        max_title=MAX_TITLE,
        max_description=MAX_DESCRIPTION,
        **found,
    )
    response = Response(html, status)
    response.content_language.add(words.language)
    response.vary.add("Accept-Language")
    response.cache_control.no_store = True  # what was typed stands in it
    return response


def _form() -> dict[str, str]:
    """Return the fields that were sent."""
    limit = _settings().max_body
    request.max_content_length = request.max_form_memory_size = limit
    try:
        return request.form.to_dict()
    except RequestEntityTooLarge as error:
        raise _Fault("too_large", 413, size=_wording().size(limit)) from error


@page.get("/")
def show() -> ResponseReturnValue:
    """Show the page as it is at first."""
    return _page()


@page.post("/")
def classify() -> ResponseReturnValue:
    """Label a posting, and show the reasons."""
    typed = {"title": "", "description": ""}
    try:
        sent = _form()
        # the title of an example takes the place of what was typed
        typed = {"title": sent["try"]} if "try" in sent else sent
        title, description = typed.get("title", ""), typed.get("description", "")
        if len(title) > MAX_TITLE or len(description) > MAX_DESCRIPTION:
            number = _wording().number
            raise _Fault("too_long", title=number(MAX_TITLE), description=number(MAX_DESCRIPTION))
    except _Fault as fault:
        return _page(fault.status, typed=typed, posting_fault=fault)
    if "switch" in sent and not (title + description).strip():
        return _page()
    found = _model().explain(title, description)
    metrics.count_postings([found.label.status])
    return _page(
        typed=typed,
        found=found,
        marked=_marked(title, description, found.words),
        strongest=_strongest(found.words),
        cut=len(description) > _SHOWN_TEXT and _SHOWN_TEXT,
    )


@page.get("/file")
def no_file() -> ResponseReturnValue:
    """Go back to the page: a result that was reloaded is gone, nothing is stored."""
    return redirect(url_for("page.show", lang=request.args.get("lang")), 303)


@page.post("/file")
def classify_file() -> ResponseReturnValue:
    """Label a CSV file, and show what was found or send it back."""
    try:
        form = _form()
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise _Fault("no_file")
        name = Path(sent.filename).name
        names = [form.get(key, "").strip()[:200] for key in ("title_column", "description_column")]
        directory = TemporaryDirectory(prefix="jobtitle-")
        try:
            upload = _Upload(sent, Path(directory.name), *names)
            if form.get("as") == "file":
                return _saved(upload, directory, name)
            overview = _overview(upload, name)
        except BaseException:
            directory.cleanup()
            raise
    except _Fault as fault:
        return _page(fault.status, file_fault=fault)
    directory.cleanup()
    return _page(overview=overview)


def _labelled_name(name: str) -> str:
    stem = re.sub(r"[^\w .()-]+", "_", Path(name).stem).strip() or "jobs"
    return f"{stem}-{_wording().texts['file_name']}.csv"


def _saved(upload: _Upload, directory: "TemporaryDirectory[str]", name: str) -> Response:
    """Send the labelled file; it goes out while it is labelled."""
    parts = upload.labelled()
    try:
        head = next(parts)
    except InputError as error:
        raise _Fault("unreadable") from error
    rest = (part.text for part in parts)
    response = Response(chain([head.text], rest), content_type=upload.media_type)
    response.call_on_close(directory.cleanup)
    response.headers["Content-Disposition"] = (
        f"attachment; filename*=UTF-8''{quote(_labelled_name(name))}"
    )
    response.cache_control.no_store = True
    return response


def _overview(upload: _Upload, name: str) -> Overview:
    """Label a file, and keep of it what the page shows."""
    summary, text = Summary(), bytearray()
    try:
        for part in upload.labelled():
            summary.add(part.kinds, part.faults)
            if len(text) <= MAX_LINK:
                text += part.text
        rows = list(upload.rows())
    except InputError as error:
        raise _Fault("unreadable") from error
    link = ""
    if len(text) <= MAX_LINK:
        link = f"data:{upload.media_type};base64,{b64encode(text).decode()}"
    return Overview(name, summary, rows, link, _labelled_name(name))


@page.get("/static/page/<version>/<name>")
def asset(version: str, name: str) -> ResponseReturnValue:
    """Give a file of the page; its address holds its version, so it may be kept for ever."""
    own = current_app.extensions["page"]
    if name not in own["assets"]:
        abort(404)
    response = Response(own["assets"][name], content_type=f"{_TYPES[name]}; charset=utf-8")
    response.set_etag(own["version"])
    if version == own["version"]:
        response.cache_control.public = response.cache_control.immutable = True
        response.cache_control.max_age = _YEAR
    return response.make_conditional(request)


def register(app: Flask) -> None:
    """Add the page to an app."""
    here = Path(__file__).parent
    assets = {name: (here / "static" / name).read_bytes() for name in _TYPES}
    version = hashlib.sha256(b"".join(assets.values())).hexdigest()[:12]
    texts = read_toml(here / "texts.toml")
    app.extensions["page"] = {"assets": assets, "version": version, "texts": texts}
    app.register_blueprint(page)

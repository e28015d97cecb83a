"""The page for people: a posting or a file in, what it is and why out, in Swedish or English."""

import hashlib
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Flask, Response, abort, current_app, redirect, request, url_for
from flask import render_template as rendered
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from api import marks, metrics
from api.current import current_database, current_model, current_settings
from api.schemas import MAX_DESCRIPTION, MAX_TITLE
from api.uploads import Upload, overview_of
from api.wording import LANGUAGES, Fault, Wording
from classifier.corrections import MAX_NAME
from classifier.errors import InputError
from classifier.taxonomy import read_toml

_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_YEAR = 365 * 24 * 60 * 60

page = Blueprint("page", __name__, template_folder="templates")


def wording() -> Wording:
    """Return the wording that is asked for, else that of the browser."""
    language = request.args.get("lang", "")
    if language not in LANGUAGES:
        language = request.accept_languages.best_match(LANGUAGES, LANGUAGES[0])
    return Wording(language, current_app.extensions["page"]["texts"][language], current_model())


def render(status: int = 200, template: str = "page.html", **found: Any) -> Response:
    """Write a page with what was found."""
    words = wording()
    html = rendered(
        template,
        w=words,
        t=words.texts,
        version=current_app.extensions["page"]["version"],
        limit=current_settings().max_body,
        max_title=MAX_TITLE,
        max_description=MAX_DESCRIPTION,
        max_who=MAX_NAME,
        corrects=current_database() is not None,
        **found,
    )
    response = Response(html, status)
    response.content_language.add(words.language)
    response.vary.add("Accept-Language")
    response.cache_control.no_store = True  # what was typed stands in it
    return response


def read_form() -> dict[str, str]:
    """Return the fields that were sent.

    Raises
    ------
    Fault
        If they are too large.
    """
    limit = current_settings().max_body
    request.max_content_length = request.max_form_memory_size = limit
    try:
        # forms end lines as DOS does, programs do not: the same posting shall be the same
        return {name: text.replace("\r\n", "\n") for name, text in request.form.items()}
    except RequestEntityTooLarge as error:
        raise Fault("too_large", 413, size=wording().size(limit)) from error


@page.get("/")
def show() -> ResponseReturnValue:
    """Show the page as it is at first."""
    return render()


@page.post("/")
def classify() -> ResponseReturnValue:
    """Label a posting, and show the reasons."""
    typed = {"title": "", "description": ""}
    try:
        sent = read_form()
        # the title of an example takes the place of what was typed
        typed = {"title": sent["try"]} if "try" in sent else sent
        title, description = typed.get("title", ""), typed.get("description", "")
        if len(title) > MAX_TITLE or len(description) > MAX_DESCRIPTION:
            number = wording().number
            raise Fault("too_long", title=number(MAX_TITLE), description=number(MAX_DESCRIPTION))
    except Fault as fault:
        return render(fault.status, typed=typed, posting_fault=fault)
    if "switch" in sent and not (title + description).strip():
        return render()
    return render(typed=typed, **answer_to(title, description))


def answer_to(title: str, description: str) -> dict[str, Any]:
    """Label a posting, and return what the page shows of it."""
    found = current_model().explain(title, description)
    metrics.count_postings(Counter([found.label.status]))
    return {
        "found": found,
        "marked": marks.marked(title, description, found.words),
        "strongest": marks.strongest(found.words),
        "cut": len(description) > marks.SHOWN and marks.SHOWN,
    }


@page.get("/file")
def no_file() -> ResponseReturnValue:
    """Go back to the page: a result that was reloaded is gone, nothing is stored."""
    return redirect(url_for("page.show", lang=request.args.get("lang")), 303)


@page.post("/file")
def classify_file() -> ResponseReturnValue:
    """Label a CSV file, and show what was found or send it back."""
    try:
        form = read_form()
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise Fault("no_file")
        name = Path(sent.filename).name
        names = [form.get(key, "").strip()[:200] for key in ("title_column", "description_column")]
        directory = TemporaryDirectory(prefix="jobtitle-")
        try:
            upload = Upload(
                sent,
                Path(directory.name),
                current_model(),
                current_app.config["USUAL_NAMES"],
                *names,
            )
            if form.get("as") == "file":
                return _saved(upload, directory, name)
            overview = overview_of(upload, name, _labelled_name(name))
        except BaseException:
            directory.cleanup()
            raise
    except Fault as fault:
        return render(fault.status, file_fault=fault)
    directory.cleanup()
    return render(overview=overview)


def _labelled_name(name: str) -> str:
    stem = re.sub(r"[^\w .()-]+", "_", Path(name).stem).strip() or "jobs"
    return f"{stem}-{wording().texts['file_name']}.csv"


def _saved(upload: Upload, directory: "TemporaryDirectory[str]", name: str) -> Response:
    """Send the labelled file; it goes out while it is labelled."""
    parts = upload.labelled()
    try:
        head = next(parts)
    except InputError as error:
        raise Fault("unreadable") from error
    rest = (part.text for part in parts)
    response = Response(chain([head.text], rest), content_type=upload.media_type)
    response.call_on_close(directory.cleanup)
    response.headers["Content-Disposition"] = (
        f"attachment; filename*=UTF-8''{quote(_labelled_name(name))}"
    )
    response.cache_control.no_store = True
    return response


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

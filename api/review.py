"""What people say on the page: corrections of an answer, and the review queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from api.current import (
    current_database,
    current_model,
    current_plain_model,
    current_settings,
)
from api.database import Database
from api.page import answer_to, read_form, render, wording
from api.recording import faults, record
from api.review_files import read_review
from api.wording import Fault
from classifier.corrections import (
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_TITLE,
    Correction,
    QueueEntry,
    fault_of,
)
from classifier.errors import DatabaseError
from classifier.labels import Label

PAGE = 20
"""Postings of the queue on a page."""

_SHOWN_TITLE = 150  # characters of a title in the list

review = Blueprint("review", __name__, template_folder="templates")


@dataclass(frozen=True)
class Item:
    """A posting of the queue as the page shows it: what it is called, and what it may be."""

    entry: QueueEntry
    name: str
    label: Label


def _from_here() -> None:
    """Refuse forms that another site sends in the name of a person.

    Raises
    ------
    Fault
        Unless the browser says that the form was on a page of this service.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = urlsplit(request.headers.get("Origin", "")).netloc
    if site != "same-origin" if site else origin != request.host:
        raise Fault("foreign", 403)


def _database() -> Database:
    database = current_database()
    if database is None:
        raise Fault("no_database", 503)
    return database


def _keep(corrections: Sequence[Correction]) -> None:
    """Record corrections.

    Raises
    ------
    Fault
        If they cannot be recorded.
    """
    for own in corrections:
        if len(own.title) > MAX_TITLE or len(own.description) > MAX_DESCRIPTION:
            number = wording().number
            raise Fault(
                "too_long_to_correct",
                title=number(MAX_TITLE),
                description=number(MAX_DESCRIPTION),
            )
        if fault_of(own) is not None:
            raise Fault("unkeepable")
    record(corrections, _database(), current_plain_model(), current_app.config["MODEL_FACTS"])


def _as_fault(error: Fault | DatabaseError) -> Fault:
    return error if isinstance(error, Fault) else Fault("no_database", 503)


@review.get("/correct")
def nothing_to_correct() -> ResponseReturnValue:
    """Go back to the page: an answer that was reloaded is gone."""
    return redirect(url_for("page.show", lang=request.args.get("lang")), 303)


@review.post("/correct")
def correct() -> ResponseReturnValue:
    """Record what a person says that the posting of an answer is, and show the answer anew."""
    form: dict[str, str] = {}
    fault: Fault | None = None
    try:
        _from_here()
        form = read_form()
        _keep([_correction(form)])
    except (Fault, DatabaseError) as error:
        fault = _as_fault(error)
    title, description = form.get("title", ""), form.get("description", "")
    shown = (title + description).strip() and current_database() is not None
    if fault and (fault.text == "too_long_to_correct" or not shown):
        return render(fault.status, typed=form, posting_fault=fault)
    found = answer_to(title, description)
    if fault:
        return render(fault.status, typed=form, right=form, correction_fault=fault, **found)
    return render(typed=form, **found)


def _correction(form: Mapping[str, str]) -> Correction:
    """Return the correction that stands in a form.

    Raises
    ------
    Fault
        If it names no department, or a role of another one.
    """
    department, role = form.get("department", ""), form.get("role") or None
    if not department and role:  # a role has its department
        own = (one.department for one in current_model().roles if one.id == role)
        department = next(own, "")
    wrong = [field for field, _ in faults(current_model(), department, role)]
    if wrong:
        raise Fault("role_elsewhere" if wrong == ["role"] else "no_department")
    return Correction(
        title=form.get("title", ""),
        description=form.get("description", ""),
        department=department,
        role=role,
        who=form.get("who", "").strip(),
    )


@review.get("/review")
def show() -> ResponseReturnValue:
    """Show the queue."""
    return _queue()


def _queue(
    *, who: str = "", note: Sequence[str] = (), fault: Fault | None = None
) -> ResponseReturnValue:
    """Write the page of the queue that is asked for, or the last there is before it."""
    number = max(request.args.get("page", 1, type=int), 1)
    entries: list[QueueEntry] = []
    try:
        store = _database().store
        most = current_settings().review_queue
        number = min(number, most // PAGE + 1)
        while not (entries := store.queue(PAGE + 1, (number - 1) * PAGE)) and number > 1:
            number -= 1
    except (Fault, DatabaseError) as error:
        fault = _as_fault(error)
    texts = [entry.description for entry in entries[:PAGE]]
    labels = current_plain_model().predict([entry.title for entry in entries[:PAGE]], texts)
    items = [
        Item(entry, _name(entry), label)
        for entry, label in zip(entries[:PAGE], labels, strict=True)
    ]
    return render(
        fault.status if fault else 200,
        "review.html",
        items=items,
        departments=wording().departments(),
        number=number,
        first=(number - 1) * PAGE + 1,
        has_more=len(entries) > PAGE,
        who=who,
        note=" ".join(note),
        queue_fault=fault,
    )


def _name(entry: QueueEntry) -> str:
    """Return what a posting is called in the list: its title, or how its text begins."""
    text = " ".join((entry.title or entry.description).split())
    return text if len(text) <= _SHOWN_TITLE else f"{text[:_SHOWN_TITLE]} …"


@review.post("/review")
def answer() -> ResponseReturnValue:
    """Record what a posting of the queue is, or take it out."""
    who = ""
    try:
        _from_here()
        form = read_form()
        who = form.get("who", "").strip()[:MAX_NAME]
        note = _answered(form, who)
    except (Fault, DatabaseError) as error:
        return _queue(who=who, fault=_as_fault(error))
    return _queue(who=who, note=[note])


def _answered(form: Mapping[str, str], who: str) -> str:
    """Do what the button that was pressed says; return what was done, in words."""
    words = wording()
    key, _, department = form.get("answer", "").partition(":")
    key = key or form.get("save") or form.get("skip", "")
    store = _database().store
    # the longest queue is a few thousand postings: to find one takes as long as to list them
    waiting = store.queue(current_settings().review_queue)
    entry = next((own for own in waiting if own.id == key), None)
    if entry is None:
        raise Fault("gone", 409)
    if "skip" in form:
        store.dismiss([key])
        return words.say("skipped", title=_name(entry))
    own = _correction(
        {
            "title": entry.title,
            "description": entry.description,
            "department": department or form.get(f"department-{key}", ""),
            "who": who,
        }
    )
    _keep([own])
    name = words.department(own.department)
    return words.say("saved", title=_name(entry), department=name)


@review.get("/review/file")
def no_file() -> ResponseReturnValue:
    """Go back to the queue."""
    return redirect(url_for("review.show", lang=request.args.get("lang")), 303)


@review.post("/review/file")
def add_file() -> ResponseReturnValue:
    """Put the rows of a file into the queue, and record the answers that stand in it."""
    who = ""
    try:
        _from_here()
        who = read_form().get("who", "").strip()[:MAX_NAME]
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise Fault("no_file")
        usual = current_app.config["USUAL_NAMES"]
        with TemporaryDirectory(prefix="jobtitle-") as directory:
            found = read_review(sent, Path(directory), current_plain_model(), usual, who)
        _keep(found.corrections)
        _database().store.enqueue(found.entries, current_settings().review_queue)
    except (Fault, DatabaseError) as error:
        return _queue(who=who, fault=_as_fault(error))
    words = wording()
    numbers = {"queued": len(found.entries), "recorded": len(found.corrections)}
    note = [words.say("file_added", **{name: words.number(n) for name, n in numbers.items()})]
    if found.unclear:
        note.append(words.say("file_unclear", n=words.number(found.unclear)))
    return _queue(who=who, note=note)


def register(app: Flask) -> None:
    """Add the paths to an app."""
    app.register_blueprint(review)

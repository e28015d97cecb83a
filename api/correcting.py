"""Corrections over HTTP: what a person says that a title is."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import islice
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from pydantic_core import to_json

from api.bodies import read_body
from api.corrections import NewCorrection, NewCorrections, parse_corrections
from api.current import current_database, current_model, current_plain_model
from api.problems import Problem
from api.recording import faults, record
from api.schemas import invalid_fields
from classifier.corrections import Correction
from classifier.errors import DatabaseError

MAX_FAULTS = 20
"""Faults that a problem names; more are not looked for."""

correcting = Blueprint("correcting", __name__)


@correcting.post("/v1/corrections")
def correct() -> ResponseReturnValue:
    """Record one correction or several; when it answers, they are kept."""
    if request.mimetype != "application/json":  # which no form of another site can send
        detail = "send Content-Type: application/json"
        raise Problem(415, "unsupported-type", "The body is of no known type", detail)
    sent = parse_corrections(read_body())
    several = isinstance(sent, NewCorrections)
    own = sent.corrections if isinstance(sent, NewCorrections) else [sent]
    errors = list(islice(_errors(own, "corrections.{}." if several else ""), MAX_FAULTS))
    if errors:
        raise invalid_fields(errors)
    database = current_database()
    if database is None:
        raise _no_database("this service has no database; JOBTITLE_DATABASE_URL names one")
    try:
        facts = current_app.config["MODEL_FACTS"]
        stored = record([_correction(new) for new in own], database, current_plain_model(), facts)
    except DatabaseError as error:
        raise _no_database("the database does not answer; nothing was recorded") from error
    answers = [_as_json(own) for own in stored]
    body: Any = {"corrections": answers} if several else answers[0]
    return Response(to_json(body) + b"\n", 201, content_type="application/json")


def _errors(own: Sequence[NewCorrection], path: str) -> Iterator[dict[str, str]]:
    for n, new in enumerate(own):
        for field, message in faults(current_model(), new.department, new.role):
            yield {"field": path.format(n) + field, "message": message}


def _no_database(detail: str) -> Problem:
    later = {"Retry-After": "5"}
    return Problem(503, "no-database", "Corrections cannot be recorded", detail, headers=later)


def _correction(new: NewCorrection) -> Correction:
    return Correction(
        title=new.title,
        description=new.description,
        department=new.department,
        role=new.role,
        who=new.who,
    )


def _as_json(own: Correction) -> dict[str, Any]:
    assert own.at is not None  # noqa: S101 - what is stored has a time
    return {
        "id": own.id,
        "at": own.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "title": own.title,
        "description": own.description,
        "department": own.department,
        "role": own.role,
        "who": own.who,
        "said": own.said,
    }


def register(app: Flask) -> None:
    """Add the path to an app."""
    app.register_blueprint(correcting)

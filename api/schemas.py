"""What requests look like, checked by pydantic, and how labels are written as JSON."""

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from api.problems import Problem
from classifier import Label

MAX_POSTINGS = 1_000
"""Postings in one request."""

MAX_TITLE = 100_000
"""Characters of a title."""

MAX_DESCRIPTION = 200_000
"""Characters of a description."""


class Posting(BaseModel):
    """A posting: a title, a description, or both."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, Field(max_length=MAX_TITLE)] = ""
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] = ""
    id: Annotated[str, Field(max_length=200)] | int | None = None


class Batch(BaseModel):
    """Several postings, answered in order."""

    model_config = ConfigDict(extra="forbid", strict=True)

    postings: Annotated[list[Posting], Field(max_length=MAX_POSTINGS)]


def parse(body: bytes) -> Posting | Batch:
    """Read a request body.

    Parameters
    ----------
    body
        JSON in UTF-8.

    Returns
    -------
    Posting or Batch
        What was sent.

    Raises
    ------
    Problem
        400 if it is not JSON, 422 if a field is invalid; the problem names the fields.
    """
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Problem(400, "malformed-json", "The body is not JSON", str(error)) from error
    if not isinstance(document, dict):
        detail = 'send an object: {"title": …} or {"postings": […]}'
        raise Problem(422, "invalid-field", "The body is not an object", detail)
    if "postings" not in document and not {"title", "description"} & set(document):
        detail = "send title, description or both, or postings"
        raise Problem(422, "invalid-field", "There is nothing to label", detail)
    try:
        return (Batch if "postings" in document else Posting).model_validate(document)
    except ValidationError as error:
        # pydantic's own list would repeat the input, and titles are personal data
        errors = [
            {"field": ".".join(map(str, fault["loc"])) or "body", "message": fault["msg"]}
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ][:20]
        detail = "; ".join(f"{fault['field']}: {fault['message']}" for fault in errors[:3])
        title = "A field is invalid"
        raise Problem(422, "invalid-field", title, detail, errors=errors) from error


def as_json(posting: Posting, label: Label) -> dict[str, Any]:
    """Lay a label out for JSON, with the posting's id if it had one.

    Parameters
    ----------
    posting
        What was sent.
    label
        What it is.

    Returns
    -------
    dict
        The fields of `classifier.Label`, probabilities rounded to six digits.
    """
    body = asdict(label)
    if label.confidence is not None:
        body["confidence"] = round(label.confidence, 6)
    for candidate in body["candidates"]:
        candidate["confidence"] = round(candidate["confidence"], 6)
    return body if posting.id is None else {"id": posting.id, **body}

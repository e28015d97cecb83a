"""What requests look like, checked by pydantic, and how labels are written as JSON."""

from dataclasses import asdict
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError, from_json

from api.problems import Problem
from classifier import Explanation, Label

MAX_POSTINGS = 1_000
"""Postings in one request."""

MAX_EXPLAINED = 50
"""Postings in one request that asks for reasons."""

MAX_WORDS = 30
"""Words listed in an explanation: the strongest; the rest are summed."""

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


class Wishes(BaseModel):
    """What a request may ask for besides labels."""

    model_config = ConfigDict(extra="forbid", strict=True)

    explain: bool = False
    min_confidence: Annotated[float, Field(ge=0, le=1)] | None = None


class Single(Posting, Wishes):
    """One posting, with wishes."""

    @property
    def postings(self) -> list[Posting]:
        """The posting as a list of one."""
        return [self]


class Batch(Wishes):
    """Several postings, answered in order."""

    postings: Annotated[list[Posting], Field(max_length=MAX_POSTINGS)]

    @model_validator(mode="after")
    def _few_enough_to_explain(self) -> Self:
        if self.explain and len(self.postings) > MAX_EXPLAINED:
            message = "reasons are given for at most {limit} postings at a time; this has {found}"
            context = {"limit": MAX_EXPLAINED, "found": len(self.postings)}
            raise PydanticCustomError("too_many_to_explain", message, context)
        return self


def parse(body: bytes) -> Single | Batch:
    """Read a request body.

    Parameters
    ----------
    body
        JSON in UTF-8.

    Returns
    -------
    Single or Batch
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
        return (Batch if "postings" in document else Single).model_validate(document)
    except ValidationError as error:
        # pydantic's own list would repeat the input, and titles are personal data
        errors = [
            {"field": ".".join(map(str, fault["loc"])) or "body", "message": fault["msg"]}
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ][:20]
        detail = "; ".join(f"{fault['field']}: {fault['message']}" for fault in errors[:3])
        title = "A field is invalid"
        raise Problem(422, "invalid-field", title, detail, errors=errors) from error


def as_json(
    posting: Posting, label: Label, explanation: Explanation | None = None
) -> dict[str, Any]:
    """Lay a label out for JSON, with the posting's id if it had one.

    Parameters
    ----------
    posting
        What was sent.
    label
        What it is.
    explanation
        Its reasons, if they were asked for.

    Returns
    -------
    dict
        The fields of `classifier.Label`, probabilities rounded to six digits, and
        ``explanation``.
    """
    body = _rounded(asdict(label))
    if explanation is not None:
        body["explanation"] = _reasons(explanation)
    return body if posting.id is None else {"id": posting.id, **body}


def _reasons(explanation: Explanation) -> dict[str, Any]:
    """Lay reasons out: offset, words and the rest of the words add up to the score."""
    words = explanation.words
    strongest = sorted(range(len(words)), key=lambda n: -abs(words[n].weight))[:MAX_WORDS]
    listed = [asdict(words[n]) for n in sorted(strongest)]
    rest = sum(word.weight for word in words) - sum(word["weight"] for word in listed)
    reasons: dict[str, Any] = _rounded(
        {
            "department": explanation.department,
            "score": explanation.score,
            "offset": explanation.offset,
            "words": listed,
            "other_words": rest,
            "role": explanation.role,
            "learned_from": [asdict(title) for title in explanation.closest],
        }
    )
    return reasons


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value

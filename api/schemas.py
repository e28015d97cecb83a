"""What requests look like, checked by pydantic, and how labels are written as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from api.problems import Problem
from classifier import Explanation, Label
from classifier.json_lines import is_job_posting, text_of
from classifier.labels import Candidate

MAX_POSTINGS = 1_000
"""Postings in one request."""

MAX_EXPLAINED = 50
"""Postings in one request that asks for reasons."""

MAX_EXPLAINED_CHARACTERS = 200_000
"""Characters in one request that asks for reasons: they take some ten times as long as labels."""

MAX_WORDS = 30
"""Words listed in an explanation: the strongest; the rest are summed."""

MAX_CANDIDATES = 100
"""Candidates that may be asked for."""

MAX_PARTS = 100_000
"""Opening brackets and braces in a body, those in its texts, too."""

MAX_TITLE = 100_000
"""Characters of a title."""

MAX_DESCRIPTION = 200_000
"""Characters of a description."""


def _whole(number: object) -> object:
    """Read 3.0 as 3: to JSON they are the same number."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


class Posting(BaseModel):
    """A posting: a title, a description, or both."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, Field(max_length=MAX_TITLE, description="Text or HTML.")] = ""
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION, description="Text or HTML.")] = ""
    id: Annotated[
        Annotated[str, Field(max_length=200)] | Annotated[int, BeforeValidator(_whole)] | None,
        Field(description="Comes back with the label."),
    ] = None


class Wishes(BaseModel):
    """What a request may ask for besides labels."""

    model_config = ConfigDict(extra="forbid", strict=True)

    candidates: Annotated[
        int,
        Field(
            ge=0,
            le=MAX_CANDIDATES,
            description="How many of the likeliest departments to list; all if there are fewer.",
        ),
        BeforeValidator(_whole),
    ] = 3
    explain: Annotated[
        bool,
        Field(
            description=f"Whether to give reasons: for at most {MAX_EXPLAINED} postings with "
            f"{MAX_EXPLAINED_CHARACTERS:,} characters together."
        ),
    ] = False
    min_confidence: Annotated[
        Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None,
        Field(description="Below this probability the label is unknown; the model's own if null."),
    ] = None
    policy: Annotated[
        str,
        Field(max_length=200, description="Decides the category; see `/v1/taxonomy`."),
    ] = "document"


class Single(Posting, Wishes):
    """One posting, with what is wished of its label; a title, a description, or both."""

    @property
    def postings(self) -> list[Posting]:
        """The posting as a list of one."""
        return [self]


class Batch(Wishes):
    """Several postings, answered in order."""

    postings: Annotated[list[Posting], Field(max_length=MAX_POSTINGS)]


def _flag(text: object) -> object:
    """Read a truth value as an address writes it."""
    return {"true": True, "false": False}.get(text, text) if isinstance(text, str) else text


class Query(Wishes):
    """Wishes in the address: for every body, but what the body itself says counts."""

    model_config = ConfigDict(extra="forbid", strict=False)

    explain: Annotated[
        bool, Field(strict=True, description="Whether to give reasons; not for CSV."),
        BeforeValidator(_flag),
    ] = False  # fmt: skip
    title: Annotated[
        str | None, Field(max_length=200, description="CSV: the title's column, name or number.")
    ] = None
    description: Annotated[
        str | None,
        Field(max_length=200, description="CSV: the description's column, name or number."),
    ] = None
    prefix: Annotated[
        str, Field(max_length=40, description="CSV: put before the names of added columns.")
    ] = ""

    @property
    def wishes(self) -> dict[str, Any]:
        """What was wished of labels."""
        return self.model_dump(include=set(Wishes.model_fields), exclude_unset=True)


Validated = TypeVar("Validated", bound=BaseModel)


@dataclass(frozen=True)
class JobPostings:
    """Objects of schema.org's JobPosting, as they were sent, and as postings."""

    objects: list[dict[str, Any]]
    batch: Batch
    alone: bool


def parse(
    body: bytes, wishes: Mapping[str, Any], *, only_json_ld: bool = False
) -> Single | Batch | JobPostings:
    """Read a request body.

    Parameters
    ----------
    body
        JSON in UTF-8.
    wishes
        What the address says; the body goes before it.
    only_json_ld
        Whether the body is said to be JSON-LD.

    Returns
    -------
    Single, Batch or JobPostings
        What was sent.

    Raises
    ------
    Problem
        400 if it is not JSON, 422 if a field is invalid; the problem names the fields.
    """
    document = document_of(body)
    if only_json_ld or is_json_ld(document):
        return _job_postings(document, wishes)
    if not isinstance(document, dict):
        detail = 'send an object: {"title": …} or {"postings": […]}'
        raise invalid("The body is not an object", "body", detail)
    if "postings" not in document and not {"title", "description"} & set(document):
        detail = "send title, description or both, or postings"
        raise invalid("There is nothing to label", "body", detail)
    sent = {**wishes, **document}
    if "postings" in document:
        return _explainable(validated(Batch, sent))
    return _explainable(validated(Single, sent))


def document_of(body: bytes) -> Any:
    """Read JSON in UTF-8.

    Raises
    ------
    Problem
        400 if it is none, or has so many lists and objects that they are no postings.
    """
    if body.count(b"[") + body.count(b"{") > MAX_PARTS:  # told before any of them is made
        detail = f"more than {MAX_PARTS:,} lists and objects"
        raise Problem(400, "malformed-json", "The body is no list of postings", detail)
    try:
        return from_json(body.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        raise Problem(400, "malformed-json", "The body is not JSON", str(error)) from error


def invalid_fields(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Return the problem that fields are invalid, each with ``field`` and ``message``."""
    errors = errors[:20]
    detail = "; ".join(f"{fault['field']}: {fault['message']}" for fault in errors[:3])
    return Problem(422, "invalid-field", "A field is invalid", detail, errors=errors)


def invalid(title: str, field: str, message: str, **more: object) -> Problem:
    """Return the problem that one field is invalid, under a title of its own."""
    errors = [{"field": field, "message": message, **more}]
    return Problem(422, "invalid-field", title, message, errors=errors)


def invalid_field(field: str, message: str, **more: object) -> Problem:
    """Return the problem that one field is invalid.

    Parameters
    ----------
    field
        Its name.
    message
        What is wrong with it, and what to do.
    more
        The limit, if it breaks one.
    """
    problem = invalid("A field is invalid", field, message, **more)
    problem.body["detail"] = f"{field}: {message}"
    return problem


def validated(kind: type[Validated], document: Mapping[str, Any]) -> Validated:
    """Check fields.

    Raises
    ------
    Problem
        422 if one is invalid; the problem names it, but does not repeat what was sent.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        # pydantic's own list would repeat the input, and titles are personal data
        errors = [
            {
                "field": ".".join(map(str, fault["loc"])) or "body",
                "message": fault["msg"],
                **_limit(fault.get("ctx", {})),
            }
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise invalid_fields(errors) from error


def _limit(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limit that a field breaks, if it breaks one."""
    broken = [context[name] for name in ("max_length", "ge", "le") if name in context]
    return {"limit": broken[0]} if broken else {}


Sent = TypeVar("Sent", Single, Batch)


def _explainable(sent: Sent) -> Sent:
    """Refuse to give more reasons than can be had in good time."""
    if not sent.explain:
        return sent
    if len(sent.postings) > MAX_EXPLAINED:
        message = f"reasons are given for at most {MAX_EXPLAINED} postings at a time"
        raise invalid_field("explain", message, limit=MAX_EXPLAINED)
    characters = sum(len(own.title) + len(own.description) for own in sent.postings)
    if characters > MAX_EXPLAINED_CHARACTERS:
        message = f"reasons are given for at most {MAX_EXPLAINED_CHARACTERS} characters at a time"
        raise invalid_field("explain", message, limit=MAX_EXPLAINED_CHARACTERS)
    return sent


def is_json_ld(document: Any) -> bool:
    """Return whether a document is JSON-LD: an object of a type, a graph, or a list with such."""
    if isinstance(document, list):
        first = document[:MAX_POSTINGS]  # more would be refused, whatever they are
        return any(isinstance(member, dict) and is_json_ld(member) for member in first)
    return isinstance(document, dict) and bool({"@type", "@graph"} & set(document))


def _job_postings(document: Any, wishes: Mapping[str, Any]) -> JobPostings:
    """Read schema.org's JobPosting: alone, in a list, or in a graph."""
    objects = list(_job_postings_in(document))
    if not objects:
        detail = "send schema.org's JobPosting, alone, in a list, or in @graph"
        raise invalid("There is no JobPosting", "body", detail)
    try:
        json.dumps(objects, allow_nan=False)
    except ValueError as error:
        # it goes out again as it came, and what is read as infinity cannot be written
        detail = "there is a number beyond the range of JSON's readers"
        raise Problem(400, "malformed-json", "The body is not JSON", detail) from error
    postings = [
        {"title": text_of(own.get("title")), "description": text_of(own.get("description"))}
        for own in objects
    ]
    batch = _explainable(validated(Batch, {**wishes, "postings": postings}))
    return JobPostings(objects, batch, alone=objects[0] is document)


def _job_postings_in(document: Any) -> Iterator[dict[str, Any]]:
    """Find the JobPostings among the nodes of a document; other nodes are left out."""
    if isinstance(document, list):
        for member in document:
            yield from _job_postings_in(member)
    elif isinstance(document, dict):
        if is_job_posting(document):
            yield document
        elif isinstance(document.get("@graph"), list):
            yield from _job_postings_in(document["@graph"])


def with_category(posting: Mapping[str, Any], isco: str | None, name: str) -> dict[str, Any]:
    """Return a JobPosting with its ISCO-08 unit group as ``occupationalCategory``.

    What it says there itself stays.
    """
    if isco is None:
        return dict(posting)
    own = {
        "@type": "CategoryCode",
        "inCodeSet": {"@type": "CategoryCodeSet", "name": "ISCO-08"},
        "codeValue": isco,
        "name": name,
    }
    there = posting.get("occupationalCategory")
    found = there if isinstance(there, list) else [there] if there else []
    if own in found:  # it has been here before
        return dict(posting)
    return {**posting, "occupationalCategory": [*found, own] if found else own}


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
    # a thousand labels are laid out at a time: `asdict` would copy each of their values
    body = _cells(label)
    body["candidates"] = [_cells(candidate) for candidate in label.candidates]
    if explanation is not None:
        body["explanation"] = _reasons(explanation)
    return body if posting.id is None else {"id": posting.id, **body}


def _cells(own: Label | Candidate) -> dict[str, Any]:
    return {n: round(v, 6) if type(v) is float else v for n, v in vars(own).items()}


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
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value

"""The contract: what can be asked and answered, for machines and for people."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    jsonify,
    redirect,
    request,
    url_for,
)
from flask import render_template as rendered
from flask.typing import ResponseReturnValue
from pydantic.json_schema import models_json_schema

from api import answers, corrections, schemas
from api.naming import languages
from api.settings import Settings
from classifier import JobTitleClassifier, __version__

KINDS = {
    "bad-request": (400, "The bytes are no request of HTTP."),
    "malformed-json": (
        400,
        "The body is not JSON in UTF-8, or holds a number that cannot be read.",
    ),
    "not-found": (404, "There is no such path."),
    "wrong-method": (405, "The path is there, but not for this method; Allow names those it has."),
    "no-key": (401, "This service asks for a key, and none that it knows was sent."),
    "too-large": (413, "The body or the headers are larger than allowed; the limit is given."),
    "unsupported-type": (
        415,
        "The body is of no type, by its Content-Type, that this path takes.",
    ),
    "invalid-field": (422, "The body or the address was read, but a field is not as it must be."),
    "invalid-file": (422, "The CSV file cannot be read, or it is not clear which column to label."),
    "too-many-requests": (429, "This client asks too often; Retry-After says when to go on."),
    "busy": (503, "More requests wait than can be answered in good time; try again soon."),
    "not-ready": (503, "The model does not answer its test titles as it should."),
    "no-database": (
        503,
        "Corrections cannot be recorded: there is no database, or it does not answer.",
    ),
    "fault": (500, "A fault of the service; its log names the request by its X-Request-Id."),
}
"""Kinds of problems, with their status and what they mean; each has a type ``/problems/…``."""

_HERE = Path(__file__).parent
_SHARED = "#/components/schemas"
_MODELS = (
    schemas.Single, schemas.Batch, schemas.Query, corrections.NewCorrections, answers.Labels,
    answers.LabelledJobPostings, answers.StoredCorrections, answers.Taxonomy, answers.ModelFacts,
    answers.Health, answers.Problem,
)  # fmt: skip
_JOB_POSTINGS = ("JobPosting", "JobPostingList", "JobPostingGraph")
_STATUSES = {
    400: "The request cannot be read.",
    401: "A key is needed.",
    413: "The body is too large.",
    415: "The body is of no known type.",
    422: "A field or the file is invalid.",
    429: "Too many requests.",
    431: "The headers are too large.",
    500: "A fault of the service.",
    503: "The service is busy, not ready, or without a database.",
}
_ALWAYS = (400, 413, 431, 500, 503)
_HEADERS = {
    "X-Request-Id": "The request's own id, or a new one; it stands in the log, too.",
    "Retry-After": "Seconds after which to try again.",
    "WWW-Authenticate": "How to send a key.",
    "Content-Language": "The language of the names.",
}
_REQUEST_ID = {
    "name": "X-Request-Id",
    "in": "header",
    "description": "An id to find the request by: up to 128 letters, digits and ._~+/=-",
    "schema": {"type": "string"},
    "example": "a1b2c3",
}
_JOB_POSTING: dict[str, Any] = {
    "JobPosting": {
        "type": "object",
        "description": "An object of schema.org; what it holds besides comes back as it was.",
        "required": ["@type"],
        "properties": {
            "@type": {
                "description": "`JobPosting`, as a name or an IRI, alone or among others.",
                "anyOf": [
                    {"type": "string", "pattern": "(^|[/:])JobPosting$"},
                    {
                        "type": "array",
                        "contains": {"type": "string", "pattern": "(^|[/:])JobPosting$"},
                    },
                ],
            },
            "title": {
                "description": "Text, or a value of JSON-LD.",
                "maxLength": schemas.MAX_TITLE,
            },
            "description": {"description": "Text or HTML.", "maxLength": schemas.MAX_DESCRIPTION},
            "occupationalCategory": {"description": "Stays; the ISCO-08 group is added."},
        },
    },
    "JobPostingGraph": {
        "type": "object",
        "required": ["@graph"],
        "properties": {
            "@graph": {
                "type": "array",
                "contains": {"$ref": f"{_SHARED}/JobPosting"},
                "maxContains": schemas.MAX_POSTINGS,
            }
        },
    },
    "JobPostingList": {
        "type": "array",
        "contains": {
            "anyOf": [
                {"$ref": f"{_SHARED}/JobPosting"},
                {"$ref": f"{_SHARED}/JobPostingGraph"},
            ]
        },
        "maxContains": schemas.MAX_POSTINGS,
    },
}

contract = Blueprint("contract", __name__, template_folder="templates")


def document(model: JobTitleClassifier, settings: Settings) -> dict[str, Any]:
    """Describe the service in OpenAPI 3.1.

    Parameters
    ----------
    model
        Says which policies, departments, roles and languages there are.
    settings
        Say whether a key is needed.

    Returns
    -------
    dict
        The document; its schemas are those of the models that check requests.
    """
    reference = f"{_SHARED}/{{model}}"
    made = models_json_schema([(own, "validation") for own in _MODELS], ref_template=reference)[1]
    models: dict[str, Any] = {**made["$defs"], **_JOB_POSTING}
    for name in ("Single", "Batch", "Query"):
        own = models[name]["properties"]["policy"]
        del own["maxLength"]
        own["enum"] = list(model.policies)
    models["Single"]["anyOf"] = [{"required": ["title"]}, {"required": ["description"]}]
    models["NewCorrection"]["allOf"] = _right_labels(model)
    models["NewCorrection"]["properties"]["department"]["enum"] = list(model.taxonomy.departments)
    tongues = languages(model.taxonomy)
    models["Taxonomy"]["properties"]["language"]["enum"] = tongues
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Job-title classifier",
            "version": __version__,
            "description": "Labels job titles and postings: department, office category, role "
            "and seniority, how sure that is, and why.",
        },
        "servers": [{"url": "/"}],
        "paths": _paths(models.pop("Query")["properties"], tongues),
        "components": {"schemas": dict(sorted(models.items()))},
    }
    if settings.key_hashes:
        described["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
    for operation in _operations(described).values():
        if not settings.key_hashes:
            operation["responses"].pop("401", None)
        elif "401" in operation["responses"]:
            operation["security"] = [{"bearer": []}, {"key": []}]
    return described


def _right_labels(model: JobTitleClassifier) -> list[dict[str, Any]]:
    """Describe what a correction may say: some text, a department, and a role of it."""
    words = [
        {"properties": {name: {"pattern": corrections.WORDS}}, "required": [name]}
        for name in ("title", "description")
    ]
    roles: dict[str, list[str | None]] = {own: [None] for own in model.taxonomy.departments}
    for role in model.roles:
        roles[role.department].append(role.id)
    labels = [
        {"properties": {"department": {"const": department}, "role": {"enum": own}}}
        for department, own in roles.items()
    ]
    return [{"anyOf": words}, {"anyOf": labels}]


def _correct() -> dict[str, Any]:
    """Describe how corrections are recorded."""
    own = _json("correct", "Record corrections", "StoredCorrection", (401, 415, 422, 429), 201)
    own["description"] = (
        f"What a person says that a posting is, or up to {schemas.MAX_POSTINGS:,} of them: all are "
        "recorded, or none. When this answers, they are kept, and the same posting is answered by "
        "them at once, with `basis` `correction`; of several the latest counts. The same "
        "correction again is no other: it keeps its id. Titles, descriptions and names are kept "
        "until they are deleted, by `jobtitle corrections delete`; they are not given out here."
    )
    own["responses"]["201"]["description"] = "The corrections as they were recorded, in order."
    schema = _schema("NewCorrection", "NewCorrections")
    examples = _examples("correct", "request", "application/json")
    content = {"application/json": {"schema": schema, "examples": examples}}
    own["requestBody"] = {"required": True, "content": content}
    answered = own["responses"]["201"]["content"]["application/json"]
    answered["schema"] = _schema("StoredCorrection", "StoredCorrections")
    return own


def _paths(query: Mapping[str, Any], tongues: Sequence[str]) -> dict[str, Any]:
    """Describe the operations."""
    classify = _operation("classify", "Label postings", {}, (401, 415, 422, 429))
    classify["description"] = (
        f"A posting, up to {schemas.MAX_POSTINGS:,} of them, schema.org's JobPosting (alone, in a "
        "list or in `@graph`), or a CSV file, which comes back with the columns of the label. "
        "What the query asks for holds for every kind of body; what a JSON body asks for itself "
        "goes before it. A file lists candidates only if asked to. Of a key that stands twice in "
        "an object the last one counts."
    )
    classify["parameters"] += [
        {"name": name, "in": "query", "description": schema["description"], "schema": schema}
        for name, schema in query.items()
    ]
    kinds = {
        "application/json": _schema("Single", "Batch", *_JOB_POSTINGS),
        "application/ld+json": _schema(*_JOB_POSTINGS),
        "text/csv": {"type": "string"},
    }
    classify["requestBody"] = {
        "required": True,
        "content": {
            kind: {"schema": schema, "examples": _examples("classify", "request", kind)}
            for kind, schema in kinds.items()
        },
    }
    answered = {
        "application/json": _schema("Label", "Labels", "LabelledJobPosting", "LabelledJobPostings"),
        "text/csv": {"type": "string"},
    }
    classify["responses"]["200"]["description"] = "The labels, in the order of the postings."
    classify["responses"]["200"] |= _answered("classify", answered)
    taxonomy = _json("taxonomy", "What labels are made of", "Taxonomy", (401, 429))
    taxonomy["parameters"].append(
        {
            "name": "Accept-Language",
            "in": "header",
            "description": f"The language of the names: {' or '.join(tongues)}.",
            "schema": {"type": "string"},
            "example": tongues[-1],
        }
    )
    taxonomy["responses"]["200"]["headers"] |= _headers("Content-Language")
    plain = {"text/plain": {"type": "string"}}
    return {
        "/v1/classify": {"post": classify},
        "/v1/corrections": {"post": _correct()},
        "/v1/taxonomy": {"get": taxonomy},
        "/v1/model": {"get": _json("model", "Which model answers", "ModelFacts", (401, 429))},
        "/v2/health/live": {"get": _json("live", "Whether the process answers", "Health")},
        "/v2/health/ready": {"get": _json("ready", "Whether the model answers", "Health")},
        "/metrics": {"get": _operation("metrics", "Counts for Prometheus", plain, (401, 429))},
    }


def _json(
    name: str, summary: str, model: str, more: Iterable[int] = (), status: int = 200
) -> dict[str, Any]:
    return _operation(name, summary, {"application/json": _schema(model)}, more, status)


def _operation(
    name: str,
    summary: str,
    answered: Mapping[str, Any],
    more: Iterable[int] = (),
    status: int = 200,
) -> dict[str, Any]:
    """Describe an operation: what it answers, and the statuses of its problems."""
    well = {"description": summary, "headers": _headers("X-Request-Id")}
    responses = {str(status): well | _answered(name, answered)}
    for bad in sorted((*_ALWAYS, *more)):
        responses[str(bad)] = _problem(bad)
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [_REQUEST_ID],
        "responses": responses,
    }


def _answered(name: str, answered: Mapping[str, Any]) -> dict[str, Any]:
    content = {
        kind: {"schema": schema, "examples": _examples(name, "response", kind)}
        for kind, schema in answered.items()
    }
    return {"content": content}


def _problem(status: int) -> dict[str, Any]:
    """Describe a problem, with an example of each of its kinds."""
    more = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
    kinds = {kind: text for kind, (own, text) in KINDS.items() if own == status}
    examples = {
        kind: {"value": {"type": f"/problems/{kind}", "title": _STATUSES[status][:-1],
                         "status": status, "detail": text}}
        for kind, text in kinds.items()
    }  # fmt: skip
    content = {"schema": _schema("Problem"), **({"examples": examples} if examples else {})}
    return {
        "description": _STATUSES[status],
        "headers": {
            **_headers("X-Request-Id", required=status not in _ALWAYS),
            **_headers(*more.get(status, [])),
        },
        "content": {"application/problem+json": content},
    }


def _headers(*names: str, required: bool = True) -> dict[str, Any]:
    return {
        name: {
            "description": _HEADERS[name],
            "required": required,
            "schema": {"type": "integer" if name == "Retry-After" else "string"},
        }
        for name in names
    }


def _schema(*names: str) -> dict[str, Any]:
    references = [{"$ref": f"{_SHARED}/{name}"} for name in names]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _examples(operation: str, part: str, kind: str) -> dict[str, Any]:
    """Return the examples of what is sent or answered; those of one name belong together."""
    return {
        name: {"summary": example["summary"], "value": example[part]["body"]}
        for name, example in _all_examples()[operation].items()
        if part in example and example[part]["type"] == kind
    }


@lru_cache(maxsize=1)
def _all_examples() -> dict[str, dict[str, Any]]:
    """Read the examples: by operation and name, what is sent and what is answered."""
    found: dict[str, dict[str, Any]] = json.loads((_HERE / "examples.json").read_text("utf-8"))
    return found


def _operations(described: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the operations by method and path."""
    return {
        (method.upper(), path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def _commands(path: str, name: str) -> list[dict[str, Any]]:
    """Write the examples of an operation as commands, with what they answer."""
    found = []
    for example in _all_examples()[name].values():
        sent = example.get("request", {})
        words = ["curl", "-s", request.host_url.rstrip("/") + path + sent.get("query", "")]
        if "body" in sent:
            words += ["-H", f"Content-Type: {sent['type']}", "--data-binary", _text(sent["body"])]
        for header, value in sent.get("headers", {}).items():
            words += ["-H", f"{header}: {value}"]
        answer = example["response"]["body"]
        pretty = answer if isinstance(answer, str) else _text(answer, indent=2)
        found.append(
            {"summary": example["summary"], "command": shlex.join(words), "answer": pretty}
        )
    return found


def _text(value: object, indent: int | None = None) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)


def _kind(schema: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what a value may be, as words, each with the schema it is the name of, or none."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [(name, name)]
    if "enum" in schema:
        return [(", ".join("null" if own is None else str(own) for own in schema["enum"]), "")]
    if "const" in schema:
        return [(str(schema["const"]), "")]
    if "anyOf" in schema and "type" not in schema:
        parts = [_kind(own) for own in schema["anyOf"]]
        return [word for n, part in enumerate(parts) for word in [("or", "")] * bool(n) + part]
    if schema.get("type") == "array":
        return [("list of", ""), *_kind(schema.get("items") or schema.get("contains", {}))]
    return [(schema.get("type", "anything") + _bounds(schema), "")]


def _bounds(schema: Mapping[str, Any]) -> str:
    """Say the limits of a value."""
    if "maximum" in schema:
        return f" {schema['minimum']}\u2013{schema['maximum']}"
    return f", at most {schema['maxLength']:,} characters" if "maxLength" in schema else ""


@contract.get("/openapi.json")
def as_json() -> ResponseReturnValue:
    """Give the contract to machines."""
    return jsonify(current_app.extensions["contract"])


@contract.get("/docs")
def docs() -> ResponseReturnValue:
    """Show the contract to people."""
    described = current_app.extensions["contract"]
    return rendered(
        "docs.html",
        described=described,
        operations=_operations(described),
        commands=_commands,
        kind=_kind,
        kinds=KINDS,
    )


@contract.get("/docs/docs.css")
def style() -> ResponseReturnValue:
    """Give the looks of the page."""
    text = (_HERE / "static" / "docs.css").read_text("utf-8")
    response = Response(text, content_type="text/css; charset=utf-8")
    response.cache_control.max_age = 3600
    return response


@contract.get("/problems/<kind>")
def problem(kind: str) -> ResponseReturnValue:
    """Lead from the type of a problem to what it means."""
    if kind not in KINDS:
        abort(404)
    return redirect(url_for("contract.docs", _anchor=f"problem-{kind}"))


def register(app: Flask, model: JobTitleClassifier, settings: Settings) -> None:
    """Add the contract to an app.

    Parameters
    ----------
    app
        The app.
    model, settings
        As for `document`.
    """
    app.extensions["contract"] = document(model, settings)
    app.register_blueprint(contract)

"""The service's paths."""

from typing import Any

from flask import Blueprint, Flask, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from api.problems import Problem
from api.schemas import Batch, Single, as_json, parse
from classifier import JobTitleClassifier, __version__

MAX_BODY = 1 << 20
"""Bytes of a request body."""

routes = Blueprint("routes", __name__)


def _model() -> JobTitleClassifier:
    model: JobTitleClassifier = current_app.extensions["classifier"]
    return model


def _body() -> bytes:
    """Return the request's body, whether its length was declared or not."""
    if request.mimetype != "application/json":
        detail = "send Content-Type: application/json"
        raise Problem(415, "unsupported-type", "The body is not declared as JSON", detail)
    body = b""
    if request.content_length is None or request.content_length <= MAX_BODY:
        body = request.stream.read(MAX_BODY + 1)
    if (not body and request.content_length) or len(body) > MAX_BODY:
        detail = f"send at most {MAX_BODY} bytes, in several requests if need be"
        raise Problem(413, "too-large", "The body is too large", detail, limit=MAX_BODY)
    return body


@routes.post("/v1/classify")
def classify() -> ResponseReturnValue:
    """Label one posting or a batch."""
    sent = parse(_body())
    answers = _explained(sent) if sent.explain else _labelled(sent)
    return jsonify({"labels": answers} if isinstance(sent, Batch) else answers[0])


def _labelled(sent: Single | Batch) -> list[dict[str, Any]]:
    titles, descriptions = [p.title for p in sent.postings], [p.description for p in sent.postings]
    labels = _model().predict(titles, descriptions, min_confidence=sent.min_confidence)
    return [as_json(p, label) for p, label in zip(sent.postings, labels, strict=True)]


def _explained(sent: Single | Batch) -> list[dict[str, Any]]:
    answers = []
    for posting in sent.postings:
        reasons = _model().explain(
            posting.title, posting.description, min_confidence=sent.min_confidence
        )
        answers.append(as_json(posting, reasons.label, reasons))
    return answers


@routes.get("/v1/taxonomy")
def taxonomy() -> ResponseReturnValue:
    """List the departments and categories."""
    model = _model()
    policy = model.policy()
    departments = [
        {
            "id": department.id,
            "names": dict(department.names),
            "category": policy.departments[department.id].category,
            "category_basis": policy.departments[department.id].basis,
        }
        for department in model.taxonomy.departments.values()
    ]
    categories = [
        {"id": category, "names": dict(names)}
        for category, names in model.taxonomy.category_names.items()
    ]
    version = model.taxonomy.version
    return jsonify({"version": version, "departments": departments, "categories": categories})


@routes.get("/v1/model")
def model_facts() -> ResponseReturnValue:
    """Say which model answers."""
    model = _model()
    facts: dict[str, Any] = {
        "version": __version__,
        "taxonomy_version": model.taxonomy.version,
        "min_confidence": model.min_confidence,
        "roles": len(model.roles),
        **current_app.config["MODEL_FACTS"],
    }
    return jsonify(facts)


@routes.get("/v2/health/live")
def live() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify({"status": "live"})


@routes.get("/v2/health/ready")
def ready() -> ResponseReturnValue:
    """Say that the model answers."""
    _model().predict(["Löneadministratör"])
    return jsonify({"status": "ready"})


def register(app: Flask) -> None:
    """Add the paths to an app."""
    app.register_blueprint(routes)

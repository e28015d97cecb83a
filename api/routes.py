"""The service's paths."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic_core import to_json

from api import metrics
from api.bodies import read_body
from api.current import current_model, current_plain_model
from api.doubts import ANY_CONFIDENCE, Doubts, entry_of
from api.naming import languages, name_in
from api.problems import Problem
from api.remembered import LONGEST, Answer, Remembered
from api.schemas import (
    JobPostings,
    Posting,
    Query,
    Single,
    Wishes,
    as_json,
    invalid_field,
    parse,
    validated,
    with_category,
)
from classifier import Label, __version__
from classifier.batch import Options, check_names, find_columns, segments
from classifier.corrections import QueueEntry
from classifier.delimited import CsvOptions, open_csv
from classifier.errors import InputError
from classifier.formats import Writing, make_writer
from classifier.policy import Policy
from classifier.sources import Source

NO_PROBES = {"": None}
"""What a model is asked that was given no titles to answer: an empty text has no department."""

_TOLD = ("sha256", "training_data_sha256", "seed", "figures")  # of what the model's facts may be
_JSON_LD = "application/ld+json"
_TYPES = ("application/json", _JSON_LD, "text/csv")

routes = Blueprint("routes", __name__)


def _policy(name: str) -> Policy:
    policies = current_model().policies
    if name not in policies:
        raise invalid_field("policy", f"no such policy; there are {', '.join(policies)}")
    return policies[name]


@routes.post("/v1/classify")
def classify() -> ResponseReturnValue:
    """Label one posting, a batch, JobPostings, or a CSV file."""
    if request.mimetype not in _TYPES:
        detail = "send Content-Type: application/json, application/ld+json or text/csv"
        raise Problem(415, "unsupported-type", "The body is of no known type", detail)
    if request.mimetype == "text/csv":
        return _labelled_csv(_query())
    body = read_body()
    is_short = len(body) + len(request.query_string) <= LONGEST
    answer = _remembered(body) if is_short else _answer(body)
    metrics.count_postings(answer.statuses)
    doubts: Doubts = current_app.extensions["doubts"]
    doubts.add(answer.doubts)
    return Response(answer.body, content_type="application/json")


def _remembered(body: bytes) -> Answer:
    """Answer a short request: many come again and again."""
    remembered: Remembered = current_app.extensions["remembered"]
    said = current_model().corrections
    version = 0 if said is None else said.version
    asked = (request.mimetype, request.query_string, body, version)
    answer = remembered.get(asked)
    if answer is None:
        answer = _answer(body)
        remembered.add(asked, answer)
    return answer


def _answer(body: bytes) -> Answer:
    """Label what a body holds."""
    sent = parse(body, _query().wishes, only_json_ld=request.mimetype == _JSON_LD)
    wishes = sent.batch if isinstance(sent, JobPostings) else sent
    labels = _labels(wishes.postings, wishes)
    laid_out = _laid_out(wishes.postings, labels, wishes)
    found: Any = laid_out[0] if isinstance(sent, Single) else {"labels": laid_out}
    if isinstance(sent, JobPostings):
        found = _job_postings(sent, laid_out)
    doubts = _doubts_of(wishes.postings, labels, wishes.min_confidence)
    return Answer(to_json(found) + b"\n", Counter(label.status for label in labels), doubts)


def _query() -> Query:
    """Read what is wished in the address."""
    if not request.query_string:
        return Query()
    for name, values in request.args.lists():
        if len(values) > 1:
            raise invalid_field(name, "say it once")
    return validated(Query, request.args.to_dict())


def _labels(postings: Sequence[Posting], wishes: Wishes) -> list[Label]:
    texts = [posting.description for posting in postings]
    return current_model().predict(
        [posting.title for posting in postings],
        texts if any(texts) else None,
        policy=_policy(wishes.policy),
        min_confidence=wishes.min_confidence,
        n_candidates=wishes.candidates,
    )


def _laid_out(
    postings: Sequence[Posting], labels: Sequence[Label], wishes: Wishes
) -> list[dict[str, Any]]:
    """Lay labels out as JSON, with their reasons if these are wished."""
    if not wishes.explain:
        return [as_json(p, label) for p, label in zip(postings, labels, strict=True)]
    answers = []
    for posting, label in zip(postings, labels, strict=True):
        reasons = current_model().explain(
            posting.title,
            posting.description,
            policy=_policy(wishes.policy),
            min_confidence=wishes.min_confidence,
        )
        answers.append(as_json(posting, label, reasons))
    return answers


def _doubts_of(
    postings: Sequence[Posting], labels: Sequence[Label], min_confidence: float | None
) -> list[QueueEntry | None]:
    """Return what people shall look at: postings whose labels are uncertain."""
    doubts: Doubts = current_app.extensions["doubts"]
    if not doubts.is_kept:
        return []
    own = ANY_CONFIDENCE if min_confidence is None else current_model().min_confidence
    pairs = zip(postings, labels, strict=True)
    return [entry_of(p.title, p.description, label, own) for p, label in pairs]


def _job_postings(sent: JobPostings, labels: Sequence[Mapping[str, Any]]) -> Any:
    """Give JobPostings back: each with its ISCO-08 group, and its label beside it."""
    roles = {role.id: role for role in current_model().roles}
    answers = []
    for posting, label in zip(sent.objects, labels, strict=True):
        role = roles.get(label["role"] or "")
        own = posting
        if role:
            own = with_category(posting, role.isco, name_in("en", role.names, role.id))
        answers.append({"posting": own, "label": label})
    return answers[0] if sent.alone else {"postings": answers}


def _labelled_csv(query: Query) -> Response:
    """Label the rows of a CSV file; they go out while they are labelled."""
    if query.explain:
        raise invalid_field("explain", "reasons are not given for files")
    model, usual = current_model(), current_app.config["USUAL_NAMES"]
    options = Options(
        _policy(query.policy),
        query.title,
        query.description,
        query.prefix,
        query.wishes.get("candidates", 0),
        query.min_confidence,
        corrections=model.corrections,
    )
    directory = TemporaryDirectory(prefix="jobtitle-")
    try:
        path = Path(directory.name) / "body.csv"
        path.write_bytes(read_body())
        how = CsvOptions(encoding=request.mimetype_params.get("charset"))
        table = open_csv(Source("the body", path, "csv", None), options.telling_names(usual), how)
        columns = find_columns(table, options, usual)
        check_names(table, options)
        writer = make_writer(table, options.added, options.excess, Writing())
        parts = segments(model, table, columns, options, writer)
        head = next(parts)  # what cannot be written shows here, before anything is sent
    except InputError as error:
        directory.cleanup()
        detail = _as_in_an_address(str(error))
        raise Problem(422, "invalid-file", "The file cannot be labelled", detail) from error
    except BaseException:
        directory.cleanup()
        raise

    def rows() -> Iterator[bytes]:
        with directory:
            yield head.text
            for labelled in parts:
                metrics.count_postings(labelled.statuses)
                yield labelled.text

    encoding = table.dialect.encoding.removesuffix("-sig")
    response = Response(rows(), content_type=f"text/csv; charset={encoding}")
    response.call_on_close(directory.cleanup)  # also if nobody stays to read it
    return response


def _as_in_an_address(message: str) -> str:
    """Put an error in the words of the service where it names options of the command line."""
    message = message.replace(" with --output-encoding", "")
    message = re.sub(r"(--format or )?--encoding", "charset in Content-Type", message)
    return re.sub(r"--(title|description|prefix)\b", r"\1 in the query", message)


@routes.get("/v1/taxonomy")
def taxonomy() -> ResponseReturnValue:
    """List the departments and categories, with their names in the language that is asked for."""
    model = current_model()
    policy = model.policy()
    there = languages(model.taxonomy)
    # sv-SE is Swedish, too, and goes before an English that is wanted less
    wanted = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality)
    language = next((own for own in wanted if own in there), there[0])
    departments = [
        {
            "id": department.id,
            "name": name_in(language, department.names, department.id),
            "names": dict(department.names),
            "category": policy.departments[department.id].category,
            "category_basis": policy.departments[department.id].basis,
        }
        for department in model.taxonomy.departments.values()
    ]
    categories = [
        {"id": category, "name": name_in(language, names, category), "names": dict(names)}
        for category, names in model.taxonomy.category_names.items()
    ]
    policies = [
        {"id": own.id, "description": name_in(language, own.description, own.id)}
        for own in model.policies.values()
    ]
    body = {
        "version": model.taxonomy.version,
        "language": language,
        "departments": departments,
        "categories": categories,
        "policies": policies,
    }
    response = jsonify(body)
    response.content_language.add(language)
    response.vary.add("Accept-Language")
    return response


@routes.get("/v1/model")
def model_facts() -> ResponseReturnValue:
    """Say which model answers, what it was made of, and how good it is."""
    model = current_model()
    told = current_app.config["MODEL_FACTS"]
    facts: dict[str, Any] = {
        "version": __version__,
        "taxonomy_version": model.taxonomy.version,
        "min_confidence": model.min_confidence,
        "departments": len(model.taxonomy.departments),
        "roles": len(model.roles),
        **{name: told[name] for name in _TOLD if name in told},
    }
    return jsonify(facts)


@routes.get("/v2/health/live")
def live() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify({"status": "live"})


@routes.get("/v2/health/ready")
def ready() -> ResponseReturnValue:
    """Say that the model answers as it should."""
    probes = current_app.config["MODEL_FACTS"].get("probes") or NO_PROBES
    labels = current_plain_model().predict(list(probes))
    if [label.department for label in labels] != list(probes.values()):
        detail = "the model does not answer as it should"
        later = {"Retry-After": "1"}
        raise Problem(503, "not-ready", "The model is not ready", detail, headers=later)
    return jsonify({"status": "ready"})


@routes.get("/metrics")
def counts() -> ResponseReturnValue:
    """Give what was counted, for Prometheus."""
    return metrics.exposition()


def register(app: Flask) -> None:
    """Add the paths to an app."""
    app.register_blueprint(routes)

"""The contract: the document is valid, its examples are real, and the service keeps to it."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from api import openapi, schemas
from api.app import create_app
from api.settings import Settings, hashed
from classifier import JobTitleClassifier
from tests.conftest import ROOT
from tests.test_server import Server, running

EXAMPLES = json.loads((ROOT / "api" / "examples.json").read_text("utf-8"))
FACTS = {**EXAMPLES["model"]["usual"]["response"]["body"], "versions": {"python": "3.11"}}
JOB = {"@type": "JobPosting", "title": "Redovisningsekonom"}


@pytest.fixture(scope="module")
def client(
    model: JobTitleClassifier, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    database = tmp_path_factory.mktemp("contract") / "corrections.sqlite3"
    own = Settings(database_url=f"sqlite:///{database}")
    with create_app(model, own, facts=FACTS).test_client() as client:
        yield client


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> Any:
    return client.get("/openapi.json").json


def post(
    client: FlaskClient, body: object, kind: str = "application/json", query: str = ""
) -> TestResponse:
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(f"/v1/classify{query}", data=data, content_type=kind)


def faults(document: Any, schema: Any, value: object) -> list[str]:
    """Say what is wrong with a value by a schema of the document."""
    whole = {**schema, "components": document["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def schemathesis(server: Server, directory: Path, *arguments: str) -> str:
    """Run schemathesis on a running service; what it found wrong, or nothing."""
    run = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run",
            f"http://{server.host}:{server.port}/openapi.json", "--generation-deterministic", "--phases", "examples,coverage,fuzzing",
            "--warnings", "off", "--no-color", *arguments,
        ],
        capture_output=True, text=True, cwd=directory,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if run.returncode == 0:
        assert "No issues found" in run.stdout
        return ""
    return "\n".join(line[:500] for line in (run.stdout + run.stderr).splitlines())


@pytest.mark.usefixtures("model")
def test_the_service_keeps_the_contract(tmp_path: Path) -> None:
    """Whatever schemathesis sends, every answer of a running service is as the document says."""
    # a body limit is none of the document's: it would refuse what is too long twice over
    database = f"sqlite:///{tmp_path / 'corrections.sqlite3'}"
    with running(workers=2, log_requests=0, max_body=64 << 20, database_url=database) as server:
        assert not schemathesis(server, tmp_path, "--checks", "all", "--max-examples", "10")


@pytest.mark.usefixtures("model")
def test_keys_are_in_the_contract(tmp_path: Path) -> None:
    """With keys, the document says so, and no operation that names them lets others in."""
    keys = tmp_path / "keys"
    keys.write_text(hashed("hemlig"), encoding="utf-8")
    database = f"sqlite:///{tmp_path / 'corrections.sqlite3'}"
    with running(log_requests=0, api_keys_file=keys, database_url=database) as server:
        assert not schemathesis(
            server, tmp_path, "--checks", "all", "--max-examples", "5", "-H", "X-API-Key: hemlig",
            "--exclude-path", "/v1/classify", "--generation-with-security-parameters", "false",
        )  # fmt: skip


def test_the_document_is_valid(client: FlaskClient, document: Any) -> None:
    """The document is OpenAPI 3.1 and its schemas hold no word that JSON Schema does not know."""
    validate(document)
    words = {
        "$ref", "additionalProperties", "allOf", "anyOf", "const", "contains", "default", "description",
        "enum", "items", "maxContains", "maxItems", "maxLength", "maximum", "minimum", "pattern",
        "properties", "required", "title", "type",
    }  # fmt: skip

    def unknown(schema: Any) -> set[str]:
        found = set(schema) - words
        inner = [*schema.get("properties", {}).values()]
        inner += [*schema.get("allOf", []), *schema.get("anyOf", [])]
        more = (schema.get(name) for name in ("items", "contains", "additionalProperties"))
        return found.union(*map(unknown, [*inner, *(own for own in more if isinstance(own, dict))]))

    classify = document["paths"]["/v1/classify"]["post"]
    own = [*document["components"]["schemas"].values()]
    own += [parameter["schema"] for parameter in classify["parameters"]]
    assert not set().union(*map(unknown, own))
    assert client.get("/openapi.json").content_type == "application/json"


def test_every_path_is_in_the_contract(client: FlaskClient, document: Any) -> None:
    """Each path of the service proper is described, and each description has a path."""
    rules = {
        rule.rule
        for rule in client.application.url_map.iter_rules()
        if rule.endpoint.startswith(("routes.", "correcting."))
    }
    assert rules == set(document["paths"])


def test_keys_are_described_only_where_they_are_asked_for(
    model: JobTitleClassifier, document: Any
) -> None:
    """Without keys no 401 and no scheme; with them both, but for the health checks."""
    assert "securitySchemes" not in document["components"]
    assert "401" not in document["paths"]["/v1/classify"]["post"]["responses"]
    own = openapi.document(model, Settings(key_hashes=frozenset([hashed("hemlig")])))
    validate(own)
    assert set(own["components"]["securitySchemes"]) == {"bearer", "key"}
    assert own["paths"]["/v1/model"]["get"]["security"] == [{"bearer": []}, {"key": []}]
    assert "security" not in own["paths"]["/v2/health/live"]["get"]


def alike(one: Any, other: Any) -> bool:
    """Compare answers; numbers may be others when the model was trained again."""
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, float | int) and isinstance(other, float | int):
        return type(one) is type(other) or {type(one), type(other)} == {int, float}
    return one is None or other is None or type(one) is type(other)


@pytest.mark.parametrize(
    ("operation", "name"),
    [(operation, name) for operation in EXAMPLES for name in EXAMPLES[operation]],
)
def test_examples_are_real(client: FlaskClient, document: Any, operation: str, name: str) -> None:
    """Each example is answered as it says, in the form that its schema says; so are those sent."""
    example = EXAMPLES[operation][name]
    (path, method, described) = next(
        (path, method, own)
        for path, methods in document["paths"].items()
        for method, own in methods.items()
        if own["operationId"] == operation
    )
    sent = example.get("request", {})
    answer = client.open(
        path + sent.get("query", ""),
        method=method.upper(),
        data=sent["body"] if sent.get("type") == "text/csv" else json.dumps(sent.get("body")),
        headers={"Content-Type": sent.get("type", ""), **sent.get("headers", {})},
    )
    kind = example["response"]["type"]
    well = 201 if operation == "correct" else 200
    assert (answer.status_code, answer.mimetype) == (well, kind)
    content = described["responses"][str(well)]["content"][kind]
    assert content["examples"][name]["value"] == example["response"]["body"]
    if "body" in sent:
        form = described["requestBody"]["content"][sent["type"]]
        assert form["examples"][name]["value"] == sent["body"]
        assert not faults(document, form["schema"], sent["body"])
    if kind == "application/json":
        assert not faults(document, content["schema"], answer.json)
        assert not faults(document, content["schema"], example["response"]["body"])
        assert alike(answer.json, example["response"]["body"])
    if kind == "text/csv":
        lines = [line.rsplit(";", 4)[0] for line in answer.text.splitlines()]
        assert lines == [
            line.rsplit(";", 4)[0] for line in example["response"]["body"].splitlines()
        ]


WORDS = st.sampled_from(["Kock", "Lönechef", "<b>HR</b> &amp; lön", "", "\x00", "\U0001f9d1‍🍳"])
SCALAR = (
    st.none() | st.booleans() | st.integers(-30, 30) | st.sampled_from([2.5, 3.0, 1e300]) | WORDS
)
FIELDS = {
    "title": WORDS | SCALAR,
    "description": WORDS | SCALAR,
    "id": SCALAR | st.integers() | st.text(max_size=201),
    "candidates": st.integers(0, 3) | SCALAR,
    "explain": st.booleans() | SCALAR,
    "min_confidence": st.sampled_from([0, 1, 0.5, -0.1, 1.1, None]) | SCALAR,
    "policy": st.sampled_from(["document", "customer_contact", "annan", "Å" * 50]) | SCALAR,
    "färg": WORDS,
}
OBJECT = st.fixed_dictionaries({}, optional=FIELDS)  # type: ignore[arg-type]
TYPES = st.sampled_from(
    ["JobPosting", "https://schema.org/JobPosting", "schema:JobPosting", "Place", "JobPostings"]
)
NODE = st.fixed_dictionaries(
    {"@type": TYPES | st.lists(TYPES | SCALAR, max_size=2) | SCALAR},
    optional={"title": WORDS | SCALAR | st.lists(WORDS, max_size=2), "description": WORDS},
)
BODY = (
    OBJECT
    | st.builds(
        lambda more, own: more | {"postings": own},
        OBJECT.map(lambda own: {k: v for k, v in own.items() if k not in ("title", "description", "id")}),
        st.lists(OBJECT, max_size=3) | SCALAR,
    )
    | NODE
    | st.lists(NODE, max_size=3)
    | st.fixed_dictionaries({"@graph": st.lists(NODE, max_size=3) | SCALAR})
    | SCALAR
)  # fmt: skip


@settings(max_examples=600, deadline=None, derandomize=True)
@given(body=BODY, is_json_ld=st.booleans())
def test_what_the_document_allows_is_what_is_answered(
    client: FlaskClient, document: Any, body: object, is_json_ld: bool
) -> None:
    """A body is labelled if its schema allows it, else refused; either answer has its own form."""
    described = document["paths"]["/v1/classify"]["post"]
    kind = "application/ld+json" if is_json_ld else "application/json"
    allowed = not faults(document, described["requestBody"]["content"][kind]["schema"], body)
    answer = post(client, json.dumps(body), kind)
    assert answer.status_code == (200 if allowed else 422), answer.text
    content = described["responses"][str(answer.status_code)]["content"][answer.mimetype]
    assert not faults(document, content["schema"], json.loads(answer.data))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    body=st.binary(max_size=60) | st.text(max_size=60).map(str.encode),
    kind=st.sampled_from(["application/json", "application/ld+json", "text/csv"]),
    charset=st.sampled_from(
        ["", "utf-8", "utf-16", "latin-1", "idna", "base64", "rot13", "\U0001f9d1"]
    ),
)
def test_no_bytes_break_it(client: FlaskClient, body: bytes, kind: str, charset: str) -> None:
    """Whatever bytes are posted as whatever type, the answer is 200 or says what is wrong."""
    content_type = f'{kind}; charset="{charset}"'.encode().decode("latin-1") if charset else kind
    answer = post(client, body, content_type)
    assert answer.status_code in {200, 400, 415, 422}, answer.text
    if answer.status_code != 200:
        assert json.loads(answer.data)["type"].startswith("/problems/")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ('{"title": "Kock", "title": "Lönechef"}', 200, "payroll"),
        ('\ufeff{"title": "Lönechef"}', 200, "payroll"),
        ('{"title": "Löne\\u0000chef"}', 200, "labelled"),
        ('{"title": "a", "id": %s}' % ("9" * 4_000), 200, "9" * 4_000),
        ('{"title": "a", "id": %s}' % ("9" * 5_000), 400, "out of range"),
        ('{"title": "a", "min_confidence": 1e400}', 422, "min_confidence"),
        ('{"title": "a", "candidates": 1e400}', 422, "candidates"),
        ('{"title": "a", "candidates": 101}', 422, '"limit": 100'),
        ('{"title": "a", "explain": 1}', 422, "explain"),
        ('{"title": "a", "policy": "annan"}', 422, "customer_contact, document"),
        ('{"@type": "JobPosting", "title": "a", "baseSalary": 1e400}', 400, "range"),
        ('{"title": "\\udc00"}', 400, "not JSON"),
        ('{"a":' * 300 + "1" + "}" * 300, 400, "recursion limit"),
        ('{"@type": "JobPosting", "title": ' + "[" * 150 + "]" * 150 + "}", 200, "empty"),
        ("{'title': 'a'}", 400, "not JSON"),
    ],
)  # fmt: skip
def test_hostile_json(client: FlaskClient, body: str, status: int, said: str) -> None:
    """Doubled keys, marks, vast numbers, halves of characters and depth are all answered."""
    answer = post(client, body.encode())
    assert answer.status_code == status, answer.text
    assert said in json.dumps(json.loads(answer.data), ensure_ascii=False)


def test_reasons_for_long_texts_are_limited(client: FlaskClient) -> None:
    """Reasons for more characters than can be read in good time are refused, with the limit."""
    long = {"description": "lön. " * 40_000, "explain": True}
    assert post(client, long).status_code == 200
    answer = post(client, {**long, "title": "Kock"})
    assert answer.status_code == 422
    assert json.loads(answer.data)["errors"][0]["limit"] == schemas.MAX_EXPLAINED_CHARACTERS


def test_reasons_come_with_the_same_label(client: FlaskClient) -> None:
    """Who asks for reasons gets the label and candidates of who does not."""
    posting = {"title": "Säljande butikschef", "candidates": 5}
    plain, explained = (post(client, {**posting, "explain": own}).json for own in (False, True))
    assert plain is not None
    assert explained is not None
    reasons = explained.pop("explanation")
    assert explained == plain
    assert len(plain["candidates"]) == 5
    assert reasons["department"] == plain["department"]


def test_job_postings_come_back(client: FlaskClient, model: JobTitleClassifier) -> None:
    """A JobPosting comes back as it was, with its ISCO-08 group and its label beside it."""
    job = {
        "@context": "https://schema.org",
        "@type": ["Thing", "https://schema.org/JobPosting"],
        "title": {"@value": "Lönekonsult"},
        "description": "<p>Du kör <b>lönen</b> för 600 anställda.</p>",
        "occupationalCategory": "15-1252.00",
        "baseSalary": 35_000.5,
    }
    answer = post(client, job, "application/ld+json").json
    assert answer is not None
    assert answer["label"]["department"] == "payroll"
    there, added = answer["posting"]["occupationalCategory"]
    assert there == "15-1252.00"
    role = next(role for role in model.roles if role.id == answer["label"]["role"])
    assert (added["inCodeSet"]["name"], added["codeValue"]) == ("ISCO-08", role.isco)
    assert (len(added["codeValue"]), added["name"]) == (4, role.names["en"])
    assert {**answer["posting"], "occupationalCategory": "15-1252.00"} == job
    again = post(client, answer["posting"], "application/ld+json").json
    assert again == answer


def test_job_postings_in_lists_and_graphs(client: FlaskClient) -> None:
    """All JobPostings of lists and graphs are labelled in order; other nodes are left out."""
    place = {"@type": "Place", "name": "Kiruna"}
    cook = {"@type": "JobPosting", "title": "Kock"}
    expected = ["finance", "hospitality"]
    for body in ([JOB, place, cook], {"@graph": [place, JOB, cook, 7]}, [{"@graph": [JOB]}, cook]):
        answer = post(client, body).json
        assert answer is not None
        assert [own["label"]["department"] for own in answer["postings"]] == expected
    both = post(client, {**JOB, "@graph": [cook]}).json
    assert both is not None
    assert both["label"]["department"] == "finance"
    unknown = post(client, {"@type": "JobPosting", "title": "asdf qwer"}).json
    assert unknown is not None
    assert unknown["posting"] == {"@type": "JobPosting", "title": "asdf qwer"}


def test_limits_hold_for_job_postings(client: FlaskClient) -> None:
    """A thousand JobPostings at a time, fifty with reasons, and no other things at all."""
    assert len(post(client, [JOB] * 1_000).json["postings"]) == 1_000  # type: ignore[index]
    cases: list[tuple[object, str, str]] = [
        ([JOB] * 1_001, "", "postings"),
        ([JOB] * 51, "?explain=true", "at most 50"),
        ([{"@type": "Place"}], "", "no JobPosting"),
        ({"@graph": []}, "", "no JobPosting"),
        ({**JOB, "title": "a" * 100_001}, "", "postings.0.title"),
    ]
    for body, query, said in cases:
        answer = post(client, body, query=query)
        assert answer.status_code == 422
        assert said in answer.text
    plain = post(client, {"title": "Kock"}, "application/ld+json")
    assert (plain.status_code, "no JobPosting" in plain.text) == (422, True)


def test_wishes_in_the_address(client: FlaskClient) -> None:
    """The query holds for every kind of body, the body goes before it, and bad ones are named."""
    query = "?candidates=1&explain=true&min_confidence=1&policy=customer_contact"
    label = post(client, {"title": "Säljare"}, query=query).json
    assert label is not None
    assert (label["status"], len(label["candidates"])) == ("unknown", 1)
    assert label["explanation"]["department"] == "sales"
    own = post(client, {"title": "Säljare", "min_confidence": 0, "explain": False}, query=query)
    assert own.json is not None
    assert (own.json["status"], "explanation" in own.json) == ("labelled", False)
    job = post(client, JOB, query=query).json
    assert job is not None
    assert job["label"]["explanation"]["department"] == "finance"
    for wrong in (
        "candidates=101", "candidates=", "candidates=x", "explain=yes", "explain=1", "policy=annan",
        "min_confidence=nan", "min_confidence=-1", "candidates=1&candidates=2", "colour=red",
    ):  # fmt: skip
        answer = post(client, {"title": "Kock"}, query=f"?{wrong}")
        assert answer.status_code == 422, wrong
        assert json.loads(answer.data)["errors"][0]["field"] == wrong.split("=")[0]


def test_csv_comes_back_with_labels(client: FlaskClient) -> None:
    """A CSV file comes back in its own delimiter, encoding and order, with the columns wished."""
    body = "nr;yrke\r\n1;Lönechef\r\n2;Kock\r\n"
    kind = "text/csv; charset=windows-1252"
    answer = post(client, body.encode("cp1252"), kind, "?prefix=job_&candidates=2")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("cp1252")), delimiter=";"))
    assert [row["yrke"] for row in rows] == ["Lönechef", "Kock"]
    assert [row["job_department"] for row in rows] == ["payroll", "hospitality"]
    assert rows[0]["job_candidates"].count("|") == 1
    assert "candidates" not in post(client, body, "text/csv").text
    chosen = post(client, "a;b\nKock;Lönechef\n", "text/csv", "?title=b")
    assert "payroll" in chosen.text


@pytest.mark.parametrize(
    ("body", "kind", "query", "said"),
    [
        (b"", "text/csv", "", "empty"),
        (b"a;b\n1;2\n", "text/csv", "", "title in the query"),
        (b"a;b\n1;2\n", "text/csv", "?title=c", "no column 'c'"),
        (b"titel;department\n1;2\n", "text/csv", "", "prefix in the query"),
        (b"titel\nKock\n", "text/csv", "?explain=true", "explain"),
        (b"titel\nKock\n", "text/csv; charset=klingon", "", "not known"),
        (b"titel\nKock\n", "text/csv; charset=ascii", "?prefix=%C3%A5", "cannot be written"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "text/csv", "", "no text"),
    ],
)
def test_csv_that_cannot_be_labelled(
    client: FlaskClient, body: bytes, kind: str, query: str, said: str
) -> None:
    """A file or wish that cannot be met is a problem in the words of the service."""
    answer = post(client, body, kind, query)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    detail = json.loads(answer.data)["detail"]
    assert said.lower() in detail.lower()
    assert "--" not in detail


def test_model_and_taxonomy_tell_what_is_behind(
    client: FlaskClient, model: JobTitleClassifier
) -> None:
    """The model tells its hashes and figures and nothing else; the taxonomy its policies."""
    facts = client.get("/v1/model").json
    assert facts is not None
    assert facts["sha256"] == FACTS["sha256"]
    assert 0 < facts["figures"]["selective_accuracy"] <= 1
    assert "versions" not in facts
    answer = client.get("/v1/taxonomy", headers={"Accept-Language": "sv-SE,en;q=0.5"})
    assert answer.json is not None
    assert answer.headers["Content-Language"] == "sv"
    assert answer.json["departments"][0]["name"] == "Lön"
    assert [own["id"] for own in answer.json["policies"]] == list(model.policies)


def test_not_ready_until_the_probes_are_right(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that gives its test titles other labels is not ready, and says when to ask again."""
    facts = client.application.config["MODEL_FACTS"]
    monkeypatch.setitem(facts, "probes", {"Lönechef": "payroll", "": None})
    assert client.get("/v2/health/ready").status_code == 200
    monkeypatch.setitem(facts, "probes", {"Lönechef": "payroll", "Kock": "payroll", "": None})
    answer = client.get("/v2/health/ready")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert json.loads(answer.data)["type"] == "/problems/not-ready"
    assert client.get("/v2/health/live").status_code == 200


def test_kinds_of_problems_are_explained(client: FlaskClient) -> None:
    """Each kind that the service can give has a place on the page, where its type leads."""
    text = "".join(path.read_text("utf-8") for path in (ROOT / "api").glob("*.py"))
    given = set(
        re.findall(r'(?:Problem\(\s*\d{3},\s*|\d{3}: \(?|error\.code, \()"([a-z-]+)"', text)
    )
    assert given <= set(openapi.KINDS)
    assert {"invalid-field", "no-key", "busy", "too-many-requests", "not-found", "fault"} <= given
    page = client.get("/docs").text
    for kind in openapi.KINDS:
        answer = client.get(f"/problems/{kind}")
        assert answer.headers["Location"] == f"/docs#problem-{kind}"
        assert f'id="problem-{kind}"' in page
    assert client.get("/problems/annat").status_code == 404


def test_docs_need_nothing_from_elsewhere(client: FlaskClient, document: Any) -> None:
    """The page shows every operation and example, has no script, and only its own style."""
    answer = client.get("/docs")
    assert answer.mimetype == "text/html"
    page = answer.text
    assert re.findall(r'(?:src|href)="([^#"]+)"', page) == ["/docs/docs.css", "/openapi.json"]
    assert "<script" not in page
    assert "style=" not in page
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}</code> {operation['summary']}" in page
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))
    assert "Löneadministratör 80 %" in page
    assert client.get("/docs/docs.css").mimetype == "text/css"

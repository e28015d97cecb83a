"""The service, by Flask's client; a real server answers in test_flows."""

import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from api import remembered
from api.app import create_app
from api.settings import Settings
from classifier import JobTitleClassifier


@pytest.fixture(scope="module")
def client(model: JobTitleClassifier) -> Iterator[FlaskClient]:
    with create_app(model, facts={"seed": 0}).test_client() as client:
        yield client


def post(client: FlaskClient, body: object, **headers: str) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(
        "/v1/classify", data=data, headers={"Content-Type": "application/json"} | headers
    )


def test_one_posting(client: FlaskClient, model: JobTitleClassifier) -> None:
    """A posting is answered with its label and its id, as the library gives it."""
    answer = post(client, {"title": "Lönechef", "id": "a1"})
    assert answer.status_code == 200
    label = model.predict(["Lönechef"])[0]
    assert answer.json is not None
    assert answer.json["id"] == "a1"
    assert answer.json["department"] == label.department == "payroll"
    assert answer.json["confidence"] == pytest.approx(label.confidence, abs=1e-6)
    assert answer.json["candidates"][0]["category"] == "back_office"


def test_what_is_asked_again(client: FlaskClient) -> None:
    """A request that comes again is answered the same and counted; one that differs, by itself."""
    own = {"title": "Löneadministratör till Åmål", "id": 7}

    def counted() -> float:
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in client.get("/metrics").text.splitlines()
            if line.startswith("jobtitle_postings_total")
        )

    before = counted()
    first = post(client, own)
    assert post(client, own).data == first.data
    assert counted() == before + 2
    strict = client.post("/v1/classify?min_confidence=1", json=own)
    assert (first.json["status"], strict.json["status"]) == ("labelled", "unknown")  # type: ignore[index]
    assert post(client, own | {"id": 8}).json == first.json | {"id": 8}  # type: ignore[operator]
    there = client.post("/v1/classify", data=json.dumps(own), content_type="application/ld+json")
    assert there.status_code == 422


def test_few_requests_are_remembered(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is bounded: those that came last, none of them long."""
    kept = client.application.extensions["remembered"]
    monkeypatch.setattr(remembered, "REMEMBERED", len(kept._answers) + 5)
    for n in range(20):
        post(client, {"title": f"Kock {n}"})
    post(client, {"title": "Kock" * 200})
    post(client, {"title": "Kock", "candidates": 100})
    client.post(f"/v1/classify?{'&' * 500}candidates=1", json={"title": "Kock"})
    assert len(kept._answers) == remembered.REMEMBERED
    asked = [body for _, _, body, _ in kept._answers]
    assert asked[-5:] == [b'{"title": "Kock %d"}' % n for n in range(15, 20)]


def test_a_batch_is_answered_in_order(client: FlaskClient) -> None:
    """A thousand postings come back in order, each with its own id."""
    postings = [{"title": "Kock" if n % 2 else "Lönechef", "id": n} for n in range(1_000)]
    answer = post(client, {"postings": postings})
    assert answer.json is not None
    labels = answer.json["labels"]
    assert [label["id"] for label in labels] == list(range(1_000))
    assert {label["department"] for label in labels[1::2]} == {"hospitality"}
    assert post(client, {"postings": []}).json == {"labels": []}


def test_text_only_and_nothing(client: FlaskClient) -> None:
    """A description alone is labelled; empty texts are empty."""
    text = "Du kör lönen för 600 anställda och rapporterar skatt och semester."
    answer = post(client, {"description": text}).json
    assert answer is not None
    assert answer["department"] == "payroll"
    empty = post(client, {"title": " "}).json
    assert empty is not None
    assert (empty["status"], empty["confidence"], empty["candidates"]) == ("empty", None, [])


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b'{"title": "\\ud800"}', 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"[" + b"[]," * 200_000 + b"[]]", 400, "no list of postings"),
        (b'{"title": NaN}', 400, "not JSON"),
        ([], 422, "not an object"),
        ({}, 422, "nothing to label"),
        ({"titel": "Kock"}, 422, "nothing to label"),
        ({"title": 7}, 422, "title"),
        ({"title": None}, 422, "title"),
        ({"title": "a", "colour": "b"}, 422, "colour"),
        ({"title": "a", "id": {"b": 1}}, 422, "id"),
        ({"title": "a" * 100_001}, 422, "title"),
        ({"postings": [{"title": "a"}, {"title": []}]}, 422, "postings.1.title"),
        ({"postings": [{"title": "a"}] * 1_001}, 422, "postings"),
        ({"postings": "a"}, 422, "postings"),
        (b" " * (Settings().max_body + 1), 413, "too large"),
    ],
)
def test_bad_bodies_are_problems(client: FlaskClient, body: object, status: int, said: str) -> None:
    """Each bad body has its status and a problem that names the field or the limit."""
    answer = post(client, body)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = json.loads(answer.data)
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert said in json.dumps(problem)


def test_what_was_sent_is_not_repeated(client: FlaskClient) -> None:
    """A problem does not quote the title: it is personal data."""
    answer = post(client, {"title": ["Hemlig titel"]})
    assert b"Hemlig" not in answer.data


def test_wrong_type_path_and_method(client: FlaskClient) -> None:
    """415, 404 and 405 are problems too, and 405 names what is allowed."""
    answers = [
        (post(client, b"title=a", **{"Content-Type": "text/plain"}), 415),
        (client.get("/nowhere"), 404),
        (client.get("/v1/classify"), 405),
        (client.post("/v1/taxonomy"), 405),
    ]
    for answer, status in answers:
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
        assert json.loads(answer.data)["status"] == status
    assert "POST" in answers[2][0].headers["Allow"]


def test_taxonomy_model_and_health(client: FlaskClient) -> None:
    """The descriptions of labels and model, and both health checks, answer."""
    taxonomy = client.get("/v1/taxonomy").json
    assert taxonomy is not None
    assert len(taxonomy["departments"]) == 23
    assert taxonomy["departments"][0]["names"]["sv"] == "Lön"
    facts = client.get("/v1/model").json
    assert facts is not None
    assert facts["seed"] == 0
    assert facts["roles"] > 180
    for path in ("/v2/health/live", "/v2/health/ready"):
        assert client.get(path).status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["title", "description", "id", "postings", "x"]), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(body=JSON | st.binary(max_size=50))
def test_no_body_breaks_it(client: FlaskClient, body: object) -> None:
    """Whatever is posted, the answer is 200 or a client error, never a 500."""
    answer = post(client, body)
    assert answer.status_code in {200, 400, 422}


def test_unforeseen_errors_are_problems_without_details(
    model: JobTitleClassifier, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of our own is a bare problem, and the log does not hold the title."""
    app = create_app(model)

    @app.get("/fault")
    def fault() -> str:
        raise RuntimeError("Hemlig titel")

    answer = app.test_client().get("/fault")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert b"Hemlig" not in answer.data
    assert "Hemlig" not in caplog.text
    assert "RuntimeError" in caplog.text


def test_reasons_on_request(client: FlaskClient) -> None:
    """Reasons come when asked for: listed words, other words and offset add up to the score."""
    text = "Du kör lönen för 600 anställda. " * 10
    answer = post(client, {"title": "Lönespecialist", "description": text, "explain": True}).json
    assert answer is not None
    reasons = answer["explanation"]
    assert reasons["department"] == answer["department"] == "payroll"
    assert len(reasons["words"]) == 30
    total = sum(w["weight"] for w in reasons["words"]) + reasons["other_words"] + reasons["offset"]
    assert total == pytest.approx(reasons["score"], abs=1e-3)
    assert reasons["role"] == answer["role"]
    assert reasons["learned_from"][0]["similarity"] > 0.5
    batch = {"postings": [{"title": "Kock", "id": 7}, {"title": ""}], "explain": True}
    first, second = post(client, batch).json["labels"]  # type: ignore[index]
    assert (first["id"], first["explanation"]["department"]) == (7, "hospitality")
    assert second["explanation"]["words"] == []
    assert "explanation" not in post(client, {"title": "Kock"}).json  # type: ignore[operator]


def test_reasons_are_for_few(client: FlaskClient) -> None:
    """A request for reasons on more postings than allowed is refused with the number."""
    answer = post(client, {"postings": [{"title": "Kock"}] * 51, "explain": True})
    assert answer.status_code == 422
    assert "at most 50 postings" in answer.get_data(as_text=True)


def test_a_threshold_on_request(client: FlaskClient) -> None:
    """The request's own threshold decides what is unknown; it must be a probability."""
    unsure = post(client, {"title": "Säljare", "min_confidence": 1}).json
    assert unsure is not None
    assert (unsure["status"], unsure["department"]) == ("unknown", None)
    assert unsure["candidates"][0]["department"] == "sales"
    sure = post(client, {"postings": [{"title": "asdf qwer"}], "min_confidence": 0}).json
    assert sure is not None
    assert sure["labels"][0]["candidates"]
    wrong = post(client, {"title": "Säljare", "min_confidence": 2})
    assert wrong.status_code == 422
    assert "min_confidence" in wrong.get_data(as_text=True)

"""Keys, limits, headers, logs and counts around each request, and the settings behind them."""

import hashlib
import json
import logging
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from api.guards import Buckets, JsonLines
from api.settings import Settings
from classifier import ClassifierError, JobTitleClassifier


def client_of(model: JobTitleClassifier, **settings: object) -> FlaskClient:
    return create_app(model, Settings(**settings)).test_client()  # type: ignore[arg-type]


def test_a_key_is_asked_for(model: JobTitleClassifier) -> None:
    """With keys, only who sends one gets in, by either header; health stays open."""
    client = client_of(model, key_hashes=frozenset([hashlib.sha256(b"hemlig").hexdigest()]))
    for headers in ({}, {"X-API-Key": "fel"}, {"Authorization": "Basic hemlig"}):
        answer = client.get("/v1/taxonomy", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert json.loads(answer.data)["type"] == "/problems/no-key"
    for headers in ({"X-API-Key": "hemlig"}, {"Authorization": "Bearer hemlig"}):
        assert client.get("/v1/taxonomy", headers=headers).status_code == 200
    assert client.get("/v2/health/live").status_code == 200


def test_too_many_requests(model: JobTitleClassifier) -> None:
    """A client has so many requests at once, then 429 with the time to wait; others go on."""
    client = client_of(model, rate=0.01, burst=3)
    answers = [client.get("/v1/taxonomy") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[3].headers["Retry-After"]) > 10
    assert json.loads(answers[3].data)["limit"] == 0.01
    other = client.get("/v1/taxonomy", environ_overrides={"REMOTE_ADDR": "10.0.0.9"})
    assert other.status_code == 200
    assert client.get("/v2/health/live").status_code == 200


def test_buckets_fill_up_again() -> None:
    """A client that waited may send again, never more at once than the burst."""
    buckets = Buckets(rate=2, burst=2)
    assert [buckets.take("a", 0.0) for _ in range(3)] == [0, 0, 0.5]
    assert buckets.take("a", 0.5) == 0
    assert [buckets.take("a", 100.0) for _ in range(3)] == [0, 0, 0.5]


def test_headers_of_every_answer(model: JobTitleClassifier) -> None:
    """Good answers and errors carry the security headers and the request's own id."""
    client = client_of(model)
    for path in ("/v1/taxonomy", "/nowhere"):
        answer = client.get(path, headers={"X-Request-Id": "ab-12"})
        assert answer.headers["X-Request-Id"] == "ab-12"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers
    forged = client.get("/v1/taxonomy", headers={"X-Request-Id": "a b<script>"})
    assert len(forged.headers["X-Request-Id"]) == 32


def test_other_origins(model: JobTitleClassifier) -> None:
    """Pages of an origin that is configured may call, also with a preflight; others may not."""
    client = client_of(model, cors_origins=("https://example.org",))
    for origin, allowed in (("https://example.org", True), ("https://example.com", False)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for answer in (
            client.options("/v1/classify", headers=asked),
            client.post("/v1/classify", json={"title": "Kock"}, headers={"Origin": origin}),
        ):
            assert answer.status_code == 200
            assert (answer.headers.get("Access-Control-Allow-Origin") == origin) == allowed
            assert "Origin" in answer.headers["Vary"]


def test_logs_hold_no_titles(model: JobTitleClassifier, caplog: pytest.LogCaptureFixture) -> None:
    """A line a request, as JSON, with its id and status, and nothing of what was sent."""
    client = client_of(model)
    with caplog.at_level(logging.INFO, "jobtitle.requests"):
        client.post(
            "/v1/classify?title=Hemlig", json={"title": "Hemlig"}, headers={"X-Request-Id": "r1"}
        )
        client.get("/Hemlig")
    lines = [JsonLines().format(record) for record in caplog.records]
    first, second = (json.loads(line) for line in lines)
    assert (first["request_id"], first["path"], first["status"]) == ("r1", "/v1/classify", 200)
    assert (second["path"], second["status"]) == ("(none)", 404)
    assert "Hemlig" not in "".join(lines)


def test_counts(model: JobTitleClassifier) -> None:
    """/metrics counts requests by path and status, and postings by status."""
    client = client_of(model)
    client.post("/v1/classify", json={"postings": [{"title": "Kock"}, {"title": "asdf qwer"}]})
    text = client.get("/metrics").get_data(as_text=True)
    assert 'jobtitle_postings_total{status="unknown"}' in text
    assert 'path="/v1/classify",status="200"' in text


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WORKERS", "many", "JOBTITLE_WORKERS is 'many'; it must be a whole number"),
        ("WORKERS", "0", "from 1 to 256"),
        ("RATE", "-1", "JOBTITLE_RATE"),
        ("TIMEOUT", "nan", "JOBTITLE_TIMEOUT"),
        ("LOG_REQUESTS", "maybe", "1 or 0"),
        ("CORS_ORIGINS", "*", "origins such as"),
        ("API_KEYS_FILE", "/nowhere/keys", "cannot be read"),
    ],
)
def test_settings_are_checked(name: str, value: str, said: str) -> None:
    """A value of no use is an error that names the variable and what it must be."""
    with pytest.raises(ClassifierError, match=said):
        Settings.from_environment({f"JOBTITLE_{name}": value})


def test_a_file_of_keys(tmp_path: Path) -> None:
    """A line is the hash of a key; comments and blanks are left out; faults name the line."""
    path = tmp_path / "keys"
    own = hashlib.sha256(b"a").hexdigest()
    path.write_text(f"# keys\n\n{own.upper()}  # Anna\n")
    environment = {"JOBTITLE_API_KEYS_FILE": str(path)}
    assert Settings.from_environment(environment).key_hashes == {own}
    path.write_text(f"{own}\nhemlig\n")
    with pytest.raises(ClassifierError, match="line 2"):
        Settings.from_environment(environment)
    path.write_text("# none\n")
    with pytest.raises(ClassifierError, match="no key"):
        Settings.from_environment(environment)

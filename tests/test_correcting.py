"""Corrections over HTTP and on the page, and the review queue, with a real database."""

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from api import doubts
from api.app import create_app
from api.database import Database
from api.doubts import Doubts
from api.review import PAGE
from api.settings import Settings, hashed
from classifier import JobTitleClassifier
from classifier.corrections import CorrectionStore, QueueEntry
from classifier.errors import ClassifierError, DatabaseError
from classifier.policy import Policy, Rule
from tests.test_page import browser, text_of  # noqa: F401 - a fixture
from tests.test_server import Server, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FACTS = {"sha256": {"model.joblib": "ab" * 32}}
HERE = {"Sec-Fetch-Site": "same-origin"}
TITLE = "Butiksansvarig lön"
LEGAL = "Juridik, risk och regelefterlevnad"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'corrections.sqlite3'}"


@pytest.fixture
def client(model: JobTitleClassifier, url: str) -> Iterator[FlaskClient]:
    with create_app(model, Settings(database_url=url), facts=FACTS).test_client() as client:
        yield client


def correct(client: FlaskClient, body: object) -> TestResponse:
    return client.post("/v1/corrections", json=body)


def label(client: FlaskClient, title: str, description: str = "") -> dict[str, Any]:
    answer = client.post("/v1/classify", json={"title": title, "description": description}).json
    assert answer is not None
    return dict(answer)


def queue(client: FlaskClient) -> list[QueueEntry]:
    """Return the review queue when all that was on its way has come there."""
    client.application.extensions["doubts"].flush()
    return CorrectionStore.open(client.application.config["SETTINGS"].database_url).queue()


def test_a_correction_holds_at_once(
    client: FlaskClient, model: JobTitleClassifier, url: str
) -> None:
    """What was accepted is kept with what the model had said, and answers the title at once."""
    plain = model.predict([TITLE])[0]
    assert label(client, TITLE)["basis"] == "model"
    sent = {"title": TITLE, "department": "sales", "role": "store_manager", "who": "Anna"}
    answer = correct(client, sent)
    assert answer.status_code == 201
    assert answer.json is not None
    said = {
        "department": plain.department,
        "role": plain.role,
        "confidence": pytest.approx(plain.confidence, abs=1e-6),
        "model": "ab" * 32,
    }
    assert answer.json == {**sent, "description": "", "said": said} | {
        name: answer.json[name] for name in ("id", "at")
    }
    (kept,) = CorrectionStore.open(url).all()
    assert (kept.id, kept.title, kept.department, kept.who) == (
        answer.json["id"], TITLE, "sales", "Anna",
    )  # fmt: skip
    found = label(client, f"  {TITLE.upper()} ")
    assert (found["department"], found["role"], found["basis"], found["confidence"]) == (
        "sales", "store_manager", "correction", 1,
    )  # fmt: skip
    assert label(client, f"{TITLE} Kiruna")["basis"] == "model"
    assert model.predict([TITLE])[0] == plain  # what was given to the app is not changed


def test_what_the_model_said_is_not_what_was_corrected(client: FlaskClient) -> None:
    """The second who corrects a title is told of the model's own label, not of the first one's."""
    first = correct(client, {"title": TITLE, "department": "legal"}).json
    second = correct(client, {"title": TITLE, "department": "sales"}).json
    assert first is not None
    assert second is not None
    assert first["said"] == second["said"]
    assert label(client, TITLE)["department"] == "sales"


def test_the_same_again_is_one(client: FlaskClient, url: str) -> None:
    """The same correction twice, alone or in a batch, is one with one id."""
    own = {"title": TITLE, "department": "sales"}
    first = correct(client, own).json
    again = correct(client, {"corrections": [own, own]})
    assert first is not None
    assert again.status_code == 201
    assert {one["id"] for one in again.json["corrections"]} == {first["id"]}  # type: ignore[index]
    assert len(list(CorrectionStore.open(url).all())) == 1


def test_a_batch_is_recorded_whole_or_not_at_all(client: FlaskClient, url: str) -> None:
    """One faulty correction of a thousand names its place, and none is recorded; else all are."""
    batch = [{"title": f"Titel {n}", "department": "sales"} for n in range(1_000)]
    faulty = [*batch[:500], {"title": "x", "department": "saless"}, *batch[501:]]
    answer = correct(client, {"corrections": faulty})
    assert answer.status_code == 422
    assert json.loads(answer.data)["errors"] == [
        {
            "field": "corrections.500.department",
            "message": "no department of this model; nearest: sales, trades",
        }
    ]
    assert list(CorrectionStore.open(url).all()) == []
    answer = correct(client, {"corrections": batch})
    assert [own["title"] for own in answer.json["corrections"]] == [  # type: ignore[index]
        own["title"] for own in batch
    ]
    assert len(list(CorrectionStore.open(url).all())) == 1_000
    assert correct(client, {"corrections": []}).json == {"corrections": []}


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"title": "a", "department": "payrol"}, "department", "nearest: payroll"),
        ({"title": "a", "department": "Löner"}, "department", "nearest: payroll"),
        ({"title": "a", "department": "?"}, "department", "there are payroll, human_resources"),
        ({"title": "a", "department": "sales", "role": "nurse"}, "role", "no role of sales"),
        (
            {"title": "a", "department": "payroll", "role": "payroll_manage"},
            "role",
            "payroll_manager",
        ),
        ({"title": "a"}, "department", "required"),
        ({"title": " ", "department": "sales"}, "body", "neither title nor description"),
        ({"title": "a", "department": "sales", "description": "a\0"}, "description", "pattern"),
        ({"title": "a" * 4_001, "department": "sales"}, "title", "4000"),
        ({"title": "a", "department": "sales", "who": "a" * 201}, "who", "200"),
        ({"title": "a", "department": "sales", "colour": "b"}, "colour", "not permitted"),
        ({"corrections": [{"title": "a", "department": "sales"}] * 1_001}, "corrections", "1000"),
        ([], "body", "object"),
    ],
)
def test_corrections_that_cannot_be_taken(
    client: FlaskClient, url: str, body: object, field: str, said: str
) -> None:
    """Each fault names its field and what to put there; nothing is recorded."""
    answer = correct(client, body)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    fault = json.loads(answer.data)["errors"][0]
    assert fault["field"] == field
    assert said in fault["message"]
    assert list(CorrectionStore.open(url).all()) == []


def test_what_the_document_allows_is_recorded(client: FlaskClient) -> None:
    """The schema has the model's departments and roles: what it refuses is refused, and no more."""
    from tests.test_contract import faults

    document = client.get("/openapi.json").json
    assert document is not None
    operation = document["paths"]["/v1/corrections"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    titles = ["Kock", "\u2003\x1c", "", "a\0"]
    labels = [("sales", None), ("sales", "store_manager"), ("sales", "nurse"), ("x", None)]
    statuses = set()
    for title in titles:
        for description in ("", "Du säljer.", "\n"):
            for department, role in labels:
                body = {
                    "title": title, "description": description,
                    "department": department, "role": role,
                }  # fmt: skip
                answer = correct(client, body)
                allowed = not faults(document, schema, body)
                assert answer.status_code == (201 if allowed else 422), body
                statuses.add(answer.status_code)
    assert statuses == {201, 422}


def test_other_sites_cannot_post_corrections(client: FlaskClient, url: str) -> None:
    """A body of a type that forms can send is refused: browsers send it without asking."""
    body = json.dumps({"title": TITLE, "department": "sales"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = client.post("/v1/corrections", data=body, content_type=kind)
        assert answer.status_code == 415
    assert client.get("/v1/corrections").status_code == 405
    assert list(CorrectionStore.open(url).all()) == []


def test_without_a_database(model: JobTitleClassifier) -> None:
    """Without one, corrections are refused with a reason, and the page does not offer them."""
    client = create_app(model).test_client()
    answer = correct(client, {"title": TITLE, "department": "sales"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert json.loads(answer.data)["type"] == "/problems/no-database"
    page = client.post("/?lang=en", data={"title": TITLE}).text
    assert "This is wrong" not in page
    assert "/review" not in page
    assert "Nothing that you write or upload is stored." in page
    own = {"title": TITLE, "department": "sales"}
    for answer in (
        client.get("/review?lang=en"),
        client.post("/correct?lang=en", data=own, headers=HERE),
        client.post("/review?lang=en", data={"skip": "x"}, headers=HERE),
    ):
        assert answer.status_code == 503
        assert "Nothing was stored" in text_of(answer)


def test_a_database_that_goes_away(
    client: FlaskClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Corrections are refused, labels and the page go on, and no title is logged."""
    correct(client, {"title": TITLE, "department": "sales"})
    assert label(client, TITLE)["department"] == "sales"
    (tmp_path / "corrections.sqlite3").write_bytes(b"no database at all " * 1_000)
    for path in tmp_path.glob("corrections.sqlite3-*"):
        path.unlink()
    answer = correct(client, {"title": "Hemlig titel", "department": "sales"})
    assert answer.status_code == 503
    assert json.loads(answer.data)["type"] == "/problems/no-database"
    assert label(client, TITLE)["department"] == "sales"
    assert label(client, "Hemlig asdf")["status"] == "unknown"
    client.application.extensions["doubts"].flush()
    page = client.post(
        "/correct?lang=en", data={"title": "Hemlig", "department": "sales"}, headers=HERE
    )
    assert (page.status_code, "Nothing was stored" in text_of(page)) == (503, True)
    assert client.get("/review").status_code == 503
    assert "review" in caplog.text
    assert "Hemlig" not in caplog.text


def test_which_database_is_opened(
    model: JobTitleClassifier,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that is named must be there; the usual place need not be; a setting says which."""
    none = Settings.from_environment({"JOBTITLE_DATABASE_URL": "none"})
    assert Database.open(none) is None
    with pytest.raises(DatabaseError):
        create_app(model, Settings(database_url=f"sqlite:///{tmp_path}/none/a.sqlite3"))
    place = tmp_path / "home"
    monkeypatch.setenv("XDG_DATA_HOME", str(place))
    usual = Settings.from_environment({})
    found = Database.open(usual)
    assert found is not None
    assert list(place.rglob("corrections.sqlite3"))
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(blocked))
    with caplog.at_level(logging.WARNING):
        assert Database.open(usual) is None
    assert "corrections cannot be recorded" in caplog.text
    assert Settings.from_environment({"JOBTITLE_REVIEW_QUEUE": "0"}).review_queue == 0
    with pytest.raises(ClassifierError, match="JOBTITLE_REVIEW_QUEUE is '-1'"):
        Settings.from_environment({"JOBTITLE_REVIEW_QUEUE": "-1"})


def test_a_corrected_probe_does_not_make_the_service_unready(
    model: JobTitleClassifier, url: str
) -> None:
    """Readiness asks the model itself, whatever people said of its test titles."""
    facts = {**FACTS, "probes": {"Lönechef": "payroll", "Kock": "hospitality", "": None}}
    client = create_app(model, Settings(database_url=url), facts=facts).test_client()
    correct(client, {"title": "Kock", "department": "sales"})
    assert label(client, "Kock")["department"] == "sales"
    assert client.get("/v2/health/ready").status_code == 200


# the way to the review queue


def test_uncertain_requests_are_queued(client: FlaskClient) -> None:
    """Unknown and unsure postings of single requests and batches wait for review, counted."""
    label(client, "asdf qwer")
    batch = [{"title": "asdf qwer"}, {"title": "Manager"}, {"title": "Lönechef"}, {"title": " "}]
    client.post("/v1/classify", json={"postings": batch, "candidates": 0})
    found = {entry.title: entry for entry in queue(client)}
    assert set(found) == {"asdf qwer", "Manager"}
    assert (found["asdf qwer"].count, found["asdf qwer"].reason) == (2, "unknown")
    assert found["Manager"].reason in ("low", "close", "unknown")
    assert 0 < found["Manager"].confidence < 0.75


def test_what_is_not_queued(client: FlaskClient) -> None:
    """Not what is sure, was corrected, is unknown by the request's own wish, long, or typed."""
    correct(client, {"title": "asdf qwer", "department": "sales"})
    label(client, "asdf qwer")
    client.post("/v1/classify", json={"title": "Lönechef", "min_confidence": 1})
    label(client, "zxcv " * 5_000)
    client.post("/", data={"title": "uiop hjkl"})
    assert queue(client) == []


def test_the_queue_can_be_off(model: JobTitleClassifier, url: str) -> None:
    """With a queue of 0 nothing is kept of requests."""
    client = create_app(model, Settings(database_url=url, review_queue=0)).test_client()
    label(client, "asdf qwer")
    assert queue(client) == []


def test_the_buffer_is_bounded_and_never_waits(url: str) -> None:
    """What comes faster than it can be written is let go; the rest is kept by the thread."""
    database = Database.open(Settings(database_url=url))
    assert database is not None
    own = Doubts(database, 5_000)
    own.add(QueueEntry(f"Titel {n}") for n in range(doubts.WAITING + 500))
    deadline = time.monotonic() + 20
    while len(found := database.store.queue()) < doubts.WAITING:
        assert time.monotonic() < deadline, "the thread did not write"
        time.sleep(0.05)
    assert len(found) == doubts.WAITING
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "doubts")


# the page


def press(client: FlaskClient, path: str, **form: str) -> TestResponse:
    return client.post(f"{path}?lang=en", data=form, headers=HERE)


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "https://example.org"}, False),
        ({"Origin": "http://localhost:81"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_only_forms_of_the_page_are_accepted(
    client: FlaskClient, url: str, headers: dict[str, str], accepted: bool
) -> None:
    """A form that another site sends in a person's name changes nothing."""
    store = CorrectionStore.open(url)
    store.enqueue([QueueEntry("Manager")])
    (entry,) = store.queue()
    forms: list[tuple[str, dict[str, Any]]] = [
        ("/correct", {"title": TITLE, "department": "sales"}),
        ("/review", {"answer": f"{entry.id}:sales"}),
        ("/review/file", {"file": (BytesIO(b"title\nasdf qwer\n"), "a.csv")}),
    ]
    for path, form in forms:
        answer = client.post(path, data=form, headers=headers)
        assert answer.status_code == (200 if accepted else 403)
    titles = {own.title for own in store.all()}
    assert titles == ({TITLE, "Manager"} if accepted else set())
    assert [own.title for own in store.queue()] == ["asdf qwer" if accepted else "Manager"]


def test_this_is_wrong(client: FlaskClient, url: str) -> None:
    """An answer can be corrected, and then says that a person did; the role names its department."""
    page = client.post("/?lang=sv", data={"title": TITLE, "description": "Du\r\nsäljer."}).text
    assert "Det här stämmer inte" in page
    assert "sparas bara om du rättar" in page
    form = {
        "title": TITLE,
        "description": "Du\r\nsäljer.",
        "role": "store_manager",
        "who": " Anna ",
    }
    answer = press(client, "/correct", **form)
    said = text_of(answer)
    assert "Corrected by a person" in said
    assert "Runners-up" not in said
    assert f'value="{TITLE}"' in answer.text
    (kept,) = CorrectionStore.open(url).all()
    assert (kept.department, kept.role, kept.who) == ("sales", "store_manager", "Anna")
    assert kept.description == "Du\nsäljer."
    assert label(client, TITLE, "Du\nsäljer.")["basis"] == "correction"
    assert client.get("/correct?lang=sv").location == "/?lang=sv"


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"title": TITLE}, 422, "Choose the right department first."),
        ({"title": TITLE, "department": "nowhere"}, 422, "Choose the right department first."),
        ({"title": TITLE, "department": "sales", "role": "nurse"}, 422, "belongs to another"),
        ({"title": "a" * 4_001, "department": "sales"}, 422, "at most 4,000 characters"),
        ({"title": "a\0", "department": "sales"}, 422, "cannot be stored"),
        ({"title": " ", "department": "sales"}, 422, "cannot be stored"),
        ({"title": "a" * (1 << 20), "department": "sales"}, 413, "at most 1 MB"),
    ],
)
def test_corrections_that_the_page_refuses(
    client: FlaskClient, url: str, form: dict[str, str], status: int, said: str
) -> None:
    """Each fault is a sentence beside the answer, and nothing is recorded."""
    answer = press(client, "/correct", **form)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert said in text_of(answer)
    assert list(CorrectionStore.open(url).all()) == []


def test_the_queue_is_worked_off(client: FlaskClient, url: str) -> None:
    """Candidates answer with one click, others by name; what is skipped goes; the rest stays."""
    store = CorrectionStore.open(url)
    titles = ("Manager", "asdf qwer", "Konsult", "Assistant")
    store.enqueue([QueueEntry(own, count=4 - n) for n, own in enumerate(titles)])
    store.enqueue([QueueEntry("", "Du samordnar allt möjligt. " * 20, count=9)])
    page = client.get("/review?lang=en")
    assert [" ".join(own.split()) for own in re.findall("<h2>([^<]*)</h2>", page.text)][1:4] == [
        "Manager", "asdf qwer", "Konsult",
    ]  # fmt: skip
    assert "seen 9 times" in text_of(page)
    ids = {own.title: own.id for own in store.queue()}
    answer = re.search(rf'name="answer" value="({ids["Manager"]}:\w+)"', page.text)
    assert answer is not None
    said = press(client, "/review", answer=answer[1], who="Anna")
    assert "Saved: “Manager” belongs to" in text_of(said)
    assert 'value="Anna"' in said.text
    saved = {"save": ids["asdf qwer"], f"department-{ids['asdf qwer']}": "culture"}
    press(client, "/review", **saved)  # type: ignore[arg-type]
    assert "gone from the list" in text_of(press(client, "/review", skip=str(ids["Konsult"])))
    assert label(client, "asdf qwer")["department"] == "culture"
    kept = {own.title: (own.department, own.who) for own in store.all()}
    assert kept == {"Manager": (answer[1].split(":")[1], "Anna"), "asdf qwer": ("culture", "")}
    assert {own.title for own in store.queue()} == {"", "Assistant"}
    for form, status in (
        ({"skip": ids["Konsult"]}, 409),
        ({"save": ids["Assistant"]}, 422),
        ({"answer": f"{ids['Assistant']}:nowhere"}, 422),
        ({}, 409),
    ):
        assert press(client, "/review", **form).status_code == status  # type: ignore[arg-type]


def test_pages_of_the_queue(client: FlaskClient, url: str) -> None:
    """A page has twenty; there are ways on and back; a page beyond the last is the last."""
    store = CorrectionStore.open(url)
    assert "There is nothing to review." in text_of(client.get("/review?lang=en"))
    store.enqueue([QueueEntry(f"Titel {n}") for n in range(PAGE + 3)])
    first = client.get("/review?lang=en").text
    assert first.count("<li class") == PAGE
    assert 'rel="next" href="/review?lang=en&amp;page=2"' in first
    assert 'rel="prev"' not in first
    for beyond in ("2", "99", "999999999999"):
        last = client.get(f"/review?lang=en&page={beyond}").text
        assert last.count("<li class") == 3
        assert 'rel="next"' not in last
        assert 'rel="prev" href="/review?lang=en&amp;page=1"' in last
    for odd in ("0", "-1", "x"):
        assert client.get(f"/review?page={odd}").text.count("<li class") == PAGE


def test_a_review_file_is_added(client: FlaskClient, url: str) -> None:
    """Rows go into the queue with their counts; answers that stand in the file are recorded."""
    content = (
        "\ufeffid;job_title;job_rows;job_reason;job_right_department\r\n"
        "1;asdf qwer;7;unknown;\r\n"
        "2;Lönechef;2;low;\r\n"  # the model is sure, but the file says to look
        "3;Manager;1;low;management\r\n"
        "4;Konsult;1;low; kultur, media, idrott  och trossamfund \r\n"
        "5;Assistant;1;low;kanske lön\r\n"
    )
    form = {"file": (BytesIO(content.encode()), "review.csv"), "who": "Anna"}
    answer = client.post("/review/file?lang=en", data=form, headers=HERE)
    assert "3 rows were added, and 2 answers stored. 1 answers name no department" in text_of(
        answer
    )
    store = CorrectionStore.open(url)
    assert {own.title: own.count for own in store.queue()} == {
        "asdf qwer": 7, "Lönechef": 2, "Assistant": 1,
    }  # fmt: skip
    assert {own.title: (own.department, own.who) for own in store.all()} == {
        "Manager": ("management", "Anna"), "Konsult": ("culture", "Anna"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (None, 422, "Choose a CSV file first."),
        (b"PK\x03\x04" + b"\0" * 50, 422, "The file is not CSV."),
        (b"a,b\n1,2\n", 422, "The file has: a, b."),
        (b"title\n" + b"x" * (1 << 20), 413, "at most 1 MB at a time"),
        (b"title\n", 200, "0 rows were added"),
        (b"title\nL\xc3\xb6nechef\n", 200, "0 rows were added"),
    ],
)
def test_files_that_add_nothing(
    client: FlaskClient, url: str, content: bytes | None, status: int, said: str
) -> None:
    """A file that cannot be read is a sentence; rows that the model is sure of are not added."""
    sent = {} if content is None else {"file": FileStorage(BytesIO(content), "a.csv")}
    boundary, body = encode_multipart(sent)
    kind = f"multipart/form-data; boundary={boundary}"
    answer = client.post("/review/file?lang=en", data=body, headers=HERE, content_type=kind)
    assert (answer.status_code, said in text_of(answer)) == (status, True)
    assert CorrectionStore.open(url).queue() == []


def test_nothing_in_the_queue_is_taken_for_html(client: FlaskClient, url: str) -> None:
    """Titles and descriptions of the queue are shown as they are, never run."""
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    CorrectionStore.open(url).enqueue([QueueEntry(evil, evil)])
    page = client.get("/review").text
    assert "alert(1)" in page
    assert "<script>" not in page
    assert "<img" not in page


def test_no_review_where_keys_are_needed(model: JobTitleClassifier, url: str) -> None:
    """With keys there is no page; corrections are for those who have one."""
    own = Settings(database_url=url, key_hashes=frozenset({hashed("k")}))
    client = create_app(model, own).test_client()
    assert client.get("/review", headers={"X-API-Key": "k"}).status_code == 404
    body = {"title": TITLE, "department": "sales"}
    assert correct(client, body).status_code == 401
    answer = client.post("/v1/corrections", json=body, headers={"X-API-Key": "k"})
    assert answer.status_code == 201


# a taxonomy of one's own


@pytest.fixture
def german(model: JobTitleClassifier) -> JobTitleClassifier:
    """Make a model whose taxonomy has German names alone, categories and reasons of its own."""
    own = model.asking(CorrectionsOfNobody())
    old = model.taxonomy
    departments = {
        key: replace(one, names={"de": f"Abteilung {n}"}, category="hinten")
        for n, (key, one) in enumerate(old.departments.items())
    }
    own.taxonomy = replace(
        old, departments=departments, category_names={"hinten": {"de": "Im Büro"}}
    )
    rules = dict.fromkeys(departments, Rule("hinten", "Weil wir es so wollen."))
    policy = Policy("document", {"de": "Unsere Regeln"}, rules, {})
    own.policies = {"document": policy, "Haus-2": replace(policy, id="Haus-2")}
    own.corrections = None
    return own


class CorrectionsOfNobody:
    """Nobody said anything."""

    version = 0

    def find(self, titles: object, descriptions: object) -> dict[int, Any]:  # noqa: ARG002
        return {}


def test_a_german_taxonomy(german: JobTitleClassifier, url: str) -> None:
    """Names of another language, own categories and reasons are shown and described as they are."""
    client = create_app(german, Settings(database_url=url)).test_client()
    answer = client.get("/v1/taxonomy", headers={"Accept-Language": "sv"})
    assert answer.json is not None
    assert (answer.json["language"], answer.headers["Content-Language"]) == ("de", "de")
    assert answer.json["departments"][0]["name"] == "Abteilung 0"
    assert answer.json["categories"] == [
        {"id": "hinten", "name": "Im Büro", "names": {"de": "Im Büro"}}
    ]
    assert answer.json["policies"][1] == {"id": "Haus-2", "description": "Unsere Regeln"}
    said = text_of(client.post("/?lang=sv", data={"title": "Lönechef"}))
    assert "Abteilung 0" in said
    assert "Im Büro" in said
    assert "Weil wir es so wollen." in said
    found = client.post("/v1/classify", json={"title": "Lönechef", "policy": "Haus-2"}).json
    assert found is not None
    assert found["category_basis"] == "Weil wir es so wollen."
    document = client.get("/openapi.json").json
    assert document is not None
    schemas = document["components"]["schemas"]
    assert schemas["Taxonomy"]["properties"]["language"]["enum"] == ["de"]
    assert schemas["Single"]["properties"]["policy"]["enum"] == ["document", "Haus-2"]
    assert client.get("/docs").status_code == 200
    form = {"title": "Lönechef", "department": "legal"}
    answer = client.post("/correct?lang=sv", data=form, headers=HERE)
    assert "Rättad av en människa" in text_of(answer)
    upload = {"file": (BytesIO(b"title\nKock\n"), "a.csv")}
    assert "Im Büro" in text_of(client.post("/file?lang=sv", data=upload))


# what follows is on a real server, some of it in a browser


@pytest.fixture(scope="module")
def server(
    model: JobTitleClassifier,  # noqa: ARG001 - trained before it is served
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Server, CorrectionStore]]:
    url = f"sqlite:///{tmp_path_factory.mktemp('served') / 'corrections.sqlite3'}"
    with running(workers=3, database_url=url, log_requests=0) as own:
        yield own, CorrectionStore.open(url)


Served = tuple[Server, CorrectionStore]


def ask(server: Server, path: str, body: object) -> tuple[int, Any]:
    status, _, text = server.ask(json.dumps(body).encode(), path)
    return status, json.loads(text)


def test_a_correction_holds_at_once_in_every_process(server: Served) -> None:
    """When a correction is answered, whichever process is asked next answers by it."""
    own, _ = server
    for n in range(10):
        title = f"{TITLE} {n}"
        for _ in range(6):  # each process remembers what it said
            assert ask(own, "/v1/classify", {"title": title})[1]["basis"] == "model"
        body = {"title": title, "department": "legal"}
        assert ask(own, "/v1/corrections", body)[0] == 201
        for _ in range(6):
            found = ask(own, "/v1/classify", {"title": title})[1]
            assert (found["department"], found["basis"]) == ("legal", "correction")


def test_many_clients_correct_at_a_time(server: Served) -> None:
    """What many clients were told is recorded is there, once each; others are told to wait."""
    own, store = server
    told: list[str] = []
    refused: list[int] = []

    def work(n: int) -> None:
        for m in range(10):
            body = {"title": f"Samtidig {n} {m}", "department": "sales", "who": str(n)}
            status, answer = ask(own, "/v1/corrections", body)
            if status == 201:
                told.append(answer["id"])
            else:
                refused.append(status)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [one.id for one in store.all() if one.title.startswith("Samtidig")]
    assert set(refused) <= {503}
    assert sorted(kept) == sorted(told)
    assert len(set(kept)) == len(kept) >= 60


def test_every_process_feeds_the_queue(server: Served) -> None:
    """Uncertain postings are in the queue soon after, whichever process labelled them."""
    own, store = server
    for n in range(12):
        assert ask(own, "/v1/classify", {"title": f"qwfp {n}"})[1]["status"] == "unknown"
    deadline = time.monotonic() + 20
    while len([e for e in store.queue() if e.title.startswith("qwfp")]) < 12:
        assert time.monotonic() < deadline, "they did not come"
        time.sleep(0.1)
    store.dismiss([str(entry.id) for entry in store.queue()])


Visit = Callable[..., "Page"]


@pytest.fixture
def visit(browser: "Browser", server: Served) -> Iterator[Visit]:  # noqa: F811 - the fixture
    """Open a page as a person with some settings; nothing it does may break its own rules."""
    contexts, said = [], []
    address = f"http://{server[0].host}:{server[0].port}"

    def open_page(path: str, **options: Any) -> "Page":
        usual = {"locale": "sv-SE", "reduced_motion": "reduce"}
        context = browser.new_context(**usual | options)
        contexts.append(context)
        own = context.new_page()
        own.set_default_timeout(10_000)
        own.on("console", lambda m: said.append(m.text) if "Failed to load" not in m.text else None)
        own.on("pageerror", lambda error: said.append(str(error)))
        own.goto(address + path)
        return own

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


@pytest.mark.parametrize("script", [True, False])
def test_a_person_corrects_an_answer(visit: Visit, server: Served, script: bool) -> None:
    """The control works with a script, which offers the department's roles alone, and without."""
    title = f"Rättare {script}"
    own = visit("/", java_script_enabled=script)
    own.fill("#title", title)
    own.click("#posting > button.main")
    own.click("#answer summary")
    own.select_option("#answer [name=department]", label=LEGAL)
    roles = own.locator("#answer [name=role] optgroup")
    assert roles.count() == (1 if script else 23)
    own.select_option("#answer [name=role]", "lawyer" if script else "")
    own.fill("#answer [name=who]", "Anna")
    own.click("#answer form .main")
    own.wait_for_selector("#answer .person")
    assert own.inner_text("#answer h2") == LEGAL
    assert own.inner_text("#answer .person") == "Rättad av en människa"
    if script:
        assert "Rättad av en människa" in own.inner_text("#status")
    (kept,) = (one for one in server[1].all() if one.title == title)
    assert (kept.department, kept.role, kept.who) == ("legal", "lawyer" if script else None, "Anna")


@pytest.mark.parametrize("script", [True, False])
def test_a_person_works_the_queue_off(visit: Visit, server: Served, script: bool) -> None:
    """By keyboard: Enter in the name answers nothing, a button does, and focus goes on below."""
    store = server[1]
    titles = [f"Kö {script} {n}" for n in range(4)]
    store.enqueue([QueueEntry(own, count=10 - n) for n, own in enumerate(titles)])
    own = visit("/", java_script_enabled=script)
    own.click(".ways a[href*=review]")
    own.fill(".who [name=who]", "Bo")
    own.press(".queue .who [name=who]", "Enter")
    assert own.locator("ol > li").count() == 4
    own.locator("ol > li").nth(1).locator("[name=answer]").first.focus()
    own.keyboard.press("Enter")
    own.wait_for_selector("text=Sparat:")
    assert own.locator("ol > li h2").all_inner_texts() == [titles[0], *titles[2:]]
    assert own.input_value(".queue .who [name=who]") == "Bo"
    if script:
        row = own.evaluate("document.activeElement.closest('li').querySelector('h2').innerText")
        assert row == titles[2]
    last = own.locator("ol > li").last
    last.locator("select").select_option(label=LEGAL)
    last.locator("[name=save]").click()
    own.wait_for_selector(f"text=Sparat: ”{titles[3]}” hör till {LEGAL}.")
    own.locator("ol > li [name=skip]").first.click()
    own.wait_for_selector("text=är borta från listan")
    own.set_input_files(
        "#file", {"name": "a.csv", "mimeType": "text/csv", "buffer": b"title\nqwfp zxcv\n"}
    )
    own.click(".file .main")
    own.wait_for_selector("text=1 rader har lagts till och 0 svar har sparats.")
    kept = {one.title: (one.department, one.who) for one in store.all()}
    assert kept[titles[3]] == ("legal", "Bo")
    assert titles[1] in kept
    assert {entry.title for entry in store.queue()} == {titles[2], "qwfp zxcv"}
    store.dismiss([str(entry.id) for entry in store.queue()])


def test_the_pages_are_accessible_and_fit(visit: Visit, server: Served) -> None:
    """Nothing is found by axe, and nothing is wider than a phone, light or dark."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    store = server[1]

    def wrong(own: "Page") -> None:
        own.fill("#title", "Åtkomst")
        own.click("#posting > button.main")
        own.click("#answer .wrong summary")

    def corrected(own: "Page") -> None:
        own.select_option("#answer [name=department]", "legal")
        own.click("#answer form .main")
        own.wait_for_selector("#answer .person")

    def fault(own: "Page") -> None:
        own.click("#answer .wrong summary")
        own.click("#answer form .main")
        own.wait_for_selector("#answer .fault")

    def full(own: "Page") -> None:
        store.enqueue([QueueEntry(f"Titel {n} " + "lång " * 20, "Text. " * 90) for n in range(22)])
        own.click(".ways a[href*=review]")
        own.click("ol details summary >> nth=0")
        own.wait_for_selector("nav a[rel=next]")

    def saved(own: "Page") -> None:
        if not store.queue():
            store.enqueue([QueueEntry("Titel", "Text.")])
            own.click(".ways a[href*=review]")
        store.dismiss([str(entry.id) for entry in store.queue()[2:]])
        own.click("ol [name=answer] >> nth=0")
        own.wait_for_selector(".note")

    def empty(own: "Page") -> None:
        store.dismiss([str(entry.id) for entry in store.queue()])
        own.reload()
        own.wait_for_selector(".nothing")

    light, dark = (wrong, corrected, fault, full, saved, empty), (wrong, corrected, saved)
    for scheme, width, states in (("light", 390, light), ("dark", 1280, dark)):
        own = visit("/", color_scheme=scheme, viewport={"width": width, "height": 844})
        for reach in states:
            reach(own)
            found = axe.run(own, options={"runOnly": {"type": "tag", "values": tags}})
            assert found.violations_count == 0, f"{reach.__name__}: {found.generate_report()}"
            for narrow in (320, 768, width):
                own.set_viewport_size({"width": narrow, "height": 844})
                wide = own.evaluate("document.documentElement.scrollWidth")
                assert wide <= narrow, f"{reach.__name__}, {narrow}"
    store.delete(title="Åtkomst")

"""The page, by Flask's client, and as a person uses it in a browser on a real server."""

import base64
import html
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from api import marks, uploads
from api.app import create_app
from api.settings import Settings, hashed
from api.wording import LANGUAGES, Wording
from classifier import JobTitleClassifier
from classifier.postings import Posting
from classifier.taxonomy import SENIORITIES, read_toml
from classifier.text import plain
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

POSTING = (
    "Vi söker en löneadministratör till Kiruna.\n\n• Du kör lönen för 600 anställda & rapporterar "
    "skatt.\n• Du svarar på frågor om semester.\n\nVi erbjuder flextid."
)
CSV = (ROOT / "notebooks/postings.csv").read_bytes()
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.fixture(scope="module")
def client(model: JobTitleClassifier) -> Iterator[FlaskClient]:
    with create_app(model).test_client() as client:
        yield client


def upload(
    client: FlaskClient, content: bytes, name: str = "jobs.csv", **form: str
) -> TestResponse:
    boundary, body = encode_multipart({**form, "file": FileStorage(io.BytesIO(content), name)})
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post("/file?lang=en", data=body, content_type=kind, buffered=True)


def labelled(client: FlaskClient, content: bytes) -> bytes:
    """Return a file as the service labels it for programs."""
    own = client.post("/v1/classify", data=content, content_type="text/csv", buffered=True)
    return own.data


def text_of(answer: TestResponse) -> str:
    """Return what an answer says, without tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def linked(answer: TestResponse) -> bytes:
    """Return the labelled file that a page holds."""
    found = re.search(r'href="data:text/csv;charset=[\w-]+;base64,([^"]*)"', answer.text)
    assert found is not None
    return base64.b64decode(found[1])


@pytest.mark.parametrize(
    ("path", "accepted", "language"),
    [
        ("/", "sv-SE,sv;q=0.9,en;q=0.5", "sv"),
        ("/", "en-GB,en;q=0.9,sv;q=0.1", "en"),
        ("/", "fi,de;q=0.8", "en"),
        ("/", "", "en"),
        ("/?lang=sv", "en", "sv"),
        ("/?lang=en", "sv", "en"),
        ("/?lang=xx", "sv", "sv"),
    ],
)
def test_language(client: FlaskClient, path: str, accepted: str, language: str) -> None:
    """The page speaks the browser's language, else English; an address that names one decides."""
    answer = client.get(path, headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_texts_are_the_same_in_both_languages() -> None:
    """Each text stands in both languages, with the same words to fill in; no level is nameless."""

    def shape(texts: dict[str, Any]) -> dict[str, Any]:
        return {
            key: shape(value) if isinstance(value, dict) else set(re.findall(r"{\w+}", str(value)))
            for key, value in texts.items()
        }

    texts = read_toml(ROOT / "api/texts.toml")
    assert set(texts) == set(LANGUAGES)
    sv, en = shape(texts["sv"]), shape(texts["en"])
    assert sv.pop("basis").keys() == en.pop("basis").keys()
    assert sv == en
    assert set(sv["seniorities"]) == set(SENIORITIES)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("sv", ("Lön", "Back office", "Källdokumentet räknar Lön som back office.", "84\u00a0%")),
        ("en", ("Payroll", "Back office", "The source document counts Payroll as back office.")),
    ],
)
def test_a_posting(
    client: FlaskClient, model: JobTitleClassifier, language: str, said: tuple[str, ...]
) -> None:
    """A posting gets what the library says, in words: names, basis, confidence, runners-up."""
    typed = {"title": "Löneadministratör", "description": POSTING}
    answer = client.post(f"/?lang={language}", data=typed)
    assert answer.status_code == 200
    own = html.unescape(answer.text)
    label = model.explain(**typed).label
    words = Wording(language, {}, model)
    assert label.role is not None
    assert label.confidence is not None
    others = [words.department(c.department) for c in label.candidates[1:]]
    for text in (*said[:3], words.role(label.role), words.percent(label.confidence), *others):
        assert text in own
    assert '<mark class="s3">löneadministratör</mark>' in own
    assert '<mark class="s2">lönen</mark>' in own
    assert "Vi erbjuder flextid" in own
    assert 'value="Löneadministratör"' in own


def test_a_category_by_role(client: FlaskClient) -> None:
    """A receptionist is front office, and the page says that it is for the role."""
    said = text_of(client.post("/?lang=en", data={"title": "Receptionist"}))
    assert "Front office" in said
    assert "The role Office receptionist is counted differently" in said


def test_unknown_and_empty(client: FlaskClient) -> None:
    """What cannot be labelled says so and why; runners-up are shown, but no reasons."""
    unknown = client.post("/?lang=en", data={"title": "asdf qwer"})
    assert "No department is likely enough. An answer takes" in text_of(unknown)
    assert unknown.text.count('class="bar faint"') == 3
    assert "<mark" not in unknown.text
    empty = text_of(client.post("/?lang=en", data={"title": " ", "description": "<p></p>"}))
    assert "There is no text to go by." in empty
    assert "The answer is shown here." in text_of(client.post("/?lang=en", data={"switch": "1"}))


def test_an_example_takes_the_place_of_what_was_typed(client: FlaskClient) -> None:
    """The button of an example labels its title alone."""
    typed = {"title": "Kock", "description": "Du lagar mat.", "try": "Lönechef"}
    answer = client.post("/?lang=sv", data=typed)
    assert 'value="Lönechef"' in answer.text
    assert "lagar mat" not in answer.text


@hypothesis_settings(deadline=None, max_examples=15)
@given(st.text(max_size=60), st.lists(st.sampled_from([*POSTING.split(), "<b>", "&amp;", "1"])))
def test_marks_do_not_change_the_text(
    model: JobTitleClassifier, title: str, words: list[str]
) -> None:
    """Whatever is typed, the marked text is the text that was read, and marks are its words."""
    description = " ".join(words)
    found = model.explain(title, description)
    marked = marks.marked(title, description, found.words)
    posting = Posting.read(title, description)
    joined = ["".join(span.text for span in spans) for spans in marked]
    assert joined[0] == posting.title
    assert " ".join(joined[1].split()) == " ".join(plain(description).split())
    own = [word.text for word in found.words]
    assert all(span.text in own for spans in marked for span in spans if span.strength)


def test_a_long_title_is_marked_as_text(model: JobTitleClassifier) -> None:
    """A title that is too long to be one is shown with its words marked, like a description."""
    title = "Vi söker en löneadministratör som kör lönen. " * 4
    first, second = marks.marked(title, "", model.explain(title).words)
    assert first == []
    assert {span.text for span in second if span.strength} >= {"löneadministratör", "lönen"}


def test_nothing_typed_is_taken_for_html(client: FlaskClient) -> None:
    """Titles, file names, columns and cells are shown as they are, never run."""
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    answers = [
        client.post("/", data={"title": f"Kock {evil}", "description": f"</textarea>{evil}"}),
        upload(client, f"{evil.replace(',', '')}\nx,y\n".encode(), f"{evil}.csv"),
        upload(client, f'title\n"Kock {evil.replace(chr(34), chr(34) * 2)}"\n'.encode(), evil),
        upload(client, f"a,{evil}\n1,2\n".encode()),
    ]
    for answer in answers:
        assert "<script>" not in answer.text
        assert "<img" not in answer.text


def test_a_file(client: FlaskClient) -> None:
    """A file is counted, charted and listed, and comes back as the service itself labels it."""
    answer = upload(client, CSV, "jobb & sånt.csv")
    assert answer.status_code == 200
    assert linked(answer) == labelled(client, CSV)
    assert 'download="jobb _ sånt-labelled.csv"' in answer.text
    said = text_of(answer)
    assert "Result for jobb & sånt.csv" in said
    assert "16 rows" in said
    assert answer.text.count("<tr role") == 17
    assert re.search(r"Back office 8 · 50% .*Not labelled 2 · 12%", said)
    assert answer.text.count('data-status="unknown"') == 1


def test_a_file_is_sent_back_at_once(client: FlaskClient) -> None:
    """The other button sends the labelled file itself."""
    answer = upload(client, CSV, "åtta.csv", **{"as": "file"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    name = "attachment; filename*=UTF-8''%C3%A5tta-labelled.csv"
    assert answer.headers["Content-Disposition"] == name
    assert answer.data == labelled(client, CSV)


def test_columns_of_other_names_and_faulty_rows(client: FlaskClient) -> None:
    """Columns can be named; a row that cannot be read is listed as such."""
    content = "vad;år\nLönechef;1\nKock;a;b\nKock;2\n".encode("cp1252")
    answer = upload(client, content, title_column="vad")
    said = text_of(answer)
    assert "2 Lönechef Payroll Back office" in said
    assert "3 Kock Faulty row 4 Kock Hospitality" in said
    assert "1 Faulty rows" in said
    assert "charset=cp1252" in answer.text


def test_a_large_file(client: FlaskClient) -> None:
    """Of many rows the first are listed; what is too large for a link can still be sent back."""
    content = b"title\n" + b"Kock\n" * 20_000
    answer = upload(client, content)
    said = text_of(answer)
    assert "The first 200 of 20,000 rows." in said
    assert "The file is too large to be held by this page." in said
    assert answer.text.count("<tr role") == 201
    assert "base64" not in answer.text
    assert upload(client, content, **{"as": "file"}).data.count(b"\n") == 20_001


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"PK\x03\x04" + b"\0" * 50, 422, "The file is not CSV."),
        (b'{"title": "Kock"}', 422, "The file is not CSV."),
        (b"\x1f\x8b" + b"\0" * 50, 422, "The file is not CSV."),
        (b"", 422, "The file cannot be read as CSV."),
        (b"a,b\n1,2\n", 422, "The file has: a, b."),
        (b"title,status\nKock,x\n", 422, "already has columns"),
        (b"title\n" + b"x" * (1 << 20), 413, "at most 1 MB at a time"),
        (b"title\n", 200, "The file has no rows below its header."),
    ],
)
def test_files_that_cannot_be_labelled(
    client: FlaskClient, content: bytes, status: int, said: str
) -> None:
    """Each file that cannot be labelled gets a sentence on the page, and its status."""
    for more in ({}, {"as": "file"} if status != 200 else {}):
        answer = upload(client, content, **more)
        assert answer.status_code == status
        assert said in text_of(answer)
        assert answer.content_type == "text/html; charset=utf-8"


def test_forms_that_cannot_be_answered(client: FlaskClient) -> None:
    """No file, too much text and too large a form are said on the page, with their status."""
    nothing = client.post("/file?lang=sv", data={})
    assert (nothing.status_code, "Välj först en CSV-fil." in nothing.text) == (422, True)
    answer = client.post("/?lang=sv", data={"title": "a" * 100_001})
    assert answer.status_code == 422
    assert "högst 100\u00a0000 tecken" in answer.text
    large = client.post("/?lang=en", data={"description": "a" * (1 << 20)})
    assert (large.status_code, "at most 1 MB" in large.text) == (413, True)
    gone = client.get("/file?lang=sv")
    assert (gone.status_code, gone.location) == (303, "/?lang=sv")


def test_assets_are_kept_for_ever_and_small(client: FlaskClient) -> None:
    """The page and its files are less than 60 KB; the files are kept until they change."""
    text = client.get("/").text
    paths = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
    assert len(paths) == 3
    answers = [client.get(path) for path in paths]
    assert len(text.encode()) + sum(len(answer.data) for answer in answers) < 60_000
    for path, answer in zip(paths, answers, strict=True):
        assert "immutable" in answer.headers["Cache-Control"]
        again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    old = re.sub("page/[^/]+", "page/older", paths[1])
    assert "immutable" not in client.get(old).headers.get("Cache-Control", "")
    assert client.get(f"{paths[0]}x").status_code == 404


def test_no_page_where_keys_are_needed(model: JobTitleClassifier) -> None:
    """A browser has no key to send: a service that asks for keys has no page."""
    locked = create_app(model, Settings(key_hashes=frozenset({hashed("k")}))).test_client()
    assert locked.get("/", headers={"X-API-Key": "k"}).status_code == 404


# what follows is in a browser


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: the page is not tried in a browser")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(model: JobTitleClassifier, browser: "Browser") -> Iterator[str]:  # noqa: ARG001 - trained, and needed
    """Start the service, give its address, and stop it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "classifier", "serve"], stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env=os.environ | {"JOBTITLE_PORT": "0", "JOBTITLE_LOG_REQUESTS": "0"},
    )  # fmt: skip
    assert process.stderr is not None
    try:
        line = next((line for line in process.stderr if "listening on" in line), "")
        assert line, "the server did not say where it listens"
        yield line.split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


Visit = Callable[..., "Page"]


@pytest.fixture
def visit(browser: "Browser", address: str) -> Iterator[Visit]:
    """Open the page as a person with some settings; nothing it does may break its own rules."""
    contexts, asked, said = [], [], []

    def hear(message: Any) -> None:
        # that an answer is a 422 is no fault of the page
        if message.type == "error" and "Failed to load resource" not in message.text:
            said.append(message.text)

    def open_page(path: str = "/", width: int = 1280, **options: Any) -> "Page":
        context = browser.new_context(
            viewport={"width": width, "height": 844},
            **{"locale": "en-GB", "reduced_motion": "reduce"} | options,
        )
        contexts.append(context)
        own = context.new_page()
        own.set_default_timeout(10_000)
        own.on("request", lambda request: asked.append(request.url))
        own.on("console", hear)
        own.on("pageerror", lambda error: said.append(str(error)))
        own.goto(address + path)
        return own

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith((f"{address}/", "data:text/csv"))] == []


def send(own: "Page", button: str) -> None:
    """Press a button that sends a form, and wait for the answer to be shown."""
    if own.locator("html.scripting").count():
        own.click(button)
        own.wait_for_selector("body:not(:has([aria-busy]))")
    else:
        with own.expect_navigation():
            own.click(button)


def label_csv(own: "Page", content: bytes = CSV) -> None:
    own.set_input_files("#file", {"name": "jobs.csv", "mimeType": "text/csv", "buffer": content})
    send(own, "#file-form button.main")


def label_posting(own: "Page", title: str, description: str = "") -> None:
    own.fill("#title", title)
    own.fill("#description", description)
    send(own, "#posting > button.main")


STATES: dict[str, Callable[["Page"], object]] = {
    "as it is at first": lambda own: own.wait_for_selector("#answer"),
    "a posting": lambda own: label_posting(own, "Löneadministratör", POSTING * 6),
    "unknown": lambda own: label_posting(own, "asdf qwer"),
    "empty": lambda own: label_posting(own, " "),
    "a file": label_csv,
    "a fault": lambda own: label_csv(own, b"a,b\n1,2\n"),
}
"""What the page may show, and how one gets there."""


def test_answers_without_leaving_the_page(visit: Visit, address: str) -> None:
    """The script puts the answer into the page, says it to those who hear, and keeps the address."""
    own = visit(locale="sv-SE")
    label_posting(own, "Löneadministratör", POSTING)
    assert own.inner_text("#answer h2") == "Lön"
    assert own.locator("#answer mark", has_text="lönen").count() == 1
    assert own.inner_text("#status").startswith("Lön, back office")
    assert (own.url, own.title()[:3]) == (f"{address}/", "Lön")
    own.click("text=Receptionist")
    own.wait_for_selector("#answer .chip.front_office")
    assert own.input_value("#title") == "Receptionist"
    assert own.input_value("#description") == ""


def test_a_file_in_a_browser(visit: Visit, client: FlaskClient) -> None:
    """The table can be filtered, and both ways give the labelled file."""
    own = visit()
    label_csv(own)
    rows = own.locator("tbody tr:visible")
    assert rows.count() == 16
    own.select_option("select[name=category]", "outside_office")
    own.locator("tbody tr:visible").nth(4).wait_for(state="detached")
    assert rows.count() == 4
    assert own.inner_text("[data-shown]") == "4 of 16 rows are shown."
    own.fill("input[name=text]", "bari")
    own.locator("tbody tr:visible").nth(1).wait_for(state="detached")
    assert "Barista" in rows.all_inner_texts()[0]
    own.click("[data-filters] button")
    rows.nth(15).wait_for()
    wanted = labelled(client, CSV)
    for button in ("#file-answer a[download]", "#file-form button[name=as]"):
        with own.expect_download() as found:
            own.click(button)
        assert found.value.suggested_filename == "jobs-labelled.csv"
        assert found.value.path().read_bytes() == wanted


def test_the_largest_link_works(visit: Visit) -> None:
    """A labelled file that is just small enough for a link is downloaded whole."""
    own = visit()
    label_csv(own, b"title\n" + b"Kock\n" * 15_500)
    with own.expect_download() as found:
        own.click("#file-answer a[download]")
    content = found.value.path().read_bytes()
    assert content.count(b"\n") == 15_501
    assert uploads.MAX_LINK * 0.95 < len(content) <= uploads.MAX_LINK


def test_too_large_a_file_is_not_sent(visit: Visit) -> None:
    """The script says that a file is too large before it is sent."""
    own = visit()
    label_csv(own, b"title\n" + b"Kock\n" * 300_000)
    assert "at most 1 MB" in own.inner_text("#file-answer")


@pytest.mark.parametrize("script", [True, False])
def test_switch_keeps_what_was_typed(visit: Visit, script: bool) -> None:
    """The other language shows the same answer again, with a script or without."""
    own = visit(locale="sv-SE", java_script_enabled=script)
    label_posting(own, "Lönechef", "Du leder lönegruppen.")
    own.click("[data-language]")
    own.wait_for_selector("html[lang=en]")
    assert own.inner_text("#answer h2") == "Payroll"
    assert own.input_value("#description") == "Du leder lönegruppen."
    own.click("[data-language]")
    own.wait_for_selector("html[lang=sv]")
    assert own.inner_text("#answer h2") == "Lön"


def test_without_script(visit: Visit) -> None:
    """Without JavaScript postings, files, faults and downloads work, and filters are not shown."""
    own = visit("/?lang=en", java_script_enabled=False)
    label_posting(own, "Receptionist")
    assert own.inner_text("#answer .chip") == "Front office"
    label_csv(own)
    assert own.locator("tbody tr:visible").count() == 16
    assert not own.is_visible("[data-filters]")
    assert own.is_visible("text=Without JavaScript the table is shown as it is")
    with own.expect_download() as found:
        own.click("#file-answer a[download]")
    assert found.value.path().read_bytes().startswith(b"id,title,description,status")
    label_csv(own, b"a,b\n1,2\n")
    assert "The file has: a, b." in own.inner_text("#file-answer")


def test_by_keyboard_alone(visit: Visit) -> None:
    """Everything can be reached with Tab in the order in which it is seen, and focus shows."""
    own = visit()
    seen = []
    for _ in range(16):
        own.keyboard.press("Tab")
        seen.append(own.evaluate("document.activeElement.name || document.activeElement.tagName"))
        assert own.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        if seen[-1] == "title":
            own.keyboard.type("Lönechef")
            own.keyboard.press("Enter")
            own.wait_for_selector("#answer h2")
    assert seen[:4] == ["A", "title", "description", "BUTTON"]
    assert seen[4:9] == ["try"] * 5
    # the marked text can be scrolled
    assert seen[9:] == ["DIV", "file", "SUMMARY", "BUTTON", "as", "A", "A"]
    assert own.inner_text("#answer h2") == "Payroll"


def test_no_scrolling_sideways(visit: Visit) -> None:
    """On phones and tablets nothing is wider than the screen, whatever the page shows."""
    own = visit(width=320, has_touch=True)
    for state, reach in STATES.items():
        reach(own)
        for width in (320, 390, 768):
            own.set_viewport_size({"width": width, "height": 844})
            found = own.evaluate("document.documentElement.scrollWidth")
            assert found <= width, f"{state}, {width}"


def test_dark(visit: Visit) -> None:
    """The page is dark for those who want it so."""
    colour = "getComputedStyle(document.body).backgroundColor"
    light, dark = (visit(color_scheme=own).evaluate(colour) for own in ("light", "dark"))
    assert light == "rgb(244, 246, 249)"
    assert dark == "rgb(15, 20, 26)"


@pytest.mark.parametrize(("colours", "width"), [("light", 390), ("dark", 1280)])
def test_accessible(visit: Visit, colours: str, width: int) -> None:
    """Nothing is found by axe against WCAG 2.2 AA, whatever the page shows."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    own = visit(width=width, color_scheme=colours)
    for state, reach in STATES.items():
        reach(own)
        found = axe.run(own, options={"runOnly": {"type": "tag", "values": tags}})
        assert found.violations_count == 0, f"{state}: {found.generate_report()}"


def test_what_a_visit_weighs(browser: "Browser", address: str) -> None:
    """A visit loads less than 60 KB, uncompressed, in four requests at most."""
    context = browser.new_context()
    own = context.new_page()
    sizes: dict[str, int] = {}
    own.on("response", lambda r: sizes.update({r.url: len(r.body())}))
    own.goto(f"{address}/", wait_until="networkidle")
    context.close()
    assert 3 <= len(sizes) <= 4
    assert sum(sizes.values()) < 60_000

"""Versions of the model: chosen, compared, and exchanged in a running service."""

import csv
import http.client
import json
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from classifier import load_model, persistence
from classifier.errors import ModelError
from classifier.versions import ACTIVE_FILE, Store
from tests.benchmarks.reload import Service, flip, make_models, serving
from tests.conftest import Jobtitle
from tests.small_models import ONE, OTHER

BODY = json.dumps({"title": "Chef", "min_confidence": 0})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("trained")
    make_models(directory, roles=3)
    return directory


@pytest.fixture
def store(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "models"))


def spoil(directory: Path) -> None:
    path = directory / persistence.MODEL_FILE
    content = path.read_bytes()
    path.unlink()  # whoever has it mapped keeps the old file
    path.write_bytes(content[:-100])


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_activate_and_rollback_choose_the_model_that_answers(
    store: Path, jobtitle: Jobtitle
) -> None:
    """Whoever names the store gets the active version; rolling back returns to the one before."""
    at = ("--store", store)
    first = jobtitle("models", "activate", "one", *at)
    assert first.text == "one is active; there is nothing to roll back to\n"
    second = jobtitle("models", "activate", "other", *at)
    assert second.text == "other is active; rollback returns to one\n"
    asked = ("label", "Chef", "--json", "--min-confidence", "0", "--model", store)
    assert json.loads(jobtitle(*asked).out)[0]["department"] in OTHER
    assert jobtitle("models", "rollback", *at).code == 0
    assert json.loads(jobtitle(*asked).out)[0]["department"] in ONE
    end = jobtitle("models", "rollback", *at)
    assert (end.code, Store(store).choice.active) == (1, "one")
    assert "no other was before it; choose one: python -m classifier models activate" in end.err


def test_the_list_says_what_is_active_and_sound(store: Path, jobtitle: Jobtitle) -> None:
    """Each version has a line; a corrupt one says why it is not sound."""
    spoil(store / "other")
    Store(store).activate("one")
    found = jobtitle("models", "list", "--store", store)
    lines = found.text.splitlines()
    assert re.fullmatch(r"\*  one +\d{4}-\d\d-\d\d \d\d:\d\d +3 +0\.\d+ +- +sound", lines[2])
    assert lines[3].split()[0] == "other"
    assert lines[3].endswith("not sound")
    assert re.search(r"other: .*model\.joblib: .*corrupt.*run: python -m classifier", found.err)
    told = json.loads(jobtitle("models", "list", "--json", "--store", store).out)
    assert [(own["name"], own["active"]) for own in told] == [("one", True), ("other", False)]


def test_a_version_is_shown_with_its_figures(store: Path, jobtitle: Jobtitle) -> None:
    """The manifest and the figures of a version are shown, and that it is sound."""
    shown = jobtitle("models", "show", "one", "--store", store).text
    assert re.search(rf"departments +{', '.join(ONE)}\n", shown)
    assert re.search(r"titles +accuracy +0\.\d+", shown)
    assert shown.endswith("\nsound\n")


@pytest.mark.parametrize("command", [("activate",), ("show",), ("compare", "one")])
def test_an_unknown_version_is_answered_with_the_nearest(
    store: Path, jobtitle: Jobtitle, command: tuple[str, ...]
) -> None:
    """A name that is not there is an error that lists the names and guesses the one meant."""
    found = jobtitle("models", *command, "othr", "--store", store)
    assert found.code == 1
    assert "no version 'othr': there are one, other; did you mean other?" in found.err


def test_a_bad_model_is_not_activated(store: Path, jobtitle: Jobtitle) -> None:
    """A version that is corrupt, or labels its test titles otherwise, leaves the active one."""
    jobtitle("models", "activate", "one", "--store", store)
    edit(store / "other" / persistence.MANIFEST_FILE, probes={"Chef": "no_such_department"})
    found = jobtitle("models", "activate", "other", "--store", store)
    assert found.code == 1
    assert "does not label its test titles as it did" in found.err
    spoil(store / "other")
    assert "corrupt" in jobtitle("models", "activate", "other", "--store", store).err
    assert json.loads((store / ACTIVE_FILE).read_text()) == {"active": "one", "before": []}


def test_an_active_model_that_is_gone_says_how_to_go_back(store: Path, jobtitle: Jobtitle) -> None:
    """Labelling with an active version that was deleted names the file and the command to run."""
    for name in ("one", "other"):
        Store(store).activate(name)
    shutil.rmtree(store / "other")
    found = jobtitle("label", "Kock", "--model", store)
    assert found.code == 1
    assert "other/model.joblib: there is no model" in found.err
    assert f"or go back: python -m classifier models rollback --store {store}" in found.err
    assert jobtitle("models", "rollback", "--store", store).text.startswith("one is active")


def test_a_store_of_which_none_is_active_says_so(store: Path) -> None:
    """Where versions stand below a directory and none was chosen, the error lists them."""
    with pytest.raises(ModelError, match="none of one, other is active; run: .* activate NAME"):
        load_model(store)


@pytest.mark.parametrize("content", ["", "[]", '{"active": "../x", "before": []}', '{"active": 1}'])
def test_a_faulty_choice_is_named(store: Path, content: str) -> None:
    """Whatever stands in active.json, the answer is an error that says what to run."""
    (store / ACTIVE_FILE).write_text(content)
    with pytest.raises(ModelError, match=r"active\.json: does not say .* models activate NAME"):
        load_model(store)
    Store(store).activate("one")
    assert set(load_model(store).departments) == set(ONE)
    assert set(load_model(str(store)).departments) == set(ONE)


def test_compare_shows_figures_departments_and_titles(
    store: Path, jobtitle: Jobtitle, tmp_path: Path
) -> None:
    """Two versions side by side: figures of both, departments of one, every changed title."""
    output = tmp_path / "changes.csv"
    at = ("--store", store)
    text = jobtitle("models", "compare", "one", "other", "--output", output, *at).text
    assert re.search(r"^titles +accuracy +0\.\d+ +0\.\d+$", text, re.M)
    assert f"3 departments only in other: {', '.join(OTHER)}" in text
    assert f"3 departments only in one: {', '.join(ONE)}" in text
    told = json.loads(jobtitle("models", "compare", "one", "other", "--json", *at).out)
    assert told["departments"] == {"added": list(OTHER), "gone": list(ONE)}
    changed = told["department_changes"]
    assert 0 < changed <= told["titles"]
    assert sum(move["titles"] for move in told["moves"]) == changed
    assert f"{changed:,} of {told['titles']:,} titles change their department" in text
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == changed + told["role_changes"]
    assert {row["department_a"] for row in rows} <= {*ONE, ""}
    assert {row["department_b"] for row in rows} <= {*OTHER, ""}


def test_compare_takes_a_file_and_a_path(store: Path, jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Titles may come from a table, a model from a path; a model differs in nothing from itself."""
    titles = tmp_path / "titles.csv"
    titles.write_text("nr,Yrke\n1,Lönechef\n2,Chef\n")
    own = ("models", "compare", "one")
    same = jobtitle(
        *own, store / "one", "--titles", titles, "--title", "Yrke", "--json", "--store", store
    )
    told = json.loads(same.out)
    assert (told["titles"], told["department_changes"], told["role_changes"]) == (2, 0, 0)
    assert told["departments"] == {"added": [], "gone": []}
    fault = jobtitle(*own, "other", "--titles", titles, "--title", "nix", "--store", store)
    assert (fault.code, "no column 'nix'" in fault.err) == (1, True)


def test_a_model_that_is_being_written_is_loaded_when_it_is_whole(store: Path) -> None:
    """Who loads while training puts files in place waits for the manifest, which comes last."""
    old, new = store / "one", store / "other"
    part = old / f".{persistence.MANIFEST_FILE}.part"
    shutil.copy(new / persistence.MANIFEST_FILE, part)
    for name in (persistence.MODEL_FILE, persistence.REFERENCE_FILE):
        shutil.copy(new / name, old / name)
    threading.Timer(0.5, lambda: part.replace(old / persistence.MANIFEST_FILE)).start()
    assert set(persistence.load(old).departments) == set(OTHER)


def test_models_are_exchanged_under_load(store: Path) -> None:
    """While versions change, no request fails and no answer holds labels of both."""
    load, _, service = flip(store, 2, clients=1, quiet=1.5)
    assert load.faults == []
    assert {whose for *_, whose in load.answers} == {"one", "other"}
    served = [line["name"] for line in service.logged("model serves")]
    assert served == ["other", "one"]


@pytest.fixture(scope="module")
def shared(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(trained, tmp_path_factory.mktemp("shared") / "models"))


@pytest.fixture(scope="module")
def service(shared: Path) -> Iterator[Service]:
    Store(shared).activate("one")
    with serving(shared) as own:
        yield own


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


@contextmanager
def connected(service: Service) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)) as own:
        yield own


def asked(
    connection: http.client.HTTPConnection, path: str = "/v1/classify", body: str | None = BODY
) -> tuple[http.client.HTTPResponse, str]:
    headers = {"Content-Type": "application/json"}
    connection.request("POST" if body else "GET", path, body, headers)
    answer = connection.getresponse()
    return answer, answer.read().decode()


def department(service: Service) -> str:
    with connected(service) as connection:
        return str(json.loads(asked(connection)[1])["department"])


def got(service: Service, path: str) -> str:
    with connected(service) as connection:
        return asked(connection, path, None)[1]


def test_a_connection_outlives_the_exchange(shared: Path, service: Service) -> None:
    """An idle connection gets its next answer from the old model, and is told that it ends."""
    with connected(service) as idle:
        serves = len(service.logged("model serves"))
        before, body = asked(idle)
        assert json.loads(body)["department"] in ONE
        assert before.getheader("Connection") is None
        Store(shared).activate("other")
        until(lambda: len(service.logged("model serves")) > serves)
        assert department(service) in OTHER
        answer, body = asked(idle)
        assert json.loads(body)["department"] in ONE
        assert answer.getheader("Connection") == "close"
    until(lambda: len(service.workers) == 2)  # the old ones have nobody left
    hashes = json.loads(got(service, "/v1/model"))["sha256"]
    assert hashes == Store(shared).check("other")["sha256"]
    counts = got(service, "/metrics")
    workers = re.findall(r"^jobtitle_workers{(.*)} (.*)$", counts, re.M)
    assert workers == [(f'model="{hashes[persistence.MODEL_FILE]}"', "2.0")]
    sent = re.search(r'seconds_count{method="POST",path="/v1/classify",status="200"} (\S+)', counts)
    assert sent is not None
    assert float(sent[1]) == 3  # those of the workers that ended, too


def test_sighup_makes_new_workers(service: Service) -> None:
    """SIGHUP loads the active model at once, and the workers are others; a killed one returns."""
    before = service.workers
    service.process.send_signal(signal.SIGHUP)
    until(lambda: len(service.workers) == 2 and not service.workers & before)
    after = service.workers
    os.kill(min(after), signal.SIGKILL)
    until(lambda: len(service.workers - {min(after)}) == 2)
    assert department(service) in (*ONE, *OTHER)


def test_a_bad_model_leaves_the_old_one(store: Path) -> None:
    """An active model that is corrupted is refused in one line; another one mends that."""
    Store(store).activate("one")
    with serving(store) as service:
        workers = service.workers
        refused = "the new model is refused; the old one stays"
        spoil(store / "one")
        (store / "one" / persistence.MANIFEST_FILE).touch()
        until(lambda: service.logged(refused))
        assert department(service) in ONE
        os.kill(min(workers), signal.SIGKILL)  # it is made again from what is in memory
        until(lambda: len(service.workers - workers) == 1)
        assert department(service) in ONE
        time.sleep(1.5)  # longer than two looks
        (line,) = service.logged(refused)
        assert "corrupt" in str(line["error"])
        service.process.send_signal(signal.SIGHUP)  # asks for another try
        until(lambda: len(service.logged(refused)) == 2)
        (store / ACTIVE_FILE).write_text('{"active": "other", "before": ["one"]}')
        until(lambda: service.logged("model serves"))
        assert department(service) in OTHER


def test_a_service_that_is_stopped_in_an_exchange_ends_well(store: Path) -> None:
    """SIGTERM while a model is being loaded ends the service in good time."""
    Store(store).activate("one")
    with serving(store, workers=1) as service, connected(service) as idle:
        assert asked(idle)[0].status == 200
        service.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
    assert service.process.returncode == 0

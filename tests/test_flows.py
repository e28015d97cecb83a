"""Flows from end to end: a served model, the README as a user follows it, a wheel, a notebook."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from classifier import JobTitleClassifier, paths, persistence
from tests.conftest import ROOT
from tests.small_models import small_data
from tests.test_registers import esco_row, write_esco

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
ENV = os.environ | {"PATH": PATH, "PYTHONPATH": str(ROOT), "JOBTITLE_PORT": "0"}

pytestmark = pytest.mark.usefixtures("model")


@contextmanager
def served(*command: str, **more: str) -> Iterator[str]:
    """Start a command that serves, give its address, and stop it as Ctrl-C does."""
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENV | more,
        cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        line = next((line for line in process.stderr if "listening on" in line), "")
        assert line, "the server did not say where it listens"
        yield line.split()[-1]
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode in (0, -signal.SIGINT)  # of the service, of make
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def sh(command: str, cwd: Path, **more: str) -> str:
    done = subprocess.run(
        command, shell=True, cwd=cwd, env=ENV | more, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def given(directory: Path) -> None:
    """Put there what the README takes for granted: the sample, and downloads of registers."""
    shutil.copytree(ROOT / "notebooks", directory / "notebooks")
    write_esco(
        directory / "esco-de",
        "de",
        esco_row("4313", "Lohnbuchhalter", "Lohnbuchhalterin\nGehaltsrechner"),
        esco_row("2423", "Personalreferent", "Personalreferentin\nPersonaler"),
    )
    (directory / "onet").mkdir()
    rows = (
        "O*NET-SOC Code\tAlternate Title\tShort Title\tSource(s)\n43-3051.00\tPay clerk\tn/a\t08\n"
    )
    (directory / "onet" / "Alternate Titles.txt").write_text(rows, "utf-8")
    names = [{"id": "a", "preferred_label": "Personalkonsult", "type": "occupation-name"}]
    group = {"id": "b", "preferred_label": "HR", "ssyk_code_2012": "2423", "narrower": names}
    (directory / "jobtech.json").write_text(json.dumps({"data": {"concepts": [group]}}), "utf-8")


def made_small(directory: Path) -> None:
    """Cut a copy of the training data down, so that training on it takes seconds."""
    wanted = ("payroll", "human_resources", "customer_service")
    small_data(directory.with_name("small"), wanted, roles=4)
    for name in ("roles", "policies"):
        shutil.rmtree(directory / name)
        shutil.copytree(directory.with_name("small") / name, directory / name)
    shutil.copy(directory.with_name("small") / "taxonomy.toml", directory)
    shutil.copy(directory.with_name("small") / "no_work.toml", directory)


def test_readme_commands_work(tmp_path: Path) -> None:
    """Every command of the README does what it says, in its order, from an empty directory."""
    given(tmp_path)
    own = {"JOBTITLE_DATABASE_URL": f"sqlite:///{tmp_path / 'corrections.sqlite3'}"}
    assert {"make run", "make test"} <= set(COMMANDS)
    # make test runs this test, make run stands below; serve is running while curl asks it
    rest = [c for c in COMMANDS if not c.startswith("make") and not c.endswith("train")]
    assert "python -m classifier train" in COMMANDS
    rest.remove("python -m classifier serve")
    with served("python", "-m", "classifier", "serve", **own) as address:
        for command in rest:
            command = command.replace("http://127.0.0.1:8000", address)
            out = sh(command.replace("review.csv --who", "filled.csv --who"), tmp_path, **own)
            assert out or not any(word in command for word in ("curl", "label ", "list", "explain"))
            if command.endswith("init mine"):
                made_small(tmp_path / "mine")
            if "--review" in command:  # a person fills it in
                review = pd.read_csv(tmp_path / "review.csv", dtype=str, keep_default_na=False)
                review.loc[0, "right_department"] = "payroll"
                review.to_csv(tmp_path / "filled.csv", index=False)
    assert (tmp_path / "labelled.csv").is_file()


def test_readme_example_is_what_comes_out() -> None:
    """The example at the top of the README shows the labels that the command prints."""
    example = next(block for kind, block in BLOCKS if kind == "console")
    command, _, shown = example.partition("\n")
    out = sh(command.removeprefix("$ "), ROOT)
    without_confidence = [line[: line.rfind("  ")].rstrip() for line in shown.splitlines()]
    found = [line[: line.rfind("  ")].rstrip() for line in out.splitlines()]
    assert found == without_confidence


def test_readme_python_works(capsys: pytest.CaptureFixture[str]) -> None:
    """The library's five lines run, and print a label."""
    block = next(block for kind, block in BLOCKS if kind == "python" and "model.predict(" in block)
    exec(compile(block, "README.md", "exec"), {})  # noqa: S102 - our own README
    assert capsys.readouterr().out.startswith("finance back_office 0.")


def test_make_run_labels_and_serves() -> None:
    """`make run` labels the sample and then serves, in the environment that runs this test."""
    installed = f"{sys.prefix}/.run"
    with served("make", "run", f"VENV={sys.prefix}", "--assume-old", installed) as address:
        assert sh(f"curl -s {address}/v2/health/live", ROOT) == '{"status":"live"}\n'


def test_command_service_and_library_agree(model: JobTitleClassifier, tmp_path: Path) -> None:
    """One path to a label: all three ways give the same department, role and confidence."""
    titles = ["Löneadministratör 80 %", "Sr. Acct. Mgr, Nordics", "asdf qwer", "Barista"]
    (tmp_path / "in.csv").write_text("\n".join(["title", *(f'"{t}"' for t in titles)]), "utf-8")
    sh("python -m classifier classify in.csv -o out.csv", tmp_path)
    lines = (tmp_path / "out.csv").read_text("utf-8").splitlines()[1:]
    with served("python", "-m", "classifier", "serve") as address:
        for title, line, label in zip(titles, lines, model.predict(titles), strict=True):
            said = sh(
                f"curl -s {address}/v1/classify -H 'Content-Type: application/json' "
                f"""-d '{{"title": "{title}"}}'""",
                tmp_path,
            )
            assert f'"department":{_json(label.department)},' in said
            assert f'"role":{_json(label.role)},' in said
            assert line.split(",")[-3] == f"{label.confidence:.4f}"
            assert (label.role or "") in line


def _json(value: str | None) -> str:
    return "null" if value is None else f'"{value}"'


def test_a_taken_port_is_one_clear_line() -> None:
    """A port that is taken is an error of one line, not a traceback."""
    with served("python", "-m", "classifier", "serve") as address:
        port = address.rsplit(":", 1)[1]
        done = subprocess.run(
            [sys.executable, "-m", "classifier", "serve", "--port", port],
            capture_output=True, text=True, env=ENV, cwd=ROOT, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"jobtitle: 127.0.0.1:{port}: cannot listen there")


def test_the_wheel_carries_its_data(tmp_path: Path) -> None:
    """A wheel, unpacked away from the checkout, loads a model from the user's cache directory."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=300)
    wheel = next(tmp_path.glob("*.whl"))
    target = tmp_path / "env"
    venv.create(target, system_site_packages=False, with_pip=False)
    site = next(target.glob("lib/python*/site-packages"))
    shutil.unpack_archive(wheel, site, "zip")
    # the libraries come from this environment; the package itself only from the wheel
    ours = Path(next(p for p in sys.path if p.endswith("site-packages")))
    for library in ours.iterdir():
        if not library.name.startswith(("__editable__", "_editable", "_jobtitle", "jobtitle")):
            (site / library.name).symlink_to(library)
    cache = tmp_path / "cache" / "jobtitle" / "models"
    cache.mkdir(parents=True)
    for name in (persistence.MODEL_FILE, persistence.REFERENCE_FILE, persistence.MANIFEST_FILE):
        shutil.copy(paths.models() / name, cache / name)
    done = subprocess.run(
        [target / "bin" / "python", "-m", "classifier", "label", "Lönechef"],
        capture_output=True, text=True, cwd=tmp_path, check=False, timeout=300,
        env={"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": PATH},
    )  # fmt: skip
    assert "payroll" in done.stdout, done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore")  # the kernel's own libraries warn
def test_notebooks_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each notebook runs from top to bottom, and draws at least one plot."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": path.parent}}).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert any("image/png" in out.get("data", {}) for out in outputs)

"""The command line, run as a user runs it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from classifier.labels import LABEL_COLUMNS
from tests.conftest import ROOT, Jobtitle

SAMPLE = ROOT / "notebooks" / "postings.csv"


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_classify_keeps_rows_and_adds_columns(jobtitle: Jobtitle) -> None:
    """Input cells come back in order, followed by the columns of the label."""
    run = jobtitle("classify", SAMPLE)
    assert run.code == 0, run.err
    before, after = rows(SAMPLE.read_text("utf-8")), rows(run.text)
    assert after[0] == before[0] + list(LABEL_COLUMNS)
    assert [row[: len(before[0])] for row in after] == before
    assert after[1][3:6] == ["labelled", "payroll", "back_office"]
    assert after[16][3:] == ["empty", *[""] * (len(LABEL_COLUMNS) - 1)]
    assert run.err.splitlines()[-1].startswith("16 rows: ")


def test_classify_from_pipe_to_file(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Standard input goes to a file in its own dialect, with prefix and candidates."""
    out = tmp_path / "out.csv"
    source = "Nr;Befattning\r\n007;Lönechef\r\nNA;None\r\n".encode("cp1252")
    run = jobtitle("classify", "-", "-o", out, "--prefix", "x_", "--candidates", "2", stdin=source)
    assert (run.code, run.out) == (0, b""), run.err
    content = out.read_bytes().decode("cp1252")
    header, first, second = rows(content, ";")
    assert header[2:] == ["x_" + name for name in (*LABEL_COLUMNS, "candidates")]
    assert first[:4] == ["007", "Lönechef", "labelled", "payroll"]
    assert second[:3] == ["NA", "None", "unknown"]
    assert first[-1].split("|")[0].startswith("payroll:")
    assert content.count("\r\n") == 3


def test_classify_a_pipe_by_its_path(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """What can be read only once, as ``classify <(command)`` gives it, is read like a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"titel\nKock\n",))
    writer.start()
    run = jobtitle("classify", pipe)
    writer.join()
    assert run.code == 0, run.err
    assert rows(run.text)[1][:3] == ["Kock", "labelled", "hospitality"]


def test_rows_of_the_wrong_length_are_kept(jobtitle: Jobtitle) -> None:
    """A short and a long row keep their cells, get status error, and are named on stderr."""
    run = jobtitle("classify", "-", stdin=b"id,title\n1,Kock\n2\n3,Kock,extra\n4,Kock\n")
    assert run.code == 0
    found = rows(run.text)
    assert [row[2] for row in found[1:]] == ["labelled", "error", "error", "labelled"]
    assert found[3][0] == "3"
    assert found[3][-1] == "extra"
    assert "line 3: too few cells (1 of 2)" in run.err
    assert "line 4: too many cells (3 of 2)" in run.err


def test_another_policy(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """A policy by name and one from a file both change the category."""
    mine = tmp_path / "mine.toml"
    mine.write_text('[departments.payroll]\ncategory = "front_office"\nbasis = "role"\n')
    for policy, title in (("customer_contact", "Kundtjänstmedarbetare"), (mine, "Lönechef")):
        run = jobtitle("classify", "-", "--policy", policy, stdin=f"title\n{title}\n".encode())
        assert "front_office" in run.text, run.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "said"),
    [
        (["classify", "nowhere.csv"], "", 1, "nowhere.csv: cannot be read"),
        (["classify", "-"], "", 1, "standard input: the file is empty"),
        (["classify", "-"], "a,b\n1,2\n", 1, "name it with --title"),
        (["classify", "-", "--title", "job"], "a,b\n1,2\n", 1, "no column 'job'; there are a, b"),
        (["classify", "-"], "title,status\na,b\n", 1, "--prefix"),
        (["classify", "-", "--strict"], 'id,title\n1,"a\n', 1, "standard input, line 2"),
        (["classify", "-", "-o", "no/such/dir/x.csv"], "title\na\n", 1, "cannot be written"),
        (["classify", "-", "--policy", "none"], "title\na\n", 1, "policy 'none'"),
        (["label", "--model", "nowhere", "Kock"], "", 1, "there is no model; run"),
        (["train", "--data", "nowhere"], "", 1, "taxonomy.toml: cannot be read"),
        (["evaluate", "-", "--gold", "g"], "title,g\nKock,kitchen\n", 1, "line 2: kitchen"),
        (["evaluate", "-", "--gold", "g"], "title,g\nKock,\n", 1, "no row has a department"),
        (["label"], "", 2, "Missing argument"),
        (["nonsense"], "", 2, "No such command"),
        (["classify"], "", 2, "Missing argument"),
    ],
)
def test_errors_are_one_clear_line(
    jobtitle: Jobtitle, arguments: list[str], stdin: str, code: int, said: str
) -> None:
    """Each error has its exit code and says what is wrong, without a traceback."""
    run = jobtitle(*arguments, stdin=stdin.encode())
    assert run.code == code
    assert said in run.err
    assert "Traceback" not in run.err
    lines = [line for line in run.err.splitlines() if line != "reading the catalogue"]
    assert code == 2 or len(lines) == 1


def test_a_failed_run_leaves_the_old_output(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """An output that is there stays as it was when the run fails, and nothing else is left."""
    out = tmp_path / "out.csv"
    out.write_text("old")
    run = jobtitle("classify", "-", "--strict", "-o", out, stdin=b'title,x\nKock,1\n"open,2\n')
    assert run.code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert out.read_text() == "old"


def test_output_may_be_the_input(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """A file can be labelled in place: it is replaced only when all is written."""
    path = tmp_path / "t.csv"
    path.write_text("title\nLönechef\n", encoding="utf-8")
    assert jobtitle("classify", path, "-o", path).code == 0
    assert rows(path.read_text("utf-8"))[1][:3] == ["Lönechef", "labelled", "payroll"]


def test_label_for_people_and_for_machines(jobtitle: Jobtitle) -> None:
    """The same labels as a table and as JSON."""
    table = jobtitle("label", "Lönechef", "asdf qwer").text
    assert "payroll" in table
    assert "(unknown)" in table
    first, second = json.loads(jobtitle("label", "--json", "Lönechef", "asdf qwer").text)
    assert (first["title"], first["department"], first["seniority"]) == (
        "Lönechef",
        "payroll",
        "manager",
    )
    assert (second["status"], second["department"]) == ("unknown", None)


def test_explain(jobtitle: Jobtitle) -> None:
    """The reasons name words, closest titles and the policy's rule."""
    text = jobtitle("explain", "Receptionist", "--description", "Du sköter växeln.").text
    for part in ("Receptionist  (title)", "closest role: reception", "basis role, policy document"):
        assert part in text
    assert jobtitle("explain", "").text.startswith("empty")
    reasons = json.loads(jobtitle("explain", "--json", "Lönechef").text)
    assert reasons["department"] == "payroll"
    assert reasons["words"][0]["text"] == "Lönechef"


def test_evaluate(jobtitle: Jobtitle) -> None:
    """Figures of a file by hand: two of three right, with the department table and JSON."""
    data = "title;right\nLönechef;payroll\nKock;hospitality|trades\nLäkare;sales\n".encode()
    figures = json.loads(jobtitle("evaluate", "-", "--gold", "right", "--json", stdin=data).text)
    assert (figures["rows"], figures["accuracy"]) == (3, 0.6667)
    text = jobtitle("evaluate", "-", "--gold", "right", stdin=data).text
    assert "macro_f1" in text
    assert "healthcare" in text


def test_evaluate_writes_a_report(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """The report holds plots, figures by language and examples; a second run writes the same."""
    data = (
        "title;right;språk\nLönechef;payroll;sv\nNurse;healthcare;en\n"
        "<b>Läkare</b>;sales;sv\nasdf;payroll;\n"
    ).encode()
    command = ("evaluate", "-", "--gold", "right", "--report")
    for name in "ab":
        run = jobtitle(*command, tmp_path / name, stdin=data)
        assert run.code == 0, run.err
    page = (tmp_path / "a" / "report.html").read_text("utf-8")
    assert page == (tmp_path / "b" / "report.html").read_text("utf-8")
    assert page.count("<svg") == 4
    assert "By language" in page
    assert "&lt;b&gt;Läkare" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    metrics = json.loads((tmp_path / "a" / "metrics.json").read_text("utf-8"))
    assert metrics["languages"]["en"]["accuracy"] == 1
    (tmp_path / "file").write_text("")
    blocked = jobtitle(*command, tmp_path / "file" / "x", stdin=data)
    assert (blocked.code, "cannot be written" in blocked.err) == (1, True)


def test_a_threshold_of_ones_own(jobtitle: Jobtitle) -> None:
    """--min-confidence decides what is unknown; what is no probability is refused."""
    for command in (["label", "Säljare"], ["explain", "Säljare"]):
        assert "unknown" in jobtitle(*command, "--min-confidence", "1").text
        assert "front_office" in jobtitle(*command, "--min-confidence", "0").text
    run = jobtitle("classify", "-", "--min-confidence", "1", stdin="title\nSäljare\n".encode())
    assert "unknown" in run.text
    assert jobtitle("label", "Kock", "--min-confidence", "1.5").code == 2


def test_taxonomy(jobtitle: Jobtitle) -> None:
    """The table lists every department with its category under the policy."""
    assert "customer_service" in jobtitle("taxonomy").text
    lines = jobtitle("taxonomy", "--policy", "customer_contact").text.splitlines()
    assert any("customer_service" in line and "front_office" in line for line in lines)


def test_a_reader_that_has_enough(jobtitle: Jobtitle) -> None:  # noqa: ARG001 - trains the model
    """A closed pipe (head) ends the run without a traceback."""
    command = f'{sys.executable} -m classifier classify - | head -n 1; exit "${{PIPESTATUS[0]}}"'
    source = "title\n" + "Lönechef\n" * 60_000
    done = subprocess.run(
        ["bash", "-c", command],
        input=source.encode(),
        capture_output=True,
        cwd=ROOT,
        check=False,
        timeout=300,
    )
    assert done.stdout.startswith(b"title,status")
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


def test_ctrl_c(jobtitle: Jobtitle, tmp_path: Path) -> None:  # noqa: ARG001 - trains the model
    """An interrupt ends the run with code 130 and leaves no half-written file."""
    process = subprocess.Popen(
        [sys.executable, "-m", "classifier", "classify", "-", "-o", str(tmp_path / "out.csv")],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None
    process.stdin.write(b"title\n")
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == b"jobtitle: interrupted"
    assert list(tmp_path.iterdir()) == []


def test_a_title_may_stand_where_the_header_does(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """A list of titles alone: it is said that the first was taken for the header, and the remedy."""
    path, out = tmp_path / "list.csv", tmp_path / "out.csv"
    for first, options, n_rows, is_said in (
        ("Lönechef", (), 1, True),
        ("Lönechef", ("-H",), 2, False),
        ("titel", (), 1, False),
    ):
        path.write_text(f"{first}\nKock\n", encoding="utf-8")
        run = jobtitle("classify", path, "-o", out, *options)
        assert (run.code, f"{n_rows} rows" in run.err) == (0, True), run.err
        assert ("taken for the header: -H if it is a title" in run.err) == is_said


def test_a_review_is_cut_as_its_file_is(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Who opens the file in a Swedish Excel opens the review in it, too; unless told otherwise."""
    path, review = tmp_path / "a.csv", tmp_path / "review.csv"
    path.write_text("id;titel\n1;Konsult, extern\n", encoding="utf-8")
    run = jobtitle("classify", path, "-o", tmp_path / "out.csv", "--review", review)
    assert run.code == 0, run.err
    assert review.read_text("utf-8-sig").splitlines()[1].startswith("1;Konsult, extern;")
    more = ("--review", review, "--output-delimiter", ",")
    assert jobtitle("classify", path, "-o", tmp_path / "out.csv", *more).code == 0
    assert review.read_text("utf-8-sig").splitlines()[1].startswith('1,"Konsult, extern",')

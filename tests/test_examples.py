"""Labelled data of one's own: read, checked, learned from, and what it changed, by the command line."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from classifier import persistence
from classifier.catalogue import Catalogue
from classifier.corpus import Division, TrainingData
from classifier.errors import InputError
from classifier.examples import Examples
from classifier.lessons import HELD_BACK, Lessons
from classifier.model import JobTitleClassifier
from classifier.text import Tokenizer
from classifier.training import train
from tests.conftest import ROOT, Jobtitle, Run

TAXONOMY = """
version = "1"
[names]
back_office = { sv = "Back office" }
outside_office = { sv = "Utanför kontoret" }
[departments.payroll]
names = { sv = "Lön", en = "Payroll" }
category = "back_office"
basis = "document"
[departments.kitchen]
names = { sv = "Kök", en = "Kitchen" }
category = "outside_office"
basis = "outside"
[departments.garden]
names = { sv = "Trädgård", en = "Garden" }
category = "outside_office"
basis = "outside"
"""

ROLES = {
    "payroll": {
        "payroll_clerk": (
            "Löneadministratör",
            "Lönehandläggare, Löneassistent, Lönespecialist, Lönekonsult, Lönebiträde, Löneekonom",
            "Kör löner varje månad, Registrerar frånvaro för löner, Svarar på frågor om löner",
        ),
        "payroll_manager": (
            "Lönechef",
            "Löneansvarig, Gruppchef lön, Chef för lön, Lönekontorschef, Teamledare lön",
            "Leder dem som kör löner, Ansvarar för att löner blir rätt, Planerar lönekontorets år",
        ),
    },
    "kitchen": {
        "cook": (
            "Kock",
            "Kallskänka, Grillkock, Skolkock, Kökskock, Varmkock, Kock till lunch, Kock kväll",
            "Lagar mat till lunch, Skär grönsaker till mat, Serverar mat till barn",
        ),
        "kitchen_helper": (
            "Köksbiträde",
            "Diskare, Köksassistent, Skolmåltidsbiträde, Biträde i kök, Kökshjälp, Diskbiträde",
            "Diskar efter lunch, Torkar bord i kök, Håller rent i kök",
        ),
    },
    "garden": {
        "gardener": (
            "Trädgårdsmästare",
            "Trädgårdsarbetare, Parkarbetare, Trädgårdsanläggare, Trädgårdsbiträde, Parkskötare",
            "Beskär träd i park, Planterar blommor i park, Krattar löv i trädgård",
        ),
    },
}

NO_WORK = "\n".join(
    ["Vi erbjuder friskvård", "Välkommen med din ansökan", "Tjänsten är på heltid", "Malmö", "asdf"]
    + [f"Box {n}" for n in range(5)]
)


def write_data(directory: Path) -> Path:
    """Write a taxonomy of three departments with few titles; the rest is borrowed."""
    (directory / "roles").mkdir(parents=True)
    (directory / "taxonomy.toml").write_text(TAXONOMY, "utf-8")
    (directory / "no_work.toml").write_text(f'lines = """\n{NO_WORK}\n"""\n', "utf-8")
    for department, roles in ROLES.items():
        blocks = [f'department = "{department}"']
        for key, (name, titles, duties) in roles.items():
            lines, tasks = (text.replace(", ", "\n") for text in (titles, duties))
            blocks.append(
                f'[[roles]]\nid = "{key}"\n[roles.sv]\nname = "{name}"\n'
                f'titles = """\n{lines}\n"""\nduties = """\n{tasks}\n"""'
            )
        (directory / "roles" / f"{department}.toml").write_text("\n".join(blocks), "utf-8")
    return directory


OWN = """befattning;avdelning;roll;språk
Löneekonom;Kök;;sv
Kock;kitchen;kitchen_helper;sv
Utebiträde;Trädgård;;sv
Lohnbuchhalter;Payroll;payroll_clerk;de
Lohnbuchhalterin;payroll;payroll_clerk;de
Lohnsachbearbeiter;payroll;payroll_clerk;de
Lohnprüfer;payroll;;de
Lohnrechner;payroll;;de
Lohnbüroleiter;payroll;payroll_manager;de
Hilfskraft Lohn;payroll;;de
Fachkraft Lohn;payroll;;de
Koch;kitchen;cook;de
Beikoch;kitchen;cook;de
Jungkoch;kitchen;cook;de
Chefkoch;kitchen;cook;de
Küchenhilfe;kitchen;kitchen_helper;de
Küchenhelfer;kitchen;kitchen_helper;de
Küchenjunge;kitchen;;de
Küchenchef;kitchen;;de
Gärtner;garden;gardener;de
Obergärtner;garden;gardener;de
Gärtnerin;garden;gardener;de
Ziergärtner;garden;;de
Baumgärtner;garden;;de
Landschaftsgärtner;garden;;de
koch;Kök;;de
Ungesagt;;;de
"""
"""Labels by id and by name, a title twice, one that the catalogue has elsewhere, one without."""

COLUMNS = ("--title", "befattning", "--department", "avdelning", "--role", "roll")


def run(*arguments: str | Path) -> Run:
    """Run the command as a process of its own, as a user does."""
    done = subprocess.run(
        [sys.executable, "-m", "classifier", *map(str, arguments)],
        capture_output=True,
        cwd=ROOT,
        check=False,
        timeout=300,
        env={**os.environ, "JOBTITLE_DATABASE_URL": "none"},
    )
    return Run(done.returncode, done.stdout, done.stderr.decode())


@dataclass(frozen=True)
class Trained:
    """A model that was trained with examples, and what the command said."""

    data: Path
    directory: Path
    said: Run

    @property
    def model(self) -> JobTitleClassifier:
        return persistence.load(self.directory)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("own") / "data")


@pytest.fixture(scope="session")
def taught(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    directory = tmp_path_factory.mktemp("taught")
    (directory / "own.csv").write_text(OWN, "utf-8")
    said = run(
        "train", "--data", data, "--examples", directory / "own.csv", *COLUMNS,
        "--weight", "2", "--output", directory / "model",
    )  # fmt: skip
    assert said.code == 0, said.err
    return Trained(data, directory / "model", said)


def frame(*rows: tuple[str, ...]) -> Examples:
    """Make examples of title, department and, if given, role and description."""
    names = ["title", "department", "role", "description"]
    return Examples(pd.DataFrame([dict(zip(names, row, strict=False)) for row in rows]))


def checked(data: Path, examples: Examples) -> pd.DataFrame:
    known = TrainingData.from_directory(data)
    return examples.checked(known.taxonomy, known.catalogue).frame


def test_a_title_means_what_its_user_says(taught: Trained) -> None:
    """Titles of the examples get their department and role, also where the catalogue differs."""
    titles = ["Löneekonom", "Kock", "UTEBITRÄDE", "Lohnbüroleiter", "Baumgärtner", "Lönechef"]
    found = [(label.department, label.role) for label in taught.model.predict(titles)]
    assert found[0][0] == "kitchen"
    assert found[1:] == [
        ("kitchen", "kitchen_helper"),
        ("garden", "gardener"),
        ("payroll", "payroll_manager"),
        ("garden", "gardener"),
        ("payroll", "payroll_manager"),
    ]
    reference = taught.model.reference_frame(pd.DataFrame({"title": titles}))
    assert list(zip(reference["department"], reference["role"], strict=True)) == found
    assert taught.model.explain("Baumgärtner").closest[0].title == "Baumgärtner"


def test_a_label_counts_however_odd_it_is(data: Path, tmp_path: Path) -> None:
    """Every title of the catalogue gets the department that its user says, all words against it."""
    known = TrainingData.from_directory(data)
    turned = {"payroll": "garden", "garden": "kitchen", "kitchen": "payroll"}
    told = {
        t: turned[r.department] for n, (t, _, r) in enumerate(known.catalogue.titles()) if n % 3
    }
    train(data, tmp_path / "model", examples=frame(*told.items()))
    labels = persistence.load(tmp_path / "model").predict(list(told))
    assert [label.department for label in labels] == list(told.values())


def test_a_language_that_the_catalogue_lacks_is_learned(
    data: Path, taught: Trained, tmp_path: Path
) -> None:
    """German titles that stand nowhere are placed; without the examples they were not."""
    titles = ["Lohnbuchhaltung", "Bürokraft Lohn", "Hotelkoch", "Küchenkraft", "Rosengärtner"]
    train(data, tmp_path / "plain")
    right = ["payroll", "payroll", "kitchen", "kitchen", "garden"]
    plain = persistence.load(tmp_path / "plain").predict(titles)
    before = [label.department for label in plain]
    assert sum(said == meant for said, meant in zip(before, right, strict=True)) <= 3
    assert [label.department for label in taught.model.predict(titles)] == right


def test_clashes_with_the_catalogue_are_reported(taught: Trained) -> None:
    """Each title that was moved is named, on the screen and in a file; a new role is no clash."""
    assert (
        "titles that the catalogue has elsewhere: 1, all of them in clashes.csv" in taught.said.err
    )
    assert "Löneekonom: kitchen, not payroll" in taught.said.err
    with (taught.directory / "clashes.csv").open(encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["title", "department", "catalogue_department", "role"],
            ["Löneekonom", "kitchen", "payroll", "payroll_clerk"],
        ]


def test_what_examples_changed_is_told(taught: Trained) -> None:
    """Before and after stand in the table, the figures and the card; no title does."""
    metrics = json.loads((taught.directory / "metrics.json").read_text("utf-8"))
    told = metrics["examples"]
    assert told["rows"] == 25
    assert told["learned"] + told["held_back"] == told["rows"]
    before, after = (told[name]["examples"] for name in ("before", "after"))
    assert before["rows"] == after["rows"] == told["held_back"] > 0
    assert after["accuracy"] > before["accuracy"]
    assert told["before"]["catalogue"]["rows"] == metrics["titles"]["rows"]
    assert told["after"]["catalogue"]["accuracy"] == metrics["titles"]["accuracy"]
    assert "examples before" in taught.said.text
    assert "too few examples" in taught.said.text
    card = (taught.directory / "MODEL_CARD.md").read_text("utf-8")
    (file,) = told["files"]
    assert (file["name"], file["rows"], file["left_out"], file["weight"]) == ("own.csv", 26, 1, 2)
    assert f"| own.csv | `{file['sha256']}` | 26 | 1 | 2 |" in card
    assert "| garden | 7 |" in card
    assert "too few examples" in card
    own = {line.split(";")[0] for line in OWN.splitlines()[1:] if ";de" in line}
    for name in ("MODEL_CARD.md", "metrics.json", "manifest.json"):
        text = (taught.directory / name).read_text("utf-8")
        assert [title for title in own if f'"{title}"' in text or f"| {title}" in text] == []
    manifest = persistence.read_manifest(taught.directory)
    assert len(manifest["examples_sha256"]) == 64
    assert manifest["examples"] == {"rows": 25, "clashes": 1}


def test_a_model_knows_titles_to_be_asked_at_its_start(taught: Trained) -> None:
    """The manifest names titles of different departments that the model labels so, surely."""
    probes = persistence.read_manifest(taught.directory)["probes"]
    assert len(set(probes.values())) == 4
    labels = taught.model.predict(list(probes))
    assert [label.department for label in labels] == list(probes.values())
    assert labels[-1].status == "empty"


def test_the_same_again(taught: Trained, tmp_path: Path) -> None:
    """Same data, examples and seed: the same figures, and the same labels to the last digit.

    Titles and departments have usual names, so they need not be named.
    """
    command = ["train", "--data", taught.data, "--examples", taught.directory.parent / "own.csv"]
    again = run(*command, "--role", "roll", "--weight", "2", "--output", tmp_path / "again")
    assert again.text == taught.said.text
    titles = pd.DataFrame({"title": [*OWN.split(";"), "Lönechef", "Hotelkoch", "Gartenhilfe", "x"]})
    first, second = (
        persistence.load(directory).predict_frame(titles, n_candidates=3)
        for directory in (taught.directory, tmp_path / "again")
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_weight_is_felt(data: Path, tmp_path: Path) -> None:
    """What contradicts the rest of the catalogue sways like titles only if it weighs enough."""
    rows = [("Grillkock ute", "garden"), ("Grillkock sommar", "garden"), ("Grill park", "garden")]
    found = []
    for weight in (0.01, 50.0):
        examples = Examples(frame(*rows).frame.assign(weight=weight))
        train(data, tmp_path / str(weight), examples=examples)
        model = persistence.load(tmp_path / str(weight))
        candidates = model.predict(["Grillare"])[0].candidates
        found.append({c.department: c.confidence for c in candidates}["garden"])
    assert found[1] > found[0] + 0.3


def test_postings_are_learned_from(data: Path, tmp_path: Path) -> None:
    """What only descriptions say is learned; a title of several departments stays undecided."""
    texts = {
        "kitchen": ["Du gör pizza i ugn", "Du gör pizza i butik", "Pizza i ugn hela dagen"],
        "garden": ["Du klipper häckar vid hus", "Klipper häckar i stad", "Du klipper häckar"],
    }
    rows = [
        ("Medarbetare", department, "", f"{text}. Vi har fika varje fredag.")
        for department, own in texts.items()
        for text in own
    ]
    train(data, tmp_path / "model", examples=frame(*rows, ("Pizzabagare", "kitchen", "", "Ugn")))
    model = persistence.load(tmp_path / "model")
    found = model.predict(["Medarbetare"] * 2, ["Vi gör pizza i ugn", "Du klipper häckar nu"])
    assert [label.candidates[0].department for label in found] == ["kitchen", "garden"]
    assert model.predict(["Medarbetare"])[0].status == "unknown"
    assert model.predict(["Pizzabagare"])[0].department == "kitchen"


def test_sentences_of_several_departments_are_no_evidence() -> None:
    """What stands in postings of two departments is boilerplate; the others weigh little."""
    examples = frame(
        ("A", "kitchen", "", "Du lagar mat. Vi har fika."),
        ("B", "garden", "", "Vi har  FIKA. Du gräver."),
    )
    told = Examples(examples.frame.assign(weight=2.0, language="sv"))
    lines = Lessons.of(told, Tokenizer()).lines({"sv"})
    assert lines[["text", "kind", "weight"]].to_numpy().tolist() == [
        ["A", "title", 2.0],
        ["B", "title", 2.0],
        ["Du lagar mat.", "duty", 1.0],
        ["Du gräver.", "duty", 1.0],
    ]


def test_nothing_held_out_is_learned(data: Path) -> None:
    """A title held out of the catalogue or the examples is learned from neither."""
    known = TrainingData.from_directory(data)
    division = Division.draw(known.examples(), 0)
    titles = [title for title, _, role in known.catalogue.titles() if role.department == "payroll"]
    examples = frame(*((title, "payroll") for title in [*titles, *map(str.upper, titles), "Ny"]))
    lessons = Lessons.of(Examples(examples.checked(*known_labels(known)).frame), known.tokenizer)
    learned, held = lessons.divided(0, division.tried)
    keys = set(learned.frame["key"])
    assert keys.isdisjoint(division.tried)
    assert keys.isdisjoint(held.frame["key"])
    assert len(keys) > len(titles) * (1 - 2 * HELD_BACK)


def known_labels(data: TrainingData) -> tuple[object, Catalogue]:
    return data.taxonomy, data.catalogue


def test_every_problem_is_named_at_once(data: Path, jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Unknown and foreign labels, empty rows, bad weights and clashes: each with file and line."""
    source = tmp_path / "own.csv"
    source.write_text(
        "title,department,role,weight\n"
        "Skötare,gardn,,\nSkötare,Gadren,,\nVakt,Security,,\nKokare,kök,cok,\n"
        "Grävare,garden,cook,\n ,garden,,\nPlantör,garden,,0\nOdlare,garden,,tung\nKort,garden\n"
        "Dubbel,garden,,\nDUBBEL,kitchen,,\nSopare,garden,gardener,1\n",
        "utf-8",
    )
    output = tmp_path / "model"
    found = jobtitle("train", "--data", data, "--examples", source, "--output", output)
    assert found.code == 1
    lines = [line.split("own.csv, ")[-1] for line in found.err.splitlines()]
    for line in (
        "line 2: unknown department 'gardn'; did you mean garden?",
        "line 3: unknown department 'Gadren'; did you mean garden?",
        "line 4: unknown department 'Security'; there are payroll, kitchen, garden",
        "line 5: unknown role 'cok' of kitchen; did you mean cook?",
        "line 6: role cook belongs to kitchen, not to garden",
        "line 7: neither title nor description has a word",
        "line 8: the weight is not above 0 and at most 100",
        "line 9: the weight is not above 0 and at most 100",
        "line 10: too few cells (2 of 4)",
        "line 11",  # of the line below
    ):
        assert line in lines, found.err
    assert "line 12: 'DUBBEL' has department kitchen here, but garden in" in found.err
    assert "Traceback" not in found.err
    assert not output.exists()


def test_a_label_misspelt_in_many_rows_is_one_problem(data: Path) -> None:
    """The same mistake is named with its first place and the number of others."""
    examples = frame(*((f"Titel {letter}", "köket") for letter in "abc"))
    with pytest.raises(InputError) as error:
        checked(data, examples)
    assert str(error.value) == (
        "example 1 (and 2 more rows): unknown department 'köket'; did you mean kitchen?"
    )


def test_labels_may_be_names_in_any_language(data: Path) -> None:
    """Departments and roles are told by id or name, whatever the case."""
    found = checked(data, frame(("A", "Lön"), ("B", "PAYROLL", "Lönechef"), ("C", "lön ")))
    assert found[["department", "role"]].to_numpy().tolist() == [
        ["payroll", ""],
        ["payroll", "payroll_manager"],
        ["payroll", ""],
    ]


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("titel,avd\nA,garden\n", (), "name it with --department; there are titel, avd"),
        ("x,department\nA,garden\n", (), "name it with --title or --description"),
        ("title,department\nA,\n", (), "no row has a department"),
        ("title,department\nA,garden\n", ("--title", "job"), "no column 'job'"),
        ("", (), "the file is empty"),
    ],
)
def test_a_file_that_is_no_file_of_examples(
    data: Path, jobtitle: Jobtitle, tmp_path: Path, text: str, arguments: tuple[str, ...], said: str
) -> None:
    """What is missing is said, with what there is."""
    (tmp_path / "own.csv").write_text(text)
    command = ("train", "--data", data, "--examples", tmp_path / "own.csv", *arguments)
    found = jobtitle(*command, "--output", tmp_path / "model")
    assert (found.code, said in found.err) == (1, True), found.err
    assert not (tmp_path / "model").exists()


def test_examples_need_a_place_of_their_own(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """A model with examples cannot stand where the one of the training data does."""
    (tmp_path / "own.csv").write_text("title,department\nA,payroll\n")
    for more in (("--examples", tmp_path / "own.csv"), ("--corrections",)):
        for where in ((), ("--output", ROOT / "models")):
            found = jobtitle("train", *more, *where)
            assert (found.code, "such as --output" in found.err) == (1, True), found.err
    assert jobtitle("train", "--examples", "x.csv", "--weight", "0").code == 2
    assert jobtitle("train", "--examples", "x.csv", "--weight", "101").code == 2


def test_a_place_where_no_model_can_stand(data: Path, jobtitle: Jobtitle, tmp_path: Path) -> None:
    """A file, or the training data itself, is refused before anything is learned."""
    (tmp_path / "file").write_text("x")
    for place, said in ((tmp_path / "file", "is a file"), (data, "holds training data")):
        found = jobtitle("train", "--data", data, "--output", place)
        assert (found.code, said in found.err) == (1, True), found.err
        assert "reading" not in found.err


def test_a_single_example(data: Path, jobtitle: Jobtitle, tmp_path: Path) -> None:
    """One new title, which there is nothing to compare with, is learned like others."""
    (tmp_path / "own.csv").write_text("title,department\nTrivselgeneral,garden\n")
    place = tmp_path / "model"
    found = jobtitle("train", "--data", data, "--examples", tmp_path / "own.csv", "--output", place)
    assert found.code == 0, found.err
    (label,) = persistence.load(place).predict(["Trivselgeneral"])
    assert label.department == "garden"


def test_several_files_of_any_format(data: Path, jobtitle: Jobtitle, tmp_path: Path) -> None:
    """JSON Lines and CSV together; what they say of one title must agree."""
    (tmp_path / "a.jsonl").write_text('{"title": "Plantör", "department": "garden"}\n', "utf-8")
    (tmp_path / "b.csv").write_text("title;department\nPlantör;kitchen\n", "utf-8")
    files = ("--examples", tmp_path / "a.jsonl", "--examples", tmp_path / "b.csv")
    found = jobtitle("train", "--data", data, *files, "--output", tmp_path / "model")
    assert found.code == 1
    assert "b.csv, line 2: 'Plantör' has department kitchen here, but garden in" in found.err
    assert "a.jsonl, line 1" in found.err


def test_corrections_are_learned_from(data: Path, tmp_path: Path) -> None:
    """The latest correction of a title counts, beside examples too; unknown labels are left out."""
    from classifier.corrections import Correction, CorrectionStore

    url = f"sqlite:///{tmp_path / 'corrections.sqlite3'}"
    CorrectionStore.open(url).add(
        [
            Correction("Hyvlare", "garden"),
            Correction("Hyvlare", "kitchen", role="cook"),
            Correction("Bevakare", "security"),
            Correction("Odlare", "garden"),
        ]
    )
    (tmp_path / "own.csv").write_text("title,department\nHyvlare,payroll\nStickare,payroll\n")
    found = run(
        "train", "--data", data, "--examples", tmp_path / "own.csv", "--corrections",
        "--database", url, "--output", tmp_path / "model",
    )  # fmt: skip
    assert found.code == 0, found.err
    assert "corrections: 2, 1 left out: their departments or roles are gone" in found.err
    labels = persistence.load(tmp_path / "model").predict(["Hyvlare", "Stickare", "Odlare"])
    assert [label.department for label in labels] == ["kitchen", "payroll", "garden"]
    assert labels[0].role == "cook"
    weights = persistence.read_metrics(tmp_path / "model")["examples"]["weights"]
    assert weights == {"1": 1, "3": 2}


def test_no_corrections_are_no_examples(data: Path, jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Without any correction the command says so, and trains nothing."""
    command = ("train", "--data", data, "--corrections", "--output", tmp_path / "model")
    found = jobtitle(*command, "--database", "none")
    assert (found.code, "there are no corrections" in found.err) == (1, True)
    assert not (tmp_path / "model").exists()

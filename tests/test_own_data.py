"""Departments and data of one's own: from `init` to a served model, as a user would do it."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from classifier import paths
from classifier.catalogue import Catalogue, Role, fingerprint
from classifier.cli import main
from classifier.data_directory import DataDirectory
from classifier.role_files import RoleEntry, write_toml
from classifier.taxonomy import Department, Taxonomy
from tests.conftest import ROOT

TAXONOMY = """\
version = "1"

[names]
innen = { de = "Innendienst" }
aussen = { de = "Außendienst" }

[departments.verwaltung]
names = { de = "Verwaltung" }
category = "innen"
basis = "unsere Einteilung von 2025"

[departments.vertrieb]
names = { de = "Vertrieb" }
category = "aussen"
basis = "customer_contact"

[departments.pflege]
names = { de = "Pflege" }
category = "aussen"
basis = "outside"
"""

ROLES = {
    "verwaltung": {
        "lohnbuchhalter": ("Lohnbuchhalter", "Lohnbuchhalterin|Lohnsachbearbeiter|Gehaltsabrechner|Entgeltabrechner|Sachbearbeiter Lohn und Gehalt"),
        "buchhalter": ("Buchhalter", "Finanzbuchhalter|Bilanzbuchhalter|Debitorenbuchhalter|Kreditorenbuchhalter|Anlagenbuchhalter"),
        "sekretaer": ("Sekretär", "Sekretärin|Büroassistent|Bürokauffrau|Bürokaufmann|Verwaltungsangestellter|Verwaltungsfachangestellte"),
    },
    "vertrieb": {
        "verkaeufer": ("Verkäufer", "Verkäuferin|Fachverkäufer|Verkaufsberater|Einzelhandelskaufmann|Einzelhandelskauffrau"),
        "vertriebsleiter": ("Vertriebsleiter", "Verkaufsleiter|Gebietsverkaufsleiter|Regionalverkaufsleiter|Vertriebsdirektor|Leiter Vertrieb"),
        "handelsvertreter": ("Handelsvertreter", "Vertriebsmitarbeiter|Vertreter im Vertrieb|Vertriebsbeauftragter|Vertriebsassistent"),
    },
    "pflege": {
        "krankenpfleger": ("Krankenpfleger", "Krankenpflegerin|Gesundheits- und Krankenpfleger|Pflegefachkraft|Pflegefachfrau|Intensivpfleger"),
        "altenpfleger": ("Altenpfleger", "Altenpflegerin|Altenpflegehelfer|Pflegehelfer|Pflegeassistent|Ambulante Pflegekraft"),
        "hebamme": ("Hebamme", "Entbindungspfleger|Leitende Hebamme|Beleghebamme|Familienhebamme|Klinikhebamme"),
    },
}  # fmt: skip
NO_WORK = "\n".join(
    f"{place} {word}"
    for place in ("Berlin", "Hamburg", "Köln", "Wien", "Zürich")
    for word in ("Zentrum", "ab sofort", "sucht dich", "bietet Obst", "Sommerfest", "qwertz")
)


@dataclass(frozen=True)
class Run:
    """What a command left behind."""

    code: int
    out: str
    err: str


def run(*arguments: str | Path) -> Run:
    """Run the command line."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    own = patch.object(sys, "argv", ["jobtitle", *map(str, arguments)])
    with own, redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Run(code, out.getvalue(), err.getvalue())


def done(*arguments: str | Path) -> str:
    """Run the command line, which must go well."""
    found = run(*arguments)
    assert found.code == 0, found
    return found.out


def write_german(directory: Path) -> Path:
    """Write a taxonomy of three departments, and nine roles, in German."""
    (directory / "roles").mkdir(parents=True)
    (directory / "taxonomy.toml").write_text(TAXONOMY, encoding="utf-8")
    (directory / "no_work.toml").write_text(f'lines = """\n{NO_WORK}\n"""\n', encoding="utf-8")
    for department, roles in ROLES.items():
        blocks = [f'department = "{department}"\n']
        for key, (name, titles) in roles.items():
            own = titles.replace("|", "\n")
            blocks.append(
                f'[[roles]]\nid = "{key}"\n\n[roles.de]\nname = "{name}"\n'
                f'titles = """\n{own}\n"""\nduties = """\nArbeit als {name}\n"""\n'
            )
        path = directory / "roles" / f"{department}.toml"
        path.write_text("\n".join(blocks), encoding="utf-8")
    return directory


@pytest.fixture
def german(tmp_path: Path) -> Path:
    return write_german(tmp_path / "german")


@pytest.fixture(scope="session")
def german_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a model from data in German."""
    home = tmp_path_factory.mktemp("german")
    done("train", "--data", write_german(home / "data"), "--output", home / "model")
    return home / "model"


def change(path: Path, *pairs: tuple[str, str]) -> None:
    """Change what stands in a text file, as in an editor."""
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def same(first: Catalogue, second: Catalogue) -> bool:
    """Return whether two catalogues are one, also in the order of all that they hold."""
    return (
        first == second
        and list(first.roles) == list(second.roles)
        and list(first.titles()) == list(second.titles())
        and list(first.duties()) == list(second.duties())
    )


# init


def test_a_copy_is_the_same_and_sound(tmp_path: Path) -> None:
    """What is shipped is copied with its comments, is sound, and has a README that says how."""
    mine = tmp_path / "mine"
    assert "jobtitle check" in run("init", mine).err
    for name in ("taxonomy.toml", "roles/payroll.toml", "policies/document.toml"):
        assert (mine / name).read_bytes() == (paths.training_data() / name).read_bytes()
    readme = (mine / "README.md").read_text(encoding="utf-8")
    assert all(word in readme for word in ("**Rename**", "**Merge**", "**Split**", "**Add**"))
    found = done("check", mine)
    assert len(found.splitlines()) == 1
    assert "23 departments" in found
    assert not (mine / "crosswalk").exists()
    done("init", tmp_path / "all", "--crosswalk")
    assert (tmp_path / "all" / "crosswalk" / "isco08.toml").is_file()
    done("check", tmp_path / "all")
    assert re.search(r"\d+ sv, [\d,]+ en", found)


def test_nothing_is_written_over(tmp_path: Path, german: Path) -> None:
    """A directory that holds something, a file, and a place within the source are refused."""
    (tmp_path / "file").write_text("x")
    for target, said in (
        (german, "is not empty"),
        (tmp_path / "file", "is a file"),
        (german / "copy", "lies within"),
        (tmp_path / "no" / "copy", "there is no directory"),
    ):
        found = run("init", target, "--data", german)
        assert (found.code, found.out) == (1, "")
        assert said in found.err
    (tmp_path / "empty").mkdir()
    done("init", tmp_path / "empty", "--data", german)
    assert (tmp_path / "empty" / "taxonomy.toml").exists()


def test_nothing_half_written_stays(tmp_path: Path, german: Path) -> None:
    """Data that cannot be written as workbooks leave no directory behind, under any name."""
    change(german / "roles" / "pflege.toml", ("Pflegehelfer", "x" * 40_000))
    before = sorted(tmp_path.iterdir())
    found = run("init", tmp_path / "mine", "--data", german, "--as", "xlsx")
    assert found.code == 1
    assert "a text of 40,000 characters, of which a cell of Excel holds 32,767" in found.err
    assert sorted(tmp_path.iterdir()) == before


def test_workbooks_come_back_as_they_went(tmp_path: Path, german: Path) -> None:
    """Text files, workbooks and text files again: the same roles, titles and duties, in order."""
    two = tmp_path / "two"
    shutil.copytree(german, two)
    for name in ("payroll", "legal"):  # two languages, codes, levels
        text = (paths.training_data() / "roles" / f"{name}.toml").read_text(encoding="utf-8")
        own = "\n\n[[roles]]".join(text.split("\n\n[[roles]]")[:4])
        (two / "roles" / f"{name}.toml").write_text(own.replace(f'"{name}"', '"vertrieb"'))
    done("init", tmp_path / "books", "--data", two, "--as", "xlsx")
    assert {path.suffix for path in (tmp_path / "books" / "roles").iterdir()} == {".xlsx"}
    done("init", tmp_path / "texts", "--data", tmp_path / "books", "--as", "toml")
    found = [DataDirectory.read(tmp_path / name) for name in ("two", "books", "texts")]
    assert [one.problems for one in found] == [(), (), ()]
    assert same(found[0].catalogue, found[1].catalogue)
    assert same(found[0].catalogue, found[2].catalogue)
    assert any(role.isco for role in found[1].catalogue.roles.values())


LONG = ("å" * 300, "a" * 32_767, "🚒" * 16_383)
ODD = (
    "=1+1", "@SUM(A1)", "+46 70", "-", "'quoted'", "''", "0123", "1e5", "TRUE", "#N/A", "2025-01-01",
    "_x000D_", '"""', 'say "hi"""', "\\", "\\u0041", "tab\tinside", "# none",
    "👩\u200d🚒 Feuerwehrfrau", "[roles.sv]", "a\nb", "a\r\n\r\nb", "\u2028", "_x0041_",
)  # fmt: skip
NASTY = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=60), st.sampled_from(ODD)
)


@st.composite
def catalogues(draw: st.DrawFn) -> dict[str, list[Role]]:
    """Draw roles of two departments whose texts are what people, and programs, come up with."""

    def line(text: str) -> str:
        return "".join(text.splitlines()).strip()

    count = iter(range(10_000))

    def titles() -> tuple[str, ...]:
        """Titles stand once each: a number, before or behind, tells them apart."""
        own = zip(map(line, draw(st.lists(NASTY, min_size=2, max_size=4))), count, strict=False)
        return tuple(f"{n}{text}" if n % 2 else f"{text}{n}" for text, n in own)

    found: dict[str, list[Role]] = {}
    for department in ("x", "y"):
        found[department] = []
        for n in range(draw(st.integers(1, 2))):
            languages = draw(st.permutations(["sv", "de-AT"]))[: draw(st.integers(1, 2))]
            texts = {language: tuple(map(line, titles())) for language in languages}
            drawn = {
                own: draw(st.lists(NASTY | st.sampled_from(LONG), max_size=2)) for own in languages
            }
            duties = {own: tuple(filter(None, map(line, drawn[own]))) for own in languages}
            codes = draw(st.sampled_from([(None, None), ("0110", "0310"), ("4313", None)]))
            level = draw(st.sampled_from([None, "manager"]))
            names = {language: own[0] for language, own in texts.items()}
            role = Role(f"{department}{n}", department, names, texts, duties, level, *codes)
            found[department].append(role)
    return found


def entry(role: Role) -> RoleEntry:
    fields = {"id": role.id, "department": role.department, "seniority": role.seniority}
    fields |= {"isco": role.isco, "ssyk": role.ssyk}
    texts = {
        language: {
            "name": titles[0],
            "titles": "\n".join(titles[1:]),
            "duties": "\n".join(role.duties[language]),
        }
        for language, titles in role.titles.items()
    }
    own = {name: value for name, value in fields.items() if value}
    return RoleEntry("", "", own, texts, lambda *_: "")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=catalogues())
def test_nasty_texts_come_back_as_they_went(
    drawn: dict[str, list[Role]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever a text looks like, TOML and Excel give it back: formulas, zeros, quotes, emoji."""
    home = tmp_path_factory.mktemp("nasty")
    write_german(home / "a")
    shutil.rmtree(home / "a" / "roles")
    (home / "a" / "roles").mkdir()
    ids = {d: Department(d, {"sv": d}, "b", "role") for d in drawn}
    names = "\n".join(
        f'[departments.{d}]\nnames={{sv="{d}"}}\ncategory="b"\nbasis="b"' for d in ids
    )
    (home / "a" / "taxonomy.toml").write_text(f'[names]\nb={{sv="B"}}\n{names}\n')
    for department, roles in drawn.items():
        write_toml(home / "a" / "roles" / f"{department}.toml", list(map(entry, roles)))
    done("init", home / "b", "--data", home / "a", "--as", "xlsx")
    done("init", home / "c", "--data", home / "b", "--as", "toml")
    taxonomy = Taxonomy("", ids, {"b": {"sv": "B"}})
    expected = Catalogue({role.id: role for roles in drawn.values() for role in roles})
    for name in "abc":
        assert same(Catalogue.from_directory(home / name / "roles", taxonomy), expected)


# workbooks that people have edited


def edited(directory: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return a directory with workbooks, and one of them."""
    done("init", tmp_path / "books", "--data", directory, "--as", "xlsx")
    return tmp_path / "books", tmp_path / "books" / "roles" / "pflege.xlsx"


def test_a_workbook_is_laid_out_for_people(german: Path, tmp_path: Path) -> None:
    """Three sheets with headings that stay in sight, and cells that keep what is typed."""
    _, path = edited(german, tmp_path)
    book = load_workbook(path)
    assert book.sheetnames == ["roles", "titles", "duties"]
    roles, titles = book["roles"], book["titles"]
    assert [cell.value for cell in roles[1]] == [
        "id",
        "department",
        "isco",
        "ssyk",
        "seniority",
        "name de",
    ]
    assert [cell.value for cell in titles[2]] == ["krankenpfleger", "de", "Krankenpflegerin"]
    assert roles.freeze_panes == "A2"
    assert roles.column_dimensions["C"].number_format == "@"


def test_what_excel_does_to_cells_is_understood(german: Path, tmp_path: Path) -> None:
    """Lost zeros of codes, numbers as titles, several lines in a cell, notes, empty rows."""
    directory, path = edited(german, tmp_path)
    book = load_workbook(path)
    roles, titles = book["roles"], book["titles"]
    roles["C2"] = 110
    roles["G1"], roles["G2"] = "Note", "look at this again"
    titles.append([])
    titles.append(["hebamme", "de", 1177])
    titles.append(["hebamme", "de", "Hebamme A\nHebamme B\n"])
    book.save(path)
    (path.parent / "~$pflege.xlsx").write_bytes(b"what Excel puts there while it is open")
    done("check", directory)
    found = DataDirectory.read(directory).catalogue.roles
    assert found["krankenpfleger"].isco == "0110"
    assert found["hebamme"].titles["de"][-3:] == ("1177", "Hebamme A", "Hebamme B")


def test_faults_of_a_workbook_are_named_by_sheet_and_row(german: Path, tmp_path: Path) -> None:
    """Every fault says in which file, sheet and row it is, and what to do."""
    directory, path = edited(german, tmp_path)
    book = load_workbook(path)
    roles, titles = book["roles"], book["titles"]
    roles["B3"], roles["C2"], roles["E2"] = "pfleg", "43", "boss"
    roles["G1"] = "nmae sv"
    titles.append(["hebame", "de", "Hebamme Nord"])
    titles.append(["hebamme", "", "Hebamme Süd"])
    titles.append(["hebamme", "de", "Verkäuferin"])
    titles.append(["hebamme", "de", date(2025, 1, 1)])
    last = titles.max_row
    book.save(path)
    found = run("check", directory)
    assert found.code == 1
    for row, said in (
        ("roles, row 3", "unknown department 'pfleg'; did you mean 'pflege'?"),
        ("roles, row 2", "isco '43' is not four digits"),
        ("roles, row 2", "seniority 'boss'"),
        ("roles, row 1", "unknown column 'nmae sv'"),
        (f"titles, row {last - 3}", "unknown role 'hebame'; did you mean 'hebamme'?"),
        (f"titles, row {last - 2}", "no language; fill it in"),
        (f"titles, row {last - 1}", "'Verkäuferin' is already claimed by role hebamme of pflege"),
        (f"titles, row {last}", "is a date to Excel; format the cell as Text"),
    ):
        if "already claimed" in said:  # pflege.xlsx is read first: the other is told
            row, file = "titles, row 2", path.with_name("vertrieb.xlsx")
        else:
            file = path
        assert any(
            line.startswith(f"{file}, {row}: ") and said in line for line in found.out.splitlines()
        ), (row, said, found.out)


@pytest.mark.parametrize("kind", ["no workbook", "no sheet", "no column"])
def test_what_is_no_workbook_of_roles_is_named(german: Path, tmp_path: Path, kind: str) -> None:
    """A file that cannot be read, or lacks a sheet or column, is named; others are checked on."""
    directory, path = edited(german, tmp_path)
    if kind == "no workbook":
        path.write_bytes(b"PK\x03\x04 but no more")
    else:
        book = Workbook()
        book.active.title = "roles" if kind == "no column" else "Tabelle1"
        book.active.append(["id", "name de"])
        for name in ("titles", "duties"):
            book.create_sheet(name).append(["role", "language", "title", "duty"])
        book.save(path)
    change(directory / "taxonomy.toml", ('category = "innen"', 'category = "drinnen"'))
    found = run("check", directory)
    said = {"no sheet": "no sheet called roles", "no column": "no column department"}
    assert f"{path}" in found.out
    assert said.get(kind, "no Excel file, or a damaged one") in found.out
    assert "taxonomy.toml:7: department verwaltung: category 'drinnen'" in found.out
    assert "no roles for department" not in found.out


def test_both_kinds_of_files_stand_side_by_side(german: Path, tmp_path: Path) -> None:
    """A workbook among text files is read, counts in the fingerprint, and turns to text alone."""
    directory, path = edited(german, tmp_path)
    shutil.copy(path, german / "roles" / "pflege.xlsx")
    (german / "roles" / "pflege.toml").unlink()
    both = DataDirectory.read(german)
    assert both.problems == ()
    assert same(both.catalogue, DataDirectory.read(directory).catalogue)
    before = fingerprint(german)
    book = load_workbook(german / "roles" / "pflege.xlsx")
    book["titles"].append(["hebamme", "de", "Hebamme auf Reisen"])
    book.save(german / "roles" / "pflege.xlsx")
    assert fingerprint(german) != before
    done("init", tmp_path / "texts", "--data", german)
    assert (tmp_path / "texts" / "roles" / "vertrieb.toml").read_bytes() == (
        german / "roles" / "vertrieb.toml"
    ).read_bytes()
    assert "Hebamme auf Reisen" in (tmp_path / "texts" / "roles" / "pflege.toml").read_text("utf-8")


# check


def test_every_problem_is_reported_at_once(german: Path) -> None:
    """Faults of all files are told in one go, each with file and line and what to do."""
    done("init", german.with_name("mine"), "--data", german)
    mine = german.with_name("mine")
    for name in ("policies", "wording", "crosswalk"):
        (mine / name).mkdir()
    change(mine / "taxonomy.toml", ("[departments.pflege]", "[departments.heilberufe]"))
    change(mine / "taxonomy.toml", ('category = "innen"', 'category = "inne"'))
    change(
        mine / "roles" / "verwaltung.toml",
        ("Debitorenbuchhalter", "verkäufer"), ('id = "buchhalter"', 'id = "buchhalter"\nisco = 4311'),
    )  # fmt: skip
    (mine / "policies" / "document.toml").write_text(
        '[roles.hebame]\ncategory = "innen"\nbasis = "x"\n\n[departments.pflege]\ncategory = "aussen"\n'
    )
    (mine / "seniority.toml").write_text('[levels]\nboss = "Chef"\n\n[confidence]\ntitle = 2\n')
    (mine / "no_work.toml").write_text("lines = 1\n")
    (mine / "wording" / "abbreviations.toml").write_text("[words]\nGL = 1\n")
    (mine / "wording" / "composition.toml").write_text('[de.patterns]\n"{rank} {title}" = 1\n')
    (mine / "crosswalk" / "isco08.toml").write_text('[departments.pflege]\n"2221" = "Nurses"\n')
    (mine / "roles" / "more.ods").write_text("x")
    found = run("check", mine)
    assert found.code == 1
    assert found.err.count("\n") == 1
    lines = found.out.splitlines()
    for place, said in (
        ("taxonomy.toml:7", "category 'inne' is not known; did you mean 'innen'?"),
        ("roles/pflege.toml:1", "unknown department 'pflege'; there are"),
        ("roles/verwaltung.toml:20", "isco 4311 is not four digits in quotes"),
        (
            "roles/verwaltung.toml:28",
            "'verkäufer' is already claimed by role verkaeufer of vertrieb; take it out of one",
        ),
        ("roles", "no roles for department heilberufe; add a file heilberufe.toml"),
        ("roles/more.ods", "not read; save it as .xlsx"),
        ("policies/document.toml:1", "unknown role hebame; did you mean 'hebamme'?"),
        ("policies/document.toml:5", "unknown department pflege"),
        ("policies/document.toml:5", "departments.pflege: no basis"),
        ("seniority.toml:2", "levels boss are not among entry"),
        ("seniority.toml:4", "no confidence for"),
        ("seniority.toml:5", "the confidence of title must be a number from 0 to 1"),
        ("no_work.toml:1", "lines must be text"),
        ("wording/abbreviations.toml:2", "GL: must be read as a text"),
        ("wording/composition.toml:2", "has no words for rank"),
        ("crosswalk/isco08.toml:1", "unknown department 'pflege'"),
    ):
        own = [line for line in lines if line.startswith(f"{mine / place}: ")]
        assert any(said in line for line in own), (place, said, found.out)
    assert len(lines) == 16
    trained = run("train", "--data", mine, "--output", mine.with_name("model"))
    assert trained.code == 1
    assert "taxonomy.toml:7" in trained.err
    assert not mine.with_name("model").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[departments.pflege]", "[departments.no_work]", ":17: department no_work: this id is taken"),
        ("[departments.pflege]", "[departments.Pflege]", ":17: department 'Pflege': an id has"),
        ('{ de = "Pflege" }', "{ }", "department pflege: no names; add names = { en = … }"),
        ('{ de = "Pflege" }', '"Pflege"', "department pflege: no names"),
        ('{ de = "Pflege" }', '{ de = "" }', "the name in de is empty"),
        ('"outside"', '"' + "x" * 201 + '"', "basis must be a text of 1-200 characters"),
        ('basis = "outside"', "", "department pflege: no basis; say in a few words why"),
        ('basis = "outside"', 'bassi = "outside"', ":20: department pflege: unknown field bassi"),
        ("[names]", "[nmaes]", "no categories; add a table [names]"),
        ('version = "1"', "version = ", ":1: not valid TOML"),
    ],
)  # fmt: skip
def test_faults_of_a_taxonomy(german: Path, old: str, new: str, said: str) -> None:
    """Each fault of a taxonomy is named with its line."""
    change(german / "taxonomy.toml", (old, new))
    found = run("check", german)
    assert found.code == 1
    assert said in found.out


def test_one_department_alone_is_refused(german: Path) -> None:
    """With one department there is nothing to tell apart, and that is said."""
    text = (german / "taxonomy.toml").read_text("utf-8")
    (german / "taxonomy.toml").write_text(text[: text.index("[departments.vertrieb]")])
    assert "one department alone" in run("check", german).out


# a model of one's own


def test_what_is_missing_is_as_shipped(german: Path) -> None:
    """A directory with taxonomy, roles and nothing else is sound: the rest is what is shipped."""
    (german / "no_work.toml").unlink()
    found = DataDirectory.read(german)
    assert found.problems == ()
    assert list(found.policies) == ["document"]
    assert {path.name for path in found.borrowed} == {
        "no_work.toml", "seniority.toml", "abbreviations.toml", "composition.toml"
    }  # fmt: skip
    assert done("check", german) == (
        f"{german}: sound: 3 departments, 9 roles, 54 titles (54 de)\n"
    )


def test_a_german_model_labels_and_explains(german_model: Path, tmp_path: Path) -> None:
    """`label`, `classify`, `explain` and `taxonomy` speak of the departments it was made from."""
    model = ("--model", german_model)
    labels = json.loads(done("label", "Bilanzbuchhalterin", "Pflegefachmann", "", "--json", *model))
    assert [label["department"] for label in labels] == ["verwaltung", "pflege", None]
    assert labels[0]["category"] == "innen"
    assert labels[0]["category_basis"] == "unsere Einteilung von 2025"
    told = done("explain", "Bilanzbuchhalterin", *model)
    assert "labelled: Verwaltung, innen, buchhalter" in told
    assert "why innen: unsere Einteilung von 2025 (policy document)" in told
    source, target = tmp_path / "stellen.csv", tmp_path / "out.csv"
    source.write_text("Stelle;Ort\nVerkäuferin;Wien\nHebamme;Köln\n", encoding="utf-8")
    done("classify", source, "-o", target, "--title", "Stelle", *model)
    assert [line.split(";")[3] for line in target.read_text("utf-8").splitlines()[1:]] == [
        "vertrieb", "pflege"
    ]  # fmt: skip
    shown = done("taxonomy", *model)
    assert re.search(r"verwaltung +Verwaltung +innen +unsere Einteilung von 2025", shown)
    assert "German" in shown
    assert "Swedish" not in shown


def test_departments_are_renamed_merged_split_and_added(tmp_path: Path, german: Path) -> None:
    """Edited in workbooks and in the taxonomy: the new model knows the new departments."""
    directory, path = edited(german, tmp_path)
    change(
        directory / "taxonomy.toml",
        # verwaltung is renamed, vertrieb merged into it, pflege split, technik added
        ("[departments.verwaltung]", "[departments.zentrale]"),
        ('[departments.vertrieb]\nnames = { de = "Vertrieb" }', '[departments.geburten]\nnames = { de = "Geburtshilfe" }'),
    )  # fmt: skip
    with (directory / "taxonomy.toml").open("a") as file:
        file.write(
            '\n[departments.technik]\nnames = { de = "Technik" }\ncategory = "innen"\nbasis = "neu"\n'
        )
    for name in ("verwaltung", "vertrieb"):
        own = path.with_name(f"{name}.xlsx")
        book = load_workbook(own)
        for row in book["roles"].iter_rows(min_row=2):
            row[1].value = "zentrale"
        book.save(own)
    book = load_workbook(path)
    book["roles"]["B4"] = "geburten"
    book.save(path)
    (directory / "roles" / "technik.toml").write_text(
        'department = "technik"\n[[roles]]\nid = "elektriker"\n[roles.de]\nname = "Elektriker"\n'
        'titles = """\nElektrikerin\nBetriebselektriker\nElektromonteur\nElektroniker\n"""\n',
        encoding="utf-8",
    )
    assert "4 departments, 10 roles" in done("check", directory)
    done("train", "--data", directory, "--output", tmp_path / "model")
    titles = ["Lohnbuchhalterin", "Verkäuferin", "Familienhebamme", "Elektriker", "Altenpfleger"]
    labels = json.loads(done("label", *titles, "--json", "--model", tmp_path / "model"))
    assert [label["department"] for label in labels] == [
        "zentrale", "zentrale", "geburten", "technik", "pflege"
    ]  # fmt: skip


# policies


POLICY = """\
[default]
category = "innen"
basis = "Betriebsvereinbarung von 2025"

[departments.vertrieb]
category = "aussen"

[roles.hebamme]
category = "aussen"
basis = "immer unterwegs"
"""


def test_a_policy_of_ones_own(german_model: Path, tmp_path: Path) -> None:
    """Default, rules by department and role, and reasons in one's own words decide the category."""
    path = tmp_path / "unsere.toml"
    path.write_text(POLICY, encoding="utf-8")
    options = ("--policy", path, "--model", german_model)
    labels = json.loads(
        done("label", "Altenpflegerin", "Verkäuferin", "Familienhebamme", "--json", *options)
    )
    assert [(label["category"], label["category_basis"]) for label in labels] == [
        ("innen", "Betriebsvereinbarung von 2025"),
        ("aussen", "Betriebsvereinbarung von 2025"),
        ("aussen", "immer unterwegs"),
    ]
    assert "why aussen: immer unterwegs (policy unsere)" in done("explain", "Hebamme", *options)
    shown = done("taxonomy", *options).splitlines()
    starts = {line.split()[1]: line for line in shown if line.startswith("*")}
    assert set(starts) == {"verwaltung", "vertrieb", "pflege", "hebamme", "differs"}
    assert starts["pflege"].endswith("innen     Betriebsvereinbarung von 2025  aussen (outside)")
    assert starts["hebamme"].endswith("aussen    immer unterwegs  aussen (outside)")
    assert starts["differs"] == (
        "* differs from document: 3 departments, 1 in category; 1 role, 0 in category"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[roles.hebamme]", "[roles.hebame]", ":8: unknown role hebame; did you mean 'hebamme'?"),
        ("[departments.vertrieb]", "[departments.vertreib]", ":5: unknown department vertreib"),
        ('"immer unterwegs"', '"zwei\\nZeilen"', ":8: roles.hebamme: basis must stand on one line"),
        ("[default]", "[defualt]", ":1: unknown field defualt; did you mean 'default'?"),
    ],
)
def test_faults_of_a_policy(
    german_model: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    """A policy that speaks of what is not there is refused with its line and the nearest name."""
    path = tmp_path / "unsere.toml"
    path.write_text(POLICY.replace(old, new), encoding="utf-8")
    found = run("taxonomy", "--policy", path, "--model", german_model)
    assert found.code == 1
    assert f"unsere.toml{said}" in found.err


def test_the_table_of_ones_own_data(german: Path, tmp_path: Path) -> None:
    """`taxonomy --data` shows the departments of a directory, and what a policy changes."""
    path = tmp_path / "gleich.toml"
    path.write_text("", encoding="utf-8")
    assert re.search(r"pflege +Pflege +aussen +outside", done("taxonomy", "--data", german))
    shown = done("taxonomy", "--data", german, "--policy", path)
    assert shown.splitlines()[-1] == "nothing differs from document"


# served


@pytest.fixture(scope="module")
def service(german_model: Path) -> Iterator[str]:
    """Serve the German model by the real server, on a free port."""
    command = [sys.executable, "-m", "classifier", "serve", "--port", "0", "--model", german_model]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env=os.environ | {"JOBTITLE_DATABASE_URL": "none", "JOBTITLE_LOG_REQUESTS": "0"},
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            line = next((line for line in process.stderr if "listening on" in line), "")
            found = re.search(r"http://\S+?:\d+", line)
            assert found, "the server did not say where it listens"
            yield found[0]
        finally:
            process.terminate()
            process.communicate(timeout=20)


def ask(address: str, body: object = None, headers: Mapping[str, str] | None = None) -> str:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    own = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(address, data, own)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def test_a_german_model_is_served(service: str) -> None:
    """The service is ready, labels, explains, and lists the departments and reasons there are."""
    assert json.loads(ask(f"{service}/v2/health/ready")) == {"status": "ready"}
    sent = {"title": "Lohnbuchhalterin", "explain": True, "candidates": 10}
    label = json.loads(ask(f"{service}/v1/classify", sent))
    assert label["department"] == "verwaltung"
    assert label["category_basis"] == "unsere Einteilung von 2025"
    assert {own["department"] for own in label["candidates"]} == set(ROLES)
    posting = {"@type": "JobPosting", "title": "Hebamme", "description": "<p>im Kreißsaal</p>"}
    found = json.loads(ask(f"{service}/v1/classify", posting))
    assert found["label"]["department"] == "pflege"
    for language in ("sv", "de"):
        own = json.loads(ask(f"{service}/v1/taxonomy", headers={"Accept-Language": language}))
        assert [d["name"] for d in own["departments"]] == ["Verwaltung", "Vertrieb", "Pflege"]
        assert own["departments"][0]["category_basis"] == "unsere Einteilung von 2025"
    table = "Titel\nVerkäuferin\n".encode()
    rows = ask(f"{service}/v1/classify", table, {"Content-Type": "text/csv; charset=utf-8"})
    assert "labelled,vertrieb,aussen" in rows


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_of_a_german_model(service: str, language: str) -> None:
    """The page shows the German names, and the reason in the words of the taxonomy."""
    assert "<title>" in ask(f"{service}/?lang={language}")
    form = urllib.parse.urlencode({"title": "Bilanzbuchhalterin", "description": ""}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    page = ask(f"{service}/?lang={language}", form, kind)
    assert "<h2>Verwaltung</h2>" in page
    assert "Innendienst" in page
    assert "unsere Einteilung von 2025" in page


def test_a_role_that_many_rows_name_is_told_once(german: Path, tmp_path: Path) -> None:
    """An id that is misspelt in the sheet of roles is one problem, not one a title."""
    directory, path = edited(german, tmp_path)
    book = load_workbook(path)
    for n in range(20):
        book["titles"].append(["hebame", "de", f"Hebamme {n}"])
    first = book["titles"].max_row - 19
    book.save(path)
    found = run("check", directory)
    told = [line for line in found.out.splitlines() if "hebame" in line]
    assert told == [
        f"{path}, titles, row {first} (and 19 more): unknown role 'hebame'; did you mean 'hebamme'?"
    ]


def test_what_cannot_be_read_is_the_only_problem(german: Path, tmp_path: Path) -> None:
    """Where the taxonomy is no TOML, it is not said of each role and rule that it is unknown."""
    directory, _ = edited(german, tmp_path)
    path = directory / "taxonomy.toml"
    path.write_text(path.read_text("utf-8").replace("[departments.", "[departments.å", 1), "utf-8")
    found = run("check", directory)
    assert found.code == 1
    (problem,) = found.out.splitlines()
    assert problem.startswith(f"{path}:")
    assert "not valid TOML" in problem

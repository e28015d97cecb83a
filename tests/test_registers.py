"""Official registers imported by the command line, from small files of their own in their shapes."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import paths
from classifier.catalogue import Catalogue, fingerprint
from classifier.crosswalk import (
    ISCO_08,
    SOC_2018,
    SSYK_2012,
    Crosswalk,
    Group,
    Standard,
    find_crosswalk,
    shipped_crosswalk,
)
from classifier.role_codes import code_of
from classifier.taxonomy import Taxonomy
from tests.conftest import Jobtitle

ESCO_COLUMNS = (
    "conceptType,conceptUri,iscoGroup,preferredLabel,altLabels,hiddenLabels,status,modifiedDate,"
    "regulatedProfessionNote,scopeNote,definition,inScheme,description,code"
)
HEADER = "title,department,role,language,code,source"
URI = "http://data.europa.eu/esco"


def esco_row(code: str, preferred: str, others: str = "", hidden: str = "", **cells: str) -> str:
    """Return an occupation as ESCO writes it, with line breaks in its cells."""
    row = dict.fromkeys(ESCO_COLUMNS.split(","), "")
    row |= {"conceptType": "Occupation", "conceptUri": f"{URI}/occupation/1", "iscoGroup": code}
    row |= {"preferredLabel": preferred, "altLabels": others, "hiddenLabels": hidden}
    row |= {"status": "released", "description": "Eins, zwei\nund drei", "code": f"{code}.1"}
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerow((row | cells).values())
    return out.getvalue()


def write_esco(directory: Path, language: str, *rows: str, columns: str = ESCO_COLUMNS) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / f"occupations_{language}.csv"
    path.write_text(f"{columns}\n{''.join(rows)}", encoding="utf-8-sig")
    return path


def examples(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *found = csv.reader(file)
    assert ",".join(header) == HEADER
    return found


GERMAN = """
version = "1"
[names]
buero = { de = "Büro" }
draussen = { de = "Draußen" }
[departments.verwaltung]
names = { de = "Verwaltung" }
category = "buero"
basis = "unsere Aufteilung"
[departments.technik]
names = { de = "Technik" }
category = "draussen"
basis = "unsere Aufteilung"
[departments.pflege]
names = { de = "Pflege" }
category = "draussen"
basis = "unsere Aufteilung"
"""
ROLES = {
    "verwaltung": (
        "buchhaltung",
        "4311",
        "Buchhalterin",
        "Rechnungsprüfer\nKontierer",
        "Belege buchen",
    ),
    "technik": (
        "werkstatt",
        "7231",
        "Mechanikerin",
        "Monteur\nSchrauber",
        "Motoren instand setzen",
    ),
    "pflege": ("station", "2221", "Krankenschwester", "Pflegerin\nPfleger", "Kranke versorgen"),
}
CROSSWALK = """
[departments.verwaltung]
"4" = "Bürokräfte"
"24" = "Betriebswirte"
[departments.technik]
"7" = "Handwerker"
[departments.pflege]
"22" = "Gesundheitsberufe"
"53" = "Betreuungsberufe"
"""


def write_german(directory: Path, crosswalk: str | None = CROSSWALK) -> Path:
    """Write training data of three German departments."""
    (directory / "roles").mkdir(parents=True)
    (directory / "taxonomy.toml").write_text(GERMAN, encoding="utf-8")
    for department, (role, isco, own, titles, duties) in ROLES.items():
        (directory / "roles" / f"{department}.toml").write_text(
            f'department = "{department}"\n[[roles]]\nid = "{role}"\nisco = "{isco}"\n[roles.de]\n'
            f'name = "{own}"\ntitles = """\n{titles}\n"""\nduties = """\n{duties}\n"""\n',
            encoding="utf-8",
        )
    if crosswalk is not None:
        (directory / "crosswalk").mkdir()
        (directory / "crosswalk" / "isco08.toml").write_text(crosswalk, encoding="utf-8")
    return directory


def test_esco_in_two_languages(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Every label becomes a row with department, sole role and code; the rest is counted."""
    esco, out = tmp_path / "esco", tmp_path / "examples.csv"
    write_esco(
        esco,
        "de",
        esco_row("4223", "Telefonist", "Telefonistin\nVermittlungskraft", "Fonist"),
        esco_row("0110", "Marineoffizier", "Marineoffizier\r\nHeeresoffizier"),
        esco_row(f"{URI}/isco/C4313", "Lohnbuchhalterin", "Gehaltsrechner\nKassenwart", "-"),
        esco_row("C5230", "Kassiererin", "kassenwart"),
        esco_row("2421", "Unternehmensberaterin"),
        esco_row("9999", "Sternenfahrer"),
        esco_row("1120", "Alter Titel", status="obsolete"),
    )
    write_esco(esco, "da", esco_row("4313", "Lønmedarbejder", "Lønbogholder"))
    run = jobtitle("import", "esco", esco, "--output", out)
    assert (run.code, run.out) == (0, b""), run.err
    source = "occupations_de.csv"
    assert examples(out) == [
        ["Lønmedarbejder", "payroll", "", "da", "4313", "occupations_da.csv"],
        ["Lønbogholder", "payroll", "", "da", "4313", "occupations_da.csv"],
        *(
            [title, "customer_service", "switchboard_operator", "de", "4223", source]
            for title in ("Telefonist", "Telefonistin", "Vermittlungskraft", "Fonist")
        ),
        *(
            [title, "protection", "", "de", "0110", source]
            for title in ("Marineoffizier", "Heeresoffizier")
        ),
        ["Lohnbuchhalterin", "payroll", "", "de", "4313", source],
        ["Gehaltsrechner", "payroll", "", "de", "4313", source],
        ["Kassiererin", "sales", "cashier", "de", "5230", source],
    ]
    for said in (
        "read 16 titles",
        "left out 2: would have two departments, such as kassenwart (payroll, sales)",
        "left out 1: their groups are spread over several departments: 2421 (1)",
        "left out 1: the crosswalk of ISCO-08 lacks their groups: 9999 (1)",
        "left out 1: have no letter",
        "left out 1: occupations that are not, or no longer, released",
        f"written to {out}: 11 titles (da, de), 4 departments",
    ):
        assert said in run.err.splitlines(), run.err


def test_one_language_of_several(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """--language reads the file of that language alone; one that is not there is named."""
    esco, out = tmp_path / "esco", tmp_path / "out.csv"
    write_esco(esco, "de", esco_row("5120", "Koch"))
    write_esco(esco, "da", esco_row("5311", "Plejer"))
    command = ("import", "esco", esco, "--data", write_german(tmp_path / "daten"), "-o", out)
    assert jobtitle(*command, "--language", "da").code == 0
    assert [row[:4] for row in examples(out)] == [["Plejer", "pflege", "", "da"]]
    run = jobtitle(*command, "--language", "fr")
    assert (run.code, "no occupations_fr.csv; there are da, de" in run.err) == (1, True)


@pytest.mark.parametrize("has_title_column", [False, True])
def test_onet_of_two_releases(jobtitle: Jobtitle, tmp_path: Path, has_title_column: bool) -> None:
    """Titles of all three files are read, whether or not a release repeats the occupation's."""
    extra = ("\tTitle", "\tBookkeepers") if has_title_column else ("", "")
    (tmp_path / "Occupation Data.txt").write_text(
        'O*NET-SOC Code\tTitle\tDescription\n43-3031.00\tBookkeepers\tKeep "books" in order.\n'
        "43-3099.00\tFinancial Clerks, All Other\tOther.\n"
    )
    (tmp_path / "Alternate Titles.txt").write_text(
        f"O*NET-SOC Code{extra[0]}\tAlternate Title\tShort Title\tSource(s)\n"
        f'43-3031.00{extra[1]}\tLedger 12" Keeper\tn/a\t08\n'
        f"11-9199.01{extra[1]}\tRegulatory Chief (RC)\tRC\t02\n"
        f"11-9199.03{extra[1]}\tSomething Else Chief\tn/a\t02\n"
    )
    (tmp_path / "Sample of Reported Titles.txt").write_text(
        f"O*NET-SOC Code{extra[0]}\tReported Job Title\tShown in My Next Move\n"
        f"43-3051.00{extra[1]}\tWage Clerk\tN\n43-3031.00{extra[1]}\tbookkeepers\tN\n"
    )
    out = tmp_path / "out.csv"
    run = jobtitle("import", "onet", tmp_path, "--output", out)
    assert run.code == 0, run.err
    assert [(row[0], row[1], row[4]) for row in examples(out)] == [
        ("Bookkeepers", "finance", "43-3031.00"),
        ('Ledger 12" Keeper', "finance", "43-3031.00"),
        ("Regulatory Chief", "legal", "11-9199.01"),
        ("RC", "legal", "11-9199.01"),
        ("Wage Clerk", "payroll", "43-3051.00"),
    ]
    assert "left out 1: stood there before" in run.err
    assert "their groups are spread over several departments: 11-919 (1)" in run.err
    assert "(…, All Other)" in run.err


def name(label: str) -> dict[str, Any]:
    return {"id": "x", "preferred_label": label, "type": "occupation-name"}


GROUPS: list[dict[str, Any]] = [
    {
        "type": "ssyk-level-4",
        "ssyk_code_2012": "1420",
        "preferred_label": "Chefer inom förskola",
        "narrower": [name("Dagischef") | {"alternative_labels": ["Kindergartenchef"]}],
    },
    {
        "type": "ssyk-level-4",
        "ssyk_code_2012": "2261",
        "preferred_label": "Nya yrken",
        "narrower": [name("Nyyrkare"), {"type": "skill", "preferred_label": "Kunnande"}],
    },
    {
        "type": "ssyk-level-4",
        "ssyk_code_2012": "5230",
        "preferred_label": "Kassapersonal m.fl.",
        "narrower": [name("Kassaperson"), name("Kassörska") | {"deprecated": True}],
    },
]


def slashed(concepts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return concepts with the keys of the older API."""
    return [
        {
            f"taxonomy/{key.replace('_', '-')}": slashed(own) if key == "narrower" else own
            for key, own in concept.items()
        }
        for concept in concepts
    ]


def upside_down() -> Iterator[dict[str, Any]]:
    """Yield occupation names with their groups above them."""
    for group in GROUPS:
        for own in group["narrower"]:
            yield own | {"broader": [{key: group[key] for key in ("type", "ssyk_code_2012")}]}


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"concepts": GROUPS}},
        {"concepts": GROUPS},
        GROUPS,
        slashed(GROUPS),
        {"data": {"concepts": [{"type": "ssyk-level-3", "narrower": GROUPS}]}},
        {"data": {"concepts": list(upside_down())}},
    ],
    ids=["graphql", "concepts", "list", "older", "hierarchy", "names"],
)
def test_jobtech_however_the_api_wraps_it(
    jobtitle: Jobtitle, tmp_path: Path, answer: object
) -> None:
    """Occupation names get the department of their group of SSYK 2012."""
    source, out = tmp_path / "names.json", tmp_path / "out.csv"
    source.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
    run = jobtitle("import", "jobtech", source, "--output", out)
    assert run.code == 0, run.err
    assert examples(out) == [
        ["Dagischef", "education", "", "sv", "1420", "names.json"],
        ["Kindergartenchef", "education", "", "sv", "1420", "names.json"],
        ["Kassaperson", "sales", "cashier", "sv", "5230", "names.json"],
    ]
    assert "lacks their groups: 2261 (1)" in run.err
    assert "concepts of type skill" in run.err


@pytest.mark.parametrize(
    ("register", "name", "content", "said"),
    [
        ("esco", "x.txt", "", "expected occupations_XX.csv"),
        ("esco", "occupations_de.csv", "", "occupations_de.csv: the file is empty"),
        (
            "esco",
            "occupations_de.csv",
            "conceptType,isco,preferredLabel,altLabels,hiddenLabels\n",
            "occupations_de.csv:1: no column iscoGroup; there are conceptType, isco,",
        ),
        (
            "esco",
            "occupations_de.csv",
            f"{ESCO_COLUMNS}\n{esco_row('5120', 'Koch')}{esco_row('110', 'Offizier')}",
            "occupations_de.csv:4, column iscoGroup: '110' is no code of ISCO-08; the format of",
        ),
        (
            "esco",
            "occupations_de.csv",
            f"{ESCO_COLUMNS}\n{esco_row('5120', 'Koch')}Occupation,x\n",
            "occupations_de.csv:4: 2 cells where the header has 14",
        ),
        (
            "esco",
            "occupations_de.csv",
            f'{ESCO_COLUMNS}\nOccupation,x,5120,"Koch\n',
            "occupations_de.csv:2: not as published",
        ),
        (
            "esco",
            "occupations_de.csv",
            f"{ESCO_COLUMNS}\n{esco_row('5120', 'Köchin')}".encode("cp1252"),
            "occupations_de.csv:2, column 58: not UTF-8",
        ),
        (
            "esco",
            "occupations_de.csv",
            f"{ESCO_COLUMNS}\n{esco_row('1120', 'Vorstand')}",
            "no title got a department, so nothing was written",
        ),
        ("onet", "x.txt", "", "expected Occupation Data.txt, Alternate Titles.txt, Sample of"),
        (
            "onet",
            "Alternate Titles.txt",
            "O*NET-SOC Code\tTitle\tShort Title\n",
            "Alternate Titles.txt:1: no column Alternate Title; there are O*NET-SOC Code, Title,",
        ),
        (
            "onet",
            "Occupation Data.txt",
            "O*NET-SOC Code\tTitle\n43.3031\tClerk\n",
            "Occupation Data.txt:2, column O*NET-SOC Code: '43.3031' is no code of SOC 2018",
        ),
        ("jobtech", "names.json", "[\n{,}]", "names.json:2, column 2: not JSON"),
        ("jobtech", "names.json", '{"data": null}', "names.json: no list of concepts in data"),
        ("jobtech", "names.json", "[1]", "names.json: concept 1 is no object"),
        (
            "jobtech",
            "names.json",
            '[{"type": "ssyk-level-4", "code": "5230"}]',
            "names.json: concept 1 has no ssyk_code_2012, but type, code",
        ),
        (
            "jobtech",
            "names.json",
            '[{"type": "ssyk-level-4", "ssyk_code_2012": "523", "narrower": []}]',
            "concept 1, ssyk_code_2012: '523' is no code of SSYK 2012",
        ),
        (
            "jobtech",
            "names.json",
            '[{"ssyk_code_2012": "5230", "narrower": [{"label": "Kassaperson"}]}]',
            "concept 1, narrower 1 has no preferred_label",
        ),
    ],
)
def test_drift_and_damage_are_one_clear_line(
    jobtitle: Jobtitle, tmp_path: Path, register: str, name: str, content: str | bytes, said: str
) -> None:
    """What is not as published is named with file, line and column, and nothing is written."""
    data, home = write_german(tmp_path / "daten"), tmp_path / "home"
    home.mkdir()
    (home / name).write_bytes(content.encode() if isinstance(content, str) else content)
    out = home / "out.csv"
    out.write_text("old")
    source = home / name if register == "jobtech" else home
    run = jobtitle("import", register, source, "--data", data, "--output", out)
    assert run.code == 1
    assert said in run.err.splitlines()[-1], run.err
    assert "Traceback" not in run.err
    assert out.read_text() == "old"
    assert sorted(path.name for path in home.iterdir()) == sorted([name, "out.csv"])


@pytest.mark.parametrize("register", ["esco", "onet", "jobtech"])
def test_a_path_that_is_not_there(jobtitle: Jobtitle, tmp_path: Path, register: str) -> None:
    """A download that is not there, and a place that cannot be written, are named."""
    data = ("--data", write_german(tmp_path / "daten"))
    run = jobtitle("import", register, tmp_path / "nowhere", *data, "-o", tmp_path / "out.csv")
    assert (run.code, "nowhere: cannot be read" in run.err) == (1, True), run.err
    write_esco(tmp_path, "de", esco_row("7231", "Monteur"))
    run = jobtitle("import", "esco", tmp_path, *data, "-o", tmp_path / "no" / "out.csv")
    assert (run.code, "out.csv: cannot be written" in run.err) == (1, True), run.err


FIELDS = "Praxis Klinik Handel Messe Hafen Schule Küche Werft Bahn Labor Theater Museum Hotel"
NOUNS = {
    "4311": "Buchhalter Rechnungsprüfer Kontorist Kassenwart",
    "7231": "Mechaniker Schlosser Schweißer Monteur",
    "2221": "Krankenpfleger Pflegefachmann Altenpfleger Hebamme",
}


def test_german_from_import_to_label(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """A user's German departments learn from ESCO in German and label titles they never had."""
    data = write_german(tmp_path / "daten")
    rows = [
        esco_row(code, f"{noun} {field}", f"{noun}in {field}")
        for code, nouns in NOUNS.items()
        for noun in nouns.split()
        for field in FIELDS.split()
    ]
    write_esco(tmp_path / "esco", "de", *rows)
    out, model = tmp_path / "german.csv", tmp_path / "modell"
    run = jobtitle("import", "esco", tmp_path / "esco", "--data", data, "--output", out)
    assert run.code == 0, run.err
    found = examples(out)
    assert len(found) == 2 * 3 * 4 * len(FIELDS.split())
    assert {tuple(row[1:3]) for row in found} == {
        ("verwaltung", "buchhaltung"),
        ("technik", "werkstatt"),
        ("pflege", "station"),
    }
    run = jobtitle("train", "--data", data, "--examples", out, "--output", model)
    assert run.code == 0, run.err
    unseen = ("Schlosser Winterhafen", "Kontoristin Flughafen", "Altenpflegerin Nachtdienst")
    said = jobtitle(
        "label", "--model", model, "--min-confidence", "0", "--json", "--codes", *unseen
    )
    labels = json.loads(said.text)
    assert [one["department"] for one in labels] == ["technik", "verwaltung", "pflege"]
    assert labels[0]["isco08"] == {"code": "7231", "title": "Motor vehicle mechanics and repairers"}
    assert labels[0]["ssyk2012"] is None


def test_departments_that_a_taxonomy_has_not(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """With departments of one's own and no crosswalk, the codes that go nowhere are named."""
    data = write_german(tmp_path / "daten", crosswalk=None)
    text = (data / "taxonomy.toml").read_text("utf-8").replace("technik", "trades")
    (data / "taxonomy.toml").write_text(text, encoding="utf-8")
    roles = data / "roles" / "technik.toml"
    roles.write_text(roles.read_text("utf-8").replace("technik", "trades"), encoding="utf-8")
    write_esco(
        tmp_path,
        "de",
        esco_row("7231", "Autoschlosser"),
        esco_row("4311", "Buchhalter", "Buchhalterin"),
        esco_row("4214", "Mahner"),
    )
    out = tmp_path / "out.csv"
    run = jobtitle("import", "esco", tmp_path, "--data", data, "--output", out)
    assert run.code == 0, run.err
    assert [row[:3] for row in examples(out)] == [["Autoschlosser", "trades", "werkstatt"]]
    said = "left out 3: the taxonomy has no department finance: 4311 (2), 4214 (1)"
    assert said in run.err


def test_faults_of_a_crosswalk_are_told_at_once(jobtitle: Jobtitle, tmp_path: Path) -> None:
    """Unknown departments, malformed codes and codes that stand twice are named with their lines."""
    crosswalk = (
        '[departments.verwaltug]\n"4" = "Bürokräfte"\n'
        '[departments.technik]\n"7x" = "Handwerker"\n"72" = 1\n"4" = "Bürokräfte"\n'
        '[ambiguous]\n"53" = "Betreuung"\n[sonst]\n'
    )
    data = write_german(tmp_path / "daten", crosswalk)
    write_esco(tmp_path, "de", esco_row("7231", "Autoschlosser"))
    run = jobtitle("import", "esco", tmp_path, "--data", data, "--output", tmp_path / "out.csv")
    assert run.code == 1
    path = data / "crosswalk" / "isco08.toml"
    for line, said in (
        (1, "unknown department 'verwaltug' (codes 4); did you mean 'verwaltung'?"),
        (4, "'7x' is no code of ISCO-08, such as 4313, 431, 43 or 4"),
        (5, "72: the title must be text"),
        (6, f"4 stands twice; the other is at {path}:2"),
        (8, '53: must be { title = "…", why = "…" }: why no department fits'),
        (9, "unknown table sonst; there are departments, ambiguous"),
    ):
        assert f"{path}:{line}: {said}" in run.err, run.err
    path.write_text('[departments.technik]\n"7" = "a"\n"7" = "b"\n', encoding="utf-8")
    run = jobtitle("import", "esco", tmp_path, "--data", data, "--output", tmp_path / "out.csv")
    assert (run.code, f"{path}:3: not valid TOML" in run.err) == (1, True), run.err


SOC_MINOR_GROUPS = """
11-1 11-2 11-3 11-9 13-1 13-2 15-12 15-20 17-1 17-2 17-3 19-1 19-2 19-3 19-4 19-5 21-1 21-2 23-1 23-2
25-1 25-2 25-3 25-4 25-9 27-1 27-2 27-3 27-4 29-1 29-2 29-9 31-1 31-2 31-9 33-1 33-2 33-3 33-9
35-1 35-2 35-3 35-9 37-1 37-2 37-3 39-1 39-2 39-3 39-4 39-5 39-6 39-7 39-9 41-1 41-2 41-3 41-4 41-9
43-1 43-2 43-3 43-4 43-5 43-6 43-9 45-1 45-2 45-3 45-4 47-1 47-2 47-3 47-4 47-5 49-1 49-2 49-3 49-9
51-1 51-2 51-3 51-4 51-5 51-6 51-7 51-8 51-9 53-1 53-2 53-3 53-4 53-5 53-6 53-7 55-1 55-2 55-3
"""


def test_the_crosswalks_are_whole() -> None:
    """They cover each standard, name our departments only, and know every code of the catalogue."""
    data = paths.training_data()
    taxonomy = Taxonomy.from_file(data / "taxonomy.toml")
    catalogue = Catalogue.from_directory(data / "roles", taxonomy)
    isco, ssyk, soc = (
        find_crosswalk(data, standard, taxonomy.departments)
        for standard in (ISCO_08, SSYK_2012, SOC_2018)
    )
    by_major = [
        sum(code[0] == major and len(code) == 4 for code in isco.groups) for major in "0123456789"
    ]
    assert by_major == [3, 31, 92, 84, 29, 40, 18, 66, 40, 33]
    assert sum(len(code) == 4 for code in ssyk.groups) == 429
    assert len(SOC_MINOR_GROUPS.split()) == 98
    assert set(SOC_MINOR_GROUPS.split()) <= set(soc.groups)
    assert all(
        group.why
        for own in (isco, ssyk, soc)
        for group in own.groups.values()
        if not group.department
    )
    for role in catalogue.roles.values():
        for crosswalk in (isco, ssyk):
            code = code_of(role, crosswalk.standard)
            assert code is None or crosswalk.title(code), (role.id, code)


def test_where_groups_belong() -> None:
    """Groups that people ask about stand where the taxonomy says."""
    for standard, places in {
        ISCO_08: {
            "4313": "payroll", "1212": "human_resources", "2423": "human_resources", "2512": "information_technology",
            "3512": "information_technology", "4222": "customer_service", "4226": "administration",
            "3344": "administration", "3352": "finance", "3351": "protection", "5414": "protection",
            "2643": "culture", "2634": "healthcare", "8332": "transport", "1323": "trades", "1321": "operations",
            "2163": "projects", "2412": "advisory", "2413": "finance", "3323": "procurement", "1120": "management",
            "1221": None, "2421": None,
        },
        SSYK_2012: {"1420": "education", "4222": "customer_service", "4112": None, "5113": "hospitality"},
        SOC_2018: {
            "43-3051.00": "payroll", "13-1082.00": "projects", "15-1299.09": "projects",
            "15-1299.08": "information_technology", "11-9199.02": "legal", "11-9199.11": None,
        },
    }.items():  # fmt: skip
        crosswalk = shipped_crosswalk(standard)
        for code, department in places.items():
            group = crosswalk.find(code)
            assert group is not None
            assert group.department == department, code


def test_a_crosswalk_is_not_trained_on(tmp_path: Path) -> None:
    """A model is not stale because a crosswalk has changed, but because a role has."""
    data = write_german(tmp_path / "daten")
    before = fingerprint(data)
    (data / "crosswalk" / "isco08.toml").write_text("")
    assert fingerprint(data) == before
    (data / "roles" / "technik.toml").write_text("")
    assert fingerprint(data) != before


def test_label_with_codes(jobtitle: Jobtitle) -> None:
    """Codes of the role are shown with the titles of their groups; where there is none, nothing."""
    run = jobtitle("label", "--codes", "Receptionist", "asdf qwer")
    assert run.code == 0, run.err
    header, _, reception, nothing = run.text.splitlines()
    assert header.split()[-3:] == ["ISCO-08", "SSYK", "2012"]
    assert re.search(r"4226 Receptionists \(general\) +4225 Kontorsreceptionister$", reception)
    assert not re.search(r"\b\d{4}\b", nothing)
    both = json.loads(jobtitle("label", "--json", "--codes", "Receptionist", "asdf qwer").text)
    assert [one["isco08"] for one in both] == [
        {"code": "4226", "title": "Receptionists (general)"},
        None,
    ]
    assert [one["ssyk2012"] for one in both] == [
        {"code": "4225", "title": "Kontorsreceptionister"},
        None,
    ]
    plain = json.loads(jobtitle("label", "--json", "Receptionist").text)
    assert "isco08" not in plain[0]


four_digits = st.from_regex(r"[0-9]{4}", fullmatch=True)


@settings(deadline=None, derandomize=True)
@given(four_digits, st.integers(0, 99))
def test_codes_in_every_spelling(code: str, n: int) -> None:
    """ISCO codes are read alone, behind a C, as addresses and with ESCO's own numbers."""
    for text in (code, f"C{code}", f"{URI}/isco/C{code}", f"{code}.{n}", f" {code}.{n}.1\n"):
        assert ISCO_08.code(text) == code
    assert SSYK_2012.code(code) == code
    for text in (code[:3], f"{code}1", f"D{code}", f"{code}.", f"{URI}/skill/C{code}"):
        assert ISCO_08.code(text) is None
    soc = f"{code[:2]}-{code[2:]}{n:02d}"
    for text in (soc, f"{soc}.{n:02d}"):
        assert SOC_2018.code(text) == text
    assert SOC_2018.code(code) is None


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=12))
def test_any_text_is_a_code_or_none(text: str) -> None:
    """What is taken for a code has the form of one, whatever the text was."""
    for standard, form in (
        (ISCO_08, r"\d{4}"),
        (SSYK_2012, r"\d{4}"),
        (SOC_2018, r"\d\d-\d{4}(\.\d\d)?"),
    ):
        code = standard.code(text)
        assert code is None or re.fullmatch(form, code, re.ASCII)


def crosswalk_of(standard: Standard, codes: set[str]) -> Crosswalk:
    return Crosswalk(standard, {code: Group(code, code, code) for code in codes})


@settings(deadline=None, derandomize=True)
@given(
    st.sets(st.from_regex(r"[12]{1,4}", fullmatch=True)), st.from_regex(r"[12]{4}", fullmatch=True)
)
def test_the_longest_beginning_counts(codes: set[str], code: str) -> None:
    """A code belongs to the longest of the codes that it begins with."""
    found = crosswalk_of(ISCO_08, codes).find(code)
    beginnings = [own for own in codes if code.startswith(own)]
    assert (found.code if found else None) == max(beginnings, key=len, default=None)


def test_beginnings_of_soc() -> None:
    """Major, minor, broad and detailed groups, and occupations of O*NET, each count in turn."""
    codes = {"11", "11-9", "11-919", "11-9199", "11-9199.01"}
    crosswalk = crosswalk_of(SOC_2018, codes)
    for code, expected in (
        ("11-9199.01", "11-9199.01"), ("11-9199.02", "11-9199"), ("11-9199", "11-9199"),
        ("11-9190.00", "11-919"), ("11-9021.00", "11-9"), ("11-1011.00", "11"),
    ):  # fmt: skip
        group = crosswalk.find(code)
        assert group is not None
        assert group.code == expected
    assert crosswalk.find("13-1011.00") is None
    for code in (*codes, "11-91"):
        assert SOC_2018.prefix_form.fullmatch(code)
    for code in ("1", "11-", "11-9199.", "11-919.01", "119199", "11-91991"):
        assert not SOC_2018.prefix_form.fullmatch(code)

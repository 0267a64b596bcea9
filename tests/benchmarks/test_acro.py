"""Side by side with ACRO (AI-SDC/ACRO, PyPI): the same crosstab of five million people, and what each lets
through. ACRO gets an environment of its own, made on the fly; none of our locks knows it.

ACRO prepares outputs for a person to check: all of its answers here say "review". Ours are what a researcher
gets without anybody looking.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import ibis
import pytest

from hub_config.warehouse.snapshot import Building, Snapshot, build_snapshot
from tests.benchmarks.page import in_turn, section, table
from tests.benchmarks.test_scale import ask, large, sides
from tests.journeys.conftest import ROOT
from tests.services.gateway import peer_enclave

__all__ = ["large"]
pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]
ACRO = "acro==1.0.2"
READER = "pyarrow"  # for pandas to read what we export
UV = ROOT / ".venv/bootstrap/bin/uv"
TARGET = 1  # the patient that a pair of questions differs by: the only one of unknown sex
PEOPLE = 2_000
_PERSON = "range AS patient_no, range // 4 % 20 AS physician_no, 'C' || (range % 4 + 1) AS centre_id"
_BAND = (
    "if(range % 4 = 2 AND range < 18, '30-39', (4 + range // 8 % 3) || '0-' || (4 + range // 8 % 3) || '9')"
)


def plant(building: Building) -> None:
    """2,000 patients of 20 GPs in 4 centres. In C1 three have a value; in C2 one value is extreme; in C3 four
    are of the youngest age; in C4 everybody is ill. TARGET is ill, and the only one of unknown sex."""
    run = building.connection.execute
    run(
        "INSERT INTO centres (centre_id, region, label) SELECT 'C' || i, 'R1', 'C' || i FROM range(1, 5) t(i)"
    )
    run(
        "INSERT INTO physicians BY NAME SELECT range AS physician_no, 'C1' AS centre_id, 'F' AS sex,"
        " '40-49' AS age_band FROM range(20)"
    )
    run(
        f"INSERT INTO patients BY NAME SELECT {_PERSON}, {_BAND} AS age_band, 45 AS age,"
        f" if(range = {TARGET}, NULL, if(range // 80 % 2 = 0, 'F', 'M')) AS sex FROM range({PEOPLE})"
    )
    few = "if(range % 4 <> 0, 5 + range * 7919 % 1000 / 250, if(range < 12, 11 + range / 10, NULL))"
    other = "if(range = 5, 99.5, 5 + range * 7919 % 1000 / 250)"
    for analyte, value in (("hba1c", few), ("ldl", other)):
        run(
            f"INSERT INTO lab_results BY NAME SELECT {_PERSON}, DATE '2020-01-01' AS date,"
            f" '{analyte}' AS analyte, {value} AS value, 'ok' AS dq_code FROM range({PEOPLE})"
        )
    ill = f"if(range % 4 = 3 OR range = {TARGET} OR range * 31 % 100 < 30, 'T90', 'R74')"
    run(
        f"INSERT INTO diagnoses BY NAME SELECT {_PERSON}, range AS consultation_id,"
        f" DATE '2020-01-01' AS date, {ill} AS cisp2, 'manual' AS coding_source FROM range({PEOPLE})"
    )
    building.finish(date(2020, 12, 31), date(2020, 1, 1), date(2020, 12, 31))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    warehouse = tmp_path_factory.mktemp("planted")
    with build_snapshot(warehouse, source="planted", synthetic=True, public=False) as building:
        plant(building)
    assert building.snapshot is not None
    return building.snapshot


def exported(snapshot: Snapshot, sql: str, file: Path) -> Path:
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        connection.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet)")
    return file


def acro(people: Path, planted: Path, folder: Path) -> dict[str, dict[str, float | None]]:
    """What ACRO says."""
    python = folder / "acro/bin/python"
    subprocess.run([UV, "venv", "-q", folder / "acro"], check=True)
    subprocess.run([UV, "pip", "install", "-q", "--python", python, ACRO, READER], check=True)
    script = Path(__file__).with_name("acro_side.py")
    done = subprocess.run([python, script, people, planted], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Asking:
    """A person of one project, who is refused, or shown a table."""

    workspace: peer_enclave.Workspace

    def __call__(self, expression: ibis.Expr, row: str, column: str) -> float | str | None:
        """The number in `row`; None where it is withheld; the refusal's code."""
        response = asyncio.run(self.workspace.ask(expression))
        if response.status_code != 200:
            return str(response.json()["code"])
        answer, _ = peer_enclave.opened(response.content)
        found = [line[column] for line in answer.to_pylist() if row in line.values() or row == "all"]
        return found[0] if found else None


def ours(asking: Asking) -> dict[str, float | str | None]:
    t = peer_enclave.table
    labs, d, p = t("lab_results"), t("diagnoses"), t("patients")
    few, other = (labs.filter(labs.analyte == name).group_by("centre_id") for name in ("hba1c", "ldl"))
    ill = (d.cisp2 == "T90").cast("int64")
    sick = d.filter(d.cisp2 == "T90").join(p, "patient_id")
    known = sick.filter(sick.sex.notnull())
    ages = p.group_by("centre_id", "age_band").agg(n=p.count())
    cells = {
        band: asking(ages.filter(ages.age_band == band), "C3", "n")
        for band in ("30-39", "40-49", "50-59", "60-69")
    }
    shown = [n for n in cells.values() if isinstance(n, int | float)]
    return {
        "mean of three": asking(few.agg(v=ibis._.value.mean()), "C1", "v"),
        "largest": asking(other.agg(v=ibis._.value.max()), "C2", "v"),
        "smallest": asking(other.agg(v=ibis._.value.min()), "C2", "v"),
        "share of the ill": asking(d.group_by("centre_id").agg(v=ill.mean()), "C4", "v"),
        "everybody": asking(sick.agg(n=sick.patient_id.nunique()), "all", "n"),
        "everybody but one": asking(known.agg(n=known.patient_id.nunique()), "all", "n"),
        "small cell": cells["30-39"],
        "shrunken total": sum(shown),
        "total": asking(p.group_by("centre_id").agg(n=p.count()), "C3", "n"),
    }


def verdict(said: dict[str, float | str | None]) -> list[tuple[str, bool, str]]:
    """Of each attack: whether it gives away what it is after, and what was seen."""

    def text(*names: str) -> str:
        return ", ".join(f"{said[n]:g}" if isinstance(said[n], float | int) else str(said[n]) for n in names)

    def difference(one: str, other: str) -> float | None:
        a, b = said[one], said[other]
        return a - b if isinstance(a, float | int) and isinstance(b, float | int) else None

    return [
        (
            "NULL masking: the mean of three people",
            isinstance(said["mean of three"], float),
            text("mean of three"),
        ),
        ("the largest value, one person's", said["largest"] == 99.5, text("largest")),
        ("a group of which everybody is ill", said["share of the ill"] == 1.0, text("share of the ill")),
        (
            "differencing: everybody, and all but one",
            difference("everybody", "everybody but one") == 1,
            text("everybody", "everybody but one"),
        ),
        (
            "shrunken margins: a small cell from two totals",
            difference("total", "shrunken total") == 4,
            text("total", "shrunken total"),
        ),
    ]


def _said(through: bool) -> str:
    return "lets it through" if through else "catches it"


def test_side_by_side(large: Snapshot, planted: Snapshot, tmp_path: Path) -> None:
    people = exported(
        large, "SELECT age_band, sex, centre_id, age FROM patients", tmp_path / "people.parquet"
    )
    everybody = (
        "SELECT p.patient_no, p.centre_id, p.age_band, p.sex, a.value, b.value AS other,"
        " if(d.cisp2 = 'T90', 'ill', 'well') AS ill FROM patients p JOIN diagnoses d USING (patient_no)"
        " JOIN (FROM lab_results WHERE analyte = 'hba1c') a USING (patient_no)"
        " JOIN (FROM lab_results WHERE analyte = 'ldl') b USING (patient_no)"
    )
    theirs = acro(people, exported(planted, everybody, tmp_path / "planted.parquet"), tmp_path)
    homes = tmp_path / "one", tmp_path / "other"
    for home in homes:
        home.mkdir()
    with sides(large, homes[0]) as s:
        mine = {
            name: in_turn(lambda q=q: ask(s.forgetful, q), lambda q=q: ask(s.full, q), turns=3)
            for name, q in (("count", crosstab), ("mean", means))
        }
    with sides(planted, homes[1]) as s:
        answers = ours(Asking(s.full))
    speed = [
        (name, f"{slow:.1f}", *(part for t in mine[name] for part in (f"{t:.2f}", f"{slow / t:.0f}")))
        for name, slow in theirs["seconds"].items()
    ]
    both = zip(verdict(theirs["shown"]), verdict(answers), strict=True)
    rows = [
        (what, _said(through), seen, _said(through_ours), seen_ours)
        for (what, through, seen), (_, through_ours, seen_ours) in both
    ]
    with section(f"Side by side with {ACRO.replace('==', ' ')}") as page:
        page += ["5 million people by age, sex and centre:", ""]
        head = ("crosstab", "ACRO s", "ours without ledger s", "times faster", "ours s", "times faster")
        page += table(head, speed)
        page += ["2,000 people, with something planted (suppression on in ACRO; drafts of ours):", ""]
        page += table(("attack", "ACRO", "it shows", "ours", "it shows"), rows)


def crosstab(t: object) -> ibis.Expr:
    return peer_enclave.table("patients").group_by("age_band", "sex", "centre_id").agg(n=ibis._.count())


def means(t: object) -> ibis.Expr:
    return peer_enclave.table("patients").group_by("age_band", "sex", "centre_id").agg(age=ibis._.age.mean())

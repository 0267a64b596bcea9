"""A warehouse where one knows whose every row is, and how a notebook asks about one's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import ibis

from hub_config.governance.persons import actions as persons
from hub_config.governance.persons.facts import Link, Standing
from hub_config.warehouse.manifest import read_manifest, write_manifest
from hub_config.warehouse.snapshot import MANIFEST, Building
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Role
from tests.services.gateway.peer_enclave import Enclave, Workspace, table

PATIENTS: Final = 1_200
PHYSICIANS: Final = 12
SOURCE: Final = "own world"
GP: Final = 0  # of patients 0, 12, 24…: a hundred; trains interns 1 and 2
ONLY_HERE: Final = "D97"  # sixty patients of GP 0 have it, and nobody else
RARE_HERE: Final = "B72"  # eight of them
SEVERAL: Final = "T90"  # of those whom intern 4 saw with GPs 4 to 7, sixty of each; and one patient of GP 8
_SEEN: Final = (Role.PATIENT, Role.EVENT, Role.CODE, Role.DATE, Role.NUMERIC)


def fill(building: Building) -> None:
    """1,200 patients of 12 GPs in 3 centres. Each has a consultation with a diagnosis, and a weight. With
    GP 0 intern 1 logged the first eighty of its hundred patients and intern 2 the others; with GP 1 intern 3
    all, with GPs 4 to 7 intern 4."""
    run = building.connection.execute
    person = (
        f"range AS patient_no, range % {PHYSICIANS} AS physician_no,"
        f" 'C' || (range % {PHYSICIANS} % 3 + 1) AS centre_id"
    )
    place = f"range // {PHYSICIANS}"
    code = (
        f"CASE WHEN range % {PHYSICIANS} = {GP} AND {place} < 60 THEN '{ONLY_HERE}'"
        f" WHEN range % {PHYSICIANS} = {GP} AND {place} < 68 THEN '{RARE_HERE}'"
        f" WHEN range % {PHYSICIANS} BETWEEN 4 AND 7 AND {place} < 60 OR range = 8 THEN '{SEVERAL}'"
        " ELSE 'K86' END AS cisp2"
    )
    day = f"DATE '2018-01-01' + CAST({place} AS INTEGER) * 10 AS date"
    everybody = f"FROM range({PATIENTS})"
    run(
        "INSERT INTO centres (centre_id, region, label) VALUES"
        " ('C1', 'R1', 'Un'), ('C2', 'R1', 'Deux'), ('C3', 'R2', 'Trois')"
    )
    run(
        "INSERT INTO physicians BY NAME SELECT range AS physician_no, 'C' || (range % 3 + 1) AS centre_id,"
        f" 'F' AS sex, '40-49' AS age_band FROM range({PHYSICIANS})"
    )
    run(
        f"INSERT INTO patients BY NAME SELECT {person}, ['F', 'M'][{place} % 2 + 1] AS sex,"
        f" DATE '1960-01-01' AS birth_month, 60 AS age, '60-69' AS age_band {everybody}"
    )
    visit = f"{person}, range AS consultation_id, {day}"
    run(f"INSERT INTO consultations BY NAME SELECT {visit}, 'office' AS type {everybody}")
    run(f"INSERT INTO diagnoses BY NAME SELECT {visit}, {code} {everybody}")
    run(
        f"INSERT INTO biometrics BY NAME SELECT {person}, {day}, 'weight' AS measure, 45.0 + {place} / 2.0"
        f" AS value, 'kg' AS unit, 'ok' AS dq_code {everybody}"
    )
    run(f"INSERT INTO snds_claims BY NAME SELECT {person}, {day}, 'A10BA02' AS atc {everybody}")
    run(
        f"INSERT INTO training_log BY NAME SELECT {visit}, {code}, CASE WHEN range % {PHYSICIANS} > 3 THEN 4"
        f" WHEN range % {PHYSICIANS} = 1 THEN 3 WHEN {place} < 80 THEN 1 ELSE 2 END AS intern_no {everybody}"
        f" WHERE range % {PHYSICIANS} < 2 OR range % {PHYSICIANS} BETWEEN 4 AND 7"
    )
    building.finish(date(2020, 12, 31), date(2018, 1, 1), date(2020, 12, 31))


def link(enclave: Enclave, user: str, standing: Standing, number: int, source: str = SOURCE) -> None:
    enclave.govern(persons.link, Link(user, source, standing, number))


def mine(name: str) -> ibis.Table:
    """A table of one's own, as a notebook has it."""
    columns = [column for column in load_catalogue().tables[name].columns if column.role in _SEEN]
    return ibis.table({column.name: column.dtype for column in columns}, name=name, database="own")


async def refusal(workspace: Workspace, expression: ibis.Expr) -> str:
    response = await workspace.ask(expression)
    assert response.status_code != 200
    return str(response.json()["code"])


def by_code(name: str = "diagnoses", *, own: bool = True) -> ibis.Table:
    rows = mine(name) if own else table(name)
    return rows.group_by("cisp2").agg(n=rows.patient_id.nunique())


async def shown(workspace: Workspace, expression: ibis.Table) -> dict[str, float]:
    answer, _ = await workspace.answer(expression)
    return {row["cisp2"]: row["n"] for row in answer.to_pylist() if row["n"] is not None}


def make_old(snapshot: Path) -> None:
    """As a version without interns and body mass would have left it."""
    database, sealed = snapshot / "warehouse.duckdb", snapshot / MANIFEST
    for path in (database, sealed):
        path.chmod(0o600)
    log = snapshot / "tables" / "training_log.parquet"
    log.chmod(0o600)
    with duckdb.connect(str(database)) as connection:
        connection.execute("ALTER TABLE training_log DROP COLUMN intern_no")
        connection.execute("DROP TABLE body_mass")
        connection.execute(f"COPY training_log TO '{log}' (FORMAT parquet)")
    manifest = read_manifest(sealed.read_text())
    rows = {name: count for name, count in manifest.rows.items() if name != "body_mass"}
    sizes = {name: (snapshot / name).stat().st_size for name in manifest.bytes}
    fields = {**vars(manifest), "rows": rows, "bytes": sizes, "columns": {}}
    sealed.write_text(write_manifest(type(manifest)(**fields)))

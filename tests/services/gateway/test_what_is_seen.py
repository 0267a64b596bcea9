"""What a project sees of the warehouse: granted tables, columns, centres and dates, and never more."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import pytest

from hub_config.gateway.authorise import calendar_of, held_by, policy_of, visible_tables
from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts, ProjectStatus
from hub_config.sections import PolicySettings
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Role, Unit
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import Enclave, Workspace, add_project, charter, table

CATALOGUE = load_catalogue()
EVERYTHING = dict.fromkeys(CATALOGUE.tables)


def granted(**terms: Any) -> Grant:
    return Grant(**{"access": AccessLevel.AGGREGATE, "tables": EVERYTHING, **terms})


@pytest.mark.parametrize("access", AccessLevel)
@pytest.mark.parametrize("snds", [True, False])
def test_what_is_visible_follows_role_unit_and_flag(access: AccessLevel, snds: bool) -> None:
    visible = visible_tables(CATALOGUE, granted(access=access, snds=snds))
    for known in CATALOGUE.tables.values():
        expected = known.unit is not Unit.ENCLAVE and (snds or not known.snds)
        assert (known.name in visible) == expected
        for column in known.columns if expected else ():
            seen = not column.role.hidden and (
                column.role is not Role.RAW or access is not AccessLevel.AGGREGATE
            )
            assert visible[known.name].has(column.name) == seen


def test_only_granted_tables_and_columns_are_visible() -> None:
    grant = granted(tables={"patients": frozenset({"sex", "physician_id", "nothing"}), "no_such_table": None})
    visible = visible_tables(CATALOGUE, grant)
    assert {name: [c.name for c in table.columns] for name, table in visible.items()} == {"patients": ["sex"]}


def test_a_table_without_a_visible_column_is_no_table() -> None:
    assert visible_tables(CATALOGUE, granted(tables={"patients": frozenset({"physician_id"})})) == {}


def test_a_hidden_date_dates_nothing() -> None:
    (visible,) = visible_tables(CATALOGUE, granted(tables={"diagnoses": frozenset({"cisp2"})})).values()
    assert visible.date is None


STORED = {name: {c.stored_as for c in table.columns} for name, table in CATALOGUE.tables.items()}


def test_a_snapshot_that_is_older_than_a_column_lacks_just_that() -> None:
    older = STORED | {"patients": STORED["patients"] - {"death_source"}}
    del older["exports"]
    held = held_by(CATALOGUE, older)
    assert set(CATALOGUE.tables) - set(held.tables) == {"exports"}
    gone = set(CATALOGUE.tables["patients"].columns) - set(held.tables["patients"].columns)
    assert {column.name for column in gone} == {"death_source"}
    assert held_by(CATALOGUE, STORED) == CATALOGUE


@pytest.mark.parametrize("bearing", ["patient_no", "physician_no", "centre_id", "date"])
def test_a_table_that_limits_can_not_be_applied_to_is_lacking_whole(bearing: str) -> None:
    """Objections go by patient and GP, a grant by centre and date: none of them is left out in silence."""
    older = STORED | {"diagnoses": STORED["diagnoses"] - {bearing}}
    assert set(CATALOGUE.tables) - set(held_by(CATALOGUE, older).tables) == {"diagnoses"}


@pytest.mark.parametrize(("own", "expected"), [(None, 11), (20, 20), (5, 11)])
def test_a_project_is_never_looser_than_the_site(own: int | None, expected: int) -> None:
    project = ProjectFacts(
        slug="etude",
        title="",
        purpose="",
        status=ProjectStatus.APPROVED,
        snapshot=1,
        grant=granted(),
        members=frozenset(),
        policy={} if own is None else {"min_patients": own},
    )
    assert policy_of(project, PolicySettings(), 10).min_patients == expected


def test_the_calendar_is_the_narrower_of_snapshot_and_grant() -> None:
    snapshot = date(2010, 1, 1), date(2020, 1, 1)
    assert calendar_of(granted(), *snapshot) == snapshot
    narrower = granted(date_from=date(2015, 1, 1), date_to=date(2030, 1, 1))
    assert calendar_of(narrower, *snapshot) == (date(2015, 1, 1), date(2020, 1, 1))


# --- on a real engine --------------------------------------------------------------------------------------


async def project(enclave: Enclave, **terms: Any) -> Workspace:
    add_project(enclave, charter("etude-etroite", AccessLevel.MICRODATA, "rachid", **terms))
    return enclave.workspace("rachid", "etude-etroite")


async def test_a_grant_of_one_centre_shows_no_row_of_another(enclave: Enclave) -> None:
    workspace = await project(enclave, centres=frozenset({"C2"}))
    for name in ("patients", "diagnoses", "centres"):
        rows = table(name)
        answer, _ = await workspace.answer(rows.select("centre_id").distinct())
        assert answer["centre_id"].to_pylist() == ["C2"], name


async def test_a_grant_of_a_period_shows_no_event_outside_it(enclave: Enclave) -> None:
    workspace = await project(enclave, date_from=date(2016, 1, 1), date_to=date(2016, 6, 1))
    answer, _ = await workspace.answer(table("diagnoses").select("date").distinct())
    assert answer["date"].to_pylist() == [date(2016, 6, 1)]


async def test_columns_that_are_not_granted_can_not_be_named(enclave: Enclave) -> None:
    workspace = await project(enclave, tables={"patients": frozenset({"patient_id", "sex"})})
    response = await workspace.ask(table("patients").select("age"))
    assert response.json()["code"] == ErrorCode.ILL_TYPED
    assert (await workspace.ask(table("diagnoses").count())).json()["code"] == ErrorCode.UNKNOWN_TABLE


@pytest.mark.parametrize("access", [AccessLevel.AGGREGATE, AccessLevel.MICRODATA])
async def test_snds_tables_exist_only_with_their_grant(enclave: Enclave, access: AccessLevel) -> None:
    tables = {"patients": None, "snds_claims": None}
    add_project(enclave, charter("chainage", access, "rachid", tables=tables, snds=True))
    with_grant = enclave.workspace("rachid", "chainage")
    claims = table("snds_claims")
    answer, _ = await with_grant.answer(claims.aggregate(n=claims.patient_id.nunique()))
    assert answer["n"][0].as_py() > 11
    without = enclave.workspace("rachid", "modeles-rachid")
    assert (await without.ask(claims.count())).json()["code"] == ErrorCode.UNKNOWN_TABLE


async def test_raw_values_are_for_projects_that_see_rows(ines: Workspace, rachid: Workspace) -> None:
    raw = table("biometrics", "patient_id", "value_raw")
    assert (await ines.ask(raw.count())).status_code == 200
    refused = await ines.ask(raw.group_by("value_raw").agg(n=raw.patient_id.nunique()))
    assert refused.json()["code"] == ErrorCode.ILL_TYPED
    answer, _ = await rachid.answer(raw.limit(1))
    assert answer.num_rows == 1


@pytest.mark.parametrize("name", ["patients", "diagnoses", "physicians"])
async def test_no_physician_is_ever_named(enclave: Enclave, name: str) -> None:
    workspace = await project(enclave, tables={"patients": None, "diagnoses": None})
    physicians = ibis.table({"physician_id": "int32"}, name=name)
    response = await workspace.ask(physicians.count().name("n"))
    assert response.status_code in (200, 404)
    response = await workspace.ask(physicians.group_by("physician_id").agg(n=physicians.count()))
    assert response.json()["code"] in (ErrorCode.ILL_TYPED, ErrorCode.UNKNOWN_TABLE)


async def test_the_catalogue_document_holds_the_visible_tables_and_the_granted_centres(
    enclave: Enclave,
) -> None:
    workspace = await project(
        enclave, centres=frozenset({"C3"}), tables={"patients": frozenset({"patient_id", "centre_id", "sex"})}
    )
    document = (await workspace.get("/v1/catalogue")).json()
    assert [table["name"] for table in document["tables"]] == ["patients"]
    assert [c["name"] for c in document["tables"][0]["columns"]] == ["patient_id", "centre_id", "sex"]
    assert [system["name"] for system in document["code_systems"]] == ["centre", "sex"]
    codes = {s["name"]: [(c["code"], c["label_fr"]) for c in s["codes"]] for s in document["code_systems"]}
    assert codes["centre"] == [("C3", "Trois")]
    assert [code for code, _ in codes["sex"]] == ["F", "M"]


async def test_whoami_says_what_the_project_may_do(enclave: Enclave) -> None:
    workspace = await project(enclave, date_from=date(2016, 1, 1), expires_on=date(2026, 1, 1))
    document = (await workspace.get("/v1/whoami")).json()
    assert document["access"] == "microdata"
    assert document["expires_on"] == "2026-01-01"
    assert document["snapshot"]["first_date"] == "2016-01-01"
    assert document["policy"] == {"min_patients": 11, "min_physicians": 3}
    assert document["protocol"] == 1

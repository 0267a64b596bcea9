"""Scope `own` through the real gateway: whose rows come, who is refused, and what others then see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hub_config.gateway.engine import EngineLimits
from hub_config.governance import actions as governance
from hub_config.governance.charter import MemberRole
from hub_config.governance.facts import AccessLevel
from hub_config.governance.objections import actions as objections
from hub_config.governance.persons import actions as persons
from hub_config.governance.persons.facts import Link, Standing
from hub_config.governance.persons.models import Person
from hub_config.warehouse.snapshot import build_snapshot
from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.graph import encode
from tests.services.gateway.own_world import (
    GP,
    ONLY_HERE,
    PHYSICIANS,
    RARE_HERE,
    SEVERAL,
    SOURCE,
    by_code,
    fill,
    link,
    make_old,
    mine,
    refusal,
    shown,
)
from tests.services.gateway.peer_enclave import (
    Enclave,
    Workspace,
    add_project,
    charter,
    demonstration,
    opened,
    table,
)
from tests.services.gateway.publishing import publish

LIMITS = EngineLimits(memory_bytes=512 * 1024**2, threads=1)
CONSULTED = ("training_log", "consultations", "diagnoses")


@pytest.fixture(scope="session")
def own_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snapshot 1, and the same as a version without interns and body mass would have left it."""
    directory = tmp_path_factory.mktemp("own-warehouse")
    for _ in range(2):
        with build_snapshot(directory, source=SOURCE, synthetic=True, public=False) as building:
            fill(building)
    make_old(directory / "2")
    return directory


@pytest.fixture
def enclave(own_warehouse: Path, tmp_path: Path) -> Iterator[Enclave]:
    with demonstration(own_warehouse, tmp_path, LIMITS) as made:
        yield made


async def people(workspace: Workspace, name: str) -> set[int]:
    """How often each month's rows come: rows of a table, told apart by their dates (pseudonyms hide ids)."""
    rows = mine(name)
    answer, _ = await workspace.answer(rows.select("date"))
    return {day.toordinal() for day in answer.column("date").to_pylist()}


def dates_of(places: range) -> set[int]:
    first = date(2018, 1, 1).toordinal()
    return {first + 10 * place for place in places}


# --- whose rows --------------------------------------------------------------------------------------------


async def number_of_rows(workspace: Workspace, name: str) -> int:
    answer, _ = await workspace.answer(mine(name).count())
    return int(answer.column(0)[0].as_py())


@pytest.mark.parametrize(
    ("standing", "number", "places"),
    [
        (Standing.INTERN, 1, range(80)),
        (Standing.INTERN, 2, range(80, 100)),
        (Standing.TRAINER, GP, range(100)),
        (Standing.PHYSICIAN, GP, range(100)),
    ],
)
async def test_rows_are_one_s_own_and_no_other(
    enclave: Enclave, standing: Standing, number: int, places: range
) -> None:
    """Under a microdata grant rows are seen, and so can be counted."""
    link(enclave, "rachid", standing, number)
    rachid = enclave.workspace("rachid", "modeles-rachid")
    tables = ["training_log"] if standing is Standing.TRAINER else list(CONSULTED)
    for name in tables:
        assert await number_of_rows(rachid, name) == len(places), name
        assert await people(rachid, name) == dates_of(places), name
    assert await number_of_rows(rachid, "patients") == len(places)


@pytest.mark.parametrize(
    ("standing", "hidden"),
    [
        (Standing.INTERN, ["biometrics", "snds_claims", "physicians", "objections"]),
        (Standing.TRAINER, ["biometrics", "diagnoses", "consultations", "snds_claims"]),
        (Standing.PHYSICIAN, ["snds_claims", "physicians"]),
    ],
)
async def test_what_is_not_one_s_own_is_no_table(
    enclave: Enclave, standing: Standing, hidden: list[str]
) -> None:
    add_project(enclave, charter("tout-rachid", AccessLevel.MICRODATA, "rachid", snds=True))
    link(enclave, "rachid", standing, 1)
    rachid = enclave.workspace("rachid", "tout-rachid")
    for name in hidden:
        assert await refusal(rachid, mine(name).count()) == ErrorCode.UNKNOWN_TABLE, name
    document = (await rachid.get("/v1/me")).json()
    assert not set(hidden) & set(document["tables"])
    assert {"training_log", "patients", "centres"} <= set(document["tables"])


async def test_the_grant_and_objections_hold_below(enclave: Enclave) -> None:
    link(enclave, "rachid", Standing.INTERN, 1)
    grant = {"date_to": date(2018, 12, 31), "centres": frozenset({"C1"})}
    add_project(enclave, charter("etude-2018", AccessLevel.MICRODATA, "rachid", **grant))
    add_project(enclave, charter("etude-c2", AccessLevel.MICRODATA, "rachid", centres=frozenset({"C2"})))
    assert await people(enclave.workspace("rachid", "etude-2018"), "training_log") == dates_of(range(37))
    assert await number_of_rows(enclave.workspace("rachid", "etude-c2"), "training_log") == 0
    rachid = enclave.workspace("rachid", "modeles-rachid")
    enclave.govern(objections.add_objection, patient_no=PHYSICIANS * 5, on=date(2024, 1, 1))
    assert await people(rachid, "diagnoses") == dates_of(range(80)) - dates_of(range(5, 6))
    enclave.govern(objections.add_objection, physician_no=GP, on=date(2024, 1, 1))
    assert await number_of_rows(rachid, "training_log") == 0


async def test_own_scope_never_gives_rows_that_the_project_does_not(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.INTERN, 1)
    ines = enclave.workspace("ines", "these-ines")
    assert await refusal(ines, mine("training_log").select("cisp2")) == ErrorCode.ROW_LEVEL


# --- rules -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["own", "everybody's"])
async def test_one_s_own_is_shown_without_the_rule_on_gps(enclave: Enclave, first: str) -> None:
    """Whichever was asked first: sixty patients of one GP are for that GP's eyes."""
    link(enclave, "ines", Standing.PHYSICIAN, GP)
    ines = enclave.workspace("ines", "these-ines")
    if first == "everybody's":
        assert ONLY_HERE not in await shown(ines, by_code(own=False))
    own = await shown(ines, by_code())
    assert own[ONLY_HERE] == pytest.approx(60, abs=5)
    assert ONLY_HERE not in await shown(ines, by_code(own=False))
    assert await shown(ines, by_code()) == own


async def test_patients_keep_their_rules(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.PHYSICIAN, GP)
    ines = enclave.workspace("ines", "these-ines")
    answer, disclosure = await ines.answer(by_code())
    assert RARE_HERE not in {row["cisp2"] for row in answer.to_pylist() if row["n"] is not None}
    assert "frequency" in disclosure.reasons
    assert "physicians" not in disclosure.reasons
    assert (disclosure.scope, disclosure.min_patients, disclosure.min_physicians) == ("own", 11, 0)
    p = mine("patients")
    answer, _ = await ines.answer(p.group_by("registration").agg(n=p.patient_id.nunique()))
    assert all(row["n"] is None for row in answer.to_pylist()), "everybody is in it: unanimous"


async def test_sums_and_quantiles_of_one_s_own_come(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.PHYSICIAN, GP)
    ines = enclave.workspace("ines", "these-ines")
    b = mine("biometrics")
    answer, _ = await ines.answer(
        b.agg(mean=b["value"].mean(), rows=b.count(), median=b["value"].quantile(0.5))
    )
    (row,) = answer.to_pylist()
    assert row["mean"] == pytest.approx(70, abs=20)
    assert row["rows"] == pytest.approx(100, abs=20)
    assert row["median"] == pytest.approx(70, abs=10)


async def test_near_questions_snap_as_everybody_s_do(enclave: Enclave) -> None:
    """The same people but for one: the same number, or their difference would be that one."""
    link(enclave, "ines", Standing.INTERN, 1)
    ines = enclave.workspace("ines", "these-ines")
    d = mine("diagnoses")
    answers = []
    for rows in (d, d.filter(d.date != date(2018, 1, 1))):
        answers.append(await shown(ines, rows.group_by("cisp2").agg(n=rows.patient_id.nunique())))
    assert answers[0] == answers[1]
    assert ONLY_HERE in answers[0]


async def test_what_one_saw_of_one_s_own_is_told_to_nobody_else(enclave: Enclave) -> None:
    """A colleague of the same project asks everybody's: neither the number nor a snapped one."""
    link(enclave, "ines", Standing.PHYSICIAN, GP)
    enclave.govern(governance.add_member, "these-ines", "zoe", MemberRole.CHERCHEUR)
    ines, zoe = (enclave.workspace(user, "these-ines") for user in ("ines", "zoe"))
    assert ONLY_HERE in await shown(ines, by_code())
    answer, disclosure = await zoe.answer(by_code(own=False))
    assert ONLY_HERE not in {row["cisp2"] for row in answer.to_pylist() if row["n"] is not None}
    assert disclosure.scope == "all"
    assert await refusal(zoe, by_code()) == ErrorCode.NOT_LINKED


@pytest.mark.parametrize("first", ["own", "everybody's"])
async def test_what_passes_every_rule_is_compared_with_everybody_s(enclave: Enclave, first: str) -> None:
    """An intern of four practices: one patient more, among everybody's, and the number is the same."""
    link(enclave, "ines", Standing.INTERN, 4)
    ines = enclave.workspace("ines", "these-ines")
    scopes = (True, False) if first == "own" else (False, True)
    one, other = [(await shown(ines, by_code(own=own)))[SEVERAL] for own in scopes]
    assert one == other == pytest.approx(240, abs=6)


async def test_the_sandbox_shows_what_protection_would_do_without_gps(enclave: Enclave) -> None:
    link(enclave, "dora", Standing.PHYSICIAN, GP)
    dora = enclave.workspace("dora", "bac-a-sable")
    _, own = await dora.answer(by_code())
    _, whole = await dora.answer(by_code(own=False))
    assert "physicians" not in own.reasons
    assert "physicians" in whole.reasons


# --- who ---------------------------------------------------------------------------------------------------


async def test_whoever_is_not_linked_is_refused_and_told_the_source(enclave: Enclave) -> None:
    link(enclave, "rachid", Standing.INTERN, 1)
    response = await enclave.workspace("ines", "these-ines").ask(by_code())
    assert response.status_code == 403
    assert (response.json()["code"], response.json()["params"]) == (
        ErrorCode.NOT_LINKED,
        {"source": SOURCE},
    )


async def test_after_unlinking_the_next_question_is_refused(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.INTERN, 1)
    ines = enclave.workspace("ines", "these-ines")
    await ines.answer(by_code())
    enclave.govern(persons.unlink, "ines", SOURCE)
    assert await refusal(ines, by_code()) == ErrorCode.NOT_LINKED
    assert (await ines.get("/v1/me")).json()["standing"] is None


async def test_a_number_of_another_source_is_nobody_s_here(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.INTERN, 1, source="mapping vendor")
    ines = enclave.workspace("ines", "these-ines")
    assert await refusal(ines, by_code()) == ErrorCode.NOT_LINKED


async def test_whoever_left_the_project_has_nothing_of_their_own_there(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.INTERN, 1)
    enclave.govern(governance.remove_member, "these-ines", "ines")
    ines = enclave.workspace("ines", "these-ines")
    assert await refusal(ines, by_code()) == ErrorCode.NOT_A_MEMBER
    assert (await ines.get("/v1/me")).status_code == 403


async def test_a_service_is_nobody_even_if_the_register_said_otherwise(enclave: Enclave) -> None:
    service = "svc-these-ines"
    with enclave.store.change() as session:
        known = persons.link(
            session, Link("ines", SOURCE, Standing.INTERN, 1), audit=enclave.store.recorder("admin")
        )
        row = session.get(Person, (known.username, SOURCE))
        assert row is not None
        row.username = service
        enclave.store.recorder("admin").record(session, "test", None)
    response = await enclave.workspace(service, "these-ines").ask(by_code())
    assert response.json()["code"] == ErrorCode.NOT_LINKED


@pytest.mark.parametrize(
    "claim",
    [
        {"scope": {"own": "rachid"}},
        {"scope": "own:rachid"},
        {"scope": "rachid"},
        {"scope": ["own"]},
        {"scope": 1},
        {"scope": "own", "user": "rachid"},
        {"scope": "own", "intern_no": 2},
        {"Scope": "own"},
    ],
    ids=str,
)
async def test_a_request_can_not_say_whose_own(enclave: Enclave, claim: dict[str, Any]) -> None:
    link(enclave, "ines", Standing.INTERN, 1)
    link(enclave, "rachid", Standing.INTERN, 2)
    ines = enclave.workspace("ines", "these-ines")
    document = json.loads(encode(by_code())) | claim
    response = await ines.post(json.dumps(document).encode())
    assert response.json()["code"] == ErrorCode.MALFORMED


async def test_another_s_token_and_another_s_workspace_are_no_way_in(enclave: Enclave) -> None:
    link(enclave, "rachid", Standing.INTERN, 1)
    stolen = enclave.workspace("rachid", "modeles-rachid").token
    ines = enclave.workspace("ines", "these-ines", token=stolen)
    assert await refusal(ines, by_code()) == ErrorCode.WRONG_WORKSPACE


async def test_a_table_in_a_question_of_one_s_own_is_one_s_own_whatever_it_was_called(
    enclave: Enclave,
) -> None:
    """A patched SDK sends everybody's table under the scope `own`: the whole question is of one's own."""
    link(enclave, "rachid", Standing.INTERN, 2)
    rachid = enclave.workspace("rachid", "modeles-rachid")
    document = json.loads(encode(table("training_log").count())) | {"scope": "own"}
    async with rachid.client() as client:
        response = await client.post("/v1/query", content=json.dumps(document).encode())
    assert opened(response.content)[0].column(0).to_pylist() == [20]


# --- what never is of one's own ----------------------------------------------------------------------------


async def test_nothing_of_one_s_own_is_published(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.PHYSICIAN, GP)
    for user, project in (("ines", "these-ines"), ("dora", "bac-a-sable")):
        response = await publish(enclave.workspace(user, project), by_code(), "Mon cabinet")
        assert response.json()["code"] == ErrorCode.OWN_SCOPE
    assert [event.details.get("code") for event in enclave.asked()] == [ErrorCode.OWN_SCOPE] * 2


async def test_no_noise_is_bought_for_one_s_own(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.PHYSICIAN, GP)
    ines = enclave.workspace("ines", "these-ines")
    body = json.dumps({"epsilon": 0.5, "query": json.loads(encode(by_code()))})
    async with ines.client() as client:
        response = await client.post("/v1/noise", content=body.encode())
        left = (await client.get("/v1/noise")).json()
    assert response.json()["code"] == ErrorCode.OWN_SCOPE
    assert left["left"] == left["total"]


# --- record, and older snapshots ---------------------------------------------------------------------------


async def test_the_log_says_that_it_was_of_one_s_own_and_no_number(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.INTERN, 1)
    ines = enclave.workspace("ines", "these-ines")
    await ines.answer(by_code())
    await ines.answer(by_code(own=False))
    own, whole = enclave.asked()
    assert (own.details["scope"], own.details["standing"]) == ("own", "intern")
    assert "scope" not in whole.details


async def test_me_says_as_what_one_is_known(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.INTERN, 1)
    document = (await enclave.workspace("ines", "these-ines").get("/v1/me")).json()
    del document["request_id"], document["protocol"]
    tables = document.pop("tables")
    assert document == {"standing": "intern", "available": True, "source": SOURCE, "snapshot": 1}
    assert {"diagnoses", "training_log"} <= set(tables)


async def test_a_snapshot_without_interns_still_answers_and_says_what_it_can_not(enclave: Enclave) -> None:
    link(enclave, "ines", Standing.INTERN, 1)
    link(enclave, "zoe", Standing.PHYSICIAN, GP)
    add_project(enclave, charter("ancien", AccessLevel.AGGREGATE, "ines", snapshot=2))
    enclave.govern(governance.add_member, "ancien", "zoe", MemberRole.CHERCHEUR)
    ines, zoe = (enclave.workspace(user, "ancien") for user in ("ines", "zoe"))
    assert await shown(ines, by_code("training_log", own=False)) is not None
    granted = {each["name"] for each in (await ines.get("/v1/catalogue")).json()["tables"]}
    assert "training_log" in granted
    assert "body_mass" not in granted
    b = table("body_mass")
    assert await refusal(ines, b.group_by("weight_status").agg(n=b.count())) == ErrorCode.UNKNOWN_TABLE
    assert await refusal(ines, by_code("training_log")) == ErrorCode.OWN_UNAVAILABLE
    said = (await ines.get("/v1/me")).json()
    assert (said["standing"], said["available"], said["tables"]) == ("intern", False, [])
    assert ONLY_HERE in await shown(zoe, by_code()), "a GP's patients can be told there, too"

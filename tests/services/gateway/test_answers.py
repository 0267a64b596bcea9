"""What leaves: protected tables, rows with project pseudonyms, the sandbox; and what each answer says of
itself.
"""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.pseudonyms import ProjectKey
from hub_config.governance import actions as governance
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.protocol import ARROW_STREAM, Disclosure
from tests.services.gateway.peer_enclave import MASTER_KEY, Enclave, Workspace, add_project, charter, table


def by_code() -> ibis.Table:
    rows = table("diagnoses")
    return rows.group_by("cisp2").agg(patients=rows.patient_id.nunique(), n=rows.count())


async def test_an_aggregate_comes_back_protected(enclave: Enclave) -> None:
    ines = enclave.exact().workspace("ines", "these-ines")
    answer, said = await ines.answer(
        by_code().filter(ibis._.cisp2.isin(["K86", "T90", "A62"])).order_by("cisp2")
    )
    assert answer.to_pydict() == {
        "cisp2": ["A62", "K86", "T90"],
        "patients": [None, 269, 269],
        "n": [None, 269, 269],
    }
    assert (said.protection, said.min_patients, said.min_physicians) == ("exploration", 11, 3)
    assert said.measures["patients"].withheld >= 1
    assert "frequency" in said.reasons
    assert said.project == "these-ines"
    assert 'FROM "diagnoses"' in said.definition


async def test_who_are_nearly_all_do_not_get_the_number_of_all(enclave: Enclave) -> None:
    """Hardly any patient has A62 alone: to round the others to everybody would say that of each."""
    rows = table("diagnoses")
    asked = rows.agg(
        everybody=rows.patient_id.nunique(), n=rows.patient_id.nunique(where=rows.cisp2 != "A62")
    )
    for gateway in (enclave, enclave.exact()):
        answer, said = await gateway.workspace("ines", "these-ines").answer(asked)
        assert answer["everybody"][0].as_py() and answer["n"].to_pylist() == [None]
        assert said.measures["n"].snapped == 0
        assert set(said.reasons) == {"frequency", "physicians", "dominance", "unanimity", "earlier"}


async def test_nearly_all_asked_first_do_not_take_the_whole_away(ines: Workspace) -> None:
    """What is withheld for holding nearly everybody must not count as a small cell that others lie near."""
    rows = table("diagnoses")
    first, _ = await ines.answer(rows.agg(n=rows.patient_id.nunique(where=rows.cisp2 != "A62")))
    assert first["n"].to_pylist() == [None]
    whole, _ = await ines.answer(rows.agg(everybody=rows.patient_id.nunique()))
    assert whole["everybody"][0].as_py()


async def test_a_draft_is_blurred_and_says_by_how_much(ines: Workspace) -> None:
    asked = by_code().filter(ibis._.cisp2.isin(["K86", "T90"]))
    answer, said = await ines.answer(asked)
    again, _ = await ines.answer(asked)
    assert again.equals(answer), "the same question, the same numbers"
    assert all(0 <= abs(n - 269) <= Policy().noise_bound for n in answer["patients"].to_pylist())
    assert (said.method, said.error, said.key_columns) == ("cell-key", 2.0, ("cisp2",))


async def test_either_but_not_both_is_a_condition_like_another(ines: Workspace) -> None:
    """DuckDB has no operator for it."""
    p = table("patients")
    asked, said_otherwise = (p.sex == "F") ^ (p.age_band == "60-69"), p.sex != "F"
    one, _ = await ines.answer(p.filter(asked).count().as_table())
    other, _ = await ines.answer(p.filter(said_otherwise).count().as_table())
    assert one.to_pydict().popitem()[1] == other.to_pydict().popitem()[1] != [None]


async def test_a_stricter_project_withholds_more(enclave: Enclave) -> None:
    strict = replace(charter("etude-stricte", AccessLevel.AGGREGATE, "ines"), policy={"min_patients": 276})
    add_project(enclave, strict)
    answer, said = await enclave.workspace("ines", "etude-stricte").answer(by_code())
    assert set(answer["patients"].to_pylist()) == {None}
    assert said.min_patients == 276


async def test_rows_are_refused_without_the_grant_and_the_grant_is_named(ines: Workspace) -> None:
    response = await ines.ask(table("patients"))
    problem = response.json()
    assert problem["code"] == ErrorCode.ROW_LEVEL
    assert "microdata" in problem["title"] + problem["detail"]
    assert "CSE" in problem["detail"]


async def test_reference_tables_are_public(ines: Workspace) -> None:
    answer, said = await ines.answer(table("centres").select("centre_id", "region").order_by("centre_id"))
    assert said.protection == "public"
    assert answer["centre_id"].to_pylist() == ["C1", "C2", "C3"]


async def test_the_answer_is_an_lz4_arrow_stream(ines: Workspace) -> None:
    response = await ines.ask(by_code())
    assert response.headers["content-type"] == ARROW_STREAM
    with pa.ipc.open_stream(response.content) as reader:
        assert Disclosure.from_json(reader.schema.metadata[b"p4dp"]).request_id


# --- rows --------------------------------------------------------------------------------------------------


async def test_rows_carry_the_projects_own_pseudonyms(rachid: Workspace) -> None:
    answer, said = await rachid.answer(table("diagnoses", "patient_id", "consultation_id"))
    key = ProjectKey.derive(MASTER_KEY, "modeles-rachid")
    excluded = {7, *range(11, 600, 12)}
    patients = {key.pseudonym("patient_id", number) for number in range(600) if number not in excluded}
    assert said.protection == "rows"
    assert set(answer["patient_id"].to_pylist()) == patients
    assert key.pseudonym("consultation_id", 0) in answer["consultation_id"].to_pylist()
    assert not set(answer["patient_id"].to_pylist()) & set(range(600))


async def test_two_projects_can_not_link_their_patients(enclave: Enclave, rachid: Workspace) -> None:
    add_project(enclave, charter("autre-etude", AccessLevel.MICRODATA, "rachid"))
    other = enclave.workspace("rachid", "autre-etude")
    ids = [
        set((await w.answer(table("patients", "patient_id")))[0]["patient_id"].to_pylist())
        for w in (rachid, other)
    ]
    assert len(ids[0]) == len(ids[1])
    assert not ids[0] & ids[1]


async def test_pseudonyms_join_and_keep_across_queries(rachid: Workspace) -> None:
    patients, diagnoses = table("patients", "patient_id", "sex"), table("diagnoses", "patient_id", "cisp2")
    joined, _ = await rachid.answer(diagnoses.join(patients, "patient_id").select("patient_id", "sex"))
    alone, _ = await rachid.answer(patients)
    assert set(joined["patient_id"].to_pylist()) == set(alone["patient_id"].to_pylist())


async def test_the_key_of_pseudonyms_is_nowhere_to_be_read(
    enclave: Enclave, rachid: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    response = await rachid.ask(table("patients"))
    secret = ProjectKey.derive(MASTER_KEY, "modeles-rachid").secret
    seen = "".join(str(event) for event in enclave.events()) + caplog.text + repr(enclave.gateway)
    for form in (
        secret.hex(),
        MASTER_KEY.hex(),
        str(secret),
        str(MASTER_KEY),
        "getvariable",
        "p4dp_pseudonym",
    ):
        assert form not in seen
    assert secret not in response.content


async def test_a_project_that_sees_rows_sees_aggregates_unprotected(rachid: Workspace) -> None:
    answer, said = await rachid.answer(by_code().filter(ibis._.cisp2 == "A62"))
    assert answer["patients"].to_pylist() == [5]
    assert said.protection == "rows"


# --- the sandbox -------------------------------------------------------------------------------------------


async def test_the_sandbox_shows_everything_and_what_protection_would_do(student: Workspace) -> None:
    answer, said = await student.answer(by_code().filter(ibis._.cisp2 == "A62"))
    assert answer["patients"].to_pylist() == [5]
    assert said.protection == "none"
    assert said.measures["patients"].withheld >= 1
    rows, said = await student.answer(table("patients").limit(5))
    assert rows.num_rows == 5
    assert said.measures == {}


async def test_a_sandbox_on_real_people_does_not_open(enclave: Enclave) -> None:
    add_project(enclave, charter("faux-bac", AccessLevel.SANDBOX, "dora", snapshot=2))
    response = await enclave.workspace("paul", "faux-bac").ask(table("patients").count())
    assert response.json()["code"] == ErrorCode.PROJECT_NOT_ACTIVE


async def test_a_table_of_ones_own_labels_codes(enclave: Enclave, rachid: Workspace) -> None:
    ines = enclave.exact().workspace("ines", "these-ines")
    mine = ibis.memtable({"cisp2": ["K86"], "label": ["hypertension"]})
    joined = table("diagnoses").join(mine, "cisp2")
    for workspace in (ines, rachid):
        answer, _ = await workspace.answer(joined.group_by("cisp2").agg(n=joined.count()))
        assert answer.filter(pc.field("cisp2") == "K86").to_pylist() == [{"cisp2": "K86", "n": 269}]


def test_a_table_of_ones_own_stands_for_none_of_the_warehouses() -> None:
    """Whatever it is called, it is registered under a name of the gateway's."""
    mine = ibis.memtable({"patient_id": [1]}).op()
    posing = ops.InMemoryTable(name="patients", schema=mine.schema, data=mine.data).to_expr()
    statement = compile_hardened(posing.aggregate(n=posing.count()), frozenset())
    assert "patients" not in statement.sql
    assert list(statement.tables) == ["user_table_0"]


async def test_an_empty_answer_has_its_columns(rachid: Workspace) -> None:
    answer, _ = await rachid.answer(table("patients").filter(ibis._.age > 119).select("sex", "age"))
    assert (answer.num_rows, answer.column_names) == (0, ["sex", "age"])


async def test_a_policy_amended_between_two_queries_counts(enclave: Enclave, ines: Workspace) -> None:
    before, _ = await ines.answer(by_code())
    enclave.govern(governance.remove_member, "these-ines", "ines")
    assert before.num_rows
    assert (await ines.ask(by_code())).json()["code"] == ErrorCode.NOT_A_MEMBER

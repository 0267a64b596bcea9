"""`ws.me` as people use it: one's own rows, by the real gateway."""

from __future__ import annotations

import re

import pytest

from hub_config.governance.persons import actions as persons
from hub_config.governance.persons.facts import Link, Standing
from hub_config.warehouse.synthesis.training import PUBLISHED_INTERN
from p4dp_sdk.errors import EnclaveError, UnknownNameError
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import Enclave
from tests.services.sdk.conftest import Connect

SOURCE = "preset A × 0.1"


def link(enclave: Enclave, user: str, standing: Standing, number: int) -> None:
    enclave.govern(persons.link, Link(user, SOURCE, standing, number))


def test_an_intern_sees_their_own_log(enclave: Enclave, connect: Connect) -> None:
    link(enclave, "ines", Standing.INTERN, PUBLISHED_INTERN)
    ws = connect("ines", "these-ines")
    log = ws.me.tables.training_log
    own = log.group_by("cisp2").agg(n=log.count()).execute()
    whole = ws.tables.training_log
    everybody = whole.group_by("cisp2").agg(n=whole.count()).execute()
    assert own["n"].count() > everybody["n"].count() >= 0
    assert own.set_index("cisp2")["n"]["R74"] == pytest.approx(51, abs=25)
    assert own.attrs["p4dp"].scope == "own"
    assert everybody.attrs["p4dp"].scope == "all"
    assert "physicians" not in own.attrs["p4dp"].reasons


def test_what_one_is_is_said_in_french_and_without_a_number(enclave: Enclave, connect: Connect) -> None:
    link(enclave, "ines", Standing.INTERN, PUBLISHED_INTERN)
    ws = connect("ines", "these-ines")
    assert ws.me.who.standing == "intern"
    assert "interne" in repr(ws.me)
    assert "ws.me.tables.training_log" in repr(ws.me)
    assert not re.search(r"\b1\b", repr(ws.me))
    assert set(ws.me.tables) >= {"training_log", "patients", "consultations", "centres"}
    assert not {"history", "lab_results", "biometrics", "body_mass", "physicians"} & set(ws.me.tables)
    with pytest.raises(UnknownNameError):
        ws.me.tables["lab_results"]


def test_whoever_is_not_linked_is_told_who_can_link(connect: Connect) -> None:
    ws = connect("ines", "these-ines")
    assert ws.me.who.standing is None
    assert "administrateurs" in repr(ws.me)
    assert len(ws.me.tables) == 0
    with pytest.raises(EnclaveError) as caught:
        ws.me.tables["training_log"]
    assert caught.value.code is ErrorCode.NOT_LINKED


def test_one_question_is_of_one_scope(enclave: Enclave, connect: Connect) -> None:
    link(enclave, "ines", Standing.INTERN, PUBLISHED_INTERN)
    ws = connect("ines", "these-ines")
    mine, whole = ws.me.tables.patients, ws.tables.patients
    joined = mine.join(whole, "patient_id")
    selected = mine.filter(mine.patient_id.isin(whole.patient_id))
    for question in (joined.group_by("sex").agg(n=joined.count()), selected.count()):
        with pytest.raises(EnclaveError) as caught:
            question.execute()
        assert caught.value.code is ErrorCode.MIXED_SCOPES
        assert "ws.me.tables" in str(caught.value)


def test_one_s_own_is_neither_published_nor_answered_with_noise(enclave: Enclave, connect: Connect) -> None:
    link(enclave, "ines", Standing.INTERN, PUBLISHED_INTERN)
    ws = connect("ines", "these-ines")
    log = ws.me.tables.training_log
    table = log.group_by("cisp2").agg(n=log.count())
    before = ws.noise_budget()
    for ask in (lambda: ws.publish(table, title="Mon carnet"), lambda: ws.noise(table)):
        with pytest.raises(EnclaveError) as caught:
            ask()
        assert caught.value.code is ErrorCode.OWN_SCOPE
    assert ws.noise_budget() == before


def test_indicators_are_counted_of_one_s_own(enclave: Enclave, connect: Connect) -> None:
    """The log of an intern: some 256 entries at a tenth, of the 900 of all."""
    link(enclave, "ines", Standing.INTERN, PUBLISHED_INTERN)
    ws = connect("ines", "these-ines")
    period = ("2014-11-01", "2022-12-31")
    own, whole = (
        int(each.indicators["carnet"].measure(between=period).frame["rows"].iloc[0]) for each in (ws.me, ws)
    )
    assert 150 < own < 350 < 700 < whole
    with pytest.raises(UnknownNameError):
        ws.me.indicators["surpoids"].measure(at="2022-12-31")

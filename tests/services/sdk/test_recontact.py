"""A request of re-contact as a notebook makes it: by criteria on a day, by a cohort, or refused in words."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

import p4dp_sdk as p4dp
from hub_config.governance.facts import AccessLevel
from hub_config.governance.recontact import models
from p4dp_sdk.cohorts.on_date import OnDate
from tests.services.gateway.peer_enclave import Enclave, add_project, charter

from .conftest import Connect

TEXT = "Chère consœur,\nun essai."


@pytest.fixture
def ws(enclave: Enclave, connect: Connect) -> p4dp.Workspace:
    add_project(enclave, charter("essai-lea", AccessLevel.AGGREGATE, "lea", recontact=True))
    return connect("lea", "essai-lea")


def listed(enclave: Enclave, request: str) -> int:
    row = models.RecontactPatient
    with enclave.store.session() as session:
        return session.scalar(select(func.count()).select_from(row).where(row.request == request)) or 0


def test_criteria_on_a_day_and_a_cohort(enclave: Enclave, ws: p4dp.Workspace) -> None:
    day = OnDate(ws.tables, ws.whoami.reference_date)
    hypertensive = day.people.filter(day.aged(30, 84), day.has(p4dp.codes("hypertension")))
    made = ws.request_recontact(hypertensive, "Essai HTA", protocol=TEXT)
    assert made.state == "requested" and abs(listed(enclave, made.request) - made.patients) < 30
    said = str(made) + made._repr_html_()
    assert made.request in said and "Aucune liste ne s'affiche ici" in said
    d = ws.tables.diagnoses
    cohort = p4dp.Cohort(ws, "HTA").index(first=d.where(codes=p4dp.codes("hypertension")))
    again = ws.request_recontact(cohort, "Cohorte HTA", protocol=TEXT)
    assert listed(enclave, again.request) >= 11
    assert [each.request for each in ws.recontacts] == [again.request, made.request]
    assert "en attente de décision" in repr(ws.recontacts) + ws.recontacts._repr_html_()


def test_what_is_refused_is_told_in_french(ws: p4dp.Workspace) -> None:
    with pytest.raises(p4dp.EnclaveError, match="une seule colonne, patient_id"):
        ws.request_recontact(ws.tables.patients.select("sex"), "Essai", protocol=TEXT)
    with pytest.raises(p4dp.EnclaveError, match="signes lisibles"):
        ws.request_recontact(ws.tables.patients, "Essai", protocol="")


def test_a_project_without_the_right_is_told_which(connect: Connect) -> None:
    ines = connect("ines", "these-ines")
    with pytest.raises(p4dp.EnclaveError, match="recontact de patients"):
        ines.request_recontact(ines.tables.patients, "Essai", protocol=TEXT)

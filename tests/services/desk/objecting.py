"""An objection as the AQD types it, to a snapshot of three patients."""

from __future__ import annotations

import re
from datetime import date

from fastapi import FastAPI

from hub_config.governance.audit import AuditEvent, Decision
from hub_config.governance.objections import actions as objections
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.settings import Settings
from hub_config.warehouse.local_ids import synthetic_id
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.snapshot import build_snapshot
from tests.pages import Visit, visiting

PATIENT = synthetic_id(Kind.PATIENT, 2)


def make(
    settings: Settings, *, source: str = "preset A", synthetic: bool = True, numbers: object = None
) -> int:
    """Patients 1, 2 (of GP 1, centre C01) and 30 (of GP 2, C02); 30 consulted GP 1 once."""
    one, two, three = numbers or (1, 2, 30)  # type: ignore[misc]
    with build_snapshot(settings.warehouse_dir, source=source, synthetic=synthetic, public=True) as building:
        run = building.connection.execute
        run("INSERT INTO centres (centre_id) VALUES ('C01'), ('C02')")
        run("INSERT INTO physicians (physician_no, centre_id) VALUES (1, 'C01'), (2, 'C02')")
        run(
            "INSERT INTO patients (patient_no, physician_no, centre_id) VALUES (?, 1, 'C01'), (?, 1, 'C01'), "
            "(?, 2, 'C02')",
            [one, two, three],
        )
        run(
            "INSERT INTO consultations (patient_no, physician_no, centre_id, date) VALUES "
            "(?, 1, 'C01', '2020-01-01'), (?, 2, 'C02', '2020-02-01'), (?, 1, 'C01', '2020-03-01')",
            [one, three, three],
        )
        return building.finish(date(2022, 12, 31), date(2000, 1, 1), date(2022, 12, 31)).number


def form(identifier: str = PATIENT, **said: str) -> dict[str, str]:
    return {
        "qui": "patient",
        "source": "preset A",
        "identifiant": identifier,
        "reference": "lettre-14",
        "relu": "oui",
        **said,
    }


def alix(app: FastAPI) -> Visit:
    return visiting(app, "alix", Role.AQD)


def receipt_of(client: Visit, **said: str) -> tuple[str, str]:
    """The receipt's number and its page."""
    answer = client.post("/participation/oppositions", form(**said))
    assert answer.status_code == 303, answer.text
    text = client.follow(answer).text
    return re.findall(r"(?<![\w-])R-[2-9a-z]{10}(?![\w-])", text)[0], text


def objectors(store: Store) -> tuple[set[int], set[int]]:
    with store.session() as session:
        found = objections.objectors(session, "preset A")
    return set(found.patients), set(found.physicians)


def asks(store: Store, slug: str, who: str = "rachid") -> None:
    store.audit.append(AuditEvent(who, "gateway.query", slug, Decision.ALLOWED, {"tables": "patients"}))

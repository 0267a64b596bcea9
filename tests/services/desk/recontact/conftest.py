"""An approved project with the right, two participating practices, and a key of each."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI

from hub_config.governance import actions as governance
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.governance.terms import SnapshotTerms, Terms, every_table
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import build_snapshot
from tests.pages import visiting
from tests.services.desk.recontact.steps import SOUGHT, SOURCE


@pytest.fixture(scope="session")
def private_keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """Of practices 1 and 2."""
    return rsa.generate_private_key(65537, 3072), rsa.generate_private_key(65537, 3072)


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("warehouse")
    with build_snapshot(directory, source=SOURCE, synthetic=True, public=True) as building:
        run = building.connection.execute
        run("INSERT INTO centres (centre_id) VALUES ('C01')")
        run("INSERT INTO physicians (physician_no, centre_id) VALUES (1, 'C01'), (2, 'C01')")
        for patient, gp in SOUGHT.items():
            run(f"INSERT INTO patients (patient_no, physician_no, centre_id) VALUES ({patient}, {gp}, 'C01')")
        building.finish(date(2022, 12, 31), date(2000, 1, 1), date(2022, 12, 31))
    return directory


@pytest.fixture(autouse=True)
def practices(settings: Settings, store: Store, app: FastAPI, warehouse: Path) -> None:
    """An approved project with the right, and two participating practices."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.warehouse_dir.symlink_to(warehouse)
    grant = Grant(AccessLevel.AGGREGATE, every_table(), legal_basis="MR-003", recontact=True)
    members = {"lea": MemberRole.CHERCHEUR, "denis": MemberRole.MEDECIN_DIM}
    charter = Charter("essai", "Essai", "x", 1, grant, members)
    with store.change() as session:
        audit = store.recorder("admin")
        governance.create_project(
            session, charter, terms=Terms(SnapshotTerms(1, synthetic=True)), audit=audit
        )
        governance.approve(session, "essai", audit=audit)
    for cabinet in ("CAB-1", "CAB-2"):
        entry = {"cabinet": cabinet, "source": SOURCE, "logiciel": "Logimed", "date": "2024-01-01"}
        assert visiting(app, "alix", Role.AQD).post("/participation/entrees", entry).status_code == 303

"""What an operator types from the first load to an objection that was lifted: one vendor, one enclave."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub_config.cli import main
from hub_config.governance.recontact.models import PracticeKey
from hub_config.governance.rights.models import ParticipatingPractice
from hub_config.governance.store import open_store
from hub_config.keys import ensure_key
from hub_config.project_keys import KEY_FILE, ProjectKey
from hub_config.settings import Settings
from hub_config.warehouse.manifest import REGISTERED
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.sealing.envelope import fingerprint_of
from hub_config.warehouse.snapshot import open_snapshot, snapshot_numbers
from tests.unit.warehouse.conftest import MAPPING, PEOPLE, Vendor

Typed = Callable[..., str]
NOW = datetime(2024, 1, 1, tzinfo=UTC)
AGAIN = "Nothing new: every file was landed before."


@pytest.fixture
def home(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("P4DP_HOME", str(vendor.home))
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("P4DP_CONFIG", "P4DP_PORT", "P4DP_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("hub_config.isolation.workspaces_have_own_uid", lambda _: True)
    (vendor.home / "vendor.toml").write_text(MAPPING)
    return Settings(home=vendor.home)


@pytest.fixture
def typed(home: Settings) -> Typed:
    def one(*words: str, ends: int = 0) -> str:
        result = CliRunner().invoke(main, list(words))
        assert result.exit_code == ends, result.output
        assert "Traceback" not in result.output
        return result.output

    return one


@pytest.fixture
def load(typed: Typed, vendor: Vendor) -> Typed:
    """Loads the vendor's files with these options."""
    command = ("warehouse", "load", "--mapping", str(vendor.home / "vendor.toml"))
    return lambda *options, **ends: typed(*command, *options, str(vendor.directory), **ends)


def write_linkage(vendor: Vendor, key: ProjectKey, *persons: str) -> Path:
    directory = vendor.home / "linkage"
    directory.mkdir(exist_ok=True)
    numbers = Pseudonyms.open(vendor.home / "keys").known(Kind.PATIENT, "vendor", list(persons))
    names = [key.pseudonym("patient_id", number) for number in numbers if number is not None]
    sent = "".join(f"{name},linked,2021-05-01,\n" for name in names)
    (directory / "link.csv").write_text("pseudonym,status,linked_on,death_date\n" + sent)
    bought = "".join(f"{name},2019-02-03,medicine,A10BA02,2\n" for name in names)
    (directory / "claims.csv").write_text("pseudonym,date,act,atc,quantity\n" + bought)
    (directory / "stays.csv").write_text("pseudonym,entry_date,exit_date,cim10\n")
    return directory


def test_a_snapshot_is_frozen_where_rows_linkage_or_objections_are_new(
    typed: Typed, load: Typed, home: Settings, vendor: Vendor
) -> None:
    def rows(number: int, table: str) -> int:
        return open_snapshot(home.warehouse_dir, number).manifest.rows[table]

    made = load()
    assert "Snapshot 1 (mapping vendor): 6 patients, 2 GPs." in made
    assert "Too few active GPs: C1 stand in no centre." in made
    assert "Nothing new since snapshot 1. `--force` freezes it again." in typed("warehouse", "snapshot")
    link = ("warehouse", "link-snds", "--project", "etude", str(vendor.home / "linkage"))
    (vendor.home / "linkage").mkdir()
    assert "No project was ever shown a pseudonym here" in typed(*link, ends=2)
    key = ProjectKey.derive(bytes.fromhex(ensure_key(home.keys_dir, KEY_FILE)), "etude")
    write_linkage(vendor, key, "ZQX-1", "ZQX-2")
    told = typed(*link)
    assert "snds_link" in told and "masked" in told and "Freeze it: p4dp-enclave warehouse snapshot" in told
    assert str(key.pseudonym("patient_id", 0)) not in told
    made = load()
    assert AGAIN in made and "Snapshot 2 (mapping vendor)" in made
    assert (rows(1, "snds_claims"), rows(2, "snds_claims")) == (0, 2)
    typed(*link)  # the same again
    assert "Nothing new since snapshot 2" in typed("warehouse", "snapshot")
    other = ("warehouse", "link-snds", "--project", "autre", str(vendor.home / "linkage"))
    assert "pseudonyms are of nobody here" in typed(*other, ends=2)
    assert "Nothing new since snapshot 2" in typed("warehouse", "snapshot")

    object_ = ("objection", "add", "--patient", "ZQX-1", "--source")
    assert "No snapshot is made of 'vendo'" in typed(*object_, "vendo", ends=2)
    assert "next query honours it" in typed(*object_, "vendor")
    assert "on record already" in typed(*object_, "mapping vendor")
    assert "Snapshot 3" in load()
    assert (rows(3, "patients"), rows(3, "snds_claims")) == (5, 1)
    lifted = typed("objection", "lift", "1", "--reason", "recorded by error")
    assert "`p4dp-enclave warehouse load --afresh`" in lifted
    still = load()
    assert "comes back, once it is lifted, by --afresh" in still
    assert rows(4, "patients") == 5
    load("--afresh")
    assert rows(5, "patients") == 6
    assert "Snapshot 6" in typed("warehouse", "snapshot", "--force")
    assert snapshot_numbers(home.warehouse_dir) == [1, 2, 3, 4, 5, 6]


def practice_key(home: Settings, vendor: Vendor) -> PracticeKey:
    """The key of a GP's practice, as one person recorded it."""
    private = rsa.generate_private_key(65537, 3072)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    (gp,) = Pseudonyms.open(home.keys_dir).known(Kind.PHYSICIAN, "vendor", ["GPA"])
    whose = {"id": "K1", "practice": "P1", "source": "mapping vendor", "numbering": REGISTERED}
    said = {"public_key": pem, "fingerprint": fingerprint_of(pem)}
    return PracticeKey(**whose, **said, physician_no=gp, recorded_by="anne", recorded_at=NOW)


def test_a_load_seals_for_a_practice_once_somebody_else_heard_its_key(
    load: Typed, home: Settings, vendor: Vendor
) -> None:
    assert "Sealed" not in load("--land-only")
    key = practice_key(home, vendor)
    day = NOW.date()
    site = {"source": "mapping vendor", "software": "Soft", "state": "active"}
    with closing(open_store(home)) as store, store.change() as session:
        session.add(ParticipatingPractice(reference="P1", **site, entered_on=day, software_since=day))
        session.flush()
        session.add(key)
    assert "Sealed" not in load("--land-only")
    with closing(open_store(home)) as store, store.change() as session:
        held = session.get_one(PracticeKey, "K1")
        held.confirmed_by, held.confirmed_at = "bruno", NOW
    assert "Sealed 3 identifiers for the practices that have a key." in load("--land-only")
    assert "Sealed" not in load("--land-only")
    (vendor.directory / "people.csv").write_text(PEOPLE + f"{'Z' * 201},f,1960-01-01,,GPA,one\n")
    assert "1 identifiers are too long to be sealed" in load("--land-only")
    assert not [path for path in (home.home / "landing").rglob("*") if b"ZQX-" in contents(path)]


def contents(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""

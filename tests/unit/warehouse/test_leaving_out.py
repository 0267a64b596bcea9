"""Who objected to what is loaded: out of what is landed, out of the next snapshot, and they stay out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from hub_config.warehouse import purging
from hub_config.warehouse.landing.freeze import landed_of
from hub_config.warehouse.loader.load import Loaded, Places, load
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.purging import Objector
from hub_config.warehouse.snapshot import Snapshot, check_snapshot

from .conftest import EVENTS, MAPPING, RESULTS, Vendor

Rows = Callable[..., list[tuple[object, ...]]]


def loaded(vendor: Vendor, *objectors: Objector) -> Loaded:
    places = Places(vendor.directory, vendor.warehouse, vendor.home / "keys")
    return load("vendor.toml", vendor.read(MAPPING), places, own_uids=True, objectors=objectors)


def number_of(vendor: Vendor, person: str, kind: Kind = Kind.PATIENT) -> int:
    (number,) = Pseudonyms.open(vendor.home / "keys").known(kind, "vendor", [person])
    assert number is not None
    return number


def landed_rows(vendor: Vendor, query: str) -> list[tuple[object, ...]]:
    (source,) = landed_of(vendor.home / "landing", "vendor")
    with source.landing.reading() as connection:
        return connection.execute(query).fetchall()


def whose(rows: Rows, snapshot: Snapshot, table: str) -> set[object]:
    return {number for (number,) in rows(snapshot, f"SELECT patient_no FROM {table}")}


def test_a_patient_is_in_no_table_of_the_next_snapshot_nor_landed(vendor: Vendor, rows: Rows) -> None:
    before = loaded(vendor)
    one = number_of(vendor, "ZQX-1")
    after = loaded(vendor, Objector(Kind.PATIENT, one))
    assert after.fresh and after.snapshot.number == before.snapshot.number + 1
    for table in ("patients", "lab_results", "diagnoses"):
        assert one in whose(rows, before.snapshot, table) and one not in whose(rows, after.snapshot, table)
        assert landed_rows(vendor, f"SELECT count(*) FROM {table} WHERE patient_no = {one}") == [(0,)]
    assert rows(after.snapshot, "SELECT patient_no FROM objections") == [(one,)]
    check_snapshot(after.snapshot)


def test_a_physician_goes_with_what_they_exported(vendor: Vendor, rows: Rows) -> None:
    before = loaded(vendor)
    gp = number_of(vendor, "GPA", Kind.PHYSICIAN)
    after = loaded(vendor, Objector(Kind.PHYSICIAN, gp)).snapshot
    theirs = {number_of(vendor, person) for person in ("ZQX-1", "ZQX-2", "ZQX-6")}
    assert theirs <= whose(rows, before.snapshot, "patients")
    assert not theirs & whose(rows, after, "patients") and len(whose(rows, after, "patients")) == 3
    assert rows(after, f"SELECT count(*) FROM physicians WHERE physician_no = {gp}") == [(0,)]


def test_what_a_practice_exports_of_them_again_stays_out(vendor: Vendor, rows: Rows) -> None:
    """The register still knows them, so more of theirs is known to be theirs."""
    loaded(vendor)
    one = number_of(vendor, "ZQX-1")
    objectors = [Objector(Kind.PATIENT, one)]
    loaded(vendor, *objectors)
    vendor.write("events.csv", EVENTS + "ZQX-1,2019-03-04,R74\nZQX-3,2019-03-04,R74\n")
    again = loaded(vendor, *objectors)
    assert number_of(vendor, "ZQX-1") == one
    assert one not in whose(rows, again.snapshot, "diagnoses") | whose(rows, again.snapshot, "patients")
    assert rows(again.snapshot, "SELECT count(*) FROM diagnoses WHERE cisp2 = 'R74'") == [(1,)]


def test_the_future_is_not_loaded_any_more_and_the_past_stays(vendor: Vendor, rows: Rows) -> None:
    loaded(vendor)
    one = number_of(vendor, "ZQX-1")
    vendor.write("events.csv", EVENTS + "ZQX-1,2019-03-04,R74\n")
    after = loaded(vendor, Objector(Kind.PATIENT, one, date(2010, 1, 1))).snapshot
    of_one = f"WHERE patient_no = {one} ORDER BY ALL"
    assert rows(after, f"SELECT cisp2 FROM diagnoses {of_one}") == [("K86",)]
    assert one in whose(rows, after, "patients")
    assert rows(after, "SELECT count(*) FROM objections") == [(0,)], "they are in it, up to the day"


def test_the_same_objectors_make_no_new_snapshot_and_another_one_does(vendor: Vendor) -> None:
    first = loaded(vendor).snapshot.number
    one, two = (Objector(Kind.PATIENT, number_of(vendor, person)) for person in ("ZQX-1", "ZQX-2"))
    numbers = [loaded(vendor, *who).snapshot.number for who in ((one,), (one,), (one, two), (two, one))]
    assert numbers == [first + 1, first + 1, first + 2, first + 2]


@pytest.mark.parametrize("copied", [False, True])
def test_nothing_is_left_in_what_is_landed(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, copied: bool
) -> None:
    """Without the copy, the file's old blocks still hold the value."""
    if not copied:
        monkeypatch.setattr(purging, "rewrite", lambda _: None)
    vendor.write("results.csv", RESULTS)
    loaded(vendor)
    (source,) = landed_of(vendor.home / "landing", "vendor")
    one = number_of(vendor, "ZQX-1")
    with source.landing.held("test"), duckdb.connect(str(source.landing.database)) as connection:
        connection.execute("SET force_compression = 'uncompressed'")
        connection.execute(
            "INSERT INTO lab_results (patient_no, date, value_raw)"
            f" SELECT {one}, DATE '2001-01-01', 'PLANTED-9b1d-' || range FROM range(20_000)"
        )
    loaded(vendor, Objector(Kind.PATIENT, one))
    assert (b"PLANTED-9b1d" in source.landing.database.read_bytes()) is not copied
    assert source.landing.database.stat().st_mode & 0o777 == 0o600


class Killed(BaseException):
    """The process, between what was deleted for good and the copy without it."""


def test_a_copy_that_was_killed_is_made_by_the_next_run(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which finds nothing more to delete."""
    loaded(vendor)
    one = Objector(Kind.PATIENT, number_of(vendor, "ZQX-1"))
    (source,) = landed_of(vendor.home / "landing", "vendor")
    copied: list[str] = []

    def killed(_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(purging, "rewrite", killed)
        loaded(vendor, one)
    assert landed_rows(vendor, f"SELECT count(*) FROM patients WHERE patient_no = {one.number}") == [(0,)]
    monkeypatch.setattr(purging, "rewrite", lambda database: copied.append(database.name))
    loaded(vendor, one)
    loaded(vendor, one)
    assert copied == [source.landing.database.name], "once, and it is not due any more"


def test_invented_gps_are_nobody_who_objected(vendor: Vendor, rows: Rows) -> None:
    """Counted from zero too, they are not the registered GPs of those numbers."""
    invented = MAPPING.replace('column = "gp"', "invented = 2").replace(
        'centre = { column = "centre", codes = { one = "C1" }, optional = true }', ""
    )
    places = Places(vendor.directory, vendor.warehouse, vendor.home / "keys")
    everyone = [Objector(Kind.PHYSICIAN, number) for number in range(2)]
    found = load("vendor.toml", vendor.read(invented), places, own_uids=True, objectors=everyone)
    assert found.snapshot.manifest.invented
    assert rows(found.snapshot, "SELECT count(*) FROM physicians") == [(2,)]
    assert len(whose(rows, found.snapshot, "patients")) == 6

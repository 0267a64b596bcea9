"""A linkage comes home under a project's pseudonyms: numbered, judged, counted, left out, and never told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from hub_config.project_keys import ProjectKey
from hub_config.warehouse import purging
from hub_config.warehouse.landing.store import Busy
from hub_config.warehouse.linkage import store as linkage_store
from hub_config.warehouse.linkage.link import LinkageRefused, Linked, link
from hub_config.warehouse.linkage.rates import THRESHOLD, protected
from hub_config.warehouse.linkage.store import Linkage, leave_out_linked
from hub_config.warehouse.loader.load import Places, freeze_landed
from hub_config.warehouse.loader.readers import SourceProblem
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.purging import Objector
from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from tests.unit.warehouse.conftest import Vendor

KEY = ProjectKey.derive(b"m" * 32, "modeles")
OTHER = ProjectKey.derive(b"m" * 32, "autre")
Rows = Callable[[Snapshot, str], list[tuple[object, ...]]]
LINK = "pseudonym,status,linked_on,death_date\n"
CLAIMS = "pseudonym,date,act,atc,quantity\n"
STAYS = "pseudonym,entry_date,exit_date,cim10\n"


def number(vendor: Vendor, person: int) -> int:
    (found,) = Pseudonyms.open(vendor.home / "keys").numbers(Kind.PATIENT, "vendor", [f"ZQX-{person}"])
    return found


def name(vendor: Vendor, person: int, key: ProjectKey = KEY) -> int:
    return key.pseudonym("patient_id", number(vendor, person))


def write(vendor: Vendor, key: ProjectKey = KEY, claims: str = "", stays: str = "", link: str = "") -> Path:
    directory = vendor.home / "linkage"
    directory.mkdir(exist_ok=True)
    people = {person: name(vendor, person, key) for person in range(1, 7)}
    sent = "".join(
        f"{people[person]},{'not_found' if person == 6 else 'linked'},2021-05-01,"
        f"{'2020-11-23' if person == 5 else ''}\n"
        for person in people
    )
    bought = f"{people[1]},2019-02-03,medicine,A10BA02,2\n{people[6]},2019-02-03,medicine,A10BA02,2\n"
    stayed = f"{people[3]},2019-03-01,2019-03-08,I10\n"
    (directory / "link.csv").write_text(LINK + sent + link)
    (directory / "claims.csv").write_text(CLAIMS + bought + claims)
    (directory / "stays.csv").write_text(STAYS + stayed + stays)
    return directory


def linked(vendor: Vendor, directory: Path, objectors: tuple[Objector, ...] = ()) -> Linked:
    linkage = Linkage(vendor.home / "landing", "vendor")
    return link(directory, linkage, KEY, load_catalogue(), objectors=objectors, last=date(2022, 1, 1))


def frozen(vendor: Vendor, *objectors: Objector) -> Snapshot:
    places = Places(vendor.directory, vendor.warehouse, vendor.home / "keys")
    return freeze_landed(places, objectors=objectors).snapshot


def test_what_was_linked_is_in_the_next_snapshot_under_its_persons(vendor: Vendor, rows: Rows) -> None:
    before = vendor.load().snapshot
    said = linked(vendor, write(vendor))
    assert said.rows == {"snds_claims": 1, "snds_link": 6, "snds_stays": 1}  # who wasn't found has no rows
    after = frozen(vendor)
    assert before.manifest.rows["snds_claims"] == 0
    own = (
        "p.physician_no IS NOT DISTINCT FROM s.physician_no AND p.centre_id IS NOT DISTINCT FROM s.centre_id"
    )
    one = number(vendor, 1)
    assert rows(
        after,
        f"SELECT date, act, atc, quantity, {own} FROM snds_claims s JOIN patients p USING (patient_no) "
        f"WHERE patient_no = {one}",
    ) == [(date(2019, 2, 3), "medicine", "A10BA02", 2.0, True)]
    assert rows(after, "SELECT date, exit_date, cim10, length_days FROM snds_stays") == [
        (date(2019, 3, 1), date(2019, 3, 8), "I10", 7)
    ]
    died = "SELECT death_month, death_source FROM snds_link WHERE death_month IS NOT NULL"
    assert rows(after, died) == [(date(2020, 11, 1), "snds")]


def test_no_other_table_tells_of_a_linkage(vendor: Vendor, rows: Rows) -> None:
    before = vendor.load().snapshot
    linked(vendor, write(vendor))
    after = frozen(vendor)
    for table in load_catalogue().tables.values():
        if not table.snds:
            assert rows(before, f"FROM {table.name} ORDER BY ALL") == rows(
                after, f"FROM {table.name} ORDER BY ALL"
            )


def test_strangers_and_bad_rows_are_set_aside_by_line_and_never_said(vendor: Vendor) -> None:
    vendor.land()
    (one, three), stranger = (name(vendor, each) for each in (1, 3)), 4611686018427387904
    directory = write(
        vendor,
        claims=f"{one},2019-02-31,medicine,,1\n{one},2019-02-03,ZQXDURAND,,1\n{one},2019-02-03,other,,9999\n",
        stays=f"{three},2019-03-08,2019-03-01,I10\n{three},2019-03-08,2019-03-09,ZQX\n",
        link=f"{stranger},linked,2021-05-01,\n",
    )
    said = linked(vendor, directory)
    listing = (said.directory / "rejected.csv").read_text().splitlines()
    assert sorted(listing[1:]) == [
        "claims.csv,4,bad-date,date",
        "claims.csv,5,unknown-code,act",
        "claims.csv,6,out-of-bounds,quantity",
        "link.csv,8,unknown-pseudonym,pseudonym",
        "stays.csv,3,impossible-date,exit_date",
        "stays.csv,4,unknown-code,cim10",
    ]
    kept = b"".join(path.read_bytes() for path in said.directory.rglob("*") if path.is_file())
    for secret in (str(stranger), str(one), str(three), "ZQXDURAND"):
        assert secret.encode() not in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in said.directory.iterdir() if path.is_file())


def test_another_projects_pseudonyms_name_nobody_and_change_nothing(vendor: Vendor, rows: Rows) -> None:
    vendor.land()
    linked(vendor, write(vendor))
    with pytest.raises(LinkageRefused, match="--project"):
        linked(vendor, write(vendor, key=OTHER))
    assert frozen(vendor).manifest.rows["snds_link"] == 6


def test_a_linkage_that_breaks_off_leaves_the_one_before(vendor: Vendor) -> None:
    vendor.land()
    directory = write(vendor)
    linked(vendor, directory)
    (directory / "stays.csv").write_text("pseudonym,entry,exit,cim10\n")
    with pytest.raises(SourceProblem, match=r"stays\.csv"):
        linked(vendor, directory)
    assert frozen(vendor).manifest.rows["snds_claims"] == 1


def test_the_same_files_again_change_nothing(vendor: Vendor) -> None:
    vendor.land()
    directory = write(vendor)
    assert linked(vendor, directory).rows == linked(vendor, directory).rows


def test_who_objected_is_neither_linked_nor_kept(vendor: Vendor, rows: Rows) -> None:
    vendor.land()
    directory = write(vendor)
    one = Objector(Kind.PATIENT, number(vendor, 1))
    assert linked(vendor, directory, (one,)).rows == {"snds_claims": 0, "snds_link": 5, "snds_stays": 1}
    linked(vendor, directory)
    without = frozen(vendor, one)
    assert without.manifest.rows["snds_claims"] == 0
    assert without.manifest.rows["snds_link"] == 5
    assert frozen(vendor).manifest.rows["snds_claims"] == 0  # whoever freezes: it is not there any more
    assert linked(vendor, directory, (one,)).rows["snds_link"] == 5


@pytest.mark.parametrize("copied", [True, False])
def test_nothing_of_who_objected_or_of_the_linkage_before_stays_in_the_file(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, *, copied: bool
) -> None:
    """Without the copy, the linkage before is still there for whoever reads the file's bytes."""
    if not copied:
        monkeypatch.setattr(linkage_store, "rewrite_if_due", lambda _: None)
    vendor.land()
    linked(vendor, write(vendor))
    linkage = Linkage(vendor.home / "landing", "vendor")
    assert b"A10BA02" in linkage.database.read_bytes()
    said = linked(vendor, write(vendor), (Objector(Kind.PATIENT, number(vendor, 1)),))
    assert said.rows["snds_claims"] == 0
    assert (b"A10BA02" in linkage.database.read_bytes()) is not copied


def test_what_was_linked_is_copied_under_the_lock_and_again_after_a_kill(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A linkage that was taken in during the copy would be lost."""
    vendor.land()
    linked(vendor, write(vendor))
    linkage = Linkage(vendor.home / "landing", "vendor")
    objectors = (Objector(Kind.PATIENT, number(vendor, 1)),)
    copied: list[str] = []

    def alone(database: Path) -> None:
        with pytest.raises(Busy), linkage.room.held("linking the SNDS"):
            pass
        copied.append(database.name)
        if len(copied) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(purging, "rewrite", alone)
    with pytest.raises(KeyboardInterrupt):
        leave_out_linked(linkage, objectors, load_catalogue())
    leave_out_linked(linkage, objectors, load_catalogue())
    leave_out_linked(linkage, objectors, load_catalogue())
    assert copied == [linkage.database.name] * 2


def test_a_physicians_objection_takes_the_linked_rows_of_their_patients(vendor: Vendor, rows: Rows) -> None:
    vendor.land()
    linked(vendor, write(vendor))
    (gp,) = Pseudonyms.open(vendor.home / "keys").numbers(Kind.PHYSICIAN, "vendor", ["GPB"])
    after = frozen(vendor, Objector(Kind.PHYSICIAN, gp))
    assert after.manifest.rows["snds_stays"] == 0
    assert after.manifest.rows["snds_link"] == 4


def test_the_match_rate_hides_small_numbers_and_what_they_follow_from(vendor: Vendor) -> None:
    cells = protected(
        [("centre", "A", 40, 60), ("centre", "B", 5, 30), ("centre", "C", 50, 90), ("all", "all", 95, 180)]
    )
    said = {each.group: each.rate for each in cells}
    assert said["B"] is None  # 5 linked
    assert said["A"] is None  # else B is what is missing to the whole
    assert said["C"] == 50 / 90
    assert said["all"] == 95 / 180
    vendor.land()
    told = json.loads((linked(vendor, write(vendor)).directory / "report.json").read_text())
    assert all(each["eligible"] is None or each["eligible"] >= THRESHOLD for each in told["match_rate"])

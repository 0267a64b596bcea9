"""Small centres of loaded data: merged to their region, then with those of everywhere, else in no centre."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from hub_config.warehouse.centres import LEAST_PHYSICIANS, NOWHERE, Merge, Size, merged
from hub_config.warehouse.merging import CentreClash
from hub_config.warehouse.snapshot import Building, Snapshot, build_snapshot
from hub_config.warehouse.synthesis import Preset
from hub_config.warehouse.synthesis.presets import plan_of
from tests.unit.warehouse.conftest import Vendor

Rows = Callable[[Snapshot, str], list[tuple[object, ...]]]
FIRST, LAST = date(2015, 1, 1), date(2020, 12, 31)


def everywhere(*members: str) -> Merge:
    return Merge("petits", None, members)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], ()),
        ([Size("A", "R", 5), Size("B", "S", 9)], ()),
        ([Size("A", "R", 4), Size("B", "R", 1)], (Merge("R:petits", "R", ("A", "B")),)),
        ([Size("A", "R", 9), Size("B", "R", 4)], (Merge(None, None, ("B",)),)),
        ([Size("A", "R", 3), Size("B", "S", 2)], (everywhere("A", "B"),)),
        ([Size("A", "R", 4), Size("B", "S", 0), Size("C", None, 1)], (everywhere("A", "B", "C"),)),
        (
            [Size("A", "R", 3), Size("B", "S", 3), Size("C", "R", 3), Size("D", "T", 1)],
            (Merge("R:petits", "R", ("A", "C")), Merge(None, None, ("B", "D"))),
        ),
    ],
)
def test_small_centres_are_merged_as_far_as_it_takes(sizes: list[Size], expected: tuple[Merge, ...]) -> None:
    assert merged(sizes) == expected
    assert merged(reversed(sizes)) == expected


def put(building: Building, centre: str, region: str, gps: range, on: date = LAST) -> None:
    """A centre of these GPs, each with a patient and a diagnosis on a day."""
    run = building.connection.execute
    run("INSERT INTO centres (centre_id, region, label) VALUES (?, ?, 'Ici')", [centre, region])
    numbers = f"range({gps.start}, {gps.stop}) t(n)"
    run(
        f"INSERT INTO physicians BY NAME SELECT n AS physician_no, ? AS centre_id FROM {numbers}",
        [centre],
    )
    whose = "SELECT n AS patient_no, n AS physician_no, $centre AS centre_id"
    given = {"centre": centre}
    run(f"INSERT INTO patients BY NAME {whose} FROM {numbers}", given)
    diagnosed = f"{whose}, $on AS date, 'K86' AS cisp2, 'manual' AS coding_source FROM {numbers}"
    run(f"INSERT INTO diagnoses BY NAME {diagnosed}", given | {"on": on})


def frozen(warehouse: Path, *centres: tuple[str, str, range], exported: bool = True) -> Snapshot:
    with build_snapshot(
        warehouse, source="test", synthetic=False, public=True, exported=exported
    ) as building:
        for each in centres:
            put(building, *each)
        return building.finish(LAST, FIRST, LAST)


LARGE, SMALL = ("LARGE", "R1", range(5)), ("ZQXSMALL", "R2", range(5, 8))
SMALLER, LONE = ("SMALLER", "R2", range(8, 10)), ("LONE", "R3", range(10, 11))


def test_patients_facts_and_gps_follow_and_the_manifest_says_which(tmp_path: Path, rows: Rows) -> None:
    snapshot = frozen(tmp_path, LARGE, SMALL, SMALLER, LONE)
    counted = "SELECT centre_id, count(*) FROM {} GROUP BY ALL ORDER BY ALL"
    for table in ("patients", "physicians", "diagnoses"):
        assert rows(snapshot, counted.format(table)) == [("LARGE", 5), ("R2:petits", 5), (None, 1)]
    listed = rows(snapshot, "SELECT centre_id, region, label FROM centres ORDER BY 1")
    assert listed == [("LARGE", "R1", "Ici"), ("R2:petits", "R2", "Petits centres (R2)")]
    assert snapshot.manifest.merged == {"R2:petits": ("SMALLER", "ZQXSMALL"), NOWHERE: ("LONE",)}
    files = (path for path in snapshot.directory.rglob("*") if path.is_file() and path.suffix != ".json")
    assert not [path.name for path in files if b"ZQXSMALL" in path.read_bytes()]


def test_what_is_not_out_of_practices_is_left_as_it_is(tmp_path: Path, rows: Rows) -> None:
    snapshot = frozen(tmp_path, SMALL, exported=False)
    assert rows(snapshot, "SELECT DISTINCT centre_id FROM patients") == [("ZQXSMALL",)]
    assert snapshot.manifest.merged == {}


def test_a_gp_who_exported_nothing_of_these_years_is_not_active(tmp_path: Path) -> None:
    with build_snapshot(tmp_path, source="test", synthetic=False, public=True, exported=True) as building:
        put(building, "C1", "R1", range(5))
        put(building, "C2", "R2", range(5, 10))
        building.connection.execute("UPDATE diagnoses SET date = '2014-12-31' WHERE physician_no = 9")
        snapshot = building.finish(LAST, FIRST, LAST)
    assert snapshot.manifest.merged == {NOWHERE: ("C2",)}


def test_a_centre_may_not_bear_the_code_of_merged_ones(tmp_path: Path) -> None:
    with pytest.raises(CentreClash, match=r"'R2:petits' is the code that small centres are merged under"):
        frozen(tmp_path, ("R2:petits", "R9", range(20, 26)), SMALL, SMALLER)


def test_a_load_merges_a_small_centre_and_keeps_a_large_one(vendor: Vendor, rows: Rows) -> None:
    """The vendor's centre has two GPs; then three more export."""
    assert vendor.load().snapshot.manifest.merged == {NOWHERE: ("C1",)}
    ids = [f"ZQX-{n}" for n in range(11, 15)]
    people = "".join(f"{each},f,1950-03-15,,GP{each},one\n" for each in ids)
    vendor.write("people.csv", "id,sex,born,died,gp,centre\n" + people)
    vendor.write("events.csv", "id,on,code\n" + "".join(f"{each},2019-01-01,K86\n" for each in ids[:3]))
    larger = vendor.load().snapshot
    assert larger.manifest.merged == {}
    assert rows(larger, "SELECT centre_id FROM centres") == [("C1",)]


def test_no_synthetic_centre_is_small_at_any_scale() -> None:
    for preset in Preset:
        for scale in (0.001, 0.05, 0.3, 1.0):
            assert min(plan_of(preset, scale).physicians.values()) >= LEAST_PHYSICIANS

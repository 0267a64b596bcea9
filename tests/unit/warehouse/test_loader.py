"""A load takes what is good, lists what is not by file, line and rule, and keeps identifiers to itself."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub_config.warehouse.loader.load import LoadRefused
from hub_config.warehouse.loader.readers import SourceProblem
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.snapshot import Snapshot, check_snapshot, list_snapshots, snapshot_numbers
from tests.unit.warehouse.conftest import MAPPING
from tests.unit.warehouse.conftest import PEOPLE as PERSONS

if TYPE_CHECKING:
    from conftest import Vendor

Rows = Callable[[Snapshot, str], list[tuple[object, ...]]]


def test_good_rows_arrive_whole(vendor: Vendor, rows: Rows) -> None:
    loaded = vendor.load()
    assert loaded.rejected == {}
    check_snapshot(loaded.snapshot)
    people = (
        "SELECT sex, age, age_band, birth_month, death_month, centre_id, dq_code "
        "FROM patients ORDER BY birth_month"
    )
    assert rows(loaded.snapshot, people) == [
        ("F", 91, "90+", date(1928, 2, 1), None, None, "ok"),
        ("F", 69, "60-69", date(1950, 3, 1), None, None, "ok"),
        ("M", 60, "60-69", date(1960, 1, 1), date(2019, 6, 1), None, "ok"),
        ("F", 49, "40-49", date(1970, 12, 1), None, None, "ok"),
        ("M", 39, "30-39", date(1980, 1, 1), None, None, "ok"),
        ("M", 0, "00-09", date(2019, 12, 1), None, None, "ok"),
    ]
    results = (
        "SELECT date, analyte, value, unit, value_raw, unit_raw, dq_code "
        "FROM lab_results ORDER BY date, analyte"
    )
    assert rows(loaded.snapshot, results) == [
        (date(2000, 1, 1), "chol", 5.25, "mmol/L", "5.25", None, "ok"),
        (date(2000, 1, 2), "chol", 4.0, "mmol/L", "4", None, "ok"),
        (date(2001, 1, 1), "hdl", 1.4, "mmol/L", "0.7", "g/L", "unit_converted"),
    ]
    assert rows(loaded.snapshot, "SELECT date, cisp2, coding_source FROM diagnoses ORDER BY date") == [
        (date(2001, 2, 3), "K86", "manual"),
        (date(2019, 1, 1), "T90", "manual"),
    ]


def test_events_hang_on_their_person_and_its_physician(vendor: Vendor, rows: Rows) -> None:
    snapshot = vendor.load().snapshot
    assert rows(snapshot, "SELECT patient_no FROM patients ORDER BY 1") == [(n,) for n in range(6)]
    assert rows(snapshot, "SELECT physician_no, centre_id FROM physicians") == [(0, None), (1, None)]
    diagnosed = (
        "SELECT p.birth_month FROM diagnoses d JOIN patients p USING (patient_no) "
        "WHERE d.cisp2 = 'T90' AND d.physician_no = p.physician_no "
        "AND d.centre_id IS NOT DISTINCT FROM p.centre_id"
    )
    assert rows(snapshot, diagnosed) == [(date(1970, 12, 1),)]
    assert rows(snapshot, "SELECT count(*) FROM patients WHERE physician_no IS NULL") == [(1,)]


def test_a_second_load_gives_the_same_people_the_same_numbers(vendor: Vendor, rows: Rows) -> None:
    first = vendor.load().snapshot
    with (vendor.directory / "people.csv").open("a") as file:
        file.write("ZQX-7,m,1990-01-01,,GPB,one\n")
    second = vendor.load().snapshot
    numbered = "SELECT patient_no, birth_month FROM patients ORDER BY ALL"
    assert rows(second, numbered)[:6] == rows(first, numbered)
    assert rows(second, numbered)[6] == (6, date(1990, 1, 1))


PEOPLE = [
    ("ZQX-8,x,1950-01-01,,GPA,one", Rule.UNKNOWN_CODE, "sex"),
    (",m,1950-01-01,,GPA,one", Rule.MISSING, "id"),
    ("ZQX-8,m,,,GPA,one", Rule.MISSING, "born"),
    ("ZQX-8,m,01/02/1950,,GPA,one", Rule.BAD_DATE, "born"),
    ("ZQX-8,m,2020-02-30,,GPA,one", Rule.BAD_DATE, "born"),
    ("ZQX-8,m,1790-01-01,,GPA,one", Rule.IMPOSSIBLE_DATE, "born"),
    ("ZQX-8,m,2020-06-01,,GPA,one", Rule.IMPOSSIBLE_DATE, "born"),
    ("ZQX-8,m,2010-01-01,2005-01-01,GPA,one", Rule.BEFORE_BIRTH, "died"),
    ("ZQX-8,m,2010-01-01,2030-01-01,GPA,one", Rule.IMPOSSIBLE_DATE, "died"),
    ("ZQX-8,m,2010-01-01,,GPA,two", Rule.UNKNOWN_CODE, "centre"),
    ("ZQX-1,m,1950-01-01,,GPA,one", Rule.DUPLICATE_ID, "id"),
    ("ZQX-8,m,1950-01-01,,GPA", Rule.FIELDS, None),
    ("ZQX-8,m,1950-01-01,,GPA,one,more", Rule.FIELDS, None),
]
RESULTS = [
    ("ZQX-9,0,chol,5", Rule.NO_PERSON, "id"),
    ("NA,0,chol,5", Rule.MISSING, "id"),
    ("ZQX-1,0,ldl,5", Rule.NOT_MAPPED, "test"),
    ("ZQX-1,0,,5", Rule.NOT_MAPPED, "test"),
    ("ZQX-1,soon,chol,5", Rule.BAD_DATE, "day"),
    ("ZQX-1,1.5,chol,5", Rule.BAD_DATE, "day"),
    ("ZQX-1,999999999,chol,5", Rule.BAD_DATE, "day"),
    ("ZQX-1,99999,chol,5", Rule.IMPOSSIBLE_DATE, "day"),
    ("ZQX-1,-99999,chol,5", Rule.IMPOSSIBLE_DATE, "day"),
    ("ZQX-6,0,chol,5", Rule.BEFORE_BIRTH, "day"),
    ("ZQX-2,7300,chol,5", Rule.AFTER_DEATH, "day"),
    ("ZQX-1,0,chol,", Rule.MISSING, "value"),
    ("ZQX-1,0,chol,NA", Rule.MISSING, "value"),
    ("ZQX-1,0,chol,high", Rule.BAD_NUMBER, "value"),
    ('ZQX-1,0,chol,"5,2"', Rule.BAD_NUMBER, "value"),
    ("ZQX-1,0,chol,nan", Rule.BAD_NUMBER, "value"),
    ("ZQX-1,0,chol,1e999", Rule.BAD_NUMBER, "value"),
    ("ZQX-1,0,chol,1_0", Rule.BAD_NUMBER, "value"),
]
EVENTS = [
    ("ZQX-1,2001-02-03,K866", Rule.UNKNOWN_CODE, "code"),
    ("ZQX-1,2001-02-03,", Rule.MISSING, "code"),
]
BAD_ROWS = [("people.csv", 8, PEOPLE), ("results.csv", 5, RESULTS), ("events.csv", 4, EVENTS)]


@pytest.mark.parametrize(("file", "line", "bad"), BAD_ROWS, ids=[file for file, *_ in BAD_ROWS])
def test_bad_rows_are_set_aside_with_file_line_and_rule(
    vendor: Vendor, file: str, line: int, bad: list[tuple[str, Rule, str | None]]
) -> None:
    with (vendor.directory / file).open("a") as handle:
        handle.writelines(row + "\n" for row, *_ in bad)
    loaded = vendor.load()
    assert loaded.rejected == Counter(rule for _, rule, _ in bad)
    listing = (loaded.snapshot.directory / "rejected.csv").read_text()
    expected = [
        f"{file},{line + n},{line + n - 1},{rule},{column or ''}" for n, (_, rule, column) in enumerate(bad)
    ]
    assert listing.splitlines() == ["file,line,record,rule,column", *expected]
    assert loaded.snapshot.manifest.rows["patients"] == 6
    assert loaded.snapshot.manifest.rows["lab_results"] == 3
    assert loaded.snapshot.manifest.rows["diagnoses"] == 2


def test_lines_are_right_after_blank_lines_and_rows_left_out(vendor: Vendor) -> None:
    vendor.write(
        "results.csv", "id,day,test,value\nZQX-1,0\n\nZQX-1,0,chol,5\nZQX-1,0,chol,5,6\nZQX-1,0,chol,x\n"
    )
    assert vendor.rejected() == {
        ("results.csv", "2", "wrong-number-of-fields", None),
        ("results.csv", "5", "wrong-number-of-fields", None),
        ("results.csv", "6", "bad-number", "value"),
    }


def test_a_person_set_aside_takes_its_events_along(vendor: Vendor) -> None:
    vendor.write("people.csv", (vendor.directory / "people.csv").read_text().replace("ZQX-1,f", "ZQX-1,?"))
    assert vendor.load().rejected == {Rule.NO_PERSON: 3, Rule.UNKNOWN_CODE: 1}


@pytest.mark.parametrize(
    ("results", "doubts"),
    [
        ("ZQX-1,0,chol,0.99", [("chol", None, "0.99", "out_of_range")]),
        ("ZQX-1,0,chol,21", [("chol", None, "21", "out_of_range")]),
        ("ZQX-1,0,chol,20", [("chol", 20.0, "20", "ok")]),
        ("ZQX-1,0,hdl,2.6", [("hdl", None, "2.6", "out_of_range")]),
        (
            "ZQX-1,0,chol,2\nZQX-1,0,hdl,2",
            [("chol", 2.0, "2", "copied_value"), ("hdl", 4.0, "2", "copied_value")],
        ),
        ("ZQX-1,0,chol,2\nZQX-1,1,hdl,2", [("chol", 2.0, "2", "ok"), ("hdl", 4.0, "2", "unit_converted")]),
        ("ZQX-1,0,chol,2\nZQX-3,0,hdl,2", [("chol", 2.0, "2", "ok"), ("hdl", 4.0, "2", "unit_converted")]),
    ],
)
def test_a_doubtful_measurement_is_kept_with_its_raw_text(
    vendor: Vendor, rows: Rows, results: str, doubts: list[tuple[object, ...]]
) -> None:
    vendor.write("results.csv", f"id,day,test,value\n{results}\n")
    query = "SELECT analyte, value, value_raw, dq_code FROM lab_results ORDER BY analyte"
    assert rows(vendor.load().snapshot, query) == doubts


def kept(path: Path) -> bool:
    """What the enclave wrote; the mapping is the operator's."""
    return path.is_file() and path.suffix != ".toml"


def test_no_identifier_reaches_landing_or_snapshot(vendor: Vendor) -> None:
    with (vendor.directory / "people.csv").open("a") as file:
        file.write("ZQX-1,m,1950-01-01,,GPA,one\n" * 100)
    vendor.load(vendor.mapping + "\n[limits]\nmax_rejected = 1\n")
    content = b"".join(path.read_bytes() for path in (vendor.home).rglob("*") if kept(path))
    assert b"ZQXLABEL" in content  # text is found this way when it is there
    assert b"ZQX-" not in content
    assert b"GPA" not in content


FAILURES = [
    (lambda v: (v.directory / "events.csv").unlink(), r"events\.csv is not in .*export"),
    (lambda v: v.write("events.csv", ""), r"events\.csv is empty"),
    (
        lambda v: v.write("events.csv", "id,on,codes\n"),
        r"events\.csv, line 1: no column 'code' \(asked for by rows\.1\.",
    ),
    (lambda v: v.write("events.csv", "id,on,code,code\n"), "line 1: more than one column is called code"),
    (
        lambda v: (v.directory / "events.csv").write_bytes(b"id,on,code\na,b,c\na,b,\xe9t\xe9\n"),
        "line 3: not utf-8",
    ),
]


@pytest.mark.parametrize(("spoil", "said"), FAILURES, ids=[said for _, said in FAILURES])
def test_a_bad_file_stops_the_load_and_leaves_the_snapshots_alone(
    vendor: Vendor, spoil: Callable[[Vendor], object], said: str
) -> None:
    before = vendor.load().snapshot
    spoil(vendor)
    with pytest.raises(SourceProblem, match=said) as problem:
        vendor.load()
    assert "ZQX" not in str(problem.value)
    assert list_snapshots(vendor.warehouse) == [before]
    assert sorted(path.name for path in vendor.warehouse.iterdir()) == [".lock", "1"]


def test_a_first_load_needs_somebody(vendor: Vendor) -> None:
    vendor.write("people.csv", "id,sex,born,died,gp,centre\n")
    with pytest.raises(SourceProblem, match=r"not one person could be accepted.* It has no rows"):
        vendor.load()
    mapping = MAPPING.replace(
        '{ column = "born", as = "date" }', '{ column = "born", as = "date", format = "%d/%m" }'
    )
    vendor.write("people.csv", PERSONS)
    with pytest.raises(
        SourceProblem, match=r"6 rows break the rule bad-date .* 'born', first people\.csv, line 2"
    ):
        vendor.load(mapping)
    assert snapshot_numbers(vendor.warehouse) == []


def gzipped(vendor: Vendor, content: bytes) -> str:
    (vendor.directory / "events.csv.gz").write_bytes(content)
    return vendor.mapping.replace("events.csv", "events.csv.gz")


def test_gzip_is_read(vendor: Vendor) -> None:
    mapping = gzipped(vendor, gzip.compress((vendor.directory / "events.csv").read_bytes()))
    assert vendor.load(mapping).snapshot.manifest.rows["diagnoses"] == 2


@pytest.mark.parametrize("cut", [5, 20, -4])
def test_a_truncated_gzip_stops_the_load(vendor: Vendor, cut: int) -> None:
    mapping = gzipped(vendor, gzip.compress((vendor.directory / "events.csv").read_bytes())[:cut])
    with pytest.raises(SourceProblem, match=r"events\.csv\.gz is truncated or not gzip"):
        vendor.load(mapping)
    assert snapshot_numbers(vendor.warehouse) == []


def test_what_is_not_gzip_stops_the_load(vendor: Vendor) -> None:
    with pytest.raises(SourceProblem, match="truncated or not gzip"):
        vendor.load(gzipped(vendor, b"id,on,code\n"))


def test_a_french_export_is_read(vendor: Vendor, rows: Rows) -> None:
    """Semicolons, decimal commas, Latin-1, carriage returns; a byte-order mark in another file."""
    (vendor.directory / "results.csv").write_bytes(
        "id;day;test;value;é\r\nZQX-1;0;chol;5,25;é\r\n".encode("latin-1")
    )
    (vendor.directory / "events.csv").write_bytes(
        b"\xef\xbb\xbf" + (vendor.directory / "events.csv").read_bytes()
    )
    options = 'path = "results.csv"\nencoding = "latin-1"\ndelimiter = ";"\ndecimal = ","'
    loaded = vendor.load(vendor.mapping.replace('path = "results.csv"', options))
    assert loaded.rejected == {}
    assert rows(loaded.snapshot, "SELECT value, value_raw FROM lab_results") == [(5.25, "5,25")]
    assert loaded.snapshot.manifest.rows["diagnoses"] == 2


def test_real_data_need_workspaces_with_their_own_uids(vendor: Vendor) -> None:
    with pytest.raises(LoadRefused, match="as root"):
        vendor.load(own_uids=False)
    assert snapshot_numbers(vendor.warehouse) == []
    assert vendor.load(own_uids=True).snapshot.manifest.public is False


def test_public_data_need_nothing(vendor: Vendor) -> None:
    public = vendor.mapping.replace('label = "A vendor"', 'label = "A vendor"\npublic = true')
    assert vendor.load(public, own_uids=False).snapshot.manifest.public is True

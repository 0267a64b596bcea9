"""What is landed adds up: increments, repeats, two sources, refusals; and a load that can't be whole is
none."""

from __future__ import annotations

import errno
import json
import resource
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import hub_config.warehouse.landing.freeze as freezing
import hub_config.warehouse.loader.load as loading
import hub_config.warehouse.loader.staging as staging
from hub_config.warehouse.landing import Busy, Landing, LandingProblem
from hub_config.warehouse.landing.freeze import freeze, landed_of
from hub_config.warehouse.loader.load import (
    DiskFull,
    History,
    LandedFiles,
    Loaded,
    LoadRefused,
    Places,
    land,
    load,
)
from hub_config.warehouse.loader.readers import SourceProblem
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.tally import MostlyBad
from hub_config.warehouse.snapshot import Snapshot, snapshot_numbers
from tests.unit.warehouse.conftest import EVENTS, MAPPING, PEOPLE, RESULTS, Vendor

Rows = Callable[[Snapshot, str], list[tuple[object, ...]]]
KEYED = MAPPING.replace('file = "results"\nperson = "id"', 'file = "results"\nperson = "id"\nkey = ["no"]')
KEYED_RESULTS = "no,id,day,test,value\nN1,ZQX-1,0,chol,5.25\nN2,ZQX-1,366,hdl,0.7\nN3,ZQX-2,1,chol,4\n"


def again(vendor: Vendor, mapping: str = MAPPING, history: History = History.REFUSE) -> Loaded:
    places = Places(vendor.directory, vendor.warehouse, vendor.home / "keys")
    return load("vendor.toml", vendor.read(mapping), places, own_uids=True, history=history)


def results_of(loaded: Loaded, rows: Rows) -> list[tuple[object, ...]]:
    return rows(loaded.snapshot, "SELECT date, analyte, value_raw FROM lab_results ORDER BY ALL")


def test_the_same_bytes_change_nothing_under_any_name(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping = MAPPING.replace('path = "results.csv"', 'path = "results*.csv"')
    first = again(vendor, mapping)
    (vendor.directory / "results.csv").rename(vendor.directory / "results-again.csv")
    vendor.write("results-copy.csv", RESULTS)
    second = again(vendor, mapping)
    assert (second.landed.load, second.fresh) == (None, False)
    assert second.snapshot.number == first.snapshot.number == 1
    assert snapshot_numbers(vendor.warehouse) == [1]
    monkeypatch.setattr(freezing, "LINKED", "not there.txt")  # frozen before small centres were merged
    assert again(vendor, mapping).fresh


def test_a_row_in_two_files_is_there_once_but_twice_in_one_file_twice(vendor: Vendor, rows: Rows) -> None:
    row = "ZQX-3,5,chol,6\n"
    vendor.write("results.csv", RESULTS + row + row)
    assert len(results_of(again(vendor), rows)) == 5
    vendor.write("results.csv", RESULTS + row)
    loaded = again(vendor)
    assert loaded.landed.changes["lab_results"].unchanged == 4
    assert not loaded.fresh
    vendor.write("results.csv", "id,day,test,value\n" + row * 3 + "ZQX-3,6,chol,6\n")
    assert len(results_of(again(vendor), rows)) == 7


def test_a_record_of_the_same_key_replaces_the_earlier_one(vendor: Vendor, rows: Rows) -> None:
    vendor.write("results.csv", KEYED_RESULTS)
    again(vendor, KEYED)
    vendor.write(
        "results.csv", "no,id,day,test,value\nN3,ZQX-2,1,chol,4.5\nN4,ZQX-3,2,chol,6\nN1,ZQX-1,0,chol,5.25\n"
    )
    loaded = again(vendor, KEYED)
    change = loaded.landed.changes["lab_results"]
    assert (change.added, change.updated, change.unchanged) == (1, 1, 1)
    assert sorted(str(row[2]) for row in results_of(loaded, rows)) == ["0.7", "4.5", "5.25", "6"]


def test_a_key_twice_in_a_file_keeps_the_first(vendor: Vendor, rows: Rows) -> None:
    vendor.write("results.csv", KEYED_RESULTS + "N1,ZQX-1,9,chol,9\n,ZQX-1,9,chol,9\n")
    loaded = again(vendor, KEYED)
    assert loaded.rejected == {Rule.DUPLICATE_ID: 1, Rule.MISSING: 1}
    assert len(results_of(loaded, rows)) == 3


HEADER = "no,id,day,test,value\n"
TWICE = KEYED.replace('path = "results.csv"', 'path = "results*.csv"')


def land_only(
    vendor: Vendor, history: History = History.REFUSE, mapping: str = TWICE
) -> tuple[LandedFiles, list[str]]:
    """What a load did, and the results that are landed then."""
    places = Places(vendor.directory, vendor.warehouse, vendor.home / "keys")
    told = land("vendor.toml", vendor.read(mapping), places, own_uids=True, history=history)
    with Landing.of(vendor.home / "landing", "vendor").reading() as connection:
        found = connection.execute("SELECT value_raw FROM lab_results ORDER BY 1").fetchall()
    return told, [str(row[0]) for row in found]


def listed(told: LandedFiles) -> set[str]:
    return set((told.work / "rejected.csv").read_text().splitlines()[1:]) if told.work else set()


ONE, OTHER = "N1,ZQX-1,0,chol,5.25\nN2,ZQX-1,366,hdl,0.7\n", "N3,ZQX-3,2,chol,6\nN1,ZQX-2,1,chol,4\n"


def test_a_key_of_two_persons_in_one_file_keeps_neither(vendor: Vendor) -> None:
    vendor.write("results.csv", HEADER + ONE + OTHER)
    told, results = land_only(vendor)
    assert results == ["0.7", "6"]
    assert listed(told) == {"results.csv,2,1,duplicate-id,no", "results.csv,5,4,duplicate-id,no"}


def test_a_key_of_two_persons_in_two_files_of_one_load_keeps_neither(vendor: Vendor) -> None:
    """Nor does it touch what is landed of the record; and a later load settles it."""
    vendor.write("results.csv", HEADER + ONE)
    vendor.write("results-2.csv", HEADER + OTHER)
    told, results = land_only(vendor)
    assert results == ["0.7", "6"]
    assert listed(told) == {"results.csv,2,1,duplicate-id,no", "results-2.csv,3,2,duplicate-id,no"}
    vendor.write("results-3.csv", HEADER + ONE.splitlines()[0] + "\nN4,ZQX-1,9,chol,7\n")
    told, results = land_only(vendor)
    assert (results, listed(told)) == (["0.7", "5.25", "6", "7"], set())


DATED = TWICE.replace("[[centres]]", '[files.practices]\npath = "practices.csv"\n\n[[centres]]', 1) + (
    '\n[export]\nfile = "practices"\nphysician = "doctor"\nexported_on = { column = "on", as = "date" }\n'
)
# The day and the practice of an export, and its results: N1 is ZQX-1's, then ZQX-2's.
JAN = ("2020-01-31", "GPA", "N1,ZQX-1,0,chol,4\nN2,ZQX-1,366,hdl,0.7\n")
FEB = ("2020-02-29", "GPA", "N1,ZQX-1,0,chol,4\nN4,ZQX-1,368,hdl,0.9\n")
MAR = ("2020-03-31", "GPA", "N1,ZQX-2,1,chol,5\nN5,ZQX-1,367,hdl,0.8\n")
SAME = ("2020-01-31", "GPA", MAR[2])
OTHERS = ("2020-03-31", "GPB", "N1,ZQX-3,1,chol,5\nN6,ZQX-3,2,hdl,0.6\n")


def landed_of_days(vendor: Vendor, *days: tuple[str, str, str]) -> list[tuple[LandedFiles, set[str]]]:
    """Each export by a load of its own."""
    told = []
    for day, practice, results in days:
        vendor.write("practices.csv", f"doctor,on\n{practice},{day}\n")
        vendor.write("results.csv", HEADER + results)
        done, found = land_only(vendor, mapping=DATED)
        told.append((done, set(found)))
    return told


def test_a_newer_export_moves_a_record_to_the_right_person(vendor: Vendor) -> None:
    """Patients were merged, or a consultation was noted with the wrong one."""
    _, (told, results), (repeated, same) = landed_of_days(vendor, JAN, MAR, MAR)
    change = told.changes["lab_results"]
    assert (change.moved, change.removed, change.updated, change.added) == (1, 0, 0, 1)
    assert (results, listed(told)) == ({"5", "0.7", "0.8"}, set())
    assert told.work is not None
    page = (told.work / "report.html").read_text()
    assert '<td class="number">1</td><td class="number">0</td></tr>' in page
    assert (repeated.load, same) == (None, results)


@pytest.mark.parametrize("days", [(MAR, JAN), (JAN, MAR, FEB)], ids=["reversed", "one late"])
def test_an_older_export_that_comes_late_moves_nothing_back(
    vendor: Vendor, days: tuple[tuple[str, str, str], ...]
) -> None:
    told, results = landed_of_days(vendor, *days)[-1]
    assert "results.csv,2,1,duplicate-id,no" in listed(told)
    assert (told.changes["lab_results"].moved, told.changes["lab_results"].removed) == (0, 0)
    assert ({"5", "0.7"} <= results, "4" in results) == (True, False)
    ((told, results),) = landed_of_days(vendor, ("2020-04-30", "GPA", "N1,ZQX-1,0,chol,4\n"))
    assert (told.changes["lab_results"].moved, "4" in results) == (1, True), "it is contested"


@pytest.mark.parametrize("second", [SAME, OTHERS], ids=["of one day", "of another practice"])
def test_where_days_do_not_decide_a_record_of_two_persons_is_nobodys(
    vendor: Vendor, second: tuple[str, str, str]
) -> None:
    told, results = landed_of_days(vendor, JAN, second)[-1]
    assert told.changes["lab_results"].removed == 1
    assert not {"4", "5"} & results


def test_a_load_that_was_killed_moves_what_it_would_have(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed_of_days(vendor, JAN)

    def killed(*_: object) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(loading, "apply", killed)
        with pytest.raises(RuntimeError, match="the power went"):
            landed_of_days(vendor, MAR)
    ((told, results),) = landed_of_days(vendor, MAR)
    assert (told.changes["lab_results"].moved, results) == (1, {"5", "0.7", "0.8"})


def test_an_increment_may_speak_of_persons_landed_before(vendor: Vendor, rows: Rows) -> None:
    again(vendor)
    vendor.write("people.csv", "id,sex,born,died,gp,centre\nZQX-1,f,1950-03-15,2019-03-03,GPB,one\n")
    vendor.write("results.csv", "id,day,test,value\nZQX-4,1,chol,6\nZQX-9,1,chol,6\nZQX-1,7305,chol,6\n")
    vendor.write("events.csv", "id,on,code\n")
    loaded = again(vendor)
    assert loaded.rejected == {Rule.NO_PERSON: 1, Rule.AFTER_DEATH: 1}
    assert loaded.snapshot.manifest.rows["patients"] == 6
    assert len(results_of(loaded, rows)) == 4
    died = "SELECT death_month::VARCHAR, death_source FROM patients WHERE birth_month = '1950-03-01'"
    assert rows(loaded.snapshot, died) == [("2019-03-01", "practice")]


def test_what_was_landed_before_a_death_was_known_is_not_frozen_after_it(vendor: Vendor, rows: Rows) -> None:
    vendor.write("events.csv", EVENTS + "ZQX-3,2019-06-01,R05\nZQX-3,2019-05-31,R05\n")
    assert again(vendor).snapshot.manifest.rows["diagnoses"] == 4
    vendor.write("people.csv", PEOPLE.replace("ZQX-3,f,1970-12-31,,", "ZQX-3,f,1970-12-31,2019-05-05,"))
    loaded = again(vendor)
    assert loaded.snapshot.manifest.rows["diagnoses"] == 3
    last = rows(loaded.snapshot, "SELECT max(date)::VARCHAR FROM diagnoses")
    assert last == [("2019-05-31",)]
    with Landing.of(vendor.home / "landing", "vendor").reading() as connection:
        assert connection.execute("SELECT count(*) FROM diagnoses").fetchone() == (4,)


def test_rows_that_waited_for_their_person_land_when_the_person_does(vendor: Vendor) -> None:
    vendor.write("people.csv", PEOPLE.replace("ZQX-3,f,1970-12-31,,GPB,one\n", ""))
    assert again(vendor).rejected == {Rule.NO_PERSON: 1}
    vendor.write("people.csv", PEOPLE)
    loaded = again(vendor)
    assert loaded.rejected == {}
    assert loaded.snapshot.manifest.rows["diagnoses"] == 2


def test_a_load_that_is_mostly_bad_lands_nothing_and_goes_on_when_the_limit_is_raised(vendor: Vendor) -> None:
    vendor.write("events.csv", EVENTS + "ZQX-1,2001-02-03,QQQ\n" * 30)
    with pytest.raises(MostlyBad, match=r"30 of 32 rows\n +30: unknown-code .*, first on line 4, code\n"):
        again(vendor)
    work = vendor.home / "landing" / "vendor" / "loads" / "000001"
    assert json.loads((work / "report.json").read_text())["outcome"] == "stopped"
    assert (work / "rejected.csv").read_text().count("\n") == 31
    with Landing.of(vendor.home / "landing", "vendor").reading() as connection:
        assert connection.execute("SELECT count(*) FROM patients").fetchone() == (0,)
    assert snapshot_numbers(vendor.warehouse) == []
    loaded = again(vendor, MAPPING + "\n[limits]\nmax_rejected = 0.95\n")
    assert loaded.rejected == {Rule.UNKNOWN_CODE: 30}
    report = json.loads((work / "report.json").read_text())
    assert (report["outcome"], report["snapshot"]["number"]) == ("landed", 1)
    counts = {"added": 2, "updated": 0, "unchanged": 0, "removed": 0, "moved": 0, "older": 0}
    assert report["tables"]["diagnoses"] == counts
    page = (work / "report.html").read_text()
    assert "unknown-code" in page
    assert "ZQX" not in page + json.dumps(report)


def test_records_of_one_line_count_each_and_stop_a_load_that_is_mostly_bad(vendor: Vendor) -> None:
    """All of a JSON export may stand on line 1: its records are told apart by their number."""
    events = [{"id": "ZQX-1", "on": "2001-02-03", "code": "K86" if n < 2 else "QQQ"} for n in range(32)]
    vendor.write("events.json", json.dumps(events))
    mapping = MAPPING.replace('path = "events.csv"', 'path = "events.json"\nformat = "json"')
    with pytest.raises(MostlyBad, match=r"events\.json: 30 of 32 rows\n +30: unknown-code"):
        again(vendor, mapping)
    listing = (vendor.home / "landing" / "vendor" / "loads" / "000001" / "rejected.csv").read_text()
    expected = [f"events.json,1,{record},unknown-code,code" for record in range(3, 33)]
    assert listing.splitlines() == ["file,line,record,rule,column", *expected]


def test_files_of_one_kind_are_judged_together_and_told_apart(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (vendor.directory / "events.csv").unlink()
    for number in range(5):
        vendor.write(f"events-{number}.csv", f"id,on,code\nZQX-1,200{number}-02-03,K86\nZQX-1,x,K86\n")
    batches = []
    take = staging.Staging.take

    def counted(self: staging.Staging, name: str, *rest: object) -> object:
        batches.append(name)
        return take(self, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(staging.Staging, "take", counted)
    loaded = again(vendor, MAPPING.replace('path = "events.csv"', 'path = "events-*.csv"'))
    assert batches == ["people", "results", "events"]
    assert [(file.path, file.rows, dict(file.rejected)) for file in loaded.landed.files[2:]] == [
        (f"events-{number}.csv", 2, {Rule.BAD_DATE: 1}) for number in range(5)
    ]


def test_the_second_of_two_loads_is_told_who_holds_the_source(vendor: Vendor, tmp_path: Path) -> None:
    again(vendor)
    landing = Landing.of(vendor.home / "landing", "vendor")
    with landing.held("loading elsewhere"):
        with pytest.raises(Busy, match=r"in use by process \d+ on .* \(loading elsewhere, since "):
            again(vendor)
        other = MAPPING.replace('name = "vendor"', 'name = "other"')
        assert again(vendor, other).snapshot.manifest.source == "mapping other"


@pytest.mark.parametrize("moment", ["apply", "_clear"], ids=["before it is landed", "after"])
def test_a_full_disk_is_said_and_the_load_goes_on(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Also by the checkpoint behind the landing's transaction: then it must not be said that nothing was
    landed."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as filled:
        filled.setattr(loading, moment, full)
        with pytest.raises(DiskFull, match=r"is full: the load is landed whole or not at all.*/loads lies"):
            again(vendor)
    assert snapshot_numbers(vendor.warehouse) == []
    assert again(vendor).snapshot.manifest.rows["lab_results"] == 3


def test_a_disk_that_really_is_full_keeps_what_was_read(vendor: Vendor) -> None:
    """No file may grow beyond a limit: DuckDB meets it in the middle of the load."""
    rows = "".join(f"ZQX-1,{day},chol,{day / 1000}\n" for day in range(1, 6000))
    vendor.write("results.csv", RESULTS + rows)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(DiskFull, match="The disk is full: the load is landed whole or not at all"):
            again(vendor)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert snapshot_numbers(vendor.warehouse) == []
    assert again(vendor).snapshot.manifest.rows["lab_results"] > 5000


def test_a_file_that_grows_while_it_is_read_lands_nothing(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report(step: str, share: float | None = None, rows: int | None = None) -> None:
        if step == "events.csv":
            vendor.write("events.csv", EVENTS + "ZQX-1,2001-02-04,R05\n")

    places = Places(vendor.directory, vendor.warehouse, vendor.home / "keys")
    with pytest.raises(SourceProblem, match=r"events\.csv changed while it was read"):
        land("vendor.toml", vendor.read(MAPPING), places, own_uids=True, report=report)
    assert again(vendor).snapshot.manifest.rows["diagnoses"] == 3


def test_a_mapping_that_means_something_else_asks_what_becomes_of_landed_rows(
    vendor: Vendor, rows: Rows
) -> None:
    again(vendor)
    other = MAPPING.replace("factor = 2.0", "factor = 3.0")
    with pytest.raises(LoadRefused, match=r"changed since .* --afresh.* --keep"):
        again(vendor, other)
    loaded = again(vendor, other, History.AFRESH)
    assert rows(loaded.snapshot, "SELECT value FROM lab_results WHERE analyte = 'hdl'") == [
        (pytest.approx(2.1),)
    ]
    assert loaded.snapshot.manifest.rows["lab_results"] == 3
    assert again(vendor, other).landed.load is None


def test_another_date_of_ages_makes_a_new_snapshot_of_the_same_rows(vendor: Vendor, rows: Rows) -> None:
    again(vendor)
    loaded = again(vendor, MAPPING.replace("reference_date = 2020-01-01", "reference_date = 2021-04-01"))
    assert loaded.fresh
    ages = rows(loaded.snapshot, "SELECT age FROM patients ORDER BY birth_month")
    assert ages == [(93,), (71,), (61,), (50,), (41,), (1,)]


def test_two_sources_of_one_population_are_one_snapshot(vendor: Vendor, rows: Rows) -> None:
    """The same identifier of two sources is two patients, under one numbering."""
    mine = MAPPING.replace('label = "A vendor"', 'label = "A vendor"\npopulation = "france"')
    again(vendor, mine)
    loaded = again(vendor, mine.replace('name = "vendor"', 'name = "other"'))
    manifest = loaded.snapshot.manifest
    assert (manifest.source, manifest.population) == ("population france", "france")
    assert manifest.sources == ("mapping other", "mapping vendor")
    assert (manifest.patients, manifest.physicians, manifest.rows["lab_results"]) == (12, 4, 6)
    assert rows(loaded.snapshot, "SELECT count(DISTINCT patient_no) FROM lab_results") == [(4,)]


def test_centres_that_two_sources_mean_otherwise_are_no_snapshot(vendor: Vendor) -> None:
    mine = MAPPING.replace('label = "A vendor"', 'label = "A vendor"\npopulation = "france"')
    again(vendor, mine)
    other = mine.replace('name = "vendor"', 'name = "other"').replace('region = "R1"', 'region = "R2"')
    with pytest.raises(LandingProblem, match="Centre C1 of source vendor has another region"):
        again(vendor, other)
    assert snapshot_numbers(vendor.warehouse) == [1]


def test_what_was_loaded_meanwhile_is_not_frozen_under_what_was_known_before(vendor: Vendor) -> None:
    """Else rows that are not public could go into a snapshot that says so."""
    again(vendor, MAPPING.replace("day_zero", "public = true\nday_zero", 1))
    before = landed_of(vendor.home / "landing", "vendor")
    again(vendor)
    with pytest.raises(Busy, match="loaded just now"):
        freeze(before, vendor.warehouse)
    assert snapshot_numbers(vendor.warehouse) == [1, 2]


def test_another_key_is_refused(vendor: Vendor) -> None:
    again(vendor)
    for path in (vendor.home / "keys").iterdir():
        path.unlink()
    with pytest.raises(LandingProblem, match="numbered with other registers"):
        again(vendor)


def test_rows_of_days_that_become_possible_are_taken(vendor: Vendor, rows: Rows) -> None:
    short = MAPPING.replace("dates = [1990-01-01, 2020-12-31]", "dates = [1990-01-01, 2010-12-31]")
    days = "SELECT year(date) FROM diagnoses ORDER BY 1"
    first = again(vendor, short)
    assert first.rejected[Rule.IMPOSSIBLE_DATE] and rows(first.snapshot, days) == [(2001,)]
    second = again(vendor)
    assert second.fresh and rows(second.snapshot, days) == [(2001,), (2019,)]
    assert not again(vendor).fresh


def test_a_stopped_load_does_not_go_on_under_other_dates(vendor: Vendor, rows: Rows) -> None:
    """What it had read, it had judged by the old ones."""
    wrong = MAPPING.replace("dates = [1990-01-01, 2020-12-31]", "dates = [1990-01-01, 1990-12-31]")
    vendor.write("events.csv", EVENTS + "".join(f"ZQX-1,2001-02-{day:02d},R05\n" for day in range(1, 28)))
    with pytest.raises(MostlyBad):
        again(vendor, wrong)
    assert rows(again(vendor).snapshot, "SELECT count(*) FROM diagnoses") == [(29,)]


def test_each_export_of_a_practice_is_noted(vendor: Vendor, rows: Rows) -> None:
    vendor.write("practices.csv", "doctor,on,by\nGPA,2020-06-30,Soft 2\nGPB,2020-07-31,Soft 3\n")
    mapping = MAPPING.replace(
        "[[centres]]", '[files.practices]\npath = "practices.csv"\n\n[[centres]]', 1
    ) + (
        '\n[export]\nfile = "practices"\nphysician = "doctor"\n'
        'exported_on = { column = "on", as = "date" }\n'
        'software = { column = "by", codes = { "Soft 2" = "soft-2", "Soft 3" = "soft-3" } }\n'
    )
    loaded = again(vendor, mapping)
    told = rows(
        loaded.snapshot, "SELECT source, exported_on::VARCHAR, software, row_count FROM exports ORDER BY 2"
    )
    assert told == [("vendor", "2020-06-30", "soft-2", 4), ("vendor", "2020-07-31", "soft-3", 1)]
    assert loaded.snapshot.manifest.last_date == date(2020, 7, 31), "the mapping reaches further"


def test_deaths_may_come_apart(vendor: Vendor, rows: Rows) -> None:
    vendor.write("deaths.csv", "who,day\nZQX-3,2019-05-05\nZQX-9,2019-05-05\nZQX-4,1970-01-01\n")
    mapping = MAPPING.replace("[[centres]]", '[files.deaths]\npath = "deaths.csv"\n\n[[centres]]', 1) + (
        '\n[death]\nfile = "deaths"\nperson = "who"\ndate = { column = "day", as = "date" }\n'
    )
    vendor.write("events.csv", EVENTS + "ZQX-3,2019-06-01,R05\n")
    loaded = again(vendor, mapping)
    assert loaded.rejected == {Rule.NO_PERSON: 1, Rule.IMPOSSIBLE_DATE: 1, Rule.AFTER_DEATH: 1}
    died = "SELECT death_month::VARCHAR FROM patients WHERE birth_month = '1970-12-01'"
    assert rows(loaded.snapshot, died) == [("2019-05-01",)]

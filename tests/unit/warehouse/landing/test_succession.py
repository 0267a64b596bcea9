"""Of several statements of one record the newest counts, whatever the order in which their files come."""

from __future__ import annotations

import os

import pytest

import hub_config.warehouse.loader.journal as journal
from hub_config.warehouse.landing import Landing
from hub_config.warehouse.loader.claims import KeyOfMany
from hub_config.warehouse.loader.load import History, LandedFiles, Places, land
from hub_config.warehouse.loader.mapping_problem import MappingProblem
from hub_config.warehouse.loader.readers import SourceProblem
from hub_config.warehouse.loader.tally import MostlyBad
from tests.unit.warehouse.conftest import MAPPING, PEOPLE, Vendor

KEYED = MAPPING.replace('file = "results"\nperson = "id"', 'file = "results"\nperson = "id"\nkey = ["no"]')
MANY = KEYED.replace('path = "results.csv"', 'path = "results*.csv"')
NAMED = KEYED.replace('path = "results.csv"', 'path = "results*.csv"\nmade = "results-%d-%m-%Y.csv"')
SAID = MANY + '\n[export]\nfile = "results"\nexported_on = { column = "made", as = "date" }\n'
HEADER = "no,id,day,test,value\n"
FIRST, SECOND = "N1,ZQX-1,0,chol,4\nN2,ZQX-2,1,chol,3\n", "N1,ZQX-1,0,chol,5\n"


@pytest.fixture
def files(vendor: Vendor) -> Vendor:
    """The vendor, without results."""
    (vendor.directory / "results.csv").unlink()
    return vendor


def landed(vendor: Vendor, mapping: str = MANY, history: History = History.REFUSE) -> tuple[LandedFiles, str]:
    """What a load did, and the results that are landed then: who (by year of birth) has which."""
    places = Places(vendor.directory, vendor.warehouse, vendor.home / "keys")
    told = land("vendor.toml", vendor.read(mapping), places, own_uids=True, history=history)
    with Landing.of(vendor.home / "landing", "vendor").reading() as connection:
        found = connection.execute(
            "SELECT concat(year(birth_month) % 100, ':', value_raw) FROM lab_results "
            "JOIN patients USING (patient_no) ORDER BY 1"
        ).fetchall()
    return told, " ".join(row[0] for row in found)


def aside(told: LandedFiles) -> set[str]:
    assert told.work is not None
    return set((told.work / "rejected.csv").read_text().splitlines()[1:])


@pytest.mark.parametrize(
    ("corrected", "results"),
    [("N1,ZQX-1,0,chol,5\n", "50:5 60:3"), ("N1,ZQX-3,0,chol,4\n", "60:3 70:4")],
    ids=["another value", "another person, of another GP"],
)
def test_a_corrected_record_replaces_the_landed_one(files: Vendor, corrected: str, results: str) -> None:
    """Without any word of the export: day by day; the same file again, and the old one, change nothing."""
    vendor = files
    vendor.write("results.csv", HEADER + FIRST)
    assert landed(vendor)[1] == "50:4 60:3"
    vendor.write("results.csv", HEADER + corrected)
    told, found = landed(vendor)
    change = told.changes["lab_results"]
    assert (found, change.updated + change.moved, change.removed) == (results, 1, 0)
    if change.moved:  # a snapshot is most of a load's time
        assert vendor.load(MANY).snapshot.manifest.rows["lab_results"] == 2
    vendor.write("results-old.csv", HEADER + FIRST)
    told, found = landed(vendor)
    assert (told.load, found) == (None, results)


def test_two_files_of_one_load_that_differ_are_set_aside_and_a_later_load_settles_it(files: Vendor) -> None:
    vendor = files
    vendor.write("results-1.csv", HEADER + FIRST)
    landed(vendor)
    vendor.write("results-2.csv", HEADER + "N1,ZQX-1,0,chol,6\nN3,ZQX-3,1,chol,2\n")
    vendor.write("results-3.csv", HEADER + SECOND + "N3,ZQX-3,1,chol,2\nN4,ZQX-3,2,chol,7\n")
    told, found = landed(vendor)
    assert aside(told) == {"results-2.csv,2,1,contradiction,no", "results-3.csv,2,1,contradiction,no"}
    assert found == "50:4 60:3 70:2 70:7", "what was landed stays, and what agrees is taken"
    vendor.write("results-4.csv", HEADER + SECOND)
    assert landed(vendor)[1] == "50:5 60:3 70:2 70:7"


def test_a_load_of_contradictions_is_told_what_to_do(files: Vendor) -> None:
    for number in (1, 2):
        rows = "".join(f"N{row},ZQX-1,{row},chol,{number + 3}\n" for row in range(25))
        files.write(f"results-{number}.csv", HEADER + rows)
    with pytest.raises(MostlyBad, match=r"25: contradiction \(.*one after the other, or say when"):
        landed(files)


def test_the_day_in_their_names_orders_the_files_of_one_load(files: Vendor) -> None:
    """Not the order of the names. What is older and comes late is passed over, and fills only what nobody
    said since; whether what was made between two files of one load is older nobody can tell."""
    vendor = files
    vendor.write("results-01-03-2020.csv", HEADER + "N1,ZQX-3,0,chol,5\n")
    vendor.write("results-15-02-2020.csv", HEADER + FIRST)
    told, found = landed(vendor, NAMED)
    assert (found, aside(told)) == ("60:3 70:5", set())
    vendor.write("results-28-02-2020.csv", HEADER + "N1,ZQX-1,0,chol,9\nN5,ZQX-1,3,chol,8\n")
    vendor.write("results-31-01-2020.csv", HEADER + "N2,ZQX-2,1,chol,2\nN6,ZQX-1,4,chol,7\n")
    told, found = landed(vendor, NAMED)
    assert (found, aside(told)) == ("50:7 50:8 60:3 70:5", {"results-28-02-2020.csv,2,1,contradiction,no"})


def test_two_files_of_one_day_contradict_each_other(files: Vendor) -> None:
    mapping = NAMED.replace("results-%d-%m-%Y", "results-%Y%m%d")
    files.write("results-20200301.csv", HEADER + FIRST)
    (files.directory / "b").mkdir()
    files.write("b/results-20200301.csv", HEADER + SECOND + "N3,ZQX-3,1,chol,2\n")
    told, found = landed(files, mapping.replace("results*.csv", "**/results*.csv"))
    assert (found, len(aside(told))) == ("60:3 70:2", 2)


def test_a_name_without_its_day_and_a_form_without_a_date_are_refused(files: Vendor) -> None:
    files.write("results-corrected.csv", HEADER + FIRST)
    with pytest.raises(SourceProblem, match=r"results-corrected\.csv: its name doesn't say when .*%d-%m-%Y"):
        landed(files, NAMED)
    with pytest.raises(MappingProblem, match=r"files\.results: .*with its date in it"):
        landed(files, NAMED.replace("-%d-%m-%Y", ""))


def test_the_day_an_export_says_orders_the_files_of_one_load(files: Vendor) -> None:
    header = "made," + HEADER
    files.write("results-a.csv", header + "2020-03-01,N1,ZQX-3,0,chol,5\n")
    files.write("results-b.csv", header + "2020-02-15,N1,ZQX-1,0,chol,4\n2020-02-15,N2,ZQX-2,1,chol,3\n")
    told, found = landed(files, SAID)
    assert (found, aside(told)) == ("60:3 70:5", set())
    files.write("results-c.csv", header + "2020-02-10,N1,ZQX-3,0,chol,9\n2020-02-10,N2,ZQX-2,1,chol,8\n")
    told, found = landed(files, SAID)
    assert (found, aside(told)) == ("60:3 70:5", set()), "an older export that comes late changes nothing"
    assert (told.changes["lab_results"].older, told.changed) == (2, False)


@pytest.mark.parametrize("remembered", [True, False])
def test_a_file_that_is_read_again_is_as_old_as_it_was(
    files: Vendor, monkeypatch: pytest.MonkeyPatch, remembered: bool
) -> None:
    """A row waited for its person: the file's other rows don't undo what came since."""
    vendor = files
    if not remembered:
        monkeypatch.setattr(journal.Journal, "first_loads", lambda _: {})
    vendor.write("results-1.csv", HEADER + FIRST + "N7,ZQX-7,1,chol,7\n")
    landed(vendor)
    vendor.write("results-2.csv", HEADER + SECOND)
    assert landed(vendor)[1] == "50:5 60:3"
    (vendor.directory / "results-2.csv").rename(vendor.directory / "archive.csv")
    vendor.write("people.csv", PEOPLE + "ZQX-7,m,1990-01-01,,GPB,one\n")
    assert landed(vendor)[1] == ("50:5 60:3 90:7" if remembered else "50:4 60:3 90:7")


@pytest.mark.parametrize("history", [History.KEEP, History.AFRESH])
def test_days_that_are_read_anew_stay_in_their_order(files: Vendor, history: History) -> None:
    """By another mapping: all of them in one load, and none contradicts another."""
    vendor = files
    for name, text in (("b", FIRST), ("a", SECOND), ("c", "N2,ZQX-3,1,chol,3\n")):
        vendor.write(f"results-{name}.csv", HEADER + text)
        landed(vendor)
    told, found = landed(vendor, MANY.replace("[1, 20]", "[1, 21]"), history)
    assert (found, aside(told)) == ("50:5 70:3", set())


def test_persons_too_are_as_their_newest_file_says(files: Vendor) -> None:
    vendor = files
    mapping = KEYED.replace('path = "people.csv"', 'path = "people*.csv"\nmade = "people-%d-%m-%Y.csv"')
    vendor.write("results.csv", HEADER)
    (vendor.directory / "people.csv").rename(vendor.directory / "people-01-03-2020.csv")
    vendor.write("people-02-02-2020.csv", PEOPLE.replace("ZQX-1,f", "ZQX-1,m"))
    sexes = "SELECT sex FROM patients ORDER BY birth_month"
    for late in (None, "people-03-01-2020.csv"):
        if late:
            vendor.write(late, PEOPLE.replace("ZQX-1,f", "ZQX-1,m").replace("ZQX-2,m", "ZQX-2,f"))
        landed(vendor, mapping)
        with Landing.of(vendor.home / "landing", "vendor").reading() as connection:
            found = "".join(row[0] for row in connection.execute(sexes).fetchall())
        assert found == "FFMFMM"


def test_a_key_that_is_no_records_name_moves_nothing(files: Vendor) -> None:
    """Two practices count their results from 1: the second one's would take the first one's away."""
    vendor = files
    vendor.write("results.csv", HEADER + "".join(f"{n},ZQX-1,{n},chol,4\n" for n in range(30)))
    before = landed(vendor)[1]
    vendor.write("results.csv", HEADER + "".join(f"{n},ZQX-3,{n},chol,5\n" for n in range(30)))
    with pytest.raises(KeyOfMany, match=r"30 of 30 rows of lab_results .* names the practice"):
        landed(vendor)
    vendor.write("results.csv", HEADER)
    assert landed(vendor)[1] == before
    vendor.write("results.csv", HEADER + "".join(f"{n},ZQX-3,{n},chol,5\n" for n in range(30)))
    told, _ = landed(vendor, MANY + "\n[limits]\nmax_rejected = 1\n")
    assert told.changes["lab_results"].moved == 30


def test_the_time_stamp_of_a_file_is_not_believed(files: Vendor) -> None:
    """Two days in one load, whose newer file was copied first."""
    for name, text, second in (("1", FIRST, 2_000_000_000), ("2", SECOND, 1_000_000_000)):
        files.write(f"results-{name}.csv", HEADER + text + "N3,ZQX-3,1,chol,2\n")
        os.utime(files.directory / f"results-{name}.csv", (second, second))
    told, found = landed(files)
    assert (found, len(aside(told))) == ("60:3 70:2", 2)

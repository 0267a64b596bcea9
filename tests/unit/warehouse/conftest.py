"""A tiny vendor (six people, two GPs, results and events) and the place of the shared data sets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from hub_config.warehouse.loader.load import LandedFiles, Loaded, Places, land, load
from hub_config.warehouse.loader.mapping import VendorMapping, read_mapping
from hub_config.warehouse.snapshot import Building, Snapshot, build_snapshot

SHARED = Path(__file__).parents[3].parent / "shared" / "data"

MAPPING = """
[source]
name = "vendor"
label = "A vendor"
reference_date = 2020-01-01
day_zero = 2000-01-01
dates = [1990-01-01, 2020-12-31]

[files.people]
path = "people.csv"

[files.results]
path = "results.csv"
missing = ["NA"]

[files.events]
path = "events.csv"

[[centres]]
id = "C1"
region = "R1"
label = "Centre ZQXLABEL"

[physicians]
column = "gp"
centre = { column = "centre", codes = { one = "C1" }, optional = true }

[patients]
file = "people"
id = "id"
sex = { column = "sex", codes = { m = "M", f = "F" } }
birth = { column = "born", as = "date" }
death = { column = "died", as = "date", optional = true }

[[rows]]
table = "lab_results"
file = "results"
person = "id"
where = { test = ["chol", "hdl"] }

[rows.columns]
date = { column = "day", as = "day" }
analyte = { column = "test", codes = { chol = "chol", hdl = "hdl" } }

[rows.measurement]
column = "value"
of = "analyte"
quantities.chol = { unit = "mmol/L", plausible = [1, 20] }
quantities.hdl = { unit = "mmol/L", unit_raw = "g/L", factor = 2.0, plausible = [0.2, 5] }
differ = [["chol", "hdl"]]

[[rows]]
table = "diagnoses"
file = "events"
person = "id"

[rows.columns]
date = { column = "on", as = "date" }
cisp2 = { column = "code" }
coding_source = { constant = "manual" }
"""

PEOPLE = """id,sex,born,died,gp,centre
ZQX-1,f,1950-03-15,,GPA,one
ZQX-2,m,1960-01-01,2019-06-30,GPA,one
ZQX-3,f,1970-12-31,,GPB,one
ZQX-4,m,1980-01-02,,,
ZQX-5,f,1928-02-29,,GPB,one
ZQX-6,m,2019-12-31,,GPA,one
"""
RESULTS = "id,day,test,value\nZQX-1,0,chol,5.25\nZQX-1,366,hdl,0.7\nZQX-2,1,chol,4\n"
EVENTS = "id,on,code\nZQX-1,2001-02-03,K86\nZQX-3,2019-01-01,T90\n"


@dataclass(frozen=True)
class Vendor:
    """The vendor's directory; change a file, then load."""

    directory: Path
    home: Path
    mapping: str = MAPPING

    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text, encoding="utf-8")

    def load(self, mapping: str = MAPPING, *, own_uids: bool = True) -> Loaded:
        places = Places(self.directory, self.warehouse, self.home / "keys")
        return load("vendor.toml", self.read(mapping), places, own_uids=own_uids)

    def land(self, mapping: str = MAPPING) -> LandedFiles:
        """A load without a snapshot, which is most of its time."""
        places = Places(self.directory, self.warehouse, self.home / "keys")
        return land("vendor.toml", self.read(mapping), places, own_uids=True)

    def read(self, mapping: str) -> VendorMapping:
        path = self.home / "vendor.toml"
        path.write_text(mapping, encoding="utf-8")
        return read_mapping(path)

    def rejected(self) -> set[tuple[str, int, str, str]]:
        """What the listing says after a load."""
        listing = self.load().snapshot.directory / "rejected.csv"
        with duckdb.connect() as connection:
            return set(
                connection.execute(
                    f"SELECT file, line, rule, \"column\" FROM read_csv('{listing}', all_varchar=true)"
                ).fetchall()
            )

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse"


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    vendor = Vendor(tmp_path / "export", tmp_path / "home")
    vendor.directory.mkdir()
    vendor.home.mkdir()
    for name, text in (("people.csv", PEOPLE), ("results.csv", RESULTS), ("events.csv", EVENTS)):
        vendor.write(name, text)
    return vendor


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Snapshot]:
    """Builds a snapshot of a few patients, or of what `fill` puts into the building."""

    def one(fill: Callable[[Building], object] = add_patients) -> Snapshot:
        with build_snapshot(tmp_path / "warehouse", source="test", synthetic=True, public=False) as building:
            fill(building)
            return building.finish(date(2020, 1, 1), date(2000, 1, 1), date(2020, 1, 1))

    return one


def add_patients(building: Building, count: int = 5) -> None:
    building.connection.execute(
        f"INSERT INTO patients BY NAME SELECT n AS patient_no, 0 AS physician_no FROM range({count}) t(n)"
    )


@pytest.fixture
def rows() -> Iterator[Callable[..., list[tuple[object, ...]]]]:
    """Runs a query on a snapshot's database."""

    def query(snapshot: Snapshot, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(snapshot.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    yield query


@pytest.fixture(scope="session")
def nafld_files() -> Path:
    """The directory of the shared data sets. Missing in CI is a failure: evidence would be missing too."""
    if not (SHARED / "nafld1.csv.gz").exists():
        message = f"nafld1.csv.gz is not in {SHARED}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return SHARED

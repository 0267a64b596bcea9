"""One load of a generated export, for `test_loading`: `python loading.py ROWS` prints its figures as JSON."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from hub_config.warehouse.loader.load import Places, land
from hub_config.warehouse.loader.mapping import read_mapping
from hub_config.warehouse.loader.validation import Validation  # Pandera's import is no part of the rate

MAPPING = """
[source]
name = "bench"
label = "Generated"
public = true
reference_date = 2024-01-01
dates = [1990-01-01, 2023-12-31]

[files.people]
path = "people.csv"

[files.results]
path = "results.csv"
decimal = ","

[[centres]]
id = "C1"
region = "R1"
label = "Centre"

[physicians]
column = "gp"
centre = { column = "centre", codes = { one = "C1" } }

[patients]
file = "people"
id = "id"
sex = { column = "sex", codes = { m = "M", f = "F" } }
birth = { column = "born", as = "date", format = "%d/%m/%Y" }

[[rows]]
table = "lab_results"
file = "results"
person = "id"
key = ["no"]

[rows.columns]
date = { column = "day", as = "date", format = "%d/%m/%Y" }
analyte = { column = "test", codes = { Chol = "chol", HDL = "hdl" } }

[rows.measurement]
column = "value"
of = "analyte"
quantities.chol = { unit = "mmol/L", plausible = [1, 20] }
quantities.hdl = { unit = "mmol/L", unit_raw = "g/L", factor = 2.5863, plausible = [0.2, 10] }
"""
PEOPLE = """
SELECT 'P' || i AS id, if(i % 2 = 0, 'm', 'f') AS sex, '01/02/' || (1930 + i % 70) AS born,
    'G' || i % 200 AS gp, 'one' AS centre FROM range({people}) t(i)
"""
RESULTS = """
SELECT 'N' || i AS no, 'P' || hash(i) % {people} AS id,
    strftime(DATE '2005-01-01' + (i % 6000)::INT, '%d/%m/%Y') AS day, if(i % 3 = 0, 'HDL', 'Chol') AS test,
    if(i % 997 = 0, 'néant', (1 + i % 9) || ',' || i % 100) AS value FROM range({rows}) t(i)
"""


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "bench.toml").write_text(MAPPING, encoding="utf-8")
        people = max(1000, rows // 100)
        for file, query in (("people", PEOPLE), ("results", RESULTS)):
            with duckdb.connect() as connection:
                connection.execute(
                    f"COPY ({query.format(people=people, rows=rows)}) TO '{home / file}.csv' (HEADER)"
                )
        started, cpu = time.perf_counter(), time.process_time()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        places = Places(home, home / "warehouse", home / "keys")
        landed = land("bench.toml", read_mapping(home / "bench.toml"), places, own_uids=True)
        cpu, seconds = time.process_time() - cpu, time.perf_counter() - started
    total = sum(file.rows for file in landed.files)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = {"rows": total, "per_second": total / seconds, "per_cpu_second": total / cpu}
    print(
        json.dumps({**figures, "mb_before": before / 1024, "mb_peak": peak / 1024, "by": Validation.__name__})
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))

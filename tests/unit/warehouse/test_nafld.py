"""Real people, published figures: NAFLD through the shipped mapping, and its Cox model."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from hub_config.warehouse.loader.load import Loaded, Places, load
from hub_config.warehouse.loader.mapping import read_mapping
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.snapshot import Snapshot, check_snapshot

Rows = Callable[[Snapshot, str], list[tuple[object, ...]]]

COX = """
SELECT p.age, (p.sex = 'M')::int AS male, b.value AS bmi,
       o.end_date - o.start_date AS futime, (o.end_reason = 'death')::int AS status
FROM patients p
JOIN observation_periods o USING (patient_no)
JOIN biometrics b USING (patient_no)
WHERE b.measure = 'bmi' AND b.value IS NOT NULL
"""


@pytest.fixture(scope="module")
def loaded(nafld_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    home = tmp_path_factory.mktemp("home")
    mapping = read_mapping(Path(str(files("hub_config.warehouse") / "mappings" / "nafld.toml")))
    return load("nafld.toml", mapping, Places(nafld_files, home / "warehouse", home / "keys"), own_uids=False)


def test_every_row_arrives_but_events_after_death(loaded: Loaded) -> None:
    counts = loaded.snapshot.manifest.rows
    assert counts["patients"] == counts["observation_periods"] == 17_549
    assert counts["lab_results"] == 161_258 + 161_259 + 3_738
    assert counts["biometrics"] == 2 * 33_430 + 12_763 + 14_381 + 12_588
    assert counts["history"] == 7_008
    assert counts["diagnoses"] == 34_340 - 9
    assert loaded.rejected == {Rule.AFTER_DEATH: 9}
    assert (counts["physicians"], counts["centres"]) == (60, 6)
    check_snapshot(loaded.snapshot)


def test_it_is_public_and_not_synthetic(loaded: Loaded) -> None:
    manifest = loaded.snapshot.manifest
    assert (manifest.public, manifest.synthetic, manifest.source) == (True, False, "mapping nafld")


def test_people_are_the_same_multiset_as_in_the_file(loaded: Loaded, nafld_files: Path) -> None:
    """Age, sex, follow-up and the body-mass index to the last bit, whoever has which number."""
    with gzip.open(nafld_files / "nafld1.csv.gz", "rt") as file:
        source = pd.read_csv(file, float_precision="round_trip")
    complete = source.dropna(subset=["bmi"])
    expected = Counter(
        zip(*(complete[name] for name in ("age", "male", "bmi", "futime", "status")), strict=True)
    )
    with duckdb.connect(str(loaded.snapshot.database), read_only=True) as connection:
        assert Counter(connection.execute(COX).fetchall()) == expected


def test_the_cox_model_has_the_published_coefficients(loaded: Loaded) -> None:
    with duckdb.connect(str(loaded.snapshot.database), read_only=True) as connection:
        people = connection.execute(COX).df()
    model = CoxPHFitter().fit(people, "futime", "status")
    assert len(people) == 12_588
    assert model.params_["age"] == pytest.approx(0.1006011, abs=1e-6)
    assert model.params_["male"] == pytest.approx(0.3661405, abs=1e-6)
    assert model.params_["bmi"] == pytest.approx(0.0170224, abs=1e-6)
    assert model.log_likelihood_ == pytest.approx(-7988.33, abs=0.005)
    assert model.concordance_index_ == pytest.approx(0.82696, abs=5e-6)


def test_events_have_their_codes(loaded: Loaded, rows: Rows) -> None:
    top = "SELECT cisp2, count(*) FROM diagnoses GROUP BY cisp2 ORDER BY 2 DESC LIMIT 5"
    assert rows(loaded.snapshot, top) == [
        ("T93", 10462),
        ("K86", 7097),
        ("D97", 3864 - 9),
        ("T90", 3452),
        ("K74", 2235),
    ]


def test_implausible_pressures_keep_their_raw_text_only(loaded: Loaded, rows: Rows) -> None:
    absurd = (
        "SELECT DISTINCT value, dq_code FROM biometrics "
        "WHERE measure = 'sbp' AND value_raw IN ('0', '1342', '13682')"
    )
    assert rows(loaded.snapshot, absurd) == [(None, "out_of_range")]


def test_the_copied_columns_of_the_published_files_are_marked(loaded: Loaded, rows: Rows) -> None:
    """Every `dbp` equals the `sbp`, every `chol` the `hdl` of its person and day: a defect of the source."""
    unmarked = (
        "SELECT count(*) FROM (SELECT dq_code FROM biometrics WHERE measure = 'dbp' "
        "UNION ALL SELECT dq_code FROM lab_results WHERE analyte = 'chol') "
        "WHERE dq_code NOT IN ('copied_value', 'out_of_range')"
    )
    assert rows(loaded.snapshot, unmarked) == [(0,)]


def test_every_invented_physician_has_patients_in_one_centre(loaded: Loaded, rows: Rows) -> None:
    practices = (
        "SELECT count(*), min(centres), max(centres), min(people) > 200 FROM "
        "(SELECT physician_no, count(DISTINCT centre_id) AS centres, count(*) AS people "
        "FROM patients GROUP BY physician_no)"
    )
    assert rows(loaded.snapshot, practices) == [(60, 1, 1, True)]

"""Preset A counts what the published dashboards counted, to the row, before objections."""

from __future__ import annotations

from datetime import date

import pytest

from hub_config.warehouse.snapshot import Snapshot
from hub_config.warehouse.synthesis.training import PUBLISHED_INTERN

from .conftest import Ask

TABLES = {
    "patients": 26_125,
    "physicians": 51,
    "consultations": 1_306_535,
    "biometrics": 501_023,
    "lab_results": 2_355_464,
    "reasons": 262_352,
    "vaccinations": 12_268,
}
RECORDS = {"antecedent": 13_566, "historique": 101_850}
TOP_20 = [
    *(("K86", 3934), ("R74", 3553), ("SC", 2587), ("R78", 2564), ("L03", 2397), ("T90", 2253), ("A62", 2047)),
    *(
        ("R05", 1990),
        ("P76", 1917),
        ("P06", 1889),
        ("A44", 1642),
        ("A50", 1639),
        ("L86", 1517),
        ("R75", 1443),
    ),
    *(("R76", 1403), ("L99", 1268), ("T93", 1237), ("L15", 1206), ("L87", 1178), ("U71", 1135)),
]
ONE_INTERN = [
    *(("R74", 507), ("R77", 253), ("R75", 226), ("H71", 204), ("R76", 148), ("L87", 119), ("R80", 117)),
    *(
        ("SC", 112),
        ("D73", 111),
        ("L03", 111),
        ("R78", 102),
        ("K86", 96),
        ("U71", 94),
        ("R81", 86),
        ("L99", 67),
    ),
    *(("H72", 65), ("S88", 61), ("H81", 56), ("L86", 56), ("H70", 53)),
]


@pytest.mark.parametrize("table", TABLES)
def test_tables_have_the_published_rows(table: str, preset_a: Snapshot, ask: Ask) -> None:
    assert ask(f"SELECT count(*) FROM {table}") == [(TABLES[table],)]
    assert preset_a.manifest.rows[table] == TABLES[table]


def test_history_has_the_published_registers(ask: Ask) -> None:
    assert dict(ask("SELECT record, count(*) FROM history GROUP BY 1")) == RECORDS


def test_the_top_20_diagnoses_are_the_published_ones_in_their_order(ask: Ask) -> None:
    ranked = ask("SELECT cisp2, count(*) AS n FROM diagnoses GROUP BY 1 ORDER BY n DESC")
    assert ranked[:20] == TOP_20
    assert ranked[20][1] < TOP_20[-1][1]


def test_one_interns_own_problems_are_the_published_ones(ask: Ask) -> None:
    counts = ask(
        f"SELECT cisp2, count(*) AS n FROM training_log WHERE intern_no = {PUBLISHED_INTERN} "
        "GROUP BY 1 ORDER BY n DESC, cisp2"
    )
    assert counts == ONE_INTERN
    (busiest,) = ask("SELECT physician_no FROM consultations GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    trainers = f"SELECT DISTINCT physician_no FROM training_log WHERE intern_no = {PUBLISHED_INTERN}"
    assert ask(trainers) == [busiest]


def test_other_trainers_have_one_intern_a_semester(ask: Ask) -> None:
    others = f"FROM training_log WHERE intern_no != {PUBLISHED_INTERN}"
    assert ask("SELECT count(*) FROM training_log WHERE intern_no IS NULL") == [(0,)]
    ((trainers, interns),) = ask(f"SELECT count(DISTINCT physician_no), count(DISTINCT intern_no) {others}")
    assert interns > 3 * trainers
    days = f"SELECT date_diff('day', min(date), max(date)) AS days {others} GROUP BY intern_no"
    assert ask(f"SELECT max(days) < 184 FROM ({days})") == [(True,)]
    shared = f"SELECT 1 {others} GROUP BY intern_no HAVING count(DISTINCT physician_no) > 1"
    assert ask(f"SELECT count(*) FROM ({shared})") == [(0,)]


def test_preset_a_is_one_region_with_five_gps_a_centre_after_the_withdrawal(ask: Ask) -> None:
    assert ask("SELECT count(DISTINCT region), count(*) FROM centres") == [(1, 5)]
    left = (
        "SELECT centre_id, count(*) AS n FROM physicians "
        "ANTI JOIN objections USING (physician_no) GROUP BY 1 ORDER BY n"
    )
    assert ask(left)[0][1] >= 5


def test_the_calendar_is_2000_to_2022_and_grows(preset_a: Snapshot, ask: Ask) -> None:
    assert (preset_a.manifest.first_date, preset_a.manifest.last_date) == (
        date(2000, 1, 1),
        date(2022, 12, 31),
    )
    years = dict(ask("SELECT year(date), count(*) FROM consultations GROUP BY 1"))
    assert sorted(years) == list(range(2000, 2023))
    assert years[2005] < years[2010] < years[2015] < years[2019] < years[2022]


def test_the_manifest_says_synthetic(preset_a: Snapshot) -> None:
    manifest = preset_a.manifest
    assert (manifest.synthetic, manifest.public, manifest.source) == (True, False, "preset A")
    assert manifest.reference_date == manifest.last_date

"""What every reader of the snapshot may rely on: keys, observed dates, the catalogue's codes and bounds."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import Any

import numpy as np
import pytest
from pytest import approx

from hub_config.warehouse.synthesis.arrays import NEVER, months
from hub_config.warehouse.synthesis.practices import found_practices
from hub_config.warehouse.synthesis.presets import Preset, plan_of
from p4dp_sdk.catalogue import Role, Table, Unit, load_catalogue
from p4dp_sdk.catalogue.reference.iotf import weight_status

from .conftest import Ask

TABLES = load_catalogue().tables
SYSTEMS = load_catalogue().code_systems
PERSON = [t.name for t in TABLES.values() if t.unit is Unit.PERSON and not t.snds]
OF_CONSULTATIONS = [
    t.name for t in TABLES.values() if t.has("consultation_id") and t.name not in ("consultations",)
]
OBSERVED = [
    *("consultations", "diagnoses", "reasons", "procedures", "prescriptions", "biometrics", "lab_results"),
    "training_log",
]
CODED = [
    (t.name, c.stored_as, c.codes)
    for t in TABLES.values()
    for c in t.columns
    if c.role is Role.CODE and c.codes and not SYSTEMS[c.codes].site
]
NUMERIC = [(t.name, c.stored_as, c.bounds) for t in TABLES.values() for c in t.columns if c.bounds]


@pytest.mark.parametrize("table", PERSON)
def test_rows_are_of_known_patients_and_gps(table: str, ask: Ask) -> None:
    assert ask(f"SELECT count(*) FROM {table} ANTI JOIN patients USING (patient_no)") == [(0,)]
    unknown = f"SELECT count(*) FROM {table} ANTI JOIN physicians USING (physician_no)"
    assert ask(f"{unknown} WHERE physician_no IS NOT NULL") == [(0,)]
    assert ask(f"SELECT count(*) FROM {table} ANTI JOIN centres USING (centre_id)") == [(0,)]


@pytest.mark.parametrize("table", OF_CONSULTATIONS)
def test_rows_repeat_their_consultation(table: str, ask: Ask) -> None:
    columns = "consultation_id, patient_no, physician_no, centre_id, date"
    assert ask(f"SELECT count(*) FROM {table} ANTI JOIN consultations USING ({columns})") == [(0,)]


@pytest.mark.parametrize("table", PERSON)
def test_rows_lie_by_patient(table: str, ask: Ask) -> None:
    back = f"SELECT patient_no < lag(patient_no) OVER (ORDER BY rowid) AS back FROM {table}"
    assert ask(f"SELECT count(*) FROM ({back}) WHERE back") == [(0,)]


def test_numbers_are_dense(ask: Ask) -> None:
    for table, column in (
        ("patients", "patient_no"),
        ("physicians", "physician_no"),
        ("consultations", "consultation_id"),
    ):
        distinct, low, high, rows = ask(
            f"SELECT count(DISTINCT {column}), min({column}), max({column}), count(*) FROM {table}"
        )[0]
        assert (distinct, low, high) == (rows, 0, rows - 1)


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.key], ids=lambda t: t.name)
def test_no_two_rows_share_a_tables_key(table: Table, ask: Ask) -> None:
    """Joins on the key are taken to multiply no row."""
    assert table.key
    key = table.column(table.key).stored_as
    assert ask(f"SELECT count(DISTINCT {key}) = count(*) FROM {table.name}") == [(True,)]


def test_a_rows_centre_is_its_gps(ask: Ask) -> None:
    for table in PERSON:
        elsewhere = (
            f"FROM {table} JOIN physicians AS p USING (physician_no) WHERE {table}.centre_id != p.centre_id"
        )
        assert ask(f"SELECT count(*) {elsewhere}") == [(0,)]


@pytest.mark.parametrize("table", OBSERVED)
def test_events_fall_inside_an_observation_period(table: str, ask: Ask) -> None:
    inside = "p.patient_no = t.patient_no AND t.date BETWEEN p.start_date AND p.end_date"
    assert ask(f"SELECT count(*) FROM {table} AS t ANTI JOIN observation_periods AS p ON {inside}") == [(0,)]


def test_only_dates_written_vaguely_fall_outside_observation(ask: Ask) -> None:
    inside = "p.patient_no = t.patient_no AND t.date BETWEEN p.start_date AND p.end_date"
    for table in ("vaccinations", "history"):
        outside = f"FROM {table} AS t ANTI JOIN observation_periods AS p ON {inside}"
        assert ask(f"SELECT count(*) {outside} WHERE date_precision = 'day'") == [(0,)]
        assert ask(f"SELECT min(date) >= '2000-01-01', max(date) <= '2022-12-31' FROM {table}") == [
            (True, True)
        ]


def test_observation_periods_are_ordered_and_apart(ask: Ask) -> None:
    assert ask("SELECT count(*) FROM observation_periods WHERE end_date < start_date") == [(0,)]
    overlap = (
        "SELECT start_date <= lag(end_date) OVER (PARTITION BY patient_no ORDER BY start_date) AS overlap "
        "FROM observation_periods"
    )
    assert ask(f"SELECT count(*) FROM ({overlap}) WHERE overlap") == [(0,)]
    assert ask("SELECT count(*) FROM patients ANTI JOIN observation_periods USING (patient_no)") == [(0,)]
    assert {reason for (reason,) in ask("SELECT DISTINCT end_reason FROM observation_periods")} == {
        *("last_export", "software_gap", "silence", "inactive", "death", "withdrawal")
    }


def test_what_practices_did_not_record_is_found_from_their_exports_and_contacts(ask: Ask) -> None:
    """Every silence and change of software that was planted, and none that was not."""
    plan = plan_of(Preset.A)
    practices = found_practices(plan.physicians, plan.first_date, plan.last_date, 0)
    for activity, first, last in (
        ("silent", practices.silent_first, practices.silent_last),
        ("software_gap", practices.gap_first, practices.gap_last),
    ):
        planted = {
            (int(practice), month)
            for practice in np.flatnonzero(first < NEVER)
            for month in whole_months(first[practice], last[practice])
        }
        found = ask(
            "SELECT physician_no, datediff('month', DATE '1970-01-01', month) FROM practice_months "
            f"WHERE activity = '{activity}'"
        )
        assert set(found) == planted
        assert len({practice for practice, _ in planted}) >= 3


def whole_months(first: int, last: int) -> list[int]:
    """Those of which all days lie from `first` to `last`, counted from January 1970."""
    before, after = months(np.array([first - 1, last + 1]))
    return list(range(int(before) + 1, int(after)))


def test_deaths_end_observation_and_say_who_knew_of_them(ask: Ask) -> None:
    dead = "FROM patients WHERE death_month IS NOT NULL"
    assert ask(f"SELECT count(*) {dead} AND death_source IS NULL") == [(0,)]
    said = {source for (source,) in ask(f"SELECT DISTINCT death_source {dead}")}
    assert said == {"practice", "snds", "unknown"}
    assert ask("SELECT count(death_source) FROM patients WHERE death_month IS NULL") == [(0,)]
    ended = ask("SELECT count(*) FROM observation_periods WHERE end_reason = 'death'")[0][0]
    assert ended > 0.9 * ask(f"SELECT count(*) {dead}")[0][0]


def test_nobody_is_seen_before_birth_or_after_death(ask: Ask) -> None:
    seen = "FROM consultations JOIN patients USING (patient_no)"
    assert ask(f"SELECT count(*) {seen} WHERE date < birth_month") == [(0,)]
    assert ask(f"SELECT count(*) {seen} WHERE date >= death_month + INTERVAL 1 MONTH") == [(0,)]
    assert ask("SELECT count(*) FROM patients WHERE death_month IS NOT NULL")[0][0] > 500


def test_age_and_band_agree_with_the_month_of_birth(ask: Ask) -> None:
    until = "coalesce(death_month, DATE '2022-12-01')"
    assert ask(f"SELECT count(*) FROM patients WHERE age != datesub('year', birth_month, {until})") == [(0,)]
    band = "CASE WHEN age >= 90 THEN '90+' ELSE printf('%02d-%02d', age // 10 * 10, age // 10 * 10 + 9) END"
    assert ask(f"SELECT count(*) FROM patients WHERE age_band != {band}") == [(0,)]


@pytest.mark.parametrize(("table", "column", "system"), CODED)
def test_every_code_is_in_its_code_system(table: str, column: str, system: str, ask: Ask) -> None:
    codes = {code.code for code in SYSTEMS[system].codes}
    emitted = {code for (code,) in ask(f'SELECT DISTINCT "{column}" FROM {table}') if code is not None}
    assert emitted <= codes


def test_every_cisp2_code_emitted_has_a_label_of_its_own(ask: Ask) -> None:
    labels = {code.code: code.label_fr for code in SYSTEMS["cisp2"].codes}
    for table in ("diagnoses", "reasons", "procedures", "history"):
        emitted = {code for (code,) in ask(f"SELECT DISTINCT cisp2 FROM {table}")}
        assert not [code for code in emitted if labels[code].endswith(f"{code})")]


@pytest.mark.parametrize(("table", "column", "bounds"), NUMERIC)
def test_numbers_are_within_the_catalogues_bounds(
    table: str, column: str, bounds: tuple[float, float], ask: Ask
) -> None:
    low, high = bounds
    assert ask(f"SELECT count(*) FROM {table} WHERE {column} NOT BETWEEN {low} AND {high}") == [(0,)]


def test_codes_carry_their_source_version_and_confidence(ask: Ask) -> None:
    for table in ("diagnoses", "reasons"):
        assert ask(f"SELECT count(*) FROM {table} WHERE (cisp2 = 'SC') != (coding_source = 'none')") == [(0,)]
        automatic = "(coding_source = 'automatic')"
        assert ask(f"SELECT count(*) FROM {table} WHERE {automatic} != (coding_version != 'none')") == [(0,)]
        assert ask(f"SELECT count(*) FROM {table} WHERE {automatic} != (coding_confidence IS NOT NULL)") == [
            (0,)
        ]


def test_no_code_falls_twice_on_a_consultation(ask: Ask) -> None:
    for table, code in (("diagnoses", "cisp2"), ("reasons", "cisp2"), ("prescriptions", "atc")):
        twice = f"SELECT 1 FROM {table} GROUP BY consultation_id, {code} HAVING count(*) > 1"
        assert ask(f"SELECT count(*) FROM ({twice})") == [(0,)]


@pytest.mark.parametrize("table", ["diagnoses", "reasons", "procedures", "history", "training_log"])
def test_sexed_codes_fall_on_their_sex(table: str, ask: Ask) -> None:
    wrong = "(sex = 'M' AND cisp2[1] IN ('W', 'X')) OR (sex = 'F' AND cisp2[1] = 'Y' AND kind != 'family')"
    kind = "kind" if table == "history" else "''"
    rows = f"(SELECT patient_no, cisp2, {kind} AS kind FROM {table})"
    assert ask(f"SELECT count(*) FROM {rows} JOIN patients USING (patient_no) WHERE {wrong}") == [(0,)]


def test_a_few_people_object_and_one_gp_withdrew(ask: Ask) -> None:
    patients, physicians, neither = ask(
        "SELECT count(patient_no), count(physician_no), "
        "count(*) FILTER ((patient_no IS NULL) = (physician_no IS NULL)) FROM objections"
    )[0]
    assert (patients, physicians, neither) == (26, 1, 0)
    withdrawn = "SELECT DISTINCT physician_no FROM observation_periods WHERE end_reason = 'withdrawal'"
    assert ask(withdrawn) == ask("SELECT physician_no FROM objections WHERE physician_no IS NOT NULL")


def test_body_mass_is_what_a_plain_reading_of_biometrics_gives(ask: Ask) -> None:
    """Worked out once more, in Python, row by row."""
    born = {no: (sex, month) for no, sex, month in ask("SELECT patient_no, sex, birth_month FROM patients")}
    pairs: dict[tuple[Any, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for patient, gp, day, what, value in ask(
        "SELECT patient_no, physician_no, date, measure, value FROM biometrics WHERE value IS NOT NULL"
    ):
        pairs[(patient, gp, day)][what].append(value)
    expected = {}
    for (patient, gp, day), found in pairs.items():
        if found["weight"] and found["height"]:
            weight, height = median(found["weight"]), median(found["height"])
            sex, month = born[patient]
            bmi = round(weight / (height / 100) ** 2, 6)  # 81 kg and 180 cm are 25, not a breath less
            months = 12 * (day.year - month.year) + day.month - month.month
            expected[(patient, gp, day)] = (approx(bmi, abs=1e-5), months, _status(sex, months, bmi))
    told = {
        (patient, gp, day): (bmi, months, status)
        for patient, gp, day, bmi, months, status in ask(
            "SELECT patient_no, physician_no, date, bmi, age_months, weight_status FROM body_mass"
        )
    }
    assert len(told) > 30_000
    assert told == expected


def _status(sex: str, months: int, bmi: float) -> str | None:
    if months >= 216:
        return (
            "underweight" if bmi < 18.5 else "normal" if bmi < 25 else "overweight" if bmi < 30 else "obese"
        )
    status = weight_status(sex, months, bmi)
    return None if status is None else status.value

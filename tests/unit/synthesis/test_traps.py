"""The traps of the published dashboards are planted at their rate, raw value kept, each with its rule."""

from __future__ import annotations

from math import sqrt

import pytest

from hub_config.warehouse.synthesis.people import DUPLICATE_RATE
from hub_config.warehouse.synthesis.traps import DOSE_NOTES, MISSING_PHYSICIAN_RATE, TRAPS, Rule

from .conftest import Ask

# The rows each rate is a share of.
AMONG = {
    Rule.HEIGHT_IN_METRES: ("biometrics", "measure = 'height'"),
    Rule.HEIGHT_IN_MILLIMETRES: ("biometrics", "measure = 'height'"),
    Rule.HEIGHT_ZSCORE: ("biometrics JOIN patients USING (patient_no)", "measure = 'height' AND {age} < 18"),
    Rule.BIRTH_WEIGHT_CARRIED: (
        "biometrics JOIN patients USING (patient_no)",
        "measure = 'weight' AND {age} >= 1 AND {age} < 10",
    ),
    Rule.OUT_OF_RANGE: ("lab_results", "true"),
    Rule.INR_OUT_OF_RANGE: ("lab_results", "analyte = 'inr'"),
    Rule.INR_NO_ANTICOAGULANT: ("lab_results", "analyte = 'inr'"),
    Rule.NOT_NUMERIC: ("lab_results", "true"),
    Rule.UNIT_MISSING: ("lab_results", "true"),
    Rule.EMPTY_VACCINATION: ("vaccinations", "true"),
    Rule.DOSE_NOTE: ("vaccinations", "true"),
    Rule.YEAR_PRECISION: ("vaccinations", "true"),
}
AGE = "(date_diff('day', birth_month, biometrics.date) / 365.25)"


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_planted_at_its_rate(rule: Rule, ask: Ask) -> None:
    """Within five standard deviations of chance, and slack for rows another trap took first.

    (Only weights measured alone are carried forward; units go missing only where none was converted.)
    """
    table, where = AMONG[rule]
    name = table.split()[0]
    counts = f"count(*), count(*) FILTER ({name}.dq_code = '{rule}')"
    rows, caught = ask(f"SELECT {counts} FROM {table} WHERE {where.format(age=AGE)}")[0]
    expected = rows * TRAPS[rule].rate
    slack = 0.6 if rule is Rule.BIRTH_WEIGHT_CARRIED else 0.25
    assert abs(caught - expected) <= 5 * sqrt(expected) + slack * expected
    assert caught > 0


def test_the_height_in_metres_shown_as_a_bmi_of_212278_is_there_and_harmonised(ask: Ask) -> None:
    rows = ask(
        "SELECT measure, value_raw, value, unit_raw, dq_code FROM biometrics JOIN "
        "(SELECT patient_no, date FROM biometrics WHERE value_raw = '212278.88') USING (patient_no, date) "
        "WHERE measure IN ('weight', 'height', 'bmi') ORDER BY measure"
    )
    assert ("bmi", "212278.88", None, "kg/m2", "bmi_bad_height") in rows
    assert ("height", "1.55", 155.0, "cm", "height_in_metres") in rows
    assert ("weight", "51", 51.0, "kg", "ok") in rows


def test_the_height_in_millimetres_shown_as_a_bmi_of_0_32_is_there(ask: Ask) -> None:
    rows = ask("SELECT value_raw, value FROM biometrics WHERE dq_code = 'height_in_millimetres'")
    assert ("1435", 143.5) in rows
    assert ask("SELECT count(*) > 0 FROM biometrics WHERE measure = 'bmi' AND value_raw = '0.32'") == [
        (True,)
    ]


def test_a_corrected_height_is_a_persons(ask: Ask) -> None:
    rules = "('height_in_metres', 'height_in_millimetres')"
    low, high = ask(f"SELECT min(value), max(value) FROM biometrics WHERE dq_code IN {rules}")[0]
    assert 30 < low < high < 220


def test_a_birth_weight_is_carried_to_six_years(ask: Ask) -> None:
    case = f"measure = 'weight' AND value_raw = '3.58' AND value IS NULL AND floor({AGE}) = 6"
    assert ask(f"SELECT count(*) > 0 FROM biometrics JOIN patients USING (patient_no) WHERE {case}") == [
        (True,)
    ]


def test_impossible_inr_are_kept_raw_and_set_aside(ask: Ask) -> None:
    rows = ask("SELECT DISTINCT value_raw, value FROM lab_results WHERE dq_code = 'inr_out_of_range'")
    assert sorted(rows) == [("0", None), ("0.23", None)]


def test_inr_without_anticoagulant_is_near_one_in_young_adults(ask: Ask) -> None:
    inr, age = ask(
        "SELECT avg(value), median(date_diff('year', birth_month, date)) FROM lab_results "
        "JOIN patients USING (patient_no) WHERE lab_results.dq_code = 'inr_no_anticoagulant'"
    )[0]
    assert inr == pytest.approx(1.02, abs=0.02)
    assert 19 < age < 35


def test_what_is_set_aside_keeps_its_raw_value(ask: Ask) -> None:
    for table in ("biometrics", "lab_results"):
        assert ask(f"SELECT count(*) FROM {table} WHERE value_raw IS NULL") == [(0,)]
    aside = "value IS NULL"
    rules = ask(
        f"SELECT DISTINCT dq_code FROM (SELECT dq_code, value FROM biometrics UNION ALL "
        f"SELECT dq_code, value FROM lab_results) WHERE {aside}"
    )
    assert {rule for (rule,) in rules} == {
        *("bmi_bad_height", "height_zscore", "birth_weight_carried", "out_of_range", "inr_out_of_range"),
        "not_numeric",
    }


def test_converted_units_convert_back(ask: Ask) -> None:
    wrong = (
        "SELECT count(*) FROM lab_results WHERE dq_code = 'unit_converted' AND analyte = 'glucose' "
        "AND (unit_raw != 'g/L' OR abs(value - CAST(value_raw AS DOUBLE) / 0.18016) > 0.01)"
    )
    assert ask(wrong) == [(0,)]
    assert ask("SELECT count(*) FROM lab_results WHERE dq_code = 'ok' AND unit != unit_raw") == [(0,)]


def test_empty_vaccinations_and_notes_have_no_code(ask: Ask) -> None:
    no_code = "dq_code IN ('empty_vaccination', 'dose_note')"
    assert ask(f"SELECT count(*) FROM vaccinations WHERE (atc IS NULL) != ({no_code})") == [(0,)]
    empty = "SELECT count(*) FROM vaccinations WHERE (dq_code = 'empty_vaccination') != (label_raw IS NULL)"
    assert ask(empty) == [(0,)]
    notes = {note for (note,) in ask("SELECT label_raw FROM vaccinations WHERE dq_code = 'dose_note'")}
    assert DOSE_NOTES[0] in notes <= set(DOSE_NOTES)


def test_dates_on_the_first_of_january_say_their_precision(ask: Ask) -> None:
    for table in ("vaccinations", "history"):
        wrong = "date_precision = 'year' AND (month(date) != 1 OR day(date) != 1)"
        assert ask(f"SELECT count(*) FROM {table} WHERE {wrong}") == [(0,)]
    share = ask("SELECT avg(CAST(date_precision = 'year' AS INT)) FROM history")[0][0]
    assert share == pytest.approx(0.12, abs=0.01)
    assert ask("SELECT count(*) FROM history WHERE (date IS NULL) != (date_precision = 'unknown')") == [(0,)]


def test_some_people_are_two_patients(ask: Ask) -> None:
    marked = ask("SELECT count(*) FROM patients WHERE dq_code = 'possible_duplicate'")[0][0]
    assert marked == 2 * int(26_125 * DUPLICATE_RATE / 2)
    twin = "b.sex = a.sex AND b.birth_month = a.birth_month AND b.physician_no != a.physician_no"
    alone = (
        f"SELECT count(*) FROM (SELECT * FROM patients WHERE dq_code = 'possible_duplicate') AS a "
        f"ANTI JOIN patients AS b ON b.dq_code = 'possible_duplicate' AND {twin}"
    )
    assert ask(alone) == [(0,)]


def test_some_results_came_without_their_gp(ask: Ask) -> None:
    share = ask("SELECT avg(CAST(physician_no IS NULL AS INT)) FROM lab_results")[0][0]
    assert share == pytest.approx(MISSING_PHYSICIAN_RATE, rel=0.2)

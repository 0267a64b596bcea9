"""Each rule on rows written by hand: what it catches, what it lets be, what it does to the value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.warehouse.quality import judge
from hub_config.warehouse.schema import create_table
from p4dp_sdk.catalogue.load import load_catalogue

LAST: Final = date(2022, 12, 31)
DAY: Final = date(2020, 6, 15)
CHILD: Final = date(2014, 6, 1)  # 72 months old on DAY
ADULT: Final = date(1970, 6, 1)
UNITS: Final = {"weight": "kg", "height": "cm", "bmi": "kg/m2", "sbp": "mm[Hg]", "dbp": "mm[Hg]"}


class Book:
    """An empty snapshot: patient 0 is a girl of 6 on DAY, 1 an adult, 2 a man who died in May 2020."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        for name in ("patients", "biometrics", "lab_results", "vaccinations", "history", "prescriptions"):
            self.connection.execute(create_table(load_catalogue().tables[name]))
        for no, sex, born, died in (
            (0, "F", CHILD, None),
            (1, "F", ADULT, None),
            (2, "M", ADULT, date(2020, 5, 1)),
        ):
            self.put("patients", patient_no=no, physician_no=0, sex=sex, birth_month=born, death_month=died)

    def put(self, table: str, **columns: Any) -> None:
        names = ", ".join(f"? AS {name}" for name in columns)
        self.connection.execute(f"INSERT INTO {table} BY NAME SELECT {names}", list(columns.values()))

    def measured(self, measure: str, raw: str | None, **more: Any) -> None:
        """A row as a loader leaves it: the number read, nothing judged."""
        given = {"unit": UNITS.get(measure, "/min"), "date": DAY, "patient_no": 0, "dq_code": "ok"} | more
        given.setdefault("value", _number(raw))
        given.setdefault("unit_raw", given["unit"])
        self.put("biometrics", measure=measure, value_raw=raw, physician_no=0, **given)

    def result(self, analyte: str, raw: str | None, unit: str, **more: Any) -> None:
        given = {
            "date": DAY,
            "patient_no": 1,
            "dq_code": "ok",
            "value": _number(raw),
            "unit_raw": unit,
        } | more
        self.put("lab_results", analyte=analyte, value_raw=raw, unit=unit, physician_no=0, **given)

    def dose(self, label: str | None, atc: str | None = "J07CA01", **more: Any) -> None:
        given = {"date": DAY, "patient_no": 1, "date_precision": "day", "dq_code": "ok"} | more
        self.put("vaccinations", label_raw=label, atc=atc, physician_no=0, **given)

    def judged(self, table: str, columns: str = "value, dq_code", rows_at_once: int = 1000) -> list[Any]:
        judge(self.connection, LAST, rows_at_once)
        return self.connection.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()


def _number(raw: str | None) -> float | None:
    try:
        return float(raw) if raw else None
    except ValueError:
        return None


@pytest.fixture
def book() -> Iterator[Book]:
    book = Book()
    yield book
    book.connection.close()


@pytest.mark.parametrize(
    ("measure", "raw", "patient", "expected"),
    [
        ("height", "1.55", 1, (155.0, "height_in_metres")),
        ("height", "1.16", 0, (116.0, "height_in_metres")),
        ("height", "1.75", 0, (None, "height_zscore")),  # no girl of 6: a metre is no remedy
        ("height", "1435", 1, (143.5, "height_in_millimetres")),
        ("height", "11600", 0, (None, "height_zscore")),
        ("height", "116", 0, (116.0, "ok")),
        ("height", "155", 0, (None, "height_zscore")),
        ("height", "155", 1, (155.0, "ok")),
        ("height", "25", 1, (None, "out_of_range")),
        ("weight", "3.58", 0, (None, "birth_weight_carried")),
        ("weight", "20.4", 0, (20.4, "ok")),
        ("weight", "20400", 0, (20.4, "weight_in_grams")),
        ("weight", "2", 1, (None, "birth_weight_carried")),
        ("weight", "10", 1, (None, "out_of_range")),
        ("weight", "399", 1, (399.0, "ok")),
        ("weight", "90000000", 1, (None, "out_of_range")),
        ("bmi", "212278.88", 0, (None, "out_of_range")),
        ("bmi", "0.32", 0, (None, "out_of_range")),
        ("bmi", "31.5", 0, (31.5, "ok")),
        ("sbp", "1342", 1, (None, "out_of_range")),
        ("sbp", "134", 1, (134.0, "ok")),
        ("sbp", "haute", 1, (None, "not_numeric")),
        ("head", "52", 0, (52.0, "ok")),
    ],
)
def test_measurements(book: Book, measure: str, raw: str, patient: int, expected: tuple[float, str]) -> None:
    book.measured(measure, raw, patient_no=patient, unit="cm" if measure == "head" else UNITS[measure])
    assert book.judged("biometrics") == [expected]


def test_the_bmi_of_a_wrong_height_is_set_aside_whatever_it_is(book: Book) -> None:
    book.measured("height", "1.16")
    book.measured("bmi", "15.2")
    book.measured("bmi", "15.2", date=date(2020, 6, 16))
    assert book.judged("biometrics", "dq_code") == [("height_in_metres",), ("bmi_bad_height",), ("ok",)]


def test_what_a_loader_set_aside_is_looked_at_once_more_for_its_unit(book: Book) -> None:
    book.measured("height", "1,55", patient_no=1, value=None, dq_code="out_of_range")
    book.measured("sbp", "1342", patient_no=1, value=None, dq_code="out_of_range")
    assert book.judged("biometrics") == [(155.0, "height_in_metres"), (None, "out_of_range")]


def test_of_several_rules_one_that_puts_right_goes_before_one_that_marks(book: Book) -> None:
    book.measured("height", "1.75", patient_no=2)  # after his death
    assert book.judged("biometrics") == [(175.0, "height_in_metres")]


def test_what_somebody_judged_stays(book: Book) -> None:
    book.measured("height", "1.55", patient_no=1, dq_code="copied_value")
    assert book.judged("biometrics") == [(1.55, "copied_value")]


def test_nothing_is_set_aside_whose_exported_text_was_not_kept(book: Book) -> None:
    book.measured("height", None, value=1.55, patient_no=1)
    assert book.judged("biometrics") == [(1.55, "ok")]


@pytest.mark.parametrize(
    ("day", "patient", "expected"),
    [
        (date(2023, 1, 1), 1, (None, "future_date")),
        (LAST, 1, (70.0, "ok")),
        (date(1969, 12, 31), 1, (None, "before_birth")),
        (date(2020, 5, 31), 2, (70.0, "ok")),
        (date(2020, 6, 1), 2, (70.0, "after_death")),
    ],
)
def test_dates(book: Book, day: date, patient: int, expected: tuple[float, str]) -> None:
    book.measured("weight", "70", date=day, patient_no=patient)
    assert book.judged("biometrics") == [expected]


@pytest.mark.parametrize(
    ("analyte", "raw", "unit", "unit_raw", "expected"),
    [
        ("inr", "0", "{INR}", "{INR}", (None, "inr_out_of_range")),
        ("inr", "0.23", "{INR}", "{INR}", (None, "inr_out_of_range")),
        ("inr", "2.4", "{INR}", "{INR}", (2.4, "ok")),
        ("glucose", "1", "mmol/L", "g/L", (pytest.approx(5.5506, abs=1e-4), "unit_converted")),
        ("glucose", "100", "mmol/L", "mg/dl", (pytest.approx(5.5506, abs=1e-4), "unit_converted")),
        ("glucose", "1,1", "mmol/L", "g/L", (pytest.approx(6.1057, abs=1e-4), "unit_converted")),
        ("glucose", "100", "mmol/L", "g/L", (None, "out_of_range")),  # mg/dL, written as g/L
        ("glucose", "5.5", "mmol/L", "bizarre", (None, "unit_unknown")),
        ("crp", "5", "mg/L", "mmol/L", (None, "unit_unknown")),
        ("hba1c", "53", "%", "mmol/mol", (pytest.approx(7.0, abs=0.01), "unit_converted")),
        ("chol", "<0,5", "mmol/L", "mmol/L", (None, "not_numeric")),
        ("leukocytes", "6.1", "10*9/L", "G/L", (6.1, "unit_converted")),
    ],
)
def test_results(book: Book, analyte: str, raw: str, unit: str, unit_raw: str, expected: Any) -> None:
    book.result(analyte, raw, unit, unit_raw=unit_raw)
    assert book.judged("lab_results") == [expected]


def test_a_value_already_converted_is_not_converted_again(book: Book) -> None:
    book.result("glucose", "1", "mmol/L", unit_raw="g/L", value=5.55, dq_code="unit_converted")
    book.result("glucose", "1.1", "mmol/L", unit_raw="g/L", value=6.11)
    assert book.judged("lab_results") == [(5.55, "unit_converted"), (6.11, "ok")]


def test_a_unit_is_missing_only_where_others_have_one(book: Book) -> None:
    book.result("glucose", "5", "mmol/L", unit_raw=None)
    book.result("glucose", "6", "mmol/L")
    book.result("fib4", "1.2", "1", unit_raw=None)  # its source has no units: the mapping says which
    assert book.judged("lab_results", "dq_code") == [("unit_missing",), ("ok",), ("ok",)]


def test_a_value_copied_from_another_quantity_marks_both(book: Book) -> None:
    book.measured("sbp", "120", patient_no=1)
    book.measured("dbp", "120", patient_no=1)
    book.measured("dbp", "80", patient_no=1)
    assert book.judged("biometrics") == [(120.0, "copied_value"), (120.0, "copied_value"), (80.0, "ok")]


def test_the_second_of_two_rows_that_are_one_is_marked(book: Book) -> None:
    for raw in ("70", "70", "71"):
        book.measured("weight", raw, patient_no=1)
    book.measured("weight", "70", patient_no=2, date=date(2020, 1, 1))
    assert book.judged("biometrics", "dq_code") == [("ok",), ("duplicate_row",), ("ok",), ("ok",)]


@pytest.mark.parametrize(
    ("prescribed", "on", "expected"),
    [
        ("A10BA02", date(2020, 6, 1), "inr_no_anticoagulant"),
        ("B01AA12", date(2020, 6, 1), "ok"),
        ("B01AA12", date(2019, 6, 1), "inr_no_anticoagulant"),  # more than a year before
        ("B01AA12", date(2020, 7, 1), "inr_no_anticoagulant"),  # began afterwards
        (None, None, "ok"),  # nothing is known of this GP's prescriptions
    ],
)
def test_an_inr_of_one_without_an_anticoagulant(
    book: Book, prescribed: str | None, on: date | None, expected: str
) -> None:
    if prescribed:
        book.put("prescriptions", patient_no=1, physician_no=0, date=on, atc=prescribed)
    book.result("inr", "1.02", "{INR}")
    assert book.judged("lab_results") == [(1.02, expected)]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("3 covid et dtp à 25 ans (non", (None, "dose_note")),
        ("DTP ? à revoir", (None, "dose_note")),
        ("REFUSÉ : DTP", (None, "dose_note")),
        ("Non à jour", (None, "dose_note")),
        ("rappel DTP à 25 ans", (None, "dose_note")),  # she is 50: it is told, not given
        ("rappel DTP 50 ans", ("J07CA01", "ok")),
        ("DTP rappel adulte", ("J07CA01", "ok")),
        ("Canonvac", ("J07CA01", "ok")),
        ("", ("J07CA01", "ok")),
        (None, ("J07CA01", "ok")),
    ],
)
def test_labels_of_vaccinations(book: Book, label: str | None, expected: tuple[str, str]) -> None:
    book.dose(label)
    assert book.judged("vaccinations", "atc, dq_code") == [expected]


def test_an_empty_vaccination_is_none(book: Book) -> None:
    book.dose(None, None)
    book.dose("  ", None)
    book.dose("Vaccin inconnu", None)
    codes = [code for (code,) in book.judged("vaccinations", "dq_code")]
    assert codes == ["empty_vaccination", "empty_vaccination", "ok"]


def test_the_first_of_january_is_a_year(book: Book) -> None:
    book.dose("DTP", date=date(1998, 1, 1))
    book.dose("DTP", date=date(1998, 1, 2))
    book.dose("DTP", date=date(2014, 1, 1), patient_no=0)  # born in June of that year
    book.dose("DTP", date=date(2013, 1, 1), patient_no=0)
    assert book.judged("vaccinations", "date_precision, dq_code") == [
        ("year", "year_precision"),
        ("day", "ok"),
        ("year", "year_precision"),
        ("day", "before_birth"),
    ]


def test_a_history_on_the_first_of_january_is_of_that_year(book: Book) -> None:
    for day, precision in ((date(1998, 1, 1), "day"), (date(1998, 2, 1), "day"), (date(1998, 1, 1), "month")):
        book.put("history", patient_no=1, date=day, date_precision=precision)
    judged = book.judged("history", "date_precision")
    assert [precision for (precision,) in judged] == ["year", "day", "month"]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["weight", "height", "bmi", "sbp", "dbp"]),
        st.sampled_from(
            ["", "abc", "0", "1.16", "1,2", "3.58", "70", "120", "1435", "1e99", "-4", "212278.88"]
        ),
        st.sampled_from(["ok", "unit_converted", "out_of_range", "copied_value", None]),
        st.sampled_from(["kg", "g", "cm", "m", "mm[Hg]", "?", None]),
        st.integers(0, 2),
    ),
    max_size=12,
)


def _fill(book: Book, rows: list[tuple[str, str, str | None, str | None, int]]) -> None:
    for measure, raw, code, unit_raw, patient in rows:
        book.measured(measure, raw, dq_code=code, unit_raw=unit_raw, patient_no=patient)


@given(ROWS)
@settings(max_examples=25, deadline=None)
def test_whatever_comes_the_exported_stays_and_judging_again_changes_nothing(rows: list[Any]) -> None:
    """And a range of patients at a time finds what one pass over all finds."""
    book, other = Book(), Book()
    _fill(book, rows)
    _fill(other, rows)
    raw = "measure, value_raw, unit_raw, date, patient_no"
    before = book.connection.execute(f"SELECT {raw} FROM biometrics ORDER BY rowid").fetchall()
    once = book.judged("biometrics", f"{raw}, value, dq_code")
    assert [row[:5] for row in once] == before
    assert book.judged("biometrics", f"{raw}, value, dq_code") == once
    assert other.judged("biometrics", f"{raw}, value, dq_code", rows_at_once=1) == once
    known = {code.code for code in load_catalogue().code_systems["dq_code"].codes}
    assert {row[6] for row in once} <= known
    book.connection.close()
    other.connection.close()


def test_no_trace_of_the_work_is_left(book: Book) -> None:
    tables = (
        "SELECT table_name FROM duckdb_tables() UNION ALL "
        "SELECT view_name FROM duckdb_views() WHERE NOT internal"
    )
    before = sorted(book.connection.execute(tables).fetchall())
    book.measured("height", "1.55")
    book.judged("biometrics")
    assert sorted(book.connection.execute(tables).fetchall()) == before

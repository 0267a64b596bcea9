"""Age, sex, disease, drug, result and season hang together as in a practice.

Tolerances are wide and one-sided: nothing here is an estimate of anything."""

from __future__ import annotations

import pytest

from .conftest import Ask


def having(table: str, column: str, codes: str) -> str:
    """Patients with a row whose code matches the pattern."""
    return f"(SELECT DISTINCT patient_no FROM {table} WHERE {column} SIMILAR TO '{codes}')"


def share(ask: Ask, population: str, among: str) -> float:
    """Of the patients in `population`, the share that is also in `among`."""
    both = f"{population} AS p LEFT JOIN {among} AS a USING (patient_no)"
    hits, total = ask(f"SELECT count(a.patient_no), count(*) FROM {both}")[0]
    return float(hits / total)


ADULTS = "(SELECT patient_no FROM patients WHERE age >= 40)"
DIABETICS = having("diagnoses", "cisp2", "T90|T89")
HYPERTENSIVES = having("diagnoses", "cisp2", "K86")


@pytest.mark.parametrize(
    ("population", "among", "at_least"),
    [
        (DIABETICS, having("lab_results", "analyte", "hba1c"), 0.85),
        (DIABETICS, having("prescriptions", "atc", "A10.*"), 0.80),
        (HYPERTENSIVES, having("prescriptions", "atc", "C0[3789].*"), 0.80),
        (having("diagnoses", "cisp2", "R96"), having("prescriptions", "atc", "R03.*"), 0.60),
        (having("diagnoses", "cisp2", "T86"), having("prescriptions", "atc", "H03AA01"), 0.80),
        (having("prescriptions", "atc", "B01AA.*"), having("lab_results", "analyte", "inr"), 0.80),
    ],
)
def test_the_ill_are_treated_and_followed(population: str, among: str, at_least: float, ask: Ask) -> None:
    of_all = share(ask, ADULTS, among)
    of_them = share(ask, population, among)
    assert of_them > at_least
    assert of_them > 1.5 * of_all


@pytest.mark.parametrize(
    ("table", "where", "ill", "more"),
    [
        ("lab_results", "analyte = 'hba1c'", having("prescriptions", "atc", "A10B[ABDH].*"), 0.8),
        ("lab_results", "analyte = 'glucose'", DIABETICS, 1.5),
        ("biometrics", "measure = 'sbp'", HYPERTENSIVES, 8.0),
        ("biometrics", "measure = 'bmi'", DIABETICS, 1.0),
        ("lab_results", "analyte = 'ldl'", having("diagnoses", "cisp2", "T93"), 0.15),
    ],
)
def test_disease_moves_its_measures(table: str, where: str, ill: str, more: float, ask: Ask) -> None:
    rows = f"{table} JOIN patients USING (patient_no) LEFT JOIN {ill} AS ill USING (patient_no)"
    with_it, without = ask(
        f"SELECT avg(value) FILTER (ill.patient_no IS NOT NULL), avg(value) FILTER (ill.patient_no IS NULL) "
        f"FROM {rows} WHERE {where} AND age BETWEEN 50 AND 79"
    )[0]
    assert with_it - without > more


def test_diseases_have_their_ages(ask: Ask) -> None:
    ages = dict(
        ask(
            "SELECT cisp2, median(date_diff('year', birth_month, date)) FROM diagnoses "
            "JOIN patients USING (patient_no) GROUP BY 1"
        )
    )
    assert ages["H71"] < 12 < ages["S96"] < 30 < ages["P76"] < ages["T90"]
    assert ages["K86"] > 55
    assert ages["K78"] > 65


@pytest.mark.parametrize(
    ("code", "season", "at_least"),
    [("R74", (11, 12, 1, 2, 3), 0.6), ("R80", (12, 1, 2, 3), 0.85), ("R97", (3, 4, 5, 6, 7), 0.75)],
)
def test_infections_peak_in_winter_and_hay_fever_in_spring(
    code: str, season: tuple[int, ...], at_least: float, ask: Ask
) -> None:
    inside = ask(f"SELECT avg(CAST(month(date) IN {season} AS INT)) FROM diagnoses WHERE cisp2 = '{code}'")
    assert inside[0][0] > at_least


def test_influenza_differs_from_winter_to_winter(ask: Ask) -> None:
    winters = [
        n / consultations
        for n, consultations in ask(
            "SELECT count(*) FILTER (cisp2 = 'R80'), count(*) FROM diagnoses "
            "GROUP BY year(date + INTERVAL 6 MONTH) HAVING count(*) > 1500"
        )
    ]
    assert max(winters) > 1.8 * min(winters)


def test_practices_close_on_sundays_and_slow_down_in_august(ask: Ask) -> None:
    assert ask("SELECT avg(CAST(dayofweek(date) = 0 AS INT)) < 0.01 FROM consultations") == [(True,)]
    months = dict(ask("SELECT month(date), count(*) FROM consultations GROUP BY 1"))
    assert min(months, key=months.__getitem__) == 8


def test_the_elderly_come_more_often_than_teenagers(ask: Ask) -> None:
    length = "sum(end_date - start_date + 1) / 365.25"
    years = f"(SELECT patient_no, {length} AS years FROM observation_periods GROUP BY 1)"
    rates = dict(
        ask(
            f"SELECT age_band, sum(n) / sum(years) FROM patients JOIN {years} USING (patient_no) JOIN "
            "(SELECT patient_no, count(*) AS n FROM consultations GROUP BY 1) USING (patient_no) GROUP BY 1"
        )
    )
    assert rates["80-89"] > 2 * rates["10-19"]


def test_antivitamins_k_are_prescribed_before_an_inr(ask: Ask) -> None:
    covered = (
        "SELECT avg(CAST(EXISTS (SELECT 1 FROM prescriptions AS p WHERE p.patient_no = l.patient_no "
        "AND p.atc LIKE 'B01AA%' AND p.date BETWEEN l.date - 90 AND l.date) AS INT)) "
        "FROM lab_results AS l WHERE analyte = 'inr' AND dq_code = 'ok'"
    )
    assert ask(covered)[0][0] > 0.7


def test_mention_and_exposure_differ(ask: Ask) -> None:
    statuses = dict(ask("SELECT status, count(*) FROM history WHERE kind = 'tobacco' GROUP BY 1"))
    assert set(statuses) == {"current", "former", "no", "unknown"}
    assert statuses["current"] < sum(statuses.values()) * 0.7


def test_the_traps_of_codes_are_there(ask: Ask) -> None:
    """A10BJ for obesity without diabetes; gestational diabetes; a past infarction kept as K76, not K75."""
    obese = having("prescriptions", "atc", "A10BJ06")
    assert share(ask, obese, having("prescriptions", "atc", "A10BA02")) < 0.5
    assert ask("SELECT count(*) > 0 FROM diagnoses WHERE cisp2 = 'W85'") == [(True,)]
    codes = {code for (code,) in ask("SELECT DISTINCT cisp2 FROM history WHERE kind = 'medical'")}
    assert {"K76", "K91"} <= codes
    assert not {"K75", "K90"} & codes

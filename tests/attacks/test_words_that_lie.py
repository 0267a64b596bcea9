"""A definition whose words say something else than its query does: each is left unread.

First each attack succeeds: with the one check taken out, the reading says what the query doesn't do, and the
physician votes on words. Then nothing is said, and the query is there to be read.
"""

from __future__ import annotations

from types import ModuleType

import pytest

from hub_config.airlock.reading import Reading, joining, measures, phrases, query, read

PEOPLE = '(SELECT "t1"."patient_id", MIN("t1"."date") AS "d" FROM "diagnoses" AS "t1" GROUP BY 1)'


def beside(columns: str, *, where: str = "") -> str:
    """Patients, each with their results or with none, summed up a patient, and counted."""
    return (
        f'SELECT COUNT(DISTINCT "t9"."patient_id") AS "n" FROM (SELECT "t4"."patient_id", {columns} AS "x" '
        f'FROM (SELECT "t2"."patient_id", "t2"."d", "t3"."of", "t3"."on", "t3"."value" FROM {PEOPLE} AS "t2" '
        'LEFT OUTER JOIN (SELECT "t0"."patient_id" AS "of", "t0"."date" AS "on", "t0"."value" '
        'FROM "lab_results" AS "t0") AS "t3" ON "t2"."patient_id" = "t3"."of"'
        f'{where}) AS "t4" GROUP BY 1) AS "t9" WHERE "t9"."x" > 0'
    )


def present(inner: str, *, absent: bool = False) -> str:
    said = f'"t0"."patient_id" IN ({inner})'
    return (
        'SELECT COUNT(DISTINCT "t0"."patient_id") AS "n" FROM "patients" AS "t0" '
        f"WHERE {f'NOT ({said})' if absent else said}"
    )


def case(name: str) -> str:
    return (
        f"SELECT CASE WHEN \"t0\".\"sex\" = 'M' THEN '{name}' ELSE 'x' END AS \"g\", "
        'COUNT(DISTINCT "t0"."patient_id") AS "n" FROM "patients" AS "t0" GROUP BY 1'
    )


LIES: dict[str, tuple[str, ModuleType]] = {
    # who has no result at all is counted as one row
    "the row of those who have none": (beside("COUNT(*)"), measures),
    # what is known of everybody is counted where nothing stands beside them
    "a count of what everybody has": (beside('COUNT("t4"."d")'), measures),
    # a row of nobody's leaves no patient absent: the query counts none at all
    "absent from rows of nobody": (
        present('SELECT "t1"."patient_id" FROM "training_log" AS "t1"', absent=True), phrases,
    ),
    # both sides of the condition are called the same
    "one table twice": (
        ('SELECT COUNT(DISTINCT "t0"."patient_id") AS "n" FROM "patients" AS "t0" INNER JOIN '
         '(SELECT * FROM "patients" AS "t2" WHERE "t2"."age" > 80) AS "t1" '
         'ON "t0"."patient_id" = "t1"."patient_id" WHERE "t0"."sex" <> "t1"."sex"'), joining,
    ),
    # each diagnosis is counted once for each result
    "rows that multiply": (
        ('SELECT COUNT(*) AS "n" FROM "diagnoses" AS "t0" INNER JOIN "lab_results" AS "t1" '
         'ON "t0"."patient_id" = "t1"."patient_id"'), query,
    ),
    # a case that is called as what stands elsewhere in the reading
    "a name that is a letter": (case("(A)"), phrases),
    "a name that ends its quotes": (case("a » si Sexe = F « Femme » ; sinon « b"), phrases),
    # the columns have other names than the catalogue's
    "columns that are renamed": (
        ('SELECT COUNT(DISTINCT "t0"."patient_id") AS "n" FROM "patients" AS "t0"("patient_id", "sex", '
         '"age") WHERE "t0"."age" > 40'), query,
    ),
    # of two columns of one name, the reading knows the last
    "one name for two columns": (
        ('SELECT "t1"."x", COUNT(DISTINCT "t1"."patient_id") AS "n" FROM (SELECT "t0"."patient_id", '
         '"t0"."age" AS "x", "t0"."sex" AS "x" FROM "patients" AS "t0") AS "t1" GROUP BY 1'), query,
    ),
    # the first 10 of no order, of whom the rest is asked
    "a cut inside": (
        present('SELECT "t1"."patient_id" FROM "diagnoses" AS "t1" LIMIT 10'), query,
    ),
    # the smallest of those on nearby rows, not of the patient's
    "a window of some rows": (
        present(
            'SELECT "t2"."patient_id" FROM (SELECT "t1"."patient_id", "t1"."date", MAX("t1"."date") OVER '
            '(PARTITION BY "t1"."patient_id" ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING) AS "m" '
            'FROM "diagnoses" AS "t1") AS "t2" WHERE "t2"."date" = "t2"."m"'
        ), phrases,
    ),
    # of all patients, not of this one
    "a window of everybody": (
        present(
            'SELECT "t2"."patient_id" FROM (SELECT "t1"."patient_id", "t1"."date", MAX("t1"."date") OVER '
            '(PARTITION BY "t1"."cisp2" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "m" '
            'FROM "diagnoses" AS "t1") AS "t2" WHERE "t2"."date" = "t2"."m"'
        ), phrases,
    ),
}  # fmt: skip


def pretend(holds: object) -> None:
    """The check, taken out."""


@pytest.mark.parametrize("lie", LIES)
def test_words_never_say_what_the_query_does_not(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, checked_in = LIES[lie]
    with monkeypatch.context() as without:
        without.setattr(checked_in, "require", pretend)
        read.cache_clear()
        assert isinstance(read(asked, "fr"), Reading), "the attack has no power"
    read.cache_clear()
    assert read(asked, "fr") is None


def test_a_table_named_beforehand_is_not_the_warehouses() -> None:
    """It is called like the patients, and holds diagnoses."""
    found = read(
        'WITH "patients" AS (SELECT * FROM "diagnoses" AS "t0") '
        'SELECT COUNT(DISTINCT "t1"."patient_id") AS "n" FROM "patients" AS "t1"',
        "fr",
    )
    assert found is not None and found.rows == "Diagnostics"


def test_conditions_on_results_of_which_there_are_none_are_not_read() -> None:
    """Beside a patient without results stands a blank row, which such a condition would count."""
    for asked in (
        beside('COUNT("t4"."on")', where=' WHERE "t3"."on" IS NULL'),
        beside('COUNT(*) FILTER(WHERE "t4"."on" IS NULL)'),
        beside('BOOL_OR("t4"."on" IS NULL)'),
    ):
        assert read(asked, "fr") is None


def test_patients_that_meet_by_another_column_are_not_read() -> None:
    """Both sides have patients, and these are not the same."""
    for join in ("INNER", "LEFT OUTER"):
        assert (
            read(
                'SELECT COUNT(DISTINCT "t0"."patient_id") AS "n" FROM "patients" AS "t0" '
                f'{join} JOIN {PEOPLE} AS "t2" ON "t0"."birth_month" = "t2"."d"',
                "fr",
            )
            is None
        )


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ('MIN("t4"."on")', "plus ancienne valeur de Date [Examens]"),
        ('COUNT("t4"."on")', "nombre de lignes où Date [Examens] est renseigné"),
    ],
)
def test_the_same_question_without_the_trick_is_read(measure: str, words: str) -> None:
    found = read(beside(measure), "fr")
    assert found is not None
    assert any(words in said for said in (*found.only, *(term.what for term in found.terms)))


def test_a_reading_of_a_query_in_a_query_takes_no_longer_for_being_deep() -> None:
    """Thirty conditions inside one another are read once each, or not at all."""
    asked = 'SELECT "t0"."patient_id" FROM "patients" AS "t0"'
    for _ in range(30):
        asked = f'SELECT "t0"."patient_id" FROM "patients" AS "t0" WHERE "t0"."patient_id" IN ({asked})'
    counted = f'SELECT COUNT(DISTINCT "t9"."patient_id") AS "n" FROM ({asked}) AS "t9"'
    assert read(counted, "fr") is None  # more letters than the alphabet has

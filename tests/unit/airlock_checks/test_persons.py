"""Rows that are persons, identifiers, exact dates, extremes, models that are their data."""

from __future__ import annotations

import pytest

from hub_config.airlock.checks.inside.found import Found
from hub_config.governance.releases.findings import Rule, Severity
from tests.unit.airlock_checks.reading import blocking, drawn, read, said, warnings


def rows(header: str, row: str, number: int) -> str:
    """`row` with {i}, {age}, {sex}, {day}, {id} filled, `number` times."""
    lines = [
        row.format(
            i=i,
            age=20 + (i * 37) % 60,
            sex="FM"[i * 7 // 3 % 2],
            day=f"20{10 + i % 9}-{1 + i * 5 % 12:02}-{1 + i * 11 % 28:02}",
            id=10**16 + i * 7919,
            imc=round(18 + (i * 13 % 170) / 10, 1),
        )
        for i in range(number)
    ]
    return "\n".join([header, *lines])


def rules(found: Found) -> set[Rule]:
    return {finding.rule for finding in found.findings if finding.severity is Severity.BLOCKING}


@pytest.mark.parametrize(
    "table",
    [
        rows("patient_id | age | sexe | imc", "{id} | {age} | {sex} | {imc}", 30),
        rows("identifiant patient | resultat", "P{i:05} | 7.1", 12),
        rows("âge | sexe | date | diagnostic", "{age} | {sex} | {day} | K86", 30),
        rows("age | sexe | imc | tabac", "{age} | {sex} | {imc} | oui", 40),
        rows("id | time | event", "{id} | {age} | 1", 25),
        rows("NumPatient | Poids", "{i} | 7{i}", 20),
        rows("date décès | sexe | âge", "{day} | {sex} | {age}", 6),
    ],
)
def test_a_row_for_each_person_is_found(table: str) -> None:
    assert Rule.ROW_LEVEL in rules(read(drawn(table)))


def test_an_opaque_column_is_an_identifier_whatever_its_name() -> None:
    assert "id-column 1,1" in blocking(rows("clef | valeur", "a3f9{id:x} | 7.5", 12))


@pytest.mark.parametrize(
    "name", ["nom", "Prénom", "NIR", "adresse", "téléphone", "e-mail", "date de naissance", "RPPS"]
)
def test_a_column_named_like_a_direct_identifier(name: str) -> None:
    assert "direct-identifier 1,1" in blocking(f"{name} | n\nDurand | 120\nMartin | 130")


@pytest.mark.parametrize(
    "cell",
    [
        "1 85 05 78 006 084 91",
        "185057800608491",
        "06 12 34 56 78",
        "+33 6 12 34 56 78",
        "jean.dupont@exemple.fr",
        "née le 12/03/1954",
        "DDN : 12 mars 1954",
    ],
)
def test_personal_data_in_a_cell(cell: str) -> None:
    assert "personal-pattern 2,1" in blocking(f"note | n\n{cell} | 120\nB | 130")


@pytest.mark.parametrize(
    "cell",
    [
        "185057800608492",
        "0,612345678",
        "12/2021",
        "2021-03-12",
        "1 234 567 890",
        "K86.1",
        "06/07/2021",
        "10 000 000",
    ],
)
def test_what_only_resembles_personal_data(cell: str) -> None:
    assert not any(each.startswith("personal") for each in blocking(f"note | n\n{cell} | 120\nB | 130"))


def test_exact_dates_are_told_and_starts_of_periods_are_not() -> None:
    assert "exact-dates 1,1" in warnings("date | n\n2021-03-12 | 20\n2021-03-29 | 30\n2021-05-02 | 40")
    assert warnings("mois | n\n2021-03-01 | 20\n2021-04-01 | 30\n2021-06-01 | 40") == []


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            "centre | n | min | max\nA | 120 | 18 | 101\nB | 130 | 19 | 99",
            ["extreme-value 1,3", "extreme-value 1,4"],
        ),
        (
            " | âge\ncount | 1200\nmean | 45.2\nmin | 18\n50% | 45\nmax | 101",
            ["extreme-value 4", "extreme-value 6"],
        ),
        ("modèle | ddl résiduels\nA | 8\nB | 120", ["few-degrees-of-freedom 2,2"]),
        ("model | R2\nA | 1.0\nB | 0.4", ["saturated-model 2,2"]),
        (rows("obs | residual", "{i} | 0.{age}", 40), ["residuals 1,2"]),
        ("durée (min) | n\n12 | 120\n15 | 130", []),
    ],
)
def test_extremes_and_models(table: str, expected: list[str]) -> None:
    assert blocking(table) == expected


@pytest.mark.parametrize(
    "cell", ["=1+1", '=HYPERLINK("http://a")', "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd"]
)
def test_a_cell_that_a_spreadsheet_would_run(cell: str) -> None:
    assert "cell-read-as-formula 2,1" in said(read(f"a\tn\n{cell}\t120\n", "t.tsv"))


@pytest.mark.parametrize("cell", ["-1,5", "+3", "-", "- non renseigné", "-12 %"])
def test_a_negative_number_is_no_formula(cell: str) -> None:
    assert "cell-read-as-formula 2,1" not in said(read(f"a\tn\n{cell}\t120\n", "t.tsv"))


def test_long_integers_are_candidates_for_the_search_of_pseudonyms() -> None:
    found = read("a,n\n1234567890123456789,120\nxx 987654321098765432 yy,130\n")
    assert {1234567890123456789, 987654321098765432} <= set(found.candidates)

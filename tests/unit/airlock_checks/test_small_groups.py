"""Counts of 1 to 10 and what gives them away. Rows are numbered as people do: the header is row 1."""

from __future__ import annotations

import pytest

from hub_config.airlock.checks.inside.found import Context
from tests.unit.airlock_checks.reading import blocking, warnings


@pytest.mark.parametrize(
    ("name", "table", "expected"),
    [
        (
            "a count column by its name, in French",
            """
            tranche d'âge | effectif
            0-14          | 120
            15-64         | 7
            """,
            ["small-count 3,2"],
        ),
        (
            "a count column by its name, in English; 10 is small, 11 is not, 0 is told apart",
            """
            region | n_patients
            A      | 10
            B      | 11
            C      | 0
            D      | 1
            """,
            ["small-count 2,2", "small-count 5,2"],
        ),
        (
            "a crosstab by years, whose columns are named like no count",
            """
            sexe | 2019 | 2020 | 2021
            F    | 120  | 130  | 3
            M    | 110  | 9    | 118
            """,
            ["small-count 2,4", "small-count 3,3"],
        ),
        (
            "a crosstab of sexes",
            """
            code | F   | M
            K86  | 230 | 4
            T90  | 118 | 140
            """,
            ["small-count 2,3"],
        ),
        (
            "n (%) as Table 1 writes it; mean (SD) is no count",
            """
            Variable          | Ensemble (N = 1 240) | Femmes (N = 640)
            Diabète           | 123 (9,9 %)          | 60 (9,4 %)
            AVC               | 25 (2,0 %)           | 4 (0,6 %)
            Âge, moyenne (ET) | 54,2 (12,1)          | 55 (11)
            """,
            ["small-count 3,3"],
        ),
        (
            "a crosstab whose classes are nothing but words",
            """
            sexe | fumeur | ancien fumeur | jamais
            F    | 120    | 7             | 300
            M    | 160    | 90            | 210
            """,
            ["small-count 2,3"],
        ),
        (
            "names and values",
            """
            mesure          | valeur
            patients inclus | 1 240
            décès           | 4
            âge moyen       | 7
            """,
            ["small-count 3,2"],
        ),
        (
            "who was lost between two steps",
            """
            étape             | patients restants
            base              | 1 240
            18 ans et plus    | 1 236
            sans antécédent   | 1 100
            """,
            ["small-complement 3,2"],
        ),
        (
            "the N of a label",
            """
            issue           | %
            Total (N = 200) | 100
            décès           | 2,0
            """,
            ["count-behind-percentage 3,2"],
        ),
        (
            "a sentence in a cell",
            """
            note                                  | n
            dont 7 patients sortis contre avis    | 120
            """,
            ["small-count 2,1"],
        ),
        (
            "a small group in a header",
            """
            Variable | Groupe (N = 9)
            Diabète  | 33 %
            """,
            ["count-behind-percentage 2,2", "small-count 1,2"],
        ),
        (
            "a row of counts in a table that lies on its side",
            """
            mesure  | centre A | centre B
            n       | 240      | 6
            moyenne | 7        | 8
            """,
            ["small-count 2,3"],
        ),
        (
            "the complement of a count",
            """
            centre | n   | N
            A      | 120 | 125
            B      | 50  | 100
            C      | 80  | 80
            """,
            ["small-complement 2,2"],
        ),
        (
            "a fraction in one cell, and what it leaves",
            """
            indicateur | résultat
            HbA1c      | 7/230
            fond d'œil | 225/230
            """,
            ["small-complement 3,2", "small-count 2,2"],
        ),
        (
            "a percentage and its denominator",
            """
            centre | pct  | N
            A      | 2,0  | 200
            B      | 50,0 | 100
            C      | 97,5 | 200
            """,
            ["count-behind-percentage 2,2", "count-behind-percentage 4,2"],
        ),
        (
            "a proportion from 0 to 1",
            """
            centre | proportion | denominator
            A      | 0.02       | 200
            B      | 0.50       | 100
            """,
            ["count-behind-percentage 2,2"],
        ),
        (
            "the count is masked, its percentage of the whole is not",
            """
            classe | n    | pct
            A      | 120  | 60,0
            B      | 72   | 36,0
            C      | <11  | 4,0
            Total  | 200  | 100
            """,
            ["count-behind-percentage 4,3", "recomputable-cell 4,2"],
        ),
        (
            "n and %: together they give N, and so the rest",
            """
            issue   | patients
            vivants | 560 (98.2 %)
            """,
            ["small-complement 2,2"],
        ),
    ],
)
def test_a_small_group_is_found(name: str, table: str, expected: list[str]) -> None:
    assert blocking(table) == expected, name


@pytest.mark.parametrize(
    ("name", "table", "expected"),
    [
        (
            "alone under a total",
            """
            sexe  | n
            F     | 120
            M     | 110
            Autre | <11
            Total | 236
            """,
            ["recomputable-cell 4,2"],
        ),
        (
            "two masked cells under a total keep each other",
            """
            sexe  | n
            F     | 120
            M     | <11
            Autre | *
            Total | 135
            """,
            [],
        ),
        (
            "two masked cells that can only be 1 each",
            """
            sexe  | n
            F     | 120
            M     | <11
            Autre | <11
            Total | 122
            """,
            ["recomputable-cell 3,2", "recomputable-cell 4,2", "small-complement 2,2"],
        ),
        (
            "in a crosstab: one step after another",
            """
            code  | F   | M   | Total
            A     | <11 | 100 | 108
            B     | <11 | <11 | 40
            Total | 28  | 120 | 148
            """,
            ["recomputable-cell 2,2", "recomputable-cell 3,2", "recomputable-cell 3,3"],
        ),
        (
            "in a crosstab whose four masked cells keep each other",
            """
            code  | F   | M   | Total
            A     | <11 | *   | 108
            B     | <11 | *   | 40
            C     | 20  | 30  | 50
            Total | 37  | 161 | 198
            """,
            [],
        ),
        (
            "a total that is no sum of its rows gives nothing away",
            """
            diagnostic | patients
            A          | 120
            B          | <11
            Total      | 115
            """,
            [],
        ),
        (
            "a masked total of known parts is told",
            """
            sexe  | n
            F     | 12
            M     | 30
            Total | masqué
            """,
            ["recomputable-cell 4,2"],
        ),
    ],
)
def test_a_masked_cell_that_totals_give_back_is_found(name: str, table: str, expected: list[str]) -> None:
    assert blocking(table) == expected, name


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("a | n\nF | 0\nM | 12", ["zero-count 2,2"]),
        ("a | pct | N\nF | 100 | 120\nM | 0 | 130", ["unanimous 2,2", "unanimous 3,2"]),
        ("a | taux\nF | 12,5 %\nM | 13,5 %", ["no-denominator 1,2"]),
        ("a | effectif arrondi à 5\nF | 120\nM | 133", ["unrounded-count 3,2"]),
    ],
)
def test_what_a_person_should_look_at_is_a_warning(table: str, expected: list[str]) -> None:
    assert warnings(table) == expected


def test_the_policy_of_a_project_may_be_stricter() -> None:
    table = "a | n\nF | 12\nM | 30"
    assert blocking(table) == []
    assert blocking(table, Context(min_patients=20)) == ["small-count 2,2"]


def test_rounding_declared_by_the_request_is_held() -> None:
    assert warnings("a | n\nF | 12\nM | 30", Context(rounding=5)) == ["unrounded-count 2,2"]

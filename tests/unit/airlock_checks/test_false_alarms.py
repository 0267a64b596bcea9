"""Tables as physicians publish them: counts of 11 and more, years, codes, ages, percentages, estimates. A
blocking finding here costs somebody's time for nothing.
"""

from __future__ import annotations

import pytest

from tests.unit.airlock_checks.reading import blocking, warnings

TABLES = {
    "top diagnoses": """
        rang | code CISP-2 | libellé       | n    | %
        1    | K86         | HTA           | 3934 | 15,0
        2    | R74         | Rhinopharyngite | 3553 | 13,6
        3    | A62         | Procédure     | 2047 | 7,8
    """,
    "counts by year": """
        année | consultations | patients
        2019  | 12 034        | 8 120
        2020  | 9 870         | 7 010
        2021  | 11 990        | 8 004
    """,
    "crosstab with totals": """
              | 2019 | 2020 | Total
        F     | 120  | 130  | 250
        M     | 110  | 115  | 225
        Total | 230  | 245  | 475
    """,
    "age bands with bounds": """
        age_min | age_max | n
        0       | 14      | 240
        15      | 64      | 980
        65      | 110     | 410
    """,
    "odds ratios": """
        term      | OR   | CI low | CI high | p
        age       | 1.02 | 1.01   | 1.03    | 0.001
        sexe (M)  | 0.90 | 0.70   | 1.10    | 0.3
        tabac     | 2    | 1      | 4       | 0.04
    """,
    "means": """
        centre | n   | âge moyen | ET | médiane | IMC moyen
        A      | 240 | 54,2      | 12 | 55      | 26
        B      | 180 | 49        | 9  | 50      | 27
    """,
    "life table": """
        year | n_at_risk | survival | lower | upper
        0    | 1200      | 1.0      | 1.0   | 1.0
        1    | 1100      | 0.97     | 0.96  | 0.98
        2    | 980       | 0.95     | 0.94  | 0.97
    """,
    "weekly incidence": """
        semaine    | cas | taux pour 100 000
        2021-01-04 | 104 | 9
        2021-01-11 | 118 | 8
        2021-01-18 | 99  | 7
    """,
    "calibration by deciles": """
        décile | n   | observé | prédit
        1      | 250 | 0.05    | 0.06
        2      | 250 | 0.08    | 0.09
        3      | 250 | 0.12    | 0.11
    """,
    "percentages of large groups": """
        centre | dépistés | N    | %
        A      | 640      | 1240 | 51,6
        B      | 415      | 890  | 46,6
    """,
    "masked with secondary suppression": """
        code  | F   | M   | Total
        A     | <11 | *   | 108
        B     | <11 | *   | 40
        C     | 20  | 30  | 50
    """,
    "doses and durations": """
        médicament | dose (mg) | durée (jours) | patients
        A10BA02    | 1        | 7             | 340
        C07AB07    | 5        | 3             | 220
    """,
    "chi-square tests": """
        variable | chi2 | df | p
        sexe     | 4.2  | 1  | 0.04
        centre   | 9.1  | 5  | 0.10
    """,
    "hyperparameters": """
        parameter  | value
        max_depth  | 3
        n_splits   | 5
        alpha      | 0.1
    """,
    "table one": """
        Variable          | Ensemble (N = 1 240) | Femmes (N = 640) | Hommes (N = 600)
        Âge, moyenne (ET) | 54,2 (12,1)          | 55,0 (12)        | 53 (11)
        Diabète, n (%)    | 123 (9,9 %)          | 60 (9,4 %)       | 63 (10,5 %)
        Grade 1, n (%)    | 423 (34,1 %)         | 223 (34,8 %)     | 200 (33,3 %)
    """,
    "months": """
        mois | nb consultations
        1    | 1240
        2    | 1190
        3    | 1300
    """,
    "scores": """
        question | score moyen | n
        1        | 3,4         | 120
        2        | 4           | 118
    """,
    "an indicator by centre": """
        centre_id | numerator | denominator | value
        C01       | 640       | 1240        | 0.516
        C02       | 415       | 890         | 0.466
        C03       | 333       | 790         | 0.422
        C04       | 210       | 690         | 0.304
        C05       | 120       | 540         | 0.222
        C06       | 118       | 530         | 0.223
    """,
    "attrition": """
        étape          | patients restants | exclus
        Base           | 26 125            |
        18 ans et plus | 20 000            | 6 125
        sans ATCD      | 18 000            | 2 000
    """,
    "a distribution of visits": """
        nombre de consultations | patients
        1                       | 500
        2                       | 300
        5                       | 100
        10                      | 44
    """,
    "Cox model with its counts": """
        variable      | HR   | IC 95 % inf | IC 95 % sup | p
        âge (10 ans)  | 1,45 | 1,30        | 1,60        | <0,001
        N             | 1240 |             |             |
        Événements    | 230  |             |             |
    """,
    "ages in years": """
        âge | F   | M
        40  | 120 | 130
        41  | 121 | 99
        42  | 88  | 76
    """,
    "substances": """
        ATC     | DCI          | dose usuelle | patients
        A10BA02 | metformine   | 3            | 340
        C10AA05 | atorvastatine | 1           | 220
    """,
    "grid search": """
        model_id | max_depth | n_estimators | auc
        1        | 3         | 100          | 0.71
        2        | 5         | 200          | 0.73
    """,
    "labels of centres": """
        nom du centre | consultations
        Nice          | 1240
        Rouen         | 980
    """,
}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_publishable_table_raises_nothing_that_blocks(name: str) -> None:
    assert blocking(TABLES[name]) == []


@pytest.mark.parametrize(
    "rate", ["taux pour 1000", "taux pour 1 000", "taux (‰)", "per 100 000 person-years"]
)
def test_a_rate_of_person_years_is_no_percentage_of_its_cases(rate: str) -> None:
    table = f"""
        classe | cas | personnes-années | {rate}
        40-49  | 112 | 20 411           | 5.5
        50-59  | 204 | 19 877           | 10.3
    """
    assert warnings(table) == []
    assert warnings(table.replace(rate, "%"))

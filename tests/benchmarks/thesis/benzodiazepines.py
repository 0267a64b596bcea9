"""Chez les 65 ans et plus qui commencent une benzodiazépine, combien en reçoivent encore au-delà de douze
semaines ?"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from tests.benchmarks.thesis.by_hand import ENTERED, FOLLOWED, entered, followed

TITLE: Final = "Benzodiazépines au-delà de douze semaines"
KEYS: Final = ("sex",)


def sdk(ws: Any) -> Any:
    import p4dp_sdk as p4dp

    benzodiazepines = p4dp.codes("benzodiazepines")
    cohorte = (
        p4dp.Cohort(ws, "Benzodiazépine, 65 ans et plus")
        .index(first=benzodiazepines)
        .between("2005-01-01", "2021-12-31")
        .washout(months=12)
        .follow_up(months=6)
        .include("65 ans et plus", lambda s: s.age >= 65)
        .include("suivis six mois", lambda s: s.exit_reason == "end_of_follow_up")
        .variable("derniere", last=benzodiazepines, of="date", after=True, look_ahead=True)
    )
    s = cohorte.select("sex", "index_date", "derniere")
    prolonge = s.derniere.delta(s.index_date, unit="day") > 84
    n = s.patient_id.nunique
    return s.group_by("sex").agg(patients=n(), prolonges=n(where=prolonge))


def by_pandas(f: Any) -> pd.DataFrame:
    rx = f.prescriptions
    drugs = rx[rx.atc.str.startswith(("N05BA", "N05CD", "N05CF"), na=False)]
    rows = followed(entered(f, drugs, "2005-01-01", "2021-12-31", 12), 6)
    rows = rows[rows.whole & (rows.age >= 65)]
    later = rows[["patient_id", "t0", "out"]].merge(drugs, on="patient_id")
    later = later[(later.date > later.t0) & (later.date <= later.out)]
    last = rows.patient_id.map(later.groupby("patient_id").date.max())
    return (
        rows.assign(long=(last - rows.t0).dt.days > 84)
        .groupby("sex", as_index=False)
        .agg(patients=("patient_id", "nunique"), prolonges=("long", "sum"))
    )


SQL: Final = (
    """
WITH events AS (
    SELECT patient_id, date
    FROM prescriptions
    WHERE atc LIKE 'N05BA%' OR atc LIKE 'N05CD%' OR atc LIKE 'N05CF%'
), """
    + ENTERED.format(first="2005-01-01", last="2021-12-31", washout=12)
    + ", "
    + FOLLOWED.format(months=6)
    + """, elderly AS (
    SELECT * FROM followed WHERE whole AND age >= 65
), last_event AS (
    SELECT p.patient_id, max(e.date) AS last
    FROM elderly p
    JOIN events e ON e.patient_id = p.patient_id AND e.date > p.t0 AND e.date <= p.leaves
    GROUP BY p.patient_id
)
SELECT sex,
       count(*) AS patients,
       count(*) FILTER (last - t0 > 84) AS prolonges
FROM elderly
LEFT JOIN last_event USING (patient_id)
GROUP BY sex
"""
)

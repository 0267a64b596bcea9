"""Après une première prescription d'antidépresseur, combien de patients sont revus dans le mois, et combien
ont plus d'une prescription en six mois ?"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from tests.benchmarks.thesis.by_hand import ENTERED, FOLLOWED, entered, followed

TITLE: Final = "Antidépresseurs : le suivi après la première prescription"
KEYS: Final = ("sex",)


def sdk(ws: Any) -> Any:
    import p4dp_sdk as p4dp
    from p4dp_sdk.cohorts import months

    antidepresseurs = p4dp.codes("antidepresseurs")
    cohorte = (
        p4dp.Cohort(ws, "Premier antidépresseur")
        .index(first=antidepresseurs)
        .between("2005-01-01", "2021-12-31")
        .washout(months=12)
        .follow_up(months=6)
        .include("18 ans et plus", lambda s: s.age >= 18)
        .include("suivis six mois", lambda s: s.exit_reason == "end_of_follow_up")
        .variable("revu", any=ws.tables.consultations, after=months(1), look_ahead=True)
        .variable("poursuivi", any=antidepresseurs, after=True, look_ahead=True)
    )
    s = cohorte.select("sex", "revu", "poursuivi")
    n = s.patient_id.nunique
    return s.group_by("sex").agg(patients=n(), revus=n(where=s.revu), poursuivis=n(where=s.poursuivi))


def by_pandas(f: Any) -> pd.DataFrame:
    rx = f.prescriptions
    drugs = rx[rx.atc.str.startswith("N06A", na=False)]
    rows = followed(entered(f, drugs, "2005-01-01", "2021-12-31", 12), 6)
    rows = rows[rows.whole & (rows.age >= 18)]
    visits = rows[["patient_id", "t0"]].merge(f.consultations, on="patient_id")
    soon = (visits.date > visits.t0) & (visits.date <= visits.t0 + pd.DateOffset(months=1))
    later = rows[["patient_id", "t0", "out"]].merge(drugs, on="patient_id")
    again = (later.date > later.t0) & (later.date <= later.out)
    rows = rows.assign(
        seen=rows.patient_id.isin(visits[soon].patient_id),
        again=rows.patient_id.isin(later[again].patient_id),
    )
    return rows.groupby("sex", as_index=False).agg(
        patients=("patient_id", "nunique"), revus=("seen", "sum"), poursuivis=("again", "sum")
    )


SQL: Final = (
    "WITH events AS (\n    SELECT patient_id, date FROM prescriptions WHERE atc LIKE 'N06A%'\n), "
    + ENTERED.format(first="2005-01-01", last="2021-12-31", washout=12)
    + ", "
    + FOLLOWED.format(months=6)
    + """, adults AS (
    SELECT * FROM followed WHERE whole AND age >= 18
)
SELECT sex,
       count(*) AS patients,
       count(*) FILTER (
           EXISTS (
               SELECT 1 FROM consultations c
               WHERE c.patient_id = a.patient_id AND c.date > a.t0
                 AND c.date <= a.t0 + INTERVAL 1 MONTH
           )
       ) AS revus,
       count(*) FILTER (
           EXISTS (
               SELECT 1 FROM events e
               WHERE e.patient_id = a.patient_id AND e.date > a.t0 AND e.date <= a.leaves
           )
       ) AS poursuivis
FROM adults a
GROUP BY sex
"""
)

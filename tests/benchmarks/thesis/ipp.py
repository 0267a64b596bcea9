"""Parmi les adultes à qui un IPP est prescrit pour la première fois, combien n'ont au dossier ni pathologie
œsophagienne ou ulcéreuse, ni AINS dans le mois ?"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from tests.benchmarks.thesis.by_hand import ENTERED, entered

TITLE: Final = "IPP : initiations sans indication retrouvée"
KEYS: Final = ("sex",)


def sdk(ws: Any) -> Any:
    import p4dp_sdk as p4dp
    from p4dp_sdk.cohorts import months

    d = ws.tables.diagnoses
    cohorte = (
        p4dp.Cohort(ws, "Initiation d'un IPP")
        .index(first=p4dp.codes("ipp"))
        .between("2015-01-01", "2021-12-31")
        .washout(months=12)
        .include("18 ans et plus", lambda s: s.age >= 18)
        .variable("ulcere", any=d.where(d.cisp2.isin(["D84", "D85", "D86"])), before=True)
        .variable("ains", any=p4dp.codes("ains"), before=months(1))
    )
    s = cohorte.select("sex", "ulcere", "ains")
    n = s.patient_id.nunique
    return s.group_by("sex").agg(inities=n(), sans_indication=n(where=~s.ulcere & ~s.ains))


def by_pandas(f: Any) -> pd.DataFrame:
    d, rx = f.diagnoses, f.prescriptions
    rows = entered(f, rx[rx.atc.str.startswith("A02BC", na=False)], "2015-01-01", "2021-12-31", 12)
    rows = rows[rows.age >= 18]
    ulcers = rows.merge(d[d.cisp2.isin(["D84", "D85", "D86"])], on="patient_id")
    ulcers = ulcers[ulcers.date <= ulcers.t0].patient_id
    nsaids = rows.merge(rx[rx.atc.str.startswith("M01A", na=False)], on="patient_id")
    recent = (nsaids.date <= nsaids.t0) & (nsaids.date >= nsaids.t0 - pd.DateOffset(months=1))
    nsaids = nsaids[recent].patient_id
    without = ~rows.patient_id.isin(ulcers) & ~rows.patient_id.isin(nsaids)
    return (
        rows.assign(without=without)
        .groupby("sex", as_index=False)
        .agg(inities=("patient_id", "nunique"), sans_indication=("without", "sum"))
    )


SQL: Final = (
    "WITH events AS (\n    SELECT patient_id, date FROM prescriptions WHERE atc LIKE 'A02BC%'\n), "
    + ENTERED.format(first="2015-01-01", last="2021-12-31", washout=12)
    + """
SELECT sex,
       count(*) AS inities,
       count(*) FILTER (
           NOT EXISTS (
               SELECT 1 FROM diagnoses d
               WHERE d.patient_id = e.patient_id AND d.date <= e.t0
                 AND d.cisp2 IN ('D84', 'D85', 'D86')
           )
           AND NOT EXISTS (
               SELECT 1 FROM prescriptions r
               WHERE r.patient_id = e.patient_id AND r.atc LIKE 'M01A%'
                 AND r.date BETWEEN e.t0 - INTERVAL 1 MONTH AND e.t0
           )
       ) AS sans_indication
FROM entered e
WHERE age >= 18
GROUP BY sex
"""
)

"""Combien de patients de 40 ans et plus de la file active ont une BPCO codée, et combien d'entre eux fument
encore d'après leur dossier ?"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

TITLE: Final = "BPCO : prévalence et tabagisme"
KEYS: Final = ("sex",)


def sdk(ws: Any) -> Any:
    import p4dp_sdk as p4dp
    from p4dp_sdk.indicators import active_list

    t = ws.tables
    actifs = active_list(t, "2022-12-31")
    actifs = actifs.filter(actifs.age >= 40)
    bpco = actifs.patient_id.isin(t.diagnoses.where(codes=p4dp.codes("bpco")).patients)
    fume = actifs.patient_id.isin(
        t.history.where(t.history.kind == "tobacco", t.history.status == "current").patients
    )
    n = actifs.patient_id.nunique
    return actifs.group_by("sex").agg(patients=n(), bpco=n(where=bpco), fumeurs=n(where=bpco & fume))


def by_pandas(f: Any) -> pd.DataFrame:
    c, o, p = f.consultations, f.observation_periods, f.patients
    on = pd.Timestamp("2022-12-31")
    seen = c[(c.date > on - pd.DateOffset(months=24)) & (c.date <= on)].patient_id
    watched = o[(o.start_date <= on) & (o.end_date >= on)].patient_id
    dead = p.death_month <= on
    active = p[p.patient_id.isin(seen) & p.patient_id.isin(watched) & ~dead & (p.age >= 40)]
    copd = active.patient_id.isin(f.diagnoses[f.diagnoses.cisp2 == "R95"].patient_id)
    h = f.history
    smokers = h[(h.kind == "tobacco") & (h.status == "current")].patient_id
    active = active.assign(bpco=copd, fumeurs=copd & active.patient_id.isin(smokers))
    return active.groupby("sex", as_index=False).agg(
        patients=("patient_id", "nunique"), bpco=("bpco", "sum"), fumeurs=("fumeurs", "sum")
    )


SQL: Final = """
WITH active AS (
    SELECT *
    FROM patients
    WHERE age >= 40
      AND (death_month IS NULL OR death_month > DATE '2022-12-31')
      AND patient_id IN (
          SELECT patient_id FROM observation_periods
          WHERE DATE '2022-12-31' BETWEEN start_date AND end_date
      )
      AND patient_id IN (
          SELECT patient_id FROM consultations
          WHERE date > DATE '2020-12-31' AND date <= DATE '2022-12-31'
      )
), flagged AS (
    SELECT sex,
           patient_id IN (SELECT patient_id FROM diagnoses WHERE cisp2 = 'R95') AS copd,
           patient_id IN (
               SELECT patient_id FROM history
               WHERE kind = 'tobacco' AND status = 'current'
           ) AS smokes
    FROM active
)
SELECT sex,
       count(*) AS patients,
       count(*) FILTER (copd) AS bpco,
       count(*) FILTER (copd AND smokes) AS fumeurs
FROM flagged
GROUP BY sex
"""

"""Dans chaque centre, combien de diabétiques de la file active ont eu deux HbA1c dans l'année ?"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

TITLE: Final = "Diabète : HbA1c deux fois par an, par centre"
KEYS: Final = ("centre_id",)


def sdk(ws: Any) -> Any:
    return ws.indicators["diabete_hba1c"].expr("centre_id", at="2022-12-31")


def by_pandas(f: Any) -> pd.DataFrame:
    on = pd.Timestamp("2022-12-31")
    c, d, h, o, p = f.consultations, f.diagnoses, f.history, f.observation_periods, f.patients
    seen = c[(c.date > on - pd.DateOffset(months=24)) & (c.date <= on)].patient_id
    watched = o[(o.start_date <= on) & (o.end_date >= on)].patient_id
    active = p[p.patient_id.isin(seen) & p.patient_id.isin(watched) & ~(p.death_month <= on)]
    diagnosed = d[d.date <= on]
    recalled = h[(h.kind != "family") & (h.date.isna() | (h.date <= on))]
    known = pd.concat([diagnosed, recalled])
    coded = known[known.cisp2.isin(["T89", "T90"])].patient_id
    gestational = known[known.cisp2 == "W85"].patient_id
    year = on - pd.DateOffset(months=12)
    rx = f.prescriptions
    rx = rx[rx.atc.str.startswith("A10", na=False) & (rx.date > year) & (rx.date <= on)]
    rx = rx.assign(large=rx.pack_size == "large", real=~rx.atc.str.startswith(("A10BJ", "A10BK"), na=False))
    drugs = rx.groupby("patient_id").agg(
        dates=("date", "nunique"), large=("large", "any"), real=("real", "any")
    )
    treated = drugs[(drugs.dates + drugs.large >= 3) & drugs.real].index
    by_drug = active.patient_id.isin(treated) & ~active.patient_id.isin(gestational)
    diabetics = active[active.patient_id.isin(coded) | by_drug]
    x = f.lab_results
    x = x[(x.analyte == "hba1c") & x.value.notna() & (x.date > year) & (x.date <= on)]
    dates = diabetics.patient_id.map(x.groupby("patient_id").date.nunique())
    return (
        diabetics.assign(twice=dates >= 2)
        .groupby("centre_id", as_index=False)
        .agg(denominator=("patient_id", "nunique"), numerator=("twice", "sum"))
    )


SQL: Final = """
WITH active AS (
    SELECT *
    FROM patients
    WHERE (death_month IS NULL OR death_month > DATE '2022-12-31')
      AND patient_id IN (
          SELECT patient_id FROM observation_periods
          WHERE DATE '2022-12-31' BETWEEN start_date AND end_date
      )
      AND patient_id IN (
          SELECT patient_id FROM consultations
          WHERE date > DATE '2020-12-31' AND date <= DATE '2022-12-31'
      )
), known AS (
    SELECT patient_id, cisp2 FROM diagnoses WHERE date <= DATE '2022-12-31'
    UNION ALL
    SELECT patient_id, cisp2 FROM history
    WHERE kind <> 'family' AND (date IS NULL OR date <= DATE '2022-12-31')
), treated AS (
    SELECT patient_id
    FROM prescriptions
    WHERE atc LIKE 'A10%' AND date > DATE '2021-12-31' AND date <= DATE '2022-12-31'
    GROUP BY patient_id
    HAVING count(DISTINCT date) + coalesce(bool_or(pack_size = 'large'), false)::INTEGER >= 3
       AND bool_or(atc NOT LIKE 'A10BJ%' AND atc NOT LIKE 'A10BK%')
), diabetics AS (
    SELECT *
    FROM active
    WHERE patient_id IN (SELECT patient_id FROM known WHERE cisp2 IN ('T89', 'T90'))
       OR (
           patient_id IN (FROM treated)
           AND patient_id NOT IN (SELECT patient_id FROM known WHERE cisp2 = 'W85')
       )
), tested AS (
    SELECT patient_id
    FROM lab_results
    WHERE analyte = 'hba1c' AND value IS NOT NULL
      AND date > DATE '2021-12-31' AND date <= DATE '2022-12-31'
    GROUP BY patient_id
    HAVING count(DISTINCT date) >= 2
)
SELECT centre_id,
       count(*) AS denominator,
       count(*) FILTER (patient_id IN (FROM tested)) AS numerator
FROM diabetics
GROUP BY centre_id
"""

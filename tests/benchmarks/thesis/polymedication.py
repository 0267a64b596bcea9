"""Combien de patients de 75 ans et plus prennent cinq substances ou plus, et dix ou plus, toute l'année ?"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

TITLE: Final = "Polymédication continue, avant et après 75 ans"
KEYS: Final = ("age_band", "sex")


def sdk(ws: Any) -> Any:
    return ws.indicators["polymedication_continue"].expr(["age_band", "sex"], at="2022-12-31", ages=[75])


def by_pandas(f: Any) -> pd.DataFrame:
    on = pd.Timestamp("2022-12-31")
    c, o, p, rx = f.consultations, f.observation_periods, f.patients, f.prescriptions
    seen = c[(c.date > on - pd.DateOffset(months=24)) & (c.date <= on)].patient_id
    watched = o[(o.start_date <= on) & (o.end_date >= on)].patient_id
    active = p[p.patient_id.isin(seen) & p.patient_id.isin(watched) & ~(p.death_month <= on)]
    rx = rx[(rx.date > on - pd.DateOffset(months=12)) & (rx.date <= on) & rx.atc.notna()]
    rx = rx.assign(large_date=rx.date.where(rx.pack_size == "large"))
    drugs = rx.groupby(["patient_id", "atc"], as_index=False).agg(
        dates=("date", "nunique"), large=("large_date", "nunique")
    )
    drugs = drugs[(drugs.dates >= 3) | (drugs.large >= 2)]
    combined = {
        "A10BD07": ["A10BA02", "A10BH01"],
        "C09BB04": ["C09AA04", "C08CA01"],
        "G03AA07": ["G03AC03", "G03CA01"],
        "R03AK07": ["R03AC13", "R03BA02"],
        "J01CR02": ["J01CA04"],
    }
    drugs["atc"] = [combined.get(code, [code]) for code in drugs.atc]
    number = active.patient_id.map(drugs.explode("atc").groupby("patient_id").atc.nunique())
    old = active.birth_month <= pd.Timestamp("1947-12-01")
    return (
        active.assign(age_band=old.map({True: "75+", False: "00-74"}), five=number >= 5, ten=number >= 10)
        .groupby(["age_band", "sex"], as_index=False)
        .agg(denominator=("patient_id", "nunique"), five=("five", "sum"), ten=("ten", "sum"))
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
), parts(atc, substance) AS (
    VALUES
        ('A10BD07', 'A10BA02'), ('A10BD07', 'A10BH01'),
        ('C09BB04', 'C09AA04'), ('C09BB04', 'C08CA01'),
        ('G03AA07', 'G03AC03'), ('G03AA07', 'G03CA01'),
        ('R03AK07', 'R03AC13'), ('R03AK07', 'R03BA02'),
        ('J01CR02', 'J01CA04')
), drugs AS (
    SELECT patient_id, atc
    FROM prescriptions
    WHERE date > DATE '2021-12-31' AND date <= DATE '2022-12-31' AND atc IS NOT NULL
    GROUP BY patient_id, atc
    HAVING count(DISTINCT date) >= 3
        OR count(DISTINCT date) FILTER (pack_size = 'large') >= 2
), numbers AS (
    SELECT patient_id, count(DISTINCT coalesce(substance, drugs.atc)) AS substances
    FROM drugs
    LEFT JOIN parts USING (atc)
    GROUP BY patient_id
)
SELECT CASE WHEN birth_month <= DATE '1947-12-01' THEN '75+' ELSE '00-74' END AS age_band,
       sex,
       count(*) AS denominator,
       count(*) FILTER (substances >= 5) AS five,
       count(*) FILTER (substances >= 10) AS ten
FROM active
LEFT JOIN numbers USING (patient_id)
GROUP BY ALL
"""

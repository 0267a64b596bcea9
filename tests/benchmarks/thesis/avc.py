"""Après une fibrillation auriculaire, combien d'AVC en trois ans chez ceux qui ont déjà un anticoagulant ce
jour-là, et chez les autres ? (Compter comme traités ceux qui le seront plus tard leur prêterait un temps où
ils ne pouvaient pas avoir eu d'AVC : biais du temps immortel.)"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from tests.benchmarks.thesis.by_hand import ENTERED, FOLLOWED, entered, followed

TITLE: Final = "Fibrillation auriculaire : AVC avec et sans anticoagulant"
KEYS: Final = ("anticoagulant",)


def sdk(ws: Any) -> Any:
    import p4dp_sdk as p4dp
    from p4dp_sdk.cohorts import months

    anticoagulants = p4dp.codes("avk") | p4dp.codes("anticoagulants_directs")
    cohorte = (
        p4dp.Cohort(ws, "Fibrillation auriculaire")
        .index(first=p4dp.codes("fibrillation_auriculaire"))
        .between("2002-01-01", "2021-12-31")
        .washout(months=6)
        .follow_up(years=3)
        .include("40 ans et plus", lambda s: s.age >= 40)
        .variable("anticoagulant", any=anticoagulants, before=months(3))
        .outcome("avc", first=p4dp.codes("avc_aigu"), competing={"décès": "death"})
    )
    s = cohorte.select("anticoagulant", "avc_event")
    n = s.patient_id.nunique
    return s.group_by("anticoagulant").agg(
        patients=n(),
        avc=n(where=s.avc_event == "event"),
        deces=n(where=s.avc_event == "competing"),
    )


def by_pandas(f: Any) -> pd.DataFrame:
    h, rx = f.history, f.prescriptions
    own = h[(h.kind != "family") & (h.status != "no")]
    known = pd.concat([f.diagnoses, own])
    rows = followed(entered(f, known[known.cisp2 == "K78"], "2002-01-01", "2021-12-31", 6), 36)
    rows = rows[rows.age >= 40]
    drugs = rx[rx.atc.str.startswith(("B01AA", "B01AF"), na=False) | (rx.atc == "B01AE07")]
    drugs = rows.merge(drugs, on="patient_id")
    recent = (drugs.date <= drugs.t0) & (drugs.date >= drugs.t0 - pd.DateOffset(months=3))
    treated = rows.patient_id.isin(drugs[recent].patient_id)
    strokes = rows.merge(known[known.cisp2 == "K90"], on="patient_id")
    strokes = strokes[(strokes.date > strokes.t0) & (strokes.date <= strokes.out)]
    first = rows.patient_id.map(strokes.groupby("patient_id").date.min())
    died = (rows.death_month <= rows.out) & ((rows.end == rows.out) | (rows.died == rows.out))
    rows = rows.assign(
        anticoagulant=treated,
        avc=first.notna(),
        deces=first.isna() & died,
    )
    return rows.groupby("anticoagulant", as_index=False).agg(
        patients=("patient_id", "nunique"), avc=("avc", "sum"), deces=("deces", "sum")
    )


SQL: Final = (
    """
WITH known AS (
    SELECT patient_id, date, cisp2 FROM diagnoses
    UNION ALL
    SELECT patient_id, date, cisp2 FROM history WHERE kind <> 'family' AND status <> 'no'
), events AS (
    SELECT patient_id, date FROM known WHERE cisp2 = 'K78'
), """
    + ENTERED.format(first="2002-01-01", last="2021-12-31", washout=6)
    + ", "
    + FOLLOWED.format(months=36)
    + """, strokes AS (
    SELECT f.patient_id, min(k.date) AS stroke
    FROM followed f
    JOIN known k ON k.patient_id = f.patient_id AND k.date > f.t0 AND k.date <= f.leaves
    WHERE k.cisp2 = 'K90'
    GROUP BY f.patient_id
), ended AS (
    SELECT patient_id IN (
               SELECT f.patient_id
               FROM followed f
               JOIN prescriptions r ON r.patient_id = f.patient_id
               WHERE (r.atc LIKE 'B01AA%' OR r.atc LIKE 'B01AF%' OR r.atc = 'B01AE07')
                 AND r.date BETWEEN f.t0 - INTERVAL 3 MONTH AND f.t0
           ) AS anticoagulant,
           stroke,
           coalesce(death_month <= leaves AND (finish = leaves OR died = leaves), false) AS dead
    FROM followed
    LEFT JOIN strokes USING (patient_id)
    WHERE age >= 40
)
SELECT anticoagulant,
       count(*) AS patients,
       count(stroke) AS avc,
       count(*) FILTER (dead AND stroke IS NULL) AS deces
FROM ended
GROUP BY anticoagulant
"""
)

"""Combien de temps passe-t-il entre la première HbA1c à 6,5 % ou plus et le codage d'un diabète, chez ceux
que l'on suit deux ans ?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from tests.benchmarks.thesis.by_hand import ENTERED, FOLLOWED, entered, followed

TITLE: Final = "Diabète : délai entre l'HbA1c et le code"
KEYS: Final = ("delai",)


def sdk(ws: Any) -> Any:
    import ibis

    import p4dp_sdk as p4dp
    from p4dp_sdk.cohorts import years

    x = ws.tables.lab_results
    cohorte = (
        p4dp.Cohort(ws, "Première HbA1c à 6,5 % ou plus")
        .index(first=x.where(x.analyte == "hba1c", x.value >= 6.5))
        .between("2005-01-01", "2020-12-31")
        .washout(months=12)
        .follow_up(years=2)
        .include("suivis deux ans", lambda s: s.exit_reason == "end_of_follow_up")
        .variable("dx", first=p4dp.codes("diabete"), of="date", before=True, after=years(2), look_ahead=True)
    )
    s = cohorte.select("index_date", "dx")
    jours = s.dx.delta(s.index_date, unit="day")
    delai = ibis.cases(
        (jours <= 0, "déjà codé"), (jours <= 91, "3 mois"), (jours.notnull(), "2 ans"), else_="pas codé"
    )
    return s.group_by(delai=delai).agg(patients=s.patient_id.nunique())


def by_pandas(f: Any) -> pd.DataFrame:
    x, d, h = f.lab_results, f.diagnoses, f.history
    high = x[(x.analyte == "hba1c") & (x.value >= 6.5)]
    rows = followed(entered(f, high, "2005-01-01", "2020-12-31", 12), 24)
    rows = rows[rows.whole]
    own = h[(h.kind != "family") & (h.status != "no")]
    coded = pd.concat([d, own])
    coded = rows[["patient_id", "out"]].merge(coded[coded.cisp2.isin(["T89", "T90"])], on="patient_id")
    coded = coded[coded.date <= coded.out].groupby("patient_id").date.min()
    days = (rows.patient_id.map(coded) - rows.t0).dt.days
    delay = np.select(
        [days <= 0, days <= 91, days.notna()], ["déjà codé", "3 mois", "2 ans"], default="pas codé"
    )
    return rows.assign(delai=delay).groupby("delai", as_index=False).agg(patients=("patient_id", "nunique"))


SQL: Final = (
    """
WITH events AS (
    SELECT patient_id, date FROM lab_results WHERE analyte = 'hba1c' AND value >= 6.5
), """
    + ENTERED.format(first="2005-01-01", last="2020-12-31", washout=12)
    + ", "
    + FOLLOWED.format(months=24)
    + """, coded AS (
    SELECT patient_id, date FROM diagnoses WHERE cisp2 IN ('T89', 'T90')
    UNION ALL
    SELECT patient_id, date FROM history
    WHERE cisp2 IN ('T89', 'T90') AND kind <> 'family' AND status <> 'no'
), delays AS (
    SELECT f.patient_id, min(c.date) - t0 AS days
    FROM followed f
    LEFT JOIN coded c ON c.patient_id = f.patient_id AND c.date <= f.leaves
    WHERE whole
    GROUP BY f.patient_id, t0
)
SELECT CASE
           WHEN days <= 0 THEN 'déjà codé'
           WHEN days <= 91 THEN '3 mois'
           WHEN days IS NOT NULL THEN '2 ans'
           ELSE 'pas codé'
       END AS delai,
       count(*) AS patients
FROM delays
GROUP BY ALL
"""
)

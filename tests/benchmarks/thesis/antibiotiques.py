"""En 2022, combien de patients vus pour une infection respiratoire aiguë ont reçu un antibiotique à cette
consultation, par saison et par âge ?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

TITLE: Final = "Antibiotiques dans les infections respiratoires aiguës"
KEYS: Final = ("saison", "classe")


def sdk(ws: Any) -> Any:
    import ibis

    import p4dp_sdk as p4dp

    d, rx = ws.tables.diagnoses, ws.tables.prescriptions
    ira = d.filter(
        p4dp.codes("infection_respiratoire_aigue").matches(d.cisp2),
        d.date.between("2022-01-01", "2022-12-31"),
    )
    antibiotiques = rx.filter(p4dp.codes("antibiotiques").matches(rx.atc))
    ira = ira.join(ws.tables.patients.select("patient_id", "age"), "patient_id")
    ira = ira.mutate(
        saison=ibis.ifelse(ira.date.month().isin([10, 11, 12, 1, 2, 3]), "hiver", "été"),
        classe=p4dp.age_bands(ira.age, [16, 65]),
        antibiotique=ira.consultation_id.isin(antibiotiques.consultation_id),
    )
    n = ira.patient_id.nunique
    return ira.group_by("saison", "classe").agg(patients=n(), antibiotique=n(where=ira.antibiotique))


def by_pandas(f: Any) -> pd.DataFrame:
    d, rx = f.diagnoses, f.prescriptions
    codes = ["R72", "R74", "R75", "R76", "R77", "R78", "R80", "R81", "R83"]
    ari = d[d.cisp2.isin(codes) & d.date.between("2022-01-01", "2022-12-31")]
    ari = ari.merge(f.patients[["patient_id", "age"]], on="patient_id")
    given = ari.consultation_id.isin(rx[rx.atc.str.startswith("J01", na=False)].consultation_id)
    ari = ari.assign(
        saison=np.where(ari.date.dt.month.isin([10, 11, 12, 1, 2, 3]), "hiver", "été"),
        classe=np.select([ari.age < 16, ari.age < 65], ["00-15", "16-64"], default="65+"),
        with_antibiotic=ari.patient_id.where(given),
    )
    return ari.groupby(["saison", "classe"], as_index=False).agg(
        patients=("patient_id", "nunique"), antibiotique=("with_antibiotic", "nunique")
    )


SQL: Final = """
WITH visits AS (
    SELECT patient_id,
           CASE WHEN month(date) IN (10, 11, 12, 1, 2, 3) THEN 'hiver' ELSE 'été' END AS saison,
           CASE WHEN age < 16 THEN '00-15' WHEN age < 65 THEN '16-64' ELSE '65+' END AS classe,
           consultation_id IN (
               SELECT consultation_id FROM prescriptions WHERE atc LIKE 'J01%'
           ) AS given
    FROM diagnoses
    JOIN patients USING (patient_id)
    WHERE cisp2 IN ('R72', 'R74', 'R75', 'R76', 'R77', 'R78', 'R80', 'R81', 'R83')
      AND date BETWEEN DATE '2022-01-01' AND DATE '2022-12-31'
)
SELECT saison,
       classe,
       count(DISTINCT patient_id) AS patients,
       count(DISTINCT patient_id) FILTER (given) AS antibiotique
FROM visits
GROUP BY saison, classe
"""

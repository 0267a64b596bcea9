"""En prévention primaire, combien de patients ont encore une prescription de statine neuf mois ou plus après
la première, parmi ceux que l'on suit un an ?"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from tests.benchmarks.thesis.by_hand import ENTERED, FOLLOWED, entered, followed

TITLE: Final = "Statines : persistance à un an"
KEYS: Final = ("sex",)


def sdk(ws: Any) -> Any:
    import p4dp_sdk as p4dp

    statines = p4dp.codes("statines")
    cohorte = (
        p4dp.Cohort(ws, "Statine, prévention primaire")
        .index(first=statines)
        .between("2005-01-01", "2021-12-31")
        .washout(months=12)
        .follow_up(years=1)
        .exclude("infarctus ou AVC", before=p4dp.codes("infarctus_ou_avc"))
        .include("suivis un an", lambda s: s.exit_reason == "end_of_follow_up")
        .variable("derniere", last=statines, of="date", after=True, look_ahead=True)
    )
    s = cohorte.select("sex", "index_date", "derniere")
    persiste = s.derniere.delta(s.index_date, unit="day") >= 274
    n = s.patient_id.nunique
    return s.group_by("sex").agg(patients=n(), persistants=n(where=persiste))


def by_pandas(f: Any) -> pd.DataFrame:
    d, h, rx = f.diagnoses, f.history, f.prescriptions
    statins = rx[rx.atc.str.startswith("C10AA", na=False)]
    rows = followed(entered(f, statins, "2005-01-01", "2021-12-31", 12), 12)
    own = h[(h.kind != "family") & (h.status != "no")]
    events = pd.concat([d, own])
    events = rows.merge(events[events.cisp2.isin(["K75", "K76", "K90", "K91"])], on="patient_id")
    secondary = events[events.date < events.t0].patient_id
    rows = rows[rows.whole & ~rows.patient_id.isin(secondary)]
    later = rows[["patient_id", "t0", "out"]].merge(statins, on="patient_id")
    later = later[(later.date > later.t0) & (later.date <= later.out)]
    last = rows.patient_id.map(later.groupby("patient_id").date.max())
    rows = rows.assign(persists=(last - rows.t0).dt.days >= 274)
    return rows.groupby("sex", as_index=False).agg(
        patients=("patient_id", "nunique"), persistants=("persists", "sum")
    )


SQL: Final = (
    "WITH events AS (\n    SELECT patient_id, date FROM prescriptions WHERE atc LIKE 'C10AA%'\n), "
    + ENTERED.format(first="2005-01-01", last="2021-12-31", washout=12)
    + ", "
    + FOLLOWED.format(months=12)
    + """, vascular AS (
    SELECT patient_id, date FROM diagnoses WHERE cisp2 IN ('K75', 'K76', 'K90', 'K91')
    UNION ALL
    SELECT patient_id, date FROM history
    WHERE cisp2 IN ('K75', 'K76', 'K90', 'K91') AND kind <> 'family' AND status <> 'no'
), primary_prevention AS (
    SELECT *
    FROM followed f
    WHERE whole
      AND NOT EXISTS (
          SELECT 1 FROM vascular v WHERE v.patient_id = f.patient_id AND v.date < f.t0
      )
), last_event AS (
    SELECT p.patient_id, max(e.date) AS last
    FROM primary_prevention p
    JOIN events e ON e.patient_id = p.patient_id AND e.date > p.t0 AND e.date <= p.leaves
    GROUP BY p.patient_id
)
SELECT sex,
       count(*) AS patients,
       count(*) FILTER (last - t0 >= 274) AS persistants
FROM primary_prevention
LEFT JOIN last_event USING (patient_id)
GROUP BY sex
"""
)

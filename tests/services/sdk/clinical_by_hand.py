"""The clinical indicators once more, over rows in memory: patient by patient, in plain Python.

Shares nothing with `p4dp_sdk.indicators` but the published cut-offs of the IOTF. Each function gives the
people counted, and under each condition's name those who meet it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from statistics import mean, median
from typing import Any

import pandas as pd

from p4dp_sdk.catalogue.reference.iotf import weight_status

Said = Mapping[str, set[int]]
Rows = dict[int, list[Any]]
EYE = {"F39", "F40", "F41", "F61", "F66", "F67"}
TABLES = (
    "patients", "consultations", "observation_periods", "diagnoses", "history", "procedures", "lab_results",
    "prescriptions", "vaccinations", "biometrics",
)  # fmt: skip


def back(on: date, months: int) -> date:
    """The same day so many months earlier."""
    return (pd.Timestamp(on) - pd.DateOffset(months=months)).date()


def in_months(born: date, on: date) -> int:
    return (on.year - born.year) * 12 + on.month - born.month


def of_patient(frame: pd.DataFrame) -> Rows:
    found: Rows = defaultdict(list)
    for row in frame.itertuples(index=False):
        found[row.patient_id].append(row)
    return found


def wanted(table: Any) -> Any:
    """The rows of a table that any measure might read: the rest would only take time."""
    if "analyte" in table.columns:
        return table.filter(table.analyte.isin(["hba1c", "creatinine", "uacr", "fit", "hpv", "inr"]))
    if "measure" in table.columns:
        return table.filter(table.measure.isin(["weight", "height"]))
    if "pack_size" in table.columns:
        return table.filter(table.atc.startswith("A10") | table.atc.startswith("B01AA"))
    return table.filter(table.date >= "2014-01-01") if "type" in table.columns else table


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Dates as dates, what is missing as None."""
    for name in frame.columns:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            frame[name] = frame[name].dt.date
    return frame.astype(object).where(frame.notna(), None)


@dataclass(frozen=True)
class ByHand:
    """The answers on the day `on`, from the frames of a snapshot."""

    frames: Mapping[str, pd.DataFrame]
    on: date

    def rows(self, table: str, **wanted: Iterable[str]) -> Rows:
        frame = self.frames[table]
        for column, values in wanted.items():
            frame = frame[frame[column].isin(list(values))]
        return of_patient(frame)

    def lately(self, row: Any, months: int) -> bool:
        return row.date is not None and back(self.on, months) < row.date <= self.on

    def age(self, who: int) -> int:
        """Completed months, -1 where not known."""
        born = self.patients[who].birth_month
        return -1 if born is None else in_months(born, self.on)

    def aged(self, low: int, high: int) -> set[int]:
        return {who for who in self.active if 12 * low <= self.age(who) < 12 * (high + 1)}

    @cached_property
    def patients(self) -> dict[int, Any]:
        return {row.patient_id: row for row in self.frames["patients"].itertuples(index=False)}

    @cached_property
    def active(self) -> set[int]:
        contacts, periods = self.rows("consultations"), self.rows("observation_periods")
        return {
            who
            for who, row in self.patients.items()
            if any(self.lately(contact, 24) for contact in contacts.get(who, ()))
            and any(period.start_date <= self.on <= period.end_date for period in periods.get(who, ()))
            and not (row.death_month is not None and row.death_month <= self.on)
        }

    def had(self, *codes: str) -> set[int]:
        """Own diagnoses and past events up to the day."""
        diagnosed = {
            who
            for who, rows in self.rows("diagnoses", cisp2=codes).items()
            if any(row.date <= self.on for row in rows)
        }
        recalled = {
            who
            for who, rows in self.rows("history", cisp2=codes).items()
            if any(row.kind != "family" and (row.date is None or row.date <= self.on) for row in rows)
        }
        return diagnosed | recalled

    def overweight(self) -> Said:
        found: dict[tuple[int, date], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for row in self.frames["biometrics"].itertuples(index=False):
            sound = row.value is not None and row.dq_code != "copied_value"
            if row.measure in ("weight", "height") and sound and self.lately(row, 24):
                found[row.patient_id, row.date][row.measure].append(row.value)
        last: dict[int, str] = {}
        for (who, day), both in sorted(found.items()):
            row = self.patients[who]
            if {"weight", "height"} <= set(both) and row.birth_month is not None:
                months = in_months(row.birth_month, day)
                bmi = round(median(both["weight"]) / (median(both["height"]) / 100) ** 2, 6)
                status = weight_status(row.sex, months, bmi) if 72 <= months < 192 else None
                if status is not None:
                    last[who] = status.value
        counted = self.aged(6, 15)
        heavy = {who for who, status in last.items() if status in ("overweight", "obese")}
        return {
            "counted": counted,
            "measured": counted & set(last),
            "overweight": counted & heavy,
            "obese": counted & {who for who, status in last.items() if status == "obese"},
            "missing": counted - set(last),
        }

    def seen_in(self, table: str, months: int, **codes: Iterable[str]) -> set[int]:
        return {
            who
            for who, rows in self.rows(table, **codes).items()
            if any(self.lately(row, months) for row in rows)
        }

    def women(self, low: int, high: int) -> set[int]:
        return {who for who in self.aged(low, high) if self.patients[who].sex == "F"}

    def breast(self) -> Said:
        counted = self.women(50, 74) - self.had("X76")
        return {"counted": counted, "trace": counted & self.seen_in("procedures", 24, cisp2=["X41"])}

    def colorectal(self) -> Said:
        family = {
            who
            for who, rows in self.rows("history", cisp2=["D75"], kind=["family"]).items()
            if any(row.date is None or row.date <= self.on for row in rows)
        }
        counted = self.aged(50, 74) - self.had("D75", "D78", "D94") - family
        fit = self.seen_in("lab_results", 24, analyte=["fit"])
        endoscopy = self.seen_in("procedures", 60, cisp2=["D40"])
        return {"counted": counted, "trace": counted & (fit | endoscopy)}

    def cervix(self) -> Said:
        counted = self.women(25, 65) - self.had("X75")
        smears = self.rows("procedures", cisp2=["X37"])
        hpv = self.seen_in("lab_results", 60, analyte=["hpv"])
        met = set()
        for who in counted:
            days = sorted(row.date for row in smears.get(who, ()) if row.date <= self.on)
            recent = bool(days) and days[-1] > back(self.on, 36)
            if self.on < date(2020, 1, 1) or self.age(who) >= 360:
                done = recent or (self.on >= date(2020, 1, 1) and who in hpv)
            else:
                settled = recent and (days[-1] > back(self.on, 12) or back(days[-1], 12) >= days[0])
                done = settled
            if done:
                met.add(who)
        return {"counted": counted, "trace": met}

    @cached_property
    def diabetics(self) -> set[int]:
        treated = set()
        for who, rows in self.rows("prescriptions").items():
            drugs = [row for row in rows if row.atc.startswith("A10") and self.lately(row, 12)]
            needed = 2 if any(row.pack_size == "large" for row in drugs) else 3
            other = [row for row in drugs if row.atc[:5] not in ("A10BJ", "A10BK")]
            if len({row.date for row in drugs}) >= needed and other:
                treated.add(who)
        return self.active & (self.had("T89", "T90") | (treated - self.had("W85")))

    @cached_property
    def hba1c(self) -> dict[int, list[tuple[date, float]]]:
        """Values of the 12 months, in order."""
        return {
            who: sorted(
                (row.date, row.value) for row in rows if row.value is not None and self.lately(row, 12)
            )
            for who, rows in self.rows("lab_results", analyte=["hba1c"]).items()
        }

    def diabetes(self) -> dict[str, Said]:
        who = self.diabetics
        values = {person: each for person, each in self.hba1c.items() if each}
        high = {person for person, each in values.items() if each[-1][1] > 7}
        insulin = {
            person
            for person, rows in self.rows("prescriptions").items()
            if any(row.atc.startswith("A10A") and self.lately(row, 12) for row in rows)
        }
        yearly, biennial = (self.seen_in("procedures", months, cisp2=EYE) for months in (12, 24))
        creatinine, albumin = (
            self.seen_in("lab_results", 12, analyte=[name]) for name in ("creatinine", "uacr")
        )
        twice = {person for person, each in values.items() if len({day for day, _ in each}) >= 2}
        return {
            "diabete": {"counted": self.active, "diabetic": who},
            "diabete_hba1c": {"counted": who, "twice": who & twice},
            "diabete_equilibre": {
                "counted": who,
                "measured": who & set(values),
                "controlled": (who & set(values)) - high,
                "missing": who - set(values),
            },
            "diabete_oeil": {"counted": who, "eye": who & (yearly | (biennial - insulin - high))},
            "diabete_oeil_24": {"counted": who, "eye": who & biennial},
            "diabete_rein": {"counted": who, "kidney": who & creatinine & albumin},
        }

    def dtp(self) -> Said:
        """By the wording of the calendar: n is the next fixed age."""
        said: dict[str, set[int]] = {
            name: set() for name in ("counted", "recorded", "up_to_date", "due", "missing")
        }
        doses = self.rows("vaccinations", atc=["J07CA01", "J07CA02"])
        for who in self.aged(25, 200):
            said["counted"].add(who)
            born = self.patients[who].birth_month
            ages = [
                in_months(born, row.date) + (6 if row.date_precision == "year" else 0)
                for row in doses.get(who, ())
                if row.date <= self.on
            ]
            if not ages:
                said["missing"].add(who)
                continue
            said["recorded"].add(who)
            upcoming = next(n for n in (45, 65, *range(75, 200, 10)) if 12 * n > self.age(who))
            interval = 12 * upcoming - max(ages)
            said["due" if interval > 12 * (25 if upcoming <= 65 else 15) else "up_to_date"].add(who)
        return said

    @cached_property
    def antagonists(self) -> dict[int, list[date]]:
        return {
            who: days
            for who, rows in self.rows("prescriptions").items()
            if (days := sorted(r.date for r in rows if r.atc.startswith("B01AA") and r.date <= self.on))
        }

    def inr_days(self, who: int, rows: list[Any]) -> list[tuple[date, float]]:
        """One value a day, of those that count."""
        drugs = self.antagonists[who]
        days: dict[date, list[float]] = defaultdict(list)
        for row in rows:
            if row.value is None or not 0.5 <= row.value <= 20 or not self.lately(row, 12):
                continue
            covered = any(timedelta(0) <= row.date - drug <= timedelta(90) for drug in drugs)
            if covered and row.date - drugs[0] >= timedelta(56):
                days[row.date].append(row.value)
        return sorted((day, mean(values)) for day, values in days.items())

    def inr(self) -> dict[str, Said]:
        taking = {who for who in self.active & set(self.antagonists) if self._takes(who)}
        counted = taking - self.had("K83")
        rows = self.rows("lab_results", analyte=["inr"])
        days = {who: self.inr_days(who, rows.get(who, [])) for who in counted}
        enough = {who: each for who, each in days.items() if len(each) >= 3}
        outside = {
            who
            for who, each in enough.items()
            if 10 * sum(not 2 <= value <= 3 for _, value in each) >= 3 * len(each)
        }
        shares = {who: share for who, each in enough.items() if (share := in_range(each)) is not None}
        return {
            "inr": {
                "counted": counted,
                "followed": set(enough),
                "outside": outside,
                "missing": counted - set(enough),
            },
            "inr_cible_inconnue": {"counted": taking, "unknown": taking - counted},
            "inr_ttr": {
                "counted": counted,
                "assessed": set(shares),
                "under_50": {who for who, share in shares.items() if share < 0.5},
                "from_65": {who for who, share in shares.items() if share >= 0.65},
                "from_70": {who for who, share in shares.items() if share >= 0.7},
                "missing": counted - set(shares),
            },
        }

    def _takes(self, who: int) -> bool:
        return any(day > back(self.on, 12) for day in self.antagonists[who])

    def all(self) -> dict[str, Said]:
        """Every measure, by its id."""
        return {
            "surpoids": self.overweight(),
            "depistage_sein": self.breast(),
            "depistage_colorectal": self.colorectal(),
            "depistage_col": self.cervix(),
            "vaccination_dtp": self.dtp(),
            **self.diabetes(),
            **self.inr(),
        }


def in_range(values: list[tuple[date, float]]) -> float | None:
    """Rosendaal's share of days from 2 to 3; None without an interval of 56 days or less."""
    inside = observed = 0.0
    for (first, start), (second, end) in pairwise(values):
        days = (second - first).days
        if days <= 56:
            bottom, top = sorted((start, end))
            part = (min(top, 3) - max(bottom, 2)) / (top - bottom) if top > bottom else 2 <= top <= 3
            inside, observed = inside + days * max(0, part), observed + days
    return inside / observed if observed else None

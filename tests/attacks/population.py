"""The planted population of the red team: who has what is known, so that a guess can be marked.

6,000 patients of 48 GPs in 6 centres of 3 regions, 50 to each cell of centre × sex × age band. Each of
`SECRETS` is a fair coin for everybody, apart from all else: who guesses without looking is right half the
time. `COINS` are as many attributes by which random sets of people can be asked for. Victims are those whom
centre, sex and birth month single out: what a neighbour knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hub_config.warehouse.snapshot import Building, build_snapshot
from tests.services.gateway.peer_enclave import table

PEOPLE: Final = 6_000
PHYSICIANS: Final = 48
CENTRES: Final = ("C1", "C2", "C3", "C4", "C5", "C6")
REGION: Final = {"C1": "R1", "C2": "R1", "C3": "R2", "C4": "R2", "C5": "R3", "C6": "R3"}
BANDS: Final = ("00-09", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80-89", "90+")
SECRETS: Final = ("P76", "P74", "T90", "K86", "R96", "L84", "N89", "D84")
COINS: Final = (
    "R74", "A04", "A11", "D01", "D02", "D03", "F70", "H71", "K87", "L03", "L15", "L86", "N01", "N17", "P06",
    "R05", "R75", "R76", "R78", "S74", "S88", "T82", "T93", "U71",
)  # fmt: skip
REFERENCE: Final = date(2020, 12, 31)
YEARS: Final = range(2015, 2021)
HEAVY: Final = 7  # the 7th of each cell sees a GP twice a day: 700 visits, or 1,100 if `much`
RARE: Final = ("B90", "Y70", "X70")  # of turn i's victims, by a fair coin; of nobody else
CELL: Final = ["centre_id", "sex", "age_band"]


@dataclass(frozen=True)
class Population:
    """Everybody, by `patient_no`: the frame has a boolean column for every code."""

    people: pd.DataFrame
    dates: pd.DataFrame  # of everybody's secrets

    @cached_property
    def known(self) -> pd.DataFrame:
        """Those whom centre, sex and birth month single out."""
        return self.people[~self.people.duplicated(["centre_id", "sex", "birth_month"], keep=False)]

    def victims(self, turn: int = 0, keys: Sequence[str] = CELL) -> pd.DataFrame:
        """One in each cell of `keys`, others at each `turn`."""
        return self.known.groupby(list(keys)).nth(turn).sort_values(list(keys))


def make(seed: int = 20) -> Population:
    dice = np.random.default_rng(seed)
    number = np.arange(PEOPLE)
    cell = number % 120
    age = (cell // 12) * 10 + dice.integers(0, 10, PEOPLE)
    months = 12 * (REFERENCE.year - age) + REFERENCE.month - 1 - dice.integers(0, 12, PEOPLE)
    centre = cell % 6
    people = pd.DataFrame(
        {
            "patient_no": number,
            "physician_no": (centre + 6 * dice.integers(0, PHYSICIANS // 6, PEOPLE)).astype("int32"),
            "centre_id": np.array(CENTRES)[centre],
            "sex": np.array(["F", "M"])[cell // 6 % 2],
            "birth_month": [date(int(month) // 12, int(month) % 12 + 1, 1) for month in months],
            "age": age.astype("int32"),
            "age_band": np.array(BANDS)[cell // 12],
            "visits": dice.integers(1, 4, PEOPLE),
            "hba1c": dice.normal(7.0, 0.8, PEOPLE).clip(4, 12).round(1),
            "weight": dice.normal(75, 12, PEOPLE).clip(40, 130).round(1),
        }
    )
    heavy = people.index[number // 120 == HEAVY]  # one in each cell of 120
    people["much"] = False
    people.loc[heavy, "much"] = dice.random(len(heavy)) < 0.5
    people.loc[heavy, "visits"] = np.where(people.loc[heavy, "much"], 1_100, 700)
    held = dice.random((PEOPLE, len(SECRETS) + len(COINS))) < 0.5
    codes = pd.DataFrame(held, columns=[*SECRETS, *COINS])
    days = dice.integers(0, 365 * len(YEARS), held.shape)
    first = np.datetime64(date(YEARS[0], 1, 1))
    dates = pd.DataFrame(first + days.astype("timedelta64[D]"), columns=codes.columns)
    people = pd.concat([people, codes], axis=1)
    for turn, code in enumerate(RARE):
        victims = Population(people, dates).victims(turn)
        people[code] = False
        people.loc[victims.index, code] = dice.random(len(victims)) < 0.5
        dates[code] = dates[SECRETS[0]]
    return Population(people, dates)


def plant(population: Population, warehouse: Path, objecting: Sequence[int] = ()) -> None:
    """The population as the next snapshot of `warehouse`."""
    with build_snapshot(warehouse, source="red team", synthetic=True, public=False) as building:
        _fill(building, population, objecting)
        building.finish(REFERENCE, date(YEARS[0], 1, 1), REFERENCE)


def _fill(building: Building, population: Population, objecting: Sequence[int]) -> None:
    people = population.people
    owner = people[["patient_no", "physician_no", "centre_id"]]
    patients = people[[*owner, "sex", "birth_month", "age", "age_band"]]
    centres = pd.DataFrame({"centre_id": CENTRES, "region": REGION.values(), "label": CENTRES})
    gps = np.arange(PHYSICIANS, dtype="int32")
    physicians = pd.DataFrame({"physician_no": gps, "centre_id": np.array(CENTRES)[gps % 6], "sex": "F"})
    frames = {
        "centres": centres,
        "physicians": physicians.assign(age_band="40-49"),
        "patients": patients,
        "diagnoses": _diagnoses(population, owner),
        "consultations": _consultations(people, owner),
        "biometrics": owner.assign(
            date=REFERENCE, measure="weight", value=people["weight"], unit="kg", dq_code="ok"
        ),
        "lab_results": owner.assign(
            date=REFERENCE, analyte="hba1c", value=people["hba1c"], unit="%", dq_code="ok"
        ),
        "objections": pd.DataFrame({"patient_no": list(objecting), "recorded_on": REFERENCE}),
    }
    for name, frame in frames.items():
        building.connection.register("frame", frame)
        building.connection.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM frame')
        building.connection.unregister("frame")


def _diagnoses(population: Population, owner: pd.DataFrame) -> pd.DataFrame:
    codes = list(population.dates.columns)
    held = population.people[codes].to_numpy(dtype=bool)
    who, what = held.nonzero()
    rows = owner.iloc[who].reset_index(drop=True)
    rows["cisp2"] = np.array(codes)[what]
    rows["date"] = population.dates.to_numpy()[who, what]
    return rows.assign(consultation_id=np.arange(len(rows)), coding_source="manual")


def _consultations(people: pd.DataFrame, owner: pd.DataFrame) -> pd.DataFrame:
    rows = owner.loc[owner.index.repeat(people["visits"])].reset_index(drop=True)
    year = np.concatenate([np.arange(visits) % len(YEARS) for visits in people["visits"]]) + YEARS[0]
    dates = [date(int(y), 6, 1) for y in year]
    return rows.assign(consultation_id=np.arange(len(rows)), date=dates, type="office")


# --- how an attacker says whom they mean -------------------------------------------------------------------


def seen(name: str) -> Any:
    """A catalogue table as a notebook has it. (`Any`: its columns are attributes.)"""
    return table(name)


def is_one_of(people: Any, victims: pd.DataFrame) -> Any:
    """The condition that holds of the victims alone: by what a neighbour knows of each."""
    known = people.centre_id + people.sex + people.birth_month.cast("string")
    return known.isin([f"{v.centre_id}{v.sex}{v.birth_month}" for v in victims.itertuples()])


def either(conditions: list[Any]) -> Any:
    """Any of them. Balanced: a request's depth is bounded."""
    while len(conditions) > 1:
        conditions = [reduce(lambda a, b: a | b, conditions[i : i + 2]) for i in range(0, len(conditions), 2)]
    return conditions[0]


def having(people: Any, *codes: str) -> Any:
    """The condition of having each of these diagnoses."""
    d = seen("diagnoses")
    conditions = [people.patient_id.isin(d.filter(d.cisp2 == code).patient_id) for code in codes]
    return reduce(lambda a, b: a & b, conditions)


def pads(dice: np.random.Generator, number: int) -> Iterator[list[date]]:
    """Birth months, nine of each age band's 120: those of a dozen ill people in each cell of sex × band."""
    newest = 12 * REFERENCE.year + REFERENCE.month - 1
    for _ in range(number):
        back = np.concatenate([dice.choice(120, 9, replace=False) + 120 * band for band in range(len(BANDS))])
        yield [date((newest - month) // 12, (newest - month) % 12 + 1, 1) for month in back.tolist()]


def per_cell(people: Any, keys: Sequence[str] = CELL) -> Any:
    """Patients by centre, sex and age band."""
    return people.group_by(list(keys)).agg(n=people.patient_id.nunique())


def marked(people: Any, codes: Sequence[str]) -> Any:
    """With a column for each diagnosis: whether one has it."""
    d = seen("diagnoses")
    return people.mutate(
        **{code: people.patient_id.isin(d.filter(d.cisp2 == code).patient_id) for code in codes}
    )


def bits(victims: pd.DataFrame, secret: str) -> NDArray[np.bool_]:
    return victims[secret].to_numpy(dtype=bool)

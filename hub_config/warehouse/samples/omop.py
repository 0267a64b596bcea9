"""A tiny export of an OMOP CDM v5.4: the tables that the mapping takes, with the CDM's columns.

One row in eight holds a concept that the mapping doesn't know, and some have none (0): both are set aside.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from hub_config.warehouse.samples.population import NAME, Fact, Person, Visit

COLUMNS: Final = {
    "person": (
        *(
            "person_id",
            "gender_concept_id",
            "year_of_birth",
            "month_of_birth",
            "day_of_birth",
            "birth_datetime",
        ),
        *("race_concept_id", "ethnicity_concept_id", "provider_id", "care_site_id", "person_source_value"),
    ),
    "visit_occurrence": (
        *("visit_occurrence_id", "person_id", "visit_concept_id", "visit_start_date", "visit_end_date"),
        *("visit_type_concept_id", "provider_id"),
    ),
    "condition_occurrence": (
        *("condition_occurrence_id", "person_id", "condition_concept_id", "condition_start_date"),
        *("condition_type_concept_id", "provider_id", "visit_occurrence_id", "condition_source_value"),
    ),
    "drug_exposure": (
        *("drug_exposure_id", "person_id", "drug_concept_id", "drug_exposure_start_date", "days_supply"),
        *("drug_type_concept_id", "provider_id", "visit_occurrence_id", "sig"),
    ),
    "measurement": (
        *("measurement_id", "person_id", "measurement_concept_id", "measurement_date", "value_as_number"),
        *("unit_concept_id", "provider_id", "visit_occurrence_id", "value_source_value"),
    ),
    "observation": (
        *("observation_id", "person_id", "observation_concept_id", "observation_date", "value_as_string"),
        *("value_as_concept_id", "provider_id"),
    ),
    "observation_period": (
        *("observation_period_id", "person_id", "observation_period_start_date"),
        *("observation_period_end_date", "period_type_concept_id"),
    ),
    "death": ("person_id", "death_date", "death_type_concept_id", "cause_concept_id"),
}
UNKNOWN: Final = "999999"  # a concept of no vocabulary here
CONDITIONS: Final = {
    "K86": "320128",
    "T90": "201826",
    "T93": "432867",
    "R78": "260139",
    "L03": "194133",
    "P76": "440383",
    "U71": "81902",
    "R96": "317009",
    "R74": "0",  # no matching concept
    "H71": UNKNOWN,
}
DRUGS: Final = {
    "C09AA05": "1334456",
    "A10BA02": "1503297",
    "C10AA05": "1545958",
    "N02BE01": "1125315",
    "J01CA04": "1713332",
    "R03AC02": "1154343",
    "B01AA03": "1310149",
    "A02BC01": UNKNOWN,
}
_VISITS: Final = {"office": "9202", "home": "581476", "remote": "5083", "phone": "0"}
_MEASURES: Final = {
    "weight": "3025315",
    "height": "3036277",
    "bmi": "3038553",
    "sbp": "3004249",
    "dbp": "3012888",
    "hba1c": "3004410",
    "creatinine": "3016723",
    "glucose": "3004501",
    "hdl": "3007070",
    "inr": "3022217",
    "crp": UNKNOWN,
}
_UNITS: Final = {
    "kg": "9529",
    "cm": "8582",
    "m": "9546",
    "mmHg": "8876",
    "%": "8554",
    "g/L": "8636",
    "mg/L": "8751",
}
_SMOKING: Final = {"non": "45879404", "sevré": "45883458", "actuel": "45881517"}

Row = Sequence[object]


def write(directory: Path, persons: Iterable[Person]) -> None:
    """`<table>.csv` of each table."""
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = {}
        for table, columns in COLUMNS.items():
            file = stack.enter_context((directory / f"{table}.csv").open("w", encoding="utf-8", newline=""))
            files[table] = csv.writer(file)
            files[table].writerow(columns)
        for person in persons:
            for table, row in _rows(person):
                files[table].writerow(row)


def _rows(person: Person) -> Iterator[tuple[str, Row]]:
    number, birth, provider = person.number + 1, person.birth, person.physician[1:]
    yield (
        "person",
        (
            *(number, "8507" if person.sex == "M" else "8532", birth.year, birth.month, birth.day),
            *(f"{birth} 00:00:00", 0, 0, provider, person.practice % 4 + 1, NAME),
        ),
    )
    if person.death:
        yield "death", (number, person.death, 32817, 0)
    if person.visits:
        first, last = person.visits[0].on, person.visits[-1].on
        yield "observation_period", (number, number, first, last, 32817)
    for index, fact in enumerate(fact for fact in person.history if fact.kind == "tobacco"):
        day = "-".join(reversed(fact.on.split("/")))
        yield (
            "observation",
            (number * 10 + index, number, "43054909", day, NAME, _SMOKING[fact.text], provider),
        )
    for visit in person.visits:
        yield from _of_visit(number, provider, visit)


def _of_visit(number: int, provider: str, visit: Visit) -> Iterator[tuple[str, Row]]:
    key, on = visit.number + 1, visit.on
    yield "visit_occurrence", (key, number, _VISITS[visit.place], on, on, 32817, provider)
    for index, (code, _) in enumerate(visit.diagnoses):
        yield (
            "condition_occurrence",
            (key * 10 + index, number, CONDITIONS[code], on, 32817, provider, key, NAME),
        )
    for index, fact in enumerate(visit.facts):
        kind, _, what = fact.kind.partition(":")
        if kind == "drug":
            yield (
                "drug_exposure",
                (key * 100 + index, number, DRUGS[what], on, fact.text, 32817, provider, key, NAME),
            )
        elif fact.trap not in {"not_numeric", "bad_date"}:
            yield (
                "measurement",
                (key * 100 + index, number, _MEASURES[what], on, *_valued(fact), provider, key, NAME),
            )


def _valued(fact: Fact) -> Row:
    return fact.text.replace(",", "."), _UNITS.get(fact.unit, "")

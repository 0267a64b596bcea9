"""An invented population as two practice-software vendors would hold it, with the traps real exports have.

Deterministic: a person depends on the seed and its number alone, so an export of any size is the beginning of
a larger one. Every trap is tagged on the record that holds it; `tally` counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

FIRST: Final = date(2012, 1, 1)
LAST: Final = date(2023, 12, 31)

# What must never leave an export: names, streets, telephones. No other text of an export holds these.
NAME: Final = "ZQXDURAND"
FIRST_NAME: Final = "Zqxœuvre"
STREET: Final = "12 rue Zqxbeaulieu"
PHONE: Final = "06 98 76 54 32"
PLANTED: Final = (NAME, FIRST_NAME, "Zqxbeaulieu", PHONE, PHONE.replace(" ", ""))
NOTE: Final = f"Mme {NAME}, {STREET} – rappeler au {PHONE} ; cœur régulier, 37 €"

_PRACTICES: Final = 8
_REASONS: Final = ("A03", "R05", "A04", "L03", "N01", "D01", "P06", "A62", "A44")
_DIAGNOSES: Final = ("K86", "T90", "T93", "R74", "R78", "L03", "P76", "U71", "H71", "R96")
_DRUGS: Final = ("C09AA05", "A10BA02", "C10AA05", "N02BE01", "J01CA04", "R03AC02", "B01AA03", "A02BC01")
_PLACES: Final = ("office", "office", "office", "home", "remote", "phone")


@dataclass(frozen=True)
class Fact:
    """A row of any kind: what it is, its text, its unit. `trap` names what is wrong with it."""

    kind: str
    text: str = ""
    unit: str = ""
    on: str = ""  # a date of its own, where it isn't the consultation's
    trap: str | None = None


@dataclass(frozen=True)
class Visit:
    number: int
    on: date
    place: str
    reasons: tuple[str, ...]
    diagnoses: tuple[tuple[str, str], ...]  # code and source, "auto" or "main"
    facts: tuple[Fact, ...]  # kinds of `biometrics`, `results`, `drugs`

    def of(self, *prefixes: str) -> Iterator[Fact]:
        return (fact for fact in self.facts if fact.kind.partition(":")[0] in prefixes)


@dataclass(frozen=True)
class Person:
    number: int
    sex: str
    birth: date
    death: date | None
    practice: int
    visits: tuple[Visit, ...]
    history: tuple[Fact, ...]
    vaccines: tuple[Fact, ...]
    moved: bool  # the same person is in the other vendor's export too

    @property
    def physician(self) -> str:
        return f"M{self.practice:02d}{self.number % 3}"

    @property
    def centre(self) -> str:
        """Of some persons the centre is unknown to the register."""
        return "Fac9" if self.stranger else self.centre_of_practice

    @property
    def centre_of_practice(self) -> str:
        return f"Fac{self.practice % 4}"

    @property
    def stranger(self) -> bool:
        return self.number % 83 == 9


def people(count: int, *, seed: int = 1, start: int = 0) -> Iterator[Person]:
    """Persons `start` to `start + count - 1`."""
    return (person(number, seed=seed) for number in range(start, start + count))


def person(number: int, *, seed: int = 1) -> Person:
    draw = Random(seed * 1_000_003 + number)  # noqa: S311
    birth = date(1930, 1, 1) + timedelta(days=draw.randrange(29_900))
    death = date(2021, 6, 15) if number % 41 == 7 and birth < date(1950, 1, 1) else None
    practice = draw.randrange(_PRACTICES)
    visits = tuple(_visits(draw, number, birth, death or LAST, practice))
    return Person(
        number=number,
        sex=draw.choice("FM"),
        birth=birth,
        death=death,
        practice=practice,
        visits=visits,
        history=tuple(_history(draw, number, birth)),
        vaccines=tuple(_vaccines(number)),
        moved=number % 10 == 3,
    )


def within(person: Person, first: date, last: date) -> Person:
    """The person as an increment of those days holds it."""
    return replace(person, visits=tuple(visit for visit in person.visits if first <= visit.on <= last))


def tally(persons: Iterable[Person]) -> Counter[str]:
    """How often each trap is set."""
    found: Counter[str] = Counter()
    for each in persons:
        found.update(fact.trap for fact in facts(each) if fact.trap)
        found["unknown_centre"] += each.stranger
    return found


def of_first_vendor(persons: Iterable[Person]) -> Iterator[Person]:
    """Practices 0 to 3, and who moved there from a practice of the other vendor with a copy of the record."""
    return (each for each in persons if each.practice < _PRACTICES // 2 or each.moved)


def of_second_vendor(persons: Iterable[Person]) -> Iterator[Person]:
    return (each for each in persons if each.practice >= _PRACTICES // 2 or each.moved)


def facts(person: Person) -> Iterator[Fact]:
    yield from person.history
    yield from person.vaccines
    for visit in person.visits:
        yield from visit.facts


def _visits(draw: Random, number: int, birth: date, last: date, practice: int) -> Iterator[Visit]:
    """A few consultations a year. Practice 2 changed its software in 2018: five months are missing."""
    on = max(FIRST, birth) + timedelta(days=draw.randrange(400))
    index = 0
    while on <= last and index < 30:
        if not (practice == 2 and date(2018, 2, 1) <= on < date(2018, 7, 1)):
            yield Visit(
                number=number * 100 + index,
                on=on,
                place=draw.choice(_PLACES),
                reasons=(draw.choice(_REASONS),),
                diagnoses=tuple(_diagnoses(draw)),
                facts=tuple(_facts(draw, number, index, age=(on - birth).days / 365.25)),
            )
        index += 1
        on += timedelta(days=30 + draw.randrange(300))


def _diagnoses(draw: Random) -> Iterator[tuple[str, str]]:
    for code in draw.sample(_DIAGNOSES, k=draw.choice((0, 1, 1, 2))):
        yield code, draw.choice(("auto", "main"))


def _facts(draw: Random, number: int, index: int, *, age: float) -> Iterator[Fact]:
    weight, height = _body(draw, age)
    yield Fact("biometric:weight", _comma(weight), "kg")
    yield from _heights(number, index, height)
    if age >= 18:
        yield Fact("biometric:sbp", str(draw.randrange(105, 165)), "mmHg")
        yield Fact("biometric:dbp", str(draw.randrange(60, 100)), "mmHg")
    if 6 <= age < 7 and number % 2 == 0:
        yield Fact("biometric:weight", "3,58", "kg", trap="birth_weight_carried")
    yield from _results(draw, number, index, age)
    for atc in draw.sample(_DRUGS, k=draw.choice((0, 1, 2))):
        yield Fact(f"drug:{atc}", str(draw.choice((7, 28, 30, 90))), draw.choice(("boîte", "trimestre")))


def _body(draw: Random, age: float) -> tuple[float, float]:
    if age < 18:
        height = 76 + 5.5 * age
        return round(height * height * (15 + age / 4) / 10_000, 1), round(height, 1)
    return round(draw.uniform(52, 98), 1), round(draw.uniform(152, 188), 0)


def _heights(number: int, index: int, height: float) -> Iterator[Fact]:
    match (number * 7 + index) % 23:
        case 1:
            yield Fact("biometric:height", _comma(height / 100, 2), "cm", trap="height_in_metres")
            yield Fact("biometric:bmi", "212278,88", "kg/m²", trap="bmi_bad_height")
        case 2:
            yield Fact("biometric:height", str(round(height * 10)), "cm", trap="height_in_millimetres")
        case 3:
            yield Fact("biometric:height", _comma(height / 100, 2), "m", trap="other_unit")
        case 4:
            yield Fact("biometric:height", _comma(height), "", trap="unit_missing")
        case _:
            yield Fact("biometric:height", _comma(height), "cm")


def _results(draw: Random, number: int, index: int, age: float) -> Iterator[Fact]:
    if age < 18 or index % 2:
        return
    yield Fact("result:hba1c", _comma(draw.uniform(5, 9)), "%")
    yield Fact("result:creatinine", _comma(draw.uniform(6, 14)), "mg/L")
    yield Fact("result:glucose", _comma(draw.uniform(0.7, 1.6), 2), "g/L")
    yield Fact("result:hdl", _comma(draw.uniform(0.3, 0.8), 2), "g/L")
    match (number + index) % 19:
        case 1:
            yield Fact("result:inr", "0,00", "", trap="inr_out_of_range")
        case 2:
            yield Fact("result:inr", "0,23", "", trap="inr_out_of_range")
        case 3 if 24 <= age < 30:
            yield Fact("result:inr", "1,02", "", trap="inr_no_anticoagulant")
        case 4:
            yield Fact("result:inr", _comma(draw.uniform(1.6, 4.2), 2), "")
        case 5:
            yield Fact("result:crp", "négatif", "mg/L", trap="not_numeric")
        case 6:
            yield Fact("result:crp", "12,5", "mg/L", on="31/02/2019", trap="bad_date")


def _history(draw: Random, number: int, birth: date) -> Iterator[Fact]:
    yield Fact("tobacco", draw.choice(("non", "actuel", "sevré")), on=_day(draw))
    if number % 3 == 0 and birth.year < 2000:
        yield Fact(
            "medical",
            draw.choice(("T90", "K86", "R96")),
            on=f"01/01/{2000 + number % 15}",
            trap="year_precision",
        )
    if number % 4 == 0 and birth.year < 2000:
        yield Fact("surgical", "D88", on=f"{2001 + number % 12}", trap="only_a_year")


def _vaccines(number: int) -> Iterator[Fact]:
    yield Fact("vaccine", "REVAXIS", on=f"{1 + number % 28:02d}/03/{2013 + number % 9}")
    if number % 5 == 1:
        yield Fact("vaccine", "REPEVAX", on=f"01/01/{2012 + number % 9}", trap="year_precision")
    if number % 6 == 2:
        yield Fact("vaccine", "", on="15/10/2019", trap="empty_vaccination")
    if number % 17 == 3:
        yield Fact("vaccine", "3 covid et dtp à 25 ans (non", on="12/05/2021", trap="dose_note")


def _day(draw: Random) -> str:
    return f"{draw.randrange(1, 29):02d}/{draw.randrange(2, 13):02d}/{draw.randrange(2012, 2024)}"


def _comma(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}".replace(".", ",")

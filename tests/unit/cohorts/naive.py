"""The reference: what a cohort is, in plain Python over rows that are dicts, one patient at a time.

Written apart from the compiler: it shares no function with it, and knows no Ibis. `Said` is a definition as a
test writes it; `tests/unit/cohorts/written.py` writes the same as `Cohort`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

Row = Mapping[str, Any]
World = Mapping[str, Sequence[Row]]
Length = tuple[str, int]  # ("months", 12)


@dataclass(frozen=True)
class Criterion:
    """`code` in a window of `length` (None: all) before or after the index; or an age at least `age`."""

    keeps: bool
    code: str = ""
    length: Length | None = None
    after: bool = False
    age: int | None = None


@dataclass(frozen=True)
class Variable:
    """`summary` of the values of `analyte` from `before` to `after` the index ("ever" or a length)."""

    summary: str
    analyte: str
    before: Length | str | None = None
    after: Length | str | None = None
    of: str | None = "value"


@dataclass(frozen=True)
class Said:
    which: str
    code: str
    between: tuple[date, date] | None = None
    washout: Length | None = None
    follow_up: Length | None = None
    criteria: tuple[Criterion, ...] = ()
    variables: tuple[Variable, ...] = ()
    outcome: str = ""
    competing: tuple[str, ...] = ()  # codes, or "death"
    last_day: date = field(default=date(2018, 12, 31))


def shifted(day: date, length: Length, sign: int) -> date:
    unit, count = length
    if unit == "days":
        return day + timedelta(days=sign * count)
    month = day.year * 12 + day.month - 1 + sign * count
    year, month = divmod(month, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def age_at(birth: date | None, day: date) -> int | None:
    """Completed years; the year is complete from the first day of the birth month."""
    if birth is None:
        return None
    return day.year - birth.year - (day.month < birth.month)


def cohort(world: World, said: Said) -> list[dict[str, Any]]:
    """The rows, by patient and index date."""
    found = [row for patient in world["patients"] for row in _of(world, patient, said)]
    return sorted(found, key=lambda row: (row["patient_id"], row["index_date"]))


def attrition(world: World, said: Said) -> list[int]:
    """Distinct patients left after each step, cumulated."""
    patients: list[set[int]] = []
    for patient in world["patients"]:
        for index in _indexes(world, patient, said):
            passed = [True]
            for holds in _steps(world, patient, index, said):
                passed.append(passed[-1] and holds)
            while len(patients) < len(passed):
                patients.append(set())
            for step, holds in zip(patients, passed, strict=True):
                step.update({patient["patient_id"]} if holds else ())
    return [len(step) for step in patients]


def _of(world: World, patient: Row, said: Said) -> Iterator[dict[str, Any]]:
    for index in _indexes(world, patient, said):
        if all(_steps(world, patient, index, said)):
            yield _row(world, patient, index, said)


def _dates(world: World, patient: Row, code: str) -> list[date]:
    own = [r for r in world["diagnoses"] if r["patient_id"] == patient["patient_id"] and r["cisp2"] == code]
    return sorted({r["date"] for r in own if r["date"] is not None})


def _indexes(world: World, patient: Row, said: Said) -> list[date]:
    days = _dates(world, patient, said.code)
    return {"first": days[:1], "last": days[-1:], "any": days}[said.which]


def _period(world: World, patient: Row, index: date) -> tuple[date, date] | None:
    """The period around the index; the dead are not observed."""
    death = patient["death_month"]
    if death is not None and (index.year, index.month) > (death.year, death.month):
        return None
    around = [
        (r["start_date"], r["end_date"])
        for r in world["observation_periods"]
        if r["patient_id"] == patient["patient_id"] and r["start_date"] <= index <= r["end_date"]
    ]
    return (min(start for start, _ in around), max(end for _, end in around)) if around else None


def _steps(world: World, patient: Row, index: date, said: Said) -> Iterator[bool]:
    if said.between is not None:
        yield said.between[0] <= index <= said.between[1]
    period = _period(world, patient, index)
    if said.washout is None:
        yield period is not None
    else:
        start = shifted(index, said.washout, -1)
        before = [day for day in _dates(world, patient, said.code) if start <= day < index]
        yield period is not None and period[0] <= start and not before
    for criterion in said.criteria:
        yield _fulfils(world, patient, index, said, criterion)


def _fulfils(world: World, patient: Row, index: date, said: Said, criterion: Criterion) -> bool:
    if criterion.age is not None:
        age = age_at(patient["birth_month"], index)
        return (age is not None and age >= criterion.age) == criterion.keeps
    days = _dates(world, patient, criterion.code)
    if criterion.after:
        leaves = _exit(world, patient, index, said)[0]
        end = leaves if criterion.length is None else min(leaves, shifted(index, criterion.length, 1))
        found = [day for day in days if index < day <= end]
    else:
        start = date.min if criterion.length is None else shifted(index, criterion.length, -1)
        found = [day for day in days if start <= day < index]
    return bool(found) == criterion.keeps


def _exit(world: World, patient: Row, index: date, said: Said) -> tuple[date, str]:
    period = _period(world, patient, index)
    if period is None:  # not in the cohort
        return date.min, ""
    own = [(period[1], "end_of_observation")]
    death = patient["death_month"]
    if death is not None:
        last = date(death.year, death.month, calendar.monthrange(death.year, death.month)[1])
        own.append((last, "death"))
    end = min(day for day, _ in own)
    reason = "death" if death is not None and end >= death else "end_of_observation"
    ends = [(end, 0, reason), (said.last_day, 2, "end_of_data")]
    if said.follow_up is not None:
        ends.append((shifted(index, said.follow_up, 1), 1, "end_of_follow_up"))
    day, _, reason = min(ends)
    return day, reason


def _row(world: World, patient: Row, index: date, said: Said) -> dict[str, Any]:
    leaves, reason = _exit(world, patient, index, said)
    birth = patient["birth_month"]
    row = {
        "patient_id": patient["patient_id"],
        "index_date": index,
        "exit_date": leaves,
        "exit_reason": reason,
        "sex": patient["sex"],
        "centre_id": patient["centre_id"],
        "age": age_at(birth, index),
        "age_days": None if birth is None else (index - birth).days,
    }
    for at, variable in enumerate(said.variables):
        row[f"v{at}"] = _summary(_days(world, patient, index, leaves, variable), index, variable)
    if said.outcome:
        row |= _outcome(world, patient, index, leaves, reason, said)
    return row


def _days(
    world: World, patient: Row, index: date, leaves: date, variable: Variable
) -> list[tuple[date, float | None]]:
    """The days in the window, each with the mean of its values."""
    if variable.before is None:
        start = index + timedelta(days=1)
    else:
        start = date.min if variable.before == "ever" else shifted(index, variable.before, -1)
    if variable.after is None:
        end = index
    else:
        end = leaves if variable.after == "ever" else min(leaves, shifted(index, variable.after, 1))
    days: dict[date, list[float | None]] = {}
    for row in world["lab_results"]:
        own = row["patient_id"] == patient["patient_id"] and row["analyte"] == variable.analyte
        if own and row["date"] is not None and start <= row["date"] <= end:
            days.setdefault(row["date"], []).append(row["value"])
    if variable.of == "date" or variable.summary in ("count", "any"):
        return sorted((day, None) for day in days)
    known = {day: [v for v in values if v is not None] for day, values in days.items()}
    return sorted((day, sum(values) / len(values)) for day, values in known.items() if values)


def _summary(days: list[tuple[date, float | None]], index: date, variable: Variable) -> Any:
    if variable.summary == "count":
        return len(days)
    if variable.summary == "any":
        return bool(days)
    if not days:
        return None
    at = 0 if variable.of == "date" else 1
    values = [day[1] for day in days]
    match variable.summary:
        case "first":
            return days[0][at]
        case "last":
            return days[-1][at]
        case "nearest":
            return min(days, key=lambda day: (abs((day[0] - index).days), day[0]))[at]
        case "mean":
            return sum(values) / len(values)
        case "slope":
            return _slope([((day - index).days, value) for day, value in days])
    raise ValueError(variable.summary)


def _slope(points: list[tuple[int, Any]]) -> float | None:
    if len(points) < 2:
        return None
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / spread * 365.25


def _outcome(
    world: World, patient: Row, index: date, leaves: date, reason: str, said: Said
) -> dict[str, Any]:
    def first(code: str) -> date | None:
        return next((day for day in _dates(world, patient, code) if index < day <= leaves), None)

    own = first(said.outcome)
    rivals = [day for code in said.competing if code != "death" and (day := first(code)) is not None]
    if "death" in said.competing and reason == "death":
        rivals.append(leaves)
    ends = [(leaves, 2, "censored"), *((day, 1, "competing") for day in rivals)]
    if own is not None:
        ends.append((own, 0, "event"))
    day, _, how = min(ends)
    return {"o_date": own if how == "event" else None, "o_time": (day - index).days, "o_event": how}

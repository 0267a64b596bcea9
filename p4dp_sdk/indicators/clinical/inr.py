"""INR of patients on a vitamin-K antagonist: outside of 2 to 3, and time in range.

An INR counts if the quality layer left it between 0.5 and 20, a vitamin-K antagonist (ATC B01AA) was
prescribed in the 90 days up to it, and 8 weeks have passed since the first such prescription. Several of one
day are one, their mean. Somebody is judged on at least 3 of them in 12 months: a share of patients, never a
mean over results.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from p4dp_sdk.indicators.clinical.record import has, results, without
from p4dp_sdk.indicators.clinical.rosendaal import time_in_range
from p4dp_sdk.indicators.measure import Tables
from p4dp_sdk.indicators.people import active_list
from p4dp_sdk.indicators.window import Window, months_before

if TYPE_CHECKING:
    import ibis.expr.types as ir

ANTAGONISTS: Final = "B01AA"
INR: Final = "inr"
LEAST_INR, MOST_INR = 0.5, 20.0  # beyond: not a value
LOW, HIGH = 2, 3  # the target, both included
COVERED_DAYS: Final = 90
INITIATION_DAYS: Final = 56
YEAR: Final = 12
LEAST_VALUES: Final = 3
OUTSIDE_SHARE: Final = 0.3
VALVES: Final = ("K83",)  # valve disease: the target depends on the type of valve and the risk


def treated(tables: Tables, window: Window) -> ir.Table:
    """Patients of the active list with a vitamin-K antagonist in 12 months and no valve disease:
    `followed` (at least 3 INR) or `missing`; `outside`: 30 % or more of the INR outside of 2 to 3."""
    people = without(_on_antagonists(tables, window.end), tables, VALVES, window.end)
    each = _each(valid_inr(tables, window.end))
    outside = each.filter(each.inside / each.days <= 1 - OUTSIDE_SHARE)
    flags = people.mutate(followed=has(people, each), outside=has(people, outside))
    return flags.mutate(missing=~flags.followed)


def targets(tables: Tables, window: Window) -> ir.Table:
    """Patients of the active list with a vitamin-K antagonist in 12 months; `unknown`: a valve disease, so
    that the target depends on what no code says."""
    people = _on_antagonists(tables, window.end)
    plain = without(people, tables, VALVES, window.end)
    return people.mutate(unknown=~has(people, plain))


def in_range(tables: Tables, window: Window) -> ir.Table:
    """The patients of `treated`: `assessed` (3 INR, two of them 56 days apart or less) or `missing`, and
    the time in range, `under_50`, `from_65`, `from_70` per cent of the days observed."""
    people = without(_on_antagonists(tables, window.end), tables, VALVES, window.end)
    valid = valid_inr(tables, window.end)
    enough = valid.filter(valid.count().over(group_by=valid.patient_id) >= LEAST_VALUES)
    ttr = time_in_range(enough, LOW, HIGH)
    flags = people.mutate(
        assessed=has(people, ttr),
        under_50=has(people, ttr.filter(ttr.share < 0.5)),
        from_65=has(people, ttr.filter(ttr.share >= 0.65)),
        from_70=has(people, ttr.filter(ttr.share >= 0.7)),
    )
    return flags.mutate(missing=~flags.assessed)


def valid_inr(tables: Tables, on: date) -> ir.Table:
    """One INR a patient and day, in the 12 months up to `on`: `patient_id`, `date`, `value`."""
    rows = results(tables, INR, on, YEAR)
    sound = rows.filter(rows.value.between(LEAST_INR, MOST_INR))
    daily = sound.group_by("patient_id", "date").agg(value=sound.value.mean())
    pairs = daily.join(_prescriptions(tables, on), "patient_id")
    covered = pairs.filter(
        pairs.date.delta(pairs.prescribed, unit="day").between(0, COVERED_DAYS),
        pairs.date.delta(pairs.started, unit="day") >= INITIATION_DAYS,
    )
    return covered.group_by("patient_id", "date").agg(value=covered.value.max())


def _on_antagonists(tables: Tables, on: date) -> ir.Table:
    active, antagonists = active_list(tables, on), _antagonists(tables, on)
    recent = antagonists.filter(antagonists.date > months_before(on, YEAR))
    return active.filter(has(active, recent))


def _antagonists(tables: Tables, on: date) -> ir.Table:
    rows = tables.prescriptions
    return rows.filter(rows.atc.startswith(ANTAGONISTS), rows.date <= on)


def _prescriptions(tables: Tables, on: date) -> ir.Table:
    """When each antagonist was `prescribed`, and the patient's first ever, `started`."""
    rows = _antagonists(tables, on)
    return rows.select(
        "patient_id", prescribed="date", started=rows.date.min().over(group_by=rows.patient_id)
    )


def _each(valid: ir.Table) -> ir.Table:
    """Patients with enough INR: how many (`days`), how many of them `inside` of the target."""
    inside = valid.count(where=valid.value.between(LOW, HIGH))
    counted = valid.group_by("patient_id").agg(days=valid.count(), inside=inside)
    return counted.filter(counted.days >= LEAST_VALUES)

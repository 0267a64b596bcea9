"""Who is counted: the active list, and ages on a day.

Nobody registers with a list in France, so the usual denominator is the *file active*: at least one contact in
the 24 months up to the date, alive, under observation (the practice exported then, see
`observation_periods`). Months of birth and death are known, days are not: an age is reached on the first of
the month of the birthday, and somebody who died this month is not alive.

Ages are compared through the month of birth, never computed: a date that is compared with a literal is one
limit of a definition, and a publication table may hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.measure import Tables
from p4dp_sdk.indicators.window import Window, day
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import ibis.expr.types as ir

CONTACT_MONTHS: Final = 24
TEN_YEARS: Final = (10, 20, 30, 40, 50, 60, 70, 80, 90)


def active_list(tables: Tables, on: date | str, *, own_gp: bool = False) -> ir.Table:
    """The *file active* on `on`: rows of `patients`. `own_gp`: only those who declared their GP as *médecin
    traitant* there. Raises BadPeriodError for a day that is none."""
    on = day(on)
    contacts = tables.consultations
    recent = contacts.filter(Window.before(on, CONTACT_MONTHS).holds(contacts.date))
    patients = observed(tables, on)
    active = patients.filter(patients.patient_id.isin(recent.patient_id))
    return active.filter(active.registration == "declared") if own_gp else active


def observed(tables: Tables, on: date) -> ir.Table:
    """Patients who were alive and under observation on `on`."""
    import ibis

    patients, periods = tables.patients, tables.observation_periods
    current = periods.filter(periods.start_date <= on, periods.end_date >= on)
    alive = ibis.ifelse(patients.death_month <= on, False, True)  # of the living it is not known
    return patients.filter(patients.patient_id.isin(current.patient_id), alive)


def reached(birth_month: Any, years: int, on: date) -> Any:
    """Whether somebody is `years` old or older on `on` (completed years, by month of birth)."""
    return birth_month <= date(on.year - years, on.month, 1)


def aged(birth_month: Any, youngest: int, oldest: int, on: date) -> Any:
    """Whether an age in completed years lies between two, both included, on `on`."""
    return reached(birth_month, youngest, on) & (birth_month > date(on.year - oldest - 1, on.month, 1))


def age_classes(birth_month: Any, on: date, starts: Sequence[int] = TEN_YEARS) -> Any:
    """Age on `on` in classes that start at 0 and at each of `starts`, named as in the catalogue: 00-09, 10-19
    … 90+. A month of birth that is not known is a class."""
    import ibis

    edges = [0, *(start for start in starts if start)]
    younger = [
        (birth_month > date(on.year - high, on.month, 1), f"{low:02d}-{high - 1:02d}")
        for low, high in pairwise(edges)
    ]
    return ibis.cases(*younger, (birth_month.notnull(), f"{edges[-1]:02d}+"), else_=_("not recorded"))

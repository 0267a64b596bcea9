"""A measure, divided as asked, as one Ibis question: denominators and numerators as `nunique(where=)` over
patients, or `count(where=)` over events.

Pure: tables in, an unbound or bound expression out; nothing is executed. The question is ordinary Ibis, which
the gateway protects like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, assert_never

from p4dp_sdk.indicators.errors import BadSeriesError, UnknownGroupError
from p4dp_sdk.indicators.measure import Measure, Tables, Unit
from p4dp_sdk.indicators.people import TEN_YEARS, age_classes
from p4dp_sdk.indicators.window import Every, Window

if TYPE_CHECKING:
    import ibis.expr.types as ir

DENOMINATOR: Final = "denominator"
NUMERATOR: Final = "numerator"  # the name of a measure's only numerator
MISSING: Final = "missing"
PATIENTS, ROWS = "patients", "rows"  # what a measure without numerators counts
DATE: Final = "at"  # the key of patients counted on several dates
AGE: Final = "age_band"
MOST_DATES: Final = 24


@dataclass(frozen=True)
class Asked:
    """How a measure is divided: `by` these columns, in each of `windows` (several only for patients), `every`
    step (only for events). `ages` are where age classes start; `reference`, the snapshot's date, at which the
    catalogue's own age band holds."""

    windows: tuple[Window, ...]
    by: tuple[str, ...] = ()
    every: Every | None = None
    ages: tuple[int, ...] | None = None
    reference: date | None = None

    @property
    def window(self) -> Window:
        """From the first day of all to the last."""
        starts = [window.start for window in self.windows]
        known = [start for start in starts if start is not None]
        first = min(known) if len(known) == len(starts) else None
        return Window(first, max(window.end for window in self.windows))


def question(measure: Measure, tables: Tables, asked: Asked) -> ir.Table:
    """The one expression: a row for each group, in their order."""
    keys = key_names(measure, asked)
    units = _units(measure, tables, asked, keys)
    counts = measured(measure, units)
    if not keys:
        return units.agg(**counts)
    return units.group_by(*keys).agg(**counts).order_by(*keys)


def key_names(measure: Measure, asked: Asked) -> tuple[str, ...]:
    """The columns of the answer that name its groups."""
    several = (DATE,) if len(asked.windows) > 1 else ()
    period = (asked.every.value,) if asked.every and measure.unit is not Unit.PATIENT else ()
    return (*several, *period, *asked.by)


def numerator_columns(measure: Measure) -> dict[str, str]:
    """Each numerator's condition, by the column that counts it."""
    if len(measure.numerators) == 1:
        return {NUMERATOR: next(iter(measure.numerators.values()))}
    return dict(measure.numerators)


def measured(measure: Measure, units: ir.Table) -> dict[str, Any]:
    """The counts of a group, by the name of their column."""
    if not measure.numerators:
        patients = {PATIENTS: units.patient_id.nunique()} if _has_patients(units) else {}
        return patients if measure.unit is Unit.PATIENT else {ROWS: units.count(), **patients}
    inside = None if measure.denominator is None else units[measure.denominator]
    counts = {DENOMINATOR: _counted(measure.unit, units, inside)}
    for name, condition in numerator_columns(measure).items():
        met = units[condition] if inside is None else inside & units[condition]
        counts[name] = _counted(measure.unit, units, met)
    if measure.missing is not None:
        counts[MISSING] = _counted(measure.unit, units, units[measure.missing])
    return counts


def _counted(unit: Unit, units: ir.Table, where: Any) -> Any:
    match unit:
        case Unit.PATIENT:
            return units.patient_id.nunique(where=where)
        case Unit.CONSULTATION | Unit.ROW:
            return units.count(where=where)
        case _:
            assert_never(unit)


def _units(measure: Measure, tables: Tables, asked: Asked, keys: Sequence[str]) -> ir.Table:
    """The population of each window, with the columns that are grouped by; of several windows, one below the
    other, each under its date."""
    parts = [_keyed(measure, tables, asked, window) for window in asked.windows]
    if len(parts) == 1:
        return parts[0]
    if len(parts) > MOST_DATES:
        raise BadSeriesError(len(parts), MOST_DATES)
    import ibis

    wanted = ["patient_id", *keys, *_conditions(measure)]
    return ibis.union(*(part.select(*dict.fromkeys(wanted)) for part in parts))


def _conditions(measure: Measure) -> list[str]:
    named = [measure.denominator, *measure.numerators.values(), measure.missing]
    return [name for name in named if name is not None]


def _keyed(measure: Measure, tables: Tables, asked: Asked, window: Window) -> ir.Table:
    import ibis

    units = _with_people(measure.population(tables, window), tables, asked.by)
    _refuse_unknown(measure, units, asked.by)
    made: dict[str, Any] = {}
    if AGE in asked.by and not _at_reference(units, asked, window, measure):
        made[AGE] = age_classes(units.birth_month, window.end, asked.ages or TEN_YEARS)
    if len(asked.windows) > 1:
        made[DATE] = ibis.literal(window.end.isoformat())
    elif asked.every is not None:
        made[asked.every.value] = _period(units.date, asked.every)
    return units.mutate(**made) if made else units


def _at_reference(units: ir.Table, asked: Asked, window: Window, measure: Measure) -> bool:
    """Whether the catalogue's own age band holds: whoever knows a person knows it, so that the gateway may
    show more of it than of classes that a question makes."""
    on = asked.reference
    same_month = on is not None and (on.year, on.month) == (window.end.year, window.end.month)
    standard = asked.ages in (None, TEN_YEARS)
    return AGE in units.columns and ("birth_month" not in units.columns or (same_month and standard))


def _with_people(units: ir.Table, tables: Tables, by: Sequence[str]) -> ir.Table:
    """Events with sex and age of their patients, where these are asked for and not there. Ages are those at
    the end of the window."""
    wanted = set(by) & {"sex", AGE}
    there = {*units.columns, *({AGE} if "birth_month" in units.columns else ())}
    if wanted <= there or not _has_patients(units):
        return units
    found = [name for name in ("sex", "birth_month", AGE) if name not in units.columns]
    return units.join(tables.patients.select("patient_id", *found), "patient_id")


def _refuse_unknown(measure: Measure, units: ir.Table, by: Sequence[str]) -> None:
    offered = {"sex", "centre_id", AGE, *measure.keys}
    there = {*units.columns} | ({AGE} if "birth_month" in units.columns else set())
    for name in by:
        if name not in offered & there:
            raise UnknownGroupError(name, offered & there)


def _period(day: Any, every: Every) -> Any:
    match every:
        case Every.YEAR:
            return day.year()
        case Every.MONTH:
            return day.truncate("M")
        case Every.WEEK:
            return day.truncate("W")
        case _:
            assert_never(every)


def _has_patients(units: ir.Table) -> bool:
    return "patient_id" in units.columns

"""Polypharmacy: how many substances are prescribed to somebody at once, over three months, or all year round.

The three measures of IRDES (Monégat, Sermet, Perronnin & Rococo 2014, Questions d'économie de la santé 204),
at 5 substances and at 10. A substance is an ATC code of the fifth level; fixed combinations count as the
substances they are made of. Prescriptions are not deliveries.

The number is a sum of conditions on codes, one a substance that a combination holds, beside the count of all
other codes: so a publication table can hold it, which a list of substances under other names could not be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.indicators.measure import Dashboard, Measure, Population, Tables, Unit
from p4dp_sdk.indicators.people import active_list
from p4dp_sdk.indicators.window import Window
from p4dp_sdk.indicators.words import words

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Fixed combinations of the catalogue, and the substances in them (WHO ATC index). What only keeps another
# substance from being broken down (clavulanic acid, a decarboxylase inhibitor) is none of its own.
COMBINATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "A10BD07": ("A10BA02", "A10BH01"),  # metformin, sitagliptin
    "C09BB04": ("C09AA04", "C08CA01"),  # perindopril, amlodipine
    "G03AA07": ("G03AC03", "G03CA01"),  # levonorgestrel, ethinylestradiol
    "J01CR02": ("J01CA04",),  # amoxicillin
    "R03AK07": ("R03AC13", "R03BA02"),  # formoterol, budesonide
}
FIVE, TEN = 5, 10
CUMULATED_MONTHS, YEAR_MONTHS = 3, 12
REPEATS, REPEATS_LARGE = 3, 2  # prescriptions of one drug in a year; in packs of three months


def at_once(tables: Tables, window: Window) -> Any:
    """Prescriptions that last on the date: their first day is not after it, their last not before."""
    rows = tables.prescriptions
    elapsed = ibis.literal(window.end).delta(rows.date, unit="day")
    return rows.filter(rows.date <= window.end, elapsed < rows.duration_days)


def cumulated(tables: Tables, window: Window) -> Any:
    """Prescriptions of the window."""
    rows = tables.prescriptions
    return rows.filter(window.holds(rows.date))


def continuous(tables: Tables, window: Window) -> Any:
    """Drugs prescribed on three days of the window or more, or on two in packs of three months.

    Of n days, l of them with a large pack: n ≥ 3 or l ≥ 2 says the same as 2 n + l ≥ 6, since l ≤ n.
    """
    rows = cumulated(tables, window)
    large = rows.pack_size == "large"
    drugs = rows.group_by("patient_id", "atc").agg(
        days=rows.date.nunique(), large_days=rows.date.nunique(where=large)
    )
    return drugs.filter(REPEATS_LARGE * drugs.days + drugs.large_days >= REPEATS * REPEATS_LARGE)


def numbers(rows: Any) -> Any:
    """How many substances the rows (`patient_id`, `atc`) hold of each patient: `patient_id`, `substances`.
    Who has none but drugs without a code has no row."""
    rows = rows.filter(rows.atc.notnull())
    rows = rows.group_by("patient_id", "atc").agg(times=rows.count())  # faster than counting distinct codes
    held = holders(code.code for code in load_catalogue().code_systems["atc"].codes)
    shared = {code for codes in held.values() if len(codes) > 1 for code in codes}
    flags = {f"has_{name}": rows.atc.isin(sorted(codes)).any() for name, codes in held.items()}
    other = ~rows.atc.isin(sorted(shared))
    each = rows.group_by("patient_id").agg(other=rows.count(where=other), **flags)
    total = each.other.cast("float64")
    for name in flags:
        total = total + each[name].cast("float64")
    return each.select("patient_id", substances=total)


def holders(known: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The codes that mean a substance, for each substance that a combination holds: itself, if it is `known`,
    and the combinations. A combination of which no substance is known alone counts once among the other
    codes, and once here for each substance beyond the first."""
    codes = set(known)
    found: dict[str, frozenset[str]] = {}
    for code, parts in COMBINATIONS.items():
        alone = [part for part in parts if part in codes]
        for part in parts if alone else parts[1:]:
            found[part] = found.get(part, frozenset()) | {code} | ({part} & codes)
    return found


def _population(kept: Callable[[Tables, Window], Any]) -> Population:
    def population(tables: Tables, window: Window) -> ir.Table:
        patients, each = active_list(tables, window.end), numbers(kept(tables, window))
        return patients.mutate(
            five=patients.patient_id.isin(each.filter(each.substances >= FIVE).patient_id),
            ten=patients.patient_id.isin(each.filter(each.substances >= TEN).patient_id),
        )

    return population


def _measure(name: str, kept: Callable[[Tables, Window], Any], months: int | None) -> Measure:
    return Measure(
        id=name,
        unit=Unit.PATIENT,
        window=months,
        population=_population(kept),
        numerators={"five": "five", "ten": "ten"},
        keys=("registration",),
        **words(name),
    )


MEASURES: Final = (
    _measure("polymedication_simultanee", at_once, None),
    _measure("polymedication_cumulee", cumulated, CUMULATED_MONTHS),
    _measure("polymedication_continue", continuous, YEAR_MONTHS),
)
DASHBOARDS: Final = (
    Dashboard("polymedication", "Polymédication", "Polypharmacy", tuple(m.id for m in MEASURES)),
)

"""Numbers measured: the harmonised value, its unit and the quality code, as SQL. Pure text in, text out.

A value out of bounds is null, its raw text stays. Whether two quantities of one day are copies of each
other is asked when all rows are in (`landing.freeze`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from hub_config.warehouse.landing.layout import NUMBER
from hub_config.warehouse.loader.mapping import Measurement, Quantity
from hub_config.warehouse.loader.requirements import text_of
from hub_config.warehouse.loader.rules import Doubt
from hub_config.warehouse.privacy.text import kept
from hub_config.warehouse.quality.units import IDENTITY, Conversion, UnitProblem, conversion
from hub_config.warehouse.schema import literal, quoted

IN_UNIT: Final = "measured in"  # the staged cell with the row's own unit

_RAW: Final = quoted(text_of(NUMBER))
_UNIT: Final = quoted(IN_UNIT)


def harmonised(rows: str, measurement: Measurement) -> str:
    """The query `rows` (with `number`, its text and its unit) with value, unit, raw value, raw unit and
    quality code."""
    of, quantities = quoted(measurement.of), measurement.quantities
    value = _by_quantity(of, quantities, lambda name, q: _converted(name, q, measurement))
    doubt = (
        f"CASE WHEN converted IS NULL THEN {literal(Doubt.UNIT_UNKNOWN)} "
        f"WHEN {_by_quantity(of, quantities, _implausible)} THEN {literal(Doubt.OUT_OF_RANGE)} "
        f"WHEN converted <> {NUMBER} OR {_by_quantity(of, quantities, _other_unit)} "
        f"THEN {literal(Doubt.CONVERTED)} ELSE {literal(Doubt.NONE)} END"
    )
    return (
        f"SELECT *, {_RAW} AS value_raw, {_by_quantity(of, quantities, _unit)} AS unit, "  # noqa: S608
        f"CASE WHEN dq_code <> {literal(Doubt.OUT_OF_RANGE)} THEN converted END AS value "
        f"FROM (SELECT *, {doubt} AS dq_code FROM (SELECT *, {value} AS converted, "
        f"{_by_quantity(of, quantities, lambda _, q: _unit_raw(q, measurement))} AS unit_raw FROM ({rows})))"
    )


@cache
def converted(unit_raw: str, unit: str, quantity: str) -> Conversion | None:
    """How a value in the UCUM unit `unit_raw` becomes one in `unit`; none where nothing known leads there."""
    try:
        return conversion(unit_raw, unit, quantity)
    except UnitProblem:
        return None


def _by_quantity(of: str, quantities: Mapping[str, Quantity], sql: Callable[[str, Quantity], str]) -> str:
    cases = " ".join(
        f"WHEN {literal(name)} THEN {sql(name, quantity)}" for name, quantity in quantities.items()
    )
    return f"CASE {of} {cases} END"


def _converted(name: str, quantity: Quantity, measurement: Measurement) -> str:
    """By the row's unit where it says one, else by the mapping's factor; null where the unit leads
    nowhere."""
    stated = _scaled(_between(name, quantity))
    if measurement.unit is None:
        return stated
    cases = [f"WHEN {_UNIT} IS NULL THEN {stated}"]
    for word, code in measurement.units.items():
        if found := converted(code, quantity.unit, name):
            cases.append(f"WHEN {_UNIT} = {literal(word)} THEN {_scaled(found)}")
    return f"CASE {' '.join(cases)} END"


def _between(name: str, quantity: Quantity) -> Conversion:
    """From the source's unit to the one here: the mapping's own factor, else what the units say.

    Raises UnitProblem, which `agreement` foresees.
    """
    if quantity.factor is not None:
        return Conversion(quantity.factor)
    return conversion(quantity.unit_raw, quantity.unit, name) if quantity.unit_raw else IDENTITY


def _scaled(found: Conversion) -> str:
    scaled = NUMBER if found.factor == 1.0 else f"{NUMBER} * CAST({found.factor!r} AS DOUBLE)"
    return scaled if found.shift == 0.0 else f"{scaled} + CAST({found.shift!r} AS DOUBLE)"


def _unit(_: str, quantity: Quantity) -> str:
    return literal(quantity.unit)


def _unit_raw(quantity: Quantity, measurement: Measurement) -> str:
    """In UCUM where the mapping knows the word."""
    stated = literal(quantity.unit_raw) if quantity.unit_raw else "NULL"
    if measurement.unit is None:
        return stated
    words = " ".join(f"WHEN {literal(word)} THEN {literal(code)}" for word, code in measurement.units.items())
    other = kept("unit_raw", _UNIT)
    return f"CASE WHEN {_UNIT} IS NULL THEN {stated} ELSE CASE {_UNIT} {words} ELSE {other} END END"


def _implausible(_: str, quantity: Quantity) -> str:
    low, high = quantity.plausible
    return f"converted NOT BETWEEN {low!r} AND {high!r}"


def _other_unit(name: str, quantity: Quantity) -> str:
    """A factor or a row's unit that is not the unit here."""
    factor = "true" if _between(name, quantity).changes else "false"
    return f"CASE WHEN unit_raw IS NULL THEN {factor} ELSE unit_raw <> {literal(quantity.unit)} END"

"""Numbers measured: the harmonised value, its unit and the quality code, as SQL. Pure text in, text out.

A value out of bounds is null, its raw text stays. Whether two quantities of one day are copies of each other is
asked when all rows are in (`landing.freeze`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from hub_config.warehouse.landing.layout import NUMBER
from hub_config.warehouse.loader.mapping import Measurement, Quantity
from hub_config.warehouse.loader.requirements import text_of
from hub_config.warehouse.loader.rules import Doubt
from hub_config.warehouse.schema import literal, quoted

_RAW: Final = quoted(text_of(NUMBER))


def harmonised(rows: str, measurement: Measurement) -> str:
    """The query `rows` (with `number` and its text) with value, unit, raw value, raw unit and quality code."""
    of, quantities = quoted(measurement.of), measurement.quantities
    doubt = (
        f"CASE WHEN {_by_quantity(of, quantities, _implausible)} THEN {literal(Doubt.OUT_OF_RANGE)} "
        f"WHEN {_by_quantity(of, quantities, _is_converted)} THEN {literal(Doubt.CONVERTED)} "
        f"ELSE {literal(Doubt.NONE)} END"
    )
    return (
        f"SELECT *, {_RAW} AS value_raw, "  # noqa: S608
        f"CASE WHEN dq_code <> {literal(Doubt.OUT_OF_RANGE)} "
        f"THEN {_by_quantity(of, quantities, _converted)} END AS value, "
        f"{_by_quantity(of, quantities, lambda q: literal(q.unit))} AS unit, "
        f"{_by_quantity(of, quantities, _unit_raw)} AS unit_raw "
        f"FROM (SELECT *, {doubt} AS dq_code FROM ({rows}))"
    )


def _by_quantity(of: str, quantities: Mapping[str, Quantity], sql: Callable[[Quantity], str]) -> str:
    cases = " ".join(f"WHEN {literal(name)} THEN {sql(quantity)}" for name, quantity in quantities.items())
    return f"CASE {of} {cases} END"


def _converted(quantity: Quantity) -> str:
    return NUMBER if quantity.factor == 1.0 else f"{NUMBER} * CAST({quantity.factor!r} AS DOUBLE)"


def _unit_raw(quantity: Quantity) -> str:
    return literal(quantity.unit_raw) if quantity.unit_raw else "NULL"


def _implausible(quantity: Quantity) -> str:
    low, high = quantity.plausible
    return f"{_converted(quantity)} NOT BETWEEN {low!r} AND {high!r}"


def _is_converted(quantity: Quantity) -> str:
    return "false" if quantity.factor == 1.0 else "true"

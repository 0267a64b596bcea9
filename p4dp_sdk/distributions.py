"""Histograms and quantiles as questions: ordinary Ibis, which the gateway protects like any other.

Nothing here is needed to be safe, and nothing here protects: these write a `group_by` with literal classes,
and five `quantile`s, so that a person need not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.classes import age_bands, value_bands
from p4dp_sdk.errors import BadClassesError, BadQuantilesError, UnknownBoundsError

if TYPE_CHECKING:
    import ibis.expr.types as ir

BOX = (0.05, 0.25, 0.5, 0.75, 0.95)  # what a box plot shows; a minimum or maximum is somebody's value
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MOST_BINS = 200


def histogram(
    column: ir.NumericColumn,
    edges: Sequence[float] | None = None,
    *,
    bins: int = 20,
    between: tuple[float, float] | None = None,
    rows: bool = False,
) -> ir.Table:
    """How many patients have a value of `column` in each class: two columns, the class (under the column's
    own name) and `patients`; a missing value is a class of its own.

    `edges` are the limits of the classes. Without them, about `bins` classes of a round width lie `between`
    two values, those of the catalogue's bounds if not given; what is outside goes to the first and last
    class. A patient with several values counts once in each class; `rows=True` counts values instead
    (column `rows`).

    Raises BadClassesError for limits that overlap, UnknownBoundsError where the catalogue gives none.
    """
    import ibis.expr.types as ir

    from p4dp_sdk.backend.ibis_interface import table_of

    whole = isinstance(column, ir.IntegerColumn)
    cuts = list(edges) if edges is not None else _round_edges(between or _bounds(column), bins, whole)
    tidy = whole and all(cut == int(cut) and cut >= 0 for cut in cuts)
    classes = age_bands(column, [int(cut) for cut in cuts]) if tidy else value_bands(column, cuts)
    table = table_of(column)
    return table.group_by(classes.name(column.get_name())).agg(_counted(table, rows))


def quantiles(column: ir.NumericColumn, by: str | Sequence[str] = (), at: Sequence[float] = BOX) -> ir.Table:
    """Quantiles of `column`, for each group of the columns named in `by`: `patients`, then `p05`, `p25`,
    `p50`, `p75` and `p95`, in the column's unit.

    Raises BadQuantilesError unless each of `at` lies between 0 and 1, both excluded. An enclave answers for
    steps of 0.05 only.
    """
    from p4dp_sdk.backend.ibis_interface import table_of

    if not at or any(not 0 < share < 1 for share in at):
        raise BadQuantilesError(list(at))
    table = table_of(column)
    measures = {_percent(share): column.quantile(share) for share in at}
    keys = [by] if isinstance(by, str) else list(by)
    grouped = table.group_by(keys) if keys else table
    return grouped.agg(_counted(table, rows=False), **measures)


def _counted(table: Any, rows: bool) -> Any:
    if rows or "patient_id" not in table.columns:
        return table.count().name("rows")
    return table.patient_id.nunique().name("patients")


def _percent(share: float) -> str:
    return f"p{100 * share:04.1f}".removesuffix(".0").replace(".", "_")


def _round_edges(between: tuple[float, float], bins: int, whole: bool) -> list[float]:
    """Limits inside of `between` at multiples of a round step, about `bins` classes in all."""
    low, high = between
    if not low < high or not 2 <= bins <= _MOST_BINS:
        raise BadClassesError([low, high])
    step = _round_up((high - low) / bins)
    step = max(1.0, math.ceil(step)) if whole else step
    first, last = math.floor(low / step) + 1, math.ceil(high / step)
    return [_plain(number * step) for number in range(first, last)] or [_plain((low + high) / 2)]


def _round_up(width: float) -> float:
    """The least of 1, 2, 2.5 and 5 times a power of ten that is at least `width`."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(power * step for step in _STEPS if power * step >= width * (1 - 1e-9))


def _plain(number: float) -> float:
    return float(f"{number:.10g}")


def _bounds(column: Any) -> tuple[float, float]:
    """The catalogue's bounds of the column that `column` is, unchanged."""
    from p4dp_sdk.backend.ibis_interface import source_of

    table, name = source_of(column)
    known = load_catalogue().tables.get(table)
    bounds = known.column(name).bounds if known is not None and known.has(name) else None
    if bounds is None:
        raise UnknownBoundsError(column.get_name())
    return bounds

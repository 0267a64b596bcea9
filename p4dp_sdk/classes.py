"""Classes for group_by: labels are literals of the query, so the whole list of classes comes back and small
ones are marked.

Classes never overlap and leave no hole: each limit belongs to the class above it, and a missing value is a
class of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from p4dp_sdk.errors import BadClassesError
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import ibis.expr.types as ir


def desc(column: Any) -> Any:
    """Sort from the largest: `ibis.desc`."""
    import ibis

    return ibis.desc(column)


def age_bands(age: ir.IntegerColumn, edges: Sequence[int]) -> ir.StringColumn:
    """`age` (completed years) in classes that start at each of `edges`: [18, 40, 65] gives 00-17, 18-39,
    40-64, 65+.

    Raises BadClassesError unless the edges are whole numbers, each larger than the one before.
    """
    starts = _checked(edges, whole=True)
    starts = starts if starts[0] == 0 else [0, *starts]
    labels = [f"{low:02.0f}-{high - 1:02.0f}" for low, high in pairwise(starts)] + [f"{starts[-1]:02.0f}+"]
    return _cases(age, starts[1:], labels)


def value_bands(value: ir.NumericColumn, edges: Sequence[float]) -> ir.StringColumn:
    """`value` in classes cut at `edges`: [18.5, 25] gives "< 18.5", "18.5 – < 25", "≥ 25".

    Raises BadClassesError unless each edge is larger than the one before.
    """
    cuts = _checked(edges, whole=False)
    labels = [f"< {cuts[0]:g}", *(f"{low:g} – < {high:g}" for low, high in pairwise(cuts)), f"≥ {cuts[-1]:g}"]
    return _cases(value, cuts, labels)


def _cases(value: Any, cuts: Sequence[float], labels: Sequence[str]) -> Any:
    import ibis

    below = [(value < cut, label) for cut, label in zip(cuts, labels, strict=False)]
    return ibis.cases(*below, (value.notnull(), labels[-1]), else_=_("not recorded"))


def _checked(edges: Sequence[float], *, whole: bool) -> list[float]:
    if not edges or any(low >= high for low, high in pairwise(edges)):
        raise BadClassesError(list(edges))
    if whole and any(edge != int(edge) or edge < 0 for edge in edges):
        raise BadClassesError(list(edges))
    return [int(edge) if whole else edge for edge in edges]

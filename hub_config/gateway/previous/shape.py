"""What may be asked of the version before: how many rows of one table, of how many patients, and of them with
nothing in a column, by codes and periods. Pure.

Whatever else is asked is asked of the project's own version. A condition, a person or a value can't be said
in these words, so nobody is looked for in what changed.
"""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.operations as ops
from ibis.common.temporal import DateUnit

from p4dp_sdk.wire.errors import ErrorCode, Refusal


def require_counts(asked: ibis.Expr) -> None:
    """Raises Refusal, with the first operation that is too much."""
    for node in _beyond(asked.as_table().op()):
        raise Refusal(ErrorCode.PREVIOUS_VERSION, operation=type(node).__name__)


def _beyond(node: ops.Node) -> Iterator[ops.Node]:
    match node:
        case ops.Sort(parent=parent, keys=keys):
            yield from (key.arg for key in keys if not isinstance(key.arg, ops.Field))
            yield from _beyond(parent)
        case ops.Aggregate(parent=parent, groups=groups, metrics=metrics):
            yield from (other for metric in metrics.values() for other in _not_counted(metric))
            yield from _beyond_rows(parent)
            yield from (key for key in groups.values() if not _is_code_or_period(key))
        case _:
            yield node


def _not_counted(metric: ops.Node) -> Iterator[ops.Node]:
    match metric:
        case ops.CountStar(where=None | ops.IsNull(arg=ops.Field())):
            return
        case ops.CountDistinct(arg=ops.Field(), where=None):  # of patients: nothing else may be counted so
            return
        case ops.CountStar(where=where):
            yield where
        case _:
            yield metric


def _beyond_rows(node: ops.Node) -> Iterator[ops.Node]:
    """One table's rows, with their months and years."""
    match node:
        case ops.UnboundTable():
            return
        case ops.Project(parent=ops.UnboundTable(), values=values):
            yield from (value for value in values.values() if not _is_plain(value))
        case ops.Project(parent=parent):
            yield parent
        case _:
            yield node


def _is_plain(value: ops.Node) -> bool:
    match value:
        case ops.Field():
            return True
        case ops.DateTruncate(arg=ops.Field(), unit=DateUnit.MONTH | DateUnit.YEAR):
            return True
    return False


def _is_code_or_period(key: ops.Node) -> bool:
    """A code, or a date's month or year: no number, and no day."""
    if not isinstance(key, ops.Field):
        return False
    if key.dtype.is_string():
        return True
    made = key.rel.values[key.name] if isinstance(key.rel, ops.Project) else None
    return isinstance(made, ops.DateTruncate)

"""The measures of one aggregate as released columns, and what the query makes of them.

A measure that is its own part keeps its name. Other parts are called `name [1]`, `name [2]`…, and one that
two measures share is released once. Everything else the query said is then said over the protected columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.rules.evaluation import value_children
from hub_config.gateway.rules.magnitudes import Decomposed, Measured
from p4dp_sdk.wire.errors import ErrorCode, Refusal

Combine = Callable[[ops.Relation], ops.Value]


@dataclass
class Asked:
    """`measured`: the columns to release, by name. `_values`: each metric of the query, from them."""

    measured: dict[str, Measured] = field(default_factory=dict)
    _values: dict[str, Combine] = field(default_factory=dict)
    _is_itself: bool = True

    def add(self, name: str, metric: ops.Value, decompose: Callable[[ops.Reduction], Decomposed]) -> None:
        made = {reduction: decompose(reduction) for reduction in reductions(metric)}
        if not made:
            raise nameless()
        own = made.get(metric)
        if own is not None and len(own.parts) == 1:
            names = {metric: self._own(name, own)}
        else:
            names = {reduction: self._shared(name, parts) for reduction, parts in made.items()}
        self._is_itself = self._is_itself and own is not None and own.is_itself

        def combined(leaf: ops.Relation) -> ops.Value:
            found = {
                reduction: made[reduction].combine([ops.Field(leaf, part) for part in parts])
                for reduction, parts in names.items()
            }
            value: ops.Value = metric.replace(found, filter=ops.Value)
            return value

        self._values[name] = combined

    def _own(self, name: str, made: Decomposed) -> tuple[str, ...]:
        self._release(name, made.parts[0])
        return (name,)

    def _shared(self, name: str, made: Decomposed) -> tuple[str, ...]:
        known = {part: column for column, part in self.measured.items()}
        names = []
        for part in made.parts:
            if part not in known:
                known[part] = self._numbered(name)
                self._release(known[part], part)
            names.append(known[part])
        return tuple(names)

    def _numbered(self, name: str) -> str:
        number = 1
        while f"{name} [{number}]" in self.measured:
            number += 1
        return f"{name} [{number}]"

    def _release(self, name: str, part: Measured) -> None:
        if name in self.measured:
            raise nameless()
        self.measured[name] = part

    def above(self, leaf: ops.UnboundTable, keys: Iterable[str]) -> ops.Relation:
        """The aggregate's own columns, from the released ones."""
        if self._is_itself:
            return leaf
        values: dict[str, ops.Value] = {name: ops.Field(leaf, name) for name in keys}
        values |= {name: combined(leaf) for name, combined in self._values.items()}
        return ops.Project(leaf, FrozenOrderedDict(values))


def asked(
    metrics: Mapping[str, ops.Value], keys: Iterable[str], decompose: Callable[[ops.Reduction], Decomposed]
) -> Asked:
    """The parts of all metrics. Refuses a metric without a reduction, and names alike but for case."""
    made = Asked()
    for name, metric in metrics.items():
        made.add(name, metric, decompose)
    taken = [name.casefold() for name in (*keys, *made.measured)]
    if len(set(taken)) != len(taken):
        raise nameless()
    return made


def nameless() -> Refusal:
    return Refusal(
        ErrorCode.MEASURE_NOT_RELEASABLE, operation="agg", why="each measure needs a reduction and a name"
    )


def reductions(metric: ops.Value) -> Iterator[ops.Reduction]:
    pending = [metric]
    while pending:
        value = pending.pop()
        if isinstance(value, ops.Reduction):
            yield value
        elif isinstance(value, ops.Field | ops.ScalarSubquery | ops.InSubquery | ops.WindowFunction):
            raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation=type(value).__name__)
        else:
            pending.extend(reversed(list(value_children(value))))

"""The release point: the first aggregate that is not one row a patient.

Says what is measured of which rows, by which keys. What the query wanted is then said over the protected
table, expressions between measures included.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from hub_config.gateway.rules import level
from hub_config.gateway.rules.asked import asked
from hub_config.gateway.rules.contributions import Contributions, unit_of
from hub_config.gateway.rules.facts import Closed, Relation, Traced
from hub_config.gateway.rules.keys import domains_of
from hub_config.gateway.rules.magnitudes import Measured
from hub_config.gateway.rules.measures import measure
from hub_config.gateway.rules.plan import Measure, MeasureKind, Release
from p4dp_sdk.wire.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from hub_config.gateway.rules.frontier import Frontier


def at_frontier(
    frontier: Frontier, node: ops.Aggregate, parent: Relation, groups: Mapping[str, Traced]
) -> ops.Relation:
    """Adds a release for `node`; gives what stands for it above the frontier."""
    if not node.metrics:
        raise Refusal(ErrorCode.SET_RULE, operation="group_by without a measure")
    wanted = asked(node.metrics, node.groups, lambda part: measure(frontier, part, parent, node.parent))
    schema = ibis.schema(
        {name: value.dtype for name, value in node.groups.items()}
        | {name: what.dtype for name, what in wanted.measured.items()}
    )
    keys = {name: _as_typed(value, schema[name]) for name, value in groups.items()}
    leaf = frontier.add_release(lambda name: _release(name, schema, parent, keys, wanted.measured))
    return wanted.above(leaf, node.groups)


def _as_typed(key: Traced, dtype: dt.DataType) -> Traced:
    """A key of the type that the query gave it, which making it total may have widened."""
    same = key.node.dtype.copy(nullable=True) == dtype.copy(nullable=True)
    return key if same else replace(key, node=ops.TryCast(key.node, dtype))


def _release(
    name: str,
    schema: ibis.Schema,
    parent: Relation,
    groups: Mapping[str, Traced],
    measured: Mapping[str, Measured],
) -> Release:
    alone = len({what.condition for what in measured.values()}) == 1
    known = {what.present for what in measured.values()} if alone else {key.node for key in groups.values()}
    contributions = Contributions(parent, groups)
    once = level.one_row_each(parent)
    measures = tuple(
        Measure(
            measure,
            conditional=_chosen(what, known),
            kind=MeasureKind.PATIENTS if once and what.kind is MeasureKind.ROWS else what.kind,
            family=what.family,
            bounds=what.bounds,
            weight=contributions.weight(what),
            quantile=what.quantile,
            step=what.step,
        )
        for measure, what in measured.items()
    )
    facts = {key: value.fact for key, value in groups.items()}
    return Release(
        name=name,
        rows=contributions.rows(),
        schema=schema,
        keys=tuple(groups),
        measures=measures,
        domains=domains_of(facts),
        closed=all(isinstance(fact, Closed) and not fact.daily for fact in facts.values()),
        unit=unit_of(parent),
        physicians=parent.physicians,
        patient_keys=frozenset(key for key, value in groups.items() if value.patient_level),
        evident=frozenset(key for key, fact in facts.items() if isinstance(fact, Closed) and fact.is_evident),
    )


def _chosen(what: Measured, known: Set[ops.Value | None]) -> bool:
    """Whether the row holds others than the measure's contributors, whom a subtraction would count. A
    column's missing values are such, unless nothing stands beside it, or it is a key: all there, or none."""
    return what.conditional or (what.present is not None and what.present not in known)

"""The release point: the first aggregate that is not one row a patient.

Builds what runs on the engine: the cells, the margins without each key, and hidden evidence beside every
measure. What the query wanted is then said over the protected table, expressions between measures included.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.rules import level
from hub_config.gateway.rules.asked import asked
from hub_config.gateway.rules.contributions import Contributions, unit_of
from hub_config.gateway.rules.facts import Closed, Relation, Traced
from hub_config.gateway.rules.keys import domains_of
from hub_config.gateway.rules.magnitudes import Measured
from hub_config.gateway.rules.measures import measure
from hub_config.gateway.rules.plan import LEVEL, Measure, MeasureKind, Release, margins_of
from p4dp_sdk.disclosure.policy import Policy
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
        | {name: what.node.dtype for name, what in wanted.measured.items()}
    )
    keys = {name: _as_typed(value, schema[name]) for name, value in groups.items()}
    policy = frontier.query.policy
    leaf = frontier.add_release(lambda name: _release(name, schema, parent, keys, wanted.measured, policy))
    return wanted.above(leaf, node.groups)


def _as_typed(key: Traced, dtype: dt.DataType) -> Traced:
    """A key of the type that the query gave it, which making it total may have widened."""
    same = key.node.dtype.copy(nullable=True) == dtype.copy(nullable=True)
    return key if same else replace(key, node=ops.TryCast(key.node, dtype))


# -- what runs on the engine ------------------------------------------------------------------------------


@dataclass
class _Evidence:
    """Hidden columns, one set for each distinct condition."""

    parent: Relation
    columns: dict[str, ops.Value] = field(default_factory=dict)
    names: dict[ops.Value | None, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def under(self, condition: ops.Value | None) -> tuple[str, tuple[str, ...]]:
        """Names of the columns that count patients, and physicians, under `condition`."""
        if condition not in self.names:
            self.names[condition] = self._count(condition, len(self.names))
        return self.names[condition]

    def _count(self, condition: ops.Value | None, number: int) -> tuple[str, tuple[str, ...]]:
        unit = unit_of(self.parent)
        patients = f"__n{number}"
        self.columns[patients] = self._distinct(unit, condition)
        physicians = {f"__g{number}_{i}": name for i, name in enumerate(self.parent.physicians)}
        self.columns |= {name: self._distinct(source, condition) for name, source in physicians.items()}
        return patients, tuple(physicians)

    def _distinct(self, name: str, condition: ops.Value | None) -> ops.Value:
        return ops.CountDistinct(ops.Field(self.parent.node, name), where=condition)


def _release(
    name: str,
    schema: ibis.Schema,
    parent: Relation,
    groups: Mapping[str, Traced],
    measured: Mapping[str, Measured],
    policy: Policy,
) -> Release:
    evidence = _Evidence(parent)
    everyone, _ = evidence.under(None)
    alone = len({what.condition for what in measured.values()}) == 1
    known = {what.present for what in measured.values()} if alone else {key.node for key in groups.values()}
    contributions = Contributions(parent, groups)
    once = level.one_row_each(parent)
    measures = tuple(
        Measure(
            measure,
            *evidence.under(what.condition),
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
    domains = domains_of(facts)
    return Release(
        name=name,
        internal=_levels(parent, groups, measured, evidence, margins_of(tuple(groups), domains), policy),
        schema=schema,
        keys=tuple(groups),
        measures=measures,
        everyone=everyone,
        domains=domains,
        closed=all(isinstance(fact, Closed) and not fact.daily for fact in facts.values()),
        rows=contributions.rows(),
        unit=unit_of(parent),
        physicians=parent.physicians,
        patient_keys=frozenset(key for key, value in groups.items() if value.patient_level),
    )


def _chosen(what: Measured, known: Set[ops.Value | None]) -> bool:
    """Whether the row holds others than the measure's contributors, whom a subtraction would count. A
    column's missing values are such, unless nothing stands beside it, or it is a key: all there, or none."""
    return what.conditional or (what.present is not None and what.present not in known)


def _levels(
    parent: Relation,
    groups: Mapping[str, Traced],
    measured: Mapping[str, Measured],
    evidence: _Evidence,
    margins: tuple[tuple[str, ...], ...],
    policy: Policy,
) -> ibis.Table:
    """Level 0 are the cells; level i the i-th margin. What is too small to show stays on the engine."""
    metrics = {name: what.node for name, what in measured.items()}
    whole: ops.Relation = _level(parent, groups, 0, (), metrics, evidence)
    for number, dropped in enumerate(margins, start=1):
        margin = _level(parent, groups, number, dropped, metrics, evidence)
        whole = ops.Union(whole, margin, distinct=False)
    return ops.Filter(whole, _enough(whole, evidence, policy)).to_expr()


def _enough(whole: ops.Relation, evidence: _Evidence, policy: Policy) -> tuple[ops.Value, ...]:
    """What a row needs for any of its measures to be shown. The number of rows that have it can be told: too
    many of them are refused."""
    patients, physicians = evidence.under(None)
    needed = {patients: policy.min_patients, **dict.fromkeys(physicians, policy.min_physicians)}
    return tuple(
        ops.GreaterEqual(ops.Field(whole, name), ops.Literal(least, dt.int64))
        for name, least in needed.items()
    )


def _level(
    parent: Relation,
    groups: Mapping[str, Traced],
    number: int,
    dropped: tuple[str, ...],
    metrics: Mapping[str, ops.Value],
    evidence: _Evidence,
) -> ops.Project:
    """One grouping, all levels with the same columns; measures themselves are needed in the cells only."""
    kept = {name: value.node for name, value in groups.items() if name not in dropped}
    asked = {} if dropped else metrics
    counts = ops.Aggregate(
        parent.node, FrozenOrderedDict(kept), FrozenOrderedDict({**asked, **evidence.columns})
    )
    columns: dict[str, ops.Value] = {}
    for name, value in [*((name, group.node) for name, group in groups.items()), *metrics.items()]:
        present = name in kept or name in asked
        columns[name] = (
            ops.Field(counts, name) if present else ops.Cast(ops.Literal(None, dt.null), value.dtype)
        )
    columns |= {name: ops.Field(counts, name) for name in evidence.columns}
    columns[LEVEL] = ops.Literal(number, dt.int8)
    return ops.Project(counts, FrozenOrderedDict(columns))

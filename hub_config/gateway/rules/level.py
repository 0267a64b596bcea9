"""Which values are the same in all rows of one patient. Over such a key patients are partitioned: distinct
patients add up to their margin, and a record set can't hold one person twice.

Unknown means no. Operations below the frontier compute a row from that row alone, so that a function of
patient-level values is one; whole-partition windows and per-patient aggregates make new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import ibis.expr.operations as ops

from hub_config.gateway.rules.facts import Fact, Opaque, Relation, Traced
from hub_config.gateway.rules.plan import PATIENT
from p4dp_sdk.catalogue.model import Role

# reductions that give every row of a partition the very same value; a sum of fractions may differ in its
# last digit with the order of addition
_STEADY: Final = (ops.CountStar, ops.Count, ops.CountDistinct, ops.Min, ops.Max, ops.Any, ops.All)
_SEVERAL_ROWS: Final = (ops.Reduction, ops.Analytic, ops.WindowFunction)


def of_value(node: ops.Value, operands: Iterable[Traced]) -> bool:
    """Whether `node` is patient-level, given what it is computed from."""
    if isinstance(node, ops.WindowFunction):
        return _whole_partition(node) and all(value.patient_level or value.reduces for value in operands)
    if isinstance(node, _SEVERAL_ROWS):
        return False
    return all(value.patient_level for value in operands)


def _whole_partition(node: ops.WindowFunction) -> bool:
    bounded = node.start is not None or node.end is not None or node.order_by
    return isinstance(node.func, _STEADY) and not bounded


def is_patient(fact: Fact) -> bool:
    """The row's own patient, always there."""
    return isinstance(fact, Opaque) and fact.role is Role.PATIENT and not fact.nullable


def one_row_each(relation: Relation) -> bool:
    """Whether no patient has two rows."""
    own = {PATIENT, *(name for name, column in relation.columns.items() if column.patient_level)}
    return any(key <= own for key in relation.unique)


def settled(relation: Relation) -> Relation:
    """`relation` with all its columns patient-level, if each patient has one row."""
    return _all(relation, True) if one_row_each(relation) else relation


def met(other: Relation, kept: bool) -> Relation:
    """The other side of a join beside the chain's rows; not `kept`: what it says may change from one row of a
    patient to the next. What a patient alone picks from a public table is the patient's."""
    if kept and other.kind.protected:
        return other
    return _all(other, kept)


def of_match(predicates: Iterable[ops.Value], tables: Mapping[ops.Relation, Relation]) -> bool:
    """Whether two rows meet or not by their patients alone; what stands in a public table is nobody's."""
    for node in _nodes(predicates):
        if isinstance(node, _SEVERAL_ROWS):
            return False
        if isinstance(node, ops.Field) and not _field_is(node, tables):
            return False
    return True


def _field_is(field: ops.Field, tables: Mapping[ops.Relation, Relation]) -> bool:
    relation = tables.get(field.rel)
    if relation is None:
        return False
    return not relation.kind.protected or relation.columns[field.name].patient_level


def _nodes(values: Iterable[ops.Value]) -> Iterator[ops.Value]:
    pending = list(values)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ops.Field):
            pending.extend(child for child in node.__children__ if isinstance(child, ops.Value))


def _all(relation: Relation, patient_level: bool) -> Relation:
    columns = {
        name: replace(column, patient_level=patient_level) for name, column in relation.columns.items()
    }
    return replace(relation, columns=columns)

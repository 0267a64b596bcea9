"""The rows that evidence is read from: one a record at the frontier, with its keys, its hidden ids and what
it adds to each measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.rules.facts import Kind, Relation, Traced
from hub_config.gateway.rules.magnitudes import Measured
from hub_config.gateway.rules.plan import PATIENT, PHYSICIAN


@dataclass
class Contributions:
    """Collects the distinct weights of a release's measures; `rows` is the table once all are known."""

    parent: Relation
    keys: Mapping[str, Traced]
    weights: dict[ops.Value, str] = field(default_factory=dict)

    def weight(self, what: Measured) -> str | None:
        """The column that holds what each row adds to the measure; None where that is 1."""
        added = what.weight
        return None if added is None else self.weights.setdefault(added, f"__w{len(self.weights)}")

    def rows(self) -> ibis.Table:
        hidden = dict.fromkeys((unit_of(self.parent), *self.parent.physicians))
        columns: dict[str, ops.Value] = {name: key.node for name, key in self.keys.items()}
        columns |= {name: ops.Field(self.parent.node, name) for name in hidden}
        columns |= {name: value for value, name in self.weights.items()}
        return ops.Project(self.parent.node, FrozenOrderedDict(columns)).to_expr()


def unit_of(parent: Relation) -> str:
    """The hidden column of the protected unit: the patient, in tables about GPs the GP."""
    return PATIENT if parent.kind is Kind.PERSON else PHYSICIAN

"""Keys of a released table: an output like any other.

A closed key's labels are known from the catalogue and the query alone, so its whole domain comes back and an
absent label tells nothing. Keys that are functions of one variable (a code and its chapter, a month and its
year) have only the combinations that this variable can make.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from hub_config.gateway.rules.facts import Closed, Fact
from hub_config.gateway.rules.plan import Domain


def domains_of(keys: Mapping[str, Fact]) -> tuple[Domain, ...]:
    """The closed keys, grouped by the variable they depend on, in the order of the query."""
    by_base: dict[Hashable, dict[str, Closed]] = {}
    for name, fact in keys.items():
        if isinstance(fact, Closed):
            by_base.setdefault(fact.base, {})[name] = fact
    return tuple(_domain(group) for group in by_base.values())


def _domain(group: Mapping[str, Closed]) -> Domain:
    tables = [dict(fact.table) for fact in group.values()]
    first, *others = tables
    values = [value for value in first if all(value in other for other in others)]
    labels = dict.fromkeys(tuple(table[value] for table in tables) for value in values)
    return Domain(tuple(group), tuple(labels))

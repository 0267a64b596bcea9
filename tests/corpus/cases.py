"""One file of the corpus, and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Rule

Make = Callable[[], bytes]


class Group(StrEnum):
    SAFE = "safe"
    UNSAFE = "unsafe"
    DOUBTFUL = "doubtful"  # may be unsafe: said to who reads it, and not stopped
    BEYOND = "beyond"  # unsafe, and no check is thought to see why


@dataclass(frozen=True)
class Case:
    """`rules` must all be found; or the file must be put aside for one of `aside`. `cell` and `page`: where
    the first of the rules must stand. `why`: what is wrong with it."""

    name: str
    make: Make
    group: Group
    why: str
    rules: frozenset[Rule] = frozenset()
    aside: frozenset[Reason] = frozenset()
    cell: int | None = None
    page: int | None = None


def safe(name: str, make: Make, why: str) -> Case:
    return Case(name, make, Group.SAFE, why)


def unsafe(
    name: str, make: Make, why: str, *rules: Rule, cell: int | None = None, page: int | None = None
) -> Case:
    return Case(name, make, Group.UNSAFE, why, frozenset(rules), cell=cell, page=page)


def doubtful(name: str, make: Make, why: str, *rules: Rule) -> Case:
    return Case(name, make, Group.DOUBTFUL, why, frozenset(rules))


def aside(name: str, make: Make, why: str, *reasons: Reason) -> Case:
    return Case(name, make, Group.UNSAFE, why, aside=frozenset(reasons))


def beyond(name: str, make: Make, why: str) -> Case:
    return Case(name, make, Group.BEYOND, why)

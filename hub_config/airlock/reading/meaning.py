"""What a column says, and what stops a reading. Values, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot.expressions as sge

from p4dp_sdk.catalogue import Role


class Unreadable(Exception):
    """The definition holds something for which there is no phrase."""


@dataclass(frozen=True)
class Meaning:
    """What a column of a relation says. `codes`: labels of its values; `plain`: a column of the catalogue;
    `measure`: an aggregate of the table's, or made of one; `settled`: a patient has one value of it;
    `optional`: blank beside who has no such row.
    `parts`: of a condition, what must hold together; `sure`: it is never unknown; `compound`: it takes
    brackets beside others."""

    said: str
    codes: Mapping[str, str]
    role: Role | None = None
    plain: bool = False
    measure: bool = False
    settled: bool = False
    optional: bool = False
    parts: tuple[str, ...] = ()
    sure: bool = False
    compound: bool = False

    @property
    def is_condition(self) -> bool:
        return bool(self.parts)


def only_has(e: sge.Expr, *known: str) -> bool:
    """No part of `e` is set but these: a part that is not read is not left unsaid."""
    return all(not value for name, value in e.args.items() if name not in known)


def require(holds: Any) -> None:
    if not holds:
        raise Unreadable


def own_parts(e: sge.Expr) -> Iterator[sge.Expr]:
    """All of `e` but what stands in tables of their own."""
    yield from e.walk(prune=lambda part: isinstance(part, sge.Query | sge.Window))


def counts(e: sge.Expr) -> bool:
    """Whether `e` goes over the rows of a group."""
    return any(isinstance(part, sge.AggFunc) for part in own_parts(e))


def conjuncts(e: sge.Expr) -> list[sge.Expr]:
    return list(e.flatten()) if isinstance(e, sge.And) else [e]

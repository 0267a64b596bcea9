"""Codes that a question compares a column with, and that the column's code list does not have.

The gateway answers such a question like any other: of nobody there is nothing to show, and the cell looks
withheld. So it is told before, from the catalogue alone. Systems of which a place may have loaded only a part
are let be: their codes may be right.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import ibis.expr.operations as ops
import ibis.expr.types as ir

from p4dp_sdk.backend.results import own_line
from p4dp_sdk.catalogue.code_lists.patterns import Codebook
from p4dp_sdk.catalogue.model import CodeSystem, Table
from p4dp_sdk.codelists.systems import books_in_force
from p4dp_sdk.errors import UnknownCodeWarning
from p4dp_sdk.locale import translate as _


class Known(Protocol):
    """A catalogue: the project's, or the whole."""

    @property
    def tables(self) -> Mapping[str, Table]: ...

    @property
    def code_systems(self) -> Mapping[str, CodeSystem]: ...


@dataclass(frozen=True)
class Compared:
    """A column of the project, and a text that it is compared with."""

    table: str
    column: str
    code: str


@dataclass(frozen=True)
class Miswritten:
    compared: Compared
    system: str
    near: str  # empty where nothing is like it

    def __str__(self) -> str:
        names = vars(self.compared) | {"near": self.near, "system": self.system}
        if self.near:
            text = _(
                "“{column}” of “{table}” has no code “{code}”: nobody is found by it. Did you mean “{near}”?"
            )
        else:
            text = _(
                "“{column}” of “{table}” has no code “{code}”: nobody is found by it. "
                'The codes that there are: ws.catalogue.codes("{system}").'
            )
        return text.format(**names)


def warn_of_miswritten(expr: ir.Expr, catalogue: Callable[[], Known]) -> None:
    """Told to who asks, once for each code. `catalogue` is looked at only if a column is compared at all."""
    compared = dict.fromkeys(_compared(expr))
    for found in miswritten(compared, catalogue()) if compared else ():
        warnings.warn(str(found), UnknownCodeWarning, stacklevel=own_line())


def miswritten(compared: Mapping[Compared, Any], catalogue: Known) -> Iterator[Miswritten]:
    partial = books_in_force().partial
    for each in compared:
        system = _system(each, catalogue)
        if system is not None and system.name not in partial:
            book = Codebook(system)
            if each.code not in book.codes:
                yield Miswritten(each, system.name, _near(each.code.strip(), book))


def _near(code: str, book: Codebook) -> str:
    """Systems write their codes in capitals, or in small letters."""
    return next(filter(None, map(book.near, (code.upper(), code.lower(), code))), "")


def _system(compared: Compared, catalogue: Known) -> CodeSystem | None:
    table = catalogue.tables.get(compared.table)
    names = {column.name: column.codes for column in table.columns} if table else {}
    system = catalogue.code_systems.get(names.get(compared.column) or "")
    return system if system is not None and system.codes else None


def _compared(expr: ir.Expr) -> Iterator[Compared]:
    for node in expr.op().find((ops.Equals, ops.NotEquals, ops.InValues)):
        match node:
            case ops.InValues(value=value, options=options):
                yield from _texts(value, options)
            case _:
                yield from _texts(node.left, (node.right,))
                yield from _texts(node.right, (node.left,))


def _texts(value: ops.Node, others: tuple[ops.Node, ...]) -> Iterator[Compared]:
    table, column = source(value)
    for other in others if column else ():
        if isinstance(other, ops.Literal) and isinstance(other.value, str):
            yield Compared(table, column, other.value)


def source(field: ops.Node) -> tuple[str, str]:
    """Table and column that a value is, unchanged through filters and joins; empty names if computed."""
    while isinstance(field, ops.Field):
        if isinstance(field.rel, ops.PhysicalTable):
            return field.rel.name, field.name
        field = field.rel.values.get(field.name)
    return "", ""

"""Dated events of patients: what a cohort is made of. `ws.tables.diagnoses.where(codes=…)` gives some.

An `EventTable` is an ordinary Ibis table everywhere; it only adds `where`. Rows without a date are no event:
nothing can be said of before or after. Nothing here orders rows: dates do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Protocol

import ibis.expr.operations as ops
import ibis.expr.types as ir

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Table as CatalogueTable
from p4dp_sdk.cohorts.errors import CohortError
from p4dp_sdk.wire.messages import N_

PATIENT, DATE, VALUE = "patient_id", "date", "value"


class Codes(Protocol):
    """What is asked of a code list (`p4dp_sdk.codelists`)."""

    @property
    def systems(self) -> Iterable[str]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def label(self) -> str: ...
    def matches(self, column: ir.Column, system: str) -> ir.BooleanColumn: ...


@dataclass(frozen=True, eq=False)
class Source:
    """Rows of one table: what holds for them, and the column that dates them."""

    table: str
    whole: ir.Table
    conditions: tuple[Any, ...]
    date: str

    def _said(self) -> tuple[object, ...]:
        return self.whole.op(), tuple(condition.op() for condition in self.conditions), self.date

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash(self._said())

    @property
    def rows(self) -> ir.Table:
        return self.whole.filter(*self.conditions) if self.conditions else self.whole

    def relation(self, of: str | None = None) -> ir.Table:
        """patient_id, date and, with `of`, that column as `value`. A row without a date lies in no window."""
        rows = self.rows
        columns = {PATIENT: rows[PATIENT], DATE: rows[self.date]}
        return rows.select(**columns, **({VALUE: rows[of]} if of else {}))


@dataclass(frozen=True)
class Events:
    """Dated events: the rows of one table, or of several (`one | other`)."""

    sources: tuple[Source, ...]
    codes: tuple[Codes, ...] = field(default=(), compare=False)

    def __or__(self, other: Events) -> Events:
        return Events(self.sources + other.sources, self.codes + other.codes)

    def relation(self, of: str | None = None) -> ir.Table:
        """patient_id, date and, with `of`, that column as `value`: a row an event."""
        return reduce(lambda one, other: one.union(other), (source.relation(of) for source in self.sources))

    @property
    def apart(self) -> tuple[Events, ...]:
        """The events of each table by themselves."""
        return tuple(Events((source,)) for source in self.sources)

    @property
    def patients(self) -> ir.Column:
        """Whose events these are, for Ibis: `patients.patient_id.isin(events.patients)`. Events without a
        date count as well."""
        columns = (source.rows[[PATIENT]] for source in self.sources)
        return reduce(lambda one, other: one.union(other), columns)[PATIENT]

    def has(self, column: str) -> bool:
        return all(column in source.rows.columns for source in self.sources)

    @property
    def columns(self) -> tuple[str, ...]:
        """What every source has, beside the patient."""
        first = self.sources[0].rows.columns
        return tuple(name for name in first if name != PATIENT and self.has(name))


class EventTable(ir.Table):  # type: ignore[misc]
    """A table of the project whose rows are dated: an Ibis table, with `where`."""

    def where(self, *predicates: Any, codes: Codes | None = None) -> Events:
        """The events for which all `predicates` hold and whose code is in `codes`.

        Raises CohortError where the table has no date, or no column coded in a system of the list.
        """
        described = catalogue_table(self)
        if codes is not None and not hasattr(codes, "matches"):
            raise CohortError(
                N_("“codes=” takes a code list."),
                N_("A name or codes alone do not say which list, and which version of it."),
                N_("Write codes=p4dp.codes(“…”), or a p4dp.CodeList(…) of your own."),
            )
        if codes is not None:
            predicates = (*predicates, _in_list(self, described, codes))
        source = Source(described.name, self, tuple(map(self._bound, predicates)), _date_of(self, described))
        return Events((source,), (codes,) if codes else ())

    def _bound(self, predicate: Any) -> Any:
        """A condition on this table, however it was written."""
        (condition,) = self.bind(predicate)
        return condition


def catalogue_table(table: ir.Table) -> CatalogueTable:
    """The catalogue's entry of a table of the project, or of some of its rows (`ws.centre`)."""
    rows = table.op()
    while isinstance(rows, ops.Filter):
        rows = rows.parent
    name = getattr(rows, "name", "")
    known = load_catalogue().tables
    if name not in known:
        raise CohortError(
            N_("These rows are not events of the warehouse."),
            N_("A cohort is made of dated rows of the project's tables."),
            N_("Start from a table: ws.tables.diagnoses.where(…)."),
        )
    return known[name]


def _date_of(table: ir.Table, described: CatalogueTable) -> str:
    if described.date is None or described.date not in table.columns or PATIENT not in table.columns:
        raise CohortError(
            N_("The table “{table}” holds no dated events of patients."),
            N_("An event needs a patient and a date; this project's table lacks one of them."),
            N_("Use a table with both, for example ws.tables.diagnoses or ws.tables.prescriptions."),
            table=described.name,
        )
    return described.date


def _in_list(table: ir.Table, described: CatalogueTable, codes: Codes) -> Any:
    matching = [
        codes.matches(table[column.name], system=column.codes)
        for column in described.columns
        if column.codes is not None and column.codes in codes.systems and column.name in table.columns
    ]
    if not matching:
        raise CohortError(
            N_("The table “{table}” has no column for the code list “{codes}”."),
            N_("The list is written in {systems}; no column of this table that your project sees is."),
            N_("Choose a table that is coded so: CISP-2 in diagnoses, ATC in prescriptions."),
            table=described.name,
            codes=codes.label,
            systems=", ".join(sorted(codes.systems)),
        )
    return reduce(lambda one, other: one | other, matching)

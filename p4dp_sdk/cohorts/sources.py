"""Where the codes of a code list are found, if no table is named: each system has its tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Final

import ibis.expr.types as ir

from p4dp_sdk.cohorts.errors import CohortError
from p4dp_sdk.cohorts.events import Codes, Events, EventTable
from p4dp_sdk.wire.messages import N_

# A reason for a visit is not a diagnosis; a prescription is not a delivery, but all that there is.
TABLES_OF: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "cisp2": ("diagnoses", "history"),
        "cim10": ("snds_stays",),
        "atc": ("prescriptions",),
        "analyte": ("lab_results",),
        "measure": ("biometrics",),
    }
)


# A relative's disease and a "no" carry the code too; both columns are needed to tell.
NOT_ONES_OWN: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"history": MappingProxyType({"kind": "family", "status": "no"})}
)


def events_of_codes(tables: Mapping[str, ir.Table], codes: Codes) -> Events:
    """The events of a code list in the tables that its systems are recorded in, as far as they are granted.

    Of the history, what is the patient's own: no family history, no negative mention. Raises CohortError
    where there is no such table.
    """
    wanted = [name for system in sorted(codes.systems) for name in TABLES_OF.get(system, ())]
    granted = [name for name in dict.fromkeys(wanted) if _tells(tables, name)]
    if not granted:
        raise CohortError(
            N_("No table of this project records the code list “{codes}”."),
            N_("It would be found in: {tables}; the grant has none of them."),
            N_("Ask whoever approved the project for the table, or name another one: table.where(codes=…)."),
            codes=codes.label,
            tables=", ".join(wanted) or "—",
        )
    return reduce(or_, (_own(name, _dated(tables[name]), codes) for name in granted))


def _tells(tables: Mapping[str, ir.Table], name: str) -> bool:
    return name in tables and set(NOT_ONES_OWN.get(name, ())) <= set(tables[name].columns)


def _own(name: str, table: EventTable, codes: Codes) -> Events:
    others = [table[column] != code for column, code in NOT_ONES_OWN.get(name, {}).items()]
    return _dated(table.filter(*others) if others else table).where(codes=codes)


def _dated(table: ir.Table) -> EventTable:
    return table if isinstance(table, EventTable) else EventTable(table.op())

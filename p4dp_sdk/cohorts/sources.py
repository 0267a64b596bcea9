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


def events_of_codes(tables: Mapping[str, ir.Table], codes: Codes) -> Events:
    """The events of a code list in the tables that its systems are recorded in, as far as they are granted.

    Raises CohortError where there is none.
    """
    wanted = [name for system in sorted(codes.systems) for name in TABLES_OF.get(system, ())]
    granted = [name for name in dict.fromkeys(wanted) if name in tables]
    if not granted:
        raise CohortError(
            N_("No table of this project records the code list “{codes}”."),
            N_("It would be found in: {tables}; the grant has none of them."),
            N_("Ask whoever approved the project for the table, or name another one: table.where(codes=…)."),
            codes=codes.label,
            tables=", ".join(wanted) or "—",
        )
    return reduce(or_, (_dated(tables[name]).where(codes=codes) for name in granted))


def _dated(table: ir.Table) -> EventTable:
    return table if isinstance(table, EventTable) else EventTable(table.op())

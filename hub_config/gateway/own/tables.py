"""Which tables hold rows of one's own. Pure.

A GP has all that their practice recorded. An intern has their log, what else was recorded at exactly those
consultations, and the patients seen in them; a trainer the logs of their interns, and the patients in these.
What others recorded of the same patients is nobody's own, and the SNDS no practice's; tables about GPs say
nothing of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, assert_never

from hub_config.governance.persons.facts import Standing
from p4dp_sdk.catalogue.model import Catalogue, Table, Unit

LOG: Final = "training_log"
PATIENTS: Final = "patients"
CONSULTATION: Final = "consultation_id"


def own_tables(tables: Mapping[str, Table], catalogue: Catalogue, standing: Standing) -> Mapping[str, Table]:
    """Those of the visible `tables` that there are in scope `own`: reference tables stay."""
    return {name: table for name, table in tables.items() if _is_own(catalogue.tables[name], standing)}


def _is_own(table: Table, standing: Standing) -> bool:
    """By all columns of the table, granted or not."""
    match table.unit:
        case Unit.PUBLIC:
            return True
        case Unit.PHYSICIAN | Unit.ENCLAVE:
            return False
        case Unit.PERSON:
            return not table.snds and _recorded_by(table, standing)
        case _:
            assert_never(table.unit)


def _recorded_by(table: Table, standing: Standing) -> bool:
    match standing:
        case Standing.PHYSICIAN:
            return True
        case Standing.INTERN:
            return table.name in (LOG, PATIENTS) or table.has(CONSULTATION)
        case Standing.TRAINER:
            return table.name in (LOG, PATIENTS)
        case _:
            assert_never(standing)

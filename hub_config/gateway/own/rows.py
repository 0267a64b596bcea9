"""Leaves in a table only the rows of one's own: below the grant's filters, beyond all that a query can write.

The number comes from the register, never from a request.
"""

from __future__ import annotations

from typing import Final, assert_never

import ibis
import pyarrow as pa

from hub_config.gateway.engine import Session
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.own.tables import CONSULTATION, LOG, PATIENTS
from hub_config.governance.persons.facts import Link, Standing
from p4dp_sdk.catalogue.model import Table, Unit
from p4dp_sdk.wire.errors import ErrorCode, Refusal

INTERN_NO: Final = "intern_no"
_PHYSICIAN_NO: Final = "physician_no"
_PATIENT_NO: Final = "patient_no"
_OWN_LOG: Final = "own_log"
_OWN_NUMBER: Final = "own_number"
_NUMBER: Final = "number"
_COLUMNS: Final = {CONSULTATION: "int64", _PATIENT_NO: "int64"}


def is_told_apart(session: Session, standing: Standing) -> bool:
    """Whether the snapshot says whose a row is: older ones have no interns."""
    return standing is not Standing.INTERN or session.stored_type(LOG, INTERN_NO) is not None


def gather_own(session: Session, link: Link) -> None:
    """Note one's own number, and the consultations and patients of one's own log. Raises Refusal where the
    snapshot can't tell."""
    if not is_told_apart(session, link.standing):
        raise Refusal(ErrorCode.OWN_UNAVAILABLE)
    session.store(_OWN_NUMBER, pa.table({_NUMBER: pa.array([link.number], pa.int64())}))
    if link.standing is Standing.PHYSICIAN:
        return
    column = INTERN_NO if link.standing is Standing.INTERN else _PHYSICIAN_NO
    log = stored(LOG, {**_COLUMNS, column: "int64"})
    session.store(_OWN_LOG, session.ask(_of_number(log, column).select(*_COLUMNS).distinct()))


def own_rows(rows: ibis.Table, full: Table, standing: Standing) -> ibis.Table:
    """The rows of the warehouse's table `full` that are the person's; reference tables whole.

    A consultation is one patient's: a number that another practice uses as well brings in nobody else's rows.
    """
    if full.unit is Unit.PUBLIC:
        return rows
    match standing:
        case Standing.PHYSICIAN:
            return _of_number(rows, _PHYSICIAN_NO)
        case Standing.INTERN if full.name == LOG:
            return _of_number(rows, INTERN_NO)
        case Standing.TRAINER if full.name == LOG:
            return _of_number(rows, _PHYSICIAN_NO)
        case Standing.INTERN | Standing.TRAINER:
            keys = [_PATIENT_NO] if full.name == PATIENTS else [CONSULTATION, _PATIENT_NO]
            return rows.semi_join(_own_log(), keys)
        case _:
            assert_never(standing)


def _of_number(rows: ibis.Table, column: str) -> ibis.Table:
    own = temporary(_OWN_NUMBER, {_NUMBER: "int64"})
    return rows.semi_join(own, rows[column].cast("int64") == own[_NUMBER])


def _own_log() -> ibis.Table:
    return temporary(_OWN_LOG, _COLUMNS)

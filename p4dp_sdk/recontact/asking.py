"""From patients as a notebook has them to a request on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from p4dp_sdk.backend.gateway import Gateway
from p4dp_sdk.recontact.told import Recontact

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from p4dp_sdk.cohorts import Cohort

_PATIENT = "patient_id"


def request(gateway: Gateway, patients: ir.Table | Cohort, title: str, protocol: str) -> Recontact:
    """Raises EnclaveError, which says what is missing."""
    from p4dp_sdk.backend.ibis_interface import encoded

    return Recontact.read(gateway.request_recontact(title, protocol, encoded(_named(patients))))


def _named(patients: Any) -> Any:
    """Who they are, and nothing else of them."""
    from p4dp_sdk.cohorts import Cohort

    table = patients.select() if isinstance(patients, Cohort) else patients.as_table()
    return table.select(_PATIENT).distinct() if _PATIENT in table.columns else table

"""Whom the next snapshot is made without: for the commands that make one, and for them only.

The warehouse knows nothing of governance: it is handed numbers. An objection that is recorded while a
snapshot is being made is not missed, since every question leaves its objector out all the same.
"""

from __future__ import annotations

from contextlib import closing

from hub_config.governance.facts import Objectors
from hub_config.governance.objections.actions import objectors
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.purging import Objector


def objectors_on_record(settings: Settings, numbering: str) -> tuple[Objector, ...]:
    """Everyone whose objection holds in snapshots of this numbering. Nobody where governance is still to be
    founded. Raises StoreProblem: no snapshot is made of who can't be looked up."""
    if settings.database_url is None and not (settings.home / "governance.db").exists():
        return ()
    with closing(open_store(settings)) as store, store.session() as session:
        return handed(objectors(session, numbering))


def handed(found: Objectors) -> tuple[Objector, ...]:
    """The same, as the warehouse takes them."""
    whole = [(Kind.PATIENT, found.patients), (Kind.PHYSICIAN, found.physicians)]
    until = [(Kind.PATIENT, found.patients_until), (Kind.PHYSICIAN, found.physicians_until)]
    return (
        *(Objector(kind, number) for kind, numbers in whole for number in sorted(numbers)),
        *(Objector(kind, number, day) for kind, days in until for number, day in sorted(days.items())),
    )

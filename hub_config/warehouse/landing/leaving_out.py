"""Who objected is not kept landed either: what is frozen from now on can't hold them, whoever freezes it.

Their numbers stay in the register of pseudonyms, so that what a practice exports of them again is known to be
theirs. The same objectors leave the same snapshot: its `left-out.json` tells whether a newer one is due.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from hub_config.warehouse.landing.store import Landing
from hub_config.warehouse.purging import Objector, purge_for_good, rewrite_if_due
from hub_config.warehouse.snapshot import Building, Snapshot
from p4dp_sdk.catalogue.model import Catalogue

LEFT_OUT: Final = "left-out.json"


def leave_out(landings: Iterable[Landing], objectors: Collection[Objector], catalogue: Catalogue) -> None:
    """Delete what was landed of `objectors`, in one transaction a source. Raises Busy while one loads."""
    for landing in landings if objectors else ():
        with landing.held("objections"):
            with landing.changing(catalogue) as connection:
                purge_for_good(connection, landing.database, catalogue, objectors)
            rewrite_if_due(landing.database)


def note_left_out(building: Building) -> None:
    """Have the snapshot tell, of whom it was made without, no more than whether it was the same people."""
    told = json.dumps({"objectors": _fingerprint(building.objectors)})
    (building.directory / LEFT_OUT).write_text(told, encoding="utf-8")


def leaves_out(snapshot: Snapshot, objectors: Iterable[Objector]) -> bool:
    """Whether it was made without just these."""
    return _noted(snapshot.directory / LEFT_OUT) == _fingerprint(objectors)


def _noted(path: Path) -> str:
    if not path.exists():
        return _fingerprint(())
    return str(json.loads(path.read_text(encoding="utf-8"))["objectors"])


def _fingerprint(objectors: Iterable[Objector]) -> str:
    lines = sorted(f"{each.kind} {each.number} {each.until or 'all'}" for each in objectors)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

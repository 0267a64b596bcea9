"""The practices' keys in force, for the load that seals with them and the page that hands seals out."""

from __future__ import annotations

from contextlib import closing

from hub_config.governance.recontact.facts import PracticeKey
from hub_config.governance.recontact.keys import keys_in_force
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.warehouse.sealing.landed import SealingKey


def sealing_keys(settings: Settings, numbering: str) -> list[SealingKey]:
    """Nobody's where governance is still to be founded. Raises StoreProblem."""
    if settings.database_url is None and not (settings.home / "governance.db").exists():
        return []
    with closing(open_store(settings)) as store, store.session() as session:
        return [as_sealing_key(key) for key in keys_in_force(session, numbering)]


def as_sealing_key(key: PracticeKey) -> SealingKey:
    """The same, as the warehouse takes it."""
    return SealingKey(key.physician_no, key.fingerprint, key.public_key)

"""Who reviews what leaves the demonstration."""

from __future__ import annotations

from datetime import UTC, datetime

from hub_config.airlock.pool import actions as pool
from hub_config.governance.store import open_store
from hub_config.settings import Settings


def ensure_reviewers(settings: Settings) -> list[str]:
    """The demonstration's reviewers, where nobody was ever named. Returns who is named now."""
    store = open_store(settings)
    try:
        with store.change() as session:
            return pool.ensure_demo_pool(session, at=datetime.now(UTC), audit=store.recorder("enclave"))
    finally:
        store.close()

"""`python -m hub_config.register`, started by the hub: the register and the desk, in one process.

The one place that knows both; neither imports the other. It also tells the register which snapshots and
centres there are, as the operators' commands look them up.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from hub_config import desk
from hub_config.governance import desk as warehouse_desk
from hub_config.governance.register import charter
from hub_config.governance.store import open_store
from hub_config.governance.terms import Terms
from hub_config.register import upkeep
from hub_config.register.app import create_app
from hub_config.register.secretariat import Secretariat
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import snapshot_numbers
from hub_config.web.serving import serve


def site(settings: Settings) -> FastAPI:
    """The application of this enclave. Raises what the store raises."""
    store = open_store(settings)
    with store.change() as session:
        change = charter.put_in_force if settings.projects.charter else charter.lift
        change(session, audit=store.recorder("enclave"))

    def terms(number: int | None) -> Terms:
        return warehouse_desk.terms(settings, number, wants_centres=True)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with desk.upkeep(settings):
            reminding = asyncio.create_task(upkeep.keep_up(secretariat))
            try:
                yield
            finally:
                reminding.cancel()
                await asyncio.gather(reminding, return_exceptions=True)
        store.close()

    secretariat = Secretariat(
        settings, store, terms, lambda: sorted(snapshot_numbers(settings.warehouse_dir))
    )
    return create_app(
        secretariat,
        more_routers=desk.routers(),
        more_menu=desk.MENU,
        guests=(desk.GUEST,),
        uploads=desk.UPLOADS,
        state=desk.state(settings, store),
        lifespan=lifespan,
    )


if __name__ == "__main__":
    sys.exit(serve(site, lambda settings: settings.register_port))

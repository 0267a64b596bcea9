"""What the register's process adds to its site to serve the desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter

from hub_config.desk.office import Office
from hub_config.desk.rules import WHO, Act
from hub_config.desk.texts import N_
from hub_config.governance.audit.upkeep import keep_up
from hub_config.governance.store import Store
from hub_config.settings import Settings
from hub_config.web.house import MenuItem
from hub_config.web.site import Guest

_HERE: Final = Path(__file__).parent

GUEST: Final = Guest(templates=_HERE / "templates", catalogues=(_HERE / "locale", "p4dp-desk"))
MENU: Final = (
    MenuItem("/journal", N_("Journal d'audit"), WHO[Act.READ_LOG]),
    MenuItem("/droits", N_("Exercice des droits"), WHO[Act.HANDLE_RIGHTS]),
    MenuItem("/participation", N_("Participation et retraits"), WHO[Act.RECORD_PARTICIPATION]),
    MenuItem("/recontact", N_("Recontact de patients"), WHO[Act.SEE_RECONTACT]),
    MenuItem("/entrees", N_("Sas d'entrée")),
    MenuItem("/effacements", N_("Copies à effacer")),
)
UPLOADS: Final = ("/entrees/{project}/fichiers",)


def routers() -> tuple[APIRouter, ...]:
    """The pages, each at a path of the menu."""
    from hub_config.desk import entries, journal, participation, recontact, rights

    return (journal.router, rights.router, participation.router, recontact.router, entries.router)


def state(settings: Settings, store: Store) -> Mapping[str, Any]:
    """For `create_site(state=…)`: what the pages find in `request.app.state`."""
    return {"desk": Office(settings, store)}


@asynccontextmanager
async def upkeep(settings: Settings) -> AsyncIterator[None]:
    """For the site's lifespan: the audit log's daily anchor and monthly retention, while the process runs."""
    task = asyncio.create_task(keep_up(settings))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

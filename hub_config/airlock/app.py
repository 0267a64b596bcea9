"""The airlock's pages: HTTP only. `hub_config.web` knows who is there, `rules` what they may, `actions` what
happens.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from hub_config.airlock.intake.door import door
from hub_config.airlock.pages import home, mine, news, notebooks, pool, record, reports, review
from hub_config.airlock.pages.desk import POOL_READERS, Desk
from hub_config.airlock.rules.permission import PHYSICIANS
from hub_config.airlock.service import Service, mailing, tending
from hub_config.airlock.shelf import Shelf
from hub_config.airlock.texts import TEXTS, AirlockProblem, Denied, Problem
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.web.answers import Told
from hub_config.web.errors import told_page
from hub_config.web.serving import StartError
from hub_config.web.site import MenuItem, Site, create_site
from hub_config.web.texts import N_

_HERE: Final = Path(__file__).parent
_MENU: Final = (
    MenuItem("/demandes", N_("Mes demandes de sortie")),
    MenuItem("/notebooks", N_("Notebooks")),
    MenuItem("/relecture", N_("Relecture"), PHYSICIANS),
    MenuItem("/absences", N_("Mes absences"), PHYSICIANS),
    MenuItem("/relecteurs", N_("Relecteurs"), POOL_READERS),
)


def create_app(settings: Settings, environ: Mapping[str, str] = os.environ) -> FastAPI:
    """The service as the hub starts it: pages, the workspaces' door, notices. Raises StartError."""
    if "JUPYTERHUB_API_URL" not in environ:
        raise StartError("JUPYTERHUB_API_URL is not set. The hub starts this service; use `make up`.")
    store = open_store(settings)
    desk = Desk(store, Shelf(settings.releases_dir), settings)
    return app_of(desk, Service(desk, (door(environ["JUPYTERHUB_API_URL"]), tending, mailing)))


def app_of(desk: Desk, service: Service | None = None) -> FastAPI:
    """The pages over this desk; without `service`, and nothing else."""
    site = Site(
        name="airlock",
        title=N_("Sas de sortie"),
        settings=desk.settings,
        templates=_HERE / "templates",
        static=_HERE / "static",
        catalogues=(_HERE / "locale", "p4dp-airlock"),
        menu=_MENU,
    )
    app = create_site(
        site,
        routers=[
            mine.router,
            reports.router,
            notebooks.router,
            home.router,
            review.router,
            record.router,
            pool.router,
            news.router,
        ],
        state={"desk": desk},
        lifespan=service.run if service else None,
    )

    @app.exception_handler(AirlockProblem)
    async def refused(request: Request, error: AirlockProblem) -> Response:
        return told_page(request, told(error))

    return app


def told(error: AirlockProblem) -> Told:
    """In the words of the page; an unknown request is a page that does not exist."""
    unknown = error.problem in (Problem.UNKNOWN_REQUEST, Problem.UNKNOWN_FILE)
    status = 404 if unknown else 403 if isinstance(error, Denied) else 409
    return Told(status, TEXTS[error.problem], **error.blanks)

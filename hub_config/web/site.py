"""A site: the pages of one service, on an origin of their own. `create_site` makes its application."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.staticfiles import StaticFiles

from hub_config.governance.audit import AtAddress
from hub_config.settings import Settings
from hub_config.web import STATIC, login, resuming
from hub_config.web.errors import answer_in_words
from hub_config.web.gate import Gate
from hub_config.web.held import HeldForms, Marks
from hub_config.web.house import House, MenuItem, environment
from hub_config.web.hub import NoHub
from hub_config.web.pace import Pace, Rates
from hub_config.web.sessions import Arrivals, Sessions
from hub_config.web.texts import Catalogues

TEMPLATES = Path(__file__).with_name("templates")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Guest:
    """Pages of another package on the same site: its templates, in a folder of their own name, and its
    translations."""

    templates: Path
    catalogues: tuple[Path, str]


@dataclass(frozen=True)
class Site:
    """`name` as the hub knows the service (`origins.SERVICES`). `title` and the menu's labels are French.

    `static` is served at `/static/own/`; style and icon of all sites at `/static/web/`. `catalogues`: the
    directory of the service's translations, and their domain. `uploads`: paths, as routes write them
    (`/requests/{id}/files`), that take up to 16 MB; all others take 256 KB.
    """

    name: str
    title: str
    settings: Settings
    templates: Path
    static: Path | None = None
    catalogues: tuple[Path, str] | None = None
    menu: tuple[MenuItem, ...] = ()
    uploads: tuple[str, ...] = ()
    rates: Rates = field(default_factory=Rates)
    guests: tuple[Guest, ...] = ()


def create_site(
    site: Site,
    *,
    routers: Iterable[APIRouter],
    state: Mapping[str, Any] | None = None,
    lifespan: Lifespan | None = None,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """The application. What is in `state` is `request.app.state.<name>`.

    It has no hub yet (`serving.serve` gives it one, `tests.pages.visiting` a double): nobody gets in.
    """
    app = FastAPI(title=site.title, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    for name, value in (state or {}).items():
        setattr(app.state, name, value)
    app.state.house = house = _house(site, clock)
    answer_in_words(app)
    login.send_strangers_to_the_hub(app)
    app.add_middleware(Gate, house=house)
    app.add_middleware(AtAddress)
    app.mount("/static/web", _Static(directory=STATIC), name="static-web")
    if site.static is not None:
        app.mount("/static/own", _Static(directory=site.static), name="static-own")
    for router in (login.router, resuming.router, *routers):
        app.include_router(router)
    return app


def _house(site: Site, clock: Callable[[], float]) -> House:
    web = site.settings.web
    return House(
        name=site.name,
        title=site.title,
        settings=site.settings,
        menu=site.menu,
        uploads=tuple(compile_path(path)[0] for path in site.uploads),
        catalogues=Catalogues(_catalogues(site)),
        templates=environment(site.templates, *(guest.templates for guest in site.guests), TEMPLATES),
        sessions=Sessions(web.session_hours * 3600.0, web.idle_minutes * 60.0, clock),
        arrivals=Arrivals(login.ARRIVAL_SECONDS, clock),
        pace=Pace(site.rates),
        held=HeldForms(clock),
        marks=Marks(secrets.token_bytes(32)),
        hub=NoHub(),
    )


def _catalogues(site: Site) -> list[tuple[Path, str]]:
    own = [site.catalogues] if site.catalogues else []
    return own + [guest.catalogues for guest in site.guests]


class _Static(StaticFiles):
    """Files that hold nothing of anybody: a browser may keep them, and asks whether they changed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


__all__ = ["Guest", "Lifespan", "MenuItem", "Site", "create_site"]

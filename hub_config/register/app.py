"""The register's application. `create_app(…, guests, routers)` leaves room for the pages of the desk, which
shares this process and origin; the register imports nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from hub_config.governance.roles import Role
from hub_config.register import parts
from hub_config.register.pages import asking, charter, deciding, exporting, home, people, projects, public
from hub_config.register.secretariat import Secretariat
from hub_config.web.house import MenuItem
from hub_config.web.site import Guest, Lifespan, Site, create_site
from hub_config.web.texts import N_

_HERE: Final = Path(__file__).parent
OFFICERS: Final = frozenset({Role.CSE, Role.DPO, Role.ADMIN})
MENU: Final = (
    MenuItem("/demandes", N_("Mes demandes")),
    MenuItem("/instruction", N_("Instruction"), OFFICERS),
    MenuItem("/projets", N_("Registre")),
    MenuItem("/personnes", N_("Personnes"), OFFICERS),
    MenuItem("/charte", N_("Charte")),
)


def routers() -> tuple[APIRouter, ...]:
    return (
        home.router,
        asking.router,
        deciding.router,
        projects.router,
        people.router,
        charter.router,
        public.router,
        exporting.router,
    )


def create_app(
    secretariat: Secretariat,
    *,
    more_routers: Iterable[APIRouter] = (),
    more_menu: Iterable[MenuItem] = (),
    guests: tuple[Guest, ...] = (),
    uploads: tuple[str, ...] = (),
    state: Mapping[str, Any] | None = None,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """The site of the register, with the pages of whoever shares it."""
    site = Site(
        name="register",
        title=N_("Registre"),
        settings=secretariat.settings,
        templates=_HERE / "templates",
        static=_HERE / "static",
        catalogues=(_HERE / "locale", "p4dp-register"),
        menu=(*MENU, *more_menu),
        uploads=uploads,
        guests=guests,
    )
    app = create_site(
        site,
        routers=(*routers(), *more_routers),
        state={"secretariat": secretariat, **(state or {})},
        lifespan=lifespan,
    )
    parts.answer_in_words(app)
    return app

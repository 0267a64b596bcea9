"""The airlock, and the register with the desk, over one store; with a request, a dossier, an entry and a
rights request in them, so that addresses name what there is. Inès made them: `MARK` is in her words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import MetaData, select

from hub_config import desk
from hub_config.airlock.actions.drafting import Words
from hub_config.governance.recontact import requests as recontacts
from hub_config.governance.recontact.facts import Listed
from hub_config.governance.recontact.requests import Asked
from hub_config.governance.roles import Role
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.register.app import create_app
from hub_config.register.secretariat import Secretariat
from hub_config.web.pace import Pace, Rates
from tests.pages import Visit, visiting
from tests.services.airlock_pages.little_airlock import LittleAirlock
from tests.services.register.conftest import ANSWERS, CENTRES

MARK: Final = "MARQUE-7f31c"
PEOPLE: Final[dict[str, frozenset[Role]]] = {
    "personne": frozenset(),
    "ines": frozenset({Role.INTERNE}),
    "rachid": frozenset({Role.CHERCHEUR}),
    "damien": frozenset({Role.DMG}),
    "diane": frozenset({Role.MEDECIN_DIM}),
    "charles": frozenset({Role.CSE}),
    "dora": frozenset({Role.DPO}),
    "admin": frozenset({Role.ADMIN}),
    "alix": frozenset({Role.AQD}),
}
UNRELATED: Final = ("personne", "rachid", "damien", "alix")
_FAST: Final = Rates(*[10**9] * 4)


@dataclass(frozen=True)
class Address:
    """A route of one of the two sites."""

    site: str
    method: str
    path: str

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.path


@dataclass
class World:
    home: Path
    little: LittleAirlock = field(init=False)
    apps: dict[str, FastAPI] = field(init=False)
    ids: dict[str, str] = field(init=False)
    _visits: dict[tuple[str, str], Visit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.little = LittleAirlock(self.home)
        self.apps = {"airlock": self.little.app, "register": self._register()}
        for app in self.apps.values():
            app.state.house.pace = Pace(_FAST)
        self.ids = self._furnished()

    def _register(self) -> FastAPI:
        settings, store = self.little.desk.settings, self.little.desk.store

        def terms(number: int | None) -> Terms:
            return Terms(SnapshotTerms(number or 1, synthetic=True, centres=CENTRES), settings.policy)

        return create_app(
            Secretariat(settings, store, terms, lambda: [1]),
            more_routers=desk.routers(),
            more_menu=desk.MENU,
            guests=(desk.GUEST,),
            uploads=desk.UPLOADS,
            state=desk.state(settings, store),
        )

    def _furnished(self) -> dict[str, str]:
        request = self.little.sent(words=Words(f"Titre {MARK}", MARK, MARK, MARK))
        ines, dora = self.at("register", "ines"), self.at("register", "dora")
        dossier = ines.post("/demandes").headers["location"].split("/")[2]
        ines.post(f"/demandes/{dossier}/formulaire", {**ANSWERS, "title": MARK, "version": "1", "do": "save"})
        right = {"droit": "access", "reference": "L-14", "recue": "2026-01-02"}
        told = dora.follow(dora.post("/droits", right)).text
        table = {"fichier": ("regions.csv", b"region,effectif\nNormandie,39\nPACA,31\n")}
        said = {"type": "table", "usage": MARK}
        ines.post("/entrees/these-ines/fichiers", said, files=table)
        waiting = re.findall(r"/entrees/regards/([\w-]+)", self.at("register", "diane").get("/entrees").text)
        return {
            "recontact": self._recontact(),
            "id": request,
            "dossier_id": dossier,
            "slug": "these-ines",
            "project": "these-ines",
            "right": re.findall(r"D-\w{10}", told)[0],
            "entry": waiting[0] if waiting else "E-none",
        }

    def _recontact(self) -> str:
        store = self.little.desk.store
        what = "SELECT patient_id FROM patients", ("patients",)  # for offices to read
        asked = Asked("these-ines", "Essai", "Docteur,", 1, "preset A", True, 30, *what)
        with store.change() as session:
            audit = store.recorder("ines")
            return recontacts.ask(session, asked, [Listed(1, 1)], at=datetime.now(UTC), audit=audit).id

    def close(self) -> None:
        self.little.desk.store.close()

    def at(self, site: str, who: str) -> Visit:
        if (site, who) not in self._visits:
            self._visits[site, who] = visiting(self.apps[site], who, *PEOPLE[who])
        return self._visits[site, who]

    def addresses(self) -> Iterator[Address]:
        """Every route of both sites, as the applications have them."""
        for site, app in self.apps.items():
            for route in routes_of(app.routes):
                for method in route.methods:
                    yield Address(site, method, route.path)

    def filled(self, address: Address) -> str:
        """The address with what there is in place of its parameters."""
        number = {"/droits/": self.ids["right"], "/entrees/": self.ids["entry"]}
        numbered = next((id for start, id in number.items() if address.path.startswith(start)), "1")
        known = {**self.ids, "number": numbered, "language": "fr", "kind": "csv"}
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: known.get(found[1], "1"), address.path)

    def fingerprint(self) -> str:
        """Of all that the database holds."""
        engine, found = self.little.desk.store.engine, hashlib.sha256()
        tables = MetaData()
        tables.reflect(engine)
        with engine.connect() as connection:
            for table in tables.sorted_tables:
                rows = sorted(map(repr, connection.execute(select(table))))
                found.update(f"{table.name}{rows}".encode())
        return found.hexdigest()


def routes_of(routes: Iterable[object]) -> Iterator[APIRoute]:
    """The routes themselves, also those of routers that an application took in."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from routes_of(getattr(getattr(route, "original_router", None), "routes", ()))

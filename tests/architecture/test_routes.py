"""Every address of the sites has somebody it is for, declared: those of the airlock in its own table of
rules, those of the register and the desk here. Who has no role gets nothing and changes nothing; and what
changes the database writes an event on the audit log, wherever a test sends a form: `tests.pages.Visit.post`
sees to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path
from typing import Final

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from sqlalchemy import text
from starlette.responses import Response

from hub_config.airlock.pages.rules import RULES, Door
from hub_config.governance.roles import Role
from hub_config.governance.store import Store, open_store
from hub_config.settings import Settings
from hub_config.web.login import maybe_visitor, visitor
from hub_config.web.site import Site, create_site
from tests.pages import Unaudited, visiting
from tests.services.fuzz.world import Address, World, routes_of


class For(Enum):
    STRANGERS = auto()  # whoever comes
    ALL = auto()  # whoever is logged in: their own, or what concerns everybody
    PARTIES = auto()  # who has a part in what the address names


CSE, DPO, ADMIN = Role.CSE, Role.DPO, Role.ADMIN
OFFICERS: Final = frozenset({CSE, DPO, ADMIN})
ASKERS: Final = frozenset({Role.INTERNE, Role.CHERCHEUR, Role.DMG, Role.MEDECIN_REFERENT})
RECORDERS: Final = frozenset({Role.AQD, DPO})
RECONTACT: Final = frozenset({Role.AQD, DPO, CSE, Role.MEDECIN_DIM})
Opens = For | frozenset[Role]

WEB: Final[dict[tuple[str, str], Opens]] = {
    ("GET", "/health"): For.STRANGERS,
    ("GET", "/login"): For.STRANGERS,
    ("GET", "/oauth_callback"): For.STRANGERS,
    ("POST", "/logout"): For.STRANGERS,
    ("GET", "/language/{language}"): For.STRANGERS,
    ("GET", "/held/{number}"): For.PARTIES,  # what one wrote before the session ended: its writer alone
}
REGISTER: Final[dict[tuple[str, str], Opens]] = {
    ("GET", "/"): For.ALL,
    # asking for a project
    ("GET", "/demandes"): For.ALL,
    ("POST", "/demandes"): ASKERS,
    ("GET", "/demandes/{dossier_id}"): For.PARTIES,
    ("GET", "/demandes/{dossier_id}/formulaire"): For.PARTIES,
    ("POST", "/demandes/{dossier_id}/formulaire"): For.PARTIES,
    ("POST", "/demandes/{dossier_id}/retirer"): For.PARTIES,
    ("POST", "/demandes/{dossier_id}/reserves/{reserve}/reponse"): For.PARTIES,
    # the offices
    ("GET", "/instruction"): OFFICERS,
    ("GET", "/instruction/{dossier_id}"): For.PARTIES,
    ("POST", "/instruction/{dossier_id}/vote"): For.PARTIES,
    ("POST", "/instruction/{dossier_id}/conflit"): For.PARTIES,
    ("POST", "/instruction/{dossier_id}/clore"): For.PARTIES,
    ("POST", "/instruction/{dossier_id}/reserves/{reserve}/lever"): For.PARTIES,
    ("POST", "/instruction/{dossier_id}/avis"): For.PARTIES,
    ("POST", "/instruction/{dossier_id}/octroi"): For.PARTIES,
    # projects on record
    ("GET", "/projets"): For.ALL,
    ("POST", "/projets/revue/suspendre"): frozenset({ADMIN}),
    ("GET", "/projets/{slug}"): For.PARTIES,
    ("POST", "/projets/{slug}/membres"): For.PARTIES,
    ("POST", "/projets/{slug}/membres/retirer"): For.PARTIES,
    ("POST", "/projets/{slug}/revue"): For.PARTIES,
    ("POST", "/projets/{slug}/responsable"): For.PARTIES,
    ("POST", "/projets/{slug}/demandes"): For.PARTIES,
    ("POST", "/projets/{slug}/suspendre"): For.PARTIES,
    ("POST", "/projets/{slug}/reprendre"): For.PARTIES,
    ("POST", "/projets/{slug}/clore"): For.PARTIES,
    # people
    ("GET", "/personnes"): OFFICERS,
    ("POST", "/personnes/centres"): frozenset({CSE, ADMIN}),
    ("POST", "/personnes/centres/retirer"): frozenset({CSE, ADMIN}),
    ("POST", "/personnes/depart"): OFFICERS,
    ("POST", "/personnes/retour"): OFFICERS,
    ("GET", "/charte"): For.ALL,
    ("POST", "/charte"): For.ALL,
    ("GET", "/public"): For.STRANGERS,
    ("GET", "/export/registre.{kind}"): OFFICERS,
}
DESK: Final[dict[tuple[str, str], Opens]] = {
    ("GET", "/journal"): frozenset({DPO}),
    ("GET", "/journal/personnes"): frozenset({DPO}),
    ("POST", "/journal/verification"): frozenset({DPO}),
    ("POST", "/journal/export"): frozenset({DPO}),
    ("GET", "/droits"): frozenset({DPO}),
    ("POST", "/droits"): frozenset({DPO}),
    ("POST", "/droits/export"): frozenset({DPO}),
    ("POST", "/droits/{number}"): frozenset({DPO}),
    ("GET", "/participation"): RECORDERS,
    ("POST", "/participation/oppositions"): RECORDERS,
    ("POST", "/participation/retraits"): RECORDERS,
    ("POST", "/participation/entrees"): RECORDERS,
    ("POST", "/participation/logiciels"): RECORDERS,
    ("GET", "/participation/recepisses/{receipt}"): RECORDERS,
    ("GET", "/participation/recepisses/{receipt}/espaces"): frozenset({DPO}),
    ("POST", "/participation/recepisses/{receipt}/effacements"): frozenset({DPO}),
    ("POST", "/participation/recepisses/{receipt}/effacements/{project}/{holder}"): frozenset({DPO}),
    ("POST", "/participation/recepisses/{receipt}/levee"): frozenset({DPO}),
    ("GET", "/effacements"): For.ALL,
    ("POST", "/effacements/{receipt}/{project}"): For.PARTIES,
    ("GET", "/recontact"): RECONTACT,
    ("GET", "/recontact/outil"): RECONTACT,
    ("GET", "/recontact/{recontact}"): RECONTACT,
    ("POST", "/recontact/{recontact}"): RECONTACT,
    ("POST", "/recontact/{recontact}/cabinets/{key}"): frozenset({Role.AQD}),
    ("POST", "/recontact/cles"): frozenset({Role.AQD}),
    ("POST", "/recontact/cles/{key}/confirmation"): RECORDERS,
    ("POST", "/recontact/cles/{key}/fin"): RECORDERS,
    ("GET", "/entrees"): For.ALL,
    ("GET", "/entrees/{project}"): For.PARTIES,
    ("POST", "/entrees/{project}/fichiers"): For.PARTIES,
    ("GET", "/entrees/regards/{number}"): For.PARTIES,
    ("POST", "/entrees/regards/{number}"): For.PARTIES,
}
SITES: Final = {"airlock": WEB, "register": WEB | REGISTER | DESK}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world") / "home")
    yield made
    made.close()


def opens(address: Address) -> Opens:
    if address.site == "airlock" and address.key in RULES:
        return For.ALL if RULES[address.key] is Door.OWN else For.PARTIES
    return SITES[address.site][address.key]


def test_every_address_is_declared_and_every_declaration_is_an_address(world: World) -> None:
    found = {(each.site, each.key) for each in world.addresses()}
    airlock = {("airlock", key) for key in (*RULES, *WEB)}
    assert found == airlock | {("register", key) for key in SITES["register"]}


def test_behind_every_address_that_is_not_for_strangers_stands_the_log_in(world: World) -> None:
    for site, app in world.apps.items():
        for route in routes_of(app.routes):
            for method in route.methods:
                calls = set(_calls(route.dependant))
                strangers = opens(Address(site, method, route.path)) is For.STRANGERS
                assert (visitor in calls) is not strangers, (site, method, route.path)
                assert not strangers or method == "GET" or route.path == "/logout" or maybe_visitor in calls


def _calls(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def test_who_has_no_role_is_refused_and_changes_nothing(world: World) -> None:
    world.at("register", "personne").get("/")  # the register notes who came
    before = world.fingerprint()
    for address in world.addresses():
        who = opens(address)
        if who not in (For.STRANGERS, For.ALL):
            visit, path = world.at(address.site, "personne"), world.filled(address)
            answer = visit.post(path, _plausible(address)) if address.method == "POST" else visit.get(path)
            assert answer.status_code in {403, 404} | _read_first(address), (address, answer.status_code)
    assert world.fingerprint() == before


def _read_first(address: Address) -> set[int]:
    """The register and the desk read a form before they look for what it is about: what is missing in it is
    said to whoever sent it, and nothing of what there is."""
    return {422} if address.site == "register" and address.method == "POST" else set()


def _plausible(address: Address) -> dict[str, str]:
    """What would be taken of somebody who may."""
    said = {"verdict": "approve", "ballot": "for", "reason": "Parce que.", "text": "Quoi ?", "version": "1"}
    return said | {"username": "rachid", "reviewer": "rachid", "etape": "take", "droit": "access"}


def test_a_page_of_a_role_opens_to_that_role_alone(world: World) -> None:
    """Each role by itself, at each page that is for roles."""
    for address in world.addresses():
        who = opens(address)
        if isinstance(who, frozenset) and address.method == "GET" and "{" not in world.filled(address):
            for role in Role:
                visit = visiting(world.apps[address.site], f"seul-{role.value}", role)
                status = visit.get(world.filled(address)).status_code
                told = (address, role, status)
                if "{receipt}" in address.path:
                    assert status == (404 if role in who else 403), told
                else:
                    assert status == (200 if role in who else 403), told


# --- every change is on the log ----------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(Settings(home=tmp_path / "home"))
    yield opened
    opened.close()


def careless(store: Store) -> FastAPI:
    """A site with a form that changes the database and tells nobody."""
    router = APIRouter()

    @router.post("/projets")
    def begin() -> Response:
        with store.change() as session:
            session.execute(text("CREATE TABLE careless (x INTEGER)"))
        return Response(status_code=303)

    @router.post("/rien")
    def nothing() -> Response:
        return Response(status_code=303)

    settings = Settings(home=store.audit.directory.parent)
    site = Site(name="register", title="x", settings=settings, templates=Path(__file__).parent)
    return create_site(site, routers=[router])


def test_a_change_without_an_event_is_found(store: Store) -> None:
    visit = visiting(careless(store), "ines", Role.INTERNE)
    assert visit.post("/rien").status_code == 303
    with pytest.raises(Unaudited):
        visit.post("/projets")

"""Somebody who means to bring patients' identifiers into a workspace, to join them with its rows.

A list of them called a code list, one in place of a table that was looked at, one beyond the edge of what the
looker's page shows, one with a report's run: each attack comes through with its defence out, and not with it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI

from hub_config import desk
from hub_config.desk.entries import checks, pages
from hub_config.desk.entries.checks import Checked
from hub_config.governance import actions as governance
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.rights import entries
from hub_config.governance.rights.facts import EntryKind
from hub_config.governance.roles import Role
from hub_config.governance.runs import Run
from hub_config.governance.store import Store, open_store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from hub_config.spawner import runs
from hub_config.spawner.furnishing import Place, furnish
from hub_config.spawner.order import Order
from hub_config.web.site import Site, create_site
from tests.pages import Visit, visiting

PEOPLE = "".join(f"P{number:07d}-1,2019-04-0{number % 9 + 1}\n" for number in range(300))
LIST = f"code,vu_le\n{PEOPLE}"
TABLE = "region,effectif\nNormandie,39\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def app(settings: Settings, tmp_path: Path) -> FastAPI:
    store = open_store(settings)
    for slug in ("these-ines", "autre"):
        _open_project(store, slug)
    site = Site(
        name="register",
        title="Registre",
        settings=settings,
        templates=tmp_path,
        menu=desk.MENU,
        uploads=desk.UPLOADS,
        guests=(desk.GUEST,),
    )
    return create_site(site, routers=desk.routers(), state=desk.state(settings, store))


def _open_project(store: Store, slug: str) -> None:
    grant = Grant(access=AccessLevel.AGGREGATE, tables={"patients": None}, legal_basis="MR-004")
    members = {"ines": MemberRole.INTERNE}
    charter = Charter(slug=slug, title="T", purpose="p", snapshot=1, grant=grant, members=members)
    with store.change() as session:
        audit = store.recorder("admin")
        governance.create_project(session, charter, terms=Terms(SnapshotTerms(1, True)), audit=audit)
        governance.approve(session, slug, audit=audit)


def send(app: FastAPI, kind: EntryKind, name: str, text: str) -> int:
    answer = visiting(app, "ines", Role.INTERNE).post(
        "/entrees/these-ines/fichiers",
        {"type": kind.value, "usage": "Comparer."},
        files={"fichier": (name, text.encode())},
    )
    return answer.status_code


def accept(app: FastAPI) -> str:
    """What the looker's first page showed before they accepted."""
    diane: Visit = visiting(app, "diane", Role.MEDECIN_DIM)
    number = re.findall(r"(?<![\w-])E-[2-9a-z]{10}(?![\w-])", diane.get("/entrees").text)[0]
    shown = diane.get(f"/entrees/regards/{number}").text
    assert diane.post(f"/entrees/regards/{number}", {"avis": "accept"}).status_code == 303
    return shown


def lying(settings: Settings, project: str = "these-ines") -> dict[str, str]:
    folder = entries.Shelf(settings.home).folder(project)
    return {path.name: path.read_text() for path in folder.iterdir()}


def unwatched(kind: EntryKind, name: str, content: bytes) -> Checked:
    """The defence out: only what is called a table is looked at."""
    return replace(checks.check(kind, name, content), look=kind is EntryKind.TABLE)


def test_patients_called_codes_come_in_unseen_without_the_look(
    app: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "check", unwatched)
    assert send(app, EntryKind.CODE_LIST, "codes.csv", LIST) == 303
    assert lying(settings) == {"codes.csv": LIST}


def test_patients_called_codes_wait_for_somebody(app: FastAPI, settings: Settings) -> None:
    assert send(app, EntryKind.CODE_LIST, "codes.csv", LIST) == 303
    assert lying(settings) == {}
    patients = ", ".join(f'"P{number:07d}"' for number in range(300))
    told = "".join(f'{field} = "1"\n' for field in ("version", "label_fr", "source", "author"))
    toml = f'id = "liste"\n{told}[codes]\ncim10 = [{patients}]\n'
    assert send(app, EntryKind.CODE_LIST, "liste.toml", toml) == 303, "written as a system writes its codes"
    assert lying(settings) == {}


@pytest.mark.parametrize("defended", [False, True])
def test_what_was_looked_at_is_not_replaced_unseen(
    app: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    send(app, EntryKind.TABLE, "regions.csv", TABLE)
    accept(app)
    monkeypatch.setattr(pages, "check", unwatched)
    if not defended:
        monkeypatch.setattr(entries, "_was_looked_at", lambda *_: False)
    assert send(app, EntryKind.CODE_LIST, "regions.csv", LIST) == 303
    assert lying(settings) == {"regions.csv": TABLE if defended else LIST}


@pytest.mark.parametrize("defended", [False, True])
@pytest.mark.parametrize(
    "table",
    ["\n" * 300 + "region,cle\nNormandie,caché\n", f"region{' ' * 300},cle\nNormandie,caché\n"],
    ids=["below", "beside"],
)
def test_nothing_lies_beyond_the_edge_of_the_page(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, table: str, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(pages, "_rows", lambda text: [line[:80] for line in text.splitlines()])
    assert send(app, EntryKind.TABLE, "regions.csv", table) == 303
    assert ("cle" in accept(app).partition("<pre>")[2]) is defended


def test_what_came_into_one_project_is_in_no_other_and_in_no_run(app: FastAPI, settings: Settings) -> None:
    send(app, EntryKind.SCRIPT, "analyse.py", "x = 1\n")
    assert lying(settings) == {"analyse.py": "x = 1\n"} and lying(settings, "autre") == {}
    home = settings.home
    environment = Path(__file__).parents[2] / ".venv" / "workspace"
    place = Place("ines", home, gateway=home, hub=home, entries=home / "entrees" / "these-ines")
    box = furnish(place, environment, home, {})
    assert place.entries in {mount.source for mount in box.mounts}, "a workspace has it"
    order = Order("l", box, ("x",), "python", "p", "", {}, None, home, "", 1, 1)
    ordered = runs.as_run(order, place, environment, Run("r1", "t", b"{}", {}, "fr", 10), "token")
    assert place.entries not in {mount.source for mount in ordered.box.mounts}

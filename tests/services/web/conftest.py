"""A small site with one page, one form, one upload and one failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.roles import Role
from hub_config.settings import Settings
from hub_config.web.answers import Told, see_other
from hub_config.web.forms import Form
from hub_config.web.house import MenuItem
from hub_config.web.login import MaybeVisitor, Visitor
from hub_config.web.pace import Rates
from hub_config.web.pages import page
from hub_config.web.site import Site, create_site

PAGE = """{% extends "layout.html" %}{% block main %}<h1>{{ _("Mes projets") }}</h1>
<p>{{ said }}</p><form method="post" action="/notes">{{ csrf_field() }}</form>{% endblock %}"""
SECRET = "patient-4711"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def build(tmp_path: Path, settings: Settings, clock: Clock) -> Any:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "note.html").write_text(PAGE)

    def built(name: str = "airlock", rates: Rates | None = None, **changes: Any) -> FastAPI:
        site = Site(
            name=name,
            title="Sas de sortie",
            settings=settings.model_copy(update=changes),
            templates=tmp_path / "templates",
            menu=(
                MenuItem("/", "Mes demandes de sortie"),
                MenuItem("/queue", "Relire les demandes", frozenset({Role.MEDECIN_DIM})),
            ),
            uploads=("/requests/{id}/files",),
            rates=rates or Rates(),
        )
        return create_site(site, routers=[router()], state={"notes": []}, clock=clock)

    return built


@pytest.fixture
def app(build: Any) -> FastAPI:
    return build()


def router() -> APIRouter:
    routes = APIRouter()

    @routes.get("/")
    async def home(request: Request, person: Visitor) -> Response:
        return page(request, "note.html", person, said=" ".join(request.app.state.notes))

    @routes.get("/public")
    async def public(request: Request, person: MaybeVisitor) -> Response:
        return page(request, "note.html", person, said="")

    @routes.post("/notes")
    async def note(request: Request, person: Visitor, form: Form) -> Response:
        request.app.state.notes.append(form.get("note"))
        return see_other(request, "/", told="Noté : %(note)s", note=form.get("note"))

    @routes.post("/requests/{id}/files")
    async def upload(request: Request, person: Visitor, form: Form, id: str) -> Response:
        request.app.state.notes.append(str(len(await form["file"].read())))
        return see_other(request, "/")

    @routes.get("/numbers/{number}")
    async def number(person: Visitor, number: int) -> dict[str, int]:
        return {"number": number}

    @routes.get("/refused")
    async def refused(person: Visitor) -> None:
        raise Told(409, "Trop tard.")

    @routes.get("/failing")
    async def failing(person: Visitor) -> None:
        raise RuntimeError(SECRET)

    return routes

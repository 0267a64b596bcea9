"""A request on record: that it was, how it went, who decided; no file. For whoever was part of it, and for
the DPO, who can recall what left.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.airlock.actions import releasing
from hub_config.airlock.pages.asking import Allowed
from hub_config.airlock.pages.ballots import field
from hub_config.airlock.pages.mine import kept
from hub_config.airlock.rules.permission import Act
from hub_config.web.answers import see_other
from hub_config.web.forms import Form
from hub_config.web.pages import page
from hub_config.web.texts import N_

router = APIRouter(include_in_schema=False)


@router.get("/dossiers/{id}")
def record(request: Request, asked: Allowed) -> Response:
    view = asked.desk.on_record(asked.person, asked.case)
    return page(request, "record.html", asked.person, r=view, may=view.may, Act=Act)


@router.get("/dossiers/{id}/fiche-de-controle")
def full(id: str, asked: Allowed) -> Response:
    """The disclosure record as it is kept, with who reviewed: for the DPO."""
    return kept(f"{id}-fiche-de-controle-nominative.json", asked.desk.record(id).encode())


@router.post("/dossiers/{id}/rappel")
def recall(request: Request, id: str, asked: Allowed, form: Form) -> Response:
    desk = asked.desk
    desk.change(
        asked.person,
        lambda do: releasing.recall(
            do.session, asked.person, id, field(form, "reason"),
            settings=desk.settings, at=do.at, audit=do.audit,
        ),
    )  # fmt: skip
    return see_other(request, f"/dossiers/{id}", N_("La sortie est rappelée : le demandeur est prévenu."))

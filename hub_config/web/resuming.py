"""The page that gives back what its writer wrote, after they logged in again. Anybody else finds none."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.web.answers import Told, local_path
from hub_config.web.house import house_of
from hub_config.web.login import Visitor
from hub_config.web.pages import page
from hub_config.web.texts import N_

GONE: Final = N_(
    "Il n'y a plus de texte à vous rendre ici : il est gardé une demi-heure, et seulement pour qui l'a écrit."
)

router = APIRouter(include_in_schema=False)


@router.get("/held/{number}")
async def give_back(request: Request, person: Visitor, number: str) -> Response:
    house = house_of(request)
    held = house.held.of(number, person.username, house.marks)
    if held is None:
        raise Told(404, GONE)
    return page(
        request,
        "held.html",
        person,
        held=held,
        sent_to=local_path(quote(held.path)),
        written_at=local_path(held.page),
    )

"""The page that gives back what its writer wrote, after they logged in again. Anybody else finds none.

Everything that would be sent stands there in words, the choices, too; they are the words of the page it was
written on, which is asked for once more in the name of whoever asks, and only read.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import httpx
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.web.answers import Told, local_path
from hub_config.web.held import GIVEN_BACK
from hub_config.web.house import house_of
from hub_config.web.login import Visitor
from hub_config.web.pages import page
from hub_config.web.recalled import Kind, rows
from hub_config.web.texts import N_

GONE: Final = N_(
    "Il n'y a plus de texte à vous rendre ici : il est gardé une demi-heure, et seulement pour qui l'a écrit."
)

router = APIRouter(include_in_schema=False)


@router.get(GIVEN_BACK + "{number}")
async def give_back(request: Request, person: Visitor, number: str) -> Response:
    house = house_of(request)
    held = house.held.of(number, person.username, house.marks)
    if held is None:
        raise Told(404, GONE)
    written_at = local_path(held.page)
    recalled = rows(held.fields, await _as_seen(request, written_at) if held.page else "", held.path)
    return page(
        request,
        "held.html",
        person,
        held=held,
        written=[each for each in recalled if each.kind is Kind.WRITTEN],
        chosen=[each for each in recalled if each.kind is not Kind.WRITTEN],
        is_known=any(each.label or each.words for each in recalled),
        sent_to=local_path(quote(held.path)),
        written_at=written_at,
    )


async def _as_seen(request: Request, path: str) -> str:
    """The page as this person sees it now; "" where they see none."""
    if path.startswith(GIVEN_BACK):
        return ""
    address = request.client.host if request.client else ""
    within = httpx.ASGITransport(request.app, client=(address, 0))
    origin = house_of(request).origin
    async with httpx.AsyncClient(transport=within, base_url=origin, cookies=request.cookies) as own:
        try:
            answer = await own.get(path)
        except httpx.InvalidURL:  # a browser says where it was; anybody may say anything
            return ""
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return answer.text if is_page and answer.status_code == httpx.codes.OK else ""

"""Logging in by the hub (OAuth 2, authorisation code with PKCE), and who visits a page.

A log-in is good once, in the browser that began it, and leads to a page of this site only. The hub's token
stays in this process. At every request the hub is asked whose it is: who was put out is out at once, and
where the hub is silent nobody gets in.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub_config.governance.roles import Person
from hub_config.web.answers import Told, local_path
from hub_config.web.ended import ended
from hub_config.web.house import CALLBACK, House, house_of
from hub_config.web.hub import HubSilent
from hub_config.web.pages import page
from hub_config.web.texts import LANGUAGE_COOKIE, N_, Language

ARRIVAL_SECONDS: Final = 600
YEAR: Final = 365 * 24 * 3600
SILENT: Final = N_(
    "Le portail ne répond pas : personne ne peut être reconnu. Réessayez dans une minute ; sinon, prévenez "
    "l'administrateur de la plateforme."
)
NOT_BEGUN_HERE: Final = N_(
    "Cette connexion n'a pas été commencée dans ce navigateur, ou elle a trop attendu. Recommencez."
)
REFUSED: Final = N_("Le portail n'a pas confirmé votre connexion. Revenez au portail et recommencez.")
_log = logging.getLogger(__name__)


class Stranger(Exception):
    """Nobody is logged in where somebody must be."""


async def maybe_visitor(request: Request) -> Person | None:
    house, session = house_of(request), request.state.session
    if session is None:
        return None
    person = await _asked(house, session.token)
    if person is None:
        house.sessions.end(request.state.handle)
        request.state.session = None
        return None
    request.state.person = person
    house.pace.note_person(person.username, form=request.method != "GET")
    return person


async def visitor(person: Annotated[Person | None, Depends(maybe_visitor)]) -> Person:
    if person is None:
        raise Stranger
    return person


Visitor = Annotated[Person, Depends(visitor)]
"""Who asks; a stranger is sent to the hub's log-in and back."""
MaybeVisitor = Annotated[Person | None, Depends(maybe_visitor)]
"""Who asks, if anybody is logged in."""

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def log_in(request: Request, next: str = "/") -> Response:
    return to_the_hub(request, local_path(next))


@router.get(CALLBACK)
async def come_back(request: Request, state: str = "", code: str = "") -> Response:
    """From the hub, with a code. A session of before ends; the new one has a handle of its own. The arrival's
    cookie stays its few minutes: another tab may be on its way."""
    house = house_of(request)
    house.pace.note_login(_address(request))
    arrival = house.arrivals.take(state, request.cookies.get(house.arrival_cookie))
    if arrival is None:
        raise Told(403, NOT_BEGUN_HERE)
    token, person = await _confirmed(house, code, arrival.verifier)
    handle = house.begin_session(token, person.username)
    house.sessions.end(request.state.handle)
    answer = RedirectResponse(arrival.next, status_code=303)
    answer.set_cookie(house.session_cookie, handle, **house.cookie_options)
    return answer


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """The session here ends; the page leads on to the hub's own end, which takes back the token."""
    house = house_of(request)
    house.sessions.end(request.state.handle)
    request.state.session = None
    answer = page(request, "logout.html", None)
    answer.delete_cookie(house.session_cookie, **house.cookie_options)
    return answer


@router.get("/language/{language}")
async def choose_language(request: Request, language: Language, next: str = "/") -> Response:
    house = house_of(request)
    answer = RedirectResponse(local_path(next), status_code=303)
    answer.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR, **house.cookie_options)
    return answer


@router.get("/health")
async def health(request: Request) -> dict[str, str]:
    return {"status": "ok", "service": house_of(request).name}


def send_strangers_to_the_hub(app: FastAPI) -> None:
    @app.exception_handler(Stranger)
    async def stranger(request: Request, error: Stranger) -> Response:
        if request.method != "GET":
            raise ended(request, request.state.form)
        query = f"?{request.url.query}" if request.url.query else ""
        return to_the_hub(request, local_path(request.url.path + query))


def to_the_hub(request: Request, wanted: str) -> Response:
    """Begin a log-in in this browser; `wanted` is where it ends."""
    house = house_of(request)
    house.pace.note_login(_address(request))
    browser = request.cookies.get(house.arrival_cookie) or secrets.token_urlsafe(32)
    state, arrival = house.arrivals.begin(browser, wanted)
    answer = RedirectResponse(_authorise_url(house, state, arrival.verifier), status_code=303)
    answer.set_cookie(house.arrival_cookie, browser, max_age=ARRIVAL_SECONDS, **house.cookie_options)
    return answer


def _authorise_url(house: House, state: str, verifier: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": f"service-{house.name}",
        "redirect_uri": house.origin + CALLBACK,
        "response_type": "code",
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{house.settings.hub_url}/hub/api/oauth2/authorize?{urlencode(query)}"


async def _confirmed(house: House, code: str, verifier: str) -> tuple[str, Person]:
    """The token for `code`, and whose it is: somebody who may be here. Raises Told."""
    try:
        token = await house.hub.exchange(code, verifier) if code else None
    except HubSilent:
        raise Told(503, SILENT) from None
    person = await _asked(house, token) if token is not None else None
    if token is None or person is None:
        _log.warning("a log-in was not confirmed by the hub")
        raise Told(403, REFUSED)
    return token, person


async def _asked(house: House, token: str) -> Person | None:
    try:
        return await house.hub.person_of(token)
    except HubSilent:
        raise Told(503, SILENT) from None


def _address(request: Request) -> str:
    return request.client.host if request.client else ""

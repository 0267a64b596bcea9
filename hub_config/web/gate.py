"""The gate in front of every handler of a site. In this order: the host is ours, the address is not flooding,
what changes something comes from our own pages, is bounded, and carries the token of a session we know.

Whatever is raised behind it becomes a page: a refusal in words, or a number to give to the administrator.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import FormData, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub_config.web.answers import Told
from hub_config.web.ended import sent_by_a_stranger
from hub_config.web.errors import failed, told_page
from hub_config.web.forms import (
    NOT_FROM_HERE,
    SMALL,
    UPLOAD,
    bounded_body,
    is_of_session,
    parsed,
    replayed,
)
from hub_config.web.headers import HEADERS
from hub_config.web.house import House
from hub_config.web.texts import N_

READING: Final = frozenset({"GET", "HEAD"})
OTHER_HOST: Final = N_("Cette adresse n'est pas celle de la plateforme.")
_log = logging.getLogger(__name__)


class Gate:
    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app, self._house = app, house
        self._origin = house.origin
        self._host = urlsplit(house.origin).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(Request(scope, receive), receive, _Guarded(send))

    async def _answer(self, request: Request, receive: Receive, send: _Guarded) -> None:
        request.state.session, request.state.person, request.state.form = None, None, FormData()
        try:
            await self._pass(request, receive, send)
        except Told as told:
            await told_page(request, told)(request.scope, receive, send)
        except Exception as error:
            number = secrets.token_hex(4)
            _log.error("failure %s: %s", number, _where(error))
            if not send.started:
                await failed(request, number)(request.scope, receive, send)

    async def _pass(self, request: Request, receive: Receive, send: Send) -> None:
        if request.headers.getlist("host") != [self._host]:
            raise Told(421, OTHER_HOST)
        house = self._house
        house.pace.note_address(request.client.host if request.client else "")
        request.state.handle = request.cookies.get(house.session_cookie)
        request.state.session = house.sessions.find(request.state.handle)
        if request.method not in READING:
            receive = await self._checked(request, receive)
        try:
            await self._app(request.scope, receive, send)
        finally:
            await request.state.form.close()

    async def _checked(self, request: Request, receive: Receive) -> Receive:
        """The body again, once it is known to come from a page of this session."""
        if not _is_from(request, self._origin):
            raise Told(403, NOT_FROM_HERE)
        if request.state.session is None:
            raise await sent_by_a_stranger(request)
        is_upload = any(pattern.fullmatch(request.url.path) for pattern in self._house.uploads)
        body = await bounded_body(request, UPLOAD if is_upload else SMALL)
        request.state.form = await parsed(request, body)
        if not is_of_session(request, request.state.form, request.state.session):
            raise Told(403, NOT_FROM_HERE)
        return replayed(body, receive)


class _Guarded:
    """Adds what every answer tells the browser."""

    def __init__(self, send: Send) -> None:
        self._send, self.started = send, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _is_from(request: Request, origin: str) -> bool:
    """Browsers say where a form comes from; what says nothing still needs the session's token."""
    said, site = request.headers.getlist("origin"), request.headers.getlist("sec-fetch-site")
    return all(each == origin for each in said) and all(each == "same-origin" for each in site)


def _where(error: BaseException) -> str:
    """The kind of failure and the lines of code, without its message, which may hold what a person wrote."""
    frames: Iterable[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)[-6:]
    lines = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(list(frames)))
    return f"{type(error).__name__} at {lines}"

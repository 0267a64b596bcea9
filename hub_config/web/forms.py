"""Forms: bounded, parsed once, and sent from a page of this very session before a handler sees them.

The synchroniser token comes as the field `csrf_token`, or for scripts as the header `X-CSRF-Token`.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated, Final

from fastapi import Depends
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from hub_config.web.answers import Told
from hub_config.web.sessions import Session
from hub_config.web.texts import N_

FIELD: Final = "csrf_token"
HEADER: Final = "x-csrf-token"
SMALL: Final = 256 * 1024
UPLOAD: Final = 16 * 1024 * 1024
_OVERHEAD: Final = 64 * 1024  # the boundaries and the other fields of a form with a file
_SECONDS: Final = 120.0
_FIELDS: Final = 1000
_FILES: Final = 20
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")

TOO_LARGE: Final = N_(
    "L'envoi est trop volumineux : %(most)s Mo au plus. Réduisez le fichier, puis recommencez."
)
NOT_UNDERSTOOD: Final = N_("Le formulaire n'a pas été compris. Revenez à la page précédente et recommencez.")
NOT_FROM_HERE: Final = N_(
    "Ce formulaire ne vient pas d'une page ouverte dans votre session. Rouvrez la page, puis recommencez."
)


async def bounded_body(request: Request, most: int) -> bytes:
    """The body, read whole. Raises Told (413, 408) for one that is too large or too slow."""
    too_large = Told(413, TOO_LARGE, most=f"{most / 1024 / 1024:.0f}" if most >= UPLOAD else "0,25")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > most + _OVERHEAD:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most + _OVERHEAD:
                    raise too_large
    except (TimeoutError, ClientDisconnect):
        raise Told(408, NOT_UNDERSTOOD) from None
    return bytes(body)


async def parsed(request: Request, body: bytes) -> FormData:
    """The form in `body`; an empty one where it is of another kind. Raises Told (400)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _FORMS:
        return FormData()
    try:
        again = Request(request.scope, replayed(body, request.receive))
        return await again.form(max_files=_FILES, max_fields=_FIELDS, max_part_size=SMALL)
    except (HTTPException, ValueError, KeyError):
        raise Told(400, NOT_UNDERSTOOD) from None


def replayed(body: bytes, receive: Receive) -> Receive:
    """Give `body` once more, then whatever comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


def is_of_session(request: Request, form: FormData, session: Session) -> bool:
    """Whether what was sent carries the session's own token."""
    sent = request.headers.get(HEADER) or form.get(FIELD)
    return isinstance(sent, str) and secrets.compare_digest(
        sent.encode("utf-8", "replace"), session.csrf.encode()
    )


def _form(request: Request) -> FormData:
    form: FormData = request.state.form
    return form


Form = Annotated[FormData, Depends(_form)]
"""The form that was sent: `form.get("title")`, `form.getlist("files")`; files are starlette's UploadFile."""

"""What a handler answers besides a page: a refusal in words, the way on after a form, a file to keep."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub_config.web.sessions import Message


class Told(Exception):
    """A refusal in words that are meant for the person: the error page shows them. `text` is French, from the
    catalogue; `blanks` fill `%(name)s`. Never a value of a file, never a secret."""

    def __init__(self, status: int, text: str, **blanks: object) -> None:
        super().__init__(text)
        self.status, self.text, self.blanks = status, text, blanks


class SessionEnded(Told):
    """Nobody is logged in any more where a form was sent. `held`: the number under which what was written
    waits for its writer; None where it could not be held."""

    def __init__(self, text: str, held: str | None, **blanks: object) -> None:
        super().__init__(403, text, **blanks)
        self.held = held


def see_other(request: Request, path: str, told: str | None = None, **blanks: object) -> RedirectResponse:
    """Lead on to `path`, a page of this site, after a form; `told` is said there once."""
    if told is not None and request.state.session is not None:
        request.state.session.messages.append(Message(told, dict(blanks)))
    return RedirectResponse(local_path(path), status_code=303)


def download(name: str, content: bytes, media_type: str = "application/octet-stream") -> Response:
    """A file to keep, which no browser shows: whatever it holds, it does not run in our origin."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type=media_type, headers=headers)


def local_path(wanted: str) -> str:
    """`wanted` if it is a page of this site, else its first page: never another site."""
    if not wanted.startswith("/") or wanted.startswith("//") or not wanted.isprintable() or "\\" in wanted:
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc or "//" in parts.path else wanted

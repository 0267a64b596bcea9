"""A person at the pages of a site, without a browser and without a hub.

    client = visiting(app, "diane", Role.MEDECIN_DIM)
    client.get("/queue")
    client.post("/requests/d-7k3m9q/votes", {"verdict": "approve"})     # the session's token goes along

`app` is what `create_site` made. Several people may visit one app. `stranger(app)` is nobody yet.
Redirections are not followed; `client.follow(answer)` goes where an answer leads. A form that was taken
and changed the database without an event on the audit log fails the test that sent it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from fastapi import FastAPI

from hub_config.governance.roles import Person, Role
from hub_config.settings import Settings
from hub_config.web.forms import FIELD
from hub_config.web.house import House
from hub_config.web.hub import HubSilent


class HubDouble:
    """Knows people by the tokens that tests gave them; `silent` answers nobody."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.grants: dict[str, tuple[str, str]] = {}
        self.silent = False

    async def exchange(self, code: str, verifier: str) -> str | None:
        if self.silent:
            raise HubSilent
        token, challenge = self.grants.pop(code, ("", ""))
        proved = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return token if token and proved == challenge else None

    async def person_of(self, token: str) -> Person | None:
        if self.silent:
            raise HubSilent
        return self.people.get(token)

    def approve(self, authorise_url: str, token: str) -> str:
        """What the hub answers to a browser that comes with this address: where it sends it, with a code."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(authorise_url).query).items()}
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.grants)}-{token}"
        self.grants[code] = (token, asked["code_challenge"])
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"


class Visit(httpx.Client):
    """A browser at one site. `csrf` is the token of its session's forms, empty for a stranger."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.house: House = app.state.house
        super().__init__(transport=_InProcess(app), base_url=self.house.origin)

    @property
    def csrf(self) -> str:
        session = self.house.sessions.find(self.cookies.get(self.house.session_cookie))
        return session.csrf if session else ""

    def post(self, url: Any, data: Any = None, *, token: str | None = None, **more: Any) -> httpx.Response:
        """As a form of a page of this session sends it; `token` instead of the session's own."""
        fields = {**(data or {}), FIELD: self.csrf if token is None else token}
        with watched(self.house.settings) as unheard_of:
            answer = super().post(url, data=fields, **more)
            if answer.status_code < 400 and unheard_of():
                raise Unaudited(f"POST {url}")
        return answer

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """Where a redirection leads, here."""
        assert answer.next_request is not None, (answer.status_code, answer.text)
        return self.send(answer.next_request)


class Unaudited(AssertionError):
    """The database changed, and the audit log says nothing of it."""


@contextmanager
def watched(settings: Settings) -> Iterator[Callable[[], bool]]:
    """Tells whether this enclave's SQLite file has changed since, and its audit log has not."""
    file = settings.home / "governance.db"
    if settings.database_url is not None or not file.exists():
        yield lambda: False
        return
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as watch:
        before, written = _version(watch), _log_of(settings)
        yield lambda: _version(watch) != before and _log_of(settings) == written


def _version(watch: sqlite3.Connection) -> int:
    """Another one after each change by another connection."""
    version: int = watch.execute("PRAGMA data_version").fetchone()[0]
    return version


def _log_of(settings: Settings) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in settings.audit_dir.glob("*.jsonl")}


def visiting(app: FastAPI, username: str, *roles: Role, full_name: str = "") -> Visit:
    """`username` logged in, with these roles, as the hub tells them at every request."""
    visit = stranger(app)
    token = known(app, username, *roles, full_name=full_name)
    visit.cookies.set(visit.house.session_cookie, visit.house.begin_session(token, username))
    return visit


def known(app: FastAPI, username: str, *roles: Role, full_name: str = "") -> str:
    """The token of a person whom the hub knows from now on."""
    people = hub_of(app).people
    token = f"token-of-{username}-{len(people)}"
    people[token] = Person(username, full_name or username.capitalize(), frozenset(roles))
    return token


def stranger(app: FastAPI) -> Visit:
    hub_of(app)
    return Visit(app)


def hub_of(app: FastAPI) -> HubDouble:
    """The double this app asks; put in place at the first call."""
    house: House = app.state.house
    if not isinstance(house.hub, HubDouble):
        house.hub = HubDouble()
    return house.hub


def put_out(app: FastAPI, username: str) -> None:
    """The hub knows this person no more."""
    people = hub_of(app).people
    for token in [token for token, person in people.items() if person.username == username]:
        del people[token]


class _InProcess(httpx.BaseTransport):
    """Each request in an event loop of its own, so that tests may be plain functions or not."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with ThreadPoolExecutor(1) as beside:
            return beside.submit(asyncio.run, self._send(request, request.read())).result()

    async def _send(self, request: httpx.Request, body: bytes) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        answer = await transport.handle_async_request(copy)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content, request=request)


__all__ = ["HubDouble", "Unaudited", "Visit", "hub_of", "put_out", "stranger", "visiting"]

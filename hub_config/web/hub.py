"""The hub as a site asks it: a code for a token, and whose the token is. At every request, with no cache: who
is put out is out at once.

What the hub does not answer, or not sensibly, lets nobody in.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, Protocol

import httpx

from hub_config.governance.roles import Person, Role

_SECONDS: Final = 10.0
_log = logging.getLogger(__name__)


class HubSilent(Exception):
    """The hub can't be asked now."""


class Hub(Protocol):
    async def exchange(self, code: str, verifier: str) -> str | None:
        """The token for a code; None: the hub takes no such code. Raises HubSilent."""

    async def person_of(self, token: str) -> Person | None:
        """Whose the token is; None: nobody's, or not any more. Raises HubSilent."""


class NoHub:
    """Where a site was given no hub: nobody gets in."""

    async def exchange(self, code: str, verifier: str) -> str | None:
        raise HubSilent

    async def person_of(self, token: str) -> Person | None:
        raise HubSilent


class HubClient:
    """`api_url`, `client_id` and `secret` are those the hub gives the service it starts."""

    def __init__(
        self,
        api_url: str,
        service: str,
        secret: str,
        redirect_uri: str,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._api = api_url.rstrip("/")
        self._visitor = f"{self._api.removesuffix('/api')}/p4dp/visitor/{service}"
        self._grant = {
            "client_id": f"service-{service}",
            "client_secret": secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
        }
        self._http = client or httpx.AsyncClient(timeout=_SECONDS, trust_env=False, follow_redirects=False)

    async def exchange(self, code: str, verifier: str) -> str | None:
        data = {**self._grant, "code": code, "code_verifier": verifier}
        answer = await self._ask("POST", f"{self._api}/oauth2/token", data=data)
        if answer.status_code in (400, 401, 403):
            return None
        return _text(_document(answer), "access_token")

    async def person_of(self, token: str) -> Person | None:
        if not token.isalnum() or not token.isascii():
            return None
        answer = await self._ask("GET", self._visitor, headers={"Authorization": f"token {token}"})
        if answer.status_code in (401, 403):
            return None
        return _person(_document(answer))

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            return await self._http.request(method, url, data=data, headers=headers)
        except httpx.HTTPError as error:
            _log.error("the hub can't be asked: %s", type(error).__name__)
            raise HubSilent from None


def _document(answer: httpx.Response) -> Mapping[str, object]:
    try:
        document = answer.json() if answer.status_code == httpx.codes.OK else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        _log.error("the hub's answer can't be used: status %s", answer.status_code)
        raise HubSilent
    return document


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        _log.error("the hub's answer lacks '%s'", name)
        raise HubSilent
    return value


def _person(document: Mapping[str, object]) -> Person | None:
    """A person without a role is nobody here."""
    groups = document.get("groups")
    known = {role.value for role in Role}
    roles = frozenset(Role(name) for name in groups if name in known) if isinstance(groups, list) else None
    if not roles:
        return None
    return Person(_text(document, "name"), _text(document, "full_name"), roles)

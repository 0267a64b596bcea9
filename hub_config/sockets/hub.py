"""Asks the hub whose token this is: at every request, with no cache, so a withdrawn token ends at once."""

from __future__ import annotations

import logging
from typing import Final

import httpx

from hub_config.sockets.identity import TokenOwner
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_LONGEST_TOKEN: Final = 512
_log = logging.getLogger(__name__)


class HubClient:
    """The hub's REST API at `api_url`, asked in the token's own name."""

    def __init__(self, api_url: str, client: httpx.AsyncClient | None = None) -> None:
        self._user_url = f"{api_url.rstrip('/')}/user"
        self._http = client or httpx.AsyncClient(timeout=5.0, trust_env=False, follow_redirects=False)

    async def owner_of(self, token: str) -> TokenOwner | None:
        if not _is_plausible(token):
            return None
        try:
            response = await self._http.get(self._user_url, headers={"Authorization": f"token {token}"})
        except httpx.HTTPError as error:
            _log.error("the hub can't be asked: %s", type(error).__name__)
            raise Refusal(ErrorCode.IDENTITY_UNAVAILABLE) from None
        if response.status_code in (401, 403):
            return None
        return _owner(response)

    async def close(self) -> None:
        await self._http.aclose()


def _is_plausible(token: str) -> bool:
    return 0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable() and " " not in token


def _owner(response: httpx.Response) -> TokenOwner:
    try:
        response.raise_for_status()
        model = response.json()
        return TokenOwner(
            name=str(model["name"]),
            is_person=model["kind"] == "user",
            scopes=frozenset(map(str, model["scopes"])),
        )
    except (httpx.HTTPStatusError, ValueError, KeyError, TypeError):
        _log.error("the hub's answer can't be used: status %s", response.status_code)
        raise Refusal(ErrorCode.IDENTITY_UNAVAILABLE) from None

"""HTTP to a service of the enclave, over its unix socket, with the token of this server.

Knows of no Ibis and no pandas. Keeps no idle connection, so a restart goes unnoticed; opens nothing until
asked, and retries nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import httpx

from p4dp_sdk.errors import NotInWorkspaceError

SOCKET_VARIABLE = "P4DP_GATEWAY_SOCKET"
TOKEN_VARIABLE = "P4DP_TOKEN"  # noqa: S105 - the variable's name, not a token

_CONNECT_SECONDS = 5.0


def socket_and_token(environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """The gateway's socket in this workspace, and the token. Raises NotInWorkspaceError elsewhere."""
    for variable in (SOCKET_VARIABLE, TOKEN_VARIABLE):
        if not environ.get(variable):
            raise NotInWorkspaceError(variable)
    return environ[SOCKET_VARIABLE], environ[TOKEN_VARIABLE]


class Door:
    """One workspace's connection to `service`; `unreachable` makes the error for when nobody answers."""

    def __init__(
        self, path: str, token: str, service: str, seconds: float, unreachable: Callable[[], Exception]
    ) -> None:
        self.socket = path
        self._unreachable = unreachable
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=path, limits=httpx.Limits(max_keepalive_connections=0)),
            base_url=f"http://{service}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
        )

    @contextmanager
    def open(self) -> Iterator[httpx.Client]:
        """Whoever listens. Raises `unreachable` if nobody does, or the connection breaks within the block."""
        self._knock()
        try:
            yield self._http
        except httpx.HTTPError:
            raise self._unreachable() from None

    def close(self) -> None:
        self._http.close()

    def _knock(self) -> None:
        """httpcore leaves a socket open when connecting fails; so knock first, and close the door."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_CONNECT_SECONDS)
            try:
                probe.connect(self.socket)
            except OSError:
                raise self._unreachable() from None

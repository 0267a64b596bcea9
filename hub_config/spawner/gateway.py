"""Tells the gateway and the airlock which workspaces run, over their control sockets.

A gateway that does not answer starts no workspace. An airlock that does not answer stops none: it reads the
bindings when it starts, and whoever asks for a release before that is told.
"""

from __future__ import annotations

from logging import Logger
from pathlib import Path

import httpx

from hub_config.settings import Settings

_SECONDS = 15.0
_AIRLOCK_SECONDS = 3.0  # nobody waits long for what may be down


class GatewaySilent(Exception):
    """The gateway is not there, or did not open the workspace's socket; the message is for the log."""


async def refresh_bindings(control_socket: Path, seconds: float = _SECONDS) -> dict[str, object]:
    """Ask a service to read the bindings again; it answers once their sockets are there.

    Raises GatewaySilent.
    """
    transport = httpx.AsyncHTTPTransport(uds=str(control_socket))
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service", timeout=seconds
        ) as client:
            response = await client.post("/v1/bindings/refresh")
            response.raise_for_status()
            answer: dict[str, object] = response.json()
    except (httpx.HTTPError, ValueError) as problem:
        raise GatewaySilent(f"{control_socket}: {type(problem).__name__}") from None
    return answer


async def tell_airlock(settings: Settings, log: Logger) -> None:
    """Ask the airlock to read the bindings again; an airlock that is not there is noted in `log` only."""
    try:
        await refresh_bindings(settings.airlock_control_socket, _AIRLOCK_SECONDS)
    except GatewaySilent as problem:
        log.warning("The airlock was not told of the workspaces: %s", problem)


async def open_workspace_socket(control_socket: Path, gateway_dir: Path) -> None:
    """Refresh the gateway, and see that this workspace's socket is there. Raises GatewaySilent."""
    answer = await refresh_bindings(control_socket)
    if not (gateway_dir / "gateway.sock").is_socket():
        refused = answer.get("refused")
        reason = refused.get(gateway_dir.name) if isinstance(refused, dict) else None
        raise GatewaySilent(f"no socket for binding {gateway_dir.name}: {reason or 'no reason given'}")

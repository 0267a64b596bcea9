"""Tells the gateway which workspaces run, over its control socket.

A gateway that does not answer starts no workspace.
"""

from __future__ import annotations

from pathlib import Path

import httpx

_SECONDS = 15.0


class GatewaySilent(Exception):
    """The gateway is not there, or did not open the workspace's socket; the message is for the log."""


async def refresh_bindings(control_socket: Path) -> dict[str, object]:
    """Ask the gateway to read the bindings again; it answers once their sockets are there.

    Raises GatewaySilent.
    """
    transport = httpx.AsyncHTTPTransport(uds=str(control_socket))
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://gateway", timeout=_SECONDS
        ) as client:
            response = await client.post("/v1/bindings/refresh")
            response.raise_for_status()
            answer: dict[str, object] = response.json()
    except (httpx.HTTPError, ValueError) as problem:
        raise GatewaySilent(f"{control_socket}: {type(problem).__name__}") from None
    return answer


async def open_workspace_socket(control_socket: Path, gateway_dir: Path) -> None:
    """Refresh, and see that this workspace's socket is there. Raises GatewaySilent."""
    answer = await refresh_bindings(control_socket)
    if not (gateway_dir / "gateway.sock").is_socket():
        refused = answer.get("refused")
        reason = refused.get(gateway_dir.name) if isinstance(refused, dict) else None
        raise GatewaySilent(f"no socket for binding {gateway_dir.name}: {reason or 'no reason given'}")

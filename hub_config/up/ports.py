"""The enclave's loopback ports: whether they are free, and what to say when they are not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

from hub_config.settings import Settings

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Port:
    number: int
    use: str


def ports(settings: Settings) -> tuple[Port, ...]:
    hub = (
        Port(settings.port, "address people open"),
        Port(settings.hub_api_port, "hub, behind the proxy"),
        Port(settings.proxy_api_port, "proxy's own interface"),
        Port(settings.airlock_port, "airlock, behind the proxy"),
        Port(settings.register_port, "register, behind the proxy"),
    )
    identity = (Port(settings.identity_port, "identity provider"),)
    return hub + identity if settings.identity.provider == "demo" else hub


def busy_message(settings: Settings) -> str | None:
    """None if every port is free, else which are not and what to do."""
    busy = list(_busy(settings))
    if not busy:
        return None
    names = ", ".join(f"{port.number} ({port.use})" for port in busy)
    other = settings.port + 1000 if settings.port < 60000 else 8000
    return (
        f"In use by another program on {LOOPBACK}: port {names}. Stop that program, "
        f"or start the enclave elsewhere (it takes six ports in a row): P4DP_PORT={other} make up"
    )


def _busy(settings: Settings) -> Iterator[Port]:
    for port in ports(settings):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port.number))
            except OSError:
                yield port

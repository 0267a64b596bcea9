"""The programs of an enclave: the laptop's identity provider where it is used, then the hub, which starts
the rest.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from hub_config.hub.policy import sites
from hub_config.identity import provider
from hub_config.settings import Settings
from hub_config.up.house import CHECKOUT, logs_dir
from hub_config.up.ports import LOOPBACK
from hub_config.up.supervisor import Program

DROPPED = ("JUPYTERHUB_CRYPT_KEY", "CONFIGPROXY_AUTH_TOKEN", "PYTHONPATH")


def programs(settings: Settings) -> list[Program]:
    return (
        [identity_program(settings), hub_program(settings)] if _is_demo(settings) else [hub_program(settings)]
    )


def identity_program(settings: Settings) -> Program:
    return Program(
        name="identity provider",
        command=provider.command(settings, CHECKOUT),
        environment=provider.environment(settings),
        directory=provider.directory(settings),
        log=logs_dir(settings) / "identity.log",
        ready=answers(settings.identity_port, settings.issuer, "/.well-known/openid-configuration"),
        stop_seconds=8.0,
    )


def hub_program(settings: Settings) -> Program:
    """The hub gets the settings' source, not their values; it reads them itself. Ready means that a workspace
    can be started: the gateway and the sites, which the hub starts, answer too."""
    configuration = CHECKOUT / "hub_config" / "jupyterhub_config.py"
    environment = {name: value for name, value in os.environ.items() if name not in DROPPED}
    everything = [
        answers(settings.port, settings.hub_url, "/hub/health"),
        lambda: gateway_answers(settings.gateway_control_socket),
        *(answers(settings.port, settings.service_url(name), "/health") for name in sites(CHECKOUT)),
    ]
    return Program(
        name="hub",
        command=[sys.executable, "-m", "jupyterhub", "-f", str(configuration)],
        environment={**environment, "P4DP_HOME": str(settings.home), "P4DP_PORT": str(settings.port)},
        directory=CHECKOUT,
        log=logs_dir(settings) / "hub.log",
        ready=lambda: all(each() for each in everything),
        start_seconds=120.0,
        stop_seconds=40.0,
    )


def answers(port: int, url: str, path: str) -> Callable[[], bool]:
    """Whether the service of `url` answers 200 at `path`; its name need not resolve here."""
    host = urlsplit(url).netloc

    return lambda: _is_ok(http.client.HTTPConnection(LOOPBACK, port, timeout=5), path, host)


def gateway_answers(control: Path) -> bool:
    """Whether the gateway answers on its control socket."""
    return _is_ok(_UnixConnection(control), "/v1/health", "gateway")


def _is_ok(connection: http.client.HTTPConnection, path: str, host: str) -> bool:
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _is_demo(settings: Settings) -> bool:
    return settings.identity.provider == "demo"

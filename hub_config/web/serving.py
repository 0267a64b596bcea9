"""`serve(create_app, port)`: the main loop of a service with pages, started by the hub.

Listens on the loopback, where the proxy finds it. SIGTERM ends it. A service that can't start says why and
exits with status 1; it writes no line a request, so no address with a code is kept anywhere.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import uvicorn
from fastapi import FastAPI

from hub_config.governance.problems import StoreProblem
from hub_config.keys import UnsafeKey, ensure_key
from hub_config.settings import BadSettings, Settings, load_settings
from hub_config.web.held import Marks
from hub_config.web.house import CALLBACK, House
from hub_config.web.hub import HubClient

LOOPBACK: Final = "127.0.0.1"
_CONNECTIONS: Final = 256
_LONGEST_LINE: Final = 16 * 1024
_END_SECONDS: Final = 5


class StartError(Exception):
    """The message says what is missing and what to do."""


def serve(
    create_app: Callable[[Settings], FastAPI],
    port: Callable[[Settings], int],
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Serve the site that `create_app` makes until told to stop; the exit code.

    `create_app` may raise StartError, and what the store, the settings and the keys raise.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write a line a request
    os.umask(0o077)
    try:
        settings = load_settings(environ)
        app = create_app(settings)
        house: House = app.state.house
        house.hub = _hub(house, environ)
        house.marks = Marks(bytes.fromhex(ensure_key(settings.keys_dir, f"{house.name}-forms")))
        with suppress(KeyboardInterrupt):  # how the hub asks it to end
            uvicorn.Server(_configuration(app, port(settings))).run()
    except (BadSettings, StoreProblem, UnsafeKey, StartError, OSError) as problem:
        print(f"The service can't start: {problem}", file=sys.stderr)
        return 1
    return 0


def _hub(house: House, environ: Mapping[str, str]) -> HubClient:
    try:
        api_url, secret = environ["JUPYTERHUB_API_URL"], environ["JUPYTERHUB_API_TOKEN"]
    except KeyError as missing:
        raise StartError(
            f"{missing.args[0]} is not set. The hub starts this service; start the enclave with `make up`."
        ) from None
    return HubClient(api_url, house.name, secret, house.origin + CALLBACK)


def _configuration(app: FastAPI, port: int) -> uvicorn.Config:
    """The proxy is the only one that reaches the loopback; it says for whom it asks."""
    return uvicorn.Config(
        app,
        host=LOOPBACK,
        port=port,
        proxy_headers=True,
        forwarded_allow_ips=LOOPBACK,
        server_header=False,
        access_log=False,
        log_config=None,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_LONGEST_LINE,
        timeout_graceful_shutdown=_END_SECONDS,
        ws="none",
    )

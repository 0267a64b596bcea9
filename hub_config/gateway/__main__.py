"""`python -m hub_config.gateway`: the service, started by the hub with its own API address in the
environment.

Starts with the bindings on record, so a restart loses no workspace. SIGTERM ends it: sockets are closed
and removed, running queries are stopped. A gateway that can't start says why and exits with status 1.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from hub_config.codelists.in_force import site_catalogue
from hub_config.codelists.problems import CodeListProblem
from hub_config.gateway.actions import Gateway
from hub_config.gateway.app import create_app
from hub_config.gateway.assembly import protection
from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.gateway.engines.opening import opener
from hub_config.gateway.evidence.warming import warm
from hub_config.gateway.governance import StoredGovernance
from hub_config.gateway.pace import Pace
from hub_config.gateway.pseudonym_search import pseudonym_search
from hub_config.gateway.pseudonyms import KEY_FILE
from hub_config.gateway.recognising import Recogniser
from hub_config.gateway.recontact.stored import StoredRecontacts
from hub_config.gateway.slots import Slots
from hub_config.governance.budgets import Budgets
from hub_config.governance.problems import StoreProblem
from hub_config.governance.store import open_store
from hub_config.keys import UnsafeKey, ensure_key
from hub_config.settings import BadSettings, Settings, load_settings
from hub_config.sockets.control import create_control_app
from hub_config.sockets.hub import HubClient
from hub_config.sockets.listeners import Listener, Listeners
from hub_config.sockets.process import StartError, alone, hub_api, own
from hub_config.warehouse.problems import WarehouseProblem
from p4dp_sdk.wire.protocol import Limits

_QUERIES: Final = 8  # at once, of everybody
_QUERIES_EACH: Final = 2  # at once, of one workspace


@dataclass(frozen=True)
class Service:
    gateway: Gateway
    hub: HubClient
    listeners: Listeners
    recogniser: Recogniser
    settings: Settings

    async def run(self) -> None:
        """Serve until told to stop."""
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        self.listeners.clean()
        await self.listeners.refresh()
        control = await Listener.open(
            self.settings.gateway_control_socket,
            0o600,
            create_control_app(self.listeners, "gateway", pseudonym_search(self.recogniser)),
        )
        logging.getLogger(__name__).info("gateway ready: %d workspaces", len(self.listeners.listening))
        await stopping.wait()
        await control.close()
        await self.listeners.close()
        await self.hub.close()


def main(environ: Mapping[str, str] = os.environ) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s gateway %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write a line a request
    try:
        with service(load_settings(environ), environ) as running:
            asyncio.run(running.run())
    except (
        BadSettings,
        StoreProblem,
        CodeListProblem,
        UnsafeKey,
        StartError,
        WarehouseProblem,
        OSError,
    ) as problem:
        print(f"The gateway can't start: {problem}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def service(settings: Settings, environ: Mapping[str, str]) -> Iterator[Service]:
    """Everything the gateway stands on, opened; closed at the end."""
    with ExitStack() as stack:
        own(settings.runtime_dir)
        stack.enter_context(alone(settings.runtime_dir, "gateway"))
        gateway, hub = _gateway(settings, environ, stack)
        listeners = Listeners(create_app(gateway), settings.bindings_dir, settings.sockets_dir)
        settings.bindings_dir.mkdir(exist_ok=True, mode=0o700)
        settings.sockets_dir.mkdir(exist_ok=True, mode=0o711)
        recogniser = Recogniser(gateway.engines, settings.warehouse_dir, gateway.master_key)
        yield Service(gateway, hub, listeners, recogniser, settings)


def _gateway(settings: Settings, environ: Mapping[str, str], stack: ExitStack) -> tuple[Gateway, HubClient]:
    hub = HubClient(hub_api(environ))
    store = open_store(settings)
    stack.callback(store.close)
    limits = Limits(**settings.limits.model_dump())
    catalogue = site_catalogue(settings.codes_dir)
    engines = Engines(EngineLimits(limits.memory_bytes), partial(warm, catalogue=catalogue), opener(settings))
    stack.callback(engines.close)
    master_key = bytes.fromhex(ensure_key(settings.keys_dir, KEY_FILE))
    protected = protection(settings, store, master_key, stack)
    gateway = Gateway(
        hub=hub,
        governance=StoredGovernance(store),
        budgets=Budgets(store, settings.noise.total_epsilon, settings.noise.question_epsilon),
        audit=store.audit,
        catalogue=catalogue,
        engines=engines,
        warehouse_dir=settings.warehouse_dir,
        policy=settings.policy,
        limits=limits,
        master_key=master_key,
        workers=stack.enter_context(ThreadPoolExecutor(_QUERIES, "query")),
        office=stack.enter_context(ThreadPoolExecutor(8, "office")),
        slots=Slots(_QUERIES, _QUERIES_EACH),
        pace=Pace(),
        today=lambda: datetime.now(UTC).date(),
        guard=protected.guard,
        press=protected.press,
        recontacts=StoredRecontacts(store),
    )
    return gateway, hub


if __name__ == "__main__":
    sys.exit(main())

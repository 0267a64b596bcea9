"""The proxy in front of hub and workspaces: traefik, supervised, and never orphaned.

Routes live in a file that the hub writes; what a crash left of it is removed at start. Should traefik die it
is started again; should the hub die, the kernel ends traefik.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from jupyterhub_traefik_proxy.fileprovider import TraefikFileProviderProxy  # type: ignore[import-untyped]
from tornado.ioloop import PeriodicCallback
from traitlets import Integer, List

KEPT = ("PATH", "LANG", "HOME", "TMPDIR")


class SupervisedTraefik(TraefikFileProviderProxy):  # type: ignore[misc]  # untyped upstream
    command = List(config=True, help="Traefik's command, without its configuration file.")
    watch_milliseconds = Integer(2000, config=True, help="How often it is looked at.")

    def __init__(self, **kwargs: Any) -> None:
        self._watch: PeriodicCallback | None = None
        super().__init__(**kwargs)

    async def start(self) -> None:
        Path(self.dynamic_config_file).unlink(missing_ok=True)
        await super().start()
        self._watch = PeriodicCallback(self._restart_if_dead, self.watch_milliseconds)
        self._watch.start()

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        await super().stop()

    async def delete_user(self, user: Any, server_name: str = "") -> None:
        """The route of a workspace, on its own origin; JupyterHub looks on one for all of a person's."""
        await self.delete_route(user.spawners[server_name].proxy_spec)

    def _start_traefik(self) -> None:
        """The kernel sends SIGTERM when the hub is gone; traefik gets none of the hub's environment."""
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        configuration = ["--configfile", str(Path(self.static_config_file).absolute())]
        guarded = ["setpriv", "--pdeathsig", "TERM", *self.command, *configuration]
        self.traefik_process = subprocess.Popen(guarded, env=environment)

    def _restart_if_dead(self) -> None:
        status = self.traefik_process.poll()
        if status is not None:
            self.log.error("The proxy ended (status %s); starting it again", status)
            self._start_traefik()

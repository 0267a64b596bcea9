"""The box of a workspace: which folders of the host, which variables. Looks at the host's files; starts
nothing.

In it: the workspace's interpreter at its own path (an environment's scripts carry that path), the system's
programs and libraries, the server's configuration, the templates, the shared code lists, the site's tables
of codes and the files that came into the project, all read-only; the home of this user in
this project, writable; the folders of the hub's relay and of its own gateway socket. Not in it: the checkout,
the enclave's state, /etc, /run, /sys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub_config.boxes.box import Box, Mount
from hub_config.boxes.interpreter import interpreter_mounts, system_mounts

SERVER_CONFIG = Path(__file__).parent / "server_config"
SERVER_CONFIG_INSIDE = "/opt/p4dp/server"
TEMPLATES_INSIDE = "/opt/p4dp/templates"
CODELISTS_INSIDE = "/opt/p4dp/codelists"
CODES_INSIDE = "/opt/p4dp/codes"
ENTRIES_INSIDE = "/opt/p4dp/entrees"
GATEWAY_INSIDE = "/run/p4dp/gateway"
HUB_INSIDE = "/run/p4dp/hub"
HUB_URL_INSIDE = "http+unix://%2Frun%2Fp4dp%2Fhub%2Fhub.sock"
SERVER_PORT = 8888

_SYSTEM_SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/alternatives")


@dataclass(frozen=True)
class Place:
    """The folders of one workspace on the host, and whose it is."""

    user: str
    home: Path
    gateway: Path  # holds gateway.sock, once the gateway knows of the workspace
    hub: Path  # holds hub.sock, once the launcher runs
    codelists: Path | None = None  # lists that all projects share
    codes: Path | None = None  # tables of codes that operators loaded
    entries: Path | None = None  # files that came in by the inbound airlock

    @property
    def home_inside(self) -> str:
        return f"/home/{self.user}"


def furnish(place: Place, environment: Path, templates: Path, variables: Mapping[str, str]) -> Box:
    """The box of the workspace at `place`, whose interpreter is that of the virtual `environment`.

    Raises NoEnvironment when it has none.
    """
    mounts = [*shared_mounts(place, environment), Mount(place.hub, HUB_INSIDE)]
    if templates.is_dir():
        mounts.append(Mount(templates, TEMPLATES_INSIDE))
    if place.entries is not None and place.entries.is_dir():
        mounts.append(Mount(place.entries, ENTRIES_INSIDE))
    return Box(mounts=tuple(mounts), home=place.home_inside, environment=variables)


def shared_mounts(place: Place, environment: Path) -> Iterator[Mount]:
    """What every box has. Raises NoEnvironment."""
    yield from system_mounts()
    yield from (Mount(Path(path), path) for path in _SYSTEM_SETTINGS if Path(path).exists())
    yield from (Mount(path, f"/etc/{path.name}") for path in sorted((SERVER_CONFIG / "etc").iterdir()))
    yield from interpreter_mounts(environment)
    yield Mount(SERVER_CONFIG, SERVER_CONFIG_INSIDE)
    yield Mount(place.gateway, GATEWAY_INSIDE)
    yield Mount(place.home, place.home_inside, writable=True)
    for folder, inside in ((place.codelists, CODELISTS_INSIDE), (place.codes, CODES_INSIDE)):
        if folder is not None and folder.is_dir():
            yield Mount(folder, inside)

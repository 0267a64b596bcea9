"""The box of a run of a report: as a workspace's, with less in it.

No way in for a browser, none out to the hub: the gateway's socket is all there is. The home is new for each
run, in the folder of the project's service, so that no run finds what an earlier one left. No variable holds
a token: it comes by the first program's stdin, and goes to the kernel alone.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from hub_config.boxes.box import Box, Mount
from hub_config.governance.runs import Run
from hub_config.spawner.furnishing import (
    CODELISTS_INSIDE,
    CODES_INSIDE,
    GATEWAY_INSIDE,
    Place,
    shared_mounts,
)
from hub_config.spawner.homes import prepare_home
from hub_config.spawner.order import Order

RUNNER: Final = Path(__file__).parents[1] / "reports" / "inside"
RUNNER_INSIDE: Final = "/opt/p4dp/report"
TOKEN_GRACE: Final = 120
"""Seconds that a run's token outlives its time limit, should nothing be left to revoke it."""


_PRIVATE: Final = {
    "JUPYTER_RUNTIME_DIR": "jupyter",
    "JUPYTER_CONFIG_DIR": "jupyter-config",
    "JUPYTER_DATA_DIR": "jupyter-data",
    "IPYTHONDIR": "ipython",
    "MPLCONFIGDIR": "matplotlib",
}


def prepare_run_home(homes: Path, project: str, user: str, uid: int | None, run: Run) -> Path:
    """A new folder of mode 0700 that belongs to `uid`; what earlier runs left is removed.

    Raises OSError.
    """
    service = prepare_home(homes, project, user, None)
    for left in service.iterdir():
        shutil.rmtree(left, ignore_errors=True)
    home = service / run.id
    home.mkdir(mode=0o700)
    if uid is not None:
        os.chown(home, uid, uid)
    return home


def as_run(order: Order, place: Place, environment: Path, run: Run, token: str) -> Order:
    """What a workspace at this place would be ordered as, turned into the run.

    Raises NoEnvironment.
    """
    mounts = (*shared_mounts(place, environment), Mount(RUNNER, RUNNER_INSIDE))
    return replace(
        order,
        box=Box(mounts=mounts, home=place.home_inside, environment=_variables(place, environment, run)),
        command=(order.python, "-I", f"{RUNNER_INSIDE}/run_report.py"),
        templates="",
        hub="",
        shut=True,
        told=run.told(token),
        silent=bool(run.registration),
    )


def token_seconds(run: Run | None) -> int | None:
    """How long a token lives by itself: a workspace's until it is revoked."""
    return None if run is None else run.seconds + TOKEN_GRACE


def _variables(place: Place, environment: Path, run: Run) -> dict[str, str]:
    return {
        "HOME": place.home_inside,
        "USER": place.user,
        "LOGNAME": place.user,
        "PATH": f"{environment}/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONNOUSERSITE": "1",
        "P4DP_LANG": run.language,
        "P4DP_GATEWAY_SOCKET": f"{GATEWAY_INSIDE}/gateway.sock",
        "P4DP_CODELISTS": CODELISTS_INSIDE,
        "P4DP_CODES": CODES_INSIDE,
        **{name: f"/tmp/{folder}" for name, folder in _PRIVATE.items()},  # noqa: S108 - the box's own
    }

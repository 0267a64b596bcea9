"""The same without root: one user for the enclave and all its workspaces, the sandbox alone between them."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.services.spawner.conftest import SmallHub, descendants, gone, launchers, until

pytestmark = pytest.mark.enclave

INES = ("ines", "these-ines")


def test_a_workspace_starts_works_and_falls_with_the_hub(small_hub_without_root: SmallHub) -> None:
    hub = small_hub_without_root
    assert hub.start_server(*INES).is_success, hub.log[-3000:]
    code = "import json, os; print(json.dumps([os.getuid(), os.getcwd(), os.listdir()]))"
    uid, folder, files = json.loads(hub.run(*INES, code))
    assert (uid, folder) == (1000, "/home/ines")
    assert "prise-en-main.ipynb" in files
    home = hub.settings.homes_dir / "these-ines" / "ines"
    assert hub.hub is not None
    assert home.stat().st_uid == (os.geteuid() if hub.as_root else 65534)
    (launcher,) = launchers(hub)
    everyone = [launcher, *descendants(launcher)]
    os.kill(hub.hub.pid, signal.SIGKILL)
    hub.hub.wait()
    until(lambda: gone(everyone))

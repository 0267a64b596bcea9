"""Shared lists and tables in a workspace: it reads them whoever it runs as, and changes none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_config.boxes.box import Box
from hub_config.boxes.entrance import enter
from hub_config.codelists.keeping import shared_folder
from hub_config.spawner.furnishing import CODELISTS_INSIDE, CODES_INSIDE, Place, furnish

WORKSPACE = 79_997
LOOK = """
import os, pathlib
for variable in ("P4DP_CODELISTS", "P4DP_CODES"):
    for path in sorted(pathlib.Path(os.environ[variable]).rglob("*.*")):
        print(path, path.read_text().strip())
        try:
            path.write_text("mine")
        except OSError:
            pass
"""


@pytest.fixture
def place() -> Iterator[Place]:
    """Under a closed home, as `codelist add` and `codes load` keep them."""
    directory = Path(tempfile.mkdtemp(prefix="p4s-"))
    home = directory / "enclave"
    lists, codes = shared_folder(home, "codelists", "pieds"), shared_folder(home, "codes")
    for path in (lists / "1.toml", codes / "atc.csv"):
        path.write_text(path.name)
        path.chmod(0o644)
    for name in ("home", "gateway", "hub"):
        (directory / name).mkdir()
        (directory / name).chmod(0o755)
    directory.chmod(0o755)
    yield Place(
        "ines",
        directory / "home",
        directory / "gateway",
        directory / "hub",
        codelists=home / "codelists",
        codes=home / "codes",
    )
    shutil.rmtree(directory)


def inside(box: Box) -> str:
    uid = WORKSPACE if os.geteuid() == 0 else None
    entrance = enter(box, (sys.executable, "-I", "-c", LOOK), uid=uid)
    try:
        done = subprocess.run(
            entrance.command,
            pass_fds=entrance.keep_open,
            preexec_fn=entrance.before_exec,
            env=entrance.environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
    finally:
        entrance.close()
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_workspace_reads_shared_lists_and_changes_none(place: Place) -> None:
    variables = {"PATH": "/usr/bin", "P4DP_CODELISTS": CODELISTS_INSIDE, "P4DP_CODES": CODES_INSIDE}
    box = furnish(place, Path(sys.prefix), place.home / "no-templates", variables)
    wanted = f"{CODELISTS_INSIDE}/pieds/1.toml 1.toml\n{CODES_INSIDE}/atc.csv atc.csv\n"
    assert inside(box) == wanted
    assert inside(box) == wanted, "nothing was written"


def test_where_nothing_is_shared_nothing_is_mounted(place: Place, tmp_path: Path) -> None:
    bare = Place(place.user, place.home, place.gateway, place.hub, codelists=tmp_path / "none")
    targets = [mount.target for mount in furnish(bare, Path(sys.prefix), tmp_path / "none", {}).mounts]
    assert CODELISTS_INSIDE not in targets
    assert CODES_INSIDE not in targets

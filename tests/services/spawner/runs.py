"""Reports as an operator runs them on a small hub: the command, and what can be seen of a
run from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from hub_config.governance.audit import read_records
from hub_config.governance.report_runs.facts import RunFacts
from hub_config.governance.report_runs.reading import runs_of
from hub_config.governance.store import open_store
from tests.services.spawner.conftest import CELL, CHECKOUT, SmallHub, until

PROJECT = "these-ines"
SERVICE = "svc-these-ines"
COMMAND = """
import sys
from pathlib import Path
from hub_config.cli import main
from hub_config.governance.report_runs import approved
approved.FOLDER = Path(sys.argv.pop(1))
main()
"""
PARAMETERS = 'année: int = 2022  # Année du rapport\nsexe: str = "tous"  # Sexe. choix : tous | F | M'


def template(hub: SmallHub, name: str, *cells: str) -> None:
    """A notebook with a heading before each code cell, the parameters first."""
    tagged = CELL | {"id": "p", "source": PARAMETERS, "metadata": {"tags": ["parameters"]}}
    parts = [{"cell_type": "markdown", "id": "t", "metadata": {}, "source": "# Essai"}, tagged]
    for number, cell in enumerate(cells, 1):
        heading = {
            "cell_type": "markdown",
            "id": f"h{number}",
            "metadata": {},
            "source": f"## Étape {number}",
        }
        parts += [heading, CELL | {"id": f"c{number}", "source": cell}]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = {"cells": parts, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (hub.directory / "templates" / f"{name}.ipynb").write_text(json.dumps(notebook))


def command(hub: SmallHub, *arguments: str, language: str = "fr_FR.UTF-8") -> subprocess.Popen[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("P4DP_")}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(hub.directory / "templates"), "report", *arguments],
        cwd=CHECKOUT,
        env=own
        | {
            "P4DP_HOME": str(hub.directory / "state"),
            "P4DP_RUNTIME_DIR": str(hub.directory),
            "P4DP_PORT": str(hub.ports[1] - 2),
            "LANG": language,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_interruptible,
    )


def _interruptible() -> None:
    """Also below a shell that ignores interruptions in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(hub: SmallHub, name: str, *arguments: str, **options: str) -> tuple[int, str]:
    """Exit code, and all that was said."""
    process = command(hub, "run", name, "--project", PROJECT, *arguments, **options)
    said = process.communicate(timeout=100)
    return process.returncode, "".join(said)


def status_of(hub: SmallHub, token: str) -> int:
    url = f"http://127.0.0.1:{hub.ports[1]}/hub/api/user"
    return httpx.get(url, headers={"Authorization": f"token {token}"}, timeout=60).status_code


def kernels_with_tokens(hub: SmallHub) -> dict[int, str]:
    """Every process of this machine that has a gateway token in its environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            command_line = (folder / "cmdline").read_bytes().decode()
        except OSError:
            continue
        mine = f"HOME=/home/{SERVICE}".encode() in variables
        token = next((v[11:].decode() for v in variables if v.startswith(b"P4DP_TOKEN=")), None)
        if mine and token:
            assert "ipykernel" in command_line, "the kernel alone has it"
            found[int(folder.name)] = token
    return found


def token_of_run(hub: SmallHub) -> str:
    (token,) = set(until(lambda: kernels_with_tokens(hub)).values())
    return token


def homes(hub: SmallHub) -> list[Path]:
    return list((hub.directory / "state" / "homes" / PROJECT / SERVICE).glob("*"))


def on_record(hub: SmallHub) -> RunFacts:
    """The last run that ended well."""
    store = open_store(hub.settings)
    try:
        with store.session() as session:
            return runs_of(session, [PROJECT], 1)[0]
    finally:
        store.close()


def events(hub: SmallHub, what: str) -> list:
    settings = hub.settings
    return [each for each in read_records(settings.audit_dir, settings.keys_dir) if each.what == what]

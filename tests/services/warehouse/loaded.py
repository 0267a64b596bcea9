"""An enclave's home as an operator makes it: an export is loaded by the command, and an engine is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from hub_config.warehouse.samples import cabineo
from hub_config.warehouse.samples.population import LAST, people

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Home:
    """`environ` is what the operator's shell adds: passwords."""

    path: Path

    def command(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """`p4dp-enclave …` in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "hub_config.cli", *words],
            cwd=ROOT,
            env={**os.environ, "P4DP_HOME": str(self.path), "LANG": "C.UTF-8", "COLUMNS": "200", **environ},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def engine(self, name: str, address: str) -> None:
        text = f'[warehouse]\nengine = "{name}"\naddress = "{address}"\n'
        (self.path / "enclave.toml").write_text(text, encoding="utf-8")

    def password(self, name: str, secret: str) -> None:
        path = self.path / "keys" / name
        path.touch(mode=0o600)
        path.write_text(secret, encoding="utf-8")

    @property
    def rows(self) -> dict[str, int]:
        """What the manifest of snapshot 1 says."""
        found: Any = json.loads((self.path / "warehouse" / "1" / "manifest.json").read_text())["rows"]
        return {name: int(count) for name, count in found.items()}


def loaded(directory: Path) -> Home:
    """Two dozen invented people, as public: nobody is real, and the test need not be root."""
    cabineo.write(directory / "export", people(24), exported_on=LAST)
    shipped = (files("hub_config.warehouse.mappings") / "cabineo.toml").read_text("utf-8")
    mapping = directory / "cabineo.toml"
    mapping.write_text(shipped.replace("[source]\n", "[source]\npublic = true\n", 1), encoding="utf-8")
    home = Home(directory / "home")
    home.path.mkdir(mode=0o700)
    done = home.command("warehouse", "load", "--mapping", str(mapping), str(directory / "export"))
    assert done.returncode == 0, done.stdout + done.stderr
    return home

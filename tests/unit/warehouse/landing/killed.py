"""Runs loads that kill themselves (SIGKILL) at a named moment: `python killed.py PLAN`, a JSON file.

One process imports everything, then forks one child a load: no child inherits a DuckDB that was ever started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import hub_config.warehouse.landing.apply as applying
import hub_config.warehouse.loader.load as loading
import hub_config.warehouse.loader.staging as staging
import hub_config.warehouse.loader.validation  # noqa: F401
from hub_config.warehouse.loader.mapping import read_mapping


def main(plan: Path) -> None:
    for each in json.loads(plan.read_text(encoding="utf-8")):
        child = os.fork()
        if child == 0:
            _load(each)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(json.dumps([each["moment"], os.WTERMSIG(status) if os.WIFSIGNALED(status) else None]))


def _load(each: dict[str, Any]) -> None:
    staging.BATCH = 4  # several batches of a tiny file
    home, step = Path(each["home"]), each["moment"]
    if step == "in the transaction":
        applying._Application._journal = lambda *_: _die()  # type: ignore[method-assign]
    left = each["after"]

    def report(told: str, share: float | None = None, rows: int | None = None) -> None:
        nonlocal left
        if told == step:
            left -= 1
            if left < 0:
                _die()

    mapping = read_mapping(home / "vendor.toml")
    places = loading.Places(Path(each["files"]), home / "warehouse", home / "keys")
    loading.load("vendor.toml", mapping, places, own_uids=True, report=report)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

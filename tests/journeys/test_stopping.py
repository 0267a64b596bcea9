"""Ctrl-C, and the morning after."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from .browser import chromium, log_in, open_workspace
from .conftest import Enclave, Up, free_port, processes_of

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(900)]


def ready(up: Up) -> Enclave:
    address = up.wait_for(r"(http://\S+:\d+)\S*").group(1)
    up.wait_for(r"Ctrl-C stops\s+everything")
    passwords = dict(re.findall(r"^\s+(ines)\s+(\w\S+-\S+)", up.printed, flags=re.M))
    return Enclave(address, passwords, Path(up.environ["P4DP_HOME"]), up.environ)


def notebooks(home: Path) -> set[Path]:
    return {path.relative_to(home) for path in home.glob("homes/**/*.ipynb")}


def test_ctrl_c_leaves_nothing_and_a_second_start_keeps_everything(tmp_path: Path) -> None:
    """The operator presses Ctrl-C while Inès works: no process of the enclave is left. Started again, it
    has the same snapshot, the same accounts and her files, and makes no second warehouse.
    """
    home, port = tmp_path / "home", free_port()
    first = Up(home, port)
    try:
        enclave = ready(first)
        password = enclave.passwords["ines"]
        with chromium() as page:
            page.goto(enclave.address)
            log_in(page, "ines", password, enclave.code("ines"))
            open_workspace(page, "these-ines")
    finally:
        first.stop()
    assert "is stopped" in first.printed
    end = time.monotonic() + 60
    while processes_of(home) and time.monotonic() < end:
        time.sleep(0.2)
    assert processes_of(home) == []
    kept = notebooks(home)
    assert kept

    second = Up(home, port)
    try:
        enclave = ready(second)
        assert password not in second.printed
        assert [path.name for path in sorted((home / "warehouse").glob("[0-9]*"))] == ["1"]
        with chromium() as page:
            page.goto(enclave.address)
            log_in(page, "ines", password, enclave.code("ines"))
            open_workspace(page, "these-ines")
        assert kept <= notebooks(home)
        assert "Intact" in enclave.command("audit", "verify")
    finally:
        second.stop()
    assert processes_of(home) == []

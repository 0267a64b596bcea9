"""What `up` checks before it starts anything: its home, its lock, its ports."""

from __future__ import annotations

import fcntl
import io
import os
import socket
import stat
import subprocess
import sys
import threading
from datetime import date

import pytest
from click.testing import CliRunner
from rich.console import Console

from hub_config.settings import Settings
from hub_config.up import commands, house, ports
from hub_config.up.commands import up
from hub_config.up.report import part_of, print_status
from hub_config.warehouse.snapshot import build_snapshot, unusable_snapshots

HOLD = """
import sys
from pathlib import Path
from hub_config.settings import Settings
from hub_config.up import house
with house.held(Settings(home=Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", port=_free_port())


@pytest.fixture
def other_up(settings):
    """Another process that runs this home."""
    house.make_home(settings)
    command = [sys.executable, "-c", HOLD, str(settings.home)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=house.CHECKOUT, text=True
    ) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_home_is_closed_to_others(settings):
    house.make_home(settings)
    for place in (settings.home, settings.keys_dir, house.logs_dir(settings)):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_a_home_left_open_is_closed(settings):
    settings.home.mkdir(mode=0o755)
    house.make_home(settings)
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(house.CannotStart, match="P4DP_HOME"):
        house.make_home(Settings(home=tmp_path / "file" / "home"))


def test_one_at_a_time(settings, other_up):
    with (
        pytest.raises(house.CannotStart, match=rf"already running \(process {other_up.pid}\)"),
        house.held(settings),
    ):
        pass
    found = house.holder(settings)
    assert found is not None and found.pid == other_up.pid


def test_whoever_asks_who_runs_it_is_not_taken_for_another_enclave(settings):
    house.make_home(settings)
    asking = os.open(settings.home / house.LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(asking, fcntl.LOCK_SH)
    threading.Timer(0.3, os.close, (asking,)).start()
    with house.held(settings):
        pass


def test_a_lock_dies_with_its_holder(settings, other_up):
    other_up.kill()
    other_up.wait()
    assert house.holder(settings) is None
    with house.held(settings):
        assert house.holder(settings) is not None
    assert house.holder(settings) is None


def test_a_second_up_says_so(settings, other_up, monkeypatch):
    monkeypatch.setenv("P4DP_HOME", str(settings.home))
    monkeypatch.setenv("P4DP_PORT", str(settings.port))
    answer = CliRunner().invoke(up, ["--preset", "none"])
    assert answer.exit_code == 1
    assert "already running" in answer.output and "Ctrl-C" in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize("offset", [0, 1, 2, 3, 4, 5])
def test_a_busy_port_is_named_with_what_to_do(settings, offset, monkeypatch):
    monkeypatch.setenv("P4DP_HOME", str(settings.home))
    monkeypatch.setenv("P4DP_PORT", str(settings.port))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.port + offset))
        taken.listen()
        answer = CliRunner().invoke(up, ["--preset", "none"])
    assert answer.exit_code == 1
    assert str(settings.port + offset) in answer.output and "P4DP_PORT=" in answer.output
    assert not (settings.home / "identity").exists(), "nothing is prepared for an enclave that can't start"


def test_free_ports_are_free(settings):
    assert ports.busy_message(settings) is None


def test_bad_settings_are_explained(settings, monkeypatch):
    settings.home.mkdir()
    (settings.home / "enclave.toml").write_text("colour = 1\n")
    monkeypatch.setenv("P4DP_HOME", str(settings.home))
    answer = CliRunner().invoke(up, [])
    assert answer.exit_code == 1 and "colour" in answer.output and "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("python -m jupyterhub -f x/jupyterhub_config.py", "hub"),
        ("python -m hub_config.gateway", "gateway"),
        ("traefik --configfile x", "proxy"),
        ("python -m hypercorn x/enclave_provider.py:create_app()", "identity provider"),
        ("sleep 3", "other"),
    ],
)
def test_parts_are_told_by_their_command(command, part):
    assert part_of(command.split()) == part


def _free_port() -> int:
    while True:
        base = _ask_port()
        if base <= 65000 and ports.busy_message(Settings(home="/nowhere", port=base)) is None:
            return base


def _ask_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _broken_snapshot(settings):
    """A snapshot whose database is not what its manifest says."""
    day = date(2022, 12, 31)
    with build_snapshot(settings.warehouse_dir, source="test", synthetic=True, public=False) as building:
        snapshot = building.finish(day, day, day)
    snapshot.database.chmod(0o600)
    os.truncate(snapshot.database, 1000)
    return snapshot.number


def test_a_broken_snapshot_is_not_replaced_by_another(settings, monkeypatch):
    house.make_home(settings)
    number = _broken_snapshot(settings)
    monkeypatch.setattr(house.subprocess, "run", lambda *_, **__: pytest.fail("a second one is made"))
    assert house.ensure_warehouse(settings, "A", 0.01) is None
    [problem] = unusable_snapshots(settings.warehouse_dir)
    assert f"Snapshot {number} can't be used" in str(problem) and "backup" in str(problem)


def test_status_names_a_broken_snapshot_and_the_ports_really_in_use(settings):
    elsewhere = settings.model_copy(update={"port": settings.port + 10})
    house.make_home(settings)
    _broken_snapshot(settings)
    said = io.StringIO()
    with house.held(settings):
        assert print_status(elsewhere, Console(file=said, width=200))
    assert "Snapshot 1 can't be used" in said.getvalue()
    assert f"{settings.port} address people open" in said.getvalue()


def test_a_lost_key_is_named_and_not_made_anew(settings):
    house.make_home(settings)
    for name in ("audit.pem", "hub-cookies"):
        (settings.keys_dir / name).write_text("secret")
    house.require_keys(settings)
    house.note_keys(settings)
    (settings.keys_dir / "hub-cookies").unlink()
    house.require_keys(settings)
    (settings.keys_dir / "audit.pem").unlink()
    with pytest.raises(house.CannotStart, match=r"audit\.pem.*backup"):
        house.require_keys(settings)


def test_the_printed_command_can_be_copied_from_a_path_with_a_space(monkeypatch):
    monkeypatch.setenv("P4DP_HOME", "/tmp/mon dossier")
    assert commands._own_command().startswith("P4DP_HOME='/tmp/mon dossier' ")

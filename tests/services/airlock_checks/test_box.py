"""A checker taken over by a hostile file: each attack succeeds without the box, then fails in it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from hub_config.airlock.checks import Bounds, Reason, inspect_bytes, inspecting
from hub_config.airlock.checks.box import checkers_box

SUCCESS = (
    'print(\'{"stopped": null, "findings": [], "preview": {"blocks": []}, "candidates": [], "anew": ""}\')'
)
LIMITS = "from hub_config.airlock.checks.inside.limits import set_limits"


def outcome(attack: str) -> Reason | None:
    """None: the attack did what it wanted, and then answered that all is well."""
    told = Bounds(program=("-c", f"{attack}\n{SUCCESS}"), wall_seconds=120)
    inspection = inspect_bytes(b"a,b\n", "t.csv", bounds=told)
    return inspection.quarantined.reason if inspection.quarantined else None


def unboxed(attack: str) -> Reason | None:
    def start(bounds: Bounds) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *bounds.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={"PYTHONPATH": str(Path(__file__).parents[3])},
        )

    with mock.patch.object(inspecting, "_start", start):
        return outcome(attack)


@pytest.fixture(scope="module")
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("pseudonym key")
    path.chmod(0o644)
    return path


def test_it_reaches_no_network(listener: int) -> None:
    attack = f"import socket; socket.create_connection(('127.0.0.1', {listener}), 5)"
    assert unboxed(attack) is None
    assert outcome(attack) is Reason.CRASHED


def test_it_reads_no_other_file(secret: Path) -> None:
    for path in (secret, Path(__file__), Path("/etc/passwd")):
        attack = f"open({str(path)!r}).read()"
        assert unboxed(attack) is None
        assert outcome(attack) is Reason.CRASHED


def test_it_writes_nowhere(tmp_path: Path) -> None:
    left = tmp_path / "left"
    assert unboxed(f"open({str(left)!r}, 'w').write('x')") is None
    assert left.read_text() == "x"
    places = ["/x", "/tmp/x", "/dev/shm/x", "/opt/p4dp/x", str(left), str(Path.home() / "x")]
    anywhere = (
        "def can(path):\n try:\n  open(path, 'w').write('x'); return True\n except OSError:\n  return False\n"
        f"assert any(map(can, {places!r}))"
    )
    assert outcome(anywhere) is Reason.CRASHED


def test_it_sees_no_variable_and_no_process_of_the_enclave() -> None:
    with mock.patch.dict(os.environ, {"P4DP_SECRET": "x"}):
        attack = f"import os\nassert os.path.exists('/proc/{os.getpid()}/environ')"
        assert unboxed(attack) is None
        assert outcome(attack) is Reason.CRASHED
        assert outcome("import os\nassert any('SECRET' in name for name in os.environ)") is Reason.CRASHED


def test_it_has_no_privilege_and_another_uid() -> None:
    attack = "import os; assert os.getuid() == " + str(os.getuid())
    assert unboxed(attack) is None
    assert outcome(attack) is Reason.CRASHED
    status = "assert 'CapEff:\\t0000000000000000' not in open('/proc/self/status').read()"
    assert outcome(status) is Reason.CRASHED


@pytest.mark.parametrize(
    ("limit", "attack"),
    [
        ("memory=2**30, cpu_seconds=30, processes=9", "x = bytearray(2 * 2**30)"),
        ("memory=2**30, cpu_seconds=30, processes=1", "import os\nif os.fork() == 0: os._exit(0)"),
        (
            "memory=2**30, cpu_seconds=30, processes=1",
            "import threading; threading.Thread(target=id, args=(1,)).start()",
        ),
        ("memory=2**30, cpu_seconds=1, processes=9", "import time\nwhile time.process_time() < 1.5: pass"),
    ],
)
def test_it_has_little_of_everything(limit: str, attack: str) -> None:
    """The limits are what stops it: without them the box lets it have as much as it likes."""
    assert outcome(attack) is None
    stopped = outcome(f"{LIMITS}\nset_limits({limit})\n{attack}")
    assert stopped in (Reason.CRASHED, Reason.TIMED_OUT)


def test_nothing_in_the_box_can_be_written_to() -> None:
    box = checkers_box()
    assert not any(mount.writable for mount in box.mounts)
    assert box.scratch == ()
    assert {mount.target for mount in box.mounts if "p4dp" in mount.target} == {
        "/opt/p4dp/hub_config/airlock/checks/inside",
        "/opt/p4dp/hub_config/governance/releases/coded.py",
        "/opt/p4dp/hub_config/governance/releases/facts.py",
        "/opt/p4dp/hub_config/governance/releases/findings.py",
    }
